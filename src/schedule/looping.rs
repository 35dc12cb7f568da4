//! A task on one host: its loop, its items one after the other, its result.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Context;
use super::item::{self, ItemResult, OnHost};
use super::names;
use super::register;
use super::view::View;
use crate::compile::CompiledTask;
use crate::diag::Diagnostic;
use crate::event::{Event, HostResult};
use crate::model::{Map, Outcome, Status, Value, Vars};
use crate::module::{ControllerTask, Run, to_bool};
use crate::playbook::LoopSpec;
use crate::template::{Error, Truth};
use crate::vars::{HostVars, Layer, Level, Scope};

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
}

/// A task and its host, on their own so that they can move to another thread.
pub struct Job {
    /// The run.
    pub context: Arc<Context>,
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
}

/// How a loop is to be run.
struct Control {
    var: String,
    index: Option<String>,
    label: Option<Value>,
    pause: Duration,
    extended: bool,
    extended_allitems: bool,
    break_when: Vec<Value>,
}

impl Job {
    /// Runs the task on its host, sending its events.
    pub async fn run(self) -> TaskResult {
        let view = View::new(&self.context.engine, self.scope.clone());
        let started = Instant::now();
        let (result, looped) = match self.items(&view) {
            Ok(None) => (self.on_host().run(self.scope.clone()).await, false),
            Ok(Some(items)) => (self.all(&view, items).await, true),
            Err(e) => match self.skipped_anyway(&view) {
                Some(outcome) => (plain(outcome, None), false),
                None => (failed(e), false),
            },
        };
        self.finish(&view, result, looped, started)
    }

