//! The user's editor on a plain text that leaves nothing behind.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};
use zeroize::Zeroizing;

use super::disk;
use crate::diag::{Diagnostic, ExitCode};

/// A text in the editor. The file goes with this value, and so does whatever the editor puts
/// beside it: they are in a directory of their own, in memory where that is possible.
pub struct Scratch {
    /// Removed when it is dropped.
    _dir: TempDir,
    path: PathBuf,
}

fn error(message: String) -> Diagnostic {
    Diagnostic::error(message).exit(ExitCode::Error)
}

/// A directory that only its owner can enter; in memory, or else where temporary files go.
fn directory() -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("rplay-vault-").permissions(Permissions::from_mode(0o700));
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let memory = [Some(PathBuf::from("/dev/shm")), runtime];
    let found = memory.into_iter().flatten().find_map(|place| builder.tempdir_in(place).ok());
    found.map_or_else(|| builder.tempdir(), Ok)
}

impl Scratch {
    /// Puts a text where the editor finds it, under the name of the file it is of.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(name: &Path, text: &[u8]) -> Result<Self, Diagnostic> {
        let dir = directory().map_err(|e| error(format!("cannot make a temporary directory: {e}")))?;
        let path = dir.path().join(name.file_name().unwrap_or_else(|| "text".as_ref()));
        disk::private(&path, text)?;
        Ok(Self { _dir: dir, path })
    }

    /// Runs the editor and gives the text as it left it.
    ///
    /// # Errors
    /// When the editor cannot be run, fails, or a signal ends all of this.
    pub fn edit(&self) -> Result<Zeroizing<Vec<u8>>, Diagnostic> {
        let editor = std::env::var("EDITOR").ok().filter(|e| !e.trim().is_empty()).unwrap_or_else(|| "vi".to_owned());
        let failed = |e: std::io::Error| error(format!("cannot run the editor `{editor}`: {e}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let status = runtime.block_on(async {
            let mut signals = Signals::new().map_err(failed)?;
            let mut command = Command::new("/bin/sh");
            // As git does: the editor may bring arguments and variables of its own.
            let exec = if editor.split_whitespace().next().is_some_and(|w| w.contains('=')) { "" } else { "exec " };
            command.arg("-c").arg(format!("{exec}{editor} \"$@\"")).arg(&editor).arg(&self.path);
            let child = command.spawn().map_err(failed)?;
            signals.wait(child).await.map_err(failed)
        })?;
        match status {
            Some(status) if status.success() => disk::read(&self.path),
            Some(status) => Err(error(format!("the editor `{editor}` failed ({status}); nothing was changed"))
                .hint("it is taken from $EDITOR")),
            None => Err(error("interrupted; nothing was changed".to_owned()).exit(ExitCode::Interrupted)),
        }
    }
}

/// The signals that would end this program and leave the text behind.
struct Signals {
    terminate: Signal,
    hangup: Signal,
    /// Those of the keyboard are the editor's: it gets them too.
    _keyboard: [Signal; 2],
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            _keyboard: [signal(SignalKind::interrupt())?, signal(SignalKind::quit())?],
        })
    }

    /// Waits for the editor; nothing when a signal came before it ended. The editor ends too.
    async fn wait(&mut self, mut child: Child) -> std::io::Result<Option<ExitStatus>> {
        tokio::select! {
            status = child.wait() => return status.map(Some),
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        Ok(None)
    }
}
