//! Patience with an sshd that refuses connections because many come at once (MaxStartups).
//!
//! A refusal looks the same whether it comes from the crowd that we are or from a host that
//! wants nothing of us. So: it is tried again after a pause that grows and differs from host to
//! host; a host that refused lets in fewer of us at a time from then on; and who is refused is
//! more patient while others of the same run get through. All other failures are final.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

/// How many at most stand at a door that has refused one: under stock sshd's limit of ten.
const AFTER_REFUSAL: usize = 8;
/// Refusals in a row, with nobody getting through meanwhile, that are believed.
const BELIEVED: u32 = 5;
/// Refusals that are believed in any case.
const MOST: u32 = 16;
/// The first pause, and how often it doubles.
const PAUSE: Duration = Duration::from_millis(100);
const DOUBLINGS: u32 = 4;

/// Where connections arrive, by what tells one sshd from another: as far as it is known.
#[derive(Default)]
pub struct Doors {
    doors: Mutex<HashMap<String, Arc<Door>>>,
    /// Which door a host has turned out to have: several may have the same.
    of_host: Mutex<HashMap<String, String>>,
    /// Connections that were made.
    opened: AtomicU64,
}

#[derive(Default)]
struct Door {
    state: Mutex<State>,
    left: Notify,
}

#[derive(Default)]
struct State {
    inside: usize,
    /// How many may be inside; no limit until it refuses.
    limit: Option<usize>,
    /// How often the limit was lowered.
    lowered: u64,
}

/// The right to knock; given back by dropping it.
pub struct Pass {
    door: Arc<Door>,
    lowered: u64,
}

/// How often one host has been refused.
#[derive(Default)]
pub struct Patience {
    refusals: u32,
    in_a_row: u32,
    opened: u64,
}

impl Doors {
    /// Waits until one more may knock at a host's door.
    pub async fn enter(&self, host: &str) -> Pass {
        let door = self.door(host);
        loop {
            // Before looking, so that no one's leaving is missed.
            let left = door.left.notified();
            if let Some(lowered) = door.come_in() {
                return Pass { door: Arc::clone(&door), lowered };
            }
            left.await;
        }
    }

    /// A connection was made somewhere.
    pub fn opened(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    /// After a failure with these words of ssh: how long to wait before the next attempt;
    /// none where there should not be one.
    pub fn refused(&self, host: &str, pass: &Pass, words: &str, patience: &mut Patience) -> Option<Duration> {
        let at = refuser(words)?;
        if let Ok(mut all) = self.of_host.lock() {
            all.insert(host.to_owned(), at.to_owned());
        }
        let door = self.door(host);
        door.lower(if Arc::ptr_eq(&door, &pass.door) { pass.lowered } else { 0 });
        let opened = self.opened.load(Ordering::Relaxed);
        patience.in_a_row = if opened == patience.opened { patience.in_a_row + 1 } else { 1 };
        patience.opened = opened;
        patience.refusals += 1;
        if patience.in_a_row >= BELIEVED || patience.refusals >= MOST {
            return None;
        }
        Some(jittered(PAUSE * 2u32.pow(DOUBLINGS.min(patience.refusals - 1))))
    }

    fn door(&self, host: &str) -> Arc<Door> {
        let known = self.of_host.lock().ok().and_then(|all| all.get(host).cloned());
        let name = known.unwrap_or_else(|| host.to_owned());
        self.doors.lock().map(|mut all| Arc::clone(all.entry(name).or_default())).unwrap_or_default()
    }
}

impl Door {
    /// Goes in where there is room; says how often the limit had been lowered by then.
    fn come_in(&self) -> Option<u64> {
        let Ok(mut state) = self.state.lock() else { return Some(0) };
        if state.limit.is_some_and(|limit| state.inside >= limit) {
            return None;
        }
        state.inside += 1;
        Some(state.lowered)
    }

