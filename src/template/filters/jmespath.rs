//! `json_query`: JMESPath. The expression is read by the `jmespath` crate and evaluated here, over our
//! own values: the crate's lose the order of keys.

use std::sync::Arc;

use jmespath::ast::{Ast, Comparator};

use super::Row;
use crate::model::{Map, Value};
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::json;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[("json_query", "expr", json_query)];

fn json_query(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let expression = args.str(ev, "expr", "")?;
    let tree = jmespath::parse(&literals(&expression))
        .map_err(|e| Error::new(format!("JMESPathError in json_query filter plugin:\n{e}")))?;
    let data = ev.finish(input)?;
    let found = search(&tree, &data, 0)?;
    ev.read(&found, None)
}

/// The expression with literals that are no JSON as strings: Python takes `running` for `"running"`.
fn literals(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len());
    let mut rest = expression;
    while let Some(at) = rest.find(['`', '\'', '"']) {
        let (before, from) = rest.split_at(at);
        let quote = from.chars().next().unwrap_or('`');
        let inside = from.get(1..).unwrap_or_default();
        let Some(end) = closing(inside, quote) else { break };
        let (content, after) = inside.split_at(end);
        let string = format!("\"{}\"", content.trim_start());
        let plain = content.replace("\\`", "`");
        let is_string = quote == '`' && json::read(plain.trim()).is_err() && json::read(&string).is_ok();
        out.push_str(before);
        out.push(quote);
        out.push_str(if is_string { &string } else { content });
        out.push(quote);
        rest = after.get(1..).unwrap_or_default();
    }
    out + rest
}

/// Where a quoted part ends: at the quote that has no backslash before it.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

pub(super) fn list(items: Vec<Value>) -> Value {
    Value::List(Arc::new(items))
}

fn literal(text: &str) -> R<Value> {
    json::read(text)
}

/// What is false: nothing, false, and what is empty.
fn holds(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Str(t) => !t.is_empty(),
        Value::List(l) => !l.is_empty(),
        Value::Map(m) => !m.is_empty(),
        _ => true,
    }
}

pub(super) fn search(tree: &Ast, data: &Value, depth: usize) -> R<Value> {
    if depth > 200 {
        return Err(Error::new("the JMESPath expression is nested too deeply"));
    }
    let of = |tree: &Ast, data: &Value| search(tree, data, depth + 1);
    Ok(match tree {
        Ast::Identity { .. } | Ast::Expref { .. } => data.clone(),
        Ast::Field { name, .. } => data.get(name.as_str()).cloned().unwrap_or(Value::Null),
        Ast::Literal { value, .. } => literal(&value.to_string())?,
        Ast::Index { idx, .. } => index(data, i64::from(*idx)),
        Ast::Slice { start, stop, step, .. } => slice(data, *start, *stop, *step)?,
        Ast::Subexpr { lhs, rhs, .. } => of(rhs, &of(lhs, data)?)?,
        Ast::And { lhs, rhs, .. } => {
            let left = of(lhs, data)?;
            if holds(&left) { of(rhs, data)? } else { left }
        }
        Ast::Or { lhs, rhs, .. } => {
            let left = of(lhs, data)?;
            if holds(&left) { left } else { of(rhs, data)? }
        }
        Ast::Not { node, .. } => Value::Bool(!holds(&of(node, data)?)),
        Ast::Condition { predicate, then, .. } => {
            if holds(&of(predicate, data)?) {
                of(then, data)?
            } else {
                Value::Null
            }
        }
        Ast::Comparison { comparator, lhs, rhs, .. } => compare(comparator, &of(lhs, data)?, &of(rhs, data)?),
        Ast::Projection { lhs, rhs, .. } => match of(lhs, data)? {
            Value::List(items) => {
                let found = items.iter().map(|item| of(rhs, item)).collect::<R<Vec<_>>>()?;
                list(found.into_iter().filter(|v| !matches!(v, Value::Null)).collect())
            }
            _ => Value::Null,
        },
        Ast::ObjectValues { node, .. } => match of(node, data)? {
            Value::Map(map) => list(map.values().cloned().collect()),
            _ => Value::Null,
        },
        Ast::Flatten { node, .. } => match of(node, data)? {
            Value::List(items) => list(flat(&items)),
            _ => Value::Null,
        },
        Ast::MultiList { .. } | Ast::MultiHash { .. } if matches!(data, Value::Null) => Value::Null,
        Ast::MultiList { elements, .. } => list(elements.iter().map(|e| of(e, data)).collect::<R<_>>()?),
        Ast::MultiHash { elements, .. } => {
            let mut map = Map::new();
            for pair in elements {
                map.insert(pair.key.as_str(), of(&pair.value, data)?);
            }
            map.into()
        }
        Ast::Function { name, args, .. } => super::jmesfunctions::call(name, args, data, depth + 1)?,
    })
}

fn flat(items: &[Value]) -> Vec<Value> {
    let one = |item: &Value| match item {
        Value::List(inner) => inner.to_vec(),
        other => vec![other.clone()],
    };
    items.iter().flat_map(one).collect()
}

fn index(data: &Value, at: i64) -> Value {
    let Value::List(items) = data else { return Value::Null };
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let at = if at < 0 { at + len } else { at };
    usize::try_from(at).ok().and_then(|at| items.get(at)).cloned().unwrap_or(Value::Null)
}

fn slice(data: &Value, start: Option<i32>, stop: Option<i32>, step: i32) -> R<Value> {
    let Value::List(items) = data else { return Ok(Value::Null) };
    if step == 0 {
        return Err(Error::new("JMESPathError in json_query filter plugin:\nslice step cannot be 0"));
    }
    let wide = |i: Option<i32>| i.map(i128::from);
    let picked = crate::template::ops::picks(items.len(), wide(start), wide(stop), i128::from(step));
    Ok(list(picked.filter_map(|i| items.get(i).cloned()).collect()))
}

/// A number, as it is compared.
#[allow(clippy::cast_precision_loss, reason = "as Python compares")]
pub(super) const fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(i) => Some(*i as f64),
        Value::Float(f) => Some(*f),
        _ => None,
    }
}

pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (number(a), number(b)) {
        (Some(a), Some(b)) => (a - b).abs() == 0.0,
        _ => a == b,
    }
}

fn compare(how: &Comparator, a: &Value, b: &Value) -> Value {
    let numbers = number(a).zip(number(b));
    Value::Bool(match (how, numbers) {
        (Comparator::Equal, _) => same(a, b),
        (Comparator::NotEqual, _) => !same(a, b),
        (Comparator::LessThan, Some((a, b))) => a < b,
        (Comparator::LessThanEqual, Some((a, b))) => a <= b,
        (Comparator::GreaterThan, Some((a, b))) => a > b,
        (Comparator::GreaterThanEqual, Some((a, b))) => a >= b,
        // Python's jmespath orders text as well.
        (how, None) => match (a.as_str(), b.as_str(), how) {
            (Some(a), Some(b), Comparator::LessThan) => a < b,
            (Some(a), Some(b), Comparator::LessThanEqual) => a <= b,
            (Some(a), Some(b), Comparator::GreaterThan) => a > b,
            (Some(a), Some(b), Comparator::GreaterThanEqual) => a >= b,
            _ => return Value::Null,
        },
    })
}
