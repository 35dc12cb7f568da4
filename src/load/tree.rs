//! What is below a directory of the controller, as the lookup `filetree` tells it.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::template::Entry;

/// All that is below a directory, directories before what is in them; links are not followed.
pub(super) fn below(root: &Path) -> Vec<Entry> {
    let names = Names { users: names("/etc/passwd"), groups: names("/etc/group") };
    let mut out = Vec::new();
    let mut left = vec![String::new()];
    while let Some(directory) = left.pop() {
        let mut here: Vec<(String, Entry)> = Vec::new();
        for found in std::fs::read_dir(root.join(&directory)).into_iter().flatten().flatten() {
            let name = found.file_name().to_string_lossy().into_owned();
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            if let Some(entry) = entry(root, path.clone(), &names) {
                here.push((path, entry));
            }
        }
        here.sort_by(|a, b| (a.1.state != "directory", &a.0).cmp(&(b.1.state != "directory", &b.0)));
        left.extend(here.iter().rev().filter(|(_, entry)| entry.state == "directory").map(|(path, _)| path.clone()));
        out.extend(here.into_iter().map(|(_, entry)| entry));
    }
    out
}

struct Names {
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

/// Names by number, from a file whose lines are `name:x:number:…`.
fn names(file: &str) -> HashMap<u32, String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = |line: &str| {
        let mut parts = line.split(':');
        let name = parts.next()?.to_owned();
        Some((parts.nth(1)?.parse().ok()?, name))
    };
    text.lines().filter_map(line).collect()
}

#[allow(clippy::cast_precision_loss, reason = "a time as a float, as Python has it")]
fn entry(root: &Path, path: String, names: &Names) -> Option<Entry> {
    let full = root.join(&path);
    let found = std::fs::symlink_metadata(&full).ok()?;
    let kind = found.file_type();
    let target = std::fs::read_link(&full).ok().map(|target| target.to_string_lossy().into_owned());
    let time = |seconds: i64, nanos: i64| seconds as f64 + nanos as f64 / 1e9;
    Some(Entry {
        path,
        state: if kind.is_symlink() {
            "link"
        } else if kind.is_dir() {
            "directory"
        } else if kind.is_file() {
            "file"
        } else {
            ""
        },
        target,
        mode: found.mode() & 0o7777,
        size: found.len(),
        owner: (found.uid(), names.users.get(&found.uid()).cloned()),
        group: (found.gid(), names.groups.get(&found.gid()).cloned()),
        mtime: time(found.mtime(), found.mtime_nsec()),
        ctime: time(found.ctime(), found.ctime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_told_from_the_top() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("sub")).unwrap();
        std::fs::write(at("sub/b"), "12").unwrap();
        std::fs::write(at("a"), "1").unwrap();
        std::os::unix::fs::symlink("a", at("l")).unwrap();
        let found = below(dir.path());
        let told: Vec<_> = found.iter().map(|e| (e.path.as_str(), e.state, e.target.as_deref(), e.size)).collect();
        let sizes = [found[0].size, 1];
        assert_eq!(
            told,
            [
                ("sub", "directory", None, sizes[0]),
                ("a", "file", None, sizes[1]),
                ("l", "link", Some("a"), 1),
                ("sub/b", "file", None, 2)
            ]
        );
        assert_eq!(below(&at("nope")).len(), 0);
        assert_eq!(found[1].owner.0, std::fs::metadata(at("a")).unwrap().uid());
    }
}
