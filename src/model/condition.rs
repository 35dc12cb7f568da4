//! Conditions that a worker can decide by itself: the part of a `when` that reads results
//! of tasks it has just run, everything else of it already evaluated.
//!
//! Deliberately small. What is not plain (a name that is not there, a mixed comparison,
//! a value that is no boolean) has no verdict, and the controller decides with the whole
//! engine; so this can be incomplete, but never different.

use serde::{Deserialize, Serialize};

use super::Value;

/// An expression over registered results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Condition {
    /// A value that is known already.
    Const(Value),
    /// A registered result.
    Result(String),
    /// An entry of a mapping, or with a number an item of a list.
    Entry(Box<Self>, Value),
    /// `not`.
    Not(Box<Self>),
    /// `and`: the second is looked at when the first holds.
    And(Box<(Self, Self)>),
    /// `or`.
    Or(Box<(Self, Self)>),
    /// A comparison.
    Compare(Comparison, Box<(Self, Self)>),
    /// `is defined`.
    Defined(Box<Self>),
    /// `is changed`, `is failed`, `is skipped`: the flag of a result with this name.
    Flag(String, Box<Self>),
    /// `default(…)`.
    Default(Box<(Self, Self)>),
    /// `length`.
    Length(Box<Self>),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in`
    In,
    /// `not in`
    NotIn,
}

/// What an expression comes to: a value, or nothing where none is defined.
type Found = Option<Value>;

impl Condition {
    /// Whether it holds, with the results that `result` finds by name; nothing when that
    /// is not for this evaluator to say.
    pub fn holds(&self, result: &dyn Fn(&str) -> Option<Value>) -> Option<bool> {
        self.value(result)??.as_bool()
    }

    /// The outer `Option` is nothing when there is no verdict.
    fn value(&self, result: &dyn Fn(&str) -> Option<Value>) -> Option<Found> {
        let known = |of: &Self| of.value(result)?;
        let found = match self {
            Self::Const(value) => value.clone(),
            Self::Result(name) => result(name)?,
            Self::Entry(of, key) => return entry(&known(of)?, key),
            Self::Not(of) => Value::Bool(!known(of)?.as_bool()?),
            Self::And(pair) => Value::Bool(known(&pair.0)?.as_bool()? && known(&pair.1)?.as_bool()?),
            Self::Or(pair) => Value::Bool(known(&pair.0)?.as_bool()? || known(&pair.1)?.as_bool()?),
            Self::Compare(how, pair) => Value::Bool(compare(*how, &known(&pair.0)?, &known(&pair.1)?)?),
            Self::Defined(of) => Value::Bool(of.value(result)?.is_some()),
            Self::Flag(name, of) => match known(of)?.as_map()?.get(name) {
                Some(flag) => Value::Bool(flag.as_bool()?),
                None => Value::Bool(false),
            },
            Self::Default(pair) => match pair.0.value(result)? {
                Some(value) => value,
                None => known(&pair.1)?,
            },
            Self::Length(of) => Value::from(match known(of)? {
                Value::Str(text) => text.chars().count(),
                Value::List(items) => items.len(),
                Value::Map(map) => map.len(),
                _ => return None,
            }),
        };
        known_now(found).map(Some)
    }
}

fn entry(of: &Value, key: &Value) -> Option<Found> {
    let found = match (of, key) {
        (Value::Map(map), Value::Str(name)) => map.get(name.as_str()).cloned(),
        (Value::List(items), Value::Int(index)) => items.get(usize::try_from(*index).ok()?).cloned(),
        _ => return None,
    };
    found.map_or(Some(None), |found| known_now(found).map(Some))
}

/// A value itself; what a part of it is, only who reads the part will ask.
fn known_now(value: Value) -> Option<Value> {
    if matches!(value, Value::Unknown(_)) { None } else { Some(value) }
}

/// Values of one plain type only: what Python does with others is not for here.
fn compare(how: Comparison, a: &Value, b: &Value) -> Option<bool> {
    use Comparison::{Equal, Greater, GreaterOrEqual, In, Less, LessOrEqual, NotIn, Unequal};
    Some(match (how, a, b) {
        (Equal, ..) => same(a, b)?,
        (Unequal, ..) => !same(a, b)?,
        (In | NotIn, Value::Str(part), Value::Str(whole)) => whole.contains(part.as_str()) == (how == In),
        (In | NotIn, _, Value::List(items)) => {
            let found = items.iter().map(|item| same(a, item)).collect::<Option<Vec<bool>>>()?;
            found.contains(&true) == (how == In)
        }
        (Less, Value::Int(a), Value::Int(b)) => a < b,
        (LessOrEqual, Value::Int(a), Value::Int(b)) => a <= b,
        (Greater, Value::Int(a), Value::Int(b)) => a > b,
        (GreaterOrEqual, Value::Int(a), Value::Int(b)) => a >= b,
        _ => return None,
    })
}

fn same(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a == b),
        (Value::Bool(a), Value::Bool(b)) => Some(a == b),
        (Value::Str(a), Value::Str(b)) => Some(a.as_str() == b.as_str()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Map;
    use super::*;

    fn result(name: &str) -> Option<Value> {
        let stat = Map::from_iter([("exists", Value::from(true)), ("size", Value::from(7))]);
        let map = Map::from_iter([
            ("stat", Value::from(stat)),
            ("changed", Value::from(false)),
            ("rc", Value::from(0)),
            ("stdout", Value::from("up and running")),
            ("later", Value::Unknown("not run".into())),
        ]);
        (name == "r").then(|| Value::from(map))
    }

    fn path(names: &[&str]) -> Condition {
        let start = Condition::Result("r".to_owned());
        names.iter().fold(start, |of, name| Condition::Entry(Box::new(of), Value::from(*name)))
    }

    fn compared(how: Comparison, a: Condition, b: Value) -> Option<bool> {
        Condition::Compare(how, Box::new((a, Condition::Const(b)))).holds(&result)
    }

    #[test]
    fn plain_reads_and_comparisons_have_a_verdict() {
        assert_eq!(path(&["stat", "exists"]).holds(&result), Some(true));
        assert_eq!(compared(Comparison::Equal, path(&["rc"]), Value::from(0)), Some(true));
        assert_eq!(compared(Comparison::Less, path(&["stat", "size"]), Value::from(7)), Some(false));
        let running = Condition::Const(Value::from("running"));
        let within = Condition::Compare(Comparison::In, Box::new((running, path(&["stdout"]))));
        assert_eq!(within.holds(&result), Some(true));
        assert_eq!(
            Condition::Not(Box::new(Condition::Flag("changed".into(), Box::new(path(&[]))))).holds(&result),
            Some(true)
        );
        assert_eq!(Condition::Defined(Box::new(path(&["stat", "mode"]))).holds(&result), Some(false));
        let absent = Condition::Default(Box::new((path(&["none"]), Condition::Const(Value::from(true)))));
        assert_eq!(absent.holds(&result), Some(true));
    }

    #[test]
    fn anything_else_has_none() {
        assert_eq!(path(&["none"]).holds(&result), None, "undefined");
        assert_eq!(path(&["rc"]).holds(&result), None, "not a boolean");
        assert_eq!(path(&["later"]).holds(&result), None, "unknown");
        assert_eq!(Condition::Defined(Box::new(path(&["none", "further"]))).holds(&result), None, "below undefined");
        assert_eq!(compared(Comparison::Equal, path(&["rc"]), Value::from("0")), None, "mixed");
        assert_eq!(Condition::Result("other".into()).holds(&result), None, "never registered");
    }
}
