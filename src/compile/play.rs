//! Compiling one play.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use super::include::Stands;
use super::inherit::{self, Inherited};
use super::roles::{self, AskedFor, Placed, RoleInstance};
use super::{BlockPath, Cluster, ClusterKind, CompiledPlay, CompiledTask, Section, Stage, TagFilter, TaskGraph};
use crate::diag::Diagnostic;
use crate::model::{Map, Origin, Text, Value};
use crate::module::{ControllerTask, Run};
use crate::playbook::{Action, Block, Item, Keywords, Play, Role, RoleImport, Setting, Task};
use crate::template::Engine;
use crate::vars::Level;

/// A play as it was loaded, with all that it needs.
#[derive(Debug)]
pub struct LoadedPlay {
    /// The play.
    pub play: Play,
    /// Keywords of the `import_playbook` statements that led to it, outermost first.
    pub imports: Vec<Keywords>,
    /// The directory of its playbook.
    pub playbook_dir: PathBuf,
    /// Which of the playbooks given it came from.
    pub playbook: usize,
    /// All roles that it uses, by the names they are referred to.
    pub roles: HashMap<String, Arc<Role>>,
    /// Whether defaults and vars of roles are seen by their own tasks only.
    pub private_roles: bool,
    /// Whether all of it could be read. A play that is not sound is compiled for what else is wrong.
    pub sound: bool,
}

/// Compiles a play. `gather` says whether facts are gathered where the play does not;
/// `engine` reads templates, and the files of `template` tasks. Gives what is wrong with it as well;
/// where anything is, the play is good for looking at, not for running.
pub fn compile(
    loaded: &LoadedPlay,
    tags: &TagFilter,
    gather: bool,
    engine: &Arc<Engine>,
) -> (CompiledPlay, Vec<Diagnostic>) {
    let play = &loaded.play;
    let sure = !["ignore_errors", "ignore_unreachable"].iter().any(|name| play.keywords.get(name).is_some());
    let (placed, findings) = match roles::place(&play.roles, &loaded.roles, sure) {
        Ok(placed) => (placed, Vec::new()),
        Err(findings) => (Vec::new(), findings),
    };
    let mut compiler = Compiler { findings, ..Compiler::new(loaded, tags, engine) };
    let mut root = loaded.imports.iter().fold(Inherited::default(), |from, k| from.with(k, Level::Play));
    root = root.with(&play.keywords, Level::Play);
    compiler.play.tags = root.tags.iter().map(|t| t.as_str().to_owned()).collect();
    if wants_facts(play, gather) {
        compiler.gather(play, &root);
    }
    // As in Ansible, what runs handlers between the sections has the tag `always`, and is skipped with it.
    let flush = tags.wants(&BTreeSet::from(["always".to_owned()])).then_some(Stage::Flush);
    compiler.items(&play.pre_tasks, &root);
    compiler.play.stages.extend(flush);
    for placed in &placed {
        compiler.role(placed, &root, (!loaded.private_roles, None), &loaded.roles);
    }
    compiler.items(&play.tasks, &root);
    compiler.play.stages.extend(flush);
    compiler.items(&play.post_tasks, &root);
    compiler.play.stages.extend(flush);
    // Handlers run in this order, and of two with one name the later one answers: those of roles, the
    // play's own, those of roles that its tasks import.
    let cluster = compiler.cluster(ClusterKind::Handlers, None, &play.origin, None);
    let imported = std::mem::take(&mut compiler.imported_handlers);
    compiler.role_handlers(cluster);
    compiler.handlers(&play.handlers, &Inherited { cluster, ..root });
    compiler.role_handlers = imported;
    compiler.role_handlers(cluster);
    compiler.finish(engine)
}

/// What is a template is decided when the play's turn comes.
fn wants_facts(play: &Play, default: bool) -> bool {
    match play.keywords.value("gather_facts") {
        Some(Value::Str(text)) if text.is_template() => true,
        given => given.map_or(default, |v| crate::module::to_bool(v).unwrap_or(default)),
    }
}

