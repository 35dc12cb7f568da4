//! Clusters: what holds a play's tasks together, for those who look at the graph.

use crate::model::{Origin, Text};

/// What a cluster is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterKind {
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
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Block => "block",
            Self::Section => "section",
            Self::Include => "include",
            Self::Handlers => "handlers",
        }
    }
}

/// Tasks that belong together, and where they stand.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// What it is.
    pub kind: ClusterKind,
    /// Its name as written, or what it is.
    pub title: Text,
    /// The cluster around it: an index into [`CompiledPlay::clusters`]; none in the play itself.
    ///
    /// [`CompiledPlay::clusters`]: super::CompiledPlay::clusters
    pub parent: Option<usize>,
    /// Where it stands.
    pub origin: Origin,
}
