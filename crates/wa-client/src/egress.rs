//! How the bytes of an account leave the machine: proxy and TLS, for the socket, media and look-ups alike.
//!
//! It fails closed: with a proxy set, nothing goes around it. Accounts with equal settings share one TLS configuration
//! and so the server's tickets, by which a later handshake leaves the certificates out. A ticket of one proxy is never
//! shown through another: it would tell who belongs together.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::{CipherSuite, ClientConfig};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri};
use tower::{Service, ServiceExt};

/// Tickets that are kept for each way out: of eight servers, which are the account's and some media hosts.
const TICKETS: usize = 64;

/// Proxy and trust of an account.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Egress {
    /// Proxy for everything; `None` connects directly.
    pub proxy: Option<Proxy>,
    /// Whom TLS trusts.
    pub roots: TlsRoots,
}

/// A proxy. The password never prints.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    kind: ProxyKind,
    authority: String,
    login: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum ProxyKind {
    HttpConnect,
    Socks5 { local_dns: bool },
}

/// Whom TLS trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TlsRoots {
    /// The roots of the web, compiled in.
    #[default]
    Web,
    /// Only these certificates (DER): a simulator's or a company's own.
    Only(Vec<Vec<u8>>),
}

/// Why proxy or TLS settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// Not `http://`, `socks5://` or `socks5h://` with a host and port.
    #[error("not a proxy URL (http://, socks5:// or socks5h:// with host and port): {0}")]
    ProxyUrl(String),
    /// A root certificate cannot be read.
    #[error("a root certificate cannot be used")]
    Root(#[source] rustls::Error),
    /// Not certificates as PEM, or none.
    #[error("not PEM with at least one certificate")]
    Pem(#[source] pem::Error),
    /// The name or address could not be reached, directly or through the proxy.
    #[error("cannot reach {host}")]
    Unreachable {
        /// Host that was asked for.
        host: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl TlsRoots {
    /// Only the certificates of a PEM text (`-----BEGIN CERTIFICATE-----`), such as `tls_cert_pem` of a simulator.
    ///
    /// # Errors
    /// [`EgressError::Pem`] if a part of it is no PEM, or no certificate is in it. Whether a certificate can be a root
    /// shows when a client is started: [`EgressError::Root`].
    pub fn pem(text: &str) -> Result<Self, EgressError> {
        let certificates: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(text.as_bytes())
            .map(|certificate| Ok(certificate.map_err(EgressError::Pem)?.to_vec()))
            .collect::<Result<_, _>>()?;
        if certificates.is_empty() {
            return Err(EgressError::Pem(pem::Error::NoItemsFound));
        }
        Ok(Self::Only(certificates))
    }
}

impl Egress {
    /// The same settings with a proxy.
    pub fn with_proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// The same settings with other roots.
    pub fn with_roots(mut self, roots: TlsRoots) -> Self {
        self.roots = roots;
        self
    }

    /// Opens a TCP connection to `uri`'s host, through the proxy if there is one.
    pub(crate) async fn open(&self, uri: &Uri) -> Result<TcpStream, EgressError> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        match &self.proxy {
            None => call(connector, uri).await,
            Some(proxy) => {
                let at: Uri = format!("http://{}", proxy.authority)
                    .parse()
                    .map_err(|_| EgressError::ProxyUrl(proxy.authority.clone()))?;
                match proxy.kind {
                    ProxyKind::HttpConnect => {
                        let tunnel = Tunnel::new(at, connector);
                        match proxy.basic_authorization() {
                            Some(value) => call(tunnel.with_auth(value), uri).await,
                            None => call(tunnel, uri).await,
                        }
                    }
                    ProxyKind::Socks5 { local_dns } => {
                        let socks = SocksV5::new(at, connector).local_dns(local_dns);
                        match &proxy.login {
                            Some((user, password)) => {
                                call(socks.with_auth(user.clone(), password.clone()), uri).await
                            }
                            None => call(socks, uri).await,
                        }
                    }
                }
            }
        }
    }

    /// The TLS configuration, shared by all accounts with equal settings for as long as somebody keeps it.
    pub(crate) fn tls(&self) -> Result<Arc<ClientConfig>, EgressError> {
        static SHARED: LazyLock<Mutex<HashMap<Egress, Weak<ClientConfig>>>> = LazyLock::new(Mutex::default);
        let mut shared = SHARED.lock();
        if let Some(config) = shared.get(self).and_then(Weak::upgrade) {
            return Ok(config);
        }
        shared.retain(|_, config| config.strong_count() > 0);
        let like = shared.iter().find(|(other, _)| other.roots == self.roots);
        let mut config = match like.and_then(|(_, config)| config.upgrade()) {
            Some(like) => ClientConfig::clone(&like),
            None => tls_config(&self.roots)?,
        };
        config.resumption = Resumption::in_memory_sessions(TICKETS);
        let config = Arc::new(config);
        shared.insert(self.clone(), Arc::downgrade(&config));
        Ok(config)
    }
}

async fn call<C>(connector: C, uri: &Uri) -> Result<TcpStream, EgressError>
where
    C: Service<Uri, Response = TokioIo<TcpStream>>,
    C::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match connector.oneshot(uri.clone()).await {
        Ok(stream) => Ok(stream.into_inner()),
        Err(error) => Err(EgressError::Unreachable {
            host: uri.host().unwrap_or_default().to_owned(),
            source: error.into(),
        }),
    }
}

fn tls_config(roots: &TlsRoots) -> Result<ClientConfig, EgressError> {
    let mut store = rustls::RootCertStore::empty();
    match roots {
        TlsRoots::Web => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        TlsRoots::Only(certificates) => {
            for certificate in certificates {
                store.add(certificate.clone().into()).map_err(EgressError::Root)?;
            }
        }
    }
    // A library neither installs nor relies on a process-wide provider.
    let mut provider = rustls::crypto::ring::default_provider();
    // Browsers offer this one first, and its hash is the one that processors compute.
    provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    Ok(ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(EgressError::Root)?
        .with_root_certificates(store)
        .with_no_client_auth())
}

impl Proxy {
    /// From `http://[user:password@]host:port`, `socks5://..` (names resolved here) or `socks5h://..` (names resolved
    /// by the proxy).
    ///
    /// # Errors
    /// [`EgressError::ProxyUrl`] for anything else; the text in it holds no password.
    pub fn parse(url: &str) -> Result<Self, EgressError> {
        let shown = || EgressError::ProxyUrl(url.rsplit_once('@').map_or(url, |(_, host)| host).to_owned());
        let (scheme, rest) = url.split_once("://").ok_or_else(shown)?;
        let kind = match scheme {
            "http" => ProxyKind::HttpConnect,
            "socks5" => ProxyKind::Socks5 { local_dns: true },
            "socks5h" => ProxyKind::Socks5 { local_dns: false },
            _ => return Err(shown()),
        };
        let (login, authority) = match rest.rsplit_once('@') {
            Some((login, authority)) => (Some(login.split_once(':').ok_or_else(shown)?), authority),
            None => (None, rest),
        };
        let authority = authority.trim_end_matches('/');
        let (host, port) = authority.rsplit_once(':').ok_or_else(shown)?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(shown());
        }
        let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
        Ok(Self { kind, authority: authority.to_owned(), login })
    }

    fn basic_authorization(&self) -> Option<HeaderValue> {
        let (user, password) = self.login.as_ref()?;
        let text = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        HeaderValue::from_str(&text).ok()
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let user = self.login.as_ref().map(|(user, _)| user);
        f.debug_struct("Proxy")
            .field("kind", &self.kind)
            .field("authority", &self.authority)
            .field("user", &user)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Egress").field("proxy", &self.proxy).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_url_is_parsed_and_its_password_never_prints() {
        let proxy = Proxy::parse("socks5h://bot:hunter2@127.0.0.1:1080").unwrap();
        assert!(!format!("{proxy:?}").contains("hunter2"));
        for bad in [
            "ftp://a:1",
            "http://",
            "http://host",
            "socks5://:1080",
            "http://host:99999",
            "http://u@h:1",
            "x",
        ] {
            assert!(Proxy::parse(bad).is_err(), "{bad}");
        }
        let error = Proxy::parse("ftp://bot:hunter2@host:1").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn a_text_without_certificates_is_no_set_of_roots() {
        let begun = "-----BEGIN CERTIFICATE-----\nMIIB";
        let bent = "-----BEGIN CERTIFICATE-----\nM*=\n-----END CERTIFICATE-----\n";
        for text in ["", "-----BEGIN CERTIFICATE", begun, bent] {
            assert!(matches!(TlsRoots::pem(text), Err(EgressError::Pem(_))), "{text}");
        }
        let text = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        assert_eq!(TlsRoots::pem(&text.repeat(2)).unwrap(), TlsRoots::Only(vec![vec![0x30, 0]; 2]));
    }

    #[test]
    fn equal_settings_share_one_tls_configuration() {
        let (a, b) = (Egress::default().tls().unwrap(), Egress::default().tls().unwrap());
        assert!(Arc::ptr_eq(&a, &b));
        let other = Egress::default().with_roots(TlsRoots::Only(Vec::new())).tls().unwrap();
        assert!(!Arc::ptr_eq(&a, &other));
    }

    #[test]
    fn tickets_of_one_proxy_are_not_shown_through_another() {
        let by = |port: u16| {
            let proxy = Proxy::parse(&format!("socks5h://127.0.0.1:{port}")).unwrap();
            Egress::default().with_proxy(proxy).tls().unwrap()
        };
        let (one, again, other) = (by(1080), by(1080), by(1081));
        assert!(Arc::ptr_eq(&one, &again));
        assert!(!Arc::ptr_eq(&one, &other));
    }
}
