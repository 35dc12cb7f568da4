//! The options of `rplay vault`: those of ansible-vault, and recipients.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// Encrypts, decrypts, shows and edits files and single values: in age's format, or in
/// Ansible's.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// What is to be done.
    #[command(subcommand)]
    pub action: Option<Action>,
    /// Print the version.
    #[arg(long = "version")]
    pub version: bool,
    /// Accepted, as ansible-vault has it.
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count, global = true, hide = true)]
    pub verbose: u8,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Encrypt files, in their place.
    Encrypt(Encrypt),
    /// Decrypt files, in their place.
    Decrypt(Decrypt),
    /// Show encrypted files, and YAML files with encrypted values ($PAGER).
    View(View),
    /// Edit an encrypted file, or a YAML file with encrypted values ($EDITOR).
    Edit(Edit),
    /// Make a new encrypted file ($EDITOR).
    Create(Edit),
    /// Encrypt files anew: with another password, for other recipients, in the other format.
    Rekey(Rekey),
    /// Encrypt a string as a value for a YAML file.
    #[command(name = "encrypt-string", alias = "encrypt_string")]
    EncryptString(EncryptString),
    /// Say how files are encrypted and for whom; needs no key.
    Info(Info),
}

/// Keys that open things, and passwords that encrypt.
#[derive(Debug, Args, Default)]
pub struct Keys {
    /// A password with its vault id: LABEL@FILE, LABEL@prompt.
    #[arg(long = "vault-id", value_name = "ID")]
    pub vault_id: Vec<String>,
    /// A file that holds the password, or a program that prints it; `-` is standard input.
    #[arg(long = "vault-password-file", visible_alias = "vault-pass-file", value_name = "FILE")]
    pub vault_password_file: Vec<PathBuf>,
    /// Ask for the password.
    #[arg(short = 'J', long = "ask-vault-password", visible_alias = "ask-vault-pass")]
    pub ask_vault_pass: bool,
    /// A private key: of age-keygen, or of ssh.
    #[arg(short = 'i', long = "identity", value_name = "FILE")]
    pub identity: Vec<PathBuf>,
}

/// For whom and how something is encrypted.
#[derive(Debug, Args, Default)]
pub struct Write {
    /// Encrypt for this public key: `age1…`, `ssh-ed25519 …`, `ssh-rsa …`.
    #[arg(short = 'r', long = "recipient", value_name = "KEY")]
    pub recipient: Vec<String>,
    /// Encrypt for the public keys in this file (default: vault/recipients).
    #[arg(short = 'R', long = "recipients-file", value_name = "FILE")]
    pub recipients_file: Vec<PathBuf>,
    /// The format to write.
    #[arg(long = "format", value_enum, value_name = "FORMAT")]
    pub format: Option<FormatName>,
    /// The vault id to encrypt with, where several are given.
    #[arg(long = "encrypt-vault-id", value_name = "LABEL")]
    pub encrypt_vault_id: Option<String>,
}

/// A format by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// age, armored.
    Age,
    /// Ansible's own.
    Ansible,
}

/// `encrypt`.
#[derive(Debug, Args)]
pub struct Encrypt {
    /// The files; standard input when there is none, or for `-`.
    pub files: Vec<PathBuf>,
    /// Write to this file; `-` is standard output.
    #[arg(long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Keys.
    #[command(flatten)]
    pub keys: Keys,
    /// For whom.
    #[command(flatten)]
    pub write: Write,
}

/// `decrypt`.
#[derive(Debug, Args)]
pub struct Decrypt {
    /// The files; standard input when there is none, or for `-`.
    pub files: Vec<PathBuf>,
    /// Write to this file; `-` is standard output.
    #[arg(long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Keys.
    #[command(flatten)]
    pub keys: Keys,
}

/// `view`.
#[derive(Debug, Args)]
pub struct View {
    /// The files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// For git: what is not encrypted, or cannot be opened, is shown as it is; no pager.
    #[arg(long = "textconv")]
    pub textconv: bool,
    /// Keys.
    #[command(flatten)]
    pub keys: Keys,
}

/// `edit` and `create`.
#[derive(Debug, Args)]
pub struct Edit {
    /// The files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Accepted: an editor without a terminal is the user's affair.
    #[arg(long = "skip-tty-check", hide = true)]
    pub skip_tty_check: bool,
    /// Keys.
    #[command(flatten)]
    pub keys: Keys,
    /// For whom.
    #[command(flatten)]
    pub write: Write,
}

/// `rekey`.
#[derive(Debug, Args)]
pub struct Rekey {
    /// Files, and directories with all below them.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// A file that holds the new password, or a program that prints it.
    #[arg(long = "new-vault-password-file", value_name = "FILE", conflicts_with = "new_vault_id")]
    pub new_vault_password_file: Option<PathBuf>,
    /// The new password with its vault id: LABEL@FILE, LABEL@prompt.
    #[arg(long = "new-vault-id", value_name = "ID")]
    pub new_vault_id: Option<String>,
    /// Keys.
    #[command(flatten)]
    pub keys: Keys,
    /// For whom.
    #[command(flatten)]
    pub write: Write,
}

/// `encrypt-string`.
#[derive(Debug, Args)]
pub struct EncryptString {
    /// The strings; standard input when there is none, or for `-`.
    pub strings: Vec<String>,
    /// Ask for the string.
    #[arg(short = 'p', long = "prompt")]
    pub prompt: bool,
    /// Show it while it is typed.
    #[arg(long = "show-input")]
    pub show_input: bool,
    /// Names of variables, for the strings in their order.
    #[arg(short = 'n', long = "name", value_name = "NAME")]
    pub name: Vec<String>,
    /// The name of the variable for standard input.
    #[arg(long = "stdin-name", value_name = "NAME")]
    pub stdin_name: Option<String>,
    /// Write to this file; `-` is standard output.
    #[arg(long = "output", value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Keys.
    #[command(flatten)]
    pub keys: Keys,
    /// For whom.
    #[command(flatten)]
    pub write: Write,
}

/// `info`.
#[derive(Debug, Args)]
pub struct Info {
    /// Files, and directories with all below them.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
}
