//! The delaying proxy that other tests and the benchmark measure with.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "all of it is test code")]

#[path = "common/delay.rs"]
mod delay;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use delay::Delay;

/// A proxy to a server that does `serve` with its one connection.
fn proxy(serve: impl FnOnce(TcpStream) + Send + 'static) -> (Delay, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    std::thread::spawn(move || serve(listener.accept().unwrap().0));
    let any: SocketAddr = "127.0.9.1:0".parse().unwrap();
    let proxy = Delay::start(&[(any, target)], Duration::from_millis(40)).unwrap();
    let client = TcpStream::connect(proxy.listening()[0]).unwrap();
    (proxy, client)
}

/// Answers each byte with one.
fn echo(mut stream: TcpStream) {
    let mut byte = [0];
    while stream.read_exact(&mut byte).is_ok() {
        stream.write_all(&byte).unwrap();
    }
}

#[test]
fn questions_one_after_the_other_are_round_trips() {
    let (proxy, mut client) = proxy(echo);
    for _ in 0..7 {
        client.write_all(b"?").unwrap();
        client.read_exact(&mut [0]).unwrap();
    }
    assert_eq!(proxy.round_trips(), [7]);
}

#[test]
fn questions_that_wait_for_no_answer_are_one() {
    let (proxy, mut client) = proxy(echo);
    for _ in 0..7 {
        client.write_all(b"?").unwrap();
        // So that they travel, and are answered, one by one.
        std::thread::sleep(Duration::from_millis(2));
    }
    client.read_exact(&mut [0; 7]).unwrap();
    // A busy machine may let the first answer arrive before the last question is sent.
    assert!((1..=3).contains(&proxy.round_trips()[0]), "{:?}", proxy.round_trips());
}

#[test]
fn a_stream_arrives_whole_and_both_ends_may_close_on_their_own() {
    let bytes: Vec<u8> = (0..8_000_000u32).map(|n| (n % 251) as u8).collect();
    let (proxy, mut client) = proxy(|mut stream| {
        // All of it first, up to its end; and only then back.
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        stream.write_all(&all).unwrap();
    });
    let sent = bytes.clone();
    let mut writer = client.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut back = Vec::new();
    client.read_to_end(&mut back).unwrap();
    sender.join().unwrap();
    assert!(back == bytes, "{} of {} bytes came back, or others", back.len(), bytes.len());
    assert_eq!((proxy.connections(), proxy.round_trips()), (1, vec![1]));
}
