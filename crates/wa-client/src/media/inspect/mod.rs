//! What a file is, as a person means it: its kind by content and then by name, and what a message says beside it (chapter
//! 06 §8). Everything that is found can be overridden by the message; what no client could show is refused.

mod audio;
mod mp4;
mod picture;

use std::io::{self, BufReader, Cursor, Read, Seek};

use bytes::Bytes;
use wa_core::content::Dimensions;

use super::source::FileSource;
use super::spool::blocking;
use picture::{Picture, Preview};

pub(crate) use picture::{square, square_webp, turn};

/// Bytes from which the content is told.
const HEAD: usize = 8 << 10;
/// Files up to here are sent as what they are when nobody says as what; larger ones as documents, which may be larger.
pub const AUTOMATIC: u64 = 16 << 20;
/// Longest round video, in seconds.
const ROUND: u32 = 60;
/// Largest sticker, in bytes.
pub(crate) const STICKER: u64 = 1 << 20;

/// As what a file is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum As {
    Image,
    Video,
    Gif,
    Round,
    Audio,
    Voice,
    Document,
    Sticker,
}

/// Why a file cannot be sent as what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// It is not there, or cannot be read.
    #[error("the file cannot be read")]
    Unreadable(#[source] io::Error),
    /// The path is not UTF-8: it could not be found again after a restart.
    #[error("the file's path is not UTF-8")]
    Path,
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Not a JPEG or PNG.
    #[error("not a JPEG or PNG image")]
    NotAnImage,
    /// Not an MP4 with pictures.
    #[error("not an MP4 video")]
    NotAVideo,
    /// A round video is longer than 60 seconds.
    #[error("a round video of {0} s; 60 are allowed")]
    TooLong(u32),
    /// Not a sound.
    #[error("not an audio file")]
    NotAudio,
    /// Not Opus in Ogg with one channel: phones would not play it as a voice note.
    #[error("not a voice note: Opus in Ogg with one channel")]
    NotAVoiceNote,
    /// Not a WebP, or larger than 1 MiB.
    #[error("not a sticker: WebP of at most 1 MiB")]
    NotASticker,
    /// Too large to be kept in memory and store until it is sent: give a path.
    #[error("{is} bytes in memory; {most} are kept for a message, more as a file")]
    TooMuchInMemory {
        /// Bytes.
        is: u64,
        /// Most bytes.
        most: u64,
    },
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub(crate) sent_as: As,
    /// Bytes of the file.
    pub(crate) length: u64,
    pub(crate) mime: String,
    pub(crate) dimensions: Option<Dimensions>,
    pub(crate) preview: Option<Bytes>,
    pub(crate) seconds: Option<u32>,
    pub(crate) waveform: Option<Bytes>,
    /// End of an animated sticker's first frame.
    pub(crate) first_frame: Option<u64>,
}

/// A file that can be read from anywhere.
enum Open {
    File(BufReader<std::fs::File>),
    Bytes(Cursor<Bytes>),
}

impl Read for Open {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(into),
            Self::Bytes(bytes) => bytes.read(into),
        }
    }
}

impl Seek for Open {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Bytes(bytes) => bytes.seek(to),
        }
    }
}

/// Looks at a file that should be sent as something, or as whatever it is.
pub(crate) async fn inspect(
    source: &FileSource,
    wish: Option<As>,
    name: Option<&str>,
) -> Result<Found, FileFault> {
    let (source, name) = (source.clone(), name.map(str::to_owned));
    let _turn = turn().await;
    let looked = blocking(move || look(&source, wish, name.as_deref())).await;
    looked.map_err(FileFault::Unreadable)?
}

fn look(source: &FileSource, wish: Option<As>, name: Option<&str>) -> io::Result<Result<Found, FileFault>> {
    let mut file = match source {
        FileSource::Path(path) => Open::File(BufReader::new(std::fs::File::open(path)?)),
        FileSource::Bytes(bytes) => Open::Bytes(Cursor::new(bytes.clone())),
    };
    let length = file.seek(io::SeekFrom::End(0))?;
    if length == 0 {
        return Ok(Err(FileFault::Empty));
    }
    file.rewind()?;
    let mut head = Vec::with_capacity(HEAD);
    (&mut file).take(HEAD as u64).read_to_end(&mut head)?;
    let mime = mime(&head, name);
    let sent_as = wish.unwrap_or_else(|| kind(&mime, length));
    let mut found = Found {
        sent_as,
        length,
        mime,
        dimensions: None,
        preview: None,
        seconds: None,
        waveform: None,
        first_frame: None,
    };
    let fault = found.fill(&mut file, length, &head, wish.is_none())?;
    Ok(fault.map_or(Ok(found), Err))
}

