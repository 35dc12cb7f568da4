//! What can go wrong in a template, with the words, the place and the way that led there.

use std::sync::Arc;

use crate::diag::{Diagnostic, nearest};
use crate::model::{Origin, Position, Reason, Text};

use super::ir::Span;
use super::signature::Mismatch;
use super::value::Val;

/// Why an evaluation did not give a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Undefined(String),
    Syntax,
    Omitted,
    Unknown(Reason),
    /// An operator or a call that its operands do not allow.
    Raised,
    Other,
}

/// An error of a template or expression.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    message: String,
    span: Option<Span>,
    origin: Option<Origin>,
    placed: bool,
    snippet: String,
    trail: Vec<(Option<Origin>, String)>,
    hints: Vec<String>,
    soft: bool,
    /// The text that no key opens, when that is what is wrong.
    encrypted: Option<Text>,
    /// It came up in the value of a module's argument.
    argument: bool,
}

/// What an error begins with that came up where a template or an expression was evaluated.
const RENDERING: &str = "Error rendering ";

impl Error {
    fn of(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            span: None,
            origin: None,
            placed: false,
            snippet: String::new(),
            trail: Vec::new(),
            hints: Vec::new(),
            soft: false,
            encrypted: None,
            argument: false,
        }))
    }

    /// The undefined value of an inline `if` without `else`: nothing when printed, false when tested.
    pub(super) fn no_else() -> Self {
        let words = "the inline if-expression evaluated to false and no else section was defined";
        let mut error = Self::undefined("", words);
        error.0.soft = true;
        error
    }

    pub(super) const fn is_soft(&self) -> bool {
        self.0.soft
    }

    /// The same for what is asked of it: that is an error, whatever it was.
    pub(super) fn hard(error: &Arc<Self>) -> Arc<Self> {
        if !error.0.soft {
            return Arc::clone(error);
        }
        let mut hard = (**error).clone();
        hard.0.soft = false;
        Arc::new(hard)
    }

    /// What is undefined as a value, which is an error only where it is used; other errors as they are.
    pub(super) fn kept(self) -> Result<Val, Self> {
        if self.is_undefined() { Ok(Val::Undefined(Arc::new(self))) } else { Err(self) }
    }

    /// An error that is none of the special ones.
    pub fn new(message: impl Into<String>) -> Self {
        Self::of(Kind::Other, message)
    }

    pub(super) fn syntax(message: impl Into<String>) -> Self {
        Self::of(Kind::Syntax, format!("Syntax error in template: {}", message.into()))
    }

    pub(super) fn undefined(name: &str, message: impl Into<String>) -> Self {
        Self::of(Kind::Undefined(name.to_owned()), message)
    }

    pub(super) fn omitted() -> Self {
        Self::of(Kind::Omitted, "A template was resolved to an Omit scalar.")
    }

    pub(super) fn of_unknown(reason: Reason) -> Self {
        Self::of(Kind::Unknown(reason.clone()), format!("unknown: {reason}"))
    }

    /// A filter, test or lookup that does not exist, with the nearest one that does.
    pub(super) fn no_such<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let short = name.rsplit('.').next().unwrap_or(name);
        let words = match what {
            "lookup" => format!("The lookup plugin '{name}' was not found"),
            _ => format!("No {what} named '{name}'"),
        };
        let mut error = Self::of(Kind::Syntax, words);
        if let Some(near) = nearest(short, known) {
            error.0.hints.push(format!("did you mean `{near}`?"));
        }
        error
    }

    /// A call that does not keep to what is taken.
    pub(super) fn call(wrong: Mismatch) -> Self {
        Self::new(wrong.message).hint(wrong.hint)
    }

    /// The same of a filter or test, which can be said before it is called.
    pub(super) fn plugin_call(what: &str, name: &str, wrong: Mismatch) -> Self {
        let mut error = Self::call(wrong).in_plugin(what, name);
        error.0.kind = Kind::Syntax;
        error
    }

    /// A text that no key opens.
    pub(super) fn undecryptable(text: &Text, why: &str) -> Self {
        let mut error = Self::new(format!("Attempt to use undecryptable variable: {why}"));
        error.0.encrypted = Some(text.clone());
        error
    }

    pub(super) const fn encrypted(&self) -> Option<&Text> {
        self.0.encrypted.as_ref()
    }

    /// An option that a lookup does not have.
    pub(super) fn no_option(lookup: &str, option: &str) -> Self {
        Self::of(Kind::Syntax, format!("the lookup '{lookup}' has no option '{option}'"))
    }

    /// The same error in other words.
    #[must_use]
    pub(super) fn reworded(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// The name that is not defined, when that is what is wrong.
    pub fn undefined_name(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Undefined(name) => Some(name),
            _ => None,
        }
    }

    /// Whether something was not defined.
    pub const fn is_undefined(&self) -> bool {
        matches!(self.0.kind, Kind::Undefined(_))
    }

    /// Whether the text cannot be compiled, whatever the variables are.
    pub const fn is_syntax(&self) -> bool {
        matches!(self.0.kind, Kind::Syntax)
    }

    /// Whether the value is `omit`: the caller drops the argument.
    pub const fn is_omitted(&self) -> bool {
        matches!(self.0.kind, Kind::Omitted)
    }

    /// Why the value cannot be known in a dry run, when that is it.
    pub const fn unknown(&self) -> Option<&Reason> {
        match &self.0.kind {
            Kind::Unknown(reason) => Some(reason),
            _ => None,
        }
    }

    /// The message, in Ansible's words.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it happened.
    pub const fn origin(&self) -> Option<&Origin> {
        self.0.origin.as_ref()
    }

    /// Says what was under way, before the message.
    #[must_use]
    pub fn within(mut self, words: &str) -> Self {
        self.0.message = format!("{words}: {}", self.0.message);
        self
    }

    /// Says that it came up in a condition.
    #[must_use]
    pub fn in_condition(self) -> Self {
        let told = self.is_syntax() || self.0.message.starts_with(RENDERING);
        if told { self } else { self.within("Error while evaluating conditional") }
    }

    /// It is about the arguments of a module as a whole.
    #[must_use]
    pub fn as_argument(mut self) -> Self {
        self.0.argument = true;
        self
    }

    /// Says which argument of a module it came up in.
    #[must_use]
    pub fn in_argument(self, name: &str) -> Self {
        self.as_argument().within(&format!("Error while resolving value for '{name}'"))
    }

    /// Says which module's arguments they were, when it came up in one.
    #[must_use]
    pub fn of_module(self, name: &str) -> Self {
        if !self.0.argument {
            return self;
        }
        self.within(&format!("Finalization of task args for '{name}' failed"))
    }

    /// Adds advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Says where it is, unless that is known.
    #[must_use]
    pub fn at(mut self, origin: Option<Origin>) -> Self {
        if !self.0.placed && self.0.origin.is_none() {
            self.0.origin = origin;
            self.0.placed = self.0.origin.is_some();
        }
        self
    }

    /// Whether it is known where it is.
    pub(super) const fn has_place(&self) -> bool {
        self.0.placed || self.0.span.is_some()
    }

    /// Places the error in the text being evaluated, unless it has a narrower place.
    #[must_use]
    pub(super) fn spanned(mut self, span: Span) -> Self {
        if self.0.span.is_none() && !self.0.placed && span != Span::default() {
            self.0.span = Some(span);
        }
        self
    }

    /// Turns the place in `text` into one in the file that the text was written in.
    #[must_use]
    pub(super) fn located(mut self, text: &Text) -> Self {
        if !self.0.placed {
            self.0.placed = true;
            let span = self.0.span.unwrap_or_default();
            let range = span.start as usize..span.end as usize;
            self.0.snippet = text.get(range).unwrap_or_default().to_owned();
            self.0.origin = text.origin().map(|origin| place(origin, text, span.start as usize, &self.0.snippet));
        }
        self
    }

    /// It is what an operator or a call has come to.
    #[must_use]
    pub(super) fn raised(mut self) -> Self {
        if self.0.kind == Kind::Other && !self.0.placed && !self.0.message.starts_with("The ") {
            self.0.kind = Kind::Raised;
        }
        self
    }

    /// Says that it came up where `text` was evaluated, when no plugin has said so.
    #[must_use]
    pub(super) fn rendered(mut self, text: &Text) -> Self {
        if self.0.kind == Kind::Raised {
            let what = if text.is_template() { "template" } else { "expression" };
            self.0.message = format!("{RENDERING}{what}: {}", self.0.message);
            self.0.kind = Kind::Other;
        }
        self
    }

    /// Says which filter or test failed.
    #[must_use]
    pub(super) fn in_plugin(mut self, what: &str, name: &str) -> Self {
        let unsaid = matches!(self.0.kind, Kind::Other | Kind::Raised) && self.0.span.is_none();
        if unsaid && !self.0.message.starts_with("The ") {
            self.0.kind = Kind::Other;
            let name = if what == "lookup" { name.to_owned() } else { super::filters::qualified(name) };
            self.0.message = format!("The {what} plugin '{name}' failed: {}", self.0.message);
        }
        self
    }

    /// Notes that the error came up while variable `name` was evaluated.
    #[must_use]
    pub(super) fn through(mut self, name: &str, at: Option<&Origin>) -> Self {
        self.0.trail.push((at.cloned(), format!("in the value of variable `{name}`")));
        self
    }
}

