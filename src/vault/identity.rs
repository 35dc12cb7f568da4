//! Identities: private keys that open what was encrypted for their public ones.

use std::sync::{Arc, OnceLock};

use age::secrecy::SecretString;
use age_core::format::{FileKey, Stanza};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use sha2_vault::{Digest, Sha256};
use zeroize::Zeroizing;

use super::keyring::{Keyring, Password, Secret};
use super::{DEFAULT_LABEL, Problem};
use crate::diag::{Diagnostic, ExitCode};

/// Asks for the passphrase of a key, under these words; nothing where nobody can be asked.
pub type Ask = Arc<dyn Fn(&str) -> Option<Password> + Send + Sync>;

/// A private key.
#[derive(Clone)]
pub struct Identity {
    /// The file it came from.
    pub name: String,
    pub(super) key: Arc<dyn age::Identity + Send + Sync>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

fn wrong(name: &str, why: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::error(format!("{name} is no identity: {why}"))
        .hint("an identity is a private key: a file of `age-keygen`, or an OpenSSH key (ed25519, RSA)")
        .exit(ExitCode::Error)
}

/// The private keys in a file: those of `age-keygen` (a passphrase may protect the file), or
/// an OpenSSH key, whose passphrase is asked for when something is encrypted for it.
///
/// # Errors
/// When there is none, or one of another kind.
pub fn identities(bytes: &[u8], name: &str, ask: &Ask) -> Result<Vec<Identity>, Diagnostic> {
    if super::detect(bytes) == Some(super::Format::Age) {
        let passphrase = ask(&format!("Passphrase of {name}"))
            .ok_or_else(|| wrong(name, "a passphrase protects it, and there is no terminal to ask on"))?;
        let secret =
            Secret { label: DEFAULT_LABEL.to_owned(), name: "the passphrase".to_owned(), password: passphrase };
        let opened = Keyring::new(vec![secret]).open(bytes).map_err(|p: Problem| p.of_file(name))?;
        return parse(&opened.plain, name, ask);
    }
    parse(bytes, name, ask)
}

fn parse(bytes: &[u8], name: &str, ask: &Ask) -> Result<Vec<Identity>, Diagnostic> {
    if bytes.starts_with(b"-----BEGIN ") {
        return ssh(bytes, name, ask).map(|key| vec![Identity { name: name.to_owned(), key }]);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| wrong(name, "it is not text"))?;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // What stands there may be secret, and is not shown.
        let key: age::x25519::Identity = line.parse().map_err(|why: &str| {
            let plugin = line.to_uppercase().starts_with("AGE-PLUGIN-");
            let why = if plugin { "age's plugins are not supported" } else { why };
            wrong(name, format!("line {} is no private key ({why})", number + 1))
        })?;
        found.push(Identity { name: name.to_owned(), key: Arc::new(key) });
    }
    if found.is_empty() { Err(wrong(name, "it is empty")) } else { Ok(found) }
}

fn ssh(bytes: &[u8], name: &str, ask: &Ask) -> Result<Arc<dyn age::Identity + Send + Sync>, Diagnostic> {
    let key = age::ssh::Identity::from_buffer(bytes, Some(name.to_owned())).map_err(|e| wrong(name, e))?;
    match key {
        age::ssh::Identity::Encrypted(key) => Ok(Arc::new(Locked {
            tag: public_tag(bytes).ok_or_else(|| wrong(name, "its public half cannot be read"))?,
            key,
            name: name.to_owned(),
            ask: Arc::clone(ask),
            unlocked: OnceLock::new(),
        })),
        age::ssh::Identity::Unsupported(_) => Err(wrong(name, "an ssh key of a kind that age does not take")),
        plain => Ok(Arc::new(plain)),
    }
}

/// An ssh key that a passphrase protects: asked for once, and only when it is needed.
struct Locked {
    tag: String,
    key: age::ssh::EncryptedKey,
    name: String,
    ask: Ask,
    unlocked: OnceLock<Option<age::ssh::Identity>>,
}

impl Locked {
    fn unlock(&self) -> Option<age::ssh::Identity> {
        let passphrase = (self.ask)(&format!("Passphrase of {}", self.name))?;
        let text = Zeroizing::new(String::from_utf8(passphrase.bytes().to_vec()).ok()?);
        self.key.decrypt(SecretString::from(text.as_str())).ok().map(age::ssh::Identity::from)
    }
}

impl age::Identity for Locked {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        if !stanza.tag.starts_with("ssh-") || stanza.args.first() != Some(&self.tag) {
            return None;
        }
        match self.unlocked.get_or_init(|| self.unlock()) {
            Some(key) => key.unwrap_stanza(stanza),
            None => Some(Err(age::DecryptError::KeyDecryptionFailed)),
        }
    }
}

/// How age names an ssh key in a header: the start of its public half's hash.
fn public_tag(pem: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(pem).ok()?;
    let body: String = text.lines().filter(|l| !l.starts_with("-----")).map(str::trim).collect();
    let bytes = BASE64_STANDARD.decode(body).ok()?;
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let mut string = || -> Option<&[u8]> {
        let (length, tail) = rest.split_at_checked(4)?;
        let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
        let (value, tail) = tail.split_at_checked(length)?;
        rest = tail;
        Some(value)
    };
    for _ in ["cipher", "kdf", "options of the kdf"] {
        string()?;
    }
    rest = rest.get(4..)?;
    let (length, tail) = rest.split_at_checked(4)?;
    let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
    let public = tail.get(..length)?;
    Some(BASE64_STANDARD_NO_PAD.encode(Sha256::digest(public).get(..4)?))
}
