//! Python's methods of str, list and dict.

use indexmap::IndexMap;

use super::error::Error;
use super::eval::Eval;
use super::value::{Args, Dict, List, R, Val};
use crate::model::{Key, Text};

/// The result of `of.name(args)`; `None` where the type has no such method.
pub(super) fn call(ev: &mut Eval, of: &Val, name: &str, args: &Args) -> R<Option<Val>> {
    let known = match of {
        Val::Object(o) => {
            if let Some(found) = o.method(ev, name, args)? {
                return Ok(Some(found));
            }
            if !o.is_map() {
                return Ok(None);
            }
            return object_map(ev, of, name, args);
        }
        Val::Str(_) => true,
        Val::List(_) => matches!(
            name,
            "append"
                | "extend"
                | "insert"
                | "pop"
                | "remove"
                | "index"
                | "count"
                | "sort"
                | "reverse"
                | "copy"
                | "clear"
        ),
        Val::Map(_) => matches!(
            name,
            "get" | "keys" | "values" | "items" | "update" | "pop" | "setdefault" | "copy" | "clear" | "popitem"
        ),
        _ => false,
    };
    if !known {
        return Ok(None);
    }
    if let Some(e) = args.undefined() {
        return Err((**e).clone());
    }
    match of {
        Val::Str(text) => string(ev, text, name, args),
        Val::List(l) => list(ev, l, name, args).map(Some),
        Val::Map(m) => dict(ev, m, name, args).map(Some),
        _ => Ok(None),
    }
}

fn object_map(ev: &mut Eval, of: &Val, name: &str, args: &Args) -> R<Option<Val>> {
    let keys = ev.iterate(of)?;
    let default = super::ir::Span::default();
    Ok(Some(match name {
        "keys" => Val::list(keys),
        "get" => {
            let found = ev.item(of, args.need(0, "key")?, default)?;
            if found.is_undefined() { args.get(1, "default").cloned().unwrap_or(Val::Null) } else { found }
        }
        "values" => Val::list(keys.iter().map(|k| ev.item(of, k, default)).collect::<R<_>>()?),
        "items" => {
            let pairs = keys.into_iter().map(|k| Ok(Val::tuple(vec![k.clone(), ev.item(of, &k, default)?])));
            Val::list(pairs.collect::<R<_>>()?)
        }
        _ => return Ok(None),
    }))
}

fn list(ev: &mut Eval, l: &List, name: &str, args: &Args) -> R<Val> {
    let arg = || args.need(0, "value").cloned();
    match name {
        "append" => {
            let value = arg()?;
            l.change(ev, |v| v.push(value))?;
        }
        "extend" => {
            let more = ev.iterate(&arg()?)?;
            l.change(ev, |v| v.extend(more))?;
        }
        "insert" => {
            let (at, value) = (args.int(0, "index", 0)?, args.need(1, "object")?.clone());
            l.change(ev, |v| v.insert(clamp(at, v.len()), value))?;
        }
        "pop" => {
            let at = args.int(0, "index", -1)?;
            return l
                .change(ev, |v| {
                    let at = clamp(at, v.len());
                    (at < v.len()).then(|| v.remove(at))
                })?
                .ok_or_else(|| Error::new("pop index out of range"));
        }
        "remove" => {
            let at = position(ev, l, &arg()?)?.ok_or_else(|| Error::new("list.remove(x): x not in list"))?;
            l.change(ev, |v| v.remove(at))?;
        }
        "index" => {
            let wanted = arg()?;
            let at = position(ev, l, &wanted)?;
            let shown = ev.repr(&wanted)?;
            return at.map(|i| Val::Int(i as i128)).ok_or_else(|| Error::new(format!("{shown} is not in list")));
        }
        "count" => {
            let wanted = arg()?;
            let mut count = 0;
            for item in l.all(ev)? {
                count += i128::from(ev.equal(&item, &wanted)?);
            }
            return Ok(Val::Int(count));
        }
        "sort" => {
            let reverse = args.named("reverse").map_or(Ok(false), |v| ev.truth(v))?;
            let items = l.all(ev)?;
            let sorted = ev.sorted(items, reverse)?;
            l.change(ev, |v| *v = sorted)?;
        }
        "reverse" => l.change(ev, |v| v.reverse())?,
        "copy" => return Ok(Val::list(l.all(ev)?)),
        _ => l.change(ev, Vec::clear)?,
    }
    Ok(Val::Null)
}

