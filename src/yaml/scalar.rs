//! What a plain scalar is: YAML 1.1's types as PyYAML's SafeLoader resolves them.
//!
//! Written by hand after the grammar at <https://yaml.org/type/>, and held to PyYAML's
//! recorded answers by `tests/yaml/scalars.tsv`. What PyYAML would resolve and then fail
//! to build (`0b_`, an impossible date) stays a string, as does an integer too large for 128 bits.

use super::node::NodeKind;
use super::{Scalar, Style};

/// The outcome of resolving a plain scalar.
#[derive(Debug, Clone, PartialEq)]
pub enum Plain {
    /// Nothing, `~`, `null`.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i128),
    /// A number.
    Float(f64),
    /// A date or time: Python's `str()` of it.
    Time(String),
    /// `<<`.
    Merge,
    /// Any other text.
    Str,
}

/// Resolves the text of a plain scalar.
pub fn resolve(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Plain::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Plain::Bool(false),
        "<<" => return Plain::Merge,
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
        return Plain::Str;
    }
    if let Some(float) = float(text) {
        return Plain::Float(float);
    }
    if let Some(int) = int(text) {
        return Plain::Int(int);
    }
    time(text).map_or(Plain::Str, Plain::Time)
}

/// The node that a resolved scalar makes.
pub(super) fn kind(text: String, plain: Plain) -> NodeKind {
    match plain {
        Plain::Null => NodeKind::Null,
        Plain::Bool(b) => NodeKind::Bool(b),
        Plain::Int(i) => NodeKind::Int(i),
        Plain::Float(f) => NodeKind::Float(f),
        Plain::Time(text) => string(text, Style::Plain),
        Plain::Merge | Plain::Str => string(text, Style::Plain),
    }
}

pub(super) fn string(text: String, style: Style) -> NodeKind {
    NodeKind::Str(Scalar { text: text.into(), style, is_unsafe: false })
}

/// Splits a leading sign off.
fn sign(text: &str) -> (bool, &str) {
    text.strip_prefix('-').map_or_else(|| (false, text.strip_prefix('+').unwrap_or(text)), |rest| (true, rest))
}

/// Whether all of `text` (not empty) are characters that `ok` accepts, or underscores.
fn all(text: &str, ok: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(|c| c == '_' || ok(c))
}

const fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Integers: decimal, `0b`, `0x`, octal with a leading zero, and base 60.
pub(super) fn int(text: &str) -> Option<i128> {
    let (negative, body) = sign(text);
    let bare = body.replace('_', "");
    let magnitude = if let Some(bits) = body.strip_prefix("0b") {
        (all(bits, |c| matches!(c, '0' | '1'))).then(|| i128::from_str_radix(bare.get(2..)?, 2).ok())?
    } else if let Some(hex) = body.strip_prefix("0x") {
        (all(hex, |c| c.is_ascii_hexdigit())).then(|| i128::from_str_radix(bare.get(2..)?, 16).ok())?
    } else if body.contains(':') {
        sexagesimal(body)
    } else if body.starts_with('0') {
        (all(body, |c| matches!(c, '0'..='7'))).then(|| i128::from_str_radix(&bare, 8).ok())?
    } else {
        (body.starts_with(digit) && all(body, digit)).then(|| bare.parse().ok())?
    }?;
    Some(if negative { -magnitude } else { magnitude })
}

/// `190:20:30`: base 60, the first part at least 1.
fn sexagesimal(body: &str) -> Option<i128> {
    let mut parts = body.split(':');
    let first = parts.next().filter(|p| all(p, digit) && p.starts_with(|c: char| matches!(c, '1'..='9')))?;
    let mut total: i128 = first.replace('_', "").parse().ok()?;
    for part in parts {
        total = total.checked_mul(60)?.checked_add(sixtieth(part)?)?;
    }
    Some(total)
}

/// One or two digits below 60.
fn sixtieth(part: &str) -> Option<i128> {
    let fits = matches!(part.len(), 1 | 2) && part.chars().all(digit);
    let value: i128 = fits.then(|| part.parse().ok())??;
    (value < 60).then_some(value)
}

