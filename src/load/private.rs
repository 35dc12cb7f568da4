//! Files that only their owner may read, rewritten whole.

use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Reads a file and replaces it with what `change` gives; other processes wait meanwhile.
pub(super) fn update(path: &Path, change: &mut dyn FnMut(Option<&str>) -> Option<String>) -> io::Result<()> {
    let dir = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if !dir.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    // The lock is on the directory: the file itself is replaced.
    let lock = File::open(dir)?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)?;
    let old = match File::open(path) {
        Ok(mut file) => {
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            Some(text)
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    let Some(new) = change(old.as_deref()) else { return Ok(()) };
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let fresh = dir.join(format!(".{name}.{}", std::process::id()));
    let write = || {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(new.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)
    };
    write().inspect_err(|_| drop(std::fs::remove_file(&fresh)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_made_once_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join("a/b/secret");
        update(&path, &mut |old| old.is_none().then(|| "one\n".to_owned())).expect("made");
        update(&path, &mut |old| {
            assert_eq!(old, Some("one\n"));
            None
        })
        .expect("kept");
        let mode = |p: &Path| std::fs::metadata(p).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&dir.path().join("a/b"))), (0o600, 0o700));
        update(&path, &mut |old| old.map(|o| o.replace("one", "two"))).expect("changed");
        assert_eq!(std::fs::read_to_string(&path).expect("text"), "two\n");
        assert_eq!(std::fs::read_dir(dir.path().join("a/b")).expect("dir").count(), 1, "nothing is left beside it");
    }
}
