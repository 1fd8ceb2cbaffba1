//! What a new companion is told of the past, and the settings that a phone's user changes (chapter 10 §9, §10).

use std::io::Read as _;

use prost::Message as _;
use wa_binary::Node;
use wa_core::history::HistorySource;
use wa_proto::e2e_message::message::HistorySyncNotification;
use wa_proto::history::HistorySync;
use wa_proto::history::history_sync::HistorySyncType;
use wa_sim::phone::{Action, AppAction, HistoryFault, MADE_UP_MESSAGES, MessageRef};
use wa_sim::seed::SeedFile;
use wa_sim::{SimHandle, Switches};

use crate::client::{Client, sim, sim_with};

/// The chunk that a notification announces, inline or from the media host.
fn chunk(sim: &SimHandle, notice: &HistorySyncNotification) -> HistorySync {
    let stream = match HistorySource::of(notice).expect("a source") {
        HistorySource::Inline(inline) => inline.to_vec(),
        HistorySource::File(reference) => {
            let path = reference.direct_path.split('?').next().expect("a path");
            let file = sim.world(|world, _| world.blob(path)).expect("a file");
            reference.open(&file).expect("a file that opens")
        }
    };
    let mut bytes = Vec::new();
    flate2::read::ZlibDecoder::new(&stream[..]).read_to_end(&mut bytes).expect("zlib");
    HistorySync::decode(&bytes[..]).expect("a HistorySync")
}

/// The notices among these peer messages, with their ids.
fn notices(client: &mut Client, nodes: &[Node]) -> Vec<(String, HistorySyncNotification)> {
    let mut found = Vec::new();
    for node in nodes.iter().filter(|node| node.is("message") && node.attr_is("category", "peer")) {
        for message in client.read_message(node) {
            let notice = message.protocol_message.and_then(|protocol| protocol.history_sync_notification);
            let id = node.required("id").string().expect("an id").to_string();
            found.extend(notice.map(|notice| (id, *notice)));
        }
    }
    found
}

/// A companion that has just been greeted, and what it was greeted with.
async fn greeted(sim: &SimHandle, name: &str) -> (Client, Vec<Node>) {
    let mut client = Client::link_only(sim, name, 1).await;
    client.login(sim).await;
    client.upload(10).await;
    let nodes = client.rest().await;
    (client, nodes)
}

fn with_people() -> SimHandle {
    let people =
        "[[account]]\nname = \"Ada\"\nnumber = 15550100\n[[account]]\nname = \"Bea\"\nnumber = 15550101\n";
    let people = SeedFile::parse(people).expect("a seed");
    let sim = sim_with(|config| config.world = Some(people), 500);
    let lid = |number| {
        sim.world(|world, _| {
            let account = world.account(world.find_pn(number).expect("an account"));
            account.jid(wa_binary::Family::Lid)
        })
    };
    for number in 0..25 {
        let text = Action::Text { chat: lid(15_550_100), text: format!("text {number}"), quote: None };
        sim.act(15_550_101, text).expect("a deed");
    }
    let answer = Action::Text { chat: lid(15_550_101), text: "answer".to_owned(), quote: None };
    sim.act(15_550_100, answer).expect("a deed");
    sim
}

