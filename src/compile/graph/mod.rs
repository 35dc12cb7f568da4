//! The task graph: what comes before what, and why.
//!
//! It is built by passes, one for each kind of edge and each in a file of its own.

mod barriers;
mod data;
mod notify;
mod order;
mod roles;
#[cfg(test)]
mod tests;

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{EdgeFiltered, EdgeRef};

use super::{Barrier, CompiledPlay, CompiledTask, reads};
use crate::template::{Engine, Reads};

/// Why one task comes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// It is written before it.
    Order,
    /// It sets a variable that the other reads.
    Data,
    /// It notifies it.
    Notify,
    /// The other's role depends on its role.
    RoleDependency,
    /// No host comes to the other before all hosts are done with it.
    Barrier,
}

/// An edge: `from` comes before `to`, both ids of tasks or handlers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// What comes first.
    pub from: usize,
    /// What comes after it.
    pub to: usize,
    /// Why.
    pub kind: EdgeKind,
    /// In words: variables (`*` where they cannot be told), a handler's names, the
    /// dependency, a barrier's reasons. Order needs none.
    pub labels: Vec<String>,
}

#[derive(Debug, Clone)]
struct Tie {
    kind: EdgeKind,
    labels: Vec<String>,
}

/// A play's tasks and handlers (by their ids) with typed edges; between two tasks there is
/// at most one of a kind.
#[derive(Debug, Default, Clone)]
pub struct TaskGraph {
    /// A node's index is its task's id.
    graph: DiGraph<Option<Barrier>, Tie>,
    /// Nodes from here on are handlers.
    handlers: usize,
}

/// What the passes see: the play, and what each of its tasks reads, by id.
struct Context<'a> {
    play: &'a CompiledPlay,
    reads: Vec<Reads>,
}

impl Context<'_> {
    /// Tasks, then handlers: in the order of their ids.
    fn all(&self) -> impl Iterator<Item = (usize, &CompiledTask)> {
        self.play.tasks.iter().chain(&self.play.handlers).map(|task| &**task).enumerate()
    }

    fn reads(&self, id: usize) -> Reads {
        self.reads.get(id).cloned().unwrap_or_default()
    }
}

impl TaskGraph {
    /// The graph of a play's tasks and handlers as they stand in their lists.
    pub(super) fn build(play: &CompiledPlay, engine: &Engine) -> Self {
        let all = play.tasks.iter().chain(&play.handlers);
        let context = Context { play, reads: all.map(|task| reads::of_task(play, task, engine)).collect() };
        let mut graph = Self { graph: DiGraph::new(), handlers: play.tasks.len() };
        for (id, task) in context.all() {
            graph.graph.add_node(super::barrier::of(task, || context.reads(id)));
        }
        let passes = [order::connect, data::connect, notify::connect, roles::connect, barriers::connect];
        passes.iter().for_each(|pass| pass(&context, &mut graph));
        graph
    }

    /// Says that `from` comes before `to`; a second edge of a kind adds its label to the first.
    fn connect(&mut self, from: usize, to: usize, kind: EdgeKind, label: Option<String>) {
        let (from, to) = (NodeIndex::new(from), NodeIndex::new(to));
        let known = self.graph.edges_connecting(from, to).find(|e| e.weight().kind == kind).map(|e| e.id());
        let Some(tie) = known.and_then(|edge| self.graph.edge_weight_mut(edge)) else {
            self.graph.add_edge(from, to, Tie { kind, labels: label.into_iter().collect() });
            return;
        };
        tie.labels.extend(label.filter(|label| !tie.labels.contains(label)));
    }

    /// The ids in an order that all edges agree with; nothing when they do not agree. That a
    /// handler notifies another one says nothing of their order, which is that of definition.
    pub fn order(&self) -> Option<Vec<usize>> {
        let ordering = EdgeFiltered::from_fn(&self.graph, |e| {
            e.weight().kind != EdgeKind::Notify || e.source().index() < self.handlers
        });
        let sorted = petgraph::algo::toposort(&ordering, None).ok()?;
        Some(sorted.into_iter().map(NodeIndex::index).collect())
    }

    /// What a task leads to by edges of one kind, in the order of ids.
    pub fn after(&self, id: usize, kind: EdgeKind) -> Vec<usize> {
        self.along(id, kind, Direction::Outgoing)
    }

    /// What leads to a task by edges of one kind, in the order of ids.
    pub fn before(&self, id: usize, kind: EdgeKind) -> Vec<usize> {
        self.along(id, kind, Direction::Incoming)
    }

    fn along(&self, id: usize, kind: EdgeKind, direction: Direction) -> Vec<usize> {
        let edges = self.graph.edges_directed(NodeIndex::new(id), direction).filter(|e| e.weight().kind == kind);
        let mut ids: Vec<usize> = edges
            .map(|e| if direction == Direction::Outgoing { e.target().index() } else { e.source().index() })
            .collect();
        ids.sort_unstable();
        ids
    }

    /// Why a task or handler is a barrier, if it is one.
    pub fn barrier(&self, id: usize) -> Option<&Barrier> {
        self.graph.node_weight(NodeIndex::new(id))?.as_ref()
    }

    /// All edges, sorted by their ends and kinds.
    pub fn edges(&self) -> Vec<Edge> {
        let edge = |e: petgraph::graph::EdgeReference<'_, Tie>| Edge {
            from: e.source().index(),
            to: e.target().index(),
            kind: e.weight().kind,
            labels: e.weight().labels.clone(),
        };
        let mut edges: Vec<Edge> = self.graph.edge_references().map(edge).collect();
        edges.sort_by_key(|e| (e.from, e.to, e.kind));
        edges
    }

    /// Number of tasks and handlers.
    pub fn len(&self) -> usize {
        self.graph.node_count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.graph.node_count() == 0
    }
}
