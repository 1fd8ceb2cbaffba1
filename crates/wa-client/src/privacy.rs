//! Privacy tokens (chapter 04 §20): what contacts gave us so that we may write to them, and what we give them.

use std::sync::Arc;

use wa_binary::{Jid, Node};
use wa_core::tokens::privacy::{Buckets, cs_token, cs_token_node, takes_token, tc_token_node};
use wa_store::{Bytes, Changes, PrivacyToken, StoreError, UnixTime, tables};

use crate::connection::link::{Link, iq};
use crate::connection::outcome::Ended;
use crate::identity::user_row;
use crate::shared::Shared;

/// Name of the NCT salt among the small state.
pub(crate) const NCT_SALT: &str = "nct-salt";

/// `<tctoken>` or `<cstoken>` for a message to a person; nothing when there is none to give.
pub(crate) async fn node(shared: &Shared, to: &Jid, own: &[Jid]) -> Result<Option<Node>, StoreError> {
    if !takes_token(to, own) {
        return Ok(None);
    }
    let row = shared.store.one(tables::PrivacyTokens, &user_row(to)).await?.unwrap_or_default();
    let now = shared.server_now().as_secs();
    if !row.token.is_empty() && !Buckets::default().is_expired(row.timestamp.map(UnixTime::as_secs), now) {
        return Ok(Some(tc_token_node(&row.token)));
    }
    let salt = shared.small_state(NCT_SALT).await;
    Ok(salt.filter(|_| to.is_lid()).map(|salt| cs_token_node(&cs_token(&salt, to))))
}

/// After a message to a person: gives them a token when the last one is of an older period.
pub(crate) async fn issue_later(shared: &Arc<Shared>, link: &Link, to: &Jid, own: &[Jid]) {
    if !takes_token(to, own) || !is_issue_due(shared, to).await.unwrap_or(false) {
        return;
    }
    let (shared, link, to) = (Arc::clone(shared), link.clone(), to.user_jid());
    tokio::spawn(async move {
        if let Err(error) = issue(&shared, &link, &to).await {
            tracing::debug!(error, "no privacy token was given");
        }
    });
}

async fn is_issue_due(shared: &Shared, to: &Jid) -> Result<bool, StoreError> {
    let row = shared.store.one(tables::PrivacyTokens, &user_row(&to.user_jid())).await?;
    let issued = row.and_then(|row| row.issued).map(UnixTime::as_secs);
    Ok(Buckets::default().is_issue_due(issued, shared.server_now().as_secs()))
}

async fn issue(shared: &Arc<Shared>, link: &Link, to: &Jid) -> Result<(), String> {
    let at = user_row(to);
    let row = shared.store.one(tables::PrivacyTokens, &at).await.map_err(|error| error.to_string())?;
    let now = shared.server_now();
    let issued = row.as_ref().and_then(|row| row.issued).map(UnixTime::as_secs);
    if !Buckets::default().is_issue_due(issued, now.as_secs()) {
        return Ok(());
    }
    let token = Node::new("token")
        .attr("jid", to.clone())
        .attr("t", now.as_secs().to_string())
        .attr("type", "trusted_contact");
    link.ask(|id| iq(id, "set", "privacy").child(Node::new("tokens").child(token)))
        .await
        .map_err(|error| error.to_string())?;
    let mut changes = Changes::new();
    changes.put(tables::PrivacyTokens, &at, &PrivacyToken { issued: Some(now), ..row.unwrap_or_default() });
    let mut vault = shared.vault.lock().await;
    let _ = vault.commit(shared, changes).await.map_err(|_| "the lease is gone".to_owned())?;
    Ok(())
}

/// `<notification type="privacy_token">`: keeps the newest token of its sender.
pub(crate) async fn notification(shared: &Arc<Shared>, stanza: &Node) -> Result<(), Ended> {
    let sender = match stanza.optional("sender_lid").jid() {
        Ok(Some(lid)) => Some(lid),
        _ => stanza.optional("from").jid().ok().flatten(),
    };
    let Some((sender, tokens)) = sender.zip(stanza.optional_child("tokens")) else { return Ok(()) };
    let at = user_row(&sender);
    let mut row = shared.store.one(tables::PrivacyTokens, &at).await?.unwrap_or_default();
    for token in tokens.each("token").filter(|token| token.attr_is("type", "trusted_contact")) {
        let (Ok(Some(t)), Some(bytes)) = (token.optional("t").u64(), token.optional_bytes()) else {
            continue;
        };
        let t = UnixTime::from_secs(t);
        if !bytes.is_empty() && row.timestamp.is_none_or(|before| before <= t) {
            row.token = Bytes::copy_from_slice(&bytes);
            row.timestamp = Some(t);
        }
    }
    let mut changes = Changes::new();
    changes.put(tables::PrivacyTokens, &at, &row);
    let _ = shared.vault.lock().await.commit(shared, changes).await?;
    Ok(())
}
