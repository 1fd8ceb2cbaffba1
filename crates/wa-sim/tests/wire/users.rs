//! The directory and the key store: every protocol of usync, bundles, device lists and who hears of their changes
//! (chapters 02 §6.5, 09a §1, §4, §8, 09d §1.2, §3, 10 §4).

use prost::Message as _;
use wa_binary::{Jid, Node};
use wa_core::prekeys::{Bundle, Fetched, parse_fetch};
use wa_proto::business_cert::{VerifiedNameCertificate, verified_name_certificate};
use wa_sim::SimHandle;
use wa_sim::faults::{Action, Fault, Match};
use wa_sim::world::Username;

use crate::client::{Client, attr, opaque, sim};
use crate::scene::{self, account, child, pair};

/// The whole answer to a question about these users.
async fn ask(client: &mut Client, protocols: Vec<Node>, users: Vec<Node>) -> Node {
    let answer = client.get("usync", scene::usync(protocols, users)).await;
    let usync = child(&answer, "usync");
    assert!(usync.attr_is("sid", "s1"));
    usync
}

fn users(usync: &Node) -> Vec<Node> {
    let list = usync.required_child("list").expect("a list");
    list.each("user").map(wa_binary::NodeRef::to_node).collect()
}

async fn one(client: &mut Client, protocols: Vec<Node>, user: Node) -> Node {
    let mut users = users(&ask(client, protocols, vec![user]).await);
    assert_eq!(users.len(), 1);
    users.remove(0)
}

fn by_jid(jid: &Jid) -> Node {
    Node::new("user").attr("jid", jid)
}

fn by_phone(text: &str) -> Node {
    Node::new("user").child(Node::new("contact").text(text))
}

fn text(node: &Node) -> String {
    node.required_text().expect("text").into_owned()
}

#[tokio::test(start_paused = true)]
async fn numbers_are_found_not_found_or_no_numbers() {
    let (_sim, mut ada, bea) = pair(980).await;
    let (number, lid) = (bea.number(), bea.my_lid().user_jid());
    let plain = || vec![Node::new("contact")];
    for form in [format!("+{number}"), format!("{number}@c.us")] {
        let user = one(&mut ada, plain(), by_phone(&form)).await;
        let contact = child(&user, "contact");
        assert!(contact.attr_is("type", "in") && text(&contact) == form, "{user}");
        assert_eq!(user.required("jid").jid().expect("an address"), bea.my_jid().user_jid());
    }
    let canonical = vec![Node::new("contact").attr("addressing_mode", "lid")];
    let user = one(&mut ada, canonical, by_phone(&format!("+{number}"))).await;
    assert_eq!(user.required("jid").jid().expect("an address"), lid);
    assert_eq!(user.required("pn_jid").jid().expect("an address"), bea.my_jid().user_jid());
    for (asked, kind) in
        [("+15550199", "out"), ("+0123", "invalid"), ("Bea", "invalid"), ("+1234567890123456", "invalid")]
    {
        let user = one(&mut ada, plain(), by_phone(asked)).await;
        let contact = child(&user, "contact");
        assert!(contact.attr_is("type", kind) && text(&contact) == asked, "{user}");
        assert!(!user.has_attr("jid"));
    }
}

