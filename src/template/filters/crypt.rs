//! `password_hash`: the schemes of `crypt(3)`.

use base64::Engine as _;
use md5::{Digest, Md5};
use sha2::{Sha256, Sha512};

use super::Row;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[("password_hash", "hashtype? salt? salt_size? rounds? ident?", password_hash)];

/// The letters of `crypt(3)`, in their order.
const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How a password is hashed; what is not given has the scheme's default.
#[derive(Default)]
pub(in crate::template) struct Scheme {
    pub name: String,
    pub salt: Option<String>,
    pub salt_size: Option<usize>,
    pub rounds: Option<u32>,
    pub ident: Option<String>,
}

fn refuse(words: impl std::fmt::Display) -> Error {
    Error::new(format!("Could not hash the secret: {words}"))
}

fn letter(value: u32) -> char {
    char::from(LETTERS.get((value & 63) as usize).copied().unwrap_or(b'.'))
}

/// Random letters of `crypt(3)`.
pub(in crate::template) fn random_salt(size: usize) -> R<String> {
    let mut bytes = vec![0; size];
    getrandom::fill(&mut bytes).map_err(|e| refuse(format!("no random numbers: {e}")))?;
    Ok(bytes.iter().map(|b| letter(u32::from(*b))).collect())
}

fn password_hash(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let Val::Str(secret) = &input else {
        return Err(Error::new(format!("secret must be unicode or bytes, not {}", input.type_name())));
    };
    let text = |ev: &mut Eval, name: &str| match args.get(name) {
        None | Some(Val::Null) => Ok(None),
        Some(v) => ev.text(v).map(Some),
    };
    let salt_size = args.int("salt_size", -1).map_err(|_| Error::new("salt_size must be an integer"))?;
    let scheme = Scheme {
        name: text(ev, "hashtype")?.unwrap_or_else(|| "sha512".to_owned()),
        salt: text(ev, "salt")?,
        salt_size: usize::try_from(salt_size).ok(),
        rounds: u32::try_from(args.int("rounds", -1)?).ok(),
        ident: text(ev, "ident")?,
    };
    scheme.hash(secret).map(Val::str)
}

impl Scheme {
    /// The hash of a password, as it stands in `/etc/shadow`.
    pub fn hash(&self, secret: &str) -> R<String> {
        let name = self.name.as_str();
        let (most, default) = match name {
            "md5" | "md5_crypt" => (8, 0),
            "sha256" | "sha256_crypt" => (16, 535_000),
            "sha512" | "sha512_crypt" => (16, 656_000),
            "blowfish" | "bcrypt" => (22, 12),
            _ => {
                return Err(Error::new(format!(
                    "{name} is not in the list of supported passlib algorithms: md5, blowfish, sha256, sha512"
                )));
            }
        };
        let rounds = self.rounds.unwrap_or(default);
        let full = if name.ends_with("_crypt") || name == "bcrypt" { name.to_owned() } else { format!("{name}_crypt") };
        let salt = match &self.salt {
            Some(salt) => salt.clone(),
            None => random_salt(self.salt_size.unwrap_or(most).min(most))?,
        };
        if !salt.bytes().all(|b| LETTERS.contains(&b)) {
            return Err(refuse(format!("invalid characters in {full} salt")));
        }
        if salt.len() > most {
            return Err(refuse(format!("salt too large ({full} requires <= {most} chars)")));
        }
        match name {
            "blowfish" | "bcrypt" => blowfish(secret, &salt, rounds, self.ident.as_deref()),
            "md5" | "md5_crypt" => Ok(md5_crypt(secret.as_bytes(), &salt)),
            _ => {
                if rounds < 1000 {
                    return Err(refuse(format!(
                        "{full}: min_desired_rounds ({rounds}) is too low, must be at least 1000"
                    )));
                }
                if rounds > 999_999_999 {
                    return Err(refuse(format!(
                        "{full}: max_desired_rounds ({rounds}) is too high, must be at most 999999999"
                    )));
                }
                let shown = if rounds == 5000 { String::new() } else { format!("rounds={rounds}$") };
                let secret = secret.as_bytes();
                Ok(if full == "sha512_crypt" {
                    let bytes = sha_crypt::<Sha512>(secret, salt.as_bytes(), rounds);
                    format!("$6${shown}{salt}${}", encode(&bytes, &order_512()))
                } else {
                    let bytes = sha_crypt::<Sha256>(secret, salt.as_bytes(), rounds);
                    format!("$5${shown}{salt}${}", encode(&bytes, &order_256()))
                })
            }
        }
    }
}

