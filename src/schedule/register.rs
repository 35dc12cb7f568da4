//! Outcomes as variables: what `register` and conditions see of them.

use crate::compile::CompiledTask;
use crate::model::{Map, Outcome, Status, Text, Value};

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

/// A task's outcome as a variable. Of a loop it says whether it failed only where it did, and
/// whether all was skipped in any case, as in ansible-core.
pub fn of_task(task: &CompiledTask, outcome: &Outcome) -> Value {
    let value = as_variable(outcome);
    let Some(map) = value.as_map().filter(|_| task.looped.is_some() && outcome.result.contains("results")) else {
        return value;
    };
    let mut map = map.clone();
    if matches!(outcome.status, Status::Unknown(_)) {
        return value;
    }
    map.remove("exception");
    if outcome.status != Status::Failed {
        map.remove("failed");
    }
    if !map.contains("skipped") {
        map.insert("skipped", false);
    }
    Value::from(map)
}

/// An outcome as a variable: a failure has an `exception`, though there is no traceback. Where
/// nothing is known of it, whatever is read of it is unknown.
fn as_variable(outcome: &Outcome) -> Value {
    if let (Status::Unknown(reason), true) =
        (&outcome.status, outcome.result.iter().all(|(k, _)| k.as_str() == Some("attempts")))
    {
        return Value::Unknown(reason.clone());
    }
    let value = outcome.to_value();
    let Some(map) = value.as_map() else { return value };
    let mut map = map.clone();
    if !outcome.warnings.is_empty() {
        map.insert("warnings", Value::list(outcome.warnings.iter().map(String::as_str)));
    }
    match outcome.status {
        Status::Failed | Status::Unreachable if !map.contains("exception") => {
            map.insert("exception", "(traceback unavailable)");
        }
        _ => {}
    }
    if matches!(outcome.status, Status::Skipped | Status::Unreachable) && !outcome.result.contains("failed") {
        map.remove("failed");
    }
    Value::from(map)
}

/// One outcome for all items of a loop.
pub fn of_loop(items: &[(Outcome, Map)]) -> Outcome {
    let results = items.iter().map(|(outcome, extra)| {
        let value = as_variable(outcome);
        let Some(mut map) = value.as_map().cloned() else { return value };
        map.remove("warnings");
        map.extend(extra.clone());
        Value::from(map)
    });
    let mut result = Map::from_iter([("results", Value::list(results))]);
    // As in Ansible, what items warn of is said of the whole.
    let warnings = items.iter().flat_map(|(outcome, _)| outcome.warnings.iter().map(String::as_str));
    let warnings: Vec<Value> = warnings.map(Value::from).collect();
    if !warnings.is_empty() {
        result.insert("warnings", Value::list(warnings));
    }
    let any =
        |wanted: fn(&Status) -> bool| items.iter().find(|(o, _)| wanted(&o.status)).map(|(o, _)| o.status.clone());
    let all_skipped = !items.is_empty() && items.iter().all(|(o, _)| o.status == Status::Skipped);
    let status = if let Some(status) = any(|s| matches!(s, Status::Unreachable)) {
        if any(|s| matches!(s, Status::Failed)).is_some() {
            result.insert("msg", "One or more items failed");
        }
        status
    } else if let Some(status) = any(|s| matches!(s, Status::Failed)) {
        result.insert("msg", "One or more items failed");
        // What failed may have changed something first, as a command that ran.
        let said = |o: &Outcome| o.result.get("changed").and_then(Value::as_bool) == Some(true);
        let changed = items.iter().any(|(o, _)| o.status == Status::Changed || said(o));
        result.insert("changed", changed);
        status
    } else if let Some(status) = any(|s| matches!(s, Status::Unknown(_))) {
        status
    } else if let Some(status) = any(|s| matches!(s, Status::Changed)) {
        status
    } else if all_skipped || items.is_empty() {
        if items.is_empty() {
            result.insert("skipped_reason", "No items in the list");
        } else {
            result.insert("msg", "All items skipped");
        }
        Status::Skipped
    } else {
        Status::Ok
    };
    if !result.contains("msg") && !result.contains("skipped_reason") {
        result.insert("msg", "All items completed");
    }
    Outcome::new(status, result)
}
