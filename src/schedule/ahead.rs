//! Preparing ahead: while a task is on its way to a host, those that follow are prepared
//! and sent after it, as far as nothing stands in the way.
//!
//! The worker plans them in order and stops at the first that has something to do, until
//! its turn comes: a host where nothing is to be done answers a whole play at once. What
//! is prepared here depends on nothing that may still change: a scope with
//! [`Pending`] results notes when it is asked for one, and the batch ends there, unless
//! the condition that asked is plain enough for the worker to decide.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use super::flow::Flow;
use super::invoke::{self, Place, Ready};
use super::item::{self, Begun, ItemResult, Sent};
use super::items::Control;
use super::looping::Job;
use super::names;
use super::prepare::{OnHost, Prepared};
use super::scope::Moment;
use super::view::View;
use super::world::Known;
use crate::compile::{CompiledPlay, CompiledTask, Course, Stage};
use crate::connection::Target;
use crate::model::{Condition, Status, Value};
use crate::module::{ControllerTask, Run};
use crate::template::Truth;
use crate::vars::{Pending, Scope};

/// How many tasks are prepared ahead of one host's turn.
const TASKS: usize = 64;

/// Of how many items, all loops together.
const ITEMS: usize = 256;

/// Keywords that make a task wait for its turn.
const WAIT: [&str; 8] = ["delegate_to", "run_once", "until", "retries", "throttle", "async", "timeout", "debugger"];

/// A task that was prepared ahead for a host.
pub struct ReadyTask {
    /// The task's id.
    pub task: usize,
    /// The loop's items, when it has one.
    pub items: Option<Vec<Value>>,
    /// Its items, or itself.
    pub begun: VecDeque<Begun>,
}

impl ReadyTask {
    /// Whether its worker dropped it.
    pub fn is_dropped(&mut self) -> bool {
        self.begun.front_mut().is_some_and(Begun::is_dropped)
    }

    /// Gives it up.
    pub fn cancel(&self) {
        for begun in &self.begun {
            if let Begun::Sent(sent) = begun {
                sent.ticket.cancel();
            }
        }
    }
}

/// Looks ahead on one host.
pub struct Scout {
    /// The play.
    pub play: Arc<CompiledPlay>,
    /// What it goes through.
    pub course: Arc<Course>,
    /// The stage that comes next.
    pub next: usize,
    /// The host's way through the play so far.
    pub flow: Flow,
    /// What the host sees now, and what the tasks ahead add to it.
    pub moment: Moment,
    /// Whether tasks may act without waiting for other hosts.
    pub unordered: bool,
    /// Whether a handler waits for this host.
    pub notified: bool,
}

/// An item that is prepared.
enum Item {
    Done(Box<ItemResult>),
    Ready(Box<Ready>, Vec<Condition>, Vec<Value>, Vec<String>),
}

/// What `told` finds: the name of the result, and a plain `changed_when`.
type Told = (Option<String>, Option<bool>);

/// What a worker must be told so that it sees a task's result as conditions will: nothing
/// when it cannot.
pub fn told(task: &CompiledTask) -> Told {
    let judged = ["failed_when", "until", "retries"].iter().any(|name| task.keywords.get(name).is_some());
    let changed_when = match task.keywords.value("changed_when") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(plain)) => Some(*plain),
        Some(_) => return (None, None),
    };
    let name = task.keywords.value("register").and_then(Value::as_str);
    let plain = !judged && task.looped.is_none();
    (name.filter(|n| plain && !n.contains("{{")).map(str::to_owned), changed_when)
}

impl Scout {
    /// Prepares what follows the task of `job`, which has just been `sent`.
    pub fn look(mut self: Box<Self>, job: &Job, sent: &Sent) -> VecDeque<ReadyTask> {
        let mut ahead = VecDeque::new();
        // On this machine nothing is gained, and what a task does the next may read here.
        let timed = self.stops_in_time(job);
        let alone = sent.account.target != Target::Local && !job.context.links.is_shared(&job.host);
        let acts_here = job.task.action.module.name == "fetch";
        if !alone || timed || acts_here || gives_facts(&job.task) || is_tried_again(&job.task) {
            return ahead;
        }
        let chain = Chain { id: sent.chain, granted: self.unordered, pending: HashSet::new(), told: HashSet::new() };
        let mut look = Look { job, sent, chain, play: Arc::clone(&self.play), items: 0 };
        look.chain.registered(&job.task, None, self.moment.known());
        self.notified |= !job.task.notify.is_empty();
        while ahead.len() < TASKS && look.items < ITEMS {
            let Some(stage) = self.course.stages.get(self.next) else { break };
            self.next += 1;
            let task = match stage {
                Stage::Flush => {
                    // A handler may come in between, so nothing acts before its turn.
                    look.chain.granted &= !self.notified;
                    continue;
                }
                Stage::Task(index) if self.course.barriers.get(*index) == Some(&true) => break,
                Stage::Task(index) => match self.course.tasks.get(*index) {
                    Some(task) => Arc::clone(task),
                    None => break,
                },
            };
            if !self.flow.enter(&task.path) {
                continue;
            }
            // Whether a role that is listed again runs is known when it has run before.
            if task
                .role
                .is_some_and(|role| self.play.roles.get(role).is_some_and(|r| r.same.is_some_and(|s| s != role)))
            {
                break;
            }
            let Some(ready) = look.task(&mut self, &task) else { break };
            ahead.push_back(ready);
            self.notified |= !task.notify.is_empty();
            if gives_facts(&task) {
                break;
            }
        }
        ahead
    }
}

