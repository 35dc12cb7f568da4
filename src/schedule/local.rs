//! The controller's files and templates, for modules that have a half here.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::Context;
use super::view::View;
use crate::diag::Diagnostic;
use crate::model::{Failure, Map, Origin, Source, Text, Value};
use crate::module::{Local, LocalEntry};
use crate::sys::{Payload, Time};
use crate::template::{Templar, TemplateOptions};
use crate::vars::{Layer, Level, Variables};

/// What a task can read of the controller's machine.
pub struct Files<'a> {
    /// The run.
    pub context: &'a Arc<Context>,
    /// The task's variables.
    pub view: &'a View,
    /// What is wrong with a template file, with its place in it: a failure has words only.
    finding: Mutex<Option<Diagnostic>>,
}

impl<'a> Files<'a> {
    /// What a task on a host can read.
    pub fn new(context: &'a Arc<Context>, view: &'a View) -> Self {
        Self { context, view, finding: Mutex::default() }
    }

    /// What was wrong with a template file.
    pub fn finding(self) -> Option<Diagnostic> {
        self.finding.into_inner().unwrap_or_default()
    }

    /// Where files are searched: the role, then the directory of the task's file, then
    /// the playbook's.
    fn roots(&self) -> Vec<String> {
        let found = self.view.scope.get("ansible_search_path");
        let paths = found.as_ref().and_then(Value::as_list).unwrap_or_default();
        paths.iter().filter_map(|path| path.as_str().map(str::to_owned)).collect()
    }
}

fn failed(what: &str, path: &Path, e: &std::io::Error) -> Failure {
    Failure::new(format!("cannot {what} {} on the controller: {e}", path.display()))
}

