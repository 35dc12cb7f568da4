//! Python's string formatting: `'%s' % x` and `'{}'.format(x)`.

use num_bigint::BigInt;

use super::big;
use super::error::Error;
use super::eval::Eval;
use super::ops::as_float;
use super::value::{Args, R, Val};
use crate::model::Key;

/// What stands between `%` or `:` and the conversion.
#[derive(Default, Clone)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    zero: bool,
    width: usize,
    group: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn number(chars: &mut Chars<'_>) -> Option<usize> {
    let mut digits = String::new();
    while let Some(c) = chars.next_if(char::is_ascii_digit) {
        digits.push(c);
    }
    digits.parse().ok().map(|n: usize| n.min(1 << 20))
}

/// `format % values`.
pub(super) fn percent(ev: &mut Eval, format: &str, values: &Val) -> R<String> {
    let tuple = match values {
        Val::List(l) if l.tuple => Some(l.all(ev)?),
        _ => None,
    };
    let mut rest = tuple.clone().unwrap_or_else(|| vec![values.clone()]).into_iter();
    let mut named = false;
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut name = None;
        if chars.next_if_eq(&'(').is_some() {
            name = Some(chars.by_ref().take_while(|c| *c != ')').collect::<String>());
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| "#0- +".contains(*c)) {
            match flag {
                '#' => spec.alternate = true,
                '0' => spec.zero = true,
                '-' => spec.align = Some('<'),
                sign => spec.sign = Some(sign),
            }
        }
        spec.width = star_or_number(&mut chars, &mut rest).unwrap_or(0);
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(star_or_number(&mut chars, &mut rest).unwrap_or(0));
        }
        while chars.next_if(|c| "hlL".contains(*c)).is_some() {}
        let kind = chars.next().ok_or_else(|| Error::new("incomplete format"))?;
        if kind == '%' {
            out.push('%');
            continue;
        }
        let value = match &name {
            Some(name) => {
                named = true;
                let Val::Map(map) = values else { return Err(Error::new("format requires a mapping")) };
                map.get(ev, &Key::from(name.as_str()))?.ok_or_else(|| Error::new(format!("'{name}'")))?
            }
            None => rest.next().ok_or_else(|| Error::new("not enough arguments for format string"))?,
        };
        spec.kind = Some(kind);
        out.push_str(&convert(ev, &spec, &value.defined()?)?);
    }
    let surplus = rest.next().is_some() && !named && (tuple.is_some() || !matches!(values, Val::Map(_) | Val::List(_)));
    if surplus { Err(Error::new("not all arguments converted during string formatting")) } else { Ok(out) }
}

fn star_or_number(chars: &mut Chars<'_>, rest: &mut impl Iterator<Item = Val>) -> Option<usize> {
    if chars.next_if_eq(&'*').is_some() {
        return rest.next().and_then(|v| v.as_int()).and_then(|i| usize::try_from(i).ok()).map(|n| n.min(1 << 20));
    }
    number(chars)
}

/// One conversion of `%`: numbers are aligned to the right, as is everything without `-`.
fn convert(ev: &mut Eval, spec: &Spec, value: &Val) -> R<String> {
    let kind = spec.kind.unwrap_or('s');
    let body = match kind {
        's' => cut(&ev.text(value)?, spec.precision),
        'r' => cut(&ev.repr(value)?, spec.precision),
        'a' => cut(&ascii(&ev.repr(value)?), spec.precision),
        'c' => match value {
            Val::Str(s) => s.as_str().to_owned(),
            other => other
                .as_int()
                .and_then(|i| u32::try_from(i).ok())
                .and_then(char::from_u32)
                .map(String::from)
                .ok_or_else(|| Error::new("%c requires int or char"))?,
        },
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
            let whole = match value {
                Val::Float(f) if matches!(kind, 'd' | 'i' | 'u') => Some(big::truncated(*f)),
                other => Some(other.clone()),
            };
            let whole = whole.as_ref().and_then(big::of);
            let wants = if matches!(kind, 'd' | 'i' | 'u') { "a real number" } else { "an integer" };
            let whole = whole
                .ok_or_else(|| Error::new(format!("%{kind} format: {wants} is required, not {}", value.type_name())))?;
            let mut spec = spec.clone();
            spec.kind = Some(if matches!(kind, 'i' | 'u') { 'd' } else { kind });
            return Ok(pad(&spec, &integer(&spec, &whole), '>'));
        }
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            let f =
                as_float(value).ok_or_else(|| Error::new(format!("must be real number, not {}", value.type_name())))?;
            return Ok(pad(spec, &floating(spec, f), '>'));
        }
        other => return Err(Error::new(format!("unsupported format character '{other}'"))),
    };
    Ok(pad(&Spec { zero: false, ..spec.clone() }, &body, '>'))
}

