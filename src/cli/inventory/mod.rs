//! `rplay inventory`, also called as `ansible-inventory`: what the inventory comes to.

mod tree;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgAction, Parser};

use super::options::VaultOptions;
use super::{complain, parse, playbook, say, setup, sources};
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::load::{self, Config, Environment, Files, HashBehaviour};
use crate::template::dump;
use tree::{Form, Shown, Tree};

/// Shows hosts, groups and variables, as ansible-inventory does.
#[derive(Debug, Parser)]
#[command(name = "rplay inventory", disable_version_flag = true, max_term_width = 100)]
#[allow(clippy::struct_excessive_bools, reason = "a command line has many switches")]
pub struct InventoryOptions {
    /// The group that --graph starts at (default: all).
    #[arg(value_name = "GROUP")]
    group: Option<String>,
    /// All groups and hosts, with the variables of each host.
    #[arg(long)]
    list: bool,
    /// The variables of this host.
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Groups and hosts as a tree.
    #[arg(long)]
    graph: bool,
    /// In YAML.
    #[arg(short = 'y', long)]
    yaml: bool,
    /// In TOML.
    #[arg(long)]
    toml: bool,
    /// Variables in the tree, too.
    #[arg(long)]
    vars: bool,
    /// Variables where they are defined: those of a group with the group.
    #[arg(long)]
    export: bool,
    /// Write to this file.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Inventory: a file, a directory, a script, or a list of hosts with a comma (`host,`).
    #[arg(short = 'i', long = "inventory", visible_alias = "inventory-file", value_name = "INVENTORY")]
    inventory: Vec<String>,
    /// Only hosts that match this pattern.
    #[arg(short = 'l', long = "limit", value_name = "SUBSET")]
    limit: Option<String>,
    /// Further variables: key=value, JSON, YAML, or @file.
    #[arg(short = 'e', long = "extra-vars", value_name = "VARS")]
    extra_vars: Vec<String>,
    /// The directory whose group_vars and host_vars count as a playbook's (default: this one).
    #[arg(long = "playbook-dir", value_name = "DIR")]
    playbook_dir: Option<String>,
    /// Accepted; no facts are cached.
    #[arg(long = "flush-cache", hide = true)]
    flush_cache: bool,
    /// Keys of the vault.
    #[command(flatten)]
    vault: VaultOptions,
    /// Say more.
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count)]
    verbose: u8,
    /// Print the version and the configuration file.
    #[arg(long)]
    version: bool,
}

/// Runs the command; the first argument is its name.
pub fn run(args: &[String]) -> ExitCode {
    match parse::<InventoryOptions>(args) {
        Ok(options) => {
            let files = Arc::new(Files::new());
            playbook::ended(try_run(&options, &files), &files)
        }
        Err(code) => code,
    }
}

fn refuse<T>(message: &str) -> Checked<T> {
    Err(Diagnostic::error(message).exit(ExitCode::Options).into())
}

fn try_run(options: &InventoryOptions, files: &Arc<Files>) -> Checked<ExitCode> {
    let environment = Environment::current();
    if options.version {
        return playbook::version(&environment, files);
    }
    match [options.list, options.host.is_some(), options.graph].iter().filter(|set| **set).count() {
        0 => return refuse("No action selected, at least one of --host, --graph or --list needs to be specified."),
        1 => {}
        _ => {
            return refuse(
                "Conflicting options used, only one of --host, --graph or --list can be used at the same time.",
            );
        }
    }
    let config = Config::load(files, &environment)?;
    setup::unlock(&options.vault, &config, &environment, files)?;
    let (extra, mut warnings) = sources::extra(files, &environment, &config, &options.extra_vars)?;
    let dir = sources::playbook_dir(&environment, options.playbook_dir.as_deref())?;
    let read = sources::read(files, &environment, &config, &options.inventory, &extra, vec![dir])?;
    warnings.splice(0..0, config.warnings().iter().cloned().chain(read.warnings).chain(read.vars_warnings));
    playbook::complain_masked(files, warnings);
    if let Some(locked) = read.hosts.all_locked().next() {
        return Err(locked.clone().into());
    }
    let limit = options.limit.as_deref().map(|l| load::limit(files, &environment, l)).transpose()?;
    let hosts = if options.list {
        let selection = read.hosts.inventory().select("all", limit.as_deref())?;
        complain(&selection.warnings);
        selection.hosts.into_iter().collect()
    } else {
        read.hosts.inventory().hosts().map(|h| h.name.clone()).collect()
    };
    let what = Shown {
        export: options.export || config.inventory_export.value,
        playbook: options.playbook_dir.is_some(),
        merge: config.hash_behaviour.value == HashBehaviour::Merge,
    };
    let tree = Tree::new(&read.hosts, &extra, hosts, what);
    let form = match (options.yaml, options.toml) {
        (true, _) => Form::Yaml,
        (_, true) => Form::Toml,
        _ => Form::Json,
    };
    let mut text = if let Some(host) = &options.host {
        one_host(&tree, host, form)?
    } else if options.graph {
        graph(&tree, options)?
    } else {
        tree.list(form)?
    };
    // What a secret was put into is masked as well.
    files.vault().secrets.mask().text(&mut text);
    match &options.output {
        None => say(text.trim_end_matches('\n')),
        Some(path) => std::fs::write(path, text.trim_end_matches('\n')).map_err(|error| {
            vec![Diagnostic::error(format!("cannot write {}: {error}", path.display())).exit(ExitCode::Error)]
        })?,
    }
    Ok(ExitCode::Success)
}

fn one_host(tree: &Tree, pattern: &str, form: Form) -> Checked<String> {
    let selection = tree.hosts.inventory().select(pattern, None)?;
    complain(&selection.warnings);
    let [host] = selection.hosts.as_slice() else {
        return refuse("You must pass a single valid host to --host parameter");
    };
    tree.one_host(host, form)
}

fn graph(tree: &Tree, options: &InventoryOptions) -> Checked<String> {
    let group = options.group.as_deref().unwrap_or(crate::inventory::ALL);
    if tree.hosts.inventory().group(group).is_none() {
        let names = tree.hosts.inventory().groups().map(|g| g.name.as_str());
        return Err(Diagnostic::error("Pattern must be valid group name when using --graph")
            .suggest(group, names)
            .exit(ExitCode::Options)
            .into());
    }
    Ok(tree.graph(group, options.vars))
}

impl Form {
    /// A mapping in this form.
    fn write(self, map: &crate::model::Map) -> Checked<String> {
        let value = crate::model::Value::from(map.clone());
        match self {
            Self::Json => Ok(dump::json(&value)),
            Self::Yaml => Ok(dump::yaml(&value)),
            Self::Toml => dump::toml(map).map_err(|why| {
                vec![
                    Diagnostic::error(format!("this inventory cannot be written as TOML: {why}"))
                        .hint("use --yaml, or the default, JSON")
                        .exit(ExitCode::Error),
                ]
            }),
        }
    }
}