#[tokio::test(start_paused = true)]
async fn the_bootstrap_tells_what_the_phone_knows() {
    let sim = with_people();
    let (mut ada, nodes) = greeted(&sim, "Ada").await;
    let notices = notices(&mut ada, &nodes);
    let chunks: Vec<HistorySync> = notices.iter().map(|(_, notice)| chunk(&sim, notice)).collect();
    let kinds: Vec<i32> = chunks.iter().filter_map(|chunk| chunk.sync_type).collect();
    let expected = [HistorySyncType::InitialBootstrap, HistorySyncType::PushName, HistorySyncType::Recent];
    assert_eq!(kinds, expected.map(|kind| kind as i32));
    let texts = |chunk: &HistorySync| -> Vec<String> {
        let messages = chunk.conversations.iter().flat_map(|chat| &chat.messages);
        messages
            .filter_map(|message| message.message.as_ref()?.message.as_ref()?.conversation.clone())
            .collect()
    };
    // Newest first; what the bootstrap leaves out comes as RECENT, to the last one.
    assert_eq!(texts(&chunks[0])[..2], ["answer", "text 24"]);
    assert_eq!(texts(&chunks[0]).len() + texts(&chunks[2]).len(), 26);
    assert_eq!(texts(&chunks[2]).last().map(String::as_str), Some("text 0"));
    assert!(chunks[1].pushnames.iter().any(|name| name.pushname.as_deref() == Some("Bea")));
    assert!(chunks[0].nct_salt.is_some() && !chunks[0].phone_number_to_lid_mappings.is_empty());
    assert_eq!(chunks[2].progress, Some(100));

    // Confirmed notices are done with; one whose file could not be had is announced again.
    let waiting = |sim: &SimHandle| {
        sim.world(|world, _| {
            world.phone(world.find_pn(15_550_100).expect("Ada")).expect("free").unconfirmed_history()
        })
    };
    assert_eq!(waiting(&sim), 3);
    let receipt = |id: &str, kind: &str| {
        Node::new("receipt").attr("id", id).attr("to", ada.my_jid().user_jid()).attr("type", kind)
    };
    let taken: Vec<Node> = notices[..2].iter().map(|(id, _)| receipt(id, "hist_sync")).collect();
    let failed = receipt(&notices[2].0, "server-error").attr("category", "peer");
    for stanza in taken {
        ada.send(stanza).await;
    }
    ada.rest().await;
    assert_eq!(waiting(&sim), 1);
    ada.send(failed).await;
    let nodes = ada.rest().await;
    let again = self::notices(&mut ada, &nodes);
    assert_eq!(again.len(), 1);
    assert_ne!(again[0].0, notices[2].0);
    assert_eq!(texts(&chunk(&sim, &again[0].1)), texts(&chunks[2]));
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
}

