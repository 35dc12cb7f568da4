//! What is known of the hosts: facts, registered variables, counts, losses.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Context;
use super::scope;
use crate::event::{Counts, Event};
use crate::model::{Map, Outcome, Value, Vars};
use crate::vars::{HostLayers, HostVars, Layer, Level, Scope, Variables};

/// What a run has learned about a host.
#[derive(Debug, Clone, Default)]
pub struct Known {
    facts: Map,
    /// All facts were gathered, in this run or in one whose cache was read.
    gathered: bool,
    facts_layer: Option<Arc<Layer>>,
    included: Option<Arc<Layer>>,
    registered: Option<Arc<Layer>>,
}

/// A layer, to be changed: in place, unless a task still reads it.
fn change<'a>(layer: &'a mut Option<Arc<Layer>>, level: Level, label: &str) -> &'a mut Layer {
    Arc::make_mut(layer.get_or_insert_with(|| Layer::new(level, label, Vars::new())))
}

impl Known {
    /// Adds facts; those of the same name are replaced.
    pub fn add_facts(&mut self, facts: &Map, inject: bool) {
        self.facts.extend(facts.clone());
        self.gathered |= facts.contains("gather_subset");
        self.facts_layer = Some(Layer::facts("facts", &self.facts, inject));
    }

    /// Adds variables of `include_vars`; mappings are merged with those that are there where all are.
    pub fn include(&mut self, vars: Vars, merge: bool) {
        change(&mut self.included, Level::IncludeVars, "include_vars").extend(vars, merge);
    }

    /// Sets a variable of `set_fact` or `register`.
    pub fn register(&mut self, name: &str, value: Value) {
        change(&mut self.registered, Level::Registered, "set_fact or register").set(name, value);
    }

    /// Forgets its facts.
    pub fn clear_facts(&mut self) {
        self.facts = Map::new();
        self.gathered = false;
        self.facts_layer = None;
    }

    /// Its facts alone.
    pub fn facts_only(&self) -> Self {
        Self { included: None, registered: None, ..self.clone() }
    }

    /// Its layers.
    pub fn layers(&self) -> impl Iterator<Item = Arc<Layer>> {
        self.facts_layer.iter().chain(&self.included).chain(&self.registered).cloned()
    }
}

/// Every host as it is now: what `hostvars` shows.
#[derive(Clone)]
pub struct Everyone {
    context: Arc<Context>,
    world: Arc<World>,
    magic: Arc<Layer>,
}

impl HostVars for Everyone {
    fn hosts(&self) -> Vec<String> {
        self.context.hosts.inventory().hosts().map(|h| h.name.clone()).collect()
    }

    fn scope(&self, host: &str) -> Option<Arc<dyn Variables>> {
        self.context.hosts.inventory().host(host)?;
        let ground = self.world.ground(&self.context, host);
        let known = self.world.known(host);
        let layers = known.iter().flat_map(|k| k.layers()).chain([Arc::clone(&self.magic)]);
        Some(Arc::new(ground.push_all(layers).with_hostvars(Arc::new(self.clone()))))
    }
}

