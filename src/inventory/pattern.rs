//! Host patterns: `web:&prod:!db`, `~regex`, `web[0:2]`, and `--limit`.

use std::collections::HashSet;

use fancy_regex::Regex;

use super::{Inventory, LOCALHOST};
use crate::diag::{Checked, Diagnostic};

/// The hosts that a pattern means.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selection {
    /// Their names, in the order in which Ansible takes them.
    pub hosts: Vec<String>,
    /// Parts of the pattern that match nothing.
    pub warnings: Vec<Diagnostic>,
}

/// The limit that a file for `--limit @file` holds: one pattern a line.
pub fn limit_from_file(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
    lines.join(",")
}

/// Evaluates a pattern and a limit.
pub(super) fn select(inventory: &Inventory, pattern: &str, limit: Option<&str>) -> Checked<Selection> {
    let mut selection = Selection::default();
    let hosts = evaluate(inventory, pattern, &mut selection.warnings)?;
    let Some(limit) = limit.filter(|l| l.split(',').any(|part| !part.trim().is_empty())) else {
        selection.hosts = hosts;
        return Ok(selection);
    };
    let kept: HashSet<String> = evaluate(inventory, limit, &mut selection.warnings)?.into_iter().collect();
    selection.hosts = hosts.into_iter().filter(|h| kept.contains(h)).collect();
    Ok(selection)
}

/// Ordinary parts are united first, then the `&` parts intersect, then the `!` parts take away.
fn evaluate(inventory: &Inventory, pattern: &str, warnings: &mut Vec<Diagnostic>) -> Checked<Vec<String>> {
    let parts = split_pattern(pattern);
    let plain: Vec<&str> = parts.iter().map(String::as_str).filter(|p| !p.starts_with(['&', '!'])).collect();
    let mut hosts: Vec<String> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    // With nothing but `!db`, it is all that is not in db.
    let plain = if plain.is_empty() && !parts.is_empty() { vec![super::ALL] } else { plain };
    for part in plain {
        let found = matching(inventory, part, warnings)?;
        hosts.extend(found.into_iter().filter(|h| seen.insert(h.clone())));
    }
    for part in parts.iter().filter_map(|p| p.strip_prefix('&')) {
        let kept: HashSet<String> = matching(inventory, part, warnings)?.into_iter().collect();
        hosts.retain(|h| kept.contains(h));
    }
    for part in parts.iter().filter_map(|p| p.strip_prefix('!')) {
        let gone: HashSet<String> = matching(inventory, part, warnings)?.into_iter().collect();
        hosts.retain(|h| !gone.contains(h));
    }
    Ok(hosts)
}

/// Parts are separated by commas; without any, by colons and spaces outside of brackets.
pub fn split_pattern(pattern: &str) -> Vec<String> {
    if pattern.contains(',') {
        return pattern.split(',').map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect();
    }
    let whole = pattern.trim();
    let is_ipv6 = whole.parse::<std::net::Ipv6Addr>().is_ok();
    let has_port = whole.split_once(':').is_some_and(|(host, port)| {
        !host.starts_with(['&', '!', '~']) && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
    });
    if is_ipv6 || has_port {
        return vec![whole.to_owned()];
    }
    let (mut parts, mut current, mut bracket) = (Vec::new(), String::new(), false);
    for c in whole.chars() {
        match c {
            '[' => bracket = true,
            ']' => bracket = false,
            _ => {}
        }
        if !bracket && (c == ':' || c.is_whitespace()) {
            parts.push(std::mem::take(&mut current));
        } else {
            current.push(c);
        }
    }
    parts.push(current);
    parts.into_iter().filter(|p| !p.is_empty()).collect()
}

/// The hosts of one part, without its `&` or `!`.
fn matching(inventory: &Inventory, part: &str, warnings: &mut Vec<Diagnostic>) -> Checked<Vec<String>> {
    let (name, subscript) = if part.starts_with('~') { (part, None) } else { subscript(part) };
    let hosts = named(inventory, name, warnings)?;
    let Some(subscript) = subscript else { return Ok(hosts) };
    let picked = subscript.pick(&hosts);
    if picked.is_empty() && !hosts.is_empty() {
        warnings.push(Diagnostic::warning(format!("`{part}` matches nothing: `{name}` has {} hosts", hosts.len())));
    }
    Ok(picked)
}