/// bcrypt has its own letters, and 22 of them are 16 bytes.
fn blowfish(secret: &str, salt: &str, rounds: u32, ident: Option<&str>) -> R<String> {
    const OWN: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    if salt.len() != 22 {
        return Err(refuse("salt too small (bcrypt requires exactly 22 chars)"));
    }
    if !(4..=31).contains(&rounds) {
        return Err(refuse(format!("bcrypt: rounds ({rounds}) must be from 4 to 31")));
    }
    let mut bits = 0u128;
    let mut bytes = [0u8; 16];
    for (i, b) in salt.bytes().enumerate() {
        let value = OWN.iter().position(|o| *o == b).unwrap_or(0) as u128;
        // The last letter has two bits too many, which a salt of one's own may set: they are dropped.
        bits = if i < 21 { (bits << 6) | value } else { (bits << 2) | (value >> 4) };
    }
    bytes.copy_from_slice(&bits.to_be_bytes());
    let ident = ident.unwrap_or("2b").trim_matches('$');
    if !matches!(ident, "2a" | "2b" | "2y") {
        return Err(refuse(format!("invalid ident: '{ident}'")));
    }
    // The password ends with a zero, and no more than 72 bytes count.
    let password: Vec<u8> = secret.bytes().chain([0]).take(72).collect();
    let hash = bcrypt::bcrypt(rounds, bytes, &password);
    let letters = |bytes: &[u8]| {
        let all = base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes);
        let place = |b: u8| match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        all.bytes().map(|b| char::from(OWN.get(usize::from(place(b))).copied().unwrap_or(b'.'))).collect::<String>()
    };
    let hash = letters(hash.get(..23).unwrap_or_default());
    Ok(format!("${ident}${rounds:02}${}{hash}", letters(&bytes)))
}

/// Bytes in the scheme's order, three to four letters.
fn encode(bytes: &[u8], order: &[[Option<usize>; 3]]) -> String {
    let byte = |at: Option<usize>| at.and_then(|i| bytes.get(i)).copied().map_or(0, u32::from);
    let mut out = String::new();
    for [a, b, c] in order {
        let value = (byte(*a) << 16) | (byte(*b) << 8) | byte(*c);
        let letters = 1 + [a, b, c].into_iter().filter(|i| i.is_some()).count();
        out.extend((0..letters).map(|i| letter(value >> (6 * i))));
    }
    out
}

fn order_512() -> Vec<[Option<usize>; 3]> {
    let mut order: Vec<[Option<usize>; 3]> = Vec::new();
    let mut at = [0, 21, 42];
    for _ in 0..21 {
        order.push(at.map(Some));
        let [a, b, c] = at;
        at = [b + 1, c + 1, a + 1];
    }
    order.push([None, None, Some(63)]);
    order
}

fn order_256() -> Vec<[Option<usize>; 3]> {
    let mut order: Vec<[Option<usize>; 3]> = Vec::new();
    let mut at = [0, 10, 20];
    for _ in 0..10 {
        order.push(at.map(Some));
        let [a, b, c] = at;
        at = [c + 1, a + 1, b + 1];
    }
    order.push([None, Some(31), Some(30)]);
    order
}

