//! Loops: their items, how they are run, what each of them reports.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ahead::ReadyTask;
use super::including::Include;
use super::invoke::Place;
use super::item::{Begun, ItemResult};
use super::looping::Job;
use super::names;
use super::prepare::OnHost;
use super::register;
use super::view::View;
use crate::connection::Target;
use crate::diag::Diagnostic;
use crate::event::{Event, HostResult};
use crate::model::{Map, Outcome, Status, Text, Timing, Value, Vars};
use crate::module::{Run, to_bool};
use crate::playbook::LoopSpec;
use crate::template::{Error, Truth};
use crate::vars::{Layer, Level, Scope};

/// How many items are sent to a worker before the first of them has ended.
const WINDOW: usize = 32;

/// How many items run at the same time at most: sshd's default for sessions in one
/// connection is ten, and some are in use.
const LANES: usize = 8;

/// How a loop is to be run.
pub struct Control {
    /// The item's variable.
    pub var: String,
    index: Option<String>,
    label: Option<Value>,
    pause: Duration,
    extended: bool,
    extended_allitems: bool,
    break_when: Vec<Value>,
    /// How many items at the same time.
    parallel: usize,
}

impl Control {
    /// Whether nothing lies between one item and the next.
    pub const fn is_plain(&self) -> bool {
        self.pause.is_zero() && self.break_when.is_empty() && self.parallel == 1
    }
}

/// An item that is on its way.
struct Open {
    index: usize,
    view: View,
    extra: Map,
    begun: Begun,
    started: Instant,
}

/// What a loop's items have come to so far.
#[derive(Default)]
struct Results {
    done: Vec<(Outcome, Map)>,
    set: Map,
    explanation: Option<Diagnostic>,
    timing: Timing,
    includes: Vec<Include>,
    included: Vars,
    elsewhere: Vec<(String, Map, Map)>,
    cacheable: bool,
    /// Whether each item that failed, or could not be run, is ignored.
    ignored: Option<bool>,
    /// Handlers that the items name.
    notified: Vec<String>,
    /// The host cannot be reached: what is said of one item holds for those that follow.
    lost: Option<Outcome>,
}

impl OnHost<'_> {
    /// The loop's items; nothing when there is no loop.
    pub fn items(&self, view: &View) -> Result<Option<Vec<Value>>, Error> {
        let Some(LoopSpec { lookup, setting }) = &self.task.looped else { return Ok(None) };
        let Some(name) = lookup else {
            return match view.render(&setting.value)? {
                Some(Value::List(items)) => Ok(Some(items.to_vec())),
                Some(Value::Unknown(reason)) => Ok(Some(vec![Value::Unknown(reason)])),
                Some(other) => {
                    Err(Error::new(format!("The `loop` value must resolve to a 'list', not '{}'.", other.type_name()))
                        .hint("a single value goes into a list: `loop: [value]`; a mapping through `dict2items`")
                        .at(Some(setting.origin.clone())))
                }
                None => Ok(Some(Vec::new())),
            };
        };
        if name.rsplit('.').next() == Some("first_found") {
            return self.first_found(name, &setting.value, view);
        }
        let terms = match view.render(&setting.value)? {
            Some(Value::List(items)) => items.to_vec(),
            Some(Value::Unknown(reason)) => return Ok(Some(vec![Value::Unknown(reason)])),
            Some(other) => vec![other],
            None => Vec::new(),
        };
        view.templar.lookup(name, terms, Map::new()).map(Some)
    }

    /// `with_first_found`: what is undefined in its terms is passed over, and where a file is looked for
    /// first depends on what is done with it.
    fn first_found(&self, name: &str, terms: &Value, view: &View) -> Result<Option<Vec<Value>>, Error> {
        let action = self.task.action.name.as_str();
        let first = if action.contains("template") {
            "templates"
        } else if action.contains("var") {
            "vars"
        } else {
            "files"
        };
        let found = view.templar.lookup(name, vec![terms.clone()], Map::from_iter([("_subdir", first)]));
        match found {
            Err(e) => e.unknown().cloned().map(|reason| Some(vec![Value::Unknown(reason)])).ok_or(e),
            Ok(found) => Ok(Some(found)),
        }
    }

    pub fn control(&self, view: &View) -> Result<Control, Error> {
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
            label: map.get("label").filter(|label| !label.is_null()).cloned(),
            pause,
            extended: flag("extended"),
            extended_allitems: map.get("extended_allitems").and_then(to_bool).unwrap_or(true),
            parallel: match map.get("parallel").map_or(Ok(None), |v| view.render(v))? {
                Some(Value::Int(n)) => usize::try_from(n).unwrap_or(1).clamp(1, LANES),
                _ => 1,
            },
            break_when: match map.get("break_when") {
                Some(Value::List(items)) => items.to_vec(),
                Some(other) => vec![other.clone()],
                None => Vec::new(),
            },
        })
    }
}

