//! `file`: files, directories and links, their attributes and times.

mod links;
mod times;
mod tree;

use std::path::{Path as FsPath, PathBuf};

use super::attributes::{self, FileAttributes};
use crate::args;
use crate::model::{Attribute, Diff, Failure, FileKind, Map};
use crate::module::{Arguments, Kind, Module, Path, Plan, ReturnSpec, Run, Step};
use crate::sys::{Content, Effect, Probe, Stat};

args! {
    /// Arguments of `file`.
    pub struct FileArgs {
        /// The path that is managed.
        [required, aliases "dest" "name"]
        path: Path,
        /// What is to be there. By default what is there already; `directory` with
        /// `recurse`, `file` otherwise.
        [choices "absent" "directory" "file" "hard" "link" "touch"]
        state: Option<String>,
        /// What a link points to.
        src: Option<Path>,
        /// Whether attributes are set on all that is below a directory.
        recurse: bool = false,
        /// Whether a link's target is meant rather than the link.
        follow: bool = true,
        /// Whether a link is made although its target is not there, or in the place of a file.
        force: bool = false,
        /// The time of last access: `preserve`, `now`, or a time in `access_time_format`.
        access_time: Option<String>,
        /// The format of `access_time`, as `strptime` takes it.
        access_time_format: String = "%Y%m%d%H%M.%S".to_owned(),
        /// The time of last change: `preserve`, `now`, or a time in `modification_time_format`.
        modification_time: Option<String>,
        /// The format of `modification_time`, as `strptime` takes it.
        modification_time_format: String = "%Y%m%d%H%M.%S".to_owned(),
        ; ..attributes: FileAttributes,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "file",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::State,
    doc: "Manage files, directories, links and their attributes.",
    args: FileArgs::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "path", doc: "The path (`state` is absent, directory or file)." },
        ReturnSpec { name: "dest", doc: "The path (`state` is touch, hard or link)." },
        ReturnSpec { name: "src", doc: "What the link points to." },
        ReturnSpec { name: "state", doc: "What is there: file, directory, link, hard or absent." },
        ReturnSpec { name: "mode", doc: "Permissions, as in `0644`." },
        ReturnSpec { name: "uid", doc: "The owner's id." },
        ReturnSpec { name: "gid", doc: "The group's id." },
        ReturnSpec { name: "owner", doc: "The owner's name." },
        ReturnSpec { name: "group", doc: "The group's name." },
        ReturnSpec { name: "size", doc: "Size in bytes." },
    ],
    run: Run::Target(plan),
};

