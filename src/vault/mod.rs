//! The vault: encrypted files and values, in age's format and in Ansible's, and the masking
//! of what came out of them.
//!
//! Pure: bytes in, data out. Where passwords and keys come from is the caller's affair; it
//! hands them over in a [`Keyring`], which opens what is encrypted, each distinct text once.

mod agefile;
mod ansible;
mod identity;
mod inline;
mod keyring;
mod once;
mod problem;
mod recipient;
mod secrets;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use agefile::{Stanza, WORK_FACTOR, stanzas};
pub use ansible::label;
pub use identity::{Ask, Identity, identities};
pub use inline::{Edited, Inline, Put, find_inline, show_inline, take_inline, with_inline};
pub use keyring::{Keyring, Opened, Password, Secret};
pub use problem::Problem;
pub use recipient::{Recipient, recipients};
pub use secrets::{MIN_LENGTH, Mask, Secrets};

/// The label of a password that has none.
pub const DEFAULT_LABEL: &str = "default";

/// A format of encrypted texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// age, armored or binary.
    Age,
    /// Ansible's own, 1.1 and 1.2.
    Ansible,
}

impl Format {
    /// What it is called on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Ansible => "ansible",
        }
    }
}

/// The format of a text that is encrypted as a whole; nothing for other texts.
pub fn detect(bytes: &[u8]) -> Option<Format> {
    let age: [&[u8]; 2] = [agefile::MAGIC, agefile::ARMOR];
    if bytes.starts_with(ansible::MAGIC) {
        Some(Format::Ansible)
    } else {
        age.iter().any(|head| bytes.starts_with(head)).then_some(Format::Age)
    }
}

/// For whom something is encrypted.
#[derive(Clone, Copy)]
pub enum To<'a> {
    /// In age's format, for who knows the password.
    AgePassword(&'a Password),
    /// In age's format, for the owners of these keys.
    Recipients(&'a [Recipient]),
    /// In Ansible's format: the password, its label, and the salt where it is not random.
    Ansible {
        /// The password.
        password: &'a Password,
        /// Its label; the header names it unless it is [`DEFAULT_LABEL`].
        label: &'a str,
        /// The salt; random, as it should be, when it is not given.
        salt: Option<&'a [u8]>,
    },
}

/// Encrypts a text; the result is ASCII and ends in a newline.
///
/// # Errors
/// When there are no recipients, or this machine has no random numbers.
pub fn encrypt(plain: &[u8], to: To<'_>) -> Result<Vec<u8>, Problem> {
    match to {
        To::AgePassword(password) => agefile::encrypt_password(plain, password),
        To::Recipients(recipients) => agefile::encrypt(plain, recipients),
        To::Ansible { password, label, salt } => ansible::encrypt(plain, password, label, salt),
    }
}

/// What a run has of the vault: the keys, and the texts that must not be shown.
#[derive(Default)]
pub struct Vault {
    /// Opens what is encrypted.
    pub keyring: Keyring,
    /// Masks what was encrypted.
    pub secrets: Secrets,
}

impl Vault {
    /// A vault with these keys.
    pub fn new(keyring: Keyring) -> Arc<Self> {
        Arc::new(Self { keyring, secrets: Secrets::default() })
    }

    /// A file's content decrypted, and noted as secret; nothing when it is not encrypted.
    ///
    /// # Errors
    /// When no key opens it.
    pub fn content(&self, bytes: &[u8]) -> Result<Option<Arc<Opened>>, Problem> {
        if detect(bytes).is_none() {
            return Ok(None);
        }
        let opened = self.keyring.open(bytes)?;
        self.secrets.note_content(&opened.plain);
        Ok(Some(opened))
    }

    /// The text of a single encrypted value, noted as secret.
    ///
    /// # Errors
    /// When no key opens it, or it is no text.
    pub fn value(&self, ciphertext: &str) -> Result<String, Problem> {
        let text = ciphertext.trim();
        if detect(text.as_bytes()).is_none() {
            return Err(Problem::Unknown("it starts with neither `$ANSIBLE_VAULT` nor age's header".to_owned()));
        }
        let opened = self.keyring.open(text.as_bytes())?;
        let plain = String::from_utf8(opened.plain.to_vec());
        let plain = plain.map_err(|_| Problem::Damaged("it is not UTF-8 text".to_owned()))?;
        self.secrets.note(&plain);
        Ok(plain)
    }
}
