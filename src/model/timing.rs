//! Where the time of a task went, and what it cost on the wire.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a task, or an item of its loop, cost on one host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// How often the controller had to wait for an answer to something that it sent then.
    /// Answers to what was sent ahead cost none.
    pub round_trips: u32,
    /// Bytes to the host.
    pub sent: u64,
    /// Bytes from the host.
    pub received: u64,
    /// How long the controller waited for the host.
    pub waiting: Duration,
    /// How long the worker planned.
    pub planning: Duration,
    /// How long the worker acted.
    pub acting: Duration,
}

impl Timing {
    /// Both together.
    pub fn add(&mut self, other: &Self) {
        self.round_trips += other.round_trips;
        self.sent += other.sent;
        self.received += other.received;
        self.waiting += other.waiting;
        self.planning += other.planning;
        self.acting += other.acting;
    }
}
