//! Python's regular expressions on fancy-regex: syntax, replacement texts, escapes.

use std::fmt::Write;

use fancy_regex::{Captures, Regex};

use super::error::Error;
use super::value::R;

/// Compiles a Python pattern.
pub(super) fn compile(pattern: &str, ignorecase: bool, multiline: bool) -> R<Regex> {
    let mut out = String::with_capacity(pattern.len() + 8);
    match (ignorecase, multiline) {
        (true, true) => out.push_str("(?im)"),
        (true, false) => out.push_str("(?i)"),
        (false, true) => out.push_str("(?m)"),
        (false, false) => {}
    }
    translate(pattern, multiline, &mut out);
    Regex::new(&out).map_err(|e| Error::new(format!("invalid regular expression '{pattern}': {e}")))
}

/// What Python writes otherwise: `\Z`, `$` before a last newline, `[` in a class.
fn translate(pattern: &str, multiline: bool, out: &mut String) {
    let mut chars = pattern.chars().peekable();
    let (mut class, mut start) = (false, false);
    let multiline =
        multiline || pattern.starts_with("(?m") || pattern.starts_with("(?im") || pattern.starts_with("(?sm");
    while let Some(c) = chars.next() {
        let first = std::mem::take(&mut start);
        match c {
            '\\' => match chars.next() {
                Some('Z') if !class => out.push_str(r"\z"),
                Some(c) if !c.is_ascii_alphanumeric() && !c.is_ascii_punctuation() => out.push(c),
                Some(c @ ('"' | '\'' | ',' | ';' | ':' | '=' | '%' | '@' | '`' | '!' | '_' | '<' | '>' | '/')) => {
                    out.push(c)
                }
                Some(c) => {
                    out.push('\\');
                    out.push(c);
                }
                None => out.push('\\'),
            },
            '[' if class => out.push_str(r"\["),
            '[' => {
                class = true;
                start = true;
                out.push('[');
                if let Some(c) = chars.next_if_eq(&'^') {
                    out.push(c);
                }
            }
            ']' if class && first => out.push_str(r"\]"),
            ']' => {
                class = false;
                out.push(']');
            }
            '&' | '~' if class => {
                out.push('\\');
                out.push(c);
            }
            '$' if !class && !multiline => out.push_str(r"(?=\n?\z)"),
            c => out.push(c),
        }
    }
}

/// Fills a Python replacement text: `\1`, `\g<1>`, `\g<name>`, `\n`.
pub(super) fn expand(template: &str, found: &Captures<'_, str>) -> R<String> {
    let mut out = String::new();
    let mut chars = template.chars().peekable();
    let group = |name: &str| -> R<String> {
        let known = match name.parse::<usize>() {
            Ok(i) => (i < found.len()).then(|| found.get(i)),
            Err(_) => Some(found.name(name)),
        };
        let known = known.ok_or_else(|| Error::new(format!("invalid group reference {name}")))?;
        Ok(known.map_or_else(String::new, |m| m.as_str().to_owned()))
    };
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('g') if chars.next_if_eq(&'<').is_some() => {
                let name: String = chars.by_ref().take_while(|c| *c != '>').collect();
                out.push_str(&group(&name)?);
            }
            Some(d) if d.is_ascii_digit() => {
                let mut name = d.to_string();
                if d != '0' {
                    name.extend(chars.next_if(char::is_ascii_digit));
                }
                out.push_str(&group(&name)?);
            }
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\\') => out.push('\\'),
            Some(c) => {
                let _ = write!(out, "\\{c}");
            }
            None => out.push('\\'),
        }
    }
    Ok(out)
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
        out.push_str(&expand(template, &found)?);
        last = whole.end();
        count += 1;
    }
    out.push_str(text.get(last..).unwrap_or_default());
    Ok((out, count))
}
