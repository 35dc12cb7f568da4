//! Python's operators on values.

use std::cmp::Ordering;

use super::big;
use super::error::Error;
use super::eval::Eval;
use super::filters::markup_type;
use super::ir::{BinOp, CmpOp};
use super::value::{R, Val};

fn unsupported(op: &str, a: &Val, b: &Val) -> Error {
    Error::new(format!("unsupported operand type(s) for {op}: '{}' and '{}'", a.type_name(), b.type_name()))
}

pub(super) fn too_large() -> Error {
    Error::new("the result of the calculation is too large")
}

const LIMIT: usize = 64 << 20;

#[allow(clippy::cast_precision_loss, reason = "as Python converts")]
pub(super) fn as_float(v: &Val) -> Option<f64> {
    match v {
        Val::Float(f) => Some(*f),
        Val::Int(i) => Some(*i as f64),
        Val::Big(n) => Some(big::float(n)),
        Val::Bool(b) => Some(f64::from(u8::from(*b))),
        _ => None,
    }
}

impl Eval {
    pub(super) fn binary(&mut self, op: BinOp, a: &Val, b: &Val) -> R<Val> {
        if op == BinOp::Concat {
            return Ok(Val::str(self.text(a)? + &self.text(b)?));
        }
        if op == BinOp::Rem
            && let Val::Str(format) = a
        {
            if markup_type::is_safe(a) {
                let values = self.escaped_values(b)?;
                return super::pyformat::percent(self, format, &values).map(markup_type::safe);
            }
            return super::pyformat::percent(self, format, b).map(Val::str);
        }
        if let Some(result) = self.sequences(op, a, b)? {
            return Ok(result);
        }
        if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
            return integers(op, x, y);
        }
        if let (Val::Big(_), _) | (_, Val::Big(_)) = (a, b)
            && let (Some(x), Some(y)) = (big::of(a), big::of(b))
        {
            return big::operate(op, &x, &y);
        }
        if let (Some(x), Some(y)) = (as_float(a), as_float(b)) {
            return floats(op, x, y).map(Val::Float);
        }
        Err(unsupported(symbol(op), a, b))
    }

    /// What is put into safe text by `%`, escaped.
    fn escaped_values(&mut self, value: &Val) -> R<Val> {
        match value {
            Val::Str(_) => markup_type::escape(self, value),
            Val::List(list) if list.tuple => {
                let items = list.all(self)?;
                items.iter().map(|v| self.escaped_values(v)).collect::<R<_>>().map(Val::tuple)
            }
            Val::Map(map) => {
                let all = map.all(self)?;
                all.into_iter().map(|(k, v)| Ok((k, self.escaped_values(&v)?))).collect::<R<_>>().map(Val::map)
            }
            other => Ok(other.clone()),
        }
    }

    fn sequences(&mut self, op: BinOp, a: &Val, b: &Val) -> R<Option<Val>> {
        Ok(Some(match (op, a, b) {
            (BinOp::Add, Val::Str(_), Val::Str(_)) if markup_type::is_safe(a) || markup_type::is_safe(b) => {
                let (x, y) = (markup_type::escape(self, a)?, markup_type::escape(self, b)?);
                markup_type::safe(self.text(&x)? + &self.text(&y)?)
            }
            (BinOp::Add, Val::Str(x), Val::Str(y)) => Val::str([x.as_str(), y.as_str()].concat()),
            (BinOp::Add, Val::Str(_), other) => {
                return Err(Error::new(format!("can only concatenate str (not \"{}\") to str", other.type_name())));
            }
            (BinOp::Add, Val::List(x), Val::List(y)) if x.tuple == y.tuple => {
                let mut items = x.all(self)?;
                items.extend(y.all(self)?);
                if x.tuple { Val::tuple(items) } else { Val::list(items) }
            }
            (BinOp::Add, Val::List(x), other) => {
                let kind = if x.tuple { "tuple" } else { "list" };
                let other = other.type_name();
                return Err(Error::new(format!("can only concatenate {kind} (not \"{other}\") to {kind}")));
            }
            (BinOp::Mul, Val::Str(s), n) | (BinOp::Mul, n, Val::Str(s)) => {
                let Some(n) = n.as_int() else { return Err(unsupported("*", a, b)) };
                let times = usize::try_from(n.max(0)).map_err(|_| too_large())?;
                if s.len().checked_mul(times).is_none_or(|l| l > LIMIT) {
                    return Err(too_large());
                }
                Val::str(s.repeat(times))
            }
            (BinOp::Mul, Val::List(l), n) | (BinOp::Mul, n, Val::List(l)) => {
                let Some(n) = n.as_int() else { return Err(unsupported("*", a, b)) };
                let times = usize::try_from(n.max(0)).map_err(|_| too_large())?;
                if l.len().checked_mul(times).is_none_or(|l| l > LIMIT / 32) {
                    return Err(too_large());
                }
                let all = l.all(self)?;
                let items: Vec<Val> = std::iter::repeat_n(all, times).flatten().collect();
                if l.tuple { Val::tuple(items) } else { Val::list(items) }
            }
            (BinOp::Sub, Val::Object(x), Val::Object(y)) => return Ok(x.minus(&**y)),
            _ => return Ok(None),
        }))
    }

    pub(super) fn negate(&mut self, v: &Val) -> R<Val> {
        match v {
            Val::Float(f) => Ok(Val::Float(-f)),
            other => match big::of(other) {
                Some(n) => Ok(big::value(-n)),
                None => Err(Error::new(format!("bad operand type for unary -: '{}'", other.type_name()))),
            },
        }
    }

    pub(super) fn positive(&mut self, v: &Val) -> R<Val> {
        match v {
            Val::Float(_) | Val::Big(_) => Ok(v.clone()),
            other => match other.as_int() {
                Some(i) => Ok(Val::Int(i)),
                None => Err(Error::new(format!("bad operand type for unary +: '{}'", other.type_name()))),
            },
        }
    }

    pub(super) fn compare(&mut self, op: CmpOp, a: &Val, b: &Val) -> R<bool> {
        Ok(match op {
            CmpOp::Eq => self.equal(a, b)?,
            CmpOp::Ne => !self.equal(a, b)?,
            CmpOp::In => self.contains(b, a)?,
            CmpOp::NotIn => !self.contains(b, a)?,
            CmpOp::Lt => self.order("<", a, b)? == Some(Ordering::Less),
            CmpOp::Le => matches!(self.order("<=", a, b)?, Some(Ordering::Less | Ordering::Equal)),
            CmpOp::Gt => self.order(">", a, b)? == Some(Ordering::Greater),
            CmpOp::Ge => matches!(self.order(">=", a, b)?, Some(Ordering::Greater | Ordering::Equal)),
        })
    }

    pub(super) fn equal(&mut self, a: &Val, b: &Val) -> R<bool> {
        Ok(match (a, b) {
            (x, y) if x.is_soft() || y.is_soft() => x.is_soft() && y.is_soft(),
            (Val::Undefined(e), _) | (_, Val::Undefined(e)) => return Err((**e).clone()),
            (Val::Null, Val::Null) | (Val::Omit, Val::Omit) => true,
            (Val::Str(x), Val::Str(y)) => x == y,
            (Val::List(x), Val::List(y)) => {
                if x.len() != y.len() || x.tuple != y.tuple {
                    return Ok(false);
                }
                let (x, y) = (x.all(self)?, y.all(self)?);
                for (x, y) in x.iter().zip(&y) {
                    if !self.nested(|ev| ev.equal(x, y))? {
                        return Ok(false);
                    }
                }
                true
            }
            (Val::Map(x), Val::Map(y)) => {
                if x.len() != y.len() {
                    return Ok(false);
                }
                for key in x.keys() {
                    let (Some(x), Some(y)) = (x.get(self, &key)?, y.get(self, &key)?) else { return Ok(false) };
                    if !self.nested(|ev| ev.equal(&x, &y))? {
                        return Ok(false);
                    }
                }
                true
            }
            (Val::Big(x), Val::Big(y)) => x == y,
            (Val::Object(x), Val::Object(y)) => {
                std::sync::Arc::ptr_eq(x, y) || x.date().is_some_and(|date| y.date() == Some(date))
            }
            _ => match (a.as_int(), b.as_int()) {
                (Some(x), Some(y)) => x == y,
                _ => matches!((as_float(a), as_float(b)), (Some(x), Some(y)) if (x - y).abs() == 0.0 || x == y),
            },
        })
    }

    /// The order of two values, or Python's complaint that there is none.
    pub(super) fn order(&mut self, op: &str, a: &Val, b: &Val) -> R<Option<Ordering>> {
        match (a, b) {
            (Val::Undefined(e), _) | (_, Val::Undefined(e)) => return Err((**e).clone()),
            (Val::Str(x), Val::Str(y)) => return Ok(Some(x.cmp(y))),
            (Val::List(x), Val::List(y)) if x.tuple == y.tuple => {
                let (x, y) = (x.all(self)?, y.all(self)?);
                for (a, b) in x.iter().zip(&y) {
                    if !self.equal(a, b)? {
                        return self.nested(|ev| ev.order(op, a, b));
                    }
                }
                return Ok(Some(x.len().cmp(&y.len())));
            }
            _ => {}
        }
        if let (Val::Object(x), Val::Object(y)) = (a, b)
            && let (Some(x), Some(y)) = (x.date(), y.date())
        {
            return Ok(Some(x.cmp(&y)));
        }
        if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
            return Ok(Some(x.cmp(&y)));
        }
        if let Some(order) = big::order(a, b) {
            return Ok(Some(order));
        }
        if let (Some(x), Some(y)) = (as_float(a), as_float(b)) {
            return Ok(x.partial_cmp(&y));
        }
        let (a, b) = (a.type_name(), b.type_name());
        Err(Error::new(format!("'{op}' not supported between instances of '{a}' and '{b}'")))
    }

    pub(super) fn contains(&mut self, container: &Val, item: &Val) -> R<bool> {
        match container {
            soft if soft.is_soft() => Ok(false),
            Val::Undefined(e) => Err((**e).clone()),
            Val::Str(s) => match item {
                Val::Str(part) => Ok(s.contains(part.as_str())),
                other => {
                    Err(Error::new(format!("'in <string>' requires string as left operand, not {}", other.type_name())))
                }
            },
            Val::List(list) => {
                for i in 0..list.len() {
                    if let Some(found) = list.get(self, i)?
                        && self.equal(&found, item)?
                    {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Val::Map(map) => Ok(map.contains(&item.to_key()?)),
            Val::Object(o) if o.is_map() => match item {
                Val::Str(name) => Ok(o.attr(self, name)?.is_some()),
                _ => Ok(false),
            },
            other => Err(Error::new(format!("argument of type '{}' is not iterable", other.type_name()))),
        }
    }

    /// Python's truth; undefined is an error.
    pub fn truth(&mut self, v: &Val) -> R<bool> {
        Ok(match v {
            Val::Undefined(e) if e.is_soft() => false,
            Val::Undefined(e) => return Err((**e).clone()),
            Val::Null => false,
            Val::Bool(b) => *b,
            Val::Int(i) => *i != 0,
            Val::Big(_) => true,
            Val::Float(f) => *f != 0.0,
            Val::Str(t) => !t.is_empty(),
            Val::List(l) => l.len() > 0,
            Val::Map(m) => m.len() > 0,
            Val::Object(_) | Val::Omit => true,
        })
    }

    pub(super) fn slice(&mut self, of: &Val, [start, stop, step]: [Option<i128>; 3]) -> R<Val> {
        let step = step.unwrap_or(1);
        if step == 0 {
            return Err(Error::new("slice step cannot be zero"));
        }
        match of {
            Val::Str(s) => {
                let chars: Vec<char> = s.chars().collect();
                let picked = picks(chars.len(), start, stop, step);
                let part = picked.filter_map(|i| chars.get(i)).collect::<String>();
                Ok(if markup_type::is_safe(of) { markup_type::safe(part) } else { Val::str(part) })
            }
            Val::List(l) => {
                let picked: Vec<usize> = picks(l.len(), start, stop, step).collect();
                let items: R<Vec<Val>> = picked.into_iter().filter_map(|i| l.get(self, i).transpose()).collect();
                Ok(if l.tuple { Val::tuple(items?) } else { Val::list(items?) })
            }
            Val::Undefined(e) => Err((**e).clone()),
            other => Err(Error::new(format!("'{}' object is not subscriptable", other.type_name()))),
        }
    }
}

/// The indices that a slice picks, as Python's `range(*slice.indices(len))`.
pub(super) fn picks(len: usize, start: Option<i128>, stop: Option<i128>, step: i128) -> impl Iterator<Item = usize> {
    let len = len as i128;
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let clamp = |i: i128| if i < 0 { (i + len).max(low) } else { i.min(high) };
    let mut at = start.map_or(if step > 0 { low } else { high }, clamp);
    let end = stop.map_or(if step > 0 { high } else { low }, clamp);
    std::iter::from_fn(move || {
        let more = if step > 0 { at < end } else { at > end };
        let index = usize::try_from(at).ok().filter(|_| more);
        at = at.saturating_add(step);
        index
    })
}

const fn symbol(op: BinOp) -> &'static str {
    match op {
        BinOp::Add => "+",
        BinOp::Sub => "-",
        BinOp::Mul => "*",
        BinOp::Div => "/",
        BinOp::FloorDiv => "//",
        BinOp::Rem => "%",
        BinOp::Pow => "** or pow()",
        BinOp::Concat => "~",
    }
}

pub(super) fn by_zero(op: BinOp) -> Error {
    Error::new(match op {
        BinOp::Div => "division by zero",
        BinOp::FloorDiv => "integer division or modulo by zero",
        _ => "integer modulo by zero",
    })
}

#[allow(clippy::cast_precision_loss, reason = "as Python divides")]
fn integers(op: BinOp, a: i128, b: i128) -> R<Val> {
    if b == 0 && matches!(op, BinOp::Div | BinOp::FloorDiv | BinOp::Rem) {
        return Err(by_zero(op));
    }
    let whole = match op {
        BinOp::Add => a.checked_add(b),
        BinOp::Sub => a.checked_sub(b),
        BinOp::Mul => a.checked_mul(b),
        BinOp::Div => return Ok(Val::Float(a as f64 / b as f64)),
        BinOp::FloorDiv => a.checked_div(b).map(|q| q - i128::from(a % b != 0 && ((a < 0) != (b < 0)))),
        BinOp::Rem => a.checked_rem(b).map(|r| if r != 0 && ((r < 0) != (b < 0)) { r + b } else { r }),
        BinOp::Pow if b < 0 => return Ok(Val::Float((a as f64).powf(b as f64))),
        BinOp::Pow => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        BinOp::Concat => None,
    };
    whole.map_or_else(|| big::operate(op, &a.into(), &b.into()), |whole| Ok(Val::Int(whole)))
}

fn floats(op: BinOp, a: f64, b: f64) -> R<f64> {
    if b == 0.0 && matches!(op, BinOp::Div | BinOp::FloorDiv | BinOp::Rem) {
        return Err(Error::new(match op {
            BinOp::Div => "float division by zero",
            BinOp::FloorDiv => "float floor division by zero",
            _ => "float modulo",
        }));
    }
    let rem = |a: f64, b: f64| {
        let r = a % b;
        if r != 0.0 && ((r < 0.0) != (b < 0.0)) { r + b } else { r }
    };
    Ok(match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::Div => a / b,
        BinOp::FloorDiv => ((a - rem(a, b)) / b).round(),
        BinOp::Rem => rem(a, b),
        BinOp::Pow => a.powf(b),
        BinOp::Concat => return Err(Error::new("not a number")),
    })
}
