//! A task on one host: begun and finished, its result reported.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::Context;
use super::ahead::{ReadyTask, Scout};
use super::including::Include;
use super::invoke::{self, Place};
use super::item::{Begun, ItemResult};
use super::names;
use super::prepare::OnHost;
use super::teller::Teller;
use super::view::View;
use crate::compile::CompiledTask;
use crate::event::{Event, HostResult};
use crate::model::{Map, Outcome, Status, Value, Vars};
use crate::module::{ControllerTask, Run, to_bool};
use crate::template::Truth;
use crate::vars::{HostVars, Scope};

/// What a task came to on a host.
pub struct TaskResult {
    /// The host.
    pub host: String,
    /// The task's name as its headline shows it.
    pub title: String,
    /// Its outcome.
    pub outcome: Outcome,
    /// A failure is ignored.
    pub ignored: bool,
    /// An unreachable host is kept.
    pub ignore_unreachable: bool,
    /// Variables to set on the host.
    pub set: Map,
    /// Facts to set on the host.
    pub facts: Map,
    /// What is registered under the task's name for it.
    pub registered: Option<(String, Value)>,
    /// Names of handlers that are notified.
    pub notified: Vec<String>,
    /// Whether a failure ends the play for all hosts.
    pub fatal_for_all: bool,
    /// What comes next on this host, prepared and sent ahead.
    pub ahead: VecDeque<ReadyTask>,
    /// What is to be included.
    pub includes: Vec<Include>,
    /// Variables that came out of files.
    pub included: Vars,
    /// Facts and variables of other hosts (`delegate_facts`).
    pub elsewhere: Vec<(String, Map, Map)>,
    /// Files are counted as they are included, not as results.
    pub counted_elsewhere: bool,
}

impl TaskResult {
    /// An outcome and nothing else.
    pub fn of(host: &str, outcome: Outcome) -> Self {
        Self {
            host: host.to_owned(),
            title: String::new(),
            outcome,
            ignored: false,
            ignore_unreachable: false,
            set: Map::new(),
            facts: Map::new(),
            registered: None,
            notified: Vec::new(),
            fatal_for_all: false,
            ahead: VecDeque::new(),
            includes: Vec::new(),
            included: Vars::new(),
            elsewhere: Vec::new(),
            counted_elsewhere: false,
        }
    }
}

/// A task and its host, on their own so that they can move to another thread.
pub struct Job {
    /// The run.
    pub context: Arc<Context>,
    /// Who tells of its results.
    pub teller: Arc<Teller>,
    /// The task.
    pub task: Arc<CompiledTask>,
    /// Its name as its headline shows it.
    pub title: String,
    /// The host.
    pub host: String,
    /// What the task sees there.
    pub scope: Scope,
    /// Every host's variables.
    pub hostvars: Arc<dyn HostVars>,
    /// The task as it was prepared ahead.
    pub ready: Option<ReadyTask>,
    /// Who prepares ahead what comes next.
    pub scout: Option<Box<Scout>>,
}

impl Job {
    /// Runs the task on its host, sending its events.
    pub async fn run(mut self) -> TaskResult {
        let view = View::new(&self.context.engine, self.scope.clone());
        let started = Instant::now();
        self.resolve(&view);
        let ready = self.ready.take();
        let items = match &ready {
            Some(ready) => Ok(ready.items.clone()),
            None => self.on_host().items(&view),
        };
        let mut begun = ready.map(|r| r.begun).unwrap_or_default();
        let mut ahead = VecDeque::new();
        let mut includes = Vec::new();
        let mut result = match items {
            Ok(None) => {
                let one = match begun.pop_front() {
                    Some(begun) => begun,
                    None => self.on_host().begin(&view, self.place()).await,
                };
                self.send_ahead(&one, &mut ahead);
                self.on_host().finish(&view, one).await
            }
            Ok(Some(items)) => self.all(&view, items, begun, &mut ahead, &mut includes).await,
            Err(e) => match self.skipped_anyway(&view) {
                Some(outcome) => ItemResult::plain(outcome),
                None => ItemResult::explained(e.into()),
            },
        };
        includes.extend(result.include.take());
        let silent = !includes.is_empty() && result.outcome.status == Status::Ok;
        TaskResult { ahead, includes, ..self.finish(&view, result, started, silent) }
    }

    /// Finds the module of an action that is a template; what is wrong is said in its place.
    fn resolve(&mut self, view: &View) {
        let Some(name) = &self.task.action.templated else { return };
        let resolved = match view.text(name) {
            Ok(name) => self.task.action.with_module(name.as_str()),
            Err(e) => Err(Box::new(e.into())),
        };
        let action = resolved.unwrap_or_else(|finding| {
            let wrong = Some(finding);
            crate::playbook::Action { wrong, templated: None, ..self.task.action.clone() }
        });
        self.task = Arc::new(CompiledTask { action, ..(*self.task).clone() });
    }

