//! A TCP proxy that delays what passes through it, as a distant network does: latency, not
//! bandwidth. Only the standard library, so that `rustc` alone builds it (tests/bench/delay.rs).
//!
//! Bytes are taken off a connection as they come and delivered half the round-trip time
//! later, in order; so a stream keeps its throughput, and only waiting for answers costs time.
//!
//! Round trips are counted by logic, not by the clock. Bytes from the client have a depth: one
//! more than the deepest that had been delivered to the client by then. Bytes from the server
//! have the depth of the deepest that had been delivered to the server. So the deepest that has
//! reached the client is the number of round trips, one after the other, that a connection took.
#![allow(dead_code, reason = "each user takes a part of it")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How much is taken off a connection at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// How many chunks may be under way in one direction: more than any of our delays fills.
const UNDER_WAY: usize = 512;
/// Threads here do little; many connections have many of them.
const STACK: usize = 128 * 1024;

/// One connection's account.
#[derive(Default)]
struct Depth {
    /// Of the deepest that was delivered to the client.
    to_client: AtomicU64,
    /// Of the deepest that was delivered to the server.
    to_server: AtomicU64,
}

#[derive(Clone, Copy)]
enum Way {
    ToServer,
    ToClient,
}

impl Depth {
    /// The depth of what is sent now.
    fn sent(&self, way: Way) -> u64 {
        match way {
            Way::ToServer => self.to_client.load(Ordering::SeqCst) + 1,
            Way::ToClient => self.to_server.load(Ordering::SeqCst),
        }
    }

    fn delivered(&self, way: Way, depth: u64) {
        let end = match way {
            Way::ToServer => &self.to_server,
            Way::ToClient => &self.to_client,
        };
        end.fetch_max(depth, Ordering::SeqCst);
    }
}

/// Listeners that forward with a delay, until this is dropped.
pub struct Delay {
    listening: Vec<SocketAddr>,
    depths: Arc<Mutex<Vec<Arc<Depth>>>>,
    stop: Arc<AtomicBool>,
}

impl Delay {
    /// Listens at each first address (port 0: any free one) and forwards to the second.
    /// `round_trip` is what a question and its answer take longer than without.
    ///
    /// # Errors
    /// When an address cannot be listened at.
    pub fn start(pairs: &[(SocketAddr, SocketAddr)], round_trip: Duration) -> std::io::Result<Self> {
        let delay = round_trip / 2;
        let depths: Arc<Mutex<Vec<Arc<Depth>>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let mut listening = Vec::new();
        for (at, target) in pairs {
            let listener = TcpListener::bind(at)?;
            listening.push(listener.local_addr()?);
            let (depths, stop, target) = (Arc::clone(&depths), Arc::clone(&stop), *target);
            run(move || accept(&listener, target, delay, &depths, &stop));
        }
        Ok(Self { listening, depths, stop })
    }

    /// Where it listens, in the order of the pairs.
    pub fn listening(&self) -> &[SocketAddr] {
        &self.listening
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.round_trips().len()
    }

    /// Round trips of every connection so far, in the order in which they were made.
    pub fn round_trips(&self) -> Vec<u64> {
        let depths = self.depths.lock().map(|all| all.clone()).unwrap_or_default();
        depths.iter().map(|d| d.to_client.load(Ordering::SeqCst)).collect()
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for at in &self.listening {
            // Wakes the listener's thread, which then ends.
            let _ = TcpStream::connect(at);
        }
    }
}

fn run(work: impl FnOnce() + Send + 'static) {
    // Where no thread can be had, the connection is dropped, which its users see.
    let _ = thread::Builder::new().stack_size(STACK).spawn(work);
}

fn accept(
    listener: &TcpListener,
    target: SocketAddr,
    delay: Duration,
    depths: &Mutex<Vec<Arc<Depth>>>,
    stop: &AtomicBool,
) {
    for client in listener.incoming() {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(client) = client else { continue };
        let depth = Arc::new(Depth::default());
        if let Ok(mut all) = depths.lock() {
            all.push(Arc::clone(&depth));
        }
        // On a thread of its own: connecting may take a while.
        run(move || {
            let Ok(server) = TcpStream::connect(target) else { return };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else { return };
            let depth_too = Arc::clone(&depth);
            one_way(client, server, delay, Way::ToServer, depth);
            one_way(server_too, client_too, delay, Way::ToClient, depth_too);
        });
    }
}

/// Bytes that are under way: when they are due, how deep they are.
type Chunk = (Instant, u64, Vec<u8>);

fn one_way(from: TcpStream, to: TcpStream, delay: Duration, way: Way, depth: Arc<Depth>) {
    let (sender, receiver) = sync_channel(UNDER_WAY);
    let depth_too = Arc::clone(&depth);
    run(move || take(from, &sender, delay, way, &depth_too));
    run(move || deliver(&receiver, to, way, &depth));
}

fn take(mut from: TcpStream, sender: &SyncSender<Chunk>, delay: Duration, way: Way, depth: &Depth) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let bytes = buffer.get(..n).unwrap_or_default().to_vec();
        if sender.send((Instant::now() + delay, depth.sent(way), bytes)).is_err() {
            // The other end takes no more: this one need send no more.
            let _ = from.shutdown(Shutdown::Read);
            return;
        }
    }
    // The end is under way for as long as the rest.
    let _ = sender.send((Instant::now() + delay, 0, Vec::new()));
}

fn deliver(receiver: &Receiver<Chunk>, mut to: TcpStream, way: Way, depth: &Depth) {
    for (due, deep, bytes) in receiver {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        // Before it is written, since the answer may come before we go on.
        depth.delivered(way, deep);
        if bytes.is_empty() || to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
