//! What a step does to a host, as data: the real run carries it out, a dry run
//! remembers it as planned state.

use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Group, User};
use crate::model::{FileKind, Reason};

/// Seconds and nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Time {
    /// Seconds.
    pub secs: i64,
    /// Nanoseconds, below 10⁹.
    pub nanos: u32,
}

impl Time {
    /// As seconds with a fraction, as Python's `os.stat` gives it.
    #[allow(clippy::cast_precision_loss, reason = "Python's float has the same precision")]
    pub fn as_f64(self) -> f64 {
        self.secs as f64 + f64::from(self.nanos) * 1e-9
    }
}

/// What `lstat` says of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// File, directory, link …
    pub kind: FileKind,
    /// Permission bits with set-id and sticky (0o7777).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Inode number; 0 when only planned.
    pub inode: u64,
    /// Device number.
    pub dev: u64,
    /// Device number of a device file.
    pub rdev: u64,
    /// Number of hard links.
    pub nlink: u64,
    /// Blocks of 512 bytes.
    pub blocks: u64,
    /// Preferred size of reads and writes.
    pub block_size: u64,
    /// Last access.
    pub atime: Time,
    /// Last change of content.
    pub mtime: Time,
    /// Last change of attributes.
    pub ctime: Time,
}

impl Stat {
    /// Something of this kind of which nothing else is known.
    pub fn blank(kind: FileKind) -> Self {
        let never = Time::default();
        Self {
            kind,
            mode: 0,
            uid: 0,
            gid: 0,
            size: 0,
            inode: 0,
            dev: 0,
            rdev: 0,
            nlink: 1,
            blocks: 0,
            block_size: 4096,
            atime: never,
            mtime: never,
            ctime: never,
        }
    }
}

/// A file's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// These bytes.
    Bytes(Arc<[u8]>),
    /// Not to be known in a dry run.
    Unknown(Reason),
}

/// A change of the host's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// A file with this content and attributes stands at `path` (atomically replaced).
    File {
        /// Where.
        #[serde(with = "path_bytes")]
        path: PathBuf,
        /// What is in it.
        content: Content,
        /// Permission bits.
        mode: u32,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
        /// Overwrite in place where a rename is refused (`unsafe_writes`).
        in_place: bool,
    },
    /// A directory stands at `path`; its parent is there.
    Directory {
        /// Where.
        #[serde(with = "path_bytes")]
        path: PathBuf,
        /// Permission bits.
        mode: u32,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// A symbolic link stands at `path` (atomically replaced).
    Link {
        /// Where.
        #[serde(with = "path_bytes")]
        path: PathBuf,
        /// What it points to, as written.
        #[serde(with = "path_bytes")]
        target: PathBuf,
    },
    /// A hard link to `target` stands at `path` (atomically replaced).
    HardLink {
        /// Where.
        #[serde(with = "path_bytes")]
        path: PathBuf,
        /// The file it is another name of.
        #[serde(with = "path_bytes")]
        target: PathBuf,
    },
    /// The attributes of what is at `path` are set; a link itself is not followed.
    Attributes {
        /// Where.
        #[serde(with = "path_bytes")]
        path: PathBuf,
        /// Permission bits.
        mode: Option<u32>,
        /// Owner.
        uid: Option<u32>,
        /// Group.
        gid: Option<u32>,
    },
    /// The times of what is at `path` are set.
    Times {
        /// Where.
        #[serde(with = "path_bytes")]
        path: PathBuf,
        /// Last access; unchanged when `None`.
        atime: Option<Time>,
        /// Last change of content; unchanged when `None`.
        mtime: Option<Time>,
    },
    /// Nothing is at `path`; a directory goes with all that is in it.
    Remove {
        /// Where.
        #[serde(with = "path_bytes")]
        path: PathBuf,
    },
    /// A user account is as given (carried out by the module's own step).
    User(User),
    /// A user account is gone.
    NoUser(String),
    /// A group is as given.
    Group(Group),
    /// A group is gone.
    NoGroup(String),
    /// A package is installed (`Some` version) or not.
    Package {
        /// Its name.
        name: String,
        /// The version; empty when it is not known which.
        version: Option<String>,
    },
    /// A unit is active, enabled.
    Unit {
        /// Its name with suffix, `nginx.service`.
        name: String,
        /// Whether it runs; unchanged when `None`.
        active: Option<bool>,
        /// Whether it starts at boot; unchanged when `None`.
        enabled: Option<bool>,
    },
    /// Something that a service of the host keeps (an image, a network, a container) is
    /// as given, or is gone.
    Thing {
        /// What it is: `docker network`.
        kind: String,
        /// Its name.
        name: String,
        /// What the service would say of it, as JSON; `None` when it is gone.
        state: Option<String>,
    },
    /// Anything may have been provided: what is missing from here on may be there
    /// in a real run. The reason completes "unknown: …".
    MayProvide(Reason),
}

impl Effect {
    /// The same effect at another path; those that have none stay.
    #[must_use]
    pub(super) fn map_path(mut self, change: impl FnOnce(PathBuf) -> PathBuf) -> Self {
        match &mut self {
            Self::File { path, .. }
            | Self::Directory { path, .. }
            | Self::Link { path, .. }
            | Self::HardLink { path, .. }
            | Self::Attributes { path, .. }
            | Self::Times { path, .. }
            | Self::Remove { path } => *path = change(std::mem::take(path)),
            _ => {}
        }
        self
    }
}

/// Paths are bytes on Linux; serde's own form refuses those that are not UTF-8.
mod path_bytes {
    use super::{Deserialize, Deserializer, OsStrExt, OsStringExt, PathBuf, Serialize, Serializer};

    pub fn serialize<S: Serializer>(path: &std::path::Path, s: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().as_bytes().serialize(s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<PathBuf, D::Error> {
        Ok(PathBuf::from(std::ffi::OsString::from_vec(Vec::deserialize(d)?)))
    }
}
