//! What inventory scripts print: JSON of groups, with `_meta` for the variables of hosts.

use std::sync::Arc;

use super::Builder;
use crate::diag::{Checked, Diagnostic};
use crate::model::{Origin, Source, Value};
use crate::yaml::{self, Node};

/// Hosts of a script that gave no `_meta`: each is asked for with `--host`.
pub type ToAsk = Vec<String>;

/// Reads the output of `--list` into the builder. Returns the hosts to ask for.
///
/// # Errors
/// When it is no JSON, or its parts have the wrong types.
pub(super) fn list(builder: &mut Builder, source: &Arc<Source>) -> Checked<ToAsk> {
    let top = object(source, &format!("{NO_DECODER}. Value"))?;
    let mut hosts = Vec::new();
    check_meta(&top)?;
    for (name, body) in top.as_map().unwrap_or_default().iter().filter(|(name, _)| name.as_str() != Some("_meta")) {
        group(builder, name, body, &mut hosts)?;
    }
    let Some(meta) = top.get("_meta") else { return Ok(hosts) };
    let Some(vars) = meta.get("hostvars") else { return Ok(Vec::new()) };
    let Some(vars) = vars.as_map() else { return Err(wrong("_meta.hostvars", vars, "dict")) };
    for (name, vars) in vars {
        if let Some(name) = name.as_str().filter(|name| builder.has_host(name)) {
            set_host(builder, name, vars)?;
        }
    }
    Ok(Vec::new())
}

/// Reads the output of `--host NAME`; nothing at all is no variables.
///
/// # Errors
/// When it is no JSON object.
pub(super) fn host(builder: &mut Builder, name: &str, source: &Arc<Source>) -> Checked<()> {
    if source.text.trim().is_empty() {
        return Ok(());
    }
    set_host(builder, name, &object(source, &format!("Inventory script result for host '{name}'"))?)
}

fn object(source: &Arc<Source>, what: &str) -> Checked<Node> {
    let explain = |found: Diagnostic| {
        let message = format!("{what} could not be parsed as JSON: {}", found.message);
        Diagnostic { message, ..found }.hint("a script prints one JSON object, and notes on standard error")
    };
    let node = yaml::load_json(source).map_err(|found| found.into_iter().map(explain).collect::<Vec<_>>())?;
    if node.as_map().is_none() {
        let words = format!("{what} is '{}' instead of 'dict'", type_name(&node));
        return Err(Diagnostic::error(words).at(node.origin.clone()).into());
    }
    Ok(node)
}

/// How findings begin that say what `_meta`, or the output as a whole, is wrong with.
const NO_DECODER: &str = "Unable to get JSON decoder for inventory script result";

fn no_decoder(findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let worded = |finding: Diagnostic| Diagnostic { message: format!("{NO_DECODER}. {}", finding.message), ..finding };
    findings.into_iter().map(worded).collect()
}

/// What `_meta` may hold.
fn check_meta(top: &Node) -> Checked<()> {
    let Some(meta) = top.get("_meta") else { return Ok(()) };
    if meta.as_map().is_none() {
        return Err(no_decoder(wrong("_meta", meta, "dict")));
    }
    let Some(profile) = meta.get("profile") else { return Ok(()) };
    let words = match profile.as_str() {
        None => return Err(no_decoder(wrong("_meta.profile", profile, "str"))),
        Some("inventory_legacy") => return Ok(()),
        Some(name) if name.starts_with("inventory_") => {
            format!("{NO_DECODER}. Unknown profile name '{name}'.")
        }
        Some(name) => format!("Non-inventory profile '{name}' is not allowed."),
    };
    Err(Diagnostic::error(words).at(profile.origin.clone()).into())
}

/// A part of the output that is not what it has to be.
fn wrong(path: &str, found: &Node, wanted: &str) -> Vec<Diagnostic> {
    Diagnostic::error(format!("Value contains '{path}' which is '{}' instead of '{wanted}'", type_name(found)))
        .at(found.origin.clone())
        .hint("a group is {\"hosts\": [], \"vars\": {}, \"children\": []}")
        .into()
}

/// The name of a type in Ansible's messages.
fn type_name(node: &Node) -> &'static str {
    node.to_value().map_or("str", |value| value.type_name())
}

fn group(builder: &mut Builder, name: &Node, body: &Node, hosts: &mut Vec<String>) -> Checked<()> {
    let group = name.as_str().unwrap_or_default();
    builder.add_group(group, &name.origin);
    if body.as_seq().is_some() {
        return members(builder, group, body, hosts);
    }
    let Some(entries) = body.as_map() else {
        return Err(wrong(&format!("{group}.hosts"), body, "list"));
    };
    if !entries.iter().any(|(key, _)| matches!(key.as_str(), Some("hosts" | "vars" | "children"))) {
        // The oldest form: a host of the group's name, with these variables.
        let message = format!("Treating malformed group '{group}' as the sole host of that group");
        builder.warn(
            Diagnostic::warning(message)
                .at(name.origin.clone())
                .hint("a group is {\"hosts\": [], \"vars\": {}, \"children\": []}"),
        );
        builder.add_host(group, None, group, &name.origin);
        hosts.push(group.to_owned());
        return each_var(body, |name, value, origin| builder.set_group_var(group, name, value, origin));
    }
    if let Some(listed) = body.get("hosts") {
        members(builder, group, listed, hosts)?;
    }
    if let Some(vars) = body.get("vars") {
        if vars.as_map().is_none() {
            return Err(wrong(&format!("{group}.vars"), vars, "dict"));
        }
        each_var(vars, |name, value, origin| builder.set_group_var(group, name, value, origin))?;
    }
    if let Some(children) = body.get("children") {
        let Some(listed) = children.as_seq() else {
            return Err(wrong(&format!("{group}.children"), children, "list"));
        };
        for child in listed {
            let Some(child_name) = child.as_str() else {
                return Err(wrong(&format!("{group}.children"), child, "str"));
            };
            builder.add_group(child_name, &child.origin);
            builder.add_child(group, child_name, &child.origin);
        }
    }
    Ok(())
}

/// Hosts as a script names them: without ranges and ports.
fn members(builder: &mut Builder, group: &str, listed: &Node, hosts: &mut Vec<String>) -> Checked<()> {
    let Some(items) = listed.as_seq() else {
        return Err(wrong(&format!("{group}.hosts"), listed, "list"));
    };
    for item in items {
        let Some(name) = item.as_str() else {
            return Err(wrong(&format!("{group}.hosts"), item, "str"));
        };
        builder.add_host(name, None, group, &item.origin);
        if !hosts.iter().any(|h| h == name) {
            hosts.push(name.to_owned());
        }
    }
    Ok(())
}

fn set_host(builder: &mut Builder, host: &str, vars: &Node) -> Checked<()> {
    if vars.as_map().is_none() {
        let words = format!("Invalid data from file, expected dictionary and got {} for `{host}`", vars.describe());
        return Err(Diagnostic::error(words).at(vars.origin.clone()).into());
    }
    each_var(vars, |name, value, origin| builder.set_host_var(host, name, value, origin))
}

/// Calls with each variable of a mapping: name, value, place.
fn each_var(vars: &Node, mut call: impl FnMut(&str, Value, &Origin)) -> Checked<()> {
    let read = vars.to_vars()?;
    for (name, value) in read.values() {
        if let Some(name) = name.as_str() {
            call(name, value.clone(), read.origin(name).unwrap_or(&vars.origin));
        }
    }
    Ok(())
}
