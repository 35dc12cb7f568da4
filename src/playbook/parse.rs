//! Collecting findings while parsing goes on.

use crate::diag::{Checked, Diagnostic, Severity};
use crate::model::Value;
use crate::yaml::Node;

/// Errors and warnings found so far.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Diagnostic>,
    /// In how many blocks with a rescue section it is being parsed.
    pub(super) handled: usize,
}

impl Findings {
    /// Adds one.
    pub fn push(&mut self, finding: Diagnostic) {
        self.found.push(finding);
    }

    /// Adds those of another.
    pub(super) fn append(&mut self, other: Self) {
        self.found.extend(other.found);
    }

    /// The first error.
    pub(super) fn first_error(&self) -> Option<Diagnostic> {
        self.found.iter().find(|d| d.severity == Severity::Error).cloned()
    }

    /// The value of a success; the findings of a failure are added.
    pub fn take<T>(&mut self, result: Checked<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(findings) => {
                self.found.extend(findings);
                None
            }
        }
    }

    /// The items of a list; anything else is a finding, which begins with these words.
    pub fn list<'n>(&mut self, node: &'n Node, wrong: &str) -> &'n [Node] {
        if node.is_null() {
            return &[];
        }
        node.as_seq().unwrap_or_else(|| {
            let shown = match node.to_value() {
                Ok(Value::Str(text)) => text.as_str().to_owned(),
                Ok(Value::Int(number)) => number.to_string(),
                Ok(Value::Bool(flag)) => flag.to_string(),
                _ => "this".to_owned(),
            };
            self.push(
                Diagnostic::error(format!("{wrong}: {shown} should be a list or None but is {}", node.describe()))
                    .at(node.origin.clone())
                    .hint("begin each entry with `- `"),
            );
            &[]
        })
    }

    /// How many errors there are so far.
    pub fn errors(&self) -> usize {
        self.found.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// All findings, errors and warnings.
    pub fn into_vec(self) -> Vec<Diagnostic> {
        self.found
    }

    /// The value when there was no error; warnings come with it.
    ///
    /// # Errors
    /// All findings, when one of them is an error.
    pub fn finish<T>(self, value: T) -> Checked<(T, Vec<Diagnostic>)> {
        if self.found.iter().any(|d| d.severity == Severity::Error) { Err(self.found) } else { Ok((value, self.found)) }
    }
}