/// The state that a run's hosts share. Whoever drives hosts changes it between their tasks.
#[derive(Default)]
pub struct World {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: HashMap<String, Arc<Known>>,
    counts: BTreeMap<String, Counts>,
    /// Counts of hosts when their errors were cleared.
    forgiven: BTreeMap<String, Counts>,
    /// What `set_stats` has kept.
    stats: super::stats::Stats,
    /// Hosts of the batch that failed or were lost, and how often that has changed.
    lost: BTreeSet<String>,
    version: u64,
    /// What inventory and command line say of each host.
    ground: HashMap<String, Scope>,
    /// Which inventory that was.
    inventory: Option<Arc<HostLayers>>,
}

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known of a host.
    pub fn update(&self, host: &str, change: impl FnOnce(&mut Known)) {
        let mut state = self.state();
        if !state.known.contains_key(host) {
            state.known.insert(host.to_owned(), Arc::default());
        }
        if let Some(known) = state.known.get_mut(host) {
            change(Arc::make_mut(known));
        }
    }

    /// What is known of a host now.
    pub fn known(&self, host: &str) -> Option<Arc<Known>> {
        self.state().known.get(host).cloned()
    }

    /// Whether the facts of a host were gathered.
    pub fn has_gathered(&self, host: &str) -> bool {
        self.state().known.get(host).is_some_and(|known| known.gathered)
    }

    /// Takes facts out of the cache for all hosts of the inventory.
    pub fn recall(&self, context: &Context) {
        let Some(cache) = &context.fact_cache else { return };
        let inventory = context.hosts.inventory();
        // The implicit localhost is none of them.
        let implicit = crate::inventory::LOCALHOST;
        for host in inventory.hosts().map(|host| host.name.as_str()).chain(implicit) {
            if let Some((facts, gathered)) = cache.load(host) {
                self.update(host, |known| {
                    known.add_facts(&facts, context.options.inject_facts);
                    known.gathered = gathered;
                });
            }
        }
    }

    /// Adds facts of a host, for the runs that follow as well where there is a cache.
    pub fn add_facts(&self, context: &Context, host: &str, facts: &Map) {
        let mut all = None;
        self.update(host, |known| {
            known.add_facts(facts, context.options.inject_facts);
            all = context.fact_cache.as_ref().map(|_| (known.facts.clone(), known.gathered));
        });
        if let (Some(cache), Some((facts, gathered))) = (&context.fact_cache, all)
            && let Err(words) = cache.store(host, &facts, gathered)
        {
            context.emit(Event::Warning(words));
        }
    }

    /// All hosts' variables. `magic` is the layer of variables that all hosts share.
    pub fn everyone(self: &Arc<Self>, context: &Arc<Context>, magic: &Arc<Layer>) -> Arc<dyn HostVars> {
        Arc::new(Everyone { context: Arc::clone(context), world: Arc::clone(self), magic: Arc::clone(magic) })
    }

    /// What inventory and command line say of a host; made once for each inventory.
    pub fn ground(&self, context: &Context, host: &str) -> Scope {
        let mut state = self.state();
        let now = context.hosts.now();
        if !state.inventory.as_ref().is_some_and(|known| Arc::ptr_eq(known, &now)) {
            state.inventory = Some(now);
            state.ground.clear();
        }
        if let Some(found) = state.ground.get(host) {
            return found.clone();
        }
        let made = scope::of_inventory(context, host);
        state.ground.insert(host.to_owned(), made.clone());
        made
    }

    /// Changes the counts of a host.
    pub fn count(&self, host: &str, change: impl FnOnce(&mut Counts)) {
        change(self.state().counts.entry(host.to_owned()).or_default());
    }

    /// Takes in what a result says for the recap.
    pub fn keep_stats(&self, host: &str, outcome: &Outcome) {
        self.state().stats.take(host, outcome);
    }

    /// What `set_stats` has kept, as it is shown.
    pub fn stats(&self) -> Option<Event> {
        self.state().stats.event()
    }

    /// The counts so far, by host.
    pub fn counts(&self) -> BTreeMap<String, Counts> {
        self.state().counts.clone()
    }

    /// What these hosts have been counted so far is no reason for a run to fail.
    pub fn forgive(&self, hosts: &BTreeSet<String>) {
        let mut state = self.state();
        let counts = hosts.iter().filter_map(|host| Some((host.clone(), *state.counts.get(host)?)));
        let counts: Vec<(String, Counts)> = counts.collect();
        state.forgiven.extend(counts);
    }

    /// Hosts' counts when their errors were cleared.
    pub fn forgiven(&self) -> BTreeMap<String, Counts> {
        self.state().forgiven.clone()
    }

    /// A batch begins: none of its hosts is lost.
    pub fn none_lost(&self) {
        let mut state = self.state();
        state.lost.clear();
        state.version += 1;
    }

    /// Notes which of these hosts are out of the play. Returns how often anything has changed.
    pub fn note_lost<'h>(&self, hosts: impl Iterator<Item = (&'h String, bool)>) -> u64 {
        let mut state = self.state();
        let mut changed = false;
        for (host, lost) in hosts {
            changed |= match lost {
                true if state.lost.contains(host) => false,
                true => state.lost.insert(host.clone()),
                false => state.lost.remove(host),
            };
        }
        state.version += u64::from(changed);
        state.version
    }

    /// Those of `hosts` that are still in the play.
    pub fn alive(&self, hosts: &[String]) -> Vec<String> {
        let state = self.state();
        hosts.iter().filter(|h| !state.lost.contains(*h)).cloned().collect()
    }
}
