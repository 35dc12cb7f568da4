//! Handlers that were notified, by host.

use std::collections::{BTreeMap, BTreeSet};

use crate::compile::{CompiledPlay, handler_names};
use crate::model::Reason;

/// Who notified which handler; a notification of an unknown task is unsure.
#[derive(Debug, Default)]
pub struct Handlers {
    /// By handler's index, then host; `Some` reason when it may or may not be notified.
    notified: BTreeMap<usize, BTreeMap<String, Option<Reason>>>,
}

impl Handlers {
    /// Notes that `host` notified a handler by one of its names. All that listen to it
    /// are notified; of those that have it as their own name, the last defined one.
    ///
    /// Whether there is such a handler.
    pub fn notify(&mut self, play: &CompiledPlay, name: &str, host: &str, unsure: Option<Reason>) -> bool {
        let own = |index: &usize| {
            let handler = play.handlers.get(*index);
            let title = handler.and_then(|h| h.name.as_ref()).map(|n| n.as_str().to_owned());
            title.is_some_and(|t| name == t || name.ends_with(&format!(" : {t}")))
        };
        let answering =
            play.handlers.iter().enumerate().filter(|(_, h)| handler_names(h, &play.roles).iter().any(|n| n == name));
        let all: Vec<usize> = answering.map(|(index, _)| index).collect();
        let any = !all.is_empty();
        let named = all.iter().copied().rfind(own);
        let listening = all.into_iter().filter(|i| !own(i));
        for index in listening.chain(named).collect::<BTreeSet<_>>() {
            let entry =
                self.notified.entry(index).or_default().entry(host.to_owned()).or_insert_with(|| unsure.clone());
            if unsure.is_none() {
                *entry = None;
            }
        }
        any
    }

    /// Whether any handler waits for a host.
    pub fn waits_for(&self, host: &str) -> bool {
        self.notified.values().any(|hosts| hosts.contains_key(host))
    }

    /// Takes the hosts that a handler is to run on, and those of which that is not known.
    pub fn take(
        &mut self,
        index: usize,
        wanted: impl Fn(&String) -> bool,
    ) -> (BTreeSet<String>, Vec<(String, Reason)>) {
        let mut sure = BTreeSet::new();
        let mut unsure = Vec::new();
        let Some(hosts) = self.notified.get_mut(&index) else { return (sure, unsure) };
        for (host, reason) in std::mem::take(hosts) {
            match reason {
                _ if !wanted(&host) => drop(hosts.insert(host, reason)),
                None => drop(sure.insert(host)),
                Some(reason) => unsure.push((host, reason)),
            }
        }
        (sure, unsure)
    }
}
