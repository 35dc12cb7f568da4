//! `default`, `bool`, `ternary` and others about what a value is.

use super::Row;
use crate::model::{Reason, Text};
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("default", "default_value? boolean?", default),
    ("d", "default_value? boolean?", default),
    ("mandatory", "msg?", mandatory),
    ("bool", "", bool),
    ("ternary", "true_val false_val none_val?", ternary),
    ("type_debug", "", type_debug),
    ("string", "", string),
    ("list", "", list),
    ("attr", "name", attr),
    ("pprint", "", pprint),
];

fn default(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let otherwise = || args.get("default_value").cloned().unwrap_or_else(|| Val::str(""));
    // What an `if` without `else` leaves counts as a value.
    if matches!(&input, Val::Undefined(e) if !e.is_soft()) {
        return Ok(otherwise());
    }
    let falsy = args.bool(ev, "boolean", false)? && !ev.truth(&input)?;
    Ok(if falsy { otherwise() } else { input })
}

fn mandatory(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let Val::Undefined(e) = &input else { return Ok(input) };
    let name = e.undefined_name().unwrap_or_default().to_owned();
    let message = match args.get("msg") {
        None | Some(Val::Null) => format!("Mandatory variable '{name}' not defined."),
        Some(v) => ev.text(v)?,
    };
    Err(Error::new(message))
}

/// Ansible's reading of a truth value; what it does not know is false.
fn bool(ev: &mut Eval, input: Val, _args: &Args) -> R<Val> {
    Ok(match &input {
        Val::Bool(_) => input,
        Val::Str(t) => Val::Bool(crate::template::templar::boolean(t).unwrap_or(false)),
        Val::Int(i) => Val::Bool(*i == 1),
        Val::Float(f) => Val::Bool((*f - 1.0).abs() == 0.0),
        Val::Null => Val::Bool(false),
        other => {
            let _: Option<Reason> = None;
            ev.truth(other)?;
            Val::Bool(false)
        }
    })
}

/// Only the value that is chosen has to be defined.
fn ternary(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    if input.is_undefined() {
        return Ok(input);
    }
    if let (Val::Null, Some(none)) = (&input, args.get("none_val")) {
        return Ok(none.clone());
    }
    let name = if ev.truth(&input)? { "true_val" } else { "false_val" };
    args.need(name).cloned()
}

fn type_debug(_: &mut Eval, input: Val, _: &Args) -> R<Val> {
    Ok(Val::str(match &input {
        Val::Undefined(_) => "UndefinedMarker",
        safe if super::markup_type::is_safe(safe) => "Markup",
        other => other.type_name(),
    }))
}

fn string(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    Ok(match input {
        Val::Str(t) => Val::Str(t),
        other => Val::Str(Text::new(ev.text(&other)?)),
    })
}

fn list(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    ev.iterate(&input).map(Val::list)
}

fn attr(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let name = args.str(ev, "name", "")?;
    // Entries are no attributes.
    if let Val::Map(_) = input {
        let message = format!("object of type 'dict' has no attribute '{name}'");
        return Ok(Val::Undefined(std::sync::Arc::new(Error::undefined(&name, message))));
    }
    ev.attr(&input, &name, crate::template::ir::Span::default())
}

fn pprint(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    ev.repr(&input).map(Val::str)
}
