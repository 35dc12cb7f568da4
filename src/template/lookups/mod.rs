//! Lookups: the table of their names, how they are called, and those that only turn lists.

mod acting;
mod config;
mod files;
mod lists;
mod options;
mod rows;
mod tables;

use super::error::Error;
use super::eval::Eval;
use super::filters::short;
use super::value::{Args, R, Val};
use crate::model::Text;

pub(super) type Run = fn(&mut Eval, &Args) -> R<Vec<Val>>;

const LOOKUPS: &[(&str, Run)] = &[
    ("env", env),
    ("vars", vars),
    ("varnames", varnames),
    ("file", files::file),
    ("unvault", files::unvault),
    ("template", files::template),
    ("first_found", files::first_found),
    ("fileglob", files::fileglob),
    ("pipe", acting::pipe),
    ("lines", acting::lines),
    ("password", acting::password),
    ("url", acting::url),
    ("config", config::config),
    ("ini", tables::ini),
    ("csvfile", tables::csvfile),
    ("items", lists::items),
    ("list", |_, a| Ok(a.pos.clone())),
    ("dict", lists::dict),
    ("flattened", lists::flattened),
    ("sequence", rows::sequence),
    ("indexed_items", lists::indexed_items),
    ("nested", lists::nested),
    ("cartesian", lists::nested),
    ("together", lists::together),
    ("subelements", rows::subelements),
    ("random_choice", lists::random_choice),
    ("inventory_hostnames", rows::inventory_hostnames),
];

/// The lookup of that name, short or full.
pub(super) fn find(name: &str) -> Option<Run> {
    LOOKUPS.iter().find(|(n, _)| *n == short(name)).map(|(_, run)| *run)
}

/// All short names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    LOOKUPS.iter().map(|(n, _)| *n)
}

/// `lookup(name, …)` and `query(name, …)`.
pub(super) fn call(ev: &mut Eval, args: &Args, query: bool) -> R<Val> {
    let name = args.str(ev, 0, "name", "")?;
    let run = find(&name).ok_or_else(|| Error::no_such("lookup", &name, names()))?;
    let mut inner = Args { pos: args.pos.iter().skip(1).cloned().collect(), kw: args.kw.clone() };
    let mut take = |what: &str| inner.kw.iter().position(|(k, _)| &**k == what).map(|i| inner.kw.remove(i).1);
    let errors = take("errors");
    let wantlist = match take("wantlist") {
        Some(v) => ev.truth(&v)?,
        None => query,
    };
    let errors = errors.map_or(Ok("strict".to_owned()), |v| ev.text(&v))?;
    let found = match run(ev, &inner) {
        Ok(found) => found,
        Err(e) if e.unknown().is_some() || !matches!(errors.as_str(), "ignore" | "warn") => {
            return Err(e.in_plugin("lookup", &name));
        }
        Err(_) if wantlist => Vec::new(),
        Err(_) => return Ok(Val::Null),
    };
    if wantlist {
        return Ok(Val::list(found));
    }
    if found.is_empty() {
        return Ok(Val::list(found));
    }
    let texts = found.iter().all(|v| matches!(v, Val::Str(_)));
    match <[Val; 1]>::try_from(found) {
        Ok([one]) => Ok(one),
        Err(many) if texts => {
            let parts: Vec<&str> = many.iter().filter_map(Val::as_str).collect();
            Ok(Val::str(parts.join(",")))
        }
        Err(many) => Ok(Val::list(many)),
    }
}

pub(super) fn terms(ev: &mut Eval, args: &Args) -> R<Vec<String>> {
    args.pos.iter().map(|v| ev.text(v)).collect()
}

fn env(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let default = args.named("default").cloned();
    let mut out = Vec::new();
    for term in terms(ev, args)? {
        let name = term.split_whitespace().next().unwrap_or_default().to_owned();
        out.push(match (ev.engine.outside.env(&name), &default) {
            (Some(found), _) => Val::str(found),
            (None, Some(default)) => default.clone(),
            (None, None) => Val::str(""),
        });
    }
    Ok(out)
}

fn vars(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let default = args.named("default").cloned();
    let mut out = Vec::new();
    for term in &args.pos {
        let Val::Str(name) = term else {
            return Err(Error::new(format!("Variable name must be 'str' not '{}'.", term.type_name())));
        };
        let name = name.as_str().to_owned();
        let scope = std::sync::Arc::clone(&ev.scope);
        let found = match ev.frames.iter().rev().find_map(|f| f.get(&name)) {
            Some(found) => Some(found),
            None => scope.find(ev, &name)?,
        };
        out.push(match (found, &default) {
            (Some(found), _) => found,
            (None, Some(default)) => default.clone(),
            (None, None) => return Err(super::scope::undefined(&scope, &name)),
        });
    }
    Ok(out)
}

fn varnames(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let mut out = Vec::new();
    let names = ev.scope.vars.names();
    for term in &args.pos {
        let Val::Str(pattern) = term else {
            let (shown, kind) = (ev.text(term)?, term.type_name());
            return Err(Error::new(format!(
                "Invalid setting identifier, \"{shown}\" is not a string, it is a <class '{kind}'>"
            )));
        };
        let regex = super::regex::compile(pattern, false, false)
            .map_err(|e| Error::new(format!("Unable to use \"{}\" as a search parameter: {e}", pattern.as_str())))?;
        for name in &names {
            if super::regex::first(&regex, name)?.is_some() {
                out.push(Val::str(name.as_str()));
            }
        }
    }
    Ok(out)
}

/// Text that came from a file: data, not a template.
pub(super) fn plain(text: impl Into<std::sync::Arc<str>>) -> Val {
    Val::Str(Text::new(text))
}
