//! Inventories in YAML form: groups with `hosts`, `children` and `vars`.

use std::sync::Arc;

use super::{Builder, address};
use crate::diag::Diagnostic;
use crate::model::Source;
use crate::yaml::{self, Node};

/// Reads a source into the builder; findings stay with the builder.
pub(super) fn parse(builder: &mut Builder, source: &Arc<Source>) {
    let loaded = match yaml::load(source) {
        Ok(loaded) => loaded,
        Err(found) => return builder.errors.extend(found),
    };
    builder.warnings.extend(loaded.warnings);
    let mut documents = loaded.documents.into_iter();
    let Some(top) = documents.next() else {
        let origin = crate::model::Origin::new(source, 1, 1);
        builder.errors.push(Diagnostic::error("this inventory is empty").at(origin));
        return;
    };
    if let Some(second) = documents.next() {
        builder.errors.push(Diagnostic::error("an inventory is one YAML document").at(second.origin));
    }
    let Some(groups) = top.as_map() else {
        let found = format!("an inventory is a mapping of groups, and this is {}", top.describe());
        builder.errors.push(Diagnostic::error(found).at(top.origin).hint("start with `all:` and `hosts:` below it"));
        return;
    };
    if let Some((key, _)) = top.entry("plugin") {
        builder.errors.push(
            Diagnostic::error("this configures an inventory plugin, and is no inventory in YAML")
                .at(key.origin.clone())
                .hint(
                    "`auto` or the plugin's name must be among `enable_plugins` in ansible.cfg's section [inventory]",
                ),
        );
        return;
    }
    for (name, body) in groups {
        if body.is_null() || body.as_map().is_some() {
            group(builder, name, body, None);
        } else {
            builder.warnings.push(no_group(name, body, Diagnostic::warning));
        }
    }
}

/// What stands where a group is expected. At the top of a file it is passed over, as in Ansible.
fn no_group(name: &Node, body: &Node, severity: fn(String) -> Diagnostic) -> Diagnostic {
    let name = name.to_key().map(|key| key.to_string()).unwrap_or_default();
    severity(format!("the group `{name}` must be a mapping, and this is {}", body.describe()))
        .at(body.origin.clone())
        .hint("its hosts stand under `hosts:`, each with a colon")
}

/// A group's name and body; `parent` is the group whose `children` it stands under.
fn group(builder: &mut Builder, name: &Node, body: &Node, parent: Option<&str>) {
    let Some(group_name) = name.as_str() else {
        let message = format!("a group's name must be a string, and this is {}", name.describe());
        builder.errors.push(Diagnostic::error(message).at(name.origin.clone()).hint("quote it"));
        return;
    };
    builder.add_group(group_name, &name.origin);
    if let Some(parent) = parent {
        builder.add_child(parent, group_name, &name.origin);
    }
    if body.is_null() {
        return;
    }
    let Some(sections) = body.as_map() else {
        return builder.errors.push(no_group(name, body, Diagnostic::error));
    };
    for (part, content) in sections {
        section(builder, group_name, part, content);
    }
}

/// One of a group's parts: `hosts`, `children`, `vars`.
pub(super) fn section(builder: &mut Builder, group_name: &str, section: &Node, content: &Node) {
    match section.as_str() {
        Some("vars") => variables(builder, group_name, content),
        Some("children") => {
            for (child, body) in entries(builder, "children", group_name, content) {
                group(builder, &child, &body, Some(group_name));
            }
        }
        Some("hosts") => {
            for (host, vars) in entries(builder, "hosts", group_name, content) {
                hosts(builder, group_name, &host, &vars);
            }
        }
        other => {
            let named = other.unwrap_or("this key");
            builder.warnings.push(
                Diagnostic::warning(format!("`{named}` is no part of a group, and is ignored"))
                    .at(section.origin.clone())
                    .label("ignored")
                    .suggest(named, ["hosts", "children", "vars"])
                    .hint("a group has `hosts`, `children` and `vars`; child groups stand under `children:`"),
            );
        }
    }
}

/// The entries of `hosts` or `children`: a mapping, nothing, or a single name.
fn entries(builder: &mut Builder, section: &str, group: &str, content: &Node) -> Vec<(Node, Node)> {
    if let Some(entries) = content.as_map() {
        return entries.to_vec();
    }
    if content.as_str().is_some() {
        let nothing = Node { origin: content.origin.clone(), kind: yaml::NodeKind::Null };
        return vec![(content.clone(), nothing)];
    }
    if !content.is_null() {
        let message =
            format!("`{section}` of the group `{group}` must be a mapping, and this is {}", content.describe());
        builder.errors.push(
            Diagnostic::error(message)
                .at(content.origin.clone())
                .hint("write `name:` on each line, with its variables below, not `- name`"),
        );
    }
    Vec::new()
}

fn variables(builder: &mut Builder, group: &str, content: &Node) {
    match content.to_vars() {
        Ok(vars) => {
            for (name, value) in vars.values() {
                if let Some(name) = name.as_str() {
                    let origin = vars.origin(name).unwrap_or(&content.origin);
                    builder.set_group_var(group, name, value.clone(), origin);
                }
            }
        }
        Err(found) => builder.errors.extend(found),
    }
}

fn hosts(builder: &mut Builder, group: &str, host: &Node, vars: &Node) {
    let Some(pattern) = host.as_str() else {
        let name = host.to_key().map(|key| format!(" {key}")).unwrap_or_default();
        let message = format!("Host pattern{name} must be a string, and this is {}", host.describe());
        builder.errors.push(Diagnostic::error(message).at(host.origin.clone()).hint("quote it"));
        return;
    };
    if pattern.is_empty() {
        builder.errors.push(Diagnostic::error("this host has no name").at(host.origin.clone()));
        return;
    }
    let found = address::address(pattern);
    let names = match address::expand(&found.name) {
        Ok(names) => names,
        Err(why) => {
            let message = format!("`{pattern}`: {why}");
            builder.errors.push(Diagnostic::error(message).at(host.origin.clone()));
            return;
        }
    };
    for name in &names {
        builder.add_host(name, found.port, group, &host.origin);
    }
    match vars.to_vars() {
        Ok(vars) => {
            for (name, value) in vars.values() {
                let Some(name) = name.as_str() else { continue };
                let origin = vars.origin(name).unwrap_or(&host.origin);
                for host in &names {
                    builder.set_host_var(host, name, value.clone(), origin);
                }
            }
        }
        Err(found) => builder.errors.extend(found),
    }
}