fn clamp(at: i64, len: usize) -> usize {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    usize::try_from(if at < 0 { at.saturating_add(len).max(0) } else { at.min(len) }).unwrap_or(0)
}

fn position(ev: &mut Eval, l: &List, wanted: &Val) -> R<Option<usize>> {
    for (i, item) in l.all(ev)?.iter().enumerate() {
        if ev.equal(item, wanted)? {
            return Ok(Some(i));
        }
    }
    Ok(None)
}

impl Eval {
    /// The pairs that `dict()` and `dict.update()` take.
    pub fn pairs(&mut self, args: &Args) -> R<IndexMap<Key, Val>> {
        let mut out = IndexMap::new();
        match args.pos.first() {
            None => {}
            Some(Val::Map(m)) => out = m.all(self)?,
            Some(other) => {
                for pair in self.iterate(other)? {
                    let [key, value] = <[Val; 2]>::try_from(self.iterate(&pair)?)
                        .map_err(|_| Error::new("dictionary update sequence element has not length 2"))?;
                    out.insert(key.to_key()?, value);
                }
            }
        }
        out.extend(args.kw.iter().map(|(k, v)| (Key::Str(std::sync::Arc::clone(k)), v.clone())));
        Ok(out)
    }
}

fn dict(ev: &mut Eval, m: &Dict, name: &str, args: &Args) -> R<Val> {
    let key = || args.need(0, "key")?.to_key();
    let default = args.get(1, "default").cloned();
    Ok(match name {
        "get" => m.get(ev, &key()?)?.unwrap_or_else(|| default.unwrap_or(Val::Null)),
        "keys" => Val::list(m.keys().iter().map(Val::of_key).collect()),
        "values" => Val::list(m.all(ev)?.into_values().collect()),
        "items" => Val::list(m.all(ev)?.into_iter().map(|(k, v)| Val::tuple(vec![Val::of_key(&k), v])).collect()),
        "update" => {
            let more = ev.pairs(args)?;
            m.change(ev, |d| d.extend(more))?;
            Val::Null
        }
        "pop" => {
            let key = key()?;
            match m.change(ev, |d| d.shift_remove(&key))?.or(default) {
                Some(found) => found,
                None => return Err(Error::new(ev.repr(&Val::of_key(&key))?)),
            }
        }
        "popitem" => {
            let last = m.change(ev, IndexMap::pop)?;
            let (k, v) = last.ok_or_else(|| Error::new("popitem(): dictionary is empty"))?;
            Val::tuple(vec![Val::of_key(&k), v])
        }
        "setdefault" => {
            let key = key()?;
            match m.get(ev, &key)? {
                Some(found) => found,
                None => {
                    let value = default.unwrap_or(Val::Null);
                    m.change(ev, |d| d.insert(key, value.clone()))?;
                    value
                }
            }
        }
        "copy" => Val::map(m.all(ev)?),
        _ => {
            m.change(ev, IndexMap::clear)?;
            Val::Null
        }
    })
}

