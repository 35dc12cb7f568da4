//! Puts several inventory sources together and checks the whole.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::depths::depths;
use super::names::{safe_name, valid_name};
use super::{ALL, Group, Host, Inventory, LOCALHOST, UNGROUPED, address};
use crate::diag::{Checked, Diagnostic};
use crate::model::{Origin, Source, Text, Value, Vars};

/// What becomes of characters in group names that a variable's name cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GroupNames {
    /// They stay, with a warning.
    #[default]
    Never,
    /// They stay.
    Ignore,
    /// They become `_`, with a warning.
    Always,
    /// They become `_`.
    Silently,
}

impl GroupNames {
    const fn replaces(self) -> bool {
        matches!(self, Self::Always | Self::Silently)
    }
}

/// Collects hosts, groups and variables. Each source is an [`Builder::attempt`]: one that is
/// wrong leaves nothing behind.
#[derive(Debug, Clone)]
pub struct Builder {
    hosts: IndexMap<String, (Host, Vars)>,
    groups: IndexMap<String, Draft>,
    /// Children named before they were defined, with the parents that named them.
    awaited: IndexMap<String, Vec<(String, Origin)>>,
    /// Groups that were given variables, and where, first.
    with_vars: IndexMap<String, Origin>,
    pub(super) errors: Vec<Diagnostic>,
    pub(super) warnings: Vec<Diagnostic>,
    names: GroupNames,
    merge: bool,
}

/// A group as it grows.
#[derive(Debug, Clone, Default)]
struct Draft {
    hosts: IndexSet<String>,
    children: IndexMap<String, Origin>,
    vars: Vars,
    priority: i64,
    origin: Option<Origin>,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Nothing but `all` and `ungrouped`.
    pub fn new() -> Self {
        let draft = || Draft { priority: 1, ..Draft::default() };
        Self {
            hosts: IndexMap::new(),
            groups: IndexMap::from([(ALL.to_owned(), draft()), (UNGROUPED.to_owned(), draft())]),
            awaited: IndexMap::new(),
            with_vars: IndexMap::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
            names: GroupNames::Never,
            merge: false,
        }
    }

    /// Says that mappings of several sources are merged (`hash_behaviour = merge`).
    pub const fn set_merge(&mut self, merge: bool) {
        self.merge = merge;
    }

    /// Sets what becomes of odd group names.
    pub const fn set_group_names(&mut self, names: GroupNames) {
        self.names = names;
    }

