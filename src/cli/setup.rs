//! From options, configuration and files to a run that can start.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::options::{Options, VaultOptions};
use super::run_options::{run_options, ssh_options};
use super::{ask, keys, sources};
use crate::compile::{CompiledPlay, LoadedPlay, Reserved, TagFilter, compile};
use crate::connection::{Links, Workers};
use crate::diag::{Checked, Diagnostic, ExitCode, Severity};
use crate::event::Event;
use crate::inventory::{Inventory, LOCALHOST};
use crate::load::{self, Config, DuplicateKeys, Environment, Files, Gathering, Machine, Project};
use crate::model::{Text, Value, Vars};
use crate::schedule::{Asker, Context, FactCache, Hosts, Reload, Stepper, VarsLoader, preflight};
use crate::template::Engine;
use crate::vars::{HostLayers, Layer, Level};
use crate::vault::Vault;
use crate::yaml::DUPLICATE_KEY;

/// What was read, ready to be run.
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The plays.
    pub plays: Vec<Arc<CompiledPlay>>,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
    /// What is wrong with playbooks and roles: with any of it, nothing is run.
    pub errors: Vec<Diagnostic>,
    /// Hosts and groups with their variables.
    pub hosts: HostLayers,
    /// Templates, those of the plays compiled.
    pub engine: Arc<Engine>,
    /// `-e`.
    pub extra: Vec<Arc<Layer>>,
    pub(super) limit: Option<String>,
    pub(super) tags: (Vec<String>, Vec<String>),
}

impl Loaded {
    /// No host will be contacted: what the configuration says of passwords is not asked for.
    pub fn forget_passwords(&mut self) {
        self.config.ask_pass.value = false;
        self.config.become_ask_pass.value = false;
        self.config.connection_password_file.value = None;
        self.config.become_password_file.value = None;
    }
}

pub(super) fn refuse(message: &str, hint: &str) -> Vec<Diagnostic> {
    vec![Diagnostic::error(message).hint(hint).exit(ExitCode::Options)]
}

/// Refuses options that are known and not built.
fn check_options(options: &Options, config: &Config) -> Checked<()> {
    if !options.module_path.is_empty() {
        return Err(refuse("--module-path is not supported", "modules are built in: `rplay doc` lists them"));
    }
    let cache = config.fact_caching.value.as_str();
    if !["memory", "ansible.builtin.memory"].contains(&cache) && !is_file_cache(config) {
        return Err(refuse(
            &format!("the fact cache `{cache}` is not supported"),
            "fact_caching is `memory` or `jsonfile`",
        ));
    }
    if is_file_cache(config) && config.fact_caching_connection.value.is_none() {
        return Err(refuse(
            "the fact cache `jsonfile` needs a directory",
            "fact_caching_connection (ANSIBLE_CACHE_PLUGIN_CONNECTION) names it",
        ));
    }
    check_meaning(config)
}

fn is_file_cache(config: &Config) -> bool {
    ["jsonfile", "ansible.builtin.jsonfile"].contains(&config.fact_caching.value.as_str())
}

/// Facts that are kept between runs, where the configuration wants it.
fn fact_cache(config: &Config) -> Option<FactCache> {
    let dir = config.fact_caching_connection.value.clone().filter(|_| is_file_cache(config))?;
    Some(FactCache::new(dir, config.fact_caching_prefix.value.clone(), config.fact_caching_timeout.value))
}

/// Refuses settings that would change what a run does, and are not built: a run that goes
/// on without them would not be the one that was asked for.
fn check_meaning(config: &Config) -> Checked<()> {
    let gathers = |name: &str| matches!(name.trim().rsplit('.').next(), Some("smart" | "setup" | "gather_facts"));
    let other_facts = config.facts_modules.value.as_deref().is_some_and(|names| !names.split(',').all(gathers));
    let set = [("precedence", config.precedence.value.is_some()), ("facts_modules", other_facts)];
    match set.iter().find(|(_, wrong)| *wrong) {
        Some((name, _)) => Err(refuse(
            &format!("the setting `{name}` is not supported yet"),
            "take it out of ansible.cfg and of the environment (`ANSIBLE_…`)",
        )),
        None => Ok(()),
    }
}

/// Warns of settings that are not built and change nothing but comfort.
fn without_effect(config: &Config) -> Vec<Diagnostic> {
    let set = [
        ("error_on_undefined_vars", !config.error_on_undefined_vars.value),
        ("retries of ssh", !config.ssh_retries.is_default()),
        ("control_path", !config.control_path.is_default()),
        ("stdout_callback", config.stdout_callback.value != "default"),
        ("diff_context", !config.diff_context.is_default()),
        ("max_diff_size", !config.max_diff_size.is_default()),
    ];
    let set = set.iter().filter(|(_, is_set)| *is_set);
    set.map(|(name, _)| Diagnostic::warning(format!("the setting `{name}` has no effect yet"))).collect()
}

