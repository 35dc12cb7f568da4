//! Outcomes as variables: what `register` and conditions see of them.

use crate::compile::CompiledTask;
use crate::model::{Map, Outcome, Reason, Status, Text, Value};

/// An outcome as the value of a registered variable.
pub fn to_value(outcome: &Outcome) -> Value {
    let mut map = outcome.result.clone();
    let mut default = |name: &str, value: Value| {
        if !map.contains(name) {
            map.insert(name, value);
        }
    };
    match &outcome.status {
        Status::Unknown(reason) => {
            let unknown = || Value::Unknown(Reason::clone(reason));
            default("changed", unknown());
            default("failed", unknown());
            default("skipped", unknown());
        }
        status => {
            default("changed", Value::Bool(*status == Status::Changed));
            default("failed", Value::Bool(*status == Status::Failed));
        }
    }
    if outcome.status == Status::Skipped {
        default("skipped", Value::Bool(true));
    }
    if outcome.status == Status::Unreachable {
        default("unreachable", Value::Bool(true));
    }
    // Lines beside texts, as Ansible adds them to every result.
    for name in ["stdout", "stderr"] {
        let lines = format!("{name}_lines");
        if let (Some(Value::Str(text)), false) = (map.get(name), map.contains(&lines)) {
            let split = Value::list(text.lines());
            map.insert(lines, split);
        }
    }
    Value::from(map).untemplated()
}

/// A task as `ansible_failed_task` shows it: its name, its action and its keywords.
pub fn failed_task(task: &CompiledTask, title: &str) -> Value {
    let mut map: Map = task.keywords.iter().map(|(name, setting)| (name, setting.value.untemplated())).collect();
    let name =
        title.strip_prefix(task.action.name.as_str()).map_or(title, |rest| if rest.is_empty() { "" } else { title });
    map.insert("name", name);
    map.insert("action", task.action.name.as_str());
    map.insert("_resolved_action", format!("{}.{}", task.action.module.collection, task.action.module.name));
    map.insert("args", Value::from(task.action.args.clone()).untemplated());
    map.insert("when", Value::list(task.when.iter().map(Value::untemplated)));
    map.insert("tags", Value::list(task.tags.iter().map(String::as_str)));
    map.insert("notify", Value::list(task.notify.iter().map(Text::as_str)));
    Value::from(map)
}

/// One outcome for all items of a loop.
pub fn of_loop(items: &[(Outcome, Map)]) -> Outcome {
    let results = items.iter().map(|(outcome, extra)| {
        let mut map = to_value(outcome).as_map().cloned().unwrap_or_default();
        map.extend(extra.clone());
        Value::from(map)
    });
    let mut result = Map::from_iter([("results", Value::list(results))]);
    let any =
        |wanted: fn(&Status) -> bool| items.iter().find(|(o, _)| wanted(&o.status)).map(|(o, _)| o.status.clone());
    let all_skipped = !items.is_empty() && items.iter().all(|(o, _)| o.status == Status::Skipped);
    let status = if let Some(status) = any(|s| matches!(s, Status::Unreachable)) {
        result.insert("msg", "One or more items were unreachable");
        status
    } else if let Some(status) = any(|s| matches!(s, Status::Failed)) {
        result.insert("msg", "One or more items failed");
        let changed = items.iter().any(|(o, _)| o.status == Status::Changed);
        result.insert("changed", changed);
        status
    } else if let Some(status) = any(|s| matches!(s, Status::Unknown(_))) {
        status
    } else if let Some(status) = any(|s| matches!(s, Status::Changed)) {
        status
    } else if all_skipped || items.is_empty() {
        result.insert("msg", if items.is_empty() { "No items in the list" } else { "All items skipped" });
        Status::Skipped
    } else {
        Status::Ok
    };
    if !result.contains("msg") {
        result.insert("msg", "All items completed");
    }
    Outcome::new(status, result)
}
