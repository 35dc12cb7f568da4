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
use super::signature::{Given, Mismatch, Signature};
use super::value::{Args, R, Val};

pub(super) use version::loose_key;

pub(super) type Run = fn(&mut Eval, &Val, &Args) -> R<bool>;

/// A test in the tables: its name, what it takes, whether it holds.
pub(super) type Row = (&'static str, &'static str, Run);

/// A test, ready to be called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Test {
    name: &'static str,
    takes: Signature,
    run: Run,
    /// Whether it is called with what is undefined.
    pub undefined: bool,
}

impl Test {
    fn of(row: &Row) -> Self {
        Self {
            name: row.0,
            takes: Signature::new(row.1),
            run: row.2,
            undefined: matches!(row.0, "defined" | "undefined"),
        }
    }

    /// What it takes, as the tables have it.
    #[cfg(test)]
    pub const fn takes(self) -> &'static str {
        self.takes.text()
    }

    /// What is wrong with a call of it, if anything.
    pub fn check(&self, given: &Given<'_>) -> Result<(), Box<Mismatch>> {
        self.takes.check(self.name, 1, given)
    }

    /// `args`, as this test takes them.
    pub fn bind(&self, mut args: Args) -> R<Args> {
        args.bind(self.name, self.takes, 1)?;
        Ok(args)
    }

    /// Whether it holds, with arguments that are bound.
    pub fn holds(&self, ev: &mut Eval, value: &Val, args: &Args) -> R<bool> {
        (self.run)(ev, value, args)
    }
}

const JINJA: &[Row] = &[
    ("defined", "", |_, v, _| Ok(!v.is_undefined())),
    ("undefined", "", |_, v, _| Ok(v.is_undefined())),
    ("none", "", |_, v, _| Ok(matches!(v, Val::Null))),
    ("string", "", |_, v, _| Ok(matches!(v, Val::Str(_)))),
    ("mapping", "", |_, v, _| Ok(mapping(v))),
    ("sequence", "", |_, v, _| Ok(mapping(v) || matches!(v, Val::Str(_) | Val::List(_)))),
    ("iterable", "", |_, v, _| Ok(mapping(v) || matches!(v, Val::Str(_) | Val::List(_)))),
    ("number", "", |_, v, _| Ok(matches!(v, Val::Int(_) | Val::Big(_) | Val::Float(_) | Val::Bool(_)))),
    ("integer", "", |_, v, _| Ok(matches!(v, Val::Int(_) | Val::Big(_)))),
    ("float", "", |_, v, _| Ok(matches!(v, Val::Float(_)))),
    ("boolean", "", |_, v, _| Ok(matches!(v, Val::Bool(_)))),
    ("true", "", |_, v, _| Ok(matches!(v, Val::Bool(true)))),
    ("false", "", |_, v, _| Ok(matches!(v, Val::Bool(false)))),
    ("callable", "", |_, v, _| Ok(matches!(v, Val::Object(o) if !o.is_map()))),
    ("odd", "", |ev, v, _| remainder(ev, v, &Val::Int(2), 1)),
    ("even", "", |ev, v, _| remainder(ev, v, &Val::Int(2), 0)),
    ("divisibleby", "num", |ev, v, a| remainder(ev, v, &a.need("num")?.clone(), 0)),
    ("lower", "", |ev, v, _| cased(ev, v, char::is_lowercase, char::is_uppercase)),
    ("upper", "", |ev, v, _| cased(ev, v, char::is_uppercase, char::is_lowercase)),
    ("sameas", "other", |ev, v, a| {
        let other = a.need("other")?;
        Ok(v.type_name() == other.type_name() && ev.equal(v, other)?)
    }),
    ("in", "seq", |ev, v, a| ev.contains(a.need("seq")?, v)),
    ("eq", "b", |ev, v, a| compare(ev, CmpOp::Eq, v, a)),
    ("equalto", "b", |ev, v, a| compare(ev, CmpOp::Eq, v, a)),
    ("==", "b", |ev, v, a| compare(ev, CmpOp::Eq, v, a)),
    ("ne", "b", |ev, v, a| compare(ev, CmpOp::Ne, v, a)),
    ("!=", "b", |ev, v, a| compare(ev, CmpOp::Ne, v, a)),
    ("lt", "b", |ev, v, a| compare(ev, CmpOp::Lt, v, a)),
    ("lessthan", "b", |ev, v, a| compare(ev, CmpOp::Lt, v, a)),
    ("<", "b", |ev, v, a| compare(ev, CmpOp::Lt, v, a)),
    ("le", "b", |ev, v, a| compare(ev, CmpOp::Le, v, a)),
    ("<=", "b", |ev, v, a| compare(ev, CmpOp::Le, v, a)),
    ("gt", "b", |ev, v, a| compare(ev, CmpOp::Gt, v, a)),
    ("greaterthan", "b", |ev, v, a| compare(ev, CmpOp::Gt, v, a)),
    (">", "b", |ev, v, a| compare(ev, CmpOp::Gt, v, a)),
    ("ge", "b", |ev, v, a| compare(ev, CmpOp::Ge, v, a)),
    (">=", "b", |ev, v, a| compare(ev, CmpOp::Ge, v, a)),
    ("filter", "", |_, v, _| Ok(v.as_str().is_some_and(|n| super::filters::find(n).is_some()))),
    ("test", "", |_, v, _| Ok(v.as_str().is_some_and(|n| find(n).is_some()))),
    ("escaped", "", |_, v, _| Ok(super::filters::markup_type::is_safe(v))),
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
    ev.compare(op, v, args.need("b")?)
}

fn cased(ev: &mut Eval, v: &Val, yes: fn(char) -> bool, no: fn(char) -> bool) -> R<bool> {
    let text = ev.text(v)?;
    Ok(text.chars().any(yes) && !text.chars().any(no))
}

fn table() -> &'static HashMap<&'static str, Test> {
    static TABLE: OnceLock<HashMap<&'static str, Test>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let all = [general::TESTS, net::TESTS, JINJA, plugins::TESTS, version::TESTS].into_iter().flatten();
        all.map(|row| (row.0, Test::of(row))).collect()
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
        return family.iter().find(|row| row.0 == short).map(Test::of);
    }
    table().get(short(name)).copied()
}

/// All short names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    table().keys().copied()
}
