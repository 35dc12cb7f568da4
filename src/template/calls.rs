//! What can be said of a call of a filter, test or lookup before it runs: that there is one of that name,
//! and that it takes what it is given.

use minijinja::machinery::ast::{Call, CallArg, Expr};

use super::error::Error;
use super::filters::{self, Filter};
use super::ir::Span;
use super::lookups;
use super::signature::{Given, Mismatch};
use super::tests::{self, Test};

type R<T> = Result<T, Error>;

/// Each argument has a name of its own.
pub(super) fn named_once(args: &[CallArg<'_>]) -> R<()> {
    let name = |arg: &CallArg<'_>| if let CallArg::Kwarg(name, _) = arg { Some((*name).to_owned()) } else { None };
    for (at, arg) in args.iter().enumerate() {
        let earlier = args.get(..at).unwrap_or_default();
        if let (Some(own), CallArg::Kwarg(_, e)) = (name(arg), arg)
            && earlier.iter().any(|other| name(other).as_ref() == Some(&own))
        {
            let span = Span { start: e.span().start_offset, end: e.span().end_offset };
            return Err(Error::syntax(format!("keyword argument repeated: {own}")).spanned(span));
        }
    }
    Ok(())
}

/// The filter of that name, if it can be called so.
pub(super) fn filter(name: &str, args: &[CallArg<'_>], at: Span, source: &str) -> R<Filter> {
    let found = filters::find(name).ok_or_else(|| Error::no_such("filter", name, filters::names()).spanned(at))?;
    found.check(&given(args)).map_err(|wrong| misplaced("filter", name, *wrong, args, at, source))?;
    inner(filters::short(name), args, source)?;
    Ok(found)
}

/// The test of that name, if it can be called so.
pub(super) fn test(name: &str, args: &[CallArg<'_>], at: Span, source: &str) -> R<Test> {
    let found = tests::find(name).ok_or_else(|| Error::no_such("test", name, tests::names()).spanned(at))?;
    found.check(&given(args)).map_err(|wrong| misplaced("test", name, *wrong, args, at, source))?;
    Ok(found)
}

/// The filter or test that `map`, `select` and the like are given by name.
fn inner(outer: &str, args: &[CallArg<'_>], source: &str) -> R<()> {
    let at = match outer {
        "map" | "select" | "reject" => 0,
        "selectattr" | "rejectattr" => 1,
        _ => return Ok(()),
    };
    let Some((CallArg::Pos(Expr::Const(name)), rest)) = args.get(at..).and_then(<[_]>::split_first) else {
        return Ok(());
    };
    let Some(text) = name.value.as_str() else { return Ok(()) };
    let place = Span { start: name.span().start_offset, end: name.span().end_offset };
    if outer == "map" { filter(text, rest, place, source).map(drop) } else { test(text, rest, place, source).map(drop) }
}

fn given<'a>(args: &'a [CallArg<'_>]) -> Given<'a> {
    let mut given = Given { positions: 0, names: Vec::new(), open: false };
    for arg in args {
        match arg {
            CallArg::Pos(_) => given.positions += 1,
            CallArg::Kwarg(name, _) => given.names.push(name),
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => given.open = true,
        }
    }
    given
}

/// A call that does not keep to what is taken: at the name that is wrong, or else at the whole.
fn misplaced(what: &str, name: &str, wrong: Mismatch, args: &[CallArg<'_>], at: Span, source: &str) -> Error {
    let option = wrong.name.as_deref().and_then(|option| place_of(option, args, source));
    Error::plugin_call(what, name, wrong).spanned(option.unwrap_or(at))
}

/// Where the name of an option stands. It has no place of its own: it is before its value.
fn place_of(option: &str, args: &[CallArg<'_>], source: &str) -> Option<Span> {
    let value = args.iter().find_map(|arg| match arg {
        CallArg::Kwarg(name, value) if *name == option => Some(value.span().start_offset),
        _ => None,
    })?;
    let start = source.get(..value as usize)?.rfind(option).and_then(|at| u32::try_from(at).ok())?;
    Some(Span { start, end: start + u32::try_from(option.len()).ok()? })
}

/// What is wrong with a call as one of a lookup whose name is written out.
pub(super) fn lookup(call: &Call<'_>, source: &str) -> R<()> {
    let (Expr::Var(callee), Some(CallArg::Pos(Expr::Const(first)))) = (&call.expr, call.args.first()) else {
        return Ok(());
    };
    let name = first.value.as_str().filter(|_| matches!(callee.id, "lookup" | "query" | "q"));
    let Some(name) = name else { return Ok(()) };
    let at = Span { start: first.span().start_offset, end: first.span().end_offset };
    let Some(lookup) = lookups::find(name) else {
        return Err(Error::no_such("lookup", name, lookups::names()).spanned(at));
    };
    for arg in &call.args {
        if let CallArg::Kwarg(option, _) = arg
            && let Some(error) = lookup.refuses(option)
        {
            return Err(error.spanned(place_of(option, &call.args, source).unwrap_or(at)));
        }
    }
    Ok(())
}
