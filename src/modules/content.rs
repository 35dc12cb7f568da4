//! Writing a file's content, with all that goes with it: attributes in the same step,
//! a backup, a validating program, the diff.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::attributes::{self, FileAttributes, Wanted};
use super::shlex;
use crate::model::{Attribute, Command, Diff, Failure, FileKind, TextDiff};
use crate::module::{Done, Plan, Step};
use crate::sys::{Content, Effect, Host, Probe, Stat, clock};

/// Contents longer than this are not shown in diffs, as with Ansible's default
/// `max_diff_size`.
const MAX_DIFF: usize = 104_448;

/// A file that is to have a certain content.
pub struct Write<'a> {
    /// Where; links are not followed ([`attributes::write_target`] does).
    pub path: &'a Path,
    /// What is to be in it.
    pub content: Content,
    /// Its attributes.
    pub attributes: &'a FileAttributes,
    /// What the second header of the diff names, where it is not the path.
    pub source: Option<String>,
    /// Why the content is not shown in diffs, when it is not.
    pub hidden: Option<&'static str>,
    /// The return value that the backup's path goes to, when one is to be made.
    pub backup: Option<&'static [&'static str]>,
    /// A program that is to accept the content before it is put in place; `%s` is the file.
    pub validate: Option<&'a str>,
    /// Whether an earlier step of the same plan makes the directory.
    pub parent_planned: bool,
}

impl<'a> Write<'a> {
    /// Content at a path, without backup and validation.
    pub const fn new(path: &'a Path, content: Content, attributes: &'a FileAttributes) -> Self {
        Self {
            path,
            content,
            attributes,
            source: None,
            hidden: None,
            backup: None,
            validate: None,
            parent_planned: false,
        }
    }
}

/// Plans that `path` is a file with this content and these attributes. No step when it is.
/// The short form of [`plan`], for modules that write a file by the way.
///
/// # Errors
/// When its directory, a user or a group is missing.
pub fn plan_file(
    plan_to: &mut Plan,
    host: &Probe<'_>,
    path: &Path,
    content: impl Into<Arc<[u8]>>,
    attributes: &FileAttributes,
) -> Result<(), Failure> {
    plan(plan_to, host, Write::new(path, Content::Bytes(content.into()), attributes))
}

/// Plans that a file has a content and attributes. No step when it has.
///
/// # Errors
/// When its directory, a user or a group is missing, or something else is at the path.
pub fn plan(plan: &mut Plan, host: &Probe<'_>, write: Write<'_>) -> Result<(), Failure> {
    let now = host.lstat(write.path)?;
    match &now {
        Some(stat) if stat.kind == FileKind::Directory => {
            return Err(Failure::new(format!("Destination {} is a directory", write.path.display())));
        }
        None if write.parent_planned => {}
        None => check_parent(host, write.path)?,
        Some(_) => {}
    }
    let old = match &now {
        Some(stat) if stat.kind == FileKind::File => match host.read(write.path) {
            Ok(bytes) => Content::Bytes(bytes.into()),
            Err(Failure { cause: crate::model::Cause::Unknown(reason), .. }) => Content::Unknown(reason),
            Err(failure) => return Err(failure),
        },
        _ => Content::Bytes(Arc::from([])),
    };
    let is_file = now.as_ref().is_some_and(|s| s.kind == FileKind::File);
    if let Some(stat) = now.as_ref().filter(|_| is_file && old == write.content) {
        return attributes::plan(plan, host, write.path, stat, write.attributes);
    }
    let before = is_file.then_some(&old);
    plan_replace(plan, host, &write, now.as_ref(), before)?;
    let unsure = match (&old, &write.content) {
        (Content::Unknown(reason), _) | (_, Content::Unknown(reason)) if is_file => Some(Arc::clone(reason)),
        _ => None,
    };
    if let Some(reason) = unsure {
        *plan = std::mem::take(plan).unsure(reason);
    }
    attributes::plan_flags(plan, host, write.path, write.attributes, false)
}

/// The directory that a file goes into must be there, or be something that an earlier
/// step of a dry run may provide: the file is then written for certain.
fn check_parent(host: &Probe<'_>, path: &Path) -> Result<(), Failure> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    match host.stat(parent)? {
        Some(stat) if stat.kind == FileKind::Directory => Ok(()),
        Some(_) => Err(Failure::new(format!("Destination directory {} is not a directory", parent.display()))),
        None if host.may_be_provided().is_some() => Ok(()),
        None => Err(Failure::missing(format!("Destination directory {} does not exist", parent.display()))),
    }
}

