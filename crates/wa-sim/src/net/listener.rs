//! One port for everything: TLS or plain, told apart by the first byte; then HTTP (chapter 10 §1).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::hub::Hub;
use super::pipe::ResetSwitch;
use super::{SimError, http};
use crate::faults::{Action, CloseHow, Phase};

/// A peer must begin within this.
const FIRST_BYTE: Duration = Duration::from_secs(20);

/// Which transports the port takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transports {
    /// TLS and plain, told apart by the first byte.
    #[default]
    Both,
    /// TLS only.
    TlsOnly,
    /// Plain only.
    PlainOnly,
}

/// The TLS identity of the port.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) certificate_pem: String,
}

/// PEM texts of a certificate chain and its key.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Certificates, leaf first.
    pub certificate_pem: String,
    /// Private key.
    pub key_pem: String,
}

impl Tls {
    /// From files, or self-signed for the loopback names.
    pub(crate) fn new(files: Option<TlsFiles>) -> Result<Self, SimError> {
        let files = match files {
            Some(files) => files,
            None => {
                let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
                let made = rcgen::generate_simple_self_signed(names).map_err(SimError::Certificate)?;
                TlsFiles { certificate_pem: made.cert.pem(), key_pem: made.signing_key.serialize_pem() }
            }
        };
        let certificates = CertificateDer::pem_slice_iter(files.certificate_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| SimError::TlsFiles(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(files.key_pem.as_bytes())
            .map_err(|error| SimError::TlsFiles(error.to_string()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(SimError::Tls)?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(SimError::Tls)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate_pem: files.certificate_pem })
    }
}

/// Accepts connections for as long as the simulator lives.
pub(crate) async fn accept(
    hub: Arc<Hub>,
    info: Arc<http::Info>,
    listener: TcpListener,
    tls: Arc<Tls>,
    transports: Transports,
) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, or a connection that was gone already: the next may do.
                tracing::warn!(%error, "accept");
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        let (hub, info, tls) = (hub.clone(), info.clone(), tls.clone());
        tokio::spawn(async move {
            if let Err(error) = one(hub, info, stream, peer, &tls, transports).await {
                tracing::debug!(%peer, %error, "connection");
            }
        });
    }
}

async fn one(
    hub: Arc<Hub>,
    info: Arc<http::Info>,
    stream: TcpStream,
    peer: SocketAddr,
    tls: &Tls,
    transports: Transports,
) -> io::Result<()> {
    // Stanzas are small and wanted at once; where the option is unknown they are merely later.
    let _ = stream.set_nodelay(true);
    let reset = ResetSwitch::default();
    let mut stream = Socket { stream, head: Vec::new(), reset: reset.clone() };
    let Some(opening) = timeout(FIRST_BYTE, stream.opening()).await?? else { return Ok(()) };
    // The admin API stays reachable whatever else is broken.
    if opening != Opening::Admin {
        for action in hub.early_stage(Phase::Tcp) {
            if interrupt(&action, &reset).await {
                return Ok(());
            }
        }
    }
    let encrypted = opening == Opening::Tls;
    let remote = peer.ip().to_string();
    match (encrypted, transports) {
        (true, Transports::PlainOnly) | (false, Transports::TlsOnly) => Ok(()),
        (true, _) => {
            for action in hub.early_stage(Phase::Tls) {
                if interrupt(&action, &reset).await {
                    return Ok(());
                }
            }
            let stream = timeout(FIRST_BYTE, tls.acceptor.accept(stream)).await??;
            http::serve(hub, info, TokioIo::new(stream), remote, reset).await
        }
        (false, _) => http::serve(hub, info, TokioIo::new(stream), remote, reset).await,
    }
}

/// Whether a fault ends the connection here.
async fn interrupt(action: &Action, reset: &ResetSwitch) -> bool {
    match action {
        Action::Close { how, .. } => {
            reset.store(*how == CloseHow::Rst, Ordering::Release);
            true
        }
        Action::Freeze { .. } => std::future::pending().await,
        _ => false,
    }
}

/// How a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// A TLS handshake.
    Tls,
    /// A plain request to the admin API.
    Admin,
    /// Anything else.
    Plain,
}

impl Opening {
    /// What the first bytes say; `None` when they may yet be either.
    fn of(head: &[u8]) -> Option<Self> {
        const ADMIN: &[u8] = b"/admin";
        /// No method is longer.
        const METHOD: usize = 16;
        if *head.first()? == 0x16 {
            return Some(Self::Tls);
        }
        let Some(space) = head.iter().take(METHOD).position(|byte| *byte == b' ') else {
            return (head.len() >= METHOD).then_some(Self::Plain);
        };
        let path = &head[space + 1..];
        match path.get(..ADMIN.len()) {
            None if ADMIN.starts_with(path) => None,
            Some(start) if start == ADMIN => match path.get(ADMIN.len()) {
                None => None,
                Some(b'/' | b'?' | b' ') => Some(Self::Admin),
                Some(_) => Some(Self::Plain),
            },
            _ => Some(Self::Plain),
        }
    }
}

/// A socket that can end with a reset, and gives out again what was read of it to see what it is for.
pub(crate) struct Socket {
    stream: TcpStream,
    head: Vec<u8>,
    reset: Arc<AtomicBool>,
}

impl Socket {
    /// Reads as much as shows what the connection is for; `None` when it ends before it begins.
    async fn opening(&mut self) -> io::Result<Option<Opening>> {
        loop {
            if let Some(opening) = Opening::of(&self.head) {
                return Ok(Some(opening));
            }
            let mut chunk = [0; 64];
            match self.stream.read(&mut chunk).await? {
                0 if self.head.is_empty() => return Ok(None),
                0 => return Ok(Some(Opening::Plain)),
                read => self.head.extend_from_slice(&chunk[..read]),
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Acquire) {
            // Without it the end is an ordinary one.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.head.is_empty() {
            let count = self.head.len().min(buf.remaining());
            buf.put_slice(&self.head[..count]);
            self.head.drain(..count);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::Opening;

    #[test]
    fn the_first_bytes_say_what_a_connection_is_for() {
        let of = |text: &str| Opening::of(text.as_bytes());
        assert_eq!(Opening::of(&[0x16]), Some(Opening::Tls));
        assert_eq!(of("GET /ws/chat HTTP/1.1"), Some(Opening::Plain));
        assert_eq!(of("POST /admin/faults HTTP/1.1"), Some(Opening::Admin));
        assert_eq!(of("GET /admin HTTP/1.1"), Some(Opening::Admin));
        assert_eq!(of("GET /administration"), Some(Opening::Plain));
        for open in ["", "GE", "GET ", "GET /", "GET /adm", "DELETE /admin"] {
            assert_eq!(of(open), None, "{open}");
        }
        assert_eq!(of("WA\x06\x03\x00\x00\x24 no method"), Some(Opening::Plain));
        assert_eq!(of("ABCDEFGHIJKLMNOPQ"), Some(Opening::Plain));
    }
}
