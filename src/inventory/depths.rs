//! Groups as a graph of parents and children.

use indexmap::IndexMap;
use petgraph::algo::{kosaraju_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::diag::Diagnostic;
use crate::model::Origin;

/// Each group's longest distance from those that have no parent. `edges` are parents and
/// children, and the line that makes them so.
///
/// # Errors
/// Groups that are each other's children.
pub(super) fn depths<'a>(
    groups: impl Iterator<Item = &'a str>,
    edges: impl Iterator<Item = (&'a str, &'a str, &'a Origin)>,
) -> Result<IndexMap<String, usize>, Vec<Diagnostic>> {
    let mut graph: DiGraph<&str, &Origin> = DiGraph::new();
    let index: IndexMap<&str, NodeIndex> = groups.map(|name| (name, graph.add_node(name))).collect();
    for (parent, child, origin) in edges {
        if let (Some(a), Some(b)) = (index.get(parent), index.get(child)) {
            graph.add_edge(*a, *b, origin);
        }
    }
    let cycles: Vec<Diagnostic> = kosaraju_scc(&graph).iter().filter_map(|members| cycle(&graph, members)).collect();
    if !cycles.is_empty() {
        return Err(cycles);
    }
    let mut depths: IndexMap<NodeIndex, usize> = IndexMap::new();
    for node in toposort(&graph, None).unwrap_or_default() {
        let depth = depths.get(&node).copied().unwrap_or(0);
        for child in graph.neighbors(node) {
            let entry = depths.entry(child).or_insert(0);
            *entry = (*entry).max(depth + 1);
        }
    }
    Ok(index.into_iter().map(|(name, node)| (name.to_owned(), depths.get(&node).copied().unwrap_or(0))).collect())
}

/// The diagnostic for groups that are each other's children: the lines that make it so.
fn cycle(graph: &DiGraph<&str, &Origin>, members: &[NodeIndex]) -> Option<Diagnostic> {
    let mut lines: Vec<(&Origin, &str, &str)> = members
        .iter()
        .flat_map(|node| graph.edges(*node))
        .filter(|edge| members.contains(&edge.target()))
        .filter_map(|edge| {
            Some((*edge.weight(), *graph.node_weight(edge.source())?, *graph.node_weight(edge.target())?))
        })
        .collect();
    lines.sort_by(|a, b| (&a.0.source.name, a.0.at).cmp(&(&b.0.source.name, b.0.at)));
    let mut lines = lines.into_iter();
    let (origin, parent, child) = lines.next()?;
    let words = |parent: &str, child: &str| format!("`{child}` is a child of `{parent}` here");
    let message = if parent == child {
        format!("the group `{parent}` is its own child")
    } else {
        let mut names: Vec<&str> = members.iter().filter_map(|n| graph.node_weight(*n).copied()).collect();
        names.sort_unstable();
        format!("the groups `{}` are children of each other", names.join("`, `"))
    };
    let first = Diagnostic::error(message).at(origin.clone()).label(words(parent, child));
    let all = lines.fold(first, |d, (origin, parent, child)| d.related(origin.clone(), words(parent, child)));
    Some(all.hint("remove one of these lines"))
}
