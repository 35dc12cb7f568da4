//! `sequence`, `subelements` and `inventory_hostnames`.

use super::options::Options;
use crate::model::Key;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::ir::Span;
use crate::template::regex;
use crate::template::value::{Args, R, Val};

pub(super) const SEQUENCE: &[&str] = &["start", "end", "stride", "count", "format"];

/// `start=1 end=5 stride=2 format=%02d`, or `1-5/2:%02d`.
pub(super) fn sequence(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let call = Options::of("sequence", args);
    let mut out = Vec::new();
    let mut texts = super::terms(ev, args)?;
    if texts.is_empty() && !args.kw.is_empty() {
        texts.push(String::new());
    }
    for text in texts {
        let options = call.with(sequence_fields(&text)?);
        out.extend(sequence_of(ev, &options)?);
    }
    Ok(out)
}

fn sequence_fields(text: &str) -> R<Vec<(String, String)>> {
    let text = text.trim();
    if !text.contains('=') {
        let (range, format) = text.split_once(':').map_or((text, None), |(r, f)| (r, Some(f)));
        let (range, stride) = range.split_once('/').map_or((range, None), |(r, s)| (r, Some(s)));
        let dash = range.char_indices().skip(1).find(|(_, c)| *c == '-').map(|(i, _)| i);
        let (start, end) = dash.map_or((None, range), |i| (range.get(..i), range.get(i + 1..).unwrap_or_default()));
        let end = Some(end).filter(|e| !e.is_empty());
        let found = [("start", start), ("end", end), ("stride", stride), ("format", format)];
        return Ok(found.into_iter().filter_map(|(k, v)| v.map(|v| (k.to_owned(), v.to_owned()))).collect());
    }
    let mut out = Vec::new();
    for word in text.split_whitespace() {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        if !SEQUENCE.contains(&name) {
            return Err(Error::new(format!("unrecognized arguments to with_sequence: ['{name}']")));
        }
        out.push((name.to_owned(), value.trim_matches(['"', '\'']).to_owned()));
    }
    Ok(out)
}

fn sequence_of(ev: &mut Eval, options: &Options) -> R<Vec<Val>> {
    let start = options.int(ev, "start")?.unwrap_or(1);
    let stride = options.int(ev, "stride")?.unwrap_or(1);
    let end = match (options.int(ev, "end")?, options.int(ev, "count")?) {
        (Some(end), None) => end,
        (None, Some(0)) => return Ok(Vec::new()),
        (None, Some(count)) => start.saturating_add(count.saturating_mul(stride)).saturating_sub(1),
        (None, None) => return Err(Error::new("must specify count or end in with_sequence")),
        _ => return Err(Error::new("can't specify both count and end in with_sequence")),
    };
    if stride > 0 && end < start {
        return Err(Error::new("to count backwards make stride negative"));
    }
    if stride < 0 && end > start {
        return Err(Error::new("to count forward don't make stride negative"));
    }
    let format = options.str(ev, "format", "%d")?;
    if format.matches('%').count() != 1 {
        return Err(Error::new(format!("bad formatting string: {format}")));
    }
    let mut out = Vec::new();
    let mut at = start;
    while (stride > 0 && at <= end) || (stride < 0 && at >= end) {
        let value = Val::Int(i128::from(at));
        let text = crate::template::pyformat::percent(ev, &format, &value);
        out.push(Val::str(text.map_err(|_| Error::new(format!("problem formatting {at} with '{format}'")))?));
        at = at.saturating_add(stride);
        if out.len() > 1 << 20 {
            return Err(Error::new("the sequence is too long"));
        }
    }
    Ok(out)
}

fn subelements_usage(what: &str) -> Error {
    Error::new(format!("subelements lookup expects a list of two or three items, {what}"))
}

/// Each element, without its list, with each item of that list.
pub(super) fn subelements(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let given = match args.pos.as_slice() {
        [Val::List(list)] => list.all(ev)?,
        many => many.to_vec(),
    };
    let (input, path, flags) = match given.as_slice() {
        [input, path] => (input, path, None),
        [input, path, flags] => (input, path, Some(flags)),
        _ => return Err(subelements_usage("")),
    };
    if !matches!(input, Val::Map(_) | Val::List(_)) || !matches!(path, Val::Str(_)) {
        return Err(subelements_usage("first a dict or a list, second a string pointing to the subkey"));
    }
    let skip = match flags {
        None => args.named("skip_missing").map_or(Ok(false), |v| ev.truth(v))?,
        Some(Val::Map(map)) => match map.get(ev, &"skip_missing".into())? {
            Some(Val::Str(t)) => crate::template::templar::boolean(&t).unwrap_or(false),
            Some(other) => ev.truth(&other)?,
            None => false,
        },
        Some(_) => return Err(subelements_usage("the optional third item must be a dict with flags skip_missing")),
    };
    let elements = match input {
        Val::Map(map) if map.get(ev, &"skipped".into())?.is_some() => return Ok(Vec::new()),
        Val::Map(map) => map.all(ev)?.into_values().collect(),
        other => ev.iterate(other)?,
    };
    let path = ev.text(path)?;
    let mut out = Vec::new();
    for element in elements {
        let Val::Map(map) = &element else {
            let shown = ev.repr(&element)?;
            return Err(Error::new(format!("subelements lookup expects a dictionary, got '{shown}'")));
        };
        if let Some(skipped) = map.get(ev, &"skipped".into())?
            && ev.truth(&skipped)?
        {
            continue;
        }
        let Some(list) = subelement(ev, &element, &path, skip)? else { continue };
        let rest = without(ev, &element, &path)?;
        out.extend(list.into_iter().map(|sub| Val::tuple(vec![rest.clone(), sub])));
    }
    Ok(out)
}

