//! Paths, as text.

use super::Row;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("basename", "", |ev, v, _| Ok(Val::str(tail(&ev.text(&v)?, '/').1.to_owned()))),
    ("dirname", "", |ev, v, _| Ok(Val::str(dirname(&ev.text(&v)?)))),
    ("realpath", "* strict?", |ev, v, a| {
        let path = ev.text(&v)?;
        if a.bool(ev, "strict", false)? && ev.engine.outside.kind(&path).is_none() {
            return Err(Error::new(format!("[Errno 2] No such file or directory: '{path}'")));
        }
        Ok(Val::str(ev.engine.outside.realpath(&path)))
    }),
    ("expanduser", "", |ev, v, _| {
        let path = ev.text(&v)?;
        Ok(Val::str(ev.engine.outside.expand_user(&path)))
    }),
    ("fileglob", "", |ev, v, _| {
        let pattern = ev.text(&v)?;
        let found = ev.engine.outside.glob(&pattern);
        Ok(Val::strs(found.into_iter().filter(|p| ev.engine.outside.kind(p) == Some("file"))))
    }),
    ("expandvars", "", expandvars),
    ("splitext", "", |ev, v, _| Ok(splitext(&ev.text(&v)?))),
    ("relpath", "start?", |ev, v, a| {
        let (path, start) = (ev.text(&v)?, a.str(ev, "start", ".")?);
        let (path, start) = (ev.engine.outside.realpath(&path), ev.engine.outside.realpath(&start));
        Ok(Val::str(relpath(&path, &start)))
    }),
    ("path_join", "", path_join),
    ("normpath", "", |ev, v, _| Ok(Val::str(normpath(&ev.text(&v)?)))),
    ("commonpath", "", commonpath),
    ("win_basename", "", |ev, v, _| Ok(Val::str(tail(&ev.text(&v)?.replace('/', "\\"), '\\').1.to_owned()))),
    ("win_splitdrive", "", |ev, v, _| {
        let path = ev.text(&v)?;
        let (drive, rest) = splitdrive(&path);
        Ok(Val::tuple(vec![Val::str(drive), Val::str(rest)]))
    }),
    ("win_dirname", "", |ev, v, _| Ok(Val::str(tail(&ev.text(&v)?, '\\').0.trim_end_matches('\\').to_owned()))),
];

fn tail(path: &str, sep: char) -> (&str, &str) {
    path.rfind(sep).map_or(("", path), |i| path.split_at(i + 1))
}

pub(super) fn dirname(path: &str) -> String {
    let head = tail(path, '/').0;
    let trimmed = head.trim_end_matches('/');
    if trimmed.is_empty() { head.to_owned() } else { trimmed.to_owned() }
}

/// A drive, or a server with its share, and the rest.
fn splitdrive(path: &str) -> (&str, &str) {
    let plain = path.replace('/', "\\");
    if plain.starts_with("\\\\") {
        let ends = plain.match_indices('\\').map(|(i, _)| i).filter(|i| *i > 1);
        let at = ends.take(2).collect::<Vec<_>>();
        return match at.as_slice() {
            [_, end] => path.split_at(*end),
            _ => (path, ""),
        };
    }
    if plain.as_bytes().get(1) == Some(&b':') { path.split_at(2) } else { ("", path) }
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
        // Two slashes at the beginning are kept, three are one.
        (true, _) if path.starts_with("//") && !path.starts_with("///") => format!("//{joined}"),
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
        Val::List(_) => ev.iterate(&input)?,
        other => {
            let got = other.type_name();
            return Err(Error::new(format!("|path_join expects string or sequence, got <class '{got}'> instead.")));
        }
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
    if !matches!(input, Val::List(_)) {
        let got = input.type_name();
        return Err(Error::new(format!("|commonpath expects sequence, got <class '{got}'> instead.")));
    }
    let mut common: Option<Vec<String>> = None;
    let mut absolute = None;
    for path in ev.iterate(&input)? {
        let rooted = ev.text(&path)?.starts_with('/');
        if absolute.replace(rooted).is_some_and(|before| before != rooted) {
            return Err(Error::new("Can't mix absolute and relative paths"));
        }
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
