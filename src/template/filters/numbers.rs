//! Numbers: conversion, rounding, extremes, random choice.

use super::Row;
use super::lists::{empty, folded, follow};
use crate::template::big;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::ir::BinOp;
use crate::template::ops::as_float;
use crate::template::random::Random;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("int", "default? base?", int),
    ("float", "default?", float),
    ("round", "precision? method?", round),
    ("abs", "", abs),
    ("sum", "attribute? start?", sum),
    ("min", "case_sensitive? attribute?", |ev, v, a| extreme(ev, &v, a, false)),
    ("max", "case_sensitive? attribute?", |ev, v, a| extreme(ev, &v, a, true)),
    ("random", "start? step? seed?", random),
    ("shuffle", "seed?", shuffle),
    ("pow", "y", |ev, v, a| power(ev, &v, a)),
    ("root", "base?", root),
    ("log", "base?", log),
];

/// What does not convert is the default, 0.
fn int(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let default = || args.get("default").cloned().unwrap_or(Val::Int(0));
    let base = u32::try_from(args.int("base", 10)?).unwrap_or(10).clamp(2, 36);
    Ok(match &input {
        Val::Int(_) | Val::Big(_) => input,
        Val::Bool(b) => Val::Int(i128::from(*b)),
        Val::Float(f) if f.is_finite() => big::truncated(*f),
        Val::Str(_) => {
            let text = ev.text(&input)?;
            let text = text.trim();
            match parse_int(text, base) {
                Some(number) => number,
                None => match text.parse::<f64>() {
                    Ok(f) if base == 10 && f.is_finite() => big::truncated(f),
                    _ => default(),
                },
            }
        }
        _ => default(),
    })
}

fn parse_int(text: &str, base: u32) -> Option<Val> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_lowercase();
    let prefix = match base {
        16 => "0x",
        8 => "0o",
        2 => "0b",
        _ => "",
    };
    let digits = lower.strip_prefix(prefix).unwrap_or(&lower);
    let plain = digits.replace('_', "");
    let clean = !digits.starts_with('_') && !digits.ends_with('_') && plain.chars().all(|c| c.is_digit(base));
    if clean && !plain.is_empty() { big::parse(&format!("{sign}{plain}"), base) } else { None }
}

fn float(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let parsed = match &input {
        Val::Str(_) => ev.text(&input)?.trim().replace('_', "").parse().ok(),
        other => as_float(other),
    };
    Ok(parsed.map_or_else(|| args.get("default").cloned().unwrap_or(Val::Float(0.0)), Val::Float))
}

fn round(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let value = as_float(&input)
        .ok_or_else(|| Error::new(format!("type {} doesn't define __round__ method", input.type_name())))?;
    let digits = i32::try_from(args.int("precision", 0)?).unwrap_or(0).clamp(-300, 300);
    let method = args.str(ev, "method", "common")?;
    let scale = 10f64.powi(digits);
    let rounded = match method.as_str() {
        "common" if digits >= 0 => {
            // The shortest decimal text rounds ties as Python's round() does.
            let places = usize::try_from(digits).unwrap_or(0);
            format!("{value:.places$}").parse().unwrap_or(value)
        }
        "common" => (value * scale).round_ties_even() / scale,
        "ceil" => (value * scale).ceil() / scale,
        "floor" => (value * scale).floor() / scale,
        _ => return Err(Error::new("method must be common, ceil or floor")),
    };
    Ok(match input {
        Val::Int(_) | Val::Big(_) if method == "common" && digits >= 0 => input,
        #[allow(clippy::cast_possible_truncation, reason = "it was a whole number")]
        Val::Int(_) if method == "common" => Val::Int(rounded as i128),
        _ => Val::Float(rounded),
    })
}

fn abs(_: &mut Eval, input: Val, _: &Args) -> R<Val> {
    match &input {
        Val::Float(f) => Ok(Val::Float(f.abs())),
        other => match big::of(other) {
            Some(n) => Ok(big::value(n.magnitude().clone().into())),
            None => Err(Error::new(format!("bad operand type for abs(): '{}'", other.type_name()))),
        },
    }
}

fn sum(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let path = args.get("attribute").filter(|p| !matches!(p, Val::Null)).cloned();
    let mut total = args.get("start").cloned().unwrap_or(Val::Int(0));
    for item in ev.iterate(&input)? {
        let item = path.as_ref().map_or(Ok(item.clone()), |p| follow(ev, &item, p))?.defined()?;
        total = ev.binary(BinOp::Add, &total, &item)?;
    }
    Ok(total)
}

