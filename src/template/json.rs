//! JSON as Python's `json` module writes and reads it.

use std::fmt::Write;

use indexmap::IndexMap;

use super::error::Error;
pub(super) use super::json_in::read;
use super::value::R;
use crate::model::{Key, Value};

/// How JSON is written.
pub(super) struct Style {
    /// Blanks per level; one line when `None`.
    pub indent: Option<usize>,
    pub sort: bool,
    /// Whether other than ASCII is escaped.
    pub ascii: bool,
    /// Whether floats may be other than numbers.
    pub nan: bool,
    /// Between items, and between key and value.
    pub separators: (String, String),
}

impl Style {
    pub fn plain() -> Self {
        Self { indent: None, sort: false, ascii: true, nan: true, separators: (", ".into(), ": ".into()) }
    }
}

/// The value as JSON.
pub(super) fn write(value: &Value, style: &Style) -> R<String> {
    let mut out = String::new();
    put(value, style, 0, &mut out)?;
    Ok(out)
}

fn put(value: &Value, style: &Style, level: usize, out: &mut String) -> R<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Value::Big(digits) => out.push_str(digits),
        Value::Float(f) if !style.nan && !f.is_finite() => {
            let shown = super::text::float(*f);
            return Err(Error::new(format!("Out of range float values are not JSON compliant: {shown}")));
        }
        Value::Float(f) if f.is_nan() => out.push_str("NaN"),
        Value::Float(f) if f.is_infinite() => out.push_str(if *f > 0.0 { "Infinity" } else { "-Infinity" }),
        Value::Float(f) => out.push_str(&super::text::float(*f)),
        Value::Str(s) => string(s, style.ascii, out),
        Value::Unknown(reason) => return Err(Error::of_unknown(reason.clone())),
        Value::List(items) if items.is_empty() => out.push_str("[]"),
        Value::Map(map) if map.is_empty() => out.push_str("{}"),
        Value::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                separate(i, style, level + 1, out);
                put(item, style, level + 1, out)?;
            }
            close(style, level, ']', out);
        }
        Value::Map(map) => {
            let mut entries: Vec<(&Key, &Value)> = map.iter().collect();
            if style.sort {
                entries.sort_by(|a, b| a.0.cmp(b.0));
            }
            // Keys that are one as text are one in JSON, the last one's value.
            let entries: IndexMap<String, &Value> = entries.iter().map(|(k, v)| (key_text(k), *v)).collect();
            out.push('{');
            for (i, (key, item)) in entries.into_iter().enumerate() {
                separate(i, style, level + 1, out);
                string(&key, style.ascii, out);
                out.push_str(&style.separators.1);
                put(item, style, level + 1, out)?;
            }
            close(style, level, '}', out);
        }
    }
    Ok(())
}

fn key_text(key: &Key) -> String {
    match key {
        Key::Bool(b) => b.to_string(),
        Key::Null => "null".into(),
        other => other.to_string(),
    }
}

fn separate(i: usize, style: &Style, level: usize, out: &mut String) {
    if i > 0 {
        out.push_str(&style.separators.0);
    }
    if let Some(indent) = style.indent {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent * level));
    }
}

fn close(style: &Style, level: usize, with: char, out: &mut String) {
    if let Some(indent) = style.indent {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent * level));
    }
    out.push(with);
}

fn string(s: &str, ascii: bool, out: &mut String) {
    out.push('"');
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if u32::from(c) < 0x20 || (ascii && !c.is_ascii()) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
