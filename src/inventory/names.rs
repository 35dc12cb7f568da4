//! Names of groups: what a variable's name can have in it, and what cannot be.

use std::borrow::Cow;

/// Whether a name can be used as a variable's.
pub(super) fn valid_name(name: &str) -> bool {
    name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// A group's name with `_` for what a variable's name cannot have.
pub fn safe_name(name: &str) -> Cow<'_, str> {
    if valid_name(name) {
        return Cow::Borrowed(name);
    }
    let mut safe: String = name.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if safe.starts_with(|c: char| c.is_ascii_digit()) {
        safe.replace_range(0..1, "_");
    }
    Cow::Owned(safe)
}
