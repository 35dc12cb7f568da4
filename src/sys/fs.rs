//! The file system as it really is: reading, and writing without ever leaving half a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, Timespec, Timestamps};

use super::{Stat, Time, xattr};
use crate::model::FileKind;

/// `lstat`, or nothing where nothing is.
pub(super) fn lstat(path: &Path) -> io::Result<Option<Stat>> {
    match std::fs::symlink_metadata(path) {
        Ok(m) => Ok(Some(to_stat(&m))),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(e),
    }
}

fn to_stat(m: &std::fs::Metadata) -> Stat {
    let t = m.file_type();
    let kind = if t.is_symlink() {
        FileKind::Link
    } else if t.is_dir() {
        FileKind::Directory
    } else if t.is_fifo() {
        FileKind::Fifo
    } else if t.is_socket() {
        FileKind::Socket
    } else if t.is_char_device() {
        FileKind::CharDevice
    } else if t.is_block_device() {
        FileKind::BlockDevice
    } else {
        FileKind::File
    };
    let time = |secs, nanos: i64| Time { secs, nanos: u32::try_from(nanos).unwrap_or(0) };
    Stat {
        kind,
        mode: m.mode() & 0o7777,
        uid: m.uid(),
        gid: m.gid(),
        size: m.size(),
        inode: m.ino(),
        dev: m.dev(),
        rdev: m.rdev(),
        nlink: m.nlink(),
        blocks: m.blocks(),
        block_size: m.blksize(),
        atime: time(m.atime(), m.atime_nsec()),
        mtime: time(m.mtime(), m.mtime_nsec()),
        ctime: time(m.ctime(), m.ctime_nsec()),
    }
}

/// Replaces (or makes) a file: temporary file in the same directory, content, owner,
/// mode, fsync, rename. Where the rename is refused because the path is a mount
/// point and `in_place` is set, the file is overwritten.
pub(super) fn replace(path: &Path, bytes: &[u8], mode: u32, owner: (u32, u32), in_place: bool) -> io::Result<()> {
    let (temp, mut file) = temporary(path)?;
    let result = (|| {
        file.write_all(bytes)?;
        set_owner_fd(&file, owner)?;
        xattr::keep(path, &file);
        // After the owner: a change of owner clears set-id bits.
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
        file.sync_all()?;
        std::fs::rename(&temp, path)
    })();
    match result {
        Ok(()) => sync_parent(path),
        Err(e) => {
            let _ = std::fs::remove_file(&temp);
            if in_place && matches!(e.raw_os_error(), Some(libc_ebusy::EBUSY | libc_ebusy::EPERM | libc_ebusy::EXDEV)) {
                overwrite(path, bytes)
            } else {
                Err(e)
            }
        }
    }
}

/// The content of a file in a tar archive, what is before it skipped.
pub(super) fn archive_entry(path: &Path, wanted: &str) -> io::Result<Option<Vec<u8>>> {
    const BLOCK: u64 = 512;
    /// More than any list of an archive's content has.
    const LIMIT: u64 = 64 << 20;
    let mut file = File::open(path)?;
    let mut header = [0u8; 512];
    while file.read_exact(&mut header).is_ok() {
        let text = |from: usize, to: usize| {
            let field = header.get(from..to).unwrap_or_default();
            let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
            String::from_utf8_lossy(field.get(..end).unwrap_or_default()).trim().to_owned()
        };
        let Ok(size) = u64::from_str_radix(&text(124, 136), 8) else { return Ok(None) };
        if text(0, 100).trim_start_matches("./") == wanted && size <= LIMIT {
            let mut content = Vec::new();
            file.take(size).read_to_end(&mut content)?;
            return Ok(Some(content));
        }
        let skip = i64::try_from(size.next_multiple_of(BLOCK)).map_err(io::Error::other)?;
        file.seek(io::SeekFrom::Current(skip))?;
    }
    Ok(None)
}

/// As [`replace`], for content that is written bit by bit.
pub(super) fn replace_with(path: &Path, mode: u32, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let (temp, mut file) = temporary(path)?;
    let result = write(&mut file).and_then(|()| {
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
        file.sync_all()?;
        std::fs::rename(&temp, path)
    });
    match result {
        Ok(()) => sync_parent(path),
        Err(e) => {
            let _ = std::fs::remove_file(&temp);
            Err(e)
        }
    }
}