    /// Takes a source: `read` adds it; what is wrong with it takes all of it back.
    ///
    /// # Errors
    /// What `read` returns or leaves as errors; groups that are used and not defined by now;
    /// cycles of groups.
    pub fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Checked<T>) -> Checked<T> {
        let before = self.clone();
        let done = read(self);
        self.check_names();
        let mut found = std::mem::take(&mut self.errors);
        self.depths(&mut found);
        match done {
            Ok(value) if found.is_empty() => Ok(value),
            done => {
                *self = before;
                Err(done.err().into_iter().flatten().chain(found).collect())
            }
        }
    }

    /// Adds what an inventory script printed for `--list`. Returns hosts that have to be
    /// asked for with `--host`.
    ///
    /// # Errors
    /// When it is no JSON of groups.
    pub fn script(&mut self, source: &Arc<Source>) -> Checked<Vec<String>> {
        super::script::list(self, source)
    }

    /// Adds what an inventory script printed for `--host NAME`.
    ///
    /// # Errors
    /// When it is no JSON object.
    pub fn script_host(&mut self, host: &str, source: &Arc<Source>) -> Checked<()> {
        super::script::host(self, host, source)
    }

    /// Adds an inventory in TOML form.
    pub fn toml(&mut self, source: &Arc<Source>) {
        super::toml::parse(self, source);
    }

    /// Adds an inventory in INI form.
    pub fn ini(&mut self, source: &Arc<Source>) {
        super::ini::parse(self, source);
    }

    /// Adds an inventory in YAML or JSON form.
    pub fn yaml(&mut self, source: &Arc<Source>) {
        super::yaml::parse(self, source);
    }

    /// Adds a list of hosts as `-i` takes it: `a,b:2222,`; with `ranges`, `w[1:3]` is three.
    /// `name` is what messages call it.
    pub fn host_list(&mut self, text: &str, name: &str, ranges: bool) {
        let source = Source::new(name, text);
        let mut column = 1u32;
        for part in text.split(',') {
            let trimmed = part.trim();
            if !trimmed.is_empty() {
                let lead = part.chars().take_while(|c| c.is_whitespace()).count();
                let at = Origin::new(&source, 1, column.saturating_add(u32::try_from(lead).unwrap_or(0)));
                self.listed(trimmed, ranges, &at);
            }
            column = column.saturating_add(u32::try_from(part.chars().count() + 1).unwrap_or(1));
        }
    }

    fn listed(&mut self, text: &str, ranges: bool, at: &Origin) {
        let found = address::address(text);
        let names = if ranges { address::expand(&found.name) } else { Ok(vec![found.name.clone()]) };
        match names {
            Ok(names) => names.iter().for_each(|name| self.add_host(name, found.port, UNGROUPED, at)),
            // As in Ansible: what is no complete range is a name, a range of what cannot be one is wrong.
            Err(why) if why.contains("no end") || why.contains("a range is") || why.contains("closing") => {
                let message = format!(
                    "Unable to parse address from hostname, leaving unchanged: {text}: {why} (host range must specify end value)"
                );
                self.warnings.push(Diagnostic::warning(message).at(at.clone()));
                self.add_host(text, None, UNGROUPED, at);
            }
            Err(why) => self.errors.push(Diagnostic::error(format!("`{text}`: {why}")).at(at.clone())),
        }
    }

    /// A group's name as it is kept.
    fn name<'n>(&self, name: &'n str) -> Cow<'n, str> {
        if self.names.replaces() { safe_name(name) } else { Cow::Borrowed(name) }
    }

    /// Adds a warning.
    pub fn warn(&mut self, warning: Diagnostic) {
        self.warnings.push(warning);
    }

    /// Whether there is a host of that name.
    pub(super) fn has_host(&self, name: &str) -> bool {
        self.hosts.contains_key(name)
    }

    /// Defines a group; children that waited for it are now its parents'.
    pub fn add_group(&mut self, given: &str, origin: &Origin) {
        let name = &*self.name(given);
        if !self.groups.contains_key(name) {
            if !valid_name(given) && matches!(self.names, GroupNames::Never | GroupNames::Always) {
                let done = if self.names.replaces() { "automatically replaced" } else { "not replaced" };
                self.warnings.push(
                    Diagnostic::warning(format!(
                        "Invalid characters were found in group names {} {done}: `{given}`",
                        if self.names.replaces() { "and" } else { "but" }
                    ))
                    .at(origin.clone())
                    .hint("use letters, digits and underscores; `groups.name` does not work with others"),
                );
            }
            let draft = Draft { priority: 1, origin: Some(origin.clone()), ..Draft::default() };
            self.groups.insert(name.to_owned(), draft);
        } else if let Some(draft) = self.groups.get_mut(name)
            && draft.origin.is_none()
        {
            // It had variables, or is one that always is.
            draft.origin = Some(origin.clone());
        }
        for (parent, origin) in self.awaited.shift_remove(name).unwrap_or_default() {
            self.add_child(&parent, name, &origin);
        }
    }

    /// Makes a group the child of another; it may be defined later.
    pub fn add_child(&mut self, parent: &str, child: &str, origin: &Origin) {
        let (parent, child) = (&*self.name(parent), &*self.name(child));
        if !self.groups.contains_key(child) {
            self.awaited.entry(child.to_owned()).or_default().push((parent.to_owned(), origin.clone()));
            return;
        }
        if let Some(draft) = self.groups.get_mut(parent) {
            draft.children.entry(child.to_owned()).or_insert_with(|| origin.clone());
        }
    }

    /// Adds a host to a group. Its port is that of the first place that names the host.
    pub fn add_host(&mut self, name: &str, port: Option<u32>, group: &str, origin: &Origin) {
        let group = &*self.name(group);
        let entry = self.hosts.entry(name.to_owned()).or_insert_with(|| {
            let mut vars = Vars::new();
            if let Some(port) = port {
                vars.set("ansible_port", port, Some(origin.clone()));
            }
            (Host { name: name.to_owned(), origin: Some(origin.clone()), ..Host::default() }, vars)
        });
        if self.groups.get_mut(group).is_some_and(|draft| draft.hosts.insert(name.to_owned())) {
            entry.0.groups.push(group.to_owned());
        }
    }

    /// Sets a variable of a host that is there.
    pub fn set_host_var(&mut self, host: &str, name: &str, value: Value, origin: &Origin) {
        let merge = self.merge;
        if let Some((_, vars)) = self.hosts.get_mut(host) {
            let value = over(vars, name, value, merge);
            vars.set(name, value, Some(origin.clone()));
        }
    }

    /// Sets a group's variable. The group may be defined later.
    pub fn set_group_var(&mut self, group: &str, name: &str, value: Value, origin: &Origin) {
        let group = &*self.name(group);
        self.with_vars.entry(group.to_owned()).or_insert_with(|| origin.clone());
        if name == "ansible_group_priority" {
            let priority = value.as_int().or_else(|| value.as_str()?.trim().parse().ok());
            match priority.and_then(|p| i64::try_from(p).ok()) {
                Some(priority) => self.draft(group).priority = priority,
                None => self
                    .errors
                    .push(Diagnostic::error("`ansible_group_priority` must be an integer").at(origin.clone())),
            }
            return;
        }
        let merge = self.merge;
        let vars = &mut self.draft(group).vars;
        let value = over(vars, name, value, merge);
        vars.set(name, value, Some(origin.clone()));
    }

    /// Each group's longest distance from `all`; cycles are errors.
    fn depths(&self, errors: &mut Vec<Diagnostic>) -> IndexMap<String, usize> {
        let groups = self.groups.keys().map(String::as_str);
        let edges = self.groups.iter().flat_map(|(parent, draft)| {
            draft.children.iter().map(move |(child, origin)| (parent.as_str(), child.as_str(), origin))
        });
        depths(groups, edges).unwrap_or_else(|cycles| {
            errors.extend(cycles);
            IndexMap::new()
        })
    }

    /// The draft of a group; one that only has variables so far has no origin.
    fn draft(&mut self, group: &str) -> &mut Draft {
        self.groups.entry(group.to_owned()).or_insert_with(|| Draft { priority: 1, ..Draft::default() })
    }

    /// A `[group:vars]` section: the group must be defined somewhere.
    pub(super) fn mention(&mut self, group: &str, origin: &Origin) {
        let group = &*self.name(group);
        self.with_vars.entry(group.to_owned()).or_insert_with(|| origin.clone());
    }

    /// Checks the whole, and gives the inventory.
    ///
    /// # Errors
    /// All errors of all sources; groups that are used and not defined; cycles of groups.
    pub fn finish(mut self) -> Checked<Inventory> {
        self.check_names();
        self.place_hosts();
        self.place_groups();
        let mut errors = std::mem::take(&mut self.errors);
        let depths = self.depths(&mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(self.build(&depths))
    }

    /// What there is by now, without what comes at the end: a host is in `all` or `ungrouped`
    /// only where a source said so.
    pub fn so_far(&self) -> Inventory {
        let depths = self.depths(&mut Vec::new());
        self.clone().build(&depths)
    }

    fn build(self, depths: &IndexMap<String, usize>) -> Inventory {
        let mut parents: HashMap<String, Vec<String>> = HashMap::new();
        for (name, draft) in &self.groups {
            for child in draft.children.keys() {
                parents.entry(child.clone()).or_default().push(name.clone());
            }
        }
        let groups = self.groups.into_iter().map(|(name, draft)| {
            let group = Group {
                hosts: draft.hosts.into_iter().collect(),
                children: draft.children.into_keys().collect(),
                parents: parents.remove(&name).unwrap_or_default(),
                vars: Arc::new(draft.vars),
                priority: draft.priority,
                depth: depths.get(&name).copied().unwrap_or(0),
                origin: draft.origin,
                name: name.clone(),
            };
            (Arc::from(name), Arc::new(group))
        });
        let hosts = self
            .hosts
            .into_iter()
            .map(|(name, (host, vars))| (Arc::from(name), Arc::new(Host { vars: Arc::new(vars), ..host })));
        let implicit = LOCALHOST.iter().map(|name| (Arc::from(*name), Arc::new(implicit_localhost(name))));
        Inventory {
            groups: groups.collect(),
            hosts: hosts.collect(),
            implicit: implicit.collect(),
            warnings: self.warnings.into(),
        }
    }

    /// Groups that are named as children or given variables, and defined nowhere.
    fn check_names(&mut self) {
        let defined = |name: &str, draft: &Draft| draft.origin.is_some() || name == ALL || name == UNGROUPED;
        let known: Vec<&str> = self.groups.iter().filter(|(n, d)| defined(n, d)).map(|(n, _)| n.as_str()).collect();
        let mut found = Vec::new();
        for (child, places) in &self.awaited {
            if let Some((parent, origin)) = places.first() {
                let message = format!("the group `{parent}` has a child `{child}` that is not defined");
                found.push((child, message, origin));
            }
        }
        for (group, origin) in &self.with_vars {
            if !known.contains(&group.as_str()) {
                found.push((group, format!("variables for the group `{group}`, which is not defined"), origin));
            }
        }
        for (name, message, origin) in found {
            self.errors.push(
                Diagnostic::error(message)
                    .at(origin.clone())
                    .label("unknown group")
                    .suggest(name, known.iter().copied())
                    .hint(format!("define it: a section `[{name}]`, which may be empty")),
            );
        }
    }

    /// A host that no group but `all` and `ungrouped` lists is in `ungrouped`, others are not.
    fn place_hosts(&mut self) {
        let mut ungrouped = IndexSet::new();
        for (name, (host, _)) in &mut self.hosts {
            host.groups.retain(|g| g != ALL);
            let grouped = host.groups.iter().any(|g| g != UNGROUPED);
            if grouped {
                host.groups.retain(|g| g != UNGROUPED);
            } else {
                host.groups = vec![UNGROUPED.to_owned()];
                ungrouped.insert(name.clone());
            }
        }
        let listed = std::mem::take(&mut self.draft(UNGROUPED).hosts);
        let mut order: IndexSet<String> = listed.into_iter().filter(|h| ungrouped.contains(h)).collect();
        order.extend(ungrouped);
        self.draft(UNGROUPED).hosts = order;
        self.draft(ALL).hosts.clear();
    }

    /// Groups that are nobody's children are `all`'s.
    fn place_groups(&mut self) {
        let children: IndexSet<String> =
            self.groups.iter().filter(|(n, _)| *n != ALL).flat_map(|(_, d)| d.children.keys().cloned()).collect();
        let here = Origin::new(&Source::new("inventory", ""), 1, 1);
        let roots: Vec<(String, Origin)> = self
            .groups
            .iter()
            .filter(|(name, _)| *name != ALL && !children.contains(name.as_str()))
            .map(|(name, d)| (name.clone(), d.origin.clone().unwrap_or_else(|| here.clone())))
            .collect();
        let all = self.draft(ALL);
        let own = std::mem::take(&mut all.children);
        // `ungrouped` comes first, then what the user listed under `all`, then the rest.
        all.children.extend(roots.iter().filter(|(n, _)| n == UNGROUPED).cloned());
        all.children.extend(own);
        for (name, origin) in roots {
            all.children.entry(name).or_insert(origin);
        }
    }
}

fn implicit_localhost(name: &str) -> Host {
    let vars: Vars = [
        ("ansible_connection", Value::from("local")),
        // No module here runs in it; playbooks ask for it by this name.
        (
            "ansible_python_interpreter",
            Value::Str(Text::template("{{ ansible_playbook_python | default('/usr/bin/python3') }}", None)),
        ),
    ]
    .into_iter()
    .collect();
    Host { name: name.to_owned(), vars: Arc::new(vars), implicit: true, ..Host::default() }
}

/// A value on top of the one that an earlier source gave.
fn over(vars: &Vars, name: &str, value: Value, merge: bool) -> Value {
    match (vars.get(name).and_then(Value::as_map), value.as_map()) {
        (Some(below), Some(above)) if merge => Value::from(below.merged(above)),
        _ => value,
    }
}
