//! Python's text forms: `str()` and `repr()` of values.

use std::fmt::Write;

use super::eval::Eval;
use super::value::{R, Val};

/// `str()` of a float: the shortest digits, an exponent from 1e16 and below 1e-4.
#[allow(clippy::float_cmp, reason = "exact by intention")]
pub(super) fn float(f: f64) -> String {
    if f.is_nan() {
        return "nan".into();
    }
    if f.is_infinite() {
        return if f > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let magnitude = f.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{f:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, number) = exponent.strip_prefix('-').map_or(('+', exponent), |n| ('-', n));
        return format!("{digits}e{sign}{number:0>2}");
    }
    let text = f.to_string();
    if text.contains('.') { text } else { text + ".0" }
}

/// `repr()` of a string.
pub(super) fn quoted(s: &str) -> String {
    let quote = if s.contains('\'') && !s.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(s.len() + 2);
    out.push(quote);
    for c in s.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() && u32::from(c) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200b}'..='\u{200f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

impl Eval {
    /// `str()` of a value.
    pub fn text(&mut self, value: &Val) -> R<String> {
        match value {
            Val::Str(t) => Ok(t.as_str().to_owned()),
            other => {
                let mut out = String::new();
                self.repr_into(other, &mut out)?;
                Ok(out)
            }
        }
    }

    /// `repr()` of a value.
    pub fn repr(&mut self, value: &Val) -> R<String> {
        let mut out = String::new();
        self.repr_into(value, &mut out)?;
        Ok(out)
    }

    fn repr_into(&mut self, value: &Val, out: &mut String) -> R<()> {
        match value {
            Val::Undefined(e) if e.is_soft() => {}
            Val::Undefined(e) => return Err((**e).clone()),
            Val::Null => out.push_str("None"),
            Val::Bool(true) => out.push_str("True"),
            Val::Bool(false) => out.push_str("False"),
            Val::Int(i) => {
                let _ = write!(out, "{i}");
            }
            Val::Big(n) => out.push_str(&n.to_string()),
            Val::Float(f) => out.push_str(&float(*f)),
            Val::Str(t) => out.push_str(&quoted(t)),
            Val::Omit => out.push_str("<<Omit>>"),
            // `hostvars`, a host in it and `vars` are shown as the mappings that they are.
            Val::Object(o) if o.is_map() => {
                let all = self.finish(value.clone())?;
                let all = self.read(&all, None)?;
                self.repr_into(&all, out)?;
            }
            Val::Object(o) => out.push_str(&o.text()),
            Val::List(list) => {
                let items = list.all(self)?;
                out.push(if list.tuple { '(' } else { '[' });
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    self.nested(|ev| ev.repr_into(item, out))?;
                }
                if list.tuple && items.len() == 1 {
                    out.push(',');
                }
                out.push(if list.tuple { ')' } else { ']' });
            }
            Val::Map(map) => {
                out.push('{');
                for (i, (key, item)) in map.all(self)?.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    self.repr_into(&Val::of_key(key), out)?;
                    out.push_str(": ");
                    self.nested(|ev| ev.repr_into(item, out))?;
                }
                out.push('}');
            }
        }
        Ok(())
    }
}
