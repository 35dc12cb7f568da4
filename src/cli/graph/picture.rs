//! From compiled plays to the plain model that reports draw.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::compile::{ClusterKind as CompiledKind, EdgeKind as CompiledEdge};
use crate::compile::{CompiledPlay, CompiledTask, play_barrier};
use crate::model::{MASK, Origin, Text};
use crate::report::graph::{Cluster, ClusterKind, Edge, EdgeKind, Graph, Node, NodeKind, Place};
use crate::schedule::{Context, title};

/// Why hosts wait between two plays.
const NEXT_PLAY: &str = "a play begins when all hosts are done with the one before";

/// The graph of plays with their numbers, which their ids are made of.
pub fn graph(context: &Context, plays: &[(usize, Arc<CompiledPlay>)]) -> Graph {
    let mut graph = Graph::default();
    let mut before: Option<String> = None;
    for (number, play) in plays {
        clusters(context, *number, play, &mut graph);
        let id = |task: usize| node_id(*number, play, task);
        for task in play.tasks.iter().chain(&play.handlers) {
            graph.nodes.push(node(*number, play, task));
        }
        // From play to play.
        if let (Some(from), Some(_)) = (&before, play.tasks.first()) {
            let labels = vec![NEXT_PLAY.to_owned()];
            graph.edges.push(Edge { from: from.clone(), to: id(0), kind: EdgeKind::Barrier, labels });
        }
        before = play.tasks.last().map(|task| id(task.id)).or(before);
        graph.edges.extend(play.graph.edges().into_iter().map(|edge| Edge {
            from: id(edge.from),
            to: id(edge.to),
            kind: edge_kind(edge.kind),
            labels: edge.labels,
        }));
    }
    graph
}

fn clusters(context: &Context, number: usize, play: &CompiledPlay, graph: &mut Graph) {
    graph.clusters.push(Cluster {
        id: format!("p{number}"),
        kind: ClusterKind::Play,
        title: if play.title.is_secret() { MASK.to_owned() } else { title(context, play) },
        parent: None,
        note: play_barrier(play).map(|barrier| barrier.reason),
        at: place(&play.origin),
    });
    // Of some, tags have left nothing.
    let mut used = BTreeSet::new();
    for task in play.tasks.iter().chain(&play.handlers) {
        let mut at = task.cluster;
        while let Some(index) = at.filter(|index| used.insert(*index)) {
            at = play.clusters.get(index).and_then(|cluster| cluster.parent);
        }
    }
    let used = play.clusters.iter().enumerate().filter(|(index, _)| used.contains(index));
    graph.clusters.extend(used.map(|(index, cluster)| Cluster {
        id: cluster_id(number, Some(index)),
        kind: cluster_kind(cluster.kind),
        title: shown(&cluster.title),
        parent: Some(cluster_id(number, cluster.parent)),
        note: None,
        at: place(&cluster.origin),
    }));
}

fn node(number: usize, play: &CompiledPlay, task: &CompiledTask) -> Node {
    let is_handler = task.id >= play.tasks.len();
    // Handlers of all roles stand in one box.
    let role = task.role.filter(|_| is_handler).and_then(|role| play.roles.get(role));
    let role = role.map(|role| format!("{} : ", role.name)).unwrap_or_default();
    Node {
        id: node_id(number, play, task.id),
        kind: if is_handler { NodeKind::Handler } else { NodeKind::Task },
        title: format!("{role}{}", shown(&task.title())),
        module: task.action.name.clone(),
        cluster: cluster_id(number, task.cluster),
        barrier: play.graph.barrier(task.id).map(|barrier| barrier.reason.clone()),
        at: place(&task.origin),
    }
}

fn node_id(number: usize, play: &CompiledPlay, task: usize) -> String {
    match task.checked_sub(play.tasks.len()) {
        None => format!("p{number}t{}", task + 1),
        Some(handler) => format!("p{number}h{}", handler + 1),
    }
}

fn cluster_id(number: usize, cluster: Option<usize>) -> String {
    cluster.map_or_else(|| format!("p{number}"), |index| format!("p{number}c{}", index + 1))
}

/// A name as written; a secret one is masked.
fn shown(text: &Text) -> String {
    if text.is_secret() { MASK.to_owned() } else { text.as_str().to_owned() }
}

/// A place; a file below the current directory is named from there, the same on all machines.
fn place(origin: &Origin) -> Place {
    let file = Path::new(&origin.source.name);
    let below = std::env::current_dir().ok().and_then(|dir| file.strip_prefix(dir).ok());
    Place { file: below.unwrap_or(file).to_string_lossy().into_owned(), line: origin.at.line, column: origin.at.column }
}

const fn cluster_kind(kind: CompiledKind) -> ClusterKind {
    match kind {
        CompiledKind::Role => ClusterKind::Role,
        CompiledKind::Block => ClusterKind::Block,
        CompiledKind::Section => ClusterKind::Section,
        CompiledKind::Include => ClusterKind::Include,
        CompiledKind::Handlers => ClusterKind::Handlers,
    }
}

const fn edge_kind(kind: CompiledEdge) -> EdgeKind {
    match kind {
        CompiledEdge::Order => EdgeKind::Order,
        CompiledEdge::Data => EdgeKind::Data,
        CompiledEdge::Notify => EdgeKind::Notify,
        CompiledEdge::RoleDependency => EdgeKind::RoleDependency,
        CompiledEdge::Barrier => EdgeKind::Barrier,
    }
}