fn string(ev: &mut Eval, s: &Text, name: &str, args: &Args) -> R<Option<Val>> {
    if let Some(done) = cases(s, name) {
        return Ok(Some(done));
    }
    if let Some(done) = parts(ev, s, name, args)? {
        return Ok(Some(done));
    }
    let arg = |ev: &mut Eval, i: usize, what: &str| args.need(i, what).and_then(|v| ev.text(v));
    Ok(Some(match name {
        "strip" | "lstrip" | "rstrip" => {
            let given = match args.get(0, "chars") {
                None | Some(Val::Null) => None,
                Some(v) => Some(ev.text(v)?),
            };
            let cut = |c: char| given.as_ref().map_or(c.is_whitespace(), |set| set.contains(c));
            Val::str(match name {
                "strip" => s.trim_matches(cut),
                "lstrip" => s.trim_start_matches(cut),
                _ => s.trim_end_matches(cut),
            })
        }
        "split" => Val::strs(split(s, optional(ev, args, 0, "sep")?.as_deref(), args.int(1, "maxsplit", -1)?, false)),
        "rsplit" => Val::strs(split(s, optional(ev, args, 0, "sep")?.as_deref(), args.int(1, "maxsplit", -1)?, true)),
        "splitlines" => Val::strs(lines(s, args.bool(ev, 0, "keepends", false)?)),
        "format" => Val::str(super::pyformat::braces(ev, s, args)?),
        "zfill" | "ljust" | "rjust" | "center" => Val::str(pad(ev, s, name, args)?),
        "removeprefix" => Val::str(s.strip_prefix(&*arg(ev, 0, "prefix")?).unwrap_or(s)),
        "removesuffix" => Val::str(s.strip_suffix(&*arg(ev, 0, "suffix")?).unwrap_or(s)),
        "encode" | "decode" => Val::Str(s.clone()),
        _ => return Ok(None),
    }))
}

/// Methods that look for a part of the text.
fn parts(ev: &mut Eval, s: &Text, name: &str, args: &Args) -> R<Option<Val>> {
    let arg = |ev: &mut Eval, i: usize, what: &str| args.need(i, what).and_then(|v| ev.text(v));
    Ok(Some(match name {
        "partition" | "rpartition" => {
            let sep = arg(ev, 0, "sep")?;
            let cut = if name == "partition" { s.split_once(&*sep) } else { s.rsplit_once(&*sep) };
            let parts = match cut {
                Some((a, b)) => [a, &sep, b],
                None if name == "partition" => [s.as_str(), "", ""],
                None => ["", "", s.as_str()],
            };
            Val::tuple(parts.into_iter().map(Val::str).collect())
        }
        "replace" => {
            let (old, new) = (arg(ev, 0, "old")?, arg(ev, 1, "new")?);
            Val::str(match usize::try_from(args.int(2, "count", -1)?) {
                Ok(count) => s.replacen(&old, &new, count),
                Err(_) => s.replace(&old, &new),
            })
        }
        "startswith" | "endswith" => {
            let fixes = match args.need(0, "prefix")? {
                Val::List(l) => l.all(ev)?,
                one => vec![one.clone()],
            };
            let hit = |f: &Val| {
                f.as_str().is_some_and(|f| if name == "startswith" { s.starts_with(f) } else { s.ends_with(f) })
            };
            Val::Bool(fixes.iter().any(hit))
        }
        "find" | "rfind" | "index" | "rindex" => {
            let part = arg(ev, 0, "sub")?;
            let at = if name.starts_with('r') { s.rfind(&*part) } else { s.find(&*part) };
            match at.and_then(|i| s.get(..i)) {
                Some(before) => Val::Int(before.chars().count() as i128),
                None if name.ends_with("index") => return Err(Error::new("substring not found")),
                None => Val::Int(-1),
            }
        }
        "count" => Val::Int(s.matches(&*arg(ev, 0, "sub")?).count() as i128),
        "join" => {
            let items = ev.iterate(args.need(0, "iterable")?)?;
            let mut parts = Vec::new();
            for (i, item) in items.iter().enumerate() {
                let part = item.as_str().ok_or_else(|| {
                    Error::new(format!("sequence item {i}: expected str instance, {} found", item.type_name()))
                })?;
                parts.push(part.to_owned());
            }
            Val::str(parts.join(s))
        }
        _ => return Ok(None),
    }))
}

fn optional(ev: &mut Eval, args: &Args, at: usize, name: &str) -> R<Option<String>> {
    match args.get(at, name) {
        None | Some(Val::Null) => Ok(None),
        Some(v) => ev.text(v).map(Some),
    }
}