    /// Lowers the limit, unless that was done since the one who was refused came in.
    fn lower(&self, seen: u64) {
        let Ok(mut state) = self.state.lock() else { return };
        if state.lowered == seen {
            let half = state.limit.unwrap_or(2 * AFTER_REFUSAL) / 2;
            state.limit = Some(half.max(1));
            state.lowered += 1;
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Ok(mut state) = self.door.state.lock() {
            state.inside = state.inside.saturating_sub(1);
        }
        // All, since the limit may have room for more than one.
        self.door.left.notify_waiters();
    }
}

/// Between a half and one and a half of it.
pub fn jittered(pause: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().hash_one(()) % 1024).unwrap_or(512);
    pause * (512 + random) / 1024
}

/// Words of ssh that name a reason, which the next attempt would meet again.
const REASONS: [&str; 13] = [
    "Permission denied",
    "Too many authentication failures",
    "Host key verification failed",
    "IDENTIFICATION HAS CHANGED",
    "Connection refused",
    "Could not resolve",
    "No route to host",
    "Network is unreachable",
    "timed out",
    "open failed",
    "forwarding failed",
    "not found",
    "No such file",
];

/// Who closed a connection before there was any talk, as ssh says it: `192.0.2.1 port 22`;
/// `UNKNOWN port 65535` is whatever stands behind a jump host or a proxy command.
fn refuser(words: &str) -> Option<&str> {
    if REASONS.iter().any(|reason| words.contains(reason)) {
        return None;
    }
    let mut lines = words.lines().filter_map(|line| {
        let line = line.trim();
        ["Connection closed by ", "Connection reset by "].iter().find_map(|start| {
            let at = line.find(start)?;
            line.get(at + start.len()..).filter(|who| who.contains(" port "))
        })
    });
    lines.next()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "all of it is test code")]

    use super::*;

    const BUSY: &str = "Failed to connect to the host via ssh: kex_exchange_identification: Connection closed by \
                        remote host\r\nConnection closed by 192.0.2.1 port 22";

    #[test]
    fn only_a_closed_door_is_tried_again() {
        assert_eq!(refuser(BUSY), Some("192.0.2.1 port 22"));
        let reset =
            "kex_exchange_identification: read: Connection reset by peer\r\nConnection reset by 192.0.2.1 port 22";
        assert_eq!(refuser(reset), Some("192.0.2.1 port 22"));
        let jump =
            "kex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535";
        assert_eq!(refuser(jump), Some("UNKNOWN port 65535"));
        for real in [
            "ssh: connect to host 192.0.2.1 port 22: Connection refused",
            "u@192.0.2.1: Permission denied (publickey).\nConnection closed by 192.0.2.1 port 22",
            "channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\n\
             Connection closed by UNKNOWN port 65535",
            "Host key verification failed.",
            "",
        ] {
            assert_eq!(refuser(real), None, "{real}");
        }
    }

    #[tokio::test]
    async fn a_host_that_only_refuses_is_soon_believed() {
        let doors = Doors::default();
        let mut patience = Patience::default();
        let mut waits = Vec::new();
        loop {
            let pass = doors.enter("a").await;
            match doors.refused("a", &pass, BUSY, &mut patience) {
                Some(wait) => waits.push(wait),
                None => break,
            }
        }
        assert_eq!(waits.len(), 4);
        assert!(waits.iter().sum::<Duration>() < Duration::from_millis(2300), "{waits:?}");
    }

    #[tokio::test]
    async fn who_is_refused_while_others_get_in_is_patient_but_not_for_ever() {
        let doors = Doors::default();
        let mut patience = Patience::default();
        let mut refusals = 0;
        loop {
            let pass = doors.enter("a").await;
            doors.opened();
            refusals += 1;
            if doors.refused("a", &pass, BUSY, &mut patience).is_none() {
                break;
            }
        }
        assert_eq!(refusals, MOST);
    }

    #[tokio::test]
    async fn a_crowd_that_was_refused_once_comes_in_smaller_numbers() {
        let doors = Doors::default();
        let mut crowd = Vec::new();
        for i in 0..32 {
            crowd.push((format!("alias-{i}"), doors.enter(&format!("alias-{i}")).await));
        }
        for (host, pass) in &crowd {
            assert!(doors.refused(host, pass, BUSY, &mut Patience::default()).is_some());
        }
        drop(crowd);
        let limit = |name: &str| doors.door(name).state.lock().unwrap().limit;
        // All of them together: they turned out to be one host.
        assert_eq!((limit("alias-3"), limit("alias-31")), (Some(AFTER_REFUSAL), Some(AFTER_REFUSAL)));
        // One by one, from then on: each refusal halves it.
        for left in [4, 2, 1, 1] {
            let pass = doors.enter("alias-0").await;
            doors.refused("alias-0", &pass, BUSY, &mut Patience::default());
            assert_eq!(limit("alias-5"), Some(left));
        }
        let first = doors.enter("alias-1").await;
        let second = tokio::time::timeout(Duration::from_millis(20), doors.enter("alias-2"));
        assert!(second.await.is_err(), "two at once");
        drop(first);
        doors.enter("alias-2").await;
    }
}
