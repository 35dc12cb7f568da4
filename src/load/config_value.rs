//! Settings: their values, where each came from, and how text becomes one.

use std::path::{Path, PathBuf};

use super::files::Environment;
use crate::inventory::GroupNames;
use crate::model::{Origin, Value};

/// A setting with who set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Who set it.
    pub by: SetBy,
}

/// Who set a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetBy {
    /// Nobody: rplay's default.
    Default,
    /// The environment variable of that name.
    Environment(&'static str),
    /// The configuration file, there.
    File(Origin),
}

impl<T> Setting<T> {
    /// Whether nobody set it.
    pub const fn is_default(&self) -> bool {
        matches!(self.by, SetBy::Default)
    }

    /// Where it stands in the configuration file.
    pub const fn origin(&self) -> Option<&Origin> {
        match &self.by {
            SetBy::File(origin) => Some(origin),
            _ => None,
        }
    }
}

/// What a pattern is that matches no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PatternMismatch {
    /// A warning.
    #[default]
    Warning,
    /// An error: the run does not start.
    Error,
    /// Nothing is said of it.
    Ignore,
}

/// When facts are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gathering {
    /// At each play's start, unless it says no.
    Implicit,
    /// Only where a play says so.
    Explicit,
    /// At a host's first play.
    Smart,
}

/// What happens to mappings that are defined at several levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashBehaviour {
    /// The highest one is used.
    Replace,
    /// They are merged.
    Merge,
}

/// What becomes of a mapping that has a key twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateKeys {
    /// A warning.
    Warn,
    /// An error.
    Error,
    /// Nothing is said.
    Ignore,
}

impl std::fmt::Display for SetBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Environment(name) => write!(f, "env: {name}"),
            Self::File(origin) => write!(f, "{}", origin.source.name),
        }
    }
}

/// A setting's value as data for templates.
pub(super) trait AsValue {
    fn to_value(&self) -> Value;
}

impl AsValue for bool {
    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }
}

impl AsValue for u32 {
    fn to_value(&self) -> Value {
        Value::Int(i128::from(*self))
    }
}

impl AsValue for u16 {
    fn to_value(&self) -> Value {
        Value::Int(i128::from(*self))
    }
}

impl AsValue for String {
    fn to_value(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl AsValue for PathBuf {
    fn to_value(&self) -> Value {
        Value::from(self.to_string_lossy().into_owned())
    }
}

impl<T: AsValue> AsValue for Vec<T> {
    fn to_value(&self) -> Value {
        Value::list(self.iter().map(AsValue::to_value))
    }
}

impl<T: AsValue> AsValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, AsValue::to_value)
    }
}

impl AsValue for Gathering {
    fn to_value(&self) -> Value {
        Value::from(format!("{self:?}").to_lowercase())
    }
}

impl AsValue for HashBehaviour {
    fn to_value(&self) -> Value {
        Value::from(format!("{self:?}").to_lowercase())
    }
}

impl AsValue for DuplicateKeys {
    fn to_value(&self) -> Value {
        Value::from(format!("{self:?}").to_lowercase())
    }
}

impl AsValue for GroupNames {
    fn to_value(&self) -> Value {
        Value::from(format!("{self:?}").to_lowercase())
    }
}

/// What a path or list in a setting starts from.
pub(super) struct Base<'a> {
    pub environment: &'a Environment,
    pub dir: &'a Path,
}

/// Text that becomes a setting's value; an error says what was expected.
pub(super) trait FromText: Sized {
    fn from_text(text: &str, base: &Base) -> Result<Self, String>;
}

impl FromText for bool {
    fn from_text(text: &str, _: &Base) -> Result<Self, String> {
        match text.to_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Ok(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" | "" => Ok(false),
            _ => Err("expected a truth value: yes or no".to_owned()),
        }
    }
}

impl FromText for u32 {
    fn from_text(text: &str, _: &Base) -> Result<Self, String> {
        text.parse().map_err(|_| "expected a whole number, not below zero".to_owned())
    }
}

impl FromText for u16 {
    fn from_text(text: &str, _: &Base) -> Result<Self, String> {
        text.parse().map_err(|_| "expected a port number".to_owned())
    }
}

impl FromText for String {
    fn from_text(text: &str, _: &Base) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl FromText for PathBuf {
    fn from_text(text: &str, base: &Base) -> Result<Self, String> {
        Ok(base.environment.path(text, base.dir))
    }
}

impl FromText for Vec<String> {
    fn from_text(text: &str, _: &Base) -> Result<Self, String> {
        Ok(text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect())
    }
}

impl FromText for Vec<PathBuf> {
    fn from_text(text: &str, base: &Base) -> Result<Self, String> {
        let parts = text.split(':').map(str::trim).filter(|t| !t.is_empty());
        Ok(parts.map(|part| base.environment.path(part, base.dir)).collect())
    }
}

impl<T: FromText> FromText for Option<T> {
    fn from_text(text: &str, base: &Base) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::from_text(text, base).map(Some) }
    }
}

impl FromText for Gathering {
    fn from_text(text: &str, _: &Base) -> Result<Self, String> {
        match text {
            "implicit" => Ok(Self::Implicit),
            "explicit" => Ok(Self::Explicit),
            "smart" => Ok(Self::Smart),
            _ => Err("expected implicit, explicit or smart".to_owned()),
        }
    }
}

impl FromText for GroupNames {
    fn from_text(text: &str, _: &Base) -> Result<Self, String> {
        match text.to_lowercase().as_str() {
            "never" => Ok(Self::Never),
            "ignore" => Ok(Self::Ignore),
            "always" => Ok(Self::Always),
            "silently" => Ok(Self::Silently),
            _ => Err("expected never, ignore, always or silently".to_owned()),
        }
    }
}

impl FromText for HashBehaviour {
    fn from_text(text: &str, _: &Base) -> Result<Self, String> {
        match text {
            "replace" => Ok(Self::Replace),
            "merge" => Ok(Self::Merge),
            _ => Err("expected replace or merge".to_owned()),
        }
    }
}

impl FromText for DuplicateKeys {
    fn from_text(text: &str, _: &Base) -> Result<Self, String> {
        match text {
            "warn" => Ok(Self::Warn),
            "error" => Ok(Self::Error),
            "ignore" => Ok(Self::Ignore),
            _ => Err("expected warn, error or ignore".to_owned()),
        }
    }
}

impl FromText for PatternMismatch {
    fn from_text(text: &str, _: &Base) -> Result<Self, String> {
        match text {
            "warning" => Ok(Self::Warning),
            "error" => Ok(Self::Error),
            "ignore" => Ok(Self::Ignore),
            _ => Err("expected warning, error or ignore".to_owned()),
        }
    }
}

impl AsValue for PatternMismatch {
    fn to_value(&self) -> Value {
        Value::from(format!("{self:?}").to_lowercase())
    }
}

/// Inventory sources as `-i` takes them: paths are made absolute, a list of hosts stays one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sources(pub Vec<String>);

impl FromText for Sources {
    fn from_text(text: &str, base: &Base) -> Result<Self, String> {
        // With a comma at its end it is a list of hosts, not of files.
        if text.trim_end().ends_with(',') {
            return Ok(Self(vec![text.trim().to_owned()]));
        }
        let parts = text.split(',').map(str::trim).filter(|t| !t.is_empty());
        Ok(Self(parts.map(|part| base.environment.path(part, base.dir).display().to_string()).collect()))
    }
}
