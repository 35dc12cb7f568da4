//! `set_stats`: figures of the run, for its recap.
//!
//! Source: the documentation of `ansible.builtin.set_stats`.

use super::control::Controlled;
use super::view::View;
use crate::event::Event;
use crate::model::{Key, Map, Outcome, Status, Text, Value};
use crate::module::to_bool;
use crate::playbook::is_variable;
use crate::template::Error;
use crate::vars::merged;

/// What a run has kept: under hosts' names, and under none for the run.
#[derive(Debug, Default)]
pub struct Stats(std::collections::BTreeMap<Option<String>, Map>);

/// What a task says is to be kept.
///
/// # Errors
/// When a template fails.
pub fn set(args: &Map, view: &View) -> Result<Controlled, Error> {
    let Some(Value::Map(args)) = view.render(&Value::from(args.clone()))? else {
        return Ok(refused("the 'data' option is required"));
    };
    let Some(given) = args.get("data").and_then(Value::as_map) else {
        return Ok(refused("The 'data' option needs to be a dictionary/hash"));
    };
    let mut data = Map::new();
    for (key, value) in given {
        let name = view.text(&Text::template(key.to_string(), None))?;
        if !is_variable(name.as_str()) {
            return Ok(refused(&format!("Task failed: Invalid variable name '{}'.", name.as_str())));
        }
        data.insert(name.as_str(), value.clone());
    }
    let flag = |name: &str, default: bool| args.get(name).map_or(default, |v| to_bool(v).unwrap_or(false));
    let stats = Map::from_iter([
        ("data", Value::from(data)),
        ("per_host", Value::from(flag("per_host", false))),
        ("aggregate", Value::from(flag("aggregate", true))),
    ]);
    Ok(Controlled::of(Outcome::new(Status::Ok, Map::from_iter([("ansible_stats", stats)]))))
}

fn refused(message: &str) -> Controlled {
    let result = Map::from_iter([("changed", Value::from(false)), ("msg", Value::from(message))]);
    Controlled::of(Outcome::new(Status::Failed, result))
}

impl Stats {
    /// Takes in what a result says, and those of its items.
    pub fn take(&mut self, host: &str, outcome: &Outcome) {
        let items = outcome.result.get("results").and_then(Value::as_list).unwrap_or_default();
        let own = outcome.result.get("ansible_stats").into_iter();
        for stats in own.chain(items.iter().filter_map(|item| item.get("ansible_stats"))) {
            let flag = |name: &str, default: bool| stats.get(name).and_then(Value::as_bool).unwrap_or(default);
            let of = flag("per_host", false).then(|| host.to_owned());
            let kept = self.0.entry(of).or_default();
            for (key, value) in stats.get("data").and_then(Value::as_map).into_iter().flatten() {
                keep(kept, key, value, flag("aggregate", true));
            }
        }
    }

    /// What is shown of it at the end.
    pub fn event(&self) -> Option<Event> {
        let kept = self.0.iter().map(|(host, data)| (host.clone(), Value::from(data.clone())));
        (!self.0.is_empty()).then(|| Event::CustomStats(kept.collect()))
    }
}

fn keep(kept: &mut Map, key: &Key, value: &Value, aggregate: bool) {
    let new = match kept.get_key(key).filter(|_| aggregate) {
        None => Some(value.clone()),
        Some(old) => sum(old, value),
    };
    // What cannot be put together is left as it was, as in Ansible.
    if let Some(new) = new {
        kept.insert(key.clone(), new);
    }
}

fn sum(old: &Value, new: &Value) -> Option<Value> {
    Some(match (old, new) {
        (Value::Map(old), Value::Map(new)) => Value::from(merged(old, new)),
        (Value::List(old), Value::List(new)) => Value::list(old.iter().chain(new.iter()).cloned()),
        (Value::Str(old), Value::Str(new)) => {
            Value::Str(Text::new(format!("{}{}", old.as_str(), new.as_str())).marked(old.marks().with(new.marks())))
        }
        (Value::Int(old), Value::Int(new)) => Value::Int(old.checked_add(*new)?),
        (Value::Float(old), Value::Float(new)) => Value::Float(old + new),
        _ => return None,
    })
}