fn cases(s: &str, name: &str) -> Option<Val> {
    let all = |f: fn(char) -> bool| Val::Bool(!s.is_empty() && s.chars().all(f));
    let cased = |yes: fn(char) -> bool, no: fn(char) -> bool| Val::Bool(s.chars().any(yes) && !s.chars().any(no));
    Some(match name {
        "upper" => Val::str(s.to_uppercase()),
        "lower" | "casefold" => Val::str(s.to_lowercase()),
        "capitalize" => Val::str(capitalize(s)),
        "title" => Val::str(title(s)),
        "swapcase" => Val::str(
            s.chars()
                .map(|c| if c.is_uppercase() { c.to_lowercase().to_string() } else { c.to_uppercase().to_string() })
                .collect::<String>(),
        ),
        "isdigit" | "isnumeric" | "isdecimal" => all(char::is_numeric),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isspace" => all(char::is_whitespace),
        "isascii" => Val::Bool(s.is_ascii()),
        "islower" => cased(char::is_lowercase, char::is_uppercase),
        "isupper" => cased(char::is_uppercase, char::is_lowercase),
        _ => return None,
    })
}

pub(super) fn capitalize(s: &str) -> String {
    let mut chars = s.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect())
}

/// `str.title`: a letter after what is none is upper case.
fn title(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    let mut inside = false;
    for c in s.chars() {
        if inside {
            out.extend(c.to_lowercase())
        } else {
            out.extend(c.to_uppercase())
        }
        inside = c.is_alphabetic();
    }
    out
}

/// `str.split` and `str.rsplit`.
pub(super) fn split(s: &str, sep: Option<&str>, most: i64, from_end: bool) -> Vec<String> {
    let most = usize::try_from(most).ok();
    let own = |parts: Vec<&str>| parts.into_iter().map(str::to_owned).collect();
    match (sep, most) {
        (Some(sep), None) => own(s.split(sep).collect()),
        (Some(sep), Some(n)) if from_end => own(s.rsplitn(n + 1, sep).collect::<Vec<_>>().into_iter().rev().collect()),
        (Some(sep), Some(n)) => own(s.splitn(n + 1, sep).collect()),
        (None, None) => own(s.split_whitespace().collect()),
        (None, Some(n)) => {
            let mut parts = Vec::new();
            let mut rest = s.trim();
            while !rest.is_empty() && parts.len() < n {
                let cut = if from_end {
                    rest.rsplit_once(char::is_whitespace).map(|(a, b)| (b, a))
                } else {
                    rest.split_once(char::is_whitespace)
                };
                let Some((part, more)) = cut else { break };
                parts.push(part);
                rest = more.trim();
            }
            parts.extend(Some(rest).filter(|r| !r.is_empty()));
            if from_end {
                parts.reverse();
            }
            own(parts)
        }
    }
}

fn lines(s: &str, keep: bool) -> Vec<String> {
    s.split_inclusive('\n')
        .map(|l| if keep { l } else { l.strip_suffix("\r\n").or_else(|| l.strip_suffix('\n')).unwrap_or(l) })
        .map(str::to_owned)
        .collect()
}

fn pad(ev: &mut Eval, s: &str, name: &str, args: &Args) -> R<String> {
    let width = usize::try_from(args.int(0, "width", 0)?).unwrap_or(0).min(1 << 20);
    let missing = width.saturating_sub(s.chars().count());
    let fill = if name == "zfill" { "0".to_owned() } else { args.str(ev, 1, "fillchar", " ")? };
    Ok(match name {
        "zfill" => match s.strip_prefix(['-', '+']) {
            Some(rest) => format!("{}{}{rest}", s.get(..1).unwrap_or_default(), fill.repeat(missing)),
            None => fill.repeat(missing) + s,
        },
        "ljust" => s.to_owned() + &fill.repeat(missing),
        "rjust" => fill.repeat(missing) + s,
        _ => {
            let left = missing / 2 + (missing & width & 1);
            format!("{}{s}{}", fill.repeat(left), fill.repeat(missing - left))
        }
    })
}
