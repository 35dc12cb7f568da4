//! Hashes and UUIDs.

use std::fmt::Write;

use blake2::{Blake2b512, Blake2s256};
use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::{Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

use super::Row;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("hash", "hashtype?", |ev, v, a| {
        let kind = a.str(ev, "hashtype", "sha1")?;
        named(ev, &v, &kind)
    }),
    ("checksum", "", |ev, v, _| named(ev, &v, "sha1")),
    ("sha1", "", |ev, v, _| named(ev, &v, "sha1")),
    ("md5", "", |ev, v, _| named(ev, &v, "md5")),
    ("to_uuid", "namespace?", to_uuid),
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

fn named(ev: &mut Eval, input: &Val, kind: &str) -> R<Val> {
    let text = ev.text(input)?;
    let data = text.as_bytes();
    Ok(Val::str(match kind {
        "sha1" => hex(&Sha1::digest(data)),
        "sha224" => hex(&Sha224::digest(data)),
        "sha256" => hex(&Sha256::digest(data)),
        "sha384" => hex(&Sha384::digest(data)),
        "sha512" => hex(&Sha512::digest(data)),
        "md5" => hex(&Md5::digest(data)),
        "sha3_224" => hex(&Sha3_224::digest(data)),
        "sha3_256" => hex(&Sha3_256::digest(data)),
        "sha3_384" => hex(&Sha3_384::digest(data)),
        "sha3_512" => hex(&Sha3_512::digest(data)),
        "blake2b" => hex(&Blake2b512::digest(data)),
        "blake2s" => hex(&Blake2s256::digest(data)),
        other => return Err(Error::new(format!("unsupported hash type {other}"))),
    }))
}

/// Ansible's own namespace for UUIDs made of names.
const NAMESPACE: &str = "361E6D51-FAEC-444A-9079-341386DA8E2E";

fn to_uuid(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let namespace = args.str(ev, "namespace", NAMESPACE)?;
    let wrong = || Error::new(format!("Invalid value '{namespace}' for 'namespace'")).hint("a UUID is wanted");
    let digits: String = namespace.chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 {
        return Err(wrong());
    }
    let mut data = Vec::new();
    for pair in digits.as_bytes().chunks(2) {
        let byte = std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok());
        data.push(byte.ok_or_else(wrong)?);
    }
    data.extend_from_slice(ev.text(&input)?.as_bytes());
    let mut id: Vec<u8> = Sha1::digest(&data).iter().copied().take(16).collect();
    for (i, byte) in id.iter_mut().enumerate() {
        match i {
            6 => *byte = (*byte & 0x0f) | 0x50,
            8 => *byte = (*byte & 0x3f) | 0x80,
            _ => {}
        }
    }
    let text = hex(&id);
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default().to_owned();
    Ok(Val::str([part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")))
}
