//! Backslashes in the string literals of a playbook's templates: Ansible takes them as they stand.
//!
//! In `"{{ x | regex_replace('\.', '') }}"` the literal is a backslash and a dot; only template files
//! and bare expressions read escapes. Stand-ins of the same length keep every position right.

use std::borrow::Cow;

const BACKSLASH: char = '\u{1}';
const SINGLE: char = '\u{2}';
const DOUBLE: char = '\u{3}';

/// The source with the backslashes in literals inside `{{ }}` replaced by stand-ins.
pub(super) fn protect(source: &str) -> Cow<'_, str> {
    if !source.contains('\\') || !source.contains("{{") {
        return Cow::Borrowed(source);
    }
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("{{").into_iter().chain(rest.find("{%")).chain(rest.find("{#")).min() {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let (end, inside) = if tag.starts_with("{{") {
            ("}}", true)
        } else if tag.starts_with("{%") {
            ("%}", false)
        } else {
            ("#}", false)
        };
        let length = if inside { tag_end(tag, end) } else { tag.find(end).map_or(tag.len(), |i| i + end.len()) };
        let (tag, after) = tag.split_at(length);
        if inside {
            literals(tag, &mut out)
        } else {
            out.push_str(tag)
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// How long the tag is, ends in its literals not counted.
fn tag_end(tag: &str, end: &str) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (i, c) in tag.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if tag.get(i..).is_some_and(|t| t.starts_with(end)) => return i + end.len(),
            None => {}
        }
    }
    tag.len()
}

fn literals(tag: &str, out: &mut String) {
    let mut quote = None;
    let mut chars = tag.chars();
    while let Some(c) = chars.next() {
        match quote {
            Some(_) if c == '\\' => {
                out.push(BACKSLASH);
                match chars.next() {
                    Some('\\') => out.push(BACKSLASH),
                    Some('\'') => out.push(SINGLE),
                    Some('"') => out.push(DOUBLE),
                    other => out.extend(other),
                }
                continue;
            }
            Some(q) if c == q => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            _ => {}
        }
        out.push(c);
    }
}

/// A literal with the stand-ins taken out again.
pub(super) fn restore(literal: &str) -> Cow<'_, str> {
    if !literal.contains([BACKSLASH, SINGLE, DOUBLE]) {
        return Cow::Borrowed(literal);
    }
    Cow::Owned(literal.replace(BACKSLASH, "\\").replace(SINGLE, "'").replace(DOUBLE, "\""))
}
