//! Attributes, items and iteration; what is not there is undefined, not yet an error.

use std::sync::Arc;

use super::error::Error;
use super::eval::Eval;
use super::filters::markup_type;
use super::ir::Span;
use super::value::{R, Val};
use crate::model::Key;

impl Eval {
    pub fn attr(&mut self, of: &Val, name: &str, at: Span) -> R<Val> {
        let found = match of {
            Val::Undefined(e) => return Ok(Val::Undefined(Error::hard(e))),
            Val::Map(map) => map.get(self, &Key::from(name))?,
            Val::Object(o) => o.attr(self, name)?,
            // What `groupby` gives has names for its two parts.
            Val::List(list) if list.tuple && list.len() == 2 && name == "grouper" => list.get(self, 0)?,
            Val::List(list) if list.tuple && list.len() == 2 && name == "list" => list.get(self, 1)?,
            _ => None,
        };
        Ok(found.unwrap_or_else(|| self.missing(of, name, &format!("'{name}'"), at)))
    }

    pub fn item(&mut self, of: &Val, key: &Val, at: Span) -> R<Val> {
        if let Val::Undefined(e) = of {
            return Ok(Val::Undefined(Error::hard(e)));
        }
        let key = key.clone().defined()?;
        let found = match (of, &key) {
            (Val::Map(map), _) => {
                let key = key.to_key()?;
                match map.get(self, &key)? {
                    Some(found) => Some(found),
                    None => twin(&key).map_or(Ok(None), |key| map.get(self, &key))?,
                }
            }
            (Val::List(list), Val::Int(_) | Val::Bool(_)) => {
                let at = key.as_int().and_then(|i| index(i, list.len()));
                at.map_or(Ok(None), |i| list.get(self, i))?
            }
            (Val::Str(s), Val::Int(_) | Val::Bool(_)) => {
                let at = key.as_int().and_then(|i| index(i, s.chars().count()));
                let one = at.and_then(|i| s.chars().nth(i)).map(|c| c.to_string());
                one.map(|c| if markup_type::is_safe(of) { markup_type::safe(c) } else { Val::str(c) })
            }
            (Val::Object(o), Val::Str(name)) => o.attr(self, name)?,
            (Val::List(list), Val::Str(name)) if list.tuple => return self.attr(of, name, at),
            _ => None,
        };
        match found {
            Some(found) => Ok(found),
            None => {
                let (name, shown) = (self.text(&key)?, self.repr(&key)?);
                Ok(self.missing(of, &name, &shown, at))
            }
        }
    }

    fn missing(&mut self, of: &Val, name: &str, shown: &str, at: Span) -> Val {
        let kind = of.type_name();
        let words = match of {
            Val::Null if is_index(shown) => format!("None has no element {shown}"),
            Val::Str(_) => format!("object of type 'str' has no attribute {shown}"),
            Val::List(list) if list.tuple => format!("object of type 'tuple' has no attribute {shown}"),
            _ if is_index(shown) => format!("{kind} object has no element {shown}"),
            _ => format!("object of type '{kind}' has no attribute {shown}"),
        };
        let mut error = Error::undefined(name, words).spanned(at);
        if let Val::Map(map) = of {
            let keys = map.keys();
            let near = crate::diag::nearest(name, keys.iter().filter_map(Key::as_str));
            error = near.map_or(error.clone(), |near| error.hint(format!("did you mean `{near}`?")));
        }
        Val::Undefined(Arc::new(error))
    }

    /// What `for` goes through.
    pub fn iterate(&mut self, value: &Val) -> R<Vec<Val>> {
        match value {
            soft if soft.is_soft() => Ok(Vec::new()),
            Val::Undefined(e) => Err((**e).clone()),
            Val::List(l) => l.all(self),
            Val::Map(m) => Ok(m.keys().iter().map(Val::of_key).collect()),
            Val::Str(s) => Ok(s.chars().map(|c| Val::str(c.to_string())).collect()),
            other => {
                let keys = if let Val::Object(o) = other { o.keys(self) } else { None };
                keys.ok_or_else(|| Error::new(format!("'{}' object is not iterable", other.type_name())))
            }
        }
    }
}

/// Whether what is missing was asked for by a number.
fn is_index(shown: &str) -> bool {
    shown.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit())
}

fn index(i: i128, len: usize) -> Option<usize> {
    let at = if i < 0 { i + len as i128 } else { i };
    usize::try_from(at).ok().filter(|at| *at < len)
}

/// Python's `1 == True` as keys.
pub(super) const fn twin(key: &Key) -> Option<Key> {
    match key {
        Key::Bool(b) => Some(Key::Int(*b as i64)),
        Key::Int(0) => Some(Key::Bool(false)),
        Key::Int(1) => Some(Key::Bool(true)),
        _ => None,
    }
}
