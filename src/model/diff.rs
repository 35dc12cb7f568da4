//! What would change, or changed, on a host: shown by `--diff`.

use serde::{Deserialize, Serialize};

/// One change; a task shows those of its steps in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Diff {
    /// A file's content.
    Text(TextDiff),
    /// Properties of a thing: mode, owner, state, version …
    Attributes {
        /// What they belong to: a path, `user deploy`, `package nginx`.
        subject: String,
        /// Those that differ.
        changes: Vec<Attribute>,
    },
    /// What a program that knows better printed (apt's list, git's log).
    Prepared(String),
}

impl Diff {
    /// A change of one attribute.
    pub fn attribute(
        subject: impl Into<String>,
        name: impl Into<String>,
        before: impl Into<String>,
        after: impl Into<String>,
    ) -> Self {
        Self::Attributes { subject: subject.into(), changes: vec![Attribute::new(name, before, after)] }
    }
}

/// Content before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextDiff {
    /// The path; both headers carry it.
    pub path: String,
    /// What the content is made from (`/…/motd.j2`), for the second header.
    pub source: Option<String>,
    /// Content before; `None` where there was no file.
    pub before: Option<String>,
    /// Content after; `None` where there will be no file.
    pub after: Option<String>,
    /// Set when contents are not shown: binary, too large, secret. The words say which.
    pub hidden: Option<String>,
}

/// An attribute that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// `mode`, `owner`, `state`, …
    pub name: String,
    /// As it is.
    pub before: String,
    /// As it is to be.
    pub after: String,
}

impl Attribute {
    /// The attribute `name`, going from `before` to `after`.
    pub fn new(name: impl Into<String>, before: impl Into<String>, after: impl Into<String>) -> Self {
        Self { name: name.into(), before: before.into(), after: after.into() }
    }
}
