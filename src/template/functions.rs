//! Global functions: `range`, `dict`, `lookup`, `query`, `now` …

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::Error;
use super::eval::Eval;
use super::lookups;
use super::signature::Signature;
use super::value::{Args, Object, R, Val};

type Run = fn(&mut Eval, &Args) -> R<Val>;

/// The functions, with what they take.
const FUNCTIONS: &[(&str, &str, Run)] = &[
    ("range", "*bounds", range),
    ("dict", "pairs? / **", |ev, args| ev.pairs(args).map(Val::map)),
    ("namespace", "pairs? / **", namespace),
    ("lookup", "*terms **", |ev, args| lookups::call(ev, args, false)),
    ("query", "*terms **", |ev, args| lookups::call(ev, args, true)),
    ("q", "*terms **", |ev, args| lookups::call(ev, args, true)),
    ("undef", "hint?", |ev, args| {
        let hint = args.str(ev, "hint", "Mandatory variable has not been overridden")?;
        Ok(Val::Undefined(Arc::new(Error::undefined("", hint))))
    }),
    ("now", "utc? fmt?", super::filters::now),
    ("lipsum", "n? html? min? max?", super::lipsum::lipsum),
    ("cycler", "*items", |_, args| {
        if args.pos.is_empty() {
            return Err(Error::new("at least one item has to be provided"));
        }
        Ok(Val::Object(Arc::new(Cycler { items: args.pos.clone(), at: Mutex::new(0) })))
    }),
    ("joiner", "sep?", |ev, args| {
        Ok(Val::Object(Arc::new(Joiner { sep: args.str(ev, "sep", ", ")?, used: Mutex::new(false) })))
    }),
];

struct Builtin(&'static (&'static str, &'static str, Run));

impl Object for Builtin {
    fn type_name(&self) -> &'static str {
        "function"
    }

    fn call(&self, ev: &mut Eval, mut args: Args) -> R<Val> {
        let (name, takes, run) = self.0;
        args.bind(name, Signature::new(takes), 0)?;
        // Options of lookups may be undefined (`default=undef()`).
        let lenient = matches!(*name, "lookup" | "query" | "q");
        let undefined =
            if lenient { Args::of(args.pos.clone()).undefined().cloned() } else { args.undefined().cloned() };
        if let Some(e) = undefined {
            return Ok(Val::Undefined(e));
        }
        run(ev, &args).or_else(Error::kept)
    }
}

/// What a name means that is no variable.
pub(super) fn global(name: &str) -> Option<Val> {
    if name == "omit" {
        return Some(Val::Omit);
    }
    let found = FUNCTIONS.iter().find(|(function, ..)| *function == name)?;
    Some(Val::Object(Arc::new(Builtin(found))))
}

fn range(_: &mut Eval, args: &Args) -> R<Val> {
    let bounds = args.pos.iter().map(Val::index).collect::<R<Vec<i64>>>()?;
    let (start, stop, step) = match *bounds {
        [stop] => (0, stop, 1),
        [start, stop] => (start, stop, 1),
        [start, stop, step] => (start, stop, step),
        [] => return Err(Error::new("range expected at least 1 argument, got 0")),
        _ => return Err(Error::new(format!("range expected at most 3 arguments, got {}", bounds.len()))),
    };
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
