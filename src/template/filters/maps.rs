//! Dicts: combining, turning into lists and back, grouping.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Row;
use super::lists::{entry, flattened, folded, follow};
use crate::model::Key;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::ir::Span;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("combine", "*terms recursive? list_merge?", combine),
    ("dict2items", "key_name? value_name?", dict2items),
    ("items2dict", "key_name? value_name?", items2dict),
    ("dictsort", "case_sensitive? by? reverse?", dictsort),
    ("items", "", items),
    ("subelements", "subelements skip_missing?", subelements),
    ("extract", "container morekeys?", extract),
    ("groupby", "attribute default? case_sensitive?", groupby),
    ("rekey_on_member", "key duplicates?", rekey_on_member),
];

fn combine(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let recursive = args.get("recursive").map_or(Ok(false), |v| ev.truth(v))?;
    let merge = args.get("list_merge").map_or(Ok("replace".to_owned()), |v| ev.text(v))?;
    if !matches!(merge.as_str(), "replace" | "keep" | "append" | "prepend" | "append_rp" | "prepend_rp") {
        return Err(Error::new(format!(
            "merge_hash: 'list_merge' argument can only be equal to 'replace', 'keep', 'append', 'prepend', 'append_rp' or 'prepend_rp', got '{merge}'"
        )));
    }
    let given = std::iter::once(input).chain(args.pos.iter().cloned()).collect::<Vec<_>>();
    let all = flattened(ev, &Val::list(given), 1)?;
    let mut out = Val::map(IndexMap::new());
    for (i, next) in all.into_iter().enumerate() {
        if !matches!(next, Val::Map(_)) {
            return Err(Error::new(format!(
                "failed to combine variables, expected dicts but got a '{}'",
                next.type_name()
            )));
        }
        out = if i == 0 { next } else { merged(ev, &out, &next, recursive, &merge)? };
    }
    Ok(out)
}

pub(super) fn merged(ev: &mut Eval, a: &Val, b: &Val, recursive: bool, merge: &str) -> R<Val> {
    let (Val::Map(low), Val::Map(high)) = (a, b) else { return Ok(b.clone()) };
    let mut out = low.all(ev)?;
    for (key, value) in high.all(ev)? {
        let value = match (out.get(&key), &value) {
            (Some(old @ Val::Map(_)), Val::Map(_)) if recursive => {
                let old = old.clone();
                ev.nested(|ev| merged(ev, &old, &value, recursive, merge))?
            }
            (Some(old @ Val::List(_)), Val::List(_)) if merge != "replace" => {
                let old = old.clone();
                lists(ev, &old, &value, merge)?
            }
            _ => value,
        };
        out.insert(key, value);
    }
    Ok(Val::map(out))
}

fn lists(ev: &mut Eval, old: &Val, new: &Val, merge: &str) -> R<Val> {
    let (old, new) = (ev.iterate(old)?, ev.iterate(new)?);
    let without = |ev: &mut Eval, list: &[Val], not: &[Val]| -> R<Vec<Val>> {
        let mut kept = Vec::new();
        for item in list {
            let set = Val::list(not.to_vec());
            if !ev.contains(&set, item)? {
                kept.push(item.clone());
            }
        }
        Ok(kept)
    };
    Ok(Val::list(match merge {
        "keep" => old,
        "append" => [old, new].concat(),
        "prepend" => [new, old].concat(),
        "append_rp" => [without(ev, &old, &new)?, new].concat(),
        _ => {
            let rest = without(ev, &old, &new)?;
            [new, rest].concat()
        }
    }))
}

/// The entries of a map, or of what stands for one: `hostvars`, a host's variables, `vars`.
pub(in crate::template) fn entries(ev: &mut Eval, value: &Val, filter: &str) -> R<IndexMap<Key, Val>> {
    match value {
        Val::Map(map) => map.all(ev),
        Val::Object(object) if object.is_map() => {
            let mut out = IndexMap::new();
            for key in ev.iterate(value)? {
                // A variable that cannot be evaluated is an error where it is used.
                let found = ev.item(value, &key, Span::default());
                out.insert(key.to_key()?, found.unwrap_or_else(|error| Val::Undefined(Arc::new(error))));
            }
            Ok(out)
        }
        other => {
            Err(Error::new(format!("{filter} requires a dictionary, got <class '{}'> instead.", other.type_name())))
        }
    }
}

fn dict2items(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let map = entries(ev, &input, "dict2items")?;
    let (key, value) = (args.str(ev, "key_name", "key")?, args.str(ev, "value_name", "value")?);
    let row = |(k, v): (Key, Val)| Val::map([entry(&key, Val::of_key(&k)), entry(&value, v)].into_iter().collect());
    Ok(Val::list(map.into_iter().map(row).collect()))
}

fn items2dict(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let (key, value) = (args.str(ev, "key_name", "key")?, args.str(ev, "value_name", "value")?);
    let Val::List(list) = &input else {
        return Err(Error::new(format!("items2dict requires a list, got <class '{}'> instead.", input.type_name())));
    };
    let mut out = IndexMap::new();
    for item in list.all(ev)? {
        if !matches!(item, Val::Map(_) | Val::Object(_)) {
            let got = ev.repr(&input)?;
            return Err(Error::new(format!("items2dict requires a list of dictionaries, got {got} instead.")));
        }
        let (k, v) = (follow(ev, &item, &Val::str(key.as_str()))?, follow(ev, &item, &Val::str(value.as_str()))?);
        if k.is_undefined() || v.is_undefined() {
            let got = ev.repr(&input)?;
            return Err(Error::new(format!(
                "items2dict requires each dictionary in the list to contain the keys '{key}' and '{value}', got {got} instead."
            )));
        }
        out.insert(k.to_key()?, v);
    }
    Ok(Val::map(out))
}

