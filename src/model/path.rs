//! Paths as text: no file system is asked.

use std::path::{Component, Path, PathBuf};

/// A path without `.` and `..`.
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(out.pop()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_nowhere_and_back() {
        for (given, want) in [("/a/./b/../c", "/a/c"), ("a/..", ""), ("/..", "/"), ("a//b", "a/b")] {
            assert_eq!(normal(Path::new(given)), Path::new(want), "{given}");
        }
    }
}
