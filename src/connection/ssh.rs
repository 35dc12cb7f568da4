//! Hosts over ssh: the system's own ssh as master, one multiplexed session for each worker.
//!
//! The master is started here, with all of the user's options, and kept alive between
//! runs (ControlPersist); the `openssh` crate then speaks to its socket.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use openssh::Session;
use sha2::{Digest, Sha256};
use tokio::process::Command;
use tokio::sync::{OnceCell, Semaphore};

use super::{BoxFuture, Channel, Connection, LinkError, askpass};

/// How many masters are started at the same time: each costs a key exchange here.
const SIMULTANEOUS: usize = 32;
static STARTING: Semaphore = Semaphore::const_new(SIMULTANEOUS);

/// How often a refused session or a connection dropped by a busy sshd is tried again.
const TRIES: u32 = 4;

/// What is the same for all hosts of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SshOptions {
    /// Where control sockets are put.
    pub control_dir: PathBuf,
    /// How long an idle master stays: `60s`; `no` ends it with the run.
    pub persist: String,
}

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
    options: SshOptions,
    session: OnceCell<Result<Arc<Session>, LinkError>>,
}

impl Ssh {
    /// A host that will be reached in this way.
    pub fn new(settings: SshSettings, options: SshOptions) -> Self {
        Self { settings, options, session: OnceCell::new() }
    }

    async fn session(&self) -> Result<Arc<Session>, LinkError> {
        self.session.get_or_init(|| self.connect()).await.clone()
    }

    async fn connect(&self) -> Result<Arc<Session>, LinkError> {
        if let Some(key) = &self.settings.key
            && !Path::new(key).exists()
        {
            return Err(LinkError::Unreachable(format!("no such identity: {key}: No such file or directory")));
        }
        let socket = self.options.control_dir.join(self.socket_name());
        if let Some(session) = alive(&socket).await {
            return Ok(session);
        }
        let unreachable = |words: String| LinkError::Unreachable(words);
        make_private_dir(&self.options.control_dir).map_err(unreachable)?;
        let _permit = STARTING.acquire().await.map_err(|e| unreachable(e.to_string()))?;
        let mut wait = Duration::from_millis(250);
        for attempt in 1.. {
            match self.start_master(&socket).await {
                Ok(()) => break,
                // What a busy sshd says to connections above MaxStartups.
                Err(words) if attempt < TRIES && is_busy(&words) => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                Err(words) => return Err(unreachable(words)),
            }
        }
        alive(&socket).await.ok_or_else(|| unreachable("ssh's master ended at once".to_owned()))
    }

    /// One socket for one way to a host: any difference in options is another master.
    /// Short, since a socket's path may have no more than about a hundred bytes.
    fn socket_name(&self) -> String {
        let mut plain = self.settings.clone();
        plain.password = None;
        let digest = Sha256::digest(format!("{plain:?}"));
        digest.iter().take(8).map(|b| format!("{b:02x}")).collect()
    }

    async fn start_master(&self, socket: &Path) -> Result<(), String> {
        // Started under a name of its own, so that two runs do not trip over each other.
        let own = socket.with_extension(std::process::id().to_string());
        let log = tempfile::NamedTempFile::new().map_err(|e| format!("cannot make a temporary file: {e}"))?;
        let errors = log.reopen().map_err(|e| format!("cannot open a temporary file: {e}"))?;
        let mut command = self.master_command(&own);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).kill_on_drop(true);
        let limit = Duration::from_secs(self.settings.timeout * 2 + 20);
        let program = self.program().to_owned();
        let status = tokio::time::timeout(limit, command.status()).await;
        let said = std::fs::read_to_string(log.path()).unwrap_or_default();
        match status {
            Err(_) => Err(format!("ssh did not connect within {} seconds {}", limit.as_secs(), said.trim())),
            Ok(Err(e)) => Err(format!("cannot start {program}: {e}")),
            Ok(Ok(status)) if status.success() => {
                std::fs::rename(&own, socket).map_err(|e| format!("cannot put ssh's control socket in place: {e}"))
            }
            Ok(Ok(_)) => Err(format!("Failed to connect to the host via ssh: {}", said.trim())),
        }
    }

    fn program(&self) -> &str {
        self.settings.executable.as_deref().unwrap_or("ssh")
    }

    fn master_command(&self, socket: &Path) -> Command {
        let s = &self.settings;
        let mut command = Command::new(self.program());
        command.args(["-M", "-N", "-f", "-S"]).arg(socket);
        command.arg("-o").arg(format!("ControlPersist={}", self.options.persist));
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

fn is_busy(words: &str) -> bool {
    ["Connection reset by peer", "Connection closed by", "kex_exchange_identification"]
        .iter()
        .any(|w| words.contains(w))
        && !words.contains("Permission denied")
}

fn make_private_dir(dir: &Path) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| format!("cannot make the directory for ssh's control sockets, {}: {e}", dir.display()))
}

/// A session on a master that answers.
async fn alive(socket: &Path) -> Option<Arc<Session>> {
    if !socket.exists() {
        return None;
    }
    let session = Session::resume_mux(socket.into(), None);
    let check = tokio::time::timeout(Duration::from_secs(5), session.check()).await;
    if matches!(check, Ok(Ok(()))) {
        return Some(Arc::new(session));
    }
    let _ = std::fs::remove_file(socket);
    None
}

impl Connection for Ssh {
    fn spawn<'a>(&'a self, command_line: &'a str) -> BoxFuture<'a, Result<Channel, LinkError>> {
        Box::pin(async move {
            let session = self.session().await?;
            let mut wait = Duration::from_millis(100);
            let mut attempt = 1;
            loop {
                match open(&session, command_line).await {
                    Ok(channel) => return Ok(channel),
                    // MaxSessions: another session of this connection may soon end.
                    Err(_) if attempt < TRIES => {
                        attempt += 1;
                        tokio::time::sleep(wait).await;
                        wait *= 2;
                    }
                    Err(e) => return Err(LinkError::Unreachable(format!("ssh opens no session: {e}"))),
                }
            }
        })
    }
}

async fn open(session: &Arc<Session>, command_line: &str) -> Result<Channel, openssh::Error> {
    let mut command = Arc::clone(session).arc_raw_command(command_line);
    command.stdin(openssh::Stdio::piped()).stdout(openssh::Stdio::piped()).stderr(openssh::Stdio::piped());
    let mut child = command.spawn().await?;
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (child.stdin().take(), child.stdout().take(), child.stderr().take())
    else {
        return Err(openssh::Error::Disconnected);
    };
    Ok(Channel {
        stdin: Box::new(stdin),
        stdout: Box::new(stdout),
        stderr: Box::new(stderr),
        ended: Box::pin(async move { child.wait().await.ok().and_then(|s| s.code()) }),
    })
}
