//! Filters of `ansible.utils` about nested data: paths, positions, consolidating.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Row;
use crate::model::{Key, Text};
use crate::template::error::Error;
use crate::template::eval::{Eval, Frame};
use crate::template::ir::Span;
use crate::template::regex;
use crate::template::tests;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("consolidate", "fail_missing_match_key? fail_missing_match_value? fail_duplicate?", consolidate),
    ("get_path", "path * wantlist?", get_path),
    ("index_of", "test value? key? fail_on_missing? wantlist?", index_of),
    ("param_list_compare", "target?", param_list_compare),
    ("to_paths", "prepend? wantlist?", to_paths),
];

fn failed(plugin: &str, words: impl std::fmt::Display) -> Error {
    Error::new(format!("Error when using plugin '{plugin}': {words}"))
}

/// The positions of the items for which a test holds; one alone is a number.
fn index_of(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let Val::List(list) = &input else {
        let kind = input.type_name();
        return Err(Error::new(format!("argument 'data' is of type {kind} and we were unable to convert to list")));
    };
    let missing = || Error::new("missing required arguments: test");
    let name = ev.text(args.get("test").ok_or_else(missing)?)?;
    let inner =
        name.strip_prefix("not ").or_else(|| name.strip_prefix('!').filter(|rest| *rest != "=" && !rest.is_empty()));
    let (wanted, plain) = (inner.is_none(), inner.unwrap_or(&name).trim());
    let test = tests::find(plain).ok_or_else(|| failed("index_of", format!("the test '{plain}' was not found.")))?;
    let of = args.get("value").filter(|v| !matches!(v, Val::Null));
    let of = test.bind(Args::of(of.into_iter().cloned().collect()))?;
    let key = args.get("key").filter(|v| !matches!(v, Val::Null)).cloned();
    let strict = args.bool(ev, "fail_on_missing", false)?;
    let mut out = Vec::new();
    for (at, item) in list.all(ev)?.into_iter().enumerate() {
        let value = match &key {
            None => item,
            Some(key) => match entry(ev, &item, key)? {
                Some(found) => found,
                None if strict => {
                    let (key, shown) = (ev.repr(key)?, ev.repr(&item)?);
                    let words = format!("{key} was not found in '{shown}' at [{at}]. fail_on_missing=True");
                    return Err(failed("index_of", words));
                }
                None => continue,
            },
        };
        if test.holds(ev, &value, &of)? == wanted {
            out.push(Val::Int(at as i128));
        }
    }
    let list = args.bool(ev, "wantlist", false)?;
    Ok(match <[Val; 1]>::try_from(out) {
        Ok([one]) if !list => one,
        Ok([one]) => Val::list(vec![one]),
        Err(many) => Val::list(many),
    })
}

fn entry(ev: &mut Eval, item: &Val, key: &Val) -> R<Option<Val>> {
    let Val::Map(map) = item else {
        let words = "When a key name is provided, all list entries are required to be dictionaries";
        return Err(failed("index_of", format!("{words}, got {}", item.type_name())));
    };
    map.get(ev, &key.to_key()?)
}

/// What a path leads to: an expression that sees the entries of the input alone.
fn get_path(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let path = ev.text(args.need("path")?)?;
    let frame = Frame::default();
    for name in ev.iterate(&input)? {
        if !matches!(&input, Val::Map(_)) && !matches!(&input, Val::Object(o) if o.is_map()) {
            return Err(Error::new(format!("the variable must be a mapping, not {}", input.type_name())));
        }
        // A variable that cannot be evaluated does not matter until the path leads to it.
        if let Val::Str(key) = &name
            && path.contains(key.as_str())
        {
            frame.set(&key.shared(), ev.item(&input, &name, Span::default())?);
        }
    }
    let text = Text::new(path.as_str());
    let compiled = ev.engine.bare(&text)?;
    let bare = ev.scope.bare();
    let scope = std::mem::replace(&mut ev.scope, bare);
    let frames = std::mem::replace(&mut ev.frames, vec![Arc::new(frame)]);
    let result = ev.nested(|ev| ev.run(&text, &compiled));
    ev.scope = scope;
    ev.frames = frames;
    let found = result?;
    let list = args.bool(ev, "wantlist", false)?;
    Ok(if list && !matches!(found, Val::List(_)) { Val::list(vec![found]) } else { found })
}

