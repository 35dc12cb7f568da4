//! Lists: picking, ordering, joining, set operations.

use super::Row;
use crate::model::Key;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::ir::Span;
use crate::template::tests;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("length", "", length),
    ("count", "", length),
    ("first", "", first),
    ("last", "", last),
    ("join", "d? attribute?", join),
    ("reverse", "", reverse),
    ("sort", "reverse? case_sensitive? attribute?", sort),
    ("unique", "case_sensitive? attribute?", unique),
    ("union", "b", |ev, v, a| sets(ev, &v, a.need("b")?, Set::Union)),
    ("intersect", "b", |ev, v, a| sets(ev, &v, a.need("b")?, Set::Intersect)),
    ("difference", "b", |ev, v, a| sets(ev, &v, a.need("b")?, Set::Difference)),
    ("symmetric_difference", "b", |ev, v, a| sets(ev, &v, a.need("b")?, Set::Symmetric)),
    ("map", "*filter attribute? default? **", map),
    ("select", "*args **", |ev, v, a| select(ev, &v, a, true, false)),
    ("reject", "*args **", |ev, v, a| select(ev, &v, a, false, false)),
    ("selectattr", "*args **", |ev, v, a| select(ev, &v, a, true, true)),
    ("rejectattr", "*args **", |ev, v, a| select(ev, &v, a, false, true)),
    ("flatten", "levels? skip_nulls?", flatten),
    ("batch", "linecount fill_with?", batch),
    ("slice", "slices fill_with?", slice),
    ("zip", "*iterables strict?", |ev, v, a| zip(ev, &v, a)),
    ("zip_longest", "*iterables fillvalue?", |ev, v, a| zip_longest(ev, &v, a)),
    ("product", "*iterables repeat?", product),
    ("permutations", "r?", |ev, v, a| {
        let items = ev.iterate(&v)?;
        let all = i64::try_from(items.len()).unwrap_or(i64::MAX);
        choose(&items, a.int("r", all)?, true).map(Val::list)
    }),
    ("combinations", "r", |ev, v, a| {
        let items = ev.iterate(&v)?;
        choose(&items, a.need("r")?.index()?, false).map(Val::list)
    }),
    ("powerset", "", powerset),
];

fn length(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let len = match &input {
        Val::Str(s) => s.chars().count(),
        Val::List(l) => l.len(),
        Val::Map(m) => m.len(),
        Val::Object(o) if o.is_map() => o.keys(ev).map_or(0, |keys| keys.len()),
        other => return Err(Error::new(format!("object of type '{}' has no len()", other.type_name()))),
    };
    Ok(Val::Int(len as i128))
}

pub(super) fn empty(which: &str) -> Val {
    let message = format!("No {which} item, sequence was empty.");
    Val::Undefined(std::sync::Arc::new(Error::undefined("", message)))
}

fn first(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let found = match &input {
        Val::List(l) => l.get(ev, 0)?,
        other => ev.iterate(other)?.into_iter().next(),
    };
    Ok(found.unwrap_or_else(|| empty("first")))
}

fn last(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let found = match &input {
        Val::List(l) => l.len().checked_sub(1).map_or(Ok(None), |i| l.get(ev, i))?,
        other => ev.iterate(other)?.pop(),
    };
    Ok(found.unwrap_or_else(|| empty("last")))
}

fn join(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let with = args.str(ev, "d", "")?;
    let path = args.get("attribute").cloned();
    let mut parts = Vec::new();
    for item in ev.iterate(&input)? {
        let item = path.as_ref().map_or(Ok(item.clone()), |p| follow(ev, &item, p))?;
        parts.push(ev.text(&item.defined()?)?);
    }
    Ok(Val::str(parts.join(&with)))
}

fn reverse(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    if let Val::Str(s) = &input {
        return Ok(Val::str(s.chars().rev().collect::<String>()));
    }
    let mut items = ev.iterate(&input)?;
    items.reverse();
    Ok(Val::list(items))
}

/// What a dotted path leads to; numbers are positions.
pub(in crate::template) fn follow(ev: &mut Eval, from: &Val, path: &Val) -> R<Val> {
    let Val::Str(path) = path else { return ev.item(from, path, Span::default()) };
    let mut at = from.clone();
    for step in path.split('.') {
        let key = step.parse().map_or_else(|_| Val::str(step), Val::Int);
        at = ev.item(&at, &key, Span::default())?;
    }
    Ok(at)
}

