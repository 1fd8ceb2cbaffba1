//! What stands against new chats: the acks, the questions of `w:mex` and its notifications; the other questions of an account
//! about itself (chapters 05 §5.7, 09a §8, 09c §1, §5, 10 §8).

use serde_json::{Value, json};
use wa_binary::{Jid, Node};
use wa_sim::SimHandle;
use wa_sim::world::{Cap, MexForm, TimeLock};

use crate::client::{Client, attr, opaque, sim};

const LOCK: &str = "23983697327930364";
const CAP: &str = "27910975521856601";

/// Ada with a companion, and people that she may write to.
struct Stage {
    sim: SimHandle,
    ada: Client,
    people: Vec<Client>,
    sent: u32,
}

impl Stage {
    async fn new(seed: u64, people: u64) -> Self {
        let sim = sim(seed);
        let ada = Client::linked(&sim, "Ada", 1).await;
        let mut others = Vec::new();
        for number in 0..people {
            others.push(Client::linked(&sim, &format!("Person {number}"), number + 2).await);
        }
        Self { sim, ada, people: others, sent: 0 }
    }

    fn change(&self, change: impl FnOnce(&mut wa_sim::World, u64, wa_sim::world::AccountId)) {
        self.sim.world(|world, now_ms| {
            let id = world.find_pn(self.ada.number()).expect("Ada");
            change(world, now_ms, id);
        });
    }

    fn now(&self) -> u64 {
        self.sim.now_ms() / 1000
    }

    /// Writes to a person; the error of the ack.
    async fn write(&mut self, person: usize) -> Option<String> {
        let (to, id) = (self.people[person].my_lid(), format!("M{}", self.sent));
        self.sent += 1;
        self.ada.send(opaque(&id, &to.user_jid(), std::slice::from_ref(&to))).await;
        attr(&self.ada.until(|node| node.is("ack") && node.attr_is("id", &id)).await, "error")
    }

    async fn ask(&mut self, operation: &str, variables: Value) -> (Node, Value) {
        let body = json!({ "variables": variables }).to_string();
        let query = Node::new("query").attr("query_id", operation).bytes(body.into_bytes());
        let answer = self.ada.get("w:mex", query).await;
        let result = answer.required_child("result").unwrap_or_else(|_| panic!("{answer}")).to_node();
        let json = serde_json::from_slice(&result.required_bytes().expect("bytes")).expect("JSON");
        (result, json)
    }

    async fn cap(&mut self) -> Value {
        let input = json!({ "input": { "type": "INDIVIDUAL_NEW_CHAT_THREAD" } });
        self.ask(CAP, input).await.1["data"]["xwa2_message_capping_info"].clone()
    }

    /// The next notification of this operation: what its field holds.
    async fn told(&mut self, operation: &str, field: &str) -> Value {
        let of =
            |node: &Node| node.optional_child("update").is_some_and(|it| it.attr_is("op_name", operation));
        let node = self.ada.until(|node| node.attr_is("type", "mex") && of(node)).await;
        assert_eq!(node.required("from").jid().expect("an address"), Jid::SERVER);
        let update = node.required_child("update").expect("an update").to_node();
        let json: Value = serde_json::from_slice(&update.required_bytes().expect("bytes")).expect("JSON");
        json["data"][field].clone()
    }

    async fn told_cap(&mut self) -> Value {
        self.told("MessageCappingInfoNotification", "xwa2_notify_new_chat_messages_capping_info_update").await
    }

