//! The simulator in a process of its own, on a port with TLS, with the few commands that the bench needs: phones scan,
//! people write, what they wrote is held back and let go at once.

use std::io::BufRead as _;
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use wa_binary::{Family, Jid};
use wa_core::prekeys::{SignedKey, Upload};
use wa_crypto::curve::{KeyPair, PublicKey};
use wa_signal::{IdentityKeyPair, SignedPreKey};
use wa_sim::faults::{Action as Deed, Direction, Fault, Match};
use wa_sim::phone::Action;
use wa_sim::seed::{SeedAccount, SeedFile, SeedGroup};
use wa_sim::world::{AccountId, Device, DeviceKey, World};
use wa_sim::{ListenOptions, Sim, SimConfig, SimHandle, Transports};

use crate::contender::{PATIENCE, TEXT, say};

pub fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let config = SimConfig {
        load: true,
        trace_length: 0,
        answer_within_ms: None,
        registrations_per_address: 1_000_000,
        queue_limit: 1_000_000,
        group_limit: 2_000,
        ..SimConfig::default()
    };
    let options = ListenOptions { transports: Transports::TlsOnly, ..ListenOptions::default() };
    let sim = runtime.block_on(Sim::listen(config, options)).unwrap();
    say(&sim.info());
    let _inside = runtime.enter();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let command: Value = serde_json::from_str(&line).unwrap();
        match command["cmd"].as_str().unwrap() {
            "end" => return,
            name => match run(&sim, name, &command) {
                Ok(done) => say(&json!({ "done": done })),
                Err(error) => say(&json!({ "failed": error })),
            },
        }
    }
}

fn run(sim: &SimHandle, name: &str, command: &Value) -> Result<Value, String> {
    let number = |key: &str| command[key].as_u64().ok_or_else(|| format!("{key} is missing"));
    let text = |key: &str| command[key].as_str().ok_or_else(|| format!("{key} is missing"));
    match name {
        // Accounts with a phone: `prefix0`, `prefix1`, ..
        "people" => {
            let prefix = text("prefix")?;
            let names: Vec<String> = (0..number("count")?).map(|at| format!("{prefix}{at}")).collect();
            let accounts =
                names.iter().map(|name| SeedAccount { name: name.clone(), ..SeedAccount::default() });
            let seed = SeedFile { accounts: accounts.collect(), ..SeedFile::default() };
            sim.world(|world, _| {
                let problems = world.plant(&seed);
                if !problems.is_empty() {
                    return Err(problems.join("; "));
                }
                let jids = names.iter().filter_map(|name| world.account_named(name));
                let jids = jids.map(|account| world.account(account).jid(Family::Lid).to_string());
                Ok(json!(jids.collect::<Vec<_>>()))
            })
        }
        // The phone of an account scans.
        "scan" => {
            let account = text("account")?;
            let number = sim.world(|world, _| world.account_named(account).map(|id| world.account(id).pn));
            let linked = sim.scan_qr(text("qr")?, number).map_err(|error| error.to_string())?;
            Ok(json!({ "jid": linked.jid, "lid": linked.lid }))
        }
        // The companions of these accounts have keys on the server, were greeted, and owe nothing.
        "settled" => {
            let accounts = names(sim, command)?;
            until(|| {
                sim.world(|world, _| {
                    accounts.iter().all(|id| {
                        world.account(*id).devices.values().skip(1).all(|device| {
                            device.welcomed && device.queue.is_empty() && !device.keys.is_empty()
                        })
                    })
                })
            })
        }
        "hold" => {
            sim.fault(Fault {
                count: None,
                ..Fault::once(Match::stanza(Direction::Out, "message"), Deed::Hold)
            });
            Ok(json!({}))
        }
        // People `from` write `count` messages each to the accounts `to`, taking turns.
        "write" => {
            let from = names_at(sim, &command["from"])?;
            let to = names_at(sim, &command["to"])?;
            let count = number("count")?;
            for _ in 0..count {
                for writer in &from {
                    for reader in &to {
                        sim.world(|world, now| {
                            let chat = world.account(*reader).jid(Family::Lid);
                            let text = TEXT.to_owned();
                            world.act(now, *writer, Action::Text { chat, text, quote: None })
                        })
                        .map_err(|error| error.to_string())?;
                    }
                }
            }
            Ok(json!(count * (from.len() * to.len()) as u64))
        }
        // What was held goes, and no more is held; done when the companions owe no answer any more.
        "release" => {
            let accounts = names(sim, command)?;
            let began = Instant::now();
            sim.heal();
            until(|| sim.world(|world, _| accounts.iter().all(|id| owes_nothing(world, *id))))?;
            Ok(json!({ "wall_us": began.elapsed().as_micros() as u64 }))
        }
        // Messages that the phones of these people have from others.
        "inboxes" => {
            let accounts = names(sim, command)?;
            let count = |world: &mut World| {
                accounts
                    .iter()
                    .filter_map(|id| world.phone(*id))
                    .map(|phone| phone.inbox().len() as u64)
                    .sum::<u64>()
            };
            Ok(json!(sim.world(|world, _| count(world))))
        }
        // The same, waited for.
        "heard" => {
            let accounts = names(sim, command)?;
            let wanted = number("count")?;
            until(|| {
                sim.world(|world, _| {
                    let inboxes = accounts.iter().filter_map(|id| world.phone(*id));
                    inboxes.map(|phone| phone.inbox().len() as u64).sum::<u64>() >= wanted
                })
            })
        }
        // Companions of these people for whom the key of a group waits.
        "keyed" => {
            let accounts = names(sim, command)?;
            let has_key = |device: &Device| {
                let mut encs = device.queue.iter().flat_map(|queued| queued.node.each("enc"));
                encs.any(|enc| enc.attr_is("type", "pkmsg"))
            };
            Ok(json!(sim.world(|world, _| {
                let devices = accounts.iter().flat_map(|id| world.account(*id).devices.values());
                devices.filter(|device| has_key(device)).count()
            })))
        }
        "stats" => Ok(serde_json::to_value(sim.stats()).unwrap()),
        // A group of `member` and of `count` people, each with a phone and a companion that is never there.
        "group" => {
            let (prefix, count) = (text("prefix")?, number("count")?);
            let others: Vec<String> = (0..count).map(|at| format!("{prefix}{at}")).collect();
            let mut rng = StdRng::seed_from_u64(7);
            for name in &others {
                let (noise, upload) = companion(&mut rng);
                sim.world(|world, now| world.link_directly(now, name, noise, &upload));
            }
            let group = SeedGroup {
                subject: prefix.to_owned(),
                creator: text("member")?.to_owned(),
                members: others,
                ..SeedGroup::default()
            };
            sim.world(|world, _| {
                let problems = world.plant(&SeedFile { groups: vec![group], ..SeedFile::default() });
                if !problems.is_empty() {
                    return Err(problems.join("; "));
                }
                let jid = world.groups().last().map(|group| group.jid().to_string());
                Ok(json!(jid))
            })
        }
        other => Err(format!("no command {other}")),
    }
}

