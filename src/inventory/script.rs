//! What inventory scripts print: JSON of groups, with `_meta` for the variables of hosts.

use std::sync::Arc;

use super::Builder;
use crate::diag::{Checked, Diagnostic};
use crate::model::{Origin, Source, Value};
use crate::yaml::{self, Node, NodeKind, Scalar, Style};

/// Hosts of a script that gave no `_meta`: each is asked for with `--host`.
pub type ToAsk = Vec<String>;

/// Reads the output of `--list` into the builder. Returns the hosts to ask for.
///
/// # Errors
/// When it is no JSON, or its parts have the wrong types.
pub(super) fn list(builder: &mut Builder, source: &Arc<Source>) -> Checked<ToAsk> {
    let top = object(source)?;
    let mut hosts = Vec::new();
    for (name, body) in top.as_map().unwrap_or_default().iter().filter(|(name, _)| name.as_str() != Some("_meta")) {
        group(builder, name, body, &mut hosts)?;
    }
    let Some(meta) = top.get("_meta") else { return Ok(hosts) };
    let vars = meta.get("hostvars");
    for (name, vars) in vars.and_then(Node::as_map).unwrap_or_default() {
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
    set_host(builder, name, &object(source)?)
}

fn object(source: &Arc<Source>) -> Checked<Node> {
    let mut node = yaml::load_json(source).map_err(|found| found.into_iter().map(explain).collect::<Vec<_>>())?;
    if node.as_map().is_none() {
        return Err(expected("the output of the script", "a JSON object", &node));
    }
    unsafe_text(&mut node);
    Ok(node)
}

fn explain(found: Diagnostic) -> Diagnostic {
    found.hint("a script prints one JSON object, and notes on standard error")
}

fn expected(what: &str, wanted: &str, found: &Node) -> Vec<Diagnostic> {
    Diagnostic::error(format!("{what} must be {wanted}, and this is {}", found.describe()))
        .at(found.origin.clone())
        .hint("a group is {\"hosts\": [], \"vars\": {}, \"children\": []}")
        .into()
}

fn group(builder: &mut Builder, name: &Node, body: &Node, hosts: &mut Vec<String>) -> Checked<()> {
    let group = name.as_str().unwrap_or_default();
    builder.add_group(group, &name.origin);
    if body.as_seq().is_some() {
        return members(builder, group, body, hosts);
    }
    let Some(entries) = body.as_map() else {
        return Err(expected(&format!("the group `{group}`"), "an object or a list of hosts", body));
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
            return Err(expected(&format!("`vars` of `{group}`"), "an object", vars));
        }
        each_var(vars, |name, value, origin| builder.set_group_var(group, name, value, origin))?;
    }
    if let Some(children) = body.get("children") {
        let Some(listed) = children.as_seq() else {
            return Err(expected(&format!("`children` of `{group}`"), "a list", children));
        };
        for child in listed {
            let Some(child_name) = child.as_str() else {
                return Err(expected(&format!("a child of `{group}`"), "a string", child));
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
        return Err(expected(&format!("`hosts` of `{group}`"), "a list", listed));
    };
    for item in items {
        let Some(name) = item.as_str() else {
            return Err(expected(&format!("a host of `{group}`"), "a string", item));
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
        return Err(expected(&format!("the variables of `{host}`"), "an object", vars));
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

/// `{"__ansible_unsafe": "text"}` is text that is never templated, `__ansible_vault` ciphertext.
fn unsafe_text(node: &mut Node) {
    let marked = match node.as_map() {
        Some([(key, value)]) => match (key.as_str(), value.as_str()) {
            (Some("__ansible_unsafe"), Some(text)) => {
                Some(NodeKind::Str(Scalar { text: Arc::from(text), style: Style::Double, is_unsafe: true }))
            }
            (Some("__ansible_vault"), Some(text)) => Some(NodeKind::Vault(Arc::from(text))),
            _ => None,
        },
        _ => None,
    };
    if let Some(kind) = marked {
        node.kind = kind;
        return;
    }
    match &mut node.kind {
        NodeKind::Seq(items) => items.iter_mut().for_each(unsafe_text),
        NodeKind::Map(entries) => entries.iter_mut().for_each(|(_, value)| unsafe_text(value)),
        _ => {}
    }
}
