//! `ansible_local`: facts that a host's administrator left in files or prints by programs.

use std::time::Duration;

use super::ini;
use crate::model::{Command, Map, Value};
use crate::modules::json;
use crate::sys::Probe;

/// Facts of all `*.fact` files in a directory, by the names of the files.
pub(super) fn local(host: &Probe<'_>, dir: &str, timeout: Duration, warnings: &mut Vec<String>) -> Map {
    let mut facts = Map::new();
    for name in host.names(dir) {
        let Some(base) = name.strip_suffix(".fact") else { continue };
        let path = format!("{dir}/{name}");
        let value = match host.stat(&path) {
            Ok(Some(stat)) if stat.mode & 0o100 != 0 => run(host, &path, timeout, warnings),
            Ok(Some(_)) => match host.read(&path) {
                Ok(bytes) => parse(&path, &bytes, warnings),
                Err(failure) => complain(failure.message, warnings),
            },
            Ok(None) => complain(
                format!("Could not stat fact ({path}): [Errno 2] No such file or directory: '{path}'"),
                warnings,
            ),
            Err(failure) => complain(format!("Could not stat fact ({path}): {failure}"), warnings),
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
    let text = std::str::from_utf8(bytes);
    if let Some(value) = text.ok().and_then(json::parse) {
        return value;
    }
    match text.map_or(Err(ini::Problem::Form), ini::parse) {
        Ok(sections) => Value::from(sections),
        Err(ini::Problem::Form) => {
            complain(format!("error loading facts as JSON or ini - please check content: {path}"), warnings)
        }
        Err(ini::Problem::Value(why)) => {
            complain(format!("error loading facts as ini - please check content: {path} ({why})"), warnings)
        }
    }
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
