//! `merge_variables`: lists or dicts of many variables made one.

use indexmap::IndexMap;

use super::options::Options;
use crate::model::Key;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::ir::Span;
use crate::template::regex;
use crate::template::value::{Args, R, Val};

pub(super) const OPTIONS: &[&str] = &["groups", "initial_value", "override", "pattern_type"];

/// What is done where a key is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Override {
    Error,
    Warn,
    Ignore,
}

fn choice(ev: &mut Eval, options: &Options, name: &str, choices: &[&str], default: &str) -> R<String> {
    let given = options.str(ev, name, default)?;
    if choices.contains(&given.as_str()) {
        return Ok(given);
    }
    Err(Error::new(format!("Invalid value '{given}' for config '{name}' for 'merge_variables' lookup plugin.")))
}

pub(super) fn merge_variables(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let options = Options::of("merge_variables", args);
    let how = choice(ev, &options, "pattern_type", &["prefix", "suffix", "regex"], "regex")?;
    let clash = match choice(ev, &options, "override", &["error", "warn", "ignore"], "error")?.as_str() {
        "warn" => Override::Warn,
        "ignore" => Override::Ignore,
        _ => Override::Error,
    };
    let places = places(ev, &options)?;
    let mut out = Vec::new();
    for term in super::terms(ev, args)? {
        let mut merged = options.get("initial_value").cloned();
        for vars in &places {
            for name in matching(ev, vars, &term, &how)? {
                let value = ev.item(vars, &Val::str(name.as_str()), Span::default())?.defined()?;
                merged = Some(match merged {
                    None => value,
                    Some(before) => merge(ev, &before, &value, &name, clash)?,
                });
                if !matches!(merged, Some(Val::List(_) | Val::Map(_))) {
                    return Err(Error::new("Not supported type detected, variable must be a list or a dict"));
                }
            }
        }
        out.push(merged.unwrap_or(Val::Null));
    }
    Ok(out)
}

/// Whose variables are looked at: the host's own, or those of the hosts of groups.
fn places(ev: &mut Eval, options: &Options) -> R<Vec<Val>> {
    let Some(groups) = options.get("groups") else { return Ok(vec![ev.variable("vars", Span::default())?.defined()?]) };
    let all = ev.variable("groups", Span::default())?.defined()?;
    let hostvars = ev.variable("hostvars", Span::default())?.defined()?;
    let mut seen = Vec::new();
    for group in ev.iterate(groups)? {
        let hosts = ev.item(&all, &group, Span::default())?;
        if hosts.is_undefined() {
            continue;
        }
        for host in ev.iterate(&hosts)? {
            let host = ev.text(&host)?;
            if !seen.contains(&host) {
                seen.push(host);
            }
        }
    }
    seen.iter().map(|host| ev.item(&hostvars, &Val::str(host.as_str()), Span::default())?.defined()).collect()
}

fn matching(ev: &mut Eval, vars: &Val, pattern: &str, how: &str) -> R<Vec<String>> {
    let regular = if how == "regex" { Some(regex::compile(pattern, false, false)?) } else { None };
    let mut out = Vec::new();
    for name in ev.iterate(vars)? {
        let name = ev.text(&name)?;
        let hit = match &regular {
            Some(regular) => regex::first(regular, &name)?.is_some(),
            None if how == "prefix" => name.starts_with(pattern),
            None => name.ends_with(pattern),
        };
        out.extend(hit.then_some(name));
    }
    out.sort();
    Ok(out)
}

fn merge(ev: &mut Eval, before: &Val, value: &Val, path: &str, clash: Override) -> R<Val> {
    match (before, value) {
        (Val::List(a), Val::List(b)) => {
            let mut all = a.all(ev)?;
            all.extend(b.all(ev)?);
            Ok(Val::list(all))
        }
        (Val::Map(a), Val::Map(b)) => {
            let (mut all, more): (IndexMap<Key, Val>, _) = (a.all(ev)?, b.all(ev)?);
            for (key, value) in more {
                let merged = match all.get(&key).cloned() {
                    None => value,
                    Some(before) => entry(ev, &before, value, &key, path, clash)?,
                };
                all.insert(key, merged);
            }
            Ok(Val::map(all))
        }
        (Val::List(_) | Val::Map(_), Val::List(_) | Val::Map(_)) => {
            Err(Error::new("Unable to merge, not all variables are of the same type"))
        }
        _ => Err(Error::new("Not supported type detected, variable must be a list or a dict")),
    }
}

fn entry(ev: &mut Eval, before: &Val, value: Val, key: &Key, path: &str, clash: Override) -> R<Val> {
    let path = format!("{path}.{key}");
    if matches!((before, &value), (Val::List(_), Val::List(_)) | (Val::Map(_), Val::Map(_))) {
        return ev.nested(|ev| merge(ev, before, &value, &path, clash));
    }
    if clash != Override::Ignore && !ev.equal(before, &value)? {
        let (old, new) = (ev.text(before)?, ev.text(&value)?);
        let words = format!("The key '{key}' with value '{old}' will be overwritten with value '{new}' from '{path}'");
        if clash == Override::Error {
            return Err(Error::new(words));
        }
        ev.warn(words);
    }
    Ok(value)
}
