//! Filters: the table of their names; each family has its file.

mod core;
mod data;
mod hash;
mod lists;
mod maps;
mod numbers;
mod paths;
mod patterns;
mod strings;
mod time;
mod vault;

use std::collections::HashMap;
use std::sync::OnceLock;

use super::eval::Eval;
use super::value::{Args, R, Val};

pub(super) use lists::cartesian;
pub(super) use maps::subelements;
pub(super) use numbers::pick;
pub(super) use time::now;

pub(super) type Run = fn(&mut Eval, Val, &Args) -> R<Val>;

/// A filter, ready to be called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    run: Run,
    /// Whether it is called with what is undefined.
    undefined: bool,
}

impl Filter {
    pub fn apply(self, ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
        if !self.undefined {
            if let Val::Undefined(e) = &input {
                return Err((**e).clone());
            }
            if let Some(e) = args.undefined() {
                return Err((**e).clone());
            }
        }
        (self.run)(ev, input, args)
    }
}

const FAMILIES: &[&[(&str, Run)]] = &[
    core::FILTERS,
    data::FILTERS,
    hash::FILTERS,
    lists::FILTERS,
    maps::FILTERS,
    numbers::FILTERS,
    paths::FILTERS,
    patterns::FILTERS,
    strings::FILTERS,
    time::FILTERS,
    vault::FILTERS,
];

/// Filters that look at what is undefined themselves.
const TOLERANT: &[&str] = &["default", "d", "mandatory", "type_debug"];

fn table() -> &'static HashMap<&'static str, Filter> {
    static TABLE: OnceLock<HashMap<&'static str, Filter>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let all = FAMILIES.iter().flat_map(|family| family.iter());
        all.map(|(name, run)| (*name, Filter { run: *run, undefined: TOLERANT.contains(name) })).collect()
    })
}

/// The filter of that name, short or full.
pub(super) fn find(name: &str) -> Option<Filter> {
    table().get(short(name)).copied()
}

/// All short names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    table().keys().copied()
}

/// A plugin's short name.
pub(super) fn short(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}
