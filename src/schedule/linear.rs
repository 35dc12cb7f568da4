//! The linear strategy: a task acts on a host only when every host of the batch is done
//! with the task before.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::ahead::{ReadyTask, Scout};
use super::flow::Flow;
use super::handlers::Handlers;
use super::looping::{Job, TaskResult};
use super::play::Batch;
use super::scope::{self, magic};
use super::view::View;
use super::world::{Snapshot, World};
use super::{Context, StepAnswer, names};
use crate::compile::{CompiledPlay, CompiledTask, Stage};
use crate::event::{Event, TaskKind};
use crate::model::{Status, Value};
use crate::module::to_bool;
use crate::vars::{HostVars, Layer};

/// After how much silence it is said who is awaited.
const SILENCE: Duration = Duration::from_secs(15);

/// Why a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All its tasks are done.
    Done,
    /// No host is left, or a failure counts for all.
    Stop,
}

/// Runs a play on a batch of hosts.
pub struct Linear<'a> {
    pub context: &'a Arc<Context>,
    pub play: &'a Arc<CompiledPlay>,
    pub world: &'a mut World,
    pub batch: &'a Batch,
    flows: HashMap<String, Flow>,
    /// What was prepared ahead, by host.
    ahead: HashMap<String, VecDeque<ReadyTask>>,
    gone: BTreeSet<String>,
    handlers: Handlers,
    /// Hosts that failed in a handler: `force_handlers` does not take them on.
    failed_in_handler: BTreeSet<String>,
    /// Handlers are being run.
    handling: bool,
    stepping: bool,
}

impl<'a> Linear<'a> {
    pub fn new(context: &'a Arc<Context>, play: &'a Arc<CompiledPlay>, world: &'a mut World, batch: &'a Batch) -> Self {
        let flows = batch.hosts.iter().map(|h| (h.clone(), Flow::default())).collect();
        let stepping = context.stepper.is_some();
        Self {
            context,
            play,
            world,
            batch,
            flows,
            ahead: HashMap::new(),
            gone: BTreeSet::new(),
            handlers: Handlers::default(),
            failed_in_handler: BTreeSet::new(),
            handling: false,
            stepping,
        }
    }

    /// Hosts that failed, and those that were lost.
    pub fn losses(&self) -> (Vec<String>, Vec<String>) {
        let failed = self.batch.hosts.iter().filter(|h| self.flows.get(*h).is_some_and(Flow::has_failed));
        (failed.cloned().collect(), self.gone.iter().cloned().collect())
    }

    /// Runs all stages.
    pub async fn run(&mut self, started: &mut bool) -> End {
        let end = self.stages(started).await;
        self.forget_all();
        end
    }

    async fn stages(&mut self, started: &mut bool) -> End {
        for (number, stage) in self.play.stages.iter().enumerate() {
            match stage {
                Stage::Task(index) => match self.play.tasks.get(*index) {
                    Some(task) => self.task_stage(task, number, started).await,
                    None => continue,
                },
                Stage::Flush => self.flush().await,
            }
            if self.too_many_failed() {
                self.context.emit(Event::NoMoreHosts);
                let outside = Vec::new();
                for flow in self.flows.values_mut().filter(|f| !f.has_failed()) {
                    flow.fail(&outside, &[]);
                }
                return End::Stop;
            }
        }
        if self.all_lost() { End::Stop } else { End::Done }
    }

    /// Where every host has failed, `always` and `rescue` further on may still be entered.
    async fn task_stage(&mut self, task: &Arc<CompiledTask>, number: usize, started: &mut bool) {
        if !*started && !self.starts_here(task, started) {
            return;
        }
        let hosts = self.entering(task);
        if !hosts.is_empty() {
            self.run_task(task, &hosts, TaskKind::Task, Some(number)).await;
        }
    }