impl Scout {
    /// Whether tasks have a limit of time, so that what one started may have to be ended.
    fn stops_in_time(&self, job: &Job) -> bool {
        job.context.options.task_timeout > 0 || job.task.keywords.get("timeout").is_some()
    }
}

/// What is sent one after the other.
struct Chain {
    id: u64,
    granted: bool,
    /// Names whose results have not come, and of which the worker knows.
    pending: HashSet<String>,
    told: HashSet<String>,
}

impl Chain {
    /// Notes what a task registers: a value that is known, or one that is to come.
    fn registered(&mut self, task: &CompiledTask, value: Option<Value>, known: &mut Known) {
        let failed_when = task.keywords.value("failed_when").is_some_and(|v| !v.is_null());
        // Whether it failed is for the controller to say: nothing acts before it has.
        self.granted &= !failed_when;
        let Some(name) = task.keywords.value("register").and_then(Value::as_str) else { return };
        self.told.remove(name);
        match value {
            Some(value) => {
                self.pending.remove(name);
                known.register(name, value);
            }
            None => {
                self.pending.insert(name.to_owned());
                self.told.extend(told(task).0);
            }
        }
    }
}

struct Look<'a> {
    job: &'a Job,
    sent: &'a Sent,
    chain: Chain,
    play: Arc<CompiledPlay>,
    items: usize,
}

