//! One item of a task on one host: condition, arguments, module, verdict, tries.

use std::sync::Arc;
use std::time::Duration;

use super::invoke::{self, Ready};
use super::local::Files;
use super::settings::{self, Unsettled};
use super::view::View;
use super::{Context, control, register};
use crate::compile::CompiledTask;
use crate::connection::Account;
use crate::diag::Diagnostic;
use crate::event::Event;
use crate::model::{Cause, Failure, Map, Outcome, Status, Value};
use crate::module::{ControllerTask, Kind, Prepared, Run, to_bool};
use crate::playbook::Keywords;
use crate::template::{Error, Truth};
use crate::vars::{HostVars, Layer, Level, Scope};

/// What one item came to.
pub struct ItemResult {
    /// Its outcome.
    pub outcome: Outcome,
    /// The host it ran on instead.
    pub delegated_to: Option<String>,
    /// Variables to set on the host (`set_fact`).
    pub set: Map,
    /// Shown without `-v`.
    pub verbose: bool,
    /// What is wrong, with its place, where rplay itself found it.
    pub explanation: Option<Diagnostic>,
}

impl ItemResult {
    fn plain(outcome: Outcome) -> Self {
        Self { outcome, delegated_to: None, set: Map::new(), verbose: false, explanation: None }
    }

    /// A failure with its place.
    fn explained(finding: Diagnostic) -> Self {
        let outcome = Outcome::failed(format!("Task failed: {}", explain(&finding)));
        Self { explanation: Some(finding), ..Self::plain(outcome) }
    }
}

/// A finding in one line, for a result's message.
pub fn explain(finding: &Diagnostic) -> String {
    let place = finding.origin.as_ref().map(|o| format!(" ({o})")).unwrap_or_default();
    format!("{}{place}", finding.message)
}

/// A finding and its hints in one line, for a warning.
pub fn explain_all(finding: &Diagnostic) -> String {
    let hints = finding.hints.iter().map(|hint| format!("; {hint}"));
    explain(finding) + &hints.collect::<String>()
}

/// A task on a host, as the stages of an item see it.
pub struct OnHost<'a> {
    /// The run.
    pub context: &'a Arc<Context>,
    /// The task.
    pub task: &'a CompiledTask,
    /// Its name, rendered.
    pub title: &'a str,
    /// The host.
    pub host: &'a str,
    /// Every host's variables.
    pub hostvars: &'a Arc<dyn HostVars>,
}

/// How to reach the host that the item runs on.
struct Route {
    account: Account,
    delegated_to: Option<String>,
}

