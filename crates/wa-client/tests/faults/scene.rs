//! One row of the table, played: a conversation, the fault, its effect, its end, and the conversation that goes on.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use wa_client::events::{Delivery, EventStream, Kind};
use wa_client::health::Cause;
use wa_client::messages::sending::SendReport;
use wa_client::{Client, Jid};
use wa_sim::faults::{Action as Deed, Damage};
use wa_sim::phone::{Action, Kind as Content};
use wa_sim::seed::{SeedAccount, SeedFile, SeedGroup};
use wa_sim::watch::Rule;

use crate::stage::{ADA, BOT, Stage};
use crate::table::{Chat, Incoming, Recovery, Row, Scene};

/// Somebody whom the bot has never written to.
const BEA: u64 = 15_550_102;
/// How long an effect may take; in paused time it costs nothing.
const LONG: Duration = Duration::from_secs(1_800);
/// After this long a fault that may not be seen would have been.
const CALM: Duration = Duration::from_secs(400);

/// What an application has been told so far.
#[derive(Debug, Default)]
struct Told {
    texts: Vec<(String, Delivery)>,
    unreadable: usize,
    causes: Vec<Cause>,
    qr: Option<String>,
}

struct Bot {
    client: Client,
    told: watch::Receiver<Told>,
}

fn world() -> SeedFile {
    let account = |name: &str, number| SeedAccount {
        name: name.into(),
        number: Some(number),
        ..SeedAccount::default()
    };
    SeedFile {
        accounts: vec![account("Bot", BOT), account("Ada", ADA), account("Bea", BEA)],
        groups: vec![SeedGroup {
            subject: "Friends".into(),
            creator: "Ada".into(),
            members: vec!["Bot".into()],
            ..SeedGroup::default()
        }],
        ..SeedFile::default()
    }
}

fn observe(mut events: EventStream) -> watch::Receiver<Told> {
    let (tell, told) = watch::channel(Told::default());
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            tell.send_modify(|told| match event.kind {
                Kind::Message(message) => {
                    told.texts.extend(message.text().map(|text| (text.to_owned(), event.delivery)));
                }
                Kind::Undecryptable { .. } => told.unreadable += 1,
                Kind::Health(health) => told.causes.push(health.cause),
                Kind::LinkingQr(qr) => told.qr = Some(qr.url()),
                _ => {}
            });
        }
    });
    told
}

pub(crate) async fn play(row: &Row, seed: u64) {
    let stage = Stage::with(seed, |config| config.world = Some(world())).await;
    match row.scene {
        Scene::Linking => linking(row, &stage).await,
        Scene::Conversation | Scene::Reconnecting => conversing(row, &stage).await,
    }
}

async fn linking(row: &Row, stage: &Stage) {
    for fault in &row.faults {
        stage.sim.fault(fault.clone());
    }
    let (client, events) = stage.start().await;
    let bot = Bot { client, told: observe(events) };
    match row.cause {
        Some(cause) => bot.names(cause, row).await,
        None => assert!(stage.sim.scan_qr(&bot.qr(row).await, Some(BOT)).is_err(), "{}: linked", row.name),
    }
    heal(row, stage);
    bot.recover(row, stage).await;
    if row.recovery != Recovery::Relink {
        bot.link(row, stage).await;
    }
    bot.goes_on(row, stage, Chat::Ada).await;
    check_watch(row, stage);
}

