//! Our client as a contender: accounts of one store, connected with TLS.

use std::sync::Arc;
use std::time::Duration;

use wa_client::egress::{Egress, TlsRoots};
use wa_client::events::{EventStream, Kind};
use wa_client::messages::sending::{SendReport, Sending};
use wa_client::{Client, Jid, RootCa};
use wa_store::sqlite::SqliteOptions;
use wa_store::{Durability, MemoryStore, Store};

use crate::contender::{Contender, PATIENCE, Seen, TEXT, show};

pub struct Ours {
    store: Store,
    url: String,
    root: RootCa,
    egress: Egress,
}

impl Ours {
    /// Arguments: URL, root key, file with the certificate in PEM, SQLite file, `process`, `power` or `memory`.
    pub async fn open(arguments: &[String]) -> Self {
        let [url, root, certificate, file, kept] = arguments else { panic!("five arguments") };
        let root: Vec<u8> =
            (0..64).step_by(2).map(|at| u8::from_str_radix(&root[at..at + 2], 16).unwrap()).collect();
        let store = match kept.as_str() {
            "memory" => MemoryStore::open().await.unwrap(),
            kept => {
                let durability = if kept == "power" { Durability::Power } else { Durability::Process };
                let backend = SqliteOptions::new(file).durability(durability).open().await.unwrap();
                Store::builder(Arc::new(backend)).open().await.unwrap()
            }
        };
        let roots = TlsRoots::pem(&std::fs::read_to_string(certificate).unwrap()).unwrap();
        Self {
            store,
            url: url.clone(),
            root: RootCa::new(root.try_into().unwrap(), 0),
            egress: Egress::default().with_roots(roots),
        }
    }
}

impl Contender for Ours {
    type Account = Client;
    type Client = Client;
    type Jid = Jid;
    type Sent = Sending;

    async fn connect(&self, number: u64, seen: &Arc<Seen>) -> Client {
        let (client, events) = Client::builder(self.store.account(format!("a{number}")))
            .url(self.url.parse().unwrap())
            .root(self.root)
            .egress(self.egress.clone())
            .connect()
            .await
            .unwrap();
        tokio::spawn(listen(number, events, seen.clone()));
        client.wait_online(PATIENCE).await.unwrap();
        client
    }

    async fn close(client: Client) {
        client.shutdown(Duration::from_secs(10)).await;
    }

    fn client(client: &Client) -> Client {
        client.clone()
    }

    async fn send(client: &Client, to: &Jid) -> Sending {
        client.messages().send(to, TEXT).await.unwrap()
    }

    async fn taken(&self, sent: Vec<Sending>) {
        for sending in sent {
            let report = sending.await;
            assert!(matches!(report, SendReport::Accepted(_)), "{report:?}");
        }
    }
}

/// An application that answers several messages at once, as a bot with many chats does.
async fn listen(account: u64, mut events: EventStream, seen: Arc<Seen>) {
    loop {
        let several = events.next_several(64).await;
        if several.is_empty() {
            return;
        }
        let mut messages = Vec::with_capacity(several.len());
        for event in &several {
            match &event.kind {
                Kind::LinkingQr(qr) => show(account, &qr.url()),
                Kind::Message(message) => messages.push((event, message)),
                _ => {}
            }
        }
        if seen.echoes() {
            let answers = messages.iter().map(|(event, _)| event.answer(TEXT));
            for answer in futures_util::future::join_all(answers).await {
                answer.unwrap();
            }
        }
        seen.came(account, messages.iter().map(|(_, message)| message.id.as_str()));
    }
}
