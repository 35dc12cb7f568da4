//! `rplay vars HOST [NAME]`: each variable's value, where it comes from, and what it shadows.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use tokio::sync::mpsc::unbounded_channel;

use super::options::{Options, VaultOptions};
use super::{complain, parse, playbook, say, setup, sources};
use crate::compile::CompiledPlay;
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::load::{self, Config, Environment, Files, HashBehaviour, Machine};
use crate::model::{Map, Value};
use crate::schedule::{Context, select, title};
use crate::template::{Engine, Templar, dump};
use crate::vars::{Definition, Layer, Level, Scope, Variables};

/// How the answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
enum Output {
    /// Text for people.
    #[default]
    Text,
    /// A JSON document.
    Json,
}

/// Shows a host's variables: the value of each, where it was set, and what that shadows.
///
/// Without a playbook these are the inventory's, those of group_vars and host_vars, and -e.
#[derive(Debug, Parser)]
#[command(name = "rplay vars", disable_version_flag = true, max_term_width = 100)]
struct VarsOptions {
    /// The host.
    #[arg(value_name = "HOST")]
    host: String,
    /// Only this variable.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// As the plays of this playbook see them: with play vars, vars_files, and roles.
    #[arg(long, value_name = "FILE")]
    playbook: Vec<PathBuf>,
    /// Inventory: a file, a directory, a script, or a list of hosts with a comma (`host,`).
    #[arg(short = 'i', long = "inventory", visible_alias = "inventory-file", value_name = "INVENTORY")]
    inventory: Vec<String>,
    /// Further variables: key=value, JSON, YAML, or @file.
    #[arg(short = 'e', long = "extra-vars", value_name = "VARS")]
    extra_vars: Vec<String>,
    /// The directory whose group_vars and host_vars count as a playbook's (default: this one).
    #[arg(long = "playbook-dir", value_name = "DIR", conflicts_with = "playbook")]
    playbook_dir: Option<String>,
    /// Keys of the vault.
    #[command(flatten)]
    vault: VaultOptions,
    /// What is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Runs the command; the first argument is its name.
pub fn run(args: &[String]) -> ExitCode {
    match parse::<VarsOptions>(args) {
        Ok(options) => {
            let files = Arc::new(Files::new());
            playbook::ended(try_run(options, &files), &files)
        }
        Err(code) => code,
    }
}

/// What a host sees: of one play, or of none.
struct View {
    play: Option<String>,
    scope: Scope,
}

fn try_run(mut given: VarsOptions, files: &Arc<Files>) -> Checked<ExitCode> {
    let host = &given.host.clone();
    let mut views = if given.playbook.is_empty() { Vec::new() } else { of_plays(&mut given, files)? };
    if views.is_empty() {
        if !given.playbook.is_empty() {
            complain(&[Diagnostic::warning(format!("no play selects the host `{host}`"))]);
        }
        views.push(of_inventory(&given, files)?);
    }
    let engine = Arc::new(Engine::new(Arc::new(Machine::new(files.vault()))));
    let name = given.name.as_deref();
    let shown: Vec<_> = views.iter().map(|view| (view.play.clone(), variables(&engine, view, name))).collect();
    if let Some(name) = name.filter(|_| shown.iter().all(|(_, found)| found.is_empty())) {
        let names: Vec<String> = views.iter().flat_map(|view| view.scope.names()).collect();
        return Err(Diagnostic::error(format!("`{name}` is not defined for the host `{host}`"))
            .suggest(name, names.iter().map(String::as_str))
            .hint("facts, and what tasks set, are known only in a run")
            .exit(ExitCode::Error)
            .into());
    }
    let mut text = match given.output {
        Output::Text => {
            shown.iter().flat_map(|(play, found)| lines(play.as_deref(), found)).collect::<Vec<_>>().join("\n")
        }
        Output::Json => document(host, &shown),
    };
    // What a secret was put into is masked as well.
    files.vault().secrets.mask().text(&mut text);
    say(&text);
    Ok(ExitCode::Success)
}

/// The host as the inventory has it, with the variables files beside it and beside us.
fn of_inventory(given: &VarsOptions, files: &Arc<Files>) -> Checked<View> {
    let environment = Environment::current();
    let config = Config::load(files, &environment)?;
    // Already done where there is a playbook that has nothing for the host.
    setup::unlock(&given.vault, &config, &environment, files)?;
    let (extra, mut warnings) = sources::extra(files, &environment, &config, &given.extra_vars)?;
    let dir = sources::playbook_dir(&environment, given.playbook_dir.as_deref())?;
    let read = sources::read(files, &environment, &config, &given.inventory, &extra, vec![dir])?;
    warnings.splice(0..0, config.warnings().iter().cloned().chain(read.warnings).chain(read.vars_warnings));
    playbook::complain_masked(files, warnings);
    if let Some(locked) = read.hosts.locked(&given.host).first() {
        return Err((*locked).clone().into());
    }
    setup::check_host(read.hosts.inventory(), &given.host)?;
    let merge = config.hash_behaviour.value == HashBehaviour::Merge;
    let scope = Scope::builder().merge(merge).layers(read.hosts.layers(&given.host)).layer(extra).build();
    Ok(View { play: None, scope })
}

/// The host as each play that selects it sees it.
fn of_plays(given: &mut VarsOptions, files: &Arc<Files>) -> Checked<Vec<View>> {
    let environment = Environment::current();
    let options = Options {
        playbooks: given.playbook.clone(),
        inventory: given.inventory.clone(),
        extra_vars: given.extra_vars.clone(),
        vault: std::mem::take(&mut given.vault),
        ..Options::default()
    };
    let mut loaded = setup::load(&options, &environment, files)?;
    loaded.forget_passwords();
    let (sender, _receiver) = unbounded_channel();
    let (context, warnings) = setup::ready(&options, &environment, &mut loaded, files, sender)?;
    playbook::complain_masked(files, warnings);
    setup::check_host(&context.hosts.inventory(), &given.host)?;
    let mut views = Vec::new();
    for play in &loaded.plays {
        if select(&context, play)?.contains(&given.host) {
            let scope = scope_of(&context, files, play, &given.host)?;
            views.push(View { play: Some(title(&context, play)), scope });
        }
    }
    Ok(views)
}

/// What all tasks of a play see on a host before it has run.
fn scope_of(context: &Context, files: &Files, play: &CompiledPlay, host: &str) -> Checked<Scope> {
    let mut layers = context.hosts.layers(host);
    layers.extend(play.roles.iter().map(|role| Arc::clone(&role.defaults)));
    layers.extend(play.vars.iter().cloned());
    layers.extend(play.roles.iter().map(|role| Arc::clone(&role.vars)));
    layers.extend(context.layers.iter().cloned());
    let scope = Scope::builder().merge(context.options.merge).layers(layers).build();
    let entries = match play.keywords.get("vars_files").map(|setting| &setting.value) {
        Some(Value::List(items)) => items.to_vec(),
        Some(Value::Null) | None => Vec::new(),
        Some(other) => vec![other.clone()],
    };
    let templar = Templar::new(Arc::clone(&context.engine), Arc::new(scope.clone()));
    let mut read = Vec::new();
    for entry in &entries {
        let names = entry.as_list().map_or_else(|| vec![entry.clone()], <[Value]>::to_vec);
        // A name that needs facts cannot be told here, and a file that is missing is the run's affair.
        let paths = names.iter().filter_map(|name| templar.render(name).ok()?.as_str().map(PathBuf::from));
        let dir = &play.playbook_dir;
        let file = paths.flat_map(|own| [dir.join(&own), dir.join("vars").join(&own)]).find(|path| path.is_file());
        match file {
            Some(path) => {
                let loaded = load::load_vars(files, &path)?;
                playbook::complain_masked(files, loaded.warnings.clone());
                read.push(Layer::new(Level::PlayFiles, path.display().to_string(), loaded.vars));
            }
            None => complain(&[Diagnostic::warning(format!("vars_files: {} is not known here", dump::line(entry)))]),
        }
    }
    Ok(scope.push_all(read))
}

/// A variable with all its definitions, the one that wins first.
struct Shown {
    name: String,
    /// Evaluated; or why it cannot be.
    value: Result<Value, String>,
    definitions: Vec<Definition>,
}

fn variables(engine: &Arc<Engine>, view: &View, name: Option<&str>) -> Vec<Shown> {
    let templar = Templar::new(Arc::clone(engine), Arc::new(view.scope.clone()));
    let mut names = name.map_or_else(|| view.scope.names(), |name| vec![name.to_owned()]);
    names.sort();
    let found = names.into_iter().filter_map(|name| {
        let mut definitions = view.scope.explain(&name);
        // A folder that is beside both inventory and playbook is read for both.
        definitions.dedup_by(|lower, upper| lower.origin.is_some() && lower.origin == upper.origin);
        let value = definitions.first()?.value.clone();
        let value = templar.render(&value).map_err(|error| Diagnostic::from(error).message);
        Some(Shown { name, value, definitions })
    });
    found.collect()
}

/// Where a definition stands, in words.
fn place(definition: &Definition) -> String {
    let level = definition.level.describe();
    let label = &definition.label;
    let level = if definition.level == Level::InventoryGroup || definition.level == Level::InventoryHost {
        format!("inventory {label}")
    } else {
        level.to_owned()
    };
    match &definition.origin {
        Some(origin) if level.contains(&**label) => format!("{origin} ({level})"),
        None if level.contains(&**label) => level,
        // A file's name is in its position already.
        Some(origin) if label.starts_with(&origin.source.name) => format!("{origin} ({level})"),
        Some(origin) => format!("{origin} ({level}: {label})"),
        None => format!("{label} ({level})"),
    }
}

fn lines(play: Option<&str>, found: &[Shown]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |line: String| lines.push(line);
    if let Some(play) = play {
        say(format!("play: {play}"));
    }
    for shown in found {
        let Some((first, shadowed)) = shown.definitions.split_first() else { continue };
        match &shown.value {
            Ok(value) => say(format!("{}: {}", shown.name, dump::line(value))),
            Err(_) => say(format!("{}: {}", shown.name, dump::line(&first.value))),
        }
        say(format!("    from {}", place(first)));
        match &shown.value {
            Err(why) => say(format!("    cannot be evaluated here: {why}")),
            Ok(value) if *value != first.value => say(format!("    written as {}", dump::line(&first.value))),
            Ok(_) => {}
        }
        for definition in shadowed {
            say(format!("    shadows {} from {}", dump::line(&definition.value), place(definition)));
        }
    }
    lines
}

fn described(definition: &Definition, value: &Value) -> Map {
    let origin = definition.origin.as_ref();
    let position = |n: u32| Value::Int(i128::from(n));
    [
        ("value", value.clone()),
        ("level", Value::from(definition.level.describe())),
        ("source", Value::from(&*definition.label)),
        ("file", origin.map_or(Value::Null, |o| Value::from(o.source.name.as_str()))),
        ("line", origin.map_or(Value::Null, |o| position(o.at.line))),
        ("column", origin.map_or(Value::Null, |o| position(o.at.column))),
    ]
    .into_iter()
    .collect()
}

fn document(host: &str, views: &[(Option<String>, Vec<Shown>)]) -> String {
    let views = views.iter().map(|(play, found)| {
        let mut variables = Map::new();
        for shown in found {
            let Some((first, shadowed)) = shown.definitions.split_first() else { continue };
            let value = shown.value.as_ref().map_or_else(|_| first.value.clone(), Value::clone);
            let mut entry = described(first, &value);
            if value != first.value {
                entry.insert("written", first.value.clone());
            }
            if let Err(why) = &shown.value {
                entry.insert("error", why.as_str());
            }
            let shadows = shadowed.iter().map(|definition| Value::from(described(definition, &definition.value)));
            entry.insert("shadows", Value::list(shadows));
            variables.insert(shown.name.as_str(), entry);
        }
        let view: Map =
            [("play", play.as_deref().map_or(Value::Null, Value::from)), ("variables", Value::from(variables))]
                .into_iter()
                .collect();
        Value::from(view)
    });
    let document: Map = [("host", Value::from(host)), ("views", Value::list(views))].into_iter().collect();
    dump::json(&Value::from(document))
}