/// The hosts of groups and hosts that a name, wildcard or regular expression matches.
fn named(inventory: &Inventory, name: &str, warnings: &mut Vec<Diagnostic>) -> Checked<Vec<String>> {
    let matcher = Matcher::new(name)?;
    let mut hosts: Vec<String> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    let mut any_group = false;
    for group in inventory.groups().filter(|g| matcher.matches(&g.name)) {
        any_group = true;
        hosts.extend(inventory.group_hosts(&group.name).into_iter().filter(|h| seen.insert(h)).map(str::to_owned));
    }
    if !any_group || name.starts_with('~') || name.contains(['.', '?', '*', '[']) {
        let found = inventory.hosts().filter(|h| matcher.matches(&h.name)).filter(|h| seen.insert(&h.name));
        hosts.extend(found.map(|h| h.name.clone()));
    }
    if hosts.is_empty() && LOCALHOST.contains(&name) {
        return Ok(vec![name.to_owned()]);
    }
    if hosts.is_empty() && !any_group && name != super::ALL {
        let known = inventory.groups().map(|g| g.name.as_str()).chain(inventory.hosts().map(|h| h.name.as_str()));
        warnings.push(
            Diagnostic::warning(format!("Could not match supplied host pattern, ignoring: {name}"))
                .label("matches nothing")
                .suggest(name, known),
        );
    }
    Ok(hosts)
}

/// How names are compared.
enum Matcher<'a> {
    Exact(&'a str),
    Regex(Regex),
}

impl<'a> Matcher<'a> {
    fn new(pattern: &'a str) -> Checked<Self> {
        let regex = match pattern.strip_prefix('~') {
            // Python's `match` holds at the start of the name, not in its middle.
            Some(regex) => format!("^(?:{regex})"),
            None if pattern.contains(['*', '?', '[']) => glob(pattern),
            None => return Ok(Self::Exact(pattern)),
        };
        Regex::new(&regex).map(Self::Regex).map_err(|error| {
            Diagnostic::error(format!("the host pattern `{pattern}` is no valid regular expression: {error}")).into()
        })
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => *exact == name,
            Self::Regex(regex) => regex.is_match(name).unwrap_or(false),
        }
    }
}

/// A shell wildcard as a regular expression: `*`, `?`, `[abc]`, `[!abc]`.
fn glob(pattern: &str) -> String {
    let mut regex = String::from("^(?s:");
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or("");
        match c {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => match class(rest) {
                Some((class, after)) => {
                    regex.push_str(&class);
                    rest = after;
                }
                None => regex.push_str("\\["),
            },
            _ => regex.push_str(&fancy_regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    regex + ")$"
}

/// The class that starts after `[`, and what follows it.
fn class(rest: &str) -> Option<(String, &str)> {
    let (negated, body) = rest.strip_prefix('!').map_or((false, rest), |body| (true, body));
    // A bracket right at the start stands for itself.
    let from = body.chars().next().map_or(0, char::len_utf8);
    let end = from + body.get(from..)?.find(']')?;
    let members: String = body
        .get(..end)?
        .chars()
        .flat_map(|c| if c.is_alphanumeric() || c == '-' { vec![c] } else { vec!['\\', c] })
        .collect();
    Some((format!("[{}{members}]", if negated { "^" } else { "" }), body.get(end + 1..)?))
}

/// `[2]`, `[-1]`, `[0:2]` (the last one included), `[1:]`.
#[derive(Debug, PartialEq)]
enum Subscript {
    One(i64),
    Range(usize, Option<usize>),
}

fn subscript(part: &str) -> (&str, Option<Subscript>) {
    let found = || {
        let (name, inner) = part.strip_suffix(']')?.rsplit_once('[')?;
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        let subscript = match inner.split_once([':', '-']).filter(|(first, _)| digits(first)) {
            Some((first, "")) => Subscript::Range(first.parse().ok()?, None),
            Some((first, last)) if digits(last) => Subscript::Range(first.parse().ok()?, Some(last.parse().ok()?)),
            Some(_) => return None,
            None if digits(inner.strip_prefix('-').unwrap_or(inner)) => Subscript::One(inner.parse().ok()?),
            None => return None,
        };
        (!name.is_empty()).then_some((name, subscript))
    };
    found().map_or((part, None), |(name, subscript)| (name, Some(subscript)))
}

impl Subscript {
    fn pick(&self, hosts: &[String]) -> Vec<String> {
        let one = |at: usize| hosts.get(at).cloned().into_iter().collect();
        match *self {
            Self::One(at) if at < 0 => {
                let back = usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX);
                hosts.len().checked_sub(back).map(one).unwrap_or_default()
            }
            Self::One(at) => usize::try_from(at).map(one).unwrap_or_default(),
            // Ansible takes an end of 0 for no range.
            Self::Range(first, Some(0)) => one(first),
            Self::Range(first, last) => {
                let count = last.map_or(usize::MAX, |last| last.saturating_add(1).saturating_sub(first));
                hosts.iter().skip(first).take(count).cloned().collect()
            }
        }
    }
}
