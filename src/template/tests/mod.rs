//! Tests (`x is …`): the table of their names, and those about types and values.

mod general;
mod net;
mod plugins;
mod version;

use std::collections::HashMap;
use std::sync::OnceLock;

use super::eval::Eval;
use super::filters::short;
use super::ir::{BinOp, CmpOp};
use super::value::{Args, R, Val};

pub(super) use version::loose_key;

pub(super) type Run = fn(&mut Eval, &Val, &Args) -> R<bool>;

/// A test, ready to be called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Test {
    pub run: Run,
    /// Whether it is called with what is undefined.
    pub undefined: bool,
}

const JINJA: &[(&str, Run)] = &[
    ("defined", |_, v, _| Ok(!v.is_undefined())),
    ("undefined", |_, v, _| Ok(v.is_undefined())),
    ("none", |_, v, _| Ok(matches!(v, Val::Null))),
    ("string", |_, v, _| Ok(matches!(v, Val::Str(_)))),
    ("mapping", |_, v, _| Ok(mapping(v))),
    ("sequence", |_, v, _| Ok(mapping(v) || matches!(v, Val::Str(_) | Val::List(_)))),
    ("iterable", |_, v, _| Ok(mapping(v) || matches!(v, Val::Str(_) | Val::List(_)))),
    ("number", |_, v, _| Ok(matches!(v, Val::Int(_) | Val::Float(_) | Val::Bool(_)))),
    ("integer", |_, v, _| Ok(matches!(v, Val::Int(_)))),
    ("float", |_, v, _| Ok(matches!(v, Val::Float(_)))),
    ("boolean", |_, v, _| Ok(matches!(v, Val::Bool(_)))),
    ("true", |_, v, _| Ok(matches!(v, Val::Bool(true)))),
    ("false", |_, v, _| Ok(matches!(v, Val::Bool(false)))),
    ("callable", |_, v, _| Ok(matches!(v, Val::Object(o) if !o.is_map()))),
    ("odd", |ev, v, _| remainder(ev, v, &Val::Int(2), 1)),
    ("even", |ev, v, _| remainder(ev, v, &Val::Int(2), 0)),
    ("divisibleby", |ev, v, a| remainder(ev, v, &a.need(0, "num")?.clone(), 0)),
    ("lower", |ev, v, _| cased(ev, v, char::is_lowercase, char::is_uppercase)),
    ("upper", |ev, v, _| cased(ev, v, char::is_uppercase, char::is_lowercase)),
    ("sameas", |ev, v, a| {
        let other = a.need(0, "other")?;
        Ok(v.type_name() == other.type_name() && ev.equal(v, other)?)
    }),
    ("in", |ev, v, a| ev.contains(a.need(0, "seq")?, v)),
    ("eq", |ev, v, a| compare(ev, CmpOp::Eq, v, a)),
    ("equalto", |ev, v, a| compare(ev, CmpOp::Eq, v, a)),
    ("==", |ev, v, a| compare(ev, CmpOp::Eq, v, a)),
    ("ne", |ev, v, a| compare(ev, CmpOp::Ne, v, a)),
    ("!=", |ev, v, a| compare(ev, CmpOp::Ne, v, a)),
    ("lt", |ev, v, a| compare(ev, CmpOp::Lt, v, a)),
    ("lessthan", |ev, v, a| compare(ev, CmpOp::Lt, v, a)),
    ("<", |ev, v, a| compare(ev, CmpOp::Lt, v, a)),
    ("le", |ev, v, a| compare(ev, CmpOp::Le, v, a)),
    ("<=", |ev, v, a| compare(ev, CmpOp::Le, v, a)),
    ("gt", |ev, v, a| compare(ev, CmpOp::Gt, v, a)),
    ("greaterthan", |ev, v, a| compare(ev, CmpOp::Gt, v, a)),
    (">", |ev, v, a| compare(ev, CmpOp::Gt, v, a)),
    ("ge", |ev, v, a| compare(ev, CmpOp::Ge, v, a)),
    (">=", |ev, v, a| compare(ev, CmpOp::Ge, v, a)),
    ("filter", |_, v, _| Ok(v.as_str().is_some_and(|n| super::filters::find(n).is_some()))),
    ("test", |_, v, _| Ok(v.as_str().is_some_and(|n| find(n).is_some()))),
    ("escaped", |_, v, _| Ok(super::filters::markup_type::is_safe(v))),
];

fn remainder(ev: &mut Eval, v: &Val, by: &Val, wanted: i128) -> R<bool> {
    let rest = ev.binary(BinOp::Rem, v, by)?;
    ev.equal(&rest, &Val::Int(wanted))
}

fn mapping(v: &Val) -> bool {
    match v {
        Val::Map(_) => true,
        Val::Object(o) => o.is_map(),
        _ => false,
    }
}

fn compare(ev: &mut Eval, op: CmpOp, v: &Val, args: &Args) -> R<bool> {
    ev.compare(op, v, args.need(0, "other")?)
}

fn cased(ev: &mut Eval, v: &Val, yes: fn(char) -> bool, no: fn(char) -> bool) -> R<bool> {
    let text = ev.text(v)?;
    Ok(text.chars().any(yes) && !text.chars().any(no))
}

fn table() -> &'static HashMap<&'static str, Test> {
    static TABLE: OnceLock<HashMap<&'static str, Test>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let all = [general::TESTS, net::TESTS, JINJA, plugins::TESTS, version::TESTS].into_iter().flatten();
        all.map(|(name, run)| (*name, Test { run: *run, undefined: matches!(*name, "defined" | "undefined") }))
            .collect()
    })
}

/// The test of that name, short or full.
pub(super) fn find(name: &str) -> Option<Test> {
    if let Some((collection, short)) = name.rsplit_once('.')
        && !matches!(collection, "ansible.builtin" | "ansible.legacy")
    {
        let family = match collection {
            "ansible.utils" | "ansible.netcommon" => net::TESTS,
            "community.general" => general::TESTS,
            _ => return None,
        };
        let run = family.iter().find(|(n, _)| *n == short)?.1;
        return Some(Test { run, undefined: false });
    }
    table().get(short(name)).copied()
}

/// All short names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    table().keys().copied()
}
