//! Where the vault's passwords and keys come from: options, configuration, files, programs.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::ask;
use crate::diag::{Checked, Diagnostic, ExitCode, Severity};
use crate::load::{Config, Environment};
use crate::model::Source;
use crate::vault::{self, Identity, Keyring, Password, Recipient, Secret};

/// What the command line says of keys.
#[derive(Debug, Default)]
pub struct Given<'a> {
    /// `--vault-id`.
    pub ids: &'a [String],
    /// `--vault-password-file`.
    pub files: &'a [PathBuf],
    /// `--ask-vault-pass`.
    pub ask: bool,
    /// `--identity`.
    pub identities: &'a [PathBuf],
    /// Passwords are new ones, and asked for twice.
    pub new: bool,
}

impl Given<'_> {
    /// Whether a password was given here, or is to be asked for.
    pub const fn has_password(&self) -> bool {
        self.ask || !self.ids.is_empty() || !self.files.is_empty()
    }
}

/// The keys of a run: those of the configuration and of the command line.
///
/// # Errors
/// When one of them cannot be had.
pub fn keyring(given: &Given<'_>, config: &Config, environment: &Environment) -> Checked<Keyring> {
    let default = &config.vault_identity.value;
    let files = given.files.iter().chain(config.vault_password_file.value.iter());
    let files = files.map(|file| format!("{default}@{}", file.display()));
    let ids = config.vault_identity_list.value.iter().chain(given.ids).cloned().chain(files);
    let (mut secrets, mut failed) = (Vec::new(), None);
    for id in ids {
        match secret(&id, default, environment, given.new, &secrets) {
            Ok(secret) => secrets.push(secret),
            // What is asked for and not given ends it. A file may be another one's: with the rest it goes on.
            Err(finding) if asks(&id) => return Err(finding.into()),
            Err(finding) => {
                let label = parts(&id, default).0;
                let message = format!("Error getting vault password file ({label}): {}", finding.message);
                super::complain(&[Diagnostic { severity: Severity::Warning, message, ..finding.clone() }]);
                failed = Some(finding);
            }
        }
    }
    if let Some(finding) = failed.filter(|_| secrets.is_empty()) {
        return Err(finding.into());
    }
    if given.ask || config.ask_vault_pass.value && !given.has_password() {
        secrets.push(secret(&format!("{default}@prompt_ask_vault_pass"), default, environment, given.new, &secrets)?);
    }
    let mut own = Vec::new();
    for path in given.identities {
        own.extend(identities(&environment.path(&path.display().to_string(), &environment.cwd))?);
    }
    let explicit = !config.vault_identities.is_default();
    let more = config.vault_identities.value.clone();
    if explicit {
        for path in &more {
            own.extend(identities(path)?);
        }
    }
    let keyring = Keyring::new(secrets).with_identities(own).matching_labels(config.vault_id_match.value);
    if explicit {
        return Ok(keyring);
    }
    // The user's own keys are looked at when something is encrypted for keys at all.
    Ok(keyring.with_more(Box::new(move || more.iter().filter_map(|path| usual(path)).flatten().collect())))
}

/// A label and where its password comes from.
fn parts<'a>(id: &'a str, default: &'a str) -> (&'a str, &'a str) {
    match id.split_once('@') {
        Some(("", source)) => (default, source),
        Some((label, source)) => (label, source),
        None => (default, id),
    }
}

/// Whether somebody is asked for the password.
fn asks(id: &str) -> bool {
    matches!(parts(id, "").1, "prompt" | "prompt_ask_vault_pass" | "-")
}

/// What one `LABEL@SOURCE` gives. `new` passwords are asked for twice.
///
/// # Errors
/// When it gives nothing.
pub fn secret(
    id: &str,
    default: &str,
    environment: &Environment,
    new: bool,
    known: &[Secret],
) -> Result<Secret, Diagnostic> {
    let (label, source) = parts(id, default);
    let words = if new { "New Vault password" } else { "Vault password" };
    let password = match source {
        "prompt" | "prompt_ask_vault_pass" => {
            let prompt = if label == default { words.to_owned() } else { format!("{words} ({label})") };
            ask::vault_password(&prompt, new)?
        }
        "-" => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            read.map_err(|e| Diagnostic::error(format!("cannot read standard input: {e}")).exit(ExitCode::Error))?;
            trimmed(bytes, "standard input")?
        }
        path => from_file(&environment.path(path, &environment.cwd), label, known)?,
    };
    let name = match source {
        "prompt" | "prompt_ask_vault_pass" | "-" => format!("the password given for `{label}`"),
        path => format!("the password in {path} (`{label}`)"),
    };
    Ok(Secret { label: label.to_owned(), name, password })
}