    /// Whether `--start-at-task` names this task.
    fn starts_here(&self, task: &CompiledTask, started: &mut bool) -> bool {
        let Some(wanted) = &self.context.options.start_at else {
            *started = true;
            return true;
        };
        let title = task.title();
        let role = task.role.and_then(|r| self.play.roles.get(r));
        let full = role.map(|r| format!("{} : {}", r.name, title.as_str()));
        let matches = |name: &str| wanted == name || crate::load::shell_match(wanted, name);
        *started = matches(title.as_str()) || full.is_some_and(|f| matches(&f));
        *started
    }

    fn entering(&mut self, task: &CompiledTask) -> Vec<String> {
        let gone = &self.gone;
        let flows = &mut self.flows;
        let alive = self.batch.hosts.iter().filter(|h| !gone.contains(*h));
        alive.filter(|h| flows.get_mut(*h).is_some_and(|flow| flow.enter(&task.path))).cloned().collect()
    }

    fn all_lost(&self) -> bool {
        self.batch.hosts.iter().all(|h| self.gone.contains(h) || self.flows.get(h).is_some_and(Flow::has_failed))
    }

    fn alive(&self) -> Vec<String> {
        let lost = |h: &String| self.gone.contains(h) || self.flows.get(h).is_some_and(Flow::has_failed);
        self.batch.all.iter().filter(|h| !lost(h) && !self.batch.lost.contains(*h)).cloned().collect()
    }

    async fn flush(&mut self) {
        self.handling = true;
        for (index, handler) in self.play.handlers.iter().enumerate() {
            let force = self.forces_handlers();
            let failed = |h: &String| !force && self.flows.get(h).is_some_and(Flow::has_failed);
            let lost = |h: &String| self.gone.contains(h) || self.failed_in_handler.contains(h) || failed(h);
            let (hosts, unsure) = self.handlers.take(index, |host| !lost(host));
            for (host, reason) in unsure {
                self.world.count(&host).unknown += 1;
                self.context.emit(Event::Warning(format!(
                    "[{host}]: handler `{}` may be notified: {reason}",
                    handler.title().as_str()
                )));
            }
            let hosts: Vec<String> = self.batch.hosts.iter().filter(|h| hosts.contains(*h)).cloned().collect();
            if hosts.is_empty() {
                continue;
            }
            self.run_task(handler, &hosts, TaskKind::Handler, None).await;
        }
        self.handling = false;
    }

    fn forces_handlers(&self) -> bool {
        let own = self.play.keywords.value("force_handlers").and_then(to_bool);
        own.unwrap_or(self.context.options.force_handlers)
    }

    async fn run_task(&mut self, task: &Arc<CompiledTask>, hosts: &[String], kind: TaskKind, stage: Option<usize>) {
        if task.keywords.get("delegate_to").is_some() {
            // It may change any host.
            self.forget_all();
        }
        let jobs = self.jobs(task, hosts, stage);
        let Some((mut jobs, title)) = jobs else { return };
        if self.stepping && !self.step(&title).await {
            return;
        }
        let once = self.runs_once(task, jobs.first());
        if once {
            jobs.truncate(1);
        }
        self.context.emit(Event::TaskStarted { name: title, kind, path: task.origin.to_string() });
        let results = run_jobs(self.context, jobs).await;
        for mut result in results {
            self.ahead.entry(result.host.clone()).or_default().append(&mut result.ahead);
            if once {
                self.share(task, &result, hosts);
            }
            self.apply(task, result);
        }
    }

    async fn step(&mut self, title: &str) -> bool {
        self.context.progress.caught_up().await;
        match self.context.stepper.as_ref().map(|ask| ask(title)) {
            Some(StepAnswer::No) => false,
            Some(StepAnswer::Continue) => {
                self.stepping = false;
                true
            }
            _ => true,
        }
    }

    fn runs_once(&self, task: &CompiledTask, job: Option<&Job>) -> bool {
        let Some(value) = task.keywords.value("run_once") else { return false };
        let view = job.map(|j| View::new(&self.context.engine, j.scope.clone()));
        let rendered = view.and_then(|v| v.render(value).ok().flatten());
        rendered.as_ref().and_then(to_bool).unwrap_or(false)
    }

