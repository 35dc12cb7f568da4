//! Masters: connections of the system's own ssh that sessions go over, kept between runs
//! (ControlPersist) and found again by their sockets.
//!
//! Several names with the same settings share their masters. An sshd lets only so many
//! sessions over one connection (MaxSessions): where it refuses one more, another master is
//! started. It also refuses connections when many come at once (MaxStartups): these are tried
//! again, see [`super::door`].

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use openssh::Session;
use tokio::sync::Semaphore;

use super::door::{Doors, Patience, jittered};
use super::{Channel, LinkError, SshSettings};

/// What is the same for all hosts of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SshOptions {
    /// Where control sockets are put.
    pub control_dir: PathBuf,
    /// How long an idle master stays: `60s`; `no` ends it with the run.
    pub persist: String,
    /// How many connections are set up at the same time; at least 1.
    pub connect_forks: usize,
}

/// How long a master stays that nobody ends: its run was killed.
const ABANDONED: &str = "60s";

/// How long a master that was found may take to open a session, at least.
const FOUND: Duration = Duration::from_secs(10);

/// How long to wait for a session that is about to end, before another connection is made.
const SESSION_ENDS: Duration = Duration::from_millis(100);

/// All masters of a run.
pub struct Masters {
    options: SshOptions,
    setting_up: Semaphore,
    doors: Doors,
    ways: Mutex<HashMap<String, Arc<Way>>>,
}

/// The masters of one way to a host: a set of settings.
#[derive(Default)]
struct Way(tokio::sync::Mutex<Known>);

#[derive(Default)]
struct Known {
    masters: Vec<Master>,
    /// The last attempt that failed: whoever waited for it need not make another.
    failed: Option<(Instant, LinkError)>,
}

#[derive(Clone)]
struct Master {
    /// Which of the way's sockets it has.
    place: usize,
    session: Arc<Session>,
}

/// Why a session was not opened.
enum NotOpened {
    /// By the host: there are enough over this connection.
    Refused,
    /// The master is of no use.
    Broken(String),
}

impl Masters {
    /// None yet.
    pub fn new(options: SshOptions) -> Self {
        let setting_up = Semaphore::new(options.connect_forks.max(1));
        Self { options, setting_up, doors: Doors::default(), ways: Mutex::default() }
    }

    /// Starts a command line on a host, over a master that has room; connects where none has.
    ///
    /// # Errors
    /// When the host cannot be reached, or opens no session even on a new connection.
    pub(super) async fn session(&self, settings: &SshSettings, command_line: &str) -> Result<Channel, LinkError> {
        if let Some(key) = &settings.key
            && !Path::new(key).exists()
        {
            return Err(LinkError::Unreachable(format!("no such identity: {key}: No such file or directory")));
        }
        let way = self.ways.lock().map(|mut all| Arc::clone(all.entry(settings.socket_name()).or_default()));
        let way = way.unwrap_or_default();
        let asked = Instant::now();
        let (mut full, mut waited) = (Vec::new(), false);
        loop {
            let mut known = way.0.lock().await;
            let Some(master) = known.masters.iter().find(|m| !full.contains(&m.place)).cloned() else {
                if let Some((_, error)) = known.failed.as_ref().filter(|(when, _)| *when > asked) {
                    return Err(error.clone());
                }
                // An ended session may not have been counted off yet.
                if !full.is_empty() && !waited {
                    waited = true;
                    full.clear();
                    drop(known);
                    tokio::time::sleep(jittered(SESSION_ENDS)).await;
                    continue;
                }
                // Under the lock, so that nobody else takes the new one's session.
                if let Some(channel) = self.on_another(settings, &mut known, &mut full, command_line).await? {
                    return Ok(channel);
                }
                continue;
            };
            drop(known);
            match open(&master.session, command_line).await {
                Ok(channel) => return Ok(channel),
                Err(NotOpened::Refused) => full.push(master.place),
                Err(NotOpened::Broken(_)) => {
                    let mut known = way.0.lock().await;
                    known.masters.retain(|m| !Arc::ptr_eq(&m.session, &master.session));
                }
            }
        }
    }

    /// One more master, found or started, and a session on it; none when a found one is full.
    async fn on_another(
        &self,
        settings: &SshSettings,
        known: &mut Known,
        full: &mut Vec<usize>,
        command_line: &str,
    ) -> Result<Option<Channel>, LinkError> {
        let place = (0..).find(|p| known.masters.iter().all(|m| m.place != *p)).unwrap_or_default();
        let socket = self.options.control_dir.join(format!("{}{}", settings.socket_name(), suffix(place)));
        if let Some(session) = found(&socket) {
            let limit = FOUND.max(Duration::from_secs(settings.timeout));
            let opened = tokio::time::timeout(limit, open(&session, command_line)).await;
            match opened.unwrap_or_else(|_| Err(NotOpened::Broken("the master does not answer".to_owned()))) {
                Ok(channel) => {
                    known.masters.push(Master { place, session });
                    return Ok(Some(channel));
                }
                Err(NotOpened::Refused) => {
                    known.masters.push(Master { place, session });
                    full.push(place);
                    return Ok(None);
                }
                // It has ended, or its connection is dead.
                Err(NotOpened::Broken(_)) => {}
            }
        }
        let opened = match self.connect(settings, &socket).await {
            Ok(session) => match open(&session, command_line).await {
                Ok(channel) => {
                    known.masters.push(Master { place, session });
                    Ok(Some(channel))
                }
                Err(NotOpened::Refused) => Err("the host refuses a session (MaxSessions 0?)".to_owned()),
                Err(NotOpened::Broken(words)) => Err(format!("ssh opens no session: {words}")),
            },
            Err(words) => Err(words),
        };
        opened.map_err(|words| {
            let error = LinkError::Unreachable(words);
            known.failed = Some((Instant::now(), error.clone()));
            error
        })
    }

