//! Hosts, groups and their variables, as several commands read them.

use std::path::PathBuf;
use std::sync::Arc;

use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::load::{self, Config, Environment, Files, HashBehaviour, VarsFolders};
use crate::model::Vars;
use crate::vars::{FileVars, HostLayers, Layer, Level, Side};

/// What was read.
pub struct Sources {
    /// Hosts and groups with the variables of inventory, group_vars and host_vars.
    pub hosts: HostLayers,
    /// Warnings about the inventory itself.
    pub warnings: Vec<Diagnostic>,
    /// Warnings about variables files.
    pub vars_warnings: Vec<Diagnostic>,
}

/// Reads the inventory with the variables beside it and beside the playbooks' directories.
///
/// # Errors
/// All that is wrong.
pub fn read(
    files: &Arc<Files>,
    environment: &Environment,
    config: &Config,
    given: &[String],
    extra: &Arc<Layer>,
    playbook_dirs: Vec<PathBuf>,
) -> Checked<Sources> {
    let found = load::load_inventory(files, environment, config, given, extra)?;
    let mut vars = FileVars::new();
    let mut vars_warnings = load::load_group_vars(files, &found.inventory, Side::Inventory, &found.dirs, &mut vars)?;
    vars_warnings.extend(load::load_group_vars(files, &found.inventory, Side::Playbook, &playbook_dirs, &mut vars)?);
    let more = Arc::new(VarsFolders::new(Arc::clone(files), found.dirs, playbook_dirs));
    let hosts = HostLayers::new(Arc::new(found.inventory), Arc::new(vars)).with_more(more);
    Ok(Sources { hosts, warnings: found.warnings, vars_warnings })
}

/// The inventory's sources as `ansible_inventory_sources` has them: full paths, and lists of hosts as
/// they are given.
pub fn names(environment: &Environment, config: &Config, given: &[String]) -> Vec<String> {
    let sources = if given.is_empty() { &config.inventory.value } else { given };
    let name = |source: &String| {
        let path = environment.path(source, &environment.cwd);
        if source.contains(',') && !path.exists() { source.clone() } else { path.to_string_lossy().into_owned() }
    };
    sources.iter().map(name).collect()
}

/// What `-e` gives, with warnings.
///
/// # Errors
/// What cannot be read.
pub fn extra(
    files: &Files,
    environment: &Environment,
    config: &Config,
    given: &[String],
) -> Checked<(Arc<Layer>, Vec<Diagnostic>)> {
    let merge = config.hash_behaviour.value == HashBehaviour::Merge;
    let (mut vars, mut warnings) = (Vars::new(), Vec::new());
    for text in given {
        let loaded = load::extra_vars(files, environment, text)?;
        warnings.extend(loaded.warnings);
        if merge { vars.merge(loaded.vars) } else { vars.extend(loaded.vars) }
    }
    Ok((Layer::new(Level::Extra, "-e", vars), warnings))
}

/// Where `group_vars` of no playbook are: the directory that stands for a playbook's.
///
/// # Errors
/// When it is no directory.
pub fn playbook_dir(environment: &Environment, given: Option<&str>) -> Checked<PathBuf> {
    let Some(given) = given else { return Ok(environment.cwd.clone()) };
    let path = environment.path(given, &environment.cwd);
    if path.is_dir() {
        return Ok(path);
    }
    let message = format!("the directory given to --playbook-dir is not there: {}", path.display());
    Err(Diagnostic::error(message).exit(ExitCode::Options).into())
}
