//! `ansible_local`: facts that a host's administrator left in files or prints by programs.

use std::time::Duration;

use crate::model::{Command, Map, Value};
use crate::modules::json;
use crate::sys::Probe;

/// Facts of all `*.fact` files in a directory, by the names of the files.
pub(super) fn local(host: &Probe<'_>, dir: &str, timeout: Duration, warnings: &mut Vec<String>) -> Map {
    let mut facts = Map::new();
    for name in host.names(dir) {
        let Some(base) = name.strip_suffix(".fact") else { continue };
        let path = format!("{dir}/{name}");
        let Ok(Some(stat)) = host.stat(&path) else { continue };
        let value = if stat.mode & 0o100 == 0 {
            match host.read(&path) {
                Ok(bytes) => parse(&path, &bytes, warnings),
                Err(failure) => complain(failure.message, warnings),
            }
        } else {
            run(host, &path, timeout, warnings)
        };
        facts.insert(base, value);
    }
    facts
}

fn run(host: &Probe<'_>, path: &str, timeout: Duration, warnings: &mut Vec<String>) -> Value {
    match host.query_within(&Command::new(path), timeout) {
        Ok(out) if out.success() => parse(path, &out.stdout, warnings),
        Ok(out) => complain(
            format!("Failure executing fact script ({path}), rc: {}, err: {}", out.code, out.stderr_text()),
            warnings,
        ),
        Err(failure) => complain(format!("Could not execute fact script ({path}): {failure}"), warnings),
    }
}

fn complain(message: String, warnings: &mut Vec<String>) -> Value {
    warnings.push(message.clone());
    Value::from(message)
}

fn parse(path: &str, bytes: &[u8], warnings: &mut Vec<String>) -> Value {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return complain(format!("error loading fact - output of running \"{path}\" was not utf-8"), warnings);
    };
    json::parse(text).or_else(|| ini(text).map(Value::from)).unwrap_or_else(|| {
        complain(format!("error loading facts as JSON or ini - please check content: {path}"), warnings)
    })
}

/// Sections of `name = value` or `name: value`; names in lower case, as Python reads them.
fn ini(text: &str) -> Option<Map> {
    let mut sections = Map::new();
    let mut current: Option<(String, Map)> = None;
    let mut last: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            sections.extend(current.take().into_iter().collect());
            current = Some((name.to_owned(), Map::new()));
            continue;
        }
        let (_, section) = current.as_mut()?;
        if line.starts_with(char::is_whitespace)
            && let Some(Value::Str(old)) = last.as_deref().and_then(|name| section.get(name))
        {
            let joined = format!("{}\n{trimmed}", old.as_str());
            section.insert(last.clone().unwrap_or_default(), joined);
            continue;
        }
        let at = trimmed.find(['=', ':'])?;
        let (name, value) = trimmed.split_at(at);
        let name = name.trim().to_lowercase();
        section.insert(name.clone(), value.get(1..).unwrap_or_default().trim());
        last = Some(name);
    }
    sections.extend(current.into_iter().collect());
    Some(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn static_facts_are_json_or_ini() {
        let mut warnings = Vec::new();
        let facts = parse("x", b"[general]\nName = web\n; no\nlist: a\n  b\n[other]\n", &mut warnings);
        assert_eq!(facts.get("general").unwrap().get("name").unwrap().as_str(), Some("web"));
        assert_eq!(facts.get("general").unwrap().get("list").unwrap().as_str(), Some("a\nb"));
        assert!(facts.get("other").unwrap().as_map().unwrap().is_empty());
        assert_eq!(parse("x", b"{\"a\": [1]}", &mut warnings).get("a").unwrap().as_list().unwrap().len(), 1);
        assert!(warnings.is_empty());
        assert!(parse("x", b"what?", &mut warnings).as_str().unwrap().starts_with("error loading facts"));
        assert_eq!(warnings.len(), 1);
    }
}
