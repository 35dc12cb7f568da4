//! `docker_container`: containers, described property by property.

mod act;
mod args;
mod compare;
mod mounts;
mod networks;
mod ports;
mod present;
mod resources;
mod state;
mod table;
mod wanted;

pub use act::unframed;
pub use networks::disconnect;

use std::sync::Arc;

use super::engine::{Engine, Kind, text_at};
use super::images;
use super::names::{Reference, is_id};
use crate::model::{Failure, Map, Value};
use crate::module;
use crate::module::{Arguments, Done, Module, Plan, ReturnSpec, Run, Step};
use crate::sys::Probe;
use args::Container;
use compare::Comparisons;

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "docker_container",
    aliases: &[],
    collection: super::COLLECTION,
    kind: module::Kind::State,
    doc: "Manage Docker containers.",
    args: Container::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[
        ReturnSpec { name: "container", doc: "The container, as the engine tells of it." },
        ReturnSpec { name: "status", doc: "With `detach: false`: the exit status of its process." },
    ],
    run: Run::Target(plan),
};

/// A task, kept for what can be planned only later.
pub(super) struct Task {
    /// The arguments by their own names, with the defaults of old versions where asked for.
    pub given: Map,
    /// The arguments.
    pub args: Container,
    /// How properties are compared.
    pub comparisons: Comparisons,
    /// The engine.
    pub engine: Engine,
}

/// When an image is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pull {
    Never,
    Missing,
    Always,
}

/// The image of a task.
#[derive(Debug, Clone, Default)]
pub(super) struct Image {
    /// Its name as given; none when the task names none.
    pub name: Option<String>,
    /// As the engine tells of it; null when it is still to be pulled.
    pub found: Value,
}

impl Image {
    /// Its id, when it is known.
    pub fn id(&self) -> Option<&str> {
        self.found.get("Id").and_then(Value::as_str)
    }
}

/// An option by its own name.
fn own_name(name: &str) -> String {
    let specs = Container::specs();
    specs.iter().find(|s| s.aliases.contains(&name)).map_or_else(|| name.to_owned(), |s| s.name.to_owned())
}

/// What old versions took for granted.
fn old_defaults(given: &mut Map) {
    let defaults: [(&str, Value); 9] = [
        ("auto_remove", false.into()),
        ("detach", true.into()),
        ("init", false.into()),
        ("interactive", false.into()),
        ("memory", "0".into()),
        ("paused", false.into()),
        ("privileged", false.into()),
        ("read_only", false.into()),
        ("tty", false.into()),
    ];
    for (name, value) in defaults {
        if !given.contains(name) {
            given.insert(name, value);
        }
    }
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let mut given = Map::new();
    for (name, value) in args.iter().filter(|(_, value)| !value.is_null()) {
        given.insert(own_name(&name.to_string()), value.clone());
    }
    if given.get("container_default_behavior").and_then(Value::as_str) == Some("compatibility") {
        old_defaults(&mut given);
    }
    let args = Container::parse(&given)?;
    check(&args)?;
    let comparisons = Comparisons::read(args.comparisons.as_ref(), own_name)?;
    let engine = Engine::connect(&args.settings.more.engine, host)?;
    let task = Arc::new(Task { given, args, comparisons, engine });
    if task.args.state == "absent" {
        return state::absent(&task, host);
    }
    with_image(&task, host)
}

fn check(args: &Container) -> Result<(), Failure> {
    let more = &args.settings.more;
    if more.log_options.is_some() && more.log_driver.is_none() {
        return Err(Failure::new("missing parameter(s) required by 'log_options': log_driver"));
    }
    if more.restart_retries.is_some() && more.restart_policy.is_none() {
        return Err(Failure::new("missing parameter(s) required by 'restart_retries': restart_policy"));
    }
    if more.mac_address.is_some() && more.network_mode.as_deref() == Some("host") {
        return Err(Failure::new("mac_address cannot be used with network_mode host"));
    }
    Ok(())
}

fn policy(args: &Container) -> Pull {
    match (args.pull.as_str(), module::to_bool(&args.pull)) {
        (Some("never"), _) => Pull::Never,
        (Some("always"), _) | (_, Some(true)) => Pull::Always,
        _ => Pull::Missing,
    }
}

/// A step that pulls the image, and what it shows.
fn pull_step(task: &Arc<Task>, name: &str) -> Step {
    let again = Arc::clone(task);
    let image = Reference::parse(name);
    Step::action([images::planned(name)], move |host| {
        let platform = again.args.settings.more.platform.as_deref();
        images::pull(&again.engine, host, &image, platform).map(|_| Done::default())
    })
    .diff(super::differs(format!("image {name}"), vec![("pulled".into(), "no".into(), "yes".into())]))
}

fn with_image(task: &Arc<Task>, host: &Probe<'_>) -> Result<Plan, Failure> {
    let Some(name) = task.args.image.clone() else {
        return present::plan(task, host, &Image::default());
    };
    let found = images::find(&task.engine, host, &name)?;
    let policy = policy(&task.args);
    let Some(found) = found else {
        if is_id(&name) {
            return Err(Failure::missing(format!("Cannot find image with ID {name}")));
        }
        if policy == Pull::Never {
            return Err(Failure::missing(format!("Cannot find image with name {name}, and pull=never")));
        }
        let mut plan = Plan::new();
        plan.step(pull_step(task, &name));
        plan.append(present::plan(task, host, &Image { name: Some(name), found: Value::Null })?);
        return Ok(plan);
    };
    let image = Image { name: Some(name.clone()), found };
    if policy != Pull::Always || is_id(&name) {
        return present::plan(task, host, &image);
    }
    if host.is_dry_run() {
        let mut plan = Plan::new();
        if task.args.pull_check_mode_behavior == "always" {
            plan.step(pull_step(task, &name));
        }
        plan.append(present::plan(task, host, &image)?);
        return Ok(plan);
    }
    Ok(pull_first(task, name))
}

/// Pulls, and plans only then: whether anything changes is known when the image is there.
fn pull_first(task: &Arc<Task>, name: String) -> Plan {
    let task = Arc::clone(task);
    let mut plan = Plan::new();
    plan.step(Step::action([], move |host| {
        let id = |v: &Option<Value>| v.as_ref().map(|v| text_at(v, &["Id"]).to_owned());
        let before = images::find(&task.engine, host.probe(), &name)?;
        let platform = task.args.settings.more.platform.as_deref();
        images::pull(&task.engine, host, &Reference::parse(&name), platform)?;
        let after = images::find(&task.engine, host.probe(), &name)?;
        let pulled = id(&before) != id(&after);
        let image = Image { name: Some(name.clone()), found: after.unwrap_or_default() };
        let rest = present::plan(&task, host.probe(), &image)?;
        let mut done = rest.carry_out(host)?;
        if pulled {
            let change = ("pulled".to_owned(), "no".to_owned(), "yes".to_owned());
            done.diff.insert(0, super::differs(format!("image {name}"), vec![change]));
        }
        done.changed = Some(done.changed == Some(true) || pulled);
        if !done.result.contains("container") {
            let now = task.engine.get(host.probe(), &format!("/containers/{}/json", task.args.name))?;
            done.result.insert("container", now.unwrap_or_default());
        }
        Ok(done)
    }));
    plan
}

impl Task {
    /// The container as it is, planned state included.
    pub fn container(&self, host: &Probe<'_>) -> Result<Option<Value>, Failure> {
        self.engine.find(host, Kind::Container, &self.args.name)
    }
}
