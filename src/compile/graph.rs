//! The task graph: what comes before what, and why.

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

/// Why one task comes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// It is written before it.
    Order,
    /// It notifies it.
    Notify,
    /// The other's role depends on its role.
    RoleDependency,
}

/// A play's tasks and handlers (by their ids) with typed edges.
#[derive(Debug, Default, Clone)]
pub struct TaskGraph {
    graph: DiGraph<usize, Edge>,
}

impl TaskGraph {
    /// Adds a task; ids are given in sequence.
    pub(super) fn add(&mut self, id: usize) {
        self.graph.add_node(id);
    }

    /// Says that `from` comes before `to`.
    pub(super) fn connect(&mut self, from: usize, to: usize, edge: Edge) {
        self.graph.update_edge(NodeIndex::new(from), NodeIndex::new(to), edge);
    }

    /// The ids in an order that all edges agree with; nothing when they do not agree.
    pub fn order(&self) -> Option<Vec<usize>> {
        let sorted = petgraph::algo::toposort(&self.graph, None).ok()?;
        Some(sorted.into_iter().filter_map(|n| self.graph.node_weight(n).copied()).collect())
    }

    /// What a task leads to by edges of one kind.
    pub fn after(&self, id: usize, edge: Edge) -> Vec<usize> {
        self.graph
            .edges_directed(NodeIndex::new(id), Direction::Outgoing)
            .filter(|e| *e.weight() == edge)
            .filter_map(|e| self.graph.node_weight(e.target()).copied())
            .collect()
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
