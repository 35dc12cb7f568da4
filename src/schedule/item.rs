//! One item of a task on one host: condition, arguments, module, verdict, tries.

use std::sync::Arc;
use std::time::Duration;

use super::background;
use super::including::Include;
use super::invoke::{self, Place};
use super::prepare::{OnHost, Prepared};
use super::view::View;
use crate::connection::{Account, End, Link, Ticket};
use crate::diag::Diagnostic;
use crate::event::Event;
use crate::model::{Map, Outcome, Status, Timing, Value, Vars};
use crate::playbook::Keywords;
use crate::template::{Error, Truth};
use crate::vars::{Layer, Level, Scope};

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
    /// What it wants to be included.
    pub include: Option<Include>,
    /// Variables that came out of files.
    pub included: Vars,
    /// Hosts that its facts and variables are of instead of its own (`delegate_facts`).
    pub elsewhere: Vec<(String, Map, Map)>,
    /// What it sets are facts as well (`cacheable`).
    pub cacheable: bool,
    /// A wait before it is done.
    pub pause: Option<super::pause::Pause>,
    /// What it cost.
    pub timing: Timing,
    /// Nothing is to be judged or tried again: a condition said no, or what rplay was
    /// given makes no sense.
    pub settled: bool,
    /// Of a loop: whether each of its items that failed, or could not be run, is ignored.
    pub ignored: Option<bool>,
    /// Of a loop: the handlers that its items name.
    pub notified: Option<Vec<String>>,
}

impl ItemResult {
    /// An outcome and nothing else.
    pub fn plain(outcome: Outcome) -> Self {
        Self {
            outcome,
            delegated_to: None,
            set: Map::new(),
            verbose: false,
            explanation: None,
            include: None,
            included: Vars::new(),
            elsewhere: Vec::new(),
            cacheable: false,
            pause: None,
            timing: Timing::default(),
            settled: false,
            ignored: None,
            notified: None,
        }
    }

    /// One that is not judged.
    pub fn settled(outcome: Outcome) -> Self {
        Self { settled: true, ..Self::plain(outcome) }
    }

    /// A failure with its place.
    pub fn explained(finding: Diagnostic) -> Self {
        let finding = Diagnostic { message: format!("Task failed: {}", finding.message), ..finding };
        let outcome = Outcome::failed(finding.message.as_str());
        Self { explanation: Some(finding), ..Self::plain(outcome) }
    }
}

/// An item that is on its way.
pub enum Begun {
    /// It has ended.
    Done(Box<ItemResult>),
    /// Its worker has it.
    Sent(Box<Sent>),
    /// A command line for a host, without a worker.
    Raw(Box<Route>, String),
}

/// An item that its worker has.
pub struct Sent {
    /// Who waits for it.
    pub ticket: Ticket,
    /// The worker.
    pub link: Arc<Link>,
    /// Up to which task of the worker a grant for this one goes.
    pub last: u64,
    /// The chain that it is part of.
    pub chain: u64,
    /// Where it runs.
    pub account: Arc<Account>,
    /// The host it runs on instead, as headlines name it.
    pub delegated_to: Option<String>,
    /// Conditions that the worker decides, as written.
    pub conditions: Vec<Value>,
    /// Warnings of its preparation.
    pub warnings: Vec<String>,
}

impl Begun {
    /// Whether it was dropped by its worker, so that it must be begun anew.
    pub fn is_dropped(&mut self) -> bool {
        match self {
            Self::Sent(sent) => sent.ticket.is_dropped(),
            _ => false,
        }
    }
}

/// How to reach the host that the item runs on.
pub struct Route {
    /// The account.
    pub account: Arc<Account>,
    /// The host it runs on instead of its own, as headlines name it.
    pub delegated_to: Option<String>,
}