    async fn told_lock(&mut self) -> Value {
        let field = "xwa2_notify_account_reachout_timelock";
        self.told("NotificationUserReachoutTimelockUpdate", field).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_refuses_new_chats_until_it_ends() {
    let mut stage = Stage::new(960, 2).await;
    let field = "xwa2_fetch_account_reachout_timelock";
    let clear = json!({ "is_active": false, "enforcement_type": "DEFAULT", "time_enforcement_ends": "0" });
    assert_eq!(stage.ask(LOCK, json!({})).await.1, json!({ "data": { field: clear } }));
    // One chat is old when the lock comes.
    assert_eq!(stage.write(0).await, None);
    let until = stage.now() + 600;
    let lock = TimeLock { until: Some(until), kind: "BIZ_QUALITY".to_owned() };
    stage.change(|world, now_ms, id| world.set_time_lock(now_ms, id, Some(lock)));
    let locked = json!({ "is_active": true, "enforcement_type": "BIZ_QUALITY",
        "time_enforcement_ends": until.to_string() });
    assert_eq!(stage.told_lock().await, locked);
    assert_eq!(stage.ask(LOCK, json!({})).await.1["data"][field], locked);
    assert_eq!(stage.write(1).await.as_deref(), Some("463"));
    assert_eq!(stage.write(0).await, None, "an old chat goes on");
    assert!(!stage.people[1].rest().await.iter().any(|node| node.is("message")));
    stage.sim.advance(std::time::Duration::from_secs(600));
    assert_eq!(stage.ask(LOCK, json!({})).await.1["data"][field], clear);
    assert_eq!(stage.write(1).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_lock_of_companions_leaves_the_phone_free_and_one_without_an_end_is_taken_back() {
    let mut stage = Stage::new(961, 1).await;
    let lock = TimeLock { until: None, kind: "WEB_COMPANION_ONLY".to_owned() };
    stage.change(|world, now_ms, id| world.set_time_lock(now_ms, id, Some(lock)));
    let told = stage.told_lock().await;
    assert_eq!(told, json!({ "is_active": true, "enforcement_type": "WEB_COMPANION_ONLY" }));
    assert_eq!(stage.write(0).await.as_deref(), Some("463"));
    let chat = stage.people[0].my_lid().user_jid();
    let text = wa_sim::phone::Action::Text { chat, text: "hello".into(), quote: None };
    stage.sim.act(stage.ada.number(), text).expect("a deed");
    stage.people[0].until(|node| node.is("message")).await;
    stage.change(|world, now_ms, id| world.set_time_lock(now_ms, id, None));
    assert_eq!(stage.told_lock().await["is_active"], false);
}

#[tokio::test(start_paused = true)]
async fn a_cap_counts_new_chats_warns_twice_and_refuses() {
    let mut stage = Stage::new(962, 5).await;
    assert_eq!(stage.cap().await["capping_status"], "NONE");
    let now = stage.now();
    let cap = Cap { total: 4, used: 0, cycle: (now, now + 3600) };
    stage.change(|world, now_ms, id| world.set_cap(now_ms, id, Some(cap)));
    let told = stage.told_cap().await;
    assert_eq!((&told["capping_status"], &told["used_quota"]), (&json!("NONE"), &json!(0)));
    let mut statuses = Vec::new();
    for person in 0..4 {
        assert_eq!(stage.write(person).await, None);
        // Writing on is no new chat.
        assert_eq!(stage.write(person).await, None);
        let cap = stage.cap().await;
        assert_eq!(cap["used_quota"], person + 1);
        statuses.push(cap["capping_status"].as_str().expect("a status").to_owned());
    }
    assert_eq!(statuses, ["NONE", "FIRST_WARNING", "FIRST_WARNING", "CAPPED"]);
    // Told at each change of the status, once, after the ack of the message that brought it.
    assert_eq!(stage.told_cap().await["capping_status"], "FIRST_WARNING");
    let last = stage.told_cap().await;
    assert_eq!((&last["capping_status"], &last["total_quota"]), (&json!("CAPPED"), &json!(4)));
    assert_eq!(last["cycle_end_timestamp"], now + 3600);
    assert_eq!(stage.write(4).await.as_deref(), Some("475"));
    assert_eq!(stage.write(0).await, None);
    assert!(!stage.ada.rest().await.iter().any(|node| node.attr_is("type", "mex")));
    // The answer that Ada gets makes it a chat that is not new.
    let to = stage.ada.my_lid();
    stage.people[4].send(opaque("B1", &to.user_jid(), std::slice::from_ref(&to))).await;
    stage.ada.until(|node| node.is("message") && node.attr_is("id", "B1")).await;
    assert_eq!(stage.write(4).await, None);
    stage.sim.advance(std::time::Duration::from_secs(3600));
    assert_eq!(stage.cap().await["capping_status"], "NONE", "the cycle is over");
}

#[tokio::test(start_paused = true)]
async fn mex_answers_in_every_form_and_refuses_what_it_does_not_know() {
    let mut stage = Stage::new(963, 0).await;
    let now = stage.now();
    let until = now + 60;
    stage.change(|world, now_ms, id| {
        world.set_time_lock(now_ms, id, Some(TimeLock { until: Some(until), kind: "DEFAULT".into() }));
        world.set_cap(now_ms, id, Some(Cap { total: 9, used: 5, cycle: (now, until) }));
    });
    let field = "xwa2_fetch_account_reachout_timelock";
    let forms = [
        (MexForm::Usual, json!(until.to_string()), json!(5)),
        (MexForm::Numbers, json!(until), json!(5)),
        (MexForm::Strings, json!(until.to_string()), json!("5")),
    ];
    let form = |stage: &Stage, form| {
        stage.change(|world, _, id| {
            let mut switches = world.account(id).switches.clone();
            switches.mex_form = form;
            world.set_switches(id, switches);
        });
    };
    for (given, ends, used) in forms {
        form(&stage, given);
        assert_eq!(stage.ask(LOCK, json!({})).await.1["data"][field]["time_enforcement_ends"], ends);
        assert_eq!(stage.cap().await["used_quota"], used);
    }
    form(&stage, MexForm::Argo);
    assert!(stage.ask(LOCK, json!({})).await.0.attr_is("format", "argo"));
    form(&stage, MexForm::Error(417));
    let code = |json: &Value| json["errors"][0]["extensions"]["error_code"].clone();
    let (_, json) = stage.ask(LOCK, json!({})).await;
    assert_eq!((code(&json), &json["data"]), (json!(417), &Value::Null));
    form(&stage, MexForm::Usual);
    let (_, json) = stage.ask("1", json!({})).await;
    assert_eq!(code(&json), 400);
    assert!(json["errors"][0]["message"].as_str().is_some_and(|words| words.contains("persisted query")));
    // Variables of another type.
    assert_eq!(code(&stage.ask(CAP, json!({ "input": { "type": 7 } })).await.1), 400);
    assert_eq!(code(&stage.ask(LOCK, json!([])).await.1), 400);
    assert!(stage.sim.violations().is_empty(), "{:?}", stage.sim.violations());
}

#[tokio::test(start_paused = true)]
async fn a_username_is_checked_taken_locked_and_given_up() {
    let mut stage = Stage::new(964, 1).await;
    let (get, check, set, lock) =
        ("25347099718279209", "26122779627399568", "25757341163897635", "9749436995157074");
    let code = |json: &Value| json["errors"][0]["extensions"]["error_code"].clone();
    let result = |json: &Value, field: &str| json["data"][field]["result"].clone();
    assert_eq!(code(&stage.ask(get, json!({})).await.1), 404);
    assert_eq!(code(&stage.ask(lock, json!({ "pin": "1234" })).await.1), 404);
    let name = json!({ "input": "ada.l", "source": "USER_INPUT" });
    assert_eq!(result(&stage.ask(check, name.clone()).await.1, "xwa2_username_check"), "SUCCESS");
    assert_eq!(result(&stage.ask(set, name.clone()).await.1, "xwa2_username_set"), "SUCCESS");
    assert_eq!(
        result(&stage.ask(lock, json!({ "pin": "1234" })).await.1, "xwa2_username_pin_set"),
        "SUCCESS"
    );
    assert_eq!(code(&stage.ask(lock, json!({ "pin": "12" })).await.1), 400);
    let own = stage.ask(get, json!({})).await.1["data"]["xwa2_username_get"]["username_info"].clone();
    assert_eq!((&own["username"], &own["pin"]), (&json!("ada.l"), &json!("1234")));
    // Somebody else has it.
    let body = json!({ "variables": { "input": "bea" } }).to_string();
    let query = Node::new("query").attr("query_id", set).bytes(body.into_bytes());
    stage.people[0].get("w:mex", query).await;
    let taken = json!({ "input": "Bea" });
    assert_eq!(result(&stage.ask(check, taken.clone()).await.1, "xwa2_username_check"), "UNAVAILABLE");
    assert_eq!(result(&stage.ask(set, taken).await.1, "xwa2_username_set"), "UNAVAILABLE");
    assert_eq!(result(&stage.ask(set, json!({})).await.1, "xwa2_username_set"), "SUCCESS");
    assert_eq!(code(&stage.ask(get, json!({})).await.1), 404);
}
