//! `meta`: tasks that change the course of the run.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::linear::{Linear, Over};
use super::view::View;
use super::{item, names};
use crate::compile::CompiledTask;
use crate::diag::Diagnostic;
use crate::event::{Event, HostResult, TaskKind};
use crate::model::{Map, Timing, Value};
use crate::template::Truth;

/// What is done whatever its condition says.
const ALWAYS: [&str; 3] = ["noop", "refresh_inventory", "reset_connection"];

/// What is said of one that is not done, in Ansible's words.
fn not_done(what: &str, host: &str, role: &str) -> String {
    let rest = match what {
        "end_host" => format!(", continuing execution for {host}"),
        "end_play" => ", continuing play".to_owned(),
        "end_batch" => ", continuing current batch".to_owned(),
        "end_role" => format!("continuing role {role} for {host}"),
        "clear_facts" => format!(", not clearing facts and fact cache for {host}"),
        "clear_host_errors" => format!(", not clearing host error state for {host}"),
        "flush_handlers" => format!(", not running handlers for {host}"),
        _ => String::new(),
    };
    format!("{what} conditional evaluated to False{rest}")
}

impl Linear {
    /// Does what a `meta` task says, on these hosts.
    pub(super) async fn meta(&mut self, task: &Arc<CompiledTask>, hosts: &[String]) {
        self.forget_all();
        let what = task.action.args.get("_raw_params").and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        // What concerns all hosts is decided on the first.
        let all = matches!(
            what.as_str(),
            "end_play" | "end_batch" | "clear_host_errors" | "refresh_inventory" | "clear_facts"
        );
        let kind = if self.handling { TaskKind::Handler } else { TaskKind::Task };
        let view = hosts.first().map(|host| self.view_of(task, host));
        let title = view.map(|view| names::of_task(&self.play, task, &view));
        let path = task.origin.to_string();
        self.teller.task(task.id, Event::TaskStarted { name: title.unwrap_or_default(), kind, path });
        let mut wanted = Vec::new();
        for host in hosts.iter().take(if all { 1 } else { hosts.len() }) {
            if ALWAYS.contains(&what.as_str()) && !task.when.is_empty() {
                if wanted.is_empty() {
                    let words = format!("{what} task does not support when conditional");
                    self.context.emit(Event::Warning(words));
                }
                wanted.push(host.clone());
            } else if self.meta_holds(task, host) {
                wanted.push(host.clone());
            } else {
                self.meta_skipped(task, &what, host);
            }
        }
        if wanted.is_empty() {
            return;
        }
        self.tell_meta(&what, &wanted);
        match what.as_str() {
            "flush_handlers" => {
                let before = std::mem::replace(&mut self.flushes_at, task.path.clone());
                Box::pin(self.flush(Some(&wanted))).await;
                self.flushes_at = before;
            }
            "end_play" => self.end(Over::Play),
            "end_batch" => self.end(Over::Batch),
            "end_host" => self.ended.extend(wanted),
            "end_role" => {
                let role = task.role.into_iter();
                self.ended_roles.extend(role.flat_map(|role| wanted.iter().map(move |h| (h.clone(), role))));
            }
            "clear_facts" => hosts.iter().for_each(|host| {
                self.world.update(host, super::world::Known::clear_facts);
                self.context.fact_cache.iter().for_each(|cache| cache.forget(host));
            }),
            "refresh_inventory" => self.refresh_inventory(),
            "clear_host_errors" => self.clear_host_errors(hosts),
            "reset_connection" => {
                for host in &wanted {
                    self.context.links.reset(host).await;
                }
            }
            _ => {}
        }
    }

