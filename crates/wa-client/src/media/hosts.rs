//! Which media hosts there are and what uploads must carry (chapter 06 §1): one answer for the client, kept beyond
//! connections until it expires, fetched by one asker at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use wa_store::UnixTime;

use super::stanza::{MediaConn, MediaConnQuery};
use crate::connection::link::RequestError;
use crate::shared::Shared;

/// Taken off the lifetime of an answer.
const GRACE: Duration = Duration::from_secs(30);
/// From here on a lifetime is a time.
const ABSOLUTE: u64 = 1_000_000_000;
/// Where downloads can be had without a connection.
const WELL_KNOWN: [&str; 2] = ["mmg.whatsapp.net", "mmg-fallback.whatsapp.net"];

/// What is known now.
#[derive(Debug, Clone)]
pub(super) struct Conn {
    pub(super) auth: String,
    pub(super) hosts: Vec<String>,
    until: UnixTime,
    /// Which answer it is, to tell a stale one from what came after it.
    number: u64,
}

/// The client's answer.
#[derive(Debug, Default)]
pub(crate) struct Hosts(Mutex<Option<Arc<Conn>>>);

impl Hosts {
    /// The hosts, asked for when they are not known, have expired, or are the `stale` ones.
    pub(super) async fn known(
        &self,
        shared: &Shared,
        stale: Option<&Conn>,
    ) -> Result<Arc<Conn>, RequestError> {
        // Held while asking: the others wait for the same answer.
        let mut known = self.0.lock().await;
        let number = known.as_ref().map_or(0, |conn| conn.number);
        if let Some(conn) = known.as_ref()
            && conn.until > shared.now()
            && stale.is_none_or(|stale| stale.number != conn.number)
        {
            return Ok(Arc::clone(conn));
        }
        let answer = shared.link()?.query(&MediaConnQuery).await?;
        let conn = Arc::new(Conn::new(answer, shared.now(), number + 1));
        *known = Some(Arc::clone(&conn));
        Ok(conn)
    }

    /// The hosts for a download: without a connection, those that everybody knows.
    pub(super) async fn for_download(&self, shared: &Shared, stale: Option<&Conn>) -> Arc<Conn> {
        match self.known(shared, stale).await {
            Ok(conn) => conn,
            Err(error) => {
                tracing::debug!(%error, "the media hosts are not known");
                let kept = self.0.lock().await.clone();
                kept.unwrap_or_else(|| Arc::new(Conn::well_known()))
            }
        }
    }
}

impl Conn {
    fn new(answer: MediaConn, now: UnixTime, number: u64) -> Self {
        let until = if answer.ttl >= ABSOLUTE {
            UnixTime::from_secs(answer.ttl)
        } else {
            now.after(Duration::from_secs(answer.ttl))
        };
        let until = answer.auth_ttl.map_or(until, |ttl| until.min(now.after(Duration::from_secs(ttl))));
        let until = UnixTime::from_millis(until.as_millis().saturating_sub(GRACE.as_millis() as u64));
        Self { auth: answer.auth, hosts: answer.hosts, until, number }
    }

    #[cfg(test)]
    pub(super) fn for_test(hosts: &[&str]) -> Self {
        let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
        Self { auth: String::new(), hosts, until: UnixTime::from_millis(0), number: 0 }
    }

    fn well_known() -> Self {
        let hosts = WELL_KNOWN.map(str::to_owned).to_vec();
        Self { auth: String::new(), hosts, until: UnixTime::from_millis(0), number: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_lasts_as_long_as_the_shorter_of_its_lifetimes_less_some_grace() {
        let now = UnixTime::from_secs(2_000_000_000);
        let until = |ttl, auth_ttl| {
            let answer = MediaConn { auth: "a".into(), ttl, auth_ttl, hosts: vec!["h".into()] };
            Conn::new(answer, now, 1).until
        };
        assert_eq!(until(3600, None), now.after(Duration::from_secs(3570)));
        assert_eq!(until(3600, Some(60)), now.after(Duration::from_secs(30)));
        assert_eq!(until(2_000_000_100, None), now.after(Duration::from_secs(70)));
    }
}
