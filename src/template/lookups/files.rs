//! Lookups that read files or run commands, all through the one door to the world.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use indexmap::IndexMap;

use super::options::Options;
use super::{plain, terms};
use crate::model::normal;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::outside::Entry;
use crate::template::value::{Args, List, R, Val};

/// Where a task looks for files: its role, then its playbook.
pub(super) fn roots(ev: &mut Eval) -> R<Vec<String>> {
    let mut out = Vec::new();
    let searched = ev.variable("ansible_search_path", super::super::ir::Span::default())?;
    if let Val::List(paths) = searched {
        for path in paths.all(ev)? {
            out.push(ev.text(&path)?);
        }
        return Ok(out);
    }
    for name in ["role_path", "playbook_dir"] {
        let scope = Arc::clone(&ev.scope);
        if let Some(found) = scope.find(ev, name)?
            && let Val::Str(path) = found
        {
            out.push(path.as_str().to_owned());
        }
    }
    Ok(out)
}

pub(super) fn find(ev: &mut Eval, kind: &str, name: &str) -> R<Option<String>> {
    let roots = roots(ev)?;
    Ok(ev.engine.outside.find(kind, name, &roots))
}

pub(super) fn need(ev: &mut Eval, kind: &str, name: &str) -> R<String> {
    let missing = || Error::new(format!("Unable to access the file '{name}': File not found."));
    find(ev, kind, name)?.ok_or_else(missing)
}

/// Where a path that is no absolute one begins.
pub(super) fn playbook_dir(ev: &mut Eval) -> R<String> {
    let scope = Arc::clone(&ev.scope);
    match scope.find(ev, "playbook_dir")? {
        Some(Val::Str(dir)) => Ok(dir.as_str().to_owned()),
        _ => Ok(".".to_owned()),
    }
}

fn read(ev: &mut Eval, path: &str) -> R<String> {
    read_file(ev, path).map(|(text, _)| text)
}

