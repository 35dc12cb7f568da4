//! `json_patch` and `json_patch_recipe`: RFC 6902's operations on data.

use indexmap::IndexMap;

use super::Row;
use crate::model::Key;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::json;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("json_patch", "op path value? * from? fail_test?", json_patch),
    ("json_patch_recipe", "operations fail_test?", json_patch_recipe),
];

/// One operation.
struct Operation {
    op: String,
    path: Vec<String>,
    from: Option<Vec<String>>,
    value: Val,
}

/// The steps of a JSON pointer.
fn steps(pointer: &str) -> R<Vec<String>> {
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let rest =
        pointer.strip_prefix('/').ok_or_else(|| Error::new(format!("the pointer '{pointer}' begins with no slash")))?;
    Ok(rest.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

/// What is patched: data, or a text of JSON.
pub(super) fn document(ev: &mut Eval, filter: &str, input: Val) -> R<Val> {
    match &input {
        Val::Str(text) => {
            let read = json::read(text);
            let value = read.map_err(|e| Error::new(format!("{filter}: could not decode JSON from input: {e}")))?;
            ev.read(&value, None)
        }
        Val::List(_) | Val::Map(_) => Ok(input),
        _ => Err(Error::new(format!("{filter}: input is not dictionary, list or string"))),
    }
}

fn operation(
    ev: &mut Eval,
    filter: &str,
    op: String,
    path: &str,
    from: Option<Val>,
    value: Option<Val>,
) -> R<Operation> {
    if !["add", "copy", "move", "remove", "replace", "test"].contains(&op.as_str()) {
        return Err(Error::new(format!("{filter}: unsupported 'op' argument: {op}")));
    }
    let from = from.filter(|v| !matches!(v, Val::Null)).map(|v| ev.text(&v)).transpose()?;
    if from.is_none() && matches!(op.as_str(), "copy" | "move") {
        return Err(Error::new(format!("{filter}: 'from' argument missing for '{op}' operation")));
    }
    let from = from.map(|from| steps(&from)).transpose()?;
    Ok(Operation { op, path: steps(path)?, from, value: value.unwrap_or(Val::Null) })
}

fn json_patch(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let name = "json_patch";
    let document = document(ev, name, input)?;
    let (op, path) = (ev.text(args.need("op")?)?, ev.text(args.need("path")?)?);
    let operation = operation(ev, name, op, &path, args.get("from").cloned(), args.get("value").cloned())?;
    let strict = args.get("fail_test").map_or(Ok(false), |v| ev.truth(v))?;
    run(ev, name, document, &[operation], strict)
}

fn json_patch_recipe(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let name = "json_patch_recipe";
    let document = document(ev, name, input)?;
    let Val::List(list) = args.need("operations")?.clone() else {
        return Err(Error::new(format!("{name}: 'operations' needs to be a list")));
    };
    let mut operations = Vec::new();
    for one in list.all(ev)? {
        let Val::Map(map) = &one else {
            return Err(Error::new(format!("{name}: 'operations' must contain only dictionaries")));
        };
        let mut field = |name: &str| map.get(ev, &name.into());
        let (op, path, from, value) = (field("op")?, field("path")?, field("from")?, field("value")?);
        let missing = |what: &str| Error::new(format!("{name}: mandatory '{what}' argument missing"));
        let (op, path) = (op.ok_or_else(|| missing("op"))?, path.ok_or_else(|| missing("path"))?);
        let (op, path) = (ev.text(&op)?, ev.text(&path)?);
        operations.push(operation(ev, name, op, &path, from, value)?);
    }
    let strict = args.bool(ev, "fail_test", false)?;
    run(ev, name, document, &operations, strict)
}

fn run(ev: &mut Eval, filter: &str, mut document: Val, operations: &[Operation], strict: bool) -> R<Val> {
    let failed = |e: Error| if e.unknown().is_some() { e } else { Error::new(format!("{filter}: patch failed: {e}")) };
    for operation in operations {
        let Operation { op, path, from, value } = operation;
        let from = from.as_deref().unwrap_or_default();
        document = match op.as_str() {
            "test" => {
                let found = at(ev, &document, path)?;
                match &found {
                    Some(found) if ev.equal(found, value)? => document,
                    _ if !strict => return Ok(Val::Null),
                    Some(found) => {
                        let (a, b) = (ev.text(found)?, ev.text(value)?);
                        let (x, y) = (found.type_name(), value.type_name());
                        return Err(Error::new(format!(
                            "{filter}: test operation failed: {a} (<class '{x}'>) is not equal to tested value {b} (<class '{y}'>)"
                        )));
                    }
                    None => {
                        return Err(Error::new(format!("{filter}: test operation failed: there is no such member")));
                    }
                }
            }
            "copy" | "move" => {
                let found = at(ev, &document, from)?;
                let missing = || failed(Error::new(format!("member '{}' not found", from.join("/"))));
                let found = found.ok_or_else(missing)?;
                let rest = if op == "move" { change(ev, &document, from, Change::Remove) } else { Ok(document) };
                let rest = rest.map_err(failed)?;
                change(ev, &rest, path, Change::Add(&found)).map_err(failed)?
            }
            "remove" => change(ev, &document, path, Change::Remove).map_err(failed)?,
            "replace" => change(ev, &document, path, Change::Replace(value)).map_err(failed)?,
            _ => change(ev, &document, path, Change::Add(value)).map_err(failed)?,
        };
    }
    Ok(document)
}

/// What is at a path.
fn at(ev: &mut Eval, document: &Val, path: &[String]) -> R<Option<Val>> {
    let mut here = document.clone();
    for step in path {
        let next = match &here {
            Val::Map(map) => map.get(ev, &Key::from(step.as_str()))?,
            Val::List(list) => match step.parse() {
                Ok(i) => list.get(ev, i)?,
                Err(_) => None,
            },
            _ => None,
        };
        let Some(next) = next else { return Ok(None) };
        here = next;
    }
    Ok(Some(here))
}

#[derive(Clone, Copy)]
enum Change<'a> {
    Add(&'a Val),
    Replace(&'a Val),
    Remove,
}

/// The document with what is at the path changed; the one given stays as it is.
fn change(ev: &mut Eval, document: &Val, path: &[String], how: Change<'_>) -> R<Val> {
    let Some((step, rest)) = path.split_first() else {
        return match how {
            Change::Add(value) | Change::Replace(value) => Ok(value.clone()),
            Change::Remove => Ok(Val::Null),
        };
    };
    let last = rest.is_empty();
    let missing = |what: &str| Error::new(format!("can't {what} a non-existent object '{step}'"));
    match document {
        Val::Map(map) => {
            let mut all: IndexMap<Key, Val> = map.all(ev)?;
            let key = Key::from(step.as_str());
            match (all.get(&key).cloned(), how) {
                (Some(inner), _) if !last => {
                    let inner = ev.nested(|ev| change(ev, &inner, rest, how))?;
                    all.insert(key, inner);
                }
                (None, _) if !last => return Err(Error::new(format!("member '{step}' not found"))),
                (_, Change::Add(value)) | (Some(_), Change::Replace(value)) => drop(all.insert(key, value.clone())),
                (Some(_), Change::Remove) => drop(all.shift_remove(&key)),
                (None, Change::Remove) => return Err(missing("remove")),
                (None, Change::Replace(_)) => return Err(missing("replace")),
            }
            Ok(Val::map(all))
        }
        Val::List(list) => {
            let mut all = list.all(ev)?;
            let index = if step == "-" { Some(all.len()) } else { step.parse::<usize>().ok() };
            let index = index.ok_or_else(|| Error::new(format!("'{step}' is not a valid sequence index")))?;
            match (all.get(index).cloned(), how) {
                (Some(inner), _) if !last => {
                    let inner = ev.nested(|ev| change(ev, &inner, rest, how))?;
                    all.splice(index..=index, [inner]);
                }
                (None, _) if !last => return Err(Error::new(format!("member '{step}' not found"))),
                (_, Change::Add(_)) if index > all.len() => return Err(Error::new("can't insert outside of list")),
                (_, Change::Add(value)) => all.insert(index, value.clone()),
                (Some(_), Change::Replace(value)) => drop(all.splice(index..=index, [value.clone()])),
                (Some(_), Change::Remove) => drop(all.remove(index)),
                (None, Change::Remove) => return Err(missing("remove")),
                (None, Change::Replace(_)) => return Err(Error::new("can't replace outside of list")),
            }
            Ok(Val::list(all))
        }
        other => Err(Error::new(format!("there is nothing in a {} for '{step}' to be", other.type_name()))),
    }
}
