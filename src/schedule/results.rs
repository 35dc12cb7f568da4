//! Taking a task's results into the state that hosts share.

use std::sync::Arc;

use super::ahead::ReadyTask;
use super::handlers::Handlers;
use super::linear::Linear;
use super::looping::TaskResult;
use super::view::View;
use crate::compile::{self, CompiledTask};
use crate::diag::ExitCode;
use crate::event::{Counts, Event};
use crate::model::{Reason, Status, Value};

impl Linear {
    /// The result of `run_once` counts for all hosts, its variables are set on all.
    pub(super) fn share(&mut self, task: &CompiledTask, result: &TaskResult, hosts: &[String]) {
        let others: Vec<String> =
            self.hosts.iter().filter(|h| **h != result.host && !self.gone.contains(*h)).cloned().collect();
        for host in &others {
            self.forget(host);
            self.learn(host, result);
            if hosts.contains(host)
                && result.outcome.status == Status::Failed
                && !result.ignored
                && let Some(flow) = self.flows.get_mut(host)
                && flow.fail(&task.path, &self.play.rescued)
            {
                self.remember_failure(host, task, result);
            }
        }
    }

    /// What a rescue reads of what has failed.
    fn remember_failure(&self, host: &str, task: &CompiledTask, result: &TaskResult) {
        let role = task.role.and_then(|r| self.play.roles.get(r)).map(|r| format!("{} : ", r.name));
        let title = role.and_then(|role| result.title.strip_prefix(&role)).unwrap_or(&result.title);
        let failed_task = super::register::failed_task(task, title);
        let value = super::register::of_task(task, &result.outcome);
        self.world.update(host, |known| {
            known.register("ansible_failed_task", failed_task);
            known.register("ansible_failed_result", value);
        });
    }

    /// What a host's result says of it; what has failed sets nothing but its own register.
    fn learn(&mut self, host: &str, result: &TaskResult) {
        let stands = result.outcome.status != Status::Failed;
        if stands && !result.facts.is_empty() {
            self.world.add_facts(&self.context, host, &result.facts);
            self.refresh_files(host);
        }
        let merge = self.context.options.merge;
        self.world.update(host, |known| {
            if stands && !result.included.is_empty() {
                known.include(result.included.clone(), merge);
            }
            for (name, value) in result.set.iter().filter(|_| stands) {
                known.register(&name.to_string(), value.clone());
            }
            if let Some((name, value)) = &result.registered {
                known.register(name, value.clone());
            }
        });
    }

    /// Takes a result into the state that all share.
    pub(super) fn apply(&mut self, task: &CompiledTask, result: TaskResult) {
        let host = result.host.clone();
        self.learn(&host, &result);
        let stands = result.outcome.status != Status::Failed;
        for (other, facts, set) in result.elsewhere.iter().filter(|_| stands) {
            if !facts.is_empty() {
                self.world.add_facts(&self.context, other, facts);
            }
            self.world.update(other, |known| {
                set.iter().for_each(|(name, value)| known.register(&name.to_string(), value.clone()));
            });
        }
        self.world.keep_stats(&host, &result.outcome);
        let unsure = match &result.outcome.status {
            Status::Unknown(reason) => Some(Arc::clone(reason)),
            _ => None,
        };
        self.notified(task, &result, unsure.as_ref());
        if !matches!(result.outcome.status, Status::Skipped | Status::Unreachable)
            && let Some(role) = task.role
        {
            self.roles_seen.entry(host.clone()).or_default().insert(role);
        }
        if !matches!(result.outcome.status, Status::Skipped | Status::Unreachable)
            && let Some(role) = task.role
            && let Some(first) = self.play.roles.get(role).and_then(|r| r.same)
        {
            self.roles_run.entry((host.clone(), first)).or_insert(role);
        }
        self.world.count(&host, |counts| tally(counts, &result));
        match &result.outcome.status {
            Status::Unreachable if !result.ignore_unreachable => {
                self.lagging.stop(&host);
                self.gone.insert(host);
                if result.fatal_for_all {
                    self.fail_all(task);
                }
            }
            Status::Failed if !result.ignored => self.failed(task, &result),
            _ => {}
        }
    }

    /// Handlers that a result notifies; at once, where handlers run already.
    fn notified(&mut self, task: &CompiledTask, result: &TaskResult, unsure: Option<&Reason>) {
        if result.notified.is_empty() {
            return;
        }
        let titles = self.handler_titles(&result.host);
        for name in &result.notified {
            let known = if self.handling {
                self.handlers.notify((&self.play, &titles), name, &result.host, unsure)
            } else {
                self.handlers.save(name, &result.host, unsure);
                !Handlers::answering((&self.play, &titles), name).is_empty()
            };
            if !known {
                self.no_handler(task, result, name);
            }
        }
    }

