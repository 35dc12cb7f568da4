//! Sizes as people write them.

use super::Row;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::ops::as_float;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("human_readable", "isbits? unit?", human_readable),
    ("human_to_bytes", "default_unit? isbits?", human_to_bytes),
    ("filesizeformat", "binary?", filesizeformat),
];

const UNITS: &[(char, f64)] = &[
    ('Y', 1.208_925_819_614_629_2e24),
    ('Z', 1.180_591_620_717_411_3e21),
    ('E', 1.152_921_504_606_847e18),
    ('P', 1.125_899_906_842_624e15),
    ('T', 1_099_511_627_776.0),
    ('G', 1_073_741_824.0),
    ('M', 1_048_576.0),
    ('K', 1024.0),
    ('B', 1.0),
];

fn human_readable(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let bad =
        || Error::new(format!("human_readable() failed on bad input: could not convert string to float: '{text}'"));
    let size = text.parse::<f64>().map_err(|_| bad())?;
    let bits = args.bool(ev, "isbits", false)?;
    let unit = args.str(ev, "unit", "")?.to_uppercase();
    let wanted =
        |(suffix, limit): &&(char, f64)| if unit.is_empty() { size >= *limit } else { unit.starts_with(*suffix) };
    let (suffix, limit) = UNITS.iter().find(wanted).copied().unwrap_or(('B', 1.0));
    let name = match (suffix, bits) {
        ('B', true) => "bits".to_owned(),
        ('B', false) => "Bytes".to_owned(),
        (s, true) => format!("{s}b"),
        (s, false) => format!("{s}B"),
    };
    Ok(Val::str(format!("{:.2} {name}", size / limit)))
}

fn human_to_bytes(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let (default, bits) = (args.str(ev, "default_unit", "")?, args.bool(ev, "isbits", false)?);
    to_bytes(&text, &default, bits)
        .map_err(|why| Error::new(format!("human_to_bytes() can't interpret the input: human_to_bytes() {why}")))
}

fn to_bytes(text: &str, default: &str, bits: bool) -> Result<Val, String> {
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let number: f64 = number.parse().map_err(|_| format!("can't interpret following string: {text}"))?;
    let unit = if unit.trim().is_empty() { default } else { unit.trim() };
    let Some(first) = unit.chars().next().map(|c| c.to_ascii_uppercase()) else { return Ok(whole(number)) };
    let Some((suffix, factor)) = UNITS.iter().find(|(s, _)| *s == first) else {
        let known = UNITS.iter().map(|(s, _)| s.to_string()).collect::<Vec<_>>().join(", ");
        return Err(format!("failed to convert {text} (unit = {unit}). The suffix must be one of {known}"));
    };
    let (class, word) = if bits { ("b", "bit") } else { ("B", "byte") };
    let lower = unit.to_lowercase();
    let right = match *suffix {
        'B' => {
            lower == class.to_lowercase() && (unit == class || !bits) || lower == format!("{word}s") || lower == word
        }
        _ => {
            let after = unit.get(1..).unwrap_or_default();
            after.is_empty() || after == class
        }
    };
    if !right {
        let want = if *suffix == 'B' { class.to_owned() } else { format!("{suffix}{class} or {suffix}") };
        return Err(format!("failed to convert {text}. Value is not a valid string (expect {want})"));
    }
    Ok(whole(number * factor))
}

#[allow(clippy::cast_possible_truncation, reason = "rounded first")]
fn whole(number: f64) -> Val {
    Val::Int(number.round() as i128)
}

/// Jinja's own.
fn filesizeformat(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let binary = args.bool(ev, "binary", false)?;
    let text = ev.text(&input)?;
    let size = as_float(&input).or_else(|| text.trim().parse().ok());
    let size = size.ok_or_else(|| Error::new(format!("could not convert string to float: '{text}'")))?;
    let base = if binary { 1024.0 } else { 1000.0 };
    let names = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    #[allow(clippy::float_cmp, reason = "exactly one")]
    if size == 1.0 {
        return Ok(Val::str("1 Byte"));
    }
    if size < base {
        return Ok(Val::str(format!("{} Bytes", size.trunc())));
    }
    let mut unit = base;
    for (i, name) in names.iter().enumerate() {
        unit *= base;
        if size < unit || i + 1 == names.len() {
            let name = if binary { format!("{}iB", name.to_uppercase()) } else { format!("{name}B") };
            return Ok(Val::str(format!("{:.1} {name}", base * size / unit)));
        }
    }
    Ok(Val::Null)
}