/// The MIME type by content; by name where that says nothing.
fn mime(head: &[u8], name: Option<&str>) -> String {
    let known = infer::get(head).map(|kind| kind.mime_type());
    let named = || name.and_then(|name| mime_guess::from_path(name).first_raw());
    match known.or_else(named).unwrap_or("application/octet-stream") {
        "audio/opus" | "audio/ogg" if head.windows(8).take(64).any(|eight| eight == b"OpusHead") => {
            "audio/ogg; codecs=opus"
        }
        "audio/m4a" | "audio/x-m4a" => "audio/mp4",
        "audio/x-wav" => "audio/wav",
        other => other,
    }
    .to_owned()
}

/// As what phones show a file of this type.
fn kind(mime: &str, length: u64) -> As {
    if length > AUTOMATIC {
        return As::Document;
    }
    match mime {
        "image/jpeg" | "image/png" => As::Image,
        "video/mp4" | "video/3gpp" => As::Video,
        "audio/mpeg" | "audio/mp4" | "audio/aac" | "audio/amr" | "audio/ogg" | "audio/ogg; codecs=opus" => {
            As::Audio
        }
        _ => As::Document,
    }
}

impl Found {
    /// Adds what a message says beside the file. When nobody has said what the file is, one that is not what it seems
    /// becomes a document.
    fn fill(
        &mut self,
        file: &mut Open,
        length: u64,
        head: &[u8],
        guessed: bool,
    ) -> io::Result<Option<FileFault>> {
        let fault = match self.sent_as {
            As::Image => self.image(file)?,
            As::Video | As::Gif | As::Round => self.video(file)?,
            As::Audio => self.audio(file)?,
            As::Voice => self.voice(file)?,
            As::Sticker => self.sticker(file, length, head)?,
            As::Document => None,
        };
        if fault.is_some() && guessed {
            self.sent_as = As::Document;
            return Ok(None);
        }
        Ok(fault)
    }

    fn picture(&mut self, file: &mut Open, preview: Preview) -> io::Result<bool> {
        let format = match self.mime.as_str() {
            "image/jpeg" => image::ImageFormat::Jpeg,
            "image/png" => image::ImageFormat::Png,
            "image/webp" => image::ImageFormat::WebP,
            _ => return Ok(false),
        };
        file.rewind()?;
        let Some(Picture { dimensions, preview }) = picture::read(BufReader::new(file), format, preview)
        else {
            return Ok(false);
        };
        (self.dimensions, self.preview) = (Some(dimensions), preview);
        Ok(true)
    }

    fn image(&mut self, file: &mut Open) -> io::Result<Option<FileFault>> {
        let is_shown = matches!(self.mime.as_str(), "image/jpeg" | "image/png");
        let is_read = is_shown && self.picture(file, Preview::Jpeg)?;
        Ok((!is_read).then_some(FileFault::NotAnImage))
    }

    fn video(&mut self, file: &mut Open) -> io::Result<Option<FileFault>> {
        let film = mp4::read(file)?;
        if film.dimensions.is_none() {
            return Ok(Some(FileFault::NotAVideo));
        }
        (self.dimensions, self.seconds) = (film.dimensions, film.seconds);
        if !self.mime.starts_with("video/") {
            self.mime = "video/mp4".to_owned();
        }
        let too_long = film.seconds.filter(|seconds| self.sent_as == As::Round && *seconds > ROUND);
        Ok(too_long.map(FileFault::TooLong))
    }

    fn audio(&mut self, file: &mut Open) -> io::Result<Option<FileFault>> {
        self.seconds = match self.mime.as_str() {
            "audio/mpeg" => audio::mp3(file)?,
            "audio/wav" => audio::wav(file)?,
            "audio/mp4" => mp4::read(file)?.seconds,
            mime if mime.starts_with("audio/ogg") => audio::ogg(file)?.and_then(|ogg| ogg.seconds),
            mime if mime.starts_with("audio/") => None,
            _ => return Ok(Some(FileFault::NotAudio)),
        };
        Ok(None)
    }

