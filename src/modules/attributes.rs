//! Owner, group, mode and flags of files: the arguments that all file modules share, and
//! the planning of what differs.

use std::path::{Path, PathBuf};

use crate::args;
use crate::model::{Attribute, Command, Diff, Failure, FileKind, Map, ModeSpec, Value};
use crate::module::{ArgKind, Done, FromArg, Plan, Step};
use crate::sys::{Effect, Probe, Stat};

/// A mode as a playbook gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Octal or symbolic.
    Spec(ModeSpec),
    /// As the source's (`preserve`), where there is a source.
    Preserve,
}

impl FromArg for Mode {
    const KIND: ArgKind = ArgKind::Raw;

    fn from_arg(value: &Value) -> Result<Self, String> {
        let bad = || "mode must be in octal or symbolic form".to_owned();
        match value {
            // YAML has read 0644 as the number 420 already.
            Value::Int(bits) => u32::try_from(*bits)
                .ok()
                .filter(|b| *b <= 0o7777)
                .map(|b| Self::Spec(ModeSpec::Bits(b)))
                .ok_or_else(bad),
            Value::Str(text) if text.as_str() == "preserve" => Ok(Self::Preserve),
            Value::Str(text) => ModeSpec::parse(text.trim()).map(Self::Spec).map_err(|e| e.to_string()),
            _ => Err(bad()),
        }
    }
}

args! {
    /// Attributes of a file, directory or link.
    pub struct FileAttributes {
        /// Permissions: octal (`'0644'`, or `0644` without quotes) or symbolic (`u=rw,g=r`).
        mode: Option<Mode>,
        /// The user that is to own it, by name or id.
        owner: Option<String>,
        /// The group that is to own it, by name or id.
        group: Option<String>,
        /// User part of the SELinux context; without effect on hosts without SELinux.
        seuser: Option<String>,
        /// Role part of the SELinux context; without effect on hosts without SELinux.
        serole: Option<String>,
        /// Type part of the SELinux context; without effect on hosts without SELinux.
        setype: Option<String>,
        /// Level part of the SELinux context; without effect on hosts without SELinux.
        selevel: Option<String>,
        /// Flags as `chattr` takes them: `+i`, `-i` or `=i`, the last when no sign is given.
        [aliases "attr"]
        attributes: Option<String>,
        /// Overwrite the file in place where it cannot be replaced atomically (a file that
        /// is a mount point in a container).
        unsafe_writes: bool = false,
    }
}

/// Attributes as they are asked for, made out for one path; `None`: as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Permission bits.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
}

impl FileAttributes {
    /// What is asked for a thing that has (or, when new, would by default have) the
    /// permission bits `mode`.
    ///
    /// # Errors
    /// When a user or group is not known, or SELinux would have to be set.
    pub fn wanted(&self, host: &Probe<'_>, mode: u32, directory: bool) -> Result<Wanted, Failure> {
        self.check_selinux(host)?;
        let bits = match &self.mode {
            None => None,
            Some(Mode::Spec(spec)) => Some(spec.apply(mode, directory, host.umask())),
            Some(Mode::Preserve) => {
                return Err(
                    Failure::new("mode must be in octal or symbolic form").with("details", "`preserve` is for copies")
                );
            }
        };
        Ok(Wanted { mode: bits, uid: self.uid(host)?, gid: self.gid(host)? })
    }

    fn uid(&self, host: &Probe<'_>) -> Result<Option<u32>, Failure> {
        let Some(name) = self.owner.as_deref().filter(|n| !n.is_empty()) else { return Ok(None) };
        if let Ok(uid) = name.trim().parse() {
            return Ok(Some(uid));
        }
        host.user(name)
            .map(|u| Some(u.uid))
            .ok_or_else(|| Failure::missing(format!("chown failed: failed to look up user {name}")))
    }

    fn gid(&self, host: &Probe<'_>) -> Result<Option<u32>, Failure> {
        let Some(name) = self.group.as_deref().filter(|n| !n.is_empty()) else { return Ok(None) };
        if let Ok(gid) = name.trim().parse() {
            return Ok(Some(gid));
        }
        host.group(name)
            .map(|g| Some(g.gid))
            .ok_or_else(|| Failure::missing(format!("chgrp failed: failed to look up group {name}")))
    }