/// `ascii()` of what `repr()` gave.
fn ascii(text: &str) -> String {
    let shown = |c: char| match u32::from(c) {
        0..0x80 => c.to_string(),
        code @ 0..0x100 => format!("\\x{code:02x}"),
        code @ 0..0x1_0000 => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    };
    text.chars().map(shown).collect()
}

fn cut(text: &str, most: Option<usize>) -> String {
    most.map_or_else(|| text.to_owned(), |n| text.chars().take(n).collect())
}

fn signed(spec: &Spec, negative: bool, digits: String) -> String {
    match (negative, spec.sign) {
        (true, _) => format!("-{digits}"),
        (false, Some(sign @ ('+' | ' '))) => format!("{sign}{digits}"),
        _ => digits,
    }
}

fn integer(spec: &Spec, value: &BigInt) -> String {
    let (prefix, digits) = match spec.kind {
        Some('x') => ("0x", big::digits(value, 16)),
        Some('X') => ("0X", big::digits(value, 16).to_uppercase()),
        Some('o') => ("0o", big::digits(value, 8)),
        Some('b') => ("0b", big::digits(value, 2)),
        _ => ("", big::digits(value, 10)),
    };
    let digits = match spec.precision {
        Some(p) => format!("{digits:0>p$}"),
        None => digits,
    };
    let digits = spec.group.map_or(digits.clone(), |g| grouped(&digits, g));
    signed(spec, big::is_negative(value), if spec.alternate { format!("{prefix}{digits}") } else { digits })
}

fn grouped(digits: &str, by: char) -> String {
    let (whole, rest) = digits.split_once('.').map_or((digits, None), |(w, r)| (w, Some(r)));
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(by);
        }
        out.push(c);
    }
    rest.map_or(out.clone(), |r| format!("{out}.{r}"))
}

fn floating(spec: &Spec, value: f64) -> String {
    let f = value.abs();
    let p = spec.precision.unwrap_or(6).min(300);
    let kind = spec.kind.unwrap_or('g');
    let digits = if f.is_finite() {
        match kind {
            'e' | 'E' => exponent(&format!("{f:.p$e}")),
            'f' | 'F' => format!("{f:.p$}"),
            '%' => format!("{:.p$}%", f * 100.0),
            _ => general(f, p.max(1), spec.alternate),
        }
    } else {
        super::text::float(f)
    };
    let digits = if kind.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
    let digits = spec.group.map_or(digits.clone(), |g| grouped(&digits, g));
    signed(spec, value.is_sign_negative() && !value.is_nan(), digits)
}

fn exponent(text: &str) -> String {
    let (digits, exp) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, exp) = exp.strip_prefix('-').map_or(('+', exp), |e| ('-', e));
    format!("{digits}e{sign}{exp:0>2}")
}

fn general(f: f64, p: usize, keep: bool) -> String {
    let scientific = format!("{f:.*e}", p - 1);
    let exp: i32 = scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    let least = |s: &str| {
        if keep || !s.contains('.') { s.to_owned() } else { s.trim_end_matches('0').trim_end_matches('.').to_owned() }
    };
    let precision = i32::try_from(p).unwrap_or(6);
    if exp < -4 || exp >= precision {
        let (digits, exp) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        return exponent(&format!("{}e{exp}", least(digits)));
    }
    let decimals = usize::try_from(precision - 1 - exp).unwrap_or(0);
    least(&format!("{f:.decimals$}"))
}

fn pad(spec: &Spec, body: &str, default: char) -> String {
    let missing = spec.width.saturating_sub(body.chars().count());
    if missing == 0 {
        return body.to_owned();
    }
    let fill = spec.fill.unwrap_or(' ').to_string();
    // Between the sign and the digits.
    if spec.align == Some('=') || spec.zero && spec.align.is_none() {
        let at = body.find(|c: char| !"+- ".contains(c)).unwrap_or(0);
        let (sign, digits) = body.split_at(at);
        let fill = if spec.zero && spec.fill.is_none() { "0" } else { &fill };
        return format!("{sign}{}{digits}", fill.repeat(missing));
    }
    match spec.align.unwrap_or(default) {
        '<' => body.to_owned() + &fill.repeat(missing),
        '^' => format!("{}{body}{}", fill.repeat(missing / 2), fill.repeat(missing - missing / 2)),
        _ => fill.repeat(missing) + body,
    }
}

/// `format.format(…)`.
pub(super) fn braces(ev: &mut Eval, format: &str, args: &Args) -> R<String> {
    let mut next = 0;
    braces_at(ev, format, args, &mut next, 0)
}

