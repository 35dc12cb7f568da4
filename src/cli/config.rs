//! `rplay config`: the settings, their values, and who set them.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use super::{complain, parse, playbook, say};
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::load::{Config, Environment, Files, SetBy, Shown, Unknown};
use crate::model::{Map, Value};
use crate::template::dump;

/// How settings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each: name, who set it, value.
    Display,
    /// A JSON document.
    Json,
    /// A YAML document.
    Yaml,
}

/// Shows the configuration: ansible.cfg and the variables `ANSIBLE_*`.
#[derive(Debug, Parser)]
#[command(name = "rplay config", disable_version_flag = true, max_term_width = 100, arg_required_else_help = true)]
struct ConfigOptions {
    #[command(subcommand)]
    action: Option<Action>,
    /// Print the version and the configuration file.
    #[arg(long)]
    version: bool,
    /// Accepted, as ansible-config has it.
    #[arg(short = 'v', long, action = ArgAction::Count, global = true, hide = true)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Prints all settings with their values and who set them.
    Dump {
        #[command(flatten)]
        file: File,
        /// Only those that are not the default.
        #[arg(long, visible_alias = "changed-only")]
        only_changed: bool,
        /// What is printed.
        #[arg(long, short = 'f', value_enum, default_value = "display")]
        format: Format,
    },
    /// Prints what settings there are: what each says, its variables and its keys in the file.
    List {
        #[command(flatten)]
        file: File,
        /// What is printed.
        #[arg(long, short = 'f', value_enum, default_value = "yaml")]
        format: Format,
    },
    /// Prints the configuration file.
    View {
        #[command(flatten)]
        file: File,
    },
}

#[derive(Debug, Args)]
struct File {
    /// The configuration file (default: the one that a run would read).
    #[arg(long = "config", short = 'c', value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the command; the first argument is its name.
pub fn run(args: &[String]) -> ExitCode {
    match parse::<ConfigOptions>(args) {
        Ok(options) => {
            let files = Files::new();
            playbook::ended(try_run(&options, &files), &files)
        }
        Err(code) => code,
    }
}

fn try_run(options: &ConfigOptions, files: &Files) -> Checked<ExitCode> {
    let Some(action) = &options.action else {
        return playbook::version(&Environment::current(), files);
    };
    let (Action::Dump { file, .. } | Action::List { file, .. } | Action::View { file }) = action;
    let mut environment = Environment::current();
    if let Some(path) = &file.config {
        // Named here it has to be there; a variable may name what is not.
        files.read(path, "configuration")?;
        environment.vars.insert("ANSIBLE_CONFIG".to_owned(), path.display().to_string());
    }
    let config = Config::load(files, &environment)?;
    complain(config.warnings());
    complain(&config.unknown().iter().map(|unknown| no_setting(unknown, &config)).collect::<Vec<_>>());
    match action {
        Action::Dump { only_changed, format, .. } => {
            let shown =
                config.all().into_iter().filter(|setting| !only_changed || setting.by != SetBy::Default).collect();
            say(dumped(&config, sorted(shown), *format).trim_end());
        }
        Action::List { format, .. } => {
            let all: Map = sorted(config.all()).iter().map(|setting| (setting.name, described(setting))).collect();
            say(match format {
                Format::Json => dump::json(&all.into()),
                Format::Display | Format::Yaml => dump::yaml(&all.into()),
            }
            .trim_end());
        }
        Action::View { .. } => {
            let path = config.file.as_ref().ok_or_else(|| {
                Diagnostic::error("there is no configuration file")
                    .hint("ANSIBLE_CONFIG, ./ansible.cfg, ~/.ansible.cfg and /etc/ansible/ansible.cfg are looked for")
                    .exit(ExitCode::Error)
            })?;
            say(files.read(path, "configuration")?.text.trim_end());
        }
    }
    Ok(ExitCode::Success)
}

/// A run passes over such keys, as Ansible does.
fn no_setting(unknown: &Unknown, config: &Config) -> Diagnostic {
    let (section, key) = (&unknown.section, unknown.key.as_str());
    let all = config.all();
    let here = all.iter().flat_map(|setting| setting.keys).filter(|(name, _)| name == section).map(|(_, key)| *key);
    Diagnostic::warning(format!("`{key}` in [{section}] is no setting")).at(unknown.origin.clone()).suggest(key, here)
}

fn sorted(mut settings: Vec<Shown>) -> Vec<Shown> {
    settings.sort_by_key(|setting| setting.name);
    settings
}

fn dumped(config: &Config, settings: Vec<Shown>, format: Format) -> String {
    let file = config.file.as_ref().map(|path| path.display().to_string());
    if format == Format::Display {
        let first = format!("CONFIG_FILE() = {}", file.as_deref().unwrap_or("None"));
        let line = |setting: Shown| format!("{}({}) = {}", setting.name, setting.by, dump::python(&setting.value));
        return std::iter::once(first).chain(settings.into_iter().map(line)).collect::<Vec<_>>().join("\n");
    }
    let entry = |name: &str, origin: String, value: Value| {
        Value::from(Map::from_iter([("name", Value::from(name)), ("origin", origin.into()), ("value", value)]))
    };
    let first = entry("CONFIG_FILE", String::new(), file.map_or(Value::Null, Value::from));
    let rest = settings.into_iter().map(|setting| entry(setting.name, setting.by.to_string(), setting.value));
    let all = Value::list(std::iter::once(first).chain(rest));
    if format == Format::Json { dump::json(&all) } else { dump::yaml(&all) }
}

fn described(setting: &Shown) -> Value {
    let named = |name: &&str| Value::from(Map::from_iter([("name", Value::from(*name))]));
    let key = |(section, key): &(&str, &str)| {
        Value::from(Map::from_iter([("key", Value::from(*key)), ("section", Value::from(*section))]))
    };
    Value::from(Map::from_iter([
        ("description", Value::from(setting.description.trim())),
        ("env", Value::list(setting.variables.iter().map(named))),
        ("ini", Value::list(setting.keys.iter().map(key))),
    ]))
}
