//! Diagnostics: what is wrong, where, and what to do about it; and exit codes.
//!
//! Pure layers return diagnostics as values; only the report layer prints them.

use crate::model::Origin;

/// The result of what reads a user's input: all findings, not only the first.
pub type Checked<T> = Result<T, Vec<Diagnostic>>;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The run does not start.
    Error,
    /// The run goes on; said once.
    Warning,
}

/// A finding about the user's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: one sentence, lower case, no full stop.
    pub message: String,
    /// Where; the line is shown with a marker.
    pub origin: Option<Origin>,
    /// A word or two beside the marker, for example `unknown argument`.
    pub label: Option<String>,
    /// Other places that matter (`first defined here`).
    pub related: Vec<(Origin, String)>,
    /// What to do.
    pub hints: Vec<String>,
    /// The exit code that it leads to.
    pub exit: ExitCode,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            origin: None,
            label: None,
            related: Vec::new(),
            hints: Vec::new(),
            exit: ExitCode::Parse,
        }
    }

    /// A warning without a place yet.
    pub fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// The same as a warning, with words on what comes of it.
    #[must_use]
    pub fn into_warning(self, words: &str) -> Self {
        Self { severity: Severity::Warning, ..self }.hint(words)
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, origin: impl Into<Option<Origin>>) -> Self {
        self.origin = origin.into();
        self
    }

    /// Puts words beside the marker.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, origin: Origin, words: impl Into<String>) -> Self {
        self.related.push((origin, words.into()));
        self
    }

    /// Adds advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds `did you mean …?` when a candidate is near.
    #[must_use]
    pub fn suggest<'a>(self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(name, candidates) {
            Some(found) => self.hint(format!("did you mean `{found}`?")),
            None => self,
        }
    }

    /// Sets the exit code.
    #[must_use]
    pub const fn exit(mut self, exit: ExitCode) -> Self {
        self.exit = exit;
        self
    }
}

impl From<Diagnostic> for Vec<Diagnostic> {
    fn from(d: Diagnostic) -> Self {
        vec![d]
    }
}

/// Process exit codes, as `ansible-playbook` uses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// All went well.
    Success,
    /// An error that is no other.
    Error,
    /// A task failed on a host.
    Failed,
    /// A host was unreachable.
    Unreachable,
    /// Playbook, inventory or variables cannot be read (Ansible's parser error).
    Parse,
    /// Options that cannot be read: none of that name, no value.
    Usage,
    /// Options that cannot be met.
    Options,
    /// The user interrupted the run.
    Interrupted,
    /// A fault of rplay's own.
    Unexpected,
}

impl ExitCode {
    /// The number that the process ends with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Error => 1,
            Self::Failed | Self::Usage => 2,
            Self::Unreachable | Self::Parse => 4,
            Self::Options => 5,
            Self::Interrupted => 99,
            Self::Unexpected => 250,
        }
    }
}

/// The candidate that is nearest to `name`, if one is near enough to be a slip of the hand.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|c| (distance(&name.to_lowercase(), &c.to_lowercase()), c))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Edit distance with transpositions (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    let at =
        |rows: &[Vec<usize>], i: usize, j: usize| rows.get(i).and_then(|r| r.get(j)).copied().unwrap_or(usize::MAX / 2);
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            let best = if i == 0 || j == 0 {
                i + j
            } else {
                let same = a.get(i - 1) == b.get(j - 1);
                let swapped = i > 1 && j > 1 && a.get(i - 1) == b.get(j - 2) && a.get(i - 2) == b.get(j - 1);
                let edit = (at(&rows, i - 1, j) + 1)
                    .min(at(&rows, i, j - 1) + 1)
                    .min(at(&rows, i - 1, j - 1) + usize::from(!same));
                if swapped { edit.min(at(&rows, i - 2, j - 2) + 1) } else { edit }
            };
            if let Some(cell) = rows.get_mut(i).and_then(|r| r.get_mut(j)) {
                *cell = best;
            }
        }
    }
    at(&rows, a.len(), b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_finds_its_word_and_another_word_does_not() {
        assert_eq!(nearest("tempalte", ["copy", "template", "file"]), Some("template"));
        assert_eq!(nearest("onwer", ["owner", "group"]), Some("owner"));
        assert_eq!(nearest("docker", ["template", "file"]), None);
    }
}
