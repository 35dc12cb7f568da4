//! Shell patterns on a host's paths, planned state included.

use std::path::{Path, PathBuf};

use crate::model::Failure;
use crate::sys::Probe;

/// Whether `text` has anything that a pattern gives a meaning to.
fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The paths that match a pattern, sorted; a path without pattern when it is there.
///
/// # Errors
/// When something cannot be looked at.
pub fn glob(host: &Probe<'_>, pattern: &str, base: Option<&str>) -> Result<Vec<PathBuf>, Failure> {
    let (mut found, rest) = match pattern.strip_prefix('/') {
        Some(rest) => (vec![PathBuf::from("/")], rest),
        None => (vec![PathBuf::from(base.unwrap_or("."))], pattern),
    };
    for part in rest.split('/').filter(|p| !p.is_empty()) {
        let mut next = Vec::new();
        for dir in found {
            if !is_pattern(part) {
                let path = dir.join(part);
                if host.lstat(&path)?.is_some() {
                    next.push(path);
                }
                continue;
            }
            next.extend(matching(host, &dir, part).into_iter().map(|name| dir.join(name)));
        }
        found = next;
    }
    Ok(found)
}

fn matching(host: &Probe<'_>, dir: &Path, pattern: &str) -> Vec<std::ffi::OsString> {
    // What is no directory, or not to be read, has nothing that matches.
    let names = host.list_dir(dir).unwrap_or_default();
    let hidden = pattern.starts_with('.');
    names
        .into_iter()
        .filter(|name| {
            let name = name.to_string_lossy();
            (hidden || !name.starts_with('.')) && fnmatch(pattern, &name)
        })
        .collect()
}

/// Whether a name matches a pattern of `*`, `?`, `[…]`, as Python's `fnmatch`.
pub fn fnmatch(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    matches(&pattern, &name)
}

fn matches(pattern: &[char], name: &[char]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return name.is_empty() };
    match first {
        '*' => (0..=name.len()).any(|skip| matches(rest, name.get(skip..).unwrap_or_default())),
        '?' => name.split_first().is_some_and(|(_, tail)| matches(rest, tail)),
        '[' => match class(rest) {
            Some((class, after)) => {
                name.split_first().is_some_and(|(c, tail)| in_class(class, *c) && matches(after, tail))
            }
            None => name.split_first().is_some_and(|(c, tail)| *c == '[' && matches(rest, tail)),
        },
        literal => name.split_first().is_some_and(|(c, tail)| c == literal && matches(rest, tail)),
    }
}

/// The inside of `[…]` and what follows it; a `]` at the start is a member.
fn class(rest: &[char]) -> Option<(&[char], &[char])> {
    let skip = usize::from(rest.first() == Some(&'!')) + 1;
    let end = rest.iter().enumerate().skip(skip).find(|(_, c)| **c == ']')?.0;
    Some((rest.get(..end)?, rest.get(end + 1..)?))
}

fn in_class(class: &[char], c: char) -> bool {
    let (negated, mut members) = match class.split_first() {
        Some(('!', rest)) => (true, rest),
        _ => (false, class),
    };
    let mut hit = false;
    while let Some((first, rest)) = members.split_first() {
        if let ['-', last, after @ ..] = rest {
            hit |= (*first..=*last).contains(&c);
            members = after;
        } else {
            hit |= *first == c;
            members = rest;
        }
    }
    hit != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_those_of_a_shell() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.confx", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[x", "[x", true),
            ("*a*b*", "xxaxxbxx", true),
        ] {
            assert_eq!(fnmatch(pattern, name), expected, "{pattern} {name}");
        }
    }
}
