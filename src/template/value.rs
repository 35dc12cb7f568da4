//! Values while an expression is evaluated: lazy containers, undefined names, functions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use indexmap::IndexMap;

use super::error::Error;
use super::eval::Eval;
use super::scope::Scope;
use super::signature::{Given, Signature};
use crate::model::{Key, Map, Text, Value};

pub(super) type R<T> = Result<T, Error>;

/// A value in an evaluation.
#[derive(Clone)]
pub(super) enum Val {
    /// Raised when it is used, but by `default` and `is defined`.
    Undefined(Arc<Error>),
    Null,
    Bool(bool),
    Int(i128),
    /// A whole number that `Int` does not hold.
    Big(Arc<num_bigint::BigInt>),
    Float(f64),
    Str(Text),
    List(Arc<List>),
    Map(Arc<Dict>),
    Object(Arc<dyn Object>),
    /// Takes away the argument, item or entry that it is the value of.
    Omit,
}

/// Functions, macros, `loop`, `hostvars`: what is not data.
pub(super) trait Object: Send + Sync {
    /// Python's name of the type.
    fn type_name(&self) -> &'static str;
    /// An attribute or item.
    fn attr(&self, _ev: &mut Eval, _name: &str) -> R<Option<Val>> {
        Ok(None)
    }
    /// Calls it.
    fn call(&self, _ev: &mut Eval, _args: Args) -> R<Val> {
        Err(Error::new(format!("'{}' object is not callable", self.type_name())))
    }
    /// Calls a method; `None` where there is none of that name.
    fn method(&self, _ev: &mut Eval, _name: &str, _args: &Args) -> R<Option<Val>> {
        Ok(None)
    }
    /// What iteration gives; `None` where there is none.
    fn keys(&self, _ev: &mut Eval) -> Option<Vec<Val>> {
        None
    }
    /// Sets an attribute; false where that is not possible.
    fn set(&self, _name: &str, _value: &Val) -> bool {
        false
    }
    /// Its names, when it stands for a map.
    fn is_map(&self) -> bool {
        false
    }
    /// What is left when another is subtracted.
    fn minus(&self, _other: &dyn Object) -> Option<Val> {
        None
    }
    /// The date that it is.
    fn date(&self) -> Option<chrono::NaiveDateTime> {
        None
    }
    /// What is written for it where it stands alone in an output.
    fn shown(&self) -> Option<Val> {
        None
    }
    /// As text.
    fn text(&self) -> String {
        format!("<{} object>", self.type_name())
    }
}

impl std::fmt::Debug for Val {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{}>", self.type_name())
    }
}

/// What a function, filter, test or macro is called with.
#[derive(Clone, Default)]
pub(super) struct Args {
    pub pos: Vec<Val>,
    pub kw: Vec<(Arc<str>, Val)>,
    /// What the positions are called.
    takes: Signature,
}

impl Args {
    pub fn of(pos: Vec<Val>) -> Self {
        Self { pos, ..Self::default() }
    }

    pub fn new(pos: Vec<Val>, kw: Vec<(Arc<str>, Val)>) -> Self {
        Self { pos, kw, ..Self::default() }
    }

    /// These as what `name` takes, after `before` arguments that are not among them.
    pub fn bind(&mut self, name: &str, takes: Signature, before: usize) -> R<()> {
        self.takes = takes;
        let names = self.kw.iter().map(|(name, _)| &**name).collect();
        let given = Given { positions: self.pos.len(), names, open: false };
        takes.check(name, before, &given).map_err(|wrong| Error::call(*wrong))
    }

    /// The argument of that name, wherever it stands; undefined and none count as given.
    pub fn get(&self, name: &str) -> Option<&Val> {
        debug_assert!(self.takes.has(name), "{name} is none of {:?}", self.takes);
        self.takes.position(name).and_then(|at| self.pos.get(at)).or_else(|| self.named(name))
    }

    pub fn named(&self, name: &str) -> Option<&Val> {
        self.kw.iter().find(|(k, _)| &**k == name).map(|(_, v)| v)
    }

    pub fn need(&self, name: &str) -> R<&Val> {
        self.get(name).ok_or_else(|| Error::new(format!("missing required argument: '{name}'")))
    }

    pub fn str(&self, ev: &mut Eval, name: &str, default: &str) -> R<String> {
        match self.get(name) {
            None | Some(Val::Null) => Ok(default.to_owned()),
            Some(v) => ev.text(v),
        }
    }

    pub fn bool(&self, ev: &mut Eval, name: &str, default: bool) -> R<bool> {
        self.get(name).map_or(Ok(default), |v| ev.truth(v))
    }

    pub fn int(&self, name: &str, default: i64) -> R<i64> {
        match self.get(name) {
            None | Some(Val::Null) => Ok(default),
            Some(v) => v.index(),
        }
    }

    /// The first undefined argument.
    pub fn undefined(&self) -> Option<&Arc<Error>> {
        self.pos.iter().chain(self.kw.iter().map(|(_, v)| v)).find_map(|v| match v {
            Val::Undefined(e) if !e.is_soft() => Some(e),
            _ => None,
        })
    }

