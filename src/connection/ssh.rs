//! Hosts over ssh: what a user said of the way to one, as the system's ssh takes it, and
//! sessions over the masters that are kept there ([`Masters`]).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::masters::Masters;
use super::{BoxFuture, Channel, Connection, LinkError, askpass};

/// What a user said about how to reach one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SshSettings {
    /// The ssh program (`ansible_ssh_executable`).
    pub executable: Option<String>,
    /// Name or address.
    pub host: String,
    /// Port; ssh's own default or configuration when `None`.
    pub port: Option<u16>,
    /// User; ssh's own default or configuration when `None`.
    pub user: Option<String>,
    /// Private key file.
    pub key: Option<String>,
    /// Password for the login.
    pub password: Option<String>,
    /// Whether an unknown or changed host key is an error.
    pub check_host_key: bool,
    /// Arguments instead of the default ones (`ssh_args`).
    pub args: Option<Vec<String>>,
    /// Arguments for all ssh programs (`ansible_ssh_common_args`).
    pub common_args: Vec<String>,
    /// Arguments for ssh alone (`ansible_ssh_extra_args`).
    pub extra_args: Vec<String>,
    /// Seconds to wait for a connection.
    pub timeout: u64,
}

/// A host over ssh. Connects on first use.
pub struct Ssh {
    settings: SshSettings,
    masters: Arc<Masters>,
}

impl Ssh {
    /// A host that will be reached in this way.
    pub fn new(settings: SshSettings, masters: Arc<Masters>) -> Self {
        Self { settings, masters }
    }
}

impl SshSettings {
    /// One socket for one way to a host: any difference in options is another master.
    /// Short, since a socket's path may have no more than about a hundred bytes.
    pub(super) fn socket_name(&self) -> String {
        let mut plain = self.clone();
        plain.password = None;
        let digest = Sha256::digest(format!("{plain:?}"));
        digest.iter().take(8).map(|b| format!("{b:02x}")).collect()
    }

    /// The ssh program.
    pub(super) fn program(&self) -> &str {
        self.executable.as_deref().unwrap_or("ssh")
    }

    /// The command that starts a master at a socket and ends when it is connected.
    pub(super) fn master_command(&self, socket: &Path, persist: &str) -> Command {
        let s = self;
        let mut command = Command::new(self.program());
        command.args(["-M", "-N", "-f", "-S"]).arg(socket);
        command.arg("-o").arg(format!("ControlPersist={}", persist));
        command.arg("-o").arg(format!("ConnectTimeout={}", s.timeout));
        if let Some(args) = &s.args {
            command.args(without_control(args));
        }
        if !s.check_host_key {
            command.args(["-o", "StrictHostKeyChecking=no"]);
        }
        if let Some(port) = s.port {
            command.arg("-o").arg(format!("Port={port}"));
        }
        if let Some(key) = &s.key {
            command.arg("-o").arg(format!("IdentityFile=\"{key}\""));
        }
        match &s.password {
            Some(password) => {
                let own = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("rplay"));
                command.env("SSH_ASKPASS", own).env("SSH_ASKPASS_REQUIRE", "force").env("DISPLAY", ":0");
                command.env(askpass::VARIABLE, password);
                command.args(["-o", "NumberOfPasswordPrompts=1"]);
            }
            None => {
                command.args(["-o", "BatchMode=yes", "-o", "KbdInteractiveAuthentication=no"]);
                command.args(["-o", "PreferredAuthentications=gssapi-with-mic,gssapi-keyex,hostbased,publickey"]);
                command.args(["-o", "PasswordAuthentication=no"]);
            }
        }
        if let Some(user) = &s.user {
            command.arg("-o").arg(format!("User=\"{user}\""));
        }
        command.args(&s.common_args).args(&s.extra_args).arg("--").arg(&s.host);
        command
    }
}

/// The user's ssh arguments without those about masters: these are ours to set.
fn without_control(args: &[String]) -> Vec<String> {
    let about_control = |a: &str| {
        let option = a.strip_prefix("-o").unwrap_or(a).trim().to_lowercase();
        ["controlmaster", "controlpersist", "controlpath"].iter().any(|c| option.starts_with(c))
    };
    let mut kept = Vec::new();
    let mut args = args.iter().peekable();
    while let Some(arg) = args.next() {
        if arg == "-o" && args.peek().is_some_and(|next| about_control(next)) {
            args.next();
        } else if !(arg.starts_with("-o") && about_control(arg)) {
            kept.push(arg.clone());
        }
    }
    kept
}

impl Connection for Ssh {
    fn spawn<'a>(&'a self, command_line: &'a str) -> BoxFuture<'a, Result<Channel, LinkError>> {
        Box::pin(self.masters.session(&self.settings, command_line))
    }
}
