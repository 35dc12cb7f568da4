//! `version`: loose, strict and semantic comparison.

use std::cmp::Ordering;

use super::Row;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const TESTS: &[Row] = &[
    ("version", "version operator? strict? version_type?", version),
    ("version_compare", "version operator? strict? version_type?", version),
];

fn version(ev: &mut Eval, v: &Val, args: &Args) -> R<bool> {
    let (a, b) = (ev.text(v)?, args.need("version")?.clone());
    let b = ev.text(&b)?;
    let operator = args.str(ev, "operator", "eq")?;
    if let (Some(Val::Bool(_)), Some(Val::Str(_))) = (args.get("strict"), args.get("version_type")) {
        return Err(Error::new("Cannot specify both 'strict' and 'version_type'"));
    }
    let strict = args.get("strict").map_or(Ok(false), |v| ev.truth(v))?;
    let kind = args.str(ev, "version_type", if strict { "strict" } else { "loose" })?;
    if a.is_empty() || b.is_empty() {
        let which = if a.is_empty() { "Input version value" } else { "Version parameter to compare against" };
        return Err(Error::new(format!("{which} cannot be empty")));
    }
    let order = match kind.as_str() {
        "loose" => loose(&a, &b)?,
        "strict" => strict_order(&a, &b)?,
        "semver" | "semantic" => semantic(&a)?.cmp(&semantic(&b)?),
        "pep440" => pep440(&a).cmp(&pep440(&b)),
        other => {
            return Err(Error::new(format!(
                "Invalid version type ({other}). Must be one of 'loose', 'strict', 'semver', 'semantic', 'pep440'"
            )));
        }
    };
    Ok(match operator.as_str() {
        "==" | "=" | "eq" => order == Ordering::Equal,
        "!=" | "<>" | "ne" => order != Ordering::Equal,
        "<" | "lt" => order == Ordering::Less,
        "<=" | "le" => order != Ordering::Greater,
        ">" | "gt" => order == Ordering::Greater,
        ">=" | "ge" => order != Ordering::Less,
        other => {
            return Err(Error::new(format!(
                "Invalid operator type ({other}). Must be one of '==', '=', 'eq', '<', 'lt', '<=', 'le', '>', 'gt', '>=', 'ge', '!=', '<>', 'ne'"
            )));
        }
    })
}

/// A piece of a version: digits are numbers.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Number(u128),
    Word(String),
}

/// Runs of digits, runs of lower-case letters, and what else there is, without the dots.
fn pieces(text: &str) -> Vec<Piece> {
    let class = |c: char| {
        if c.is_ascii_digit() {
            0
        } else if c.is_ascii_lowercase() {
            1
        } else {
            2
        }
    };
    let mut runs: Vec<String> = Vec::new();
    let mut last = None;
    for c in text.trim().chars() {
        let this = (c != '.').then(|| class(c));
        match (runs.last_mut(), this) {
            (_, None) => {}
            (Some(run), Some(_)) if this == last => run.push(c),
            _ => runs.push(c.to_string()),
        }
        last = this;
    }
    runs.into_iter().map(|r| r.parse().map_or_else(|_| Piece::Word(r.clone()), Piece::Number)).collect()
}

/// What sorts as the version does.
pub(in crate::template) fn loose_key(text: &str) -> Val {
    let part = |p| match p {
        Piece::Number(n) => Val::Int(i128::try_from(n).unwrap_or(i128::MAX)),
        Piece::Word(w) => Val::str(w),
    };
    Val::list(pieces(text).into_iter().map(part).collect())
}

fn loose(a: &str, b: &str) -> R<Ordering> {
    let (x, y) = (pieces(a), pieces(b));
    for (x, y) in x.iter().zip(&y) {
        let order = match (x, y) {
            (Piece::Number(x), Piece::Number(y)) => x.cmp(y),
            (Piece::Word(x), Piece::Word(y)) => x.cmp(y),
            (x, y) => {
                let name = |p: &Piece| if matches!(p, Piece::Number(_)) { "int" } else { "str" };
                return Err(Error::new(format!(
                    "Version comparison failed: '<' not supported between instances of '{}' and '{}'",
                    name(x),
                    name(y)
                )));
            }
        };
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    Ok(x.len().cmp(&y.len()))
}

fn strict_order(a: &str, b: &str) -> R<Ordering> {
    type Strict = ([u64; 3], Option<(char, u64)>);
    let parse = |text: &str| -> Option<Strict> {
        let cut = text.find(['a', 'b']);
        let (numbers, pre) = cut.map_or((text, None), |i| (text.get(..i).unwrap_or_default(), text.get(i..)));
        let pre = match pre {
            None => None,
            Some(p) => Some((p.chars().next()?, p.get(1..)?.parse().ok()?)),
        };
        let mut parts = numbers.split('.').map(|p| p.parse().ok());
        let (major, minor) = (parts.next()??, parts.next()??);
        let patch = parts.next().map_or(Some(0), |p| p)?;
        parts.next().is_none().then_some(([major, minor, patch], pre))
    };
    let bad = |text: &str| Error::new(format!("Version comparison failed: invalid version number '{text}'"));
    let (x, y) = (parse(a).ok_or_else(|| bad(a))?, parse(b).ok_or_else(|| bad(b))?);
    Ok(x.0.cmp(&y.0).then_with(|| match (x.1, y.1) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(x), Some(y)) => x.cmp(&y),
    }))
}

type Semantic = ([u64; 3], bool, Vec<(bool, u64, String)>);

fn semantic(text: &str) -> R<Semantic> {
    let core = text.split('+').next().unwrap_or_default();
    let (numbers, pre) = core.split_once('-').map_or((core, None), |(n, p)| (n, Some(p)));
    let parts: Option<Vec<u64>> = numbers.split('.').map(|p| p.parse().ok()).collect();
    let numbers = parts.and_then(|p| <[u64; 3]>::try_from(p).ok());
    let numbers =
        numbers.ok_or_else(|| Error::new(format!("Version comparison failed: invalid semantic version '{text}'")))?;
    let identifiers = pre.map_or_else(Vec::new, |p| {
        p.split('.')
            .map(|i| i.parse().map_or_else(|_| (true, 0, i.to_owned()), |n| (false, n, String::new())))
            .collect()
    });
    Ok((numbers, pre.is_none(), identifiers))
}

/// Numbers, then pre-releases before and post-releases after the release itself.
fn pep440(text: &str) -> (u64, Vec<u64>, i32, u64) {
    let text = text.trim().trim_start_matches('v').to_lowercase();
    let (epoch, text) = text.split_once('!').map_or(("0", text.as_str()), |(e, t)| (e, t));
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (numbers, suffix) = text.split_at(end);
    let mut release: Vec<u64> = numbers.split('.').filter_map(|p| p.parse().ok()).collect();
    while release.last() == Some(&0) {
        release.pop();
    }
    let stage: &[(&str, i32)] = &[("dev", -4), ("a", -3), ("b", -2), ("rc", -1), ("c", -1), ("post", 1)];
    let word = suffix.trim_start_matches(['.', '-', '_']);
    let (rank, rest) = stage.iter().find_map(|(s, r)| word.strip_prefix(s).map(|rest| (*r, rest))).unwrap_or((0, ""));
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    (epoch.parse().unwrap_or(0), release, rank, digits.parse().unwrap_or(0))
}