fn braces_at(ev: &mut Eval, format: &str, args: &Args, next: &mut usize, depth: usize) -> R<String> {
    if depth > 2 {
        return Err(Error::new("max string recursion exceeded"));
    }
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' if chars.next_if_eq(&'{').is_some() => out.push('{'),
            '}' if chars.next_if_eq(&'}').is_some() => out.push('}'),
            '{' => {
                let mut field = String::new();
                let mut open = 1;
                for c in chars.by_ref() {
                    open += i32::from(c == '{') - i32::from(c == '}');
                    if open == 0 {
                        break;
                    }
                    field.push(c);
                }
                if open != 0 {
                    return Err(Error::new("expected '}' before end of string"));
                }
                out.push_str(&field_text(ev, &field, args, next, depth)?);
            }
            '}' => return Err(Error::new("single '}' encountered in format string")),
            c => out.push(c),
        }
    }
    Ok(out)
}

fn field_text(ev: &mut Eval, field: &str, args: &Args, next: &mut usize, depth: usize) -> R<String> {
    let (name, spec) = field.split_once(':').unwrap_or((field, ""));
    let (name, conversion) = name.split_once('!').unwrap_or((name, ""));
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (first, path) = name.split_at(end);
    let mut value = if first.is_empty() {
        *next += 1;
        args.pos.get(*next - 1).cloned()
    } else {
        first.parse().map_or_else(|_| args.named(first).cloned(), |i: usize| args.pos.get(i).cloned())
    }
    .ok_or_else(|| {
        Error::new(if first.is_empty() {
            "Replacement index out of range for positional args tuple".to_owned()
        } else {
            format!("'{first}'")
        })
    })?;
    for step in path.split(['.', '[']).filter(|s| !s.is_empty()) {
        let key = step.trim_end_matches(']');
        let key = key.parse().map_or_else(|_| Val::str(key), Val::Int);
        value = ev.item(&value, &key, super::ir::Span::default())?.defined()?;
    }
    let spec = braces_at(ev, spec, args, next, depth + 1)?;
    match conversion {
        "" => format_value(ev, &value, &spec),
        "r" | "a" => {
            let text = ev.repr(&value)?;
            let text = Val::str(if conversion == "a" { ascii(&text) } else { text });
            format_value(ev, &text, &spec)
        }
        _ => {
            let text = Val::str(ev.text(&value)?);
            format_value(ev, &text, &spec)
        }
    }
}

fn parse(spec: &str) -> Spec {
    let mut out = Spec::default();
    let mut chars = spec.chars().peekable();
    let second = spec.chars().nth(1);
    if second.is_some_and(|c| "<>^=".contains(c)) {
        out.fill = chars.next();
        out.align = chars.next();
    } else if let Some(align) = chars.next_if(|c| "<>^=".contains(*c)) {
        out.align = Some(align);
    }
    out.sign = chars.next_if(|c| "+- ".contains(*c));
    out.alternate = chars.next_if_eq(&'#').is_some();
    out.zero = chars.next_if_eq(&'0').is_some();
    out.width = number(&mut chars).unwrap_or(0);
    out.group = chars.next_if(|c| ",_".contains(*c));
    if chars.next_if_eq(&'.').is_some() {
        out.precision = number(&mut chars);
    }
    out.kind = chars.next();
    out
}

/// Python's `format(value, spec)`.
fn format_value(ev: &mut Eval, value: &Val, spec: &str) -> R<String> {
    if spec.is_empty() {
        return ev.text(value);
    }
    let spec = parse(spec);
    let bad =
        |kind: char| Error::new(format!("unknown format code '{kind}' for object of type '{}'", value.type_name()));
    let truth = Val::Int(value.as_int().unwrap_or_default());
    // A truth value is a number where it is written as one.
    let value = if matches!(value, Val::Bool(_)) && spec.kind != Some('s') { &truth } else { value };
    match (value, spec.kind) {
        (Val::Int(i), Some('c')) => {
            let one = u32::try_from(*i).ok().and_then(char::from_u32);
            let one = one.ok_or_else(|| Error::new("%c arg not in range(0x110000)"))?;
            Ok(pad(&Spec { zero: false, ..spec }, &one.to_string(), '<'))
        }
        (Val::Int(_) | Val::Big(_), None | Some('d' | 'x' | 'X' | 'o' | 'b' | 'n')) => {
            Ok(pad(&spec, &integer(&spec, &big::of(value).unwrap_or_default()), '>'))
        }
        (Val::Int(_) | Val::Big(_) | Val::Float(_), Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%')) => {
            Ok(pad(&spec, &floating(&spec, as_float(value).unwrap_or_default()), '>'))
        }
        (Val::Float(f), None) => {
            let body = if spec.precision.is_some() {
                floating(&spec, *f)
            } else {
                let digits = super::text::float(f.abs());
                signed(&spec, *f < 0.0, spec.group.map_or(digits.clone(), |by| grouped(&digits, by)))
            };
            Ok(pad(&spec, &body, '>'))
        }
        (_, Some(kind)) if kind != 's' => Err(bad(kind)),
        _ => {
            let body = cut(&ev.text(value)?, spec.precision);
            Ok(pad(&Spec { zero: false, ..spec }, &body, '<'))
        }
    }
}
