//! Values as documents: JSON, YAML, TOML and Python's text form, as the Python libraries write
//! them. Secrets are masked.

use std::collections::{HashMap, HashSet};

use super::{json, yaml_out};
use crate::model::{Key, MASK, Map, Text, Value};

/// A value with secrets masked and what is unknown in words; what has neither stays shared.
fn visible(value: &Value) -> Value {
    if !hides(value) {
        return value.clone();
    }
    match value {
        Value::Str(_) => Value::Str(Text::new(MASK)),
        Value::Unknown(reason) => Value::from(format!("unknown: {reason}")),
        Value::List(items) => Value::list(items.iter().map(visible)),
        Value::Map(map) => Value::from(map.iter().map(|(k, v)| (k.clone(), visible(v))).collect::<Map>()),
        other => other.clone(),
    }
}

fn hides(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.is_secret(),
        Value::Unknown(_) => true,
        Value::List(items) => items.iter().any(hides),
        Value::Map(map) => map.values().any(hides),
        _ => false,
    }
}

/// JSON with sorted keys, indented by four.
pub fn json(value: &Value) -> String {
    let separators = (",".into(), ": ".into());
    let style = json::Style { indent: Some(4), sort: true, ascii: false, separators, ..json::Style::plain() };
    json::write(&visible(value), &style).unwrap_or_default()
}

/// JSON on one line.
pub fn line(value: &Value) -> String {
    let style = json::Style { ascii: false, ..json::Style::plain() };
    json::write(&visible(value), &style).unwrap_or_default()
}

/// YAML with sorted keys; a list or mapping that stands in several places is anchored.
pub fn yaml(value: &Value) -> String {
    let style = yaml_out::Style { indent: 2, width: 80, flow: Some(false), sort: true, ..Default::default() };
    let value = visible(value);
    yaml_out::write_shared(&value, &style, anchors(&value))
}

/// Where a list or mapping lies in memory: what stands in several places is one of them.
pub(super) fn place(value: &Value) -> Option<usize> {
    match value {
        Value::List(items) => Some(std::sync::Arc::as_ptr(items).addr()),
        Value::Map(map) => Some(std::sync::Arc::as_ptr(map).addr()),
        _ => None,
    }
}

/// The numbers of shared values, in the order in which they are met again.
fn anchors(value: &Value) -> HashMap<usize, usize> {
    let (mut seen, mut found) = (HashSet::new(), HashMap::new());
    meet(value, &mut seen, &mut found);
    found
}

fn meet(value: &Value, seen: &mut HashSet<usize>, found: &mut HashMap<usize, usize>) {
    let Some(place) = place(value) else { return };
    if !seen.insert(place) {
        let next = found.len() + 1;
        found.entry(place).or_insert(next);
        return;
    }
    match value {
        Value::List(items) => items.iter().for_each(|item| meet(item, seen, found)),
        Value::Map(map) => {
            let mut entries: Vec<(&Key, &Value)> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            entries.into_iter().for_each(|(_, value)| meet(value, seen, found));
        }
        _ => {}
    }
}

/// The text that Python's `str` gives; within lists and dicts that is `repr`.
pub fn python(value: &Value) -> String {
    match visible(value) {
        Value::Str(text) => text.as_str().to_owned(),
        other => repr(&other),
    }
}

fn repr(value: &Value) -> String {
    let joined = |items: Vec<String>| items.join(", ");
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(b) => (if *b { "True" } else { "False" }).to_owned(),
        Value::Int(i) => i.to_string(),
        Value::Big(digits) => digits.to_string(),
        Value::Float(f) => super::text::float(*f),
        Value::Str(text) => super::text::quoted(text),
        Value::List(items) => format!("[{}]", joined(items.iter().map(repr).collect())),
        Value::Map(map) => {
            let entry = |(key, value): (&Key, &Value)| format!("{}: {}", repr(&key.to_value()), repr(value));
            format!("{{{}}}", joined(map.iter().map(entry).collect()))
        }
        Value::Unknown(reason) => format!("unknown: {reason}"),
    }
}

/// A line of TOML as long as this is no inline table.
const INLINE: usize = 100;

/// TOML in the order of the mapping: values first, then tables.
///
/// # Errors
/// The name of what TOML has no form for: null.
pub fn toml(value: &Map) -> Result<String, String> {
    let mut out = String::new();
    let visible = visible(&Value::from(value.clone()));
    table(visible.as_map().unwrap_or(value), "", false, &mut out)?;
    Ok(out)
}

