//! What an account costs, end to end: the simulator, and each contender, in processes of their own, over WebSocket with
//! TLS. CPU is the contender's (getrusage), memory the slope of its resident memory between two counts of accounts.
//!
//! `costs` measures everything; `costs serve` and `costs contend ..` are the processes that it starts.

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
        Some("contend") => ours::contend(&arguments[1..]),
        _ => rows::run(&arguments),
    }
}

/// The first certificate of a PEM text.
fn der(pem: &str) -> Vec<u8> {
    let body: String = pem
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect();
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for group in body.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 6 | u32::from(digit(*byte)));
        let bits = bits << (6 * (4 - group.len()));
        bytes.extend(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}
