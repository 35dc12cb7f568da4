//! Extended attributes that a file keeps when another takes its place: access lists, SELinux's label,
//! users' own. Not capabilities: those are of the program that was written there.

use std::fs::File;
use std::path::Path;

use rustix::fs::{XattrFlags, fsetxattr, lgetxattr, llistxattr};

/// Linux's limit for a value, and for the list of names.
const LIMIT: usize = 64 << 10;

/// Gives `to` what the file at `from` has. What a file system does not take is left out, as `cp -p` does.
pub(super) fn keep(from: &Path, to: &File) {
    if !std::fs::symlink_metadata(from).is_ok_and(|old| old.is_file()) {
        return;
    }
    let (mut names, mut value) = (vec![0; LIMIT], vec![0; LIMIT]);
    let length = llistxattr(from, &mut names).unwrap_or_default();
    for name in names.get(..length).unwrap_or_default().split(|b| *b == 0) {
        let kept = name.starts_with(b"user.") || name == b"system.posix_acl_access" || name == b"security.selinux";
        if let (true, Ok(size)) = (kept, lgetxattr(from, name, &mut value)) {
            let _ = fsetxattr(to, name, value.get(..size).unwrap_or_default(), XattrFlags::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_has_what_the_old_one_had() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let old = File::create(&path).unwrap();
        if fsetxattr(&old, "user.rplay", b"1", XattrFlags::empty()).is_err() {
            return; // A file system without them.
        }
        crate::sys::replace_file(&path, b"new", 0o600).unwrap();
        let mut value = [0; 8];
        assert_eq!(lgetxattr(&path, "user.rplay", &mut value), Ok(1));
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }
}