async fn conversing(row: &Row, stage: &Stage) {
    let (client, events) = stage.linked().await;
    let bot = Bot { client, told: observe(events) };
    let group = stage.sim.world(|world, _| world.groups().next().expect("the group").jid());
    if row.warm {
        writes(stage, ADA, Jid::pn(BOT), "before");
        bot.hears("before", row).await;
        bot.sends(Jid::pn(ADA), "before from us").await;
        heard(stage, ADA, "before from us", row).await;
    }

    for fault in &row.faults {
        stage.sim.fault(fault.clone());
    }
    if let Some(conduct) = row.conduct {
        stage.sim.misbehave(ADA, conduct).expect("Ada is there");
    }
    if row.scene == Scene::Reconnecting {
        bot.client.reconnect_now();
    }
    let to_us = if row.to == Chat::Group { group.clone() } else { Jid::pn(BOT) };
    writes(stage, ADA, to_us.clone(), "meanwhile");
    if row.more {
        writes(stage, ADA, to_us, "and more");
    }
    let (peer, to) = match row.to {
        Chat::Ada => (ADA, Jid::pn(ADA)),
        Chat::Bea => (BEA, Jid::pn(BEA)),
        Chat::Group => (ADA, group),
    };
    // An account that is just being unlinked takes nothing any more.
    let sending = bot.client.messages().send(&to, "meanwhile from us").await.ok();

    match row.cause {
        Some(cause) => bot.names(cause, row).await,
        None => {
            tokio::time::sleep(CALM).await;
            bot.saw_nothing(row);
        }
    }
    heal(row, stage);
    bot.recover(row, stage).await;
    if row.recovery != Recovery::Relink {
        match row.incoming {
            Incoming::Arrives | Incoming::AskedFor => bot.hears("meanwhile", row).await,
            Incoming::Refused => tokio::time::sleep(CALM).await,
        }
        if row.more {
            bot.hears("and more", row).await;
        }
        match &row.refused {
            None => heard(stage, peer, "meanwhile from us", row).await,
            Some(refusal) => {
                let report = sending.expect("it was taken").await;
                assert_eq!(report, SendReport::Refused(refusal.clone()), "{}", row.name);
            }
        }
    }
    bot.goes_on(row, stage, row.to).await;
    bot.was_told(row);
    if row.recovery != Recovery::Relink {
        let came = ids(stage, peer, "meanwhile from us");
        assert_eq!(came.len(), usize::from(row.refused.is_none()), "{}: {came:?}", row.name);
    }
    check_watch(row, stage);
}

impl Bot {
    async fn told(&self, what: &str, row: &Row, fits: impl FnMut(&Told) -> bool) {
        let mut told = self.told.clone();
        let found = timeout(LONG, told.wait_for(fits)).await;
        assert!(matches!(found, Ok(Ok(_))), "{}: never saw {what}; {}", row.name, self.client.health());
    }

    async fn hears(&self, text: &str, row: &Row) {
        self.told(text, row, |told| told.texts.iter().any(|(one, _)| one == text)).await;
    }

    async fn sends(&self, to: Jid, text: &str) {
        self.client.messages().send(&to, text).await.expect("the message is taken");
    }

    /// Waits until the health has named a cause, as the present one or as that of an attempt.
    async fn names(&self, cause: Cause, row: &Row) {
        let mut changes = self.client.health_changes();
        let named = timeout(LONG, async {
            let mut health = changes.now();
            while health.cause != cause && !health.attempts.iter().any(|one| one.failure == Some(cause)) {
                health = changes.next().await.expect("the client goes on");
            }
        });
        assert!(named.await.is_ok(), "{}: {cause} was never named; {}", row.name, self.client.health());
    }

    fn saw_nothing(&self, row: &Row) {
        let told = self.told.borrow();
        // A restart is what both sides do on purpose; everything else would be trouble.
        let calm = [
            Cause::Started,
            Cause::NotLinked,
            Cause::LinkingInProgress,
            Cause::OfflineBacklog,
            Cause::Working,
            Cause::RestartRequired,
        ];
        let trouble: Vec<&Cause> = told.causes.iter().filter(|cause| !calm.contains(cause)).collect();
        assert!(trouble.is_empty(), "{}: {trouble:?}", row.name);
        assert!(self.client.health().is_online(), "{}: {}", row.name, self.client.health());
    }

    async fn recover(&self, row: &Row, stage: &Stage) {
        match row.recovery {
            Recovery::ByItself => {}
            Recovery::ByHand => {
                self.client.reconnect_now();
            }
            Recovery::Relink => {
                assert_eq!(self.client.me(), None, "{}: still linked", row.name);
                self.client.reconnect_now();
                self.link(row, stage).await;
            }
        }
        if row.scene != Scene::Linking {
            let online = self.client.wait_online(LONG).await;
            assert!(online.is_ok(), "{}: {online:?}", row.name);
        }
    }

    async fn qr(&self, row: &Row) -> String {
        self.told("a QR code", row, |told| told.qr.is_some()).await;
        self.told.borrow().qr.clone().unwrap_or_default()
    }

