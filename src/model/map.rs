//! Ordered maps with the keys that YAML and Python allow.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;
use indexmap::{Equivalent, IndexMap};
use serde::{Deserialize, Serialize};

use super::Value;

/// A map's key. Strings are the rule; the others occur as in `{80: http}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    /// A string.
    Str(Arc<str>),
    /// An integer.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// A null key, as in `{null: 1}`.
    Null,
    /// A float, kept as its text so that keys stay comparable.
    Float(Arc<str>),
}

impl Key {
    /// The string, when the key is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The key as a value.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Str(s) => Value::Str(super::Text::new(Arc::clone(s))),
            Self::Int(i) => Value::Int(i128::from(*i)),
            Self::Bool(b) => Value::Bool(*b),
            Self::Null => Value::Null,
            Self::Float(s) => s.parse().map_or(Value::Null, Value::Float),
        }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            // Must hash as `str` does, so that maps can be asked with a `&str`.
            Self::Str(s) => s.hash(state),
            Self::Int(i) => (1u8, i).hash(state),
            Self::Bool(b) => (2u8, b).hash(state),
            Self::Null => 3u8.hash(state),
            Self::Float(s) => (4u8, s).hash(state),
        }
    }
}

impl Equivalent<Key> for str {
    fn equivalent(&self, key: &Key) -> bool {
        key.as_str() == Some(self)
    }
}

impl std::fmt::Display for Key {
    /// As Python's `str()` of the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Str(s) | Self::Float(s) => f.write_str(s),
            Self::Int(i) => write!(f, "{i}"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Null => f.write_str("None"),
        }
    }
}

impl From<&str> for Key {
    fn from(s: &str) -> Self {
        Self::Str(s.into())
    }
}

impl From<String> for Key {
    fn from(s: String) -> Self {
        Self::Str(s.into())
    }
}

/// A map that keeps the order of insertion.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Map(IndexMap<Key, Value, RandomState>);

impl Map {
    /// This one with the entries of `upper` on top, mappings merged at all depths.
    #[must_use]
    pub fn merged(&self, upper: &Self) -> Self {
        let mut result = self.clone();
        for (key, value) in upper {
            let both = (result.get_key(key).and_then(Value::as_map), value.as_map());
            let value = match both {
                (Some(below), Some(above)) => Value::from(below.merged(above)),
                _ => value.clone(),
            };
            result.insert(key.clone(), value);
        }
        result
    }

    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value at a string key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The value at a string key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.get_mut(key)
    }

    /// The value at any key.
    pub fn get_key(&self, key: &Key) -> Option<&Value> {
        self.0.get(key)
    }

    /// Whether there is a value at a string key.
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Sets a value; a key that was there keeps its place. Returns the old value.
    pub fn insert(&mut self, key: impl Into<Key>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(key.into(), value.into())
    }

    /// Removes a value, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.shift_remove(key)
    }

    /// Sets all of `other`'s values, as Python's `dict.update`.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Entries in order.
    pub fn iter(&self) -> indexmap::map::Iter<'_, Key, Value> {
        self.0.iter()
    }

    /// Entries in order, values changeable.
    pub fn iter_mut(&mut self) -> indexmap::map::IterMut<'_, Key, Value> {
        self.0.iter_mut()
    }

    /// Keys in order.
    pub fn keys(&self) -> indexmap::map::Keys<'_, Key, Value> {
        self.0.keys()
    }

    /// Values in order.
    pub fn values(&self) -> indexmap::map::Values<'_, Key, Value> {
        self.0.values()
    }
}

impl IntoIterator for Map {
    type Item = (Key, Value);
    type IntoIter = indexmap::map::IntoIter<Key, Value>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Key, &'a Value);
    type IntoIter = indexmap::map::Iter<'a, Key, Value>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<K: Into<Key>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(iter: T) -> Self {
        Self(iter.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}