#[tokio::test(start_paused = true)]
async fn every_protocol_is_answered_for_every_user_in_the_order_of_the_question() {
    let (sim, mut ada, bea) = pair(981).await;
    let shop = Client::linked(&sim, "scenario:biz:Shop", 3).await;
    let b = account(&sim, &bea);
    sim.world(|world, now_ms| {
        world.say_about(now_ms, b, "At work").expect("a text");
        world.set_picture(now_ms, b, None, Some(b"a picture"[..].into())).expect("a picture");
        assert!(world.set_username(now_ms, b, Some(Username { name: "bea.b".into(), key: None })));
    });
    let features = Node::new("feature").children(["voip", "encrypt_v2"].map(Node::new));
    let protocols = || {
        let mut all = Vec::new();
        for name in
            ["contact", "lid", "devices", "status", "text_status", "picture", "disappearing_mode", "username"]
        {
            all.push(Node::new(name));
        }
        all.push(Node::new("business").child(Node::new("verified_name")));
        all.push(Node::new("bot").child(Node::new("profile").attr("v", "1")));
        all.push(features.clone());
        all
    };
    let (people, asked) = ([&bea, &shop], protocols());
    let usync = ask(&mut ada, asked, people.map(|person| by_jid(&person.my_jid().user_jid())).to_vec()).await;
    let result = usync.required_child("result").expect("a result").to_node();
    assert!(protocols().iter().all(|protocol| result.optional_child(protocol.tag()).is_some()), "{result}");
    let answers = users(&usync);
    let jids: Vec<Jid> = answers.iter().map(|user| user.required("jid").jid().expect("an address")).collect();
    assert_eq!(jids, people.map(|person| person.my_jid().user_jid()));
    let [hers, shops] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(text(&child(hers, "contact")), format!("+{}", bea.number()));
    assert_eq!(child(hers, "lid").required("val").jid().expect("a LID"), bea.my_lid().user_jid());
    assert_eq!(text(&child(hers, "status")), "At work");
    assert!(child(hers, "text_status").attr_is("text", "At work"));
    assert!(child(hers, "picture").has_attr("id"));
    let timer = child(hers, "disappearing_mode");
    assert!(timer.attr_is("duration", "0") && timer.has_attr("t"), "{timer}");
    assert_eq!(text(&child(hers, "username")), "bea.b");
    let able = child(hers, "feature");
    assert!(
        child(&able, "voip").attr_is("value", "true") && child(&able, "encrypt_v2").attr_is("value", "true")
    );
    for absent in ["business", "bot"] {
        assert!(hers.optional_child(absent).is_none(), "{hers}");
    }
    for absent in ["picture", "username"] {
        assert!(shops.optional_child(absent).is_none(), "{shops}");
    }
    // The shop's name, certified by its phone.
    let name = child(&child(shops, "business"), "verified_name");
    assert!(name.attr_is("name", "Shop") && name.attr_is("issuer", "smb:wa"), "{name}");
    let certificate = VerifiedNameCertificate::decode(name.required_bytes().expect("bytes").as_ref());
    let certificate = certificate.expect("a certificate");
    let details = certificate.details.expect("details");
    let shown = verified_name_certificate::Details::decode(details.clone()).expect("details");
    assert_eq!(shown.verified_name.as_deref(), Some("Shop"));
    let key = sim.world(|world, _| {
        world.phone(world.find_pn(shop.number()).expect("the shop")).expect("a phone").account_key()
    });
    let signature = certificate.signature.expect("a signature");
    let key = wa_crypto::curve::PublicKey::from_bytes(key);
    wa_crypto::xeddsa::verify(&key, &[&details], &signature).expect("the phone's signature");
    let asked = Node::new("verified_name").attr("jid", shop.my_jid().user_jid());
    assert_eq!(child(&ada.get("w:biz", asked).await, "verified_name"), name);
    // What is hidden is said to be.
    ada.rest().await;
    sim.world(|world, now_ms| {
        let hide = Node::new("privacy").children(
            ["status", "profile"].map(|name| Node::new("category").attr("name", name).attr("value", "none")),
        );
        world.phone_asks(now_ms, b, "privacy", &Jid::SERVER, Some(hide)).expect("a setting");
    });
    let protocols = ["status", "text_status", "picture"].map(Node::new).to_vec();
    let hers = one(&mut ada, protocols, by_jid(&bea.my_jid().user_jid())).await;
    assert!(child(&hers, "status").attr_is("code", "401"), "{hers}");
    for tag in ["text_status", "picture"] {
        assert!(child(&child(&hers, tag), "error").attr_is("code", "401"), "{hers}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_username_leads_to_the_lid_and_never_to_the_number() {
    let (sim, mut ada, mut bea) = pair(982).await;
    let (b, lid) = (account(&sim, &bea), bea.my_lid().user_jid());
    let give = |id, name: &str, key: Option<&str>| {
        let username = Username { name: name.to_owned(), key: key.map(str::to_owned) };
        sim.world(|world, now_ms| world.set_username(now_ms, id, Some(username)))
    };
    assert!(give(b, "bea.b", None));
    let note = bea.until(|node| node.optional_child("username").is_some()).await;
    assert!(note.attr_is("type", "account_sync"), "{note}");
    assert!(child(&note, "username").attr_is("username", "bea.b"));
    assert!(!give(account(&sim, &ada), "Bea.B", None), "one name, one account");
    let look = async |ada: &mut Client, name: &str, pin: Option<&str>| {
        let contact = Node::new("contact").attr("username", name).maybe_attr("pin", pin);
        let query = vec![Node::new("contact").attr("addressing_mode", "lid"), Node::new("username")];
        one(ada, query, Node::new("user").child(contact)).await
    };
    let found = look(&mut ada, "BEA.b", None).await;
    assert_eq!(found.required("jid").jid().expect("an address"), lid);
    assert!(!found.has_attr("pn_jid") && child(&found, "contact").attr_is("type", "in"), "{found}");
    assert_eq!(text(&child(&found, "username")), "bea.b");
    let nobody = look(&mut ada, "nobody", None).await;
    assert!(!nobody.has_attr("jid") && child(&nobody, "contact").attr_is("type", "out"), "{nobody}");
    // With a key the name alone leads nowhere.
    assert!(give(b, "bea.b", Some("1234")));
    for (pin, leads) in [(None, false), (Some("4321"), false), (Some("1234"), true)] {
        let user = look(&mut ada, "bea.b", pin).await;
        assert_eq!(user.has_attr("jid"), leads, "{user}");
        assert!(child(&user, "contact").attr_is("type", "in"), "{user}");
    }
    bea.rest().await;
    assert!(sim.world(|world, now_ms| world.set_username(now_ms, b, None)));
    let note = bea.until(|node| node.optional_child("username").is_some()).await;
    assert!(!child(&note, "username").has_attr("username"), "{note}");
}

#[tokio::test(start_paused = true)]
async fn the_bot_has_a_profile_and_no_devices() {
    let (_sim, mut ada, _) = pair(983).await;
    let protocols = vec![
        Node::new("contact"),
        Node::new("devices"),
        Node::new("bot").child(Node::new("profile").attr("v", "1")),
    ];
    let user = one(&mut ada, protocols, by_jid(&Jid::META_AI)).await;
    assert_eq!(user.required("jid").jid().expect("an address"), Jid::META_AI);
    assert!(
        child(&user, "contact").attr_is("type", "in") && user.optional_child("devices").is_none(),
        "{user}"
    );
    let profile = child(&child(&user, "bot"), "profile");
    for tag in ["name", "attributes", "description", "category", "default"] {
        assert!(!text(&child(&profile, tag)).is_empty(), "{tag}");
    }
    assert!(child(&profile, "commands").optional_child("command").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_protocol_fails_for_one_person_or_for_everybody() {
    let (sim, mut ada, bea) = pair(984).await;
    let action = Action::UsyncError { protocol: "status".into(), code: 503, backoff: Some(90) };
    sim.fault(Fault::once(Match::default(), action));
    let people = || [&bea].map(|person| by_jid(&person.my_jid().user_jid())).to_vec();
    let protocols = || ["status", "lid"].map(Node::new).to_vec();
    let usync = ask(&mut ada, protocols(), people()).await;
    let result = usync.required_child("result").expect("a result").to_node();
    let error = child(&child(&result, "status"), "error");
    assert!(error.attr_is("code", "503") && error.attr_is("backoff", "90"), "{result}");
    assert!(child(&result, "lid").optional_child("error").is_none());
    for user in users(&usync) {
        assert!(user.optional_child("status").is_none() && user.optional_child("lid").is_some(), "{user}");
    }
    let usync = ask(&mut ada, protocols(), people()).await;
    assert!(users(&usync).iter().all(|user| user.optional_child("status").is_some()), "once");
}

#[tokio::test(start_paused = true)]
async fn a_device_list_that_is_known_is_left_out() {
    let (sim, mut ada, bea) = pair(985).await;
    let user = bea.my_lid().user_jid();
    let query = || vec![Node::new("devices").attr("version", "2")];
    let known = child(&child(&one(&mut ada, query(), by_jid(&user)).await, "devices"), "device-list");
    let hint = |hash: &str| by_jid(&user).child(Node::new("devices").attr("device_hash", hash));
    let hash = attr(&known, "hash").expect("a hash");
    assert_eq!(users(&ask(&mut ada, query(), vec![hint(&hash)]).await), []);
    assert_eq!(users(&ask(&mut ada, query(), vec![hint("2:AAAAAAAA")]).await).len(), 1);
    Client::link_only(&sim, "Bea", 3).await;
    let fresh = users(&ask(&mut ada, query(), vec![hint(&hash)]).await);
    let list = child(&child(&fresh[0], "devices"), "device-list");
    let listed: Vec<_> = list
        .each("device")
        .map(|device| (attr(&device.to_node(), "id"), device.has_attr("key-index")))
        .collect();
    let number = |text: &str| Some(text.to_owned());
    assert_eq!(listed, [(number("0"), false), (number("1"), true), (number("2"), true)]);
}

fn bundles(answer: &Node) -> Vec<(Jid, Fetched)> {
    parse_fetch(answer.view()).expect("bundles")
}

fn bundle(fetched: &Fetched) -> &Bundle {
    match fetched {
        Fetched::Bundle(bundle) => bundle,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn bundles_come_in_the_family_asked_and_one_unknown_device_hurts_no_other() {
    let (sim, mut ada, bea) = pair(986).await;
    // Linked, and never logged in: the registration's keys are enough for a bundle.
    let cleo = Client::link_only(&sim, "Cleo", 3).await;
    let unknown = bea.my_lid().with_device(77, wa_binary::Hosting::Own);
    let asked = [bea.my_lid(), bea.my_jid(), bea.my_lid().user_jid(), unknown.clone(), cleo.my_jid()];
    let key = Node::new("key").children(asked.iter().map(by_jid));
    let answer = ada.get("encrypt", key).await;
    let fetched = bundles(&answer);
    assert_eq!(fetched.iter().map(|(jid, _)| jid.clone()).collect::<Vec<_>>(), asked);
    let [by_lid, by_number, phone, missing, new] = &fetched[..] else { panic!("{fetched:?}") };
    for (known, companion) in [(by_lid, true), (by_number, true), (phone, false), (new, true)] {
        assert_eq!(bundle(&known.1).device_identity.is_some(), companion, "{known:?}");
    }
    assert!(matches!(&missing.1, Fetched::Refused(404)), "{missing:?}");
    assert_eq!(bundle(&new.1).one_time, None);
    assert_eq!(bundle(&new.1).identity, *cleo.local.identity_key().public_key());
    // Both addresses draw from one stock, oldest first.
    let ids = [by_lid, by_number].map(|known| bundle(&known.1).one_time.expect("a key").0);
    assert_eq!(ids[1], ids[0] + 1);
    // A large question has one answer.
    let many = vec![by_jid(&unknown); 2000];
    let answer = ada.get("encrypt", Node::new("key").children(many)).await;
    assert_eq!(bundles(&answer).len(), 2000);
}

#[tokio::test(start_paused = true)]
async fn uploads_add_replace_and_are_checked_and_the_low_notice_comes_once() {
    let (sim, mut ada, mut bea) = pair(987).await;
    let count = async |bea: &mut Client| {
        let answer = bea.get("encrypt", Node::new("count")).await;
        attr(&child(&answer, "count"), "value").expect("a count").parse::<u32>().expect("a number")
    };
    let before = count(&mut bea).await;
    bea.upload(3).await;
    assert_eq!(count(&mut bea).await, before + 3);
    // The same ids with the same keys change nothing.
    let again: Vec<_> =
        bea.one_time.iter().rev().take(3).map(|(id, key)| (*id, *key.pair.public())).collect();
    assert!(bea.upload_keys(again.clone()).await.attr_is("type", "result"));
    assert_eq!(count(&mut bea).await, before + 3);
    // The digest names the ids in the order in which they are hashed, and in which they go.
    let digest = child(&bea.get("encrypt", Node::new("digest")).await, "digest");
    let listed = digest.required_child("list").expect("a list").each("id").count();
    assert_eq!(listed, usize::try_from(before + 3).expect("small"));
    // A signature that is not the identity's.
    bea.signed.signature[3] ^= 1;
    let refused = bea.upload_keys(again).await;
    assert!(child(&refused, "error").attr_is("code", "406"), "{refused}");
    bea.signed.signature[3] ^= 1;
    // Below ten the device is told, once until it uploads.
    let target = bea.my_lid();
    let fetch = async |ada: &mut Client, times: u32| {
        for _ in 0..times {
            ada.get("encrypt", Node::new("key").child(by_jid(&target))).await;
        }
    };
    let left = before + 3;
    fetch(&mut ada, left - 10).await;
    let low = |nodes: &[Node]| -> Vec<String> {
        let notes = nodes.iter().filter(|node| node.attr_is("type", "encrypt"));
        notes.map(|note| attr(&child(note, "count"), "value").expect("a count")).collect()
    };
    assert_eq!(low(&bea.rest().await), Vec::<String>::new());
    fetch(&mut ada, 3).await;
    assert_eq!(low(&bea.rest().await), ["9"]);
    bea.upload(1).await;
    fetch(&mut ada, 1).await;
    assert_eq!(low(&bea.rest().await), ["7"]);
    // Nothing is left of a device that is removed.
    let own = Node::new("remove-companion-device").attr("jid", bea.my_jid()).attr("reason", "user_initiated");
    bea.set("md", own).await;
    let answer = ada.get("encrypt", Node::new("key").child(by_jid(&bea.my_lid()))).await;
    assert!(matches!(&bundles(&answer)[0].1, Fetched::Refused(404)));
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
}

/// The operation of a `devices` notification, with it whole.
fn operation(nodes: &[Node], tag: &str) -> Option<(Node, Node)> {
    nodes
        .iter()
        .filter(|node| node.attr_is("type", "devices"))
        .find_map(|note| note.optional_child(tag).map(|operation| (note.clone(), operation.to_node())))
}

#[tokio::test(start_paused = true)]
async fn who_converses_or_follows_hears_of_devices_and_nobody_else() {
    let (sim, mut ada, mut bea) = pair(988).await;
    let mut follower = Client::linked(&sim, "Cleo", 3).await;
    let mut stranger = Client::linked(&sim, "Dan", 4).await;
    let to = bea.my_lid().user_jid();
    ada.send(opaque("M1", &to, std::slice::from_ref(&to))).await;
    follower.send(Node::new("presence").attr("type", "subscribe").attr("to", &to)).await;
    for client in [&mut ada, &mut follower, &mut bea] {
        client.rest().await;
    }
    let mut second = Client::link_only(&sim, "Bea", 5).await;
    let own = bea.rest().await;
    let list = own.iter().find_map(|node| node.optional_child("devices")).expect("account_sync");
    assert_eq!(list.each("device").count(), 3);
    assert!(
        list.has_attr("dhash")
            && list.required_child("key-index-list").expect("a list").optional_bytes().is_some()
    );
    for listener in [&mut ada, &mut follower] {
        let (note, add) = operation(&listener.rest().await, "add").expect("an addition");
        assert_eq!(note.required("from").jid().expect("an address"), bea.my_jid().user_jid());
        assert_eq!(note.required("lid").jid().expect("a LID"), to);
        assert!(add.has_attr("device_hash") && add.has_attr("device_lid_hash"), "{add}");
        let device = child(&add, "device");
        assert_eq!(device.required("jid").jid().expect("an address"), second.my_jid());
        assert_eq!(device.required("lid").jid().expect("a LID"), second.my_lid());
        assert!(device.has_attr("key-index"));
        assert!(child(&add, "key-index-list").optional_bytes().is_some(), "{add}");
    }
    second.login(&sim).await;
    let own =
        Node::new("remove-companion-device").attr("jid", second.my_jid()).attr("reason", "user_initiated");
    second.set("md", own).await;
    for listener in [&mut ada, &mut follower] {
        let (_, remove) = operation(&listener.rest().await, "remove").expect("a removal");
        assert!(child(&remove, "key-index-list").has_attr("ts"), "{remove}");
        assert_eq!(child(&remove, "device").required("jid").jid().expect("an address"), second.my_jid());
    }
    // A new phone voids all of them.
    let (id, epoch) = (account(&sim, &bea), |sim: &SimHandle, id| {
        sim.world(|world, _| world.phone(id).expect("a phone").raw_id())
    });
    let before = epoch(&sim, id);
    sim.world(|world, now_ms| world.reinstall_phone(now_ms, id));
    assert_ne!(epoch(&sim, id), before);
    for listener in [&mut ada, &mut follower] {
        let heard = listener.rest().await;
        let identity =
            |node: &Node| node.attr_is("type", "encrypt") && node.optional_child("identity").is_some();
        assert!(heard.iter().any(identity), "{heard:#?}");
        let (_, update) = operation(&heard, "update").expect("an update");
        let hash = wa_core::notifications::ContactHash::of(&to);
        assert!(update.attr_is("hash", hash.as_str()), "{update}");
    }
    let heard = stranger.rest().await;
    assert!(!heard.iter().any(|node| node.attr_is("type", "devices")), "{heard:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_lid_that_is_revealed_late_is_told_to_companions() {
    let sim = sim(989);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let mut cleo = Client::linked(&sim, "scenario:no_lid:Cleo", 2).await;
    let to = cleo.my_jid().user_jid();
    ada.send(opaque("M1", &to, std::slice::from_ref(&to))).await;
    ada.rest().await;
    cleo.rest().await;
    let id = account(&sim, &cleo);
    assert!(sim.world(|world, now_ms| world.reveal_lid(now_ms, id)));
    let lid = sim.world(|world, _| world.account(id).lid).expect("a LID");
    for client in [&mut ada, &mut cleo] {
        let told = client.until(|node| node.is("message") && node.attr_is("category", "peer")).await;
        let protocol = client.read_message(&told).remove(0).protocol_message.expect("a protocol message");
        let sync = protocol.lid_migration_mapping_sync_message.expect("mappings");
        let payload = sync.encoded_mapping_payload.expect("a payload");
        let payload =
            wa_proto::lid_migration::LidMigrationMappingSyncPayload::decode(payload).expect("mappings");
        let pairs: Vec<_> =
            payload.pn_to_lid_mappings.iter().map(|mapping| (mapping.pn, mapping.latest_lid)).collect();
        assert_eq!(pairs, [(to.user_number(), Some(lid))]);
    }
}
