//! Inventory sources: files, directories of files, scripts, lists of hosts.

mod constructed;
mod generator;
mod options;
mod reader;
mod script;

use std::path::PathBuf;
use std::sync::Arc;

use super::files::Environment;
use super::{Config, Files};
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::inventory::{Inventory, limit_from_file, split_pattern};
use crate::vars::Layer;
use reader::Reader;

/// An inventory with the directories whose `group_vars` and `host_vars` belong to it.
#[derive(Debug, Clone, Default)]
pub struct LoadedInventory {
    /// Hosts and groups.
    pub inventory: Inventory,
    /// Directories of the sources, in order.
    pub dirs: Vec<PathBuf>,
    /// What was accepted and is probably not meant; sources that could not be read.
    pub warnings: Vec<Diagnostic>,
}

/// Reads the sources that `-i` gives, or else those of the configuration. `extra` is what
/// `-e` gives: configurations of `constructed` may ask for it.
///
/// # Errors
/// What the configuration makes an error: a source that cannot be read
/// (`any_unparsed_is_failed`), or none that can (`unparsed_is_failed`).
pub fn load_inventory(
    files: &Files,
    environment: &Environment,
    config: &Config,
    given: &[String],
    extra: &Arc<Layer>,
) -> Checked<LoadedInventory> {
    let mut reader = Reader::new(files, config, extra);
    let defaulted = given.is_empty() && config.inventory.is_default();
    let sources = if given.is_empty() { &config.inventory.value } else { given };
    let mut parsed = false;
    for source in sources {
        let path = environment.path(source, &environment.cwd);
        if source.contains(',') && !path.exists() {
            parsed |= reader.list(source);
        } else if defaulted && !path.exists() {
            reader.warnings.push(
                Diagnostic::warning("no inventory was given, only the implicit localhost is available")
                    .hint("give one with `-i FILE`, or `-i host,` with a comma for a single host"),
            );
        } else {
            parsed |= reader.source(&path, source);
        }
    }
    let nothing = !parsed && !defaulted && !sources.is_empty();
    if nothing && config.inventory_unparsed_is_failed.value {
        let words = "No inventory was parsed, please check your configuration and options.";
        reader.errors.extend(std::mem::take(&mut reader.warnings));
        reader.errors.push(Diagnostic::error(words).exit(ExitCode::Error));
    } else if nothing && config.inventory_unparsed_warning.value {
        reader.warnings.push(Diagnostic::warning("No inventory was parsed, only implicit localhost is available"));
    }
    reader.finish()
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
    for part in split_pattern(text) {
        match part.strip_prefix('@') {
            Some(path) => {
                let source = files.read(&environment.path(path, &environment.cwd), "the limit file")?;
                parts.push(limit_from_file(&source.text));
            }
            None => parts.push(part),
        }
    }
    Ok(parts.join(","))
}
