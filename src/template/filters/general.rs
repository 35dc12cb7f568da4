//! Filters of `community.general`: counting, pairing, random addresses, sorting, times.

use indexmap::IndexMap;

use super::Row;
use crate::model::Key;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::ir::BinOp;
use crate::template::tests;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("counter", "", counter),
    ("dict", "", dict),
    ("dict_kv", "key", |ev, v, a| {
        let key = a.need("key")?.to_key()?;
        let _ = ev;
        Ok(Val::map([(key, v)].into_iter().collect()))
    }),
    ("random_mac", "seed?", random_mac),
    ("version_sort", "reverse?", version_sort),
    ("groupby_as_dict", "attribute", groupby_as_dict),
    ("accumulate", "", accumulate),
    ("crc32", "", crc32),
    ("unicode_normalize", "form?", unicode_normalize),
    ("reveal_ansible_type", "alias?", reveal_ansible_type),
    ("to_time_unit", "unit? * year? month?", |ev, v, a| {
        let unit = a.str(ev, "unit", "ms")?;
        times(ev, &v, a, &unit)
    }),
    ("to_milliseconds", "* year? month?", |ev, v, a| times(ev, &v, a, "ms")),
    ("to_seconds", "* year? month?", |ev, v, a| times(ev, &v, a, "s")),
    ("to_minutes", "* year? month?", |ev, v, a| times(ev, &v, a, "m")),
    ("to_hours", "* year? month?", |ev, v, a| times(ev, &v, a, "h")),
    ("to_days", "* year? month?", |ev, v, a| times(ev, &v, a, "d")),
    ("to_weeks", "* year? month?", |ev, v, a| times(ev, &v, a, "w")),
    ("to_months", "* year? month?", |ev, v, a| times(ev, &v, a, "mo")),
    ("to_years", "* year? month?", |ev, v, a| times(ev, &v, a, "y")),
];

/// How often each item is there.
fn counter(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    if !matches!(input, Val::Str(_) | Val::List(_)) {
        let (shown, kind) = (ev.text(&input)?, input.type_name());
        return Err(Error::new(format!(
            "Argument for community.general.counter must be a sequence (string or list). {shown} is <class '{kind}'>"
        )));
    }
    let mut out: IndexMap<Key, i128> = IndexMap::new();
    for item in ev.iterate(&input)? {
        *out.entry(item.to_key()?).or_default() += 1;
    }
    Ok(Val::map(out.into_iter().map(|(k, n)| (k, Val::Int(n))).collect()))
}

fn dict(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    ev.pairs(&Args::of(vec![input])).map(Val::map)
}

/// A prefix made whole by random bytes.
fn random_mac(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let Val::Str(prefix) = &input else {
        return Err(Error::new(format!(
            "Invalid value type (<class '{}'>) for random_mac ({})",
            input.type_name(),
            ev.text(&input)?
        )));
    };
    let value = prefix.to_lowercase();
    let bad = |why: &str| Error::new(format!("Invalid value ({value}) for random_mac: {why}"));
    let parts: Vec<&str> = value.split(':').filter(|p| !p.is_empty()).collect();
    if parts.len() > 5 {
        return Err(bad("5 colon(:) separated items max"));
    }
    if let Some(part) = parts.iter().find(|p| p.len() != 2 || !p.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(bad(&format!("{part} not hexa byte")));
    }
    if parts.is_empty() {
        return Err(bad("at least one item is needed"));
    }
    let seed = args.get("seed").cloned();
    let mut random = super::numbers::generator(ev, seed.as_ref())?;
    // Ten digits, of which as many are taken as are missing.
    let drawn = random.between(68_719_476_736, 1_099_511_627_775);
    let digits = format!("{drawn:x}");
    let mut pairs = digits.as_bytes().chunks(2).map(|c| String::from_utf8_lossy(c).into_owned());
    let mut all: Vec<String> = parts.iter().map(|p| (*p).to_owned()).collect();
    while all.len() < 6 {
        all.extend(pairs.next());
    }
    Ok(Val::str(all.join(":")))
}

fn version_sort(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let reverse = args.bool(ev, "reverse", false)?;
    let mut keyed = Vec::new();
    for item in ev.iterate(&input)? {
        keyed.push((tests::loose_key(&ev.text(&item)?), item));
    }
    ev.sorted_by_key(keyed, reverse).map(Val::list)
}

fn groupby_as_dict(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let name = args.need("attribute")?.clone();
    let mut out = IndexMap::new();
    for (i, item) in ev.iterate(&input)?.into_iter().enumerate() {
        let Val::Map(map) = &item else { return Err(Error::new(format!("Sequence element #{i} is not a mapping"))) };
        let Some(found) = map.get(ev, &name.to_key()?)? else {
            return Err(Error::new(format!("Attribute not contained in element #{i} of sequence")));
        };
        if out.insert(found.to_key()?, item).is_some() {
            let shown = ev.repr(&found)?;
            return Err(Error::new(format!("Multiple sequence entries have attribute value {shown}")));
        }
    }
    Ok(Val::map(out))
}

