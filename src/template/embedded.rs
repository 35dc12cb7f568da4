//! Templates in constants: `lookup('pipe', 'echo {{ name }}')`.
//!
//! As in ansible-core 2.19, what a lookup is given in its positional arguments is the user's own
//! text, and templates in it are evaluated; the lookup's name and named arguments are not, nor is a
//! constant that an operator or a filter makes into something else.

use super::engine;
use super::error::Error;
use super::eval::Eval;
use super::ir::{Arg, BinOp, Expr, ExprKind, Template};
use super::lower;
use super::value::Val;
use crate::model::{Text, Value};

/// Filters that hand on what they are given.
const HANDED_ON: [&str; 5] = ["default", "d", "first", "last", "list"];

/// What is said of such a constant.
const WARNING: &str = "Jinja constant strings should not contain embedded templates";

/// Makes templates of the constants in a lookup's arguments that look like ones. Gives what they
/// read.
pub(super) fn mark(args: &mut [Arg]) -> Result<Vec<Template>, Error> {
    let mut found = Vec::new();
    let positional = args.iter_mut().filter_map(|arg| match arg {
        Arg::Pos(e) | Arg::Splat(e) => Some(e),
        Arg::Kw(..) | Arg::KwSplat(_) => None,
    });
    // The first is the lookup's name.
    for e in positional.skip(1) {
        embed(e, true, &mut found)?;
    }
    Ok(found)
}

/// `whole`: the value itself is handed to the lookup, not only what is in it.
fn embed(e: &mut Expr, whole: bool, found: &mut Vec<Template>) -> Result<(), Error> {
    let mut all = |parts: Vec<&mut Expr>, whole| parts.into_iter().try_for_each(|part| embed(part, whole, found));
    match &mut e.kind {
        ExprKind::Const(Val::Str(text)) if whole && Text::template(text.as_str(), None).is_template() => {
            let text = Text::template(text.as_str(), None);
            let compiled = lower::template(&super::quoting::protect(&text), &engine::inline());
            found.push(compiled.map_err(|error| Error::syntax(error.message()).spanned(e.at))?);
            e.kind = ExprKind::Embedded(text);
            Ok(())
        }
        ExprKind::List(items) | ExprKind::Tuple(items) => all(items.iter_mut().collect(), true),
        ExprKind::Map(entries) => all(entries.iter_mut().map(|(_, value)| value).collect(), true),
        ExprKind::If(pair, otherwise) => {
            all(otherwise.iter_mut().map(|e| &mut **e).chain([&mut pair.1]).collect(), whole)
        }
        ExprKind::Binary(BinOp::Add, pair) => all(vec![&mut pair.0, &mut pair.1], false),
        ExprKind::Filter(f) if HANDED_ON.contains(&&*f.name) => {
            let args = f.args.iter_mut().map(|arg| match arg {
                Arg::Pos(e) | Arg::Kw(_, e) | Arg::Splat(e) | Arg::KwSplat(e) => e,
            });
            all(f.input.iter_mut().chain(args).collect(), whole)
        }
        _ => Ok(()),
    }
}

impl Eval {
    /// The value of a template in a constant, with a warning.
    pub(super) fn embedded(&mut self, text: &Text) -> Result<Val, Error> {
        self.warn(format!("{WARNING}: {}", text.as_str()));
        self.nested(|ev| ev.template_value(text))
    }
}

/// What is said of a condition with such a constant in it.
pub(super) fn in_condition(text: &str) -> String {
    format!("{WARNING}: {text}")
}

/// Whether a value has a template in it.
pub(super) fn has_template(value: &Value) -> bool {
    match value {
        Value::Str(t) => t.is_template(),
        Value::List(items) => items.iter().any(has_template),
        Value::Map(map) => map.values().any(has_template),
        _ => false,
    }
}
