//! Addresses on the media host (chapter 06 §4 to §6). Always https; the host may carry a port.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::MediaError;

/// The token of a file: base64url without padding of the SHA-256 of what is uploaded.
pub fn token(sha256: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(sha256)
}

/// What an upload asks for beside the file itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UploadStep {
    /// The whole file, or the check is not made.
    #[default]
    Whole,
    /// How much of the file the server has: no body.
    ResumeCheck,
    /// The rest of the file.
    From {
        /// Where it starts, in bytes.
        offset: u64,
    },
}

/// The address of an upload. `path` is that of the kind, `auth` the token of the media connection, `sha256` that of
/// the body. `media_id` is a random 48-bit number that some clients add for unencrypted files.
pub fn upload(
    host: &str,
    path: &str,
    auth: &str,
    sha256: &[u8; 32],
    step: UploadStep,
    media_id: Option<u64>,
) -> String {
    let token = token(sha256);
    let mut url = format!("https://{host}{path}/{token}?auth={}&token={token}", Escaped(auth));
    // Writing to a `String` does not fail.
    let _ = match step {
        UploadStep::Whole => Ok(()),
        UploadStep::ResumeCheck => write!(url, "&resume=1"),
        UploadStep::From { offset } => write!(url, "&file_offset={offset}"),
    };
    if let Some(id) = media_id {
        let _ = write!(url, "&media_id={id}");
    }
    url
}

/// The address of a download. The signature in the direct path is what counts; no auth token is ever sent.
///
/// # Errors
/// [`MediaError::DirectPath`] unless the path, which the sender chose, starts with a single slash.
pub fn download(
    host: &str,
    direct_path: &str,
    file_enc_sha256: Option<&[u8; 32]>,
    mms_type: &str,
) -> Result<String, MediaError> {
    check_path(direct_path)?;
    let separator = if direct_path.contains('?') { '&' } else { '?' };
    let mut url = format!("https://{host}{direct_path}{separator}");
    if let Some(sha256) = file_enc_sha256 {
        let _ = write!(url, "hash={}&", token(sha256));
    }
    let _ = write!(url, "mms-type={}&__wa-mms=", Escaped(mms_type));
    Ok(url)
}

/// The address that deletes a history chunk once it is stored.
///
/// # Errors
/// [`MediaError::DirectPath`] unless the path starts with a single slash.
pub fn delete_history(
    host: &str,
    direct_path: &str,
    file_enc_sha256: &[u8; 32],
    auth: &str,
    enc_handle: Option<&str>,
) -> Result<String, MediaError> {
    check_path(direct_path)?;
    let token = token(file_enc_sha256);
    let bare = direct_path.split('?').next().unwrap_or_default();
    let mut url = format!(
        "https://{host}/mms/md-msg-hist/{token}?token={token}&d_md={}&auth={}",
        URL_SAFE_NO_PAD.encode(bare),
        Escaped(auth)
    );
    if let Some(handle) = enc_handle {
        let _ = write!(url, "&e_handle={}", Escaped(handle));
    }
    Ok(url)
}

/// Two slashes would name another host to some resolvers; control characters and spaces would split the request.
fn check_path(direct_path: &str) -> Result<(), MediaError> {
    let fine = direct_path.starts_with('/')
        && !direct_path.starts_with("//")
        && direct_path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
    if fine { Ok(()) } else { Err(MediaError::DirectPath) }
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
struct Escaped<'t>(&'t str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                f.write_char(char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_say_how_far_they_are() {
        let at = |step, id| upload("h:1", "/mms/image", "a b", &[0; 32], step, id);
        let token = "A".repeat(43);
        let whole = format!("https://h:1/mms/image/{token}?auth=a%20b&token={token}");
        assert_eq!(at(UploadStep::Whole, None), whole);
        assert_eq!(at(UploadStep::ResumeCheck, None), format!("{whole}&resume=1"));
        assert_eq!(at(UploadStep::From { offset: 7 }, Some(9)), format!("{whole}&file_offset=7&media_id=9"));
    }

    #[test]
    fn downloads_append_to_the_query_that_is_there() {
        let url = download("h", "/v/x?oh=1", Some(&[0; 32]), "image").unwrap();
        assert_eq!(url, format!("https://h/v/x?oh=1&hash={}&mms-type=image&__wa-mms=", "A".repeat(43)));
        assert_eq!(download("h", "/v/x", None, "video").unwrap(), "https://h/v/x?mms-type=video&__wa-mms=");
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        for path in [
            "",
            "v/x",
            "//evil.example/x",
            "https://evil.example/",
            "/a b",
            "/a\r\nHost: x",
            "/\\x",
            "/ä",
            "/a#b",
        ] {
            assert!(matches!(download("h", path, None, "image"), Err(MediaError::DirectPath)), "{path}");
        }
    }

    #[test]
    fn a_deletion_names_the_bare_path() {
        let url = delete_history("h", "/v/x?oh=1", &[0; 32], "a", Some("e+")).unwrap();
        assert!(url.ends_with("&d_md=L3YveA&auth=a&e_handle=e%2B"), "{url}");
    }
}
