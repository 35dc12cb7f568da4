//! What a task inherits from block, role and play.

use std::sync::Arc;

use super::BlockPath;
use crate::model::{Map, Origin, Text, Value, Vars};
use crate::playbook::Keywords;
use crate::vars::{Layer, Level};

/// Keywords that belong to the place they stand at and are not handed down as they are.
const OWN: &[&str] = &[
    "name",
    "when",
    "tags",
    "vars",
    "environment",
    "module_defaults",
    "notify",
    "listen",
    "register",
    "loop",
    "loop_control",
    "until",
    "retries",
    "delay",
    "changed_when",
    "failed_when",
    "args",
    "action",
    "local_action",
    "hosts",
    "gather_facts",
    "gather_subset",
    "gather_timeout",
    "fact_path",
    "serial",
    "strategy",
    "order",
    "force_handlers",
    "max_fail_percentage",
    "vars_files",
    "vars_prompt",
    "collections",
];

/// What has been handed down so far.
#[derive(Debug, Clone, Default)]
pub struct Inherited {
    pub(super) keywords: Keywords,
    pub(super) when: Vec<Value>,
    pub(super) environment: Vec<Value>,
    pub(super) module_defaults: Vec<Value>,
    pub(super) tags: Vec<Text>,
    pub(super) vars: Vec<Arc<Layer>>,
    pub(super) notify: Vec<Text>,
    pub(super) path: BlockPath,
    pub(super) role: Option<usize>,
    pub(super) cluster: Option<usize>,
}

impl Inherited {
    /// What comes out when `keywords` stand one level further in; their variables are
    /// put at `level`. Those of a play are not taken: the play holds them.
    pub fn with(&self, keywords: &Keywords, level: Level) -> Self {
        let mut next = self.clone();
        for (name, setting) in keywords.iter() {
            if !OWN.contains(&name) {
                next.keywords.set(name, setting.clone());
            }
        }
        next.when.extend(conditions(keywords.value("when")));
        next.environment.extend(items(keywords.value("environment")));
        next.module_defaults.extend(items(keywords.value("module_defaults")));
        next.tags.extend(texts(keywords.value("tags"), true));
        next.notify.extend(texts(keywords.value("notify"), false));
        if level != Level::Play {
            next.vars.extend(vars(keywords, level));
        }
        next
    }
}

/// `vars` of a place as a layer, when it has any.
pub(super) fn vars(keywords: &Keywords, level: Level) -> Option<Arc<Layer>> {
    let setting = keywords.get("vars")?;
    match (&setting.vars, &setting.value) {
        (Some(vars), _) if !vars.values().is_empty() => {
            Some(Layer::new(level, setting.origin.to_string(), Arc::clone(vars)))
        }
        (None, Value::Map(map)) if !map.is_empty() => Some(layer(map, level, &setting.origin)),
        _ => None,
    }
}

/// A map as a layer, called by where it stands.
pub(super) fn layer(map: &Map, level: Level, origin: &Origin) -> Arc<Layer> {
    Layer::new(level, origin.to_string(), Vars::from(map.clone()))
}

/// A value that is one or a list of them.
pub(super) fn items(value: Option<&Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(items)) => items.to_vec(),
        Some(other) => vec![other.clone()],
    }
}

/// Conditions; an empty one is none.
pub(super) fn conditions(value: Option<&Value>) -> Vec<Value> {
    items(value).into_iter().filter(|v| !v.is_null() && v.as_str() != Some("")).collect()
}

/// A string or a list of strings; with `commas`, a string that stands alone is split at
/// commas, as Ansible does with tags.
pub fn texts(value: Option<&Value>, commas: bool) -> Vec<Text> {
    let mut out = Vec::new();
    let commas = commas && matches!(value, Some(Value::Str(_)));
    for item in items(value) {
        match item {
            Value::Str(text) if commas && text.contains(',') => {
                let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
                out.extend(parts.map(|p| Text::new(p).marked(text.marks()).at(text.origin().cloned())));
            }
            Value::Str(text) => out.push(text),
            Value::Int(i) => out.push(Text::from(i.to_string())),
            _ => {}
        }
    }
    out
}
