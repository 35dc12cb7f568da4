//! Argument values: Ansible's coercions from what a playbook says to what a module wants.

use super::ArgSpec;
use crate::model::{Failure, Map, Value};
use crate::sys;

/// What kind of value an argument takes, by Ansible's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgKind {
    /// A string; numbers and truth values are written out.
    Str,
    /// A path on the host: `~` and `$VAR` are expanded there.
    Path,
    /// A truth value or one of the words for it.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A list; a string is split at commas.
    List(&'static ArgKind),
    /// A map; JSON or `k=v, k=v` text is read.
    Dict,
    /// A map with options of its own.
    Options(Suboptions),
    /// Anything.
    Raw,
}

/// The options within an option.
#[derive(Debug, Clone, Copy)]
pub struct Suboptions {
    /// What they are.
    pub specs: fn() -> Vec<ArgSpec>,
    /// What checks them.
    pub check: fn(&Value) -> Result<(), String>,
}

impl PartialEq for Suboptions {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.check, other.check)
    }
}

impl Eq for Suboptions {}

impl ArgKind {
    /// Ansible's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Path => "path",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::List(_) => "list",
            Self::Dict | Self::Options(_) => "dict",
            Self::Raw => "raw",
        }
    }

    /// The options within it, of a map or of each in a list.
    pub fn within(self) -> Vec<ArgSpec> {
        match self {
            Self::Options(within) => (within.specs)(),
            Self::List(element) => element.within(),
            _ => Vec::new(),
        }
    }

    /// Whether `value` can be given for it; the error says why not.
    ///
    /// # Errors
    /// In Ansible's words.
    pub fn check(self, value: &Value) -> Result<(), String> {
        if value.is_null() || value.unknown().is_some() {
            return Ok(());
        }
        match self {
            Self::Str => String::from_arg(value).map(drop),
            Self::Path => Path::from_arg(value).map(drop),
            Self::Bool => bool::from_arg(value).map(drop),
            Self::Int => i64::from_arg(value).map(drop),
            Self::Float => f64::from_arg(value).map(drop),
            Self::List(element) => Vec::<Value>::from_arg(value)?.iter().try_for_each(|v| element.check(v)),
            Self::Dict => Map::from_arg(value).map(drop),
            Self::Options(within) => (within.check)(value),
            Self::Raw => Ok(()),
        }
    }
}

/// A path on the host, `~` and `$VAR` expanded when it is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(pub String);

impl std::ops::Deref for Path {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<std::path::Path> for Path {
    fn as_ref(&self) -> &std::path::Path {
        std::path::Path::new(&self.0)
    }
}

/// A type that arguments are read into.
pub trait FromArg: Sized {
    /// What kind of argument it stands for.
    const KIND: ArgKind;
    /// Whether leaving the argument out is fine (`Option`).
    const OPTIONAL: bool = false;

    /// Reads a value.
    ///
    /// # Errors
    /// In Ansible's words: `'x' is not a valid boolean`.
    fn from_arg(value: &Value) -> Result<Self, String>;

    /// What it is when it is not given, for optional ones.
    fn absent() -> Option<Self> {
        None
    }
}

fn wrong(value: &Value, wanted: &str) -> String {
    format!("{} cannot be converted to {wanted}", value.type_name())
}

/// Python's text of a scalar, as Ansible writes numbers and truth values into strings.
fn scalar_text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Str(t) => t.to_string(),
        Value::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
        Value::Int(i) => i.to_string(),
        Value::Big(digits) => digits.to_string(),
        Value::Float(f) if f.fract() == 0.0 && f.abs() < 1e16 => format!("{f:.1}"),
        Value::Float(f) => f.to_string(),
        _ => return None,
    })
}

/// Ansible's reading of truth values: yes/on/1/true/t/y and their opposites, any case.
pub fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Float(f) if *f == 0.0 => Some(false),
        Value::Float(f) if (*f - 1.0).abs() < f64::EPSILON => Some(true),
        Value::Str(t) => match t.trim().to_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

impl FromArg for String {
    const KIND: ArgKind = ArgKind::Str;
    fn from_arg(value: &Value) -> Result<Self, String> {
        match value {
            // Ansible writes structures out as Python would; what is meant by it is JSON here.
            Value::List(_) | Value::Map(_) => {
                Err(format!("'{}' is not a string and conversion is not allowed", value.type_name()))
            }
            _ => scalar_text(value).ok_or_else(|| wrong(value, "a string")),
        }
    }
}

impl FromArg for Path {
    const KIND: ArgKind = ArgKind::Path;
    fn from_arg(value: &Value) -> Result<Self, String> {
        String::from_arg(value).map(|text| Self(expand(&text, &|name| std::env::var(name).ok())))
    }
}

