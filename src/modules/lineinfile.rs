//! `lineinfile`: one line of a text file.

use std::path::Path as FsPath;

use super::attributes::FileAttributes;
use super::lines::{self, TextFile, Writing, bare};
use crate::args;
use crate::model::{Diff, Failure, Map, Replacement, pyregex};
use crate::module::{Arguments, Kind, Module, Path, Plan, ReturnSpec, Run, Step};
use crate::sys::{Effect, Probe};

args! {
    /// Arguments of `lineinfile`.
    pub struct LineInFile {
        /// The file.
        [required, aliases "dest" "destfile" "name"]
        path: Path,
        /// Which line is replaced, or which lines are removed: a regular expression (Python's).
        [aliases "regex"]
        regexp: Option<String>,
        /// The same, as a text that the line contains.
        search_string: Option<String>,
        /// The line that is to be there (or not to be there).
        [aliases "value"]
        line: Option<String>,
        /// Whether it is to be there.
        [choices "absent" "present"]
        state: String = "present".to_owned(),
        /// Whether `line` takes in groups of `regexp` (`\1`); without a match nothing is done.
        backrefs: bool = false,
        /// After which line it goes when there was none to replace: `EOF` or a regular
        /// expression, of which the last match counts.
        insertafter: Option<String>,
        /// Before which line it goes: `BOF` or a regular expression.
        insertbefore: Option<String>,
        /// Whether the file is made when it is missing.
        create: bool = false,
        /// Whether the old file is kept under another name.
        backup: bool = false,
        /// Whether the first match counts rather than the last.
        firstmatch: bool = false,
        /// A command that must succeed before the file is put in place; `%s` is the file.
        validate: Option<String>,
        ; ..attributes: FileAttributes,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "lineinfile",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::State,
    doc: "Have one line in a text file, or not have it.",
    args: LineInFile::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "msg", doc: "`line added`, `line replaced`, `2 line(s) removed`." },
        ReturnSpec { name: "found", doc: "How many lines were removed." },
        ReturnSpec { name: "backup", doc: "The path that the old file was kept under; empty when it was not." },
    ],
    run: Run::Target(plan),
};

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = LineInFile::parse(args)?;
    for (a, b, names) in [
        (&args.insertbefore, &args.insertafter, "insertbefore|insertafter"),
        (&args.regexp, &args.search_string, "regexp|search_string"),
    ] {
        if a.is_some() && b.is_some() {
            return Err(Failure::new(format!("parameters are mutually exclusive: {names}")));
        }
    }
    if args.backrefs && args.search_string.is_some() {
        return Err(Failure::new("parameters are mutually exclusive: backrefs|search_string"));
    }
    let file = TextFile::read(host, &args.path)?;
    let mut plan = if args.state == "absent" { absent(&args, host, &file) } else { present(&args, host, &file) }?;
    warn_of_empty(&args, &mut plan);
    Ok(plan)
}

/// What is empty is in every line: hardly ever what was meant.
fn warn_of_empty(args: &LineInFile, plan: &mut Plan) {
    let every = "is an empty string, which will match every line in the file. This may have unintended \
                 consequences, such as replacing the last line in the file rather than appending.";
    if args.regexp.as_deref() == Some("") {
        plan.warn(format!(
            "The regular expression {every} If this is desired, use '^' to match every line in the file and avoid this warning."
        ));
    } else if args.search_string.as_deref() == Some("") {
        plan.warn(format!("The search string {every}"));
    }
}

fn writing(args: &LineInFile) -> Writing<'_> {
    Writing {
        attributes: &args.attributes,
        backup: args.backup.then_some(&["backup"]),
        validate: args.validate.as_deref(),
    }
}

/// What a line is looked for by.
enum Search<'a> {
    Regex(fancy_regex::Regex),
    Text(&'a str),
}

impl<'a> Search<'a> {
    fn of(args: &'a LineInFile) -> Result<Option<Self>, Failure> {
        if let Some(regexp) = args.regexp.as_deref() {
            return Ok(Some(Self::Regex(regex(regexp)?)));
        }
        Ok(args.search_string.as_deref().map(Self::Text))
    }

    fn finds(&self, line: &str) -> Result<bool, Failure> {
        match self {
            Self::Regex(regex) => matches(regex, line),
            Self::Text(text) => Ok(line.contains(text)),
        }
    }
}

fn regex(pattern: &str) -> Result<fancy_regex::Regex, Failure> {
    pyregex::compile(pattern, false, false).map_err(Failure::new)
}

fn matches(regex: &fancy_regex::Regex, line: &str) -> Result<bool, Failure> {
    regex.is_match(line).map_err(|e| Failure::new(format!("regular expression: {e}")))
}

/// The first or last of the lines that `wanted` says yes to.
fn position(
    lines: &[String],
    first: bool,
    wanted: impl Fn(&str) -> Result<bool, Failure>,
) -> Result<Option<usize>, Failure> {
    let mut found = None;
    for (number, line) in lines.iter().enumerate() {
        if wanted(line)? {
            found = Some(number);
            if first {
                break;
            }
        }
    }
    Ok(found)
}

fn present(args: &LineInFile, host: &Probe<'_>, file: &TextFile) -> Result<Plan, Failure> {
    if args.backrefs && args.regexp.is_none() {
        return Err(Failure::new("regexp is required with backrefs=true"));
    }
    let line = args.line.as_deref().ok_or_else(|| Failure::new("line is required with state=present"))?;
    let mut plan = Plan::new();
    if file.text.is_none() {
        if !args.create {
            let message = format!("Destination {} does not exist !", args.path.0);
            return Err(Failure::missing(message).with("rc", 257));
        }
        make_parents(&mut plan, host, &file.path)?;
    }
    let mut lines = lines::split(file.text.as_deref().unwrap_or_default());
    let message = edit(args, &mut lines, line)?;
    plan.set("backup", "");
    if message.is_empty() && file.text.is_none() {
        return Ok(Plan::new().with("msg", "").with("backup", ""));
    }
    file.write(&mut plan, host, &lines.concat(), message, &writing(args))?;
    Ok(plan)
}

