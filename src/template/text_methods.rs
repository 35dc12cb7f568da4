//! Python's methods of str.

use super::error::Error;
use super::eval::Eval;
use super::value::{Args, R, Val};
use crate::model::{Key, Text};

/// The methods, with what they take.
pub(super) const STRING: &[(&str, &str)] = &[
    ("upper", ""),
    ("lower", ""),
    ("casefold", ""),
    ("capitalize", ""),
    ("title", ""),
    ("swapcase", ""),
    ("isnumeric", ""),
    ("isdecimal", ""),
    ("isdigit", ""),
    ("isalpha", ""),
    ("isalnum", ""),
    ("isspace", ""),
    ("istitle", ""),
    ("isidentifier", ""),
    ("isprintable", ""),
    ("isascii", ""),
    ("islower", ""),
    ("isupper", ""),
    ("strip", "chars? /"),
    ("lstrip", "chars? /"),
    ("rstrip", "chars? /"),
    ("split", "sep? maxsplit?"),
    ("rsplit", "sep? maxsplit?"),
    ("splitlines", "keepends?"),
    ("format", "*args **"),
    ("zfill", "width /"),
    ("ljust", "width fillchar? /"),
    ("rjust", "width fillchar? /"),
    ("center", "width fillchar? /"),
    ("removeprefix", "prefix /"),
    ("removesuffix", "suffix /"),
    ("encode", "encoding? errors?"),
    ("decode", "encoding? errors?"),
    ("expandtabs", "tabsize?"),
    ("translate", "table /"),
    ("partition", "sep /"),
    ("rpartition", "sep /"),
    ("replace", "old new count? /"),
    ("startswith", "prefix start? end? /"),
    ("endswith", "prefix start? end? /"),
    ("find", "sub start? end? /"),
    ("rfind", "sub start? end? /"),
    ("index", "sub start? end? /"),
    ("rindex", "sub start? end? /"),
    ("count", "sub start? end? /"),
    ("join", "iterable /"),
];

