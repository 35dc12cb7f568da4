//! Roles in the order in which they run: dependencies first, none twice for nothing.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use petgraph::graph::DiGraph;

use crate::diag::Diagnostic;
use crate::model::{Map, Origin, Value};
use crate::playbook::{Role, RoleFrom, RoleRef, collection_of};
use crate::vars::{Layer, Level};

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
    /// What a statement asks for (`import_role`, `include_role`); nothing for a role of a list of roles.
    pub asked_for: Option<Arc<AskedFor>>,
    /// Whether it is passed over on hosts where the same has been asked for and has run already.
    pub once: bool,
    /// Names of the roles that it depends on.
    pub dependencies: Vec<String>,
    /// What it is the same as, however often it is listed: it runs once. Nothing for a role
    /// that a statement brings, and for one that may run twice.
    pub(super) identity: Option<Arc<Identity>>,
    /// The first instance of the same; itself, where it is that one.
    pub same: Option<usize>,
    /// Defaults and vars of the roles that brought it, and of those that it depends on.
    pub around: Vec<Arc<Layer>>,
    /// The roles that it was included or imported by, the innermost first.
    pub included_by: Vec<(String, PathBuf)>,
}

impl RoleInstance {
    /// Its name without that of its collection.
    pub fn short_name(&self) -> &str {
        let collection = self.collection();
        let short = collection.and_then(|c| self.name.strip_prefix(&c)?.strip_prefix('.').map(str::to_owned));
        short.map_or(self.name.as_str(), |short| self.name.get(self.name.len() - short.len()..).unwrap_or_default())
    }

    /// Its collection.
    pub fn collection(&self) -> Option<String> {
        collection_of(&self.path).filter(|c| self.name.starts_with(c.as_str()))
    }
}

/// What makes two statements ask for the same.
#[derive(Debug, Clone, PartialEq)]
pub struct AskedFor {
    /// The role's folder.
    pub path: PathBuf,
    /// Which of its files are read.
    pub from: RoleFrom,
    /// The variables that it is given, those of a loop among them.
    pub vars: Map,
}

/// What makes two references mean the same role.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Identity {
    path: PathBuf,
    params: Map,
    keywords: Vec<(&'static str, Value)>,
}

/// A role to be put into a play, with the references that led to it, outermost first.
pub(super) struct Placed<'r> {
    pub role: &'r Role,
    pub chain: Vec<&'r RoleRef>,
}

impl Placed<'_> {
    /// What it is the same as.
    pub fn identity(&self) -> Option<Arc<Identity>> {
        let reference = self.chain.last().filter(|_| !self.role.allow_duplicates)?;
        let keywords = reference.keywords.iter().map(|(name, s)| (name, s.value.clone())).collect();
        Some(Arc::new(Identity { path: self.role.path.clone(), params: reference.params.clone(), keywords }))
    }

    /// Defaults and vars of the roles that depend on it, outermost first, and of those that it
    /// depends on.
    pub fn around(&self, roles: &HashMap<String, Arc<Role>>) -> Vec<Arc<Layer>> {
        let parents = self.chain.iter().rev().skip(1).rev().filter_map(|r| roles.get(&r.name).map(|role| &**role));
        let mut beneath = Vec::new();
        beneath_of(self.role, roles, &mut HashSet::new(), &mut beneath);
        let (parents, beneath): (Vec<&Role>, Vec<&Role>) = (parents.collect(), beneath);
        let defaults = beneath.iter().chain(&parents).map(|role| layer(role, Level::RoleDefaults));
        let vars = parents.iter().chain(&beneath).map(|role| layer(role, Level::Role));
        defaults.chain(vars).filter(|layer| !layer.vars.is_empty()).collect()
    }
}

/// A role's defaults or vars.
pub(super) fn layer(role: &Role, level: Level) -> Arc<Layer> {
    let (folder, vars) = if level == Level::RoleDefaults { ("defaults", &role.defaults) } else { ("vars", &role.vars) };
    Layer::new(level, format!("{folder} of role {}", role.name), Arc::clone(vars))
}

/// The roles that a role depends on, those that they depend on before them.
fn beneath_of<'r>(
    role: &'r Role,
    roles: &'r HashMap<String, Arc<Role>>,
    seen: &mut HashSet<&'r str>,
    found: &mut Vec<&'r Role>,
) {
    for reference in &role.dependencies {
        if let Some(dependency) = roles.get(&reference.name).filter(|_| seen.insert(&reference.name)) {
            beneath_of(dependency, roles, seen, found);
            found.push(dependency);
        }
    }
}

/// The roles of a play in the order of running. `sure` says that what stands before a role
/// runs on each host, so that the same role need not be listed again.
///
/// # Errors
/// A cycle of dependencies, or a role that was not loaded.
pub(super) fn place<'r>(
    refs: &'r [RoleRef],
    roles: &'r HashMap<String, Arc<Role>>,
    sure: bool,
) -> Result<Vec<Placed<'r>>, Vec<Diagnostic>> {
    let cycles = find_cycles(refs, roles);
    if !cycles.is_empty() {
        return Err(cycles);
    }
    let mut placer = Placer { roles, sure, done: Vec::new(), placed: Vec::new(), findings: Vec::new() };
    for reference in refs {
        placer.add(reference, &mut Vec::new());
    }
    if placer.findings.is_empty() { Ok(placer.placed) } else { Err(placer.findings) }
}

struct Placer<'r> {
    roles: &'r HashMap<String, Arc<Role>>,
    sure: bool,
    /// What has certainly run already: the same role with the same parameters runs once.
    done: Vec<Arc<Identity>>,
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
        chain.push(reference);
        let placed = Placed { role, chain: chain.clone() };
        let identity = placed.identity();
        if identity.as_ref().is_some_and(|identity| self.done.contains(identity)) {
            chain.pop();
            return;
        }
        // Under a condition, or with tags, it may turn out that it has not run.
        let unsure = |r: &&RoleRef| ["when", "tags"].iter().any(|name| r.keywords.get(name).is_some());
        if self.sure && !chain.iter().any(unsure) {
            self.done.extend(identity);
        }
        for dependency in &role.dependencies {
            self.add(dependency, chain);
        }
        self.placed.push(placed);
        chain.pop();
    }
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