    /// As Ansible, without effect where SELinux is off; where it is on, refused rather
    /// than left undone.
    fn check_selinux(&self, host: &Probe<'_>) -> Result<(), Failure> {
        let given = [&self.seuser, &self.serole, &self.setype, &self.selevel].iter().any(|o| o.is_some());
        if given && host.lstat("/sys/fs/selinux/enforce")?.is_some() {
            return Err(Failure::new("seuser, serole, setype and selevel are not supported on hosts with SELinux yet"));
        }
        Ok(())
    }
}

/// `-rw-r--r--` as `0644`.
pub fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

fn user_name(host: &Probe<'_>, uid: u32) -> String {
    host.user_by_id(uid).map_or_else(|| uid.to_string(), |u| u.name)
}

fn group_name(host: &Probe<'_>, gid: u32) -> String {
    host.group_by_id(gid).map_or_else(|| gid.to_string(), |g| g.name)
}

/// What of `wanted` differs from what is there.
pub fn differences(host: &Probe<'_>, now: &Stat, wanted: Wanted) -> (Wanted, Vec<Attribute>) {
    let mut rest = Wanted::default();
    let mut changes = Vec::new();
    if let Some(uid) = wanted.uid.filter(|uid| *uid != now.uid) {
        rest.uid = Some(uid);
        changes.push(Attribute::new("owner", user_name(host, now.uid), user_name(host, uid)));
    }
    if let Some(gid) = wanted.gid.filter(|gid| *gid != now.gid) {
        rest.gid = Some(gid);
        changes.push(Attribute::new("group", group_name(host, now.gid), group_name(host, gid)));
    }
    if let Some(mode) = wanted.mode.filter(|mode| *mode != now.mode && now.kind != FileKind::Link) {
        changes.push(Attribute::new("mode", octal(now.mode), octal(mode)));
        rest.mode = Some(mode);
    } else if rest != Wanted::default() && now.kind != FileKind::Link && now.mode & 0o6000 != 0 {
        // A change of owner clears set-id bits, so they are set again.
        rest.mode = Some(wanted.mode.unwrap_or(now.mode));
    }
    (rest, changes)
}

/// The diff that attributes make, if they do.
pub fn diff(path: &Path, changes: Vec<Attribute>) -> Option<Diff> {
    (!changes.is_empty()).then(|| Diff::Attributes { subject: path.display().to_string(), changes })
}

/// Plans what is to be done so that `path`, which is there as `now`, has the attributes.
/// A link is not followed; its mode cannot be set.
///
/// # Errors
/// When a user or group is not known.
pub fn plan(plan: &mut Plan, host: &Probe<'_>, path: &Path, now: &Stat, args: &FileAttributes) -> Result<(), Failure> {
    let wanted = args.wanted(host, now.mode, now.kind == FileKind::Directory)?;
    let (rest, changes) = differences(host, now, wanted);
    if !changes.is_empty() {
        let effect = Effect::Attributes { path: path.to_owned(), mode: rest.mode, uid: rest.uid, gid: rest.gid };
        plan.step(Step::effect(effect).diff(diff(path, changes)));
    }
    plan_flags(plan, host, path, args, now.kind == FileKind::Link)
}

