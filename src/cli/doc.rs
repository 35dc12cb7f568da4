//! `rplay doc`: what modules there are, and what each takes and returns.

use super::{complain, say};
use crate::diag::{Diagnostic, ExitCode};
use crate::module::{ArgSpec, Kind, Module};
use crate::modules::{self, MODULES};

/// Prints a module's documentation, or the list of modules.
pub fn run(args: &[String]) -> ExitCode {
    let names: Vec<&str> = args.iter().map(String::as_str).filter(|a| !a.starts_with('-')).collect();
    if names.is_empty() {
        let width = MODULES.iter().map(|m| m.name.len()).max().unwrap_or(0);
        for module in MODULES {
            say(&format!("{:width$}  {}", module.name, module.doc.lines().next().unwrap_or_default()));
        }
        return ExitCode::Success;
    }
    for name in names {
        let Some(module) = modules::find(name) else {
            let known = MODULES.iter().map(|m| m.name);
            complain(&[Diagnostic::error(format!("there is no module `{name}`")).suggest(name, known)]);
            return ExitCode::Error;
        };
        say(&page(module));
    }
    ExitCode::Success
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
