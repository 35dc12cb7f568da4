//! `dependent`: loops within loops, the inner ones made of what the outer ones have chosen.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::model::{Key, Text};
use crate::template::error::Error;
use crate::template::eval::{Eval, Frame};
use crate::template::value::{Args, R, Val};

pub(super) fn dependent(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let mut levels: Vec<(Key, Val)> = Vec::new();
    for (i, term) in args.pos.iter().enumerate() {
        let Val::Map(map) = term else {
            let kind = term.type_name();
            return Err(Error::new(format!("Parameter {i} must be a dictionary, got <class '{kind}'>")));
        };
        let [(name, value)] =
            <[(Key, Val); 1]>::try_from(map.all(ev)?.into_iter().collect::<Vec<_>>()).map_err(|all| {
                Error::new(format!("Parameter {i} must be a one-element dictionary, got {} elements", all.len()))
            })?;
        if levels.iter().any(|(known, _)| *known == name) {
            return Err(Error::new(format!("The variable '{name}' appears more than once")));
        }
        if !matches!(value, Val::Str(_) | Val::List(_) | Val::Map(_)) {
            let kind = value.type_name();
            return Err(Error::new(format!(
                "Parameter '{name}' (index {i}) must have a value of type string, dictionary or list, got type <class '{kind}'>"
            )));
        }
        levels.push((name, value));
    }
    let mut out = Vec::new();
    if !levels.is_empty() {
        expand(ev, &levels, &IndexMap::new(), &mut out)?;
    }
    Ok(out)
}

/// All that the levels left come to, with what is chosen so far.
fn expand(ev: &mut Eval, levels: &[(Key, Val)], item: &IndexMap<Key, Val>, out: &mut Vec<Val>) -> R<()> {
    let Some(((name, value), rest)) = levels.split_first() else {
        if out.len() >= 1 << 20 {
            return Err(Error::new("there are too many"));
        }
        out.push(Val::map(item.clone()));
        return Ok(());
    };
    let value = match value {
        Val::Str(expression) => evaluated(ev, name, expression, item)?,
        other => other.clone(),
    };
    let choices = match &value {
        Val::List(list) => list.all(ev)?,
        Val::Map(map) => {
            let row = |(key, value)| {
                Val::map([("key".into(), Val::of_key(&key)), ("value".into(), value)].into_iter().collect())
            };
            map.all(ev)?.into_iter().map(row).collect()
        }
        other => {
            let (shown, kind) = (ev.repr(&Val::map(item.clone()))?, other.type_name());
            return Err(Error::new(format!(
                "Did not obtain dictionary or list while evaluating '{name}' with item == {shown}, but <class '{kind}'>"
            )));
        }
    };
    for choice in choices {
        let mut item = item.clone();
        item.insert(name.clone(), choice);
        ev.nested(|ev| expand(ev, rest, &item, out))?;
    }
    Ok(())
}

/// An expression that sees what is chosen as `item`.
fn evaluated(ev: &mut Eval, name: &Key, expression: &Text, item: &IndexMap<Key, Val>) -> R<Val> {
    let text = Text::new(expression.shared());
    let shown = ev.repr(&Val::map(item.clone()))?;
    let compiled = ev.engine.bare(&text)?;
    let frame = Frame::default();
    frame.set(&"item".into(), Val::map(item.clone()));
    ev.frames.push(Arc::new(frame));
    let result = ev.nested(|ev| ev.run(&text, &compiled)).and_then(Val::defined);
    ev.frames.pop();
    result.map_err(|e| {
        let words = format!("Caught \"{}\" while evaluating '{name}' with item == {shown}", e.message());
        if e.unknown().is_some() { e } else { Error::new(words) }
    })
}
