//! Variables whose values are still to come: results of tasks that have been sent and not
//! been answered. What is prepared ahead must not depend on them, and this is how it shows.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Level;
use crate::model::Value;

/// Variables that other hosts' tasks change, whoever reads them.
const SHARED: [&str; 3] = ["ansible_play_hosts", "play_hosts", "ansible_play_batch"];

/// Names that wait for a result, and whether anybody asked for one of them.
#[derive(Debug, Default)]
pub struct Pending {
    registered: HashSet<String>,
    touched: AtomicBool,
}

impl Pending {
    /// These names, which `register` is going to set.
    pub fn new(registered: impl IntoIterator<Item = String>) -> Self {
        Self { registered: registered.into_iter().collect(), touched: AtomicBool::new(false) }
    }

    /// Whether `name` waits for its value.
    pub fn holds(&self, name: &str) -> bool {
        self.registered.contains(name)
    }

    /// The names that wait.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.registered.iter().map(String::as_str)
    }

    /// Notes that something was read that may still change.
    pub fn touch(&self) {
        self.touched.store(true, Ordering::Relaxed);
    }

    /// Whether anything was read since the last call that may still change.
    pub fn take_touched(&self) -> bool {
        self.touched.swap(false, Ordering::Relaxed)
    }

    /// What a variable is whose definition that wins now stands at `level`: unknown, and
    /// noted as read, when the coming result would win over it.
    pub(super) fn read(&self, name: &str, level: Option<Level>) -> Option<Value> {
        let pending = SHARED.contains(&name) || self.holds(name) && level.is_none_or(|l| l <= Level::Registered);
        pending.then(|| {
            self.touch();
            Value::Unknown("its task has not ended yet".into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Layer, Scope, Variables};
    use super::*;
    use crate::model::Vars;
    use std::sync::Arc;

    fn scope(level: Level) -> (Scope, Arc<Pending>) {
        let vars = Vars::from_iter([("result", Value::from(1)), ("other", Value::from(2))]);
        let pending = Arc::new(Pending::new(["result".to_owned()]));
        let scope = Scope::builder().layer(Layer::new(level, "here", vars)).build();
        (scope.with_pending(Arc::clone(&pending)), pending)
    }

    #[test]
    fn a_result_to_come_hides_what_it_will_win_over() {
        let (scope, pending) = scope(Level::Task);
        assert_eq!(scope.get("other"), Some(Value::from(2)));
        assert!(!pending.take_touched());
        assert!(matches!(scope.get("result"), Some(Value::Unknown(_))));
        assert!(pending.take_touched() && !pending.take_touched());
    }

    #[test]
    fn what_wins_over_a_result_is_known_now() {
        let (scope, pending) = scope(Level::Extra);
        assert_eq!(scope.get("result"), Some(Value::from(1)));
        assert!(!pending.take_touched());
        assert!(scope.hostvars().is_none() && pending.take_touched());
    }
}
