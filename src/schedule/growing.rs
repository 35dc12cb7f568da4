//! `add_host` and `group_by`: hosts and groups that come up while the run goes on.
//!
//! Source: the documentation of `ansible.builtin.add_host` and `ansible.builtin.group_by`.

use std::sync::Arc;

use super::Context;
use super::control::Controlled;
use super::explain::explain_all;
use super::view::View;
use crate::event::Event;
use crate::inventory::{Addition, host_and_port};
use crate::model::{Map, Outcome, Status, Value, Vars};
use crate::template::Error;

/// Names under which arguments are no variables of the host.
const NO_VARIABLES: [&str; 4] = ["name", "hostname", "groupname", "groups"];

fn refused(message: impl Into<String>) -> Controlled {
    let result = Map::from_iter([("changed", Value::from(false)), ("msg", Value::from(message.into()))]);
    Controlled::of(Outcome::new(Status::Failed, result))
}

/// Adds the host that the arguments describe.
///
/// # Errors
/// When a template fails.
pub fn add_host(args: &Map, context: &Arc<Context>, view: &View) -> Result<Controlled, Error> {
    let args = match rendered(args, view)? {
        Ok(args) => args,
        Err(unknown) => return Ok(unknown),
    };
    let name = ["name", "hostname", "host"].iter().find_map(|n| args.get(n)).and_then(text).unwrap_or_default();
    if name.is_empty() {
        return Ok(refused("name, host or hostname needs to be provided"));
    }
    let given = ["groups", "groupname", "group"].iter().find_map(|n| args.get(n)).cloned().unwrap_or_default();
    let Some(groups) = names(&given) else {
        return Ok(refused("Groups must be specified as a list."));
    };
    let (name, port) = host_and_port(&name);
    let mut vars: Map = args.iter().filter(|(key, _)| !is_argument(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
    if let Some(port) = port {
        vars.insert("ansible_ssh_port", port);
    }
    let shown = Map::from_iter([
        ("host_name", Value::from(name.as_str())),
        ("groups", Value::list(groups.iter().map(String::as_str))),
        ("host_vars", Value::from(vars.clone())),
    ]);
    let addition = Addition::Host { name, vars: Vars::from(vars), groups };
    Ok(grown(addition, context, Map::from_iter([("add_host", shown)])))
}

fn is_argument(key: &crate::model::Key) -> bool {
    key.as_str().is_some_and(|key| NO_VARIABLES.contains(&key))
}

/// Puts the host into the group that the arguments name.
///
/// # Errors
/// When a template fails.
pub fn group_by(args: &Map, context: &Arc<Context>, view: &View) -> Result<Controlled, Error> {
    let args = match rendered(args, view)? {
        Ok(args) => args,
        Err(unknown) => return Ok(unknown),
    };
    let Some(key) = args.get("key").and_then(text).filter(|key| !key.is_empty()) else {
        return Ok(refused("the 'key' param is required when using group_by"));
    };
    let parents = match args.get("parents") {
        None | Some(Value::Null) => vec!["all".to_owned()],
        Some(Value::List(items)) => items.iter().filter_map(text).collect(),
        Some(one) => text(one).into_iter().collect(),
    };
    let dashed = |name: &String| name.replace(' ', "-");
    let (group, parents) = (dashed(&key), parents.iter().map(dashed).collect::<Vec<String>>());
    let host = view.variable("inventory_hostname")?.as_ref().and_then(text).unwrap_or_default();
    let shown = Map::from_iter([
        ("add_group", Value::from(group.as_str())),
        ("parent_groups", Value::list(parents.iter().map(String::as_str))),
    ]);
    Ok(grown(Addition::Member { host, group, parents }, context, shown))
}

/// The arguments with their templates evaluated; as a second kind of success, an outcome for
/// those of which something is unknown.
fn rendered(args: &Map, view: &View) -> Result<Result<Map, Controlled>, Error> {
    let Some(Value::Map(args)) = view.render(&Value::from(args.clone()))? else { return Ok(Ok(Map::new())) };
    let whole = Value::Map(args);
    if let Some(reason) = whole.unknown() {
        return Ok(Err(Controlled::of(Outcome::new(Status::Unknown(Arc::clone(reason)), Map::new()))));
    }
    Ok(Ok(whole.as_map().cloned().unwrap_or_default()))
}

/// Makes the addition, and says whether it was one.
fn grown(addition: Addition, context: &Arc<Context>, result: Map) -> Controlled {
    match context.hosts.add(addition) {
        Ok((changed, warnings)) => {
            for warning in &warnings {
                context.emit(Event::Warning(explain_all(warning)));
            }
            Controlled::of(Outcome::new(if changed { Status::Changed } else { Status::Ok }, result))
        }
        Err(findings) => refused(findings.iter().map(explain_all).collect::<Vec<_>>().join("; ")),
    }
}

/// Names in a list, or in a text with commas between them.
fn names(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::List(items) => items.iter().map(text).collect(),
        Value::Str(all) => {
            Some(all.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
        }
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) => Some(text.as_str().to_owned()),
        Value::Int(i) => Some(i.to_string()),
        _ => None,
    }
}