pub(super) struct Compiler<'a> {
    pub(super) play: CompiledPlay,
    pub(super) tags: &'a TagFilter,
    pub(super) engine: &'a Arc<Engine>,
    pub(super) findings: Vec<Diagnostic>,
    /// Handlers of roles, each with what it inherits.
    pub(super) role_handlers: Vec<(Inherited, Vec<Item>)>,
    /// Those of roles that tasks import.
    pub(super) imported_handlers: Vec<(Inherited, Vec<Item>)>,
    /// Roles come from statements among tasks.
    pub(super) in_tasks: bool,
}

impl<'a> Compiler<'a> {
    fn new(loaded: &LoadedPlay, tags: &'a TagFilter, engine: &'a Arc<Engine>) -> Self {
        let play = &loaded.play;
        // What an import says wins over the play that it imports, the outermost over all.
        let vars = std::iter::once(&play.keywords)
            .chain(loaded.imports.iter().rev())
            .filter_map(|k| inherit::vars(k, Level::Play))
            .collect();
        let compiled = CompiledPlay {
            origin: play.origin.clone(),
            title: play.title(),
            hosts: play.hosts.clone(),
            keywords: play.keywords.clone(),
            playbook_dir: loaded.playbook_dir.clone(),
            vars,
            playbook: loaded.playbook,
            tags: BTreeSet::new(),
            role_names: play.roles.iter().map(|r| r.name.clone()).collect(),
            roles: Vec::new(),
            tasks: Vec::new(),
            handlers: Vec::new(),
            stages: Vec::new(),
            rescued: Vec::new(),
            clusters: Vec::new(),
            graph: TaskGraph::default(),
        };
        Self {
            play: compiled,
            tags,
            engine,
            findings: Vec::new(),
            role_handlers: Vec::new(),
            imported_handlers: Vec::new(),
            in_tasks: false,
        }
    }

    /// The play's own first task, which gathers facts.
    fn gather(&mut self, play: &Play, root: &Inherited) {
        let Some(module) = crate::modules::find("setup") else { return };
        let mut args = Map::new();
        for name in ["gather_subset", "gather_timeout", "fact_path"] {
            if let Some(value) = play.keywords.value(name) {
                args.insert(name, value.clone());
            }
        }
        let action = Action {
            name: "gather_facts".to_owned(),
            origin: play.origin.clone(),
            module,
            args,
            more: Vec::new(),
            wrong: None,
            missing: None,
            templated: None,
        };
        let mut keywords = Keywords::default();
        let setting = |value: &str| Setting::new(Value::from(value), play.origin.clone());
        keywords.set("name", setting("Gathering Facts"));
        keywords.set("tags", setting("always"));
        let task = Task { origin: play.origin.clone(), keywords, action, looped: None };
        self.task(&task, root);
        if let Some(task) = self.play.tasks.last_mut() {
            Arc::make_mut(task).gathers = true;
        }
    }

    pub(super) fn items(&mut self, items: &[Item], inherited: &Inherited) {
        for item in items {
            match item {
                Item::Task(task) => self.task(task, inherited),
                Item::Block(block) => match &block.file {
                    Some(file) => self.imported(block, file, inherited),
                    None => self.block(block, inherited),
                },
                Item::Role(import) => {
                    let vars = import.reference.keywords.value("vars").and_then(Value::as_map).cloned();
                    self.asked_role(import, vars.unwrap_or_default(), inherited);
                }
            }
        }
    }

    /// Tasks of another file: no block, though they inherit as in one.
    fn imported(&mut self, block: &Block, file: &str, inherited: &Inherited) {
        let mut inner = inherited.with(&block.keywords, Level::Block);
        inner.cluster = self.cluster(ClusterKind::Include, Some(&file.into()), &block.origin, inherited.cluster);
        self.items(&block.main, &inner);
    }