/// Text as it is compared without regard to case.
pub(super) fn folded(value: Val) -> Val {
    match value {
        Val::Str(s) => Val::str(s.to_lowercase()),
        other => other,
    }
}

impl Eval {
    /// Sorted as Python sorts, equal ones in their order.
    pub fn sorted(&mut self, items: Vec<Val>, reverse: bool) -> R<Vec<Val>> {
        let keyed = items.into_iter().map(|v| (v.clone(), v)).collect();
        self.sorted_by_key(keyed, reverse)
    }

    /// Merge sort: the comparison may fail, which the library's sorts do not allow.
    pub fn sorted_by_key(&mut self, keyed: Vec<(Val, Val)>, reverse: bool) -> R<Vec<Val>> {
        let mut runs: std::collections::VecDeque<Vec<(Val, Val)>> = keyed.into_iter().map(|k| vec![k]).collect();
        while runs.len() > 1 {
            let mut merged = std::collections::VecDeque::new();
            while let Some(left) = runs.pop_front() {
                merged.push_back(match runs.pop_front() {
                    Some(right) => self.merge(left, right, reverse)?,
                    None => left,
                });
            }
            runs = merged;
        }
        Ok(runs.pop_front().unwrap_or_default().into_iter().map(|(_, v)| v).collect())
    }

    fn merge(&mut self, left: Vec<(Val, Val)>, right: Vec<(Val, Val)>, reverse: bool) -> R<Vec<(Val, Val)>> {
        let mut out = Vec::with_capacity(left.len() + right.len());
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let order = if reverse { self.order("<", &a.0, &b.0)? } else { self.order("<", &b.0, &a.0)? };
            let take = if order == Some(std::cmp::Ordering::Less) { right.next() } else { left.next() };
            out.extend(take);
        }
        out.extend(left);
        out.extend(right);
        Ok(out)
    }
}

fn sort(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let reverse = args.bool(ev, "reverse", false)?;
    let case = args.bool(ev, "case_sensitive", false)?;
    let paths = match args.get("attribute") {
        None | Some(Val::Null) => None,
        Some(Val::Str(s)) => Some(s.split(',').map(|p| Val::str(p.trim())).collect::<Vec<_>>()),
        Some(other) => Some(vec![other.clone()]),
    };
    let mut keyed = Vec::new();
    for item in ev.iterate(&input)? {
        let fold = |v: Val| if case { v } else { folded(v) };
        let key = match &paths {
            None => fold(item.clone().defined()?),
            Some(paths) => {
                let parts = paths.iter().map(|p| follow(ev, &item, p)?.defined().map(fold));
                Val::tuple(parts.collect::<R<_>>()?)
            }
        };
        keyed.push((key, item));
    }
    ev.sorted_by_key(keyed, reverse).map(Val::list)
}

