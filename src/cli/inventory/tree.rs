//! Groups, hosts and variables in the shapes that ansible-inventory gives them.

use std::collections::HashSet;
use std::sync::Arc;

use crate::diag::Checked;
use crate::inventory::{ALL, Group};
use crate::model::{Key, Map, Marks, Value};
use crate::template::dump;
use crate::vars::{HostLayers, Layer, Level, Scope, Variables};

/// In what language the answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    Yaml,
    Toml,
}

/// Names that every host has and that are not shown.
const INTERNAL: [&str; 19] = [
    "ansible_config_file",
    "ansible_diff_mode",
    "ansible_facts",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_playbook_python",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "group_names",
    "groups",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "omit",
    "playbook_dir",
];

/// What is shown of an inventory.
pub struct Tree<'a> {
    /// The hosts with their layers.
    pub hosts: &'a HostLayers,
    extra: &'a Arc<Layer>,
    /// Hosts within the limit.
    shown: HashSet<String>,
    what: Shown,
}

/// Which variables are shown, and how.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// Where they are defined, not where they hold.
    pub export: bool,
    /// With those beside a playbook, when they are exported.
    pub playbook: bool,
    /// `hash_behaviour = merge`.
    pub merge: bool,
}

/// What has been shown already: groups stand in full once, and so do a host's variables.
#[derive(Default)]
struct Seen {
    groups: HashSet<String>,
    hosts: HashSet<String>,
}

fn gathered(layers: impl IntoIterator<Item = Arc<Layer>>, merge: bool) -> Map {
    let scope = Scope::builder().merge(merge).layers(layers).build();
    let names = scope.names().into_iter().filter(|name| !INTERNAL.contains(&name.as_str()));
    names.filter_map(|name| scope.get(&name).map(|value| (name, value))).collect()
}

fn keep(map: &mut Map, name: &str, value: Value) {
    let empty = match &value {
        Value::Map(inner) => inner.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => false,
    };
    if !empty {
        map.insert(name, value);
    }
}

impl<'a> Tree<'a> {
    /// A tree with the hosts that are within the limit.
    pub fn new(hosts: &'a HostLayers, extra: &'a Arc<Layer>, shown: HashSet<String>, what: Shown) -> Self {
        Self { hosts, extra, shown, what }
    }

    /// A host's variables: all that it sees, or its own where variables stay with their groups.
    pub fn host_vars(&self, host: &str) -> Map {
        let layers = self.hosts.layers(host);
        let own = |layer: &Arc<Layer>| match layer.level {
            Level::InventoryHost | Level::InventoryHostFile => true,
            Level::PlaybookHostFile => self.what.playbook,
            _ => false,
        };
        if self.what.export {
            gathered(layers.into_iter().filter(own), self.what.merge)
        } else {
            gathered(layers.into_iter().chain([Arc::clone(self.extra)]), self.what.merge)
        }
    }

    /// A host's variables in this form.
    ///
    /// # Errors
    /// When the form has no place for a value.
    pub fn one_host(&self, host: &str, form: Form) -> Checked<String> {
        let vars = Value::from(self.host_vars(host));
        let vars = if matches!(form, Form::Json) { with_marks(&vars, false) } else { vars };
        form.write(vars.as_map().unwrap_or(&Map::new()))
    }

    fn group_vars(&self, group: &Group) -> Map {
        let own = |layer: &Arc<Layer>| match layer.level {
            Level::InventoryGroup | Level::InventoryAllFile | Level::InventoryGroupFile => true,
            Level::PlaybookAllFile | Level::PlaybookGroupFile => self.what.playbook,
            _ => false,
        };
        gathered(self.hosts.group_layers(&group.name).into_iter().filter(own), self.what.merge)
    }

