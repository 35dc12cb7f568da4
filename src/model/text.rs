//! Strings with marks: may it be templated, is it secret, where was it written.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Origin;

/// Properties of a string that outlive copying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Marks(u8);

impl Marks {
    /// No marks: plain data, never templated. What a host returns has these.
    pub const NONE: Self = Self(0);
    /// Written by the user in a file or option: `{{ … }}` in it is evaluated.
    pub const TEMPLATE: Self = Self(1);
    /// Came out of a vault, or was computed from what did: masked when printed.
    pub const SECRET: Self = Self(2);
    /// Encrypted by itself (`!vault`), still as it stands: decrypted when it is evaluated.
    pub const ENCRYPTED: Self = Self(4);
    /// Fit to stand in HTML as it is; only while an expression is evaluated.
    pub const MARKUP: Self = Self(8);

    /// Both sets of marks.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These marks but for `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other`'s marks are set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A string value. Cheap to clone. Equality, order and hash look at the text alone.
#[derive(Clone, Serialize, Deserialize)]
pub struct Text {
    text: Arc<str>,
    marks: Marks,
    #[serde(skip)]
    origin: Option<Arc<Origin>>,
}

impl Text {
    /// Plain data without an origin.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into(), marks: Marks::NONE, origin: None }
    }

    /// Text that the user wrote: templated when it is used.
    pub fn template(text: impl Into<Arc<str>>, origin: Option<Origin>) -> Self {
        Self { text: text.into(), marks: Marks::TEMPLATE, origin: None }.at(origin)
    }

    /// Text that the user encrypted by itself: decrypted when it is used.
    pub fn encrypted(text: impl Into<Arc<str>>, origin: Option<Origin>) -> Self {
        Self { text: text.into(), marks: Marks::ENCRYPTED, origin: None }.at(origin)
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The characters, shared.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// The marks.
    pub const fn marks(&self) -> Marks {
        self.marks
    }

    /// Where it was written, if that is known.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_deref()
    }

    /// The same text with other marks.
    #[must_use]
    pub fn marked(mut self, marks: Marks) -> Self {
        self.marks = marks;
        self
    }

    /// The same text with an origin; what stands in a file that was encrypted is secret.
    #[must_use]
    pub fn at(mut self, origin: Option<Origin>) -> Self {
        if origin.as_ref().is_some_and(|o| o.source.secret) {
            self.marks = self.marks.with(Marks::SECRET);
        }
        self.origin = origin.map(Arc::new);
        self
    }

    /// Whether the user wrote it and it has something to evaluate, or to decrypt.
    pub fn is_template(&self) -> bool {
        self.is_encrypted()
            || self.marks.has(Marks::TEMPLATE)
                && (self.text.contains("{{") || self.text.contains("{%") || self.text.contains("{#"))
    }

    /// Whether it is encrypted by itself.
    pub const fn is_encrypted(&self) -> bool {
        self.marks.has(Marks::ENCRYPTED)
    }

    /// Whether it must be masked when printed.
    pub const fn is_secret(&self) -> bool {
        self.marks.has(Marks::SECRET)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl std::hash::Hash for Text {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl std::fmt::Debug for Text {
    /// Secrets do not reach a debug log either.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_secret() { f.write_str(super::MASK) } else { std::fmt::Debug::fmt(&*self.text, f) }
    }
}

impl std::ops::Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}