    /// Scans whatever is shown until the account is linked: what was shown first may be of a connection that is gone.
    async fn link(&self, row: &Row, stage: &Stage) {
        let mut told = self.told.clone();
        let linked = timeout(LONG, async {
            loop {
                let code = told.borrow_and_update().qr.clone();
                if code.is_some_and(|code| stage.sim.scan_qr(&code, Some(BOT)).is_ok()) {
                    return self.client.wait_online(LONG).await.expect("the account comes online");
                }
                told.changed().await.expect("the client goes on");
            }
        });
        assert!(linked.await.is_ok(), "{}: no link; {}", row.name, self.client.health());
    }

    /// Nothing of the fault is left.
    async fn goes_on(&self, row: &Row, stage: &Stage, chat: Chat) {
        let group = stage.sim.world(|world, _| world.groups().next().expect("the group").jid());
        let (ours, theirs) = match chat {
            Chat::Group => (group.clone(), group),
            Chat::Ada | Chat::Bea => (Jid::pn(ADA), Jid::pn(BOT)),
        };
        writes(stage, ADA, theirs, "after");
        self.hears("after", row).await;
        self.sends(ours, "after from us").await;
        heard(stage, ADA, "after from us", row).await;
    }

    /// Everything once, and what could not be read was said to be so.
    fn was_told(&self, row: &Row) {
        let told = self.told.borrow();
        for text in ["meanwhile", "and more", "after"] {
            let times = told.texts.iter().filter(|(one, _)| one == text).count();
            let expected = match (text, row.incoming) {
                ("after", _) => 1,
                (_, Incoming::Refused) => 0,
                ("and more", _) => usize::from(row.more),
                _ => usize::from(row.recovery != Recovery::Relink),
            };
            // Before it was unlinked the device may have got it.
            let may_differ = row.recovery == Recovery::Relink && text != "after" && times <= 1;
            assert!(times == expected || may_differ, "{}: {text:?} came {times} times", row.name);
        }
        let unreadable = row.incoming == Incoming::AskedFor;
        assert_eq!(told.unreadable > 0, unreadable, "{}: {} unreadable", row.name, told.unreadable);
        let garbles = |action: &Deed| {
            let damages = [Damage::Plaintext, Damage::TruncatePlaintext];
            matches!(action, Deed::Damage { damage } if damages.contains(damage))
        };
        let garbled = self.client.health().garbled;
        assert_eq!(garbled > 0, row.actions().any(garbles), "{}: {garbled} garbled", row.name);
    }
}

fn writes(stage: &Stage, who: u64, chat: Jid, text: &str) {
    stage.sim.act(who, Action::Text { chat, text: text.into(), quote: None }).expect("the phone writes");
}

/// Ids under which a phone has a text.
fn ids(stage: &Stage, who: u64, wanted: &str) -> std::collections::BTreeSet<String> {
    let fits = |kind: &Content| matches!(kind, Content::Text { text, .. } if text == wanted);
    stage.sim.inbox(who).into_iter().filter(|one| fits(&one.kind)).map(|one| one.id).collect()
}

async fn heard(stage: &Stage, who: u64, text: &str, row: &Row) {
    let found = timeout(LONG, async {
        while ids(stage, who, text).is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(found.await.is_ok(), "{}: {text:?} never arrived", row.name);
}

/// Takes the faults away; each must have struck.
fn heal(row: &Row, stage: &Stage) {
    let idle: Vec<String> = stage.sim.world(|world, _| {
        let entries = world.faults().entries().iter().filter(|entry| entry.struck == 0);
        entries.map(|entry| format!("{:?}", entry.fault)).collect()
    });
    assert!(idle.is_empty(), "{}: never struck: {idle:?}", row.name);
    stage.sim.heal();
}

fn check_watch(row: &Row, stage: &Stage) {
    let noted: Vec<(Rule, String)> = stage
        .sim
        .violations()
        .into_iter()
        .filter(|one| !row.noted.contains(&one.rule))
        .map(|one| (one.rule, one.detail))
        .collect();
    assert!(noted.is_empty(), "{}: {noted:#?}", row.name);
}
