//! The QR code of a link: its two texts and its drawings (chapter 02 §3.3).

use core::fmt;
use std::io::Cursor;

use qrcode::render::{svg, unicode};
use qrcode::{EcLevel, QrCode};
use wa_core::login::QrCode as QrText;
use wa_store::UnixTime;

/// One QR code that can be scanned until a deadline. Prints as a drawing for a dark terminal.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkingQr {
    text: QrText,
    until: UnixTime,
}

/// A QR code could not be drawn: the text is longer than a code can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text of {0} bytes does not fit into a QR code")]
pub struct QrError(usize);

/// Which terminal a code is drawn for: the quiet zone must come out light.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Background {
    /// Light letters on a dark ground.
    #[default]
    Dark,
    /// Dark letters on a light ground.
    Light,
}

impl LinkingQr {
    pub(crate) const fn new(text: QrText, until: UnixTime) -> Self {
        Self { text, until }
    }

    /// The five comma-separated fields alone.
    pub fn plain(&self) -> String {
        self.text.plain()
    }

    /// The same behind the link that the phone's own camera opens. This one is drawn.
    pub fn url(&self) -> String {
        self.text.url()
    }

    /// Until when the phone can scan it.
    pub const fn until(&self) -> UnixTime {
        self.until
    }

    /// Two modules a character, with the quiet zone.
    ///
    /// # Errors
    /// [`QrError`] when the server's ref is absurdly long.
    pub fn terminal(&self, background: Background) -> Result<String, QrError> {
        let code = self.code()?;
        let mut renderer = code.render::<unicode::Dense1x2>();
        if background == Background::Dark {
            renderer.dark_color(unicode::Dense1x2::Light).light_color(unicode::Dense1x2::Dark);
        }
        Ok(renderer.build())
    }

    /// An SVG document.
    ///
    /// # Errors
    /// As [`terminal`](Self::terminal).
    pub fn svg(&self) -> Result<String, QrError> {
        Ok(self.code()?.render::<svg::Color<'_>>().min_dimensions(256, 256).build())
    }

    /// A PNG file of at least 256 pixels a side.
    ///
    /// # Errors
    /// As [`terminal`](Self::terminal).
    pub fn png(&self) -> Result<Vec<u8>, QrError> {
        let image = self.code()?.render::<image::Luma<u8>>().min_dimensions(256, 256).build();
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, image::ImageFormat::Png).map_err(|_| QrError(self.plain().len()))?;
        Ok(file.into_inner())
    }

    fn code(&self) -> Result<QrCode, QrError> {
        let url = self.url();
        QrCode::with_error_correction_level(&url, EcLevel::L).map_err(|_| QrError(url.len()))
    }
}

impl fmt::Display for LinkingQr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.terminal(Background::Dark) {
            Ok(drawing) => f.write_str(&drawing),
            Err(error) => write!(f, "({error})"),
        }
    }
}

// The text carries the ADV secret: whoever has it can link a device of their own.
impl fmt::Debug for LinkingQr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkingQr").field("until", &self.until).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn qr(len: usize) -> LinkingQr {
        let key = wa_crypto::curve::PublicKey::from_bytes([7; 32]);
        let text = QrText {
            reference: "2@".to_owned() + &"a".repeat(len),
            noise_key: key,
            identity_key: key,
            adv_secret: wa_crypto::Secret::new([9; 32]),
            platform: wa_core::login::PlatformId::Chrome,
        };
        LinkingQr::new(text, UnixTime::from_secs(60))
    }

    #[test]
    fn a_code_is_drawn_for_terminal_svg_and_png() {
        let qr = qr(40);
        let drawing = qr.terminal(Background::Dark).unwrap();
        assert!(drawing.lines().count() > 25);
        assert_ne!(drawing, qr.terminal(Background::Light).unwrap());
        assert!(qr.svg().unwrap().contains("<svg"));
        let png = image::load_from_memory(&qr.png().unwrap()).unwrap();
        assert!(png.width() >= 256);
        assert!(qr.url().ends_with(&qr.plain()));
    }

    #[test]
    fn a_text_that_does_not_fit_is_an_error_and_the_secret_never_prints() {
        assert!(qr(4000).png().is_err());
        assert!(qr(4000).to_string().contains("does not fit"));
        assert!(!format!("{:?}", qr(10)).contains("aaaa"));
    }
}
