//! Lookups that read files or run commands, all through the one door to the world.

use std::sync::Arc;

use super::{plain, terms};
use crate::model::{Origin, Source, Text};
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::file::{TemplateOptions, with_newlines_of};
use crate::template::value::{Args, R, Val};

/// Where a task looks for files: its role, then its playbook.
fn roots(ev: &mut Eval) -> R<Vec<String>> {
    let mut out = Vec::new();
    for name in ["role_path", "playbook_dir"] {
        let scope = Arc::clone(&ev.scope);
        if let Some(found) = scope.find(ev, name)?
            && let Val::Str(path) = found
        {
            out.push(path.as_str().to_owned());
        }
    }
    let searched = ev.variable("ansible_search_path", super::super::ir::Span::default())?;
    if let Val::List(paths) = searched {
        for path in paths.all(ev)? {
            out.push(ev.text(&path)?);
        }
    }
    Ok(out)
}

fn find(ev: &mut Eval, kind: &str, name: &str) -> R<Option<String>> {
    let roots = roots(ev)?;
    Ok(ev.engine.outside.find(kind, name, &roots))
}

fn need(ev: &mut Eval, kind: &str, name: &str) -> R<String> {
    let missing = || Error::new(format!("could not locate file in lookup: {name}"));
    find(ev, kind, name)?.ok_or_else(missing)
}

fn read(ev: &mut Eval, path: &str) -> R<String> {
    read_file(ev, path).map(|(text, _)| text)
}

/// A file's text, and whether it was encrypted.
fn read_file(ev: &mut Eval, path: &str) -> R<(String, bool)> {
    let (bytes, secret) = ev.engine.outside.read_file(path).map_err(Error::new)?;
    ev.reads_secret(secret);
    Ok((String::from_utf8_lossy(&bytes).into_owned(), secret))
}

pub(super) fn file(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let rstrip = args.named("rstrip").map_or(Ok(true), |v| ev.truth(v))?;
    let lstrip = args.named("lstrip").map_or(Ok(false), |v| ev.truth(v))?;
    let mut out = Vec::new();
    for name in terms(ev, args)? {
        let path = need(ev, "files", &name)?;
        let text = read(ev, &path)?;
        let text = if rstrip { text.trim_end() } else { &text };
        out.push(plain(if lstrip { text.trim_start() } else { text }));
    }
    Ok(out)
}

/// Files as they are, decrypted where they are encrypted.
pub(super) fn unvault(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let mut out = Vec::new();
    for name in terms(ev, args)? {
        let path = need(ev, "files", &name)?;
        let text = read(ev, &path)?;
        out.push(plain(text.as_str()));
    }
    Ok(out)
}

pub(super) fn template(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let convert = args.named("convert_data").map_or(Ok(false), |v| ev.truth(v))?;
    let mut out = Vec::new();
    for name in terms(ev, args)? {
        let path = need(ev, "templates", &name)?;
        let (content, secret) = read_file(ev, &path)?;
        let content = content.replace("\r\n", "\n");
        let mut options = TemplateOptions::default();
        for (key, value) in &args.kw {
            match &**key {
                "trim_blocks" => options.trim_blocks = ev.truth(value)?,
                "lstrip_blocks" => options.lstrip_blocks = ev.truth(value)?,
                "variable_start_string" => options.variable.0 = ev.text(value)?,
                "variable_end_string" => options.variable.1 = ev.text(value)?,
                "comment_start_string" => options.comment.0 = ev.text(value)?,
                "comment_end_string" => options.comment.1 = ev.text(value)?,
                _ => {}
            }
        }
        let dir = path.rsplit_once('/').map_or(".", |(dir, _)| dir).to_owned();
        options.search.push(dir);
        options.search.extend(roots(ev)?.iter().flat_map(|r| [format!("{r}/templates"), r.clone()]));
        let body = options.header(&content)?.to_owned();
        let make = if secret { Source::secret } else { Source::new };
        let source = make(path, content);
        let text = Text::template(body, Some(Origin::new(&source, 1, 1)));
        let files = Arc::new(options.files()?);
        let compiled = files.compile(&ev.engine, &text).map_err(|e| e.located(&text))?;
        let outer = std::mem::replace(&mut ev.files, files);
        let extra = args.named("template_vars").cloned();
        if let Some(Val::Map(map)) = &extra {
            let frame = Arc::new(crate::template::eval::Frame::default());
            for (key, value) in map.all(ev)? {
                frame.set(&key.to_string().into(), value);
            }
            ev.frames.push(frame);
        }
        let result = ev.nested(|ev| ev.run(&text, &compiled)).and_then(Val::defined);
        if extra.is_some() {
            ev.frames.pop();
        }
        ev.files = outer;
        let value = result?;
        out.push(match &value {
            Val::Str(t) => Val::Str(Text::new(with_newlines_of(&text, t.as_str().to_owned())).marked(t.marks())),
            _ if convert => value,
            other => Val::str(ev.text(other)?),
        });
    }
    Ok(out)
}

