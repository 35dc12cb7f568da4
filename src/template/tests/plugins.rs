//! Ansible's own tests: task results, patterns, sets, files.

use super::Row;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::regex;
use crate::template::templar::boolean;
use crate::template::value::{Args, R, Val};

pub(super) const TESTS: &[Row] = &[
    ("failed", "", failed),
    ("failure", "", failed),
    ("succeeded", "", |ev, v, a| failed(ev, v, a).map(|f| !f)),
    ("success", "", |ev, v, a| failed(ev, v, a).map(|f| !f)),
    ("successful", "", |ev, v, a| failed(ev, v, a).map(|f| !f)),
    ("changed", "", changed),
    ("change", "", changed),
    ("skipped", "", |ev, v, _| field(ev, v, "skipped", "skipped")),
    ("skip", "", |ev, v, _| field(ev, v, "skip", "skipped")),
    ("unreachable", "", |ev, v, _| field(ev, v, "unreachable", "unreachable")),
    ("reachable", "", |ev, v, _| field(ev, v, "reachable", "unreachable").map(|f| !f)),
    ("timedout", "", |ev, v, _| field(ev, v, "timedout", "timedout")),
    ("started", "", |ev, v, _| background(ev, v, "started")),
    ("finished", "", |ev, v, _| background(ev, v, "finished")),
    ("truthy", "convert_bool?", truthy),
    ("falsy", "convert_bool?", |ev, v, a| truthy(ev, v, a).map(|t| !t)),
    ("match", "pattern? ignorecase? multiline?", |ev, v, a| pattern(ev, v, a, "match")),
    ("search", "pattern? ignorecase? multiline?", |ev, v, a| pattern(ev, v, a, "search")),
    ("regex", "pattern? ignorecase? multiline? match_type?", |ev, v, a| {
        let how = a.str(ev, "match_type", "search")?;
        pattern(ev, v, a, &how)
    }),
    ("contains", "value", |ev, v, a| ev.contains(v, a.need("value")?)),
    ("subset", "b", |ev, v, a| subset(ev, v, a.need("b")?)),
    ("issubset", "b", |ev, v, a| subset(ev, v, a.need("b")?)),
    ("superset", "b", |ev, v, a| subset(ev, a.need("b")?, v)),
    ("issuperset", "b", |ev, v, a| subset(ev, a.need("b")?, v)),
    ("any", "", |ev, v, _| quantified(ev, v, true)),
    ("all", "", |ev, v, _| quantified(ev, v, false)),
    ("file", "", |ev, v, _| kind(ev, v, &["file"])),
    ("is_file", "", |ev, v, _| kind(ev, v, &["file"])),
    ("directory", "", |ev, v, _| kind(ev, v, &["directory"])),
    ("is_dir", "", |ev, v, _| kind(ev, v, &["directory"])),
    ("exists", "", |ev, v, _| kind(ev, v, &["file", "directory", "other"])),
    ("link", "", link),
    ("is_link", "", link),
    ("link_exists", "", |ev, v, a| Ok(link(ev, v, a)? || kind(ev, v, &["file", "directory", "other"])?)),
    ("abs", "", |ev, v, _| Ok(ev.text(v)?.starts_with('/'))),
    ("is_abs", "", |ev, v, _| Ok(ev.text(v)?.starts_with('/'))),
    // As far as that can still be told: it came out of a vault.
    ("vault_encrypted", "", |_, v, _| Ok(matches!(v, Val::Str(t) if t.is_secret() || t.is_encrypted()))),
    ("vaulted_file", "", vaulted_file),
    ("nan", "", nan),
    ("isnan", "", nan),
    ("same_file", "f2", same_file),
    ("is_same_file", "f2", same_file),
    ("mount", "", mount),
    ("is_mount", "", mount),
    ("uri", "schemes?", uri),
    ("urn", "", urn),
    ("url", "schemes?", url),
];

/// Whether a file is encrypted, with whatever key.
fn vaulted_file(ev: &mut Eval, v: &Val, _: &Args) -> R<bool> {
    let (path, shown) = (ev.text(v)?, ev.repr(v)?);
    let found = ev.engine.outside.is_encrypted(&path);
    found.map_err(|why| Error::new(format!("Cannot test if the file {shown} is a vault: {why}")))
}

fn nan(_: &mut Eval, v: &Val, _: &Args) -> R<bool> {
    Ok(matches!(v, Val::Float(f) if f.is_nan()))
}

/// The scheme of a URI, which may be empty, and what follows it.
fn scheme(text: &str) -> (&str, &str) {
    let is_scheme = |s: &str| {
        s.starts_with(|c: char| c.is_ascii_alphabetic())
            && s.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '-'))
    };
    text.split_once(':').filter(|(s, _)| is_scheme(s)).unwrap_or(("", text))
}

