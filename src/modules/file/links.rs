//! Symbolic and hard links.

use std::path::{Path, PathBuf};

use super::times::Stamps;
use super::{FileArgs, attributes, failed, state_change, state_of};
use crate::model::{Attribute, Diff, Failure, FileKind};
use crate::module::{Plan, Step};
use crate::sys::{Effect, Probe};

/// Plans that a symbolic link is there.
pub(super) fn symbolic(args: &FileArgs, host: &Probe<'_>, stamps: &Stamps) -> Result<Plan, Failure> {
    let path = Path::new(&args.path.0);
    let now = state_of(host, path)?;
    let src = match &args.src {
        Some(src) => Some(PathBuf::from(&src.0)),
        // What the link points to now is taken for the source.
        None if now == "link" => Some(host.read_link(path)?),
        None => None,
    };
    let Some(src) = src else {
        return Err(failed("src is required for creating new symlinks", args).with("dest", &args.path.0));
    };
    refuse(args, host, path, now, &src)?;
    let old = if now == "link" { Some(host.read_link(path)?) } else { None };
    let mut plan = Plan::new().with("dest", &args.path.0).with("src", src.display().to_string());
    let made = old.as_deref() != Some(&*src);
    if made {
        if now == "directory" {
            plan.step(Step::effect(Effect::Remove { path: path.to_owned() }));
        }
        let mut changes = vec![Attribute::new(
            "src",
            old.map_or(String::new(), |o| o.display().to_string()),
            src.display().to_string(),
        )];
        if now != "link" {
            changes.insert(0, Attribute::new("state", now, "link"));
        }
        let diff = Diff::Attributes { subject: path.display().to_string(), changes };
        plan.step(Step::effect(Effect::Link { path: path.to_owned(), target: src.clone() }).diff(diff));
    }
    let target = path.parent().unwrap_or_else(|| Path::new("/")).join(&src);
    plan_attributes(&mut plan, args, host, stamps, path, &target, made)?;
    attributes::return_info(&mut plan, path);
    Ok(plan)
}

/// What Ansible refuses to turn into a link.
fn refuse(args: &FileArgs, host: &Probe<'_>, path: &Path, now: &str, src: &Path) -> Result<(), Failure> {
    let base = if now == "directory" { path } else { path.parent().unwrap_or_else(|| Path::new("/")) };
    let absolute = base.join(src);
    if !args.force && args.src.is_some() && host.stat(&absolute)?.is_none() {
        let message = format!(
            "src file does not exist, use \"force=yes\" if you really want to create the link: {}",
            absolute.display()
        );
        return Err(Failure::missing(message).with("path", &args.path.0).with("src", src.display().to_string()));
    }
    let refusing = || failed(format!("refusing to convert from {now} to symlink for {}", path.display()), args);
    match now {
        "directory" | "file" | "hard" if !args.force => Err(refusing()),
        "directory" if !host.list_dir(path)?.is_empty() => {
            Err(failed(format!("the directory {} is not empty, refusing to convert it", path.display()), args))
        }
        _ => Ok(()),
    }
}

/// Attributes go to the link's target when links are followed, to the link otherwise.
fn plan_attributes(
    plan: &mut Plan,
    args: &FileArgs,
    host: &Probe<'_>,
    stamps: &Stamps,
    path: &Path,
    target: &Path,
    made: bool,
) -> Result<(), Failure> {
    let wanted = args.attributes.wanted(host, 0, false)?;
    let asked = wanted != attributes::Wanted::default();
    if args.follow {
        match host.canonical(target)? {
            Some(real) => {
                if let Some(stat) = host.lstat(&real)? {
                    attributes::plan(plan, host, &real, &stat, &args.attributes)?;
                    stamps.plan(plan, &real, &stat);
                }
            }
            None if asked => plan.warn(
                "Cannot set fs attributes on a non-existent symlink target. follow should be set to False to avoid this.",
            ),
            None => {}
        }
        return Ok(());
    }
    match host.lstat(path)? {
        Some(stat) if !made => {
            attributes::plan(plan, host, path, &stat, &args.attributes)?;
            stamps.plan(plan, path, &stat);
        }
        // A new link belongs to who makes it.
        _ if wanted.uid.is_some() || wanted.gid.is_some() => {
            let effect = Effect::Attributes { path: path.to_owned(), mode: None, uid: wanted.uid, gid: wanted.gid };
            plan.step(Step::effect(effect));
        }
        _ => {}
    }
    Ok(())
}

/// Plans that a hard link is there.
pub(super) fn hard(args: &FileArgs, host: &Probe<'_>, stamps: &Stamps) -> Result<Plan, Failure> {
    let path = Path::new(&args.path.0);
    let Some(src) = args.src.as_ref() else {
        return Err(failed("src is required for creating new hardlinks", args).with("dest", &args.path.0));
    };
    let Some(source) = host.stat(&**src)? else {
        return Err(Failure::missing(format!("src does not exist: {}", src.0))
            .with("dest", &args.path.0)
            .with("src", &src.0));
    };
    let now = host.lstat(path)?;
    let state = now.as_ref().map_or("absent", attributes::state_name);
    let same = now.as_ref().is_some_and(|s| s.inode != 0 && (s.dev, s.inode) == (source.dev, source.inode));
    let mut plan = Plan::new().with("dest", &args.path.0).with("src", &src.0);
    if !same {
        if matches!(state, "file" | "hard" | "directory") && !args.force {
            let what = if state == "file" { "file" } else { "different hard link" };
            return Err(failed(format!("Cannot link, {what} exists at destination"), args)
                .with("dest", &args.path.0)
                .with("src", &src.0));
        }
        if now.as_ref().is_some_and(|s| s.kind == FileKind::Directory) {
            plan.step(Step::effect(Effect::Remove { path: path.to_owned() }));
        }
        let effect = Effect::HardLink { path: path.to_owned(), target: PathBuf::from(&src.0) };
        plan.step(Step::effect(effect).diff(state_change(path, state, "hard")));
    }
    attributes::plan(&mut plan, host, Path::new(&src.0), &source, &args.attributes)?;
    stamps.plan(&mut plan, Path::new(&src.0), &source);
    attributes::return_info(&mut plan, path);
    Ok(plan)
}