/// Floats: a dot is required, and an exponent needs its sign (`1e3` is a string).
pub(super) fn float(text: &str) -> Option<f64> {
    let (negative, body) = sign(text);
    let signed = body.len() != text.len();
    let magnitude = match body {
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        ".nan" | ".NaN" | ".NAN" if !signed => f64::NAN,
        _ if body.contains(':') => base_60(body)?,
        _ => decimal(body, signed)?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

fn decimal(body: &str, signed: bool) -> Option<f64> {
    let (whole, rest) = body.split_once('.')?;
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (rest.get(..at)?, rest.get(at + 1..)),
        None => (rest, None),
    };
    let whole_fits = if whole.is_empty() {
        // `.5` has no sign in this grammar, and `._5` is no number.
        !signed && fraction.starts_with(digit)
    } else {
        whole.starts_with(digit) && all(whole, digit)
    };
    let fraction_fits = fraction.is_empty() || all(fraction, digit);
    let exponent_fits = exponent.is_none_or(|e| {
        e.strip_prefix(['+', '-']).is_some_and(|digits| !digits.is_empty() && digits.chars().all(digit))
    });
    (whole_fits && fraction_fits && exponent_fits).then(|| body.replace('_', "").parse().ok())?
}

/// `190:20:30.15`.
fn base_60(body: &str) -> Option<f64> {
    let (clock, fraction) = body.split_once('.')?;
    let mut parts = clock.split(':');
    let first = parts.next().filter(|p| p.starts_with(digit) && all(p, digit))?;
    let mut total: f64 = first.replace('_', "").parse().ok()?;
    let mut last = 0.0;
    for part in parts {
        total = (total + last) * 60.0;
        last = f64::from(i32::try_from(sixtieth(part)?).ok()?);
    }
    if !(fraction.is_empty() || all(fraction, digit)) {
        return None;
    }
    let fraction: f64 = format!("0.{}0", fraction.replace('_', "")).parse().ok()?;
    Some(total + (last + fraction))
}

/// Dates and times, as Python prints the objects that PyYAML makes of them.
fn time(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if bytes.get(4) != Some(&b'-') {
        return None;
    }
    let date_end = text.find(['T', 't', ' ', '\t']).unwrap_or(text.len());
    let (date, rest) = text.split_at(date_end);
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let exact = rest.is_empty();
    let (y, m, d) =
        (number(year, 4, 4)?, number(month, 1 + usize::from(exact), 2)?, number(day, 1 + usize::from(exact), 2)?);
    let date = chrono::NaiveDate::from_ymd_opt(i32::try_from(y).ok()?, m, d)?;
    if exact {
        return (y > 0).then(|| date.format("%Y-%m-%d").to_string());
    }
    let clock = rest.strip_prefix(['T', 't']).unwrap_or_else(|| rest.trim_start_matches([' ', '\t']));
    Some(format!("{} {}", date.format("%Y-%m-%d"), clock_text(clock)?))
}

/// `21:59:43.10 -5` as `21:59:43.100000-05:00`.
fn clock_text(clock: &str) -> Option<String> {
    let end = clock.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.'))).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(end);
    let (seconds, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = seconds.splitn(3, ':');
    let (h, m, s) = (number(parts.next()?, 1, 2)?, number(parts.next()?, 2, 2)?, number(parts.next()?, 2, 2)?);
    if h > 23 || m > 59 || s > 59 || !fraction.chars().all(digit) {
        return None;
    }
    let micros: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
    let micros = if micros == "000000" { String::new() } else { format!(".{micros}") };
    let zone = zone.trim_start_matches([' ', '\t']);
    let zone = match zone {
        "" => String::new(),
        "Z" => "+00:00".to_owned(),
        _ => {
            let (hours, minutes) = zone.get(1..)?.split_once(':').unwrap_or((zone.get(1..)?, "00"));
            let sign = zone.chars().next().filter(|c| matches!(c, '+' | '-'))?;
            format!("{sign}{:02}:{:02}", number(hours, 1, 2)?, number(minutes, 2, 2)?)
        }
    };
    Some(format!("{h:02}:{m:02}:{s:02}{micros}{zone}"))
}

/// A number of `min` to `max` digits.
fn number(text: &str, min: usize, max: usize) -> Option<u32> {
    ((min..=max).contains(&text.len()) && text.chars().all(digit)).then(|| text.parse().ok())?
}