impl OnHost<'_> {
    /// Prepares an item and sends it to its worker.
    pub async fn begin(&self, view: &View, place: Place) -> Begun {
        let begun = match self.condition(view) {
            Ok(Some(result)) => Ok(Begun::Done(Box::new(result))),
            Ok(None) => self.attempt(view, place).await,
            Err(e) => Err(e),
        };
        begun.unwrap_or_else(|e| Begun::Done(Box::new(ItemResult { settled: true, ..ItemResult::explained(e.into()) })))
    }

    /// An item on a host that is known to be lost: not tried, unless its condition says no.
    pub fn unreached(&self, view: &View, lost: Option<&Outcome>) -> Begun {
        let result = match self.condition(view) {
            Ok(Some(result)) => result,
            Ok(None) => ItemResult::plain(lost.cloned().unwrap_or_else(|| Outcome::unreachable(""))),
            Err(e) => ItemResult { settled: true, ..ItemResult::explained(e.into()) },
        };
        Begun::Done(Box::new(result))
    }

    /// Waits for an item that has begun, judges it, and tries again where that is wanted.
    /// The scope of `view` holds its loop variables.
    pub async fn finish(&self, view: &View, begun: Begun) -> ItemResult {
        let mut timing = Timing::default();
        let mut result = match self.tried(view, begun, &mut timing).await {
            Ok(result) => result,
            Err(e) => ItemResult::explained(e.into()),
        };
        result.timing = timing;
        // A rescue reads why something failed: what was only judged to have failed does not say.
        if result.outcome.status == Status::Failed && !result.outcome.result.contains("msg") {
            result.outcome.result.insert("msg", "Task failed: Action failed: Unknown error.");
        }
        if self.flag("delegate_facts", view).ok().flatten() == Some(true)
            && let Ok(Some(other)) = self.delegate(view)
        {
            let set = std::mem::take(&mut result.set);
            let own = result.outcome.result.get("ansible_facts").filter(|_| set.is_empty());
            let facts = own.and_then(Value::as_map).cloned().unwrap_or_default();
            result.elsewhere.push((other, facts, set));
        }
        result.outcome.warnings.extend(view.templar.take_warnings());
        result
    }

    /// What the item comes to when its conditions do not hold.
    fn condition(&self, view: &View) -> Result<Option<ItemResult>, Error> {
        Ok(match view.conditions(&self.task.when)? {
            (Truth::True, _) => None,
            (Truth::False, condition) => Some(ItemResult::settled(skipped(condition))),
            (Truth::Unknown(reason), _) => {
                self.note_not_run(view);
                Some(ItemResult::settled(Outcome::new(Status::Unknown(reason), Map::new())))
            }
        })
    }

    async fn tried(&self, view: &View, begun: Begun, timing: &mut Timing) -> Result<ItemResult, Error> {
        let result = self.ended(view, begun, timing).await?;
        if result.settled {
            return Ok(result);
        }
        let mut result = self.completed(view, result, timing).await?;
        let tries = self.tries(view)?;
        let mut attempt = 1;
        loop {
            if tries.is_none_or(|t| attempt < t.count) && result.outcome.status == Status::Unreachable {
                return Ok(result);
            }
            if tries.is_some() {
                result.outcome.result.insert("attempts", attempt);
            }
            let registered = self.reads_result(&result.outcome).then(|| self.with_result(&view.scope, &result.outcome));
            let registered = registered.as_ref().unwrap_or(view);
            if let Err((what, error)) = self.judge(registered, &mut result.outcome) {
                return Ok(misjudged(result, what, error));
            }
            let Some(tries) = &tries else { return Ok(result) };
            if !self.unsatisfied(registered, &view.scope, &mut result.outcome)? {
                return Ok(result);
            }
            if attempt >= tries.count {
                exhausted(&mut result.outcome, attempt);
                return Ok(result);
            }
            self.teller.emit(Event::Retry {
                host: self.host.to_owned(),
                task: self.title.to_owned(),
                left: tries.count - attempt,
                outcome: Box::new(self.shown(view, result.outcome)),
            });
            tokio::time::sleep(tries.delay).await;
            attempt += 1;
            let begun = self.attempt(view, Place { chain: invoke::fresh(), granted: true, ..Place::default() }).await?;
            let again = self.ended(view, begun, timing).await?;
            result = self.completed(view, again, timing).await?;
        }
    }

    /// What is left to do for a task whose worker has answered: waiting for what it started in
    /// the background, writing what it read.
    async fn completed(&self, view: &View, result: ItemResult, timing: &mut Timing) -> Result<ItemResult, Error> {
        let result = self.watched(view, result, timing).await?;
        self.fetched(view, result, timing).await
    }

    /// The end of what has begun; what its worker dropped is begun anew.
    pub(super) async fn ended(&self, view: &View, begun: Begun, timing: &mut Timing) -> Result<ItemResult, Error> {
        let mut begun = begun;
        let limit = self.limit(view)?;
        loop {
            let mut sent = match begun {
                Begun::Done(result) => return Ok(*result),
                Begun::Raw(route, line) => {
                    let raw = invoke::raw(self.context, &route.account, &line);
                    let outcome = background::within(limit, raw).await;
                    return Ok(ItemResult { delegated_to: route.delegated_to.clone(), ..ItemResult::plain(outcome) });
                }
                Begun::Sent(sent) => sent,
            };
            let end = match limit {
                None => Ok(sent.ticket.end(sent.last).await),
                Some(limit) => tokio::time::timeout(limit, sent.ticket.end(sent.last)).await,
            };
            timing.add(&sent.ticket.timing);
            let Ok(end) = end else {
                sent.ticket.stop();
                let outcome = background::timed_out(limit.unwrap_or_default());
                return Ok(ItemResult { delegated_to: sent.delegated_to, ..ItemResult::plain(outcome) });
            };
            let mut outcome = match end {
                End::Done(ended) => {
                    self.context.links.plan(&sent.account, ended.planned);
                    ended.outcome
                }
                End::Skipped(condition) => {
                    let condition = usize::try_from(condition).ok().and_then(|i| sent.conditions.get(i));
                    return Ok(ItemResult::settled(skipped(condition)));
                }
                End::Broken(e) => invoke::failed(e),
                End::Dropped => {
                    let place = Place { chain: invoke::fresh(), granted: true, ..Place::default() };
                    begun = self.begin(view, place).await;
                    continue;
                }
            };
            outcome.warnings.extend(sent.warnings);
            return Ok(ItemResult { delegated_to: sent.delegated_to, ..ItemResult::plain(outcome) });
        }
    }

    /// What may be shown of a try under `no_log`: nothing.
    fn shown(&self, view: &View, outcome: Outcome) -> Outcome {
        if !self.hides(view) {
            return outcome;
        }
        let words = "the output has been hidden due to the fact that 'no_log: true' was specified for this result";
        Outcome::new(outcome.status, Map::from_iter([("censored", words)]))
    }

    /// Prepares one try and sends it to its worker.
    async fn attempt(&self, view: &View, place: Place) -> Result<Begun, Error> {
        let ready = match self.prepare(view)? {
            Prepared::Done(mut result) => {
                if let Some(pause) = result.pause.take() {
                    pause.wait(self.context, self.title, &mut result.outcome).await;
                }
                return Ok(Begun::Done(result));
            }
            Prepared::Raw(route, line) => return Ok(Begun::Raw(route, line)),
            Prepared::Ready(ready) => ready,
        };
        if ready.module.name == "wait_for_connection" {
            let result = self.reached(view, *ready).await?;
            return Ok(Begun::Done(Box::new(result)));
        }
        let (account, delegated_to) = (ready.account.clone(), ready.delegated_to.clone());
        match invoke::worker(self.context, &account, place.lane).await {
            Ok(link) => {
                let chain = place.chain;
                let mut ticket = ready.send(self.context, &link, self.title, place);
                ticket.timing.round_trips = 1;
                let last = ticket.id;
                let (conditions, warnings) = (Vec::new(), Vec::new());
                Ok(Begun::Sent(Box::new(Sent {
                    ticket,
                    link,
                    last,
                    chain,
                    account,
                    delegated_to,
                    conditions,
                    warnings,
                })))
            }
            Err(outcome) => Ok(Begun::Done(Box::new(ItemResult { delegated_to, ..ItemResult::plain(outcome) }))),
        }
    }

    /// Whether what judges a result may read it, or the facts in it.
    fn reads_result(&self, outcome: &Outcome) -> bool {
        let judges = ["changed_when", "failed_when", "until"].iter().filter_map(|name| self.task.keywords.value(name));
        (self.task.keywords.get("register").is_some() || outcome.result.contains("ansible_facts"))
            && judges.into_iter().any(|v| !matches!(v, Value::Bool(_) | Value::Null))
    }

    /// The scope with the facts that the result brings, and with the result under its registered name.
    pub(super) fn with_result(&self, scope: &Scope, outcome: &Outcome) -> View {
        let facts = outcome.result.get("ansible_facts").and_then(Value::as_map);
        let mut vars = Vars::from(facts.cloned().unwrap_or_default());
        if let Some(name) = self.task.keywords.value("register").and_then(Value::as_str) {
            vars.set(name, outcome.to_value(), None);
        }
        let scope = if vars.is_empty() { scope.clone() } else { scope.push(Layer::new(Level::Loop, "register", vars)) };
        View::new(&self.context.engine, scope)
    }

    /// `failed_when` and `changed_when`.
    fn judge(&self, view: &View, outcome: &mut Outcome) -> Result<(), (&'static str, Error)> {
        if matches!(outcome.status, Status::Unreachable | Status::Skipped) {
            return Ok(());
        }
        if let Some(conditions) = conditions(&self.task.keywords, "changed_when") {
            let truth = view.conditions(&conditions).map_err(|e| ("changed_when_result", e))?.0;
            if outcome.status == Status::Failed && matches!(truth, Truth::True | Truth::False) {
                outcome.result.insert("changed", truth == Truth::True);
            }
            match truth {
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
                        outcome.result.insert("failed_when_suppressed_exception", "(traceback unavailable)");
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
        let view = if self.reads_result(outcome) { &self.with_result(scope, outcome) } else { view };
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

/// No tries are left. Ansible counts the retries here, not the tries; and `failed_when`
/// has the last word on whether the task as a whole has failed.
fn exhausted(outcome: &mut Outcome, attempt: u32) {
    outcome.result.insert("attempts", attempt.saturating_sub(1).max(1));
    if outcome.result.contains("failed_when_result") {
        outcome.result.insert("failed", true);
    } else {
        if outcome.status == Status::Changed {
            outcome.result.insert("changed", true);
        }
        outcome.status = Status::Failed;
    }
}

/// A result whose `changed_when` or `failed_when` cannot be evaluated: it stands, and has failed.
fn misjudged(mut result: ItemResult, what: &'static str, error: Error) -> ItemResult {
    let finding: Diagnostic = error.into();
    // What failed may have changed something first, as a command that ran.
    let failed = result.outcome.status == Status::Failed;
    if !(failed && result.outcome.result.contains("changed")) {
        result.outcome.result.insert("changed", result.outcome.status == Status::Changed);
    }
    result.outcome.result.insert(what, finding.message.as_str());
    result.outcome.status = Status::Failed;
    let message = format!("Task failed: {}", finding.message);
    result.explanation = Some(Diagnostic { message, ..finding });
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

/// The outcome of a task whose condition does not hold.
pub fn skipped(condition: Option<&Value>) -> Outcome {
    let mut result = Map::from_iter([("skip_reason", Value::from("Conditional result was False"))]);
    if let Some(condition) = condition {
        result.insert("false_condition", condition.untemplated());
    }
    Outcome::new(Status::Skipped, result)
}
