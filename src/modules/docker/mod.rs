//! Docker: what an engine keeps (containers, images, networks, volumes), through its API.

mod auth;
mod call;
pub mod cli;
pub mod compose;
pub mod container;
pub mod copy_into;
pub mod engine;
pub mod exec;
pub mod image;
mod images;
pub mod info;
pub mod login;
pub mod names;
pub mod network;
pub mod prune;
pub mod volume;

use std::sync::Arc;

use crate::model::{Attribute, Diff, Failure, Map, Value};
use crate::module::{ArgKind, Arguments, Done, FromArg, Suboptions};

/// The collection that all of these are of.
pub const COLLECTION: &str = "community.docker";

/// An option that is a map with options of its own.
#[derive(Debug, Clone)]
pub struct Options<T>(pub T);

impl<T: Arguments> FromArg for Options<T> {
    const KIND: ArgKind =
        ArgKind::Options(Suboptions { specs: T::specs, check: |value| Self::from_arg(value).map(drop) });

    fn from_arg(value: &Value) -> Result<Self, String> {
        let map = Map::from_arg(value)?;
        T::parse(&map).map(Self).map_err(|failure| failure.message)
    }
}

/// A difference of something that the engine keeps, as `--diff` shows it.
pub fn differs(subject: impl Into<String>, changes: Vec<(String, String, String)>) -> Diff {
    let changes = changes.into_iter().map(|(name, before, after)| Attribute { name, before, after }).collect();
    Diff::Attributes { subject: subject.into(), changes }
}

/// A value as a diff shows it: text as it is, the rest as JSON.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Str(text) => text.as_str().to_owned(),
        Value::Null => String::new(),
        other => crate::modules::json::dumps(other),
    }
}

/// A map of strings: what Docker's labels, options and environments are. In environments and
/// labels a number is refused, as in Ansible: what was written (`010`) would be lost. In
/// options numbers and truth values are written out.
///
/// # Errors
/// When a value is no text where it must be, or a list or map.
pub fn strings(option: &str, map: &Map) -> Result<Map, Failure> {
    let strict = option == "env" || option.ends_with("labels");
    let mut out = Map::new();
    for (key, value) in map {
        let text = match value {
            Value::Str(text) => text.as_str().to_owned(),
            Value::Bool(b) if !strict => b.to_string(),
            Value::Int(_) | Value::Float(_) if !strict => String::from_arg(value).map_err(Failure::new)?,
            _ => {
                return Err(Failure::new(format!(
                    "Non-string value found for {option} option. Ambiguous {option} options must be wrapped in \
                     quotes to avoid them being interpreted. Key: {key}"
                )));
            }
        };
        out.insert(key.to_string(), text);
    }
    Ok(out)
}

/// The value with more in it, for maps.
#[must_use]
pub fn map_of(value: &Value) -> Map {
    value.as_map().cloned().unwrap_or_default()
}

/// The items of a list; none for what is no list.
pub fn items(value: &Value) -> &[Value] {
    value.as_list().unwrap_or_default()
}

/// A list of texts.
pub fn texts(list: impl IntoIterator<Item = impl Into<String>>) -> Value {
    Value::List(Arc::new(list.into_iter().map(|t| Value::from(t.into())).collect()))
}

/// What the engine warns of in an answer, as Ansible words it.
pub fn warned(said: &Value) -> Done {
    let all = items(engine::at(said, &["Warnings"])).iter().chain([engine::at(said, &["Warning"])]);
    let texts = all.filter_map(Value::as_str).filter(|text| !text.is_empty());
    Done { warnings: texts.map(|text| format!("Docker warning: {text}")).collect(), ..Done::default() }
}

/// A list of texts as a value.
pub fn text_list(list: Vec<String>) -> Value {
    texts(list)
}
