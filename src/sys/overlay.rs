//! Planned state: what earlier steps of a dry run would have left behind.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Content, Effect, Group, Stat, Time, User};
use crate::model::{FileKind, Reason};

/// Attributes and content of a planned file or directory.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// Nothing is there.
    Absent,
    /// A file with known or unknown content.
    File(Content, Meta),
    /// A directory; when new, nothing of the real one's content is in it.
    Directory(Meta, New),
    /// A symbolic link.
    Link(PathBuf, Meta),
    /// Another name of the file at this path.
    Alias(PathBuf),
    /// What is really there, with other attributes.
    Changed(Meta),
}

/// Whether a directory is only planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct New(pub bool);

/// Planned attributes; `None` is as it really is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Meta {
    pub mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub atime: Option<Time>,
    pub mtime: Option<Time>,
}

/// The effects planned so far, in a form that look-ups want.
#[derive(Debug, Default)]
pub struct Overlay {
    nodes: BTreeMap<PathBuf, Node>,
    users: HashMap<String, Option<User>>,
    groups: HashMap<String, Option<Group>>,
    packages: HashMap<String, Option<String>>,
    units: HashMap<String, (Option<bool>, Option<bool>)>,
    things: HashMap<(String, String), Option<String>>,
    may_provide: Option<Reason>,
}