/// SHA-crypt, by Ulrich Drepper's description.
fn sha_crypt<D: Digest>(secret: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
    let digest = |parts: &[&[u8]]| {
        let mut d = D::new();
        parts.iter().for_each(|p| d.update(p));
        d.finalize().to_vec()
    };
    let stretch = |block: &[u8], len: usize| -> Vec<u8> { block.iter().copied().cycle().take(len).collect() };
    let b = digest(&[secret, salt, secret]);
    let mut first = D::new();
    first.update(secret);
    first.update(salt);
    first.update(stretch(&b, secret.len()));
    let mut bits = secret.len();
    while bits > 0 {
        if bits & 1 == 1 {
            first.update(&b)
        } else {
            first.update(secret)
        }
        bits >>= 1;
    }
    let mut a = first.finalize().to_vec();
    let mut dp = D::new();
    secret.iter().for_each(|_| dp.update(secret));
    let p = stretch(&dp.finalize(), secret.len());
    let mut ds = D::new();
    (0..16 + usize::from(a.first().copied().unwrap_or(0))).for_each(|_| ds.update(salt));
    let s = stretch(&ds.finalize(), salt.len());
    for i in 0..rounds {
        let mut c = D::new();
        if i % 2 == 1 {
            c.update(&p)
        } else {
            c.update(&a)
        }
        if i % 3 != 0 {
            c.update(&s);
        }
        if i % 7 != 0 {
            c.update(&p);
        }
        if i % 2 == 1 {
            c.update(&a)
        } else {
            c.update(&p)
        }
        a = c.finalize().to_vec();
    }
    a
}

/// The oldest scheme: `$1$`.
fn md5_crypt(secret: &[u8], salt: &str) -> String {
    let salted = salt.as_bytes();
    let b = Md5::new().chain_update(secret).chain_update(salted).chain_update(secret).finalize();
    let mut first = Md5::new().chain_update(secret).chain_update("$1$").chain_update(salted);
    first.update(b.iter().copied().cycle().take(secret.len()).collect::<Vec<u8>>());
    let mut bits = secret.len();
    while bits > 0 {
        if bits & 1 == 1 {
            first.update([0])
        } else {
            first.update(secret.get(..1).unwrap_or_default())
        }
        bits >>= 1;
    }
    let mut a = first.finalize();
    for i in 0..1000 {
        let mut c = Md5::new();
        if i % 2 == 1 {
            c.update(secret)
        } else {
            c.update(a)
        }
        if i % 3 != 0 {
            c.update(salted);
        }
        if i % 7 != 0 {
            c.update(secret);
        }
        if i % 2 == 1 {
            c.update(a)
        } else {
            c.update(secret)
        }
        a = c.finalize();
    }
    let mut order: Vec<[Option<usize>; 3]> = (0..4).map(|i| [Some(i), Some(i + 6), Some(i + 12)]).collect();
    order.push([Some(4), Some(10), Some(5)]);
    order.push([None, None, Some(11)]);
    format!("$1${salt}${}", encode(&a, &order))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bcrypt_is_as_openbsd_writes_it() {
        let scheme = |ident: &str, rounds, salt: &str| Scheme {
            name: "blowfish".into(),
            salt: Some(salt.into()),
            rounds: Some(rounds),
            ident: Some(ident.into()),
            ..Scheme::default()
        };
        // The vectors of the first implementation.
        let hash = scheme("2a", 5, "CCCCCCCCCCCCCCCCCCCCC.").hash("U*U").expect("hash");
        assert_eq!(hash, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW");
        let hash = scheme("2y", 5, "CCCCCCCCCCCCCCCCCCCCC.").hash("").expect("hash");
        assert_eq!(hash, "$2y$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy");
        assert!(scheme("2b", 5, "short").hash("x").is_err());
        assert!(scheme("2b", 3, "CCCCCCCCCCCCCCCCCCCCC.").hash("x").is_err());
    }

    #[test]
    fn a_salt_is_drawn_where_none_is_given() {
        let scheme = Scheme { name: "sha512".into(), rounds: Some(1000), ..Scheme::default() };
        let (a, b) = (scheme.hash("x").expect("hash"), scheme.hash("x").expect("hash"));
        assert_ne!(a, b);
        assert!(a.starts_with("$6$rounds=1000$"));
    }
}
