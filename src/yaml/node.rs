//! Nodes: YAML data with the position of each part.

use std::sync::Arc;

use crate::diag::{Checked, Diagnostic};
use crate::model::{Key, Map, Origin, Text, Value, Vars};

/// A node with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it starts. A node that an alias stands for has its anchor's place.
    pub origin: Origin,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is, after YAML 1.1's resolution of plain scalars.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// `~`, `null`, nothing.
    Null,
    /// `yes`, `off`, `true`, …
    Bool(bool),
    /// An integer in any of YAML 1.1's notations.
    Int(i128),
    /// A floating-point number.
    Float(f64),
    /// A string.
    Str(Scalar),
    /// `!vault`: the ciphertext as it stands, still encrypted.
    Vault(Arc<str>),
    /// A sequence.
    Seq(Vec<Node>),
    /// A mapping in order, each key once.
    Map(Vec<(Node, Node)>),
}

/// A string with how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The characters.
    pub text: Arc<str>,
    /// How it was written.
    pub style: Style,
    /// Under `!unsafe`: never templated.
    pub is_unsafe: bool,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// After `|`.
    Literal,
    /// After `>`.
    Folded,
}

impl Node {
    /// The string, when it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Str(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The truth value, when it is one.
    pub const fn as_bool(&self) -> Option<bool> {
        match self.kind {
            NodeKind::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// The integer, when it is one.
    pub const fn as_int(&self) -> Option<i128> {
        match self.kind {
            NodeKind::Int(i) => Some(i),
            _ => None,
        }
    }

    /// The items, when it is a sequence.
    pub fn as_seq(&self) -> Option<&[Self]> {
        match &self.kind {
            NodeKind::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, when it is a mapping.
    pub fn as_map(&self) -> Option<&[(Self, Self)]> {
        match &self.kind {
            NodeKind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Whether it is null.
    pub const fn is_null(&self) -> bool {
        matches!(self.kind, NodeKind::Null)
    }

    /// The value at a string key, when it is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Key and value at a string key: the key's place is what messages point at.
    pub fn entry(&self, key: &str) -> Option<(&Self, &Self)> {
        self.as_map()?.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(k, v)| (k, v))
    }

    /// What kind of node it is, in words for messages.
    pub const fn describe(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Bool(_) => "a truth value",
            NodeKind::Int(_) => "an integer",
            NodeKind::Float(_) => "a number",
            NodeKind::Str(_) => "a string",
            NodeKind::Vault(_) => "an encrypted string",
            NodeKind::Seq(_) => "a list",
            NodeKind::Map(_) => "a mapping",
        }
    }

    /// The key that a scalar stands for in a map; `None` for what cannot be one.
    pub fn to_key(&self) -> Option<Key> {
        Some(match &self.kind {
            NodeKind::Null => Key::Null,
            NodeKind::Bool(b) => Key::Bool(*b),
            NodeKind::Int(i) => Key::Int(i64::try_from(*i).ok()?),
            NodeKind::Float(f) => Key::Float(format!("{f:?}").into()),
            NodeKind::Str(scalar) => Key::Str(Arc::clone(&scalar.text)),
            NodeKind::Vault(_) | NodeKind::Seq(_) | NodeKind::Map(_) => return None,
        })
    }

    /// The value it stands for, its strings templates (but those under `!unsafe`).
    ///
    /// Encrypted strings stay encrypted until they are evaluated.
    ///
    /// # Errors
    /// None at present; callers collect what is to come.
    pub fn to_value(&self) -> Checked<Value> {
        self.convert(true)
    }

    /// The value it stands for, as data that is never templated.
    ///
    /// # Errors
    /// When it holds an encrypted string.
    pub fn to_data(&self) -> Checked<Value> {
        self.convert(false)
    }

    /// The variables of a mapping of names to values, each with its key's place. Nothing
    /// (`vars:` without more) is no variables.
    ///
    /// # Errors
    /// When it is no mapping, or a name is no string.
    pub fn to_vars(&self) -> Checked<Vars> {
        let mut vars = Vars::new();
        let entries = match &self.kind {
            NodeKind::Null => return Ok(vars),
            NodeKind::Map(entries) => entries,
            _ => {
                return Err(Diagnostic::error(format!(
                    "expected variables as `name: value`, found {}",
                    self.describe()
                ))
                .at(self.origin.clone())
                .into());
            }
        };
        let mut errors = Vec::new();
        for (key, value) in entries {
            match key.as_str() {
                Some(name) => {
                    if let Some(value) = keep(value.to_value(), &mut errors) {
                        vars.set(name, value, Some(key.origin.clone()));
                    }
                }
                None => errors.push(
                    Diagnostic::error(format!("a variable's name must be a string, and this is {}", key.describe()))
                        .at(key.origin.clone())
                        .hint("quote it"),
                ),
            }
        }
        done(vars, errors)
    }

    fn convert(&self, templated: bool) -> Checked<Value> {
        Ok(match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(b) => Value::Bool(*b),
            NodeKind::Int(i) => Value::Int(*i),
            NodeKind::Float(f) => Value::Float(*f),
            NodeKind::Str(scalar) => Value::Str(self.text(scalar, templated)),
            NodeKind::Vault(text) if templated => {
                Value::Str(Text::encrypted(Arc::clone(text), Some(self.origin.clone())))
            }
            NodeKind::Vault(_) => return Err(self.encrypted().into()),
            NodeKind::Seq(items) => {
                let mut errors = Vec::new();
                let list = items.iter().filter_map(|item| keep(item.convert(templated), &mut errors)).collect();
                done(Value::List(Arc::new(list)), errors)?
            }
            NodeKind::Map(entries) => {
                let mut errors = Vec::new();
                let map: Map = entries
                    .iter()
                    .filter_map(|(k, v)| Some((k.to_key()?, keep(v.convert(templated), &mut errors)?)))
                    .collect();
                done(Value::Map(Arc::new(map)), errors)?
            }
        })
    }

    fn text(&self, scalar: &Scalar, templated: bool) -> Text {
        let (text, origin) = (Arc::clone(&scalar.text), Some(self.origin.clone()));
        if templated && !scalar.is_unsafe { Text::template(text, origin) } else { Text::new(text).at(origin) }
    }

    fn encrypted(&self) -> Diagnostic {
        Diagnostic::error("an encrypted value stands in text that is only data")
            .at(self.origin.clone())
            .label("`!vault`")
            .hint("values are decrypted in files of variables, inventories and playbooks")
    }
}

/// The value of a success; a failure's findings join the others.
fn keep<T>(result: Checked<T>, errors: &mut Vec<Diagnostic>) -> Option<T> {
    result.map_err(|found| errors.extend(found)).ok()
}

fn done<T>(value: T, errors: Vec<Diagnostic>) -> Checked<T> {
    if errors.is_empty() { Ok(value) } else { Err(errors) }
}
