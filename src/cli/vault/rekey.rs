//! `rekey`: files, values in YAML files, and whole trees of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::crypt::{done, not_encrypted};
use super::disk;
use super::options::{FormatName, Rekey};
use super::session::{Session, Writer, no_recipients_there};
use crate::cli::say;
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::model::Source;
use crate::vault::{self, Format, Opened, Put, Secret, find_inline, with_inline};

/// What things are encrypted with from now on.
enum Plan {
    /// For these recipients.
    Recipients(Writer),
    /// With this password; in this format, or in the one that each thing is in.
    Password(Secret, Option<Format>),
    /// With the password that opened it, in this format.
    Same(Format),
}

/// Encrypts files anew, all or none.
///
/// # Errors
/// When one of them cannot be opened: then nothing is changed.
pub fn rekey(session: &mut Session<'_>, given: &Rekey) -> Checked<ExitCode> {
    let files = disk::below(&given.files)?;
    let mut found = Vec::new();
    for (path, named) in files {
        let bytes = disk::read(&path)?;
        let whole = vault::detect(&bytes).is_some();
        let values = !whole && std::str::from_utf8(&bytes).is_ok_and(has_values);
        if whole || values {
            found.push((path, bytes));
        } else if named {
            return Err(not_encrypted(&path).into());
        }
    }
    // The first asks for the password where there is none yet; the others do not ask again.
    if let Some((_, bytes)) = found.iter().find(|(_, bytes)| vault::detect(bytes).is_some()) {
        let _ = session.open(bytes);
    }
    let plan = plan(session, given)?;
    let results = anew(session, &plan, &found)?;
    for (path, content, words) in &results {
        disk::replace(path, content)?;
        say(&format!("{}: {words}", path.display()));
    }
    done("Rekey successful");
    Ok(ExitCode::Success)
}

fn has_values(text: &str) -> bool {
    text.contains("!vault") && (text.contains("$ANSIBLE_VAULT;") || text.contains("BEGIN AGE ENCRYPTED FILE"))
}

fn plan(session: &Session<'_>, given: &Rekey) -> Checked<Plan> {
    let format = given.write.format;
    let own = session.own_recipients()?;
    let new = session.new_password(given.new_vault_id.as_deref(), given.new_vault_password_file.as_deref())?;
    if !own.is_empty() {
        if format == Some(FormatName::Ansible) {
            return Err(no_recipients_there().into());
        }
        if new.is_some() {
            return Err(Diagnostic::error("either a new password, or recipients").exit(ExitCode::Options).into());
        }
        return Ok(Plan::Recipients(Writer::Recipients(own)));
    }
    if let Some(secret) = new {
        return Ok(Plan::Password(secret, format.map(Format::from)));
    }
    let usual = session.usual_recipients()?;
    match format {
        Some(FormatName::Ansible) => Ok(Plan::Same(Format::Ansible)),
        _ if !usual.is_empty() => Ok(Plan::Recipients(Writer::Recipients(usual))),
        Some(FormatName::Age) => Ok(Plan::Same(Format::Age)),
        None => Ok(Plan::Password(session.asked()?, None)),
    }
}

/// A file's new content, and what was done, in words.
type Done = (PathBuf, Vec<u8>, String);

/// All files anew, several at the same time: deriving keys of passwords is slow.
fn anew(session: &Session<'_>, plan: &Plan, files: &[(PathBuf, zeroize::Zeroizing<Vec<u8>>)]) -> Checked<Vec<Done>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(files.len()).max(1);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let done = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some((path, bytes)) = files.get(at) else { break };
                    let result = file(session, plan, path, bytes);
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((at, result));
                }
            });
        }
    });
    let mut all = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.sort_by_key(|(at, _)| *at);
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for (_, result) in all {
        match result {
            Ok(done) => results.push(done),
            Err(findings) => errors.extend(findings),
        }
    }
    if errors.is_empty() { Ok(results) } else { Err(errors) }
}

fn file(session: &Session<'_>, plan: &Plan, path: &Path, bytes: &[u8]) -> Checked<Done> {
    let name = disk::shown(path);
    if vault::detect(bytes).is_some() {
        let opened = session.keyring.open(bytes).map_err(|problem| problem.of_file(&name))?;
        let writer = writer(session, plan, bytes, &opened).map_err(|why| named(&name, why))?;
        let content = writer.encrypt(&opened.plain).map_err(|problem| problem.of_file(&name))?;
        return Ok((path.to_owned(), content, step(opened.format, &writer)));
    }
    let text = String::from_utf8_lossy(bytes);
    let source = Source::new(name.as_str(), text);
    let values = find_inline(&source)?;
    let (mut put, mut errors, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for value in &values {
        if !value.is_encrypted() || !value.is_block() {
            put.push(Put::Leave);
            continue;
        }
        let text = value.text.trim().as_bytes();
        let result = session
            .keyring
            .open(text)
            .map_err(|problem| value.finding(&source, format!("cannot decrypt this value: {problem}"), problem.hint()));
        let result = result.and_then(|opened| {
            let writer = writer(session, plan, text, &opened)?;
            steps.push(step(opened.format, &writer));
            writer.encrypt(&opened.plain).map_err(|problem| problem.of_file(&name))
        });
        match result {
            Ok(cipher) => put.push(Put::Cipher(String::from_utf8_lossy(&cipher).into_owned())),
            Err(finding) => errors.push(finding),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let content = with_inline(&source, &values, &put).into_bytes();
    let count = steps.len();
    steps.dedup();
    Ok((path.to_owned(), content, format!("{count} value(s), {}", steps.join(", "))))
}

fn named(name: &str, finding: Diagnostic) -> Vec<Diagnostic> {
    vec![Diagnostic { message: format!("{name}: {}", finding.message), ..finding }]
}

fn writer(session: &Session<'_>, plan: &Plan, bytes: &[u8], opened: &Arc<Opened>) -> Result<Writer, Diagnostic> {
    match plan {
        Plan::Recipients(Writer::Recipients(recipients)) => Ok(Writer::Recipients(recipients.clone())),
        Plan::Recipients(Writer::Password(secret, format, salt)) => {
            Ok(Writer::Password(secret.clone(), *format, salt.clone()))
        }
        Plan::Password(secret, format) => Ok(session.with_password(secret.clone(), format.unwrap_or(opened.format))),
        Plan::Same(format) => {
            let known = opened.password.and_then(|at| session.keyring.secrets().get(at));
            let mut secret = known.cloned().ok_or_else(|| {
                Diagnostic::error("it is encrypted for keys, and there is no password to encrypt it with now")
                    .hint("give one: --new-vault-password-file, --new-vault-id")
                    .exit(ExitCode::Options)
            })?;
            if let Some(label) = session.write.encrypt_vault_id.clone().or_else(|| vault::label(bytes)) {
                secret.label = label;
            }
            Ok(session.with_password(secret, *format))
        }
    }
}

/// From one format to the other, in words.
fn step(from: Format, to: &Writer) -> String {
    let to = match to {
        Writer::Recipients(all) => format!("age for {} recipient(s)", all.len()),
        Writer::Password(secret, Format::Ansible, _) if secret.label != vault::DEFAULT_LABEL => {
            format!("ansible, vault id `{}`", secret.label)
        }
        Writer::Password(_, format, _) => format.name().to_owned(),
    };
    format!("{} → {to}", from.name())
}
