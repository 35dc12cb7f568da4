//! `include_vars`: variables from files of the controller.
//!
//! Source: the documentation of `ansible.builtin.include_vars`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Context;
use super::control::Controlled;
use super::local::Files;
use super::view::View;
use crate::diag::Diagnostic;
use crate::model::{Map, Outcome, Status, Value, Vars, pyregex};
use crate::module::{Local, to_bool};
use crate::template::Error;

/// Reads the files that the arguments name.
///
/// # Errors
/// When a template fails.
pub fn run(args: &Map, context: &Arc<Context>, view: &View) -> Result<Controlled, Error> {
    let args = match view.render(&Value::from(args.clone()))? {
        Some(Value::Map(args)) => (*args).clone(),
        _ => Map::new(),
    };
    Ok(read(&args, context, view).unwrap_or_else(|(message, files)| {
        let result = Map::from_iter([
            ("message", Value::from(message.as_str())),
            ("msg", Value::from(message)),
            ("ansible_included_var_files", paths(&files)),
            ("ansible_facts", Value::from(Map::new())),
        ]);
        Controlled::of(Outcome::new(Status::Failed, result))
    }))
}

/// A message, and the files that were read before.
type Refusal = (String, Vec<PathBuf>);

fn read(args: &Map, context: &Arc<Context>, view: &View) -> Result<Controlled, Refusal> {
    let plain = |message: String| (message, Vec::new());
    let text = |name: &str| args.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    let local = Files::new(context, view);
    let files = match (text("file").or_else(|| text("_raw_params")), text("dir")) {
        (Some(_), Some(_)) => {
            return Err(plain("You are mixing file only and dir only arguments, these are incompatible".into()));
        }
        (Some(file), None) => vec![local.find("vars", file).map_err(|failure| plain(failure.message))?],
        (None, Some(dir)) => {
            let root = local.find("vars", dir);
            let root = root.map_err(|_| plain(format!("{dir} directory does not exist")))?;
            if !root.is_dir() {
                return Err(plain(format!("{dir} is not a directory")));
            }
            Wanted::of(args).map_err(plain)?.files(&root)?
        }
        (None, None) => return Err(plain("Could not find file: one of the following is required: file, dir".into())),
    };
    let mut all = Vars::new();
    let mut done: Vec<PathBuf> = Vec::new();
    for path in files {
        let loaded = (context.vars_loader)(&path).map_err(|findings| {
            let words: Vec<String> = findings.iter().map(super::explain::explain).collect();
            (words.join("; "), done.clone())
        })?;
        warn(context, &loaded.1);
        all.extend(loaded.0);
        done.push(path);
    }
    if text("hash_behaviour") == Some("merge") {
        all = merged(&all, view);
    }
    let facts = match text("name") {
        Some(name) => Vars::from_iter([(name, Value::from(all.values().clone()))]),
        None => all,
    };
    let shown = Value::from(facts.values().clone()).untemplated();
    let result = Map::from_iter([("ansible_facts", shown), ("ansible_included_var_files", paths(&done))]);
    let mut controlled = Controlled::of(Outcome::new(Status::Ok, result));
    controlled.included = facts;
    Ok(controlled)
}

fn warn(context: &Context, warnings: &[Diagnostic]) {
    for warning in warnings {
        context.emit(crate::event::Event::Warning(super::explain::explain_all(warning)));
    }
}

fn paths(files: &[PathBuf]) -> Value {
    Value::list(files.iter().map(|path| path.display().to_string()))
}

/// Each mapping put over the one of its name that is there.
fn merged(new: &Vars, view: &View) -> Vars {
    let mut all = Vars::new();
    for (key, value) in new.values() {
        let name = key.to_string();
        let value = match (view.variable(&name), value) {
            (Ok(Some(Value::Map(old))), Value::Map(new)) => Value::from(crate::vars::merged(&old, new)),
            _ => value.clone(),
        };
        all.set(&name, value, new.origin(&name).cloned());
    }
    all
}

/// Which files of a directory are read.
struct Wanted {
    depth: usize,
    matching: Option<fancy_regex::Regex>,
    ignored: Vec<fancy_regex::Regex>,
    extensions: Vec<String>,
    pass_over_others: bool,
}

impl Wanted {
    fn of(args: &Map) -> Result<Self, String> {
        let regex = |text: &str| {
            pyregex::compile(text, false, false).map_err(|e| format!("{text} is no regular expression: {e}"))
        };
        let list = |name: &str| -> Vec<String> {
            match args.get(name) {
                Some(Value::List(items)) => items.iter().filter_map(|i| i.as_str().map(str::to_owned)).collect(),
                Some(Value::Str(text)) => text.split(',').map(|t| t.trim().to_owned()).collect(),
                _ => Vec::new(),
            }
        };
        let extensions = list("extensions");
        let default = || ["json", "yaml", "yml"].map(str::to_owned).to_vec();
        Ok(Self {
            depth: args.get("depth").and_then(Value::as_int).and_then(|d| usize::try_from(d).ok()).unwrap_or(0),
            matching: args.get("files_matching").and_then(Value::as_str).map(regex).transpose()?,
            ignored: list("ignore_files").iter().map(|text| regex(text)).collect::<Result<_, _>>()?,
            extensions: if extensions.is_empty() { default() } else { extensions },
            pass_over_others: args.get("ignore_unknown_extensions").and_then(to_bool).unwrap_or(false),
        })
    }

    /// The files below a directory in the order of their names, those of a directory before
    /// those of the directories in it.
    ///
    /// # Errors
    /// One that may not be there, with those that were found before it.
    fn files(&self, root: &Path) -> Result<Vec<PathBuf>, Refusal> {
        let mut found = Vec::new();
        match self.below(root, 1, &mut found) {
            Ok(()) => Ok(found),
            Err(message) => Err((message, found)),
        }
    }

    fn below(&self, dir: &Path, level: usize, found: &mut Vec<PathBuf>) -> Result<(), String> {
        let entries = std::fs::read_dir(dir).map_err(|e| format!("cannot read {}: {e}", dir.display()))?;
        let mut entries: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
        entries.sort();
        let (dirs, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|path| path.is_dir());
        for path in files {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let matches = |regex: &fancy_regex::Regex| regex.is_match(&name).unwrap_or(false);
            if self.matching.as_ref().is_some_and(|regex| !matches(regex)) || self.ignored.iter().any(matches) {
                continue;
            }
            let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            if self.extensions.contains(&extension) {
                found.push(path);
            } else if !self.pass_over_others {
                return Err(format!(
                    "{} does not have a valid extension: {}",
                    path.display(),
                    self.extensions.join(", ")
                ));
            }
        }
        for path in dirs.iter().filter(|_| self.depth == 0 || level < self.depth) {
            self.below(path, level + 1, found)?;
        }
        Ok(())
    }
}
