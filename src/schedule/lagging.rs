//! Hosts that go on where they stopped: they could not be reached, and `meta: clear_host_errors`
//! took them up again. They come when all others are through, as in ansible-core.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::linear::{End, Linear};
use crate::compile::Course;
use crate::event::TaskKind;

/// A course that is being gone through, and the stage in it.
#[derive(Clone)]
pub struct Frame {
    /// The course.
    pub course: Arc<Course>,
    /// Its stage.
    pub stage: usize,
    /// What its tasks are shown as.
    pub kind: TaskKind,
}

impl Frame {
    fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.course, &other.course) && self.stage == other.stage
    }
}

/// Where hosts stopped.
#[derive(Default)]
pub struct Lagging {
    /// The courses within one another that are being gone through now.
    frames: Vec<Frame>,
    /// Where hosts stopped that could not be reached.
    stopped: BTreeMap<String, Vec<Frame>>,
    /// Those of them that are to go on.
    cleared: BTreeMap<String, Vec<Frame>>,
}

impl Lagging {
    /// A course begins.
    pub fn enter(&mut self, frame: Frame) {
        self.frames.push(frame);
    }

    /// It comes to a stage.
    pub fn at(&mut self, stage: usize) {
        self.frames.iter_mut().last().into_iter().for_each(|frame| frame.stage = stage);
    }

    /// It has ended.
    pub fn leave(&mut self) {
        self.frames.pop();
    }

    /// A host stops here. Where that is in a handler, it goes on after the handlers.
    pub fn stop(&mut self, host: &str) {
        let own = self.frames.iter().filter(|frame| frame.kind != TaskKind::Handler);
        self.stopped.insert(host.to_owned(), own.cloned().collect());
    }

    /// Hosts that stopped are to go on, when the others are through. Returns which.
    pub fn clear(&mut self) -> BTreeSet<String> {
        let stopped = std::mem::take(&mut self.stopped);
        let hosts = stopped.keys().cloned().collect();
        self.cleared.extend(stopped);
        hosts
    }

    /// Whether a host waits for the others to be through.
    pub fn waits(&self, host: &str) -> bool {
        self.cleared.contains_key(host)
    }

    /// The next hosts that are to go on, and from where.
    fn next(&mut self) -> Option<(BTreeSet<String>, Vec<Frame>)> {
        let (_, from) = self.cleared.first_key_value()?;
        let from = from.clone();
        let same = |frames: &Vec<Frame>| {
            frames.len() == from.len() && frames.iter().zip(&from).all(|(one, other)| one.same(other))
        };
        let hosts: BTreeSet<String> =
            self.cleared.iter().filter(|(_, frames)| same(frames)).map(|(host, _)| host.clone()).collect();
        self.cleared.retain(|host, _| !hosts.contains(host));
        Some((hosts, from))
    }
}

impl Linear {
    /// Takes hosts that were taken up again through the rest of the play.
    pub(super) async fn catch_up(&mut self) -> Option<End> {
        let mut end = None;
        'all: while let Some((hosts, frames)) = self.lagging.next() {
            for at in (0..frames.len()).rev() {
                let (outer, rest) = frames.split_at(at);
                let Some(frame) = rest.first().cloned() else { continue };
                // Who stops again in here has still to go on in the courses around it.
                self.lagging.frames = outer.to_vec();
                end = Some(self.course(frame.course, frame.kind, Some(&hosts), frame.stage + 1).await);
                if self.over().is_some() || end == Some(End::Stop) {
                    break 'all;
                }
            }
        }
        self.lagging.frames.clear();
        end
    }
}
