//! Any bytes as a file in age's format, binary and armored: no panic, no unbounded work, and
//! nothing comes out of what was not encrypted for the key.
#![no_main]

use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use rplay::vault::{Keyring, Password, Secret, detect, identities, stanzas};

const KEY: &[u8] = b"AGE-SECRET-KEY-1MAF9HRH3VWETGPH2DMM67WDF43AGHVWNAHSHSZN8KHULUDFA2M4STY47CP";

/// A keyring remembers what it was asked to open, so each input has a new one; of its keys
/// the password is left out where deriving its key would be all that is measured.
fn keyring(with_password: bool) -> Keyring {
    let ask: rplay::vault::Ask = Arc::new(|_| None);
    let keys = identities(KEY, "key", &ask).unwrap_or_default();
    let secret = Secret { label: "default".into(), name: "pw".into(), password: Password::new("pw") };
    Keyring::new(if with_password { vec![secret] } else { Vec::new() }).with_identities(keys)
}

fuzz_target!(|data: &[u8]| {
    static HEADS: OnceLock<[&[u8]; 2]> = OnceLock::new();
    for head in HEADS.get_or_init(|| [b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----\n"]) {
        let bytes = if detect(data).is_some() { data.to_vec() } else { [head, data].concat() };
        let cheap = stanzas(&bytes).is_ok_and(|all| {
            all.iter().all(|s| s.args.get(1).and_then(|work| work.parse::<u8>().ok()).is_none_or(|work| work < 8))
        });
        drop(keyring(cheap).open(&bytes));
    }
});
