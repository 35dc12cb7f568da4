//! Filters of `community.general` that work on several lists or on the keys of dicts.

use indexmap::IndexMap;

use super::Row;
use super::lists::{Set, flattened, sets};
use super::maps::merged;
use crate::model::Key;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::regex;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("lists_mergeby", "*terms recursive? list_merge? index?", lists_mergeby),
    ("lists_union", "*lists flatten?", |ev, v, a| lists(ev, v, a, Set::Union)),
    ("lists_intersect", "*lists flatten?", |ev, v, a| lists(ev, v, a, Set::Intersect)),
    ("lists_difference", "*lists flatten?", |ev, v, a| lists(ev, v, a, Set::Difference)),
    ("lists_symmetric_difference", "*lists flatten?", |ev, v, a| lists(ev, v, a, Set::Symmetric)),
    ("keep_keys", "target? matching_parameter?", |ev, v, a| by_keys(ev, &v, a, true)),
    ("remove_keys", "target? matching_parameter?", |ev, v, a| by_keys(ev, &v, a, false)),
    ("replace_keys", "target? matching_parameter?", replace_keys),
];

/// Lists of dicts made one: dicts of the same key are combined.
fn lists_mergeby(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let recursive = args.get("recursive").map_or(Ok(false), |v| ev.truth(v))?;
    let how = args.get("list_merge").map_or(Ok("replace".to_owned()), |v| ev.text(v))?;
    let (index, more) = match (args.pos.split_last(), args.get("index")) {
        (_, Some(index)) => (index.clone(), args.pos.clone()),
        (Some((index, more)), None) => (index.clone(), more.to_vec()),
        (None, None) => return Err(Error::new("At least one list and index are needed.")),
    };
    let all = Val::list(std::iter::once(input).chain(more).collect());
    let all = flattened(ev, &all, 1)?;
    let (key, name) = (index.to_key()?, ev.text(&index)?);
    let mut out: IndexMap<Key, Val> = IndexMap::new();
    for item in flattened(ev, &Val::list(all), i64::MAX)? {
        let Val::Map(map) = &item else {
            return Err(Error::new(format!(
                "Elements of list arguments for lists_mergeby must be dictionaries. {} is {}.",
                ev.text(&item)?,
                item.type_name()
            )));
        };
        // A dict that has no such key is left out.
        let Some(found) = map.get(ev, &key)? else { continue };
        let id = found.to_key().map_err(|e| e.hint(format!("`{name}` must be a name or number")))?;
        let next = match out.get(&id) {
            Some(old) => merged(ev, &old.clone(), &item, recursive, &how)?,
            None => item,
        };
        out.insert(id, next);
    }
    let rows = out.into_iter().map(|(k, v)| (Val::of_key(&k), v)).collect();
    ev.sorted_by_key(rows, false).map(Val::list)
}

/// A set operation over any number of lists, from the left.
fn lists(ev: &mut Eval, input: Val, args: &Args, what: Set) -> R<Val> {
    let flat = args.get("flatten").map_or(Ok(false), |v| ev.truth(v))?;
    let mut all = vec![input];
    all.extend(args.pos.iter().cloned());
    if flat {
        all = match <[Val; 1]>::try_from(all) {
            Ok([one]) => ev.iterate(&one)?,
            Err(many) => many,
        };
    }
    if let Some(other) = all.iter().find(|v| !matches!(v, Val::List(_))) {
        return Err(Error::new(format!("All arguments must be lists, {} is {}", ev.text(other)?, other.type_name())));
    }
    let mut lists = all.into_iter();
    let first = lists.next().unwrap_or_else(|| Val::list(Vec::new()));
    let mut out = sets(ev, &first, &Val::list(Vec::new()), Set::Union)?;
    for next in lists {
        out = sets(ev, &out, &next, what)?;
    }
    Ok(out)
}

/// Whether a key is meant by one of the targets.
fn meant(key: &str, targets: &[String], how: &str) -> R<Option<usize>> {
    for (i, target) in targets.iter().enumerate() {
        let hit = match how {
            "equal" => key == target,
            "starts_with" => key.starts_with(target),
            "ends_with" => key.ends_with(target),
            "regex" => regex::first(&regex::compile(&format!("\\A(?:{target})"), false, false)?, key)?.is_some(),
            other => return Err(Error::new(format!("The matching_parameter '{other}' is unknown"))),
        };
        if hit {
            return Ok(Some(i));
        }
    }
    Ok(None)
}

fn how(ev: &mut Eval, args: &Args) -> R<String> {
    args.str(ev, "matching_parameter", "equal")
}

fn by_keys(ev: &mut Eval, input: &Val, args: &Args, keep: bool) -> R<Val> {
    let how = how(ev, args)?;
    let targets = match args.need("target")? {
        list @ Val::List(_) => ev.iterate(&list.clone())?.iter().map(|v| ev.text(v)).collect::<R<Vec<_>>>()?,
        one => vec![ev.text(&one.clone())?],
    };
    each(ev, input, |key| Ok((meant(key, &targets, &how)?.is_some() == keep).then(|| key.to_owned())))
}

/// Each dict of a list with its keys as `rename` says, or without them.
fn each(ev: &mut Eval, input: &Val, rename: impl Fn(&str) -> R<Option<String>>) -> R<Val> {
    let mut out = Vec::new();
    for item in ev.iterate(input)? {
        let Val::Map(map) = &item else {
            return Err(Error::new(format!("The elements of the list must be dictionaries, got {}", item.type_name())));
        };
        let mut kept = IndexMap::new();
        for (key, value) in map.all(ev)? {
            match rename(&key.to_string())? {
                Some(name) if name == key.to_string() => drop(kept.insert(key, value)),
                Some(name) => drop(kept.insert(Key::from(name.as_str()), value)),
                None => {}
            }
        }
        out.push(Val::map(kept));
    }
    Ok(Val::list(out))
}

fn replace_keys(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let how = how(ev, args)?;
    let targets = args.need("target")?.clone();
    let targets = if matches!(targets, Val::Map(_)) { vec![targets] } else { ev.iterate(&targets)? };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for target in &targets {
        for (name, to) in [("before", &mut before), ("after", &mut after)] {
            let found = ev.attr(target, name, crate::template::ir::Span::default())?.defined()?;
            to.push(ev.text(&found)?);
        }
    }
    each(ev, &input, |key| {
        let at = meant(key, &before, &how)?;
        Ok(Some(at.and_then(|i| after.get(i)).map_or_else(|| key.to_owned(), Clone::clone)))
    })
}
