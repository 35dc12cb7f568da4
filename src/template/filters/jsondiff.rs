//! `json_diff`: the operations of RFC 6902 that make one document of another.

use indexmap::IndexMap;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::Row;
use super::jsonpatch::document;
use crate::model::{Map, Value};
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::json::{self, Style};
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[("json_diff", "target", json_diff)];

fn json_diff(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let target = args.need("target")?.clone();
    let (before, after) = (document(ev, "json_diff", input)?, document(ev, "json_diff", target)?);
    let (before, after) = (ev.finish(before)?, ev.finish(after)?);
    let mut operations = Vec::new();
    compare(&before, &after, "", &mut operations)?;
    ev.read(&Value::list(operations), None)
}

fn operation(op: &str, path: &str, value: Option<&Value>) -> Value {
    let mut map: IndexMap<&str, Value> = [("op", Value::from(op)), ("path", Value::from(path))].into_iter().collect();
    if let Some(value) = value {
        map.insert("value", value.clone());
    }
    Value::from(map.into_iter().collect::<Map>())
}

/// A step further down; what means something in a pointer is written otherwise.
fn below(path: &str, step: &str) -> String {
    format!("{path}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// As JSON: in Python's eyes 1 and true are equal.
fn text(value: &Value) -> R<String> {
    json::write(value, &Style { sort: true, ..Style::plain() })
}

fn compare(before: &Value, after: &Value, path: &str, out: &mut Vec<Value>) -> R<()> {
    stacker::maybe_grow(256 << 10, 2 << 20, || match (before, after) {
        (Value::Map(before), Value::Map(after)) => maps(before, after, path, out),
        (Value::List(before), Value::List(after)) => lists(before, after, path, out),
        _ if text(before)? == text(after)? => Ok(()),
        _ => {
            out.push(operation("replace", path, Some(after)));
            Ok(())
        }
    })
}

fn maps(before: &Map, after: &Map, path: &str, out: &mut Vec<Value>) -> R<()> {
    for key in before.keys().filter(|key| after.get_key(key).is_none()) {
        out.push(operation("remove", &below(path, &key.to_string()), None));
    }
    for (key, value) in after.iter().filter(|(key, _)| before.get_key(key).is_none()) {
        out.push(operation("add", &below(path, &key.to_string()), Some(value)));
    }
    for (key, value) in before {
        if let Some(other) = after.get_key(key) {
            compare(value, other, &below(path, &key.to_string()), out)?;
        }
    }
    Ok(())
}

/// Items that stay are found first; each position is that of the list as it is by then.
fn lists(before: &[Value], after: &[Value], path: &str, out: &mut Vec<Value>) -> R<()> {
    let texts = |items: &[Value]| items.iter().map(text).collect::<R<Vec<String>>>();
    let wrong = || Error::new("the lists cannot be compared");
    for step in capture_diff_slices(Algorithm::Myers, &texts(before)?, &texts(after)?) {
        let (old, new) = match step {
            DiffOp::Equal { .. } => continue,
            DiffOp::Delete { old_index, old_len, new_index } => (old_index..old_index + old_len, new_index..new_index),
            DiffOp::Insert { old_index, new_index, new_len } => (old_index..old_index, new_index..new_index + new_len),
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                (old_index..old_index + old_len, new_index..new_index + new_len)
            }
        };
        let at = new.start;
        let (old, new) = (before.get(old).ok_or_else(wrong)?, after.get(new).ok_or_else(wrong)?);
        for (i, (old, new)) in old.iter().zip(new).enumerate() {
            compare(old, new, &below(path, &(at + i).to_string()), out)?;
        }
        let both = old.len().min(new.len());
        let behind = below(path, &(at + both).to_string());
        out.extend(old.iter().skip(both).map(|_| operation("remove", &behind, None)));
        for (i, value) in new.iter().enumerate().skip(both) {
            out.push(operation("add", &below(path, &(at + i).to_string()), Some(value)));
        }
    }
    Ok(())
}