impl Local for Files<'_> {
    fn find(&self, folder: &str, name: &str) -> Result<PathBuf, Failure> {
        let name = self.context.outside.expand_user(name);
        let roots = self.roots();
        self.context.outside.find(folder, &name, &roots).map(PathBuf::from).ok_or_else(|| {
            let places: Vec<String> = if name.starts_with('/') {
                vec![name.clone()]
            } else {
                roots.iter().flat_map(|r| [format!("{r}/{folder}/{name}"), format!("{r}/{name}")]).collect()
            };
            Failure::new(format!(
                "Could not find or access '{name}'\nSearched in:\n\t{} on the Ansible Controller.",
                places.join("\n\t")
            ))
        })
    }

    fn read(&self, path: &Path) -> Result<Payload, Failure> {
        if let Some(content) = self.context.files.lock().ok().and_then(|files| files.get(path).cloned()) {
            return Ok(content);
        }
        let content = Payload::new(std::fs::read(path).map_err(|e| failed("read", path, &e))?);
        if let Ok(mut files) = self.context.files.lock() {
            files.insert(path.to_owned(), content.clone());
        }
        Ok(content)
    }

    fn decrypt(&self, path: &Path, content: &Payload) -> Result<Option<Payload>, Failure> {
        match self.context.vault.content(content.bytes()) {
            Ok(opened) => Ok(opened.map(|opened| Payload::new(opened.plain.as_slice()))),
            Err(problem) => Err(Failure::new(format!(
                "cannot decrypt {}: {problem} (`decrypt: false` takes it as it is)",
                path.display()
            ))),
        }
    }

    fn walk(&self, dir: &Path) -> Result<Vec<(String, LocalEntry)>, Failure> {
        let mut found = Vec::new();
        let mut todo = vec![dir.to_owned()];
        while let Some(next) = todo.pop() {
            let entries = std::fs::read_dir(&next).map_err(|e| failed("list", &next, &e))?;
            for entry in entries {
                let path = entry.map_err(|e| failed("list", &next, &e))?.path();
                let meta = std::fs::symlink_metadata(&path).map_err(|e| failed("look at", &path, &e))?;
                let name = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy().into_owned();
                let mode = meta.permissions().mode() & 0o7777;
                if meta.file_type().is_symlink() {
                    let target = std::fs::read_link(&path).map_err(|e| failed("read link", &path, &e))?;
                    found.push((name, LocalEntry::Link(target.to_string_lossy().into_owned())));
                } else if meta.is_dir() {
                    found.push((name, LocalEntry::Directory(mode)));
                    todo.push(path);
                } else if meta.is_file() {
                    found.push((name, LocalEntry::File(mode)));
                }
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    fn date(&self, time: Time) -> String {
        let utc = chrono::DateTime::from_timestamp(time.secs, time.nanos);
        let local = utc.map(|utc| utc.with_timezone(&chrono::Local));
        local.map(|local| local.format("%Y-%m-%d %H:%M:%S%.6f").to_string()).unwrap_or_default()
    }

    fn owner(&self, uid: u32) -> String {
        let names = self.context.owners.lock();
        names.map_or_else(
            |_| crate::sys::user_name(uid),
            |mut names| names.entry(uid).or_insert_with(|| crate::sys::user_name(uid)).clone(),
        )
    }

    fn mode(&self, path: &Path) -> Result<u32, Failure> {
        let meta = std::fs::metadata(path).map_err(|e| failed("look at", path, &e))?;
        Ok(meta.permissions().mode() & 0o7777)
    }

    fn render(&self, path: &Path, text: &Text, options: &Map, vars: &Map) -> Result<Value, Failure> {
        let name = path.to_string_lossy();
        let source =
            if text.is_secret() { Source::secret(name, text.as_str()) } else { Source::new(name, text.as_str()) };
        let text = Text::template(text.shared(), Some(Origin::new(&source, 1, 1))).marked(text.marks());
        let mut vars = vars.clone();
        if self.view.scope.get("ansible_managed").is_some() {
            // One's own says what is managed.
            vars.remove("ansible_managed");
        } else if let Some(Value::Str(format)) = self.context.outside.setting("DEFAULT_MANAGED_STR").map(|(v, _)| v) {
            let modified = std::fs::metadata(path).and_then(|meta| meta.modified());
            vars.insert("ansible_managed", Value::Str(managed(&format, modified.ok())));
        }
        let layer = Layer::new(Level::Magic, "the template module", crate::model::Vars::from(vars));
        let scope: Arc<dyn Variables> = Arc::new(self.view.scope.push(layer));
        let templar = Templar::new(Arc::clone(&self.context.engine), scope);
        let mut roots: Vec<String> = path.parent().map(|p| p.to_string_lossy().into_owned()).into_iter().collect();
        roots.extend(self.roots().iter().flat_map(|r| [format!("{r}/templates"), r.clone()]));
        let rendered = if path.extension().is_some_and(|e| e == "hbs") {
            templar.handlebars(&text)
        } else {
            templar.text(&text, template_options(options, roots))
        };
        match rendered {
            Ok(text) => Ok(Value::Str(text)),
            Err(e) => match e.unknown() {
                Some(reason) => Err(Failure::unknown(Arc::clone(reason))),
                None => {
                    let finding: Diagnostic = e.into();
                    let failure = Failure::new(super::explain::explain(&finding));
                    if let Ok(mut noted) = self.finding.lock() {
                        *noted = Some(finding);
                    }
                    Err(failure)
                }
            },
        }
    }
}

/// The template module's options, already converted by its own half.
fn template_options(args: &Map, search: Vec<String>) -> TemplateOptions {
    let mut options = TemplateOptions { search, ..TemplateOptions::default() };
    let text = |name: &str| args.get(name).and_then(Value::as_str).map(str::to_owned);
    let flag = |name: &str, default: bool| args.get(name).and_then(crate::module::to_bool).unwrap_or(default);
    options.trim_blocks = flag("trim_blocks", options.trim_blocks);
    options.lstrip_blocks = flag("lstrip_blocks", options.lstrip_blocks);
    options.keep_trailing_newline = flag("keep_trailing_newline", options.keep_trailing_newline);
    if let Some(sequence) = text("newline_sequence") {
        // As written in a playbook: an escape, or the characters themselves.
        options.newline_sequence = sequence.replace("\\r", "\r").replace("\\n", "\n");
    }
    let pair = |open: &str, close: &str, default: &(String, String)| {
        (text(open).unwrap_or_else(|| default.0.clone()), text(close).unwrap_or_else(|| default.1.clone()))
    };
    options.block = pair("block_start_string", "block_end_string", &options.block);
    options.variable = pair("variable_start_string", "variable_end_string", &options.variable);
    options.comment = pair("comment_start_string", "comment_end_string", &options.comment);
    options
}

/// What the setting `ansible_managed` says of a template: a time's parts (`%Y`), `{file}`, `{host}` and
/// `{uid}`, with `{{{{` for a template's braces. Names of files are values in it, never templates.
fn managed(format: &str, modified: Option<std::time::SystemTime>) -> Text {
    use std::fmt::Write;
    let mut dated = String::new();
    let time = modified.map(chrono::DateTime::<chrono::Local>::from);
    // What is no format of a time stays as it is.
    if time.is_none_or(|time| write!(dated, "{}", time.format(format)).is_err()) {
        format.clone_into(&mut dated);
    }
    let mut out = String::new();
    let mut rest = dated.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        out.push_str(before);
        let fields = [("{file}", "template_path"), ("{host}", "template_host"), ("{uid}", "template_uid")];
        let field = fields.iter().find(|(field, _)| brace.starts_with(field));
        let taken = match field {
            Some((field, name)) => {
                let _ = write!(out, "{{{{ {name} }}}}");
                field.len()
            }
            None => {
                out.extend(brace.chars().next());
                if brace.starts_with("{{") || brace.starts_with("}}") { 2 } else { 1 }
            }
        };
        rest = brace.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    Text::template(out, None)
}

#[cfg(test)]
mod tests {
    use super::managed;

    #[test]
    fn what_is_managed_is_said_with_values_not_with_templates_from_names() {
        let text = |format: &str| managed(format, Some(std::time::SystemTime::UNIX_EPOCH)).as_str().to_owned();
        assert_eq!(text("Ansible managed"), "Ansible managed");
        assert_eq!(
            text("{file} by {uid} on {host}"),
            "{{ template_path }} by {{ template_uid }} on {{ template_host }}"
        );
        assert_eq!(text("{{{{ 1 + 1 }}}} {{x}} %%"), "{{ 1 + 1 }} {x} %");
        assert!(matches!(text("%Y").as_str(), "1969" | "1970"));
        assert_eq!(text("100%"), "100%");
    }
}
