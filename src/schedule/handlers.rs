//! Handlers that were notified, by host, and their turn.

use std::collections::{BTreeMap, BTreeSet};

use super::flow::Flow;
use super::linear::Linear;
use crate::compile::{CompiledPlay, CompiledTask, handler_names_as};
use crate::event::{Event, TaskKind};
use crate::model::Reason;
use crate::module::{ControllerTask, Run, to_bool};

/// Which names a play's handlers answer to: the play, and the handlers' own names, rendered.
pub type Named<'a> = (&'a CompiledPlay, &'a [Option<String>]);

/// Who notified which handler; a notification of an unknown task is unsure.
#[derive(Debug, Default)]
pub struct Handlers {
    /// What hosts notified, as written, since handlers ran: which ones answer is decided when they
    /// run, since an include may bring further ones meanwhile.
    saved: BTreeMap<String, Vec<(String, Option<Reason>)>>,
    /// By handler's index, then host; `Some` reason when it may or may not be notified.
    notified: BTreeMap<usize, BTreeMap<String, Option<Reason>>>,
}

impl Handlers {
    /// Notes that `host` notified handlers by a name, for when they run.
    pub fn save(&mut self, name: &str, host: &str, unsure: Option<&Reason>) {
        let saved = self.saved.entry(host.to_owned()).or_default();
        match saved.iter_mut().find(|(known, _)| known == name) {
            Some((_, reason)) if unsure.is_none() => *reason = None,
            Some(_) => {}
            None => saved.push((name.to_owned(), unsure.cloned())),
        }
    }

    /// The hosts that notified something since handlers ran.
    pub fn savers(&self) -> Vec<String> {
        self.saved.keys().cloned().collect()
    }

    /// Decides which handlers answer to what a host notified since handlers ran.
    pub fn resolve(&mut self, named: Named<'_>, host: &str) {
        for (name, unsure) in self.saved.remove(host).unwrap_or_default() {
            self.notify(named, &name, host, unsure.as_ref());
        }
    }

    /// The handlers that answer to a name: those that listen to it, and the one that has it as its
    /// own name. Of handlers with one name those of the play, or of the role that came last, stand for
    /// all, and of these the first.
    pub fn answering((play, titles): Named<'_>, name: &str) -> BTreeSet<usize> {
        let title = |index: usize| titles.get(index).and_then(Option::as_deref);
        let own = |index: &usize| title(*index).is_some_and(|t| name == t || name.ends_with(&format!(" : {t}")));
        let answers = |index: usize, handler: &CompiledTask| {
            handler_names_as(handler, title(index), &play.roles).iter().any(|n| n == name)
        };
        let answering = play.handlers.iter().enumerate().filter(|(index, handler)| answers(*index, handler));
        let all: Vec<usize> = answering.map(|(index, _)| index).collect();
        let role = |index: usize| play.handlers.get(index).map(|handler| handler.role);
        let last = all.iter().copied().rfind(own).map(role);
        let named = all.iter().copied().filter(own).find(|index| Some(role(*index)) == last);
        let mut seen = BTreeSet::new();
        let listening = all.into_iter().rev().filter(|i| !own(i));
        listening.filter(|i| title(*i).is_none_or(|t| seen.insert(t))).chain(named).collect()
    }

    /// Notes that `host` notified what answers to a name. Whether anything does.
    pub fn notify(&mut self, named: Named<'_>, name: &str, host: &str, unsure: Option<&Reason>) -> bool {
        let answering = Self::answering(named, name);
        for index in &answering {
            let entry =
                self.notified.entry(*index).or_default().entry(host.to_owned()).or_insert_with(|| unsure.cloned());
            if unsure.is_none() {
                *entry = None;
            }
        }
        !answering.is_empty()
    }

    /// Whether any handler waits for a host.
    pub fn waits_for(&self, host: &str) -> bool {
        self.saved.contains_key(host) || self.notified.values().any(|hosts| hosts.contains_key(host))
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
impl Linear {
    /// Runs handlers that were notified; only on these hosts, when they are given, though they have
    /// failed and are in an `always` section.
    pub(super) async fn flush(&mut self, only: Option<&[String]>) {
        let handling = std::mem::replace(&mut self.handling, true);
        for host in self.handlers.savers() {
            if only.is_none_or(|only| only.contains(&host)) {
                let titles = self.handler_titles(&host);
                self.handlers.resolve((&self.play, &titles), &host);
            }
        }
        let mut index = 0;
        // More handlers may come while these run.
        while let Some(handler) = self.play.handlers.get(index).cloned() {
            let force = self.forces_handlers();
            let failed = |h: &String| !force && only.is_none() && self.flows.get(h).is_some_and(Flow::has_failed);
            let lost = |h: &String| {
                let waits = self.lagging.waits(h);
                let out =
                    waits || self.gone.contains(h) || self.ended.contains(h) || self.failed_in_handler.contains(h);
                out || failed(h) || only.is_some_and(|only| !only.contains(h))
            };
            let (hosts, unsure) = self.handlers.take(index, |host| !lost(host));
            index += 1;
            for (host, reason) in unsure {
                self.world.count(&host, |c| c.unknown += 1);
                self.context.emit(Event::Warning(format!(
                    "[{host}]: handler `{}` may be notified: {reason}",
                    handler.title().as_str()
                )));
            }
            let hosts: Vec<String> = self.hosts.iter().filter(|h| hosts.contains(*h)).cloned().collect();
            if hosts.is_empty() {
                continue;
            }
            if self.shared.goes_on().is_err() {
                break;
            }
            if matches!(handler.action.module.run, Run::Controller(ControllerTask::Meta)) {
                self.meta(&handler, &hosts).await;
            } else {
                self.run_task(&handler, &hosts, None, TaskKind::Handler).await;
            }
        }
        self.handling = handling;
    }

    pub(super) fn forces_handlers(&self) -> bool {
        let own = self.play.keywords.value("force_handlers").and_then(to_bool);
        own.unwrap_or(self.context.options.force_handlers)
    }
}
