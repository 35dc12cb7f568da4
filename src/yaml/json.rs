//! JSON where YAML is expected: Ansible tries JSON first.
//!
//! YAML 1.1 covers JSON but for a few corners (`1e3`, surrogate pairs), and these decide
//! what a JSON file and `-e '{…}'` give.

use std::sync::Arc;

use super::node::{Node, NodeKind, Scalar, Style};
use crate::diag::{Checked, Diagnostic};
use crate::model::{Map, Origin, Source, Text, Value};

/// What JSON means where YAML reads it otherwise: a plain scalar that YAML takes for a string is a
/// number (`1e3`); `{"__ansible_unsafe": "…"}` and `{"__ansible_vault": "…"}`, which
/// `ansible-inventory --export` writes, are `!unsafe` and `!vault`.
pub(super) fn reread(source: &Source, documents: &mut [Node]) {
    if source.text.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<serde_json::Value>(&source.text).is_ok()
    {
        documents.iter_mut().for_each(as_json);
    }
}

fn as_json(node: &mut Node) {
    if let Some(kind) = marked(&node.kind) {
        node.kind = kind;
        return;
    }
    match &mut node.kind {
        NodeKind::Str(scalar) if scalar.style == Style::Plain => {
            if let Ok(float) = scalar.text.parse() {
                node.kind = NodeKind::Float(float);
            }
        }
        NodeKind::Seq(items) => items.iter_mut().for_each(as_json),
        NodeKind::Map(entries) => entries.iter_mut().for_each(|(_, value)| as_json(value)),
        _ => {}
    }
}

/// What a mapping of one reserved key stands for.
fn marked(kind: &NodeKind) -> Option<NodeKind> {
    let NodeKind::Map(entries) = kind else { return None };
    let [(key, value)] = entries.as_slice() else { return None };
    let (Some(name), NodeKind::Str(scalar)) = (key.as_str(), &value.kind) else { return None };
    match name {
        "__ansible_unsafe" => Some(NodeKind::Str(Scalar { is_unsafe: true, ..scalar.clone() })),
        "__ansible_vault" => Some(NodeKind::Vault(Arc::clone(&scalar.text))),
        _ => None,
    }
}

/// The value, when the whole text is a JSON list or object; its strings are templates.
pub(super) fn read(source: &Arc<Source>) -> Option<Value> {
    if !source.text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let json: serde_json::Value = serde_json::from_str(&source.text).ok()?;
    Some(convert(json, &Origin::new(source, 1, 1)))
}

fn convert(json: serde_json::Value, origin: &Origin) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(b) => Value::Bool(b),
        serde_json::Value::Number(n) => n
            .as_i64()
            .map(i128::from)
            .or_else(|| n.as_u64().map(i128::from))
            .map_or_else(|| Value::Float(n.as_f64().unwrap_or(f64::NAN)), Value::Int),
        serde_json::Value::String(s) => Value::Str(Text::template(s, Some(origin.clone()))),
        serde_json::Value::Array(items) => {
            Value::List(Arc::new(items.into_iter().map(|item| convert(item, origin)).collect()))
        }
        serde_json::Value::Object(entries) => {
            Value::from(entries.into_iter().map(|(k, v)| (k, convert(v, origin))).collect::<Map>())
        }
    }
}

/// The one JSON document of a text, with positions where YAML can read it as well.
///
/// # Errors
/// When it is no JSON.
pub(super) fn document(source: &Arc<Source>) -> Checked<Node> {
    let json: serde_json::Value = serde_json::from_str(&source.text).map_err(|error| {
        let place = |n: usize| u32::try_from(n).unwrap_or(1).max(1);
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        Diagnostic::error(format!("this is no JSON: {words}")).at(Origin::new(
            source,
            place(error.line()),
            place(error.column()),
        ))
    })?;
    if let Ok(loaded) = super::load(source)
        && let [document] = loaded.documents.as_slice()
    {
        return Ok(document.clone());
    }
    let mut node = node(json, &Origin::new(source, 1, 1));
    as_json(&mut node);
    Ok(node)
}

fn node(json: serde_json::Value, origin: &Origin) -> Node {
    let text = |text: String| NodeKind::Str(Scalar { text: text.into(), style: Style::Double, is_unsafe: false });
    let kind = match json {
        serde_json::Value::Null => NodeKind::Null,
        serde_json::Value::Bool(b) => NodeKind::Bool(b),
        serde_json::Value::Number(n) => n
            .as_i64()
            .map(i128::from)
            .or_else(|| n.as_u64().map(i128::from))
            .map_or_else(|| NodeKind::Float(n.as_f64().unwrap_or(f64::NAN)), NodeKind::Int),
        serde_json::Value::String(s) => text(s),
        serde_json::Value::Array(items) => NodeKind::Seq(items.into_iter().map(|item| node(item, origin)).collect()),
        serde_json::Value::Object(entries) => {
            let key = |k: String| Node { origin: origin.clone(), kind: text(k) };
            NodeKind::Map(entries.into_iter().map(|(k, v)| (key(k), node(v, origin))).collect())
        }
    };
    Node { origin: origin.clone(), kind }
}