/// Plans the missing directories of a file that is made, with default attributes.
///
/// # Errors
/// When the host cannot be looked at.
pub fn make_parents(plan: &mut Plan, host: &Probe<'_>, path: &FsPath) -> Result<(), Failure> {
    let mut missing = Vec::new();
    for dir in path.ancestors().skip(1).filter(|d| !d.as_os_str().is_empty()) {
        if host.stat(dir)?.is_some() {
            break;
        }
        missing.push(dir.to_owned());
    }
    let (uid, gid) = host.own_ids();
    for path in missing.into_iter().rev() {
        let diff = Diff::attribute(path.display().to_string(), "state", "absent", "directory");
        let mode = 0o777 & !host.umask();
        plan.step(Step::effect(Effect::Directory { path, mode, uid, gid }).diff(diff));
    }
    Ok(())
}

/// Brings the line in; says what was done, in Ansible's words.
fn edit(args: &LineInFile, lines: &mut Vec<String>, line: &str) -> Result<&'static str, Failure> {
    let search = Search::of(args)?;
    let matched = match &search {
        Some(search) => position(lines, args.firstmatch, |l| search.finds(l))?,
        None => None,
    };
    let at = match matched {
        Some(at) => Some(at),
        None => exact(args, lines, line)?,
    };
    if let Some(at) = at {
        let mut new = match (&search, matched, args.backrefs) {
            (Some(Search::Regex(regex)), Some(at), true) => {
                let old = lines.get(at).map(String::as_str).unwrap_or_default();
                let found = regex.captures(old).map_err(|e| Failure::new(format!("regular expression: {e}")))?;
                let new = found.map(|f| Replacement::parse(line, regex).map(|new| new.fill(&f)));
                new.transpose().map_err(Failure::new)?.unwrap_or_else(|| line.to_owned())
            }
            _ => line.to_owned(),
        };
        if !new.ends_with('\n') {
            new.push('\n');
        }
        return Ok(match lines.get_mut(at) {
            Some(old) if *old != new => {
                *old = new;
                "line replaced"
            }
            _ => "",
        });
    }
    if args.backrefs {
        return Ok("");
    }
    insert(args, lines, line)
}

/// The line itself, when it is there already: the last one, or with `firstmatch` the last
/// before the place where it would go.
fn exact(args: &LineInFile, lines: &[String], line: &str) -> Result<Option<usize>, Failure> {
    let anchor = if args.firstmatch { anchor(args, lines, line)? } else { None };
    let within = match anchor {
        Some(at) => lines.get(..at).unwrap_or_default(),
        None => lines,
    };
    position(within, false, |l| Ok(bare(l) == line))
}

/// The line that the new one goes after or before.
fn anchor(args: &LineInFile, lines: &[String], line: &str) -> Result<Option<usize>, Failure> {
    let pattern = match (args.insertafter.as_deref(), args.insertbefore.as_deref()) {
        (Some(after), _) if !matches!(after, "BOF" | "EOF") => after,
        (None, Some(before)) if before != "BOF" => before,
        _ => return Ok(None),
    };
    let regex = regex(pattern)?;
    position(lines, args.firstmatch, |l| Ok(bare(l) != line && matches(&regex, l)?))
}

fn insert(args: &LineInFile, lines: &mut Vec<String>, line: &str) -> Result<&'static str, Failure> {
    let new = format!("{line}\n");
    if args.insertbefore.as_deref() == Some("BOF") || args.insertafter.as_deref() == Some("BOF") {
        lines.insert(0, new);
        return Ok("line added");
    }
    let after = args.insertbefore.is_none();
    let at = match anchor(args, lines, line)? {
        Some(at) if after => at + 1,
        Some(at) => at,
        None => lines.len(),
    };
    if after && lines.get(at).is_some_and(|l| bare(l) == line) {
        return Ok("");
    }
    if at >= lines.len()
        && let Some(last) = lines.last_mut().filter(|l| !l.ends_with(['\n', '\r']))
    {
        last.push('\n');
    }
    lines.insert(at.min(lines.len()), new);
    Ok("line added")
}

fn absent(args: &LineInFile, host: &Probe<'_>, file: &TextFile) -> Result<Plan, Failure> {
    if args.regexp.is_none() && args.search_string.is_none() && args.line.is_none() {
        return Err(Failure::new("one of line, search_string, or regexp is required with state=absent"));
    }
    let Some(text) = &file.text else {
        host.lstat_certain(&file.path)?;
        return Ok(Plan::new().with("msg", "file not present"));
    };
    let search = Search::of(args)?;
    let mut kept = Vec::new();
    let mut found = 0;
    for line in lines::split(text) {
        let hit = match &search {
            Some(search) => search.finds(&line)?,
            None => args.line.as_deref() == Some(bare(&line)),
        };
        if hit {
            found += 1;
        } else {
            kept.push(line);
        }
    }
    let message = if found > 0 { format!("{found} line(s) removed") } else { String::new() };
    let mut plan = Plan::new().with("found", found).with("backup", "");
    file.write(&mut plan, host, &kept.concat(), &message, &writing(args))?;
    Ok(plan)
}