    fn children(&self, group: &'a Group) -> impl Iterator<Item = &'a Group> {
        group.children.iter().filter(|name| *name != ALL).filter_map(|name| self.hosts.inventory().group(name))
    }

    fn members(&self, group: &'a Group) -> impl Iterator<Item = &'a String> {
        group.hosts.iter().filter(|host| group.name != ALL && self.shown.contains(*host))
    }

    /// All groups and hosts.
    ///
    /// # Errors
    /// When the form has no place for a value.
    pub fn list(&self, form: Form) -> Checked<String> {
        let mut out = Map::new();
        let Some(all) = self.hosts.inventory().group(ALL) else { return form.write(&out) };
        let mut seen = Seen::default();
        match form {
            Form::Yaml => {
                self.nested(all, &mut seen, &mut out);
            }
            Form::Toml => self.tables(all, &mut seen, &mut out),
            Form::Json => {
                self.flat(all, &mut seen, &mut out);
                out.insert("_meta", self.meta());
            }
        }
        form.write(&out)
    }

    /// What scripts give for `--list`: each group once, with names.
    fn flat(&self, group: &'a Group, seen: &mut Seen, out: &mut Map) {
        if !seen.groups.insert(group.name.clone()) {
            return;
        }
        let mut entry = Map::new();
        keep(&mut entry, "hosts", Value::list(self.members(group).map(String::as_str)));
        keep(&mut entry, "children", Value::list(self.children(group).map(|g| g.name.as_str())));
        if self.what.export {
            keep(&mut entry, "vars", marked(&Value::from(self.group_vars(group))));
        }
        keep(out, &group.name, Value::from(entry));
        self.children(group).for_each(|child| self.flat(child, seen, out));
    }

    fn meta(&self) -> Value {
        let hosts = self.hosts.inventory().hosts().filter(|host| self.shown.contains(&host.name));
        let mut vars = Map::new();
        for host in hosts {
            keep(&mut vars, &host.name, marked(&Value::from(self.host_vars(&host.name))));
        }
        let meta: Map =
            [("hostvars", Value::from(vars)), ("profile", Value::from("inventory_legacy"))].into_iter().collect();
        Value::from(meta)
    }

    /// What YAML inventories are: groups within groups.
    fn nested(&self, group: &'a Group, seen: &mut Seen, out: &mut Map) {
        let mut children = Map::new();
        for child in self.children(group) {
            if seen.groups.insert(child.name.clone()) {
                self.nested(child, seen, &mut children);
            } else {
                children.insert(child.name.as_str(), Map::new());
            }
        }
        let mut entry = Map::new();
        keep(&mut entry, "children", Value::from(children));
        self.hosts_and_vars(group, seen, &mut entry);
        keep(out, &group.name, Value::from(entry));
    }

    /// What TOML inventories are: a table for each group.
    fn tables(&self, group: &'a Group, seen: &mut Seen, out: &mut Map) {
        if !seen.groups.insert(group.name.clone()) {
            return;
        }
        let mut entry = Map::new();
        if group.name != ALL {
            keep(&mut entry, "children", Value::list(self.children(group).map(|g| g.name.as_str())));
        }
        self.hosts_and_vars(group, seen, &mut entry);
        keep(out, &group.name, Value::from(entry));
        self.children(group).for_each(|child| self.tables(child, seen, out));
    }

    fn hosts_and_vars(&self, group: &'a Group, seen: &mut Seen, entry: &mut Map) {
        let mut hosts = Map::new();
        for host in self.members(group) {
            let vars = if seen.hosts.insert(host.clone()) { self.host_vars(host) } else { Map::new() };
            hosts.insert(host.as_str(), vars);
        }
        keep(entry, "hosts", Value::from(hosts));
        if self.what.export {
            keep(entry, "vars", Value::from(self.group_vars(group)));
        }
    }

    /// The tree below a group, drawn; with the variables of hosts and groups.
    pub fn graph(&self, group: &str, vars: bool) -> String {
        let mut lines = Vec::new();
        if let Some(group) = self.hosts.inventory().group(group) {
            self.draw(group, 0, vars, &mut lines);
        }
        lines.join("\n")
    }

    fn draw(&self, group: &'a Group, depth: usize, vars: bool, lines: &mut Vec<String>) {
        let line = |text: String, depth: usize| {
            if depth == 0 { text } else { format!("{}--{text}", "  |".repeat(depth)) }
        };
        let variables = |map: &Map, depth: usize, lines: &mut Vec<String>| {
            let mut entries: Vec<(&Key, &Value)> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            lines.extend(entries.iter().map(|(k, v)| line(format!("{{{k} = {}}}", dump::python(v)), depth)));
        };
        lines.push(line(format!("@{}:", group.name), depth));
        self.children(group).for_each(|child| self.draw(child, depth + 1, vars, lines));
        for host in group.hosts.iter().filter(|_| group.name != ALL) {
            lines.push(line(host.clone(), depth + 1));
            if vars {
                variables(&self.host_vars(host), depth + 2, lines);
            }
        }
        if vars {
            variables(&self.group_vars(group), depth + 1, lines);
        }
    }
}

/// Text that must not be templated is marked, and so is what no key has opened, so that the output can
/// be an inventory's source.
fn marked(value: &Value) -> Value {
    with_marks(value, true)
}

/// As [`marked`], where `texts` says so; otherwise only what is encrypted is marked.
fn with_marks(value: &Value, texts: bool) -> Value {
    let named = |mark: &str| Value::from([(mark, value.clone())].into_iter().collect::<Map>());
    match value {
        Value::Str(text) if text.is_encrypted() => named("__ansible_vault"),
        Value::Str(text) if texts && !text.marks().has(Marks::TEMPLATE) && !text.is_secret() => {
            named("__ansible_unsafe")
        }
        Value::List(items) => Value::list(items.iter().map(|item| with_marks(item, texts))),
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), with_marks(value, texts)));
            Value::from(entries.collect::<Map>())
        }
        other => other.clone(),
    }
}
