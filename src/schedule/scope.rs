//! Which variables a task sees on a host.

use std::sync::Arc;

use super::Context;
use super::world::{Known, World};
use crate::compile::{CompiledPlay, CompiledTask};
use crate::model::{Map, Value, Vars};
use crate::vars::{HostVars, Layer, Level, Scope};

/// Variables that rplay itself provides.
pub mod magic {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::Context;
    use crate::compile::{CompiledPlay, CompiledTask};
    use crate::inventory::ALL;
    use crate::model::{Map, Text, Value, Vars};
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
        let asked_for = play.roles.iter().filter(|r| r.asked_for.is_some()).map(|r| r.name.as_str());
        let own = play.role_names.iter().map(String::as_str).chain(asked_for);
        let brought = play.roles.iter().filter(|r| !r.parents.is_empty()).map(|r| r.name.as_str());
        let brought: BTreeSet<&str> = brought.collect();
        let all: BTreeSet<&str> = own.clone().chain(brought.iter().copied()).collect();
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
            // There is none that runs this; what content wants is one for `ansible_python_interpreter`.
            ("ansible_playbook_python", Value::from("/usr/bin/python3")),
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
            ("ansible_playbook_python", Value::from(python(context))),
            ("ansible_run_tags", strings(run_tags(&options.tags))),
            ("ansible_skip_tags", strings(options.skip_tags.iter().map(String::as_str))),
            ("ansible_limit", Value::from(options.limit.clone())),
            ("ansible_inventory_sources", strings(options.sources.iter().map(String::as_str))),
            ("ansible_config_file", Value::from(options.config_file.clone())),
        ]
        .into_iter()
        .filter(|(name, value)| !value.is_null() || *name == "ansible_config_file")
        .collect();
        Layer::new(Level::Magic, "rplay", vars)
    }

    /// The controller's Python, which nothing here needs.
    fn python(context: &Context) -> Option<String> {
        let path = context.outside.env("PATH")?;
        let mut programs = path.split(':').map(|dir| format!("{dir}/python3"));
        programs.find(|program| context.outside.kind(program) == Some("file"))
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
        let known = inventory.host(host);
        if known.is_some_and(|h| h.origin.is_none() && !h.implicit) {
            // A host that a task has added has no place.
            vars.set("inventory_file", Value::Null, None);
            vars.set("inventory_dir", Value::Null, None);
        }
        if let Some(origin) = known.and_then(|h| h.origin.as_ref()) {
            let file = std::path::Path::new(&origin.source.name);
            let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
            let dir = absolute.parent().map(|p| p.to_string_lossy().into_owned());
            vars.set("inventory_file", absolute.to_string_lossy().into_owned(), None);
            vars.set("inventory_dir", dir, None);
        }
        Layer::new(Level::Magic, "rplay", vars)
    }

    /// What a task sees of the host that it is delegated to: `ansible_delegated_vars`, and where its
    /// own host has no address, the other one's.
    pub fn delegated(host: &str) -> [Arc<Layer>; 2] {
        let name = quoted(host);
        let template = |text: String| Value::Str(Text::template(text, None));
        let theirs = Map::from_iter([(host, template(format!("{{{{ hostvars[{name}] }}}}")))]);
        let address = template(format!("{{{{ hostvars[{name}].ansible_host | default({name}) }}}}"));
        [("ansible_delegated_vars", Value::from(theirs), Level::Magic), ("ansible_host", address, Level::CommandLine)]
            .map(|(name, value, level)| Layer::new(level, "rplay", Vars::from_iter([(name, value)])))
    }

    /// A string as an expression writes it.
    fn quoted(text: &str) -> String {
        format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
    }

    /// Those of a task: its role, and where its files are looked for.
    pub fn of_task(play: &CompiledPlay, task: &CompiledTask) -> Arc<Layer> {
        Arc::clone(task.magic.get_or_init(|| Layer::new(Level::Magic, "rplay", for_task(play, task))))
    }

    /// The directories that files of a task are looked for in: its role's, those of the roles
    /// around it, its own file's, the playbook's.
    fn search_path(play: &CompiledPlay, task: &CompiledTask) -> Vec<String> {
        let role = task.role.and_then(|role| play.roles.get(role));
        let around = role.iter().flat_map(|role| role.included_by.iter().map(|(_, path)| path));
        let file = std::path::Path::new(task.origin.source.name.as_ref() as &str);
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let own = absolute.parent().filter(|_| file.is_file() || absolute.is_absolute());
        let playbook = std::path::absolute(&play.playbook_dir).unwrap_or_else(|_| play.playbook_dir.clone());
        let paths = role.iter().map(|role| &role.path).chain(around).map(|path| path.as_path()).chain(own);
        let mut all: Vec<String> = Vec::new();
        for path in paths.chain([playbook.as_path()]) {
            let path = path.to_string_lossy().into_owned();
            if !all.contains(&path) {
                all.push(path);
            }
        }
        all
    }

    fn for_task(play: &CompiledPlay, task: &CompiledTask) -> Vars {
        let mut vars = Vars::new();
        vars.set("ansible_search_path", Value::list(search_path(play, task)), None);
        let Some(role) = task.role.and_then(|role| play.roles.get(role)) else { return vars };
        vars.set("role_name", role.short_name(), None);
        vars.set("ansible_collection_name", role.collection().map_or(Value::Null, Value::from), None);
        if !role.included_by.is_empty() {
            let names = role.included_by.iter().map(|(name, _)| name.as_str());
            vars.set("ansible_parent_role_names", strings(names), None);
            let paths = role.included_by.iter().map(|(_, path)| path.to_string_lossy().into_owned());
            vars.set("ansible_parent_role_paths", Value::list(paths), None);
        }
        vars.set("ansible_role_name", role.name.as_str(), None);
        vars.set("role_path", role.path.to_string_lossy().into_owned(), None);
        vars
    }
}

