//! What one call of `rplay vault` has: keys to open with, and what to encrypt with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::options::{FormatName, Keys, Write};
use crate::cli::{ask, keys};
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::load::{Config, Environment};
use crate::vault::{self, Format, Keyring, Opened, Problem, Recipient, Secret, To};

/// Keys, options and configuration of one call.
pub struct Session<'a> {
    /// Opens things.
    pub keyring: Keyring,
    /// What the command line says of writing.
    pub write: &'a Write,
    keys: &'a Keys,
    config: &'a Config,
    environment: &'a Environment,
    ansible: bool,
}

/// With what something is encrypted.
pub enum Writer {
    /// A password, in a format.
    Password(Secret, Format, Option<Vec<u8>>),
    /// Public keys.
    Recipients(Vec<Recipient>),
}

impl Writer {
    /// Encrypts.
    ///
    /// # Errors
    /// As [`vault::encrypt`].
    pub fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, Problem> {
        vault::encrypt(
            plain,
            match self {
                Self::Password(secret, Format::Ansible, salt) => {
                    To::Ansible { password: &secret.password, label: &secret.label, salt: salt.as_deref() }
                }
                Self::Password(secret, Format::Age, _) => To::AgePassword(&secret.password),
                Self::Recipients(recipients) => To::Recipients(recipients),
            },
        )
    }
}

fn options(message: impl Into<String>, hint: &str) -> Diagnostic {
    Diagnostic::error(message).hint(hint).exit(ExitCode::Options)
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Age => Self::Age,
            FormatName::Ansible => Self::Ansible,
        }
    }
}

impl<'a> Session<'a> {
    /// The keys that options and configuration name. `new` says that passwords which are
    /// asked for are to encrypt with.
    ///
    /// # Errors
    /// When one cannot be had.
    pub fn new(
        keys: &'a Keys,
        write: &'a Write,
        config: &'a Config,
        environment: &'a Environment,
        ansible: bool,
        new: bool,
    ) -> Checked<Self> {
        let given = keys::Given {
            ids: &keys.vault_id,
            files: &keys.vault_password_file,
            ask: keys.ask_vault_pass,
            identities: &keys.identity,
            new,
        };
        let keyring = keys::keyring(&given, config, environment)?;
        Ok(Self { keyring, write, keys, config, environment, ansible })
    }