    /// A role that a statement asks for with these variables, those that it depends on before it.
    pub(super) fn asked_role(&mut self, import: &RoleImport, vars: Map, inherited: &Inherited) {
        let mut roles = import.roles.clone();
        roles.insert(import.reference.name.clone(), Arc::clone(&import.role));
        match roles::place(std::slice::from_ref(&import.reference), &roles, false) {
            Ok(placed) => {
                let before = std::mem::replace(&mut self.in_tasks, true);
                let asked = AskedFor { path: import.role.path.clone(), from: import.from.clone(), vars };
                let asked = (Arc::new(asked), import.once);
                for placed in &placed {
                    let asked = Some(&asked).filter(|_| placed.chain.len() == 1);
                    self.role(placed, inherited, (import.public, asked), &roles);
                }
                self.in_tasks = before;
            }
            Err(findings) => self.findings.extend(findings),
        }
    }

    /// Appends the handlers of roles.
    pub(super) fn role_handlers(&mut self, cluster: Option<usize>) {
        for (inherited, handlers) in std::mem::take(&mut self.role_handlers) {
            self.handlers(&handlers, &Inherited { cluster, ..inherited });
        }
    }

    fn block(&mut self, block: &Block, inherited: &Inherited) {
        let id = self.play.rescued.len();
        self.play.rescued.push(!block.rescue.is_empty());
        let inner = inherited.with(&block.keywords, Level::Block);
        let name = match block.keywords.value("name") {
            Some(Value::Str(name)) if !name.is_empty() => Some(name),
            _ => None,
        };
        let cluster = self.cluster(ClusterKind::Block, name, &block.origin, inherited.cluster);
        for (section, items) in
            [(Section::Main, &block.main), (Section::Rescue, &block.rescue), (Section::Always, &block.always)]
        {
            let mut inner = inner.clone();
            inner.path.push((id, section));
            inner.cluster = match section.name() {
                None => cluster,
                Some(name) => self.cluster(ClusterKind::Section, Some(&name.into()), &block.origin, cluster),
            };
            self.items(items, &inner);
        }
    }

    /// A new cluster's number.
    pub(super) fn cluster(
        &mut self,
        kind: ClusterKind,
        title: Option<&Text>,
        origin: &Origin,
        parent: Option<usize>,
    ) -> Option<usize> {
        let title = title.cloned().unwrap_or_else(|| kind.name().into());
        self.play.clusters.push(Cluster { kind, title, parent, origin: origin.clone() });
        Some(self.play.clusters.len() - 1)
    }

    fn task(&mut self, task: &Task, inherited: &Inherited) {
        let stands = Stands { in_role: inherited.role.is_some(), handler: false };
        super::include::check(task, stands, &mut self.findings);
        let mut compiled = build(task, inherited, self.play.tasks.len());
        self.check_missing(&mut compiled);
        super::tags::render(&mut compiled, &self.play, self.tags, self.engine);
        if self.tags.wants(&compiled.tags) {
            self.play.stages.push(Stage::Task(compiled.id));
            self.play.tasks.push(Arc::new(compiled));
        }
    }

    /// Required arguments that are not there, unless `module_defaults` has some for the module. A
    /// task whose failure is dealt with fails in its turn.
    fn check_missing(&mut self, task: &mut CompiledTask) {
        let Some(finding) = task.action.missing.take() else { return };
        if !super::module_defaults(&task.module_defaults, task.action.module, &task.action.name).is_empty() {
            return;
        }
        let ignored = task.keywords.value("ignore_errors").is_some_and(|v| crate::module::to_bool(v) != Some(false));
        let rescued = |(block, section): &(usize, Section)| {
            *section == Section::Main && self.play.rescued.get(*block).copied().unwrap_or(false)
        };
        if ignored || task.path.iter().any(rescued) {
            task.action.wrong = Some(finding);
        } else {
            self.findings.push(*finding);
        }
    }

