//! What can be wrong with something encrypted.

use crate::diag::{Diagnostic, ExitCode};

/// Why something cannot be decrypted or encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No password and no key was given that could open it; what it asks for.
    NoSecret(String),
    /// None of those that were given opens it; what it asks for, and what was tried.
    WrongSecret {
        /// `a password`, `the vault id "prod"`, `one of 3 keys`.
        wanted: String,
        /// Names of what was tried.
        tried: Vec<String>,
    },
    /// It was truncated or altered; how that shows.
    Damaged(String),
    /// A version or format that is not known.
    Unknown(String),
    /// It asks for more work than is sensible: the exponent, and the highest that is accepted.
    Work(u8, u8),
    /// It cannot be encrypted.
    Encrypt(String),
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSecret(wanted) => {
                write!(f, "Attempting to decrypt but no vault secrets found for {wanted}")
            }
            Self::WrongSecret { wanted, tried } => {
                write!(
                    f,
                    "no vault secrets were found that could decrypt it: it is encrypted for {wanted}, tried were {}",
                    tried.join(", ")
                )
            }
            Self::Damaged(how) => write!(f, "the encrypted data was truncated or altered: {how}"),
            Self::Unknown(what) => write!(f, "this kind of encrypted data is not known: {what}"),
            Self::Work(asked, most) => {
                write!(f, "its password asks for a scrypt work factor of {asked}, and at most {most} is accepted")
            }
            Self::Encrypt(why) => write!(f, "cannot encrypt: {why}"),
        }
    }
}

impl Problem {
    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NoSecret(_) => {
                "give the password (--vault-password-file, --vault-id, --ask-vault-pass) or the private key (--identity)"
            }
            Self::WrongSecret { .. } => {
                "the password is wrong or another one's, the key belongs to none of the recipients, or the data was altered"
            }
            Self::Damaged(_) => "nothing of it was used; take the file from a backup or from version control",
            Self::Unknown(_) => "what is read: age v1, and Ansible's `$ANSIBLE_VAULT;1.1;AES256` and `1.2`",
            Self::Work(..) => "encrypt it again with a lower work factor, or for recipients (-r)",
            Self::Encrypt(_) => "see `rplay vault --help`",
        }
    }

    /// The finding about a file.
    pub fn of_file(&self, name: &str) -> Diagnostic {
        let about = match self {
            Self::Encrypt(why) => format!("cannot encrypt {name}: {why}"),
            other => format!("cannot decrypt {name}: {other}"),
        };
        Diagnostic::error(about).hint(self.hint()).exit(ExitCode::Error)
    }
}
