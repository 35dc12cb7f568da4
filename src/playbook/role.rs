//! Roles: references to them, and what their folders hold.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::keywords::{Keywords, Place};
use super::parse::Findings;
use super::task::Item;
use crate::diag::Diagnostic;
use crate::model::{Map, Origin, Vars};
use crate::yaml::{Node, NodeKind};

/// An entry of `roles:` or of a role's `dependencies:`.
#[derive(Debug, Clone)]
pub struct RoleRef {
    /// The role's name or path.
    pub name: String,
    /// Where it stands.
    pub origin: Origin,
    /// `when`, `tags`, `become`, `vars`, …
    pub keywords: Keywords,
    /// All other keys: role parameters.
    pub params: Map,
}

/// A role with all that its folders hold.
#[derive(Debug, Clone)]
pub struct Role {
    /// The name it was asked for by.
    pub name: String,
    /// Its folder.
    pub path: std::path::PathBuf,
    /// `tasks/main.yml`.
    pub tasks: Vec<Item>,
    /// `handlers/main.yml`.
    pub handlers: Vec<Item>,
    /// `defaults/main.yml`.
    pub defaults: Arc<Vars>,
    /// `vars/main.yml`.
    pub vars: Arc<Vars>,
    /// `dependencies` of `meta/main.yml`.
    pub dependencies: Vec<RoleRef>,
    /// `allow_duplicates` of `meta/main.yml`.
    pub allow_duplicates: bool,
}

/// What `meta/main.yml` says.
#[derive(Debug, Default)]
pub struct Meta {
    /// `dependencies`.
    pub dependencies: Vec<RoleRef>,
    /// `allow_duplicates`.
    pub allow_duplicates: bool,
    /// `collections`.
    pub collections: Vec<String>,
}

/// The collection that a path is in: `ns.name` of `…/ansible_collections/ns/name/…`.
pub fn collection_of(path: &std::path::Path) -> Option<String> {
    let mut parts = path.components().map(|part| part.as_os_str().to_string_lossy());
    parts.find(|part| part == "ansible_collections")?;
    Some(format!("{}.{}", parts.next()?, parts.next()?))
}

/// Which files of a role are read instead of `main`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoleFrom {
    /// Below `tasks/`.
    pub tasks: String,
    /// Below `handlers/`.
    pub handlers: String,
    /// Below `defaults/`.
    pub defaults: String,
    /// Below `vars/`.
    pub vars: String,
    /// Whether arguments are checked against the role's specification.
    pub validate: bool,
}

impl Default for RoleFrom {
    fn default() -> Self {
        let main = || "main".to_owned();
        Self { tasks: main(), handlers: main(), defaults: main(), vars: main(), validate: true }
    }
}

impl RoleFrom {
    /// The argument for each, and its place.
    pub fn places(&mut self) -> [(&'static str, &mut String); 4] {
        [
            ("tasks_from", &mut self.tasks),
            ("handlers_from", &mut self.handlers),
            ("defaults_from", &mut self.defaults),
            ("vars_from", &mut self.vars),
        ]
    }
}

/// A role that stands among tasks (`import_role`, `include_role`).
#[derive(Debug, Clone)]
pub struct RoleImport {
    /// The statement: the name, and keywords for all tasks of the role.
    pub reference: RoleRef,
    /// The role.
    pub role: Arc<Role>,
    /// Those that it depends on, by name.
    pub roles: HashMap<String, Arc<Role>>,
    /// Whether its defaults and vars are seen by what comes after it.
    pub public: bool,
    /// Which of its files are read.
    pub from: RoleFrom,
    /// Not on hosts where the same has run already (`allow_duplicates: false`).
    pub once: bool,
}

/// The parsed main files of a role, as they were found.
#[derive(Debug, Default)]
pub struct RoleFiles {
    /// By folder: `tasks`, `handlers`, `meta`.
    pub documents: BTreeMap<&'static str, Node>,
}

impl RoleRef {
    /// Reads a list of references.
    pub fn parse_list(node: &Node, findings: &mut Findings) -> Vec<Self> {
        findings
            .list(node, "A malformed role declaration was encountered")
            .iter()
            .filter_map(|item| Self::parse(item, findings))
            .collect()
    }

    fn parse(node: &Node, findings: &mut Findings) -> Option<Self> {
        match &node.kind {
            NodeKind::Str(text) if text.text.contains(',') => {
                findings.push(
                    Diagnostic::error(format!("Invalid old style role requirement: {}", text.text))
                        .at(node.origin.clone())
                        .hint("an entry of the list is one role"),
                );
                None
            }
            NodeKind::Str(text) => Some(Self {
                name: text.text.to_string(),
                origin: node.origin.clone(),
                keywords: Keywords::default(),
                params: Map::new(),
            }),
            NodeKind::Map(entries) => Self::parse_map(node, entries, findings),
            _ => {
                findings.push(
                    Diagnostic::error(format!("a role is a name or a mapping, this is {}", node.describe()))
                        .at(node.origin.clone()),
                );
                None
            }
        }
    }

    fn parse_map(node: &Node, entries: &[(Node, Node)], findings: &mut Findings) -> Option<Self> {
        let named = node.get("role").or_else(|| node.get("name")).filter(|n| n.as_str().is_some());
        let Some(name) = named else {
            findings.push(
                Diagnostic::error("role definitions must contain a role name")
                    .at(node.origin.clone())
                    .hint("write `- role: NAME`"),
            );
            return None;
        };
        let mut keywords = Keywords::default();
        let mut params = Map::new();
        for (key, value) in entries {
            match key.as_str() {
                Some("role" | "name") => {}
                Some(text) if !keywords.read(key, value, Place::Role, findings) => {
                    if let Some(data) = findings.take(value.to_value()) {
                        params.insert(text, data);
                    }
                }
                Some(_) => {}
                None => findings.push(Diagnostic::error("a role parameter's name is a string").at(key.origin.clone())),
            }
        }
        Some(Self { name: name.as_str()?.to_owned(), origin: name.origin.clone(), keywords, params })
    }
}

impl RoleFiles {
    /// Reads `meta/main.yml`.
    pub fn meta(&self, findings: &mut Findings) -> Meta {
        let Some(meta) = self.documents.get("meta").filter(|m| !m.is_null()) else {
            return Meta::default();
        };
        if meta.as_map().is_none() {
            findings.push(Diagnostic::error("a role's meta file is a mapping").at(meta.origin.clone()));
        }
        let collections = meta.get("collections").and_then(Node::as_seq).unwrap_or_default();
        Meta {
            dependencies: meta.get("dependencies").map(|n| RoleRef::parse_list(n, findings)).unwrap_or_default(),
            allow_duplicates: meta.get("allow_duplicates").and_then(Node::as_bool).unwrap_or(false),
            collections: collections.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect(),
        }
    }
}
