//! age's format: written armored, read armored and binary.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Encryptor};
use age_core::format::{FILE_KEY_BYTES, FileKey};
use age_core::primitives::aead_decrypt;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use zeroize::{Zeroize, Zeroizing};

use super::keyring::{Keyring, Password};
use super::{Problem, Recipient};

/// How a binary file starts.
pub(super) const MAGIC: &[u8] = b"age-encryption.org/v1\n";
/// How an armored one does.
pub(super) const ARMOR: &[u8] = b"-----BEGIN AGE ENCRYPTED FILE-----";

/// The exponent of the work that a password costs, here and who guesses it: 128 MiB and a
/// few tenths of a second.
pub const WORK_FACTOR: u8 = 17;
/// The highest exponent that is accepted: 1 GiB and some seconds. More is an attack.
pub(super) const MOST_WORK: u8 = 20;
/// Work above this is done one at a time, for its memory.
pub(super) const HEAVY: u8 = 17;

/// Enough for the header of some ten thousand recipients.
const MOST_HEADER: u64 = 4 << 20;

/// For whom a file is: a line of its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stanza {
    /// `X25519`, `scrypt`, `ssh-ed25519`, `ssh-rsa`, …
    pub kind: String,
    /// What follows the kind.
    pub args: Vec<String>,
}

/// For whom a file is, as its header says without any key.
///
/// # Errors
/// When it has no such header.
pub fn stanzas(bytes: &[u8]) -> Result<Vec<Stanza>, Problem> {
    let mut header = Vec::new();
    if bytes.starts_with(MAGIC) {
        header.extend_from_slice(bytes);
    } else {
        // What comes after the header need not be well-formed for this.
        let _ = ArmoredReader::new(bytes).take(MOST_HEADER).read_to_end(&mut header);
    }
    let mut lines = header.split(|b| *b == b'\n').map(String::from_utf8_lossy);
    let first = lines.next().unwrap_or_default();
    if first != "age-encryption.org/v1" {
        return Err(Problem::Unknown(format!("the header is `{}`", first.chars().take(40).collect::<String>())));
    }
    let mut found = Vec::new();
    for line in lines {
        if line.starts_with("---") {
            return Ok(found);
        }
        if let Some(rest) = line.strip_prefix("-> ") {
            let mut words = rest.split(' ').map(str::to_owned);
            found.push(Stanza { kind: words.next().unwrap_or_default(), args: words.collect() });
        }
    }
    Err(Problem::Damaged("its header has no end".to_owned()))
}

/// For whom a file is, in words.
pub(super) fn wanted(stanzas: &[Stanza]) -> String {
    let kinds: Vec<&str> = stanzas.iter().map(|s| s.kind.as_str()).filter(|k| !k.ends_with("-grease")).collect();
    match kinds.as_slice() {
        ["scrypt"] => "a password".to_owned(),
        [one] => format!("the owner of a key ({one})"),
        many => format!("the owners of {} keys ({})", many.len(), many.join(", ")),
    }
}

/// Encrypts for a password.
pub(super) fn encrypt_password(plain: &[u8], password: &Password) -> Result<Vec<u8>, Problem> {
    let text = std::str::from_utf8(password.bytes());
    let text = text.map_err(|_| Problem::Encrypt("a password for age must be UTF-8 text".to_owned()))?;
    let mut recipient = age::scrypt::Recipient::new(SecretString::from(text));
    recipient.set_work_factor(WORK_FACTOR);
    write(plain, [&recipient as &dyn age::Recipient].into_iter())
}

/// Encrypts for the owners of keys.
pub(super) fn encrypt(plain: &[u8], recipients: &[Recipient]) -> Result<Vec<u8>, Problem> {
    write(plain, recipients.iter().map(|r| &*r.key as &dyn age::Recipient))
}

fn write<'a>(plain: &[u8], recipients: impl Iterator<Item = &'a dyn age::Recipient>) -> Result<Vec<u8>, Problem> {
    let encryptor = Encryptor::with_recipients(recipients).map_err(|e| match e {
        age::EncryptError::MissingRecipients => Problem::Encrypt("there are no recipients".to_owned()),
        other => Problem::Encrypt(other.to_string()),
    })?;
    let failed = |e: std::io::Error| Problem::Encrypt(e.to_string());
    let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).map_err(failed)?;
    let mut out = encryptor.wrap_output(armor).map_err(failed)?;
    out.write_all(plain).map_err(failed)?;
    out.finish().and_then(ArmoredWriter::finish).map_err(failed)
}

