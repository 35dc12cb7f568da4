//! The options of `rplay PLAYBOOK…`: those of ansible-playbook, under its names.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, ValueEnum};

/// What a run prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum Output {
    /// Ansible's default layout.
    #[default]
    Default,
    /// One JSON document at the end.
    Json,
    /// The same document as YAML.
    Yaml,
    /// A JSON object a line for each event, as it happens.
    Jsonl,
}

/// Runs playbooks on hosts, over ssh, with nothing on them but sshd and a shell.
///
/// Other commands: `rplay exec PATTERN`, `rplay inventory`, `rplay vars HOST`, `rplay graph PLAYBOOK`,
/// `rplay vault`, `rplay config dump`, `rplay doc MODULE`, `rplay completion SHELL`.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "rplay", disable_version_flag = true, max_term_width = 100)]
pub struct Options {
    /// The playbooks.
    #[arg(required_unless_present = "version", value_name = "PLAYBOOK")]
    pub playbooks: Vec<PathBuf>,
    /// Inventory: a file, a directory, or a list of hosts with a comma (`host,`).
    #[arg(short = 'i', long = "inventory", visible_alias = "inventory-file", value_name = "INVENTORY")]
    pub inventory: Vec<String>,
    /// Only hosts that match this pattern, too.
    #[arg(short = 'l', long = "limit", value_name = "SUBSET")]
    pub limit: Option<String>,
    /// Further variables: key=value, JSON, YAML, or @file.
    #[arg(short = 'e', long = "extra-vars", value_name = "VARS")]
    pub extra_vars: Vec<String>,
    /// Only plays and tasks with these tags.
    #[arg(short = 't', long = "tags", value_name = "TAGS")]
    pub tags: Vec<String>,
    /// Only plays and tasks without these tags.
    #[arg(long = "skip-tags", value_name = "TAGS")]
    pub skip_tags: Vec<String>,
    /// Change nothing; say what would change.
    #[arg(short = 'C', long = "check")]
    pub check: bool,
    /// Show what changes in files.
    #[arg(short = 'D', long = "diff")]
    pub diff: bool,
    /// How many hosts at the same time (default: all).
    #[arg(short = 'f', long = "forks", value_name = "N")]
    pub forks: Option<usize>,
    /// How many ssh connections are set up at the same time (default: 16 for each core here;
    /// also RPLAY_CONNECT_FORKS, or connect_forks in ansible.cfg's section [rplay]).
    #[arg(long = "connect-forks", value_name = "N")]
    pub connect_forks: Option<usize>,
    /// Run tasks as another user.
    #[arg(short = 'b', long = "become")]
    pub escalate: bool,
    /// The user that tasks run as (default: root).
    #[arg(long = "become-user", value_name = "USER")]
    pub become_user: Option<String>,
    /// How to become that user: sudo, su, doas (default: sudo).
    #[arg(long = "become-method", value_name = "METHOD")]
    pub become_method: Option<String>,
    /// Ask for the password of sudo, su or doas.
    #[arg(short = 'K', long = "ask-become-pass")]
    pub ask_become_pass: bool,
    /// A file that holds that password.
    #[arg(long = "become-password-file", visible_alias = "become-pass-file", value_name = "FILE")]
    pub become_password_file: Option<PathBuf>,
    /// Ask for the login password.
    #[arg(short = 'k', long = "ask-pass")]
    pub ask_pass: bool,
    /// A file that holds the login password.
    #[arg(long = "connection-password-file", visible_alias = "conn-pass-file", value_name = "FILE")]
    pub connection_password_file: Option<PathBuf>,
    /// Log in as this user.
    #[arg(short = 'u', long = "user", value_name = "USER")]
    pub user: Option<String>,
    /// The kind of connection: ssh, local, docker (default: ssh).
    #[arg(short = 'c', long = "connection", value_name = "CONNECTION")]
    pub connection: Option<String>,
    /// Log in with this private key.
    #[arg(long = "private-key", visible_alias = "key-file", value_name = "FILE")]
    pub private_key: Option<PathBuf>,
    /// Seconds to wait for a connection.
    #[arg(short = 'T', long = "timeout", value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Arguments for ssh.
    #[arg(long = "ssh-common-args", value_name = "ARGS", allow_hyphen_values = true)]
    pub ssh_common_args: Option<String>,
    /// More arguments for ssh.
    #[arg(long = "ssh-extra-args", value_name = "ARGS", allow_hyphen_values = true)]
    pub ssh_extra_args: Option<String>,
    /// Accepted; no sftp is used.
    #[arg(long = "sftp-extra-args", value_name = "ARGS", allow_hyphen_values = true, hide = true)]
    pub sftp_extra_args: Option<String>,
    /// Accepted; no scp is used.
    #[arg(long = "scp-extra-args", value_name = "ARGS", allow_hyphen_values = true, hide = true)]
    pub scp_extra_args: Option<String>,
    /// Print the hosts and do nothing else.
    #[arg(long = "list-hosts")]
    pub list_hosts: bool,
    /// Print the tasks and do nothing else.
    #[arg(long = "list-tasks")]
    pub list_tasks: bool,
    /// Print the tags and do nothing else.
    #[arg(long = "list-tags")]
    pub list_tags: bool,
    /// Check the playbooks and do nothing else.
    #[arg(long = "syntax-check")]
    pub syntax_check: bool,
    /// Start at the task with this name.
    #[arg(long = "start-at-task", value_name = "NAME")]
    pub start_at_task: Option<String>,
    /// Ask before each task.
    #[arg(long = "step")]
    pub step: bool,
    /// Run handlers even where a task failed.
    #[arg(long = "force-handlers")]
    pub force_handlers: bool,
    /// Forget cached facts (none are kept between runs yet).
    #[arg(long = "flush-cache")]
    pub flush_cache: bool,
    /// Keys of the vault.
    #[command(flatten)]
    pub vault: VaultOptions,
    /// Show secrets in what `debug` prints.
    #[arg(long = "show-secrets")]
    pub show_secrets: bool,
    /// Directories of modules: refused, since modules are built in.
    #[arg(short = 'M', long = "module-path", value_name = "PATH", hide = true)]
    pub module_path: Vec<String>,
    /// Say more: results, task paths, connections.
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count)]
    pub verbose: u8,
    /// What is printed.
    #[arg(long = "output", value_enum, default_value_t, value_name = "FORM")]
    pub output: Output,
    /// After the recap, print what each task, host and play cost: round trips, bytes, waiting.
    #[arg(long = "timing")]
    pub timing: bool,
    /// Print the version and the configuration file.
    #[arg(long = "version")]
    pub version: bool,
}

/// Keys that open encrypted files and values.
#[derive(Debug, Clone, Default, Args)]
pub struct VaultOptions {
    /// A file that holds the vault's password, or a program that prints it; `-` is standard input.
    #[arg(long = "vault-password-file", visible_alias = "vault-pass-file", value_name = "FILE")]
    pub password_file: Vec<PathBuf>,
    /// A vault id with its password: LABEL@FILE, LABEL@prompt.
    #[arg(long = "vault-id", value_name = "ID")]
    pub id: Vec<String>,
    /// Ask for the vault's password.
    #[arg(short = 'J', long = "ask-vault-password", visible_alias = "ask-vault-pass")]
    pub ask: bool,
    /// A private key (age's, or an ssh key) that opens encrypted files and values.
    #[arg(long = "identity", value_name = "FILE")]
    pub identity: Vec<PathBuf>,
}
