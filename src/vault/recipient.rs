//! Recipients: public keys that something is encrypted for.

use std::sync::Arc;

use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::model::{Origin, Source};

/// A public key.
#[derive(Clone)]
pub struct Recipient {
    /// As it was written.
    pub text: String,
    pub(super) key: Arc<dyn age::Recipient + Send + Sync>,
}

impl std::fmt::Debug for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Reads recipients, one a line: `age1…`, `ssh-ed25519 …`, `ssh-rsa …`; `#` starts a comment.
///
/// # Errors
/// The first lines that are none, with their places.
pub fn recipients(source: &Arc<Source>) -> Checked<Vec<Recipient>> {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    // The line is shown, but not if this is the wrong half of a pair of keys.
    let private = ["AGE-SECRET-KEY-", "PRIVATE KEY-----"].iter().any(|word| source.text.to_uppercase().contains(word));
    let shown = if private { Source::secret(source.name.as_str(), source.text.as_str()) } else { Arc::clone(source) };
    for (number, line) in (1u32..).zip(source.text.lines()) {
        let text = line.trim();
        if errors.len() == MOST_ERRORS {
            break;
        }
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        match recipient(text) {
            Ok(key) => found.push(Recipient { text: text.to_owned(), key }),
            Err((why, hint)) => errors.push(
                Diagnostic::error(format!("this is no recipient: {why}"))
                    .at(Origin::new(&shown, number, 1))
                    .hint(hint)
                    .exit(ExitCode::Options),
            ),
        }
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

/// A file of many errors is something else altogether.
const MOST_ERRORS: usize = 3;

type Key = Arc<dyn age::Recipient + Send + Sync>;

fn recipient(text: &str) -> Result<Key, (String, &'static str)> {
    const KINDS: &str = "recipients are `age1…` (from `age-keygen`), `ssh-ed25519 …` and `ssh-rsa …`";
    if text.to_uppercase().starts_with("AGE-SECRET-KEY-") {
        return Err((
            "it is a private key".to_owned(),
            "give its public key, `age-keygen -y FILE` prints it; and keep the private one to yourself",
        ));
    }
    if text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-") {
        return match text.parse::<age::ssh::Recipient>() {
            Ok(key) => Ok(Arc::new(key)),
            Err(age::ssh::ParseRecipientKeyError::Unsupported(kind)) => {
                Err((format!("age cannot encrypt for ssh keys of the kind {kind}"), KINDS))
            }
            Err(age::ssh::ParseRecipientKeyError::RsaModulusTooSmall) => {
                Err(("the RSA key is shorter than 2048 bits".to_owned(), KINDS))
            }
            Err(age::ssh::ParseRecipientKeyError::RsaModulusTooLarge) => {
                Err(("the RSA key is too long".to_owned(), KINDS))
            }
            Err(_) => Err(("the ssh key is malformed".to_owned(), KINDS)),
        };
    }
    match text.parse::<age::x25519::Recipient>() {
        Ok(key) => Ok(Arc::new(key)),
        Err(_) if text.starts_with("age1") && text.matches('1').count() > 1 => {
            Err(("age's plugins are not supported".to_owned(), KINDS))
        }
        Err(why) => Err((why.to_owned(), KINDS)),
    }
}
