//! Colours, as Ansible's default output has them.

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colours {
    /// ANSI colours.
    On,
    /// Plain text.
    #[default]
    Off,
}

/// What a text says; its colour follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Nothing changed.
    Ok,
    /// Something changed.
    Changed,
    /// Something failed.
    Failed,
    /// Something was skipped.
    Skipped,
    /// A host was unreachable.
    Unreachable,
    /// A dry run cannot tell.
    Unknown,
    /// A warning.
    Warning,
    /// A line that a diff adds.
    Added,
    /// A line that a diff removes.
    Removed,
    /// A line that says where in a file a diff is.
    Place,
}

impl Colours {
    /// The text in its colour.
    pub fn paint(self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Ok | Style::Added => "0;32",
            Style::Changed => "0;33",
            Style::Failed | Style::Removed => "0;31",
            Style::Skipped | Style::Place => "0;36",
            Style::Unreachable => "1;31",
            Style::Unknown | Style::Warning => "1;35",
        };
        match self {
            Self::On if !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}
