//! Results as JSON: secrets masked, unknown values in words.

use serde_json::{Map as JsonMap, Number, Value as Json};

use crate::event::JobState;
use crate::model::{MASK, Map, Outcome, Status, Value};

/// A value as JSON. Secrets are masked; what is unknown becomes `unknown: why`.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(i) => Number::from_i128(*i).map_or_else(|| Json::String(i.to_string()), Json::Number),
        Value::Big(digits) => Json::String(digits.to_string()),
        Value::Float(f) => Number::from_f64(*f).map_or_else(|| Json::String(f.to_string()), Json::Number),
        Value::Str(t) if t.is_secret() => Json::String(MASK.to_owned()),
        Value::Str(t) => Json::String(t.as_str().to_owned()),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Map(map) => Json::Object(map_to_json(map)),
        Value::Unknown(reason) => Json::String(format!("unknown: {reason}")),
    }
}

fn map_to_json(map: &Map) -> JsonMap<String, Json> {
    map.iter().map(|(k, v)| (k.to_string(), to_json(v))).collect()
}

/// A result as Ansible shows it: sorted by name, with `changed` and what the status adds.
pub(super) fn result(outcome: &Outcome, hidden: bool) -> JsonMap<String, Json> {
    let mut all = if hidden {
        let text = "the output has been hidden due to the fact that 'no_log: true' was specified for this result";
        let changed = outcome.result.get("changed").map(|changed| ("changed".to_owned(), to_json(changed)));
        JsonMap::from_iter(changed.into_iter().chain([("censored".to_owned(), Json::String(text.to_owned()))]))
    } else {
        map_to_json(&outcome.result)
    };
    if !all.contains_key("changed") {
        all.insert("changed".to_owned(), Json::Bool(outcome.status == Status::Changed));
    }
    match &outcome.status {
        Status::Unreachable => drop(all.insert("unreachable".to_owned(), Json::Bool(true))),
        Status::Unknown(reason) => drop(all.insert("unknown".to_owned(), Json::String(reason.to_string()))),
        _ => {}
    }
    sorted_map(all)
}

fn sorted_map(map: JsonMap<String, Json>) -> JsonMap<String, Json> {
    let mut entries: Vec<(String, Json)> = map.into_iter().map(|(name, value)| (name, sorted(value))).collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    entries.into_iter().collect()
}

pub(super) fn sorted(json: Json) -> Json {
    match json {
        Json::Object(map) => Json::Object(sorted_map(map)),
        Json::Array(items) => Json::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// JSON on one line, with the spaces that Python puts after `,` and `:`.
pub(super) fn one_line(json: &Json) -> String {
    match json {
        Json::Array(items) => format!("[{}]", items.iter().map(one_line).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries = map.iter().map(|(k, v)| format!("{}: {}", Json::String(k.clone()), one_line(v)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// JSON over several lines, indented by four as Ansible's `debug` shows it.
pub(super) fn indented(json: &Json) -> String {
    indented_by(b"    ", json)
}

/// The same with another indentation for each level.
pub(super) fn indented_by(indent: &[u8], json: &Json) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    match serde::Serialize::serialize(json, &mut serializer) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => json.to_string(),
    }
}

/// What a look at a task in the background found, as Ansible prints it.
pub fn job_line(host: &str, job: &str, state: JobState) -> String {
    match state {
        JobState::Running => format!("ASYNC POLL on {host}: jid={job} started=True finished=False"),
        JobState::Ok => format!("ASYNC OK on {host}: jid={job}"),
        JobState::Failed => format!("ASYNC FAILED on {host}: jid={job}"),
    }
}
