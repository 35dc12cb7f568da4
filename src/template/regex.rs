//! Python's regular expressions as filters and tests use them; the translation is the model's.

use fancy_regex::{Captures, Regex};

use super::error::Error;
use super::value::R;
use crate::model::pyregex;

/// Compiles a Python pattern.
pub(super) fn compile(pattern: &str, ignorecase: bool, multiline: bool) -> R<Regex> {
    pyregex::compile(pattern, ignorecase, multiline).map_err(Error::new)
}

/// `re.escape`.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// All matches, in order.
pub(super) fn all<'t>(regex: &Regex, text: &'t str) -> R<Vec<Captures<'t, str>>> {
    regex.captures_iter(text).collect::<Result<_, _>>().map_err(|e| Error::new(format!("regular expression: {e}")))
}

/// The first match.
pub(super) fn first<'t>(regex: &Regex, text: &'t str) -> R<Option<Captures<'t, str>>> {
    regex.captures(text).map_err(|e| Error::new(format!("regular expression: {e}")))
}

/// Replaces matches; `most` of them, all when it is 0.
pub(super) fn replace(regex: &Regex, text: &str, template: &str, most: usize) -> R<(String, usize)> {
    let mut out = String::new();
    let mut last = 0;
    let mut count = 0;
    for found in all(regex, text)? {
        if most != 0 && count == most {
            break;
        }
        let Some(whole) = found.get(0) else { continue };
        out.push_str(text.get(last..whole.start()).unwrap_or_default());
        out.push_str(&pyregex::expand(template, &found).map_err(Error::new)?);
        last = whole.end();
        count += 1;
    }
    out.push_str(text.get(last..).unwrap_or_default());
    Ok((out, count))
}