fn table(map: &Map, name: &str, of_array: bool, out: &mut String) -> Result<(), String> {
    let (mut literals, mut tables) = (Vec::new(), Vec::new());
    for (key, value) in map {
        let array = value.as_list().filter(|items| is_array_of_tables(items));
        match (value, array) {
            (Value::Map(inner), _) => tables.push((key, vec![(**inner).clone()], false)),
            (_, Some(items)) => {
                let inner = items.iter().filter_map(Value::as_map).cloned().collect();
                tables.push((key, inner, true));
            }
            _ => literals.push((key, value)),
        }
    }
    if of_array || (!name.is_empty() && (!literals.is_empty() || tables.is_empty())) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&if of_array { format!("[[{name}]]\n") } else { format!("[{name}]\n") });
    }
    for (key, value) in literals {
        let text = literal(value, 0).map_err(|why| format!("{name}.{key}: {why}"))?;
        out.push_str(&format!("{} = {text}\n", toml_key(key)));
    }
    for (key, inner, array) in tables {
        let below = if name.is_empty() { toml_key(key) } else { format!("{name}.{}", toml_key(key)) };
        inner.iter().try_for_each(|map| table(map, &below, array, out))?;
    }
    Ok(())
}

/// Tables that are too long to stand in a line each.
fn is_array_of_tables(items: &[Value]) -> bool {
    let short =
        |item: &Value| literal(item, 0).is_ok_and(|text| text.chars().count() + 5 <= INLINE && !text.contains('\n'));
    !items.is_empty() && items.iter().all(|item| item.as_map().is_some()) && !items.iter().all(short)
}

fn toml_key(key: &Key) -> String {
    let text = key.to_string();
    let bare = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { text } else { toml_string(&text) }
}

fn literal(value: &Value, level: usize) -> Result<String, String> {
    Ok(match value {
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Big(digits) => digits.to_string(),
        Value::Float(f) => super::text::float(*f),
        Value::Str(text) => toml_string(text),
        Value::List(items) if items.is_empty() => "[]".to_owned(),
        Value::List(items) => {
            let pad = " ".repeat(4 * (level + 1));
            let items = items.iter().map(|item| Ok(format!("{pad}{},\n", literal(item, level + 1)?)));
            format!("[\n{}{}]", items.collect::<Result<String, String>>()?, " ".repeat(4 * level))
        }
        Value::Map(map) if map.is_empty() => "{}".to_owned(),
        Value::Map(map) => {
            let entries = map.iter().map(|(key, value)| Ok(format!("{} = {}", toml_key(key), literal(value, level)?)));
            format!("{{ {} }}", entries.collect::<Result<Vec<_>, String>>()?.join(", "))
        }
        Value::Null => return Err("TOML has no form for null".to_owned()),
        Value::Unknown(reason) => return Err(format!("unknown: {reason}")),
    })
}

fn toml_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\t' => out.push(c),
            c if u32::from(c) < 0x20 || c == '\u{7f}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::from_str_value;

    #[test]
    fn shared_values_are_anchored_in_the_order_in_which_they_come_back() {
        let shared = from_str_value("[1, {a: x}]", "t", true).unwrap();
        let empty = Value::list(Vec::<Value>::new());
        let map: Map = [("b", shared.clone()), ("a", shared), ("c", empty.clone()), ("d", empty)].into_iter().collect();
        assert_eq!(yaml(&Value::from(map)), "a: &id001\n- 1\n- a: x\nb: *id001\nc: &id002 []\nd: *id002\n");
    }

    #[test]
    fn toml_is_what_tomli_w_writes() {
        let text = "{a: {hosts: {h: {x: [1, {b: '\"'}], 'odd key': 1.5, d: {}}}}, l: [true, 'a\\tb']}";
        let value = from_str_value(text, "t", true).unwrap();
        let expected = "l = [\n    true,\n    \"a\\\\tb\",\n]\n\n[a.hosts.h]\nx = [\n    1,\n    { b = \"\\\"\" },\n]\n\"odd key\" = 1.5\n\n[a.hosts.h.d]\n";
        assert_eq!(toml(value.as_map().unwrap()).unwrap(), expected);
        let null: Map = [("a", Value::Null)].into_iter().collect();
        assert!(toml(&null).unwrap_err().contains("null"));
    }

    #[test]
    fn secrets_are_masked_everywhere() {
        let secret = Value::Str(Text::new("hidden").marked(crate::model::Marks::SECRET));
        let map: Map = [("s", Value::list([secret]))].into_iter().collect();
        let value = Value::from(map.clone());
        for text in [json(&value), yaml(&value), python(&value), toml(&map).unwrap()] {
            assert!(!text.contains("hidden") && text.contains(MASK), "{text}");
        }
    }
}
