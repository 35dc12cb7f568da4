//! Passwords and private keys, and opening things with them.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sha2_vault::{Digest, Sha256};
use zeroize::Zeroizing;

use super::once::Once;
use super::{Format, Identity, Problem, agefile, ansible, detect};

/// A password; wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// A password of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(crate::model::MASK)
    }
}

/// A password with its names.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The vault id.
    pub label: String,
    /// What it is called in messages: `the password in FILE`.
    pub name: String,
    /// The password.
    pub password: Password,
}

/// What was decrypted.
pub struct Opened {
    /// The plain text; wiped from memory when it is dropped.
    pub plain: Zeroizing<Vec<u8>>,
    /// The format that it was in.
    pub format: Format,
    /// The number of the password that opened it; nothing when it was a private key.
    pub password: Option<usize>,
}

/// What scrypt makes of a password and a salt.
type ScryptKey = Arc<Zeroizing<[u8; 32]>>;

/// Finds private keys, when they are needed.
type Finder = Box<dyn Fn() -> Vec<Identity> + Send + Sync>;

/// Passwords and private keys.
#[derive(Default)]
pub struct Keyring {
    secrets: Vec<Secret>,
    identities: Vec<Identity>,
    more: Option<Finder>,
    found: OnceLock<Vec<Identity>>,
    match_labels: bool,
    ansible_keys: Once<(usize, Vec<u8>), Arc<ansible::Keys>>,
    scrypt_keys: Once<(usize, Vec<u8>, u8), Option<ScryptKey>>,
    /// By the hash of what is encrypted.
    opened: Once<[u8; 32], Result<Arc<Opened>, Problem>>,
    heavy: Mutex<()>,
}

impl Keyring {
    /// A keyring with these passwords, tried in their order.
    pub fn new(secrets: Vec<Secret>) -> Self {
        Self { secrets, ..Self::default() }
    }

    /// Adds private keys.
    #[must_use]
    pub fn with_identities(mut self, identities: Vec<Identity>) -> Self {
        self.identities = identities;
        self
    }

    /// Says where to find more private keys, after all others.
    #[must_use]
    pub fn with_more(mut self, more: Finder) -> Self {
        self.more = Some(more);
        self
    }

    /// Whether a text with a label is opened only by passwords of that label.
    #[must_use]
    pub const fn matching_labels(mut self, only: bool) -> Self {
        self.match_labels = only;
        self
    }

    /// Adds a password, after the others; what could not be opened before is tried again.
    pub fn push(&mut self, secret: Secret) {
        self.secrets.push(secret);
        self.opened = Once::default();
    }

    /// The passwords.
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    pub(super) fn identities(&self) -> impl Iterator<Item = &Identity> {
        let more = self.more.as_ref().map(|find| self.found.get_or_init(find));
        self.identities.iter().chain(more.into_iter().flatten())
    }

    pub(super) fn password_names(&self) -> Vec<String> {
        self.secrets.iter().map(|s| s.name.clone()).collect()
    }

    pub(super) fn identity_names(&self) -> Vec<String> {
        self.identities().map(|i| i.name.clone()).collect()
    }

    pub(super) fn scrypt_key(&self, at: usize, salt: &[u8], work: u8) -> Option<ScryptKey> {
        let secret = self.secrets.get(at)?;
        self.scrypt_keys.get((at, salt.to_vec(), work), || {
            let _one = (work > agefile::HEAVY).then(|| self.heavy.lock().unwrap_or_else(PoisonError::into_inner));
            agefile::derive(&secret.password, salt, work).map(Arc::new)
        })
    }

    /// How many keys were derived from passwords: the slow part of opening things.
    pub fn derivations(&self) -> usize {
        self.ansible_keys.len() + self.scrypt_keys.len()
    }

    /// Decrypts a text; each distinct one once.
    ///
    /// # Errors
    /// When nothing here opens it, or it is no whole encrypted text. Nothing of a text that
    /// was altered is returned.
    pub fn open(&self, bytes: &[u8]) -> Result<Arc<Opened>, Problem> {
        self.opened.get(Sha256::digest(bytes).into(), || self.try_open(bytes).map(Arc::new))
    }

    fn try_open(&self, bytes: &[u8]) -> Result<Opened, Problem> {
        match detect(bytes) {
            Some(Format::Age) => {
                let (plain, password) = agefile::open(bytes, self)?;
                Ok(Opened { plain, format: Format::Age, password })
            }
            Some(Format::Ansible) => self.open_ansible(bytes),
            None => Err(Problem::Unknown("it is not encrypted".to_owned())),
        }
    }

    fn open_ansible(&self, bytes: &[u8]) -> Result<Opened, Problem> {
        let envelope = ansible::parse(bytes)?;
        let label = envelope.label.as_deref();
        let (matching, others): (Vec<usize>, Vec<usize>) =
            (0..self.secrets.len()).partition(|at| self.secrets.get(*at).is_some_and(|s| Some(&*s.label) == label));
        let strict = self.match_labels && label.is_some();
        let mut tried = Vec::new();
        for at in matching.into_iter().chain(others.into_iter().filter(|_| !strict)) {
            let Some(secret) = self.secrets.get(at) else { continue };
            let salt = envelope.salt.clone();
            let keys =
                self.ansible_keys.get((at, salt), || Arc::new(ansible::derive(&secret.password, &envelope.salt)));
            if let Some(plain) = ansible::open(&envelope, &keys)? {
                return Ok(Opened { plain, format: Format::Ansible, password: Some(at) });
            }
            tried.push(secret.name.clone());
        }
        let wanted = label.map_or_else(|| "a password".to_owned(), |label| format!("the vault id `{label}`"));
        Err(if tried.is_empty() { Problem::NoSecret(wanted) } else { Problem::WrongSecret { wanted, tried } })
    }
}
