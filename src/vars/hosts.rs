//! A host's layers: what inventory, group_vars and host_vars say about it.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Layer, Level};
use crate::inventory::{ALL, Inventory};
use crate::model::Vars;

/// What a `group_vars` or `host_vars` folder stands beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Beside an inventory.
    Inventory,
    /// Beside a playbook.
    Playbook,
}

/// Variables from group_vars and host_vars: of each group and host, a layer per file.
#[derive(Debug, Clone, Default)]
pub struct FileVars {
    groups: HashMap<String, Vec<Arc<Layer>>>,
    hosts: HashMap<String, Vec<Arc<Layer>>>,
}

impl FileVars {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file of a group; later ones win over earlier ones of the same side.
    pub fn add_group(&mut self, side: Side, group: &str, label: &str, vars: Vars) {
        let level = match (side, group == ALL) {
            (Side::Inventory, true) => Level::InventoryAllFile,
            (Side::Playbook, true) => Level::PlaybookAllFile,
            (Side::Inventory, false) => Level::InventoryGroupFile,
            (Side::Playbook, false) => Level::PlaybookGroupFile,
        };
        self.groups.entry(group.to_owned()).or_default().push(Layer::new(level, label, vars));
    }

    /// Adds a file of a host; later ones win over earlier ones of the same side.
    pub fn add_host(&mut self, side: Side, host: &str, label: &str, vars: Vars) {
        let level = match side {
            Side::Inventory => Level::InventoryHostFile,
            Side::Playbook => Level::PlaybookHostFile,
        };
        self.hosts.entry(host.to_owned()).or_default().push(Layer::new(level, label, vars));
    }
}

/// Gives each host its layers; those of groups and files are shared by all hosts.
#[derive(Debug, Clone)]
pub struct HostLayers {
    inventory: Arc<Inventory>,
    files: Arc<FileVars>,
    groups: HashMap<String, Arc<Layer>>,
}

impl HostLayers {
    /// The layers of an inventory's hosts.
    pub fn new(inventory: Arc<Inventory>, files: Arc<FileVars>) -> Self {
        let layer =
            |name: &str, vars: &Arc<Vars>| Layer::new(Level::InventoryGroup, format!("group {name}"), Arc::clone(vars));
        let groups = inventory.groups().filter(|g| !g.vars.is_empty());
        let groups = groups.map(|g| (g.name.clone(), layer(&g.name, &g.vars))).collect();
        Self { inventory, files, groups }
    }

    /// The inventory.
    pub const fn inventory(&self) -> &Arc<Inventory> {
        &self.inventory
    }

    /// The layers of a host, in the order in which they are to be pushed. `all` applies to
    /// the implicit localhost as well.
    pub fn layers(&self, host: &str) -> Vec<Arc<Layer>> {
        let mut layers = Vec::new();
        for group in self.inventory.host_groups(host) {
            layers.extend(self.groups.get(&group.name).cloned());
            layers.extend(self.files.groups.get(&group.name).into_iter().flatten().cloned());
        }
        if let Some(found) = self.inventory.host(host).filter(|h| !h.vars.is_empty()) {
            layers.push(Layer::new(Level::InventoryHost, format!("host {host}"), Arc::clone(&found.vars)));
        }
        layers.extend(self.files.hosts.get(host).into_iter().flatten().cloned());
        layers
    }
}
