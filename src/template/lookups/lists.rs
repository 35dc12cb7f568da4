//! Lookups that turn lists: what `with_…` loops are made of.

use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::filters;
use crate::template::value::{Args, R, Val};

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
    for term in args.pos.clone() {
        if !matches!(&term, Val::Map(_)) && !matches!(&term, Val::Object(object) if object.is_map()) {
            let (shown, kind) = (ev.text(&term)?, term.type_name());
            return Err(Error::new(format!(
                "the 'dict' lookup plugin expects a dictionary, got '{shown}' of type <class '{kind}'>)"
            )));
        }
        let filter = filters::find("dict2items").ok_or_else(|| Error::new("no dict2items"))?;
        let rows = filter.apply(ev, term, Args::default())?;
        out.extend(ev.iterate(&rows)?);
    }
    Ok(out)
}

pub(super) fn flattened(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let filter = filters::find("flatten").ok_or_else(|| Error::new("no flatten"))?;
    let flat = filter.apply(ev, Val::list(args.pos.clone()), Args::default())?;
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
        out.push(flat.apply(ev, Val::list(row), Args::of(vec![Val::Int(1)]))?);
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

pub(super) fn random_choice(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    // Without anything to choose from, that is what is given.
    if args.pos.is_empty() || matches!(args.pos.as_slice(), [Val::List(l)] if l.len() == 0) {
        return Ok(args.pos.clone());
    }
    Ok(filters::pick(ev, &args.pos, None)?.into_iter().collect())
}
