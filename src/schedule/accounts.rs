//! Accounts that were worked out before. Every task asks for its own, and nearly all of a host's
//! tasks have the same: some twenty variables and keywords are read once, not once a task.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::connection::Account;
use crate::model::Value;
use crate::playbook::Keywords;
use crate::vars::{Layer, Scope};

/// Keywords that say how a host is reached, and as whom.
const KEYWORDS: [&str; 8] =
    ["connection", "port", "remote_user", "become", "become_method", "become_user", "become_exe", "become_flags"];

/// How many of a host's accounts are kept.
const KEPT: usize = 4;

/// All that an account hangs on, where nothing of it is a template.
#[derive(PartialEq)]
pub struct Basis {
    /// Where a variable that counts is defined. Layers do not change, so one that is the same
    /// says the same.
    layers: Vec<Same>,
    keywords: Vec<Option<Value>>,
}

struct Same(Arc<Layer>);

impl PartialEq for Same {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Basis {
    /// What counts in a scope and a task's keywords; nothing when a result that is still to come
    /// may count.
    pub fn of(scope: &Scope, keywords: &Keywords) -> Option<Self> {
        let layers = scope.connecting()?.map(|layer| Same(Arc::clone(layer))).collect();
        Some(Self { layers, keywords: KEYWORDS.iter().map(|name| keywords.value(name).cloned()).collect() })
    }
}

/// What was worked out, and from what.
type Known = (Basis, Arc<Account>);

/// The accounts of a run, by host.
#[derive(Default)]
pub struct Accounts(Mutex<HashMap<String, Vec<Known>>>);

impl Accounts {
    /// The account that was worked out from the same.
    pub fn known(&self, host: &str, basis: &Basis) -> Option<Arc<Account>> {
        let all = self.0.lock().ok()?;
        all.get(host)?.iter().find(|(known, _)| known == basis).map(|(_, account)| Arc::clone(account))
    }

    /// Keeps what was worked out.
    pub fn keep(&self, host: &str, basis: Basis, account: &Arc<Account>) {
        if let Ok(mut all) = self.0.lock() {
            let kept = all.entry(host.to_owned()).or_default();
            kept.truncate(KEPT - 1);
            kept.insert(0, (basis, Arc::clone(account)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Vars;
    use crate::vars::{Level, Pending};

    fn layer(name: &str, value: &str) -> Arc<Layer> {
        Layer::new(Level::Play, "here", Vars::from_iter([(name, Value::from(value))]))
    }

    #[test]
    fn only_what_says_how_a_host_is_reached_counts() {
        let keywords = Keywords::default();
        let scope = Scope::builder().layer(layer("ansible_port", "22")).build();
        let basis = |scope: &Scope| Basis::of(scope, &keywords).unwrap();
        assert!(basis(&scope) == basis(&scope.push(layer("greeting", "hello"))));
        assert!(basis(&scope) != basis(&scope.push(layer("ansible_ssh_user", "other"))));
        assert!(basis(&scope) != basis(&Scope::builder().layer(layer("ansible_port", "22")).build()));
    }

    #[test]
    fn what_a_task_sets_counts() {
        let keywords = Keywords::default();
        let mut known = crate::schedule::world::Known::default();
        known.register("answer", Value::from(1));
        let basis = |known: &crate::schedule::world::Known| {
            Basis::of(&Scope::builder().layers(known.layers()).build(), &keywords).unwrap()
        };
        let before = basis(&known);
        known.register("answer", Value::from(2));
        assert!(basis(&known) == before);
        known.register("ansible_port", Value::from(2222));
        let after = basis(&known);
        assert!(after != before);
        known.register("ansible_port", Value::from(22));
        assert!(basis(&known) != after);
        known.include(Vars::from_iter([("ansible_user", Value::from("deploy"))]), false);
        assert!(basis(&known) != after);
    }

    #[test]
    fn nothing_is_known_while_a_result_may_count() {
        let scope = |name: &str| Scope::default().with_pending(Arc::new(Pending::new([name.to_owned()])));
        assert!(Basis::of(&scope("ansible_port"), &Keywords::default()).is_none());
        assert!(Basis::of(&scope("answer"), &Keywords::default()).is_some());
    }
}
