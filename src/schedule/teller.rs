//! Tells what happens to hosts, so that each result stands below its task's headline.

use std::sync::{Arc, Mutex, PoisonError};

use super::Context;
use crate::event::Event;

/// Sends the events of tasks.
///
/// Where hosts go through a play in step, they are sent as they come. Where each goes its own
/// way, results of different tasks come mixed: a headline is sent with the first result of a
/// task, and again when another task's results came in between, as Ansible prints them.
pub struct Teller {
    context: Arc<Context>,
    mixed: Option<Mixed>,
}

struct Mixed {
    /// The task whose headline was sent last, by any host's teller.
    shown: Shown,
    /// This host's task, and its headline.
    now: Mutex<(usize, Option<Event>)>,
}

/// The task whose headline was sent last.
pub type Shown = Arc<Mutex<Option<usize>>>;

impl Teller {
    /// For hosts that go in step.
    pub fn in_step(context: &Arc<Context>) -> Arc<Self> {
        Arc::new(Self { context: Arc::clone(context), mixed: None })
    }

    /// For one of several hosts that go their own ways; `shown` is the same for all of them.
    pub fn mixed(context: &Arc<Context>, shown: &Shown) -> Arc<Self> {
        let mixed = Mixed { shown: Arc::clone(shown), now: Mutex::default() };
        Arc::new(Self { context: Arc::clone(context), mixed: Some(mixed) })
    }

    /// A task begins; `headline` says so.
    pub fn task(&self, id: usize, headline: Event) {
        match &self.mixed {
            None => self.context.emit(headline),
            Some(mixed) => *mixed.now.lock().unwrap_or_else(PoisonError::into_inner) = (id, Some(headline)),
        }
    }

    /// Something that belongs below the task's headline.
    pub fn emit(&self, event: Event) {
        let Some(mixed) = &self.mixed else { return self.context.emit(event) };
        let now = mixed.now.lock().unwrap_or_else(PoisonError::into_inner);
        // Held until the event is sent, so that no other host's comes in between.
        let mut shown = mixed.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if *shown != Some(now.0) {
            *shown = Some(now.0);
            now.1.iter().for_each(|headline| self.context.emit(headline.clone()));
        }
        self.context.emit(event);
    }
}
