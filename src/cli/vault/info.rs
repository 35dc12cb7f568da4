//! `info`: how files are encrypted and for whom, told without any key.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::disk;
use crate::cli::say;
use crate::diag::{Checked, ExitCode};
use crate::model::Source;
use crate::vault::{self, Format, Problem, find_inline};

/// Tells of files; of those below a directory, of the encrypted ones.
///
/// # Errors
/// When a file cannot be read, or is encrypted in a way that is not known.
pub fn info(files: &[PathBuf]) -> Checked<ExitCode> {
    let mut errors = Vec::new();
    for (path, named) in disk::below(files)? {
        let bytes = disk::read(&path)?;
        let name = disk::shown(&path);
        if vault::detect(&bytes).is_some() {
            match kind(&bytes) {
                Ok(words) => say(&format!("{name}: {words}")),
                Err(problem) => errors.push(problem.of_file(&name)),
            }
            continue;
        }
        match values(&name, &bytes)? {
            Some(words) => say(&format!("{name}: {words}")),
            None if named => say(&format!("{name}: not encrypted")),
            None => {}
        }
    }
    if errors.is_empty() { Ok(ExitCode::Success) } else { Err(errors) }
}

/// How a text is encrypted, in words.
fn kind(bytes: &[u8]) -> Result<String, Problem> {
    if vault::detect(bytes) == Some(Format::Ansible) {
        let header = String::from_utf8_lossy(bytes.split(|b| *b == b'\n').next().unwrap_or_default()).into_owned();
        let fields: Vec<&str> = header.trim_end().split(';').collect();
        return match fields.as_slice() {
            [_, version @ ("1.1" | "1.2"), "AES256"] => Ok(format!("ansible {version}, for a password")),
            [_, version @ "1.2", "AES256", label] => Ok(format!("ansible {version}, for the vault id `{label}`")),
            _ => Err(Problem::Unknown(format!("the header is `{header}`"))),
        };
    }
    let stanzas = vault::stanzas(bytes)?;
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for stanza in stanzas.iter().filter(|s| !s.kind.ends_with("-grease")) {
        if let ("scrypt", Some(work)) = (&*stanza.kind, stanza.args.get(1)) {
            return Ok(format!("age, for a password (scrypt, work factor {work})"));
        }
        *kinds.entry(&stanza.kind).or_default() += 1;
    }
    let count: usize = kinds.values().sum();
    let kinds: Vec<String> = kinds.iter().map(|(kind, n)| format!("{n} × {kind}")).collect();
    Ok(format!("age, for {count} recipient(s): {}", kinds.join(", ")))
}

fn values(name: &str, bytes: &[u8]) -> Checked<Option<String>> {
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.contains("!vault")) else { return Ok(None) };
    let source = Source::new(name, text);
    let Ok(values) = find_inline(&source) else { return Ok(None) };
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for value in values.iter().filter(|v| v.is_encrypted()) {
        let kind = kind(value.text.trim().as_bytes())
            .map_err(|problem| value.finding(&source, problem.to_string(), problem.hint()))?;
        *kinds.entry(kind).or_default() += 1;
    }
    let count: usize = kinds.values().sum();
    let kinds: Vec<String> = kinds.iter().map(|(kind, n)| format!("{n} × {kind}")).collect();
    Ok((count > 0).then(|| format!("{count} encrypted value(s): {}", kinds.join("; "))))
}
