//! What an account can ask and be set to, against the simulator: people, names, the way out, upkeep.

#[path = "../stage/mod.rs"]
mod stage;

mod backlog;
mod contacts;
mod egress;
mod groups;
mod knobs;
mod missing;
mod settings;
mod upkeep;
