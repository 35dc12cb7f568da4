//! `ini` and `csvfile`: values out of tables in files.

use indexmap::IndexMap;

use super::files::{find, need};
use super::options::{Options, inline};
use super::{plain, terms};
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::filters::{Csv, Ini};
use crate::template::regex;
use crate::template::value::{Args, R, Val};

pub(super) const INI: &[&str] = &[
    "type",
    "file",
    "section",
    "re",
    "encoding",
    "default",
    "case_sensitive",
    "allow_no_value",
    "allow_none",
    "interpolation",
];

/// A file's text in an encoding.
fn decoded(ev: &mut Eval, path: &str, encoding: &str) -> R<String> {
    let (bytes, secret) = ev.engine.outside.read_file(path).map_err(Error::new)?;
    ev.reads_secret(secret);
    crate::template::filters::decode(&bytes, encoding)
}

/// Keys of a section of an INI file, or of a properties file.
pub(super) fn ini(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let call = Options::of("ini", args);
    let mut out = Vec::new();
    for term in terms(ev, args)? {
        let (key, options) = inline(&term, INI)?;
        if key.is_empty() {
            return Err(Error::new(format!(
                "No key to look up was provided as first term within string inline options: {term}"
            )));
        }
        let options = call.with(options);
        out.extend(ini_values(ev, &key, &options)?);
    }
    Ok(out)
}

type Keys = IndexMap<String, Option<String>>;

fn ini_values(ev: &mut Eval, key: &str, options: &Options) -> R<Vec<Val>> {
    let file = options.str(ev, "file", "ansible.ini")?;
    let path = need(ev, "files", &file)?;
    let encoding = options.str(ev, "encoding", "utf-8")?;
    let text = decoded(ev, &path, &encoding)?;
    let properties = match options.str(ev, "type", "ini")?.as_str() {
        "ini" => false,
        "properties" => true,
        other => {
            return Err(Error::new(format!(
                "Invalid value \"{other}\" for configuration option \"type\", valid values are: ini, properties"
            )));
        }
    };
    let section = if properties { "java_properties".to_owned() } else { options.str(ev, "section", "global")? };
    let case = options.bool(ev, "case_sensitive", false)?;
    let bare = options.bool(ev, "allow_no_value", false)? || options.bool(ev, "allow_none", false)?;
    let text = if properties { format!("[java_properties]\n{text}") } else { text };
    let read = Ini { case, bare }.read(&text).map_err(|e| {
        let duplicate = e.message().contains("already exists");
        let what = if duplicate { "Duplicate option in" } else { "Could not parse" };
        Error::new(format!("{what} '{path}': {e}"))
    })?;
    let of = |name: &str| read.iter().find(|(n, _)| n == name).map(|(_, keys)| keys);
    let keys = of(&section).ok_or_else(|| Error::new(format!("No section '{section}' in {path}")))?;
    let defaults = of("DEFAULT").cloned().unwrap_or_default();
    let interpolate = options.bool(ev, "interpolation", true)?;
    let value = |raw: &Option<String>| match raw {
        Some(raw) if interpolate => interpolated(raw, keys, &defaults, 0).map(|v| Some(plain(v))),
        Some(raw) => Ok(Some(plain(raw.as_str()))),
        None => Ok(None),
    };
    if options.bool(ev, "re", false)? {
        let pattern = regex::compile(&format!("\\A(?:{key})"), !case, false)?;
        let mut out = Vec::new();
        for (name, raw) in keys {
            if regex::first(&pattern, name)?.is_some() {
                out.extend(value(raw)?);
            }
        }
        return Ok(out);
    }
    let name = if case { key.to_owned() } else { key.to_lowercase() };
    match keys.get(&name).or_else(|| defaults.get(&name)) {
        Some(raw) => Ok(value(raw)?.into_iter().collect()),
        None => Ok(vec![options.get("default").cloned().unwrap_or_else(|| Val::str(""))]),
    }
}

/// `%(name)s` stands for another key of the section, `%%` for a percent sign.
fn interpolated(raw: &str, keys: &Keys, defaults: &Keys, depth: usize) -> R<String> {
    if depth > 10 {
        return Err(Error::new("Value interpolation too deeply recursive"));
    }
    let mut out = String::new();
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(tail) = after.strip_prefix('%') {
            out.push('%');
            rest = tail;
        } else if let Some((name, tail)) = after.strip_prefix('(').and_then(|a| a.split_once(")s")) {
            let name = name.to_lowercase();
            let found = keys.get(&name).or_else(|| defaults.get(&name)).and_then(Option::as_ref);
            let found = found.ok_or_else(|| {
                Error::new(format!("Bad value substitution: option contains an interpolation key '{name}' which is not a valid option name. Raw value: '{raw}'"))
            })?;
            out.push_str(&interpolated(found, keys, defaults, depth + 1)?);
            rest = tail;
        } else {
            return Err(Error::new(format!("'%' must be followed by '%' or '(', found: '%{after}'")));
        }
    }
    out.push_str(rest);
    Ok(out)
}

pub(super) const CSV: &[&str] = &["col", "default", "delimiter", "encoding", "file", "keycol"];

/// The column of the row whose key column is the term.
pub(super) fn csvfile(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let call = Options::of("csvfile", args);
    let mut out = Vec::new();
    let missing = || Error::new("Search key is required but was not found");
    if args.pos.is_empty() {
        return Err(missing());
    }
    for term in terms(ev, args)? {
        let (key, options) = inline(&term, CSV)?;
        if key.is_empty() {
            return Err(missing());
        }
        let options = call.with(options);
        let column = options.int(ev, "col")?.unwrap_or(1);
        let key_column = options.int(ev, "keycol")?.unwrap_or(0);
        let delimiter = delimiter(&options.str(ev, "delimiter", "TAB")?)?;
        let file = options.str(ev, "file", "ansible.csv")?;
        let path = find(ev, "files", &file)?
            .ok_or_else(|| Error::new(format!("csvfile: [Errno 2] No such file or directory: '{file}'")))?;
        let encoding = options.str(ev, "encoding", "utf-8")?;
        let text = decoded(ev, &path, &encoding)?;
        let at = |row: &[String], i: i64| {
            let i = if i < 0 { i + i64::try_from(row.len()).unwrap_or(0) } else { i };
            usize::try_from(i).ok().and_then(|i| row.get(i)).cloned()
        };
        let rows = Csv::new(delimiter).rows(&text)?;
        let row = rows.iter().find(|row| at(row, key_column).as_ref() == Some(&key));
        match (row, options.get("default")) {
            (Some(row), _) => {
                let found = at(row, column);
                out.push(plain(found.ok_or_else(|| Error::new("csvfile: list index out of range"))?));
            }
            (None, Some(Val::List(list))) => out.extend(list.all(ev)?),
            (None, Some(default)) => out.push(default.clone()),
            (None, None) => {}
        }
    }
    Ok(out)
}

/// A delimiter as it is written: a letter, `TAB`, `\t`, `\x1a`.
fn delimiter(text: &str) -> R<char> {
    let mut chars = text.chars();
    match (text, chars.next(), chars.next()) {
        ("TAB" | "\\t", _, _) => Ok('\t'),
        (_, Some(one), None) => Ok(one),
        _ => {
            let code = text.strip_prefix("\\x").and_then(|hex| u8::from_str_radix(hex, 16).ok());
            code.map(char::from).ok_or_else(|| Error::new("csvfile: \"delimiter\" must be a 1-character string"))
        }
    }
}
