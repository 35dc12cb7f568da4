//! Tasks that come into a play while it runs: `include_tasks` and `include_role`.

use std::path::PathBuf;
use std::sync::Arc;

use super::play::Compiler;
use super::{AskedFor, ClusterKind, CompiledPlay, CompiledTask, RoleInstance, Stage, TagFilter, TaskGraph, barrier};
use crate::diag::{Checked, Diagnostic};
use crate::model::{Map, Origin, Text, Value, Vars};
use crate::module::{ControllerTask, Run};
use crate::playbook::{Item, KEYWORDS, Keywords, RoleFrom, RoleImport, Setting};
use crate::template::Engine;
use crate::vars::{Layer, Level};

/// Tasks in their order, as one after the other runs them.
#[derive(Debug, Default)]
pub struct Course {
    /// The tasks.
    pub tasks: Vec<Arc<CompiledTask>>,
    /// What comes after what; tasks by their index in `tasks`.
    pub stages: Vec<Stage>,
    /// Which of the tasks wait for their turn, whatever they do: barriers.
    pub barriers: Vec<bool>,
}

impl Course {
    /// A play's own tasks.
    pub fn of(play: &CompiledPlay) -> Self {
        Self {
            tasks: play.tasks.clone(),
            stages: play.stages.clone(),
            barriers: play.tasks.iter().map(|task| play.graph.barrier(task.id).is_some()).collect(),
        }
    }
}

/// Where an include stands, for what it names.
#[derive(Debug, Clone)]
pub struct IncludeAt {
    /// The statement.
    pub origin: Origin,
    /// The directory of the role that it stands in.
    pub role: Option<PathBuf>,
    /// The playbook's directory.
    pub playbook_dir: PathBuf,
    /// Whether it is a handler.
    pub handler: bool,
    /// Collections that its play searches.
    pub collections: Vec<String>,
}

/// Reads what is included, each file once.
pub trait Includes: Send + Sync {
    /// The tasks of a file, and warnings about it the first time that it is read.
    ///
    /// # Errors
    /// When it is nowhere, or something is wrong with it.
    fn tasks(&self, name: &str, at: &IncludeAt) -> Checked<(What, Vec<Diagnostic>)>;

    /// A role; `public` says whether its variables are seen by what comes after it, where the
    /// statement says so.
    ///
    /// # Errors
    /// When it is nowhere, or something is wrong with it.
    fn role(
        &self,
        name: &str,
        from: &RoleFrom,
        public: Option<bool>,
        at: &IncludeAt,
    ) -> Checked<(What, Vec<Diagnostic>)>;
}

/// What is included.
#[derive(Debug, Clone)]
pub enum What {
    /// The tasks of a file.
    Tasks(Arc<Vec<Item>>, String),
    /// A role.
    Role(Arc<RoleImport>),
}

/// What an include brings.
#[derive(Debug)]
pub struct Included {
    /// Its tasks.
    pub course: Course,
    /// The play's roles with those that it brings.
    pub roles: Vec<RoleInstance>,
    /// Whether each block has a rescue section, the new ones included.
    pub rescued: Vec<bool>,
    /// The play's handlers with those that it brings.
    pub handlers: Vec<Arc<CompiledTask>>,
    /// The role that is asked for.
    pub asked: Option<Arc<AskedFor>>,
}

/// Compiles what a task of a play includes. `apply` are keywords for all its tasks, `item`
/// the variables of its loop; `numbers` takes so many numbers that no task of the play has, and returns the
/// first of them.
///
/// # Errors
/// All that is wrong with it.
pub fn include(
    play: &CompiledPlay,
    task: &CompiledTask,
    what: &What,
    (apply, item): (&Keywords, &Map),
    (tags, engine): (&TagFilter, &Arc<Engine>),
    numbers: &dyn Fn(usize) -> usize,
) -> Checked<Included> {
    let fresh = CompiledPlay {
        tasks: Vec::new(),
        stages: Vec::new(),
        handlers: Vec::new(),
        graph: TaskGraph::default(),
        ..play.clone()
    };
    let mut compiler = Compiler {
        play: fresh,
        tags,
        engine,
        findings: Vec::new(),
        role_handlers: Vec::new(),
        imported_handlers: Vec::new(),
        in_tasks: false,
    };
    let around = task.inside.as_deref().cloned().unwrap_or_default();
    let mut inner = around.with(apply, Level::Block);
    let own = task.vars.iter().filter(|layer| !around.vars.iter().any(|v| Arc::ptr_eq(v, layer)));
    let own = own.map(|layer| Layer::new(Level::IncludeParams, Arc::clone(&layer.label), Arc::clone(&layer.vars)));
    let looped = Layer::new(Level::IncludeParams, "loop of the include", Vars::from(item.clone()));
    inner.vars.extend(own.chain([looped]));
    match what {
        What::Tasks(items, file) => {
            let parent = inner.cluster;
            inner.cluster =
                compiler.cluster(ClusterKind::Include, Some(&Text::new(file.as_str())), &task.origin, parent);
            compiler.items(items, &inner);
        }
        What::Role(import) => {
            let given = task.keywords.value("vars").and_then(Value::as_map).cloned().unwrap_or_default();
            let looped = item.iter().map(|(name, value)| (name.clone(), value.clone()));
            compiler.asked_role(import, given.into_iter().chain(looped).collect(), &inner);
        }
    }
    compiler.role_handlers = std::mem::take(&mut compiler.imported_handlers);
    compiler.role_handlers(None);
    finish(compiler, play, engine, numbers)
}

