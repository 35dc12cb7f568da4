//! Where a value or a construct was written.

use std::sync::Arc;

/// A piece of text that was read: a file, a command-line option, standard input.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// What the user calls it: a path, or `--extra-vars`.
    pub name: String,
    /// The whole text, kept so that a diagnostic can show the line.
    pub text: String,
    /// It was encrypted: its strings are secret, and its lines are not shown.
    pub secret: bool,
}

impl Source {
    /// A source with its name and text, ready to be shared by positions.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into(), secret: false })
    }

    /// A source that was encrypted.
    pub fn secret(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into(), secret: true })
    }

    /// Line `number` (from 1) without its line end, if there is one and it may be shown.
    pub fn line(&self, number: u32) -> Option<&str> {
        if self.secret {
            return None;
        }
        self.text.lines().nth(usize::try_from(number.checked_sub(1)?).ok()?)
    }
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A position in a source: where something comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The text it stands in.
    pub source: Arc<Source>,
    /// Where in that text.
    pub at: Position,
}

impl Origin {
    /// The origin at `line`:`column` of `source`.
    pub fn new(source: &Arc<Source>, line: u32, column: u32) -> Self {
        Self { source: Arc::clone(source), at: Position { line, column } }
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at && (Arc::ptr_eq(&self.source, &other.source) || self.source.name == other.source.name)
    }
}

impl Eq for Origin {}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.source.name, self.at.line, self.at.column)
    }
}