impl OnHost<'_> {
    /// Runs one item in a scope that holds its loop variables.
    pub async fn run(&self, scope: Scope) -> ItemResult {
        let view = View::new(&self.context.engine, scope.clone());
        let mut result = match self.prepared(&view, scope).await {
            Ok(result) => result,
            Err(e) => ItemResult::explained(e.into()),
        };
        result.outcome.warnings.extend(view.templar.take_warnings());
        result
    }

    async fn prepared(&self, view: &View, scope: Scope) -> Result<ItemResult, Error> {
        match view.conditions(&self.task.when)? {
            (Truth::True, _) => {}
            (Truth::False, condition) => return Ok(ItemResult::plain(skipped(condition))),
            (Truth::Unknown(reason), _) => {
                self.note_not_run(view);
                return Ok(ItemResult::plain(Outcome::new(Status::Unknown(reason), Map::new())));
            }
        }
        let tries = self.tries(view)?;
        let mut attempt = 1;
        loop {
            let mut result = self.attempt(view).await?;
            if tries.is_none_or(|t| attempt < t.count) && result.outcome.status == Status::Unreachable {
                return Ok(result);
            }
            let registered = self.with_result(&scope, &result.outcome);
            if let Err((what, error)) = self.judge(&registered, &mut result.outcome) {
                return Ok(misjudged(result, what, error));
            }
            let Some(tries) = &tries else { return Ok(result) };
            result.outcome.result.insert("attempts", attempt);
            if !self.unsatisfied(&registered, &scope, &mut result.outcome)? {
                return Ok(result);
            }
            if attempt >= tries.count {
                // Ansible counts the retries here, not the tries; and `failed_when` has the
                // last word on whether the task as a whole has failed.
                result.outcome.result.insert("attempts", attempt.saturating_sub(1).max(1));
                if result.outcome.result.contains("failed_when_result") {
                    result.outcome.result.insert("failed", true);
                } else {
                    result.outcome.status = Status::Failed;
                }
                return Ok(result);
            }
            self.context.emit(Event::Retry {
                host: self.host.to_owned(),
                task: self.title.to_owned(),
                left: tries.count - attempt,
                outcome: Box::new(self.shown(view, result.outcome)?),
            });
            tokio::time::sleep(tries.delay).await;
            attempt += 1;
        }
    }

    /// What may be shown of a try under `no_log`: nothing.
    fn shown(&self, view: &View, outcome: Outcome) -> Result<Outcome, Error> {
        if !self.flag("no_log", view)?.unwrap_or(false) {
            return Ok(outcome);
        }
        let words = "the output has been hidden due to the fact that 'no_log: true' was specified for this result";
        Ok(Outcome::new(outcome.status, Map::from_iter([("censored", words)])))
    }

    /// In a dry run nothing is known of what a task would have done that was not reached.
    fn note_not_run(&self, view: &View) {
        if self.task.action.module.kind == Kind::Query || self.task.action.module.kind == Kind::Controller {
            return;
        }
        if let Ok(route) = self.route(view) {
            invoke::not_run(self.context, &route.account, self.title);
        }
    }

    fn keyword(&self, name: &str, view: &View) -> Result<Option<Value>, Error> {
        self.task.keywords.value(name).map_or(Ok(None), |v| view.render(v)).map(|v| v.filter(|v| !v.is_null()))
    }

    fn flag(&self, name: &str, view: &View) -> Result<Option<bool>, Error> {
        Ok(self.keyword(name, view)?.as_ref().and_then(to_bool))
    }

    /// Whether this task only plans.
    fn checks(&self, view: &View) -> Result<bool, Error> {
        Ok(self.flag("check_mode", view)?.unwrap_or(self.context.options.check))
    }

    async fn attempt(&self, view: &View) -> Result<ItemResult, Error> {
        let module = self.task.action.module;
        if let Run::Controller(task) = module.run
            && task != ControllerTask::Raw
        {
            let args = self.arguments(view)?;
            let done = control::run(task, &args, view, self.context.options.verbosity)?;
            let mut result = ItemResult::plain(done.outcome);
            result.set = done.set;
            result.verbose = done.verbose;
            if let Some(name) = self.delegate(view)? {
                result.delegated_to = self.delegate_label(&self.delegate_view(view, &name), &name)?;
            }
            return Ok(result);
        }
        let args = match view.render(&Value::from(self.arguments(view)?))? {
            Some(Value::Map(args)) => (*args).clone(),
            _ => Map::new(),
        };
        let route = match self.route(view) {
            Ok(route) => route,
            Err(Unsettled::Template(e)) => return Err(*e),
            Err(Unsettled::Wrong(finding)) => return Ok(ItemResult::explained(*finding)),
        };
        let outcome = match Value::from(args.clone()).unknown() {
            Some(reason) => {
                invoke::not_run(self.context, &route.account, self.title);
                Outcome::new(Status::Unknown(Arc::clone(reason)), Map::new())
            }
            None => match self.invoke(view, &route.account, args).await? {
                Ok(outcome) => outcome,
                Err(finding) => {
                    return Ok(ItemResult { delegated_to: route.delegated_to, ..ItemResult::explained(finding) });
                }
            },
        };
        Ok(ItemResult { delegated_to: route.delegated_to, ..ItemResult::plain(outcome) })
    }

    /// The arguments as written, those of `args: "{{ … }}"` below them.
    fn arguments(&self, view: &View) -> Result<Map, Error> {
        let action = &self.task.action;
        let mut args = match &action.more {
            Some(more) => match view.render(more)? {
                Some(Value::Map(map)) => (*map).clone(),
                _ => Map::new(),
            },
            None => Map::new(),
        };
        args.extend(action.args.clone());
        Ok(args)
    }

    /// The outcome; or what is wrong with a file on the controller, with its place in it.
    async fn invoke(&self, view: &View, account: &Account, args: Map) -> Result<Result<Outcome, Diagnostic>, Error> {
        let module = self.task.action.module;
        let check = self.checks(view)?;
        if let Run::Controller(_) = module.run {
            return Ok(Ok(self.raw(account, &args, check).await));
        }
        let files = Files::new(self.context, view);
        let prepared = match module.run {
            Run::Split { prepare, .. } => prepare(args, &files),
            _ => Ok(Prepared { args, blobs: Vec::new() }),
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => return Ok(files.finding().map_or_else(|| Ok(self.not_prepared(account, failure)), Err)),
        };
        let ready = Ready {
            title: self.title,
            module,
            args: prepared.args,
            blobs: prepared.blobs,
            check,
            diff: self.flag("diff", view)?.unwrap_or(self.context.options.diff),
            environment: self.environment(view)?,
        };
        Ok(Ok(invoke::run(self.context, account, ready).await))
    }

    fn not_prepared(&self, account: &Account, failure: Failure) -> Outcome {
        if let Cause::Unknown(reason) = failure.cause {
            invoke::not_run(self.context, account, self.title);
            return Outcome::new(Status::Unknown(reason), Map::new());
        }
        let mut result = Map::from_iter([("msg", failure.message)]);
        result.extend(failure.fields);
        Outcome::new(Status::Failed, result)
    }

    async fn raw(&self, account: &Account, args: &Map, check: bool) -> Outcome {
        if check {
            invoke::not_run(self.context, account, self.title);
            let reason: crate::model::Reason = format!("task `{}` was not run", self.title).into();
            let names = ["rc", "stdout", "stderr", "stdout_lines", "stderr_lines"];
            let result = names.iter().map(|n| (*n, Value::Unknown(Arc::clone(&reason)))).collect();
            return Outcome::new(Status::Changed, result);
        }
        let module = self.task.action.module;
        let line = module.free_form.and_then(|f| args.get(f)).and_then(Value::as_str).unwrap_or_default();
        match args.get("executable").and_then(Value::as_str).filter(|e| !e.is_empty()) {
            Some(shell) => {
                let quoted = crate::connection::shell_quote(line);
                invoke::raw(self.context, account, &format!("{shell} -c {quoted}")).await
            }
            None => invoke::raw(self.context, account, line).await,
        }
    }

    fn environment(&self, view: &View) -> Result<Vec<(String, String)>, Error> {
        let mut all: Vec<(String, String)> = Vec::new();
        for value in &self.task.environment {
            let Some(Value::Map(map)) = view.render(value)? else { continue };
            for (name, value) in map.iter() {
                let text = match value {
                    Value::Str(t) => t.as_str().to_owned(),
                    Value::Null => continue,
                    Value::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
                    Value::Int(i) => i.to_string(),
                    Value::Float(f) => f.to_string(),
                    _ => continue,
                };
                all.retain(|(n, _)| *n != name.to_string());
                all.push((name.to_string(), text));
            }
        }
        Ok(all)
    }

    /// Where the item runs: on its host, or on the one it is delegated to.
    fn route(&self, view: &View) -> Result<Route, Unsettled> {
        let Some(name) = self.delegate(view)? else {
            let account = settings::account(self.context, self.host, view, &self.task.keywords, false)?;
            return Ok(Route { account, delegated_to: None });
        };
        // Connection variables are those of the other host, evaluated there.
        let other = self.delegate_view(view, &name);
        let account = settings::account(self.context, &name, &other, &self.task.keywords, true)?;
        Ok(Route { account, delegated_to: self.delegate_label(&other, &name)? })
    }

    /// The host that the task is delegated to.
    fn delegate(&self, view: &View) -> Result<Option<String>, Error> {
        match self.keyword("delegate_to", view)? {
            None => Ok(None),
            Some(Value::Str(name)) if !name.is_empty() => Ok(Some(name.as_str().to_owned())),
            Some(_) => {
                let origin = self.task.keywords.get("delegate_to").map(|s| s.origin.clone());
                let error = Error::new("delegate_to takes a host's name, and this is empty or none");
                Err(error.hint("`default('localhost', true)` gives it one").at(origin))
            }
        }
    }

    /// The other host as a headline names it; nothing when it is the task's own.
    fn delegate_label(&self, other: &View, name: &str) -> Result<Option<String>, Error> {
        let address = other.variable("ansible_host")?;
        let address = address.as_ref().and_then(Value::as_str).filter(|a| *a != name);
        let label = address.map_or_else(|| name.to_owned(), |address| format!("{name}({address})"));
        Ok(Some(label).filter(|_| name != self.host))
    }

    fn delegate_view(&self, view: &View, name: &str) -> View {
        let mut scope = Scope::builder().hostvars(Arc::clone(self.hostvars));
        scope = scope.layers(self.context.hosts.layers(name));
        let task_vars =
            view.scope.layers().iter().filter(|l| matches!(l.level, Level::Task | Level::Block | Level::Extra));
        scope = scope.layers(task_vars.cloned());
        scope = scope.layer(super::scope::magic::of_host(self.context, name));
        View::new(&self.context.engine, scope.build())
    }

    /// The scope with the result under its registered name.
    fn with_result(&self, scope: &Scope, outcome: &Outcome) -> View {
        let scope = match self.task.keywords.value("register").and_then(Value::as_str) {
            Some(name) => {
                let mut vars = crate::model::Vars::new();
                vars.set(name, register::to_value(outcome), None);
                scope.push(Layer::new(Level::Loop, "register", vars))
            }
            None => scope.clone(),
        };
        View::new(&self.context.engine, scope)
    }

    /// `failed_when` and `changed_when`.
    fn judge(&self, view: &View, outcome: &mut Outcome) -> Result<(), (&'static str, Error)> {
        if matches!(outcome.status, Status::Unreachable | Status::Skipped) {
            return Ok(());
        }
        if let Some(conditions) = conditions(&self.task.keywords, "changed_when") {
            match view.conditions(&conditions).map_err(|e| ("changed_when_result", e))?.0 {
                Truth::True if matches!(outcome.status, Status::Ok | Status::Unknown(_)) => {
                    outcome.status = Status::Changed
                }
                Truth::False if matches!(outcome.status, Status::Changed | Status::Unknown(_)) => {
                    outcome.status = Status::Ok
                }
                Truth::Unknown(reason) if outcome.status != Status::Failed => outcome.status = Status::Unknown(reason),
                _ => {}
            }
        }
        if let Some(conditions) = conditions(&self.task.keywords, "failed_when") {
            match view.conditions(&conditions).map_err(|e| ("failed_when_result", e))?.0 {
                Truth::True => {
                    outcome.result.insert("failed_when_result", true);
                    if outcome.status == Status::Changed {
                        outcome.result.insert("changed", true);
                    }
                    outcome.status = Status::Failed;
                }
                Truth::False => {
                    outcome.result.insert("failed_when_result", false);
                    if outcome.status == Status::Failed {
                        let changed = outcome.result.get("changed").and_then(Value::as_bool).unwrap_or(false);
                        outcome.status = if changed { Status::Changed } else { Status::Ok };
                    }
                }
                // Whether it fails cannot be told; that it would run can.
                Truth::Unknown(_) => {}
            }
        }
        Ok(())
    }

    fn tries(&self, view: &View) -> Result<Option<Tries>, Error> {
        let until = self.task.keywords.get("until").is_some();
        let retries = self.keyword("retries", view)?.as_ref().and_then(Value::as_int);
        if !until && retries.is_none() {
            return Ok(None);
        }
        let delay = match self.keyword("delay", view)? {
            Some(Value::Int(i)) => Duration::from_secs(u64::try_from(i).unwrap_or(0)),
            Some(Value::Float(f)) => Duration::from_secs_f64(f.max(0.0)),
            Some(Value::Str(t)) => Duration::from_secs_f64(t.parse::<f64>().unwrap_or(5.0).max(0.0)),
            _ => Duration::from_secs(5),
        };
        // Ansible counts retries after the first try.
        let count = u32::try_from(retries.unwrap_or(3).max(0)).unwrap_or(u32::MAX - 1).saturating_add(1);
        Ok(Some(Tries { count, delay }))
    }

    /// Whether another try is wanted.
    fn unsatisfied(&self, view: &View, scope: &Scope, outcome: &mut Outcome) -> Result<bool, Error> {
        let Some(conditions) = conditions(&self.task.keywords, "until") else {
            return Ok(outcome.status == Status::Failed);
        };
        let view = match self.task.keywords.value("register") {
            Some(_) => &self.with_result(scope, outcome),
            None => view,
        };
        match view.conditions(&conditions)?.0 {
            Truth::True => Ok(false),
            Truth::False => Ok(true),
            Truth::Unknown(reason) => {
                if outcome.status != Status::Changed {
                    outcome.status = Status::Unknown(reason);
                }
                Ok(false)
            }
        }
    }
}

/// A result whose `changed_when` or `failed_when` cannot be evaluated: it stands, and has failed.
fn misjudged(mut result: ItemResult, what: &'static str, error: Error) -> ItemResult {
    let finding: Diagnostic = error.into();
    result.outcome.result.insert("changed", result.outcome.status == Status::Changed);
    result.outcome.result.insert(what, format!("Error while evaluating conditional: {}", explain(&finding)));
    result.outcome.status = Status::Failed;
    result.explanation = Some(finding);
    result
}

#[derive(Clone, Copy)]
struct Tries {
    count: u32,
    delay: Duration,
}

/// The conditions of a keyword; nothing when it is not given.
fn conditions(keywords: &Keywords, name: &str) -> Option<Vec<Value>> {
    match keywords.value(name)? {
        Value::Null => None,
        Value::List(items) => Some(items.to_vec()),
        other => Some(vec![other.clone()]),
    }
}

fn skipped(condition: Option<&Value>) -> Outcome {
    let mut result = Map::from_iter([("skip_reason", Value::from("Conditional result was False"))]);
    if let Some(condition) = condition {
        result.insert("false_condition", condition.untemplated());
    }
    Outcome::new(Status::Skipped, result)
}
