//! Global functions: `range`, `dict`, `lookup`, `query`, `now` …

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::Error;
use super::eval::Eval;
use super::lookups;
use super::value::{Args, Object, R, Val};

struct Builtin {
    /// Whether its options may be undefined (`default=undef()`).
    lenient: bool,
    run: fn(&mut Eval, &Args) -> R<Val>,
}

impl Object for Builtin {
    fn type_name(&self) -> &'static str {
        "function"
    }

    fn call(&self, ev: &mut Eval, args: Args) -> R<Val> {
        let undefined =
            if self.lenient { Args::of(args.pos.clone()).undefined().cloned() } else { args.undefined().cloned() };
        if let Some(e) = undefined {
            return Ok(Val::Undefined(e));
        }
        (self.run)(ev, &args).or_else(Error::kept)
    }
}

/// What a name means that is no variable.
pub(super) fn global(name: &str) -> Option<Val> {
    let run: fn(&mut Eval, &Args) -> R<Val> = match name {
        "omit" => return Some(Val::Omit),
        "range" => range,
        "dict" => |ev: &mut Eval, args: &Args| ev.pairs(args).map(Val::map),
        "namespace" => namespace,
        "lookup" => |ev: &mut Eval, args: &Args| lookups::call(ev, args, false),
        "query" | "q" => |ev: &mut Eval, args: &Args| lookups::call(ev, args, true),
        "undef" => |ev: &mut Eval, args: &Args| {
            let hint = args.str(ev, 0, "hint", "Mandatory variable has not been overridden")?;
            Ok(Val::Undefined(Arc::new(Error::undefined("", hint))))
        },
        "now" => super::filters::now,
        "lipsum" => super::lipsum::lipsum,
        "cycler" => {
            |_: &mut Eval, args: &Args| Ok(Val::Object(Arc::new(Cycler { items: args.pos.clone(), at: Mutex::new(0) })))
        }
        "joiner" => |ev: &mut Eval, args: &Args| {
            Ok(Val::Object(Arc::new(Joiner { sep: args.str(ev, 0, "sep", ", ")?, used: Mutex::new(false) })))
        },
        _ => return None,
    };
    Some(Val::Object(Arc::new(Builtin { run, lenient: matches!(name, "lookup" | "query" | "q") })))
}

fn range(_: &mut Eval, args: &Args) -> R<Val> {
    let first = args.int(0, "start", 0)?;
    let (start, stop) = if args.pos.len() > 1 { (first, args.int(1, "stop", 0)?) } else { (0, first) };
    let step = args.int(2, "step", 1)?;
    if step == 0 {
        return Err(Error::new("range() arg 3 must not be zero"));
    }
    let (from, to, by) = (i128::from(start), i128::from(stop), i128::from(step));
    let len = if by > 0 { (to - from + by - 1) / by } else { (from - to - by - 1) / -by };
    if len > 1_000_000 {
        return Err(Error::new("range too big: a range has at most 1000000 items here"));
    }
    Ok(Val::list((0..len.max(0)).map(|i| Val::Int(from + i * by)).collect()))
}

fn namespace(ev: &mut Eval, args: &Args) -> R<Val> {
    let values = ev.pairs(args)?.into_iter().map(|(k, v)| (k.to_string(), v)).collect();
    Ok(Val::Object(Arc::new(Namespace(Mutex::new(values)))))
}

/// `namespace()`: attributes that survive the scope they are set in.
struct Namespace(Mutex<HashMap<String, Val>>);

impl Object for Namespace {
    fn type_name(&self) -> &'static str {
        "Namespace"
    }

    fn attr(&self, _ev: &mut Eval, name: &str) -> R<Option<Val>> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }

    fn set(&self, name: &str, value: &Val) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value.clone());
        true
    }
}

struct Cycler {
    items: Vec<Val>,
    at: Mutex<usize>,
}

impl Object for Cycler {
    fn type_name(&self) -> &'static str {
        "Cycler"
    }

    fn attr(&self, _ev: &mut Eval, name: &str) -> R<Option<Val>> {
        let at = *self.at.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(if name == "current" { self.items.get(at).cloned() } else { None })
    }

    fn method(&self, _ev: &mut Eval, name: &str, _args: &Args) -> R<Option<Val>> {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        match name {
            "next" => {
                let found = self.items.get(*at).cloned();
                *at = (*at + 1) % self.items.len().max(1);
                Ok(found)
            }
            "reset" => {
                *at = 0;
                Ok(Some(Val::Null))
            }
            _ => Ok(None),
        }
    }
}

struct Joiner {
    sep: String,
    used: Mutex<bool>,
}

impl Object for Joiner {
    fn type_name(&self) -> &'static str {
        "Joiner"
    }

    fn call(&self, _ev: &mut Eval, _args: Args) -> R<Val> {
        let used = std::mem::replace(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner), true);
        Ok(Val::str(if used { self.sep.as_str() } else { "" }))
    }
}
