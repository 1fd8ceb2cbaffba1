//! Settings that change what others see: privacy, deny lists, block list, default timer, AB props (chapters 09a §9, §11, 09d
//! §12, 10 §8).

use std::collections::BTreeMap;

use wa_binary::{Jid, Node};
use wa_sim::SimHandle;

use crate::client::{Client, attr, sim};
use crate::scene::child;

struct Stage {
    sim: SimHandle,
    ada: Client,
    sibling: Client,
    bea: Client,
}

impl Stage {
    async fn new(seed: u64) -> Self {
        let sim = sim(seed);
        let ada = Client::linked(&sim, "Ada", 1).await;
        let sibling = Client::linked(&sim, "Ada", 2).await;
        let bea = Client::linked(&sim, "Bea", 3).await;
        Self { sim, ada, sibling, bea }
    }

    /// Ada's client sets a category.
    async fn privacy(&mut self, category: Node) -> Node {
        let privacy = Node::new("privacy").attr("addressing_mode", "lid").child(category);
        self.ada.set("privacy", privacy).await
    }

    async fn value(&mut self, name: &str, value: &str) {
        let answer = self.privacy(Node::new("category").attr("name", name).attr("value", value)).await;
        let set = child(&child(&answer, "privacy"), "category");
        assert!(set.attr_is("name", name) && set.attr_is("value", value), "{answer}");
        let sync = self.sibling.until(|node| node.attr_is("type", "account_sync")).await;
        assert!(child(&child(&sync, "privacy"), "category").attr_is("name", name), "{sync}");
    }

    /// What Bea sees of Ada: presence, about text, picture.
    async fn seen(&mut self) -> [String; 3] {
        let ada = self.ada.my_lid().user_jid();
        self.bea.send(Node::new("presence").attr("type", "subscribe").attr("to", &ada)).await;
        let presence = self.bea.until_tag("presence").await;
        let presence = attr(&presence, "last").or_else(|| attr(&presence, "type")).expect("a state");
        let usync = Node::new("usync")
            .attr("sid", "1")
            .attr("mode", "query")
            .child(Node::new("query").child(Node::new("status")))
            .child(Node::new("list").child(Node::new("user").attr("jid", &ada)));
        let answer = self.bea.get("usync", usync).await;
        let about = child(&child(&child(&child(&answer, "usync"), "list"), "user"), "status");
        let about =
            attr(&about, "code").unwrap_or_else(|| about.required_text().unwrap_or_default().into_owned());
        let id = self.bea.id();
        let picture = Node::new("picture").attr("type", "preview").attr("query", "url");
        let iq = Node::new("iq").attr("id", &id).attr("to", Jid::SERVER).attr("type", "get");
        let iq = iq.attr("xmlns", "w:profile:picture").attr("target", &ada).child(picture);
        self.bea.send(iq).await;
        let answer = self.bea.until(|node| node.is("iq") && node.attr_is("id", &id)).await;
        let picture = match answer.optional_child("picture") {
            Some(_) => "shown".to_owned(),
            None => code(&answer),
        };
        [presence, about, picture]
    }
}

fn code(answer: &Node) -> String {
    attr(&child(answer, "error"), "code").expect("a code")
}

#[tokio::test(start_paused = true)]
async fn privacy_hides_what_it_names_from_whom_it_names() {
    let mut stage = Stage::new(990).await;
    stage.ada.set("status", Node::new("status").text("At sea")).await;
    let picture = Node::new("picture").attr("type", "image").bytes(b"\xff\xd8 a picture".to_vec());
    stage.ada.set("w:profile:picture", picture).await;
    stage.sibling.rest().await;
    let seen = |last: &str, about: &str, picture: &str| [last, about, picture].map(str::to_owned);
    assert_eq!(stage.seen().await, seen("none", "At sea", "shown"));
    stage.value("last", "none").await;
    assert_eq!(stage.seen().await, seen("deny", "At sea", "shown"));
    stage.value("status", "none").await;
    assert_eq!(stage.seen().await, seen("deny", "401", "shown"));
    stage.value("profile", "none").await;
    assert_eq!(stage.seen().await, seen("deny", "401", "401"));
    for name in ["last", "status", "profile"] {
        stage.value(name, "all").await;
    }
    assert_eq!(stage.seen().await, seen("none", "At sea", "shown"));

    // A list of those who are left out, guarded by its stamp.
    let user =
        |action: &str| Node::new("user").attr("action", action).attr("jid", stage.bea.my_lid().user_jid());
    let listed = |stamp: &str, user: Node| {
        let category = Node::new("category").attr("name", "last").attr("value", "contact_blacklist");
        category.attr("dhash", stamp).child(user)
    };
    let (add, remove, again) = (user("add"), user("remove"), user("add"));
    let answer = stage.privacy(listed("none", add)).await;
    let stamp = attr(&child(&child(&answer, "privacy"), "category"), "dhash").expect("a stamp");
    assert_eq!(stage.seen().await[0], "deny");
    assert_eq!(code(&stage.privacy(listed("none", again.clone())).await), "409", "a stale stamp");
    let list = Node::new("list").attr("name", "last").attr("value", "contact_blacklist");
    let answer = stage.ada.get("privacy", Node::new("privacy").child(list)).await;
    let list = child(&child(&answer, "privacy"), "list");
    assert!(list.attr_is("dhash", &stamp), "{list}");
    assert_eq!(
        child(&list, "user").required("jid").jid().expect("an address"),
        stage.bea.my_lid().user_jid()
    );
    let answer = stage.privacy(listed(&stamp, remove)).await;
    assert!(child(&child(&answer, "privacy"), "category").attr_is("dhash", "none"));
    assert_eq!(stage.seen().await[0], "none");
    // What no category takes.
    for category in [("last", "sometimes"), ("online", "contacts")] {
        let category = Node::new("category").attr("name", category.0).attr("value", category.1);
        assert_eq!(code(&stage.privacy(category).await), "400");
    }
    let unmigrated = Node::new("privacy").child(listed("none", again));
    assert_eq!(code(&stage.ada.set("privacy", unmigrated).await), "400", "without addressing_mode");
    assert!(stage.sim.violations().is_empty(), "{:?}", stage.sim.violations());
}

