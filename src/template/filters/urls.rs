//! URLs, as text.

use indexmap::IndexMap;

use super::Row;
use crate::model::Key;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] =
    &[("urlsplit", "query?", urlsplit), ("urldecode", "encoding? errors?", urldecode), ("urlencode", "", urlencode)];

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
    match args.str(ev, "query", "")?.as_str() {
        "" => Ok(Val::map(map)),
        part => map
            .shift_remove(&Key::from(part))
            .ok_or_else(|| Error::new(format!("urlsplit: unknown URL component: {part}"))),
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

fn urldecode(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let bytes = decode(&ev.text(&input)?);
    let (encoding, errors) = (args.str(ev, "encoding", "utf-8")?, args.str(ev, "errors", "replace")?);
    let decoded = super::decode(&bytes, &encoding);
    let lossy = String::from_utf8_lossy(&bytes);
    Ok(Val::str(match (decoded, errors.as_str()) {
        (Ok(text), _) => text,
        (Err(_), "replace") => lossy.into_owned(),
        (Err(_), "ignore") => lossy.replace('\u{fffd}', ""),
        (Err(wrong), _) => return Err(wrong),
    }))
}

fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut i = 0;
    while let Some(b) = bytes.get(i) {
        let hex = text.get(i + 1..i + 3).filter(|_| *b == b'%').and_then(|h| u8::from_str_radix(h, 16).ok());
        out.push(hex.unwrap_or(if *b == b'+' { b' ' } else { *b }));
        i += if hex.is_some() { 3 } else { 1 };
    }
    out
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
