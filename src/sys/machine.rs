//! What a probe can say of the machine itself: kernel, disks, addresses, ids.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::netlink::{self, Address, Route};
use super::{Probe, ScratchDir, process};
use crate::model::{Command, Failure, Output};

/// The kernel's names (uname(2)).
#[derive(Debug, Clone, Default)]
pub struct Kernel {
    /// `Linux`.
    pub system: String,
    /// The host's name.
    pub nodename: String,
    /// `6.1.0-13-amd64`.
    pub release: String,
    /// `#1 SMP …`.
    pub version: String,
    /// `x86_64`.
    pub machine: String,
}

/// How much a file system has and holds (statvfs(3)).
#[derive(Debug, Clone, Copy, Default)]
pub struct Space {
    /// Preferred block size.
    pub block_size: u64,
    /// The unit that blocks are counted in.
    pub fragment_size: u64,
    /// All blocks.
    pub blocks: u64,
    /// Blocks that everybody can still use.
    pub available: u64,
    /// All inodes.
    pub inodes: u64,
    /// Inodes that everybody can still use.
    pub inodes_available: u64,
}

/// The ids of a process.
#[derive(Debug, Clone, Copy)]
pub struct Ids {
    /// Who started it.
    pub uid: u32,
    /// The group of who started it.
    pub gid: u32,
    /// Whose rights it has.
    pub euid: u32,
    /// Which group's rights it has.
    pub egid: u32,
}

/// A number that all processes on one machine agree on, and those on another do not: from
/// the kernel's boot and from what `/` is, so that containers are machines of their own.
pub fn machine_identity() -> u64 {
    use std::os::unix::fs::MetadataExt;

    use sha2::{Digest, Sha256};
    let boot = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let root = std::fs::metadata("/").map(|m| (m.dev(), m.ino())).unwrap_or_default();
    let digest: [u8; 32] = Sha256::new().chain_update(boot).chain_update(format!("{root:?}")).finalize().into();
    digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

impl Probe<'_> {
    /// The kernel's names.
    pub fn kernel(&self) -> Kernel {
        let uname = rustix::system::uname();
        let text = |c: &std::ffi::CStr| c.to_string_lossy().into_owned();
        Kernel {
            system: text(uname.sysname()),
            nodename: text(uname.nodename()),
            release: text(uname.release()),
            version: text(uname.version()),
            machine: text(uname.machine()),
        }
    }

    /// The space of the file system that `path` is on.
    pub fn space(&self, path: impl AsRef<Path>) -> Option<Space> {
        let s = rustix::fs::statvfs(path.as_ref()).ok()?;
        Some(Space {
            block_size: s.f_bsize,
            fragment_size: s.f_frsize,
            blocks: s.f_blocks,
            available: s.f_bavail,
            inodes: s.f_files,
            inodes_available: s.f_favail,
        })
    }

    /// The worker's own ids.
    pub fn ids(&self) -> Ids {
        Ids {
            uid: rustix::process::getuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
            euid: rustix::process::geteuid().as_raw(),
            egid: rustix::process::getegid().as_raw(),
        }
    }

    /// Mean numbers of runnable processes over 1, 5 and 15 minutes.
    #[allow(clippy::cast_precision_loss, reason = "a load is far below 2^52")]
    pub fn load(&self) -> [f64; 3] {
        rustix::system::sysinfo().loads.map(|load| load as f64 / 65536.0)
    }

    /// Number of processors that the worker may run on.
    pub fn usable_processors(&self) -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    /// All variables of the environment that the task's programs get.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = std::env::vars_os()
            .map(|(n, v)| (n.to_string_lossy().into_owned(), v.to_string_lossy().into_owned()))
            .collect();
        for (name, value) in self.session().environment.borrow().iter() {
            all.retain(|(n, _)| n != name);
            all.push((name.clone(), value.clone()));
        }
        all.sort();
        all
    }

    /// All addresses of all interfaces.
    pub fn addresses(&self) -> Vec<Address> {
        netlink::addresses()
    }

    /// The destinations that are the host itself.
    pub fn local_networks(&self, v6: bool) -> Vec<(IpAddr, u8)> {
        netlink::local_networks(v6)
    }

    /// How packets to an address would leave.
    pub fn route_to(&self, to: IpAddr) -> Option<Route> {
        netlink::route_to(to)
    }

    /// As [`Probe::query`], with a limit to the time it takes.
    ///
    /// # Errors
    /// As [`Probe::query`], and when the time is up.
    pub fn query_within(&self, command: &Command, timeout: Duration) -> Result<Output, Failure> {
        let mut env = self.session().environment.borrow().clone();
        env.push(("LC_ALL".to_owned(), "C.UTF-8".to_owned()));
        process::run_command(command, &env, Some(timeout))
    }

    /// A private directory for programs that can only be asked by way of files.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch_dir(&self) -> Result<ScratchDir, Failure> {
        let dir = self.env("TMPDIR").filter(|d| Path::new(d).is_dir()).unwrap_or_else(|| "/tmp".to_owned());
        ScratchDir::new(Path::new(&dir))
            .map_err(|e| Failure::new(format!("cannot make a temporary directory in {dir}: {e}")))
    }

    /// A file of a few lines, as text without the white space around it; `None` where it
    /// cannot be read or is empty. For /proc and /sys, where nothing is ever planned.
    pub fn line(&self, path: impl AsRef<Path>) -> Option<String> {
        let bytes = std::fs::read(path.as_ref()).ok()?;
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// What a link of /proc or /sys leads to.
    pub fn target(&self, path: impl AsRef<Path>) -> Option<PathBuf> {
        std::fs::canonicalize(path).ok()
    }

    /// A file of the host as text, planned content included; `None` where there is none.
    pub fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        Some(String::from_utf8_lossy(&self.read(path).ok()?).into_owned())
    }

    /// Whether something is at `path`, links followed.
    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.stat(path).is_ok_and(|s| s.is_some())
    }

    /// Names in a directory, sorted; none where there is no directory.
    pub fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        let names = self.list_dir(path).unwrap_or_default();
        names.into_iter().map(|n| n.to_string_lossy().into_owned()).collect()
    }
}
