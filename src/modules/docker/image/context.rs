//! What a build is sent: the files of a directory, but for what .dockerignore leaves out.
//!
//! Source: "Dockerfile reference", .dockerignore file, and Go's `filepath.Match`.

use crate::model::{Failure, FileKind};
use crate::modules::{glob, tar};
use crate::sys::Probe;

/// What is left out of what is sent, as .dockerignore says.
struct Ignore(Vec<(bool, Vec<String>)>);

impl Ignore {
    fn parse(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
        Self(
            lines
                .map(|line| {
                    let (keep, pattern) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest.trim()));
                    (keep, parts(pattern))
                })
                .collect(),
        )
    }

    /// The last line that fits decides.
    fn leaves_out(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |pattern: &[String]| (1..=parts.len()).any(|n| matches(pattern, parts.get(..n).unwrap_or_default()));
        self.0.iter().rev().find(|(_, pattern)| fits(pattern)).is_some_and(|(keep, _)| !keep)
    }

    /// Whether something below a directory may be kept although the directory is left out.
    fn has_exceptions(&self) -> bool {
        self.0.iter().any(|(keep, _)| *keep)
    }
}

/// A pattern's parts: `..` goes up, and Go's `[^…]` is the shell's `[!…]`.
fn parts(pattern: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in pattern.split('/').filter(|p| !p.is_empty() && *p != ".") {
        match part {
            ".." => drop(parts.pop()),
            other => parts.push(other.replace("[^", "[!")),
        }
    }
    parts
}

fn matches(pattern: &[String], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        ([first, rest @ ..], _) if first == "**" => {
            matches(rest, path) || path.split_first().is_some_and(|(_, below)| matches(pattern, below))
        }
        ([first, rest @ ..], [name, below @ ..]) => glob::fnmatch(first, name) && matches(rest, below),
        _ => false,
    }
}

/// The directory as an archive, what is ignored left out. Files are read only when they are sent.
pub(super) fn entries(host: &Probe<'_>, dir: &str, dockerfile: &str) -> Result<Vec<tar::Entry>, Failure> {
    let ignore = format!("{dir}/.dockerignore");
    let ignore = if host.stat(&ignore)?.is_some() {
        Ignore::parse(&String::from_utf8_lossy(&host.read(&ignore)?))
    } else {
        Ignore(Vec::new())
    };
    let mut all = Vec::new();
    let mut todo = vec![String::new()];
    while let Some(below) = todo.pop() {
        for name in host.list_dir(format!("{dir}/{below}"))? {
            let name = name.to_string_lossy().into_owned();
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            let out = ignore.leaves_out(&path) && path != dockerfile && path != ".dockerignore";
            let whole = format!("{dir}/{path}");
            let Some(stat) = host.lstat(&whole)? else { continue };
            if stat.kind == FileKind::Directory && (!out || ignore.has_exceptions()) {
                todo.push(path.clone());
            }
            if out {
                continue;
            }
            let kind = match stat.kind {
                FileKind::File => tar::Kind::FileFrom(whole.into(), stat.size),
                FileKind::Directory => tar::Kind::Directory,
                FileKind::Link => tar::Kind::Link(host.read_link(&whole)?.display().to_string()),
                FileKind::Fifo => tar::Kind::Pipe,
                // As Docker's client: sockets are not sent.
                _ => continue,
            };
            all.push(tar::Entry { path, mode: stat.mode, uid: 0, gid: 0, mtime: stat.mtime.secs, kind });
        }
    }
    all.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_as_docker_has_it() {
        let ignore = Ignore::parse("# no\n*.log\n**/cache\n/target\n!target/keep\nx/../y\n[^a-y].z\n");
        for (path, out) in [
            ("a.log", true),
            ("d/a.log", false),
            ("d/e/cache", true),
            ("cache/x", true),
            ("target/x", true),
            ("target/keep", false),
            ("src", false),
            ("y", true),
            ("x", false),
            ("z.z", true),
            ("a.z", false),
        ] {
            assert_eq!(ignore.leaves_out(path), out, "{path}");
        }
    }
}
