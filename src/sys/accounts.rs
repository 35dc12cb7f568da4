//! Users and groups, read from the host's own databases.
//!
//! The worker is linked statically, where libc's look-ups need plug-ins of the very
//! libc it was built with; so files are read, and `getent` asked for what they lack.

use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// An entry of the user database (passwd(5)).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group's id.
    pub gid: u32,
    /// Comment (GECOS).
    pub gecos: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// An entry of the group database (group(5)).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Group id.
    pub gid: u32,
    /// Names of those who have it as a supplementary group.
    pub members: Vec<String>,
}

fn parse_user(line: &str) -> Option<User> {
    let mut f = line.split(':');
    let (name, _, uid, gid) = (f.next()?, f.next()?, f.next()?, f.next()?);
    Some(User {
        name: name.to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        gecos: f.next().unwrap_or_default().to_owned(),
        home: f.next().unwrap_or_default().to_owned(),
        shell: f.next().unwrap_or_default().to_owned(),
    })
}

fn parse_group(line: &str) -> Option<Group> {
    let mut f = line.split(':');
    let (name, _, gid) = (f.next()?, f.next()?, f.next()?);
    let members = f.next().unwrap_or_default();
    Some(Group {
        name: name.to_owned(),
        gid: gid.parse().ok()?,
        members: members.split(',').filter(|m| !m.is_empty()).map(str::to_owned).collect(),
    })
}

fn read(path: &str) -> String {
    std::fs::read(path).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
}

/// Asks `getent` for one key; nothing when the program or the key is not there.
fn getent(database: &str, key: &str) -> Option<String> {
    let out = Command::new("getent").arg(database).arg(key).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&out.stdout).lines().next()?.to_owned())
}

/// Whether other databases than the files are in use (LDAP, sssd, systemd's own).
fn has_other_sources(database: &str) -> bool {
    read("/etc/nsswitch.conf")
        .lines()
        .filter_map(|l| l.split('#').next()?.split_once(':'))
        .filter(|(name, _)| name.trim() == database)
        .any(|(_, sources)| sources.split_whitespace().any(|s| !matches!(s, "files" | "compat")))
}

/// All users in /etc/passwd.
pub(super) fn users() -> Vec<User> {
    read("/etc/passwd").lines().filter_map(parse_user).collect()
}

/// All groups in /etc/group.
pub(super) fn groups() -> Vec<Group> {
    read("/etc/group").lines().filter_map(parse_group).collect()
}

/// The user with this name.
pub(super) fn user(name: &str) -> Option<User> {
    users()
        .into_iter()
        .find(|u| u.name == name)
        .or_else(|| has_other_sources("passwd").then(|| getent("passwd", name))?.as_deref().and_then(parse_user))
}

/// The user with this id.
pub(super) fn user_by_id(uid: u32) -> Option<User> {
    users().into_iter().find(|u| u.uid == uid).or_else(|| {
        has_other_sources("passwd").then(|| getent("passwd", &uid.to_string()))?.as_deref().and_then(parse_user)
    })
}

/// The name of the user with this id on the machine that this runs on.
pub fn user_name(uid: u32) -> String {
    user_by_id(uid).map_or_else(|| uid.to_string(), |u| u.name)
}

/// A path whose `~` or `~user` at the beginning is a home directory; `own` is that of the user who asks, as
/// the environment has it. As a shell does, it leaves names as they are that nobody has.
pub fn expand_home(path: &str, own: Option<String>) -> String {
    let Some(after) = path.strip_prefix('~') else { return path.to_owned() };
    let (name, rest) = after.split_at(after.find('/').unwrap_or(after.len()));
    let home = if name.is_empty() {
        own.or_else(|| user_by_id(rustix::process::geteuid().as_raw()).map(|user| user.home))
    } else {
        user(name).map(|user| user.home)
    };
    let Some(home) = home else { return path.to_owned() };
    // A home that is the root is no second `/`.
    match (home.trim_end_matches('/'), rest) {
        ("", "") => "/".to_owned(),
        (home, rest) => format!("{home}{rest}"),
    }
}

/// The group with this name.
pub(super) fn group(name: &str) -> Option<Group> {
    groups()
        .into_iter()
        .find(|g| g.name == name)
        .or_else(|| has_other_sources("group").then(|| getent("group", name))?.as_deref().and_then(parse_group))
}

/// The group with this id.
pub(super) fn group_by_id(gid: u32) -> Option<Group> {
    groups().into_iter().find(|g| g.gid == gid).or_else(|| {
        has_other_sources("group").then(|| getent("group", &gid.to_string()))?.as_deref().and_then(parse_group)
    })
}
