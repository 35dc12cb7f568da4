//! One who waits for a task that was sent to a worker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;

use super::LinkError;
use super::link::{Ended, Heard, Link};
use crate::model::Timing;

/// How a task that was sent has ended.
#[derive(Debug)]
pub enum End {
    /// It was run.
    Done(Box<Ended>),
    /// The condition with this number did not hold.
    Skipped(u32),
    /// It was not run: what came before it failed, or its conditions could not be decided.
    Dropped,
    /// The link broke.
    Broken(LinkError),
}

/// A task that was sent to a worker.
pub struct Ticket {
    link: Arc<Link>,
    heard: UnboundedReceiver<(Heard, u64)>,
    /// Its id.
    pub id: u64,
    granted: bool,
    /// What it has cost so far.
    pub timing: Timing,
    end: Option<End>,
    planned: bool,
}

impl Ticket {
    pub(super) fn new(link: Arc<Link>, heard: UnboundedReceiver<(Heard, u64)>, id: u64, granted: bool) -> Self {
        Self { link, heard, id, granted, timing: Timing::default(), end: None, planned: false }
    }

    fn take(&mut self, heard: Heard, bytes: u64) {
        self.timing.received += bytes;
        self.end = Some(match heard {
            Heard::Planned => {
                self.planned = true;
                return;
            }
            Heard::Fetched(content) => {
                self.timing.sent += content;
                self.timing.round_trips += 1;
                return;
            }
            Heard::Skipped(condition) => End::Skipped(condition),
            Heard::Dropped => End::Dropped,
            Heard::Broken(e) => End::Broken(e),
            Heard::Done(ended) => {
                self.timing.planning = Duration::from_micros(ended.spent.planning);
                self.timing.acting = Duration::from_micros(ended.spent.acting);
                End::Done(ended)
            }
        });
    }

    /// Takes what has come so far; whether the task was dropped.
    pub fn is_dropped(&mut self) -> bool {
        while self.end.is_none()
            && let Ok((heard, bytes)) = self.heard.try_recv()
        {
            self.take(heard, bytes);
        }
        matches!(self.end, Some(End::Dropped))
    }

    /// Waits for the end. When the task waits for its grant, it and all up to the task
    /// `last` get it.
    pub async fn end(&mut self, last: u64) -> End {
        let started = Instant::now();
        loop {
            if self.planned && !self.granted {
                self.granted = true;
                self.timing.round_trips += 1;
                self.link.grant(last.max(self.id));
            }
            if let Some(end) = self.end.take() {
                self.timing.waiting += started.elapsed();
                return end;
            }
            match self.heard.recv().await {
                Some((heard, bytes)) => self.take(heard, bytes),
                None => self.end = Some(End::Broken(LinkError::Unreachable("the link was closed".to_owned()))),
            }
        }
    }

    /// Its time is up: what it started on the host is ended, and nobody waits for it.
    pub fn stop(&self) {
        self.link.stop(self.id);
    }

    /// Gives it up, and all that was sent to the same worker before it, unless it acts.
    pub fn cancel(&self) {
        self.link.cancel(self.id);
    }
}
