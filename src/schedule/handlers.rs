//! Handlers that were notified, by host.

use std::collections::{BTreeMap, BTreeSet};

use crate::compile::{CompiledPlay, CompiledTask, handler_names_as};
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
    /// `titles` are the handlers' own names, rendered. Whether there is such a handler.
    pub fn notify(
        &mut self,
        (play, titles): (&CompiledPlay, &[Option<String>]),
        name: &str,
        host: &str,
        unsure: Option<&Reason>,
    ) -> bool {
        let title = |index: usize| titles.get(index).and_then(Option::as_deref);
        let own = |index: &usize| title(*index).is_some_and(|t| name == t || name.ends_with(&format!(" : {t}")));
        let answers = |index: usize, handler: &CompiledTask| {
            handler_names_as(handler, title(index), &play.roles).iter().any(|n| n == name)
        };
        let answering = play.handlers.iter().enumerate().filter(|(index, handler)| answers(*index, handler));
        let all: Vec<usize> = answering.map(|(index, _)| index).collect();
        let any = !all.is_empty();
        let named = all.iter().copied().rfind(own);
        let listening = all.into_iter().filter(|i| !own(i));
        for index in listening.chain(named).collect::<BTreeSet<_>>() {
            let entry =
                self.notified.entry(index).or_default().entry(host.to_owned()).or_insert_with(|| unsure.cloned());
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
