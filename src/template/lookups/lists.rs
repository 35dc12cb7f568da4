//! Lookups that turn lists: what `with_…` loops are made of.

use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::filters;
use crate::template::value::{Args, R, Val};

fn one_list(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    match args.pos.as_slice() {
        [one @ Val::List(_)] => ev.iterate(one),
        many => Ok(many.to_vec()),
    }
}

/// One level of lists is opened.
pub(super) fn items(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let mut out = Vec::new();
    for item in &args.pos {
        match item {
            Val::List(l) => out.extend(l.all(ev)?),
            other => out.push(other.clone()),
        }
    }
    Ok(out)
}

pub(super) fn dict(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let mut out = Vec::new();
    for term in items(ev, args)? {
        let Val::Map(_) = term else { return Err(Error::new("with_dict expects a dict")) };
        let filter = filters::find("dict2items").ok_or_else(|| Error::new("no dict2items"))?;
        let rows = filter.apply(ev, term, &Args::default())?;
        out.extend(ev.iterate(&rows)?);
    }
    Ok(out)
}

pub(super) fn flattened(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let filter = filters::find("flatten").ok_or_else(|| Error::new("no flatten"))?;
    let flat = filter.apply(ev, Val::list(args.pos.clone()), &Args::default())?;
    ev.iterate(&flat)
}

pub(super) fn indexed_items(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let all = items(ev, args)?;
    Ok(all.into_iter().enumerate().map(|(i, v)| Val::tuple(vec![Val::Int(i as i128), v])).collect())
}

pub(super) fn nested(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    if args.pos.is_empty() {
        return Err(Error::new("with_nested requires at least one element in the nested list"));
    }
    let mut lists = Vec::new();
    for list in &args.pos {
        lists.push(match list {
            Val::List(l) => l.all(ev)?,
            other => vec![other.clone()],
        });
    }
    let rows = filters::cartesian(&lists)?;
    let flat = filters::find("flatten").ok_or_else(|| Error::new("no flatten"))?;
    let mut out = Vec::new();
    for row in rows {
        out.push(flat.apply(ev, Val::list(row), &Args::of(vec![Val::Int(1)]))?);
    }
    Ok(out)
}

pub(super) fn together(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let lists = args.pos.iter().map(|l| ev.iterate(l)).collect::<R<Vec<_>>>()?;
    let rows = lists
        .iter()
        .map(Vec::len)
        .max()
        .ok_or_else(|| Error::new("with_together requires at least one element in each list"))?;
    let row = |i: usize| Val::list(lists.iter().map(|l| l.get(i).cloned().unwrap_or(Val::Null)).collect());
    Ok((0..rows).map(row).collect())
}

pub(super) fn subelements(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let (input, path) = (args.need(0, "terms")?.clone(), args.need(1, "subkey")?.clone());
    let skip = match args.pos.get(2) {
        Some(flags) => ev.attr(flags, "skip_missing", super::super::ir::Span::default())?,
        None => args.named("skip_missing").cloned().unwrap_or(Val::Bool(false)),
    };
    let skip = if skip.is_undefined() { Val::Bool(false) } else { skip };
    let rows = filters::subelements(ev, input, &Args::of(vec![path.clone(), skip]))?;
    let mut out = Vec::new();
    for row in ev.iterate(&rows)? {
        // Unlike the filter, the lookup takes the list out of the element.
        let [element, sub] =
            <[Val; 2]>::try_from(ev.iterate(&row)?).map_err(|_| Error::new("a row has not length 2"))?;
        let rest = match (&element, path.to_key()) {
            (Val::Map(map), Ok(key)) => {
                let mut all = map.all(ev)?;
                all.shift_remove(&key);
                Val::map(all)
            }
            _ => element,
        };
        out.push(Val::tuple(vec![rest, sub]));
    }
    Ok(out)
}

pub(super) fn random_choice(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let all = one_list(ev, args)?;
    Ok(filters::pick(ev, &all, None)?.into_iter().collect())
}