/// Plans a change of `chattr` flags.
///
/// # Errors
/// When `lsattr` cannot be run.
pub fn plan_flags(
    plan: &mut Plan,
    host: &Probe<'_>,
    path: &Path,
    args: &FileAttributes,
    link: bool,
) -> Result<(), Failure> {
    let Some(text) = args.attributes.as_deref().filter(|t| !t.is_empty() && !link) else { return Ok(()) };
    let (sign, flags) = match text.split_at_checked(1) {
        Some((sign @ ("+" | "-" | "="), flags)) => (sign, flags),
        _ => ("=", text),
    };
    let now = flags_of(host, path)?.unwrap_or_default();
    let done = match sign {
        "+" => flags.chars().all(|f| now.contains(f)),
        "-" => !flags.chars().any(|f| now.contains(f)),
        // `e` (extents) is shown by lsattr, but cannot be taken away.
        _ => {
            let set = |t: &str| t.chars().filter(|c| *c != 'e').collect::<std::collections::BTreeSet<_>>();
            set(&now) == set(flags)
        }
    };
    if done {
        return Ok(());
    }
    if host.which("chattr").is_none() {
        return Err(Failure::missing("chattr failed: no such program on this host"));
    }
    let command = Command::new("chattr").arg(format!("{sign}{flags}")).arg(path.display().to_string());
    let change = Diff::attribute(path.display().to_string(), "attributes", now, format!("{sign}{flags}"));
    plan.step(
        Step::action([], move |host| {
            let out = host.run(&command, None)?;
            if out.success() {
                return Ok(Done::default());
            }
            Err(Failure::new("chattr failed").with("details", out.stderr_text().trim()))
        })
        .diff(change),
    );
    Ok(())
}

/// The flags that `lsattr` shows for what is at `path`; nothing where it cannot say.
///
/// # Errors
/// When `lsattr` is there, but cannot be started.
pub fn flags_of(host: &Probe<'_>, path: &Path) -> Result<Option<String>, Failure> {
    Ok(lsattr(host, path)?.map(|(_, flags)| flags))
}

/// The version number and the flags that `lsattr -vd` prints.
///
/// # Errors
/// When `lsattr` is there, but cannot be started.
pub fn lsattr(host: &Probe<'_>, path: &Path) -> Result<Option<(String, String)>, Failure> {
    if host.which("lsattr").is_none() {
        return Ok(None);
    }
    let out = host.query(&Command::new("lsattr").arg("-vd").arg(path.display().to_string()))?;
    let text = out.stdout_text();
    let mut words = text.split_whitespace();
    let (Some(version), Some(flags)) = (words.next(), words.next()) else { return Ok(None) };
    Ok(out.success().then(|| (version.to_owned(), flags.replace('-', ""))))
}

/// What Ansible's file modules return about a path: uid, gid, owner, group, mode, state, size.
///
/// # Errors
/// When it cannot be looked at.
pub fn path_info(host: &Probe<'_>, path: &Path) -> Result<Map, Failure> {
    let mut info = Map::new();
    let Some(stat) = host.lstat(path)? else {
        info.insert("state", "absent");
        return Ok(info);
    };
    info.insert("uid", stat.uid);
    info.insert("gid", stat.gid);
    info.insert("owner", user_name(host, stat.uid));
    info.insert("group", group_name(host, stat.gid));
    info.insert("mode", octal(stat.mode));
    info.insert("state", state_name(&stat));
    info.insert("size", stat.size);
    Ok(info)
}

/// Ansible's word for what is at a path.
pub const fn state_name(stat: &Stat) -> &'static str {
    match stat.kind {
        FileKind::Link => "link",
        FileKind::Directory => "directory",
        _ if stat.nlink > 1 => "hard",
        _ => "file",
    }
}

/// Has the plan return [`path_info`] of what is at `path` when all is done.
pub fn return_info(plan: &mut Plan, path: &Path) {
    let path = path.to_owned();
    plan.after(move |host| path_info(host, &path));
}

/// The path that a write to `path` goes to: through links when they are followed, also
/// through one that leads nowhere yet.
///
/// # Errors
/// On a loop of links.
pub fn write_target(host: &Probe<'_>, path: &Path, follow: bool) -> Result<PathBuf, Failure> {
    let mut path = path.to_owned();
    for _ in 0..40 {
        match host.lstat(&path)? {
            Some(stat) if follow && stat.kind == FileKind::Link => {
                let target = host.read_link(&path)?;
                path = path.parent().unwrap_or_else(|| Path::new("/")).join(target);
            }
            _ => return Ok(path),
        }
    }
    Err(Failure::new(format!("too many levels of symbolic links: {}", path.display())))
}