    /// A role; `asked` is what a statement asks for, and whether only once.
    fn role(
        &mut self,
        placed: &Placed<'_>,
        root: &Inherited,
        (public, asked): (bool, Option<&(Arc<AskedFor>, bool)>),
        roles: &HashMap<String, Arc<Role>>,
    ) {
        let index = self.play.roles.len();
        let parents = placed.chain.iter().rev().skip(1).rev().map(|r| r.name.clone()).collect();
        // A role that a statement asks for is run each time; those that it depends on are not.
        let identity = placed.identity().filter(|_| asked.is_none());
        let first = self.play.roles.iter().position(|r| identity.is_some() && r.identity == identity);
        let (mut around, mut included_by) = (Vec::new(), Vec::new());
        if let Some(outer) = root.role.and_then(|outer| self.play.roles.get(outer)) {
            around.extend(outer.around.iter().chain([&outer.defaults, &outer.vars]).cloned());
            included_by.push((outer.name.clone(), outer.path.clone()));
            included_by.extend(outer.included_by.iter().cloned());
        }
        around.extend(placed.around(roles));
        self.play.roles.push(RoleInstance {
            name: placed.role.name.clone(),
            path: placed.role.path.clone(),
            defaults: roles::layer(placed.role, Level::RoleDefaults),
            vars: roles::layer(placed.role, Level::Role),
            parents,
            public,
            asked_for: asked.map(|(asked, _)| Arc::clone(asked)),
            once: asked.is_some_and(|(_, once)| *once),
            dependencies: placed.role.dependencies.iter().map(|r| r.name.clone()).collect(),
            same: identity.as_ref().map(|_| first.unwrap_or(index)),
            identity,
            around,
            included_by,
        });
        let mut inherited = root.clone();
        for reference in &placed.chain {
            // `vars:` are a block's; only other keys are parameters, which win over facts.
            inherited = inherited.with(&reference.keywords, Level::Block);
            if !reference.params.is_empty() {
                inherited.vars.push(inherit::layer(&reference.params, Level::RoleParams, &reference.origin));
            }
        }
        inherited.role = Some(index);
        let place = placed.chain.last().map_or(&self.play.origin, |reference| &reference.origin).clone();
        let title = placed.role.name.as_str().into();
        inherited.cluster = self.cluster(ClusterKind::Role, Some(&title), &place, root.cluster);
        self.items(&placed.role.tasks, &inherited);
        let handlers = if self.in_tasks { &mut self.imported_handlers } else { &mut self.role_handlers };
        handlers.push((inherited, placed.role.handlers.clone()));
    }

    pub(super) fn handlers(&mut self, items: &[Item], inherited: &Inherited) {
        for item in items {
            match item {
                Item::Task(task) => {
                    let stands = Stands { in_role: inherited.role.is_some(), handler: true };
                    super::include::check(task, stands, &mut self.findings);
                    if matches!(task.action.module.run, Run::Controller(ControllerTask::IncludeRole)) {
                        self.findings.push(
                            Diagnostic::error("Using 'include_role' as a handler is not supported.")
                                .at(task.action.origin.clone())
                                .hint("put the role's handlers under `handlers:` of a role that the play uses"),
                        );
                    }
                    let id = self.play.handlers.len();
                    let mut compiled = build(task, inherited, id);
                    self.check_missing(&mut compiled);
                    self.play.handlers.push(Arc::new(compiled));
                }
                Item::Block(block) => {
                    if !block.rescue.is_empty() || !block.always.is_empty() {
                        self.findings.push(
                            Diagnostic::error("a block with `rescue` or `always` among handlers is not supported yet")
                                .at(block.origin.clone()),
                        );
                    }
                    let inner = inherited.with(&block.keywords, Level::Block);
                    self.handlers(&block.main, &inner);
                }
                Item::Role(import) => self.findings.push(
                    Diagnostic::error("Using 'import_role' as a handler is not supported.")
                        .at(import.reference.origin.clone())
                        .hint("put the role's handlers under `handlers:` of a role that the play uses"),
                ),
            }
        }
    }

