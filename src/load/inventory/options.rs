//! Options of inventory plugins, with their types checked.

use crate::diag::{Checked, Diagnostic};
use crate::inventory::Builder;
use crate::model::Value;
use crate::yaml::{Node, NodeKind};

/// A mapping of options.
pub(super) struct Options<'n> {
    node: &'n Node,
}

/// The options of a configuration or of a part of it; names that are not known are warned
/// about (Ansible ignores them).
pub(super) fn options<'n>(builder: &mut Builder, node: &'n Node, known: &[&str]) -> Checked<Options<'n>> {
    let Some(entries) = node.as_map() else { return Err(wrong(node, "a mapping of options")) };
    for (key, _) in entries.iter().filter(|(key, _)| !key.as_str().is_some_and(|key| known.contains(&key))) {
        let name = key.as_str().unwrap_or("this key");
        builder.warn(
            Diagnostic::warning(format!("`{name}` is no option here, and is ignored"))
                .at(key.origin.clone())
                .label("unknown option")
                .suggest(name, known.iter().copied())
                .hint(format!("the options are {}", known.join(", "))),
        );
    }
    Ok(Options { node })
}

fn wrong(found: &Node, wanted: &str) -> Vec<Diagnostic> {
    Diagnostic::error(format!("expected {wanted}, found {}", found.describe())).at(found.origin.clone()).into()
}

impl<'n> Options<'n> {
    /// An option that is set to anything but null.
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.node.get(name).filter(|node| !node.is_null())
    }

    /// A truth value; text is read as Ansible reads it.
    pub fn flag(&self, name: &str, default: bool) -> Checked<bool> {
        let Some(node) = self.get(name) else { return Ok(default) };
        let word = node.as_str().map(str::to_lowercase);
        match (&node.kind, word.as_deref()) {
            (NodeKind::Bool(b), _) => Ok(*b),
            (NodeKind::Int(1), _) | (_, Some("yes" | "true" | "on" | "1" | "y" | "t")) => Ok(true),
            (NodeKind::Int(0), _) | (_, Some("no" | "false" | "off" | "0" | "n" | "f")) => Ok(false),
            _ => Err(wrong(node, &format!("a truth value for `{name}`"))),
        }
    }

    /// Text; numbers and truth values are text too.
    pub fn text(&self, name: &str) -> Checked<Option<String>> {
        let Some(node) = self.get(name) else { return Ok(None) };
        node.to_key().map(|key| Some(key.to_string())).ok_or_else(|| wrong(node, &format!("a string for `{name}`")))
    }

    /// The entries of a mapping; none when it is not set.
    pub fn entries(&self, name: &str) -> Checked<Vec<(Node, Node)>> {
        let Some(node) = self.get(name) else { return Ok(Vec::new()) };
        node.as_map().map(<[_]>::to_vec).ok_or_else(|| wrong(node, &format!("a mapping for `{name}`")))
    }

    /// The items of a list; none when it is not set.
    pub fn list(&self, name: &str) -> Checked<&'n [Node]> {
        let Some(node) = self.get(name) else { return Ok(&[]) };
        node.as_seq().ok_or_else(|| wrong(node, &format!("a list for `{name}`")))
    }
}

/// A scalar as Python's `str` writes it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Str(text) => text.as_str().to_owned(),
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(i) => i.to_string(),
        Value::Big(digits) => digits.to_string(),
        Value::Float(f) => format!("{f:?}"),
        other => other.type_name().to_owned(),
    }
}