#[tokio::test(start_paused = true)]
async fn messages_of_the_seed_file_are_in_the_history() {
    let seed = r#"
        [[account]]
        name = "Ada"
        [[account]]
        name = "Bea"
        [[group]]
        subject = "Circle"
        creator = "Ada"
        members = ["Bea"]
        [[message]]
        from = "Bea"
        chat = "Ada"
        text = "between us"
        [[message]]
        from = "Bea"
        chat = "Circle"
        text = "to the circle"
    "#;
    let seed = SeedFile::parse(seed).expect("a seed");
    let sim = sim_with(|config| config.world = Some(seed), 507);
    let (mut ada, nodes) = greeted(&sim, "Ada").await;
    let mut found = Vec::new();
    for (_, notice) in notices(&mut ada, &nodes) {
        for chat in chunk(&sim, &notice).conversations {
            let texts = chat.messages.into_iter().filter_map(|it| it.message?.message?.conversation);
            let group = chat.id.as_deref().is_some_and(|id| id.ends_with("@g.us"));
            found.extend(texts.map(|text| (group, text)));
        }
    }
    found.sort();
    assert_eq!(found, [(false, "between us".to_owned()), (true, "to the circle".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_history_has_no_chats_and_comes_all_the_same() {
    let sim = sim(501);
    let (mut ada, nodes) = greeted(&sim, "scenario:empty_history:Ada").await;
    let notices = notices(&mut ada, &nodes);
    assert!(!notices.is_empty());
    assert!(notices.iter().all(|(_, notice)| chunk(&sim, notice).conversations.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_big_history_comes_in_chunks_as_files() {
    let sim = sim(502);
    let (mut ada, nodes) = greeted(&sim, "scenario:big_history=120:Ada").await;
    let notices = notices(&mut ada, &nodes);
    let recent: Vec<&HistorySyncNotification> = notices
        .iter()
        .map(|(_, notice)| notice)
        .filter(|notice| notice.sync_type == Some(HistorySyncType::Recent as i32))
        .collect();
    let orders: Vec<u32> = recent.iter().filter_map(|notice| notice.chunk_order).collect();
    assert_eq!(orders, [1, 2, 3, 4]);
    let progress: Vec<u32> = recent.iter().filter_map(|notice| notice.progress).collect();
    assert_eq!(progress, [25, 50, 75, 100]);
    assert!(recent[1].direct_path.is_some(), "too large to travel inline");
    let mut chats = std::collections::BTreeSet::new();
    let mut ids = std::collections::BTreeSet::new();
    for notice in recent {
        for chat in chunk(&sim, notice).conversations {
            assert_eq!(chat.messages.len(), MADE_UP_MESSAGES as usize);
            for message in &chat.messages {
                let key = message.message.as_ref().and_then(|message| message.key.as_ref()).expect("a key");
                ids.insert(key.id.clone().expect("an id"));
            }
            chats.insert(chat.id.expect("an id"));
        }
    }
    assert_eq!((chats.len(), ids.len()), (120, 6_000));
}

#[tokio::test(start_paused = true)]
async fn settings_of_the_phone_reach_its_companions_by_app_state() {
    let sim = sim(503);
    let mut ada = Client::linked(&sim, "Ada", 1).await;
    let bea = Client::linked(&sim, "Bea", 2).await;
    let (chat, number) = (bea.my_lid().user_jid(), ada.number());
    let target = MessageRef { chat: chat.clone(), sender: chat.clone(), id: "3EB0AA".into(), from_me: false };
    let contact = AppAction::Contact { user: bea.my_jid().user_jid(), name: Some("Beatrice B".into()) };
    let cases = [
        (AppAction::Mute { chat: chat.clone(), until_ms: Some(-1) }, "regular_high", "mute"),
        (AppAction::Pin { chat: chat.clone(), pinned: true }, "regular_low", "pin_v1"),
        (AppAction::Archive { chat: chat.clone(), archived: true }, "regular_low", "archive"),
        (AppAction::MarkRead { chat, read: true }, "regular_low", "markChatAsRead"),
        (AppAction::Star { target, starred: true }, "regular_high", "star"),
        (contact, "critical_unblock_low", "contact"),
    ];
    for (action, collection, index) in cases {
        sim.change_app_state(number, &action).expect("a deed");
        let sync = ada.until(|node| node.attr_is("type", "server_sync")).await;
        assert!(sync.required_child("collection").expect("a collection").attr_is("name", collection));
        let shown = sim.world(|world, _| {
            world
                .phone(world.find_pn(number).expect("Ada"))
                .expect("free")
                .app_state(collection)
                .expect("known")
        });
        assert!(
            shown.iter().any(|change| change.index.first().map(String::as_str) == Some(index)),
            "{index}"
        );
        let ask =
            Node::new("sync").child(Node::new("collection").attr("name", collection).attr("version", "0"));
        let answer = ada.set("w:sync:app:state", ask).await;
        let answered = answer.required_child("sync").expect("sync").required_child("collection");
        assert!(answered.expect("a collection").optional_child("patches").is_some(), "{index}: {answer}");
    }
    assert!(sim.violations().is_empty(), "{:?}", sim.violations());
}

#[tokio::test(start_paused = true)]
async fn history_goes_wrong_in_every_way_that_it_is_told() {
    let usual = {
        let sim = sim(520);
        let (mut client, nodes) = greeted(&sim, "Ada").await;
        notices(&mut client, &nodes).len()
    };
    for fault in [
        HistoryFault::Nothing,
        HistoryFault::Late,
        HistoryFault::DuplicateChunk,
        HistoryFault::MissingFile,
        HistoryFault::WrongHash,
        HistoryFault::BadZlib,
    ] {
        let people = SeedFile::parse("[[account]]\nname = \"Ada\"\n").expect("a seed");
        let sim = sim_with(|config| config.world = Some(people), 520);
        sim.world(|world, _| {
            let ada = world.account_named("Ada").expect("Ada");
            let switches = Switches { history_fault: Some(fault), ..Switches::default() };
            world.set_switches(ada, switches);
        });
        let (mut client, nodes) = greeted(&sim, "Ada").await;
        let mut seen = notices(&mut client, &nodes);
        match fault {
            HistoryFault::Nothing => assert!(seen.is_empty()),
            HistoryFault::Late => {
                assert!(seen.is_empty());
                sim.advance(std::time::Duration::from_secs(60));
                let nodes = client.rest().await;
                seen = notices(&mut client, &nodes);
                assert_eq!(seen.len(), usual);
            }
            HistoryFault::DuplicateChunk => {
                assert_eq!(seen.len(), 2 * usual);
                assert!(chunk(&sim, &seen[0].1) == chunk(&sim, &seen[1].1) && seen[0].0 != seen[1].0);
            }
            HistoryFault::MissingFile => {
                let path = seen[0].1.direct_path().to_owned();
                assert_eq!(sim.fetch_file(&path), Err(404));
            }
            HistoryFault::WrongHash => {
                let Ok(HistorySource::File(reference)) = HistorySource::of(&seen[0].1) else {
                    panic!("no file: {seen:?}")
                };
                let file = sim.fetch_file(&reference.direct_path).expect("a file");
                assert!(reference.open(&file).is_err());
            }
            HistoryFault::BadZlib => {
                let Ok(HistorySource::Inline(stream)) = HistorySource::of(&seen[0].1) else {
                    panic!("a file: {seen:?}")
                };
                let mut bytes = Vec::new();
                let read = flate2::read::ZlibDecoder::new(&stream[..]).read_to_end(&mut bytes);
                assert!(read.is_err());
            }
        }
    }
}
