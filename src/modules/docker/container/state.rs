//! States of a container: gone, running, stopped, paused, healthy.

use std::sync::Arc;

use super::Task;
use super::act;
use crate::model::{Failure, Map, Value};
use crate::module::{Done, Plan, Step};
use crate::modules::docker::differs;
use crate::modules::docker::engine::{Kind, at, is_planned};
use crate::sys::Probe;

/// One difference.
pub(super) fn change(name: &str, before: impl Into<String>, after: impl Into<String>) -> (String, String, String) {
    (name.to_owned(), before.into(), after.into())
}

/// Whether a container runs.
pub(super) fn runs(container: &Value) -> bool {
    at(container, &["State", "Running"]).as_bool() == Some(true)
        && at(container, &["State", "Status"]).as_str() != Some("removing")
}

/// What a plan does after another has been made: it knows the container as it will be.
pub(super) struct Course {
    /// The steps so far.
    pub plan: Plan,
    /// The container as it will be then.
    pub state: Map,
    /// The name that the engine knows it by.
    pub name: String,
}

impl Course {
    /// Adds a step that changes the container: `after` is applied to what is known of it.
    pub fn step(
        &mut self,
        after: impl FnOnce(&mut Map),
        diff: Option<crate::model::Diff>,
        action: impl FnOnce(&mut crate::sys::Host<'_>) -> Result<Done, Failure> + 'static,
    ) {
        after(&mut self.state);
        self.state.insert("Planned", true);
        let quiet = diff.is_none();
        let step = Step::action([Kind::Container.there(&self.name, self.state.clone())], action)
            .diff(diff)
            .yields(&["container"]);
        self.plan.step(if quiet { step.quiet() } else { step });
    }

    fn subject(&self) -> String {
        format!("container {}", self.name)
    }

    fn runs(&self) -> bool {
        runs(&Value::from(self.state.clone()))
    }
}

/// `state: absent`.
pub(super) fn absent(task: &Arc<Task>, host: &Probe<'_>) -> Result<Plan, Failure> {
    let mut plan = Plan::new();
    let Some(container) = task.container(host)? else { return Ok(plan) };
    let mut changes = vec![change("exists", "true", "false")];
    if runs(&container) {
        changes.push(change("running", "true", "false"));
    }
    let known = Arc::clone(task);
    let id = act::id(&container);
    let running = runs(&container);
    plan.step(
        Step::action([Kind::Container.gone(&task.args.name)], move |host| {
            if running {
                act::stop(&known, host, &id)?;
            }
            act::remove(&known, host, &id, false)?;
            Ok(Done::default())
        })
        .diff(differs(format!("container {}", task.args.name), changes)),
    );
    Ok(plan)
}

/// Brings a container that is as it should be otherwise into its state.
pub(super) fn settle(task: &Arc<Task>, course: &mut Course, changed: bool) {
    let args = &task.args;
    let (known, name) = (Arc::clone(task), course.name.clone());
    let status = |map: &mut Map, running: bool| {
        super::wanted::put(map, &["State", "Running"], running.into());
        super::wanted::put(map, &["State", "Status"], if running { "running" } else { "exited" }.into());
    };
    match &*args.state {
        "started" | "healthy" if !course.runs() => {
            let diff = differs(course.subject(), vec![change("running", "false", "true")]);
            course.step(|map| status(map, true), Some(diff), move |host| act::start(&known, host, &name));
        }
        "started" | "healthy" if args.restart && !changed => {
            let diff = differs(course.subject(), vec![change("restarted", "no", "yes")]);
            course.step(|_| {}, Some(diff), move |host| act::restart(&known, host, &name).map(|()| Done::default()));
        }
        "stopped" if course.runs() => {
            let diff = differs(course.subject(), vec![change("running", "true", "false")]);
            course.step(
                |map| status(map, false),
                Some(diff),
                move |host| act::stop(&known, host, &name).map(|()| Done::default()),
            );
        }
        _ => {}
    }
    if ["started", "healthy"].contains(&&*args.state) {
        pause(task, course);
    }
    if args.state == "healthy" {
        wait_healthy(task, course);
    }
}

fn pause(task: &Arc<Task>, course: &mut Course) {
    let Some(wanted) = task.args.paused else { return };
    let state = Value::from(course.state.clone());
    let is = at(&state, &["State", "Paused"]).as_bool() == Some(true);
    // A process that was waited for is done.
    if is == wanted || task.args.detach == Some(false) {
        return;
    }
    let (known, name) = (Arc::clone(task), course.name.clone());
    let diff = differs(course.subject(), vec![change("paused", is.to_string(), wanted.to_string())]);
    course.step(
        |map| super::wanted::put(map, &["State", "Paused"], wanted.into()),
        Some(diff),
        move |host| act::pause(&known, host, &name, wanted).map(|()| Done::default()),
    );
}

/// Waiting is no change.
fn wait_healthy(task: &Arc<Task>, course: &mut Course) {
    let state = Value::from(course.state.clone());
    let healthy = at(&state, &["State", "Health", "Status"]).as_str() == Some("healthy");
    if healthy && course.plan.is_empty() && !is_planned(&state) {
        return;
    }
    let (known, name) = (Arc::clone(task), course.name.clone());
    course.step(
        |map| super::wanted::put(map, &["State", "Health", "Status"], "healthy".into()),
        None,
        move |host| act::wait_healthy(&known, host, &name).map(|()| Done::default()),
    );
}
