//! Hashes and UUIDs.

use std::fmt::Write;

use sha1::{Digest, Sha1};
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::Run;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[(&str, Run)] = &[
    ("hash", |ev, v, a| {
        let kind = a.str(ev, 0, "hashtype", "sha1")?;
        named(ev, &v, &kind)
    }),
    ("checksum", |ev, v, _| named(ev, &v, "sha1")),
    ("sha1", |ev, v, _| named(ev, &v, "sha1")),
    ("md5", |ev, v, _| named(ev, &v, "md5")),
    ("to_uuid", to_uuid),
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
        "md5" => hex(&md5(data)),
        other => return Err(Error::new(format!("unsupported hash type {other}"))),
    }))
}

/// RFC 1321.
fn md5(data: &[u8]) -> [u8; 16] {
    const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let mut message = data.to_vec();
    message.push(0x80);
    while message.len() % 64 != 56 {
        message.push(0);
    }
    message.extend_from_slice(&(data.len() as u64).wrapping_mul(8).to_le_bytes());
    let mut state = [0x6745_2301u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in message.chunks(64) {
        let words: Vec<u32> =
            block.chunks(4).map(|c| c.iter().rev().fold(0u32, |w, b| (w << 8) | u32::from(*b))).collect();
        let [mut a, mut b, mut c, mut d] = state;
        for i in 0..64usize {
            let (mixed, at) = match i / 16 {
                0 => ((b & c) | (!b & d), i),
                1 => ((d & b) | (!d & c), (5 * i + 1) % 16),
                2 => (b ^ c ^ d, (3 * i + 5) % 16),
                _ => (c ^ (b | !d), (7 * i) % 16),
            };
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "the standard's table: floor(2^32 × |sin|)"
            )]
            let constant = (((i + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
            let word = words.get(at).copied().unwrap_or(0);
            let shift = SHIFTS.get(i / 16).and_then(|row| row.get(i % 4)).copied().unwrap_or(0);
            let sum = a.wrapping_add(mixed).wrapping_add(constant).wrapping_add(word);
            (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(shift)));
        }
        let added = [a, b, c, d];
        for (word, more) in state.iter_mut().zip(added) {
            *word = word.wrapping_add(more);
        }
    }
    let mut out = [0; 16];
    for (byte, value) in out.iter_mut().zip(state.iter().flat_map(|w| w.to_le_bytes())) {
        *byte = value;
    }
    out
}

/// Ansible's own namespace for UUIDs made of names.
const NAMESPACE: &str = "361E6D51-FAEC-444A-9079-341386DA8E2E";

fn to_uuid(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let namespace = args.str(ev, 0, "namespace", NAMESPACE)?;
    let digits: String = namespace.chars().filter(|c| *c != '-').collect();
    let mut data = Vec::new();
    for pair in digits.as_bytes().chunks(2) {
        let byte = std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok());
        data.push(byte.ok_or_else(|| Error::new(format!("Invalid value '{namespace}' for 'namespace'")))?);
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
