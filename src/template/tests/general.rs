//! Tests of `community.general`.

use super::Row;
use crate::template::eval::Eval;
use crate::template::filters::revealed;
use crate::template::value::{Args, R, Val};

pub(super) const TESTS: &[Row] =
    &[("ansible_type", "dtype alias?", ansible_type), ("fqdn_valid", "min_labels? allow_underscores?", fqdn_valid)];

/// Whether the type, with those of what is in it, is (one of) the given.
fn ansible_type(ev: &mut Eval, v: &Val, args: &Args) -> R<bool> {
    let alias = args.get("alias").cloned();
    let found = Val::str(revealed(ev, v, alias.as_ref())?);
    match args.need("dtype")?.clone() {
        many @ Val::List(_) => ev.contains(&many, &found),
        one => ev.equal(&one, &found),
    }
}

/// Whether a text is a host's name with its domain.
fn fqdn_valid(ev: &mut Eval, v: &Val, args: &Args) -> R<bool> {
    let name = ev.text(v)?;
    let least = usize::try_from(args.int("min_labels", 1)?).unwrap_or(0);
    let underscores = args.bool(ev, "allow_underscores", false)?;
    let name = name.strip_suffix('.').unwrap_or(&name);
    let labels: Vec<&str> = name.split('.').collect();
    let fits = |label: &&str| {
        let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || underscores && c == '_';
        (1..=63).contains(&label.len()) && label.chars().all(known) && !label.starts_with('-') && !label.ends_with('-')
    };
    Ok(name.len() <= 253 && labels.len() >= least && labels.iter().all(fits))
}
