//! From playbooks to plays that can be run: roles put in their places, keywords
//! inherited, blocks flattened, and the task graph.
//!
//! A play's tasks become one list in static order. Each task knows the blocks it stands
//! in, and in which of their sections; who runs what after a failure follows from that.

mod barrier;
mod cluster;
mod defaults;
mod graph;
mod include;
mod inherit;
mod play;
mod reads;
mod reserved;
mod roles;
mod tags;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

pub use barrier::{Barrier, BarrierKind, barrier, play_barrier};
pub use cluster::{Cluster, ClusterKind};
pub use defaults::module_defaults;
pub use graph::{Edge, EdgeKind, TaskGraph};
pub use include::{Course, IncludeAt, Included, Includes, What, applied, include};
pub use inherit::{Inherited, texts};
pub use play::{LoadedPlay, compile, handler_names, handler_names_as, handler_not_found};
pub use reads::{Sets, is_fact, sets};
pub use reserved::Reserved;
pub use roles::{AskedFor, RoleInstance};
pub use tags::TagFilter;

use crate::model::{Origin, Text, Value};
use crate::playbook::{Action, Keywords, LoopSpec};
use crate::template::Engine;
use crate::vars::Layer;

/// A block's number within its play.
pub type BlockId = usize;

/// The section of a block that a task stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// `block`.
    Main,
    /// `rescue`.
    Rescue,
    /// `always`.
    Always,
}

impl Section {
    /// The word for it, where it is not the block itself.
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Main => None,
            Self::Rescue => Some("rescue"),
            Self::Always => Some("always"),
        }
    }
}

/// The blocks around a task, outermost first.
pub type BlockPath = Vec<(BlockId, Section)>;

/// A task or handler, ready to be run on hosts.
#[derive(Debug, Clone)]
pub struct CompiledTask {
    /// Its number: tasks of a play from 0 in static order, then its handlers.
    pub id: usize,
    /// Its name as written.
    pub name: Option<Text>,
    /// Where it stands.
    pub origin: Origin,
    /// The role it belongs to: an index into [`CompiledPlay::roles`].
    pub role: Option<usize>,
    /// The module and its arguments.
    pub action: Action,
    /// Over what it loops.
    pub looped: Option<LoopSpec>,
    /// Its keywords, inherited ones included.
    pub keywords: Keywords,
    /// Conditions, outermost first.
    pub when: Vec<Value>,
    /// `environment`, outermost first: later ones win.
    pub environment: Vec<Value>,
    /// `module_defaults`, outermost first.
    pub module_defaults: Vec<Value>,
    /// It is the play's own gathering of facts.
    pub gathers: bool,
    /// Its tags and those it inherits.
    pub tags: BTreeSet<String>,
    /// Variables that come with it, outermost first: later ones win.
    pub vars: Vec<Arc<Layer>>,
    /// Handlers it notifies.
    pub notify: Vec<Text>,
    /// The blocks around it.
    pub path: BlockPath,
    /// The cluster it stands in: an index into [`CompiledPlay::clusters`].
    pub cluster: Option<usize>,
    /// What stands around it, for the tasks that an `include_…` brings in.
    pub inside: Option<Arc<Inherited>>,
    /// Variables that rplay itself provides for it, made when they are first asked for.
    pub magic: OnceLock<Arc<Layer>>,
}

impl CompiledTask {
    /// Its name, or its module's.
    pub fn title(&self) -> Text {
        self.name.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| Text::new(self.action.name.as_str()))
    }
}

/// What a play does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The task with this index.
    Task(usize),
    /// Handlers that were notified run.
    Flush,
}

/// A play, ready to be run.
#[derive(Debug, Clone)]
pub struct CompiledPlay {
    /// Where it starts.
    pub origin: Origin,
    /// Its name, or its hosts.
    pub title: Text,
    /// Patterns of its hosts.
    pub hosts: Vec<Text>,
    /// Its keywords.
    pub keywords: Keywords,
    /// The directory of its playbook.
    pub playbook_dir: PathBuf,
    /// `vars`, those given by imports first.
    pub vars: Vec<Arc<Layer>>,
    /// Which of the playbooks given it came from.
    pub playbook: usize,
    /// Its tags, those of imports included.
    pub tags: BTreeSet<String>,
    /// Names under `roles:`, as written.
    pub role_names: Vec<String>,
    /// Its roles, each as often as it is used.
    pub roles: Vec<RoleInstance>,
    /// Its tasks in static order.
    pub tasks: Vec<Arc<CompiledTask>>,
    /// Its handlers in order of definition.
    pub handlers: Vec<Arc<CompiledTask>>,
    /// Tasks and flushes in order.
    pub stages: Vec<Stage>,
    /// Whether each block has a rescue section, by [`BlockId`].
    pub rescued: Vec<bool>,
    /// Its roles, blocks and includes, each after the one that it stands in.
    pub clusters: Vec<Cluster>,
    /// What depends on what.
    pub graph: TaskGraph,
}

impl CompiledPlay {
    /// Keeps only some of its tasks; they get new numbers, and the graph is built anew.
    pub fn retain(&mut self, keep: impl Fn(&CompiledTask) -> bool, engine: &Engine) {
        let kept: Vec<usize> = self.tasks.iter().filter(|task| keep(task)).map(|task| task.id).collect();
        let new = |old: &usize| kept.binary_search(old).ok();
        self.tasks.retain(|task| new(&task.id).is_some());
        self.stages = self
            .stages
            .iter()
            .filter_map(|stage| match stage {
                Stage::Task(old) => new(old).map(Stage::Task),
                Stage::Flush => Some(Stage::Flush),
            })
            .collect();
        self.number();
        self.graph = TaskGraph::build(self, engine);
    }

    /// Numbers tasks, then handlers.
    fn number(&mut self) {
        let all = self.tasks.iter_mut().chain(&mut self.handlers);
        all.enumerate().for_each(|(id, task)| Arc::make_mut(task).id = id);
    }
}
