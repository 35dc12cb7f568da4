//! Reading a host, planned state included.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::overlay::{New, Node};
use super::{BlobHash, Content, Group, Session, Stat, User, accounts, fs, process};
use crate::model::{Command, Failure, FileKind, Output, Reason};

/// Links followed before a path is taken to be a loop, as Linux does.
const MAX_LINKS: usize = 40;

/// Reads a host. Has no method that writes.
#[derive(Clone, Copy)]
pub struct Probe<'s> {
    session: &'s Session,
    wants_diff: bool,
    dry_run: bool,
}

impl<'s> Probe<'s> {
    /// A probe on a session; `wants_diff` says whether somebody will look at diffs.
    pub const fn new(session: &'s Session, wants_diff: bool) -> Self {
        Self { session, wants_diff, dry_run: false }
    }

    /// Says that what is planned will not be carried out (`--check`).
    #[must_use]
    pub const fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Whether what is planned will not be carried out. For what need not be known
    /// otherwise: what a package brings is seen soon enough when it is installed.
    pub const fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// Whether diffs are looked at: what costs much to compare may be left out otherwise.
    pub const fn wants_diff(&self) -> bool {
        self.wants_diff
    }

    /// Content that the controller holds.
    ///
    /// # Errors
    /// When the controller does not have it, or is gone.
    pub fn blob(&self, hash: BlobHash) -> Result<Arc<[u8]>, Failure> {
        self.session.blob(hash)
    }

    /// What is at `path`, links not followed.
    ///
    /// # Errors
    /// When it cannot be looked at (no permission).
    pub fn lstat(&self, path: impl AsRef<Path>) -> Result<Option<Stat>, Failure> {
        let path = path.as_ref();
        match self.resolve(path, false)? {
            Some(real) => self.lstat_resolved(&real),
            None => Ok(None),
        }
    }

    /// What is at `path`, links followed; nothing for a link that leads nowhere.
    ///
    /// # Errors
    /// As [`Probe::lstat`].
    pub fn stat(&self, path: impl AsRef<Path>) -> Result<Option<Stat>, Failure> {
        match self.resolve(path.as_ref(), true)? {
            Some(real) => self.lstat_resolved(&real),
            None => Ok(None),
        }
    }

    /// Whether the path leads through something that is no directory.
    pub fn is_below_a_file(&self, path: &Path) -> bool {
        let mut above = path.ancestors().skip(1).filter_map(|above| self.stat(above).ok().flatten());
        above.next().is_some_and(|stat| stat.kind != FileKind::Directory)
    }

    /// As [`Probe::lstat`], for a question whose answer "nothing" is a result: under
    /// `--check`, where an earlier step may provide the path, it is unknown.
    ///
    /// # Errors
    /// As [`Probe::lstat`], and [`Failure::unknown`].
    pub fn lstat_certain(&self, path: impl AsRef<Path>) -> Result<Option<Stat>, Failure> {
        let found = self.lstat(path)?;
        match (&found, self.session.may_be_provided()) {
            (None, Some(reason)) => Err(Failure::unknown(reason)),
            _ => Ok(found),
        }
    }

