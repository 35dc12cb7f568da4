//! This machine, and containers of its Docker Engine, as hosts.

use std::process::Stdio;

use tokio::process::Command;

use super::{BoxFuture, Channel, Connection, LinkError};

/// The machine that rplay runs on.
pub struct LocalMachine;

/// A running container.
pub struct Docker {
    /// Its name or id.
    pub container: String,
    /// The user to run as; the image's when `None`.
    pub user: Option<String>,
}

impl Connection for LocalMachine {
    fn spawn<'a>(&'a self, command_line: &'a str) -> BoxFuture<'a, Result<Channel, LinkError>> {
        Box::pin(async move {
            let mut command = Command::new("/bin/sh");
            command.arg("-c").arg(command_line);
            start(command)
        })
    }

    fn local_worker(&self) -> bool {
        true
    }
}

impl Connection for Docker {
    fn spawn<'a>(&'a self, command_line: &'a str) -> BoxFuture<'a, Result<Channel, LinkError>> {
        Box::pin(async move {
            let mut command = Command::new("docker");
            command.args(["exec", "-i"]);
            if let Some(user) = &self.user {
                command.args(["-u", user]);
            }
            command.arg(&self.container).args(["/bin/sh", "-c", command_line]);
            start(command)
        })
    }
}

fn start(mut command: Command) -> Result<Channel, LinkError> {
    // Not `kill_on_drop`: a worker ends when its input does, and takes with it what it has
    // started; killed, it would leave that running.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().map_err(|e| LinkError::Unreachable(format!("cannot start {name}: {e}")))?;
    let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(LinkError::Unreachable(format!("no pipes to {name}")));
    };
    Ok(Channel {
        stdin: Box::new(stdin),
        stdout: Box::new(stdout),
        stderr: Box::new(stderr),
        ended: Box::pin(async move { child.wait().await.ok().and_then(|s| s.code()) }),
    })
}
