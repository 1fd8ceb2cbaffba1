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
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
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
    let mut first = [0];
    let read = timeout(FIRST_BYTE, stream.peek(&mut first)).await??;
    if read == 0 {
        return Ok(());
    }
    let reset = ResetSwitch::default();
    let stream = Socket { stream, reset: reset.clone() };
    // The admin API stays reachable: only the WebSocket is refused, later on.
    for action in hub.early_stage(Phase::Tcp) {
        if interrupt(&action, &reset).await {
            return Ok(());
        }
    }
    let encrypted = first[0] == 0x16;
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

/// A socket that can end with a reset.
pub(crate) struct Socket {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
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
