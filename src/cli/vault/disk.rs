//! Files of the vault's commands: read, replaced as a whole, found below directories.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::diag::{Diagnostic, ExitCode};

/// The name for standard input and output.
pub const STANDARD: &str = "-";

fn failed(what: &str, path: &Path, e: &std::io::Error) -> Diagnostic {
    Diagnostic::error(format!("cannot {what} {}: {e}", path.display())).exit(ExitCode::Error)
}

/// What a file is called in messages.
pub fn shown(path: &Path) -> String {
    if path == Path::new(STANDARD) { "standard input".to_owned() } else { path.display().to_string() }
}

/// A file's content, or standard input's.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Diagnostic> {
    let mut bytes = Zeroizing::new(Vec::new());
    if path == Path::new(STANDARD) {
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(|e| failed("read", path, &e))?;
        return Ok(bytes);
    }
    let read = File::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
    read.map_err(|e| {
        let finding = failed("read", path, &e);
        match crate::load::near_name(path).filter(|_| e.kind() == std::io::ErrorKind::NotFound) {
            Some(near) => finding.hint(format!("did you mean `{}`?", path.with_file_name(near).display())),
            None => finding,
        }
    })?;
    Ok(bytes)
}

/// Writes to standard output.
///
/// # Errors
/// When that cannot be written to.
pub fn print(bytes: &[u8]) -> Result<(), Diagnostic> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).or_else(|e| match e.kind() {
        // A reader that has gone away (`| head`) is no error.
        std::io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Diagnostic::error(format!("cannot write to standard output: {e}")).exit(ExitCode::Error)),
    })
}

/// Puts content in a file's place, all of it or nothing: mode and owner are kept, a new file
/// is the user's alone. A link's target is replaced, not the link.
///
/// # Errors
/// When it cannot be written; the old file is there then.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), Diagnostic> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let dir = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let before = std::fs::metadata(&target).ok();
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".rplay-vault-").tempfile_in(dir)?;
        file.write_all(content)?;
        if let Some(before) = &before {
            keep(file.as_file(), file.path(), before)?;
        }
        file.as_file().sync_all()?;
        file.persist(&target).map_err(|e| e.error)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|e| failed("write", path, &e))
}

fn keep(file: &File, path: &Path, before: &Metadata) -> std::io::Result<()> {
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
        chown(path, Some(before.uid()), Some(before.gid()))?;
    }
    file.set_permissions(std::fs::Permissions::from_mode(before.mode() & 0o7777))
}

/// A new file in a directory of one's own.
///
/// # Errors
/// When it cannot be made.
pub fn private(path: &Path, content: &[u8]) -> Result<(), Diagnostic> {
    let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    open.and_then(|mut file| file.write_all(content)).map_err(|e| failed("write", path, &e))
}

/// The files that are meant: those that are named, and all below directories that are named,
/// but for what is hidden and for links.
///
/// # Errors
/// When a directory cannot be listed.
pub fn below(paths: &[PathBuf]) -> Result<Vec<(PathBuf, bool)>, Diagnostic> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push((path.clone(), true));
            continue;
        }
        let mut todo = vec![path.clone()];
        let mut files = Vec::new();
        while let Some(dir) = todo.pop() {
            for entry in std::fs::read_dir(&dir).map_err(|e| failed("list", &dir, &e))? {
                let entry = entry.map_err(|e| failed("list", &dir, &e))?;
                let kind = entry.file_type().map_err(|e| failed("look at", &entry.path(), &e))?;
                if entry.file_name().to_string_lossy().starts_with('.') {
                    continue;
                }
                if kind.is_dir() {
                    todo.push(entry.path());
                } else if kind.is_file() {
                    files.push(entry.path());
                }
            }
        }
        files.sort();
        found.extend(files.into_iter().map(|file| (file, false)));
    }
    Ok(found)
}
