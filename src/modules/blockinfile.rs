//! `blockinfile`: a block of lines between two markers.

use super::attributes::FileAttributes;
use super::lineinfile::make_parents;
use super::lines::{self, TextFile, Writing, bare};
use crate::args;
use crate::model::{Failure, Map, pyregex};
use crate::module::{Arguments, Kind, Module, Path, Plan, ReturnSpec, Run};
use crate::sys::Probe;

args! {
    /// Arguments of `blockinfile`.
    pub struct BlockInFile {
        /// The file.
        [required, aliases "dest" "destfile" "name"]
        path: Path,
        /// Whether the block is to be there.
        [choices "absent" "present"]
        state: String = "present".to_owned(),
        /// The lines; without any the block is removed.
        [aliases "content"]
        block: String = String::new(),
        /// The lines around the block; `{mark}` is `marker_begin` in the one, `marker_end` in the other.
        marker: String = "# {mark} ANSIBLE MANAGED BLOCK".to_owned(),
        /// What `{mark}` is in the first line.
        marker_begin: String = "BEGIN".to_owned(),
        /// What `{mark}` is in the last line.
        marker_end: String = "END".to_owned(),
        /// After which line it goes when it is not there: `EOF` or a regular expression, of
        /// which the last match counts.
        insertafter: Option<String>,
        /// Before which line it goes: `BOF` or a regular expression.
        insertbefore: Option<String>,
        /// Whether the file is made when it is missing.
        create: bool = false,
        /// Whether the old file is kept under another name.
        backup: bool = false,
        /// Whether an empty line stands before the block, unless it begins the file.
        prepend_newline: bool = false,
        /// Whether an empty line stands after the block, unless it ends the file.
        append_newline: bool = false,
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
    name: "blockinfile",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::State,
    doc: "Have a block of lines between two marker lines in a text file, or not have it.",
    args: BlockInFile::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "msg", doc: "`Block inserted`, `Block removed`, `File created`." },
        ReturnSpec { name: "backup_file", doc: "The path that the old file was kept under." },
    ],
    run: Run::Target(plan),
};

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = BlockInFile::parse(args)?;
    if args.insertafter.is_some() && args.insertbefore.is_some() {
        return Err(Failure::new("parameters are mutually exclusive: insertbefore|insertafter"));
    }
    let file = TextFile::read(host, &args.path)?;
    let present = args.state == "present" && !args.block.is_empty();
    let mut plan = Plan::new();
    if file.text.is_none() {
        if !args.create {
            let message = format!("Path {} does not exist !", args.path.0);
            return Err(Failure::missing(message).with("rc", 257));
        }
        if !present {
            return Ok(plan.with("msg", ""));
        }
        make_parents(&mut plan, host, &file.path)?;
    }
    let old = file.text.as_deref().unwrap_or_default();
    let new = edited(&args, old, present)?;
    let message = match (&file.text, present) {
        (None, _) => "File created",
        _ if new == old => "",
        (_, false) => "Block removed",
        (_, true) => "Block inserted",
    };
    let writing = Writing {
        attributes: &args.attributes,
        backup: args.backup.then_some(&["backup_file"]),
        validate: args.validate.as_deref(),
    };
    file.write(&mut plan, host, &new, message, &writing)?;
    Ok(plan)
}

/// The text with the block, or without.
fn edited(args: &BlockInFile, old: &str, present: bool) -> Result<String, Failure> {
    let marker = |mark: &str| args.marker.replace("{mark}", mark);
    let (begin, end) = (marker(&args.marker_begin), marker(&args.marker_end));
    let mut lines = lines::split(old);
    let last = |lines: &[String], wanted: &str| lines.iter().rposition(|line| bare(line) == wanted);
    let found = (last(&lines, &begin), last(&lines, &end));
    let mut at = match found {
        (Some(first), Some(second)) => {
            let (first, second) = (first.min(second), first.max(second));
            lines.drain(first..=second);
            first
        }
        _ => place(args, old, &lines)?,
    };
    if !present {
        return Ok(lines.concat());
    }
    if let Some(before) = at.checked_sub(1).and_then(|before| lines.get_mut(before)).filter(|l| !l.ends_with('\n')) {
        before.push('\n');
    }
    let mut block = vec![format!("{begin}\n")];
    block.extend(lines::split(&args.block));
    if let Some(text) = block.last_mut().filter(|l| !l.ends_with('\n')) {
        text.push('\n');
    }
    block.push(format!("{end}\n"));
    if args.prepend_newline && at > 0 && lines.get(at - 1).is_some_and(|l| !bare(l).is_empty()) {
        lines.insert(at, "\n".to_owned());
        at += 1;
    }
    let after = at + block.len();
    lines.splice(at..at, block);
    if args.append_newline && lines.get(after).is_some_and(|l| !bare(l).is_empty()) {
        lines.insert(after, "\n".to_owned());
    }
    Ok(lines.concat())
}

/// Where a new block goes.
fn place(args: &BlockInFile, text: &str, lines: &[String]) -> Result<usize, Failure> {
    let (pattern, after) = match (args.insertafter.as_deref(), args.insertbefore.as_deref()) {
        (_, Some("BOF")) => return Ok(0),
        (Some(after), _) if after != "EOF" => (after, true),
        (_, Some(before)) => (before, false),
        _ => return Ok(lines.len()),
    };
    let regex = pyregex::compile(pattern, false, false).map_err(Failure::new)?;
    let wrong = |e: fancy_regex::Error| Failure::new(format!("regular expression: {e}"));
    if pattern.contains("(?m)") {
        // Over several lines: the place is found in the text as a whole.
        let mut found = None;
        for one in regex.find_iter(text) {
            found = Some(one.map_err(wrong)?);
        }
        let cut = found.map(|f| if after { f.end() } else { f.start() });
        return Ok(cut.map_or(lines.len(), |cut| {
            let lines_before = text.get(..cut).unwrap_or_default().matches('\n').count();
            let inside = after && !text.get(..cut).unwrap_or_default().ends_with('\n');
            lines_before + usize::from(inside)
        }));
    }
    let mut found = None;
    for (number, line) in lines.iter().enumerate() {
        if regex.is_match(line).map_err(wrong)? {
            found = Some(number);
        }
    }
    Ok(found.map_or(lines.len(), |number| number + usize::from(after)))
}
