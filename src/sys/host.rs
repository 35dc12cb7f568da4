//! Writing to a host, and spawning what changes it. Only steps get hold of this.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::http::{Endpoint, Reply, Request};
use super::{Content, Effect, Probe, fs, process};
use crate::model::{Command, Failure, Output};

/// Changes a host. Handed to steps in a real run, never while planning.
pub struct Host<'s> {
    probe: Probe<'s>,
}

impl<'s> Host<'s> {
    /// A host to act on through the same session that was planned on.
    pub const fn new(probe: Probe<'s>) -> Self {
        Self { probe }
    }

    /// Reads, as while planning.
    pub const fn probe(&self) -> &Probe<'s> {
        &self.probe
    }

    /// Runs a program in the task's environment.
    ///
    /// # Errors
    /// When it is not there, cannot be started, or takes longer than `timeout`.
    /// An exit status other than 0 is not an error here.
    pub fn run(&mut self, command: &Command, timeout: Option<Duration>) -> Result<Output, Failure> {
        let env = self.probe.session().environment.borrow().clone();
        process::run_command(command, &env, timeout)
    }

    /// Ends the workers that run as another account, which is to be removed.
    pub fn end_workers_of(&mut self, uid: u32) {
        super::peers::end(uid);
    }

    /// Writes a private file (mode 0700) of a name nobody can guess or hold already, for
    /// a program to read or run. The caller removes it with [`Effect::Remove`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn scratch(&mut self, name: &str, bytes: &[u8]) -> Result<std::path::PathBuf, Failure> {
        let dir = self.probe.env("TMPDIR").filter(|d| Path::new(d).is_dir()).unwrap_or_else(|| "/tmp".to_owned());
        fs::scratch(Path::new(&dir), name, bytes)
            .map_err(|e| Failure::new(format!("cannot write a temporary file in {dir}: {e}")))
    }

    /// Sends a request to a service of the host.
    ///
    /// # Errors
    /// [`Failure::missing`] when nothing listens there; a plain one when the connection
    /// breaks. A status that is no success is not an error here.
    pub fn send(&mut self, to: &Endpoint, request: &Request) -> Result<Reply, Failure> {
        to.exchange(request, None)
    }

    /// As [`Host::send`], for a request that makes the connection a stream (`docker exec`):
    /// `input` is written to it, and the answer's content is all that comes back.
    ///
    /// # Errors
    /// As [`Host::send`].
    pub fn converse(&mut self, to: &Endpoint, request: &Request, input: Option<&[u8]>) -> Result<Reply, Failure> {
        to.converse(request, input)
    }

    /// Asks with GET and puts the content of a good answer into a file, atomically.
    ///
    /// # Errors
    /// As [`Host::send`], and when the file cannot be written.
    pub fn download(&mut self, from: &Endpoint, path: &str, dest: &Path) -> Result<Reply, Failure> {
        let request =
            Request { method: "GET", path: path.to_owned(), headers: Vec::new(), body: super::http::Body::Empty };
        let mode = 0o666 & !self.probe.umask();
        let mut reply = None;
        let written = fs::replace_with(dest, mode, |file| {
            let answer = from.exchange(&request, Some(file));
            let good = answer.as_ref().is_ok_and(Reply::is_success);
            reply = Some(answer);
            if good { Ok(()) } else { Err(io::Error::other("no content")) }
        });
        match (reply, written) {
            (Some(Ok(reply)), Ok(())) => Ok(reply),
            (Some(Ok(reply)), Err(_)) if !reply.is_success() => Ok(reply),
            (Some(Err(failure)), _) => Err(failure),
            (_, Err(e)) => Err(Failure::new(format!("cannot write {}: {e}", dest.display()))),
            (None, Ok(())) => Err(Failure::new(format!("cannot write {}", dest.display()))),
        }
    }

    /// Carries out an effect on files. Effects on accounts, packages and units are
    /// carried out by the programs that their modules run; here they are nothing.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn apply(&mut self, effect: &Effect) -> Result<(), Failure> {
        match effect {
            Effect::File { path, content: Content::Bytes(bytes), mode, uid, gid, in_place } => {
                check(path, "write", fs::replace(path, bytes, *mode, (*uid, *gid), *in_place))
            }
            Effect::File { path, content: Content::Unknown(reason), .. } => {
                Err(Failure::new(format!("content of {} is unknown: {reason}", path.display())))
            }
            Effect::Directory { path, mode, uid, gid } => {
                check(path, "create", fs::make_dir(path, *mode, (*uid, *gid)))
            }
            Effect::Link { path, target } => check(path, "link", fs::link(path, target, false)),
            Effect::HardLink { path, target } => check(path, "link", fs::link(path, target, true)),
            Effect::Attributes { path, mode, uid, gid } => {
                check(path, "change the attributes of", fs::set_attributes(path, *mode, *uid, *gid))
            }
            Effect::Times { path, atime, mtime } => {
                check(path, "change the times of", fs::set_times(path, *atime, *mtime))
            }
            Effect::Remove { path } => check(path, "remove", fs::remove(path)),
            Effect::User(_)
            | Effect::NoUser(_)
            | Effect::Group(_)
            | Effect::NoGroup(_)
            | Effect::Package { .. }
            | Effect::Unit { .. }
            | Effect::Thing { .. }
            | Effect::MayProvide(_) => Ok(()),
        }
    }
}

fn check(path: &Path, what: &str, result: io::Result<()>) -> Result<(), Failure> {
    result.map_err(|e| Failure::new(format!("cannot {what} {}: {e}", path.display())))
}