/// `~`, `~user`, `$VAR` and `${VAR}` as a shell expands them in a path; `look_up` knows the variables.
pub fn expand(text: &str, look_up: &dyn Fn(&str) -> Option<String>) -> String {
    let text = sys::expand_home(text, look_up("HOME"));
    if !text.contains('$') {
        return text;
    }
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('$') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let tail = tail.get(1..).unwrap_or_default();
        let (name, after) = match tail.strip_prefix('{').and_then(|t| t.split_once('}')) {
            Some((name, after)) => (name, after),
            None => tail.split_at(tail.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(tail.len())),
        };
        match look_up(name) {
            Some(value) if !name.is_empty() => out.push_str(&value),
            // As Python: what is not set stays as written.
            _ => out.push_str(rest.get(at..rest.len() - after.len()).unwrap_or_default()),
        }
        rest = after;
    }
    out + rest
}

impl FromArg for bool {
    const KIND: ArgKind = ArgKind::Bool;
    fn from_arg(value: &Value) -> Result<Self, String> {
        to_bool(value).ok_or_else(|| match scalar_text(value) {
            Some(text) => format!(
                "The value '{text}' is not a valid boolean. Valid booleans include: 0, 1, 'n', 'no', 'off', 'false', 'f', 'y', 'yes', 'on', 'true', 't'"
            ),
            None => wrong(value, "a bool"),
        })
    }
}

impl FromArg for i64 {
    const KIND: ArgKind = ArgKind::Int;
    #[allow(clippy::cast_possible_truncation, reason = "only whole floats in range get there")]
    fn from_arg(value: &Value) -> Result<Self, String> {
        let not = || match scalar_text(value) {
            Some(text) => format!("'{text}' is not a valid integer: cannot be converted to an int"),
            None => wrong(value, "an int"),
        };
        match value {
            Value::Int(i) => Self::try_from(*i).map_err(|_| not()),
            Value::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => Ok(*f as Self),
            Value::Bool(b) => Ok(Self::from(*b)),
            Value::Str(t) => t.trim().parse().map_err(|_| not()),
            _ => Err(not()),
        }
    }
}

impl FromArg for f64 {
    const KIND: ArgKind = ArgKind::Float;
    #[allow(clippy::cast_precision_loss, reason = "as Python's float()")]
    fn from_arg(value: &Value) -> Result<Self, String> {
        match value {
            Value::Int(i) => Ok(*i as Self),
            Value::Float(f) => Ok(*f),
            Value::Str(t) => t.trim().parse().map_err(|_| format!("'{}' cannot be converted to a float", t.as_str())),
            _ => Err(wrong(value, "a float")),
        }
    }
}

impl FromArg for Value {
    const KIND: ArgKind = ArgKind::Raw;
    fn from_arg(value: &Value) -> Result<Self, String> {
        Ok(value.clone())
    }
}

impl FromArg for Map {
    const KIND: ArgKind = ArgKind::Dict;
    fn from_arg(value: &Value) -> Result<Self, String> {
        match value {
            Value::Map(map) => Ok((**map).clone()),
            Value::Str(t) => {
                pairs(t).ok_or_else(|| "dictionary requested, could not parse JSON or key=value".to_owned())
            }
            _ => Err(wrong(value, "a dict")),
        }
    }
}

/// `k=v, k=v` or `k=v k=v`.
fn pairs(text: &str) -> Option<Map> {
    let words = text.split([',', ' ']).map(str::trim).filter(|w| !w.is_empty());
    let pairs: Option<Vec<(String, Value)>> =
        words.map(|w| w.split_once('=').map(|(k, v)| (k.trim().to_owned(), Value::from(v.trim())))).collect();
    pairs.filter(|p| !p.is_empty()).map(Map::from_iter)
}

impl<T: FromArg> FromArg for Vec<T> {
    const KIND: ArgKind = ArgKind::List(&T::KIND);
    fn from_arg(value: &Value) -> Result<Self, String> {
        match value {
            Value::List(items) => items.iter().map(T::from_arg).collect(),
            Value::Str(t) => t.split(',').map(|part| T::from_arg(&Value::from(part.trim()))).collect(),
            Value::Int(_) | Value::Big(_) | Value::Float(_) => {
                Ok(vec![T::from_arg(&Value::from(scalar_text(value).unwrap_or_default()))?])
            }
            _ => Err(wrong(value, "a list")),
        }
    }
}

impl<T: FromArg> FromArg for Option<T> {
    const KIND: ArgKind = T::KIND;
    const OPTIONAL: bool = true;
    fn from_arg(value: &Value) -> Result<Self, String> {
        if value.is_null() { Ok(None) } else { T::from_arg(value).map(Some) }
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// The failure for a value of the wrong type, in Ansible's words.
pub(super) fn wrong_type(argument: &str, kind: ArgKind, value: &Value, why: &str) -> Failure {
    Failure::new(format!(
        "argument '{argument}' is of type {} and we were unable to convert to {}: {why}",
        value.type_name(),
        kind.name()
    ))
}