    fn jobs(&mut self, task: &Arc<CompiledTask>, hosts: &[String], stage: Option<usize>) -> Option<(Vec<Job>, String)> {
        let alive = self.alive();
        let magic = magic::shared(self.context, self.play, &self.batch.all, &self.batch.hosts, &alive);
        let snapshot = self.world.snapshot(self.context, &magic);
        let hostvars: Arc<dyn HostVars> = Arc::new(snapshot.clone());
        let mut jobs: Vec<Job> = Vec::with_capacity(hosts.len());
        let mut title = String::new();
        for host in hosts {
            let layers = self.batch.layers.get(host).map(Vec::as_slice).unwrap_or_default();
            let known = snapshot.known(host).map(|k| &**k);
            let base = scope::of_host(self.context, self.play, &snapshot, known, layers, &magic, host);
            let scope = scope::of_task(&base, self.play, task);
            if title.is_empty() {
                title = names::of_task(self.play, task, &View::new(&self.context.engine, scope.clone()));
            }
            let ready = self.ready(host, task);
            // A worker that others delegate to must not wait for what comes after.
            let scouts = ready.is_none() && task.keywords.get("delegate_to").is_none();
            let scout = stage.filter(|_| scouts).and_then(|s| self.scout(host, s, &snapshot, &magic));
            jobs.push(Job {
                context: Arc::clone(self.context),
                task: Arc::clone(task),
                title: title.clone(),
                host: host.clone(),
                scope,
                hostvars: Arc::clone(&hostvars),
                ready,
                scout,
            });
        }
        (!jobs.is_empty()).then_some((jobs, title))
    }

    /// The task as it was prepared ahead for a host, when it is what comes next there.
    fn ready(&mut self, host: &str, task: &CompiledTask) -> Option<ReadyTask> {
        let shared = self.context.links.is_shared(host);
        let queue = self.ahead.get_mut(host)?;
        let mut next = queue.pop_front()?;
        if next.task == task.id && !shared && !next.is_dropped() {
            return Some(next);
        }
        queue.push_front(next);
        self.forget(host);
        None
    }

    /// Gives up what was prepared ahead for a host.
    fn forget(&mut self, host: &str) {
        self.ahead.remove(host).iter().flatten().for_each(ReadyTask::cancel);
    }

    fn forget_all(&mut self) {
        self.ahead.drain().flat_map(|(_, queue)| queue).for_each(|ready| ready.cancel());
    }

    /// Who prepares ahead what comes after a stage.
    fn scout(&self, host: &str, stage: usize, snapshot: &Snapshot, magic: &Arc<Layer>) -> Option<Box<Scout>> {
        if self.stepping || self.context.options.one_by_one {
            return None;
        }
        Some(Box::new(Scout {
            play: Arc::clone(self.play),
            next: stage + 1,
            flow: self.flows.get(host)?.clone(),
            known: snapshot.known(host).map(|k| (**k).clone()).unwrap_or_default(),
            snapshot: snapshot.clone(),
            layers: self.batch.layers.get(host).cloned().unwrap_or_default(),
            magic: Arc::clone(magic),
            unordered: self.context.options.check || self.batch.hosts.len() == 1,
            notified: self.handlers.waits_for(host),
        }))
    }

    /// The result of `run_once` counts for all hosts, its variables are set on all.
    fn share(&mut self, task: &CompiledTask, result: &TaskResult, hosts: &[String]) {
        for host in hosts.iter().filter(|h| **h != result.host) {
            self.forget(host);
            self.learn(host, result);
            if result.outcome.status == Status::Failed
                && !result.ignored
                && let Some(flow) = self.flows.get_mut(host)
            {
                flow.fail(&task.path, &self.play.rescued);
            }
        }
    }

    fn learn(&mut self, host: &str, result: &TaskResult) {
        let inject = self.context.options.inject_facts;
        self.world.update(host, |known| {
            if !result.facts.is_empty() {
                known.add_facts(&result.facts, inject);
            }
            for (name, value) in &result.set {
                known.register(&name.to_string(), value.clone());
            }
            if let Some((name, value)) = &result.registered {
                known.register(name, value.clone());
            }
        });
    }

