//! A private directory that is gone when it is let go of: the only thing that planning may
//! write, for programs that can only be asked by way of files.

use std::path::{Path, PathBuf};

use crate::model::Failure;

/// A private directory in the place for temporary files.
#[derive(Debug)]
pub struct ScratchDir {
    path: PathBuf,
}

impl ScratchDir {
    /// Makes one, of mode 0700 and a name nobody can guess or hold already.
    pub(super) fn new(parent: &Path) -> std::io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        for _ in 0..100 {
            let nanos =
                std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos();
            let path = parent.join(format!(".rplay-{}-{nanos:x}", std::process::id()));
            match std::fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
        Err(std::io::Error::from(std::io::ErrorKind::AlreadyExists))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a directory in it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn dir(&self, name: &str) -> Result<String, Failure> {
        let path = self.path.join(name);
        std::fs::create_dir_all(&path).map_err(|e| Failure::new(format!("cannot create {}: {e}", path.display())))?;
        Ok(path.display().to_string())
    }

    /// Writes a file in it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn file(&self, name: &str, bytes: &[u8]) -> Result<String, Failure> {
        let path = self.path.join(name);
        std::fs::write(&path, bytes).map_err(|e| Failure::new(format!("cannot write {}: {e}", path.display())))?;
        Ok(path.display().to_string())
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
