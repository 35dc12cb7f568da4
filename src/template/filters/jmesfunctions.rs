//! The functions of JMESPath.

use jmespath::ast::Ast;

use super::jmespath::{list, number, same, search};
use crate::model::{Map, Value};
use crate::template::error::Error;
use crate::template::json::{self, Style};
use crate::template::value::R;

fn refuse(words: impl std::fmt::Display) -> Error {
    Error::new(format!("JMESPathError in json_query filter plugin:\n{words}"))
}

pub(super) fn call(name: &str, args: &[Ast], data: &Value, depth: usize) -> R<Value> {
    let values = args.iter().map(|a| search(a, data, depth)).collect::<R<Vec<_>>>()?;
    let count = match name {
        "contains" | "ends_with" | "starts_with" | "join" | "map" | "max_by" | "min_by" | "sort_by" => 2..=2,
        "merge" | "not_null" => 1..=usize::MAX,
        _ => 1..=1,
    };
    if !count.contains(&values.len()) {
        return Err(refuse(format!("wrong number of arguments for function {name}()")));
    }
    let first = values.first().cloned().unwrap_or(Value::Null);
    let second = values.get(1).cloned().unwrap_or(Value::Null);
    let by = |tree: Option<&Ast>, items: &Value| keyed(name, tree, items, depth);
    match name {
        "map" => match (args.first(), &second) {
            (Some(Ast::Expref { ast, .. }), Value::List(items)) => {
                Ok(list(items.iter().map(|v| search(ast, v, depth)).collect::<R<_>>()?))
            }
            _ => Err(wrong(name, &second)),
        },
        "sort_by" => by(args.get(1), &first).map(|rows| list(rows.into_iter().map(|(_, v)| v).collect())),
        "min_by" => by(args.get(1), &first).map(|rows| rows.into_iter().next().map_or(Value::Null, |(_, v)| v)),
        "max_by" => {
            let rows = by(args.get(1), &first)?;
            let top = rows.last().map(|(key, _)| key.clone());
            let found = rows.into_iter().find(|(key, _)| top.as_ref().is_some_and(|top| same(top, key)));
            Ok(found.map_or(Value::Null, |(_, v)| v))
        }
        "merge" => {
            let mut map = Map::new();
            for value in &values {
                let Value::Map(more) = value else { return Err(wrong(name, value)) };
                more.iter().for_each(|(k, v)| drop(map.insert(k.clone(), v.clone())));
            }
            Ok(map.into())
        }
        "not_null" => Ok(values.into_iter().find(|v| !matches!(v, Value::Null)).unwrap_or(Value::Null)),
        _ => match numeric(name, &first)? {
            Some(found) => Ok(found),
            None => general(name, &first, &second),
        },
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null | Value::Unknown(_) => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) | Value::Big(_) | Value::Float(_) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}

fn wrong(name: &str, value: &Value) -> Error {
    refuse(format!("In function {name}(), invalid type for value: received: \"{}\"", type_of(value)))
}

/// The items with their keys, sorted by them.
fn keyed(name: &str, tree: Option<&Ast>, items: &Value, depth: usize) -> R<Vec<(Value, Value)>> {
    let (Some(Ast::Expref { ast, .. }), Value::List(items)) = (tree, items) else { return Err(wrong(name, items)) };
    let mut rows = items.iter().map(|v| Ok((search(ast, v, depth)?, v.clone()))).collect::<R<Vec<_>>>()?;
    check_order(name, rows.iter().map(|(k, _)| k))?;
    rows.sort_by(|a, b| order(&a.0, &b.0));
    Ok(rows)
}

/// All numbers, or all text.
fn check_order<'v>(name: &str, mut values: impl Iterator<Item = &'v Value>) -> R<()> {
    let Some(first) = values.next() else { return Ok(()) };
    if !matches!(type_of(first), "number" | "string") {
        return Err(wrong(name, first));
    }
    match values.find(|v| type_of(v) != type_of(first)) {
        Some(other) => Err(wrong(name, other)),
        None => Ok(()),
    }
}

fn order(a: &Value, b: &Value) -> std::cmp::Ordering {
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.as_str().cmp(&b.as_str()),
    }
}

fn whole(f: f64) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "a whole number")]
    Value::Int(f as i128)
}

