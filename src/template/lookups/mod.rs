//! Lookups: the table of their names, how they are called, and those that only turn lists.

mod acting;
mod as_filter;
mod config;
mod dependent;
mod files;
mod lists;
mod merge;
mod options;
mod plugin_settings;
mod random;
mod rows;
mod tables;
mod templates;
mod url;

use super::error::Error;
use super::eval::Eval;
use super::filters::short;
use super::value::{Args, R, Val};
use crate::model::Text;

pub(super) type Run = fn(&mut Eval, &Args) -> R<Vec<Val>>;

/// A lookup.
pub(super) struct Lookup {
    pub name: &'static str,
    pub run: Run,
    /// The options that it takes besides `errors` and `wantlist`.
    options: &'static [&'static str],
}

const fn lookup(name: &'static str, run: Run, options: &'static [&'static str]) -> Lookup {
    Lookup { name, run, options }
}

const BUILTIN: &[Lookup] = &[
    lookup("env", env, &["default"]),
    lookup("vars", vars, &["default"]),
    lookup("varnames", varnames, &[]),
    lookup("file", files::file, &["lstrip", "rstrip"]),
    lookup("unvault", files::unvault, &[]),
    lookup("template", templates::template, templates::OPTIONS),
    lookup("first_found", files::first_found, &["files", "paths", "skip"]),
    lookup("fileglob", files::fileglob, &[]),
    lookup("pipe", acting::pipe, &[]),
    lookup("lines", acting::lines, &[]),
    lookup("password", acting::password, acting::PASSWORD),
    lookup("url", url::url, url::OPTIONS),
    lookup("config", config::config, config::OPTIONS),
    lookup("ini", tables::ini, tables::INI),
    lookup("csvfile", tables::csvfile, tables::CSV),
    lookup("items", lists::items, &[]),
    lookup("list", |_, a| Ok(a.pos.clone()), &[]),
    lookup("dict", lists::dict, &[]),
    lookup("sequence", rows::sequence, rows::SEQUENCE),
    lookup("indexed_items", lists::indexed_items, &[]),
    lookup("nested", lists::nested, &[]),
    lookup("together", lists::together, &[]),
    lookup("subelements", rows::subelements, &["skip_missing"]),
    lookup("random_choice", lists::random_choice, &[]),
    lookup("inventory_hostnames", rows::inventory_hostnames, &[]),
];

/// Lookups of collections, which have their short names as well.
const COLLECTIONS: &[(&str, &[Lookup])] = &[
    (
        "community.general",
        &[
            lookup("flattened", lists::flattened, &[]),
            lookup("dependent", dependent::dependent, &[]),
            lookup("filetree", files::filetree, &[]),
            lookup("cartesian", lists::nested, &[]),
            lookup("random_string", random::random_string, random::STRING),
            lookup("merge_variables", merge::merge_variables, merge::OPTIONS),
            lookup("binary_file", files::binary_file, &["not_exist"]),
        ],
    ),
    (
        "ansible.utils",
        &[
            lookup("index_of", as_filter::index_of, as_filter::INDEX_OF),
            lookup("get_path", as_filter::get_path, as_filter::GET_PATH),
            lookup("to_paths", as_filter::to_paths, as_filter::TO_PATHS),
        ],
    ),
];

impl Lookup {
    /// What is wrong with an option of that name, if anything.
    pub fn refuses(&self, option: &str) -> Option<Error> {
        if self.options.contains(&option) || matches!(option, "errors" | "wantlist") {
            return None;
        }
        let error = Error::no_option(self.name, option);
        Some(match crate::diag::nearest(option, self.options.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if self.options.is_empty() => error.hint("it takes none"),
            None => error.hint(format!("it takes {}", self.options.join(", "))),
        })
    }
}

/// The lookup of that name, short or full.
pub(super) fn find(name: &str) -> Option<&'static Lookup> {
    let known = COLLECTIONS.iter().map(|(collection, family)| (Some(*collection), *family));
    let mut all = std::iter::once((None, BUILTIN)).chain(known);
    let (wanted, short) = match short(name).rsplit_once('.') {
        Some((collection, short)) => (Some(collection), short),
        None => (None, short(name)),
    };
    // Without a collection, any has it.
    all.find_map(|(collection, family)| {
        let here = wanted.is_none() || wanted == collection;
        family.iter().find(|lookup| here && lookup.name == short)
    })
}

