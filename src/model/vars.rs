//! Variables with the place where each was set.

use std::collections::HashMap;

use super::{Map, Origin, Value};

/// Named values of one source: an inventory's group, a variables file, a play's `vars`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vars {
    values: Map,
    origins: HashMap<String, Origin>,
}

impl Vars {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a variable; an earlier value of that name is gone.
    pub fn set(&mut self, name: &str, value: impl Into<Value>, origin: Option<Origin>) {
        self.values.insert(name, value);
        match origin {
            Some(origin) => self.origins.insert(name.to_owned(), origin),
            None => self.origins.remove(name),
        };
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Where a variable was set, if that is known.
    pub fn origin(&self, name: &str) -> Option<&Origin> {
        self.origins.get(name)
    }

    /// All of them.
    pub const fn values(&self) -> &Map {
        &self.values
    }

    /// Sets all of `other`'s, as Python's `dict.update`.
    pub fn extend(&mut self, other: Self) {
        let Self { values, mut origins } = other;
        for (key, value) in values {
            if let Some(name) = key.as_str() {
                self.set(name, value, origins.remove(name));
            }
        }
    }

    /// Sets all of `other`'s; a mapping is merged with what is there (`hash_behaviour = merge`).
    pub fn merge(&mut self, mut other: Self) {
        let Self { values, origins } = &mut other;
        for (key, value) in std::mem::take(values) {
            let Some(name) = key.as_str() else { continue };
            let value = match (self.get(name).and_then(Value::as_map), value.as_map()) {
                (Some(below), Some(above)) => Value::from(below.merged(above)),
                _ => value,
            };
            self.set(name, value, origins.remove(name));
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }
}

impl From<Map> for Vars {
    /// Variables that come from no text (facts, results); keys that are no strings are left out.
    fn from(values: Map) -> Self {
        let values = values.into_iter().filter(|(key, _)| key.as_str().is_some()).collect();
        Self { values, origins: HashMap::new() }
    }
}

impl<'a> FromIterator<(&'a str, Value)> for Vars {
    fn from_iter<T: IntoIterator<Item = (&'a str, Value)>>(iter: T) -> Self {
        Self { values: iter.into_iter().collect(), origins: HashMap::new() }
    }
}
