//! What many tests begin with: two linked accounts, a part of a stanza that has to be there, a WebSocket as bytes.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use wa_binary::Node;
use wa_sim::SimHandle;
use wa_sim::world::AccountId;

use crate::client::{Client, sim};

/// Ada and Bea, each with a companion.
pub(crate) async fn pair(seed: u64) -> (SimHandle, Client, Client) {
    let sim = sim(seed);
    let (ada, bea) = (Client::linked(&sim, "Ada", 1).await, Client::linked(&sim, "Bea", 2).await);
    (sim, ada, bea)
}

pub(crate) fn account(sim: &SimHandle, client: &Client) -> AccountId {
    sim.world(|world, _| world.find_pn(client.number())).expect("an account")
}

/// The child of this tag.
///
/// # Panics
/// There is none, or several.
pub(crate) fn child(node: &Node, tag: &str) -> Node {
    node.required_child(tag).unwrap_or_else(|_| panic!("no {tag}: {node}")).to_node()
}

/// What a `usync` query asks: these protocols, of these users.
pub(crate) fn usync(protocols: Vec<Node>, users: Vec<Node>) -> Node {
    Node::new("usync")
        .attr("sid", "s1")
        .attr("mode", "query")
        .attr("context", "interactive")
        .attr("index", "0")
        .attr("last", "true")
        .child(Node::new("query").children(protocols))
        .child(Node::new("list").children(users))
}

/// A WebSocket over `stream`, as the bytes in it; what is written leaves in messages of at most `piece` bytes.
pub(crate) async fn websocket(url: &str, stream: TcpStream, piece: usize) -> DuplexStream {
    let (socket, _) = tokio_tungstenite::client_async(url, stream).await.expect("an upgrade");
    let (mut sink, mut source) = socket.split();
    let (near, far) = tokio::io::duplex(1 << 20);
    let (mut read, mut write) = tokio::io::split(far);
    tokio::spawn(async move {
        let mut chunk = vec![0; piece];
        while let Ok(count @ 1..) = read.read(&mut chunk).await {
            if sink.send(Message::Binary(chunk[..count].to_vec().into())).await.is_err() {
                break;
            }
        }
    });
    tokio::spawn(async move {
        while let Some(Ok(message)) = source.next().await {
            if write.write_all(&message.into_data()).await.is_err() {
                break;
            }
        }
        // The client is to see the end; whether it still listens does not matter.
        let _ = write.shutdown().await;
    });
    near
}