/// All short names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().chain(COLLECTIONS.iter().flat_map(|(_, family)| family.iter())).map(|lookup| lookup.name)
}

/// `lookup(name, …)` and `query(name, …)`.
pub(super) fn call(ev: &mut Eval, args: &Args, query: bool) -> R<Val> {
    let name = args.pos.first().map_or(Ok(String::new()), |name| ev.text(name))?;
    let found = find(&name).ok_or_else(|| Error::no_such("lookup", &name, names()))?;
    if let Some(error) = args.kw.iter().find_map(|(option, _)| found.refuses(option)) {
        return Err(error);
    }
    let mut inner = Args::new(args.pos.iter().skip(1).cloned().collect(), args.kw.clone());
    let mut take = |what: &str| inner.kw.iter().position(|(k, _)| &**k == what).map(|i| inner.kw.remove(i).1);
    let errors = take("errors");
    let wantlist = match take("wantlist") {
        Some(v) => ev.truth(&v)?,
        None => query,
    };
    let errors = errors.map_or(Ok("strict".to_owned()), |v| ev.text(&v))?;
    let found = match (found.run)(ev, &inner) {
        Ok(found) => found,
        Err(e) if e.unknown().is_some() || !matches!(errors.as_str(), "ignore" | "warn") => {
            return Err(e.in_plugin("lookup", &name));
        }
        Err(e) => {
            if errors == "warn" {
                ev.warn(format!("An error occurred while running the lookup plugin '{name}': {e}"));
            }
            if !wantlist {
                return Ok(Val::Null);
            }
            Vec::new()
        }
    };
    if wantlist {
        return Ok(Val::list(found));
    }
    if found.is_empty() {
        return Ok(Val::list(found));
    }
    let texts = found.iter().all(|v| matches!(v, Val::Str(_)));
    match <[Val; 1]>::try_from(found) {
        Ok([one]) => Ok(one),
        Err(many) if texts => {
            let parts: Vec<&str> = many.iter().filter_map(Val::as_str).collect();
            Ok(Val::str(parts.join(",")))
        }
        Err(many) => Ok(Val::list(many)),
    }
}

pub(super) fn terms(ev: &mut Eval, args: &Args) -> R<Vec<String>> {
    args.pos.iter().map(|v| ev.text(v)).collect()
}

fn env(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let default = args.named("default").cloned();
    let mut out = Vec::new();
    for term in terms(ev, args)? {
        let name = term.split_whitespace().next().unwrap_or_default().to_owned();
        out.push(match (ev.engine.outside.env(&name), &default) {
            (Some(found), _) => Val::str(found),
            (None, Some(default)) => default.clone(),
            (None, None) => Val::str(""),
        });
    }
    Ok(out)
}

fn vars(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let default = args.named("default").cloned();
    let mut out = Vec::new();
    for term in &args.pos {
        let Val::Str(name) = term else {
            return Err(Error::new(format!("Variable name must be 'str' not '{}'.", term.type_name())));
        };
        let name = name.as_str().to_owned();
        let scope = std::sync::Arc::clone(&ev.scope);
        let found = match ev.frames.iter().rev().find_map(|f| f.get(&name)) {
            Some(found) => Some(found),
            None => scope.find(ev, &name)?,
        };
        out.push(match (found, &default) {
            (Some(found), _) => found,
            (None, Some(default)) => default.clone(),
            (None, None) => {
                let error = super::scope::undefined(&scope, &name);
                return Err(error.reworded(format!("No variable named '{name}' was found.")));
            }
        });
    }
    Ok(out)
}

fn varnames(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let mut out = Vec::new();
    let names = ev.scope.vars.names();
    for term in &args.pos {
        let Val::Str(pattern) = term else {
            let (shown, kind) = (ev.text(term)?, term.type_name());
            return Err(Error::new(format!(
                "Invalid setting identifier, \"{shown}\" is not a string, it is a <class '{kind}'>"
            )));
        };
        let regex = super::regex::compile(pattern, false, false)
            .map_err(|e| Error::new(format!("Unable to use \"{}\" as a search parameter: {e}", pattern.as_str())))?;
        for name in &names {
            if super::regex::first(&regex, name)?.is_some() {
                out.push(Val::str(name.as_str()));
            }
        }
    }
    Ok(out)
}

/// Text that came from a file: data, not a template.
pub(super) fn plain(text: impl Into<std::sync::Arc<str>>) -> Val {
    Val::Str(Text::new(text))
}