    fn voice(&mut self, file: &mut Open) -> io::Result<Option<FileFault>> {
        let Some(ogg) = audio::ogg(file)?.filter(|ogg| ogg.opus_channels == Some(1)) else {
            return Ok(Some(FileFault::NotAVoiceNote));
        };
        self.mime = "audio/ogg; codecs=opus".to_owned();
        (self.seconds, self.waveform) = (ogg.seconds, ogg.waveform.map(Bytes::from));
        Ok(None)
    }

    fn sticker(&mut self, file: &mut Open, length: u64, head: &[u8]) -> io::Result<Option<FileFault>> {
        if length > STICKER || !wa_media::webp::is_webp(head) || !self.picture(file, Preview::Png)? {
            return Ok(Some(FileFault::NotASticker));
        }
        if wa_media::webp::is_animated(head) {
            self.first_frame = wa_media::webp::first_frame_length(head).filter(|end| *end <= length);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn looked(bytes: Vec<u8>, wish: Option<As>, name: Option<&str>) -> Result<Found, FileFault> {
        inspect(&FileSource::Bytes(bytes.into()), wish, name).await
    }

    fn picture(format: image::ImageFormat) -> Vec<u8> {
        let mut bytes = Vec::new();
        let image = image::RgbaImage::from_pixel(64, 32, image::Rgba([9, 200, 90, 255]));
        let image = image::DynamicImage::from(image);
        let image = if format == image::ImageFormat::Jpeg { image.to_rgb8().into() } else { image };
        image.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    #[tokio::test]
    async fn the_kind_comes_from_the_content_and_then_from_the_name() {
        let cases = [
            (picture(image::ImageFormat::Png), Some("a.pdf"), As::Image, "image/png"),
            (picture(image::ImageFormat::Jpeg), None, As::Image, "image/jpeg"),
            (mp4::tests::film(640, 360, 5, false), None, As::Video, "video/mp4"),
            (audio::tests::voice(200, 2), Some("x.ogg"), As::Audio, "audio/ogg; codecs=opus"),
            (b"name,number\n".to_vec(), Some("table.csv"), As::Document, "text/csv"),
            (b"nothing".to_vec(), None, As::Document, "application/octet-stream"),
            (b"%PDF-1.7 ...".to_vec(), Some("a.png"), As::Document, "application/pdf"),
        ];
        for (bytes, name, sent_as, mime) in cases {
            let found = looked(bytes, None, name).await.unwrap();
            assert_eq!((found.sent_as, found.mime.as_str()), (sent_as, mime));
        }
        // What only begins like an image.
        let broken = picture(image::ImageFormat::Png)[..20].to_vec();
        assert_eq!(looked(broken, None, None).await.unwrap().sent_as, As::Document);
    }

    #[tokio::test]
    async fn what_no_client_could_show_is_refused() {
        let text = || b"a text".to_vec();
        use FileFault as F;
        assert!(matches!(looked(Vec::new(), None, None).await, Err(F::Empty)));
        assert!(matches!(looked(text(), Some(As::Image), Some("a.png")).await, Err(F::NotAnImage)));
        assert!(matches!(looked(text(), Some(As::Video), None).await, Err(F::NotAVideo)));
        assert!(matches!(looked(text(), Some(As::Audio), None).await, Err(F::NotAudio)));
        assert!(matches!(looked(text(), Some(As::Voice), None).await, Err(F::NotAVoiceNote)));
        let stereo = audio::tests::voice(200, 2);
        assert!(matches!(looked(stereo, Some(As::Voice), None).await, Err(F::NotAVoiceNote)));
        let png = picture(image::ImageFormat::Png);
        assert!(matches!(looked(png, Some(As::Sticker), None).await, Err(F::NotASticker)));
        let long = mp4::tests::film(400, 400, 61, false);
        assert!(matches!(looked(long, Some(As::Round), None).await, Err(F::TooLong(61))));
        let gone = inspect(&FileSource::from("/no/such/file"), None, None).await;
        assert!(matches!(gone, Err(F::Unreadable(_))));
    }

    #[tokio::test]
    async fn a_sticker_has_its_size_and_a_png() {
        let found = looked(picture(image::ImageFormat::WebP), Some(As::Sticker), None).await.unwrap();
        assert_eq!(found.dimensions, Some(Dimensions::new(64, 32)));
        assert!(found.preview.unwrap().starts_with(b"\x89PNG"));
        assert_eq!((found.first_frame, found.mime.as_str()), (None, "image/webp"));
    }
}
