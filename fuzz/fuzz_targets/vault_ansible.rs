//! Any bytes as a file in Ansible's format: no panic, and nothing comes out of what was not
//! encrypted with the password.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rplay::vault::{Keyring, Password, Secret, detect, find_inline, label};

fuzz_target!(|data: &[u8]| {
    let bytes = if detect(data).is_some() { data.to_vec() } else { [b"$ANSIBLE_VAULT;1.2;AES256;x\n", data].concat() };
    let _ = label(&bytes);
    let secret = Secret { label: "x".into(), name: "pw".into(), password: Password::new("pw") };
    // Without a password the whole of the reader runs but for deriving keys, which is slow.
    drop(Keyring::default().open(&bytes));
    if data.first().is_some_and(|b| b % 16 == 0) {
        drop(Keyring::new(vec![secret]).open(&bytes));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = find_inline(&rplay::model::Source::new("x", text));
    }
});
