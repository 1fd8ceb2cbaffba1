//! Questions and notices about media (chapter 06 §1 and §7): the hosts, and the phone's help with a lost file.

use wa_binary::{FieldError, Jid, Node, NodeRef};
use wa_media::SealedRetry;

use crate::connection::link::{Request, iq};

/// What the server says about its media hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaConn {
    /// What uploads carry.
    pub auth: String,
    /// How long it holds, in seconds from now, or as a time since 1970 from 10^9 on.
    pub ttl: u64,
    /// How long the token holds, in seconds from now.
    pub auth_ttl: Option<u64>,
    /// Names, with a port where there is one: primaries, fallbacks, then the fallbacks of each.
    pub hosts: Vec<String>,
}

/// Most hosts that are kept of an answer.
const MOST_HOSTS: usize = 16;

impl MediaConn {
    /// Reads the answer.
    ///
    /// # Errors
    /// [`FieldError`] without a token, a lifetime or a host.
    pub fn parse(answer: NodeRef<'_>) -> Result<Self, FieldError> {
        let conn = answer.required_child("media_conn")?;
        let auth = conn.required("auth").string()?.into();
        let ttl = conn.required("ttl").u64()?;
        let auth_ttl = conn.optional("auth_ttl").u64()?.filter(|ttl| *ttl > 0);
        let (mut hosts, mut fallbacks, mut last) = (Vec::new(), Vec::new(), Vec::new());
        for host in conn.each("host").take(MOST_HOSTS) {
            let text = |key| host.optional(key).string().ok().flatten().map(String::from);
            if let Some(name) = text("hostname").filter(|name| is_host(name)) {
                if host.attr_is("type", "fallback") { &mut fallbacks } else { &mut hosts }.push(name);
            }
            last.extend(text("fallback_hostname").filter(|name| is_host(name)));
        }
        for name in fallbacks.into_iter().chain(last) {
            if !hosts.contains(&name) {
                hosts.push(name);
            }
        }
        if hosts.is_empty() {
            // The error that names what is missing.
            conn.required_child("host")?.required("hostname").string()?;
        }
        Ok(Self { auth, ttl, auth_ttl, hosts })
    }
}

/// Whether a text is a host, with or without a port, and nothing that could lead elsewhere.
fn is_host(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
}

/// Asks for the media hosts.
#[derive(Debug)]
pub struct MediaConnQuery;

impl Request for MediaConnQuery {
    type Response = MediaConn;

    fn node(&self, id: &str) -> Node {
        iq(id, "set", "w:m").child(Node::new("media_conn"))
    }

    fn parse(&self, answer: NodeRef<'_>) -> Result<MediaConn, FieldError> {
        MediaConn::parse(answer)
    }
}

/// Where a message stands whose file is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    pub id: String,
    /// Its chat; `None` for what comes between own devices.
    pub chat: Option<Jid>,
    /// Whether this account wrote it.
    pub from_me: bool,
    /// Who wrote it, in groups and lists.
    pub author: Option<Jid>,
}

/// Asks the phone for a lost file: `own` is the account's address without a device.
pub fn retry_request(place: &Place, own: &Jid, sealed: &SealedRetry) -> Node {
    let encrypt = Node::new("encrypt")
        .child(Node::new("enc_p").bytes(sealed.ciphertext.clone()))
        .child(Node::new("enc_iv").bytes(sealed.iv.to_vec()));
    let rmr = place.chat.as_ref().map(|chat| {
        let shared = chat.is_group() || chat.is_status() || chat.is_broadcast_list();
        Node::new("rmr")
            .attr("jid", chat.user_jid())
            .attr("from_me", if place.from_me { "true" } else { "false" })
            .maybe_attr("participant", place.author.as_ref().filter(|_| shared).map(Jid::user_jid))
    });
    Node::new("receipt")
        .attr("id", place.id.as_str())
        .attr("to", own.user_jid())
        .attr("type", "server-error")
        .maybe_attr("category", place.chat.is_none().then_some("peer"))
        .child(encrypt)
        .maybe_child(rmr)
}

/// The phone's answer, still sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryNotice {
    /// Ciphertext and initialisation vector.
    Sealed {
        /// Initialisation vector, of any length.
        iv: Vec<u8>,
        /// Ciphertext and tag.
        ciphertext: Vec<u8>,
    },
    /// An error in the clear, by its number.
    Error(i32),
}

impl RetryNotice {
    /// The id of the message, and what is said about it; `None` for what cannot be read.
    pub fn parse(notification: NodeRef<'_>) -> Option<(String, Self)> {
        let id = notification.optional("id").string().ok().flatten()?.into();
        if let Some(error) = notification.optional_child("error") {
            let code = error.optional("code").u64().ok().flatten().unwrap_or(0);
            return Some((id, Self::Error(i32::try_from(code).unwrap_or(i32::MAX))));
        }
        let encrypt = notification.optional_child("encrypt")?;
        let part = |tag| encrypt.optional_child(tag).and_then(NodeRef::optional_bytes).map(|it| it.to_vec());
        Some((id, Self::Sealed { iv: part("enc_iv")?, ciphertext: part("enc_p")? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(conn: Node) -> Node {
        Node::new("iq").attr("type", "result").child(conn)
    }

    #[test]
    fn hosts_come_in_their_order_and_once() {
        let host = |name: &str| Node::new("host").attr("hostname", name);
        let conn = Node::new("media_conn")
            .attr("auth", "a")
            .attr("ttl", "3600")
            .child(host("back").attr("type", "fallback"))
            .child(host("first").attr("type", "primary").attr("fallback_hostname", "back"))
            .child(host("second:8080").attr("fallback_hostname", "last"))
            .child(host("evil/path"));
        let conn = MediaConn::parse(answer(conn).view()).unwrap();
        assert_eq!(conn.hosts, ["first", "second:8080", "back", "last"]);
        assert_eq!((conn.ttl, conn.auth_ttl), (3600, None));
    }

    #[test]
    fn an_answer_without_what_is_needed_is_refused() {
        let conn = || Node::new("media_conn").attr("auth", "a").attr("ttl", "60");
        assert!(MediaConn::parse(answer(conn()).view()).is_err());
        assert!(MediaConn::parse(answer(conn().child(Node::new("host"))).view()).is_err());
        let host = Node::new("host").attr("hostname", "h");
        assert!(
            MediaConn::parse(answer(Node::new("media_conn").attr("ttl", "1").child(host)).view()).is_err()
        );
    }

    #[test]
    fn a_notice_is_an_answer_an_error_or_nothing() {
        let notification = || Node::new("notification").attr("id", "3EB0");
        let part = |tag: &'static str| Node::new(tag).bytes(vec![1; 12]);
        let sealed = Node::new("encrypt").child(part("enc_p")).child(part("enc_iv"));
        let read = |node: Node| RetryNotice::parse(node.view());
        assert!(matches!(read(notification().child(sealed)), Some((_, RetryNotice::Sealed { .. }))));
        let error = Node::new("error").attr("code", "2");
        assert_eq!(read(notification().child(error)), Some(("3EB0".to_owned(), RetryNotice::Error(2))));
        assert_eq!(read(notification()), None);
        assert_eq!(read(notification().child(Node::new("encrypt").child(part("enc_iv")))), None);
    }
}
