//! Hosts that go through a play in step: a task acts on one only when all are done with the
//! task before. That is the strategy `linear`; `free` lets each host go alone (`strategy.rs`).

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, PoisonError};

use super::ahead::ReadyTask;
use super::flow::Flow;
use super::handlers::Handlers;
use super::lagging::{Frame, Lagging};
use super::looping::Job;
use super::play::{Batch, gathers};
use super::scope::{self, Moment, magic};
use super::shared::{Limits, Shared};
use super::teller::Teller;
use super::view::View;
use super::world::World;
use super::{Context, StepAnswer, jobs, names};
use crate::compile::{BlockPath, CompiledPlay, CompiledTask, Course, RoleInstance, Stage};
use crate::event::{Event, TaskKind};
use crate::model::{Outcome, Value};
use crate::module::{ControllerTask, Run, to_bool};
use crate::vars::{HostLayers, HostVars, Layer, Scope};

/// Why a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All its tasks are done.
    Done,
    /// No host is left, or a failure counts for all.
    Stop,
}

/// Takes hosts through a play in step.
pub struct Linear {
    pub(super) context: Arc<Context>,
    /// The play, with the roles and handlers that includes have brought.
    pub(super) play: Arc<CompiledPlay>,
    pub(super) world: Arc<World>,
    pub(super) batch: Arc<Batch>,
    /// Those of the batch that go in step here.
    pub(super) hosts: Vec<String>,
    /// What all who go through this play share.
    pub(super) shared: Shared,
    pub(super) teller: Arc<Teller>,
    pub(super) flows: HashMap<String, Flow>,
    /// What was prepared ahead, by host.
    pub(super) ahead: HashMap<String, VecDeque<ReadyTask>>,
    pub(super) gone: BTreeSet<String>,
    /// Where hosts stopped that could not be reached.
    pub(super) lagging: Lagging,
    pub(super) handlers: Handlers,
    /// Hosts that failed in a handler: `force_handlers` does not take them on.
    pub(super) failed_in_handler: BTreeSet<String>,
    /// Handlers are being run.
    pub(super) handling: bool,
    /// The place of the `meta: flush_handlers` that runs them.
    pub(super) flushes_at: BlockPath,
    pub(super) stepping: bool,
    /// Hosts that `meta` has taken out of the play.
    pub(super) ended: BTreeSet<String>,
    /// Roles that `meta: end_role` has ended, by host.
    pub(super) ended_roles: BTreeSet<(String, usize)>,
    /// On which hosts a role has run: the first of its instances, and the one that did.
    pub(super) roles_run: BTreeMap<(String, usize), usize>,
    /// The roles of which tasks have run, by host.
    pub(super) roles_seen: BTreeMap<String, BTreeSet<usize>>,
    /// How many includes are within one another.
    pub(super) depth: usize,
    /// The task that `--start-at-task` names has come, or none was named.
    pub(super) started: bool,
    /// The inventory that it was last seen with.
    inventory: Arc<HostLayers>,
    /// What the play says of each host.
    pub(super) grounds: HashMap<String, Scope>,
    /// Magic variables, and the state of the world that they tell of.
    magic: Option<(u64, Arc<Layer>)>,
}

/// What `meta` has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The play.
    Play,
    /// The batch.
    Batch,
}

/// Where a task stands: its course, and the stage in it.
#[derive(Clone)]
pub(super) struct Turn {
    pub course: Arc<Course>,
    pub stage: usize,
    pub kind: TaskKind,
}

impl Linear {
    pub fn new(
        context: &Arc<Context>,
        play: &Arc<CompiledPlay>,
        world: &Arc<World>,
        batch: &Arc<Batch>,
        hosts: Vec<String>,
        (shared, teller): (Shared, Arc<Teller>),
    ) -> Self {
        Self {
            context: Arc::clone(context),
            play: Arc::clone(play),
            world: Arc::clone(world),
            batch: Arc::clone(batch),
            flows: hosts.iter().map(|h| (h.clone(), Flow::default())).collect(),
            hosts,
            stepping: context.stepper.is_some() && !shared.alone,
            shared,
            teller,
            ahead: HashMap::new(),
            gone: BTreeSet::new(),
            lagging: Lagging::default(),
            handlers: Handlers::default(),
            failed_in_handler: BTreeSet::new(),
            handling: false,
            flushes_at: BlockPath::default(),
            ended: BTreeSet::new(),
            ended_roles: BTreeSet::new(),
            roles_run: BTreeMap::new(),
            roles_seen: BTreeMap::new(),
            depth: 0,
            started: context.options.start_at.is_none(),
            inventory: context.hosts.now(),
            grounds: HashMap::new(),
            magic: None,
        }
    }

