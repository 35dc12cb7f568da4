//! Playbooks with all that they refer to: imported playbooks and roles.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::imports::At;
use super::{Config, Files, Machine, collection_playbook, load_vars};
use crate::compile::LoadedPlay;
use crate::diag::{Checked, Diagnostic, ExitCode, Severity};
use crate::model::{Origin, Value, Vars};
use crate::playbook::{
    self, Entry, Findings, Import, Keywords, Place, Play, Role, RoleFiles, RoleFrom, RoleRef, collection_of,
};
use crate::template::{Engine, Templar};
use crate::vars::{Layer, Level, Scope};
use crate::yaml::{self, Node};

/// Imports within imports end here: a playbook that imports itself.
const MAX_DEPTH: usize = 50;

/// Plays that were loaded, what was accepted and is probably not meant, and what is wrong.
#[derive(Debug, Default)]
pub struct Project {
    /// The plays in order, as far as they could be read.
    pub plays: Vec<LoadedPlay>,
    /// Errors: with any of them, nothing may be run.
    pub errors: Vec<Diagnostic>,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
}

/// Loads playbooks, and finds all that is wrong with them and with what they refer to. Names of
/// imported ones may be templates that read `extra`, what `-e` gives.
pub fn load_project(files: &Files, config: &Config, playbooks: &[PathBuf], extra: &Arc<Layer>) -> Project {
    let mut loader = Loader::new(files, config, extra);
    for (number, path) in playbooks.iter().enumerate() {
        loader.number = number;
        loader.playbook(path, &[], 0, None);
    }
    Project { errors: loader.errors, ..loader.project }
}

pub(super) struct Loader<'a> {
    files: &'a Files,
    pub(super) config: &'a Config,
    pub(super) extra: &'a Arc<Layer>,
    /// Which of the playbooks given is being read.
    number: usize,
    pub(super) project: Project,
    pub(super) errors: Vec<Diagnostic>,
    /// Roles by their folder and the files of it that are read.
    roles: HashMap<(PathBuf, RoleFrom), Option<Arc<Role>>>,
    /// The roles that are being read, the outermost first.
    reading: Vec<(PathBuf, RoleFrom)>,
    /// What roles depend on that something is wrong with, by their folder.
    unsound: HashMap<PathBuf, Vec<RoleRef>>,
    /// Such a role was asked for again.
    broken: bool,
}

impl<'a> Loader<'a> {
    pub(super) fn new(files: &'a Files, config: &'a Config, extra: &'a Arc<Layer>) -> Self {
        Self {
            files,
            config,
            extra,
            number: 0,
            project: Project::default(),
            errors: Vec::new(),
            roles: HashMap::new(),
            reading: Vec::new(),
            unsound: HashMap::new(),
            broken: false,
        }
    }
}