/// The leaves of nested data, each by the path that leads to it.
fn to_paths(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let prepend = args.str(ev, "prepend", "")?;
    let plain = regex::compile("^[a-zA-Z_][a-zA-Z0-9_]*$", false, false)?;
    let empty = match &input {
        Val::Map(map) => map.len() == 0,
        Val::List(list) => list.len() == 0,
        _ => false,
    };
    let found = if empty {
        input
    } else {
        let mut out = IndexMap::new();
        leaves(ev, &input, prepend, &plain, &mut out)?;
        Val::map(out)
    };
    Ok(if args.bool(ev, "wantlist", false)? { Val::list(vec![found]) } else { found })
}

fn leaves(ev: &mut Eval, value: &Val, path: String, plain: &fancy_regex::Regex, out: &mut IndexMap<Key, Val>) -> R<()> {
    match value {
        Val::Map(map) if map.len() > 0 => {
            for (key, item) in map.all(ev)? {
                let key = key.to_string();
                let step = if path.is_empty() {
                    key
                } else if regex::first(plain, &key)?.is_some() {
                    format!("{path}.{key}")
                } else {
                    format!("{path}['{key}']")
                };
                ev.nested(|ev| leaves(ev, &item, step, plain, out))?;
            }
        }
        Val::List(list) if list.len() > 0 => {
            for (at, item) in list.all(ev)?.iter().enumerate() {
                ev.nested(|ev| leaves(ev, item, format!("{path}[{at}]"), plain, out))?;
            }
        }
        other => {
            out.insert(Key::from(path.as_str()), other.clone());
        }
    }
    Ok(())
}

/// Those of a list that another asks for (`!x` takes away), and what it asks for in vain.
fn param_list_compare(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let target = args.get("target").filter(|t| !matches!(t, Val::Null)).cloned();
    let target = target.ok_or_else(|| Error::new("Missing either 'base' or 'other value in filter input"))?;
    let texts = |ev: &mut Eval, of: &Val| -> R<Vec<String>> { ev.iterate(of)?.iter().map(|v| ev.text(v)).collect() };
    let (base, target) = (texts(ev, &input)?, texts(ev, &target)?);
    let all = target.iter().any(|t| t == "all");
    let without: Vec<&str> = target.iter().filter_map(|t| t.strip_prefix('!')).collect();
    let asked: Vec<&String> = target.iter().filter(|t| *t != "all" && !t.starts_with('!')).collect();
    let wanted = |item: &&String| (all || asked.contains(item)) && !without.contains(&item.as_str());
    let actionable = Val::strs(base.iter().filter(wanted).map(String::as_str));
    let unsupported = Val::strs(asked.iter().filter(|t| !base.contains(t)).map(|t| t.as_str()));
    Ok(Val::map([("actionable".into(), actionable), ("unsupported".into(), unsupported)].into_iter().collect()))
}

/// Rows of several sources, brought together by the value of a key.
fn consolidate(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let missing_key = args.bool(ev, "fail_missing_match_key", true)?;
    let missing_value = args.bool(ev, "fail_missing_match_value", true)?;
    let duplicate = args.bool(ev, "fail_duplicate", true)?;
    let mut sources: Vec<(Key, IndexMap<Key, Val>)> = Vec::new();
    for (number, source) in ev.iterate(&input)?.into_iter().enumerate() {
        let mut part = |name: &str| ev.item(&source, &Val::str(name), Span::default())?.defined();
        let (data, by, name) = (part("data")?, part("match_key")?, part("name")?.to_key()?);
        let mut rows = IndexMap::new();
        for row in ev.iterate(&data)? {
            let found = ev.item(&row, &by, Span::default())?;
            if found.is_undefined() {
                if !missing_key {
                    continue;
                }
                let by = ev.repr(&by)?;
                let words =
                    format!("'fail_missing_match_key' reported missing match key {by} in data source {}", number + 1);
                return Err(failed("consolidate", words));
            }
            if rows.insert(found.to_key()?, row).is_some() && duplicate {
                let words = format!("'fail_duplicate' reported duplicate values in data source {}", number + 1);
                return Err(failed("consolidate", words));
            }
        }
        sources.push((name, rows));
    }
    let mut keys: Vec<Key> = Vec::new();
    for key in sources.iter().flat_map(|(_, rows)| rows.keys()) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    let mut out = IndexMap::new();
    for key in keys {
        let mut row = IndexMap::new();
        for (number, (name, rows)) in sources.iter().enumerate() {
            let found = rows.get(&key).cloned();
            if found.is_none() && missing_value {
                let words = format!(
                    "'fail_missing_match_value' reported missing match value {key} in data source {}",
                    number + 1
                );
                return Err(failed("consolidate", words));
            }
            row.insert(name.clone(), found.unwrap_or_else(|| Val::map(IndexMap::new())));
        }
        out.insert(key, Val::map(row));
    }
    Ok(Val::map(out))
}
