//! Ways to a host: ssh, this machine, a container; and the worker at their far end.

mod askpass;
mod bootstrap;
mod door;
mod escalate;
mod limits;
mod link;
mod local;
mod masters;
mod program;
mod ssh;
mod target;
mod ticket;
mod worker;

use std::future::Future;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

pub use askpass::answer as askpass_answer;
pub use bootstrap::{GO, WORKER_COMMAND, Workers};
pub use escalate::{Become, Method};
pub use limits::make_room;
pub use link::{Contents, Ended, Link};
pub use local::{Docker, LocalMachine};
pub use masters::{Masters, SshOptions};
pub use ssh::{Ssh, SshSettings};
pub use target::{Account, Connector, Links, Target};
pub use ticket::{End, Ticket};

/// A boxed future, since traits with async methods cannot be objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why a host, or an account on it, could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkError {
    /// No way to the host, or the way broke: it is unreachable.
    Unreachable(String),
    /// The host is there, but the task cannot be run (password missing or wrong,
    /// no worker for its architecture): the task fails.
    Failed(String),
}

impl std::fmt::Display for LinkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Unreachable(words) | Self::Failed(words)) = self;
        f.write_str(words)
    }
}

/// A program that runs at the far end.
pub struct Channel {
    /// Its standard input.
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    /// Its standard output.
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// Its standard error.
    pub stderr: Box<dyn AsyncRead + Send + Unpin>,
    /// Its end: the exit status, when there is one.
    pub ended: BoxFuture<'static, Option<i32>>,
}

/// A way to a host.
pub trait Connection: Send + Sync {
    /// Starts a command line at the far end, read by a POSIX shell there.
    fn spawn<'a>(&'a self, command_line: &'a str) -> BoxFuture<'a, Result<Channel, LinkError>>;

    /// A worker's program that can be started by its path, where the far end is this machine.
    fn local_worker(&self) -> bool {
        false
    }
}

/// Quotes a word for a POSIX shell.
pub fn shell_quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