impl Loader<'_> {
    pub(super) fn vault(&self) -> Arc<crate::vault::Vault> {
        self.files.vault()
    }

    /// Keeps what was found.
    pub(super) fn note(&mut self, findings: Findings) {
        let (errors, warnings): (Vec<_>, Vec<_>) =
            findings.into_vec().into_iter().partition(|found| found.severity == Severity::Error);
        self.errors.extend(errors);
        self.project.warnings.extend(warnings);
    }

    pub(super) fn take<T>(&mut self, result: Checked<T>) -> Option<T> {
        result.map_err(|findings| self.errors.extend(findings)).ok()
    }

    pub(super) fn read(&mut self, path: &Path, what: &str) -> Option<Vec<Node>> {
        let source = self.files.read(path, what);
        let source = self.take(source)?;
        let loaded = self.take(yaml::load(&source))?;
        self.project.warnings.extend(loaded.warnings);
        Some(loaded.documents)
    }

    fn playbook(&mut self, path: &Path, imports: &[Keywords], depth: usize, from: Option<&Origin>) {
        if depth > MAX_DEPTH {
            self.errors.push(Diagnostic::error("playbooks import each other without end").at(from.cloned()));
            return;
        }
        if let Some(origin) = from.filter(|_| !path.is_file()) {
            self.errors.push(
                Diagnostic::error(format!("could not find the imported playbook: {}", path.display()))
                    .at(origin.clone())
                    .exit(ExitCode::Error),
            );
            return;
        }
        let Some(documents) = self.read(path, "the playbook") else { return };
        let parsed = playbook::parse_playbook(&documents, &path.display().to_string());
        let (entries, findings) = parsed;
        self.note(findings);
        let dir = std::path::absolute(path).ok().and_then(|p| p.parent().map(Path::to_owned)).unwrap_or_default();
        for entry in entries {
            match entry {
                Entry::Import(import) => self.import(&import, &dir, imports, depth),
                Entry::Play(mut play) => {
                    let before = self.errors.len();
                    self.broken = false;
                    let at = At {
                        playbook_dir: &dir,
                        role: None,
                        files: vec![path.to_owned()],
                        vars: play_vars(&play, imports),
                        place: Place::Task,
                        collections: searched(play.keywords.value("collections"), path),
                    };
                    play.roles = self.with_full_names(std::mem::take(&mut play.roles), &at);
                    let roles = self.roles_of(&play.roles, &at);
                    for part in [&mut play.pre_tasks, &mut play.tasks, &mut play.post_tasks] {
                        *part = self.expand(std::mem::take(part), &at);
                    }
                    play.handlers =
                        self.expand(std::mem::take(&mut play.handlers), &At { place: Place::Handler, ..at });
                    let sound = play.sound && !self.broken && self.errors.len() == before;
                    play.roles.retain(|reference| roles.contains_key(&reference.name));
                    self.project.plays.push(LoadedPlay {
                        play: *play,
                        imports: imports.to_vec(),
                        playbook_dir: dir.clone(),
                        playbook: self.number,
                        roles,
                        private_roles: self.config.private_role_vars.value,
                        sound,
                    });
                }
            }
        }
    }

    fn import(&mut self, import: &Import, dir: &Path, imports: &[Keywords], depth: usize) {
        let rendered = self.render(import);
        let Some(file) = self.take(rendered) else { return };
        let mut all = imports.to_vec();
        all.push(import.keywords.clone());
        let path = dir.join(&file);
        let shipped = || collection_playbook(self.config, dir, &file);
        let path = if path.is_file() { path } else { shipped().unwrap_or(path) };
        self.playbook(&path, &all, depth + 1, Some(&import.origin));
    }

    /// The file that an import names, with what `-e` and the import's own `vars` give.
    fn render(&self, import: &Import) -> Checked<String> {
        if !import.file.is_template() {
            return Ok(import.file.as_str().to_owned());
        }
        let own = import.keywords.get("vars").and_then(|setting| setting.value.as_map()).cloned().unwrap_or_default();
        let own = Layer::new(Level::Play, "vars of the import", Vars::from(own));
        let scope = Scope::builder().layers([own, Arc::clone(self.extra)]).build();
        let templar = Templar::new(Arc::new(Engine::new(Arc::new(Machine::new(self.files.vault())))), Arc::new(scope));
        match templar.render(&Value::Str(import.file.clone())) {
            Ok(Value::Str(file)) if !file.is_empty() => Ok(file.as_str().to_owned()),
            Ok(_) => Err(Diagnostic::error("import_playbook takes a file's name").at(import.origin.clone()).into()),
            Err(e) => Err(Diagnostic::from(e)
                .hint("an imported playbook is read before there are hosts: only -e and its own `vars` are known")
                .into()),
        }
    }

    /// All roles that references lead to, by the names they are referred to.
    pub(super) fn roles_of(&mut self, refs: &[RoleRef], at: &At<'_>) -> HashMap<String, Arc<Role>> {
        let mut found: HashMap<String, Arc<Role>> = HashMap::new();
        // Each with the folder of the role that depends on it.
        let mut todo: Vec<(RoleRef, Option<PathBuf>)> =
            refs.iter().map(|reference| (reference.clone(), at.role.map(Path::to_owned))).collect();
        todo.reverse();
        let mut failed: Vec<String> = Vec::new();
        while let Some((reference, owner)) = todo.pop() {
            if found.contains_key(&reference.name) || failed.contains(&reference.name) {
                continue;
            }
            let at = At { files: Vec::new(), place: Place::Task, role: owner.as_deref(), ..at.clone() };
            let path = self.find_role(&reference, &at);
            let Some((name, path)) = path else {
                failed.push(reference.name);
                continue;
            };
            match self.role_at(&name, path.clone(), &RoleFrom::default(), &at) {
                Some(role) => {
                    todo.extend(role.dependencies.iter().map(|r| (r.clone(), Some(role.path.clone()))));
                    found.insert(reference.name, role);
                }
                None => {
                    // What it depends on is looked at all the same.
                    let dependencies = self.unsound.get(&path).into_iter().flatten();
                    todo.extend(dependencies.map(|r| (r.clone(), Some(path.clone()))));
                    failed.push(reference.name);
                }
            }
        }
        found
    }

    /// The role in a folder, read once.
    pub(super) fn role_at(&mut self, name: &str, path: PathBuf, from: &RoleFrom, at: &At<'_>) -> Option<Arc<Role>> {
        let key = (path, from.clone());
        if let Some(known) = self.roles.get(&key) {
            self.broken |= known.is_none();
            return known.clone();
        }
        if self.reading.contains(&key) {
            let chain: Vec<String> = self.reading.iter().map(|(p, _)| p.display().to_string()).collect();
            self.errors.push(
                Diagnostic::error(format!("the role {name} imports itself"))
                    .hint(format!("it is reached through {}", chain.join(" → "))),
            );
            return None;
        }
        self.reading.push(key.clone());
        let role = self.load_role(name, &key.0, from, at).map(Arc::new);
        self.reading.pop();
        self.roles.insert(key, role.clone());
        role
    }

    /// The parsed files of a role.
    fn role_files(&mut self, path: &Path, from: &RoleFrom) -> RoleFiles {
        let mut files = RoleFiles::default();
        for (folder, file) in [("tasks", &*from.tasks), ("handlers", &*from.handlers), ("meta", "main")] {
            let found = role_file(&path.join(folder), file);
            if let Some(found) =
                found.as_ref().filter(|f| !super::files::tidy(f).starts_with(super::files::tidy(&path.join(folder))))
            {
                let words = format!(
                    "Failed to load {}, as it is not inside the expected role path: {}",
                    super::files::tidy(found).display(),
                    path.join(folder).display()
                );
                self.errors.push(Diagnostic::error(words));
                continue;
            }
            if found.is_none() && file != "main" {
                let words = format!("Could not find specified file in role: {folder}/{file}");
                self.errors.push(Diagnostic::error(words).hint(format!("the role is in {}", path.display())));
            }
            if let Some(file) = found {
                let first = self.read(&file, "the role's file").and_then(|d| d.into_iter().next());
                if let Some(document) = first {
                    files.documents.insert(folder, document);
                }
            }
        }
        files
    }

    fn load_role(&mut self, name: &str, path: &Path, from: &RoleFrom, at: &At<'_>) -> Option<Role> {
        let before = self.errors.len();
        let files = self.role_files(path, from);
        let mut findings = Findings::default();
        let mut tasks = |folder, place| {
            let node = files.documents.get(folder);
            node.map(|n| playbook::parse_tasks(n, place, &mut findings)).unwrap_or_default()
        };
        let (tasks, handlers) = (tasks("tasks", Place::Task), tasks("handlers", Place::Handler));
        let meta = files.meta(&mut findings);
        self.note(findings);
        let defaults = self.role_vars(&path.join("defaults"), &from.defaults);
        let vars = self.role_vars(&path.join("vars"), &from.vars);
        let mut seen = at.vars.clone();
        seen.push(Layer::new(Level::RoleDefaults, "defaults of the role", Arc::clone(&defaults)));
        seen.push(Layer::new(Level::Role, "vars of the role", Arc::clone(&vars)));
        let inside = |folder: &str, file: &str, place| At {
            playbook_dir: at.playbook_dir,
            role: Some(path),
            files: role_file(&path.join(folder), file).into_iter().collect(),
            vars: seen.clone(),
            place,
            collections: collection_of(path).into_iter().chain(meta.collections.iter().cloned()).collect(),
        };
        let dependencies = self.with_full_names(meta.dependencies, &inside("meta", "main", Place::Task));
        let mut tasks = self.expand(tasks, &inside("tasks", &from.tasks, Place::Task));
        let checked = self.validation(name, path, from, files.documents.get("meta"));
        tasks.splice(..0, checked);
        let handlers = self.expand(handlers, &inside("handlers", &from.handlers, Place::Handler));
        if self.errors.len() > before {
            self.unsound.insert(path.to_owned(), dependencies);
            return None;
        }
        Some(Role {
            name: name.to_owned(),
            path: path.to_owned(),
            tasks,
            handlers,
            defaults,
            vars,
            dependencies,
            allow_duplicates: meta.allow_duplicates,
        })
    }

    fn role_vars(&mut self, folder: &Path, name: &str) -> Arc<Vars> {
        let found = super::group_vars::files_of(self.files, folder, name);
        let mut vars = Vars::new();
        for file in self.take(found).unwrap_or_default() {
            let loaded = load_vars(self.files, &file);
            let Some(loaded) = self.take(loaded) else { continue };
            self.project.warnings.extend(loaded.warnings);
            vars.extend(loaded.vars);
        }
        Arc::new(vars)
    }
}

