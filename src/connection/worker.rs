//! Starting a worker at the far end: the account, the program, the greeting.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::bootstrap::{GO, NEED, STUCK};
use super::link::{Ends, Link, read_frame, said};
use super::{Become, Channel, Connection, LinkError, Workers};
use crate::protocol::{Reply, VERSION};

/// What a host's login may print before our script does.
const MAX_NOISE: usize = 1 << 16;

/// Starts a worker, sending the program when the host does not have it.
///
/// # Errors
/// When the host cannot be reached, the account not be used, or the program not be
/// started before `deadline` is over.
pub(super) async fn start(
    connection: &dyn Connection,
    account: Option<&Become>,
    workers: &Workers,
    deadline: Duration,
) -> Result<Arc<Link>, LinkError> {
    let line = command_line(connection, account, workers)?;
    let channel = connection.spawn(&line).await?;
    let mut start = Start::new(channel, account);
    match timeout(deadline, start.shake_hands(workers)).await {
        Ok(Ok(machine)) => Ok(start.into_link(machine)),
        Ok(Err(e)) => Err(e),
        Err(_) => Err(LinkError::Unreachable(format!(
            "the host did not start its worker within {} seconds{}",
            deadline.as_secs(),
            start.last_words()
        ))),
    }
}

fn command_line(connection: &dyn Connection, account: Option<&Become>, workers: &Workers) -> Result<String, LinkError> {
    if connection.local_worker() && account.is_none() {
        let own = workers.program(std::env::consts::ARCH)?;
        return Ok(format!("echo {GO}; exec {}", own.command_line()));
    }
    let script = workers.script()?;
    // `exec` so that no shell of the login stays between us and the worker.
    let line = format!("exec /bin/sh -c {}", super::shell_quote(&script));
    Ok(account.map_or(line, |account| format!("exec {}", account.wrap(&script))))
}

/// A worker that is being started.
struct Start<'a> {
    channel: Channel,
    account: Option<&'a Become>,
    stderr: Arc<Mutex<String>>,
}

impl<'a> Start<'a> {
    fn new(mut channel: Channel, account: Option<&'a Become>) -> Self {
        let stderr = Arc::new(Mutex::new(String::new()));
        let pipe = std::mem::replace(&mut channel.stderr, Box::new(tokio::io::empty()));
        // Lines and frames are read in small parts, which should not cost a system call each.
        channel.stdout = Box::new(tokio::io::BufReader::new(channel.stdout));
        tokio::spawn(collect(pipe, Arc::clone(&stderr)));
        Self { channel, account, stderr }
    }

    fn last_words(&self) -> String {
        said(&self.stderr)
    }

    /// Gets the worker to run; the machine that it runs on.
    async fn shake_hands(&mut self, workers: &Workers) -> Result<u64, LinkError> {
        self.escalate().await?;
        let mut noise = 0;
        loop {
            let line = self.line().await?;
            noise += line.len();
            if line == GO {
                break;
            } else if let Some(rest) = line.strip_prefix(NEED) {
                let mut words = rest.split_whitespace();
                let program = workers.program(words.next().unwrap_or_default())?;
                let bytes = program.upload(words.next() == Some("gzip"))?;
                self.write(format!("{}\n", bytes.len()).as_bytes()).await?;
                self.write(bytes).await?;
            } else if let Some(reason) = line.strip_prefix(STUCK) {
                return Err(LinkError::Failed(reason.trim().to_owned()));
            } else if noise > MAX_NOISE {
                return Err(LinkError::Unreachable("the login prints without end".to_owned()));
            }
        }
        match read_frame(&mut self.channel.stdout).await {
            Ok((Reply::Hello { version: VERSION, machine, .. }, _)) => Ok(machine),
            Ok(_) => Err(LinkError::Failed("the worker on the host is another version than this rplay".to_owned())),
            Err(e) => Err(broken(&self.stderr, self.account, &e.to_string()).await),
        }
    }

