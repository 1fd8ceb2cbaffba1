//! What an account costs, end to end: the simulator, and each contender, in processes of their own, over WebSocket with
//! TLS. CPU is the contender's (getrusage), memory the slope of its resident memory between two counts of accounts.
//!
//! `costs` measures everything; `costs serve` and `costs contend ..` are the processes that it starts.

mod contender;
mod lines;
#[path = "../../src/machine.rs"]
mod machine;
mod ours;
mod rows;
mod server;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("serve") => server::serve(),
        Some("contend") => contender::contend(ours::Ours::open(&arguments[1..])),
        _ => rows::run(&arguments),
    }
}
