//! Plays as one host runs them: only those that select it, and without tasks that are
//! skipped there whatever happens in the run.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::compile::{CompiledPlay, CompiledTask, is_fact, sets};
use crate::diag::Checked;
use crate::model::{Reason, Value, Vars};
use crate::schedule::{Context, select};
use crate::template::{Templar, Truth};
use crate::vars::{Layer, Level, Scope, Variables};

/// What the run itself says of hosts, plays and tasks.
const MAGIC: [&str; 14] = [
    "groups",
    "hostvars",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname_short",
    "item",
    "omit",
    "play_hosts",
    "playbook_dir",
    "role_name",
    "role_names",
    "role_path",
    "vars",
    "environment",
];

/// Keeps the plays that select a host, and of their tasks those that may run there.
///
/// # Errors
/// When a play's hosts cannot be worked out.
pub fn to_host(context: &Context, plays: &mut Vec<(usize, Arc<CompiledPlay>)>, host: &str) -> Checked<()> {
    let run_time = RunTime::of(plays.iter().map(|(_, play)| &**play));
    let mut kept = Vec::new();
    for (number, mut play) in plays.drain(..) {
        if !select(context, &play)?.iter().any(|h| h == host) {
            continue;
        }
        let judge = Judge { context, run_time: &run_time, base: base(context, &play, host) };
        let skipped: BTreeSet<usize> =
            play.tasks.iter().filter(|task| judge.is_skipped(&play, task)).map(|task| task.id).collect();
        if !skipped.is_empty() {
            Arc::make_mut(&mut play).retain(|task| !skipped.contains(&task.id), &context.engine);
        }
        kept.push((number, play));
    }
    *plays = kept;
    Ok(())
}

/// What tasks of the run set.
#[derive(Default)]
struct RunTime {
    names: BTreeSet<String>,
    /// Whether anything may be set: files of variables that are read in the run.
    any: bool,
}

impl RunTime {
    fn of<'a>(plays: impl Iterator<Item = &'a CompiledPlay>) -> Self {
        let mut all = Self::default();
        for play in plays {
            all.any |= play.keywords.value("vars_files").is_some();
            for task in play.tasks.iter().chain(&play.handlers) {
                let sets = sets(task);
                all.any |= sets.any;
                all.names.extend(sets.names.into_iter().map(|(name, _)| name));
            }
        }
        all
    }
}

struct Judge<'a> {
    context: &'a Context,
    run_time: &'a RunTime,
    base: Scope,
}

impl Judge<'_> {
    /// Whether a condition is false by what is known before the run.
    fn is_skipped(&self, play: &CompiledPlay, task: &CompiledTask) -> bool {
        if self.run_time.any || task.looped.is_some() || task.when.is_empty() {
            return false;
        }
        let role = task.role.and_then(|role| play.roles.get(role));
        let layers = role.into_iter().flat_map(|role| [Arc::clone(&role.defaults), Arc::clone(&role.vars)]);
        let scope = self.base.push_all(layers.chain(task.vars.iter().cloned()));
        let known = Arc::new(Known { scope, set: self.run_time.names.clone() });
        let templar = Templar::new(Arc::clone(&self.context.engine), known);
        for condition in &task.when {
            match templar.condition(condition) {
                Ok(Truth::False) => return true,
                Ok(Truth::True | Truth::Unknown(_)) => {}
                // It would fail there rather than be skipped.
                Err(_) => return false,
            }
        }
        false
    }
}

/// What is known of a host before a play: inventory, play, roles, `-e`.
fn base(context: &Context, play: &CompiledPlay, host: &str) -> Scope {
    let inventory = context.hosts.inventory();
    let mut own = Vars::new();
    own.set("inventory_hostname", host, None);
    let groups = inventory.group_names(host).into_iter().filter(|name| *name != crate::inventory::ALL);
    own.set("group_names", Value::list(groups), None);
    let mut layers = context.hosts.layers(host);
    layers.extend(play.roles.iter().flat_map(|role| [Arc::clone(&role.defaults), Arc::clone(&role.vars)]));
    layers.extend(play.vars.iter().chain(&context.layers).cloned());
    layers.push(Layer::new(Level::Magic, "rplay", own));
    Scope::builder().layers(layers).build()
}

/// Variables of which those that the run may set are unknown.
struct Known {
    scope: Scope,
    set: BTreeSet<String>,
}

impl Variables for Known {
    fn get(&self, name: &str) -> Option<Value> {
        let found = self.scope.get(name);
        let magic = found.is_none() && (name.starts_with("ansible_") || MAGIC.contains(&name));
        if magic || is_fact(name) || self.set.contains(name) {
            return Some(Value::Unknown(Reason::from(name)));
        }
        found
    }

    fn names(&self) -> Vec<String> {
        self.scope.names()
    }
}
