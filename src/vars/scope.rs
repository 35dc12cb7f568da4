//! Scopes: layers of variables in the order of precedence.

use std::collections::HashSet;
use std::sync::Arc;

use super::{HostVars, Level, Pending, Variables};
use crate::model::{Key, Map, Origin, Value, Vars};

/// The variables of one source at one level.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Where it stands in the order of precedence.
    pub level: Level,
    /// What the user calls the source: a file, `group web`, a task's name.
    pub label: Arc<str>,
    /// The variables.
    pub vars: Arc<Vars>,
    /// Whether one of them [`connects`].
    connecting: bool,
}

/// Whether a variable may say how its host is reached, and as whom.
pub fn connects(name: &str) -> bool {
    let starts = [
        "connection",
        "host",
        "port",
        "user",
        "password",
        "private_key_file",
        "ssh_",
        "become",
        "docker_",
        "sudo_",
        "su_",
        "doas_",
    ];
    name.strip_prefix("ansible_").is_some_and(|rest| starts.iter().any(|start| rest.starts_with(start)))
}

impl Layer {
    /// A layer, ready to be shared by scopes.
    pub fn new(level: Level, label: impl Into<Arc<str>>, vars: impl Into<Arc<Vars>>) -> Arc<Self> {
        let vars = vars.into();
        let connecting = vars.values().keys().any(|key| key.as_str().is_some_and(connects));
        Arc::new(Self { level, label: label.into(), vars, connecting })
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: Value) {
        self.connecting |= connects(name);
        Arc::make_mut(&mut self.vars).set(name, value, None);
    }

    /// Sets all of these variables; with `merge` mappings are put over those that are there.
    pub fn extend(&mut self, vars: Vars, merge: bool) {
        self.connecting |= vars.values().keys().any(|key| key.as_str().is_some_and(connects));
        let all = Arc::make_mut(&mut self.vars);
        if merge { all.merge(vars) } else { all.extend(vars) }
    }

    /// A host's facts as `setup` returns them: under `ansible_facts` without their prefix,
    /// and, when `inject` is set, under their own names too.
    pub fn facts(label: impl Into<Arc<str>>, facts: &Map, inject: bool) -> Arc<Self> {
        let mut vars = Vars::new();
        let mut namespace = Map::new();
        for (key, value) in facts {
            let Some(name) = key.as_str() else { continue };
            // These two keep their names, as in Ansible.
            let keeps = name == "ansible_local" || name.starts_with("discovered_interpreter_");
            let short = if keeps { name } else { name.strip_prefix("ansible_").unwrap_or(name) };
            namespace.insert(short, value.clone());
            if inject {
                vars.set(name, value.clone(), None);
            }
        }
        vars.set("ansible_facts", namespace, None);
        Self::new(Level::Facts, label, vars)
    }
}

/// One definition of a variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// The level it stands at.
    pub level: Level,
    /// The source it stands in.
    pub label: Arc<str>,
    /// Its value as written.
    pub value: Value,
    /// Where it was written, if that is known.
    pub origin: Option<Origin>,
}

/// What is defined at one point of a run. Immutable; [`Scope::push`] derives another one
/// that shares all layers.
#[derive(Clone, Default)]
pub struct Scope {
    /// Lowest first; of one level, the last wins.
    layers: Arc<[Arc<Layer>]>,
    merge: bool,
    hostvars: Option<Arc<dyn HostVars>>,
    pending: Option<Arc<Pending>>,
}

impl Scope {
    /// Starts a scope.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// This scope with one more layer, above those of its level that are there.
    #[must_use]
    pub fn push(&self, layer: Arc<Layer>) -> Self {
        self.push_all([layer])
    }

    /// This scope with more layers; each comes above those of its level that are there.
    #[must_use]
    pub fn push_all(&self, layers: impl IntoIterator<Item = Arc<Layer>>) -> Self {
        let mut all: Vec<Arc<Layer>> = self.layers.iter().cloned().chain(layers).collect();
        // Stable: of one level, the order of pushing stays.
        all.sort_by_key(|layer| layer.level);
        Self { layers: all.into(), ..self.clone() }
    }

    /// This scope with the scopes behind `hostvars`.
    #[must_use]
    pub fn with_hostvars(&self, hostvars: Arc<dyn HostVars>) -> Self {
        Self { hostvars: Some(hostvars), ..self.clone() }
    }

    /// This scope as it is before some results have come: reading them is noted.
    #[must_use]
    pub fn with_pending(&self, pending: Arc<Pending>) -> Self {
        Self { pending: Some(pending), ..self.clone() }
    }

