//! The server's properties (chapter 01 §8, `abt`): small settings by number that the service changes while it runs. None
//! is needed to work; rooms that heed one name its number.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wa_binary::{FieldError, Node, NodeRef};
use wa_store::tables::NumberState;
use wa_store::{Bytes, Changes, UnixTime};

use crate::connection::link::{Link, Request, iq};
use crate::shared::Shared;

const ROW: &str = "properties";
/// When they are to be asked for again, milliseconds since 1970: read at every login, which the properties are not.
pub(crate) const DUE: &str = "properties-due";
/// How long they are good for when the server does not say.
const REFRESH: u64 = 86_400;

/// What is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Properties {
    hash: Option<String>,
    refresh_id: Option<u64>,
    /// When they are to be asked for again.
    due: Option<UnixTime>,
    values: BTreeMap<u32, String>,
}

/// Asks for what has changed since a state.
struct PropertiesQuery<'p>(&'p Properties);

/// An answer.
#[derive(Debug, PartialEq, Eq)]
struct Answered {
    hash: Option<String>,
    refresh_id: Option<u64>,
    /// Seconds.
    refresh: u64,
    /// Whether the values come on top of those that are known.
    delta: bool,
    values: BTreeMap<u32, String>,
}

impl Request for PropertiesQuery<'_> {
    type Response = Answered;

    fn node(&self, id: &str) -> Node {
        let props = Node::new("props")
            .attr("protocol", "1")
            .maybe_attr("hash", self.0.hash.clone())
            .maybe_attr("refresh_id", self.0.refresh_id.map(|id| id.to_string()));
        iq(id, "get", "abt").child(props)
    }

    fn parse(&self, answer: NodeRef<'_>) -> Result<Answered, FieldError> {
        let props = answer.required_child("props")?;
        let values = props.each("prop").filter_map(|prop| {
            // A prop with both codes, or with none, is malformed: it alone is passed over.
            let code = prop.optional("config_code").u32().ok()??;
            let value = prop.optional("config_value").string().ok()??;
            (code >= 1 && !prop.has_attr("event_code")).then(|| (code, value.into()))
        });
        Ok(Answered {
            hash: props.optional("hash").string()?.map(Into::into),
            refresh_id: props.optional("refresh_id").u64()?,
            refresh: props.optional("refresh").u64()?.unwrap_or(REFRESH),
            delta: props.attr_is("delta_update", "true"),
            values: values.collect(),
        })
    }
}

impl Properties {
    fn take(&mut self, answer: Answered, now: UnixTime) {
        if !answer.delta {
            self.values.clear();
        }
        self.values.extend(answer.values);
        self.hash = answer.hash;
        self.refresh_id = answer.refresh_id;
        // Never in a loop, whatever the server says.
        self.due = Some(now.after(Duration::from_secs(answer.refresh.clamp(600, 30 * 86_400))));
    }
}

/// After a login: asks when the stored ones are due.
pub(crate) async fn refresh(shared: &Arc<Shared>, link: &Link) {
    let due = shared.small_state(DUE).await;
    let due = due.as_deref().and_then(|due| due.try_into().ok()).map(u64::from_be_bytes);
    if due.is_some_and(|due| UnixTime::from_millis(due) > shared.now()) {
        return;
    }
    let stored = shared.small_state(ROW).await;
    let mut known: Properties =
        stored.as_deref().and_then(|bytes| postcard::from_bytes(bytes).ok()).unwrap_or_default();
    match link.query(&PropertiesQuery(&known)).await {
        Ok(answer) => known.take(answer, shared.now()),
        Err(error) => return tracing::debug!(%error, "the server's properties are not known"),
    }
    let mut changes = Changes::new();
    // Writing to memory cannot fail.
    let bytes = Bytes::from(postcard::to_allocvec(&known).unwrap_or_default());
    changes.put(NumberState, &ROW.into(), &bytes);
    if let Some(due) = known.due {
        changes.put(NumberState, &DUE.into(), &Bytes::copy_from_slice(&due.as_millis().to_be_bytes()));
    }
    // A cache: whoever needs the lease next says that it is gone.
    let _ = shared.vault.lock().await.commit(shared, changes).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(delta: &'static str, props: impl IntoIterator<Item = Node>) -> Answered {
        let props = Node::new("props")
            .attr("hash", "h")
            .attr("refresh", "1")
            .attr("delta_update", delta)
            .children(props);
        PropertiesQuery(&Properties::default()).parse(Node::new("iq").child(props).view()).unwrap()
    }

    fn prop(code: &'static str, value: &'static str) -> Node {
        Node::new("prop").attr("config_code", code).attr("config_value", value)
    }

    #[test]
    fn a_delta_comes_on_top_and_what_is_malformed_is_passed_over() {
        let now = UnixTime::from_secs(1000);
        let mut known = Properties::default();
        known.take(answer("false", [prop("1", "a"), prop("2", "b")]), now);
        let rubbish =
            [prop("0", "x"), prop("no", "x"), prop("3", "x").attr("event_code", "3"), Node::new("prop")];
        known.take(answer("true", rubbish.into_iter().chain([prop("2", "c")])), now);
        assert_eq!(known.values, BTreeMap::from([(1, "a".to_owned()), (2, "c".to_owned())]));
        assert_eq!(known.due, Some(UnixTime::from_secs(1600)), "not every second");
        known.take(answer("false", [prop("9", "z")]), now);
        assert_eq!(known.values, BTreeMap::from([(9, "z".to_owned())]));
    }
}
