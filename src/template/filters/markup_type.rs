//! Text that is safe in HTML as it is: `escape`, `safe`, and what keeps or spreads that mark.

use super::Row;
use crate::model::{Marks, Text};
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("escape", "", |ev, v, _| escape(ev, &v)),
    ("e", "", |ev, v, _| escape(ev, &v)),
    ("forceescape", "", |ev, v, _| Ok(safe(escaped(&ev.text(&v)?)))),
    ("safe", "", |ev, v, _| Ok(safe(ev.text(&v)?))),
];

/// Filters that give of safe text what is safe as well.
const FILTERS_KEEPING: [&str; 8] = ["capitalize", "center", "format", "indent", "lower", "string", "trim", "upper"];

/// The same of methods.
const KEEPING: [&str; 22] = [
    "capitalize",
    "center",
    "expandtabs",
    "format",
    "indent",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "replace",
    "rjust",
    "rstrip",
    "split",
    "splitlines",
    "string",
    "strip",
    "swapcase",
    "title",
    "trim",
    "upper",
    "zfill",
];

/// As HTML shows it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;").replace('\'', "&#39;")
}

/// Text that is marked as safe.
pub(in crate::template) fn safe(text: impl Into<std::sync::Arc<str>>) -> Val {
    Val::Str(Text::new(text).marked(Marks::MARKUP))
}

/// Whether a value is marked as safe.
pub(in crate::template) fn is_safe(value: &Val) -> bool {
    matches!(value, Val::Str(t) if t.marks().has(Marks::MARKUP))
}

/// The value as safe text; what is safe already stays as it is.
pub(in crate::template) fn escape(ev: &mut Eval, value: &Val) -> R<Val> {
    if is_safe(value) {
        return Ok(value.clone());
    }
    Ok(safe(escaped(&ev.text(value)?)))
}

fn keep(value: Val) -> Val {
    match value {
        Val::Str(t) => {
            let marks = t.marks().with(Marks::MARKUP);
            Val::Str(t.marked(marks))
        }
        other => other,
    }
}

/// What a filter made of safe text: safe as well, where it only changes it.
pub(in crate::template) fn filtered(name: &str, result: Val) -> Val {
    if FILTERS_KEEPING.contains(&name) { keep(result) } else { result }
}

/// What a method made of safe text.
pub(in crate::template) fn kept(ev: &mut Eval, name: &str, result: Val) -> R<Val> {
    if !KEEPING.contains(&name) {
        return Ok(result);
    }
    Ok(match result {
        Val::List(list) => {
            let items = list.all(ev)?.into_iter().map(keep).collect();
            if list.tuple { Val::tuple(items) } else { Val::list(items) }
        }
        other => keep(other),
    })
}

/// Arguments for a method or filter of safe text: what is put into it is escaped.
pub(in crate::template) fn arguments(ev: &mut Eval, name: &str, args: &Args) -> R<Args> {
    if !matches!(name, "format" | "join" | "replace") {
        return Ok(args.clone());
    }
    let strings = |ev: &mut Eval, v: &Val| if let Val::Str(_) = v { escape(ev, v) } else { Ok(v.clone()) };
    Ok(Args::new(
        args.pos.iter().map(|v| strings(ev, v)).collect::<R<_>>()?,
        args.kw.iter().map(|(k, v)| Ok((k.clone(), strings(ev, v)?))).collect::<R<_>>()?,
    ))
}