    /// The layers, lowest first.
    pub fn layers(&self) -> &[Arc<Layer>] {
        &self.layers
    }

    /// The layers with a variable that [`connects`]; nothing when a result that is still to
    /// come may be one.
    pub fn connecting(&self) -> Option<impl Iterator<Item = &Arc<Layer>>> {
        let pending = self.pending.as_ref().is_some_and(|pending| pending.names().any(connects));
        (!pending).then(|| self.layers.iter().filter(|layer| layer.connecting))
    }

    /// All definitions of a variable, the one that wins first.
    pub fn explain(&self, name: &str) -> Vec<Definition> {
        let defined = self.layers.iter().rev().filter_map(|layer| Some((layer, layer.vars.get(name)?)));
        defined
            .map(|(layer, value)| Definition {
                level: layer.level,
                label: Arc::clone(&layer.label),
                value: value.clone(),
                origin: layer.vars.origin(name).cloned().or_else(|| match value {
                    Value::Str(text) => text.origin().cloned(),
                    _ => None,
                }),
            })
            .collect()
    }

    /// Where the definition that wins stands.
    pub fn origin(&self, name: &str) -> Option<Origin> {
        self.explain(name).into_iter().next()?.origin
    }
}

impl Variables for Scope {
    fn get(&self, name: &str) -> Option<Value> {
        let mut found = self.layers.iter().rev().filter_map(|layer| Some((layer.level, layer.vars.get(name)?)));
        let top = found.next();
        if let Some(pending) = &self.pending
            && let Some(unknown) = pending.read(name, top.map(|(level, _)| level))
        {
            return Some(unknown);
        }
        let (level, top) = top?;
        // `vars` of a task, its block and the blocks around replace each other also where mappings are merged.
        let written = |level| matches!(level, Level::Task | Level::Block);
        let mut met = written(level);
        let found = found.filter_map(|(below, value)| {
            let replaced = written(below) && std::mem::replace(&mut met, true);
            (!replaced).then_some(value)
        });
        if !self.merge || top.as_map().is_none() {
            return Some(top.clone());
        }
        let mut value = top.clone();
        for lower in found {
            match (lower.as_map(), value.as_map()) {
                (Some(lower), Some(upper)) => value = Value::from(merged(lower, upper)),
                // A lower value that is no mapping hides what is below it.
                _ => break,
            }
        }
        Some(value)
    }

    fn names(&self) -> Vec<String> {
        if let Some(pending) = &self.pending {
            pending.touch();
        }
        let mut seen = HashSet::new();
        let keys = self.layers.iter().flat_map(|layer| layer.vars.values().keys());
        keys.filter_map(Key::as_str).filter(|name| seen.insert(*name)).map(str::to_owned).collect()
    }

    fn hostvars(&self) -> Option<Arc<dyn HostVars>> {
        if let Some(pending) = &self.pending {
            pending.touch();
        }
        self.hostvars.clone()
    }

    fn is_turn(&self) -> bool {
        if let Some(pending) = &self.pending {
            pending.touch();
        }
        self.pending.is_none()
    }
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope").field("layers", &self.layers).field("merge", &self.merge).finish_non_exhaustive()
    }
}

/// `hash_behaviour = merge`: mappings are merged at all depths, the upper one wins.
pub fn merged(lower: &Map, upper: &Map) -> Map {
    lower.merged(upper)
}

/// Collects a scope's layers.
#[derive(Default)]
pub struct Builder {
    layers: Vec<Arc<Layer>>,
    merge: bool,
    hostvars: Option<Arc<dyn HostVars>>,
}

impl Builder {
    /// Adds a layer.
    #[must_use]
    pub fn layer(mut self, layer: Arc<Layer>) -> Self {
        self.layers.push(layer);
        self
    }

    /// Adds layers.
    #[must_use]
    pub fn layers(mut self, layers: impl IntoIterator<Item = Arc<Layer>>) -> Self {
        self.layers.extend(layers);
        self
    }

    /// Sets `hash_behaviour = merge`.
    #[must_use]
    pub const fn merge(mut self, merge: bool) -> Self {
        self.merge = merge;
        self
    }

    /// Sets the scopes behind `hostvars`.
    #[must_use]
    pub fn hostvars(mut self, hostvars: Arc<dyn HostVars>) -> Self {
        self.hostvars = Some(hostvars);
        self
    }

    /// The scope.
    pub fn build(self) -> Scope {
        let empty = Scope { layers: Arc::from([]), merge: self.merge, hostvars: self.hostvars, pending: None };
        empty.push_all(self.layers)
    }
}