    /// Hosts that had failed are there again for the plays that follow, and this one is over for them,
    /// unless they are `here`, in an `always` section. Hosts that could not be reached go on where
    /// they stopped, when the others are through, as in ansible-core.
    fn clear_host_errors(&mut self, here: &[String]) {
        let failed = self.flows.iter().filter(|(_, flow)| flow.has_failed()).map(|(host, _)| host.clone());
        let before = self.batch.lost.iter().cloned();
        let mut cleared: BTreeSet<String> = failed.chain(std::mem::take(&mut self.gone)).chain(before).collect();
        self.world.forgive(&cleared);
        let going_on = self.lagging.clear();
        cleared.retain(|host| !going_on.contains(host));
        self.ended.extend(cleared.into_iter().filter(|host| !here.contains(host)));
        self.flows.values_mut().for_each(super::flow::Flow::clear);
    }

    /// The inventory is read again; hosts and groups that tasks have added stay.
    fn refresh_inventory(&self) {
        let warnings = match self.context.reload.as_ref().map(|reload| reload()) {
            Some(Ok((layers, warnings))) => {
                self.context.hosts.replace(layers);
                warnings
            }
            Some(Err(findings)) => findings,
            None => Vec::new(),
        };
        for warning in &warnings {
            self.context.emit(Event::Warning(super::explain::explain_all(warning)));
        }
    }

    /// With `-vv`, what is done.
    fn tell_meta(&self, what: &str, hosts: &[String]) {
        if self.context.options.verbosity < 2 {
            return;
        }
        let words = match what {
            "end_play" => "ending play",
            "end_batch" => "ending batch",
            "clear_facts" => "facts cleared",
            "clear_host_errors" => "cleared host errors",
            "refresh_inventory" => "inventory successfully refreshed",
            "reset_connection" => "reset connection",
            "noop" => "noop",
            "end_host" | "flush_handlers" => {
                let words = if what == "end_host" { "ending play" } else { "triggered running handlers" };
                for host in hosts {
                    self.teller.emit(Event::Notice(format!("META: {words} for {host}")));
                }
                return;
            }
            _ => return,
        };
        self.teller.emit(Event::Notice(format!("META: {words}")));
    }

    /// Said, and not counted.
    fn meta_skipped(&self, task: &CompiledTask, what: &str, host: &str) {
        let role = task.role.and_then(|role| self.play.roles.get(role)).map(|role| role.name.clone());
        let words = not_done(what, host, &role.unwrap_or_default());
        if self.context.options.verbosity >= 2 {
            self.teller.emit(Event::Notice(format!("META: {words}")));
        }
        let message = if what == "end_host" { words.replace("False", "false") } else { what.to_owned() };
        let mut outcome = item::skipped(None);
        outcome.result = Map::from_iter([("msg", message), ("skip_reason", words)]);
        self.teller.emit(Event::HostDone(Box::new(HostResult {
            host: host.to_owned(),
            delegated_to: None,
            item: None,
            outcome,
            ignored: false,
            hidden: false,
            verbose: false,
            seconds: 0.0,
            explanation: None,
            timing: Timing::default(),
        })));
    }

    fn meta_holds(&mut self, task: &CompiledTask, host: &str) -> bool {
        let view = self.view_of(task, host);
        match view.conditions(&task.when) {
            Ok((truth, _)) => truth == Truth::True,
            Err(e) => {
                let finding: Diagnostic = e.into();
                self.context.emit(Event::Warning(super::explain::explain_all(&finding)));
                false
            }
        }
    }

    /// What a task sees on a host.
    pub(super) fn view_of(&mut self, task: &CompiledTask, host: &str) -> View {
        let scope = self.moment(host).of_task(&self.play, task);
        View::new(&self.context.engine, scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_done_is_said_in_ansibles_words() {
        let words = |what| not_done(what, "h", "r");
        let begin = |what: &str| format!("{what} conditional evaluated to False");
        assert_eq!(words("end_host"), begin("end_host") + ", continuing execution for h");
        assert_eq!(words("end_role"), begin("end_role") + "continuing role r for h");
        assert_eq!(words("clear_facts"), begin("clear_facts") + ", not clearing facts and fact cache for h");
    }
}
