//! tar archives, as dpkg-deb and Docker read and write them.

use std::path::PathBuf;

use crate::sys::http::Part;

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A file with its bytes.
    File(Vec<u8>),
    /// A file whose bytes, so many, are those of another: read when the archive is sent.
    FileFrom(PathBuf, u64),
    /// A directory.
    Directory,
    /// A symbolic link.
    Link(String),
    /// Another name of an earlier file.
    HardLink(String),
    /// A named pipe.
    Pipe,
    /// A device or the like.
    Other,
}

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path from the root, with `/` in front.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// The last change, in seconds since 1970; 0 in what is read.
    pub mtime: i64,
    /// What it is.
    pub kind: Kind,
}

const BLOCK: usize = 512;

/// Reads an archive; stops at its end or at what is no archive.
pub fn read(mut bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let (mut long_name, mut long_link) = (None, None);
    while let Some(header) = bytes.get(..BLOCK).filter(|h| h.iter().any(|b| *b != 0)) {
        let Some(size) = number(header, 124, 12).and_then(|n| usize::try_from(n).ok()) else { break };
        let Some(body) = bytes.get(BLOCK..BLOCK + size) else { break };
        bytes = bytes.get(BLOCK + size.next_multiple_of(BLOCK)..).unwrap_or_default();
        let kind = header.get(156).copied().unwrap_or(b'0');
        match kind {
            // GNU's long names come as entries before the one they are for.
            b'L' => long_name = Some(text(body)),
            b'K' => long_link = Some(text(body)),
            b'x' | b'g' => {}
            _ => {
                let name = long_name.take().unwrap_or_else(|| name(header));
                let link = long_link.take().unwrap_or_else(|| text(field(header, 157, 100)));
                entries.extend(entry(header, &name, link, kind, body));
            }
        }
    }
    entries
}

/// An archive to be sent: paths as they are, from its top.
pub fn parts(entries: Vec<Entry>) -> Vec<Part> {
    let mut out = Archive::default();
    for entry in entries {
        let link = match &entry.kind {
            Kind::Link(target) | Kind::HardLink(target) => target.as_str(),
            _ => "",
        };
        for (kind, text) in [(b'L', entry.path.as_str()), (b'K', link)] {
            if text.len() > 100 {
                out.header("././@LongLink", "", kind, (0, 0, 0, 0), text.len() as u64 + 1);
                out.bytes.extend(text.bytes().chain([0]));
                out.fill(text.len() as u64 + 1);
            }
        }
        let (kind, size) = match &entry.kind {
            Kind::File(bytes) => (b'0', bytes.len() as u64),
            Kind::FileFrom(_, size) => (b'0', *size),
            Kind::Directory => (b'5', 0),
            Kind::Link(_) => (b'2', 0),
            Kind::HardLink(_) => (b'1', 0),
            Kind::Pipe => (b'6', 0),
            Kind::Other => continue,
        };
        out.header(&entry.path, link, kind, (entry.mode, entry.uid, entry.gid, entry.mtime), size);
        match entry.kind {
            Kind::File(bytes) => out.bytes.extend(bytes),
            Kind::FileFrom(path, size) => out.file(path, size),
            _ => {}
        }
        out.fill(size);
    }
    out.bytes.resize(out.bytes.len() + 2 * BLOCK, 0);
    out.parts.push(Part::Bytes(out.bytes));
    out.parts
}

/// An archive in the making: what has an end, and the bytes that come next.
#[derive(Default)]
struct Archive {
    parts: Vec<Part>,
    bytes: Vec<u8>,
}

impl Archive {
    fn file(&mut self, path: PathBuf, size: u64) {
        self.parts.push(Part::Bytes(std::mem::take(&mut self.bytes)));
        self.parts.push(Part::File(path, size));
    }

    /// Fills the last block of a content of this size.
    fn fill(&mut self, size: u64) {
        let rest = size.next_multiple_of(BLOCK as u64) - size;
        self.bytes.extend((0..rest).map(|_| 0));
    }

    fn header(&mut self, path: &str, link: &str, kind: u8, (mode, uid, gid, mtime): (u32, u32, u32, i64), size: u64) {
        let mut header = Vec::with_capacity(BLOCK);
        let mut put = |text: &[u8], length: usize| {
            let end = header.len() + length;
            header.extend(text.iter().take(length));
            header.resize(end, 0);
        };
        put(path.as_bytes(), 100);
        for number in [mode, uid, gid] {
            put(format!("{number:07o}").as_bytes(), 8);
        }
        put(&large(size), 12);
        put(&large(u64::try_from(mtime).unwrap_or(0)), 12);
        put(b"        ", 8);
        put(&[kind], 1);
        put(link.as_bytes(), 100);
        put(b"ustar  ", 8);
        put(b"", BLOCK - 265);
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        let sum = format!("{sum:06o}\0 ");
        if let Some(field) = header.get_mut(148..156) {
            field.copy_from_slice(sum.as_bytes());
        }
        self.bytes.extend(header);
    }
}

