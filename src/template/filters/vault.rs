//! `vault` and `unvault`: Ansible's format within templates.

use super::Row;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};
use crate::vault::{self, Keyring, Password, Secret, To};

pub(super) const FILTERS: &[Row] = &[
    ("vault", "secret salt? vault_id? wrap_object? vaultid?", encrypt),
    ("unvault", "secret vault_id? vaultid?", decrypt),
];

/// `vaultid` is what the option was called before.
fn label(ev: &mut Eval, args: &Args) -> R<String> {
    let given = args.get("vault_id").or_else(|| args.get("vaultid"));
    given.map_or(Ok("filter_default".to_owned()), |v| ev.text(v))
}

fn password(ev: &mut Eval, args: &Args) -> R<Password> {
    match args.need("secret")? {
        Val::Str(text) => {
            let text = ev.text(&Val::Str(text.clone()))?;
            Ok(Password::new(text))
        }
        other => {
            Err(Error::new(format!("Secret passed is required to be a string, instead we got: {}", other.type_name())))
        }
    }
}

fn encrypt(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let Val::Str(text) = &input else {
        return Err(Error::new(format!("Can only vault strings, instead we got {}", input.type_name())));
    };
    let password = password(ev, args)?;
    let salt = match args.get("salt") {
        None | Some(Val::Null) => None,
        Some(salt) => Some(ev.text(salt)?),
    };
    let label = label(ev, args)?;
    if args.bool(ev, "wrap_object", false)? {
        return Err(Error::new("wrap_object is not supported").hint("leave it out: the result is the encrypted text"));
    }
    let salt = salt.as_deref().map(str::as_bytes);
    let cipher = vault::encrypt(text.as_bytes(), To::Ansible { password: &password, label: &label, salt });
    let cipher = cipher.map_err(|problem| Error::new(format!("Unable to encrypt: {problem}")))?;
    Ok(Val::str(String::from_utf8_lossy(&cipher).into_owned()))
}

fn decrypt(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let Val::Str(text) = &input else {
        let got = input.type_name();
        return Err(Error::new(format!("Vault should be in the form of a string, instead we got {got}")));
    };
    if vault::detect(text.as_bytes()).is_none() {
        return Ok(input);
    }
    let label = label(ev, args)?;
    let secret = Secret { label, name: "the filter's secret".to_owned(), password: password(ev, args)? };
    let opened = Keyring::new(vec![secret]).open(text.as_bytes());
    let opened = opened.map_err(|problem| Error::new(format!("Unable to decrypt: {problem}")))?;
    let plain = String::from_utf8(opened.plain.to_vec());
    // What comes out is a secret, whatever was read to get there.
    ev.reads_secret(true);
    plain.map(Val::str).map_err(|_| Error::new("Unable to decrypt: it is not UTF-8 text"))
}
