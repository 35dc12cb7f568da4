//! JSON as Python's `json.dumps` writes it, for content that is data.

mod parse;

pub use parse::parse;

use crate::model::Value;

/// The JSON of a value, with Python's spaces and escapes (`{"a": [1, 2]}`).
pub fn dumps(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// As `json.dumps(value, indent=4, sort_keys=True)`: for files that people read, too.
pub fn dumps_indented(value: &Value) -> String {
    let mut out = String::new();
    indented(value, 1, &mut out);
    out
}

fn indented(value: &Value, depth: usize, out: &mut String) {
    let parts: Vec<(Option<String>, &Value)> = match value {
        Value::Map(map) if !map.is_empty() => {
            let mut parts: Vec<_> = map.iter().map(|(key, item)| (Some(key.to_string()), item)).collect();
            parts.sort_by(|a, b| a.0.cmp(&b.0));
            parts
        }
        Value::List(items) if !items.is_empty() => items.iter().map(|item| (None, item)).collect(),
        other => return write(other, out),
    };
    let (open, close) = if matches!(value, Value::Map(_)) { ('{', '}') } else { ('[', ']') };
    out.push(open);
    for (i, (key, item)) in parts.iter().enumerate() {
        out.push_str(if i > 0 { ",\n" } else { "\n" });
        out.push_str(&"    ".repeat(depth));
        if let Some(key) = key {
            string(key, out);
            out.push_str(": ");
        }
        indented(item, depth + 1, out);
    }
    out.push('\n');
    out.push_str(&"    ".repeat(depth - 1));
    out.push(close);
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null | Value::Unknown(_) => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(i) => out.push_str(&i.to_string()),
        Value::Big(digits) => out.push_str(digits),
        Value::Float(f) => out.push_str(&float(*f)),
        Value::Str(text) => string(text, out),
        Value::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write(item, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (i, (key, item)) in map.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                match key.to_value() {
                    Value::Str(text) => string(&text, out),
                    other => {
                        out.push('"');
                        write(&other, out);
                        out.push('"');
                    }
                }
                out.push_str(": ");
                write(item, out);
            }
            out.push('}');
        }
    }
}

/// Python's shortest form: `1.0`, `0.1`, `1e+16`.
fn float(f: f64) -> String {
    if f.is_nan() {
        return "NaN".to_owned();
    }
    if f.is_infinite() {
        return if f > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if f != 0.0 && !(1e-4..1e16).contains(&f.abs()) {
        let text = format!("{f:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(("+", exponent), |e| ("-", e));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    if f.fract() == 0.0 { format!("{f:.1}") } else { f.to_string() }
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                let mut units = [0u16; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Map;

    #[test]
    fn data_is_written_as_python_writes_it() {
        let map = Map::from_iter([("a", Value::list([1, 2])), ("é\"", Value::Float(1.0)), ("n", Value::Null)]);
        assert_eq!(dumps(&Value::from(map)), r#"{"a": [1, 2], "\u00e9\"": 1.0, "n": null}"#);
        let nested = Map::from_iter([
            ("b", Value::list([1, 2])),
            ("a", Value::from(Map::new())),
            ("c", Map::from_iter([("d", Value::Null)]).into()),
        ]);
        let text = "{\n    \"a\": {},\n    \"b\": [\n        1,\n        2\n    ],\n    \"c\": {\n        \"d\": null\n    }\n}";
        assert_eq!(dumps_indented(&nested.into()), text);
        assert_eq!(dumps(&Value::from("😀\n")), r#""\ud83d\ude00\n""#);
        assert_eq!((float(1e16), float(1.5e-7), float(0.1)), ("1e+16".into(), "1.5e-07".into(), "0.1".into()));
    }
}