/// Where offset `start` of `text`, which begins with `snippet` there, stands in the text's source.
fn place(origin: &Origin, text: &str, start: usize, snippet: &str) -> Origin {
    let whole = origin.source.text.as_str();
    let begin = offset(whole, origin.at);
    let (Some(rest), Some(before)) = (whole.get(begin..), text.get(..start)) else { return origin.clone() };
    // A scalar's escapes and folding shift offsets; the n-th occurrence of the words does not move.
    let needle = snippet.lines().next().unwrap_or_default().trim_end();
    if needle.is_empty() {
        return origin.clone();
    }
    let skip = before.matches(needle).count();
    rest.match_indices(needle).nth(skip).map_or_else(|| origin.clone(), |(at, _)| position(origin, begin + at))
}

fn offset(text: &str, at: Position) -> usize {
    let lines = usize::try_from(at.line.saturating_sub(1)).unwrap_or(0);
    let start: usize = text.split_inclusive('\n').take(lines).map(str::len).sum();
    let column = usize::try_from(at.column.saturating_sub(1)).unwrap_or(0);
    let rest = text.get(start..).unwrap_or_default();
    start + rest.char_indices().nth(column).map_or(rest.len(), |(i, _)| i)
}

fn position(origin: &Origin, offset: usize) -> Origin {
    let before = origin.source.text.get(..offset).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Origin::new(&origin.source, u32::try_from(line).unwrap_or(1), u32::try_from(column).unwrap_or(1))
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        let inner = *error.0;
        let mut diagnostic = Self::error(inner.message).at(inner.origin);
        if let Kind::Undefined(_) = inner.kind {
            diagnostic = diagnostic.label("undefined");
        }
        for (origin, words) in inner.trail {
            diagnostic = match origin {
                Some(origin) => diagnostic.related(origin, words),
                None => diagnostic.hint(words),
            };
        }
        inner.hints.into_iter().fold(diagnostic, Self::hint)
    }
}