/// The list that a path leads to.
fn subelement(ev: &mut Eval, element: &Val, path: &str, skip: bool) -> R<Option<Vec<Val>>> {
    let mut at = element.clone();
    for step in path.split('.') {
        let Val::Map(map) = &at else {
            if skip {
                return Ok(None);
            }
            let (key, shown) = (step, ev.repr(&at)?);
            return Err(Error::new(format!("the key {key} should point to a dictionary, got '{shown}'")));
        };
        match map.get(ev, &step.into())? {
            Some(next) => at = next,
            None if skip => return Ok(None),
            None => {
                let shown = ev.repr(&at)?;
                return Err(Error::new(format!("could not find '{step}' key in iterated item '{shown}'")));
            }
        }
    }
    match &at {
        Val::List(list) => list.all(ev).map(Some),
        other => {
            let (key, shown) = (path.rsplit('.').next().unwrap_or(path), ev.text(other)?);
            Err(Error::new(format!("the key {key} should point to a list, got '{shown}'")))
        }
    }
}

/// The element without what the path leads to.
fn without(ev: &mut Eval, element: &Val, path: &str) -> R<Val> {
    let Val::Map(map) = element else { return Ok(element.clone()) };
    let mut all = map.all(ev)?;
    match path.split_once('.') {
        None => {
            all.shift_remove(&Key::from(path));
        }
        Some((first, rest)) => {
            if let Some(inner) = all.get(&Key::from(first)).cloned() {
                let inner = without(ev, &inner, rest)?;
                all.insert(Key::from(first), inner);
            }
        }
    }
    Ok(Val::map(all))
}

/// Hosts by patterns: names of hosts and groups, `*`, `~` and a regular expression, `:!` and `:&`.
pub(super) fn inventory_hostnames(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let groups = ev.variable("groups", Span::default())?.defined()?;
    let everyone = ev.item(&groups, &Val::str("all"), Span::default())?.defined()?;
    let everyone = ev.iterate(&everyone)?;
    let mut out: Vec<String> = Vec::new();
    let mut parts: Vec<String> = Vec::new();
    for term in super::terms(ev, args)? {
        parts.extend(term.split([':', ',']).map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned));
    }
    // What adds hosts comes first, then what leaves some, then what takes some away.
    parts.sort_by_key(|p| match p.chars().next() {
        Some('&') => 1,
        Some('!') => 2,
        _ => 0,
    });
    for part in &parts {
        let (op, name) = match part.strip_prefix(['!', '&']) {
            Some(name) => (part.chars().next(), name),
            None => (None, part.as_str()),
        };
        let hosts = hosts_of(ev, name, &groups, &everyone)?;
        match op {
            Some('!') => out.retain(|h| !hosts.contains(h)),
            Some(_) => out.retain(|h| hosts.contains(h)),
            None => {
                let new: Vec<String> = hosts.into_iter().filter(|h| !out.contains(h)).collect();
                out.extend(new);
            }
        }
    }
    Ok(out.into_iter().map(Val::str).collect())
}

fn hosts_of(ev: &mut Eval, name: &str, groups: &Val, everyone: &[Val]) -> R<Vec<String>> {
    let name = if name == "*" { "all" } else { name };
    let pattern = match name.strip_prefix('~') {
        Some(regular) => format!("\\A(?:{regular})"),
        None => shell_pattern(name),
    };
    let pattern = regex::compile(&pattern, false, false)?;
    let mut out: Vec<String> = Vec::new();
    for group in ev.iterate(groups)? {
        let title = ev.text(&group)?;
        if regex::first(&pattern, &title)?.is_some() {
            let members = ev.item(groups, &group, Span::default())?.defined()?;
            for host in ev.iterate(&members)? {
                out.push(ev.text(&host)?);
            }
        }
    }
    for host in everyone {
        let title = ev.text(host)?;
        if regex::first(&pattern, &title)?.is_some() {
            out.push(title);
        }
    }
    let mut seen = std::collections::HashSet::new();
    out.retain(|h| seen.insert(h.clone()));
    Ok(out)
}

/// A shell pattern as a regular expression.
fn shell_pattern(pattern: &str) -> String {
    let mut out = String::from("\\A");
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' if rest.clone().any(|c| c == ']') => {
                out.push('[');
                if rest.next_if_eq(&'!').is_some() {
                    out.push('^');
                }
                for c in rest.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    out + "\\Z"
}