fn has(ev: &mut Eval, items: &[Val], item: &Val) -> R<bool> {
    for other in items {
        if ev.equal(other, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn unique(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let case = match args.get("case_sensitive") {
        None | Some(Val::Null) => false,
        Some(v) => ev.truth(v)?,
    };
    let path = args.get("attribute").cloned();
    let (mut seen, mut out) = (Vec::new(), Vec::new());
    let given = matches!(args.get("case_sensitive"), Some(Val::Bool(false)));
    for item in ev.iterate(&input)? {
        if given && matches!(item, Val::Map(_) | Val::List(_)) && path.is_none() {
            return Err(Error::new(
                "Jinja2's unique filter failed and we cannot fall back to Ansible's version as it does not support \
                 the parameters supplied",
            ));
        }
        let key = path.as_ref().map_or(Ok(item.clone()), |p| follow(ev, &item, p))?;
        let key = if case { key } else { folded(key) };
        if !has(ev, &seen, &key)? {
            seen.push(key);
            out.push(item);
        }
    }
    Ok(Val::list(out))
}

#[derive(PartialEq, Eq, Clone, Copy)]
pub(super) enum Set {
    Union,
    Intersect,
    Difference,
    Symmetric,
}

pub(super) fn sets(ev: &mut Eval, input: &Val, other: &Val, what: Set) -> R<Val> {
    let a = ev.iterate(input)?;
    let b = ev.iterate(other)?;
    let mut out = Vec::new();
    for item in &a {
        let both = has(ev, &b, item)?;
        let keep = what == Set::Union || both == (what == Set::Intersect);
        if keep && !has(ev, &out, item)? {
            out.push(item.clone());
        }
    }
    if matches!(what, Set::Union | Set::Symmetric) {
        for item in &b {
            let skip = what == Set::Symmetric && has(ev, &a, item)?;
            if !skip && !has(ev, &out, item)? {
                out.push(item.clone());
            }
        }
    }
    Ok(Val::list(out))
}

fn map(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let items = ev.iterate(&input)?;
    if let Some(path) = args.get("attribute").cloned() {
        if let Some((other, _)) = args.kw.iter().find(|(name, _)| !matches!(&**name, "attribute" | "default")) {
            return Err(Error::new(format!("Unexpected keyword argument '{other}'")));
        }
        let default = args.get("default").cloned();
        let found = items.iter().map(|item| {
            let found = follow(ev, item, &path)?;
            Ok(match (&found, &default) {
                (Val::Undefined(_), Some(default)) => default.clone(),
                _ => found,
            })
        });
        return found.collect::<R<_>>().map(Val::list);
    }
    let name = args.pos.first().ok_or_else(|| Error::new("map requires a filter argument"))?;
    let name = ev.text(name)?;
    let filter = super::find(&name).ok_or_else(|| Error::no_such("filter", &name, super::names()))?;
    let rest = Args::new(args.pos.iter().skip(1).cloned().collect(), args.kw.clone());
    items.into_iter().map(|item| filter.apply(ev, item, rest.clone())).collect::<R<_>>().map(Val::list)
}

fn select(ev: &mut Eval, input: &Val, args: &Args, want: bool, by_attr: bool) -> R<Val> {
    let from = usize::from(by_attr);
    let path = if by_attr {
        Some(args.pos.first().cloned().ok_or_else(|| Error::new("Missing parameter for attribute name"))?)
    } else {
        None
    };
    let test = match args.pos.get(from) {
        None => None,
        Some(name) => {
            let name = ev.text(name)?;
            Some(tests::find(&name).ok_or_else(|| Error::no_such("test", &name, tests::names()))?)
        }
    };
    let mut rest = Args::new(args.pos.iter().skip(from + 1).cloned().collect(), args.kw.clone());
    if let Some(test) = test {
        rest = test.bind(rest)?;
    }
    let mut out = Vec::new();
    for item in ev.iterate(input)? {
        let value = path.as_ref().map_or(Ok(item.clone()), |p| follow(ev, &item, p))?;
        let holds = match test {
            None => ev.truth(&value)?,
            Some(test) if test.undefined => test.holds(ev, &value, &rest)?,
            Some(test) => test.holds(ev, &value.defined()?, &rest)?,
        };
        if holds == want {
            out.push(item);
        }
    }
    Ok(Val::list(out))
}

fn flatten(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let levels = match args.get("levels") {
        None | Some(Val::Null) => i64::MAX,
        Some(_) => args.int("levels", 0)?,
    };
    let skip = args.bool(ev, "skip_nulls", true)?;
    let mut out = Vec::new();
    flatten_into(ev, &input, levels, skip, &mut out)?;
    Ok(Val::list(out))
}

/// The items of lists within a list, so many levels deep.
pub(super) fn flattened(ev: &mut Eval, input: &Val, levels: i64) -> R<Vec<Val>> {
    let mut out = Vec::new();
    flatten_into(ev, input, levels, true, &mut out)?;
    Ok(out)
}

fn flatten_into(ev: &mut Eval, input: &Val, levels: i64, skip: bool, out: &mut Vec<Val>) -> R<()> {
    for item in ev.iterate(input)? {
        match &item {
            Val::Null if skip => {}
            // As in Ansible, so are the words for it.
            Val::Str(t) if skip && matches!(t.as_str(), "None" | "null") => {}
            Val::List(_) if levels >= 1 => ev.nested(|ev| flatten_into(ev, &item, levels - 1, skip, out))?,
            _ => out.push(item),
        }
    }
    Ok(())
}

fn batch(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let size = usize::try_from(args.int("linecount", 1)?).unwrap_or(1).max(1);
    let fill = args.get("fill_with").filter(|f| !matches!(f, Val::Null)).cloned();
    let items = ev.iterate(&input)?;
    let rows = items.chunks(size).map(|chunk| {
        let mut row = chunk.to_vec();
        if let Some(fill) = &fill {
            row.resize(size, fill.clone());
        }
        Val::list(row)
    });
    Ok(Val::list(rows.collect()))
}

fn slice(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let count = usize::try_from(args.int("slices", 1)?).unwrap_or(1).max(1);
    let fill = args.get("fill_with").filter(|f| !matches!(f, Val::Null)).cloned();
    let items = ev.iterate(&input)?;
    let (each, extra) = (items.len() / count, items.len() % count);
    let mut rest = items.into_iter();
    let rows = (0..count.min(1 << 16)).map(|i| {
        let mut row: Vec<Val> = rest.by_ref().take(each + usize::from(i < extra)).collect();
        if let (Some(fill), true) = (&fill, extra > 0 && i >= extra) {
            row.push(fill.clone());
        }
        Val::list(row)
    });
    Ok(Val::list(rows.collect()))
}

fn columns(ev: &mut Eval, input: &Val, args: &Args) -> R<Vec<Vec<Val>>> {
    std::iter::once(input).chain(&args.pos).map(|column| ev.iterate(column)).collect()
}

fn rows(columns: &[Vec<Val>], count: Option<usize>, fill: &Val) -> Val {
    let cell = |column: &Vec<Val>, i: usize| column.get(i).unwrap_or(fill).clone();
    let row = |i: usize| Val::tuple(columns.iter().map(|column| cell(column, i)).collect());
    Val::list((0..count.unwrap_or(0)).map(row).collect())
}

fn zip(ev: &mut Eval, input: &Val, args: &Args) -> R<Val> {
    let columns = columns(ev, input, args)?;
    let (least, most) = (columns.iter().map(Vec::len).min(), columns.iter().map(Vec::len).max());
    if args.bool(ev, "strict", false)? && least != most {
        return Err(Error::new("zip() has arguments of different lengths"));
    }
    Ok(rows(&columns, least, &Val::Null))
}

fn zip_longest(ev: &mut Eval, input: &Val, args: &Args) -> R<Val> {
    let columns = columns(ev, input, args)?;
    let fill = args.get("fillvalue").cloned().unwrap_or(Val::Null);
    Ok(rows(&columns, columns.iter().map(Vec::len).max(), &fill))
}

/// The cartesian product, the last list running fastest.
pub(in crate::template) fn cartesian(lists: &[Vec<Val>]) -> R<Vec<Vec<Val>>> {
    let size = lists.iter().try_fold(1usize, |n, l| n.checked_mul(l.len())).filter(|n| *n < 1 << 20);
    size.ok_or_else(|| Error::new("the product is too large"))?;
    let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
    for list in lists {
        rows = rows
            .iter()
            .flat_map(|row| list.iter().map(move |v| [row.as_slice(), std::slice::from_ref(v)].concat()))
            .collect();
    }
    Ok(rows)
}

fn product(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let mut lists = vec![ev.iterate(&input)?];
    for other in &args.pos {
        lists.push(ev.iterate(other)?);
    }
    let repeat = usize::try_from(args.get("repeat").and_then(Val::as_int).unwrap_or(1)).unwrap_or(1).min(16);
    let all: Vec<Vec<Val>> = std::iter::repeat_n(lists, repeat).flatten().collect();
    Ok(Val::list(cartesian(&all)?.into_iter().map(Val::tuple).collect()))
}

fn choose(items: &[Val], size: i64, ordered: bool) -> R<Vec<Val>> {
    let size = usize::try_from(size).map_err(|_| Error::new("r must be non-negative"))?;
    let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..size {
        let mut next = Vec::new();
        for row in &rows {
            let start = if ordered { 0 } else { row.last().map_or(0, |l| l + 1) };
            next.extend((start..items.len()).filter(|i| !row.contains(i)).map(|i| [row.as_slice(), &[i]].concat()));
        }
        rows = next;
        if rows.len() > 1 << 18 {
            return Err(Error::new("there are too many"));
        }
    }
    let row = |r: Vec<usize>| Val::tuple(r.into_iter().filter_map(|i| items.get(i).cloned()).collect());
    Ok(rows.into_iter().map(row).collect())
}

fn powerset(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let items = ev.iterate(&input)?;
    let mut out = Vec::new();
    for size in 0..=i64::try_from(items.len()).unwrap_or(i64::MAX) {
        out.extend(choose(&items, size, false)?);
    }
    Ok(Val::list(out))
}

/// A map of values, for the filters that build maps.
pub(super) fn entry(key: &str, value: Val) -> (Key, Val) {
    (Key::from(key), value)
}