/// Functions of numbers and lists of them.
fn numeric(name: &str, first: &Value) -> R<Option<Value>> {
    let one = || number(first).ok_or_else(|| wrong(name, first));
    let all = || match first {
        Value::List(items) => items.iter().map(|v| number(v).ok_or_else(|| wrong(name, v))).collect::<R<Vec<f64>>>(),
        other => Err(wrong(name, other)),
    };
    let sum = |items: &[Value]| {
        let ints: Option<Vec<i128>> =
            items.iter().map(|v| if let Value::Int(i) = v { Some(*i) } else { None }).collect();
        ints.map(|ints| ints.iter().fold(0i128, |a, b| a.saturating_add(*b)))
    };
    #[allow(clippy::cast_precision_loss, reason = "an average of few")]
    Ok(Some(match name {
        "abs" => match first {
            Value::Int(i) => Value::Int(i.saturating_abs()),
            _ => Value::Float(one()?.abs()),
        },
        "ceil" => whole(one()?.ceil()),
        "floor" => whole(one()?.floor()),
        "avg" => {
            let all = all()?;
            if all.is_empty() { Value::Null } else { Value::Float(all.iter().sum::<f64>() / all.len() as f64) }
        }
        "sum" => {
            let all = all()?;
            match first.as_list().and_then(sum) {
                Some(total) => Value::Int(total),
                None => Value::Float(all.iter().sum()),
            }
        }
        _ => return Ok(None),
    }))
}

fn general(name: &str, first: &Value, second: &Value) -> R<Value> {
    let strings = || first.as_str().zip(second.as_str()).ok_or_else(|| wrong(name, second));
    Ok(match (name, first) {
        ("contains", Value::List(items)) => Value::Bool(items.iter().any(|v| same(v, second))),
        ("contains", Value::Str(_)) => {
            Value::Bool(second.as_str().is_some_and(|s| first.as_str().is_some_and(|f| f.contains(s))))
        }
        ("ends_with", _) => Value::Bool(strings().map(|(a, b)| a.ends_with(b))?),
        ("starts_with", _) => Value::Bool(strings().map(|(a, b)| a.starts_with(b))?),
        ("join", Value::Str(with)) => {
            let items = second.as_list().ok_or_else(|| wrong(name, second))?;
            let parts = items.iter().map(|v| v.as_str().ok_or_else(|| wrong(name, v))).collect::<R<Vec<_>>>()?;
            Value::from(parts.join(with))
        }
        ("keys", Value::Map(m)) => list(m.keys().map(|k| Value::from(k.to_string())).collect()),
        ("values", Value::Map(m)) => list(m.values().cloned().collect()),
        ("length", Value::Str(s)) => Value::Int(s.chars().count() as i128),
        ("length", Value::List(l)) => Value::Int(l.len() as i128),
        ("length", Value::Map(m)) => Value::Int(m.len() as i128),
        ("reverse", Value::Str(s)) => Value::from(s.chars().rev().collect::<String>()),
        ("reverse", Value::List(l)) => list(l.iter().rev().cloned().collect()),
        ("sort" | "max" | "min", Value::List(items)) => {
            check_order(name, items.iter())?;
            let mut sorted = items.to_vec();
            sorted.sort_by(order);
            match name {
                "sort" => list(sorted),
                "max" => sorted.pop().unwrap_or(Value::Null),
                _ => sorted.into_iter().next().unwrap_or(Value::Null),
            }
        }
        ("to_array", Value::List(_)) => first.clone(),
        ("to_array", other) => list(vec![other.clone()]),
        ("to_string", Value::Str(_)) => first.clone(),
        ("to_string", other) => {
            let mut style = Style::plain();
            style.separators = (",".into(), ":".into());
            Value::from(json::write(other, &style)?)
        }
        ("to_number", Value::Int(_) | Value::Big(_) | Value::Float(_)) => first.clone(),
        ("to_number", Value::Str(s)) => match (s.parse::<i128>(), s.parse::<f64>()) {
            (Ok(i), _) => Value::Int(i),
            (_, Ok(f)) => Value::Float(f),
            _ => Value::Null,
        },
        ("to_number", _) => Value::Null,
        ("type", _) => Value::from(type_of(first)),
        ("contains" | "join" | "keys" | "values" | "length" | "reverse" | "sort" | "max" | "min", other) => {
            return Err(wrong(name, other));
        }
        _ => return Err(refuse(format!("Unknown function: {name}()"))),
    })
}
