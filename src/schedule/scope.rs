//! Which variables a task sees on a host.

use std::sync::Arc;

use super::Context;
use super::world::{Known, Snapshot};
use crate::compile::{CompiledPlay, CompiledTask};
use crate::model::{Value, Vars};
use crate::vars::{Layer, Level, Scope};

/// Variables that rplay itself provides.
pub mod magic {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::super::Context;
    use crate::compile::{CompiledPlay, CompiledTask};
    use crate::inventory::ALL;
    use crate::model::{Map, Value, Vars};
    use crate::vars::{Layer, Level};

    fn strings<'a>(items: impl IntoIterator<Item = &'a str>) -> Value {
        Value::list(items)
    }

    /// Those of the run and the play: the same for all hosts.
    pub fn shared(
        context: &Context,
        play: &CompiledPlay,
        hosts: &[String],
        batch: &[String],
        alive: &[String],
    ) -> Arc<Layer> {
        let inventory = context.hosts.inventory();
        let groups: Map =
            inventory.groups().map(|g| (g.name.as_str(), strings(inventory.group_hosts(&g.name)))).collect();
        let names = |list: &[String]| strings(list.iter().map(String::as_str));
        let all: BTreeSet<&str> = play.roles.iter().map(|r| r.name.as_str()).collect();
        let own = play.role_names.iter().map(String::as_str);
        let brought = play.roles.iter().filter(|r| !r.parents.is_empty()).map(|r| r.name.as_str());
        let brought: BTreeSet<&str> = brought.collect();
        let options = &context.options;
        let version: Map = [
            ("full", Value::from("2.19.0")),
            ("major", Value::from(2)),
            ("minor", Value::from(19)),
            ("revision", Value::from(0)),
            ("string", Value::from("2.19.0")),
        ]
        .into_iter()
        .collect();
        let dir = |path: &std::path::Path| Value::from(path.to_string_lossy().into_owned());
        let vars: Vars = [
            ("groups", Value::from(groups)),
            ("playbook_dir", dir(&play.playbook_dir)),
            ("ansible_play_name", Value::Str(play.title.clone())),
            ("ansible_play_hosts_all", names(hosts)),
            ("ansible_play_hosts", names(alive)),
            ("play_hosts", names(alive)),
            ("ansible_play_batch", names(batch)),
            ("ansible_play_role_names", strings(own.clone())),
            ("ansible_dependent_role_names", strings(brought)),
            ("role_names", strings(own)),
            ("ansible_role_names", strings(all)),
            ("ansible_check_mode", Value::from(options.check)),
            ("ansible_diff_mode", Value::from(options.diff)),
            ("ansible_forks", Value::from(options.forks.unwrap_or(batch.len().max(1)))),
            ("ansible_verbosity", Value::from(u32::from(options.verbosity))),
            ("ansible_version", Value::from(version)),
            ("ansible_run_tags", strings(run_tags(&options.tags))),
            ("ansible_skip_tags", strings(options.skip_tags.iter().map(String::as_str))),
            ("ansible_limit", Value::from(options.limit.clone())),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .collect();
        Layer::new(Level::Magic, "rplay", vars)
    }

    fn run_tags(tags: &[String]) -> Vec<&str> {
        if tags.is_empty() { vec!["all"] } else { tags.iter().map(String::as_str).collect() }
    }

    /// Those of a host.
    pub fn of_host(context: &Context, host: &str) -> Arc<Layer> {
        let inventory = context.hosts.inventory();
        let mut vars = Vars::new();
        vars.set("inventory_hostname", host, None);
        vars.set("inventory_hostname_short", host.split('.').next().unwrap_or(host), None);
        vars.set("group_names", strings(inventory.group_names(host).into_iter().filter(|n| *n != ALL)), None);
        let origin = inventory.host(host).and_then(|h| h.origin.as_ref());
        if let Some(origin) = origin {
            let file = std::path::Path::new(&origin.source.name);
            let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
            let dir = absolute.parent().map(|p| p.to_string_lossy().into_owned());
            vars.set("inventory_file", absolute.to_string_lossy().into_owned(), None);
            vars.set("inventory_dir", dir, None);
        }
        Layer::new(Level::Magic, "rplay", vars)
    }

    /// Those of a task: its role.
    pub fn of_task(play: &CompiledPlay, task: &CompiledTask) -> Option<Arc<Layer>> {
        let role = play.roles.get(task.role?)?;
        let mut vars = Vars::new();
        vars.set("role_name", role.name.as_str(), None);
        vars.set("ansible_role_name", role.name.as_str(), None);
        vars.set("role_path", role.path.to_string_lossy().into_owned(), None);
        Some(Layer::new(Level::Magic, "rplay", vars))
    }
}

/// What all tasks of a play see on a host: inventory, play, files, facts.
pub fn of_host(
    context: &Context,
    play: &CompiledPlay,
    snapshot: &Snapshot,
    known: Option<&Known>,
    play_layers: &[Arc<Layer>],
    magic: &Arc<Layer>,
    host: &str,
) -> Scope {
    let mut layers = context.hosts.layers(host);
    layers.extend(play.roles.iter().filter(|r| r.public).map(|r| Arc::clone(&r.defaults)));
    layers.extend(play.vars.iter().cloned());
    layers.extend(play_layers.iter().cloned());
    layers.extend(play.roles.iter().filter(|r| r.public).map(|r| Arc::clone(&r.vars)));
    layers.extend(known.into_iter().flat_map(Known::layers));
    layers.extend(context.layers.iter().cloned());
    layers.push(Arc::clone(magic));
    layers.push(magic::of_host(context, host));
    // In a task, though not in `hostvars`, a host without an address has its name for one.
    layers.push(Layer::new(Level::CommandLine, "rplay", Vars::from_iter([("ansible_host", Value::from(host))])));
    Scope::builder().layers(layers).hostvars(Arc::new(snapshot.clone())).build()
}

/// What a task sees on top of that: its role's, its blocks' and its own.
pub fn of_task(base: &Scope, play: &CompiledPlay, task: &CompiledTask) -> Scope {
    let mut layers = Vec::new();
    if let Some(role) = task.role.and_then(|r| play.roles.get(r)) {
        // Its own role's come above those of the play's other roles.
        layers.push(Arc::clone(&role.defaults));
        layers.push(Arc::clone(&role.vars));
    }
    layers.extend(task.vars.iter().cloned());
    layers.extend(magic::of_task(play, task));
    base.push_all(layers)
}
