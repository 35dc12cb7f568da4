//! Barriers: tasks that all hosts must have come to before any goes on, and why.

use crate::model::{Text, Value};
use crate::playbook::Keywords;
use crate::template::{Engine, NoOutside, Reads};

use super::{CompiledPlay, CompiledTask, reads};

/// What makes a task a barrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarrierKind {
    /// `delegate_to`: it acts on a host that others may act on as well.
    Delegation,
    /// `run_once`: one host's result is that of all.
    RunOnce,
    /// `add_host`, `group_by`: it changes who the hosts are.
    Inventory,
    /// `meta`.
    Meta,
    /// `include_…`: what it brings is known only when it runs.
    Include,
    /// It reads what other hosts have come to.
    OtherHosts,
    /// `throttle`: few hosts at a time.
    Throttle,
    /// `pause`: one wait for all.
    Pause,
    /// `fetch`: it writes files of the controller, which later tasks may read.
    Fetch,
    /// Handlers that were notified run between two tasks.
    Flush,
    /// The end of a play, or of a batch of its hosts.
    Play,
}

/// A barrier, with the reason in words for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barrier {
    /// What makes it one.
    pub kind: BarrierKind,
    /// The reason, as in `runs once for all hosts`.
    pub reason: String,
}

impl Barrier {
    pub(super) fn new(kind: BarrierKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }
}

/// Variables that tell what other hosts have come to.
const OF_OTHERS: &[&str] = &["hostvars", "ansible_play_hosts", "ansible_play_batch", "play_hosts"];

/// Why a task is a barrier, as far as the task itself tells; [`TaskGraph::barrier`] knows
/// also of variables of its play and role that read other hosts' variables.
///
/// [`TaskGraph::barrier`]: super::TaskGraph::barrier
pub fn barrier(task: &CompiledTask) -> Option<Barrier> {
    of(task, || reads::direct(task, &Engine::new(std::sync::Arc::new(NoOutside))))
}

/// The same with what the task reads by the variables it uses; asked for only if need be.
pub(super) fn of(task: &CompiledTask, reads: impl FnOnce() -> Reads) -> Option<Barrier> {
    by_keyword(&task.keywords).or_else(|| by_module(task)).or_else(|| by_reads(&reads()))
}

/// Why hosts of a play wait for one another beside what its tasks say: `serial`.
pub fn play_barrier(play: &CompiledPlay) -> Option<Barrier> {
    let serial = play.keywords.value("serial").filter(|v| !v.is_null())?;
    Some(Barrier::new(BarrierKind::Play, format!("hosts in batches (serial: {})", words(serial))))
}

fn by_keyword(keywords: &Keywords) -> Option<Barrier> {
    let set = |name: &str| keywords.value(name).filter(|v| !v.is_null() && v.as_str() != Some(""));
    if let Some(host) = set("delegate_to") {
        return Some(Barrier::new(BarrierKind::Delegation, format!("delegated to {}", words(host))));
    }
    // A template may come out either way.
    if set("run_once").is_some_and(|v| crate::module::to_bool(v).unwrap_or(true)) {
        return Some(Barrier::new(BarrierKind::RunOnce, "runs once for all hosts"));
    }
    let throttle = set("throttle").filter(|v| v.as_str().map_or_else(|| v.as_int() != Some(0), |s| s.trim() != "0"))?;
    Some(Barrier::new(BarrierKind::Throttle, format!("at most {} hosts at a time", words(throttle))))
}

fn by_module(task: &CompiledTask) -> Option<Barrier> {
    let name = task.action.module.name;
    let (kind, reason) = match name {
        "add_host" | "group_by" => (BarrierKind::Inventory, format!("changes the inventory ({name})")),
        "meta" => {
            let what = task.action.args.values().next().map(words).unwrap_or_default();
            (BarrierKind::Meta, format!("meta: {what}"))
        }
        "include_tasks" | "include_role" => {
            (BarrierKind::Include, format!("its tasks are known only when it runs ({name})"))
        }
        "fetch" => (BarrierKind::Fetch, "writes files of the controller (fetch)".to_owned()),
        "pause" => (BarrierKind::Pause, "waits once for all hosts (pause)".to_owned()),
        _ => return None,
    };
    Some(Barrier::new(kind, reason))
}

fn by_reads(reads: &Reads) -> Option<Barrier> {
    let name = OF_OTHERS.iter().find(|name| reads.names.contains(**name))?;
    let what = if *name == "hostvars" { "variables of other hosts" } else { "which hosts are left" };
    Some(Barrier::new(BarrierKind::OtherHosts, format!("reads {what} ({name})")))
}

/// A setting in words.
fn words(value: &Value) -> String {
    match value {
        Value::Str(text) => shown(text),
        Value::Int(i) => i.to_string(),
        Value::Float(f) => f.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::List(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        _ => "…".to_owned(),
    }
}

fn shown(text: &Text) -> String {
    if text.is_secret() { crate::model::MASK.to_owned() } else { text.as_str().to_owned() }
}
