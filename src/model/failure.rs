//! Why a module could not do what it was asked to.

use super::{Map, Reason, Value};

/// What kind of failure it is: a dry run treats them differently.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// It would fail in a real run as well.
    Failed,
    /// Something is not there (a path, user, program, unit). Under `--check` an
    /// earlier step of the same run may be what provides it; then it is unknown.
    Missing,
    /// A dry run cannot tell.
    Unknown(Reason),
}

/// A failure with the fields that the module returns with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What kind it is.
    pub cause: Cause,
    /// The message (`msg`).
    pub message: String,
    /// Other return values (`rc`, `stderr`, …).
    pub fields: Map,
}

impl Failure {
    /// A plain failure.
    pub fn new(message: impl Into<String>) -> Self {
        Self { cause: Cause::Failed, message: message.into(), fields: Map::new() }
    }

    /// A failure for want of something that an earlier step may provide.
    pub fn missing(message: impl Into<String>) -> Self {
        Self { cause: Cause::Missing, ..Self::new(message) }
    }

    /// Not to be known in a dry run.
    pub fn unknown(reason: impl Into<Reason>) -> Self {
        let reason = reason.into();
        Self { message: reason.to_string(), cause: Cause::Unknown(reason), fields: Map::new() }
    }

    /// Adds a return value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name, value.into());
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