/// What is said of keys that are given twice, by `duplicate_dict_key`.
///
/// # Errors
/// Where the setting makes them errors.
fn given_twice(found: Vec<Diagnostic>, wanted: DuplicateKeys) -> Checked<Vec<Diagnostic>> {
    let twice = |finding: &Diagnostic| finding.message.starts_with(DUPLICATE_KEY);
    match wanted {
        DuplicateKeys::Warn => Ok(found),
        DuplicateKeys::Ignore => Ok(found.into_iter().filter(|finding| !twice(finding)).collect()),
        DuplicateKeys::Error if found.iter().any(twice) => Err(found
            .into_iter()
            .filter(twice)
            .map(|finding| Diagnostic { severity: Severity::Error, ..finding })
            .collect()),
        DuplicateKeys::Error => Ok(found),
    }
}

/// Makes the run's vault of the keys that options and configuration name.
///
/// # Errors
/// When one of them cannot be had.
pub fn unlock(options: &VaultOptions, config: &Config, environment: &Environment, files: &Files) -> Checked<()> {
    let given = keys::Given {
        ids: &options.id,
        files: &options.password_file,
        ask: options.ask,
        identities: &options.identity,
        new: false,
    };
    files.unlock_with(Vault::new(keys::keyring(&given, config, environment)?));
    Ok(())
}

/// Tags to run and to skip.
fn tags(options: &Options, config: &Config) -> (Vec<String>, Vec<String>) {
    let mut tags =
        (all_tags(&options.tags, &config.tags_run.value), all_tags(&options.skip_tags, &config.tags_skip.value));
    if options.list_tags && tags.0.is_empty() && tags.1.is_empty() {
        // All tags are listed, those that run only when they are asked for included.
        tags.0 = ["all", "never"].map(str::to_owned).to_vec();
    }
    tags
}

/// Reads and compiles all that a run needs, before any host is contacted.
///
/// # Errors
/// All that is wrong.
pub fn load(options: &Options, environment: &Environment, files: &Arc<Files>) -> Checked<Loaded> {
    load_plays(options, environment, files, |files, config, extra| {
        let mut playbooks = options.playbooks.clone();
        for path in playbooks.iter_mut().filter(|path| !path.is_file()) {
            let shipped = load::collection_playbook(config, &environment.cwd, &path.to_string_lossy());
            *path = shipped.ok_or_else(|| missing_playbook(path))?;
        }
        Ok(load::load_project(files, config, &playbooks, extra))
    })
}

/// The same with plays that come from elsewhere: `project` gives them.
///
/// # Errors
/// All that is wrong.
pub fn load_plays(
    options: &Options,
    environment: &Environment,
    files: &Arc<Files>,
    project: impl FnOnce(&Files, &Config, &Arc<Layer>) -> Checked<Project>,
) -> Checked<Loaded> {
    let config = Config::load(files, environment)?;
    check_options(options, &config)?;
    unlock(&options.vault, &config, environment, files)?;
    let mut warnings = config.warnings().to_vec();
    warnings.extend(without_effect(&config));
    let (extra, found) = sources::extra(files, environment, &config, &options.extra_vars)?;
    warnings.extend(found);
    let project = project(files, &config, &extra)?;
    warnings.extend(given_twice(project.warnings, config.duplicate_dict_key.value)?);
    files.prefetch(&named_files(&project.plays));
    let tags = tags(options, &config);
    let filter =
        TagFilter::new(tags.0.clone(), tags.1.clone()).lax(!config.error_on_missing_handler.value).knowing(&extra);
    let gather = config.gathering.value != Gathering::Explicit;
    let machine = Machine::new(files.vault()).with(Arc::new(config.clone()));
    let engine = Arc::new(Engine::new(Arc::new(machine)));
    let (mut plays, mut errors) = (Vec::new(), project.errors);
    for loaded in &project.plays {
        // A handler may be among what could not be read.
        let filter = if loaded.sound { &filter } else { &filter.clone().lax(true) };
        let (play, found) = compile(loaded, filter, gather, &engine);
        plays.push(play);
        let known = |finding: &Diagnostic| {
            finding.origin.is_some() && errors.iter().any(|e: &Diagnostic| e.origin == finding.origin)
        };
        let new: Vec<Diagnostic> = found.into_iter().filter(|finding| !known(finding)).collect();
        errors.extend(new);
    }
    let mut dirs: Vec<PathBuf> = plays.iter().map(|p| p.playbook_dir.clone()).collect();
    dirs.dedup();
    let found = sources::read(files, environment, &config, &options.inventory, &extra, dirs);
    let found = found.map_err(|found| errors.iter().cloned().chain(found).collect::<Vec<_>>())?;
    // That there is no inventory is no news to who works on this machine alone.
    let local = |text: &Text| LOCALHOST.contains(&text.as_str());
    let only_local = options.inventory.is_empty() && plays.iter().all(|p| p.hosts.iter().all(local));
    warnings.extend(found.warnings.into_iter().filter(|_| !only_local));
    warnings.extend(found.vars_warnings);
    let limit = options.limit.as_deref().map(|l| load::limit(files, environment, l)).transpose()?;
    let empty = check_hosts(found.hosts.inventory(), limit.as_deref())?;
    warnings.extend(empty.filter(|_| !options.inventory.is_empty()));
    warnings.extend(reserved(&plays, &extra, &found.hosts));
    Ok(Loaded {
        config,
        plays: plays.into_iter().map(Arc::new).collect(),
        warnings,
        errors,
        hosts: found.hosts,
        engine,
        extra: vec![extra],
        limit,
        tags,
    })
}