/// Linux's numbers, the same on all architectures that Rust's std supports.
mod libc_ebusy {
    pub const EPERM: i32 = 1;
    pub const EBUSY: i32 = 16;
    pub const EXDEV: i32 = 18;
}

/// Replaces a file of the account this runs as, all at once.
///
/// # Errors
/// When the system refuses.
pub fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    replace(path, bytes, mode, own, false)
}

fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn set_owner_fd(file: &File, (uid, gid): (u32, u32)) -> io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) == (uid, gid) {
        return Ok(());
    }
    Ok(rustix::fs::fchown(file, Some(rustix::fs::Uid::from_raw(uid)), Some(rustix::fs::Gid::from_raw(gid)))?)
}

/// A name beside `path` that nobody else uses.
fn beside(path: &Path) -> PathBuf {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let n = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut name = std::ffi::OsString::from(".rplay-");
    name.push(format!("{}-{n}-", std::process::id()));
    let base = path.file_name().unwrap_or_default().as_bytes();
    // A name may have 255 bytes; the end of a long one says enough.
    name.push(std::ffi::OsStr::from_bytes(base.get(base.len().saturating_sub(200)..).unwrap_or_default()));
    path.with_file_name(name)
}

fn temporary(path: &Path) -> io::Result<(PathBuf, File)> {
    let temp = beside(path);
    let _ = std::fs::remove_file(&temp);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temp)?;
    Ok((temp, file))
}

/// A private, executable file for a program to read or run.
pub(super) fn scratch(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    for _ in 0..100 {
        let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
        let mut path = beside(&dir.join(name)).into_os_string();
        path.push(format!("-{nanos:x}"));
        let path = PathBuf::from(path);
        match OpenOptions::new().write(true).create_new(true).mode(0o700).open(&path) {
            Ok(mut file) => return file.write_all(bytes).map(|()| path),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

/// Makes the rename itself durable.
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(parent)?.sync_all()
}

/// Makes a directory with exactly these attributes.
pub(super) fn make_dir(path: &Path, mode: u32, owner: (u32, u32)) -> io::Result<()> {
    std::fs::create_dir(path)?;
    let dir = File::open(path)?;
    set_owner_fd(&dir, owner)?;
    Ok(rustix::fs::fchmod(&dir, Mode::from_raw_mode(mode))?)
}

/// Puts a symbolic or hard link at `path`, replacing what is there in one step.
pub(super) fn link(path: &Path, target: &Path, hard: bool) -> io::Result<()> {
    let temp = beside(path);
    if hard {
        std::fs::hard_link(target, &temp)?
    } else {
        std::os::unix::fs::symlink(target, &temp)?
    }
    // Two names of one file: rename does nothing and leaves the temporary name.
    let renamed = std::fs::rename(&temp, path);
    let _ = std::fs::remove_file(&temp);
    renamed
}

/// Sets owner, group and mode of the thing itself; a link's mode cannot be set.
pub(super) fn set_attributes(path: &Path, mode: Option<u32>, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
    let is_link = std::fs::symlink_metadata(path)?.file_type().is_symlink();
    if uid.is_some() || gid.is_some() {
        std::os::unix::fs::lchown(path, uid, gid)?;
    }
    match mode {
        Some(mode) if !is_link => Ok(rustix::fs::chmod(path, Mode::from_raw_mode(mode))?),
        _ => Ok(()),
    }
}

/// Sets times; those not given stay.
pub(super) fn set_times(path: &Path, atime: Option<Time>, mtime: Option<Time>) -> io::Result<()> {
    let spec = |t: Option<Time>| {
        t.map_or(Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT }, |t| Timespec {
            tv_sec: t.secs,
            tv_nsec: i64::from(t.nanos),
        })
    };
    let times = Timestamps { last_access: spec(atime), last_modification: spec(mtime) };
    Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Removes whatever is there; nothing there is fine.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(m) if m.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

/// The umask of this process.
pub(super) fn umask() -> u32 {
    // There is no call that only reads it.
    let mask = rustix::process::umask(Mode::from_raw_mode(0o022));
    rustix::process::umask(mask);
    mask.as_raw_mode()
}