    fn finish(mut self, engine: &Engine) -> (CompiledPlay, Vec<Diagnostic>) {
        self.check_notified();
        self.play.number();
        if self.findings.is_empty() {
            self.play.graph = TaskGraph::build(&self.play, engine);
        }
        (self.play, self.findings)
    }

    /// A handler that is notified and does not exist is an error in Ansible, when the task
    /// changes something; here it is found before.
    fn check_notified(&mut self) {
        if !self.tags.needs_handlers() {
            return;
        }
        let names: BTreeSet<String> =
            self.play.handlers.iter().flat_map(|h| handler_names(h, &self.play.roles)).collect();
        // Names that are known only later, and handlers that only an include brings.
        let later = self.play.tasks.iter().chain(&self.play.handlers).any(|task| task.inside.is_some());
        let any_templated = later || names.iter().any(|n| n.contains("{{"));
        for task in self.play.tasks.iter().chain(&self.play.handlers) {
            for wanted in &task.notify {
                if wanted.is_template() || any_templated || names.contains(wanted.as_str()) {
                    continue;
                }
                let at: Option<Origin> = wanted.origin().cloned().or_else(|| Some(task.origin.clone()));
                self.findings.push(handler_not_found(wanted.as_str(), names.iter().map(String::as_str)).at(at));
            }
        }
    }
}

/// The finding that there is no handler of a name, with the nearest of those that there are.
pub fn handler_not_found<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Diagnostic {
    Diagnostic::error(format!(
        "The requested handler '{name}' was not found in either the main handlers list nor in the listening handlers list"
    ))
    .suggest(name, names)
}

/// The names that a handler answers to: its own and what it listens to, with and without its role
/// before them.
pub fn handler_names(handler: &CompiledTask, roles: &[RoleInstance]) -> Vec<String> {
    handler_names_as(handler, handler.name.as_ref().map(Text::as_str), roles)
}

/// The names that a handler answers to whose own name has been rendered.
pub fn handler_names_as(handler: &CompiledTask, own: Option<&str>, roles: &[RoleInstance]) -> Vec<String> {
    let mut names: Vec<String> = own.map(str::to_owned).into_iter().collect();
    names.extend(inherit::texts(handler.keywords.value("listen"), false).iter().map(|t| t.as_str().to_owned()));
    if let Some(role) = handler.role.and_then(|r| roles.get(r)) {
        let short = Some(role.short_name()).filter(|short| *short != role.name);
        let of_role = |prefix: &str| names.iter().map(|name| format!("{prefix} : {name}")).collect::<Vec<_>>();
        let full: Vec<String> = std::iter::once(&*role.name).chain(short).flat_map(of_role).collect();
        names.extend(full);
    }
    names
}

/// Whether tasks come out of it when it runs.
const fn is_include(run: Run) -> bool {
    matches!(run, Run::Controller(ControllerTask::IncludeTasks | ControllerTask::IncludeRole))
}

fn build(task: &Task, inherited: &Inherited, id: usize) -> CompiledTask {
    let all = inherited.with(&task.keywords, Level::Task);
    // What is the task's own stands beside what it inherits.
    let mut keywords = all.keywords;
    for (name, setting) in task.keywords.iter() {
        if keywords.get(name).is_none_or(|known| known.value != setting.value) {
            keywords.set(name, setting.clone());
        }
    }
    let name = match task.keywords.value("name") {
        Some(Value::Str(name)) => Some(name.clone()),
        _ => None,
    };
    let path: BlockPath = inherited.path.clone();
    CompiledTask {
        id,
        name,
        origin: task.origin.clone(),
        role: inherited.role,
        action: task.action.clone(),
        looped: task.looped.clone(),
        keywords,
        when: all.when,
        environment: all.environment,
        module_defaults: all.module_defaults,
        tags: all.tags.iter().map(|t| t.as_str().to_owned()).collect(),
        vars: all.vars,
        notify: all.notify,
        path,
        cluster: inherited.cluster,
        gathers: false,
        inside: is_include(task.action.module.run).then(|| Arc::new(inherited.clone())),
        magic: std::sync::OnceLock::new(),
    }
}
