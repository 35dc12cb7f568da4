//! A host's layers: what inventory, group_vars and host_vars say about it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Layer, Level};
use crate::diag::{Checked, Diagnostic};
use crate::inventory::{ALL, Addition, Inventory};
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
    /// Of groups, what keeps an encrypted file of theirs from being read.
    locked_groups: BTreeMap<String, Diagnostic>,
    /// The same of hosts.
    locked_hosts: BTreeMap<String, Diagnostic>,
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

impl FileVars {
    /// Notes that an encrypted file of a group cannot be read.
    pub fn lock_group(&mut self, group: &str, why: Diagnostic) {
        self.locked_groups.entry(group.to_owned()).or_insert(why);
    }

    /// Notes that an encrypted file of a host cannot be read.
    pub fn lock_host(&mut self, host: &str, why: Diagnostic) {
        self.locked_hosts.entry(host.to_owned()).or_insert(why);
    }
}

/// Reads the files of groups and hosts that come up while a run is under way.
pub trait MoreVars: Send + Sync + std::fmt::Debug {
    /// Adds the files of these groups and hosts. Returns warnings.
    ///
    /// # Errors
    /// All that is wrong with the files.
    fn load(&self, groups: &[&str], hosts: &[&str], into: &mut FileVars) -> Checked<Vec<Diagnostic>>;
}

/// What [`HostLayers::with_added`] made.
#[derive(Debug, Clone)]
pub struct Grown {
    /// The layers with the additions.
    pub layers: HostLayers,
    /// Of each addition, in order, whether it changed anything.
    pub changed: Vec<bool>,
    /// Warnings about variables files of new groups and hosts.
    pub warnings: Vec<Diagnostic>,
}

/// Gives each host its layers; those of groups and files are shared by all hosts.
///
/// Immutable: a copy is cheap, and [`HostLayers::with_added`] gives one that has more.
#[derive(Debug, Clone)]
pub struct HostLayers {
    inventory: Arc<Inventory>,
    files: Arc<FileVars>,
    groups: Arc<HashMap<String, Arc<Layer>>>,
    more: Option<Arc<dyn MoreVars>>,
}

impl HostLayers {
    /// The layers of an inventory's hosts.
    pub fn new(inventory: Arc<Inventory>, files: Arc<FileVars>) -> Self {
        let layer =
            |name: &str, vars: &Arc<Vars>| Layer::new(Level::InventoryGroup, format!("group {name}"), Arc::clone(vars));
        let groups = inventory.groups().filter(|g| !g.vars.is_empty());
        let groups = groups.map(|g| (g.name.clone(), layer(&g.name, &g.vars))).collect();
        Self { inventory, files, groups: Arc::new(groups), more: None }
    }

    /// These layers, with a reader for the files of groups and hosts that are added later.
    #[must_use]
    pub fn with_more(self, more: Arc<dyn MoreVars>) -> Self {
        Self { more: Some(more), ..self }
    }

    /// The inventory.
    pub const fn inventory(&self) -> &Arc<Inventory> {
        &self.inventory
    }

    /// Layers that have these additions as well, all at once; groups and hosts that are new
    /// bring their group_vars and host_vars. Whoever holds the old layers sees the old state.
    ///
    /// # Errors
    /// An addition that cannot be made (see [`Inventory::add`]), or a variables file of a new
    /// group or host that cannot be read.
    pub fn with_added(&self, additions: &[Addition]) -> Checked<Grown> {
        let mut inventory = Inventory::clone(&self.inventory);
        let mut changed = Vec::with_capacity(additions.len());
        for addition in additions {
            changed.push(inventory.add(addition).map_err(|why| vec![Diagnostic::error(why)])?);
        }
        let new_groups: Vec<&str> =
            inventory.groups().map(|g| g.name.as_str()).filter(|n| self.inventory.group(n).is_none()).collect();
        let new_hosts: Vec<&str> =
            inventory.hosts().map(|h| h.name.as_str()).filter(|n| self.inventory.host(n).is_none()).collect();
        let (mut files, mut warnings) = (Arc::clone(&self.files), Vec::new());
        if let Some(more) = self.more.as_ref().filter(|_| !new_groups.is_empty() || !new_hosts.is_empty()) {
            let mut found = FileVars::new();
            warnings = more.load(&new_groups, &new_hosts, &mut found)?;
            let locked = !found.locked_groups.is_empty() || !found.locked_hosts.is_empty();
            if locked || !found.groups.is_empty() || !found.hosts.is_empty() {
                let all = Arc::make_mut(&mut files);
                all.groups.extend(found.groups);
                all.hosts.extend(found.hosts);
                all.locked_groups.extend(found.locked_groups);
                all.locked_hosts.extend(found.locked_hosts);
            }
        }
        let layers =
            Self { inventory: Arc::new(inventory), files, groups: Arc::clone(&self.groups), more: self.more.clone() };
        Ok(Grown { layers, changed, warnings })
    }

    /// The layers of a group: its variables in the inventory and in files.
    pub fn group_layers(&self, group: &str) -> Vec<Arc<Layer>> {
        let own = self.groups.get(group).into_iter();
        own.chain(self.files.groups.get(group).into_iter().flatten()).cloned().collect()
    }

    /// What keeps encrypted files of a host, and of its groups, from being read.
    pub fn locked(&self, host: &str) -> Vec<&Diagnostic> {
        let groups = self.inventory.host_groups(host);
        let of_groups = groups.into_iter().filter_map(|group| self.files.locked_groups.get(&group.name));
        of_groups.chain(self.files.locked_hosts.get(host)).collect()
    }

    /// What keeps any encrypted file from being read.
    pub fn all_locked(&self) -> impl Iterator<Item = &Diagnostic> {
        self.files.locked_groups.values().chain(self.files.locked_hosts.values())
    }

    /// The variables of each group, host and file, each once.
    pub fn each_vars(&self) -> impl Iterator<Item = &Arc<Vars>> {
        let files = self.files.groups.values().chain(self.files.hosts.values()).flatten();
        self.groups.values().chain(files).map(|layer| &layer.vars).chain(self.inventory.hosts().map(|host| &host.vars))
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