/// What the run shares, and warnings: once all that can be known to be wrong has been looked for.
///
/// # Errors
/// All that is wrong with playbooks and roles; when a password cannot be had.
pub fn ready(
    options: &Options,
    environment: &Environment,
    loaded: &mut Loaded,
    files: &Arc<Files>,
    events: UnboundedSender<Event>,
) -> Checked<(Arc<Context>, Vec<Diagnostic>)> {
    let unsound = !loaded.errors.is_empty();
    let asking = Options { ask_pass: false, ask_become_pass: false, ..options.clone() };
    if unsound {
        loaded.forget_passwords();
    }
    let context = context(if unsound { &asking } else { options }, environment, loaded, Arc::clone(files), events)?;
    let mut findings = std::mem::take(&mut loaded.errors);
    findings.extend(preflight(&context, &loaded.plays));
    if findings.iter().any(|d| d.severity == Severity::Error) {
        Err(findings)
    } else {
        Ok((context, std::mem::take(&mut loaded.warnings).into_iter().chain(findings).collect()))
    }
}

/// Warnings about variables with names of the language, each place once.
fn reserved(plays: &[CompiledPlay], extra: &Layer, hosts: &HostLayers) -> Vec<Diagnostic> {
    let mut reserved = Reserved::default();
    reserved.vars(&extra.vars);
    hosts.each_vars().for_each(|vars| reserved.vars(vars));
    plays.iter().for_each(|play| reserved.play(play));
    reserved.into_warnings()
}

/// An inventory without hosts is worth a warning, a limit that leaves none is an error.
fn check_hosts(inventory: &Inventory, limit: Option<&str>) -> Checked<Option<Diagnostic>> {
    if inventory.select("all", None)?.hosts.is_empty() {
        let words = "provided hosts list is empty, only localhost is available; \
                     note that the implicit localhost does not match 'all'";
        return Ok(Some(Diagnostic::warning(words)));
    }
    let Some(limit) = limit else { return Ok(None) };
    let selection = inventory.select("all", Some(limit))?;
    if selection.hosts.is_empty() {
        let words = "Specified inventory, host pattern and/or --limit leaves us with no hosts to target.";
        let hints = selection.warnings.iter().flat_map(|w| [w.message.clone()].into_iter().chain(w.hints.clone()));
        let finding = Diagnostic::error(words).exit(ExitCode::Error);
        return Err(hints.fold(finding, Diagnostic::hint).into());
    }
    Ok(None)
}

/// The files that `vars_files` of plays name, as far as that can be told before a play starts.
fn named_files(plays: &[LoadedPlay]) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for loaded in plays {
        let Some(setting) = loaded.play.keywords.get("vars_files") else { continue };
        let names = setting.value.as_list().unwrap_or(std::slice::from_ref(&setting.value));
        for name in names.iter().filter_map(Value::as_str) {
            paths.extend([loaded.playbook_dir.join(name), loaded.playbook_dir.join("vars").join(name)]);
        }
    }
    paths
}

fn missing_playbook(path: &std::path::Path) -> Diagnostic {
    if path.exists() {
        return Diagnostic::error(format!("the playbook: {} does not appear to be a file", path.display()))
            .hint("name a playbook in it")
            .exit(ExitCode::Error);
    }
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| std::path::Path::new("."));
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let names: Vec<String> = entries.map(|e| e.path().display().to_string()).collect();
    let plain: Vec<&str> = names.iter().map(|n| n.strip_prefix("./").unwrap_or(n)).collect();
    Diagnostic::error(format!("the playbook: {} could not be found", path.display()))
        .suggest(&path.display().to_string(), plain)
        .exit(ExitCode::Error)
}

