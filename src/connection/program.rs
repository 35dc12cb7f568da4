//! A worker program: its hash, by which hosts keep it, and its bytes for those that lack it.
//!
//! To read and hash it takes longer than all else that a run does before it connects, so the
//! hash is kept between runs, with what the system says of the file. A file that was written
//! since has another time of change, which nobody can set.

use std::fmt::Write as _;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::LinkError;

/// A worker program for one architecture.
pub struct Program {
    /// The file, for hosts that are this machine.
    pub path: PathBuf,
    /// What it is started with there: this very program needs to be told what it is to be.
    pub argument: &'static str,
    /// Where what is known of programs is kept.
    cache: PathBuf,
    hash: OnceLock<Result<String, LinkError>>,
    bytes: OnceLock<Result<Vec<u8>, LinkError>>,
    packed: OnceLock<Vec<u8>>,
}

impl Program {
    /// The program in a file, which is read when it is needed.
    pub(super) fn new(path: PathBuf, argument: &'static str, cache: &Path) -> Self {
        let cache = cache.to_owned();
        Self { path, argument, cache, hash: OnceLock::new(), bytes: OnceLock::new(), packed: OnceLock::new() }
    }

    /// The command line that starts it on this machine.
    pub(super) fn command_line(&self) -> String {
        format!("{} {}", super::shell_quote(&self.path.to_string_lossy()), self.argument)
    }

    /// Its SHA-256, in hexadecimal digits.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn hash(&self) -> Result<&str, LinkError> {
        let found = self.hash.get_or_init(|| {
            let key = self.key();
            if let Some(hash) = key.as_ref().and_then(|key| self.recall(key)) {
                return Ok(hash);
            }
            let hash = digits(&Sha256::digest(self.bytes()?));
            // Where it cannot be kept, the next run hashes again.
            let _ = key.map(|key| self.keep(&key, &hash));
            Ok(hash)
        });
        found.as_deref().map_err(Clone::clone)
    }

    /// The bytes as they go over the wire.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn upload(&self, gzip: bool) -> Result<&[u8], LinkError> {
        let bytes = self.bytes()?;
        if !gzip {
            return Ok(bytes);
        }
        Ok(self.packed.get_or_init(|| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            // Writing to memory cannot fail.
            let _ = encoder.write_all(bytes);
            encoder.finish().unwrap_or_default()
        }))
    }

    fn bytes(&self) -> Result<&[u8], LinkError> {
        let read = self.bytes.get_or_init(|| {
            let failed = |e| LinkError::Failed(format!("cannot read the worker program {}: {e}", self.path.display()));
            std::fs::read(&self.path).map_err(failed)
        });
        read.as_deref().map_err(Clone::clone)
    }

    /// What tells the file from any other, and from itself before it was changed.
    fn key(&self) -> Option<String> {
        let meta = std::fs::metadata(&self.path).ok()?;
        let (changed, nanos) = (meta.ctime(), meta.ctime_nsec());
        Some(format!("{} {} {} {changed}.{nanos:09}", meta.dev(), meta.ino(), meta.size()))
    }

    fn memo(&self) -> PathBuf {
        let path = digits(&Sha256::digest(self.path.as_os_str().as_encoded_bytes()));
        self.cache.join(format!("hash-{}", path.get(..16).unwrap_or_default()))
    }

    fn recall(&self, key: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.memo()).ok()?;
        let (known, hash) = text.trim_end().split_once('\n')?;
        (known == key && hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit())).then(|| hash.to_owned())
    }

    fn keep(&self, key: &str, hash: &str) -> std::io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.cache)?;
        // Complete or not at all: other runs read it at any time.
        let mut file = tempfile::NamedTempFile::new_in(&self.cache)?;
        write!(file, "{key}\n{hash}\n")?;
        file.persist(self.memo())?;
        Ok(())
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_kept_until_the_file_changes() {
        let dir = tempfile::tempdir().unwrap();
        let (file, cache) = (dir.path().join("worker"), dir.path().join("cache"));
        std::fs::write(&file, "one").unwrap();
        let first = Program::new(file.clone(), "", &cache).hash().unwrap().to_owned();
        assert_eq!(first, digits(&Sha256::digest("one")));
        // The second does not read the file.
        let second = Program::new(file.clone(), "", &cache);
        assert_eq!(second.hash().unwrap(), first);
        assert!(second.bytes.get().is_none());
        std::fs::write(&file, "two").unwrap();
        assert_eq!(Program::new(file, "", &cache).hash().unwrap(), digits(&Sha256::digest("two")));
    }

    #[test]
    fn what_is_kept_and_makes_no_sense_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let (file, cache) = (dir.path().join("worker"), dir.path().join("cache"));
        std::fs::write(&file, "one").unwrap();
        let program = Program::new(file, "", &cache);
        std::fs::create_dir(&cache).unwrap();
        std::fs::write(program.memo(), format!("{}\n`reboot`\n", program.key().unwrap())).unwrap();
        assert_eq!(program.hash().unwrap(), digits(&Sha256::digest("one")));
    }
}
