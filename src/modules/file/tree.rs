//! Directories, and attributes on all that is below one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::times::Stamps;
use super::{FileArgs, attributes, failed, followed, state_change};
use crate::model::{Failure, FileKind};
use crate::module::{Plan, Step};
use crate::sys::{Effect, Probe, Stat};

/// Plans that a directory is there, with its parents.
pub(super) fn directory(args: &FileArgs, host: &Probe<'_>, stamps: &Stamps) -> Result<Plan, Failure> {
    let path = followed(args, host)?;
    let mut plan = Plan::new().with("path", path.display().to_string());
    match host.lstat(&path)? {
        None => {
            plan_missing(&mut plan, args, host, &path)?;
            stamps.plan_new(&mut plan, &path);
        }
        Some(stat) if stat.kind == FileKind::Directory => {
            attributes::plan(&mut plan, host, &path, &stat, &args.attributes)?;
            stamps.plan(&mut plan, &path, &stat);
            if args.recurse {
                below(&mut plan, args, host, stamps, &path, &mut BTreeSet::new())?;
            }
        }
        Some(stat) => {
            let state = attributes::state_name(&stat);
            return Err(failed(format!("{} already exists as a {state}", path.display()), args));
        }
    }
    attributes::return_info(&mut plan, &path);
    Ok(plan)
}

/// The directory and those of its parents that are missing, each with the attributes.
fn plan_missing(plan: &mut Plan, args: &FileArgs, host: &Probe<'_>, path: &Path) -> Result<(), Failure> {
    let mut missing: Vec<&Path> = Vec::new();
    for dir in path.ancestors().filter(|p| !p.as_os_str().is_empty()) {
        match host.stat(dir)? {
            None => missing.push(dir),
            Some(stat) if stat.kind == FileKind::Directory => break,
            Some(_) => {
                let message = format!(
                    "There was an issue creating {} as requested: [Errno 20] Not a directory: b'{}'",
                    path.display(),
                    path.display()
                );
                return Err(failed(message, args));
            }
        }
    }
    let (own_uid, own_gid) = host.own_ids();
    let default = 0o777 & !host.umask();
    for dir in missing.into_iter().rev() {
        let wanted = args.attributes.wanted(host, default, true)?;
        let effect = Effect::Directory {
            path: dir.to_owned(),
            mode: wanted.mode.unwrap_or(default),
            uid: wanted.uid.unwrap_or(own_uid),
            // A directory in one with the set-group-id bit inherits the group.
            gid: wanted.gid.unwrap_or(own_gid),
        };
        plan.step(Step::effect(effect).diff(state_change(dir, "absent", "directory")));
        attributes::plan_flags(plan, host, dir, &args.attributes, false)?;
    }
    Ok(())
}

/// Attributes on all that is below a directory. Links are not followed unless that is
/// asked for; `seen` keeps loops of links from going on for ever.
fn below(
    plan: &mut Plan,
    args: &FileArgs,
    host: &Probe<'_>,
    stamps: &Stamps,
    dir: &Path,
    seen: &mut BTreeSet<PathBuf>,
) -> Result<(), Failure> {
    let Some(real) = host.canonical(dir)? else { return Ok(()) };
    if !seen.insert(real) {
        return Ok(());
    }
    for name in host.list_dir(dir)? {
        let path = dir.join(name);
        let Some(stat) = host.lstat(&path)? else { continue };
        one(plan, args, host, stamps, &path, &stat)?;
        if stat.kind == FileKind::Directory {
            below(plan, args, host, stamps, &path, seen)?;
        } else if stat.kind == FileKind::Link && args.follow {
            target(plan, args, host, stamps, &path, seen)?;
        }
    }
    Ok(())
}

fn one(
    plan: &mut Plan,
    args: &FileArgs,
    host: &Probe<'_>,
    stamps: &Stamps,
    path: &Path,
    stat: &Stat,
) -> Result<(), Failure> {
    attributes::plan(plan, host, path, stat, &args.attributes)?;
    if stat.kind != FileKind::Link {
        stamps.plan(plan, path, stat);
    }
    Ok(())
}

/// What a link points to, when that is there; below it, too, when it is a directory.
fn target(
    plan: &mut Plan,
    args: &FileArgs,
    host: &Probe<'_>,
    stamps: &Stamps,
    link: &Path,
    seen: &mut BTreeSet<PathBuf>,
) -> Result<(), Failure> {
    let Some(real) = host.canonical(link)? else { return Ok(()) };
    let Some(stat) = host.lstat(&real)? else { return Ok(()) };
    if stat.kind == FileKind::Directory {
        below(plan, args, host, stamps, &real, seen)?;
    } else if !seen.insert(real.clone()) {
        return Ok(());
    }
    one(plan, args, host, stamps, &real, &stat)
}