impl Overlay {
    /// Whether nothing about files is planned, so that the real system can be asked at once.
    pub(super) fn no_files(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Why something missing may be there in a real run.
    pub(super) fn may_provide(&self) -> Option<Reason> {
        self.may_provide.clone()
    }

    /// Whether anything at all is planned.
    pub(super) fn is_planned(&self) -> bool {
        !(self.nodes.is_empty()
            && self.users.is_empty()
            && self.groups.is_empty()
            && self.packages.is_empty()
            && self.units.is_empty()
            && self.things.is_empty()
            && self.may_provide.is_none())
    }

    pub(super) fn node(&self, path: &Path) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Whether the real things below `path` are hidden: an ancestor was removed or made anew.
    pub(super) fn hides(&self, path: &Path) -> bool {
        path.ancestors().skip(1).any(|a| {
            matches!(
                self.nodes.get(a),
                Some(Node::Absent | Node::File(..) | Node::Link(..) | Node::Alias(_) | Node::Directory(_, New(true)))
            )
        })
    }

    /// Names planned to be in `dir`, with whether they are there.
    pub(super) fn entries(&self, dir: &Path) -> Vec<(OsString, bool)> {
        self.nodes
            .iter()
            .filter(|(path, _)| path.parent() == Some(dir))
            .filter_map(|(path, node)| Some((path.file_name()?.to_owned(), !matches!(node, Node::Absent))))
            .collect()
    }

    /// A planned user: `Some(None)` when planned to be gone.
    pub(super) fn user(&self, name: &str) -> Option<&Option<User>> {
        self.users.get(name)
    }

    pub(super) fn users(&self) -> impl Iterator<Item = &User> {
        self.users.values().flatten()
    }

    /// A planned group: `Some(None)` when planned to be gone.
    pub(super) fn group(&self, name: &str) -> Option<&Option<Group>> {
        self.groups.get(name)
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values().flatten()
    }

    /// A planned package: `Some(None)` when planned to be removed.
    pub(super) fn package(&self, name: &str) -> Option<&Option<String>> {
        self.packages.get(name)
    }

    pub(super) fn packages(&self) -> Vec<(String, Option<String>)> {
        let mut all: Vec<_> = self.packages.iter().map(|(name, version)| (name.clone(), version.clone())).collect();
        all.sort();
        all
    }

    /// A unit's planned (active, enabled).
    pub(super) fn unit(&self, name: &str) -> Option<(Option<bool>, Option<bool>)> {
        self.units.get(name).copied()
    }

    /// What is planned for something that a service keeps: `Some(None)` when it is to be gone.
    pub(super) fn thing(&self, kind: &str, name: &str) -> Option<&Option<String>> {
        self.things.get(&(kind.to_owned(), name.to_owned()))
    }

    /// Remembers an effect.
    pub fn add(&mut self, effect: &Effect) {
        match effect {
            Effect::File { path, content, mode, uid, gid, .. } => {
                let meta = Meta { mode: Some(*mode), uid: Some(*uid), gid: Some(*gid), ..Meta::default() };
                self.put(path, Node::File(content.clone(), meta));
            }
            Effect::Directory { path, mode, uid, gid } => {
                let meta = Meta { mode: Some(*mode), uid: Some(*uid), gid: Some(*gid), ..Meta::default() };
                self.put(path, Node::Directory(meta, New(true)));
            }
            Effect::Link { path, target } => {
                // A new link belongs to who makes it.
                let uid = Some(rustix::process::geteuid().as_raw());
                let gid = Some(rustix::process::getegid().as_raw());
                let meta = Meta { mode: Some(0o777), uid, gid, ..Meta::default() };
                self.put(path, Node::Link(target.clone(), meta));
            }
            Effect::HardLink { path, target } => self.put(path, Node::Alias(target.clone())),
            Effect::Attributes { path, mode, uid, gid } => {
                self.patch(path, &Meta { mode: *mode, uid: *uid, gid: *gid, ..Meta::default() });
            }
            Effect::Times { path, atime, mtime } => {
                self.patch(path, &Meta { atime: *atime, mtime: *mtime, ..Meta::default() });
            }
            Effect::Remove { path } => {
                self.nodes.retain(|p, _| !p.starts_with(path));
                self.put(path, Node::Absent);
            }
            Effect::User(user) => drop(self.users.insert(user.name.clone(), Some(user.clone()))),
            Effect::NoUser(name) => drop(self.users.insert(name.clone(), None)),
            Effect::Group(group) => drop(self.groups.insert(group.name.clone(), Some(group.clone()))),
            Effect::NoGroup(name) => drop(self.groups.insert(name.clone(), None)),
            Effect::Package { name, version } => drop(self.packages.insert(name.clone(), version.clone())),
            Effect::Unit { name, active, enabled } => {
                let unit = self.units.entry(name.clone()).or_default();
                *unit = (active.or(unit.0), enabled.or(unit.1));
            }
            Effect::Thing { kind, name, state } => {
                drop(self.things.insert((kind.clone(), name.clone()), state.clone()));
            }
            Effect::MayProvide(reason) => drop(self.may_provide.get_or_insert_with(|| reason.clone())),
        }
    }

    fn put(&mut self, path: &Path, node: Node) {
        self.nodes.insert(path.to_owned(), node);
    }

    fn patch(&mut self, path: &Path, change: &Meta) {
        let path = match self.nodes.get(path) {
            Some(Node::Alias(target)) => target.clone(),
            _ => path.to_owned(),
        };
        let node = self.nodes.entry(path).or_insert(Node::Changed(Meta::default()));
        if let Node::File(_, meta) | Node::Directory(meta, _) | Node::Link(_, meta) | Node::Changed(meta) = node {
            *meta = Meta {
                mode: change.mode.or(meta.mode),
                uid: change.uid.or(meta.uid),
                gid: change.gid.or(meta.gid),
                atime: change.atime.or(meta.atime),
                mtime: change.mtime.or(meta.mtime),
            };
        }
    }
}

impl Meta {
    /// The real attributes with the planned ones on top.
    pub(super) fn over(&self, mut stat: Stat) -> Stat {
        stat.mode = self.mode.unwrap_or(stat.mode);
        stat.uid = self.uid.unwrap_or(stat.uid);
        stat.gid = self.gid.unwrap_or(stat.gid);
        stat.atime = self.atime.unwrap_or(stat.atime);
        stat.mtime = self.mtime.unwrap_or(stat.mtime);
        stat
    }

    /// What `lstat` will say of something that is only planned.
    pub(super) fn planned(&self, kind: FileKind, size: u64) -> Stat {
        self.over(Stat { size, ..Stat::blank(kind) })
    }
}