/// What inventory and command line say of a host: what `hostvars` shows before anything has run.
pub fn of_inventory(context: &Context, host: &str) -> Scope {
    let mut layers = context.hosts.layers(host);
    layers.extend(context.layers.iter().cloned());
    // Facts are there, if none are known.
    let facts = Vars::from_iter([("ansible_facts", Value::from(Map::new()))]);
    layers.push(Layer::new(Level::CommandLine, "rplay", facts));
    layers.push(magic::of_host(context, host));
    Scope::builder().layers(layers).merge(context.options.merge).build()
}

/// That, with what a play says: the same for all its tasks.
pub fn of_play(world: &World, context: &Context, play: &CompiledPlay, files: &[Arc<Layer>], host: &str) -> Scope {
    let mut layers: Vec<Arc<Layer>> = play.roles.iter().filter(|r| r.public).map(|r| Arc::clone(&r.defaults)).collect();
    layers.extend(play.vars.iter().cloned());
    layers.extend(files.iter().cloned());
    layers.extend(play.roles.iter().filter(|r| r.public).map(|r| Arc::clone(&r.vars)));
    // In a task, though not in `hostvars`, a host without an address has its name for one.
    let own = Vars::from_iter([("ansible_host", Value::from(host))]);
    layers.push(Layer::new(Level::CommandLine, "rplay", own));
    world.ground(context, host).push_all(layers)
}

/// What a host sees at one moment: all that does not depend on the task.
pub struct Moment {
    /// What the play says there.
    pub ground: Scope,
    /// What is known of it.
    pub known: Option<Arc<Known>>,
    /// Magic variables of the play.
    pub magic: Arc<Layer>,
    /// All hosts' variables.
    pub hostvars: Arc<dyn HostVars>,
}

impl Moment {
    /// What is known of the host, to be changed in this view of it alone.
    pub fn known(&mut self) -> &mut Known {
        Arc::make_mut(self.known.get_or_insert_default())
    }

    /// What any task sees.
    pub fn of_host(&self) -> Scope {
        self.with(Vec::new())
    }

    /// What a task sees: that, its role's, its blocks' and its own.
    pub fn of_task(&self, play: &CompiledPlay, task: &CompiledTask) -> Scope {
        let mut layers = Vec::new();
        if let Some(role) = task.role.and_then(|r| play.roles.get(r)) {
            // Its own role's come above those of the play's other roles, those around it between.
            layers.extend(role.around.iter().cloned());
            layers.push(Arc::clone(&role.defaults));
            layers.push(Arc::clone(&role.vars));
        }
        layers.extend(task.vars.iter().cloned());
        layers.push(magic::of_task(play, task));
        self.with(layers)
    }

    fn with(&self, mut layers: Vec<Arc<Layer>>) -> Scope {
        layers.extend(self.known.iter().flat_map(|k| k.layers()));
        layers.push(Arc::clone(&self.magic));
        self.ground.push_all(layers).with_hostvars(Arc::clone(&self.hostvars))
    }
}
