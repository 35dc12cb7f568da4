//! What was prepared ahead, by host: taken when its turn comes, given up when something
//! else happened there.

use std::sync::Arc;

use super::ahead::{ReadyTask, Scout};
use super::linear::{Linear, Turn};
use super::scope::Moment;
use crate::compile::CompiledTask;

impl Linear {
    /// The task as it was prepared ahead for a host, when it is what comes next there.
    pub(super) fn ready(&mut self, host: &str, task: &CompiledTask) -> Option<ReadyTask> {
        let shared = self.context.links.is_shared(host);
        let queue = self.ahead.get_mut(host)?;
        let mut next = queue.pop_front()?;
        if next.task == task.id && !shared && !next.is_dropped() {
            return Some(next);
        }
        queue.push_front(next);
        self.forget(host);
        None
    }

    /// Gives up what was prepared ahead for a host.
    pub(super) fn forget(&mut self, host: &str) {
        self.ahead.remove(host).iter().flatten().for_each(ReadyTask::cancel);
    }

    pub(super) fn forget_all(&mut self) {
        self.ahead.drain().flat_map(|(_, queue)| queue).for_each(|ready| ready.cancel());
    }

    /// Who prepares ahead what comes after a stage.
    pub(super) fn scout(&self, host: &str, turn: &Turn, moment: Moment) -> Option<Box<Scout>> {
        if self.stepping || self.context.options.one_by_one {
            return None;
        }
        Some(Box::new(Scout {
            play: Arc::clone(&self.play),
            course: Arc::clone(&turn.course),
            next: turn.stage + 1,
            flow: self.flows.get(host)?.clone(),
            moment,
            unordered: self.context.options.check || self.hosts.len() == 1 && !self.shared.limited,
            notified: self.handlers.waits_for(host),
        }))
    }
}