    /// The content of a file, links followed.
    ///
    /// # Errors
    /// [`Failure::missing`] when there is none; a plain one when it cannot be read.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Vec<u8>, Failure> {
        let path = path.as_ref();
        let missing = || Failure::missing(format!("file not found: {}", path.display()));
        let real = self.resolve(path, true)?.ok_or_else(missing)?;
        match self.session.overlay.borrow().node(&real) {
            Some(Node::File(Content::Bytes(bytes), _)) => return Ok(bytes.to_vec()),
            Some(Node::File(Content::Unknown(reason), _)) => return Err(Failure::unknown(Arc::clone(reason))),
            Some(Node::Alias(target)) => return self.read(target),
            Some(Node::Absent) => return Err(missing()),
            _ => {}
        }
        std::fs::read(&real).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => missing(),
            _ => Failure::new(format!("cannot read {}: {e}", path.display())),
        })
    }

    /// One file out of a tar archive, which is not read as a whole; `None` when it is not in there.
    ///
    /// # Errors
    /// When the archive cannot be read.
    pub fn archive_entry(&self, path: impl AsRef<Path>, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let path = path.as_ref();
        let Some(real) = self.resolve(path, true)? else { return Ok(None) };
        if let Some(Node::File(Content::Unknown(reason), _)) = self.session.overlay.borrow().node(&real) {
            return Err(Failure::unknown(Arc::clone(reason)));
        }
        fs::archive_entry(&real, name).map_err(|e| Failure::new(format!("cannot read {}: {e}", path.display())))
    }

    /// Where a symbolic link points to, as written in it.
    ///
    /// # Errors
    /// When there is no link.
    pub fn read_link(&self, path: impl AsRef<Path>) -> Result<PathBuf, Failure> {
        let path = path.as_ref();
        let real = self.resolve(path, false)?.unwrap_or_else(|| path.to_owned());
        if let Some(Node::Link(target, _)) = self.session.overlay.borrow().node(&real) {
            return Ok(target.clone());
        }
        std::fs::read_link(&real).map_err(|e| Failure::missing(format!("cannot read link {}: {e}", path.display())))
    }

    /// The path with all links resolved; `None` when something on the way is missing.
    ///
    /// # Errors
    /// On a loop of links, or without permission.
    pub fn canonical(&self, path: impl AsRef<Path>) -> Result<Option<PathBuf>, Failure> {
        let Some(real) = self.resolve(path.as_ref(), true)? else { return Ok(None) };
        Ok(self.lstat_resolved(&real)?.map(|_| real))
    }

    /// Names in a directory, sorted.
    ///
    /// # Errors
    /// When there is no directory, or it cannot be read.
    pub fn list_dir(&self, path: impl AsRef<Path>) -> Result<Vec<OsString>, Failure> {
        let path = path.as_ref();
        let missing = || Failure::missing(format!("no such directory: {}", path.display()));
        let real = self.resolve(path, true)?.ok_or_else(missing)?;
        let overlay = self.session.overlay.borrow();
        let hidden = overlay.hides(&real) || matches!(overlay.node(&real), Some(Node::Directory(_, New(true))));
        let mut names: Vec<OsString> = if hidden {
            Vec::new()
        } else {
            let entries = std::fs::read_dir(&real).map_err(|e| match e.kind() {
                std::io::ErrorKind::NotFound => missing(),
                _ => Failure::new(format!("cannot list {}: {e}", path.display())),
            })?;
            entries.filter_map(|e| Some(e.ok()?.file_name())).collect()
        };
        for (name, there) in overlay.entries(&real) {
            names.retain(|n| *n != name);
            if there {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// The user with this name.
    pub fn user(&self, name: &str) -> Option<User> {
        match self.session.overlay.borrow().user(name) {
            Some(planned) => planned.clone(),
            None => accounts::user(name),
        }
    }

    /// The user with this id.
    pub fn user_by_id(&self, uid: u32) -> Option<User> {
        let planned = self.session.overlay.borrow().users().find(|u| u.uid == uid).cloned();
        planned.or_else(|| accounts::user_by_id(uid).filter(|u| self.user(&u.name).is_some()))
    }

    /// All users of the host's own database (/etc/passwd).
    pub fn users(&self) -> Vec<User> {
        let overlay = self.session.overlay.borrow();
        let real = accounts::users().into_iter().filter(|u| overlay.user(&u.name).is_none());
        real.chain(overlay.users().cloned()).collect()
    }

    /// The group with this name.
    pub fn group(&self, name: &str) -> Option<Group> {
        match self.session.overlay.borrow().group(name) {
            Some(planned) => planned.clone(),
            None => accounts::group(name),
        }
    }

    /// The group with this id.
    pub fn group_by_id(&self, gid: u32) -> Option<Group> {
        let planned = self.session.overlay.borrow().groups().find(|g| g.gid == gid).cloned();
        planned.or_else(|| accounts::group_by_id(gid).filter(|g| self.group(&g.name).is_some()))
    }

    /// All groups of the host's own database (/etc/group).
    pub fn groups(&self) -> Vec<Group> {
        let overlay = self.session.overlay.borrow();
        let real = accounts::groups().into_iter().filter(|g| overlay.group(&g.name).is_none());
        real.chain(overlay.groups().cloned()).collect()
    }

    /// What is planned for a package: `None` when nothing is, `Some(None)` when it is to
    /// be removed, `Some(Some(version))` when installed (empty: which version is not known).
    pub fn planned_package(&self, name: &str) -> Option<Option<String>> {
        self.session.overlay.borrow().package(name).cloned()
    }

    /// All packages that something is planned for, as [`Probe::planned_package`].
    pub fn planned_packages(&self) -> Vec<(String, Option<String>)> {
        self.session.overlay.borrow().packages()
    }

    /// What is planned for a unit: (active, enabled), each `None` where nothing is.
    pub fn planned_unit(&self, name: &str) -> (Option<bool>, Option<bool>) {
        self.session.overlay.borrow().unit(name).unwrap_or_default()
    }

    /// What is planned for something that a service of the host keeps ([`super::Effect::Thing`]):
    /// `None` when nothing is, `Some(None)` when it is to be gone.
    pub fn planned_thing(&self, kind: &str, name: &str) -> Option<Option<String>> {
        self.session.overlay.borrow().thing(kind, name).cloned()
    }

    /// Asks a service of the host with GET.
    ///
    /// # Errors
    /// [`Failure::missing`] when nothing listens there; a plain one when the connection
    /// breaks. A status that is no success is not an error here.
    pub fn get(&self, from: &super::http::Endpoint, path: &str) -> Result<super::http::Reply, Failure> {
        self.ask("GET", from, path)
    }

    /// Asks a service of the host with HEAD: the answer's headers alone.
    ///
    /// # Errors
    /// As [`Probe::get`].
    pub fn head(&self, from: &super::http::Endpoint, path: &str) -> Result<super::http::Reply, Failure> {
        self.ask("HEAD", from, path)
    }

    fn ask(
        &self,
        method: &'static str,
        from: &super::http::Endpoint,
        path: &str,
    ) -> Result<super::http::Reply, Failure> {
        let body = super::http::Body::Empty;
        from.exchange(&super::http::Request { method, path: path.to_owned(), headers: Vec::new(), body }, None)
    }

    /// Runs a program that only reads (`dpkg-query`, `systemctl show`, `git rev-parse`),
    /// with messages in English.
    ///
    /// # Errors
    /// [`Failure::missing`] when there is no such program.
    pub fn query(&self, command: &Command) -> Result<Output, Failure> {
        let mut env = self.session.environment.borrow().clone();
        env.push(("LC_ALL".to_owned(), "C.UTF-8".to_owned()));
        process::run_command(command, &env, None)
    }

    /// Where a program is found in PATH, or in the directories of administrators' programs.
    pub fn which(&self, program: &str) -> Option<PathBuf> {
        let env = self.session.environment.borrow();
        let own = env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
        let path = own.or_else(|| std::env::var("PATH").ok()).unwrap_or_default();
        path.split(':')
            .chain(["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"])
            .filter(|d| !d.is_empty())
            .find_map(|dir| {
                let candidate = Path::new(dir).join(program);
                let stat = self.stat(&candidate).ok()??;
                (stat.kind == FileKind::File && stat.mode & 0o111 != 0).then_some(candidate)
            })
    }

    /// A variable of the environment that the task's programs get.
    pub fn env(&self, name: &str) -> Option<String> {
        let env = self.session.environment.borrow();
        let own = env.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        own.or_else(|| std::env::var(name).ok())
    }

    /// The worker's umask: what a new file's default mode leaves out.
    pub fn umask(&self) -> u32 {
        fs::umask()
    }

    /// The ids that new files get: the worker's own.
    pub fn own_ids(&self) -> (u32, u32) {
        (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
    }

    /// Why something that is missing may be there in a real run, if an earlier step of
    /// this dry run may provide it.
    pub fn may_be_provided(&self) -> Option<Reason> {
        self.session.may_be_provided()
    }

    /// Whether anything is planned that was not carried out.
    pub fn is_dry(&self) -> bool {
        self.session.overlay.borrow().is_planned()
    }

    /// The path with the links of its directories resolved, its own not; as written
    /// where a directory on the way is missing.
    pub(super) fn place(&self, path: &Path) -> PathBuf {
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return path.to_owned() };
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        match self.resolve(dir, true) {
            Ok(Some(dir)) => dir.join(name),
            _ => path.to_owned(),
        }
    }

    /// The session, for what carries steps out.
    pub const fn session(&self) -> &'s Session {
        self.session
    }

    fn lstat_resolved(&self, real: &Path) -> Result<Option<Stat>, Failure> {
        let overlay = self.session.overlay.borrow();
        let look = || fs::lstat(real).map_err(|e| Failure::new(format!("cannot look at {}: {e}", real.display())));
        Ok(match overlay.node(real) {
            Some(Node::Absent) => None,
            Some(Node::File(content, meta)) => {
                let size = if let Content::Bytes(bytes) = content { bytes.len() as u64 } else { 0 };
                Some(meta.planned(FileKind::File, size))
            }
            Some(Node::Directory(meta, _)) => Some(meta.planned(FileKind::Directory, 4096)),
            Some(Node::Link(target, meta)) => Some(meta.planned(FileKind::Link, target.as_os_str().len() as u64)),
            Some(Node::Alias(target)) => {
                self.lstat_resolved(target)?.map(|stat| Stat { nlink: stat.nlink + 1, ..stat })
            }
            Some(Node::Changed(meta)) => look()?.map(|stat| meta.over(stat)),
            None if overlay.hides(real) => None,
            None => look()?,
        })
    }

    /// The path with the links of its directories resolved (and its own, when `follow`).
    /// `None` when a directory on the way is missing or a link leads nowhere.
    fn resolve(&self, path: &Path, follow: bool) -> Result<Option<PathBuf>, Failure> {
        if self.session.overlay.borrow().no_files() {
            return resolve_real(path, follow);
        }
        let mut todo: Vec<OsString> = reversed(path);
        let mut done = if path.is_absolute() {
            PathBuf::from("/")
        } else {
            std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))
        };
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == ".." {
                done.pop();
                continue;
            }
            let next = done.join(&part);
            let last = todo.is_empty();
            match self.lstat_resolved(&next)? {
                None if last && !follow => return Ok(Some(next)),
                None => return Ok(if last { Some(next) } else { None }),
                Some(stat) if stat.kind == FileKind::Link && (!last || follow) => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Failure::new(format!("too many levels of symbolic links: {}", path.display())));
                    }
                    let target = self.link_target(&next)?;
                    if target.is_absolute() {
                        done = PathBuf::from("/");
                    }
                    todo.extend(reversed(&target));
                }
                Some(_) => done = next,
            }
        }
        Ok(Some(done))
    }

    fn link_target(&self, real: &Path) -> Result<PathBuf, Failure> {
        if let Some(Node::Link(target, _)) = self.session.overlay.borrow().node(real) {
            return Ok(target.clone());
        }
        std::fs::read_link(real).map_err(|e| Failure::new(format!("cannot read link {}: {e}", real.display())))
    }
}

/// A path's parts, last first, without `/` and `.`.
fn reversed(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter_map(|c| match c {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    });
    let mut parts: Vec<OsString> = parts.collect();
    parts.reverse();
    parts
}

/// The fast way when nothing is planned: the kernel resolves.
fn resolve_real(path: &Path, follow: bool) -> Result<Option<PathBuf>, Failure> {
    if !follow {
        return Ok(Some(path.to_owned()));
    }
    match std::fs::canonicalize(path) {
        Ok(real) => Ok(Some(real)),
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            let is_link = std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_symlink());
            Ok(if is_link { None } else { Some(path.to_owned()) })
        }
        Err(e) => Err(Failure::new(format!("cannot resolve {}: {e}", path.display()))),
    }
}