    /// The handlers' own names, rendered; nothing for one that cannot be.
    pub(super) fn handler_titles(&mut self, host: &str) -> Vec<Option<String>> {
        let play = Arc::clone(&self.play);
        let title = |handler: &Arc<CompiledTask>| {
            let name = handler.name.as_ref()?;
            if !name.is_template() {
                return Some(name.as_str().to_owned());
            }
            let scope = self.moment(host).of_task(&play, handler);
            let rendered = View::new(&self.context.engine, scope).text(name);
            if let (Err(error), None) = (&rendered, handler.keywords.get("listen")) {
                self.context.emit(Event::Warning(format!(
                    "Handler '{}' is unusable because it has no listen topics and the name could not be templated \
                     (host-specific variables are not supported in handler names). The error: {error}",
                    name.as_str()
                )));
            }
            rendered.ok().map(|name| name.as_str().to_owned())
        };
        play.handlers.iter().map(title).collect()
    }

    /// A handler that is not there ends the whole run; only a warning where that is allowed, or
    /// where it is not known whether it is notified.
    fn no_handler(&self, task: &CompiledTask, result: &TaskResult, name: &str) {
        if !self.context.wanted.needs_handlers() || matches!(result.outcome.status, Status::Unknown(_)) {
            return self.context.emit(Event::Warning(format!(
                "[{}]: the handler '{name}' that task `{}` notifies is not there",
                result.host, result.title
            )));
        }
        let written = task.notify.iter().find(|wanted| wanted.as_str() == name).and_then(|wanted| wanted.origin());
        let names: Vec<String> =
            self.play.handlers.iter().flat_map(|h| compile::handler_names(h, &self.play.roles)).collect();
        self.shared.break_off(
            compile::handler_not_found(name, names.iter().map(String::as_str))
                .at(written.cloned().unwrap_or_else(|| task.origin.clone()))
                .exit(ExitCode::Error),
        );
    }

    /// A failure that counts for all: each host goes on as if it had failed there itself.
    fn fail_all(&mut self, task: &CompiledTask) {
        for flow in self.flows.values_mut().filter(|f| !f.has_failed()) {
            flow.fail(&task.path, &self.play.rescued);
        }
    }

    fn failed(&mut self, task: &CompiledTask, result: &TaskResult) {
        let Some(flow) = self.flows.get_mut(&result.host) else { return };
        self.ahead.remove(&result.host).iter().flatten().for_each(ReadyTask::cancel);
        // A handler fails where it is run.
        let path = if self.handling && task.path.is_empty() { &self.flushes_at } else { &task.path };
        let rescued = flow.fail(path, &self.play.rescued);
        if self.handling && !rescued {
            self.failed_in_handler.insert(result.host.clone());
        }
        self.world.count(&result.host, |counts| {
            if rescued {
                counts.rescued += 1;
            } else {
                counts.failed += 1;
            }
        });
        if rescued {
            self.remember_failure(&result.host, task, result);
        }
        if result.fatal_for_all {
            self.fail_all(task);
        }
    }

    pub(super) fn too_many_failed(&self) -> bool {
        if self.shared.alone {
            return false;
        }
        let percentage = match self.play.keywords.value("max_fail_percentage") {
            Some(Value::Int(i)) => *i as f64,
            Some(Value::Float(f)) => *f,
            Some(Value::Str(t)) => t.trim_end_matches('%').parse().unwrap_or(100.0),
            _ => return false,
        };
        let failed = self.flows.values().filter(|f| f.has_failed()).count();
        failed > 0 && (failed as f64 / self.hosts.len().max(1) as f64) * 100.0 > percentage
    }
}

/// Counts a result, as Ansible does; failures that stand are counted where it is known who
/// rescues them.
fn tally(counts: &mut Counts, result: &TaskResult) {
    match &result.outcome.status {
        Status::Ok if result.counted_elsewhere => {}
        Status::Ok => counts.ok += 1,
        Status::Changed => {
            counts.ok += 1;
            counts.changed += 1;
        }
        Status::Skipped => counts.skipped += 1,
        Status::Unknown(_) => counts.unknown += 1,
        Status::Unreachable if result.ignore_unreachable => {
            counts.ok += 1;
            counts.ignored += 1;
        }
        Status::Unreachable => counts.unreachable += 1,
        Status::Failed if result.ignored => {
            counts.ok += 1;
            counts.ignored += 1;
            if result.outcome.result.get("changed").and_then(Value::as_bool) == Some(true) {
                counts.changed += 1;
            }
        }
        Status::Failed => {}
    }
}