impl Look<'_> {
    /// Prepares a task and sends it; nothing when it has to wait for its turn.
    fn task(&mut self, scout: &mut Scout, task: &Arc<CompiledTask>) -> Option<ReadyTask> {
        if waits(task) {
            return None;
        }
        let job = self.job;
        let host = &job.host;
        let pending = Arc::new(Pending::new(self.chain.pending.iter().cloned()));
        let scope = scout.moment.of_task(&self.play, task).with_pending(Arc::clone(&pending));
        let view = View::new(&job.context.engine, scope.clone());
        let title = names::of_task(&self.play, task, &view);
        let on_host = OnHost {
            context: &job.context,
            teller: &job.teller,
            task,
            title: &title,
            host,
            hostvars: &job.hostvars,
            ahead: true,
        };
        // A name that is not known yet does no harm.
        pending.take_touched();
        let items = on_host.items(&view).ok()?;
        let control = if items.is_some() { Some(on_host.control(&view).ok()?) } else { None };
        if pending.take_touched() || control.as_ref().is_some_and(|c| !c.is_plain()) {
            return None;
        }
        let prepared = match (&items, &control) {
            (Some(items), Some(control)) => self.prepare_items(&on_host, &scope, control, items, &pending)?,
            _ => vec![self.prepare(&on_host, &view, &pending)?],
        };
        self.items += prepared.len();
        self.learn(scout, task, &prepared, items.is_some());
        let begun = self.send(prepared, task, &title);
        Some(ReadyTask { task: task.id, items, begun })
    }

    fn prepare_items(
        &self,
        on_host: &OnHost<'_>,
        scope: &Scope,
        control: &Control,
        items: &[Value],
        pending: &Pending,
    ) -> Option<Vec<Item>> {
        let is_controller = matches!(on_host.task.action.module.run, Run::Controller(_));
        if self.items + items.len() > ITEMS || items.iter().any(|i| i.unknown().is_some()) || is_controller {
            return None;
        }
        let none = crate::model::Map::new();
        (0..items.len())
            .map(|index| {
                let (scope, _) = on_host.item_scope(scope, control, items, index, &none);
                self.prepare(on_host, &View::new(&on_host.context.engine, scope), pending)
            })
            .collect()
    }

    fn prepare(&self, on_host: &OnHost<'_>, view: &View, pending: &Pending) -> Option<Item> {
        let mut conditions = Vec::new();
        let mut written = Vec::new();
        for condition in &on_host.task.when {
            let truth = view.templar.condition(condition);
            if pending.take_touched() {
                let told = |name: &str| pending.holds(name) && self.chain.told.contains(name);
                conditions.push(view.templar.residual(condition, &told)?);
                written.push(condition.clone());
                if pending.take_touched() {
                    return None;
                }
                continue;
            }
            match truth {
                Ok(Truth::True) => {}
                // The first that does not hold is the one that is reported.
                Ok(Truth::False) if conditions.is_empty() => {
                    return Some(Item::Done(Box::new(ItemResult::settled(item::skipped(Some(condition))))));
                }
                _ => return None,
            }
        }
        let prepared = on_host.prepare(view).ok()?;
        if pending.take_touched() {
            return None;
        }
        match prepared {
            Prepared::Ready(ready) if ready.account == self.sent.account && ready.delegated_to.is_none() => {
                let warnings = view.templar.take_warnings();
                Some(Item::Ready(ready, conditions, written, warnings))
            }
            Prepared::Done(result) if conditions.is_empty() => {
                let fine = matches!(result.outcome.status, Status::Ok | Status::Changed | Status::Skipped);
                fine.then(|| Item::Done(result))
            }
            _ => None,
        }
    }

    /// Takes in what later tasks will know of this one.
    fn learn(&mut self, scout: &mut Scout, task: &CompiledTask, prepared: &[Item], looped: bool) {
        let judged = ["changed_when", "failed_when"].iter().any(|name| task.keywords.get(name).is_some());
        let only = match prepared {
            [Item::Done(result)] if !looped => Some(result),
            _ => None,
        };
        for (name, value) in only.iter().flat_map(|result| &result.set) {
            scout.moment.known().register(&name.to_string(), value.clone());
            self.chain.pending.remove(&name.to_string());
            self.chain.told.remove(&name.to_string());
        }
        self.chain.registered(
            task,
            only.filter(|_| !judged).map(|result| result.outcome.to_value()),
            scout.moment.known(),
        );
    }

    fn send(&self, prepared: Vec<Item>, task: &CompiledTask, title: &str) -> VecDeque<Begun> {
        let group = invoke::fresh();
        let (register, changed_when) = told(task);
        let mut begun: VecDeque<Begun> = VecDeque::new();
        for item in prepared {
            let (ready, when, conditions, warnings) = match item {
                Item::Done(result) => {
                    begun.push_back(Begun::Done(result));
                    continue;
                }
                Item::Ready(ready, when, conditions, warnings) => (ready, when, conditions, warnings),
            };
            let granted = self.chain.granted && ready.check == self.job.context.options.check;
            let place =
                Place { chain: self.chain.id, group, granted, when, register: register.clone(), changed_when, lane: 0 };
            let account = ready.account.clone();
            let ticket = ready.send(&self.job.context, &self.sent.link, title, place);
            let (link, last, chain) = (Arc::clone(&self.sent.link), ticket.id, self.chain.id);
            let sent = Sent { ticket, link, last, chain, account, delegated_to: None, conditions, warnings };
            begun.push_back(Begun::Sent(Box::new(sent)));
        }
        grant_together(&mut begun);
        begun
    }
}

/// All items of a loop are granted with the first that waits.
fn grant_together(begun: &mut VecDeque<Begun>) {
    let last = begun.iter().rev().find_map(|b| if let Begun::Sent(sent) = b { Some(sent.ticket.id) } else { None });
    for one in begun {
        if let (Begun::Sent(sent), Some(last)) = (one, last) {
            sent.last = last;
        }
    }
}

/// Whether a task has to wait for its turn, whatever it reads.
fn waits(task: &CompiledTask) -> bool {
    let controller = match task.action.module.run {
        Run::Controller(which) => !matches!(
            which,
            ControllerTask::Debug | ControllerTask::SetFact | ControllerTask::Assert | ControllerTask::Fail
        ),
        _ => false,
    };
    controller || task.action.module.asks_others || WAIT.iter().any(|name| task.keywords.get(name).is_some())
}

fn is_tried_again(task: &CompiledTask) -> bool {
    ["until", "retries"].iter().any(|name| task.keywords.get(name).is_some())
}

/// Whether facts come out of it, which may be read under any name.
fn gives_facts(task: &CompiledTask) -> bool {
    task.action.module.returns.iter().any(|r| r.name == "ansible_facts")
        && !matches!(task.action.module.run, Run::Controller(_))
}
