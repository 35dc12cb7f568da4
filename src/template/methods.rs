//! Python's methods of list and dict, and of numbers.

use indexmap::IndexMap;

use super::error::Error;
use super::eval::Eval;
use super::filters::markup_type;
use super::signature::Signature;
use super::text_methods;
use super::value::{Args, Dict, List, R, Val};
use crate::model::Key;

const LIST: &[(&str, &str)] = &[
    ("append", "object /"),
    ("extend", "iterable /"),
    ("insert", "index object /"),
    ("pop", "index? /"),
    ("remove", "value /"),
    ("index", "value start? stop? /"),
    ("count", "value /"),
    ("sort", "* reverse?"),
    ("reverse", ""),
    ("copy", ""),
    ("clear", ""),
];

const MAP: &[(&str, &str)] = &[
    ("get", "key default? /"),
    ("keys", ""),
    ("values", ""),
    ("items", ""),
    ("update", "pairs? / **"),
    ("pop", "key default? /"),
    ("setdefault", "key default? /"),
    ("copy", ""),
    ("clear", ""),
    ("popitem", ""),
    ("fromkeys", "iterable value? /"),
];

/// The result of `of.name(args)`; `None` where the type has no such method.
pub(super) fn call(ev: &mut Eval, of: &Val, name: &str, args: &mut Args) -> R<Option<Val>> {
    if let Val::Object(o) = of {
        return match o.method(ev, name, args)? {
            None if o.is_map() => object_map(ev, of, name, args),
            found => Ok(found),
        };
    }
    let Some(takes) = takes(of, name) else { return Ok(None) };
    args.bind(name, takes, 0)?;
    if let Some(e) = args.undefined() {
        return Ok(Some(Val::Undefined(std::sync::Arc::clone(e))));
    }
    match of {
        Val::Str(_) if markup_type::is_safe(of) => safe_string(ev, of, name, args),
        Val::Str(text) => text_methods::string(ev, text, name, args),
        Val::List(l) => list(ev, l, name, args).map(Some),
        Val::Map(m) => dict(ev, m, name, args).map(Some),
        Val::Int(i) => Ok(Some(Val::Int(i128::from(128 - i.unsigned_abs().leading_zeros())))),
        Val::Big(n) => Ok(Some(Val::Int(i128::from(n.bits())))),
        Val::Float(f) => Ok(Some(Val::Bool(f.fract().abs() == 0.0 && f.is_finite()))),
        _ => Ok(None),
    }
}

/// What a method takes, where the type has one of that name.
fn takes(of: &Val, name: &str) -> Option<Signature> {
    let all = match of {
        Val::Str(_) => text_methods::STRING,
        Val::List(_) => LIST,
        Val::Map(_) => MAP,
        Val::Int(_) | Val::Big(_) => &[("bit_length", "")],
        Val::Float(_) => &[("is_integer", "")],
        _ => return None,
    };
    all.iter().find(|(method, _)| *method == name).map(|(_, takes)| Signature::new(takes))
}

/// A method of text that is safe in HTML.
fn safe_string(ev: &mut Eval, of: &Val, name: &str, args: &Args) -> R<Option<Val>> {
    let Val::Str(text) = of else { return Ok(None) };
    let args = markup_type::arguments(ev, name, args)?;
    let result = text_methods::string(ev, text, name, &args)?;
    result.map(|result| markup_type::kept(ev, name, result)).transpose()
}

fn object_map(ev: &mut Eval, of: &Val, name: &str, args: &mut Args) -> R<Option<Val>> {
    let Some((_, takes)) = MAP.iter().find(|(method, _)| *method == name) else { return Ok(None) };
    args.bind(name, Signature::new(takes), 0)?;
    let keys = ev.iterate(of)?;
    let default = super::ir::Span::default();
    Ok(Some(match name {
        "keys" => Val::list(keys),
        "get" => {
            let found = ev.item(of, args.need("key")?, default)?;
            if found.is_undefined() { args.get("default").cloned().unwrap_or(Val::Null) } else { found }
        }
        "values" => Val::list(keys.iter().map(|k| ev.item(of, k, default)).collect::<R<_>>()?),
        "items" => {
            let pairs = keys.into_iter().map(|k| Ok(Val::tuple(vec![k.clone(), ev.item(of, &k, default)?])));
            Val::list(pairs.collect::<R<_>>()?)
        }
        _ => return Ok(None),
    }))
}

