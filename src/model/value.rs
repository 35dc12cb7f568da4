//! The value that inventories, variables, module arguments and results are made of.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Map, Marks, Reason, Text};

/// A value. Lists and maps are shared: a clone is cheap.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Value {
    /// YAML's null, Python's None.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i128),
    /// An integer that is too large for that, in decimal digits.
    Big(Arc<str>),
    /// A floating-point number.
    Float(f64),
    /// A string with its marks.
    Str(Text),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A map in insertion order.
    Map(Arc<Map>),
    /// Not to be known in a dry run, and why. What is computed from it is unknown too.
    Unknown(Reason),
}

impl Value {
    /// A list.
    pub fn list(items: impl IntoIterator<Item = impl Into<Self>>) -> Self {
        Self::List(Arc::new(items.into_iter().map(Into::into).collect()))
    }

    /// The string, when it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(t) => Some(t.as_str()),
            _ => None,
        }
    }

    /// The truth value, when it is a bool.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The integer, when it is one.
    pub const fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(i) => Some(*i),
            _ => None,
        }
    }

    /// The items, when it is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, when it is a map.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The value at `key`, when it is a map that has one.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// Whether it is null.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Python's truth of it: empty, zero, null and false are false. `None` when unknown.
    pub fn truthy(&self) -> Option<bool> {
        match self {
            Self::Null => Some(false),
            Self::Bool(b) => Some(*b),
            Self::Int(i) => Some(*i != 0),
            Self::Big(_) => Some(true),
            Self::Float(f) => Some(*f != 0.0),
            Self::Str(t) => Some(!t.is_empty()),
            Self::List(l) => Some(!l.is_empty()),
            Self::Map(m) => Some(!m.is_empty()),
            Self::Unknown(_) => None,
        }
    }

    /// The first unknown in it, at any depth.
    pub fn unknown(&self) -> Option<&Reason> {
        match self {
            Self::Unknown(reason) => Some(reason),
            Self::List(items) => items.iter().find_map(Self::unknown),
            Self::Map(map) => map.values().find_map(Self::unknown),
            _ => None,
        }
    }

    /// Ansible's name of its type (Python's type name), for messages.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Big(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::List(_) => "list",
            Self::Map(_) => "dict",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The same value, every string in it changed by `change`.
    #[must_use]
    pub fn map_text(&self, change: &impl Fn(&Text) -> Text) -> Self {
        match self {
            Self::Str(t) => Self::Str(change(t)),
            Self::List(items) => Self::List(Arc::new(items.iter().map(|v| v.map_text(change)).collect())),
            Self::Map(map) => Self::Map(Arc::new(map.iter().map(|(k, v)| (k.clone(), v.map_text(change))).collect())),
            other => other.clone(),
        }
    }

    /// The same value as data: nothing in it is templated any more.
    #[must_use]
    pub fn untemplated(&self) -> Self {
        self.map_text(&|t| t.clone().marked(t.marks().without(Marks::TEMPLATE)))
    }

    /// The same value with every string marked secret.
    #[must_use]
    pub fn secret(&self) -> Self {
        self.map_text(&|t| t.clone().marked(t.marks().with(Marks::SECRET)))
    }

    /// The same value with every secret string masked, for printing.
    #[must_use]
    pub fn masked(&self) -> Self {
        self.map_text(&|t| {
            if t.is_secret() { Text::new(super::MASK) } else { t.clone() }
        })
    }
}

impl PartialEq for Value {
    /// Python's equality: `1 == 1.0 == True`.
    fn eq(&self, other: &Self) -> bool {
        if let (Some(a), Some(b)) = (number(self), number(other)) {
            return a == b;
        }
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::Big(a), Self::Big(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Unknown(a), Self::Unknown(b)) => a == b,
            _ => false,
        }
    }
}

#[derive(PartialEq)]
enum Number {
    Int(i128),
    Float(f64),
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "whole floats compare as integers, others cannot equal one"
)]
fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Bool(b) => Some(Number::Int(i128::from(*b))),
        Value::Int(i) => Some(Number::Int(*i)),
        Value::Float(f) if f.fract() == 0.0 && f.abs() < 1e30 => Some(Number::Int(*f as i128)),
        Value::Float(f) => Some(Number::Float(*f)),
        _ => None,
    }
}

macro_rules! from {
    ($($type:ty => |$v:ident| $make:expr;)*) => { $(
        impl From<$type> for Value {
            fn from($v: $type) -> Self { $make }
        }
    )* };
}

from! {
    bool => |v| Self::Bool(v);
    i32 => |v| Self::Int(i128::from(v));
    u32 => |v| Self::Int(i128::from(v));
    i64 => |v| Self::Int(i128::from(v));
    u64 => |v| Self::Int(i128::from(v));
    i128 => |v| Self::Int(v);
    usize => |v| Self::Int(v as i128);
    f64 => |v| Self::Float(v);
    &str => |v| Self::Str(Text::new(v));
    String => |v| Self::Str(Text::new(v));
    &String => |v| Self::Str(Text::new(v.as_str()));
    Text => |v| Self::Str(v);
    Map => |v| Self::Map(Arc::new(v));
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::list(items)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}