pub(super) fn string(ev: &mut Eval, s: &Text, name: &str, args: &Args) -> R<Option<Val>> {
    if let Some(done) = cases(s, name) {
        return Ok(Some(done));
    }
    if let Some(done) = parts(ev, s, name, args)? {
        return Ok(Some(done));
    }
    let arg = |ev: &mut Eval, what: &str| args.need(what).and_then(|v| ev.text(v));
    Ok(Some(match name {
        "strip" | "lstrip" | "rstrip" => {
            let given = match args.get("chars") {
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
        "split" | "rsplit" if optional(ev, args, "sep")?.is_some_and(|sep| sep.is_empty()) => {
            return Err(Error::new("empty separator"));
        }
        "split" => Val::strs(split(s, optional(ev, args, "sep")?.as_deref(), args.int("maxsplit", -1)?, false)),
        "rsplit" => Val::strs(split(s, optional(ev, args, "sep")?.as_deref(), args.int("maxsplit", -1)?, true)),
        "splitlines" => Val::strs(lines(s, args.bool(ev, "keepends", false)?)),
        "format" => Val::str(super::pyformat::braces(ev, s, args)?),
        "zfill" | "ljust" | "rjust" | "center" => Val::str(pad(ev, s, name, args)?),
        "removeprefix" => Val::str(s.strip_prefix(&*arg(ev, "prefix")?).unwrap_or(s)),
        "removesuffix" => Val::str(s.strip_suffix(&*arg(ev, "suffix")?).unwrap_or(s)),
        "encode" | "decode" => Val::Str(s.clone()),
        "expandtabs" => Val::str(expandtabs(s, usize::try_from(args.int("tabsize", 8)?).unwrap_or(0))),
        "translate" => Val::str(translate(ev, s, args.need("table")?)?),
        _ => return Ok(None),
    }))
}

/// Methods that look for a part of the text.
fn parts(ev: &mut Eval, s: &Text, name: &str, args: &Args) -> R<Option<Val>> {
    let arg = |ev: &mut Eval, what: &str| args.need(what).and_then(|v| ev.text(v));
    Ok(Some(match name {
        "partition" | "rpartition" => {
            let sep = arg(ev, "sep")?;
            let cut = if name == "partition" { s.split_once(&*sep) } else { s.rsplit_once(&*sep) };
            let parts = match cut {
                Some((a, b)) => [a, &sep, b],
                None if name == "partition" => [s.as_str(), "", ""],
                None => ["", "", s.as_str()],
            };
            Val::tuple(parts.into_iter().map(Val::str).collect())
        }
        "replace" => {
            let (old, new) = (arg(ev, "old")?, arg(ev, "new")?);
            Val::str(match usize::try_from(args.int("count", -1)?) {
                Ok(count) => s.replacen(&old, &new, count),
                Err(_) => s.replace(&old, &new),
            })
        }
        "startswith" | "endswith" => {
            let fixes = match args.need("prefix")? {
                Val::List(l) => l.all(ev)?,
                one => vec![one.clone()],
            };
            let s = &*part_of(s, args)?;
            let hit = |f: &Val| {
                f.as_str().is_some_and(|f| if name == "startswith" { s.starts_with(f) } else { s.ends_with(f) })
            };
            Val::Bool(fixes.iter().any(hit))
        }
        "find" | "rfind" | "index" | "rindex" => {
            let part = arg(ev, "sub")?;
            match find(s, &part, name, args)? {
                Some(at) => Val::Int(at as i128),
                None if name.ends_with("index") => return Err(Error::new("substring not found")),
                None => Val::Int(-1),
            }
        }
        "count" => {
            let part = arg(ev, "sub")?;
            Val::Int(part_of(s, args)?.matches(&*part).count() as i128)
        }
        "join" => {
            let items = ev.iterate(args.need("iterable")?)?;
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

/// Where a part of the text is, in characters.
fn find(whole: &str, part: &str, name: &str, args: &Args) -> R<Option<usize>> {
    let s = &*part_of(whole, args)?;
    let skipped = bounds(whole, args)?.0;
    let at = if name.starts_with('r') { s.rfind(part) } else { s.find(part) };
    Ok(at.and_then(|i| s.get(..i)).map(|before| skipped + before.chars().count()))
}

/// The part between the second and the third argument, as Python's methods take it.
fn part_of<'s>(s: &'s str, args: &Args) -> R<std::borrow::Cow<'s, str>> {
    if args.get("start").is_none() {
        return Ok(s.into());
    }
    let (from, to) = bounds(s, args)?;
    Ok(s.chars().skip(from).take(to.saturating_sub(from)).collect::<String>().into())
}

/// Where that part begins and ends, in characters.
fn bounds(s: &str, args: &Args) -> R<(usize, usize)> {
    let len = i64::try_from(s.chars().count()).unwrap_or(i64::MAX);
    let clamp = |at: i64| usize::try_from(if at < 0 { (at + len).max(0) } else { at.min(len) }).unwrap_or(0);
    Ok((clamp(args.int("start", 0)?), clamp(args.int("end", len)?)))
}

fn expandtabs(s: &str, size: usize) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for c in s.chars() {
        match c {
            '\t' if size > 0 => {
                let blanks = size.min(1000) - column % size.min(1000);
                out.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            '\t' => {}
            c => {
                out.push(c);
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    out
}

/// `str.translate` with a dict of code points.
fn translate(ev: &mut Eval, s: &str, table: &Val) -> R<String> {
    let Val::Map(table) = table else { return Err(Error::new("translate() needs a dict")) };
    let mut out = String::new();
    for c in s.chars() {
        match table.get(ev, &Key::Int(i64::from(u32::from(c))))? {
            None => out.push(c),
            Some(Val::Null) => {}
            Some(Val::Int(code)) => out.extend(u32::try_from(code).ok().and_then(char::from_u32)),
            Some(other) => out.push_str(&ev.text(&other)?),
        }
    }
    Ok(out)
}

fn optional(ev: &mut Eval, args: &Args, name: &str) -> R<Option<String>> {
    match args.get(name) {
        None | Some(Val::Null) => Ok(None),
        Some(v) => ev.text(v).map(Some),
    }
}

fn of_kind(s: &str, pattern: &str) -> Val {
    Val::Bool(fancy_regex::Regex::new(pattern).is_ok_and(|regex| regex.is_match(s).unwrap_or(false)))
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
        "isnumeric" => all(char::is_numeric),
        "isdecimal" => of_kind(s, r"\A\p{Nd}+\z"),
        "isdigit" => of_kind(s, r"\A[\p{Nd}²³¹⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒]+\z"),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isspace" => all(char::is_whitespace),
        "istitle" => Val::Bool(s.chars().any(char::is_alphabetic) && title(s) == *s),
        "isidentifier" => Val::Bool(
            s.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && s.chars().all(|c| c.is_alphanumeric() || c == '_'),
        ),
        "isprintable" => Val::Bool(!s.chars().any(char::is_control)),
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
            // Only where it is split are blanks dropped.
            let mut rest = if from_end { s.trim_end() } else { s.trim_start() };
            while !rest.is_empty() && parts.len() < n {
                let cut = if from_end {
                    rest.rsplit_once(char::is_whitespace).map(|(a, b)| (b, a))
                } else {
                    rest.split_once(char::is_whitespace)
                };
                let Some((part, more)) = cut else { break };
                parts.push(part);
                rest = if from_end { more.trim_end() } else { more.trim_start() };
            }
            parts.extend(Some(rest).filter(|r| !r.trim().is_empty()));
            if from_end {
                parts.reverse();
            }
            own(parts)
        }
    }
}

/// `str.splitlines`: whatever ends a line for Python.
pub(super) fn lines(s: &str, keep: bool) -> Vec<String> {
    let mut out = Vec::new();
    let mut line = String::new();
    let mut chars = s.chars().peekable();
    while let Some(c) = chars.next() {
        let ends =
            matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}');
        if !ends {
            line.push(c);
            continue;
        }
        if keep {
            line.push(c);
        }
        if c == '\r' && chars.next_if_eq(&'\n').is_some() && keep {
            line.push('\n');
        }
        out.push(std::mem::take(&mut line));
    }
    out.extend(Some(line).filter(|l| !l.is_empty()));
    out
}

fn pad(ev: &mut Eval, s: &str, name: &str, args: &Args) -> R<String> {
    let width = usize::try_from(args.int("width", 0)?).unwrap_or(0).min(1 << 20);
    let missing = width.saturating_sub(s.chars().count());
    let fill = if name == "zfill" { "0".to_owned() } else { args.str(ev, "fillchar", " ")? };
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