fn list(ev: &mut Eval, l: &List, name: &str, args: &Args) -> R<Val> {
    let arg = |name: &str| args.need(name).cloned();
    match name {
        "append" => {
            let value = arg("object")?;
            l.change(ev, |v| v.push(value))?;
        }
        "extend" => {
            let more = ev.iterate(&arg("iterable")?)?;
            l.change(ev, |v| v.extend(more))?;
        }
        "insert" => {
            let (at, value) = (args.int("index", 0)?, args.need("object")?.clone());
            l.change(ev, |v| v.insert(clamp(at, v.len()), value))?;
        }
        "pop" => {
            let at = args.int("index", -1)?;
            return l
                .change(ev, |v| {
                    let at = clamp(at, v.len());
                    (at < v.len()).then(|| v.remove(at))
                })?
                .ok_or_else(|| Error::new("pop index out of range"));
        }
        "remove" => {
            let at = position(ev, l, &arg("value")?)?.ok_or_else(|| Error::new("list.remove(x): x not in list"))?;
            l.change(ev, |v| v.remove(at))?;
        }
        "index" => {
            let wanted = arg("value")?;
            let at = position(ev, l, &wanted)?;
            let shown = ev.repr(&wanted)?;
            return at.map(|i| Val::Int(i as i128)).ok_or_else(|| Error::new(format!("{shown} is not in list")));
        }
        "count" => {
            let wanted = arg("value")?;
            let mut count = 0;
            for item in l.all(ev)? {
                count += i128::from(ev.equal(&item, &wanted)?);
            }
            return Ok(Val::Int(count));
        }
        "sort" => {
            let reverse = args.get("reverse").map_or(Ok(false), |v| ev.truth(v))?;
            let items = l.all(ev)?;
            let sorted = ev.sorted(items, reverse)?;
            l.change(ev, |v| *v = sorted)?;
        }
        "reverse" => l.change(ev, |v| v.reverse())?,
        "copy" => return Ok(Val::list(l.all(ev)?)),
        _ => l.change(ev, Vec::clear)?,
    }
    Ok(Val::Null)
}

fn clamp(at: i64, len: usize) -> usize {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    usize::try_from(if at < 0 { at.saturating_add(len).max(0) } else { at.min(len) }).unwrap_or(0)
}

fn position(ev: &mut Eval, l: &List, wanted: &Val) -> R<Option<usize>> {
    for (i, item) in l.all(ev)?.iter().enumerate() {
        if ev.equal(item, wanted)? {
            return Ok(Some(i));
        }
    }
    Ok(None)
}

impl Eval {
    /// The pairs that `dict()` and `dict.update()` take.
    pub fn pairs(&mut self, args: &Args) -> R<IndexMap<Key, Val>> {
        let mut out = IndexMap::new();
        match args.pos.first() {
            None => {}
            Some(Val::Map(m)) => out = m.all(self)?,
            Some(object @ Val::Object(o)) if o.is_map() => out = super::filters::entries(self, object, "dict")?,
            Some(other) => {
                for pair in self.iterate(other)? {
                    let [key, value] = <[Val; 2]>::try_from(self.iterate(&pair)?)
                        .map_err(|_| Error::new("dictionary update sequence element has not length 2"))?;
                    out.insert(key.to_key()?, value);
                }
            }
        }
        out.extend(args.kw.iter().map(|(k, v)| (Key::Str(std::sync::Arc::clone(k)), v.clone())));
        Ok(out)
    }
}

fn dict(ev: &mut Eval, m: &Dict, name: &str, args: &Args) -> R<Val> {
    let key = || args.need("key")?.to_key();
    let default = || args.get("default").cloned();
    Ok(match name {
        "get" => m.get(ev, &key()?)?.unwrap_or_else(|| default().unwrap_or(Val::Null)),
        "keys" => Val::list(m.keys().iter().map(Val::of_key).collect()),
        "values" => Val::list(m.all(ev)?.into_values().collect()),
        "items" => Val::list(m.all(ev)?.into_iter().map(|(k, v)| Val::tuple(vec![Val::of_key(&k), v])).collect()),
        "update" => {
            let more = ev.pairs(args)?;
            m.change(ev, |d| d.extend(more))?;
            Val::Null
        }
        "pop" => {
            let key = key()?;
            match m.change(ev, |d| d.shift_remove(&key))?.or_else(default) {
                Some(found) => found,
                None => return Err(Error::new(ev.repr(&Val::of_key(&key))?)),
            }
        }
        "popitem" => {
            let last = m.change(ev, IndexMap::pop)?;
            let (k, v) = last.ok_or_else(|| Error::new("popitem(): dictionary is empty"))?;
            Val::tuple(vec![Val::of_key(&k), v])
        }
        "setdefault" => {
            let key = key()?;
            match m.get(ev, &key)? {
                Some(found) => found,
                None => {
                    let value = default().unwrap_or(Val::Null);
                    m.change(ev, |d| d.insert(key, value.clone()))?;
                    value
                }
            }
        }
        "copy" => Val::map(m.all(ev)?),
        "fromkeys" => {
            let value = args.get("value").cloned().unwrap_or(Val::Null);
            let keys = ev.iterate(args.need("iterable")?)?;
            Val::map(keys.iter().map(|k| Ok((k.to_key()?, value.clone()))).collect::<R<_>>()?)
        }
        _ => {
            m.change(ev, IndexMap::clear)?;
            Val::Null
        }
    })
}