    fn on_host(&self) -> OnHost<'_> {
        OnHost {
            context: &self.context,
            task: &self.task,
            title: &self.title,
            host: &self.host,
            hostvars: &self.hostvars,
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

    /// The loop's items; nothing when there is no loop.
    fn items(&self, view: &View) -> Result<Option<Vec<Value>>, Error> {
        let Some(LoopSpec { lookup, setting }) = &self.task.looped else { return Ok(None) };
        let Some(name) = lookup else {
            return match view.render(&setting.value)? {
                Some(Value::List(items)) => Ok(Some(items.to_vec())),
                Some(Value::Unknown(reason)) => Ok(Some(vec![Value::Unknown(reason)])),
                Some(other) => Err(Error::new(format!(
                    "Invalid data passed to 'loop', it requires a list, got this instead: {} of type {}",
                    crate::schedule::looping::short(&other),
                    other.type_name()
                ))
                .hint("a single value goes into a list: `loop: [value]`; a mapping through `dict2items`")
                .at(Some(setting.origin.clone()))),
                None => Ok(Some(Vec::new())),
            };
        };
        let terms = match view.render(&setting.value)? {
            Some(Value::List(items)) => items.to_vec(),
            Some(Value::Unknown(reason)) => return Ok(Some(vec![Value::Unknown(reason)])),
            Some(other) => vec![other],
            None => Vec::new(),
        };
        view.templar.lookup(name, terms, Map::new()).map(Some)
    }

    fn control(&self, view: &View) -> Result<Control, Error> {
        let map = self.task.keywords.value("loop_control").and_then(Value::as_map).cloned().unwrap_or_default();
        let text = |name: &str| -> Result<Option<String>, Error> {
            let value = map.get(name).map_or(Ok(None), |v| view.render(v))?;
            Ok(value.and_then(|v| v.as_str().map(str::to_owned)))
        };
        let flag = |name: &str| map.get(name).and_then(to_bool).unwrap_or(false);
        let pause = match map.get("pause").map_or(Ok(None), |v| view.render(v))? {
            Some(Value::Int(i)) => Duration::from_secs(u64::try_from(i).unwrap_or(0)),
            Some(Value::Float(f)) => Duration::from_secs_f64(f.max(0.0)),
            _ => Duration::ZERO,
        };
        Ok(Control {
            var: text("loop_var")?.unwrap_or_else(|| "item".to_owned()),
            index: text("index_var")?,
            label: map.get("label").cloned(),
            pause,
            extended: flag("extended"),
            extended_allitems: map.get("extended_allitems").and_then(to_bool).unwrap_or(true),
            break_when: match map.get("break_when") {
                Some(Value::List(items)) => items.to_vec(),
                Some(other) => vec![other.clone()],
                None => Vec::new(),
            },
        })
    }

    async fn all(&self, view: &View, items: Vec<Value>) -> ItemResult {
        let control = match self.control(view) {
            Ok(control) => control,
            Err(e) => return failed(e),
        };
        let mut done: Vec<(Outcome, Map)> = Vec::new();
        let (mut set, mut explanation) = (Map::new(), None);
        for (index, item) in items.iter().enumerate() {
            if index > 0 && !control.pause.is_zero() {
                tokio::time::sleep(control.pause).await;
            }
            let started = Instant::now();
            let (vars, extra) = loop_vars(&control, &items, index, item);
            // What an item set is seen by the next one, as `set_fact` in a loop expects.
            let known = Layer::new(Level::Registered, "set_fact", Vars::from(set.clone()));
            let scope = self.scope.push(known).push(Layer::new(Level::Loop, "loop", vars));
            let mut result = match item {
                Value::Unknown(reason) => plain(Outcome::new(Status::Unknown(Arc::clone(reason)), Map::new()), None),
                _ => self.on_host().run(scope.clone()).await,
            };
            set.extend(result.set.clone());
            let item_view = View::new(&self.context.engine, scope);
            self.emit_item(&control, &item_view, item, &mut result, started);
            explanation = explanation.or(result.explanation);
            let gone = result.outcome.status == Status::Unreachable;
            done.push((result.outcome, extra));
            if gone || self.breaks(&control, &item_view, &done) {
                break;
            }
        }
        ItemResult { outcome: register::of_loop(&done), delegated_to: None, set, verbose: false, explanation }
    }

    fn breaks(&self, control: &Control, view: &View, done: &[(Outcome, Map)]) -> bool {
        if control.break_when.is_empty() {
            return false;
        }
        let mut scope = (*view.scope).clone();
        if let (Some(name), Some((outcome, _))) =
            (self.task.keywords.value("register").and_then(Value::as_str), done.last())
        {
            let mut vars = Vars::new();
            vars.set(name, register::to_value(outcome), None);
            scope = scope.push(Layer::new(Level::Loop, "register", vars));
        }
        let view = View::new(&self.context.engine, scope);
        matches!(view.conditions(&control.break_when), Ok((Truth::True, _)))
    }

    fn emit_item(&self, control: &Control, view: &View, item: &Value, result: &mut ItemResult, started: Instant) {
        let label = match &control.label {
            Some(label) => view.render(label).map(|label| label.unwrap_or(Value::Null)),
            None => Ok(item.clone()),
        };
        let label = label.unwrap_or_else(|e| {
            let finding: Diagnostic = e.into();
            let words = format!("Failed to template loop_control.label: {}", item::explain(&finding));
            result.outcome.status = Status::Failed;
            result.outcome.result.insert("msg", words);
            result.explanation = Some(finding);
            Value::Null
        });
        let failed = result.outcome.status == Status::Failed;
        self.context.emit(Event::ItemDone(Box::new(HostResult {
            host: self.host.clone(),
            delegated_to: result.delegated_to.clone(),
            item: Some(label),
            outcome: with_item(&result.outcome, control, item),
            ignored: failed && self.flag("ignore_errors", view),
            hidden: self.flag("no_log", view),
            verbose: result.verbose,
            seconds: started.elapsed().as_secs_f64(),
            explanation: result.explanation.clone(),
        })));
    }

    fn flag(&self, name: &str, view: &View) -> bool {
        let value = self.task.keywords.value(name).and_then(|v| view.render(v).ok().flatten());
        value.as_ref().and_then(to_bool).unwrap_or(false)
    }

    fn finish(&self, view: &View, result: ItemResult, looped: bool, started: Instant) -> TaskResult {
        let ItemResult { outcome, delegated_to, set, verbose, explanation } = result;
        let registered = self.task.keywords.value("register").and_then(|v| view.render(v).ok().flatten());
        let name = registered.and_then(|v| v.as_str().map(str::to_owned));
        let ignored = outcome.status == Status::Failed && self.flag("ignore_errors", view);
        let kept = outcome.status == Status::Unreachable && self.flag("ignore_unreachable", view);
        let facts = if self.is_set_fact() { Map::new() } else { facts_of(&outcome) };
        let changes = matches!(outcome.status, Status::Changed | Status::Unknown(_));
        let notified =
            if changes { self.task.notify.iter().map(|n| names::rendered_or_raw(view, n)).collect() } else { vec![] };
        self.context.emit(Event::HostDone(Box::new(HostResult {
            host: self.host.clone(),
            delegated_to,
            item: None,
            outcome: outcome.clone(),
            ignored: ignored || kept,
            hidden: self.flag("no_log", view),
            verbose,
            seconds: started.elapsed().as_secs_f64(),
            explanation: explanation.filter(|_| !looped),
        })));
        TaskResult {
            host: self.host.clone(),
            title: self.title.clone(),
            registered: name.map(|name| (name, register::to_value(&outcome))),
            ignored,
            ignore_unreachable: kept,
            set,
            facts,
            notified,
            fatal_for_all: self.flag("any_errors_fatal", view)
                || self.context.options.any_errors_fatal && self.task.keywords.get("any_errors_fatal").is_none(),
            outcome,
        }
    }

    fn is_set_fact(&self) -> bool {
        matches!(self.task.action.module.run, Run::Controller(ControllerTask::SetFact))
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

/// The loop's variables for an item, and what its result carries beside the module's.
fn loop_vars(control: &Control, items: &[Value], index: usize, item: &Value) -> (Vars, Map) {
    let mut vars = Vars::new();
    vars.set(&control.var, item.clone(), None);
    vars.set("ansible_loop_var", control.var.as_str(), None);
    let mut extra =
        Map::from_iter([(control.var.as_str(), item.clone()), ("ansible_loop_var", Value::from(control.var.as_str()))]);
    if let Some(name) = &control.index {
        vars.set(name, index, None);
        vars.set("ansible_index_var", name.as_str(), None);
        extra.insert(name.as_str(), index);
        extra.insert("ansible_index_var", name.as_str());
    }
    if control.extended {
        let extended = extended(control, items, index);
        vars.set("ansible_loop", extended.clone(), None);
        extra.insert("ansible_loop", extended);
    }
    (vars, extra)
}

fn extended(control: &Control, items: &[Value], index: usize) -> Value {
    let length = items.len();
    let mut map = Map::from_iter([
        ("index", Value::from(index + 1)),
        ("index0", Value::from(index)),
        ("first", Value::from(index == 0)),
        ("last", Value::from(index + 1 == length)),
        ("length", Value::from(length)),
        ("revindex", Value::from(length - index)),
        ("revindex0", Value::from(length - index - 1)),
    ]);
    if control.extended_allitems {
        map.insert("allitems", Value::list(items.iter().cloned()));
    }
    if let Some(next) = items.get(index + 1) {
        map.insert("nextitem", next.clone());
    }
    if let Some(previous) = index.checked_sub(1).and_then(|i| items.get(i)) {
        map.insert("previtem", previous.clone());
    }
    Value::from(map)
}

/// The outcome with the item in it, as `-v` shows it.
fn with_item(outcome: &Outcome, control: &Control, item: &Value) -> Outcome {
    let mut shown = outcome.clone();
    shown.result.insert(control.var.as_str(), item.clone());
    shown.result.insert("ansible_loop_var", control.var.as_str());
    shown
}

fn plain(outcome: Outcome, explanation: Option<Diagnostic>) -> ItemResult {
    ItemResult { outcome, delegated_to: None, set: Map::new(), verbose: false, explanation }
}

fn failed(error: Error) -> ItemResult {
    let finding: Diagnostic = error.into();
    plain(Outcome::failed(item::explain(&finding)), Some(finding))
}

/// A value in few words, for messages.
fn short(value: &Value) -> String {
    match value.masked() {
        Value::Str(t) => t.chars().take(60).collect(),
        other => format!("{other:?}").chars().take(60).collect(),
    }
}