    /// Empty text where an `if` without `else` has left nothing.
    pub fn settle(&mut self) {
        for value in self.pos.iter_mut().chain(self.kw.iter_mut().map(|(_, v)| v)) {
            if value.is_soft() {
                *value = Val::str("");
            }
        }
    }
}

impl Val {
    pub fn str(text: impl Into<Arc<str>>) -> Self {
        Self::Str(Text::new(text))
    }

    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(List::new(items)))
    }

    pub fn tuple(items: Vec<Self>) -> Self {
        Self::List(Arc::new(List { tuple: true, inner: Mutex::new(Items::Owned(items)) }))
    }

    pub fn map(entries: IndexMap<Key, Self>) -> Self {
        Self::Map(Arc::new(Dict { inner: Mutex::new(Entries::Owned(entries)) }))
    }

    pub fn strs<S: Into<Arc<str>>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::list(items.into_iter().map(Self::str).collect())
    }

    pub const fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    pub const fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(i) => Some(*i),
            Self::Bool(b) => Some(*b as i128),
            _ => None,
        }
    }

    /// As Python takes a number that counts or points.
    pub fn index(&self) -> R<i64> {
        let int = self.as_int().and_then(|i| i64::try_from(i).ok());
        int.ok_or_else(|| Error::new(format!("'{}' object cannot be interpreted as an integer", self.type_name())))
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(t) => Some(t.as_str()),
            _ => None,
        }
    }

    /// The value, or the error that it stands for. What an `if` without `else` leaves is a value.
    pub fn defined(self) -> R<Self> {
        match self {
            Self::Undefined(e) if !e.is_soft() => Err((*e).clone()),
            other => Ok(other),
        }
    }

    /// Whether it is what an `if` without `else` leaves: nothing, and empty text for who reads it.
    pub fn is_soft(&self) -> bool {
        matches!(self, Self::Undefined(e) if e.is_soft())
    }

    /// Python's name of the type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "Undefined",
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Big(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::List(l) if l.tuple => "tuple",
            Self::List(_) => "list",
            Self::Map(_) => "dict",
            Self::Object(o) => o.type_name(),
            Self::Omit => "Omit",
        }
    }

    /// As a map's key.
    pub fn to_key(&self) -> R<Key> {
        Ok(match self {
            Self::Str(t) => Key::Str(t.shared()),
            Self::Int(i) => Key::Int(i64::try_from(*i).map_err(|_| Error::new("the key is too large"))?),
            Self::Bool(b) => Key::Bool(*b),
            Self::Null => Key::Null,
            Self::Float(f) => Key::Float(super::text::float(*f).into()),
            Self::Undefined(e) => return Err((**e).clone()),
            other => return Err(Error::new(format!("unhashable type: '{}'", other.type_name()))),
        })
    }

    pub fn of_key(key: &Key) -> Self {
        match key {
            Key::Str(s) => Self::Str(Text::new(Arc::clone(s))),
            Key::Int(i) => Self::Int(i128::from(*i)),
            Key::Bool(b) => Self::Bool(*b),
            Key::Null => Self::Null,
            Key::Float(s) => s.parse().map_or(Self::Null, Self::Float),
        }
    }
}

/// Values that were evaluated once, of a container that is evaluated as it is read.
pub(super) struct Lazy<K> {
    /// Where its templates are evaluated; none where it has no templates.
    pub scope: Option<Weak<Scope>>,
    memo: HashMap<K, Val>,
}

impl<K> Lazy<K> {
    fn new(scope: Option<Weak<Scope>>) -> Self {
        Self { scope, memo: HashMap::new() }
    }
}

/// A list or tuple.
pub(super) struct List {
    pub tuple: bool,
    inner: Mutex<Items>,
}