    /// Takes a result into the state that all share.
    fn apply(&mut self, task: &CompiledTask, result: TaskResult) {
        let host = result.host.clone();
        self.learn(&host, &result);
        let unsure = match &result.outcome.status {
            Status::Unknown(reason) => Some(Arc::clone(reason)),
            _ => None,
        };
        for name in &result.notified {
            self.handlers.notify(self.play, name, &host, unsure.clone());
        }
        let counts = self.world.count(&host);
        match &result.outcome.status {
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
            Status::Unreachable => {
                counts.unreachable += 1;
                self.gone.insert(host);
                if result.fatal_for_all {
                    self.fail_all(task);
                }
            }
            Status::Failed if result.ignored => {
                counts.ok += 1;
                counts.ignored += 1;
                if result.outcome.result.get("changed").and_then(Value::as_bool) == Some(true) {
                    counts.changed += 1;
                }
            }
            Status::Failed => self.failed(task, &result),
        }
    }

    /// A failure that counts for all: each host goes on as if it had failed there itself.
    fn fail_all(&mut self, task: &CompiledTask) {
        for flow in self.flows.values_mut().filter(|f| !f.has_failed()) {
            flow.fail(&task.path, &self.play.rescued);
        }
    }

    fn failed(&mut self, task: &CompiledTask, result: &TaskResult) {
        let Some(flow) = self.flows.get_mut(&result.host) else { return };
        if self.handling {
            self.failed_in_handler.insert(result.host.clone());
        }
        self.ahead.remove(&result.host).iter().flatten().for_each(ReadyTask::cancel);
        let rescued = flow.fail(&task.path, &self.play.rescued);
        let counts = self.world.count(&result.host);
        if rescued {
            counts.rescued += 1;
            let failed_task = super::register::failed_task(task, &result.title);
            let value = result.outcome.to_value();
            self.world.update(&result.host, |known| {
                known.register("ansible_failed_task", failed_task);
                known.register("ansible_failed_result", value);
            });
        } else {
            counts.failed += 1;
        }
        if result.fatal_for_all {
            self.fail_all(task);
        }
    }

    fn too_many_failed(&self) -> bool {
        let percentage = match self.play.keywords.value("max_fail_percentage") {
            Some(Value::Int(i)) => *i as f64,
            Some(Value::Float(f)) => *f,
            Some(Value::Str(t)) => t.trim_end_matches('%').parse().unwrap_or(100.0),
            _ => return false,
        };
        let failed = self.flows.values().filter(|f| f.has_failed()).count();
        failed > 0 && (failed as f64 / self.batch.hosts.len().max(1) as f64) * 100.0 > percentage
    }
}

/// Runs jobs at the same time, as many as `forks` allows; in between says who is awaited.
async fn run_jobs(context: &Arc<Context>, jobs: Vec<Job>) -> Vec<TaskResult> {
    let order: BTreeMap<String, usize> = jobs.iter().enumerate().map(|(i, j)| (j.host.clone(), i)).collect();
    let permits = Arc::new(Semaphore::new(context.options.forks.unwrap_or(Semaphore::MAX_PERMITS).max(1)));
    let mut waiting: BTreeSet<String> = order.keys().cloned().collect();
    let mut set = JoinSet::new();
    for job in jobs {
        let permits = Arc::clone(&permits);
        set.spawn(async move {
            let _permit = permits.acquire_owned().await;
            job.run().await
        });
    }
    let started = Instant::now();
    let mut results = Vec::new();
    loop {
        match tokio::time::timeout(SILENCE, set.join_next()).await {
            Ok(Some(Ok(result))) => {
                waiting.remove(&result.host);
                results.push(result);
            }
            Ok(Some(Err(_))) => {}
            Ok(None) => break,
            Err(_) => context.emit(Event::Waiting {
                hosts: waiting.iter().cloned().collect(),
                seconds: started.elapsed().as_secs(),
            }),
        }
    }
    results.sort_by_key(|r| order.get(&r.host).copied());
    results
}
