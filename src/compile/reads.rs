//! Which variables a task reads, and which it sets.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{CompiledPlay, CompiledTask};
use crate::model::{Map, Value};
use crate::template::{Engine, Reads};
use crate::vars::Layer;

/// Keywords that hold conditions on the task's own result; `when` is kept apart.
const ON_RESULT: [&str; 3] = ["changed_when", "failed_when", "until"];

/// Keywords that hold no template of their own, or are looked at elsewhere.
const NOT_READ: [&str; 10] =
    ["action", "args", "environment", "listen", "loop", "loop_control", "register", "tags", "vars", "when"];

/// What a task's own texts read: conditions, arguments, loop, keywords. Variables that it
/// sets itself (its loop's, its result) are left out.
pub(super) fn direct(task: &CompiledTask, engine: &Engine) -> Reads {
    let mut reads = Reads::default();
    task.when.iter().for_each(|condition| reads.add(engine.condition_reads(condition)));
    // In its own result a task reads itself; in `when` still what was there before.
    let mut own = Reads::default();
    for (name, setting) in task.keywords.iter() {
        if ON_RESULT.contains(&name) {
            own.add(engine.condition_reads(&setting.value));
        } else if !NOT_READ.contains(&name) {
            reads.add(engine.reads(&setting.value));
        }
    }
    let control = task.keywords.value("loop_control").and_then(Value::as_map);
    for (name, value) in control.into_iter().flatten() {
        own.add(if name.as_str() == Some("break_when") { engine.condition_reads(value) } else { engine.reads(value) });
    }
    let registered = task.keywords.value("register").and_then(Value::as_str);
    own.names.retain(|name| Some(name.as_str()) != registered);
    reads.add(own);
    reads.add(arguments(task, engine));
    task.environment.iter().for_each(|e| reads.add(engine.reads(e)));
    if let Some(looped) = &task.looped {
        let over = engine.reads(&looped.setting.value);
        let control = |name: &str| control.and_then(|c| c.get(name)).and_then(Value::as_str);
        let set = [control("loop_var").or(Some("item")), control("index_var"), Some("ansible_loop")];
        reads.names.retain(|name| !set.contains(&Some(name.as_str())));
        reads.add(over);
    }
    reads
}

fn arguments(task: &CompiledTask, engine: &Engine) -> Reads {
    let mut reads = Reads::default();
    for (name, value) in &task.action.args {
        // These are expressions without braces.
        let bare =
            matches!((task.action.module.name, name.as_str()), ("assert", Some("that")) | ("debug", Some("var")));
        reads.add(if bare { engine.condition_reads(value) } else { engine.reads(value) });
    }
    task.action.more.iter().for_each(|more| reads.add(engine.reads(more)));
    reads
}

/// What a task reads, also in its template file, and through variables that come with the
/// play, its roles, blocks and itself: those that they read when they are evaluated.
/// Variables of the inventory are not followed.
pub(super) fn of_task(play: &CompiledPlay, task: &CompiledTask, engine: &Engine) -> Reads {
    let mut reads = direct(task, engine);
    reads.add(template_file(play, task, engine));
    let layers = layers(play, task);
    let mut todo: Vec<String> = reads.names.iter().cloned().collect();
    while let Some(name) = todo.pop() {
        for value in layers.iter().filter_map(|layer| layer.vars.get(&name)) {
            let through = engine.reads(value);
            todo.extend(through.names.difference(&reads.names).cloned());
            reads.add(through);
        }
    }
    reads
}

/// Where a name that a task uses may be defined, but for the inventory and the run.
fn layers<'a>(play: &'a CompiledPlay, task: &'a CompiledTask) -> Vec<&'a Arc<Layer>> {
    let roles = play.roles.iter().flat_map(|role| [&role.defaults, &role.vars]);
    roles.chain(&play.vars).chain(&task.vars).collect()
}