pub(super) fn fileglob(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let mut out = Vec::new();
    for pattern in terms(ev, args)? {
        let (dir, name) = pattern.rsplit_once('/').unwrap_or(("", &pattern));
        let dir = match dir {
            "" if pattern.starts_with('/') => Some(String::new()),
            "" => None,
            dir if dir.starts_with('/') => Some(dir.to_owned()),
            dir => find(ev, "files", dir)?,
        };
        let places = match dir {
            Some(dir) => vec![dir],
            None => roots(ev)?.iter().flat_map(|r| [format!("{r}/files"), r.clone()]).collect(),
        };
        for place in places {
            let found = ev.engine.outside.glob(&format!("{place}/{name}"));
            let files: Vec<String> = found.into_iter().filter(|p| ev.engine.outside.kind(p) == Some("file")).collect();
            if !files.is_empty() {
                out.extend(files.into_iter().map(Val::str));
                break;
            }
        }
    }
    Ok(out)
}

pub(super) fn pipe(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    ev.own_turn()?;
    let mut out = Vec::new();
    for command in terms(ev, args)? {
        let (code, text) = ev.engine.outside.run(&command).map_err(Error::new)?;
        if code != 0 {
            return Err(Error::new(format!("lookup_plugin.pipe({command}) returned {code}")));
        }
        out.push(plain(text.trim_end()));
    }
    Ok(out)
}

pub(super) fn lines(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    ev.own_turn()?;
    let mut out = Vec::new();
    for command in terms(ev, args)? {
        let (code, text) = ev.engine.outside.run(&command).map_err(Error::new)?;
        if code != 0 {
            return Err(Error::new(format!("lookup_plugin.lines({command}) returned {code}")));
        }
        out.extend(text.lines().map(plain));
    }
    Ok(out)
}

/// The first of the named files that exists.
pub(super) fn first_found(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let mut skip = args.named("skip").map_or(Ok(false), |v| ev.truth(v))?;
    let mut candidates = Vec::new();
    let shared = (args.named("files").cloned(), args.named("paths").cloned());
    if shared.0.is_some() {
        add(ev, shared.0, shared.1.clone(), &mut candidates)?;
    }
    for term in &args.pos {
        let parts = match term {
            Val::List(l) => l.all(ev)?,
            other => vec![other.clone()],
        };
        for part in parts {
            if let Val::Map(map) = &part {
                let mut field = |name: &str| map.get(ev, &name.into());
                let (files, paths, quiet) = (field("files")?, field("paths")?, field("skip")?);
                skip |= quiet.map_or(Ok(false), |v| ev.truth(&v))?;
                add(ev, files, paths, &mut candidates)?;
            } else {
                add(ev, Some(part), shared.1.clone(), &mut candidates)?;
            }
        }
    }
    for name in &candidates {
        for kind in ["files", "templates", "vars", "tasks", ""] {
            if let Some(path) = find(ev, kind, name)? {
                return Ok(vec![Val::str(path)]);
            }
        }
    }
    if skip {
        return Ok(Vec::new());
    }
    Err(Error::new(format!("no file was found when using first_found: {}", candidates.join(", "))))
}

