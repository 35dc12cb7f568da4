//! Statements that put other files in their place when a playbook is read: `import_tasks`
//! and `import_role`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Machine;
use super::project::Loader;
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::model::{Map, Origin, Text, Value, Vars};
use crate::playbook::{self, Block, Findings, Item, Keywords, Place, RoleFrom, RoleImport, RoleRef, Task, to_bool};
use crate::template::{Engine, Templar};
use crate::vars::{Layer, Level, Scope};

/// Imports within imports end here.
const MAX_DEPTH: usize = 60;

/// Keywords of a task that have no meaning for what is put in its place.
const NOT_HANDED_DOWN: [&str; 11] = [
    "name",
    "action",
    "local_action",
    "args",
    "loop",
    "loop_control",
    "register",
    "until",
    "retries",
    "delay",
    "listen",
];

/// Where tasks stand, for what they import.
#[derive(Clone)]
pub(super) struct At<'a> {
    /// The playbook's directory.
    pub playbook_dir: &'a Path,
    /// The role's directory.
    pub role: Option<&'a Path>,
    /// The files that led here, the innermost last.
    pub files: Vec<PathBuf>,
    /// Variables that names of files may read.
    pub vars: Vec<Arc<Layer>>,
    /// Tasks or handlers.
    pub place: Place,
    /// Collections that are searched for roles, in order.
    pub collections: Vec<String>,
}

impl Loader<'_> {
    /// Puts what is imported in its place.
    pub(super) fn expand(&mut self, items: Vec<Item>, at: &At<'_>) -> Vec<Item> {
        items.into_iter().filter_map(|item| self.expand_one(item, at)).collect()
    }

    fn expand_one(&mut self, item: Item, at: &At<'_>) -> Option<Item> {
        match item {
            Item::Block(mut block) => {
                for part in [&mut block.main, &mut block.rescue, &mut block.always] {
                    *part = self.expand(std::mem::take(part), at);
                }
                Some(Item::Block(block))
            }
            Item::Task(task) => match task.action.module.name {
                "import_tasks" => self.import_tasks(&task, at),
                "import_role" => self.import_role(&task, at),
                _ => Some(Item::Task(task)),
            },
            other => Some(other),
        }
    }

    /// What an import cannot have: it happens once, before there are hosts.
    fn check_import(&mut self, task: &Task) -> bool {
        let name = &task.action.name;
        if let Some(looped) = &task.looped {
            let instead = name.replace("import_", "include_");
            self.errors.push(
                Diagnostic::error(format!(
                    "You cannot use loops on '{name}' statements. You should use '{instead}' instead."
                ))
                .at(looped.setting.origin.clone()),
            );
            return false;
        }
        true
    }

    fn argument(&mut self, task: &Task, name: &str, at: &At<'_>) -> Option<Text> {
        match self.rendered(task, name, at) {
            Some(Value::Str(text)) => Some(text),
            None | Some(Value::Bool(_) | Value::Null) => {
                let missing = task.action.missing.as_deref().or(task.action.wrong.as_deref());
                self.errors.extend(missing.cloned());
                None
            }
            Some(other) => Some(Text::from(format!("{other:?}"))),
        }
    }

    /// A flag; nothing when it is not given.
    fn flag(&mut self, task: &Task, name: &str, at: &At<'_>) -> Option<bool> {
        self.rendered(task, name, at).as_ref().and_then(to_bool)
    }

    /// An argument, rendered with what is known before there are hosts.
    fn rendered(&mut self, task: &Task, name: &str, at: &At<'_>) -> Option<Value> {
        let Some(value) = task.action.args.get(name) else {
            let missing = task.action.missing.as_deref().or(task.action.wrong.as_deref());
            self.errors.extend(missing.cloned());
            return None;
        };
        let Value::Str(text) = value else { return Some(value.clone()) };
        if !text.is_template() {
            return Some(value.clone());
        }
        let own = task.keywords.value("vars").and_then(Value::as_map).cloned().unwrap_or_default();
        let own = Layer::new(Level::Task, "vars of the import", Vars::from(own));
        let layers = at.vars.iter().cloned().chain([own, Arc::clone(self.extra), place_vars(at)]);
        let templar = Templar::new(
            Arc::new(Engine::new(Arc::new(Machine::new(self.vault())))),
            Arc::new(Scope::builder().layers(layers).build()),
        );
        let rendered: Checked<Value> = templar.render(&Value::Str(text.clone())).map_err(|e| {
            Diagnostic::from(e)
                .hint(format!(
                    "what is imported is read before there are hosts: only -e and `vars` are known; use {} for names that depend on a host",
                    task.action.name.replace("import_", "include_")
                ))
                .into()
        });
        self.take(rendered)
    }

    fn import_tasks(&mut self, task: &Task, at: &At<'_>) -> Option<Item> {
        if !self.check_import(task) {
            return None;
        }
        let name = self.argument(task, "file", at)?;
        let path = self.find_tasks(&name, at, &task.action.origin)?;
        if at.files.contains(&path) || at.files.len() > MAX_DEPTH {
            let chain: Vec<String> = at.files.iter().map(|f| f.display().to_string()).collect();
            self.errors.push(
                Diagnostic::error(format!("{} imports itself", path.display()))
                    .at(task.action.origin.clone())
                    .hint(format!("it is reached through {}", chain.join(" → "))),
            );
            return None;
        }
        let items = self.task_file(&path, at.place)?;
        let mut inner = at.clone();
        inner.files.push(path.clone());
        let main = self.expand(items, &inner);
        Some(Item::Block(Box::new(Block {
            origin: task.origin.clone(),
            keywords: handed_down(&task.keywords),
            main,
            rescue: Vec::new(),
            always: Vec::new(),
            file: Some(path.display().to_string()),
        })))
    }

    /// A file of tasks, as Ansible searches it: beside the one that asks, then further out.
    fn find_tasks(&mut self, name: &str, at: &At<'_>, origin: &Origin) -> Option<PathBuf> {
        let dirs = search_dirs(&at.files, at.role, at.playbook_dir, at.place);
        match dirs.iter().map(|dir| dir.join(name)).find(|path| path.is_file()) {
            Some(path) => Some(path),
            None => {
                self.errors.push(not_found(name, &dirs, origin));
                None
            }
        }
    }

    /// The tasks in a file.
    pub(super) fn task_file(&mut self, path: &Path, place: Place) -> Option<Vec<Item>> {
        let documents = self.read(path, "the file of tasks")?;
        let mut findings = Findings::default();
        let items = documents.first().map(|node| playbook::parse_tasks(node, place, &mut findings)).unwrap_or_default();
        self.note(findings);
        Some(items)
    }

    fn import_role(&mut self, task: &Task, at: &At<'_>) -> Option<Item> {
        if !self.check_import(task) {
            return None;
        }
        let name = if task.action.args.contains("role") { "role" } else { "name" };
        let name = self.argument(task, name, at)?;
        let mut from = RoleFrom::default();
        for (argument, place) in from.places() {
            if task.action.args.contains(argument) {
                *place = self.argument(task, argument, at)?.as_str().to_owned();
            }
        }
        let reference = RoleRef {
            name: name.as_str().to_owned(),
            origin: task.action.origin.clone(),
            keywords: handed_down(&task.keywords),
            params: Map::new(),
        };
        if at.files.len() > MAX_DEPTH {
            self.errors.push(Diagnostic::error("roles import each other without end").at(reference.origin));
            return None;
        }
        from.validate = self.flag(task, "rolespec_validate", at).unwrap_or(true);
        let import = self.role_import(reference, &from, at)?;
        let public = self.flag(task, "public", at).unwrap_or(!self.config.private_role_vars.value);
        let once = self.flag(task, "allow_duplicates", at) == Some(false);
        Some(Item::Role(Box::new(RoleImport { public, once, ..import })))
    }

    /// A role to be put in a place, with those that it depends on.
    pub(super) fn role_import(&mut self, reference: RoleRef, from: &RoleFrom, at: &At<'_>) -> Option<RoleImport> {
        let named = |keywords: &Keywords| {
            let names = keywords.value("collections").and_then(Value::as_list).unwrap_or_default();
            names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        let mut at = at.clone();
        at.collections.splice(..0, named(&reference.keywords));
        let (name, path) = self.find_role(&reference, &at)?;
        let role = self.role_at(&name, path, from, &at)?;
        let inside = At { role: Some(&role.path), ..at };
        let roles = self.roles_of(&role.dependencies, &inside);
        Some(RoleImport { reference, role: Arc::clone(&role), roles, public: true, from: from.clone(), once: false })
    }
}

