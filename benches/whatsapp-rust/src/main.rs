//! `whatsapp-rust` as a contender of the costs bench. Each account has a SQLite store of its own with the crate's defaults,
//! as its documentation has it; events come through its inline handler, which is the cheapest way that it documents, and
//! echoes leave from tasks, as its own callbacks would.

#[path = "../../costs/src/contender.rs"]
mod contender;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use whatsapp_rust::prelude::*;
use whatsapp_rust::transport::TokioWebSocketTransportFactory;

use contender::{Contender, Seen, TEXT, show};

struct Account {
    number: u64,
    seen: Arc<Seen>,
    online: Arc<Notify>,
    acks: Arc<Acks>,
    client: Mutex<Option<Arc<Client>>>,
}

/// Messages that the server has taken.
#[derive(Default)]
struct Acks {
    ids: Mutex<HashSet<String>>,
    more: Notify,
}

impl EventHandler for Account {
    fn handle_event(&self, event: Arc<Event>) {
        match &*event {
            Event::PairingQrCode(qr) => show(self.number, &qr.code),
            Event::Connected(_) => self.online.notify_one(),
            Event::Messages(batch) => {
                for message in batch {
                    if message.message.text_content().is_none() {
                        continue;
                    }
                    if self.seen.echoes() {
                        let client = self.client.lock().unwrap().clone().unwrap();
                        let context = MessageContext::from_inbound(message, client);
                        tokio::spawn(async move { context.reply(TEXT).await.unwrap() });
                    }
                    self.seen.came(self.number, std::iter::once(message.info.id.as_str()));
                }
            }
            Event::ServerAck(ack) if ack.class.as_deref() == Some("message") => {
                assert!(ack.error.is_none(), "{ack:?}");
                self.acks.ids.lock().unwrap().insert(ack.id.clone());
                self.acks.more.notify_one();
            }
            _ => {}
        }
    }
}

struct WhatsappRust {
    url: String,
    certificate: Vec<u8>,
    file: String,
    acks: Arc<Acks>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, _root, certificate, file] = &arguments[..] else { panic!("four arguments") };
    contender::contend(async {
        WhatsappRust {
            url: url.clone(),
            certificate: std::fs::read(certificate).unwrap(),
            file: file.clone(),
            acks: Arc::default(),
        }
    });
}

impl Contender for WhatsappRust {
    type Account = BotHandle;
    type Client = Arc<Client>;
    type Jid = Jid;
    type Sent = String;

    async fn connect(&self, number: u64, seen: &Arc<Seen>) -> BotHandle {
        let store = SqliteStore::new(&format!("{}-{number}", self.file)).await.unwrap();
        let online = Arc::new(Notify::new());
        let account = Arc::new(Account {
            number,
            seen: seen.clone(),
            online: online.clone(),
            acks: self.acks.clone(),
            client: Mutex::default(),
        });
        struct Shared(Arc<Account>);
        impl EventHandler for Shared {
            fn handle_event(&self, event: Arc<Event>) {
                self.0.handle_event(event);
            }
        }
        let bot = Bot::builder()
            .with_backend(store)
            // Else it asks the real web site for the newest one.
            .with_version((2, 3000, 1_045_649_367))
            .with_transport_factory(
                TokioWebSocketTransportFactory::new()
                    .with_url(self.url.clone())
                    .with_connector(self.connector()),
            )
            .with_event_handler(Shared(account.clone()))
            .build()
            .await
            .unwrap();
        *account.client.lock().unwrap() = Some(bot.client());
        let handle = bot.spawn();
        online.notified().await;
        handle
    }

    async fn close(bot: BotHandle) {
        drop(tokio::time::timeout(Duration::from_secs(10), bot.shutdown()).await);
    }

    fn client(bot: &BotHandle) -> Arc<Client> {
        bot.client()
    }

    async fn send(client: &Arc<Client>, to: &Jid) -> String {
        client.send_text(to, TEXT).await.unwrap().message_id
    }

    async fn taken(&self, sent: Vec<String>) {
        let mut missing: HashSet<String> = sent.into_iter().collect();
        loop {
            let more = self.acks.more.notified();
            for id in std::mem::take(&mut *self.acks.ids.lock().unwrap()) {
                missing.remove(&id);
            }
            if missing.is_empty() {
                return;
            }
            more.await;
        }
    }
}

impl WhatsappRust {
    /// One TLS configuration for all.
    fn connector(&self) -> whatsapp_rust::transport::Connector {
        static TLS: std::sync::OnceLock<tokio_rustls::TlsConnector> = std::sync::OnceLock::new();
        let tls = TLS.get_or_init(|| {
            use rustls::pki_types::pem::PemObject as _;
            let mut roots = rustls::RootCertStore::empty();
            roots.add(rustls::pki_types::CertificateDer::from_pem_slice(&self.certificate).unwrap()).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = rustls::ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
            Arc::new(config).into()
        });
        whatsapp_rust::transport::Connector::Rustls(tls.clone())
    }
}
