//! Python's regular expressions as filters and tests use them; the translation is the model's.

use fancy_regex::{Captures, Regex};

use super::error::Error;
use super::value::R;
use crate::model::{Replacement, pyregex};

/// Compiles a Python pattern.
pub(super) fn compile(pattern: &str, ignorecase: bool, multiline: bool) -> R<Regex> {
    pyregex::compile(pattern, ignorecase, multiline).map_err(|e| Error::new(complaint(pattern).unwrap_or(e)))
}

/// What Python says of the usual mistakes.
fn complaint(pattern: &str) -> Option<String> {
    if pattern.starts_with(['*', '+', '?']) {
        return Some("nothing to repeat at position 0".to_owned());
    }
    let mut open = Vec::new();
    let mut class = None;
    let mut chars = pattern.chars().enumerate();
    while let Some((at, c)) = chars.next() {
        match (c, class) {
            ('\\', _) => drop(chars.next()),
            (']', Some(start)) if at > start + 1 => class = None,
            (_, Some(_)) => {}
            ('[', None) => class = Some(at),
            ('(', None) => open.push(at),
            (')', None) if open.pop().is_none() => return Some(format!("unbalanced parenthesis at position {at}")),
            _ => {}
        }
    }
    if let Some(at) = class {
        return Some(format!("unterminated character set at position {at}"));
    }
    open.first().map(|at| format!("missing ), unterminated subpattern at position {at}"))
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
    let template = Replacement::parse(template, regex).map_err(Error::new)?;
    for found in all(regex, text)? {
        if most != 0 && count == most {
            break;
        }
        let Some(whole) = found.get(0) else { continue };
        out.push_str(text.get(last..whole.start()).unwrap_or_default());
        out.push_str(&template.fill(&found));
        last = whole.end();
        count += 1;
    }
    out.push_str(text.get(last..).unwrap_or_default());
    Ok((out, count))
}
