//! Inventory sources: files, directories of files, lists of hosts.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::Environment;
use super::{Config, Files};
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::inventory::{Builder, Inventory, limit_from_file};
use crate::model::Source;
use crate::yaml;

/// An inventory with the directories whose `group_vars` and `host_vars` belong to it.
#[derive(Debug, Clone, Default)]
pub struct LoadedInventory {
    /// Hosts and groups.
    pub inventory: Inventory,
    /// Directories of the sources, in order.
    pub dirs: Vec<PathBuf>,
    /// What was accepted and is probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// Reads the sources that `-i` gives, or else those of the configuration.
///
/// # Errors
/// All that is wrong with the sources.
pub fn load_inventory(
    files: &Files,
    environment: &Environment,
    config: &Config,
    given: &[String],
) -> Checked<LoadedInventory> {
    let mut reader = Reader { files, builder: Builder::new(), dirs: Vec::new(), errors: Vec::new(), config };
    let mut warnings = Vec::new();
    let defaulted = given.is_empty() && config.inventory.is_default();
    let sources = if given.is_empty() { &config.inventory.value } else { given };
    for source in sources {
        let path = environment.path(source, &environment.cwd);
        if source.contains(',') && !path.exists() {
            reader.builder.host_list(source, "--inventory");
        } else if defaulted && !path.exists() {
            warnings.push(
                Diagnostic::warning("no inventory was given, only the implicit localhost is available")
                    .hint("give one with `-i FILE`, or `-i host,` with a comma for a single host"),
            );
        } else if !path.exists() && !source.contains('/') {
            reader.errors.push(
                Diagnostic::error(format!("cannot read the inventory {source}: there is no such file"))
                    .exit(ExitCode::Error)
                    .hint(format!("for a host of that name write `-i {source},` with a comma")),
            );
        } else {
            reader.source(&path, true, 0);
        }
    }
    let Reader { builder, dirs, mut errors, .. } = reader;
    match builder.finish() {
        Ok(inventory) if errors.is_empty() => {
            warnings.extend(inventory.warnings().iter().cloned());
            Ok(LoadedInventory { inventory, dirs, warnings })
        }
        Ok(_) => Err(errors),
        Err(found) => {
            errors.extend(found);
            Err(errors)
        }
    }
}

/// Reads the files that `--limit` names with `@`.
///
/// # Errors
/// When a file cannot be read.
pub fn limit(files: &Files, environment: &Environment, text: &str) -> Checked<String> {
    if !text.contains('@') {
        return Ok(text.to_owned());
    }
    let mut parts = Vec::new();
    for part in text.split(',') {
        match part.trim().strip_prefix('@') {
            Some(path) => {
                let source = files.read(&environment.path(path, &environment.cwd), "the limit file")?;
                parts.push(limit_from_file(&source.text));
            }
            None => parts.push(part.to_owned()),
        }
    }
    Ok(parts.join(","))
}

/// Names in an inventory directory that are never sources.
const BESIDE: [&str; 3] = ["group_vars", "host_vars", "vars_plugins"];
/// Directories in directories: a link that leads back to itself ends here.
const MAX_DEPTH: usize = 20;

struct Reader<'a> {
    files: &'a Files,
    builder: Builder,
    dirs: Vec<PathBuf>,
    errors: Vec<Diagnostic>,
    config: &'a Config,
}

impl Reader<'_> {
    fn source(&mut self, path: &Path, given: bool, depth: usize) {
        if depth > MAX_DEPTH {
            self.errors.push(Diagnostic::error(format!("{} is nested too deeply", path.display())));
            return;
        }
        match self.files.list(path) {
            Ok(Some(names)) => self.directory(path, &names, depth),
            Ok(None) => {
                let dir = path.parent().unwrap_or_else(|| Path::new("/"));
                self.dirs.push(dir.to_owned());
                if let Err(found) = self.file(path, given) {
                    self.errors.extend(found);
                }
            }
            Err(found) => self.errors.extend(found),
        }
    }

    fn directory(&mut self, path: &Path, names: &[String], depth: usize) {
        self.dirs.push(path.to_owned());
        for name in names {
            let ignored = self.config.inventory_ignore_extensions.value.iter().any(|end| name.ends_with(end.as_str()));
            if !ignored && !name.starts_with('.') && !BESIDE.contains(&name.as_str()) {
                self.source(&path.join(name), false, depth + 1);
            }
        }
    }

    fn file(&mut self, path: &Path, given: bool) -> Checked<()> {
        refuse_script(path)?;
        let what = if given { "the inventory" } else { "the inventory's file" };
        let source = self.files.read(path, what)?;
        if source.text.starts_with("#!") {
            return Err(script(path).into());
        }
        match path.extension().and_then(|e| e.to_str()) {
            Some("yml" | "yaml" | "json") => self.builder.yaml(&source),
            Some("toml") => {
                return Err(Diagnostic::error(format!(
                    "{}: inventories in TOML are not supported yet",
                    path.display()
                ))
                .hint("write it as YAML or INI")
                .into());
            }
            // Ansible tries YAML first where a name has no ending.
            None if is_yaml(&source) => self.builder.yaml(&source),
            _ => self.builder.ini(&source),
        }
        Ok(())
    }
}

/// Whether a file without an ending is a YAML inventory: it reads as a mapping of groups;
/// or it does not read at all, and its first line is YAML's.
fn is_yaml(source: &Arc<Source>) -> bool {
    let first = source.text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with(['#', ';']));
    let Some(first) = first else { return false };
    match yaml::load(source) {
        Ok(loaded) => loaded
            .documents
            .first()
            .and_then(|d| d.as_map())
            .is_some_and(|groups| groups.iter().all(|(_, body)| body.is_null() || body.as_map().is_some())),
        Err(_) => first == "---" || first == "all:" || (first.ends_with(':') && !first.starts_with('[')),
    }
}

/// A program is told by its executable bit and by bytes that are no text.
fn refuse_script(path: &Path) -> Checked<()> {
    let Ok(found) = std::fs::metadata(path) else { return Ok(()) };
    let executable = found.is_file() && found.permissions().mode() & 0o111 != 0;
    if executable && std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF")) {
        return Err(script(path).into());
    }
    Ok(())
}

fn script(path: &Path) -> Diagnostic {
    Diagnostic::error(format!("{}: inventory scripts are not supported yet", path.display()))
        .hint("save what it prints: run it with `--list` and turn the result into a YAML inventory")
}