fn finish(
    compiler: Compiler<'_>,
    play: &CompiledPlay,
    engine: &Engine,
    numbers: &dyn Fn(usize) -> usize,
) -> Checked<Included> {
    if !compiler.findings.is_empty() {
        return Err(compiler.findings);
    }
    let CompiledPlay { mut tasks, stages, handlers: new, roles, rescued, .. } = compiler.play;
    let mut handlers = play.handlers.clone();
    handlers.extend(new);
    let first = numbers(tasks.len() + handlers.len() - play.handlers.len());
    let added = handlers.iter_mut().skip(play.handlers.len());
    for (id, task) in (first..).zip(tasks.iter_mut().chain(added)) {
        Arc::make_mut(task).id = id;
    }
    let barriers =
        tasks.iter().map(|task| barrier::of(task, || super::reads::direct(task, engine)).is_some()).collect();
    // Those that it depends on come before it, and are not asked for.
    let asked = roles.iter().skip(play.roles.len()).find_map(|role| role.asked_for.clone());
    Ok(Included { course: Course { tasks, stages, barriers }, roles, rescued, handlers, asked })
}

/// The keywords that `apply` gives to all included tasks.
///
/// # Errors
/// When one of them is none.
pub fn applied(task: &CompiledTask) -> Result<Keywords, Box<Diagnostic>> {
    let mut keywords = Keywords::default();
    let Some(Value::Map(map)) = task.action.args.get("apply") else { return Ok(keywords) };
    for (name, value) in map.iter() {
        let name = name.to_string();
        let Some(known) = KEYWORDS.iter().find(|k| k.name == name) else {
            let names = KEYWORDS.iter().map(|k| k.name);
            let finding = Diagnostic::error(format!("'{name}' is not a valid attribute for a Block"));
            return Err(Box::new(finding.at(task.action.origin.clone()).suggest(&name, names)));
        };
        keywords.set(known.name, Setting::new(value.clone(), task.action.origin.clone()));
    }
    Ok(keywords)
}

/// Keywords that may stand at an `include_…`; others go into `apply`.
const OF_INCLUDES: [&str; 18] = [
    "action",
    "args",
    "collections",
    "debugger",
    "ignore_errors",
    "loop",
    "loop_control",
    "name",
    "no_log",
    "register",
    "run_once",
    "tags",
    "timeout",
    "vars",
    "when",
    "local_action",
    "listen",
    "notify",
];

/// What `meta` can be asked for.
const META: [&str; 10] = [
    "clear_facts",
    "clear_host_errors",
    "end_batch",
    "end_host",
    "end_play",
    "end_role",
    "flush_handlers",
    "noop",
    "refresh_inventory",
    "reset_connection",
];

/// What is wrong with a `meta` task.
fn check_meta(task: &crate::playbook::Task, stands: Stands, findings: &mut Vec<Diagnostic>) {
    let given = task.action.args.get("_raw_params").and_then(Value::as_str).unwrap_or_default().trim();
    let at = task.action.origin.clone();
    if !META.contains(&given) {
        let finding = Diagnostic::error(format!("invalid meta action requested: {given}")).at(at);
        findings.push(finding.suggest(given, META));
    } else if given == "flush_handlers" && stands.handler {
        let hint = "handlers that a handler notifies run in the same pass";
        findings.push(Diagnostic::error("flush_handlers cannot be used as a handler").at(at).hint(hint));
    } else if given == "end_role" && stands.handler {
        findings.push(Diagnostic::error("Cannot execute 'end_role' from a handler").at(at));
    } else if given == "end_role" && !stands.in_role {
        findings.push(Diagnostic::error("Cannot execute 'end_role' from outside of a role").at(at));
    }
}

/// Where a task stands.
#[derive(Clone, Copy)]
pub(super) struct Stands {
    /// In a role.
    pub in_role: bool,
    /// Among handlers.
    pub handler: bool,
}

/// What is wrong with the keywords of an include.
pub(super) fn check(task: &crate::playbook::Task, stands: Stands, findings: &mut Vec<Diagnostic>) {
    let dynamic =
        matches!(task.action.module.run, Run::Controller(ControllerTask::IncludeTasks | ControllerTask::IncludeRole));
    if matches!(task.action.module.run, Run::Controller(ControllerTask::Meta)) {
        check_meta(task, stands, findings);
    }
    if !dynamic {
        return;
    }
    for (name, setting) in task.keywords.iter().filter(|(name, _)| !OF_INCLUDES.contains(name)) {
        findings.push(
            Diagnostic::error(format!("'{name}' is not a valid attribute for a TaskInclude"))
                .at(setting.origin.clone())
                .hint(format!("for the tasks that it includes write `apply: {{{name}: …}}` among its arguments")),
        );
    }
}