fn plan_replace(
    plan: &mut Plan,
    host: &Probe<'_>,
    write: &Write<'_>,
    now: Option<&Stat>,
    before: Option<&Content>,
) -> Result<(), Failure> {
    // A new file, also one in the place of a link, starts from the defaults.
    let kept = now.filter(|s| s.kind != FileKind::Link);
    let (uid, gid) = kept.map_or_else(|| host.own_ids(), |s| (s.uid, s.gid));
    let base = kept.map_or(0o666 & !host.umask(), |s| s.mode);
    let wanted = write.attributes.wanted(host, base, false)?;
    let target = Target {
        path: write.path.to_owned(),
        content: write.content.clone(),
        mode: wanted.mode.unwrap_or(base),
        uid: wanted.uid.unwrap_or(uid),
        gid: wanted.gid.unwrap_or(gid),
        in_place: write.attributes.unsafe_writes,
    };
    let backup = write.backup.filter(|_| before.is_some());
    let validate = write.validate.map(validator).transpose()?;
    let effect = target.effect();
    let step = if backup.is_none() && validate.is_none() {
        Step::effect(effect)
    } else {
        let old = before.cloned().zip(now.cloned());
        Step::action([effect], move |host| replace(host, &target, old, backup, validate))
            .yields(backup.unwrap_or_default())
    };
    let text = if host.wants_diff() { text_diff(write, before) } else { None };
    let changes = match kept {
        Some(stat) => attributes::differences(host, stat, wanted).1,
        None => new_attributes(host, wanted),
    };
    plan.step(step.diff(text).diff(attributes::diff(write.path, changes)));
    Ok(())
}

/// A new file shows those attributes that were asked for.
fn new_attributes(host: &Probe<'_>, wanted: Wanted) -> Vec<Attribute> {
    let nobody = Stat { uid: u32::MAX, gid: u32::MAX, mode: u32::MAX, ..Stat::blank(FileKind::File) };
    let mut changes = attributes::differences(host, &nobody, wanted).1;
    for change in &mut changes {
        change.before = "absent".to_owned();
    }
    changes
}

/// What is to stand at a path.
struct Target {
    path: PathBuf,
    content: Content,
    mode: u32,
    uid: u32,
    gid: u32,
    in_place: bool,
}

impl Target {
    fn effect(&self) -> Effect {
        Effect::File {
            path: self.path.clone(),
            content: self.content.clone(),
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            in_place: self.in_place,
        }
    }
}

fn validator(text: &str) -> Result<Vec<String>, Failure> {
    if !text.contains("%s") {
        return Err(Failure::new(format!("validate must contain %s: {text}")));
    }
    shlex::split(text).map_err(|why| Failure::new(format!("cannot read `validate`: {why}")))
}

fn replace(
    host: &mut Host<'_>,
    target: &Target,
    old: Option<(Content, Stat)>,
    backup: Option<&'static [&'static str]>,
    validate: Option<Vec<String>>,
) -> Result<Done, Failure> {
    if let (Some(words), Content::Bytes(bytes)) = (validate, &target.content) {
        run_validator(host, &words, bytes)?;
    }
    let mut done = Done::default();
    if let (Some(names), Some((Content::Bytes(bytes), stat))) = (backup, old) {
        let to = make_backup(host, &target.path, &bytes, &stat)?;
        for name in names {
            done.result.insert(*name, to.display().to_string());
        }
    }
    host.apply(&target.effect())?;
    Ok(done)
}

fn run_validator(host: &mut Host<'_>, words: &[String], bytes: &[u8]) -> Result<(), Failure> {
    let file = host.scratch("validate", bytes)?;
    let name = file.display().to_string();
    let mut words = words.iter().map(|w| w.replace("%s", &name));
    let command = Command::new(words.next().unwrap_or_default()).args(words);
    let out = host.run(&command, None);
    host.apply(&Effect::Remove { path: file })?;
    let out = out?;
    if out.success() {
        return Ok(());
    }
    Err(Failure::new("failed to validate")
        .with("exit_status", out.code)
        .with("rc", out.code)
        .with("stdout", out.stdout_text())
        .with("stderr", out.stderr_text()))
}

/// A copy beside the file, named as Ansible names it.
fn make_backup(host: &mut Host<'_>, path: &Path, bytes: &Arc<[u8]>, stat: &Stat) -> Result<PathBuf, Failure> {
    let clock::Civil { year, month, day, hour, minute, second, .. } = clock::local(clock::now());
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.{year:04}-{month:02}-{day:02}@{hour:02}:{minute:02}:{second:02}~", std::process::id()));
    let to = PathBuf::from(name);
    let content = Content::Bytes(Arc::clone(bytes));
    let (mode, uid, gid) = (stat.mode, stat.uid, stat.gid);
    host.apply(&Effect::File { path: to.clone(), content, mode, uid, gid, in_place: false })?;
    host.apply(&Effect::Times { path: to.clone(), atime: Some(stat.atime), mtime: Some(stat.mtime) })?;
    Ok(to)
}

fn text_diff(write: &Write<'_>, before: Option<&Content>) -> Option<Diff> {
    let mut hidden = write.hidden.map(str::to_owned);
    let mut text = |content: Option<&Content>| match content? {
        Content::Unknown(reason) => {
            hidden.get_or_insert_with(|| format!("content is unknown: {reason}"));
            None
        }
        Content::Bytes(bytes) => {
            if bytes.len() > MAX_DIFF {
                hidden.get_or_insert_with(|| format!("diff skipped: file size is greater than {MAX_DIFF}"));
                return None;
            }
            match std::str::from_utf8(bytes) {
                Ok(text) if !text.contains('\0') => Some(text.to_owned()),
                _ => {
                    hidden.get_or_insert_with(|| "diff skipped: file appears to be binary".to_owned());
                    None
                }
            }
        }
    };
    let (before, after) = (text(before), text(Some(&write.content)));
    let (before, after) = if hidden.is_some() { (None, None) } else { (before, after) };
    let path = write.path.display().to_string();
    Some(Diff::Text(TextDiff { path, source: write.source.clone(), before, after, hidden }))
}
