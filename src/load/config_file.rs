//! ansible.cfg: where it is found, and its INI dialect (that of Python's configparser).

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Files;
use super::files::Environment;
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::model::{Origin, Source};

/// A key that Ansible's or rplay's settings do not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The section it stands in.
    pub section: String,
    /// The key.
    pub key: String,
    /// Where.
    pub origin: Origin,
}

/// A value with the place of its key.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub value: String,
    pub origin: Origin,
}

/// A configuration file's entries by section and key.
#[derive(Debug, Clone, Default)]
pub(super) struct ConfigFile {
    pub entries: HashMap<(String, String), Entry>,
    /// The keys in the order of the file.
    pub order: Vec<(String, String)>,
    pub path: Option<PathBuf>,
}

/// Finds the file where Ansible looks: `ANSIBLE_CONFIG`, the working directory, the home
/// directory, /etc/ansible. Gives warnings.
pub(super) fn find(environment: &Environment) -> (Option<PathBuf>, Vec<Diagnostic>) {
    let mut warnings = Vec::new();
    let cwd = &environment.cwd;
    if let Some(given) = environment.var("ANSIBLE_CONFIG").filter(|v| !v.is_empty()) {
        let path = environment.path(given, cwd);
        let path = if path.is_dir() { path.join("ansible.cfg") } else { path };
        if path.exists() && !path.is_dir() {
            return (Some(path), warnings);
        }
        warnings.push(
            Diagnostic::warning(format!("ANSIBLE_CONFIG names {}, and there is no such file", path.display()))
                .hint("the other places are tried"),
        );
    }
    let here = cwd.join("ansible.cfg");
    if here.is_file() {
        if world_writable(cwd) {
            warnings.push(
                Diagnostic::warning(format!("{} is ignored: anyone can write to its directory", here.display()))
                    .hint("take the permission away (`chmod o-w .`), or name the file in ANSIBLE_CONFIG"),
            );
        } else {
            return (Some(here), warnings);
        }
    }
    let others = [environment.path("~/.ansible.cfg", cwd), PathBuf::from("/etc/ansible/ansible.cfg")];
    (others.into_iter().find(|path| path.is_file()), warnings)
}

fn world_writable(dir: &Path) -> bool {
    std::fs::metadata(dir).is_ok_and(|found| found.permissions().mode() & 0o002 != 0)
}

/// Reads a file.
pub(super) fn read(files: &Files, path: &Path) -> Checked<ConfigFile> {
    let source = files.read(path, "the configuration")?;
    let mut file = parse(&source)?;
    file.path = Some(path.to_owned());
    Ok(file)
}

/// Sections, `key = value` or `key: value`, `#` and `;` comments; a line that is indented
/// goes on with the value above; `;` after a space starts a comment within a line.
pub(super) fn parse(source: &Arc<Source>) -> Checked<ConfigFile> {
    let mut file = ConfigFile::default();
    let mut errors = Vec::new();
    let mut section: Option<String> = None;
    let mut last: Option<(String, String)> = None;
    for (number, line) in (1u32..).zip(source.text.lines()) {
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        let text = strip_comment(line);
        let indent = text.chars().take_while(|c| c.is_whitespace()).count();
        let origin = Origin::new(source, number, u32::try_from(indent).unwrap_or(0).saturating_add(1));
        let mut error = |message: String, hint: &str| {
            errors.push(Diagnostic::error(message).at(origin.clone()).hint(hint).exit(ExitCode::Options));
        };
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        if let Some(entry) = last.as_ref().filter(|_| indent > 0).and_then(|key| file.entries.get_mut(key)) {
            entry.value.push('\n');
            entry.value.push_str(text);
            continue;
        }
        if let Some(name) = text.strip_prefix('[') {
            match name.split_once(']') {
                Some((name, _)) => section = Some(name.to_owned()),
                None => error("this section header has no closing `]`".to_owned(), "write `[defaults]`"),
            }
            last = None;
            continue;
        }
        let Some(at) = text.find(['=', ':']) else {
            error(format!("expected `key = value`, found `{text}`"), "each setting stands on its own line");
            continue;
        };
        let Some(section) = &section else {
            error("a setting before the first section".to_owned(), "put `[defaults]` above it");
            continue;
        };
        let (key, value) = text.split_at_checked(at).unwrap_or((text, ""));
        let id = (section.clone(), key.trim().to_lowercase());
        let value = value.get(1..).unwrap_or("").trim().to_owned();
        if let Some(first) = file.entries.get(&id) {
            errors.push(
                Diagnostic::error(format!("`{}` is set twice in `[{section}]`", id.1))
                    .at(origin)
                    .related(first.origin.clone(), "first set here")
                    .exit(ExitCode::Options),
            );
            continue;
        }
        file.entries.insert(id.clone(), Entry { value, origin });
        file.order.push(id.clone());
        last = Some(id);
    }
    if errors.is_empty() { Ok(file) } else { Err(errors) }
}

fn strip_comment(line: &str) -> &str {
    if line.trim_start().starts_with(['#', ';']) {
        return "";
    }
    let start =
        line.char_indices().zip(line.chars().skip(1)).find(|((_, before), c)| before.is_whitespace() && *c == ';');
    start.and_then(|((at, _), _)| line.get(..at)).unwrap_or(line)
}