    /// Starts a master, again and again while the host is too busy to talk.
    async fn connect(&self, settings: &SshSettings, socket: &Path) -> Result<Arc<Session>, String> {
        make_private_dir(&self.options.control_dir)?;
        let host = format!("{} port {:?}", settings.host, settings.port);
        let mut patience = Patience::default();
        loop {
            let pass = self.doors.enter(&host).await;
            let permit = self.setting_up.acquire().await.map_err(|e| e.to_string())?;
            let started = self.start(settings, socket).await;
            drop(permit);
            match started {
                Ok(()) => {
                    self.doors.opened();
                    break;
                }
                Err(words) => match self.doors.refused(&host, &pass, &words, &mut patience) {
                    Some(wait) => {
                        drop(pass);
                        tokio::time::sleep(wait).await;
                    }
                    None => return Err(words),
                },
            }
        }
        found(socket).ok_or_else(|| "ssh's master ended at once".to_owned())
    }

    async fn start(&self, settings: &SshSettings, socket: &Path) -> Result<(), String> {
        // Started under a name of its own, so that two runs do not trip over each other; and
        // then put in the place of what may stand there, a stale socket say.
        let own = socket.with_extension(std::process::id().to_string());
        let log = tempfile::NamedTempFile::new().map_err(|e| format!("cannot make a temporary file: {e}"))?;
        let errors = log.reopen().map_err(|e| format!("cannot open a temporary file: {e}"))?;
        let persist = if self.ends_with_run() { ABANDONED } else { &self.options.persist };
        let mut command = settings.master_command(&own, persist);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).kill_on_drop(true);
        let limit = Duration::from_secs(settings.timeout * 2 + 20);
        let status = tokio::time::timeout(limit, command.status()).await;
        let said = std::fs::read_to_string(log.path()).unwrap_or_default();
        match status {
            Err(_) => Err(format!("ssh did not connect within {} seconds {}", limit.as_secs(), said.trim())),
            Ok(Err(e)) => Err(format!("cannot start {}: {e}", settings.program())),
            Ok(Ok(status)) if status.success() => {
                std::fs::rename(&own, socket).map_err(|e| format!("cannot put ssh's control socket in place: {e}"))
            }
            Ok(Ok(_)) => Err(format!("Failed to connect to the host via ssh: {}", said.trim())),
        }
    }

    /// Whether masters are not to be kept.
    fn ends_with_run(&self) -> bool {
        matches!(self.options.persist.as_str(), "no" | "false")
    }

    /// Ends the masters that are not to be kept: each as soon as its last session has ended.
    pub(super) async fn close(&self) {
        if !self.ends_with_run() {
            return;
        }
        let ways: Vec<_> = self.ways.lock().map(|all| all.values().cloned().collect()).unwrap_or_default();
        for way in ways {
            // Who is still connecting (the run was interrupted) is left alone: it ends by itself.
            let Ok(mut known) = way.0.try_lock() else { continue };
            for master in known.masters.drain(..) {
                let session = Session::resume_mux(master.session.control_socket().into(), None);
                let _ = tokio::time::timeout(Duration::from_secs(1), session.close()).await;
            }
        }
    }
}

fn suffix(place: usize) -> String {
    if place == 0 { String::new() } else { format!("-{place}") }
}

fn make_private_dir(dir: &Path) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| format!("cannot make the directory for ssh's control sockets, {}: {e}", dir.display()))
}

/// The master behind a socket. Whether it answers shows when a session is asked for. A socket
/// where none does is left: the next master's is put in its place, and until then another run
/// may do so.
fn found(socket: &Path) -> Option<Arc<Session>> {
    socket.exists().then(|| Arc::new(Session::resume_mux(socket.into(), None)))
}

async fn open(session: &Arc<Session>, command_line: &str) -> Result<Channel, NotOpened> {
    let mut command = Arc::clone(session).arc_raw_command(command_line);
    command.stdin(openssh::Stdio::piped()).stdout(openssh::Stdio::piped()).stderr(openssh::Stdio::piped());
    let mut child = command.spawn().await.map_err(|e| not_opened(&e))?;
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (child.stdin().take(), child.stdout().take(), child.stderr().take())
    else {
        return Err(NotOpened::Broken("a pipe is missing".to_owned()));
    };
    Ok(Channel {
        stdin: Box::new(stdin),
        stdout: Box::new(stdout),
        stderr: Box::new(stderr),
        ended: Box::pin(async move { child.wait().await.ok().and_then(|s| s.code()) }),
    })
}

fn not_opened(error: &openssh::Error) -> NotOpened {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        words = format!("{words}: {inner}");
        source = inner.source();
    }
    // The words of ssh's master for a channel that sshd did not open.
    if words.contains("refused by peer") { NotOpened::Refused } else { NotOpened::Broken(words) }
}