#[tokio::test(start_paused = true)]
async fn a_block_list_has_a_stamp_and_is_told_as_a_change() {
    let mut stage = Stage::new(991).await;
    let stamp = |answer: &Node| attr(&child(answer, "list"), "dhash").expect("a stamp");
    let empty = stamp(&stage.ada.iq("blocklist", "get", Jid::SERVER, None).await);
    let item = |action: &str, jid: Jid| Node::new("item").attr("action", action).attr("jid", jid);
    let (lid, pn) = (stage.bea.my_lid().user_jid(), stage.bea.my_jid().user_jid());
    assert_eq!(code(&stage.ada.set("blocklist", item("block", pn.clone())).await), "400", "by number alone");
    let block = item("block", lid.clone()).attr("pn_jid", &pn);
    let blocked = stamp(&stage.ada.set("blocklist", block).await);
    assert_ne!(blocked, empty);
    let sync = stage.sibling.until(|node| node.attr_is("type", "account_sync")).await;
    let change = child(&sync, "blocklist");
    assert!(change.attr_is("dhash", &blocked) && change.attr_is("prev_dhash", &empty), "{change}");
    assert!(child(&change, "item").attr_is("action", "block"));
    let told =
        |node: &Node| node.attr_is("type", "account_sync") && node.optional_child("blocklist").is_some();
    assert!(!stage.ada.rest().await.iter().any(told), "it knows");
    let list = child(&stage.ada.iq("blocklist", "get", Jid::SERVER, None).await, "list");
    let shown = child(&list, "item");
    assert_eq!(shown.required("jid").jid().expect("an address"), lid);
    assert_eq!(shown.required("pn_jid").jid().expect("an address"), pn);
    // Whoever is blocked sees nothing, whatever is set.
    assert_eq!(stage.seen().await[0], "deny");
    stage.ada.set("blocklist", item("unblock", lid)).await;
    assert!(
        child(&stage.ada.iq("blocklist", "get", Jid::SERVER, None).await, "list")
            .optional_child("item")
            .is_none()
    );
    assert_eq!(stage.seen().await[0], "none");
}

#[tokio::test(start_paused = true)]
async fn a_default_timer_is_told_to_own_devices_and_contacts() {
    let mut stage = Stage::new(992).await;
    let mode = |seconds: &str| Node::new("disappearing_mode").attr("duration", seconds);
    assert!(stage.ada.set("disappearing_mode", mode("86400")).await.attr_is("type", "result"));
    let sync = stage.sibling.until(|node| node.attr_is("type", "account_sync")).await;
    assert!(child(&sync, "disappearing_mode").attr_is("duration", "86400"));
    let note = stage.bea.until(|node| node.attr_is("type", "disappearing_mode")).await;
    assert_eq!(note.required("from").jid().expect("an address"), stage.ada.my_lid().user_jid());
    assert!(child(&note, "disappearing_mode").has_attr("t"));
    assert_eq!(code(&stage.ada.set("disappearing_mode", mode("5")).await), "400");
}

#[tokio::test(start_paused = true)]
async fn ab_props_have_their_defaults_and_are_left_out_when_they_are_known() {
    let mut stage = Stage::new(993).await;
    let ask = Node::new("props").attr("protocol", "1");
    let props = child(&stage.ada.get("abt", ask.clone()).await, "props");
    let read = |props: &Node| -> BTreeMap<String, String> {
        let pair = |node: Node| (attr(&node, "config_code"), attr(&node, "config_value"));
        let pairs = props.each("prop").map(|node| pair(node.to_node()));
        pairs.map(|(code, value)| (code.expect("a code"), value.expect("a value"))).collect()
    };
    let default: BTreeMap<String, String> =
        ["10518", "9435", "24941", "25189", "25253"].map(|code| (code.to_owned(), "1".to_owned())).into();
    assert_eq!(read(&props), default);
    let known = |props: &Node| {
        let mut ask = ask.clone();
        for key in ["hash", "refresh_id"] {
            ask.set_attr(key, attr(props, key).expect("a value"));
        }
        ask
    };
    let same = child(&stage.ada.get("abt", known(&props)).await, "props");
    assert!(same.attr_is("delta_update", "true") && read(&same).is_empty(), "{same}");
    stage.sim.world(|world, _| {
        let id = world.find_pn(stage.ada.number()).expect("Ada");
        world.set_props(id, [(7, "x".to_owned())]);
    });
    let newer = child(&stage.ada.get("abt", known(&props)).await, "props");
    assert_eq!(read(&newer).get("7").map(String::as_str), Some("x"));
    assert_ne!(attr(&newer, "hash"), attr(&props, "hash"));
}