enum Items {
    Source(Arc<Vec<Value>>, Lazy<usize>),
    Owned(Vec<Val>),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl List {
    pub const fn new(items: Vec<Val>) -> Self {
        Self { tuple: false, inner: Mutex::new(Items::Owned(items)) }
    }

    pub fn source(items: Arc<Vec<Value>>, scope: Option<Weak<Scope>>) -> Self {
        Self { tuple: false, inner: Mutex::new(Items::Source(items, Lazy::new(scope))) }
    }

    pub fn len(&self) -> usize {
        match &*lock(&self.inner) {
            Items::Source(items, _) => items.len(),
            Items::Owned(items) => items.len(),
        }
    }

    /// Whether it was made in a template, so that methods change it in place.
    pub fn is_owned(&self) -> bool {
        matches!(&*lock(&self.inner), Items::Owned(_))
    }

    /// The items as they are, when nothing in them is evaluated.
    pub fn plain(&self) -> Option<Arc<Vec<Value>>> {
        match &*lock(&self.inner) {
            Items::Source(items, lazy) if lazy.scope.is_none() => Some(Arc::clone(items)),
            _ => None,
        }
    }

    pub fn get(&self, ev: &mut Eval, at: usize) -> R<Option<Val>> {
        let (raw, scope) = match &*lock(&self.inner) {
            Items::Owned(items) => return Ok(items.get(at).map(|v| ev.touch(v.clone()))),
            Items::Source(items, lazy) => {
                if let Some(done) = lazy.memo.get(&at) {
                    return Ok(Some(ev.touch(done.clone())));
                }
                let Some(raw) = items.get(at) else { return Ok(None) };
                (raw.clone(), lazy.scope.clone())
            }
        };
        let value = ev.read(&raw, scope.as_ref())?;
        if scope.is_some()
            && let Items::Source(_, lazy) = &mut *lock(&self.inner)
        {
            lazy.memo.insert(at, value.clone());
        }
        Ok(Some(value))
    }

    /// One more, where it was made in a template.
    pub fn with(&self, item: Val) -> Val {
        let mut items = match &*lock(&self.inner) {
            Items::Owned(items) => items.clone(),
            Items::Source(..) => Vec::new(),
        };
        items.push(item);
        Val::list(items)
    }

    pub fn all(&self, ev: &mut Eval) -> R<Vec<Val>> {
        (0..self.len()).filter_map(|i| self.get(ev, i).transpose()).collect()
    }

    /// Changes the items in place, as Python's methods do.
    pub fn change<T>(&self, ev: &mut Eval, change: impl FnOnce(&mut Vec<Val>) -> T) -> R<T> {
        let owned = matches!(&*lock(&self.inner), Items::Owned(_));
        if !owned {
            let all = self.all(ev)?;
            *lock(&self.inner) = Items::Owned(all);
        }
        match &mut *lock(&self.inner) {
            Items::Owned(items) => Ok(change(items)),
            Items::Source(..) => Err(Error::new("the list changed while it was read")),
        }
    }
}

/// A dict.
pub(super) struct Dict {
    inner: Mutex<Entries>,
}

enum Entries {
    Source(Arc<Map>, Lazy<Key>),
    Owned(IndexMap<Key, Val>),
}

impl Dict {
    pub fn source(map: Arc<Map>, scope: Option<Weak<Scope>>) -> Self {
        Self { inner: Mutex::new(Entries::Source(map, Lazy::new(scope))) }
    }

    pub fn len(&self) -> usize {
        match &*lock(&self.inner) {
            Entries::Source(map, _) => map.len(),
            Entries::Owned(map) => map.len(),
        }
    }

    /// Whether it was made in a template, so that methods change it in place.
    pub fn is_owned(&self) -> bool {
        matches!(&*lock(&self.inner), Entries::Owned(_))
    }

    pub fn plain(&self) -> Option<Arc<Map>> {
        match &*lock(&self.inner) {
            Entries::Source(map, lazy) if lazy.scope.is_none() => Some(Arc::clone(map)),
            _ => None,
        }
    }

    pub fn keys(&self) -> Vec<Key> {
        match &*lock(&self.inner) {
            Entries::Source(map, _) => map.keys().cloned().collect(),
            Entries::Owned(map) => map.keys().cloned().collect(),
        }
    }

    pub fn contains(&self, key: &Key) -> bool {
        match &*lock(&self.inner) {
            Entries::Source(map, _) => map.get_key(key).is_some(),
            Entries::Owned(map) => map.contains_key(key),
        }
    }

    pub fn get(&self, ev: &mut Eval, key: &Key) -> R<Option<Val>> {
        let (raw, scope) = match &*lock(&self.inner) {
            Entries::Owned(map) => return Ok(map.get(key).map(|v| ev.touch(v.clone()))),
            Entries::Source(map, lazy) => {
                if let Some(done) = lazy.memo.get(key) {
                    return Ok(Some(ev.touch(done.clone())));
                }
                let Some(raw) = map.get_key(key) else { return Ok(None) };
                (raw.clone(), lazy.scope.clone())
            }
        };
        let value = ev.read(&raw, scope.as_ref())?;
        if scope.is_some()
            && let Entries::Source(_, lazy) = &mut *lock(&self.inner)
        {
            lazy.memo.insert(key.clone(), value.clone());
        }
        Ok(Some(value))
    }

    pub fn all(&self, ev: &mut Eval) -> R<IndexMap<Key, Val>> {
        let keys = self.keys();
        keys.into_iter().filter_map(|k| self.get(ev, &k).transpose().map(|v| v.map(|v| (k, v)))).collect()
    }

    pub fn change<T>(&self, ev: &mut Eval, change: impl FnOnce(&mut IndexMap<Key, Val>) -> T) -> R<T> {
        let owned = matches!(&*lock(&self.inner), Entries::Owned(_));
        if !owned {
            let all = self.all(ev)?;
            *lock(&self.inner) = Entries::Owned(all);
        }
        match &mut *lock(&self.inner) {
            Entries::Owned(map) => Ok(change(map)),
            Entries::Source(..) => Err(Error::new("the dict changed while it was read")),
        }
    }
}
