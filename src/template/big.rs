//! Whole numbers that 127 bits do not hold: Python's have no limit.

use std::cmp::Ordering;
use std::sync::Arc;

use num_bigint::{BigInt, Sign};

use super::error::Error;
use super::ir::BinOp;
use super::ops::{by_zero, too_large};
use super::value::{R, Val};
use crate::model::Value;

/// How many bits a result may have. Python has no such limit, and takes its time.
const BITS: u64 = 1 << 17;

/// A whole number of any size.
pub(super) fn of(value: &Val) -> Option<BigInt> {
    match value {
        Val::Big(n) => Some((**n).clone()),
        other => other.as_int().map(BigInt::from),
    }
}

/// The number as a value.
pub(super) fn value(n: BigInt) -> Val {
    i128::try_from(&n).map_or_else(|_| Val::Big(Arc::new(n)), Val::Int)
}

/// The number that digits of a base stand for.
pub(super) fn parse(digits: &str, base: u32) -> Option<Val> {
    if digits.len() as u64 > BITS / 2 {
        return None;
    }
    BigInt::parse_bytes(digits.as_bytes(), base).map(value)
}

/// The number as data.
pub(super) fn data(n: &BigInt) -> Value {
    Value::Big(n.to_string().into())
}

/// As a float; infinite where that is too small for it.
pub(super) fn float(n: &BigInt) -> f64 {
    n.to_string().parse().unwrap_or(f64::NAN)
}

/// Without a part after the point.
pub(super) fn truncated(f: f64) -> Val {
    parse(&format!("{:.0}", f.trunc()), 10).unwrap_or(Val::Int(0))
}

/// The digits of a base, without the sign.
pub(super) fn digits(n: &BigInt, base: u32) -> String {
    n.magnitude().to_str_radix(base)
}

pub(super) fn is_negative(n: &BigInt) -> bool {
    n.sign() == Sign::Minus
}

/// Python's operators.
pub(super) fn operate(op: BinOp, a: &BigInt, b: &BigInt) -> R<Val> {
    let zero = b.sign() == Sign::NoSign;
    if zero && matches!(op, BinOp::Div | BinOp::FloorDiv | BinOp::Rem) {
        return Err(by_zero(op));
    }
    // Python rounds towards the lower number.
    let down = || {
        let (quotient, rest) = (a / b, a % b);
        let mixed = rest.sign() != Sign::NoSign && rest.sign() != b.sign();
        if mixed { (quotient - 1, rest + b) } else { (quotient, rest) }
    };
    Ok(value(match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul if a.bits() + b.bits() > BITS => return Err(too_large()),
        BinOp::Mul => a * b,
        BinOp::FloorDiv => down().0,
        BinOp::Rem => down().1,
        BinOp::Div => {
            let quotient = float(a) / float(b);
            let fits = quotient.is_finite();
            let large = || Error::new("integer division result too large for a float");
            return if fits { Ok(Val::Float(quotient)) } else { Err(large()) };
        }
        BinOp::Pow if is_negative(b) => return Ok(Val::Float(float(a).powf(float(b)))),
        BinOp::Pow => power(a, b)?,
        BinOp::Concat => return Err(too_large()),
    }))
}

fn power(a: &BigInt, b: &BigInt) -> R<BigInt> {
    let exponent = u32::try_from(b).map_err(|_| too_large())?;
    if a.bits().saturating_mul(u64::from(exponent)) > BITS {
        return Err(too_large());
    }
    Ok(a.pow(exponent))
}

/// The order of two whole numbers.
pub(super) fn order(a: &Val, b: &Val) -> Option<Ordering> {
    Some(of(a)?.cmp(&of(b)?))
}