impl Job {
    /// Runs all items; their events come in order. Where nothing lies between one and the
    /// next, several are on their way at the same time.
    pub(super) async fn all(
        &mut self,
        view: &View,
        items: Vec<Value>,
        mut ready: VecDeque<Begun>,
        ahead: &mut VecDeque<ReadyTask>,
        includes: &mut Vec<Include>,
    ) -> ItemResult {
        let control = match self.on_host().control(view) {
            Ok(control) => control,
            Err(e) => return ItemResult::explained(e.into()),
        };
        let place = self.place();
        let mut results = Results::default();
        let (mut open, mut next, mut window) = (VecDeque::new(), 0, 1);
        while results.done.len() < items.len() {
            while open.len() < window && next < items.len() {
                if next > 0 && !control.pause.is_zero() {
                    tokio::time::sleep(control.pause).await;
                }
                let begun = self.open(&control, &items, next, &results, ready.pop_front(), &place).await;
                window = self.window(&control, window, &begun.begun);
                open.push_back(begun);
                next += 1;
                if next == items.len()
                    && control.parallel == 1
                    && let Some(last) = open.back()
                {
                    self.send_ahead(&last.begun, ahead);
                }
            }
            let Some(one) = open.pop_front() else { break };
            let item_view = self.close(&control, &items, one, &mut results).await;
            includes.append(&mut results.includes);
            if self.breaks(&control, &item_view, &results.done) {
                break;
            }
        }
        ItemResult {
            set: results.set,
            included: results.included,
            elsewhere: results.elsewhere,
            cacheable: results.cacheable,
            explanation: results.explanation,
            timing: results.timing,
            ignored: results.ignored,
            notified: self.task.notify.iter().any(Text::is_template).then_some(results.notified),
            ..ItemResult::plain(register::of_loop(&results.done, self.task.action.module.name))
        }
    }

    /// How many items may be on their way: several, once one of them is on its way to
    /// another machine, unless something lies between them. What an item does on this
    /// machine the next one may read while it is prepared.
    fn window(&self, control: &Control, now: usize, begun: &Begun) -> usize {
        let tried_again = ["until", "retries"].iter().any(|name| self.task.keywords.get(name).is_some());
        // Items for different accounts would not wait for one another.
        let accounts = ["delegate_to", "become", "become_user", "remote_user", "connection"];
        let one_account = !accounts.iter().any(|name| self.varies(name));
        match begun {
            _ if control.parallel > 1 && !self.context.options.check => control.parallel,
            Begun::Sent(sent)
                if control.is_plain() && one_account && !tried_again && sent.account.target != Target::Local =>
            {
                WINDOW
            }
            _ => now,
        }
    }

    /// Whether a keyword may be another one for each item.
    fn varies(&self, name: &str) -> bool {
        matches!(self.task.keywords.value(name), Some(Value::Str(text)) if text.is_template())
    }

    /// Sends an item on its way, unless it is already.
    async fn open(
        &self,
        control: &Control,
        items: &[Value],
        index: usize,
        results: &Results,
        ready: Option<Begun>,
        place: &Place,
    ) -> Open {
        let started = Instant::now();
        let item = items.get(index).unwrap_or(&Value::Null);
        let (scope, extra) = self.on_host().item_scope(&self.scope, control, items, index, &results.set);
        let view = View::new(&self.context.engine, scope);
        let begun = match (item, ready) {
            (Value::Unknown(reason), _) => {
                let outcome = Outcome::new(Status::Unknown(Arc::clone(reason)), Map::new());
                Begun::Done(Box::new(ItemResult::settled(outcome)))
            }
            (_, Some(begun)) => begun,
            (_, None) if results.lost.is_some() => self.on_host().unreached(&view, results.lost.as_ref()),
            _ => {
                let lane = if self.context.options.check { 0 } else { index % control.parallel };
                // Items that run at the same time have no order to stop.
                let chain = if control.parallel > 1 { super::invoke::fresh() } else { place.chain };
                let place = Place { lane, chain, register: None, ..place.clone() };
                self.on_host().begin(&view, place).await
            }
        };
        Open { index, view, extra, begun, started }
    }