    /// Hands over the password when it is asked for; nothing when it is not.
    async fn escalate(&mut self) -> Result<(), LinkError> {
        let Some(account) = self.account else { return Ok(()) };
        let Some(password) = &account.password else { return Ok(()) };
        // Either the question comes, or the script's first line, or the end.
        for _ in 0..600 {
            let text = self.stderr.lock().map(|s| s.clone()).unwrap_or_default();
            if account.asks(&text) {
                if let Ok(mut stderr) = self.stderr.lock() {
                    stderr.clear();
                }
                return self.write(format!("{password}\n").as_bytes()).await;
            }
            if let Some(byte) = self.peek().await? {
                let rest = std::mem::replace(&mut self.channel.stdout, Box::new(tokio::io::empty()));
                self.channel.stdout = Box::new(std::io::Cursor::new(vec![byte]).chain(rest));
                return Ok(());
            }
        }
        Ok(())
    }

    /// A byte of standard output, if one comes soon.
    async fn peek(&mut self) -> Result<Option<u8>, LinkError> {
        match timeout(Duration::from_millis(50), self.channel.stdout.read_u8()).await {
            Ok(Ok(byte)) => Ok(Some(byte)),
            Ok(Err(e)) => Err(broken(&self.stderr, self.account, &e.to_string()).await),
            Err(_) => Ok(None),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        let written = async {
            self.channel.stdin.write_all(bytes).await?;
            self.channel.stdin.flush().await
        };
        match written.await {
            Ok(()) => Ok(()),
            Err(e) => Err(broken(&self.stderr, self.account, &e.to_string()).await),
        }
    }

    /// A line of standard output, read byte by byte: what follows it are frames.
    async fn line(&mut self) -> Result<String, LinkError> {
        let mut line = Vec::new();
        loop {
            match self.byte().await {
                Ok(b'\n') => return Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
                Ok(byte) if line.len() < MAX_NOISE => line.push(byte),
                Ok(_) => return Err(LinkError::Unreachable("the login prints without end".to_owned())),
                Err(e) => return Err(broken(&self.stderr, self.account, &e.to_string()).await),
            }
        }
    }

    /// A byte of standard output. While none comes, sudo or su may be asking once more:
    /// the password was wrong.
    async fn byte(&mut self) -> std::io::Result<u8> {
        let Some(account) = self.account else { return self.channel.stdout.read_u8().await };
        loop {
            match timeout(Duration::from_millis(100), self.channel.stdout.read_u8()).await {
                Ok(read) => return read,
                Err(_) => {
                    let text = self.stderr.lock().map(|s| s.clone()).unwrap_or_default();
                    if let Some(refusal) = account.refusal(&text) {
                        return Err(std::io::Error::other(refusal));
                    }
                }
            }
        }
    }

    fn into_link(self, machine: u64) -> Arc<Link> {
        let Channel { stdin, stdout, ended, .. } = self.channel;
        // Waited for, so that no zombie is left.
        tokio::spawn(ended);
        Link::new(Ends { stdin, stdout, stderr: self.stderr, machine })
    }
}

/// Words for a start that failed: the refusal of sudo or su, or what was printed.
async fn broken(stderr: &Mutex<String>, account: Option<&Become>, why: &str) -> LinkError {
    // What was said last often comes a little later than the end.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let text = stderr.lock().map(|s| s.clone()).unwrap_or_default();
    if let Some(refusal) = account.and_then(|a| a.refusal(&text)) {
        return LinkError::Failed(refusal);
    }
    let words = if text.trim().is_empty() { why.to_owned() } else { text.trim().to_owned() };
    match account {
        Some(account) => LinkError::Failed(format!("cannot become {}: {words}", account.user)),
        None => LinkError::Unreachable(format!("cannot start a worker: {words}")),
    }
}

/// Keeps the last of what comes on standard error.
async fn collect(mut pipe: Box<dyn tokio::io::AsyncRead + Send + Unpin>, into: Arc<Mutex<String>>) {
    let mut buffer = [0u8; 4096];
    while let Ok(n @ 1..) = pipe.read(&mut buffer).await {
        if let Ok(mut text) = into.lock() {
            text.push_str(&String::from_utf8_lossy(buffer.get(..n).unwrap_or_default()));
            let excess = text.len().saturating_sub(8192);
            if let Some(cut) = (excess..text.len()).find(|i| excess > 0 && text.is_char_boundary(*i)) {
                text.drain(..cut);
            }
        }
    }
}
