//! Hosts and memberships that come up while a run is under way: `add_host`, `group_by`.

use std::collections::HashMap;
use std::sync::Arc;

use super::{ALL, Group, Host, Inventory, UNGROUPED, address};
use crate::model::Vars;

/// What a task adds to the inventory.
#[derive(Debug, Clone)]
pub enum Addition {
    /// `add_host`: a host (a known one gets more), its variables, and groups that it joins.
    Host {
        /// Its name, without a port ([`host_and_port`] splits one off).
        name: String,
        /// Variables, which win over those that the inventory gave it.
        vars: Vars,
        /// Groups; those that are not there are made.
        groups: Vec<String>,
    },
    /// `group_by`: a known host joins a group.
    Member {
        /// The host.
        host: String,
        /// The group; it is made if it is not there.
        group: String,
        /// Groups that it becomes a child of; `all` where there are none.
        parents: Vec<String>,
    },
}

/// A host's name and the port that follows it: `web:2222`, `[::1]:22`.
pub fn host_and_port(text: &str) -> (String, Option<u32>) {
    let found = address::address(text);
    (found.name, found.port)
}

impl Inventory {
    /// Makes an addition; returns whether it changed anything. An inventory's copy shares all
    /// hosts and groups with the original, so copying one to add to it is cheap.
    ///
    /// # Errors
    /// In words: the host of a [`Addition::Member`] is not known; or groups would be each
    /// other's children.
    pub fn add(&mut self, addition: &Addition) -> Result<bool, String> {
        match addition {
            Addition::Host { name, vars, groups } => Ok(self.add_host(name, vars, groups)),
            Addition::Member { host, group, parents } => self.add_group_member(host, group, parents),
        }
    }

    /// Adds a host, or more to a known one; returns whether anything is new. A host named
    /// like the implicit localhost is then an ordinary one.
    pub fn add_host(&mut self, name: &str, vars: &Vars, groups: &[String]) -> bool {
        let mut changed = false;
        let host = self.hosts.entry(Arc::from(name)).or_insert_with(|| {
            changed = true;
            Arc::new(Host { name: name.to_owned(), ..Host::default() })
        });
        if vars.values().iter().any(|(key, value)| key.as_str().and_then(|k| host.vars.get(k)) != Some(value)) {
            changed = true;
            Arc::make_mut(&mut Arc::make_mut(host).vars).extend(vars.clone());
        }
        // Ansible lists the host under `all` itself: `groups.all` begins with it.
        changed |= self.list(ALL, name);
        for group in groups {
            self.make_group(group, true);
            changed |= self.list(group, name);
        }
        if self.host(name).is_some_and(|host| host.groups.is_empty()) {
            self.list(UNGROUPED, name);
        }
        changed
    }

    /// Puts a known host into a group, and the group below its parents; returns whether
    /// anything is new.
    ///
    /// # Errors
    /// In words, as [`Inventory::add`].
    pub fn add_group_member(&mut self, host: &str, group: &str, parents: &[String]) -> Result<bool, String> {
        if self.host(host).is_none() {
            return Err(format!("the host {host} is not in the inventory"));
        }
        let mut changed = self.make_group(group, parents.is_empty());
        let mut deeper = false;
        for parent in parents {
            changed |= self.make_group(parent, true);
            deeper |= self.add_child(parent, group)?;
        }
        if deeper {
            self.set_depths();
        }
        Ok(self.list(group, host) || changed || deeper)
    }

    fn group_mut(&mut self, name: &str) -> Option<&mut Group> {
        self.groups.get_mut(name).map(Arc::make_mut)
    }

    /// Lists a host in a group; no host of another group is in `ungrouped`.
    fn list(&mut self, group: &str, host: &str) -> bool {
        if self.groups.get(group).is_none_or(|g| g.hosts.iter().any(|h| h == host)) {
            return false;
        }
        if let Some(found) = self.group_mut(group) {
            found.hosts.push(host.to_owned());
        }
        if group == ALL {
            return true;
        }
        let entry = self.hosts.get_mut(host).or_else(|| self.implicit.get_mut(host));
        if let Some(entry) = entry.map(Arc::make_mut) {
            entry.groups.retain(|g| g != UNGROUPED);
            entry.groups.push(group.to_owned());
        }
        if group != UNGROUPED
            && self.group(UNGROUPED).is_some_and(|g| g.hosts.iter().any(|h| h == host))
            && let Some(ungrouped) = self.group_mut(UNGROUPED)
        {
            ungrouped.hosts.retain(|h| h != host);
        }
        true
    }

    /// Makes a group unless it is there: a child of `all`, or one that gets its parents next.
    fn make_group(&mut self, name: &str, below_all: bool) -> bool {
        if self.groups.contains_key(name) {
            return false;
        }
        let group = Group {
            name: name.to_owned(),
            hosts: Vec::new(),
            children: Vec::new(),
            parents: below_all.then(|| ALL.to_owned()).into_iter().collect(),
            vars: Arc::default(),
            priority: 1,
            depth: 1,
            origin: None,
        };
        self.groups.insert(Arc::from(name), Arc::new(group));
        if below_all && let Some(all) = self.group_mut(ALL) {
            all.children.push(name.to_owned());
        }
        true
    }

    fn add_child(&mut self, parent: &str, child: &str) -> Result<bool, String> {
        if self.groups.get(parent).is_none_or(|g| g.children.iter().any(|c| c == child)) {
            return Ok(false);
        }
        if parent == child || self.is_below(parent, child) {
            return Err(format!("Adding group '{child}' as child to '{parent}' creates a recursive dependency loop."));
        }
        if let Some(found) = self.group_mut(parent) {
            found.children.push(child.to_owned());
        }
        if let Some(found) = self.group_mut(child) {
            found.parents.push(parent.to_owned());
        }
        Ok(true)
    }

    /// Whether `group` is `above` itself or one of its children at any depth.
    fn is_below(&self, group: &str, above: &str) -> bool {
        let mut seen = std::collections::HashSet::from([group]);
        let mut next = vec![group];
        while let Some(name) = next.pop() {
            if name == above {
                return true;
            }
            let parents = self.groups.get(name).into_iter().flat_map(|g| &g.parents);
            next.extend(parents.map(String::as_str).filter(|p| seen.insert(p)));
        }
        false
    }

    /// Each group's longest way from `all`; there are no cycles.
    fn set_depths(&mut self) {
        let mut open: HashMap<&str, usize> = self.groups.values().map(|g| (g.name.as_str(), g.parents.len())).collect();
        let mut depths: HashMap<String, usize> = HashMap::new();
        let mut next: Vec<&str> = open.iter().filter(|(_, parents)| **parents == 0).map(|(name, _)| *name).collect();
        while let Some(name) = next.pop() {
            let depth = depths.entry(name.to_owned()).or_insert(0).saturating_add(1);
            for child in self.groups.get(name).into_iter().flat_map(|g| &g.children) {
                let below = depths.entry(child.clone()).or_insert(0);
                *below = depth.max(*below);
                if let Some(left) = open.get_mut(child.as_str()) {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        next.push(child);
                    }
                }
            }
        }
        for (name, depth) in depths {
            if self.groups.get(name.as_str()).is_some_and(|g| g.depth != depth)
                && let Some(group) = self.group_mut(&name)
            {
                group.depth = depth;
            }
        }
    }
}