/// A number in a field of twelve bytes: octal digits, and for what is too large for eleven of
/// them GNU's binary form.
fn large(number: u64) -> Vec<u8> {
    if number < 1 << 33 {
        return format!("{number:011o}").into_bytes();
    }
    [&[0x80, 0, 0, 0][..], &number.to_be_bytes()].concat()
}

fn entry(header: &[u8], name: &str, link: String, kind: u8, body: &[u8]) -> Option<Entry> {
    let small = |at, length| number(header, at, length).and_then(|n| u32::try_from(n).ok());
    let path = format!("/{}", name.trim_start_matches("./").trim_matches('/'));
    let kind = match kind {
        b'0' | 0 | b'7' => Kind::File(body.to_vec()),
        b'5' => Kind::Directory,
        b'2' => Kind::Link(link),
        b'1' => Kind::HardLink(format!("/{}", link.trim_start_matches("./"))),
        b'6' => Kind::Pipe,
        _ => Kind::Other,
    };
    Some(Entry { path, mode: small(100, 8)? & 0o7777, uid: small(108, 8)?, gid: small(116, 8)?, mtime: 0, kind })
}

fn field(header: &[u8], at: usize, length: usize) -> &[u8] {
    header.get(at..at + length).unwrap_or_default()
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

fn name(header: &[u8]) -> String {
    let (name, prefix) = (text(field(header, 0, 100)), text(field(header, 345, 155)));
    let posix = field(header, 257, 6) == b"ustar\0";
    if posix && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

fn number(header: &[u8], at: usize, length: usize) -> Option<u64> {
    let digits = text(field(header, at, length));
    let digits = digits.trim();
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What goes over the wire.
    fn sent(entries: Vec<Entry>) -> Vec<u8> {
        let bytes = |part| match part {
            Part::Bytes(bytes) => bytes,
            Part::File(path, size) => {
                let bytes = std::fs::read(path).unwrap();
                assert_eq!(bytes.len() as u64, size);
                bytes
            }
        };
        parts(entries).into_iter().flat_map(bytes).collect()
    }

    #[test]
    fn files_are_read_when_they_are_sent() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("a");
        std::fs::write(&from, vec![b'a'; 1 << 20]).unwrap();
        let entry = |path: &str, kind| Entry { path: path.to_owned(), mode: 0o600, uid: 1, gid: 2, mtime: 86400, kind };
        let entries = vec![entry("b", Kind::FileFrom(from, 1 << 20)), entry("c", Kind::File(b"x".to_vec()))];
        let held: u64 = parts(entries.clone()).iter().filter(|p| matches!(p, Part::Bytes(_))).map(Part::len).sum();
        assert!(held < 8192, "{held} bytes in memory");
        std::fs::write(dir.path().join("w.tar"), sent(entries)).unwrap();
        let script = "tar -xf w.tar && stat -c '%n %s %a %Y' b c && tail -c 3 b && cat c";
        let out = std::process::Command::new("sh").args(["-c", script]).current_dir(dir.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stdout), "b 1048576 600 86400\nc 1 600 86400\naaax");
        assert_eq!(large(1 << 33), [0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
    }

    #[test]
    fn an_archive_of_the_systems_tar_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let long = "x".repeat(120);
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        std::fs::write(dir.path().join("etc/a.conf"), "hello\n").unwrap();
        std::fs::write(dir.path().join(&long), "").unwrap();
        std::os::unix::fs::symlink("a.conf", dir.path().join("etc/b.conf")).unwrap();
        let out = std::process::Command::new("tar")
            .args(["--format=gnu", "--owner=0", "--group=0", "--mode=u=rwX,go=rX", "-c", "."])
            .current_dir(dir.path())
            .output()
            .unwrap();
        let entries = read(&out.stdout);
        let find = |path: &str| entries.iter().find(|e| e.path == path).unwrap();
        assert_eq!(find("/etc").kind, Kind::Directory);
        assert_eq!((find("/etc/a.conf").mode, &find("/etc/a.conf").kind), (0o644, &Kind::File(b"hello\n".to_vec())));
        assert_eq!(find("/etc/b.conf").kind, Kind::Link("a.conf".to_owned()));
        assert_eq!(find(&format!("/{long}")).uid, 0);
        assert!(read(b"not an archive").is_empty());
        // What is written is read again, by us and by tar.
        let written = sent(entries.clone());
        assert_eq!(read(&written), entries);
        std::fs::write(dir.path().join("w.tar"), &written).unwrap();
        let listed = std::process::Command::new("tar").args(["-tf", "w.tar"]).current_dir(dir.path()).output().unwrap();
        assert!(listed.status.success() && String::from_utf8_lossy(&listed.stdout).contains(&long));
    }
}