    /// A place in a chain of its own, granted: its turn has come.
    pub(super) fn place(&self) -> Place {
        let chain = invoke::fresh();
        let (register, changed_when) = super::ahead::told(&self.task);
        Place { chain, group: chain, granted: true, register, changed_when, ..Place::default() }
    }

    /// While its first item is on its way, what comes next is prepared and sent after it.
    pub(super) fn send_ahead(&mut self, begun: &Begun, ahead: &mut VecDeque<ReadyTask>) {
        if let Begun::Sent(sent) = begun
            && let Some(scout) = self.scout.take()
        {
            *ahead = scout.look(self, sent);
        }
    }

    pub(super) fn on_host(&self) -> OnHost<'_> {
        OnHost {
            context: &self.context,
            teller: &self.teller,
            task: &self.task,
            title: &self.title,
            host: &self.host,
            hostvars: &self.hostvars,
            ahead: false,
        }
    }

    /// A loop over something undefined is fine when the condition says no without its items.
    fn skipped_anyway(&self, view: &View) -> Option<Outcome> {
        match view.conditions(&self.task.when) {
            Ok((Truth::False, _)) => {
                let result = Map::from_iter([("skip_reason", "Conditional result was False")]);
                Some(Outcome::new(Status::Skipped, result))
            }
            _ => None,
        }
    }

    pub(super) fn flag(&self, name: &str, view: &View) -> bool {
        let value = self.task.keywords.value(name).and_then(|v| view.render(v).ok().flatten());
        value.as_ref().and_then(to_bool).unwrap_or(false)
    }

    fn finish(&self, view: &View, result: ItemResult, started: Instant, silent: bool) -> TaskResult {
        let notified = self.notified(view, &result);
        let ItemResult { outcome, delegated_to, set, included, elsewhere, cacheable, ignored, .. } = result;
        let ignores = |keyword| ignored.unwrap_or_else(|| self.flag(keyword, view));
        let kept = outcome.status == Status::Unreachable && ignores("ignore_unreachable");
        let ignored = outcome.status == Status::Failed && ignores("ignore_errors");
        let facts = self.facts(&outcome, cacheable.then_some(&set), !elsewhere.is_empty());
        let registered = self.registered(view, &outcome);
        // What is included is said when it has been read.
        let emit = |event| {
            if !silent {
                self.teller.emit(event)
            }
        };
        emit(Event::HostDone(Box::new(HostResult {
            host: self.host.clone(),
            delegated_to,
            item: None,
            outcome: outcome.clone(),
            ignored: ignored || kept,
            hidden: self.on_host().hides(view),
            verbose: result.verbose,
            seconds: started.elapsed().as_secs_f64(),
            explanation: super::explain::why(&self.task, &outcome, result.explanation),
            timing: result.timing,
        })));
        TaskResult {
            title: self.title.clone(),
            registered,
            ignored,
            ignore_unreachable: kept,
            set,
            facts,
            notified,
            fatal_for_all: self.flag("any_errors_fatal", view)
                || self.context.options.any_errors_fatal && self.task.keywords.get("any_errors_fatal").is_none(),
            included,
            elsewhere,
            ..TaskResult::of(&self.host, outcome)
        }
    }

    /// Facts to set on the host: what is cached of the variables that it sets, or what its module returned.
    fn facts(&self, outcome: &Outcome, cached: Option<&Map>, elsewhere: bool) -> Map {
        match cached {
            Some(set) => set.clone(),
            None if self.brings_no_facts() || elsewhere => Map::new(),
            None => facts_of(outcome),
        }
    }

    /// The handlers that the result notifies.
    fn notified(&self, view: &View, result: &ItemResult) -> Vec<String> {
        if !matches!(result.outcome.status, Status::Changed | Status::Unknown(_)) {
            return Vec::new();
        }
        let named = || self.task.notify.iter().flat_map(|n| names::all(view, n)).collect();
        result.notified.clone().unwrap_or_else(named)
    }

    /// The variable that the result is registered as.
    fn registered(&self, view: &View, outcome: &Outcome) -> Option<(String, Value)> {
        let name = self.task.keywords.value("register").and_then(|v| view.render(v).ok().flatten())?;
        let value = super::register::of_task(&self.task, outcome);
        Some((name.as_str()?.to_owned(), self.context.vault.secrets.mask().mark(&value)))
    }

    /// What looks like facts are variables, which are set elsewhere, or what `debug` shows.
    fn brings_no_facts(&self) -> bool {
        let Run::Controller(task) = self.task.action.module.run else { return false };
        matches!(task, ControllerTask::SetFact | ControllerTask::IncludeVars | ControllerTask::Debug)
    }
}

/// Facts that a module returned, those of a loop's items together.
fn facts_of(outcome: &Outcome) -> Map {
    let mut facts = Map::new();
    let results = outcome.result.get("results").and_then(Value::as_list).unwrap_or_default();
    let own = outcome.result.get("ansible_facts");
    for found in own.into_iter().chain(results.iter().filter_map(|r| r.get("ansible_facts"))) {
        facts.extend(found.as_map().cloned().unwrap_or_default());
    }
    facts
}