/// What the file of a `template` task reads; any variable where it cannot be looked at.
fn template_file(play: &CompiledPlay, task: &CompiledTask, engine: &Engine) -> Reads {
    if task.action.module.name != "template" {
        return Reads::default();
    }
    let role = task.role.and_then(|role| play.roles.get(role)).map(|role| &role.path);
    let roots: Vec<String> =
        role.into_iter().chain([&play.playbook_dir]).map(|root| root.to_string_lossy().into_owned()).collect();
    let src = match task.action.args.get("src") {
        Some(Value::Str(src)) if !src.is_template() && !src.ends_with(".hbs") => Some(src.as_str()),
        _ => None,
    };
    src.and_then(|src| engine.file_reads(src, &roots)).unwrap_or_else(|| Reads { any: true, ..Reads::default() })
}

/// What a task sets for those that follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sets {
    /// Names, and whether each is set whenever the task is come to.
    pub names: Vec<(String, bool)>,
    /// Whether it sets facts.
    pub facts: bool,
    /// Whether it sets others besides, which cannot be listed.
    pub any: bool,
}

/// What a task sets: what it registers, facts, `set_fact`, `include_vars`.
pub fn sets(task: &CompiledTask) -> Sets {
    let mut sets = Sets::default();
    // A task that is skipped registers that.
    sets.names.extend(task.keywords.value("register").and_then(Value::as_str).map(|name| (name.to_owned(), true)));
    match task.action.module.name {
        "setup" | "gather_facts" | "service_facts" | "package_facts" => sets.facts = true,
        "set_fact" => {
            let sure = task.when.is_empty() && task.looped.is_none();
            for name in names(&task.action.args).filter(|name| *name != "cacheable") {
                sets.any |= name.contains("{{");
                sets.names.push((name.to_owned(), sure));
            }
            sets.any |= !task.action.more.is_empty();
        }
        "include_vars" => match task.action.args.get("name").and_then(Value::as_str) {
            Some(name) => sets.names.push((name.to_owned(), false)),
            None => sets.any = true,
        },
        _ => {}
    }
    sets
}

fn names(map: &Map) -> impl Iterator<Item = &str> {
    map.keys().filter_map(|key| key.as_str())
}

/// Names that begin as facts do and are none: what Ansible itself says of run, play and host,
/// and what the user says of connections.
const NO_FACTS: [&str; 23] = [
    "ansible_check_mode",
    "ansible_collection_name",
    "ansible_config_file",
    "ansible_connection",
    "ansible_dependent_role_names",
    "ansible_diff_mode",
    "ansible_failed_result",
    "ansible_failed_task",
    "ansible_forks",
    "ansible_host",
    "ansible_index_var",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_managed",
    "ansible_parent_role_names",
    "ansible_password",
    "ansible_port",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_user",
    "ansible_verbosity",
    "ansible_playbook_python",
    "ansible_version",
];
const NO_FACTS_BEGIN: [&str; 7] = [
    "ansible_become",
    "ansible_docker_",
    "ansible_loop",
    "ansible_play",
    "ansible_python_interpreter",
    "ansible_role_name",
    "ansible_ssh_",
];

/// Whether a name is that of the facts, or of one of them.
pub fn is_fact(name: &str) -> bool {
    let said = || NO_FACTS.contains(&name) || NO_FACTS_BEGIN.iter().any(|begin| name.starts_with(begin));
    name.starts_with("ansible_") && (name.starts_with("ansible_ssh_host_key_") || !said())
}

/// The names under which what is set reaches what is read; `*` for one that cannot be told.
pub(super) fn shared(sets: &Sets, reads: &Reads) -> BTreeSet<String> {
    let mut shared: BTreeSet<String> =
        sets.names.iter().map(|(name, _)| name).filter(|name| reads.names.contains(*name)).cloned().collect();
    if sets.facts {
        shared.extend(reads.names.iter().filter(|name| is_fact(name)).cloned());
    }
    let sets_some = sets.any || sets.facts || !sets.names.is_empty();
    if shared.is_empty() && (reads.any && sets_some || sets.any && !reads.names.is_empty()) {
        shared.insert("*".to_owned());
    }
    shared
}
