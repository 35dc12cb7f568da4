//! Paths and URLs, as text.

use indexmap::IndexMap;

use super::Run;
use crate::model::Key;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[(&str, Run)] = &[
    ("basename", |ev, v, _| Ok(Val::str(tail(&ev.text(&v)?, '/').1.to_owned()))),
    ("dirname", |ev, v, _| Ok(Val::str(dirname(&ev.text(&v)?)))),
    ("realpath", |ev, v, _| {
        let path = ev.text(&v)?;
        Ok(Val::str(ev.engine.outside.realpath(&path)))
    }),
    ("expanduser", |ev, v, _| {
        let path = ev.text(&v)?;
        let home = ev.engine.outside.env("HOME");
        Ok(Val::str(match (path.strip_prefix('~'), home) {
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => home + rest,
            _ => path,
        }))
    }),
    ("expandvars", expandvars),
    ("splitext", |ev, v, _| Ok(splitext(&ev.text(&v)?))),
    ("relpath", |ev, v, a| {
        let (path, start) = (ev.text(&v)?, a.str(ev, 0, "start", ".")?);
        let (path, start) = (ev.engine.outside.realpath(&path), ev.engine.outside.realpath(&start));
        Ok(Val::str(relpath(&path, &start)))
    }),
    ("path_join", path_join),
    ("normpath", |ev, v, _| Ok(Val::str(normpath(&ev.text(&v)?)))),
    ("commonpath", commonpath),
    ("win_basename", |ev, v, _| Ok(Val::str(tail(&ev.text(&v)?.replace('/', "\\"), '\\').1.to_owned()))),
    ("win_dirname", |ev, v, _| Ok(Val::str(tail(&ev.text(&v)?, '\\').0.trim_end_matches('\\').to_owned()))),
    ("urlsplit", urlsplit),
    ("urldecode", |ev, v, _| Ok(Val::str(decode(&ev.text(&v)?)))),
    ("urlencode", urlencode),
];

fn tail(path: &str, sep: char) -> (&str, &str) {
    path.rfind(sep).map_or(("", path), |i| path.split_at(i + 1))
}

pub(super) fn dirname(path: &str) -> String {
    let head = tail(path, '/').0;
    let trimmed = head.trim_end_matches('/');
    if trimmed.is_empty() { head.to_owned() } else { trimmed.to_owned() }
}

fn splitext(path: &str) -> Val {
    let base = tail(path, '/').1;
    let stem = base.trim_start_matches('.');
    let dot = stem.rfind('.').map(|i| path.len() - stem.len() + i);
    let (root, ext) = path.split_at(dot.unwrap_or(path.len()));
    Val::tuple(vec![Val::str(root), Val::str(ext)])
}

fn normpath(path: &str) -> String {
    let root = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|p| !p.is_empty() && *p != ".") {
        if part == ".." && parts.last().is_some_and(|p| *p != "..") {
            parts.pop();
        } else if part != ".." || !root {
            parts.push(part);
        }
    }
    let joined = parts.join("/");
    match (root, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}

