//! `rplay doc`: what modules there are, and what each takes and returns.

use clap::{ArgAction, Parser, ValueEnum};

use super::{parse, playbook, say};
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::load::{Environment, Files};
use crate::module::{ArgSpec, Kind, Module};
use crate::modules::{self, MODULES};

/// What is documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// Modules.
    Module,
}

/// Shows what modules there are, and what each takes and returns.
#[derive(Debug, Parser)]
#[command(name = "rplay doc", disable_version_flag = true, max_term_width = 100)]
struct DocOptions {
    /// The modules (default: the list of all).
    #[arg(value_name = "MODULE")]
    modules: Vec<String>,
    /// Print the list of modules, or of those whose full names begin so.
    #[arg(short = 'l', long)]
    list: bool,
    /// What is documented: modules.
    #[arg(short = 't', long = "type", value_enum, value_name = "TYPE")]
    subject: Option<Subject>,
    /// Accepted, as ansible-doc has it.
    #[arg(short = 'v', long, action = ArgAction::Count, hide = true)]
    verbose: u8,
    /// Print the version and the configuration file.
    #[arg(long)]
    version: bool,
}

/// Prints documentation of modules, or the list of them; the first argument is the command's name.
pub fn run(args: &[String]) -> ExitCode {
    match parse::<DocOptions>(args) {
        Ok(options) => {
            let files = Files::new();
            playbook::ended(try_run(&options, &files), &files)
        }
        Err(code) => code,
    }
}

fn try_run(options: &DocOptions, files: &Files) -> Checked<ExitCode> {
    if options.version {
        return playbook::version(&Environment::current(), files);
    }
    if options.list || options.modules.is_empty() {
        let width = MODULES.iter().map(|m| m.name.len()).max().unwrap_or(0);
        for module in MODULES {
            let name = format!("{}.{}", module.collection, module.name);
            if options.modules.is_empty() || options.modules.iter().any(|start| name.starts_with(start)) {
                say(&format!("{:width$}  {}", module.name, module.doc.lines().next().unwrap_or_default()));
            }
        }
        return Ok(ExitCode::Success);
    }
    for name in &options.modules {
        let Some(module) = modules::find(name) else {
            let known = MODULES.iter().map(|m| m.name);
            let finding = Diagnostic::error(format!("there is no module `{name}`")).suggest(name, known);
            return Err(finding.exit(ExitCode::Error).into());
        };
        say(&page(module));
    }
    Ok(ExitCode::Success)
}

fn page(module: &Module) -> String {
    let kind = match module.kind {
        Kind::State => "state: brings the host into a state; nothing is done when it is there",
        Kind::Query => "query: only asks, changes nothing",
        Kind::Action => "action: runs each time; not run under --check",
        Kind::Controller => "controller: runs without a host",
    };
    let mut out = format!("{}.{}\n\n  {}\n  ({kind})\n\nArguments", module.collection, module.name, module.doc.trim());
    if let Some(free) = module.free_form {
        out.push_str(&format!(" (free-form text is `{free}`)"));
    }
    out.push('\n');
    for spec in (module.args)() {
        out.push_str(&argument(&spec, "  "));
    }
    if !module.returns.is_empty() {
        out.push_str("\nReturns\n");
        for value in module.returns {
            out.push_str(&format!("  {}: {}\n", value.name, value.doc.trim()));
        }
    }
    out
}

/// A default as a playbook would have it.
fn default_text(rust: &str) -> &str {
    match rust {
        "Vec::new()" => "[]",
        "Map::new()" => "{}",
        other => other.trim_end_matches(".to_owned()"),
    }
}

/// An option, and those within it further in.
fn argument(spec: &ArgSpec, indent: &str) -> String {
    let mut notes = vec![spec.kind.name().to_owned()];
    if spec.required {
        notes.push("required".to_owned());
    }
    if let Some(default) = spec.default {
        notes.push(format!("default: {}", default_text(default)));
    }
    if !spec.choices.is_empty() {
        notes.push(format!("one of: {}", spec.choices.join(", ")));
    }
    if !spec.aliases.is_empty() {
        notes.push(format!("also: {}", spec.aliases.join(", ")));
    }
    if let Some(why) = spec.refused {
        notes.push(format!("refused: {why}"));
    }
    let doc: Vec<&str> = spec.doc.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let below = format!("{indent}    ");
    let doc = doc.join(&format!("\n{below}"));
    let mut out = format!("{indent}{} ({})\n{below}{doc}\n", spec.name, notes.join("; "));
    spec.kind.within().iter().for_each(|one| out.push_str(&argument(one, &below)));
    out
}
