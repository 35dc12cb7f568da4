//! Roles in the order in which they run: dependencies first, none twice for nothing.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use petgraph::graph::DiGraph;

use crate::diag::Diagnostic;
use crate::model::{Map, Origin};
use crate::playbook::{Keywords, Role, RoleRef};
use crate::vars::Layer;

/// A role as one play uses it.
#[derive(Debug, Clone)]
pub struct RoleInstance {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// Its defaults.
    pub defaults: Arc<Layer>,
    /// Its vars.
    pub vars: Arc<Layer>,
    /// Names of the roles that brought it in as their dependency, outermost first.
    pub parents: Vec<String>,
    /// Whether its defaults and vars are seen by all tasks of the play.
    pub public: bool,
    /// Names of the roles that it depends on.
    pub dependencies: Vec<String>,
}

/// A role to be put into a play, with the references that led to it, outermost first.
pub(super) struct Placed<'r> {
    pub role: &'r Role,
    pub chain: Vec<&'r RoleRef>,
}

/// The roles of a play in the order of running.
///
/// # Errors
/// A cycle of dependencies, or a role that was not loaded.
pub(super) fn place<'r>(
    refs: &'r [RoleRef],
    roles: &'r HashMap<String, Arc<Role>>,
) -> Result<Vec<Placed<'r>>, Vec<Diagnostic>> {
    let cycles = find_cycles(refs, roles);
    if !cycles.is_empty() {
        return Err(cycles);
    }
    let mut placer = Placer { roles, done: Vec::new(), placed: Vec::new(), findings: Vec::new() };
    for reference in refs {
        placer.add(reference, &mut Vec::new());
    }
    if placer.findings.is_empty() { Ok(placer.placed) } else { Err(placer.findings) }
}

struct Placer<'r> {
    roles: &'r HashMap<String, Arc<Role>>,
    /// What has run already: the same role with the same parameters runs once.
    done: Vec<(&'r str, &'r Map, &'r Keywords)>,
    placed: Vec<Placed<'r>>,
    findings: Vec<Diagnostic>,
}

impl<'r> Placer<'r> {
    fn add(&mut self, reference: &'r RoleRef, chain: &mut Vec<&'r RoleRef>) {
        let Some(role) = self.roles.get(&reference.name) else {
            self.findings.push(
                Diagnostic::error(format!("the role '{}' was not found", reference.name)).at(reference.origin.clone()),
            );
            return;
        };
        let same = |(name, params, keywords): &(&str, &Map, &Keywords)| {
            *name == role.name && **params == reference.params && keywords_equal(keywords, &reference.keywords)
        };
        if !role.allow_duplicates && self.done.iter().any(same) {
            return;
        }
        self.done.push((&role.name, &reference.params, &reference.keywords));
        chain.push(reference);
        for dependency in &role.dependencies {
            self.add(dependency, chain);
        }
        self.placed.push(Placed { role, chain: chain.clone() });
        chain.pop();
    }
}

/// Whether two references mean the same: their values, wherever they stand.
fn keywords_equal(a: &Keywords, b: &Keywords) -> bool {
    let values = |k: &Keywords| k.iter().map(|(name, s)| (name, s.value.clone())).collect::<Vec<_>>();
    values(a) == values(b)
}

fn find_cycles(refs: &[RoleRef], roles: &HashMap<String, Arc<Role>>) -> Vec<Diagnostic> {
    let mut graph: DiGraph<&str, &Origin> = DiGraph::new();
    let mut nodes = HashMap::new();
    let mut todo: Vec<&RoleRef> = refs.iter().collect();
    let mut edges = Vec::new();
    while let Some(reference) = todo.pop() {
        if nodes.contains_key(reference.name.as_str()) {
            continue;
        }
        nodes.insert(reference.name.as_str(), graph.add_node(reference.name.as_str()));
        for dependency in roles.get(&reference.name).map(|r| r.dependencies.as_slice()).unwrap_or_default() {
            edges.push((reference.name.as_str(), dependency));
            todo.push(dependency);
        }
    }
    for (from, dependency) in edges {
        if let (Some(a), Some(b)) = (nodes.get(from), nodes.get(dependency.name.as_str())) {
            graph.add_edge(*a, *b, &dependency.origin);
        }
    }
    // Not tarjan_scc: it recurses, and a long chain overflows the stack.
    let components = petgraph::algo::kosaraju_scc(&graph);
    let cyclic = components.into_iter().filter(|c| c.len() > 1 || c.iter().any(|n| graph.contains_edge(*n, *n)));
    cyclic.map(|component| describe(&graph, &component)).collect()
}

fn describe(graph: &DiGraph<&str, &Origin>, component: &[petgraph::graph::NodeIndex]) -> Diagnostic {
    let mut names: Vec<&str> = component.iter().filter_map(|n| graph.node_weight(*n).copied()).collect();
    names.sort_unstable();
    let within = graph
        .edge_indices()
        .filter(|e| graph.edge_endpoints(*e).is_some_and(|(a, b)| component.contains(&a) && component.contains(&b)));
    let mut places: Vec<(Origin, String)> = within
        .filter_map(|e| {
            let (from, to) = graph.edge_endpoints(e)?;
            let words = format!("`{}` depends on `{}` here", graph.node_weight(from)?, graph.node_weight(to)?);
            Some(((*graph.edge_weight(e)?).clone(), words))
        })
        .collect();
    places.sort_by(|a, b| a.1.cmp(&b.1));
    let mut finding = Diagnostic::error(format!("roles depend on each other in a circle: {}", names.join(", ")))
        .hint("remove one of these dependencies");
    let mut places = places.into_iter();
    if let Some((origin, words)) = places.next() {
        finding = finding.at(origin).label(words);
    }
    places.fold(finding, |finding, (origin, words)| finding.related(origin, words))
}