/// Keys of a companion that nobody runs: enough for a sender to encrypt to it.
fn companion(rng: &mut StdRng) -> ([u8; 32], Upload) {
    let identity = IdentityKeyPair::generate(rng);
    let signed = SignedPreKey::generate(1, &identity, rng);
    let one_time: Vec<(u32, PublicKey)> = (1..=4).map(|id| (id, *KeyPair::generate(rng).public())).collect();
    let upload = Upload {
        registration_id: 1,
        identity: *identity.key_pair().public(),
        signed: SignedKey { id: signed.id, public: *signed.pair.public(), signature: signed.signature },
        one_time,
    };
    (*KeyPair::generate(rng).public().as_bytes(), upload)
}

fn owes_nothing(world: &World, account: AccountId) -> bool {
    let companions = world.account(account).devices.keys().skip(1);
    companions
        .map(|device| DeviceKey { account, device: *device })
        .all(|key| world.device(key).is_none_or(|device| device.queue.is_empty()))
}

fn until(mut done: impl FnMut() -> bool) -> Result<Value, String> {
    let began = Instant::now();
    while !done() {
        if began.elapsed() > PATIENCE {
            return Err("it took too long".to_owned());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(json!({ "wall_us": began.elapsed().as_micros() as u64 }))
}

fn names(sim: &SimHandle, command: &Value) -> Result<Vec<AccountId>, String> {
    names_at(sim, &command["accounts"])
}

/// Accounts by name or by address.
fn names_at(sim: &SimHandle, value: &Value) -> Result<Vec<AccountId>, String> {
    let names = value.as_array().ok_or("a list of accounts is needed")?;
    sim.world(|world, _| {
        let find = |name: &str| {
            world
                .account_named(name)
                .or_else(|| world.find(&name.parse::<Jid>().ok()?))
                .ok_or(name.to_owned())
        };
        names
            .iter()
            .map(|name| find(name.as_str().unwrap_or_default()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|name| format!("no account {name}"))
    })
}
