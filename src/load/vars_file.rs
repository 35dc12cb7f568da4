//! Files of variables (`vars_files`, `group_vars`, a role's `vars`), and `-e`.

use std::path::Path;
use std::sync::Arc;

use super::Files;
use super::files::Environment;
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::model::{Origin, Source, Text, Value, Vars};
use crate::playbook::decode_escapes;
use crate::yaml::{self, Node};

/// Variables that were read from a file.
#[derive(Debug, Clone, Default)]
pub struct LoadedVars {
    /// The variables; none when the file is empty.
    pub vars: Vars,
    /// What was accepted and is probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a YAML or JSON file that holds a mapping of variables.
///
/// # Errors
/// When it cannot be read, is malformed, or holds something else.
pub fn load_vars(files: &Files, path: &Path) -> Checked<LoadedVars> {
    parse(&files.read(path, "the variables file")?, &mapping_or_list)
}

/// As in Ansible, a list of mappings will do: the later ones win.
fn mapping_or_list(document: &Node) -> Checked<Vars> {
    let maps = |items: &&[Node]| !items.is_empty() && items.iter().all(|item| item.as_map().is_some());
    let Some(items) = document.as_seq().filter(maps) else { return document.to_vars() };
    let mut vars = Vars::new();
    for item in items {
        vars.extend(item.to_vars()?);
    }
    Ok(vars)
}

/// The variables of a text; `read` makes them out of its document.
fn parse(source: &Arc<Source>, read: &dyn Fn(&Node) -> Checked<Vars>) -> Checked<LoadedVars> {
    let loaded = match yaml::load(source) {
        Ok(loaded) => loaded,
        // JSON that YAML 1.1 cannot read (surrogate pairs) is rare; then positions are lost.
        Err(found) if source.text.trim_start().starts_with('{') => {
            let Ok(value) = yaml::from_str_value(&source.text, &source.name, true) else { return Err(found) };
            let map = value.as_map().cloned().unwrap_or_default();
            return Ok(LoadedVars { vars: Vars::from(map), warnings: Vec::new() });
        }
        Err(found) => return Err(found),
    };
    let mut documents = loaded.documents.into_iter();
    let Some(first) = documents.next() else { return Ok(LoadedVars::default()) };
    if let Some(second) = documents.next() {
        return Err(Diagnostic::error("a variables file is one YAML document")
            .at(second.origin)
            .hint("remove the `---` between the documents")
            .into());
    }
    Ok(LoadedVars { vars: read(&first)?, warnings: loaded.warnings })
}

/// Reads what one `-e` gives: `@file`, JSON or YAML, or `key=value` words.
///
/// # Errors
/// When a file cannot be read, or the text is none of these.
pub fn extra_vars(files: &Files, environment: &Environment, text: &str) -> Checked<LoadedVars> {
    let given = |document: &Node| {
        let exit = |found: Vec<Diagnostic>| found.into_iter().map(|d| d.exit(ExitCode::Options)).collect::<Vec<_>>();
        document.to_vars().map_err(exit)
    };
    if let Some(path) = text.strip_prefix('@') {
        let path = environment.path(path, &environment.cwd);
        return parse(&files.read(&path, "the variables file")?, &given);
    }
    let source = Source::new("--extra-vars", text);
    if text.trim_start().starts_with(['{', '[', '/', '.']) {
        return match text.trim_start().chars().next() {
            Some('/' | '.') => Err(Diagnostic::error(format!("`{text}` given to -e is no variable"))
                .exit(ExitCode::Options)
                .hint("a file is given as `-e @FILE`")
                .into()),
            _ => parse(&source, &given),
        };
    }
    words(&source).map(|vars| LoadedVars { vars, warnings: Vec::new() })
}

/// `a=1 b="two words"`: all values are strings, as in Ansible.
fn words(source: &Arc<Source>) -> Checked<Vars> {
    let mut vars = Vars::new();
    let (mut word, mut quote, mut start) = (String::new(), None, 1u32);
    let mut done: Vec<(String, u32)> = Vec::new();
    let mut escaped = false;
    for (column, c) in (1u32..).zip(source.text.chars()) {
        let plain = escaped;
        escaped = c == '\\' && !plain;
        if plain {
            word.push(c);
            continue;
        }
        // Space within `{{ … }}` and `{% … %}` belongs to the value.
        let opened = ["{{", "{%"].iter().map(|mark| word.matches(mark).count()).sum::<usize>();
        let closed = ["}}", "%}"].iter().map(|mark| word.matches(mark).count()).sum::<usize>();
        match quote {
            None if c.is_whitespace() && opened > closed => {}
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => {
                done.push((std::mem::take(&mut word), start));
                start = column + 1;
                continue;
            }
            _ => {}
        }
        word.push(c);
    }
    let end = Origin::new(source, 1, start);
    if quote.is_some() {
        return Err(Diagnostic::error("a quote given to -e is not closed").at(end).into());
    }
    done.push((word, start));
    for (word, column) in done.into_iter().filter(|(word, _)| !word.is_empty()) {
        let origin = Origin::new(source, 1, column);
        let word = decode_escapes(&word);
        let Some((name, value)) = word.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Diagnostic::error(format!("`{word}` given to -e is no `name=value`"))
                .at(origin)
                .exit(ExitCode::Options)
                .hint("quote a value that has spaces; or give JSON: -e '{\"name\": \"a value\"}'")
                .into());
        };
        vars.set(name, Value::Str(Text::template(unquoted(value), Some(origin.clone()))), Some(origin));
    }
    Ok(vars)
}

/// The value without the quotes around the whole of it.
fn unquoted(value: &str) -> &str {
    let inner = ['"', '\''].into_iter().find_map(|q| value.strip_prefix(q)?.strip_suffix(q));
    inner.unwrap_or(value)
}