fn relpath(path: &str, start: &str) -> String {
    let parts =
        |p: &str| normpath(p).split('/').filter(|s| !s.is_empty() && *s != ".").map(str::to_owned).collect::<Vec<_>>();
    let (path, start) = (parts(path), parts(start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let mut out: Vec<String> = vec!["..".to_owned(); start.len() - common];
    out.extend(path.into_iter().skip(common));
    if out.is_empty() { ".".into() } else { out.join("/") }
}

fn path_join(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let parts = match &input {
        Val::Str(_) => vec![input.clone()],
        other => ev.iterate(other)?,
    };
    let mut out = String::new();
    for part in &parts {
        let part = ev.text(part)?;
        if part.starts_with('/') {
            out = part;
        } else {
            if !out.is_empty() && !out.ends_with('/') {
                out.push('/');
            }
            out.push_str(&part);
        }
    }
    Ok(Val::str(out))
}

fn commonpath(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let mut common: Option<Vec<String>> = None;
    for path in ev.iterate(&input)? {
        let parts: Vec<String> = ev.text(&path)?.split('/').map(str::to_owned).collect();
        common = Some(match common {
            None => parts,
            Some(so_far) => so_far.into_iter().zip(parts).take_while(|(a, b)| a == b).map(|(a, _)| a).collect(),
        });
    }
    let path = common.unwrap_or_default().join("/");
    Ok(Val::str(if path.is_empty() { "/".to_owned() } else { path }))
}

fn expandvars(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let regex = crate::template::regex::compile(r"\$(?:\{([^}]*)\}|(\w+))", false, false)?;
    let mut out = String::new();
    let mut last = 0;
    for found in crate::template::regex::all(&regex, &text)? {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(text.get(last..whole.start()).unwrap_or_default());
        let name = found.get(1).or_else(|| found.get(2)).map_or("", |m| m.as_str());
        out.push_str(&ev.engine.outside.env(name).unwrap_or_else(|| whole.as_str().to_owned()));
        last = whole.end();
    }
    out.push_str(text.get(last..).unwrap_or_default());
    Ok(Val::str(out))
}

fn urlsplit(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let url = ev.text(&input)?;
    let (rest, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, after)) if scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) => {
            (scheme, after)
        }
        _ => ("", rest),
    };
    let (netloc, path) = match rest.strip_prefix("//") {
        Some(after) => after.split_at(after.find('/').unwrap_or(after.len())),
        None => ("", rest),
    };
    let (login, host) = netloc.rsplit_once('@').map_or((None, netloc), |(l, h)| (Some(l), h));
    let (user, password) = match login {
        None => (None, None),
        Some(login) => login.split_once(':').map_or((Some(login), None), |(u, p)| (Some(u), Some(p))),
    };
    let (name, port) = match host.strip_prefix('[').and_then(|h| h.split_once(']')) {
        Some((name, port)) => (name, port.strip_prefix(':')),
        None => host.rsplit_once(':').map_or((host, None), |(h, p)| (h, Some(p))),
    };
    let text = |v: Option<&str>| v.map_or(Val::Null, Val::str);
    let name = Some(name.to_lowercase()).filter(|n| !n.is_empty());
    let mut map: IndexMap<Key, Val> = IndexMap::new();
    for (key, value) in [
        ("fragment", Val::str(fragment)),
        ("hostname", text(name.as_deref())),
        ("netloc", Val::str(netloc)),
        ("password", text(password)),
        ("path", Val::str(path)),
        ("port", port.and_then(|p| p.parse().ok()).map_or(Val::Null, Val::Int)),
        ("query", Val::str(query)),
        ("scheme", Val::str(scheme.to_lowercase())),
        ("username", text(user)),
    ] {
        map.insert(Key::from(key), value);
    }
    match args.str(ev, 0, "query", "")?.as_str() {
        "" => Ok(Val::map(map)),
        part => map.shift_remove(&Key::from(part)).ok_or_else(|| Error::new(format!("unknown URL component: {part}"))),
    }
}

fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-._~/".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
        out
    })
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut i = 0;
    while let Some(b) = bytes.get(i) {
        let hex = text.get(i + 1..i + 3).filter(|_| *b == b'%').and_then(|h| u8::from_str_radix(h, 16).ok());
        out.push(hex.unwrap_or(if *b == b'+' { b' ' } else { *b }));
        i += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn urlencode(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let pairs: Vec<(Val, Val)> = match &input {
        Val::Map(m) => m.all(ev)?.into_iter().map(|(k, v)| (Val::of_key(&k), v)).collect(),
        Val::List(l) => {
            let mut pairs = Vec::new();
            for pair in l.all(ev)? {
                if let [a, b] = &*ev.iterate(&pair)? {
                    pairs.push((a.clone(), b.clone()));
                }
            }
            pairs
        }
        other => return Ok(Val::str(encode(&ev.text(other)?))),
    };
    let part = |text: String| encode(&text).replace('/', "%2F").replace("%20", "+");
    let mut parts = Vec::new();
    for (key, value) in pairs {
        parts.push(format!("{}={}", part(ev.text(&key)?), part(ev.text(&value)?)));
    }
    Ok(Val::str(parts.join("&")))
}