/// `start=1 end=5 stride=2 format=%02d`, or `1-5/2:%02d`.
pub(super) fn sequence(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let mut out = Vec::new();
    let mut texts = super::terms(ev, args)?;
    if texts.is_empty() {
        texts.push(String::new());
    }
    for text in texts {
        out.extend(sequence_of(ev, &text, args)?);
    }
    Ok(out)
}

fn number(text: &str) -> R<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let parsed = match digits.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits.trim_start_matches("0o"), 8),
        None => digits.parse(),
    };
    parsed.map(|n| n * sign).map_err(|_| Error::new(format!("can't parse sequence number {text}")))
}

fn sequence_of(ev: &mut Eval, text: &str, args: &Args) -> R<Vec<Val>> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for (key, value) in &args.kw {
        fields.push((key.to_string(), ev.text(value)?));
    }
    for word in text.split_whitespace() {
        match word.split_once('=') {
            Some((key, value)) => fields.push((key.to_owned(), value.trim_matches(['"', '\'']).to_owned())),
            None => {
                let (range, format) = word.split_once(':').map_or((word, None), |(r, f)| (r, Some(f)));
                let (range, stride) = range.split_once('/').map_or((range, None), |(r, s)| (r, Some(s)));
                let (start, end) = range.split_once('-').map_or((None, range), |(s, e)| (Some(s), e));
                let found = [("start", start), ("end", Some(end)), ("stride", stride), ("format", format)];
                fields.extend(found.into_iter().filter_map(|(k, v)| v.map(|v| (k.to_owned(), v.to_owned()))));
            }
        }
    }
    let get = |name: &str| fields.iter().rev().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
    if let Some((bad, _)) =
        fields.iter().find(|(k, _)| !matches!(k.as_str(), "start" | "end" | "stride" | "format" | "count"))
    {
        return Err(Error::new(format!("unrecognized arguments to with_sequence: {bad}")));
    }
    let start = get("start").map_or(Ok(1), number)?;
    let mut stride = get("stride").map_or(Ok(1), number)?;
    let end = match (get("end"), get("count")) {
        (Some(end), None) => number(end)?,
        (None, Some(count)) => {
            let count = number(count)?;
            if count == 0 {
                return Ok(Vec::new());
            }
            start.saturating_add((count - 1).saturating_mul(stride))
        }
        (None, None) => return Err(Error::new("must specify count or end in with_sequence")),
        _ => return Err(Error::new("can't specify both count and end in with_sequence")),
    };
    if get("stride").is_none() && start > end {
        stride = -1;
    }
    if stride == 0 || (start > end && stride > 0) || (start < end && stride < 0) {
        return Err(Error::new("the stride of with_sequence leads away from its end"));
    }
    let format = get("format").unwrap_or("%d").to_owned();
    let mut out = Vec::new();
    let mut at = start;
    while (stride > 0 && at <= end) || (stride < 0 && at >= end) {
        let value = Val::Int(i128::from(at));
        out.push(Val::str(crate::template::pyformat::percent(ev, &format, &value)?));
        at = at.saturating_add(stride);
        if out.len() > 1 << 20 {
            return Err(Error::new("the sequence is too long"));
        }
    }
    Ok(out)
}

/// Host names and groups that are named as they stand; `all` is every host.
pub(super) fn inventory_hostnames(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let groups = ev.variable("groups", super::super::ir::Span::default())?.defined()?;
    let mut out: Vec<Val> = Vec::new();
    for term in super::terms(ev, args)? {
        for part in term.split([':', ',']) {
            let (op, name) = match part.strip_prefix(['!', '&']) {
                Some(name) => (part.chars().next(), name),
                None => (None, part),
            };
            let found = ev.item(&groups, &Val::str(name), super::super::ir::Span::default())?;
            let hosts = if found.is_undefined() { vec![Val::str(name)] } else { ev.iterate(&found)? };
            let listed = |v: &Val| hosts.iter().any(|h| h.as_str() == v.as_str());
            match op {
                Some('!') => out.retain(|v| !listed(v)),
                Some(_) => out.retain(listed),
                None => {
                    let new: Vec<Val> =
                        hosts.iter().filter(|h| !out.iter().any(|v| v.as_str() == h.as_str())).cloned().collect();
                    out.extend(new);
                }
            }
        }
    }
    Ok(out)
}