/// Nearly any text is a URI; a list of schemes makes it a question.
fn uri(ev: &mut Eval, v: &Val, args: &Args) -> R<bool> {
    let text = ev.text(v)?;
    let (scheme, _) = scheme(&text);
    match args.pos.first().or_else(|| args.get("schemes")) {
        None | Some(Val::Null) => Ok(true),
        Some(schemes) => ev.contains(schemes, &Val::str(scheme.to_lowercase())),
    }
}

/// A URI with a host part.
fn url(ev: &mut Eval, v: &Val, args: &Args) -> R<bool> {
    let text = ev.text(v)?;
    let host = scheme(&text).1.strip_prefix("//").and_then(|rest| rest.split(['/', '?', '#']).next());
    Ok(host.is_some_and(|host| !host.is_empty()) && uri(ev, v, args)?)
}

fn urn(ev: &mut Eval, v: &Val, _: &Args) -> R<bool> {
    Ok(scheme(&ev.text(v)?).0.eq_ignore_ascii_case("urn"))
}

fn same_file(ev: &mut Eval, v: &Val, args: &Args) -> R<bool> {
    let (one, other) = (ev.text(v)?, args.str(ev, "f2", "")?);
    Ok(ev.engine.outside.realpath(&one) == ev.engine.outside.realpath(&other))
}

/// Whether another file system begins at a directory.
fn mount(ev: &mut Eval, v: &Val, _: &Args) -> R<bool> {
    let path = ev.text(v)?;
    Ok(ev.engine.outside.is_mount(&path))
}

fn result_field(ev: &mut Eval, result: &Val, test: &str, name: &str) -> R<Option<Val>> {
    match result {
        Val::Map(map) => map.get(ev, &name.into()),
        _ => Err(Error::new(format!("The '{test}' test expects a dictionary"))),
    }
}

fn field(ev: &mut Eval, result: &Val, test: &str, name: &str) -> R<bool> {
    match result_field(ev, result, test, name)? {
        Some(Val::Int(i)) => Ok(i != 0),
        Some(v) => ev.truth(&v),
        None => Ok(false),
    }
}

/// A task that was not in the background has started and finished, once there is a result of it.
fn background(ev: &mut Eval, result: &Val, name: &str) -> R<bool> {
    if result_field(ev, result, name, name)?.is_some() {
        return field(ev, result, name, name);
    }
    ev.warn(format!("The '{name}' test expects an async task, but a non-async task was tested."));
    Ok(true)
}

fn failed(ev: &mut Eval, result: &Val, _: &Args) -> R<bool> {
    field(ev, result, "failed", "failed")
}

fn changed(ev: &mut Eval, result: &Val, _: &Args) -> R<bool> {
    if result_field(ev, result, "changed", "changed")?.is_some() {
        return field(ev, result, "changed", "changed");
    }
    let Some(Val::List(results)) = result_field(ev, result, "changed", "results")? else { return Ok(false) };
    for one in results.all(ev)? {
        if field(ev, &one, "changed", "changed")? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn truthy(ev: &mut Eval, v: &Val, args: &Args) -> R<bool> {
    if args.bool(ev, "convert_bool", false)?
        && let Val::Str(text) = v
        && let Some(known) = boolean(text)
    {
        return Ok(known);
    }
    ev.truth(v)
}

fn pattern(ev: &mut Eval, v: &Val, args: &Args, how: &str) -> R<bool> {
    let text = ev.text(v)?;
    let pattern = args.str(ev, "pattern", "")?;
    let (ignorecase, multiline) = (args.bool(ev, "ignorecase", false)?, args.bool(ev, "multiline", false)?);
    let pattern = match how {
        "match" => format!("\\A(?:{pattern})"),
        "fullmatch" => format!("\\A(?:{pattern})\\Z"),
        _ => pattern,
    };
    Ok(regex::first(&regex::compile(&pattern, ignorecase, multiline)?, &text)?.is_some())
}

fn subset(ev: &mut Eval, part: &Val, whole: &Val) -> R<bool> {
    let whole = Val::list(ev.iterate(whole)?);
    for item in ev.iterate(part)? {
        if !ev.contains(&whole, &item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn quantified(ev: &mut Eval, v: &Val, wanted: bool) -> R<bool> {
    for item in ev.iterate(v)? {
        if ev.truth(&item)? == wanted {
            return Ok(wanted);
        }
    }
    Ok(!wanted)
}

fn kind(ev: &mut Eval, v: &Val, kinds: &[&str]) -> R<bool> {
    let path = ev.text(v)?;
    Ok(ev.engine.outside.kind(&path).is_some_and(|k| kinds.contains(&k)))
}

fn link(ev: &mut Eval, v: &Val, _: &Args) -> R<bool> {
    let path = ev.text(v)?;
    Ok(ev.engine.outside.is_link(&path))
}
