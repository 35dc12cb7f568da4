//! What can be said of a lookup before it runs: that there is one, and that it has the options it is given.

use minijinja::machinery::ast::{Call, CallArg, Expr};

use super::error::Error;
use super::ir::Span;
use super::lookups;

/// What is wrong with a call as one of a lookup whose name is written out.
pub(super) fn wrong(call: &Call<'_>, source: &str) -> Option<Error> {
    let (Expr::Var(callee), CallArg::Pos(Expr::Const(first))) = (&call.expr, call.args.first()?) else { return None };
    let name = first.value.as_str().filter(|_| matches!(callee.id, "lookup" | "query" | "q"))?;
    let Some(lookup) = lookups::find(name) else {
        let at = Span { start: first.span().start_offset, end: first.span().end_offset };
        return Some(Error::no_such("lookup", name, lookups::names()).spanned(at));
    };
    call.args.iter().find_map(|arg| {
        let CallArg::Kwarg(option, value) = arg else { return None };
        let error = lookup.refuses(option)?;
        // The name of an option has no place of its own: it stands before its value.
        let value = value.span().start_offset;
        let before = source.get(..value as usize).unwrap_or_default();
        let start = before.rfind(option).and_then(|at| u32::try_from(at).ok()).unwrap_or(value);
        let end = start + u32::try_from(option.len()).unwrap_or(0);
        Some(error.spanned(Span { start, end }))
    })
}