/// A file of a role's folder, `main` by any of its names.
pub(super) fn role_file(folder: &Path, name: &str) -> Option<PathBuf> {
    let endings = [".yml", ".yaml", "", ".json"];
    endings.iter().map(|ending| folder.join(format!("{name}{ending}"))).find(|p| p.is_file())
}

/// The variables of a play that names of imported files may read.
fn play_vars(play: &Play, imports: &[Keywords]) -> Vec<Arc<Layer>> {
    // What an import says wins over the play that it imports, the outermost over all.
    let keywords = std::iter::once(&play.keywords).chain(imports.iter().rev());
    let vars = keywords.map(|keywords| keywords.value("vars").and_then(Value::as_map).cloned().unwrap_or_default());
    vars.map(|vars| Layer::new(Level::Play, "vars of the play", Vars::from(vars))).collect()
}

/// The collections that are searched for roles: those that the play names, and the one that its
/// playbook is in.
fn searched(named: Option<&Value>, playbook: &Path) -> Vec<String> {
    let named = match named {
        Some(Value::List(items)) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
        Some(Value::Str(name)) => vec![name.as_str().to_owned()],
        _ => Vec::new(),
    };
    let full = std::path::absolute(playbook).unwrap_or_else(|_| playbook.to_owned());
    named.into_iter().chain(collection_of(&full)).collect()
}