fn extreme(ev: &mut Eval, input: &Val, args: &Args, max: bool) -> R<Val> {
    let case = args.get("case_sensitive").map_or(Ok(false), |v| ev.truth(v))?;
    let path = args.get("attribute").filter(|p| !matches!(p, Val::Null)).cloned();
    let mut best: Option<(Val, Val)> = None;
    for item in ev.iterate(input)? {
        let key = path.as_ref().map_or(Ok(item.clone()), |p| follow(ev, &item, p))?.defined()?;
        let key = if case { key } else { folded(key) };
        let better = match &best {
            None => true,
            Some((so_far, _)) => {
                let (low, high) = if max { (so_far, &key) } else { (&key, so_far) };
                ev.order("<", low, high)? == Some(std::cmp::Ordering::Less)
            }
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or_else(|| empty("aggregated"), |(_, item)| item))
}

pub(in crate::template) fn generator(ev: &mut Eval, seed: Option<&Val>) -> R<Random> {
    Ok(match seed {
        None | Some(Val::Null) => {
            let (seconds, nanos) = ev.engine.outside.now();
            let fresh = std::collections::hash_map::RandomState::new();
            let hash = std::hash::BuildHasher::hash_one(&fresh, (seconds, nanos));
            Random::from_int(u128::from(hash))
        }
        Some(Val::Int(i)) => Random::from_int(i.unsigned_abs()),
        Some(other) => Random::from_text(&ev.text(other)?),
    })
}

/// One of the items.
pub(in crate::template) fn pick(ev: &mut Eval, items: &[Val], seed: Option<&Val>) -> R<Option<Val>> {
    let at = generator(ev, seed)?.below(items.len() as u64);
    Ok(usize::try_from(at).ok().and_then(|i| items.get(i)).cloned())
}

fn random(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let seed = args.get("seed").or_else(|| args.pos.get(2)).cloned();
    if let Some(end) = input.as_int() {
        let (start, step) = (i128::from(args.int("start", 0)?), i128::from(args.int("step", 1)?));
        let end = end.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        if step == 0 || (end - start) * step.signum() <= 0 {
            return Err(Error::new("empty range for randrange()"));
        }
        let count = (end - start + step - step.signum()) / step;
        let drawn = generator(ev, seed.as_ref())?.below(u64::try_from(count).unwrap_or(u64::MAX));
        return Ok(Val::Int(start + i128::from(drawn) * step));
    }
    if args.int("start", 0)? != 0 || args.int("step", 0)? != 0 {
        return Err(Error::new("start and step can only be used with integer values"));
    }
    let items = match &input {
        Val::Str(_) | Val::List(_) | Val::Map(_) => ev.iterate(&input)?,
        other => {
            return Err(Error::new(format!(
                "random can only be used on sequences and integers, not {}",
                other.type_name()
            )));
        }
    };
    Ok(pick(ev, &items, seed.as_ref())?.unwrap_or_else(|| empty("random")))
}

fn shuffle(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let seed = args.get("seed").cloned();
    // What has no order stays as it is.
    if matches!(input, Val::Null | Val::Bool(_) | Val::Int(_) | Val::Big(_) | Val::Float(_)) {
        return Ok(input);
    }
    let mut items = ev.iterate(&input)?;
    generator(ev, seed.as_ref())?.shuffle(&mut items);
    Ok(Val::list(items))
}

fn real(value: &Val, name: &str) -> R<f64> {
    as_float(value).ok_or_else(|| {
        Error::new(format!("{name}() can only be used on numbers: must be real number, not {}", value.type_name()))
    })
}

fn power(_: &mut Eval, input: &Val, args: &Args) -> R<Val> {
    Ok(Val::Float(real(input, "pow")?.powf(real(args.need("y")?, "pow")?)))
}

fn root(_: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let base = args.get("base").map_or(Ok(2.0), |b| real(b, "root"))?;
    let value = real(&input, "root")?;
    Ok(Val::Float(if (base - 2.0).abs() == 0.0 { value.sqrt() } else { value.powf(1.0 / base) }))
}

fn log(_: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let value = real(&input, "log")?;
    Ok(Val::Float(match args.get("base") {
        None => value.ln(),
        Some(Val::Int(10)) => value.log10(),
        Some(base) => value.ln() / real(base, "log")?.ln(),
    }))
}
