//! Evaluates expressions. Reading an unknown value ends the evaluation: the result is unknown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use indexmap::IndexMap;

use super::access::twin;
use super::big;
use super::embedded;
use super::engine::Engine;
use super::error::Error;
use super::exec::{Blocks, Out};
use super::filters::markup_type;
use super::functions;
use super::ir::{Applied, Arg, Expr, ExprKind, Name, Span, Template};
use super::methods;
use super::scope::{self, Scope};
use super::templar::Warnings;
use super::value::{Args, Dict, List, R, Val};
use crate::model::{Key, Map, Marks, Text, Value};

/// Variables that a template sets itself.
#[derive(Default)]
pub(super) struct Frame(pub Mutex<HashMap<Name, Val>>);

impl Frame {
    pub fn set(&self, name: &Name, value: Val) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(name), value);
    }

    pub fn get(&self, name: &str) -> Option<Val> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// How deep variables, macros and containers may be nested in one another.
const DEPTH: usize = 400;

/// One evaluation: where it is, what it set, what it wrote.
pub(super) struct Eval {
    pub engine: Arc<Engine>,
    pub scope: Arc<Scope>,
    pub frames: Vec<Arc<Frame>>,
    /// Frames that macros may still refer to; emptied at the end, for they refer back.
    pub captured: Vec<Arc<Frame>>,
    /// Variables whose values are being evaluated.
    pub trail: Vec<(usize, String)>,
    pub outs: Vec<Out>,
    pub blocks: Blocks,
    /// The text being evaluated, and how files that it includes are compiled and found.
    pub current: Text,
    pub files: Arc<super::file::Files>,
    depth: usize,
    pub secret: bool,
    pub warnings: Warnings,
}

