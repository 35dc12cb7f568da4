//! Task graphs as pictures and data: DOT, Mermaid, SVG, JSON. All from one plain model.

mod dot;
mod layout;
mod mermaid;
mod svg;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use serde::Serialize;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

/// What a cluster is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterKind {
    /// A play.
    Play,
    /// A role.
    Role,
    /// A block.
    Block,
    /// A block's `rescue` or `always`.
    Section,
    /// Tasks of another file.
    Include,
    /// A play's handlers.
    Handlers,
}

impl ClusterKind {
    /// What stands before its title.
    const fn label(self) -> &'static str {
        match self {
            Self::Play => "play: ",
            Self::Role => "role: ",
            Self::Block => "block: ",
            Self::Include => "include: ",
            Self::Section | Self::Handlers => "",
        }
    }
}

/// A box around tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cluster {
    /// Letters and digits, the same for the same playbooks.
    pub id: String,
    /// What it is.
    pub kind: ClusterKind,
    /// Its name.
    pub title: String,
    /// The id of the cluster around it; none for a play.
    pub parent: Option<String>,
    /// Why hosts do not go through it together, for a play in batches.
    pub note: Option<String>,
    /// Where it is written: file, line, column.
    pub at: Place,
}

/// Where something is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A task.
    Task,
    /// A handler.
    Handler,
}

/// A task or handler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Letters and digits, the same for the same playbooks.
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// Its name, or its module's.
    pub title: String,
    /// Its module, as written.
    pub module: String,
    /// The id of the cluster that it stands in.
    pub cluster: String,
    /// Why it is a barrier, if it is one.
    pub barrier: Option<String>,
    /// Where it is written.
    pub at: Place,
}

/// Why one node comes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// It is written before it.
    Order,
    /// It sets a variable that the other reads.
    Data,
    /// It notifies it.
    Notify,
    /// The other's role depends on its role.
    RoleDependency,
    /// All hosts wait between the two.
    Barrier,
}

impl EdgeKind {
    /// All kinds, in the order of the legend.
    const ALL: [Self; 5] = [Self::Order, Self::Data, Self::Notify, Self::RoleDependency, Self::Barrier];

    /// The kind in words.
    const fn words(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Data => "data",
            Self::Notify => "notify",
            Self::RoleDependency => "role dependency",
            Self::Barrier => "barrier",
        }
    }

    /// Its colour.
    const fn colour(self) -> &'static str {
        match self {
            Self::Order => "#57606a",
            Self::Data => "#0969da",
            Self::Notify => "#1a7f37",
            Self::RoleDependency => "#8250df",
            Self::Barrier => "#cf222e",
        }
    }
}

/// An edge between two nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// Id of the node that comes first.
    pub from: String,
    /// Id of the node that comes after it.
    pub to: String,
    /// Why.
    pub kind: EdgeKind,
    /// Variables, handlers' names, a role, or a barrier's reasons.
    pub labels: Vec<String>,
}

/// Plays as a graph: nodes stand in the order of running, clusters after those around them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// Plays, roles, blocks.
    pub clusters: Vec<Cluster>,
    /// Tasks and handlers.
    pub nodes: Vec<Node>,
    /// What comes before what.
    pub edges: Vec<Edge>,
}

impl Graph {
    /// The edges that are drawn: where hosts wait between two tasks, that they are in order
    /// goes without saying.
    fn drawn(&self) -> impl Iterator<Item = &Edge> {
        let barriers = self.edges.iter().filter(|e| e.kind == EdgeKind::Barrier);
        let waits: HashSet<(&str, &str)> = barriers.map(|e| (e.from.as_str(), e.to.as_str())).collect();
        self.edges.iter().filter(move |e| e.kind != EdgeKind::Order || !waits.contains(&(&e.from, &e.to)))
    }
}

/// A node, or a cluster with all that it holds.
enum Part<'a> {
    Node(&'a Node),
    Cluster(&'a Cluster),
}

/// What stands in what; clusters without nodes are left out, but for plays.
struct Tree<'a> {
    plays: Vec<&'a Cluster>,
    parts: HashMap<&'a str, Vec<Part<'a>>>,
}

impl<'a> Tree<'a> {
    fn new(graph: &'a Graph) -> Self {
        let clusters: HashMap<&str, &Cluster> = graph.clusters.iter().map(|c| (c.id.as_str(), c)).collect();
        let mut parts: HashMap<&str, Vec<Part<'_>>> = HashMap::new();
        let mut placed: HashSet<&str> = HashSet::new();
        for node in &graph.nodes {
            parts.entry(&node.cluster).or_default().push(Part::Node(node));
            let mut at = clusters.get(node.cluster.as_str());
            while let Some(cluster) = at {
                let Some(parent) = cluster.parent.as_deref().filter(|_| placed.insert(&cluster.id)) else { break };
                parts.entry(parent).or_default().push(Part::Cluster(cluster));
                at = clusters.get(parent);
            }
        }
        Self { plays: graph.clusters.iter().filter(|c| c.parent.is_none()).collect(), parts }
    }

    /// What a cluster holds, in the order of running.
    fn parts(&self, cluster: &Cluster) -> &[Part<'a>] {
        self.parts.get(cluster.id.as_str()).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The graph as JSON: an object with `clusters`, `nodes` and `edges`, fields as in the types
/// here, and the `version` of that form.
pub fn json(graph: &Graph) -> String {
    #[derive(Serialize)]
    struct Form<'a> {
        version: u32,
        #[serde(flatten)]
        graph: &'a Graph,
    }
    // A struct of strings and numbers: writing it cannot fail.
    serde_json::to_string_pretty(&Form { version: 1, graph }).unwrap_or_default() + "\n"
}

/// A cluster's heading: what it is, its name, why its hosts do not go together.
fn heading(cluster: &Cluster) -> String {
    let note = cluster.note.as_ref().map(|note| format!(" [{note}]")).unwrap_or_default();
    format!("{}{}{note}", cluster.kind.label(), cluster.title)
}

/// What a label of an edge says; barriers say it at their node.
fn edge_label(edge: &Edge) -> String {
    match edge.kind {
        EdgeKind::Order | EdgeKind::Barrier => String::new(),
        _ => edge.labels.join(", "),
    }
}