    /// Hosts that failed, and those that were lost.
    pub fn losses(&self) -> (Vec<String>, Vec<String>) {
        let failed = self.hosts.iter().filter(|h| self.flows.get(*h).is_some_and(Flow::has_failed));
        (failed.cloned().collect(), self.gone.iter().cloned().collect())
    }

    /// What has ended before its last task.
    pub fn over(&self) -> Option<Over> {
        *self.shared.over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn end(&self, what: Over) {
        *self.shared.over.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
    }

    /// Runs all stages.
    pub async fn run(&mut self) -> End {
        let course = Arc::new(Course::of(&self.play));
        let mut end = self.course(course, TaskKind::Task, None, 0).await;
        if end == End::Done && self.over().is_none() {
            end = self.catch_up().await.unwrap_or(end);
        }
        self.forget_all();
        self.note_lost();
        end
    }

    /// Runs the stages of a course, from one of them on; only on the hosts `within`, when they are given.
    pub(super) fn course<'s>(
        &'s mut self,
        course: Arc<Course>,
        kind: TaskKind,
        within: Option<&'s BTreeSet<String>>,
        from: usize,
    ) -> Pin<Box<dyn Future<Output = End> + Send + 's>> {
        Box::pin(async move {
            self.lagging.enter(Frame { course: Arc::clone(&course), stage: from, kind });
            let end = self.stages(&course, kind, within, from).await;
            self.lagging.leave();
            end
        })
    }

    async fn stages(
        &mut self,
        course: &Arc<Course>,
        kind: TaskKind,
        within: Option<&BTreeSet<String>>,
        from: usize,
    ) -> End {
        for (number, stage) in course.stages.iter().enumerate().skip(from) {
            self.lagging.at(number);
            match stage {
                Stage::Task(index) => {
                    let Some(task) = course.tasks.get(*index) else { continue };
                    let turn = Turn { course: Arc::clone(course), stage: number, kind };
                    self.task_stage(task, &turn, within).await;
                }
                Stage::Flush => {
                    let failed = |h: &&String| self.flows.get(*h).is_some_and(Flow::has_failed);
                    let only = within.map(|hosts| hosts.iter().filter(|h| !failed(h)).cloned().collect::<Vec<_>>());
                    self.flush(only.as_deref()).await;
                }
            }
            if self.over().is_some() {
                break;
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
    async fn task_stage(&mut self, task: &Arc<CompiledTask>, turn: &Turn, within: Option<&BTreeSet<String>>) {
        if !self.started && !self.starts_here(task) {
            return;
        }
        let mut hosts = self.entering(task);
        hosts.retain(|host| within.is_none_or(|within| within.contains(host)));
        if task.gathers {
            hosts.retain(|host| gathers(&self.context, &self.play, &self.batch, &self.world, host));
        }
        if hosts.is_empty() {
            return;
        }
        if matches!(task.action.module.run, Run::Controller(ControllerTask::Meta)) {
            self.meta(task, &hosts).await;
        } else {
            self.run_task(task, &hosts, Some(turn.clone()), turn.kind).await;
        }
    }

    /// Whether `--start-at-task` names this task.
    fn starts_here(&mut self, task: &CompiledTask) -> bool {
        let Some(wanted) = &self.context.options.start_at else { return true };
        let title = task.title();
        let role = task.role.and_then(|r| self.play.roles.get(r));
        let full = role.map(|r| format!("{} : {}", r.name, title.as_str()));
        let matches = |name: &str| wanted == name || crate::load::shell_match(wanted, name);
        self.started = matches(title.as_str()) || full.is_some_and(|f| matches(&f));
        self.started
    }

    fn entering(&mut self, task: &CompiledTask) -> Vec<String> {
        let (gone, ended, roles, run) = (&self.gone, &self.ended, &self.ended_roles, &self.roles_run);
        let lagging = &self.lagging;
        let same = task.role.and_then(|role| Some((role, self.play.roles.get(role)?.same?)));
        let (seen, all) = (&self.roles_seen, &self.play.roles);
        let once = task.role.and_then(|role| Some((role, all.get(role).filter(|role| role.once)?)));
        let elsewhere = |host: &str, (role, instance): (usize, &RoleInstance)| {
            let mut others = seen.get(host).into_iter().flatten().filter(|other| **other != role);
            others.any(|other| all.get(*other).is_some_and(|other| other.asked_for == instance.asked_for))
        };
        let flows = &mut self.flows;
        let left = |host: &str| {
            once.is_some_and(|once| elsewhere(host, once))
                || gone.contains(host)
                || lagging.waits(host)
                || ended.contains(host)
                || task.role.is_some_and(|role| roles.contains(&(host.to_owned(), role)))
                || same.is_some_and(|(role, first)| run.get(&(host.to_owned(), first)).is_some_and(|ran| *ran != role))
        };
        let alive = self.hosts.iter().filter(|h| !left(h));
        alive.filter(|h| flows.get_mut(*h).is_some_and(|flow| flow.enter(&task.path))).cloned().collect()
    }

    fn all_lost(&self) -> bool {
        self.hosts.iter().all(|h| self.gone.contains(h) || self.flows.get(h).is_some_and(Flow::has_failed))
    }

    /// Tells the others who is out of the play here. Returns the state of the world.
    fn note_lost(&self) -> u64 {
        let lost = |h: &String| {
            self.gone.contains(h) || self.ended.contains(h) || self.flows.get(h).is_some_and(Flow::has_failed)
        };
        self.world.note_lost(self.hosts.iter().map(|h| (h, lost(h))))
    }

    /// Magic variables of the play as it stands.
    pub(super) fn magic(&mut self) -> Arc<Layer> {
        let now = self.context.hosts.now();
        if !Arc::ptr_eq(&now, &self.inventory) {
            self.inventory = now;
            self.renew();
        }
        let version = self.note_lost();
        match &self.magic {
            Some((known, layer)) if *known == version => Arc::clone(layer),
            _ => {
                let active = |hosts: &[String]| {
                    let mut active = self.world.alive(hosts);
                    active.retain(|host| !self.batch.lost.contains(host));
                    active
                };
                let (alive, batch) = (active(&self.batch.all), active(&self.batch.hosts));
                let layer = magic::shared(&self.context, &self.play, &self.batch.all, &batch, &alive);
                self.magic = Some((version, Arc::clone(&layer)));
                layer
            }
        }
    }

    /// The play has more roles, or the inventory has changed: what was made of them is made anew.
    pub(super) fn renew(&mut self) {
        self.grounds.clear();
        self.magic = None;
    }

    /// What a host sees now.
    pub(super) fn moment(&mut self, host: &str) -> Moment {
        let magic = self.magic();
        let hostvars = self.world.everyone(&self.context, &magic);
        self.moment_of(host, magic, hostvars)
    }

    fn moment_of(&mut self, host: &str, magic: Arc<Layer>, hostvars: Arc<dyn HostVars>) -> Moment {
        let ground = match self.grounds.get(host) {
            Some(ground) => ground.clone(),
            None => {
                let files = self.batch.files.layers(host);
                let ground = scope::of_play(&self.world, &self.context, &self.play, &files, host);
                self.grounds.insert(host.to_owned(), ground.clone());
                ground
            }
        };
        Moment { ground, known: self.world.known(host), magic, hostvars }
    }

    pub(super) async fn run_task(
        &mut self,
        task: &Arc<CompiledTask>,
        hosts: &[String],
        turn: Option<Turn>,
        kind: TaskKind,
    ) {
        if !task.gathers {
            self.tell_of_missing_files();
        }
        if task.keywords.get("delegate_to").is_some() {
            // It may change any host.
            self.forget_all();
        }
        let Some((mut jobs, title)) = self.jobs(task, hosts, turn.as_ref()) else { return };
        if self.stepping && !self.step(&title).await {
            return;
        }
        let once = self.runs_once(task, jobs.first());
        let limits = match self.limits(task, jobs.first()) {
            Ok(limits) => limits,
            Err(words) => {
                self.teller.task(task.id, Event::TaskStarted { name: title, kind, path: task.origin.to_string() });
                jobs.iter().for_each(|job| self.fails_on(task, &job.host, &Outcome::failed(words.as_str()), None));
                return;
            }
        };
        let speaks = speaks_for_all(task);
        if once || speaks {
            jobs.truncate(1);
        }
        self.teller.task(task.id, Event::TaskStarted { name: title, kind, path: task.origin.to_string() });
        let mut results = jobs::run(&self.context, jobs, &limits, self.shared.alone).await;
        let included = self.included(&mut results);
        for mut result in results {
            self.ahead.entry(result.host.clone()).or_default().append(&mut result.ahead);
            if once {
                self.share(task, &result, hosts);
            }
            result.fatal_for_all |= speaks;
            self.apply(task, result);
        }
        if self.shared.goes_on().is_ok() {
            self.include_all(task, included, kind).await;
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
        // A play's facts are those of each of its hosts.
        let may = !self.shared.alone && !task.gathers;
        let Some(value) = task.keywords.value("run_once").filter(|_| may) else { return false };
        let view = job.map(|j| View::new(&self.context.engine, j.scope.clone()));
        let rendered = view.and_then(|v| v.render(value).ok().flatten());
        rendered.as_ref().and_then(to_bool).unwrap_or(false)
    }

    /// How many hosts may be at this task: `forks`, and `throttle` where it is less.
    fn limits(&self, task: &CompiledTask, job: Option<&Job>) -> Result<Limits, String> {
        let value = task.keywords.value("throttle");
        let view = job.filter(|_| value.is_some()).map(|j| View::new(&self.context.engine, j.scope.clone()));
        let wrong = |why: String| format!("Failed to convert the throttle value to an integer: {why}");
        let rendered = match view.zip(value) {
            Some((view, value)) => {
                view.render(value).map_err(|e| wrong(super::explain::explain(&crate::diag::Diagnostic::from(e))))?
            }
            None => None,
        };
        let throttle = match rendered {
            Some(Value::Int(i)) => usize::try_from(i).ok(),
            Some(Value::Str(text)) => {
                let why = format!("invalid literal for int() with base 10: '{}'", text.as_str());
                Some(text.trim().parse().map_err(|_| wrong(why))?)
            }
            _ => None,
        };
        let throttle = if in_order(task) { Some(1) } else { throttle.filter(|n| *n > 0) };
        Ok(self.shared.limits(task.id, throttle))
    }

    fn jobs(&mut self, task: &Arc<CompiledTask>, hosts: &[String], turn: Option<&Turn>) -> Option<(Vec<Job>, String)> {
        let mut jobs: Vec<Job> = Vec::with_capacity(hosts.len());
        let mut title = String::new();
        let magic = self.magic();
        let hostvars = self.world.everyone(&self.context, &magic);
        for host in hosts {
            let moment = self.moment_of(host, Arc::clone(&magic), Arc::clone(&hostvars));
            let scope = moment.of_task(&self.play, task);
            if title.is_empty() {
                title = names::of_task(&self.play, task, &View::new(&self.context.engine, scope.clone()));
            }
            let ready = self.ready(host, task);
            // A worker that others delegate to must not wait for what comes after.
            let scouts = ready.is_none() && task.keywords.get("delegate_to").is_none();
            let scout = turn.filter(|_| scouts).and_then(|turn| self.scout(host, turn, moment));
            jobs.push(Job {
                context: Arc::clone(&self.context),
                teller: Arc::clone(&self.teller),
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
}

/// Whether a task acts once, on its first host, whatever it says of `run_once`; its result is
/// that host's alone.
fn speaks_for_all(task: &CompiledTask) -> bool {
    matches!(task.action.module.run, Run::Controller(ControllerTask::AddHost | ControllerTask::Pause))
}

/// Whether hosts come one after the other: what they do shows in the order of a list.
fn in_order(task: &CompiledTask) -> bool {
    matches!(task.action.module.run, Run::Controller(ControllerTask::GroupBy))
}