impl Drop for Eval {
    fn drop(&mut self) {
        for frame in &self.captured {
            frame.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

impl Eval {
    pub fn new(engine: Arc<Engine>, scope: Arc<Scope>) -> Self {
        Self {
            engine,
            scope,
            frames: Vec::new(),
            captured: Vec::new(),
            trail: Vec::new(),
            outs: Vec::new(),
            blocks: Blocks::default(),
            current: Text::new(""),
            files: Arc::default(),
            depth: 0,
            secret: false,
            warnings: Warnings::default(),
        }
    }

    /// Notes what is to be said besides the result.
    pub fn warn(&self, warning: String) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// Called first by whatever does something, or would not do the same twice: an error
    /// while the task is only prepared ahead of its turn.
    pub fn own_turn(&self) -> R<()> {
        if self.scope.is_turn() { Ok(()) } else { Err(Error::new("it is not this task's turn yet")) }
    }

    /// Does `work` one level deeper.
    pub fn nested<T>(&mut self, work: impl FnOnce(&mut Self) -> R<T>) -> R<T> {
        if self.depth >= DEPTH {
            return Err(Error::new("the template is nested too deeply (maximum recursion depth exceeded)"));
        }
        self.depth += 1;
        let result = stacker::maybe_grow(256 << 10, 2 << 20, || work(self));
        self.depth -= 1;
        result
    }

    /// A value as it was written, evaluated in `scope`; containers are evaluated as they are read.
    pub fn read(&mut self, value: &Value, scope: Option<&Weak<Scope>>) -> R<Val> {
        Ok(match value {
            Value::Null => Val::Null,
            Value::Bool(b) => Val::Bool(*b),
            Value::Int(i) => Val::Int(*i),
            Value::Big(digits) => big::parse(digits, 10).unwrap_or(Val::Null),
            Value::Float(f) => Val::Float(*f),
            Value::Unknown(reason) => return Err(Error::of_unknown(reason.clone())),
            Value::Str(t) => match scope {
                Some(scope) if t.is_template() => {
                    let scope = scope.upgrade().ok_or_else(|| Error::new("the variables are gone"))?;
                    return self.elsewhere(scope, |ev| ev.template_value(t));
                }
                _ => {
                    let plain = t.clone().at(None).marked(t.marks().without(Marks::TEMPLATE));
                    self.touch(Val::Str(plain))
                }
            },
            Value::List(items) => {
                let scope = scope.filter(|_| items.iter().any(embedded::has_template)).cloned();
                Val::List(Arc::new(List::source(Arc::clone(items), scope)))
            }
            Value::Map(map) => {
                let scope = scope.filter(|_| map.values().any(embedded::has_template)).cloned();
                Val::Map(Arc::new(Dict::source(Arc::clone(map), scope)))
            }
        })
    }

    /// Does `work` where only `scope`'s variables are seen.
    fn elsewhere<T>(&mut self, scope: Arc<Scope>, work: impl FnOnce(&mut Self) -> R<T>) -> R<T> {
        let scope = std::mem::replace(&mut self.scope, scope);
        let frames = std::mem::take(&mut self.frames);
        let blocks = std::mem::take(&mut self.blocks);
        let result = self.nested(work);
        self.scope = scope;
        self.frames = frames;
        self.blocks = blocks;
        result
    }

    /// The value of a template text; undefined is a value here.
    pub fn template_value(&mut self, text: &Text) -> R<Val> {
        if text.is_encrypted() {
            return self.decrypted(text);
        }
        let compiled = self.engine.template(text).map_err(|e| e.located(text))?;
        let value = self.run(text, &compiled)?;
        Ok(match value {
            Val::Str(result) => Val::Str(with_last_newlines(text, result)),
            other => other,
        })
    }

    /// The value of a compiled template or expression.
    pub fn run(&mut self, text: &Text, compiled: &Arc<Template>) -> R<Val> {
        let outer = std::mem::replace(&mut self.secret, text.is_secret());
        let current = std::mem::replace(&mut self.current, text.clone());
        let result = self.whole(compiled);
        let secret = self.secret;
        let result = match result {
            Ok(Val::Undefined(e)) => Ok(Val::Undefined(Arc::new((*e).clone().located(text)))),
            Ok(value) if secret => self.hide(&value),
            Ok(value) => Ok(value),
            Err(e) => Err(e.rendered(text).located(text)),
        };
        self.current = current;
        self.secret |= outer;
        result
    }

    /// The finished value: everything in it evaluated, what is omitted left out.
    pub fn finish(&mut self, value: Val) -> R<Value> {
        Ok(match value {
            Val::Undefined(e) => return Err((*e).clone()),
            Val::Null => Value::Null,
            Val::Bool(b) => Value::Bool(b),
            Val::Int(i) => Value::Int(i),
            Val::Big(n) => big::data(&n),
            Val::Float(f) => Value::Float(f),
            Val::Str(t) => {
                let marks = t.marks().without(Marks::MARKUP);
                Value::Str(t.marked(marks))
            }
            Val::Omit => return Err(Error::omitted()),
            Val::Object(o) => match o.keys(self) {
                Some(keys) if o.is_map() => {
                    let mut map = Map::new();
                    for key in keys {
                        if let Val::Str(name) = &key
                            && let Some(item) = o.attr(self, name)?
                            && let Some(item) = self.entry(item)?
                        {
                            map.insert(name.as_str(), item);
                        }
                    }
                    map.into()
                }
                _ => Value::from(o.text()),
            },
            Val::List(list) => {
                if let Some(plain) = list.plain() {
                    plain.iter().for_each(|v| self.touch_all(v));
                    return Ok(Value::List(plain));
                }
                let mut items = Vec::with_capacity(list.len());
                for i in 0..list.len() {
                    let item = list.get(self, i).map(|v| v.unwrap_or(Val::Null));
                    items.extend(self.entry_of(item)?);
                }
                Value::List(Arc::new(items))
            }
            Val::Map(map) => {
                if let Some(plain) = map.plain() {
                    plain.values().for_each(|v| self.touch_all(v));
                    return Ok(Value::Map(plain));
                }
                let mut entries = Map::new();
                for key in map.keys() {
                    let item = map.get(self, &key).map(|v| v.unwrap_or(Val::Null));
                    if let Some(item) = self.entry_of(item)? {
                        entries.insert(key, item);
                    }
                }
                entries.into()
            }
        })
    }

    fn entry(&mut self, value: Val) -> R<Option<Value>> {
        self.entry_of(Ok(value))
    }

    /// An item or entry: one that is unknown does not make its container unknown.
    fn entry_of(&mut self, value: R<Val>) -> R<Option<Value>> {
        match value.and_then(|v| self.nested(|ev| ev.finish(v))) {
            Ok(value) => Ok(Some(value)),
            Err(e) if e.is_omitted() => Ok(None),
            Err(e) => e.unknown().cloned().map(|r| Some(Value::Unknown(r))).ok_or(e),
        }
    }

    /// The value of a name.
    pub fn variable(&mut self, name: &str, at: Span) -> R<Val> {
        for frame in self.frames.iter().rev() {
            if let Some(found) = frame.get(name) {
                return Ok(self.touch(found));
            }
        }
        let scope = Arc::clone(&self.scope);
        if let Some(found) = scope.find(self, name)? {
            return Ok(found);
        }
        if name == "self" {
            return Ok(Val::Object(Arc::new(super::objects::SelfReference)));
        }
        if let Some(found) = functions::global(name) {
            return Ok(found);
        }
        Ok(Val::Undefined(Arc::new(scope::undefined(&scope, name).spanned(at))))
    }

    pub fn expr(&mut self, e: &Expr) -> R<Val> {
        match &e.kind {
            ExprKind::Const(value) => Ok(value.clone()),
            ExprKind::Var(name) => self.variable(name, e.at).map_err(|err| err.spanned(e.at)),
            _ => match stacker::maybe_grow(256 << 10, 2 << 20, || self.compound(e)) {
                Ok(Val::Undefined(error)) if !error.has_place() => {
                    Ok(Val::Undefined(Arc::new((*error).clone().spanned(e.at))))
                }
                other => other.map_err(|err| err.spanned(e.at)),
            },
        }
    }

    fn defined(&mut self, e: &Expr) -> R<Val> {
        self.expr(e)?.defined()
    }

    fn compound(&mut self, e: &Expr) -> R<Val> {
        Ok(match &e.kind {
            ExprKind::Const(_) | ExprKind::Var(_) => Val::Null,
            ExprKind::List(items) => Val::list(items.iter().map(|i| self.expr(i)).collect::<R<_>>()?),
            ExprKind::Tuple(items) => Val::tuple(items.iter().map(|i| self.expr(i)).collect::<R<_>>()?),
            ExprKind::Map(entries) => {
                let mut map = IndexMap::with_capacity(entries.len());
                for (key, value) in entries {
                    let key = same_key(&map, self.expr(key)?.to_key()?);
                    map.insert(key, self.expr(value)?);
                }
                Val::map(map)
            }
            ExprKind::Attr(of, name) => {
                let of = self.expr(of)?;
                self.attr(&of, name, e.at)?
            }
            ExprKind::Item(of, key) => {
                let (of, key) = (self.expr(of)?, self.expr(key)?);
                self.item(&of, &key, e.at)?
            }
            ExprKind::Slice(parts) => self.slice_expr(parts).map_err(Error::raised)?,
            ExprKind::Not(of) => {
                let of = self.expr(of)?;
                Val::Bool(!self.truth(&of)?)
            }
            ExprKind::Neg(of) => {
                let of = self.defined(of)?;
                self.negate(&of).map_err(Error::raised)?
            }
            ExprKind::Pos(of) => {
                let of = self.defined(of)?;
                self.positive(&of).map_err(Error::raised)?
            }
            ExprKind::Binary(op, pair) => {
                let (a, b) = (self.defined(&pair.0)?, self.defined(&pair.1)?);
                self.binary(*op, &a, &b).map_err(Error::raised)?
            }
            ExprKind::And(pair) => {
                let a = self.expr(&pair.0)?;
                if self.truth(&a)? { self.expr(&pair.1)? } else { a }
            }
            ExprKind::Or(pair) => {
                let a = self.expr(&pair.0)?;
                if self.truth(&a)? { a } else { self.expr(&pair.1)? }
            }
            ExprKind::Compare(first, rest) => {
                let mut left = self.defined(first)?;
                for (op, right) in rest {
                    let right = self.defined(right)?;
                    if !self.compare(*op, &left, &right).map_err(Error::raised)? {
                        return Ok(Val::Bool(false));
                    }
                    left = right;
                }
                Val::Bool(true)
            }
            other => return self.applied(other, e.at),
        })
    }

    /// Choices, filters, tests and calls.
    fn applied(&mut self, kind: &ExprKind, at: Span) -> R<Val> {
        Ok(match kind {
            ExprKind::If(pair, otherwise) => {
                let test = self.expr(&pair.0)?;
                match (self.truth(&test)?, otherwise) {
                    (true, _) => self.expr(&pair.1)?,
                    (false, Some(otherwise)) => self.expr(otherwise)?,
                    (false, None) => Val::Undefined(Arc::new(Error::no_else().spanned(at))),
                }
            }
            ExprKind::Filter(f) => {
                let input = match &f.input {
                    Some(input) if super::filters::short(&f.name) == "unvault" => self.even_encrypted(input)?,
                    Some(input) => self.expr(input)?,
                    None => Val::Null,
                };
                self.filter(f, input)?
            }
            ExprKind::Test(t) => {
                let input = match &t.input {
                    Some(input) if super::filters::short(&t.name) == "vault_encrypted" => self.even_encrypted(input)?,
                    Some(input) => self.expr(input)?,
                    None => Val::Null,
                };
                let args = self.args(&t.args).and_then(|args| t.what.bind(args));
                let args = args.map_err(|e| e.in_plugin("test", &t.name))?;
                if input.is_undefined() && !input.is_soft() && !t.what.undefined {
                    return Ok(input);
                }
                if let (Some(e), false) = (args.undefined(), t.what.undefined) {
                    return Ok(Val::Undefined(Arc::clone(e)));
                }
                let holds = t.what.holds(self, &input, &args).map(Val::Bool);
                holds.or_else(Error::kept).map_err(|e| e.in_plugin("test", &t.name))?
            }
            ExprKind::Call(call) => self.call_expr(&call.0, &call.1)?,
            ExprKind::Embedded(text) => self.embedded(text)?,
            _ => Val::Null,
        })
    }

    pub fn filter(&mut self, f: &Applied<super::filters::Filter>, input: Val) -> R<Val> {
        let mut args = self.args(&f.args)?;
        let safe = markup_type::is_safe(&input);
        if safe && &*f.name == "format" {
            args = markup_type::arguments(self, &f.name, &args)?;
        }
        let result = f.what.apply(self, input, args).or_else(Error::kept);
        let result = result.map_err(|e| e.in_plugin("filter", &f.name))?;
        Ok(if safe { markup_type::filtered(&f.name, result) } else { result })
    }

    fn slice_expr(&mut self, parts: &[Option<Expr>; 4]) -> R<Val> {
        let [of, bounds @ ..] = parts;
        let of = of.as_ref().map_or(Ok(Val::Null), |e| self.expr(e))?;
        if of.is_undefined() {
            return Ok(of);
        }
        let mut values = [None; 3];
        for (value, bound) in values.iter_mut().zip(bounds) {
            let Some(bound) = bound else { continue };
            let given = self.defined(bound)?;
            *value =
                match given {
                    Val::Null => None,
                    other => Some(other.as_int().ok_or_else(|| {
                        Error::new("slice indices must be integers or None or have an __index__ method")
                    })?),
                };
        }
        self.slice(&of, values)
    }

    pub fn args(&mut self, args: &[Arg]) -> R<Args> {
        let mut out = Args::default();
        for arg in args {
            match arg {
                Arg::Pos(e) => out.pos.push(self.expr(e)?),
                Arg::Kw(name, e) => out.kw.push((Arc::clone(name), self.expr(e)?)),
                Arg::Splat(e) => {
                    let value = self.expr(e)?;
                    out.pos.extend(self.iterate(&value)?);
                }
                Arg::KwSplat(e) => {
                    let Val::Map(map) = self.defined(e)? else {
                        return Err(Error::new("argument after ** must be a mapping"));
                    };
                    for (key, value) in map.all(self)? {
                        out.kw.push((key.to_string().into(), value));
                    }
                }
            }
        }
        Ok(out)
    }

    fn call_expr(&mut self, callee: &Expr, args: &[Arg]) -> R<Val> {
        if let ExprKind::Attr(of, name) = &callee.kind {
            let of = self.expr(of)?;
            // What is undefined stays so when it is called, for `default` to see.
            if of.is_undefined() {
                return Ok(of);
            }
            let mut args = self.args(args)?;
            if let Some(result) = methods::call(self, &of, name, &mut args).map_err(Error::raised)? {
                return Ok(result);
            }
            let found = self.attr(&of, name, callee.at)?;
            return if found.is_undefined() { Ok(found) } else { self.call(&found, args) };
        }
        let callee = self.expr(callee)?;
        if callee.is_undefined() {
            return Ok(callee);
        }
        let args = self.args(args)?;
        self.call(&callee, args)
    }

    pub fn call(&mut self, callee: &Val, args: Args) -> R<Val> {
        match callee {
            Val::Object(o) => self.nested(|ev| o.call(ev, args)).map_err(Error::raised),
            Val::Undefined(e) => Err((**e).clone()),
            other => Err(Error::new(format!("'{}' object is not callable", other.type_name())).raised()),
        }
    }
}

fn same_key(map: &IndexMap<Key, Val>, key: Key) -> Key {
    match twin(&key) {
        Some(twin) if map.contains_key(&twin) => twin,
        _ => key,
    }
}

/// Jinja drops a template's last newline; Ansible gives a text those back that its source
/// ends with, so that `content: |` means what it says.
fn with_last_newlines(source: &Text, result: Text) -> Text {
    let count = |text: &str| text.len() - text.trim_end_matches('\n').len();
    let missing = count(source).saturating_sub(count(&result));
    if missing == 0 {
        return result;
    }
    let marks = result.marks();
    Text::new(format!("{}{}", result.as_str(), "\n".repeat(missing))).marked(marks)
}
