//! Ansible's format, as its documentation describes it: versions 1.1 and 1.2, AES256.
//!
//! A header line (`$ANSIBLE_VAULT;1.2;AES256;label`), then hexadecimal lines. Decoded they are
//! three lines, hexadecimal again: salt, HMAC, ciphertext. PBKDF2 (SHA-256, 10000 rounds)
//! makes 80 bytes of the password: key, key of the HMAC, start of the counter.

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, Mac};
use sha2_vault::Sha256;
use zeroize::Zeroizing;

use super::keyring::Password;
use super::{DEFAULT_LABEL, Problem};

/// How such a text starts.
pub(super) const MAGIC: &[u8] = b"$ANSIBLE_VAULT;";
const ROUNDS: u32 = 10_000;
const BLOCK: usize = 16;
const SALT: usize = 32;
/// Characters in a line.
const WIDTH: usize = 80;

/// What is derived from password and salt.
pub(super) type Keys = Zeroizing<[u8; 80]>;

/// A text taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope {
    pub label: Option<String>,
    pub salt: Vec<u8>,
    mac: Vec<u8>,
    cipher: Vec<u8>,
}

/// The label (vault id) in the header; nothing where there is none.
pub fn label(bytes: &[u8]) -> Option<String> {
    let line = bytes.split(|b| *b == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    line.trim_end().split(';').nth(3).map(str::to_owned)
}

/// Takes a text apart.
pub(super) fn parse(bytes: &[u8]) -> Result<Envelope, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::Damaged("it has bytes that are no ASCII".to_owned()))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().trim_end().split(';').collect();
    let label = match header.as_slice() {
        [_, "1.1" | "1.2", "AES256"] => None,
        [_, "1.2", "AES256", label] => Some((*label).to_owned()),
        _ => return Err(Problem::Unknown(format!("the header is `{}`", header.join(";")))),
    };
    let body: String = lines.map(str::trim).collect();
    let inner = unhex(body.as_bytes()).map_err(|why| Problem::Damaged(why.to_owned()))?;
    let parts: Vec<&[u8]> = inner.split(|b| *b == b'\n').collect();
    let [salt, mac, cipher] = parts.as_slice() else {
        return Err(Problem::Damaged("salt, HMAC and data are not all there".to_owned()));
    };
    let part =
        |hex: &[u8], what: &str| unhex(hex).map_err(|why| Problem::Damaged(format!("{what} is not whole: {why}")));
    let envelope = Envelope {
        label,
        salt: part(salt, "the salt")?,
        mac: part(mac, "the HMAC")?,
        cipher: part(cipher, "the data")?,
    };
    if envelope.cipher.is_empty() || !envelope.cipher.len().is_multiple_of(BLOCK) || envelope.mac.len() != 32 {
        return Err(Problem::Damaged("its length is not that of whole blocks".to_owned()));
    }
    Ok(envelope)
}

/// The keys of a password with a salt: the slow part.
pub(super) fn derive(password: &Password, salt: &[u8]) -> Keys {
    let mut keys = Zeroizing::new([0; 80]);
    pbkdf2::pbkdf2_hmac::<Sha256>(password.bytes(), salt, ROUNDS, keys.as_mut_slice());
    keys
}

/// The plain text, when these are its keys: nothing when the HMAC does not agree.
///
/// # Errors
/// When it was encrypted wrongly.
pub(super) fn open(envelope: &Envelope, keys: &Keys) -> Result<Option<Zeroizing<Vec<u8>>>, Problem> {
    let (_, authentic, _) = split(keys);
    let mut mac = hmac_of(authentic)?;
    mac.update(&envelope.cipher);
    if mac.verify_slice(&envelope.mac).is_err() {
        return Ok(None);
    }
    let mut plain = Zeroizing::new(envelope.cipher.clone());
    apply(keys, &mut plain)?;
    let bad = || Problem::Damaged("its padding is wrong".to_owned());
    let pad = usize::from(*plain.last().ok_or_else(bad)?);
    let keep = plain.len().checked_sub(pad).filter(|_| (1..=BLOCK).contains(&pad)).ok_or_else(bad)?;
    if plain.get(keep..).is_none_or(|tail| tail.iter().any(|b| usize::from(*b) != pad)) {
        return Err(bad());
    }
    plain.truncate(keep);
    Ok(Some(plain))
}

/// Encrypts; the label stands in the header unless it is the default one.
pub(super) fn encrypt(plain: &[u8], password: &Password, label: &str, salt: Option<&[u8]>) -> Result<Vec<u8>, Problem> {
    if label.contains([';', '\n']) {
        return Err(Problem::Encrypt(format!("the vault id `{label}` cannot stand in a header")));
    }
    let salt = match salt {
        Some(given) => given.to_vec(),
        None => {
            let mut random = vec![0; SALT];
            getrandom::fill(&mut random).map_err(|e| Problem::Encrypt(e.to_string()))?;
            random
        }
    };
    let keys = derive(password, &salt);
    let pad = BLOCK - plain.len() % BLOCK;
    let mut cipher = Zeroizing::new(Vec::with_capacity(plain.len() + pad));
    cipher.extend_from_slice(plain);
    cipher.extend(std::iter::repeat_n(u8::try_from(pad).unwrap_or(0), pad));
    apply(&keys, &mut cipher)?;
    let (_, authentic, _) = split(&keys);
    let mut mac = hmac_of(authentic)?;
    mac.update(&cipher);
    let inner = [hex(&salt), hex(&mac.finalize().into_bytes()), hex(&cipher)].join("\n");
    let body = hex(inner.as_bytes());
    let mut out = match label {
        DEFAULT_LABEL => "$ANSIBLE_VAULT;1.1;AES256\n".to_owned(),
        label => format!("$ANSIBLE_VAULT;1.2;AES256;{label}\n"),
    };
    for line in body.as_bytes().chunks(WIDTH) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    Ok(out.into_bytes())
}

/// Key, key of the HMAC, start of the counter.
fn split(keys: &Keys) -> (&[u8], &[u8], &[u8]) {
    let (key, rest) = keys.split_at(32);
    let (authentic, start) = rest.split_at(32);
    (key, authentic, start)
}

fn hmac_of(key: &[u8]) -> Result<Hmac<Sha256>, Problem> {
    <Hmac<Sha256> as Mac>::new_from_slice(key).map_err(|e| Problem::Encrypt(e.to_string()))
}

/// The cipher is its own inverse.
fn apply(keys: &Keys, data: &mut [u8]) -> Result<(), Problem> {
    let (key, _, start) = split(keys);
    let mut cipher = Ctr128BE::<Aes256>::new_from_slices(key, start).map_err(|e| Problem::Encrypt(e.to_string()))?;
    cipher.apply_keystream(data);
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| DIGITS.get(usize::from(n)).copied().map_or('0', char::from);
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// The bytes that hexadecimal digits stand for, or why they do not, in Ansible's words.
fn unhex(text: &[u8]) -> Result<Vec<u8>, &'static str> {
    if !text.len().is_multiple_of(2) {
        return Err("Vault format unhexlify error: Odd-length string");
    }
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect::<Option<_>>().ok_or("Vault format unhexlify error: Non-hexadecimal digit found")
}
