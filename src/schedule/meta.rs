//! `meta`: tasks that change the course of the run.

use std::sync::Arc;

use super::linear::{Linear, Over};
use super::view::View;
use super::{item, names};
use crate::compile::CompiledTask;
use crate::diag::Diagnostic;
use crate::event::{Event, HostResult, TaskKind};
use crate::model::{Timing, Value};
use crate::template::Truth;

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
            if self.meta_holds(task, host) {
                wanted.push(host.clone());
            } else {
                self.meta_skipped(host);
            }
        }
        if wanted.is_empty() {
            return;
        }
        match what.as_str() {
            "flush_handlers" => Box::pin(self.flush(Some(&wanted))).await,
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
            "clear_host_errors" => {
                self.flows.values_mut().for_each(super::flow::Flow::clear);
                self.gone.clear();
            }
            "reset_connection" => {
                for host in &wanted {
                    self.context.links.reset(host).await;
                }
            }
            _ => {}
        }
    }

    /// The inventory is read again; hosts and groups that tasks have added are forgotten.
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
            self.context.emit(Event::Warning(item::explain_all(warning)));
        }
    }

    /// Said, and not counted.
    fn meta_skipped(&self, host: &str) {
        self.teller.emit(Event::HostDone(Box::new(HostResult {
            host: host.to_owned(),
            delegated_to: None,
            item: None,
            outcome: item::skipped(None),
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
                self.context.emit(Event::Warning(item::explain_all(&finding)));
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
