//! The delaying proxy as a program, for benchmarks:
//!
//!     delay MILLISECONDS LISTEN=TARGET…      (addresses with ports)
//!
//! Says `ready` when it listens, and ends when its standard input does.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own")]

#[path = "../common/delay.rs"]
mod delay;

use std::io::Read;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let milliseconds = words.next().and_then(|w| w.parse().ok());
    let pairs: Option<Vec<_>> = words.map(|w| pair(&w)).collect();
    let (Some(milliseconds), Some(pairs)) = (milliseconds, pairs.filter(|p| !p.is_empty())) else {
        eprintln!("usage: delay MILLISECONDS LISTEN=TARGET…");
        return ExitCode::from(5);
    };
    match delay::Delay::start(&pairs, Duration::from_millis(milliseconds)) {
        Ok(proxy) => {
            println!("ready");
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            eprintln!("delay: {} connections", proxy.connections());
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("delay: {e}");
            ExitCode::FAILURE
        }
    }
}

fn pair(word: &str) -> Option<(SocketAddr, SocketAddr)> {
    let (listen, target) = word.split_once('=')?;
    Some((listen.parse().ok()?, target.parse().ok()?))
}