fn all_tags(given: &[String], configured: &[String]) -> Vec<String> {
    let chosen = if given.is_empty() { configured } else { given };
    chosen.iter().flat_map(|t| t.split(',')).map(|t| t.trim().to_owned()).collect()
}

/// What the run shares.
///
/// # Errors
/// When a password cannot be had.
pub fn context(
    options: &Options,
    environment: &Environment,
    loaded: &Loaded,
    files: Arc<Files>,
    events: UnboundedSender<Event>,
) -> Checked<Arc<Context>> {
    let config = &loaded.config;
    let ssh = ssh_options(options, environment, config)?;
    let run = run_options(options, environment, loaded)?;
    let timeout = run.connection.timeout;
    let extra = loaded.extra.first().cloned().unwrap_or_else(|| Layer::new(Level::Extra, "-e", Vars::new()));
    let vault = files.vault();
    let vars_files = Arc::clone(&files);
    let vars_loader: Box<VarsLoader> =
        Box::new(move |path| load::load_vars(&vars_files, path).map(|loaded| (loaded.vars, loaded.warnings)));
    let fact_cache = fact_cache(config);
    if let Some(cache) = fact_cache.as_ref().filter(|_| options.flush_cache) {
        loaded.hosts.inventory().hosts().for_each(|host| cache.forget(&host.name));
        LOCALHOST.into_iter().for_each(|host| cache.forget(host));
    }
    let reload = reload(options, environment, loaded, &files);
    let stepper: Option<Box<Stepper>> = options.step.then(|| Box::new(ask::step) as Box<Stepper>);
    Ok(Arc::new(Context {
        options: run,
        hosts: Hosts::new(loaded.hosts.clone()),
        layers: loaded.extra.clone(),
        engine: Arc::clone(&loaded.engine),
        outside: Arc::new(Machine::new(Arc::clone(&vault))),
        vault,
        vars_loader,
        includes: Box::new(load::ProjectIncludes::new(files, config.clone(), extra)),
        wanted: TagFilter::new(loaded.tags.0.clone(), loaded.tags.1.clone())
            .lax(!config.error_on_missing_handler.value),
        fact_cache,
        reload,
        links: Links::new(Workers::find(&cache_dir(environment)), ssh, Duration::from_secs(timeout * 3 + 30)),
        events,
        files: Mutex::default(),
        owners: Mutex::default(),
        accounts: Default::default(),
        asker: ask::is_interactive().then(|| Box::new(ask::line) as Box<Asker>),
        stepper,
        progress: Arc::default(),
    }))
}

/// Reads the inventory again, its files as they are then.
fn reload(options: &Options, environment: &Environment, loaded: &Loaded, files: &Arc<Files>) -> Option<Box<Reload>> {
    let (given, environment, config) = (options.inventory.clone(), environment.clone(), loaded.config.clone());
    let extra = loaded.extra.first().cloned()?;
    let mut dirs: Vec<PathBuf> = loaded.plays.iter().map(|p| p.playbook_dir.clone()).collect();
    dirs.dedup();
    let vault = files.vault();
    Some(Box::new(move || {
        let files = Arc::new(Files::new());
        files.unlock_with(Arc::clone(&vault));
        let found = sources::read(&files, &environment, &config, &given, &extra, dirs.clone())?;
        Ok((found.hosts, found.warnings.into_iter().chain(found.vars_warnings).collect()))
    }))
}

/// Where what is kept between runs is put.
pub(super) fn cache_dir(environment: &Environment) -> PathBuf {
    let home = || PathBuf::from(environment.var("HOME").unwrap_or("/tmp")).join(".cache");
    environment.var("XDG_CACHE_HOME").map_or_else(home, PathBuf::from).join("rplay")
}

/// A host that is not in the inventory is an error.
///
/// # Errors
/// That one, with a suggestion.
pub fn check_host(inventory: &Inventory, host: &str) -> Checked<()> {
    if inventory.host(host).is_some() || LOCALHOST.contains(&host) {
        return Ok(());
    }
    let names: Vec<&str> = inventory.hosts().map(|h| h.name.as_str()).collect();
    let finding = Diagnostic::error(format!("the host `{host}` is not in the inventory")).exit(ExitCode::Error);
    Err(finding.suggest(host, names.iter().copied()).hint("the hosts are listed by `--list-hosts`").into())
}
