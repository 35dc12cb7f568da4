//! What is left of a condition when all is evaluated but results that are still to come.

use super::eval::Eval;
use super::ir::{Applied, Arg, CmpOp, Expr, ExprKind, Stmt};
use super::templar::Templar;
use crate::model::{Comparison, Condition, Text, Value};

/// Names after a dot that a mapping in Python answers itself.
const METHODS: [&str; 11] =
    ["clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];

impl Templar {
    /// The rest of a bare condition, for one who will know the results that `pending`
    /// names; nothing when it is not plain enough for [`Condition`].
    pub fn residual(&self, condition: &Value, pending: &dyn Fn(&str) -> bool) -> Option<Condition> {
        let text = match condition {
            Value::Bool(plain) => return Some(Condition::Const(Value::Bool(*plain))),
            Value::Str(text) if !text.is_template() && !text.trim().is_empty() => text,
            _ => return None,
        };
        let compiled = self.engine().bare(text).ok()?;
        let [Stmt::Emit(expr)] = compiled.body.as_slice() else { return None };
        Rest { ev: self.eval(), text, pending }.of(expr)
    }
}

struct Rest<'a> {
    ev: Eval,
    text: &'a Text,
    pending: &'a dyn Fn(&str) -> bool,
}

impl Rest<'_> {
    fn of(&mut self, e: &Expr) -> Option<Condition> {
        Some(match &e.kind {
            ExprKind::Var(name) if (self.pending)(name) => Condition::Result(name.to_string()),
            ExprKind::Const(_) | ExprKind::Var(_) => Condition::Const(self.now(e)?),
            ExprKind::Attr(of, name) if !METHODS.contains(&&**name) => {
                Condition::Entry(self.boxed(of)?, Value::from(&**name))
            }
            ExprKind::Item(of, key) => Condition::Entry(self.boxed(of)?, self.now(key)?),
            ExprKind::Not(of) => Condition::Not(self.boxed(of)?),
            ExprKind::And(pair) => Condition::And(self.pair(&pair.0, &pair.1)?),
            ExprKind::Or(pair) => Condition::Or(self.pair(&pair.0, &pair.1)?),
            ExprKind::Compare(left, rest) => match rest.as_slice() {
                [(how, right)] => Condition::Compare(comparison(*how), self.pair(left, right)?),
                _ => return None,
            },
            ExprKind::Test(test) if test.args.is_empty() => {
                let of = self.boxed(test.input.as_ref()?)?;
                self.test(&test.name, of)?
            }
            ExprKind::Filter(filter) => self.filter(filter)?,
            _ => return None,
        })
    }

    fn boxed(&mut self, e: &Expr) -> Option<Box<Condition>> {
        self.of(e).map(Box::new)
    }

    fn pair(&mut self, a: &Expr, b: &Expr) -> Option<Box<(Condition, Condition)>> {
        Some(Box::new((self.of(a)?, self.of(b)?)))
    }

    /// What can be known now; the caller notices when this reads what is still to come.
    fn now(&mut self, e: &Expr) -> Option<Value> {
        let text = self.text.clone();
        self.ev.current = text;
        let found = self.ev.expr(e).and_then(|found| self.ev.finish(found)).ok()?;
        found.unknown().is_none().then_some(found)
    }

    fn test(&mut self, name: &str, of: Box<Condition>) -> Option<Condition> {
        let not = |condition| Condition::Not(Box::new(condition));
        Some(match name.rsplit('.').next()? {
            "defined" => Condition::Defined(of),
            "undefined" => not(Condition::Defined(of)),
            "changed" | "change" => Condition::Flag("changed".to_owned(), of),
            "failed" | "failure" => Condition::Flag("failed".to_owned(), of),
            "succeeded" | "success" | "successful" => not(Condition::Flag("failed".to_owned(), of)),
            "skipped" | "skip" => Condition::Flag("skipped".to_owned(), of),
            _ => return None,
        })
    }

    fn filter<T>(&mut self, filter: &Applied<T>) -> Option<Condition> {
        let input = filter.input.as_ref()?;
        match (&*filter.name, filter.args.as_slice()) {
            ("length" | "count", []) => Some(Condition::Length(self.boxed(input)?)),
            ("default" | "d", [Arg::Pos(otherwise)]) => Some(Condition::Default(self.pair(input, otherwise)?)),
            _ => None,
        }
    }
}

const fn comparison(how: CmpOp) -> Comparison {
    match how {
        CmpOp::Eq => Comparison::Equal,
        CmpOp::Ne => Comparison::Unequal,
        CmpOp::Lt => Comparison::Less,
        CmpOp::Le => Comparison::LessOrEqual,
        CmpOp::Gt => Comparison::Greater,
        CmpOp::Ge => Comparison::GreaterOrEqual,
        CmpOp::In => Comparison::In,
        CmpOp::NotIn => Comparison::NotIn,
    }
}
