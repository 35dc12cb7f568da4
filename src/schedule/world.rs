//! What is known of the hosts: facts, registered variables, counts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Context;
use super::scope::magic;
use crate::event::Counts;
use crate::model::{Map, Value, Vars};
use crate::vars::{HostVars, Layer, Level, Scope, Variables};

/// What a run has learned about a host.
#[derive(Debug, Clone, Default)]
pub struct Known {
    facts: Map,
    facts_layer: Option<Arc<Layer>>,
    included: Vars,
    included_layer: Option<Arc<Layer>>,
    registered: Vars,
    registered_layer: Option<Arc<Layer>>,
}

impl Known {
    /// Adds facts; those of the same name are replaced.
    pub fn add_facts(&mut self, facts: &Map, inject: bool) {
        self.facts.extend(facts.clone());
        self.facts_layer = Some(Layer::facts("facts", &self.facts, inject));
    }

    /// Adds variables of `include_vars`.
    pub fn include(&mut self, vars: Vars) {
        self.included.extend(vars);
        self.included_layer = Some(Layer::new(Level::IncludeVars, "include_vars", self.included.clone()));
    }

    /// Sets a variable of `set_fact` or `register`.
    pub fn register(&mut self, name: &str, value: Value) {
        self.registered.set(name, value, None);
        self.registered_layer = Some(Layer::new(Level::Registered, "set_fact or register", self.registered.clone()));
    }

    /// Forgets its facts.
    pub fn clear_facts(&mut self) {
        self.facts = Map::new();
        self.facts_layer = None;
    }

    /// Its layers.
    pub fn layers(&self) -> impl Iterator<Item = Arc<Layer>> {
        self.facts_layer.iter().chain(&self.included_layer).chain(&self.registered_layer).cloned()
    }
}

/// All hosts' knowledge at one moment, shared by the tasks that run in it.
#[derive(Clone)]
pub struct Snapshot {
    context: Arc<Context>,
    known: Arc<HashMap<String, Arc<Known>>>,
    magic: Arc<Layer>,
}

impl Snapshot {
    /// What the run knows of `host`.
    pub fn known(&self, host: &str) -> Option<&Arc<Known>> {
        self.known.get(host)
    }
}

impl HostVars for Snapshot {
    fn hosts(&self) -> Vec<String> {
        self.context.hosts.inventory().hosts().map(|h| h.name.clone()).collect()
    }

    fn scope(&self, host: &str) -> Option<Arc<dyn Variables>> {
        self.context.hosts.inventory().host(host)?;
        let mut layers = self.context.hosts.layers(host);
        layers.extend(self.known(host).into_iter().flat_map(|k| k.layers()));
        layers.extend(self.context.layers.iter().cloned());
        layers.push(Arc::clone(&self.magic));
        layers.push(magic::of_host(&self.context, host));
        let scope = Scope::builder().layers(layers).hostvars(Arc::new(self.clone())).build();
        Some(Arc::new(scope))
    }
}

/// The state that the dispatcher owns.
pub struct World {
    known: HashMap<String, Arc<Known>>,
    shared: Option<Arc<HashMap<String, Arc<Known>>>>,
    /// Recap counts.
    pub counts: BTreeMap<String, Counts>,
}

impl World {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self { known: HashMap::new(), shared: None, counts: BTreeMap::new() }
    }

    /// Changes what is known of a host.
    pub fn update(&mut self, host: &str, change: impl FnOnce(&mut Known)) {
        self.shared = None;
        change(Arc::make_mut(self.known.entry(host.to_owned()).or_default()));
    }

    /// The state of this moment. `magic` is the layer of variables that all hosts share.
    pub fn snapshot(&mut self, context: &Arc<Context>, magic: &Arc<Layer>) -> Snapshot {
        let known = Arc::clone(self.shared.get_or_insert_with(|| Arc::new(self.known.clone())));
        Snapshot { context: Arc::clone(context), known, magic: Arc::clone(magic) }
    }

    /// The counts of a host.
    pub fn count(&mut self, host: &str) -> &mut Counts {
        self.counts.entry(host.to_owned()).or_default()
    }
}