/// The plain text, and the number of the password that opened it; all of it is verified
/// before any of it is returned.
pub(super) fn open(bytes: &[u8], keyring: &Keyring) -> Result<(Zeroizing<Vec<u8>>, Option<usize>), Problem> {
    let header = stanzas(bytes)?;
    let damaged = |e: DecryptError| problem(&e, keyring, &header);
    let decryptor = Decryptor::new(ArmoredReader::new(bytes)).map_err(damaged)?;
    let passwords = Passwords { keyring, used: AtomicUsize::new(usize::MAX) };
    let mut all: Vec<&dyn age::Identity> = vec![&passwords];
    if !decryptor.is_scrypt() {
        all.extend(keyring.identities().map(|identity| &*identity.key as &dyn age::Identity));
    }
    let mut reader = decryptor.decrypt(all.into_iter()).map_err(damaged)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader.read_to_end(&mut plain).map_err(|e| Problem::Damaged(e.to_string()))?;
    let used = passwords.used.load(Ordering::Relaxed);
    Ok((plain, (used != usize::MAX).then_some(used)))
}

fn problem(error: &DecryptError, keyring: &Keyring, header: &[Stanza]) -> Problem {
    match error {
        DecryptError::NoMatchingKeys => {
            let scrypt = header.iter().any(|s| s.kind == "scrypt");
            let tried = if scrypt { keyring.password_names() } else { keyring.identity_names() };
            if tried.is_empty() {
                Problem::NoSecret(wanted(header))
            } else {
                Problem::WrongSecret { wanted: wanted(header), tried }
            }
        }
        DecryptError::KeyDecryptionFailed => Problem::WrongSecret {
            wanted: wanted(header),
            tried: vec!["a private key whose passphrase was wrong or not given".to_owned()],
        },
        DecryptError::ExcessiveWork { required, .. } => Problem::Work(*required, MOST_WORK),
        DecryptError::InvalidMac => Problem::Damaged("its header does not agree with its key".to_owned()),
        DecryptError::Io(e) => Problem::Damaged(e.to_string()),
        DecryptError::UnknownFormat => Problem::Unknown("another version of age".to_owned()),
        _ => Problem::Damaged("its header is malformed".to_owned()),
    }
}

/// Passwords as age sees them: their keys are derived once for each salt.
struct Passwords<'a> {
    keyring: &'a Keyring,
    used: AtomicUsize,
}

impl age::Identity for Passwords<'_> {
    fn unwrap_stanza(&self, stanza: &age_core::format::Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != "scrypt" {
            return None;
        }
        let [salt, work] = stanza.args.as_slice() else { return Some(Err(DecryptError::InvalidHeader)) };
        let salt = BASE64_STANDARD_NO_PAD.decode(salt).ok().filter(|s| s.len() == 16);
        let plain = !work.starts_with('0') && work.bytes().all(|c| c.is_ascii_digit());
        let (Some(salt), Some(work)) = (salt, work.parse::<u8>().ok().filter(|_| plain)) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        if work > MOST_WORK {
            return Some(Err(DecryptError::ExcessiveWork { required: work, target: MOST_WORK }));
        }
        (0..self.keyring.secrets().len()).find_map(|at| {
            let key = self.keyring.scrypt_key(at, &salt, work)?;
            let mut bytes = aead_decrypt(&key, FILE_KEY_BYTES, &stanza.body).ok()?;
            self.used.store(at, Ordering::Relaxed);
            let file_key = FileKey::try_init_with_mut(|into| {
                if bytes.len() == into.len() {
                    into.copy_from_slice(&bytes);
                    Ok(())
                } else {
                    Err(DecryptError::InvalidHeader)
                }
            });
            bytes.zeroize();
            Some(file_key)
        })
    }
}

/// The key that a password gives with a salt and a work factor: the slow part.
pub(super) fn derive(password: &Password, salt: &[u8], work: u8) -> Option<Zeroizing<[u8; 32]>> {
    let params = scrypt::Params::new(work, 8, 1, 32).ok()?;
    let salt = [b"age-encryption.org/v1/scrypt", salt].concat();
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(password.bytes(), &salt, &params, key.as_mut_slice()).ok()?;
    Some(key)
}