/// A password from a file, or from what it prints when it is a program.
fn from_file(path: &Path, label: &str, known: &[Secret]) -> Result<Password, Diagnostic> {
    let shown = path.display().to_string();
    let wrong = |why: String| Diagnostic::error(why).exit(ExitCode::Error);
    let meta = std::fs::metadata(path).map_err(|e| {
        let finding = wrong(format!("cannot read the vault password file {shown}: {e}"));
        match crate::load::near_name(path).filter(|_| e.kind() == std::io::ErrorKind::NotFound) {
            Some(near) => finding.hint(format!("did you mean `{}`?", path.with_file_name(near).display())),
            None => finding,
        }
    })?;
    if meta.is_file() && meta.permissions().mode() & 0o111 != 0 {
        return from_program(path, label);
    }
    let bytes = std::fs::read(path).map_err(|e| wrong(format!("cannot read the vault password file {shown}: {e}")))?;
    if vault::detect(&bytes).is_some() {
        let opened = Keyring::new(known.to_vec()).open(&bytes).map_err(|problem| problem.of_file(&shown))?;
        return trimmed(opened.plain.to_vec(), &shown);
    }
    trimmed(bytes, &shown)
}

fn from_program(path: &Path, label: &str) -> Result<Password, Diagnostic> {
    let shown = path.display();
    let wrong = |why: String| {
        Diagnostic::error(why)
            .hint("an executable file is run, and prints the password; for a plain file take the permission away (`chmod -x`)")
            .exit(ExitCode::Error)
    };
    let mut command = Command::new(path);
    // Programs of that name are told which password is wanted.
    if path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("-client")) {
        command.args(["--vault-id", label]);
    }
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|e| wrong(format!("cannot run the vault password program {shown}: {e}")))?;
    if !output.status.success() {
        return Err(wrong(format!("the vault password program {shown} failed: {}", output.status)));
    }
    trimmed(output.stdout, &shown.to_string())
}

fn trimmed(mut bytes: Vec<u8>, from: &str) -> Result<Password, Diagnostic> {
    let end = bytes.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
    bytes.truncate(end);
    if bytes.is_empty() {
        return Err(Diagnostic::error(format!("{from} gives an empty vault password")).exit(ExitCode::Error));
    }
    Ok(Password::new(bytes))
}

fn ask_passphrase() -> vault::Ask {
    Arc::new(ask::passphrase)
}

fn identities(path: &Path) -> Result<Vec<Identity>, Diagnostic> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|e| Diagnostic::error(format!("cannot read the identity {name}: {e}")).exit(ExitCode::Error))?;
    vault::identities(&bytes, &name, &ask_passphrase())
}

/// A key that nobody named: it may be missing or of another kind, and no question is asked.
fn usual(path: &Path) -> Option<Vec<Identity>> {
    let bytes = std::fs::read(path).ok().filter(|bytes| vault::detect(bytes).is_none())?;
    vault::identities(&bytes, &path.display().to_string(), &ask_passphrase()).ok()
}

/// Recipients as options and configuration name them.
///
/// # Errors
/// When one is none, or a file of them cannot be read.
pub fn recipients(texts: &[String], files: &[PathBuf]) -> Checked<Vec<Recipient>> {
    let mut found = Vec::new();
    for text in texts {
        found.extend(vault::recipients(&Source::new("--recipient", text.as_str()))?);
    }
    for path in files {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| {
            Diagnostic::error(format!("cannot read the recipients file {name}: {e}")).exit(ExitCode::Error)
        })?;
        let of_file = vault::recipients(&Source::new(name.as_str(), text))?;
        if of_file.is_empty() {
            return Err(Diagnostic::error(format!("there is no recipient in {name}")).exit(ExitCode::Error).into());
        }
        found.extend(of_file);
    }
    Ok(found)
}