/// A file's text, and whether it was encrypted.
pub(super) fn read_file(ev: &mut Eval, path: &str) -> R<(String, bool)> {
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

/// Files as base64, whatever is in them.
pub(super) fn binary_file(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let options = Options::of("binary_file", args);
    let missing = options.str(ev, "not_exist", "error")?;
    if !matches!(missing.as_str(), "error" | "empty" | "empty_str") {
        return Err(Error::new(format!(
            "Invalid value '{missing}' for config 'not_exist' for 'binary_file' lookup plugin."
        )));
    }
    let mut out = Vec::new();
    for name in terms(ev, args)? {
        out.push(match find(ev, "files", &name)? {
            Some(path) => {
                let (bytes, secret) = ev.engine.outside.read_file(&path).map_err(Error::new)?;
                ev.reads_secret(secret);
                plain(base64::engine::general_purpose::STANDARD.encode(bytes))
            }
            None if missing == "empty" => plain(""),
            None if missing == "empty_str" => plain("empty"),
            None => {
                return Err(Error::new(format!(
                    "Could not locate file in community.general.binary_file lookup: {name}"
                )));
            }
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

/// The first of the named files that exists. `with_first_found` looks into the directory that fits its
/// action first (`_subdir`), `lookup('first_found', …)` only where the name itself leads.
pub(super) fn first_found(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let mut skip = args.named("skip").map_or(Ok(false), |v| ev.truth(v))?;
    let mut candidates = Vec::new();
    let subdir = args.named("_subdir").and_then(Val::as_str).map(str::to_owned);
    let shared = (args.named("files").cloned(), args.named("paths").cloned());
    if let Some(Val::Undefined(e)) = &shared.0 {
        return Err((**e).clone());
    }
    if shared.0.is_some() {
        add(ev, shared.0, shared.1.clone(), &mut candidates)?;
    }
    for term in &args.pos {
        take(ev, term, &shared.1, &mut (&mut skip, &mut candidates))?;
    }
    for name in &candidates {
        for kind in subdir.as_deref().into_iter().chain([""]) {
            if let Some(path) = find(ev, kind, name)? {
                return Ok(vec![Val::str(normal(Path::new(&path)).to_string_lossy())]);
            }
        }
    }
    if skip {
        return Ok(Vec::new());
    }
    let error = Error::new("No file was found when using first_found.");
    Err(if candidates.is_empty() { error } else { error.hint(format!("looked for {}", candidates.join(", "))) })
}

/// Takes a term: a name, a mapping of names and paths, or a list of terms.
fn take(ev: &mut Eval, term: &Val, paths: &Option<Val>, to: &mut (&mut bool, &mut Vec<String>)) -> R<()> {
    match term {
        Val::Str(_) => add(ev, Some(term.clone()), paths.clone(), to.1),
        Val::List(list) => defined(ev, list)?.iter().try_for_each(|term| take(ev, term, paths, to)),
        Val::Map(map) => {
            let mut field = |name: &str| map.get(ev, &name.into());
            let (files, paths, quiet) = (field("files"), field("paths")?, field("skip")?);
            let files = files.or_else(|e| if e.is_undefined() { Ok(None) } else { Err(e) })?;
            *to.0 |= quiet.map_or(Ok(false), |v| ev.truth(&v))?;
            add(ev, files, paths, to.1)
        }
        other => {
            let kind = other.type_name();
            Err(Error::new(format!("Invalid term supplied. A string, dict or list is required, not '{kind}').")))
        }
    }
}

/// What of a list is defined.
fn defined(ev: &mut Eval, list: &List) -> R<Vec<Val>> {
    let items = (0..list.len()).filter_map(|at| match list.get(ev, at) {
        Ok(None | Some(Val::Undefined(_))) => None,
        Ok(Some(value)) => Some(Ok(value)),
        Err(e) if e.is_undefined() => None,
        Err(e) => Some(Err(e)),
    });
    items.collect()
}

fn names(ev: &mut Eval, option: &str, value: Option<Val>) -> R<Vec<String>> {
    Ok(match value {
        None | Some(Val::Null) => Vec::new(),
        Some(Val::Str(s)) => s
            .split(|c| matches!(c, ',' | ';') || c == ':' && option == "paths")
            .map(|p| p.trim().to_owned())
            .filter(|p| !p.is_empty())
            .collect(),
        Some(other @ (Val::Int(_) | Val::Float(_) | Val::Bool(_))) => {
            let shown = ev.text(&other)?;
            return Err(Error::new(format!(
                "Config '{option}' for 'first_found' lookup plugin from 'Direct' has an invalid value: Invalid value \
                 provided for 'list': {shown}"
            )));
        }
        Some(Val::List(list)) => defined(ev, &list)?.iter().map(|v| ev.text(v)).collect::<R<_>>()?,
        Some(Val::Undefined(_)) => Vec::new(),
        Some(other) => vec![ev.text(&other)?],
    })
}

fn add(ev: &mut Eval, files: Option<Val>, paths: Option<Val>, to: &mut Vec<String>) -> R<()> {
    let (files, paths) = (names(ev, "files", files)?, names(ev, "paths", paths)?);
    if paths.is_empty() {
        to.extend(files);
    } else {
        to.extend(paths.iter().flat_map(|p| files.iter().map(move |f| format!("{}/{f}", p.trim_end_matches('/')))));
    }
    Ok(())
}

/// Trees of files, the first of several roots that has a path.
pub(super) fn filetree(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let mut out: IndexMap<String, Val> = IndexMap::new();
    for term in terms(ev, args)? {
        let Some(root) = find(ev, "files", &term)? else { continue };
        // As it was asked for: with its last slash, or without.
        let root = if term.ends_with('/') && !root.ends_with('/') { root + "/" } else { root };
        for entry in ev.engine.outside.tree(&root) {
            if entry.state.is_empty() {
                let path = format!("{}/{}", root.trim_end_matches('/'), entry.path);
                ev.warn(format!("filetree: Error file type of {path} is not supported"));
            } else if !out.contains_key(&entry.path) {
                out.insert(entry.path.clone(), described(&root, entry));
            }
        }
    }
    Ok(out.into_values().collect())
}

fn described(root: &str, entry: Entry) -> Val {
    let src = match entry.state {
        "file" => Some(format!("{}/{}", root.trim_end_matches('/'), entry.path)),
        _ => entry.target,
    };
    let number = |n: u64| Val::Int(i128::from(n));
    // Without a name it is the number.
    let name = |(id, name): &(u32, Option<String>)| name.as_deref().map_or_else(|| number(u64::from(*id)), Val::str);
    let all = [
        ("root", Some(Val::str(root))),
        ("path", Some(Val::str(entry.path.as_str()))),
        ("state", Some(Val::str(entry.state))),
        ("src", src.map(Val::str)),
        ("uid", Some(number(u64::from(entry.owner.0)))),
        ("gid", Some(number(u64::from(entry.group.0)))),
        ("owner", Some(name(&entry.owner))),
        ("group", Some(name(&entry.group))),
        ("mode", Some(Val::str(format!("0{:o}", entry.mode)))),
        ("size", Some(number(entry.size))),
        ("mtime", Some(Val::Float(entry.mtime))),
        ("ctime", Some(Val::Float(entry.ctime))),
    ];
    Val::map(all.into_iter().filter_map(|(key, value)| Some((key.into(), value?))).collect())
}
