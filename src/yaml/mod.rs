//! YAML as Ansible reads it: YAML 1.1 types, tags, merge keys, a position for every node.
//!
//! libyaml gives the events, the composer makes nodes of them, and a node becomes a
//! [`Value`](crate::model::Value) where data is wanted.

mod compose;
mod events;
mod json;
mod node;
mod problem;
mod scalar;
mod tags;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use compose::DUPLICATE_KEY;
pub use node::{Node, NodeKind, Scalar, Style};
pub use scalar::{Plain, resolve as resolve_plain};

use crate::diag::{Checked, Diagnostic};
use crate::model::{Source, Value};

/// What was read from a text.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The documents in order; none when the text holds no more than comments.
    pub documents: Vec<Node>,
    /// What is accepted, and yet probably not meant: duplicate keys.
    pub warnings: Vec<Diagnostic>,
}

/// Reads all documents of a text.
///
/// # Errors
/// When it is not well-formed, or holds what has no meaning here (complex keys, unknown
/// tags, an alias to nothing, a "billion laughs").
pub fn load(source: &Arc<Source>) -> Checked<Loaded> {
    let mut loaded = compose::compose(source)?;
    json::reread(source, &mut loaded.documents);
    Ok(loaded)
}

/// Reads a text that is one JSON document (what a program prints).
///
/// # Errors
/// When it is no JSON, with the place.
pub fn load_json(source: &Arc<Source>) -> Checked<Node> {
    json::document(source)
}

/// Reads a text that holds one value; an empty one is null.
///
/// `templated` text is the user's own (`-e`): its strings are templates, and it is read as
/// JSON first, as Ansible reads its files. Other text is data (`from_yaml`), and YAML only.
///
/// # Errors
/// As [`load`], and when there is more than one document.
pub fn from_str_value(text: &str, name: &str, templated: bool) -> Checked<Value> {
    let source = Source::new(name, text);
    if let Some(value) = templated.then(|| json::read(&source)).flatten() {
        return Ok(value);
    }
    let loaded = compose::compose(&source)?;
    let mut documents = loaded.documents.into_iter();
    let Some(first) = documents.next() else { return Ok(Value::Null) };
    if let Some(second) = documents.next() {
        return Err(Diagnostic::error("expected a single YAML document, found another")
            .at(second.origin)
            .hint("remove the `---` between them")
            .into());
    }
    if templated { first.to_value() } else { first.to_data() }
}
