//! Collecting findings while parsing goes on.

use crate::diag::{Checked, Diagnostic, Severity};
use crate::yaml::Node;

/// Errors and warnings found so far.
#[derive(Debug, Default)]
pub struct Findings(Vec<Diagnostic>);

impl Findings {
    /// Adds one.
    pub fn push(&mut self, finding: Diagnostic) {
        self.0.push(finding);
    }

    /// The value of a success; the findings of a failure are added.
    pub fn take<T>(&mut self, result: Checked<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(findings) => {
                self.0.extend(findings);
                None
            }
        }
    }

    /// The items of a list; anything else is a finding.
    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        if node.is_null() {
            return &[];
        }
        node.as_seq().unwrap_or_else(|| {
            self.push(
                Diagnostic::error(format!("{what} is a list, this is {}", node.describe()))
                    .at(node.origin.clone())
                    .hint("begin each entry with `- `"),
            );
            &[]
        })
    }

    /// The value when there was no error; warnings come with it.
    ///
    /// # Errors
    /// All findings, when one of them is an error.
    pub fn finish<T>(self, value: T) -> Checked<(T, Vec<Diagnostic>)> {
        if self.0.iter().any(|d| d.severity == Severity::Error) { Err(self.0) } else { Ok((value, self.0)) }
    }
}