/// What is at a path, in Ansible's words.
fn state_of(host: &Probe<'_>, path: &FsPath) -> Result<&'static str, Failure> {
    Ok(host.lstat(path)?.as_ref().map_or("absent", attributes::state_name))
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let mut args = FileArgs::parse(args)?;
    let trimmed = args.path.trim_end_matches('/').len().max(1);
    args.path.0.truncate(trimmed);
    let before = state_of(host, args.path.as_ref())?;
    let state = match args.state.as_deref() {
        Some(state) => state.to_owned(),
        None if before != "absent" => before.to_owned(),
        None if args.recurse => "directory".to_owned(),
        None => "file".to_owned(),
    };
    if args.recurse && state != "directory" {
        return Err(failed("recurse option requires state to be 'directory'", &args));
    }
    if args.src.is_some() && !matches!(state.as_str(), "link" | "hard") {
        return Err(failed("src option requires state to be 'link' or 'hard'", &args));
    }
    // A hard link made in a directory gets the name of its source.
    if state == "hard"
        && let Some(src) = &args.src
        && host.stat(&args.path)?.is_some_and(|s| s.kind == FileKind::Directory)
        && let Some(name) = FsPath::new(&**src).file_name()
    {
        args.path.0 = format!("{}/{}", args.path.0, name.to_string_lossy());
    }
    let stamps = times::Stamps::parse(&args, &state)?;
    match state.as_str() {
        "absent" => absent(&args, host),
        "directory" => tree::directory(&args, host, &stamps),
        "link" => links::symbolic(&args, host, &stamps),
        "hard" => links::hard(&args, host, &stamps),
        "touch" => touch(&args, host, &stamps),
        _ => file(&args, host, &stamps),
    }
}

/// A failure that names the path, as Ansible's.
fn failed(message: impl Into<String>, args: &FileArgs) -> Failure {
    Failure::new(message).with("path", &args.path.0)
}

/// The path that attributes go to: a link's target when links are followed.
fn followed(args: &FileArgs, host: &Probe<'_>) -> Result<PathBuf, Failure> {
    attributes::write_target(host, args.path.as_ref(), args.follow)
}

fn state_change(path: &FsPath, before: &str, after: &str) -> Diff {
    Diff::Attributes { subject: path.display().to_string(), changes: vec![Attribute::new("state", before, after)] }
}

fn absent(args: &FileArgs, host: &Probe<'_>) -> Result<Plan, Failure> {
    let path = FsPath::new(&args.path.0);
    let mut plan = Plan::new().with("path", &args.path.0).with("state", "absent");
    if let Some(stat) = host.lstat_certain(path)? {
        let diff = state_change(path, attributes::state_name(&stat), "absent");
        plan.step(Step::effect(Effect::Remove { path: path.to_owned() }).diff(diff));
    }
    Ok(plan)
}

fn file(args: &FileArgs, host: &Probe<'_>, stamps: &times::Stamps) -> Result<Plan, Failure> {
    let path = followed(args, host)?;
    let now = host.lstat(&path)?;
    let state = now.as_ref().map_or("absent", attributes::state_name);
    let Some(stat) = now.filter(|_| matches!(state, "file" | "hard")) else {
        let message = format!("file ({}) is {state}, cannot continue", path.display());
        let failure = if state == "absent" { Failure::missing(message) } else { Failure::new(message) };
        return Err(failure.with("path", path.display().to_string()).with("state", state));
    };
    let mut plan = Plan::new().with("path", path.display().to_string());
    attributes::plan(&mut plan, host, &path, &stat, &args.attributes)?;
    stamps.plan(&mut plan, &path, &stat);
    attributes::return_info(&mut plan, &path);
    Ok(plan)
}

fn touch(args: &FileArgs, host: &Probe<'_>, stamps: &times::Stamps) -> Result<Plan, Failure> {
    let path = followed(args, host)?;
    let mut plan = Plan::new().with("dest", path.display().to_string());
    match host.lstat(&path)? {
        None => {
            let effect = new_file(args, host, &path)?;
            plan.step(Step::effect(effect).diff(state_change(&path, "absent", "touch")));
            stamps.plan_new(&mut plan, &path);
            attributes::plan_flags(&mut plan, host, &path, &args.attributes, false)?;
        }
        Some(stat) => {
            stamps.plan(&mut plan, &path, &stat);
            attributes::plan(&mut plan, host, &path, &stat, &args.attributes)?;
        }
    }
    attributes::return_info(&mut plan, &path);
    Ok(plan)
}

/// An empty file with the attributes asked for.
fn new_file(args: &FileArgs, host: &Probe<'_>, path: &FsPath) -> Result<Effect, Failure> {
    let parent = match path.parent() {
        Some(dir) if dir.as_os_str().is_empty() => FsPath::new("."),
        Some(dir) => dir,
        None => FsPath::new("/"),
    };
    if host.stat(parent)?.is_none() && host.may_be_provided().is_none() {
        let message =
            format!("Error, could not touch target: [Errno 2] No such file or directory: b'{}'", path.display());
        return Err(Failure::missing(message).with("path", path.display().to_string()));
    }
    let base = Stat { mode: 0o666 & !host.umask(), ..Stat::blank(FileKind::File) };
    let wanted = args.attributes.wanted(host, base.mode, false)?;
    let (uid, gid) = host.own_ids();
    Ok(Effect::File {
        path: path.to_owned(),
        content: Content::Bytes(std::sync::Arc::from([])),
        mode: wanted.mode.unwrap_or(base.mode),
        uid: wanted.uid.unwrap_or(uid),
        gid: wanted.gid.unwrap_or(gid),
        in_place: args.attributes.unsafe_writes,
    })
}
