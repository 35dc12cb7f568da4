//! What all who take hosts through one play share, and how many of them may be at work.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Context;
use super::linear::Over;
use crate::compile::CompiledPlay;
use crate::diag::{Checked, Diagnostic};

/// What all who go through one play share.
#[derive(Clone)]
pub struct Shared {
    /// The first number that no task has.
    pub ids: Arc<AtomicUsize>,
    /// How many hosts may be at work.
    pub permits: Arc<Semaphore>,
    /// The play is over for all hosts, or for those of this batch.
    pub over: Arc<Mutex<Option<Over>>>,
    /// Why the whole run breaks off.
    pub broken: Arc<Mutex<Option<Diagnostic>>>,
    /// Each host goes alone.
    pub alone: bool,
    /// Others must wait while a host is at work: it may not go on unasked.
    pub limited: bool,
    /// `throttle` by task, where hosts come to it one by one.
    throttles: Arc<Mutex<HashMap<usize, Arc<Semaphore>>>>,
}

impl Shared {
    /// For one batch of a play.
    pub fn new(context: &Context, play: &CompiledPlay, alone: bool) -> Self {
        Self {
            ids: Arc::new(AtomicUsize::new(play.tasks.len() + play.handlers.len())),
            permits: forks(context),
            over: Arc::default(),
            broken: Arc::default(),
            alone,
            limited: alone && context.options.forks.is_some(),
            throttles: Arc::default(),
        }
    }

    /// The same for a host that is at work from its first task to its last.
    #[must_use]
    pub fn pinned(&self) -> Self {
        let permits = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { permits, limited: false, ..self.clone() }
    }

    /// Breaks the whole run off; the first reason stands.
    pub fn break_off(&self, why: Diagnostic) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        *self.over.lock().unwrap_or_else(PoisonError::into_inner) = Some(Over::Play);
    }

    /// Whether the run goes on.
    ///
    /// # Errors
    /// Why it does not.
    pub fn goes_on(&self) -> Checked<()> {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        broken.map_or(Ok(()), |why| Err(why.into()))
    }

    /// How many hosts may be at a task, with its `throttle`.
    pub fn limits(&self, task: usize, throttle: Option<usize>) -> Limits {
        let throttle = throttle.map(|n| {
            let mut throttles = self.throttles.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(throttles.entry(task).or_insert_with(|| Arc::new(Semaphore::new(n))))
        });
        // The task's own first: who waits for it must not keep others from their work.
        Limits(throttle.into_iter().chain([Arc::clone(&self.permits)]).collect())
    }
}

/// `forks`: how many hosts may be at work at the same time.
fn forks(context: &Context) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(context.options.forks.unwrap_or(Semaphore::MAX_PERMITS).max(1)))
}

/// Limits that all hold.
#[derive(Clone)]
pub struct Limits(Vec<Arc<Semaphore>>);

impl Limits {
    /// Takes a place in each, when all have one.
    pub fn take(&self) -> Option<Vec<OwnedSemaphorePermit>> {
        self.0.iter().map(|limit| Arc::clone(limit).try_acquire_owned().ok()).collect()
    }

    /// Waits for a place in each.
    pub async fn wait(&self) -> Vec<OwnedSemaphorePermit> {
        let mut permits = Vec::with_capacity(self.0.len());
        for limit in &self.0 {
            permits.extend(Arc::clone(limit).acquire_owned().await);
        }
        permits
    }
}