/// What Ansible itself says of the place that a statement stands in.
fn place_vars(at: &At<'_>) -> Arc<Layer> {
    let shown = |path: &Path| path.display().to_string();
    let mut vars = Vars::from_iter([("playbook_dir", Value::from(shown(at.playbook_dir)))]);
    if let Some(role) = at.role {
        vars.set("role_path", shown(role), None);
        vars.set("role_name", role.file_name().unwrap_or_default().to_string_lossy().into_owned(), None);
    }
    Layer::new(Level::Magic, "rplay", vars)
}

/// Where a file of tasks is looked for.
pub(super) fn search_dirs(files: &[PathBuf], role: Option<&Path>, playbook_dir: &Path, place: Place) -> Vec<PathBuf> {
    let folder = if place == Place::Handler { "handlers" } else { "tasks" };
    let mut dirs: Vec<PathBuf> = files.iter().rev().filter_map(|f| f.parent().map(Path::to_owned)).collect();
    if let Some(role) = role {
        dirs.push(role.join(folder));
        // A handler may include a file of the role's tasks.
        dirs.extend((place == Place::Handler).then(|| role.join("tasks")));
        dirs.push(role.to_owned());
    }
    dirs.extend([playbook_dir.join(folder), playbook_dir.to_owned()]);
    dirs.dedup();
    dirs
}

/// The finding for a file of tasks that is nowhere.
pub(super) fn not_found(name: &str, dirs: &[PathBuf], origin: &Origin) -> Diagnostic {
    let near = dirs.iter().find_map(|dir| super::near_name(&dir.join(name)));
    let first = dirs.first().map(|dir| dir.join(name)).unwrap_or_default();
    let finding =
        Diagnostic::error(format!("Could not find or access '{}' on the Ansible Controller.", first.display()))
            .at(origin.clone())
            .exit(ExitCode::Error);
    let finding = match near {
        Some(near) => finding.hint(format!("did you mean `{near}`?")),
        None => finding,
    };
    let searched: Vec<String> = dirs.iter().map(|d| d.display().to_string()).filter(|dir| !dir.is_empty()).collect();
    finding.hint(format!("searched in {}", searched.join(", ")))
}

/// The keywords of an import that hold for all that it brings.
fn handed_down(keywords: &Keywords) -> Keywords {
    let mut down = Keywords::default();
    for (name, setting) in keywords.iter().filter(|(name, _)| !NOT_HANDED_DOWN.contains(name)) {
        down.set(name, setting.clone());
    }
    down
}
