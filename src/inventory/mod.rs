//! Inventories: hosts, the groups that they are in, and the variables of both.
//!
//! Several sources (INI, YAML, host lists) go into one [`Builder`]; [`Builder::finish`]
//! checks the whole (groups that nobody defines, cycles) and gives the [`Inventory`].

mod address;
mod build;
mod depths;
mod grow;
mod ini;
pub mod literal;
mod names;
mod pattern;
mod script;
#[cfg(test)]
mod tests;
mod toml;
mod words;
mod yaml;

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;

pub use build::{Builder, GroupNames};
pub use grow::{Addition, host_and_port};
pub use names::safe_name;
pub use pattern::{Selection, limit_from_file, split_pattern};

use crate::diag::{Checked, Diagnostic};
use crate::model::{Origin, Vars};

/// The group that every host is in.
pub const ALL: &str = "all";
/// The group of hosts that are in no other.
pub const UNGROUPED: &str = "ungrouped";
/// Names that stand for the controller when no inventory has them.
pub const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A host.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// Its name in the inventory.
    pub name: String,
    /// Its own variables.
    pub vars: Arc<Vars>,
    /// The groups that list it, in the order in which they do.
    pub groups: Vec<String>,
    /// Where it is named first; `None` for the implicit localhost.
    pub origin: Option<Origin>,
    /// Whether it is the controller, named without being in the inventory.
    pub implicit: bool,
}

/// A group.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The hosts that it lists itself.
    pub hosts: Vec<String>,
    /// Its child groups, in order.
    pub children: Vec<String>,
    /// The groups it is a child of.
    pub parents: Vec<String>,
    /// Its variables.
    pub vars: Arc<Vars>,
    /// `ansible_group_priority`: of groups of one depth, the higher wins.
    pub priority: i64,
    /// Its distance from `all` by the longest way.
    pub depth: usize,
    /// Where it is defined; `None` for `all` and `ungrouped`, which always are.
    pub origin: Option<Origin>,
}

/// All hosts and groups of a run.
#[derive(Debug, Clone)]
pub struct Inventory {
    // Shared, so that a copy that is added to (`add_host`) costs little.
    hosts: IndexMap<Arc<str>, Arc<Host>>,
    groups: IndexMap<Arc<str>, Arc<Group>>,
    implicit: IndexMap<Arc<str>, Arc<Host>>,
    warnings: Arc<[Diagnostic]>,
}

impl Default for Inventory {
    fn default() -> Self {
        Builder::new().finish().unwrap_or_else(|_| Self {
            hosts: IndexMap::new(),
            groups: IndexMap::new(),
            implicit: IndexMap::new(),
            warnings: Arc::from([]),
        })
    }
}

impl Inventory {
    /// Hosts in the order in which they were first named.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.values().map(|host| &**host)
    }

    /// Groups in the order in which they were first named, `all` and `ungrouped` first.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values().map(|group| &**group)
    }

    /// The host of that name; the implicit localhost too.
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.get(name).or_else(|| self.implicit.get(name)).map(|host| &**host)
    }

    /// The group of that name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name).map(|group| &**group)
    }

    /// What was accepted and is probably not meant.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The hosts of a group and of its children at any depth: its own first, then those of
    /// its children, then of theirs, as Ansible lists them.
    pub fn group_hosts(&self, group: &str) -> Vec<&str> {
        let mut seen_hosts = HashSet::new();
        let mut hosts = Vec::new();
        let mut seen = HashSet::from([group]);
        let mut level = vec![group];
        while !level.is_empty() {
            let mut next = Vec::new();
            for group in level.iter().filter_map(|name| self.groups.get(*name)) {
                hosts.extend(group.hosts.iter().map(String::as_str).filter(|h| seen_hosts.insert(*h)));
                next.extend(group.children.iter().map(String::as_str).filter(|c| seen.insert(*c)));
            }
            level = next;
        }
        hosts
    }

    /// All groups that a host is in, `all` included, in the order in which their variables
    /// are merged: by depth, then priority, then name; later ones win.
    pub fn host_groups(&self, host: &str) -> Vec<&Group> {
        let mut found = self.groups_said(host);
        if !found.iter().any(|g| g.name == ALL) {
            found.splice(0..0, self.group(ALL));
        }
        found
    }

    /// The same for an inventory that is not complete ([`Builder::so_far`]): `all` is among
    /// them only where a source said so.
    pub fn groups_said(&self, host: &str) -> Vec<&Group> {
        let mut seen: HashSet<&str> = HashSet::new();
        let mut found: Vec<&Group> = Vec::new();
        let mut next: Vec<&str> =
            self.host(host).map(|h| h.groups.iter().map(String::as_str).collect()).unwrap_or_default();
        while let Some(name) = next.pop() {
            if let Some(group) = self.group(name).filter(|_| seen.insert(name)) {
                next.extend(group.parents.iter().map(String::as_str));
                found.push(group);
            }
        }
        found.sort_by(|a, b| (a.depth, a.priority, &a.name).cmp(&(b.depth, b.priority, &b.name)));
        found
    }

    /// The names that `group_names` holds for a host: its groups but `all`, sorted.
    pub fn group_names(&self, host: &str) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.host_groups(host).into_iter().map(|g| g.name.as_str()).filter(|n| *n != ALL).collect();
        names.sort_unstable();
        names
    }

    /// The hosts that a pattern means, less those outside of `limit`, in Ansible's order.
    ///
    /// # Errors
    /// When a pattern cannot be read.
    pub fn select(&self, pattern: &str, limit: Option<&str>) -> Checked<Selection> {
        pattern::select(self, pattern, limit)
    }
}
