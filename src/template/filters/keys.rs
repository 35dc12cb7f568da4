//! `keep_keys`, `remove_keys` and `replace_keys` of `ansible.utils`: keys at any depth.

use indexmap::IndexMap;

use super::Row;
use crate::model::Key;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::ir::Span;
use crate::template::regex;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("keep_keys", "target matching_parameter?", |ev, v, a| {
        let names = Names::of(ev, a)?;
        keep(ev, &v, &names)
    }),
    ("remove_keys", "target matching_parameter?", |ev, v, a| {
        let names = Names::of(ev, a)?;
        remove(ev, &v, &names)
    }),
    ("replace_keys", "target matching_parameter?", |ev, v, a| {
        let names = Names::of(ev, a)?;
        replace(ev, &v, &names)
    }),
];

/// Which keys are meant, and what they become.
struct Names {
    how: String,
    /// The name or pattern, and its replacement.
    list: Vec<(String, String)>,
}

impl Names {
    fn of(ev: &mut Eval, args: &Args) -> R<Self> {
        let how = args.str(ev, "matching_parameter", "equality")?;
        if !matches!(how.as_str(), "equality" | "starts_with" | "ends_with" | "regex") {
            let words = "value of matching_parameter must be one of: starts_with, ends_with, regex, got";
            return Err(Error::new(format!("{words}: {how}")));
        }
        let target = args.get("target").cloned().ok_or_else(|| Error::new("missing required arguments: target"))?;
        let items = if let Val::List(_) = target { ev.iterate(&target)? } else { vec![target] };
        let mut list = Vec::new();
        for item in items {
            list.push(match &item {
                Val::Map(_) => {
                    let mut part = |name: &str| ev.item(&item, &Val::str(name), Span::default())?.defined();
                    let (before, after) = (part("before")?, part("after")?);
                    (ev.text(&before)?, ev.text(&after)?)
                }
                name => (ev.text(name)?, String::new()),
            });
        }
        Ok(Self { how, list })
    }

    /// What the key becomes, when it is meant.
    fn of_key(&self, key: &Key) -> R<Option<&str>> {
        let key = key.to_string();
        for (name, after) in &self.list {
            let hit = match self.how.as_str() {
                "starts_with" => key.starts_with(name.as_str()),
                "ends_with" => key.ends_with(name.as_str()),
                "regex" => {
                    let pattern = regex::compile(&format!("\\A(?:{name})"), false, false)?;
                    regex::first(&pattern, &key)?.is_some()
                }
                _ => key == *name,
            };
            if hit {
                return Ok(Some(after));
            }
        }
        Ok(None)
    }
}

fn is_empty(value: &Val) -> bool {
    match value {
        Val::Map(map) => map.len() == 0,
        Val::List(list) => list.len() == 0,
        _ => false,
    }
}

type Each = fn(&mut Eval, &Val, &Names) -> R<Val>;

/// The items of a list, changed in their turn; what is left empty goes.
fn items(ev: &mut Eval, value: &Val, names: &Names, each: Each) -> R<Val> {
    let mut out = Vec::new();
    for item in ev.iterate(value)? {
        match &item {
            Val::Map(_) | Val::List(_) => {
                let changed = ev.nested(|ev| each(ev, &item, names))?;
                out.extend(Some(changed).filter(|v| !is_empty(v)));
            }
            _ => out.push(item),
        }
    }
    Ok(Val::list(out))
}

fn keep(ev: &mut Eval, value: &Val, names: &Names) -> R<Val> {
    let Val::Map(map) = value else {
        return if let Val::List(_) = value { items(ev, value, names, keep) } else { Ok(value.clone()) };
    };
    let mut out = IndexMap::new();
    for (key, item) in map.all(ev)? {
        let meant = names.of_key(&key)?.is_some();
        match &item {
            // Lists are looked through even where their key is meant.
            Val::List(_) => {
                let left = items(ev, &item, names, keep)?;
                if !is_empty(&left) {
                    out.insert(key, left);
                }
            }
            _ if meant => drop(out.insert(key, item)),
            Val::Map(_) => {
                let left = ev.nested(|ev| keep(ev, &item, names))?;
                if !is_empty(&left) {
                    out.insert(key, left);
                }
            }
            _ => {}
        }
    }
    Ok(Val::map(out))
}

fn remove(ev: &mut Eval, value: &Val, names: &Names) -> R<Val> {
    let Val::Map(map) = value else {
        return if let Val::List(_) = value { items(ev, value, names, remove) } else { Ok(value.clone()) };
    };
    let mut out = IndexMap::new();
    for (key, item) in map.all(ev)? {
        if names.of_key(&key)?.is_none() {
            let left = ev.nested(|ev| remove(ev, &item, names))?;
            out.insert(key, left);
        }
    }
    Ok(Val::map(out))
}

/// Keys that are replaced stand behind the others.
fn replace(ev: &mut Eval, value: &Val, names: &Names) -> R<Val> {
    let Val::Map(map) = value else {
        return if let Val::List(_) = value { items(ev, value, names, replace) } else { Ok(value.clone()) };
    };
    let (mut out, mut renamed) = (IndexMap::new(), IndexMap::new());
    for (key, item) in map.all(ev)? {
        let item = ev.nested(|ev| replace(ev, &item, names))?;
        match names.of_key(&key)? {
            Some(after) => renamed.insert(Key::from(after), item),
            None => out.insert(key, item),
        };
    }
    out.extend(renamed);
    Ok(Val::map(out))
}