    /// Waits for an item's end and reports it.
    async fn close(&self, control: &Control, items: &[Value], one: Open, results: &mut Results) -> View {
        let Open { index, view, extra, begun, started } = one;
        let item = items.get(index).unwrap_or(&Value::Null);
        let mut result = self.on_host().finish(&view, begun).await;
        results.set.extend(result.set.clone());
        results.elsewhere.append(&mut result.elsewhere);
        results.cacheable |= result.cacheable;
        results.included.extend(std::mem::take(&mut result.included));
        let include = result.include.take();
        if include.is_none() || result.outcome.status != Status::Ok {
            self.emit_item(control, (&view, &extra, started), item, &mut result);
        }
        results.includes.extend(include.map(|include| Include {
            item: extra.clone(),
            label: Some(self.label(control, &view, item, &result.outcome).unwrap_or_else(|_| item.clone())),
            ..include
        }));
        results.explanation = results.explanation.take().or(result.explanation);
        results.timing.add(&result.timing);
        let ignored = match result.outcome.status {
            Status::Failed => Some("ignore_errors"),
            Status::Unreachable => Some("ignore_unreachable"),
            _ => None,
        };
        if let Some(keyword) = ignored {
            results.ignored = Some(results.ignored.unwrap_or(true) && self.flag(keyword, &view));
        }
        // One item's change makes the task changed, and that notifies what any of them names.
        let ran = !matches!(result.outcome.status, Status::Skipped | Status::Unreachable);
        if ran && self.task.notify.iter().any(Text::is_template) {
            for name in self.task.notify.iter().flat_map(|name| names::all(&view, name)) {
                if !results.notified.contains(&name) {
                    results.notified.push(name);
                }
            }
        }
        // Where each item goes to a host of its own, the others may be reached.
        if result.outcome.status == Status::Unreachable && !self.varies("delegate_to") {
            results.lost = Some(result.outcome.clone());
        }
        results.done.push((result.outcome, extra));
        view
    }

    fn breaks(&self, control: &Control, view: &View, done: &[(Outcome, Map)]) -> bool {
        if control.break_when.is_empty() {
            return false;
        }
        let Some((outcome, _)) = done.last() else { return false };
        let view = self.on_host().with_result(&view.scope, outcome);
        matches!(view.conditions(&control.break_when), Ok((Truth::True, _)))
    }

    /// An item's label, which may read the item's result.
    fn label(&self, control: &Control, view: &View, item: &Value, outcome: &Outcome) -> Result<Value, Error> {
        match &control.label {
            Some(label) => {
                let view = self.on_host().with_result(&view.scope, outcome);
                view.render(label).map(|label| label.unwrap_or(Value::Null))
            }
            None => Ok(item.clone()),
        }
    }

    fn emit_item(
        &self,
        control: &Control,
        (view, extra, started): (&View, &Map, Instant),
        item: &Value,
        result: &mut ItemResult,
    ) {
        let label = self.label(control, view, item, &result.outcome).unwrap_or_else(|e| {
            let finding: Diagnostic = e.into();
            let words = format!("Failed to template loop_control.label: {}", finding.message);
            if result.outcome.status == Status::Changed {
                result.outcome.result.insert("changed", true);
            }
            result.outcome.status = Status::Failed;
            result.outcome.result.insert("msg", words);
            result.explanation = Some(finding);
            item.clone()
        });
        let failed = result.outcome.status == Status::Failed;
        self.teller.emit(Event::ItemDone(Box::new(HostResult {
            host: self.host.clone(),
            delegated_to: result.delegated_to.clone(),
            item: Some(label),
            outcome: with_item(&result.outcome, extra),
            ignored: failed && self.flag("ignore_errors", view),
            hidden: self.on_host().hides(view),
            verbose: result.verbose,
            seconds: started.elapsed().as_secs_f64(),
            explanation: super::explain::why(&self.task, &result.outcome, result.explanation.clone()),
            timing: result.timing,
        })));
    }
}

impl OnHost<'_> {
    /// What an item sees, and what its result carries beside the module's.
    pub fn item_scope(
        &self,
        scope: &Scope,
        control: &Control,
        items: &[Value],
        index: usize,
        set: &Map,
    ) -> (Scope, Map) {
        let item = items.get(index).cloned().unwrap_or_default();
        let (vars, extra) = loop_vars(control, items, index, &item);
        let scope = if matches!(self.task.action.module.run, Run::Controller(_)) && !set.is_empty() {
            // What an item set is seen by the next one, as `set_fact` in a loop expects.
            scope.push(Layer::new(Level::Registered, "set_fact", Vars::from(set.clone())))
        } else {
            scope.clone()
        };
        (scope.push(Layer::new(Level::Loop, "loop", vars)), extra)
    }
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
fn with_item(outcome: &Outcome, extra: &Map) -> Outcome {
    let mut shown = outcome.clone();
    shown.result.extend(extra.clone());
    shown
}
