//! `replace`: all that a regular expression matches in a file.

use fancy_regex::Regex;

use super::attributes::FileAttributes;
use super::lines::{TextFile, Writing};
use crate::args;
use crate::model::{Failure, Map, Replacement, pyregex};
use crate::module::{Arguments, Kind, Module, Path, Plan, ReturnSpec, Run};
use crate::sys::Probe;

args! {
    /// Arguments of `replace`.
    pub struct Replace {
        /// The file.
        [required, aliases "dest" "destfile" "name"]
        path: Path,
        /// What is looked for: a regular expression (Python's), `^` and `$` at each line.
        [required]
        regexp: String,
        /// What is put in its place, with groups (`\1`); what is matched is removed without it.
        replace: String = String::new(),
        /// Only what follows the first match of this regular expression counts.
        after: Option<String>,
        /// Only what comes before the first match of this one.
        before: Option<String>,
        /// Whether the old file is kept under another name.
        backup: bool = false,
        /// A command that must succeed before the file is put in place; `%s` is the file.
        validate: Option<String>,
        /// The file's encoding: UTF-8.
        [choices "utf-8" "utf8" "UTF-8"]
        encoding: String = "utf-8".to_owned(),
        ; ..attributes: FileAttributes,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "replace",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::State,
    doc: "Replace all that a regular expression matches in a file.",
    args: Replace::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "msg", doc: "`2 replacements made`." },
        ReturnSpec { name: "rc", doc: "0; 257 when the file is not there." },
        ReturnSpec { name: "backup_file", doc: "The path that the old file was kept under." },
    ],
    run: Run::Target(plan),
};

fn regex(pattern: &str, multiline: bool) -> Result<Regex, Failure> {
    pyregex::compile(pattern, false, multiline).map_err(Failure::new)
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Replace::parse(args)?;
    let file = TextFile::read(host, &args.path)?;
    let Some(text) = &file.text else {
        return Err(Failure::missing(format!("Path {} does not exist !", args.path.0)).with("rc", 257));
    };
    let mut plan = Plan::new();
    let Some((start, end)) = section(&args, text)? else {
        let pattern = match (&args.after, &args.before) {
            (Some(after), Some(before)) => format!("{after}(?P<subsection>.*?){before}"),
            (Some(after), None) => format!("{after}(?P<subsection>.*)"),
            (_, before) => format!("(?P<subsection>.*){}", before.as_deref().unwrap_or_default()),
        };
        return Ok(plan.with("msg", format!("Pattern for before/after params did not match the given file: {pattern}")));
    };
    let part = text.get(start..end).unwrap_or_default();
    let (new, count) = replaced(&regex(&args.regexp, true)?, part, &args.replace)?;
    let changed = count > 0 && new != part;
    let whole = if changed {
        format!("{}{new}{}", text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default())
    } else {
        text.clone()
    };
    let message = if changed { format!("{count} replacements made") } else { String::new() };
    let writing = Writing {
        attributes: &args.attributes,
        backup: args.backup.then_some(&["backup_file"]),
        validate: args.validate.as_deref(),
    };
    file.write(&mut plan, host, &whole, &message, &writing)?;
    Ok(plan.with("rc", 0))
}

/// The part of the text that counts: after one match, before another.
fn section(args: &Replace, text: &str) -> Result<Option<(usize, usize)>, Failure> {
    // As Ansible puts it: one expression in which `.` matches line ends as well.
    let pattern = match (&args.after, &args.before) {
        (None, None) => return Ok(Some((0, text.len()))),
        (Some(after), Some(before)) => format!("(?s){after}(?P<subsection>.*?){before}"),
        (Some(after), None) => format!("(?s){after}(?P<subsection>.*)"),
        (None, Some(before)) => format!("(?s)(?P<subsection>.*){before}"),
    };
    let regex = regex(&pattern, false)?;
    let found = regex.captures(text).map_err(|e| Failure::new(format!("regular expression: {e}")))?;
    Ok(found.and_then(|found| found.name("subsection").map(|part| (part.start(), part.end()))))
}

/// The text with every match replaced, and how many there were.
fn replaced(regex: &Regex, text: &str, with: &str) -> Result<(String, usize), Failure> {
    let (mut out, mut at, mut count) = (String::new(), 0, 0);
    let with = Replacement::parse(with, regex).map_err(|why| {
        // As in Ansible, where it is an error of another class.
        let other = why.starts_with("unknown group name");
        Failure::new(if other { why } else { format!("Unable to process replace due to error: {why}") })
    })?;
    for found in regex.captures_iter(text) {
        let found = found.map_err(|e| Failure::new(format!("regular expression: {e}")))?;
        let Some(whole) = found.get(0) else { continue };
        out.push_str(text.get(at..whole.start()).unwrap_or_default());
        out.push_str(&with.fill(&found));
        at = whole.end();
        count += 1;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Ok((out, count))
}