fn pair((k, v): (Key, Val)) -> Val {
    Val::tuple(vec![Val::of_key(&k), v])
}

fn items(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    Ok(Val::list(entries(ev, &input, "items")?.into_iter().map(pair).collect()))
}

fn dictsort(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let map = entries(ev, &input, "dictsort")?;
    let case = args.bool(ev, "case_sensitive", false)?;
    let by = args.str(ev, "by", "key")?;
    if by != "key" && by != "value" {
        return Err(Error::new("You can only sort by either \"key\" or \"value\""));
    }
    let reverse = args.bool(ev, "reverse", false)?;
    let mut keyed = Vec::new();
    for (k, v) in map {
        let key = if by == "value" { v.clone() } else { Val::of_key(&k) };
        keyed.push((if case { key } else { folded(key) }, pair((k, v))));
    }
    ev.sorted_by_key(keyed, reverse).map(Val::list)
}

/// Each element with each of its own list's items.
fn subelements(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let path = args.need("subelements")?.clone();
    let skip = args.bool(ev, "skip_missing", false)?;
    let elements = match &input {
        Val::Map(m) => m.all(ev)?.into_values().collect(),
        Val::List(_) => ev.iterate(&input)?,
        _ => return Err(Error::new("obj must be a list of dicts or a nested dict")),
    };
    let steps = match &path {
        Val::Str(s) => s.split('.').map(Val::str).collect(),
        Val::List(_) => ev.iterate(&path)?,
        _ => return Err(Error::new("subelements must be a list or a string")),
    };
    let mut out = Vec::new();
    for element in elements {
        let mut at = element.clone();
        for step in &steps {
            let below = ev.item(&at, step, Span::default())?;
            if below.is_undefined() && !matches!(at, Val::Map(_) | Val::Object(_) | Val::Undefined(_)) {
                let (step, got) = (ev.text(step)?, ev.text(&at)?);
                return Err(Error::new(format!("the key {step} should point to a dictionary, got '{got}'")));
            }
            at = below;
        }
        match &at {
            Val::Undefined(_) if skip => {}
            Val::Undefined(_) => {
                let (path, shown) = (ev.text(&path)?, ev.repr(&element)?);
                return Err(Error::new(format!("could not find '{path}' key in iterated item {shown}")));
            }
            Val::List(l) => out.extend(l.all(ev)?.into_iter().map(|sub| Val::tuple(vec![element.clone(), sub]))),
            _ => {
                return Err(Error::new(format!(
                    "the key '{}' should point to a list, got {}",
                    ev.text(&path)?,
                    ev.text(&at)?
                )));
            }
        }
    }
    Ok(Val::list(out))
}

fn extract(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let container = args.need("container")?.clone();
    let mut at = ev.item(&container, &input, Span::default())?;
    let more = match args.get("morekeys") {
        None | Some(Val::Null) => Vec::new(),
        Some(l @ Val::List(_)) => ev.iterate(&l.clone())?,
        Some(one) => vec![one.clone()],
    };
    for key in &more {
        at = ev.item(&at, key, Span::default())?;
    }
    Ok(at)
}

fn groupby(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let path = args.need("attribute")?.clone();
    let default = args.get("default").cloned();
    let case = args.bool(ev, "case_sensitive", false)?;
    let mut keyed = Vec::new();
    for item in ev.iterate(&input)? {
        let mut key = follow(ev, &item, &path)?;
        if let (Val::Undefined(_), Some(default)) = (&key, &default) {
            key = default.clone();
        }
        let key = key.defined()?;
        let sort = if case { key.clone() } else { folded(key.clone()) };
        keyed.push((sort.clone(), Val::tuple(vec![sort, key, item])));
    }
    let mut groups: Vec<(Val, Val, Vec<Val>)> = Vec::new();
    for row in ev.sorted_by_key(keyed, false)? {
        let [sort, key, item] = <[Val; 3]>::try_from(ev.iterate(&row)?).map_err(|_| Error::new("no group"))?;
        match groups.last_mut() {
            Some((last, _, members)) if ev.equal(last, &sort)? => members.push(item),
            _ => groups.push((sort, key, vec![item])),
        }
    }
    Ok(Val::list(groups.into_iter().map(|(_, key, members)| Val::tuple(vec![key, Val::list(members)])).collect()))
}

fn rekey_on_member(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let key = args.need("key")?.clone();
    let duplicates = args.str(ev, "duplicates", "error")?;
    if !matches!(duplicates.as_str(), "error" | "overwrite") {
        let words = "duplicates parameter to rekey_on_member has unknown value";
        return Err(Error::new(format!("{words}: {duplicates}")));
    }
    let replace = duplicates == "overwrite";
    let elements = match &input {
        Val::Map(m) => m.all(ev)?.into_values().collect(),
        Val::List(list) => list.all(ev)?,
        _ => return Err(Error::new("Type is not a valid list, set, or dict")),
    };
    let mut out = IndexMap::new();
    for element in elements {
        if !matches!(element, Val::Map(_)) {
            return Err(Error::new("List item is not a valid dict"));
        }
        let found = ev.item(&element, &key, Span::default())?;
        let Ok(name) = found.to_key() else {
            return Err(Error::new(format!("Key {} was not found.", ev.repr(&key)?)));
        };
        if out.contains_key(&name) && !replace {
            return Err(Error::new(format!(
                "Key {} is not unique, cannot convert to dict.",
                ev.repr(&Val::of_key(&name))?
            )));
        }
        out.insert(name, element);
    }
    Ok(Val::map(out))
}
