//! Outcomes as variables: what `register` and conditions see of them.

use crate::compile::CompiledTask;
use crate::model::{Attribute, Diff, Map, Outcome, Status, Text, Value};

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
    let value = as_variable(outcome, task.action.module.name);
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
fn as_variable(outcome: &Outcome, module: &str) -> Value {
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
    if !map.contains("diff")
        && let Some(diff) = diff(&outcome.diff, module)
    {
        map.insert("diff", diff);
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

/// What changed, as Ansible returns it with `--diff`: one change by itself, but for modules that always
/// return a list.
fn diff(changes: &[Diff], module: &str) -> Option<Value> {
    let mut parts = changes.iter().filter_map(change);
    let first = parts.next()?;
    let rest: Vec<Value> = parts.collect();
    let listed = matches!(module, "blockinfile" | "copy" | "lineinfile" | "template");
    Some(if rest.is_empty() && !listed { first } else { Value::list(std::iter::once(first).chain(rest)) })
}

/// One change; nothing of a content that is not shown.
fn change(diff: &Diff) -> Option<Value> {
    Some(Value::from(match diff {
        Diff::Text(text) if text.hidden.is_some() => return None,
        Diff::Text(text) => {
            let header = |content: &Option<String>, path: &str| content.as_ref().map_or("", |_| path).to_owned();
            let content = |content: &Option<String>| content.clone().unwrap_or_default();
            Map::from_iter([
                ("before", content(&text.before)),
                ("before_header", header(&text.before, &text.path)),
                ("after", content(&text.after)),
                ("after_header", header(&text.after, text.source.as_ref().unwrap_or(&text.path))),
            ])
        }
        Diff::Attributes { subject, changes } => {
            let side = |side: fn(&Attribute) -> &str| {
                Value::from(changes.iter().map(|change| (change.name.as_str(), side(change))).collect::<Map>())
            };
            Map::from_iter([
                ("before", side(|change| &change.before)),
                ("before_header", Value::from(subject.as_str())),
                ("after", side(|change| &change.after)),
                ("after_header", Value::from(subject.as_str())),
            ])
        }
        Diff::Prepared(text) => Map::from_iter([("prepared", text.as_str())]),
    }))
}

/// One outcome for all items of a loop.
pub fn of_loop(items: &[(Outcome, Map)], module: &str) -> Outcome {
    let results = items.iter().map(|(outcome, extra)| {
        let value = as_variable(outcome, module);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diffs_are_returned_as_ansible_returns_them() {
        let text = Diff::Text(crate::model::TextDiff {
            path: "/f".to_owned(),
            source: Some("/t.j2".to_owned()),
            before: None,
            after: Some("x\n".to_owned()),
            hidden: None,
        });
        let mode = Diff::attribute("/f", "mode", "0644", "0600");
        let text_of = |value: &Value, side: &str| value.get(side).and_then(Value::as_str).map(str::to_owned);
        let one = diff(std::slice::from_ref(&text), "assemble").unwrap();
        let sides = ["before", "before_header", "after", "after_header"].map(|side| text_of(&one, side).unwrap());
        assert_eq!(sides, ["", "", "x\n", "/t.j2"]);
        assert_eq!(diff(std::slice::from_ref(&text), "copy").unwrap().as_list().unwrap().len(), 1);
        assert_eq!(diff(&[text, mode.clone()], "replace").unwrap().as_list().unwrap().len(), 2);
        let one = diff(&[mode], "file").unwrap();
        assert_eq!(text_of(one.get("before").unwrap(), "mode").as_deref(), Some("0644"));
        assert!(diff(&[], "file").is_none());
    }
}
