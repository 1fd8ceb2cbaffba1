//! Files up and down against the simulator's media host (chapter 06): bytes compared, faults, nothing corrupt handed out.
//! In virtual time unless a test says otherwise.

#[path = "../stage/mod.rs"]
mod stage;

mod faults;
mod hosts;
mod late;
mod phones;
mod pictures;
#[cfg(target_os = "linux")]
mod process;
mod samples;
mod sending;
mod status;
mod stickers;
mod transfers;
