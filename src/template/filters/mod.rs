//! Filters: the table of their names; each family has its file.

mod core;
mod crypt;
mod data;
mod general;
mod hash;
mod hashids;
mod jmesfunctions;
mod jmespath;
mod jsondiff;
mod jsonpatch;
mod keys;
mod lists;
mod maps;
mod markup;
pub(super) mod markup_type;
mod merging;
mod net;
mod numbers;
mod paths;
mod patterns;
mod prettytable;
mod sizes;
mod strings;
mod structure;
mod tables;
mod time;
mod urls;
mod vault;
mod xml;

use std::collections::HashMap;
use std::sync::OnceLock;

use super::eval::Eval;
use super::signature::{Given, Mismatch, Signature};
use super::value::{Args, R, Val};

pub(super) use crypt::{Scheme, random_salt};
pub(super) use data::decode;
pub(super) use general::revealed;
pub(super) use lists::cartesian;
pub(super) use maps::entries;
pub(super) use net::addr::{Net, within};
pub(super) use net::mac;
pub(super) use numbers::{generator, pick};
pub(super) use tables::{Csv, Ini};
pub(super) use time::now;

pub(super) type Run = fn(&mut Eval, Val, &Args) -> R<Val>;

/// A filter in the tables: its name, what it takes, what it does.
pub(super) type Row = (&'static str, &'static str, Run);

/// A filter, ready to be called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    name: &'static str,
    takes: Signature,
    run: Run,
    /// Whether it is called with what is undefined.
    undefined: bool,
}

impl Filter {
    fn of(row: &Row, undefined: bool) -> Self {
        Self { name: row.0, takes: Signature::new(row.1), run: row.2, undefined }
    }

    /// What it takes, as the tables have it.
    #[cfg(test)]
    pub const fn takes(self) -> &'static str {
        self.takes.text()
    }

    /// What is wrong with a call of it, if anything.
    pub fn check(&self, given: &Given<'_>) -> Result<(), Box<Mismatch>> {
        self.takes.check(self.name, 1, given)
    }

    pub fn apply(self, ev: &mut Eval, mut input: Val, mut args: Args) -> R<Val> {
        args.bind(self.name, self.takes, 1)?;
        if !self.undefined {
            if input.is_soft() {
                input = Val::str("");
            }
            args.settle();
            // What is made of nothing is undefined as well: `default` may follow.
            if input.is_undefined() {
                return Ok(input);
            }
            if let Some(e) = args.undefined() {
                return Ok(Val::Undefined(std::sync::Arc::clone(e)));
            }
        }
        (self.run)(ev, input, &args)
    }
}

const FAMILIES: &[&[Row]] = &[
    core::FILTERS,
    crypt::FILTERS,
    data::FILTERS,
    hash::FILTERS,
    lists::FILTERS,
    maps::FILTERS,
    markup::FILTERS,
    markup_type::FILTERS,
    numbers::FILTERS,
    paths::FILTERS,
    patterns::FILTERS,
    sizes::FILTERS,
    strings::FILTERS,
    time::FILTERS,
    urls::FILTERS,
    vault::FILTERS,
];

/// Filters of collections, which have their short names as well.
const COLLECTIONS: &[(&str, &[Row])] = &[
    ("ansible.utils", net::FILTERS),
    ("ansible.utils", structure::FILTERS),
    ("ansible.utils", keys::FILTERS),
    ("ansible.utils", xml::FILTERS),
    ("community.general", general::FILTERS),
    ("community.general", hashids::FILTERS),
    ("community.general", jsonpatch::FILTERS),
    ("community.general", jsondiff::FILTERS),
    ("community.general", prettytable::FILTERS),
    ("community.general", jmespath::FILTERS),
    ("community.general", merging::FILTERS),
    ("community.general", data::WRAPPERS),
    ("community.general", tables::FILTERS),
];

/// Filters that look at what is undefined themselves.
const TOLERANT: &[&str] = &["default", "d", "mandatory", "ternary", "type_debug"];

fn table() -> &'static HashMap<&'static str, Filter> {
    static TABLE: OnceLock<HashMap<&'static str, Filter>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let filter = |row: &Row| (row.0, Filter::of(row, TOLERANT.contains(&row.0)));
        let own = FAMILIES.iter().flat_map(|family| family.iter());
        let others = COLLECTIONS.iter().flat_map(|(_, family)| family.iter());
        others.chain(own).map(filter).collect()
    })
}

/// The filter of that name, short or full.
pub(super) fn find(name: &str) -> Option<Filter> {
    if let Some((collection, short)) = name.rsplit_once('.')
        && !matches!(collection, "ansible.builtin" | "ansible.legacy")
    {
        let collection = if collection == "ansible.netcommon" { "ansible.utils" } else { collection };
        let mut families = COLLECTIONS.iter().filter(|(c, _)| *c == collection);
        return families
            .find_map(|(_, family)| family.iter().find(|row| row.0 == short))
            .map(|row| Filter::of(row, false));
    }
    table().get(short(name)).copied()
}

/// The full name of a filter or test.
pub(super) fn qualified(name: &str) -> String {
    let has = |family: &[Row]| family.iter().any(|row| row.0 == name);
    match COLLECTIONS.iter().find(|(_, family)| has(family)) {
        _ if name.contains('.') => name.to_owned(),
        Some((collection, _)) if !FAMILIES.iter().any(|f| has(f)) => format!("{collection}.{name}"),
        _ => format!("ansible.builtin.{name}"),
    }
}

/// All short names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    table().keys().copied()
}

/// A plugin's short name.
pub(super) fn short(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}
