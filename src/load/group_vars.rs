//! `group_vars/` and `host_vars/` beside inventories and playbooks.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Files, load_vars};
use crate::diag::{Checked, Diagnostic};
use crate::inventory::Inventory;
use crate::model::Vars;
use crate::vars::{FileVars, MoreVars, Side};

/// Endings of files with variables; the first that is found for a name is the one.
const ENDINGS: [&str; 4] = ["", ".yml", ".yaml", ".json"];
/// Folders in folders: a link that leads back to itself ends here.
const MAX_DEPTH: usize = 20;

/// Reads the folders beside `dirs`, of one side, for the groups and hosts of an inventory.
/// Returns warnings.
///
/// # Errors
/// All that is wrong with the files.
pub fn load_group_vars(
    files: &Files,
    inventory: &Inventory,
    side: Side,
    dirs: &[PathBuf],
    into: &mut FileVars,
) -> Checked<Vec<Diagnostic>> {
    let groups = inventory.groups().map(|g| g.name.as_str()).collect();
    let hosts: HashSet<&str> = inventory.hosts().map(|h| h.name.as_str()).chain(crate::inventory::LOCALHOST).collect();
    read(files, &groups, &hosts, side, dirs, into)
}

/// Reads the same folders for groups and hosts that come up later.
pub struct VarsFolders {
    files: Arc<Files>,
    inventory: Vec<PathBuf>,
    playbooks: Vec<PathBuf>,
}

impl VarsFolders {
    /// The folders beside the inventory's sources and beside the playbooks.
    pub const fn new(files: Arc<Files>, inventory: Vec<PathBuf>, playbooks: Vec<PathBuf>) -> Self {
        Self { files, inventory, playbooks }
    }
}

impl std::fmt::Debug for VarsFolders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VarsFolders").field("inventory", &self.inventory).finish_non_exhaustive()
    }
}

impl MoreVars for VarsFolders {
    fn load(&self, groups: &[&str], hosts: &[&str], into: &mut FileVars) -> Checked<Vec<Diagnostic>> {
        let (groups, hosts) = (groups.iter().copied().collect(), hosts.iter().copied().collect());
        let mut warnings = read(&self.files, &groups, &hosts, Side::Inventory, &self.inventory, into)?;
        warnings.extend(read(&self.files, &groups, &hosts, Side::Playbook, &self.playbooks, into)?);
        Ok(warnings)
    }
}

fn read(
    files: &Files,
    groups: &HashSet<&str>,
    hosts: &HashSet<&str>,
    side: Side,
    dirs: &[PathBuf],
    into: &mut FileVars,
) -> Checked<Vec<Diagnostic>> {
    let mut reader = Reader { files, warnings: Vec::new(), errors: Vec::new() };
    let mut seen = HashSet::new();
    for dir in dirs.iter().filter(|dir| seen.insert((*dir).clone())) {
        let group_files = reader.folder(&dir.join("group_vars"), groups.iter().copied());
        let host_files = reader.folder(&dir.join("host_vars"), hosts.iter().copied());
        let paths: Vec<PathBuf> = group_files.iter().chain(&host_files).map(|(_, path)| path.clone()).collect();
        files.prefetch(&paths);
        for (group, path) in group_files {
            match reader.vars(&path) {
                Ok(vars) => into.add_group(side, &group, &path.display().to_string(), vars),
                Err(locked) => into.lock_group(&group, locked),
            }
        }
        for (host, path) in host_files {
            match reader.vars(&path) {
                Ok(vars) => into.add_host(side, &host, &path.display().to_string(), vars),
                Err(locked) => into.lock_host(&host, locked),
            }
        }
    }
    if reader.errors.is_empty() { Ok(reader.warnings) } else { Err(reader.errors) }
}

/// The files that hold the variables `name` of a folder (of a role): one file, or all of a folder
/// of that name, in the order in which they are merged.
///
/// # Errors
/// When a folder cannot be read.
pub(super) fn files_of(files: &Files, folder: &Path, name: &str) -> Checked<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut reader = Reader { files, warnings: Vec::new(), errors: Vec::new() };
    let found = reader.folder(folder, [name]);
    if reader.errors.is_empty() { Ok(found.into_iter().map(|(_, path)| path).collect()) } else { Err(reader.errors) }
}

struct Reader<'a> {
    files: &'a Files,
    warnings: Vec<Diagnostic>,
    errors: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// A file's variables, or what keeps an encrypted one from being read: that matters to its group or
    /// host alone. Of others all that is wrong is said.
    fn vars(&mut self, path: &Path) -> Result<Vars, Diagnostic> {
        match load_vars(self.files, path) {
            Ok(loaded) => {
                self.warnings.extend(loaded.warnings);
                Ok(loaded.vars)
            }
            Err(found) => match found.first() {
                Some(first) if self.files.is_encrypted(path) => Err(first.clone()),
                _ => {
                    self.errors.extend(found);
                    Ok(Vars::new())
                }
            },
        }
    }

    fn list(&mut self, dir: &Path) -> Vec<String> {
        match self.files.list(dir) {
            Ok(names) => names.unwrap_or_default(),
            Err(found) => {
                self.errors.extend(found);
                Vec::new()
            }
        }
    }

    /// The files of each name in a folder, in the order in which they are merged.
    fn folder<'n>(&mut self, dir: &Path, names: impl IntoIterator<Item = &'n str>) -> Vec<(String, PathBuf)> {
        if dir.is_file() {
            self.warnings.push(Diagnostic::warning(format!("{} is no directory, and is ignored", dir.display())));
            return Vec::new();
        }
        let there: HashMap<String, PathBuf> = self.list(dir).into_iter().map(|n| (n.clone(), dir.join(n))).collect();
        let mut found = Vec::new();
        for name in names {
            let first = ENDINGS.iter().find_map(|ending| there.get(&format!("{name}{ending}")));
            let Some(path) = first else { continue };
            if path.is_dir() {
                let mut inside = Vec::new();
                self.inside(path, 0, &mut inside);
                found.extend(inside.into_iter().map(|path| (name.to_owned(), path)));
            } else {
                found.push((name.to_owned(), path.clone()));
            }
        }
        // Warnings and errors come in the order of paths, whatever the order of names is.
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }

    /// The files below a folder, sorted, without hidden ones and backups.
    fn inside(&mut self, dir: &Path, depth: usize, found: &mut Vec<PathBuf>) {
        if depth > MAX_DEPTH {
            self.errors.push(Diagnostic::error(format!("{} is nested too deeply", dir.display())));
            return;
        }
        for name in self.list(dir) {
            if name.starts_with('.') || name.ends_with('~') {
                continue;
            }
            let path = dir.join(&name);
            let ending = name.rfind('.').and_then(|at| name.get(at..)).unwrap_or("");
            if path.is_dir() {
                if ending.is_empty() {
                    self.inside(&path, depth + 1, found);
                }
            } else if ENDINGS.contains(&ending) {
                found.push(path);
            }
        }
    }
}