    /// Decrypts; the password is asked for when there is none yet.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&mut self, bytes: &[u8]) -> Result<Arc<Opened>, Problem> {
        match self.keyring.open(bytes) {
            Err(Problem::NoSecret(wanted)) if self.keyring.secrets().is_empty() && wants_password(bytes) => {
                let missing = || Problem::NoSecret(wanted.clone());
                let label = self.config.vault_identity.value.clone();
                let password = ask::vault_password("Vault password", false).map_err(|_| missing())?;
                self.keyring.push(Secret { name: "the password given".to_owned(), label, password });
                self.keyring.open(bytes)
            }
            other => other,
        }
    }

    /// The format that is asked for, or else the usual one.
    pub fn format(&self) -> Format {
        self.write.format.map_or(if self.ansible { Format::Ansible } else { Format::Age }, Format::from)
    }

    fn salt(&self) -> Option<Vec<u8>> {
        self.config.vault_encrypt_salt.value.as_ref().map(|salt| salt.as_bytes().to_vec())
    }

    /// The recipients that the command line names.
    ///
    /// # Errors
    /// When one is none.
    pub fn own_recipients(&self) -> Checked<Vec<Recipient>> {
        let files: Vec<PathBuf> = self.write.recipients_file.clone();
        keys::recipients(&self.write.recipient, &files)
    }

    /// The recipients of the configuration; none when there is no such file.
    ///
    /// # Errors
    /// When the file has something else in it, or is named and missing.
    pub fn usual_recipients(&self) -> Checked<Vec<Recipient>> {
        let setting = &self.config.vault_recipients;
        let files: Vec<PathBuf> =
            setting.value.iter().filter(|path| !setting.is_default() || path.is_file()).cloned().collect();
        keys::recipients(&[], &files)
    }

    /// What to encrypt new things with.
    ///
    /// # Errors
    /// When the options do not say, or contradict one another.
    pub fn writer(&mut self) -> Checked<Writer> {
        let given = self.own_recipients()?;
        let password =
            self.keys.ask_vault_pass || !self.keys.vault_id.is_empty() || !self.keys.vault_password_file.is_empty();
        if !given.is_empty() {
            if self.write.format == Some(FormatName::Ansible) {
                return Err(no_recipients_there().into());
            }
            if password {
                return Err(options(
                    "a file in age's format is encrypted for a password or for recipients, not for both",
                    "leave out one of them",
                )
                .into());
            }
            return Ok(Writer::Recipients(given));
        }
        if !password && self.format() == Format::Age {
            let usual = self.usual_recipients()?;
            if !usual.is_empty() {
                return Ok(Writer::Recipients(usual));
            }
        }
        Ok(Writer::Password(self.chosen()?, self.format(), self.salt()))
    }

    /// The password to encrypt with: the one of `--encrypt-vault-id`, or the only one there is.
    fn chosen(&mut self) -> Result<Secret, Diagnostic> {
        let wanted = self.write.encrypt_vault_id.as_ref().or(self.config.vault_encrypt_identity.value.as_ref());
        if self.keyring.secrets().is_empty() {
            let label = wanted.unwrap_or(&self.config.vault_identity.value).clone();
            let password = ask::vault_password("New Vault password", true)?;
            return Ok(Secret { name: "the password given".to_owned(), label, password });
        }
        let labels: Vec<&str> = self.keyring.secrets().iter().map(|s| s.label.as_str()).collect();
        let found = match wanted {
            Some(label) => self.keyring.secrets().iter().find(|s| s.label == *label),
            None if labels.len() == 1 => self.keyring.secrets().first(),
            None => {
                return Err(options(
                    format!("the vault ids {} could encrypt this", labels.join(",")),
                    "say which with --encrypt-vault-id",
                ));
            }
        };
        found.cloned().ok_or_else(|| {
            let wanted = wanted.map(String::as_str).unwrap_or_default();
            let known = labels.iter().map(|label| format!("'{label}'")).collect::<Vec<_>>().join(", ");
            let words =
                format!("Did not find a match for --encrypt-vault-id={wanted} in the known vault-ids [{known}]");
            options(words, "see --encrypt-vault-id").exit(ExitCode::Error)
        })
    }

    /// A password that `rekey` is to use.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn new_password(&self, id: Option<&str>, file: Option<&Path>) -> Result<Option<Secret>, Diagnostic> {
        let default = self.write.encrypt_vault_id.as_ref().unwrap_or(&self.config.vault_identity.value);
        let id = match (id, file) {
            (Some(id), _) => id.to_owned(),
            (None, Some(file)) => format!("{default}@{}", file.display()),
            (None, None) => return Ok(None),
        };
        keys::secret(&id, default, self.environment, true, &[]).map(Some)
    }

    /// A new password from the terminal.
    ///
    /// # Errors
    /// When there is none.
    pub fn asked(&self) -> Result<Secret, Diagnostic> {
        let label = self.write.encrypt_vault_id.as_ref().unwrap_or(&self.config.vault_identity.value).clone();
        let password = ask::vault_password("New Vault password", true)?;
        Ok(Secret { name: "the new password".to_owned(), label, password })
    }

    /// A password in a format, as it is written.
    pub fn with_password(&self, secret: Secret, format: Format) -> Writer {
        Writer::Password(secret, format, self.salt())
    }

    /// What encrypts like something that was opened: the same password and label, or the
    /// recipients, which such a file does not name.
    ///
    /// # Errors
    /// When there are no recipients.
    pub fn same(&self, bytes: &[u8], opened: &Opened) -> Checked<Writer> {
        let given = self.own_recipients()?;
        if !given.is_empty() {
            return Ok(Writer::Recipients(given));
        }
        if let Some(secret) = opened.password.and_then(|at| self.keyring.secrets().get(at)) {
            let mut secret = secret.clone();
            if opened.format == Format::Ansible {
                let own = vault::label(bytes).unwrap_or_else(|| vault::DEFAULT_LABEL.to_owned());
                secret.label = self.write.encrypt_vault_id.clone().unwrap_or(own);
            }
            return Ok(self.with_password(secret, opened.format));
        }
        let usual = self.usual_recipients()?;
        if usual.is_empty() {
            return Err(options(
                "it is encrypted for keys, and does not say whose; there are no recipients to encrypt it for again",
                "name them with -r or -R, or put them into vault/recipients",
            )
            .into());
        }
        Ok(Writer::Recipients(usual))
    }
}

/// Recipients and Ansible's format do not go together.
pub fn no_recipients_there() -> Diagnostic {
    options("Ansible's format knows no recipients, only passwords", "leave out --format, or -r and -R")
}

/// Whether something is encrypted for a password.
fn wants_password(bytes: &[u8]) -> bool {
    match vault::detect(bytes) {
        Some(Format::Ansible) => true,
        Some(Format::Age) => vault::stanzas(bytes).is_ok_and(|all| all.iter().any(|s| s.kind == "scrypt")),
        None => false,
    }
}
