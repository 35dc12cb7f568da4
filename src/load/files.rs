//! The one door to the file system: what is read, once, and the environment it is read in.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::model::Source;
use crate::sys;
use crate::vault::{self, Vault};

/// Environment variables and directories that decide where files are looked for.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// Environment variables.
    pub vars: HashMap<String, String>,
    /// The directory that relative paths start from.
    pub cwd: PathBuf,
}

impl Environment {
    /// That of this process.
    pub fn current() -> Self {
        let vars = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Self { vars: vars.collect(), cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")) }
    }

    /// A variable.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str)
    }

    /// A path as a user writes it: `~`, `~user`, `$NAME` and `${NAME}` are expanded, and a relative
    /// one starts from `base`.
    pub fn path(&self, text: &str, base: &Path) -> PathBuf {
        let text = self.expand(text);
        tidy(&base.join(sys::expand_home(&text, self.var("HOME").map(str::to_owned))))
    }

    fn expand(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let braced = after.strip_prefix('{').and_then(|a| a.split_once('}'));
            let (name, tail) = braced.unwrap_or_else(|| {
                let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
                after.split_at(end)
            });
            match self.var(name) {
                Some(value) => {
                    out.push_str(value);
                    rest = tail;
                }
                None => {
                    out.push('$');
                    rest = after;
                }
            }
        }
        out + rest
    }
}

/// A path without `.` and `..`, as far as names tell.
pub(super) fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            _ => out.push(part),
        }
    }
    out
}

/// Reads text files, each once, and decrypts those that are encrypted.
#[derive(Default)]
pub struct Files {
    sources: Mutex<HashMap<PathBuf, Arc<Source>>>,
    vault: OnceLock<Arc<Vault>>,
}

impl Files {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what encrypted files are opened with; the first word counts. (The configuration,
    /// which says where keys are, is read before.)
    pub fn unlock_with(&self, vault: Arc<Vault>) {
        let _ = self.vault.set(vault);
    }

    /// The run's vault; an empty one before there is one.
    pub fn vault(&self) -> Arc<Vault> {
        self.vault.get().cloned().unwrap_or_default()
    }

    /// Decrypts those of these files that are encrypted, several at the same time, for who
    /// reads them after. What is wrong with one is said then.
    pub fn prefetch(&self, paths: &[PathBuf]) {
        let encrypted: Vec<Vec<u8>> =
            paths.iter().filter_map(|path| std::fs::read(path).ok().filter(|b| vault::detect(b).is_some())).collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(encrypted.len());
        if threads < 2 {
            return;
        }
        let (vault, next) = (self.vault(), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(bytes) = encrypted.get(next.fetch_add(1, Ordering::Relaxed)) {
                        drop(vault.keyring.open(bytes));
                    }
                });
            }
        });
    }

    /// The text of a file; `what` it is completes "cannot read …" (`the inventory`).
    ///
    /// # Errors
    /// When it is missing, unreadable, not UTF-8, or encrypted and no key opens it.
    pub fn read(&self, path: &Path, what: &str) -> Checked<Arc<Source>> {
        let known = self.sources.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some(source) = known {
            return Ok(source);
        }
        let bytes = std::fs::read(path).map_err(|error| unreadable(path, what, &error))?;
        let name = path.display().to_string();
        let opened = self.vault().content(&bytes).map_err(|problem| problem.of_file(&name))?;
        let secret = opened.is_some();
        let bytes = opened.map_or(bytes, |opened| opened.plain.to_vec());
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes().iter().take(good).filter(|b| **b == b'\n').count();
            Diagnostic::error(format!("{what} {name} is not UTF-8 text: line {line} has other bytes"))
                .hint("convert it, for example with `iconv -f latin1 -t utf-8`")
        })?;
        let source = if secret { Source::secret(name, text) } else { Source::new(name, text) };
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(sources.entry(path.to_owned()).or_insert(source)))
    }

    /// Whether a file is there and encrypted.
    pub fn is_encrypted(&self, path: &Path) -> bool {
        std::fs::read(path).is_ok_and(|bytes| vault::detect(&bytes).is_some())
    }

    /// The names in a directory, sorted; `None` where there is no such directory.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn list(&self, path: &Path) -> Checked<Option<Vec<String>>> {
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
            Err(error) => return Err(unreadable(path, "the directory", &error).into()),
        };
        let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        Ok(Some(names))
    }
}

fn unreadable(path: &Path, what: &str, error: &std::io::Error) -> Diagnostic {
    let why = match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    };
    let found = Diagnostic::error(format!("cannot read {what} {}: {why}", path.display())).exit(ExitCode::Error);
    match (error.kind(), near_name(path)) {
        (ErrorKind::NotFound, Some(name)) => {
            found.hint(format!("did you mean `{}`?", path.with_file_name(name).display()))
        }
        _ => found,
    }
}

/// A name in the same directory that is near to the missing one.
pub fn near_name(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let names: Vec<String> =
        std::fs::read_dir(dir).ok()?.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
    crate::diag::nearest(wanted, names.iter().map(String::as_str)).map(str::to_owned)
}