fn names(ev: &mut Eval, value: Option<Val>) -> R<Vec<String>> {
    Ok(match value {
        None | Some(Val::Null) => Vec::new(),
        Some(Val::Str(s)) => s.split([',', ';']).map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect(),
        Some(other) => {
            let items = ev.iterate(&other)?;
            items.iter().map(|v| ev.text(v)).collect::<R<_>>()?
        }
    })
}

fn add(ev: &mut Eval, files: Option<Val>, paths: Option<Val>, to: &mut Vec<String>) -> R<()> {
    let (files, paths) = (names(ev, files)?, names(ev, paths)?);
    if paths.is_empty() {
        to.extend(files);
    } else {
        to.extend(paths.iter().flat_map(|p| files.iter().map(move |f| format!("{}/{f}", p.trim_end_matches('/')))));
    }
    Ok(())
}

fn option(ev: &mut Eval, args: &Args, name: &str, default: &str) -> R<String> {
    args.named(name).map_or(Ok(default.to_owned()), |v| ev.text(v))
}

/// A key of a section of an INI file, or of a properties file.
pub(super) fn ini(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let (section, file) = (option(ev, args, "section", "global")?, option(ev, args, "file", "ansible.ini")?);
    let default = args.named("default").cloned().unwrap_or_else(|| Val::str(""));
    let properties = option(ev, args, "type", "ini")? == "properties";
    let regex = args.named("re").map_or(Ok(false), |v| ev.truth(v))?;
    let path = need(ev, "files", &file)?;
    let text = read(ev, &path)?;
    let mut out = Vec::new();
    for key in terms(ev, args)? {
        let key = key.split_whitespace().next().unwrap_or_default().to_owned();
        let found = ini_values(&text, if properties { None } else { Some(&section) }, &key, regex)?;
        if found.is_empty() && !regex {
            out.push(default.clone());
        }
        out.extend(found.into_iter().map(plain));
    }
    Ok(out)
}

fn ini_values(text: &str, section: Option<&str>, key: &str, pattern: bool) -> R<Vec<String>> {
    let regex = if pattern { Some(crate::template::regex::compile(key, true, false)?) } else { None };
    let mut inside = section.is_none();
    let mut out = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            inside = section.is_none_or(|s| s == name);
            continue;
        }
        if !inside || trimmed.starts_with(['#', ';']) || trimmed.is_empty() {
            continue;
        }
        let (name, value) = trimmed.split_once(['=', ':']).unwrap_or((trimmed, ""));
        let name = name.trim();
        let hit = match &regex {
            Some(regex) => crate::template::regex::first(regex, name)?.is_some(),
            None => name.eq_ignore_ascii_case(key),
        };
        if hit {
            out.push(value.trim().to_owned());
        }
    }
    Ok(out)
}

/// The column of the row whose key column is the term.
pub(super) fn csvfile(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let file = option(ev, args, "file", "ansible.csv")?;
    let column = args.named("col").and_then(Val::as_str).and_then(|c| c.parse().ok());
    let column: usize =
        column.or_else(|| args.named("col").and_then(Val::as_int).and_then(|i| usize::try_from(i).ok())).unwrap_or(1);
    let key_column = args.named("keycol").and_then(Val::as_int).and_then(|i| usize::try_from(i).ok()).unwrap_or(0);
    let delimiter = match option(ev, args, "delimiter", "TAB")?.as_str() {
        "TAB" | "\\t" | "t" => '\t',
        other => other.chars().next().unwrap_or('\t'),
    };
    let default = args.named("default").cloned();
    let path = need(ev, "files", &file)?;
    let text = read(ev, &path)?;
    let mut out = Vec::new();
    for term in terms(ev, args)? {
        let row = text.lines().map(|l| cells(l, delimiter)).find(|r| r.get(key_column) == Some(&term));
        let found = row.and_then(|r| r.get(column).cloned()).map(plain);
        out.extend(found.or_else(|| default.clone()));
    }
    Ok(out)
}

fn cells(line: &str, delimiter: char) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => {
                if let Some(cell) = out.last_mut() {
                    cell.push('"');
                }
            }
            '"' => quoted = !quoted,
            c if c == delimiter && !quoted => out.push(String::new()),
            c => {
                if let Some(cell) = out.last_mut() {
                    cell.push(c);
                }
            }
        }
    }
    out
}