fn accumulate(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let mut out: Vec<Val> = Vec::new();
    for item in ev.iterate(&input)? {
        let next = match out.last() {
            Some(last) => ev.binary(BinOp::Add, &last.clone(), &item)?,
            None => item,
        };
        out.push(next);
    }
    Ok(Val::list(out))
}

fn crc32(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let crc = text.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| (c >> 1) ^ if c & 1 == 1 { 0xedb8_8320 } else { 0 })
    });
    Ok(Val::str(format!("{:x}", !crc)))
}

fn unicode_normalize(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    use unicode_normalization::UnicodeNormalization as _;
    let Val::Str(text) = &input else {
        return Err(Error::new(format!("<class '{}'> is not a valid input type", input.type_name())));
    };
    Ok(Val::str(match args.str(ev, "form", "NFC")?.as_str() {
        "NFC" => text.nfc().collect::<String>(),
        "NFD" => text.nfd().collect(),
        "NFKC" => text.nfkc().collect(),
        "NFKD" => text.nfkd().collect(),
        other => return Err(Error::new(format!("{other} is not a valid form"))),
    }))
}

/// The name of a value's type, or what else it is to be called.
fn type_of(ev: &mut Eval, value: &Val, alias: Option<&Val>) -> R<String> {
    let own = value.type_name();
    let Some(Val::Map(map)) = alias else { return Ok(own.to_owned()) };
    match map.get(ev, &own.into())? {
        Some(found) => ev.text(&found),
        None => Ok(own.to_owned()),
    }
}

fn types_of(ev: &mut Eval, values: &[Val], alias: Option<&Val>) -> R<String> {
    let names: R<std::collections::BTreeSet<String>> = values.iter().map(|v| type_of(ev, v, alias)).collect();
    Ok(names?.into_iter().collect::<Vec<_>>().join("|"))
}

/// The name of a value's type with those of what is in it.
pub(in crate::template) fn revealed(ev: &mut Eval, value: &Val, alias: Option<&Val>) -> R<String> {
    let own = type_of(ev, value, alias)?;
    Ok(match value {
        Val::List(list) => {
            let items = list.all(ev)?;
            format!("{own}[{}]", types_of(ev, &items, alias)?)
        }
        Val::Map(map) => {
            let all = map.all(ev)?;
            let keys: Vec<Val> = all.keys().map(Val::of_key).collect();
            let values: Vec<Val> = all.into_values().collect();
            format!("{own}[{}, {}]", types_of(ev, &keys, alias)?, types_of(ev, &values, alias)?)
        }
        _ => own,
    })
}

fn reveal_ansible_type(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let alias = args.get("alias").cloned();
    revealed(ev, &input, alias.as_ref()).map(Val::str)
}

/// `1d 2h` in another unit.
fn times(ev: &mut Eval, input: &Val, args: &Args, unit: &str) -> R<Val> {
    let text = ev.text(input)?;
    let given = |name: &str, default: f64| match args.get(name) {
        None => Ok(default),
        Some(v) => crate::template::ops::as_float(v).ok_or_else(|| Error::new(format!("{name} is not a number"))),
    };
    let (year, month) = (given("year", 365.0)?, given("month", 30.0)?);
    let day = 86_400_000.0;
    let factor = |unit: &str| {
        Some(match unit {
            "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => 1.0,
            "s" | "sec" | "secs" | "second" | "seconds" => 1000.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60_000.0,
            "h" | "hour" | "hours" => 3_600_000.0,
            "d" | "day" | "days" => day,
            "w" | "week" | "weeks" => 7.0 * day,
            "mo" | "month" | "months" => month * day,
            "y" | "year" | "years" => year * day,
            _ => return None,
        })
    };
    // The years that a time is told in have twelve such months, where nothing else is said.
    let told = if unit == "y" && args.get("year").is_none() { Some(12.0 * month * day) } else { factor(unit) };
    let into = told.ok_or_else(|| Error::new(format!("to_time_unit() unknown unit '{unit}'")))?;
    let bad = || Error::new(format!("to_time_unit() can not interpret following string: {text}"));
    let mut total = 0.0;
    for word in text.split_whitespace() {
        let end = word.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(bad)?;
        let (number, name) = word.split_at(end);
        total += number.parse::<f64>().map_err(|_| bad())? * factor(name).ok_or_else(bad)?;
    }
    let exact = total / into;
    Ok(Val::Float(format!("{exact:.12}").parse().unwrap_or(exact)))
}
