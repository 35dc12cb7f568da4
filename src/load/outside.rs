//! The world as templates see it: files, environment, commands of the controller's machine.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Config, private};
use crate::model::Value;
use crate::sys;
use crate::template::{Entry, Fetch, Outside};
use crate::vault::Vault;
use crate::yaml;

/// The controller's machine.
#[derive(Clone, Default)]
pub struct Machine {
    vault: Arc<Vault>,
    config: Option<Arc<Config>>,
    /// Held while a file is rewritten.
    private: Arc<Mutex<()>>,
}

impl Machine {
    /// The machine, its encrypted files opened with this vault.
    pub fn new(vault: Arc<Vault>) -> Self {
        Self { vault, ..Self::default() }
    }

    /// The same with the settings that lookups may ask for.
    #[must_use]
    pub fn with(self, config: Arc<Config>) -> Self {
        Self { config: Some(config), ..self }
    }
}

impl Outside for Machine {
    fn read_file(&self, path: &str) -> Result<(Vec<u8>, bool), String> {
        let bytes = std::fs::read(path).map_err(|e| format!("cannot read {path}: {e}"))?;
        match self.vault.content(&bytes) {
            Ok(Some(opened)) => Ok((opened.plain.to_vec(), true)),
            Ok(None) => Ok((bytes, false)),
            Err(problem) => Err(format!("cannot decrypt {path}: {problem}")),
        }
    }

    fn is_encrypted(&self, path: &str) -> Result<bool, String> {
        std::fs::read(path).map(|bytes| crate::vault::detect(&bytes).is_some()).map_err(|e| e.to_string())
    }

    fn decrypt(&self, text: &str) -> Result<String, String> {
        self.vault.value(text).map_err(|problem| problem.to_string())
    }

    fn note_secret(&self, text: &str) {
        self.vault.secrets.note(text);
    }

    fn kind(&self, path: &str) -> Option<&'static str> {
        let meta = std::fs::metadata(path).ok()?;
        Some(if meta.is_dir() { "directory" } else { "file" })
    }

    fn is_link(&self, path: &str) -> bool {
        std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_symlink())
    }

    fn is_mount(&self, path: &str) -> bool {
        use std::os::unix::fs::MetadataExt;
        let id =
            |path: &std::path::Path| std::fs::symlink_metadata(path).ok().map(|m| (m.dev(), m.ino(), m.is_symlink()));
        let path = std::path::Path::new(path);
        match (id(path), id(&path.join(".."))) {
            (Some((dev, ino, false)), Some((above, parent, _))) => dev != above || ino == parent,
            _ => false,
        }
    }

    fn find(&self, kind: &str, name: &str, roots: &[String]) -> Option<String> {
        let exists = |path: &Path| std::fs::symlink_metadata(path).is_ok();
        let own = Path::new(name);
        if own.is_absolute() {
            return exists(own).then(|| name.to_owned());
        }
        let mut candidates = roots.iter().flat_map(|root| {
            let root = Path::new(root);
            [root.join(kind).join(name), root.join(name)]
        });
        candidates.find(|c| exists(c)).map(|c| c.to_string_lossy().into_owned())
    }

    fn glob(&self, pattern: &str) -> Vec<String> {
        let path = Path::new(pattern);
        let (Some(dir), Some(last)) = (path.parent(), path.file_name()) else { return Vec::new() };
        let dirs = if dir.to_string_lossy().contains(['*', '?', '[']) {
            self.glob(&dir.to_string_lossy())
        } else {
            vec![dir.to_string_lossy().into_owned()]
        };
        let last = last.to_string_lossy();
        let mut found = Vec::new();
        for dir in dirs {
            let read = if dir.is_empty() { "." } else { &dir };
            for entry in std::fs::read_dir(read).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if (!name.starts_with('.') || last.starts_with('.')) && shell_match(&last, &name) {
                    found.push(Path::new(&dir).join(name).to_string_lossy().into_owned());
                }
            }
        }
        found.sort();
        found
    }

    fn tree(&self, directory: &str) -> Vec<Entry> {
        super::tree::below(Path::new(directory))
    }

    fn realpath(&self, path: &str) -> String {
        match std::fs::canonicalize(path) {
            Ok(real) => real.to_string_lossy().into_owned(),
            Err(_) => super::files::tidy(&std::path::absolute(path).unwrap_or_else(|_| path.into()))
                .to_string_lossy()
                .into_owned(),
        }
    }

    fn expand_user(&self, path: &str) -> String {
        sys::expand_home(path, self.env("HOME"))
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn run(&self, command: &str) -> Result<(i32, String), String> {
        let output = Command::new("/bin/sh").arg("-c").arg(command).output().map_err(|e| e.to_string())?;
        Ok((output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    fn update_private(&self, path: &str, change: &mut dyn FnMut(Option<&str>) -> Option<String>) -> Result<(), String> {
        let _turn = self.private.lock().unwrap_or_else(PoisonError::into_inner);
        private::update(Path::new(path), change).map_err(|e| format!("{path}: {e}"))
    }

    fn fetch(&self, fetch: &Fetch) -> Result<Vec<u8>, String> {
        super::fetch::fetch(fetch)
    }

    fn setting(&self, name: &str) -> Option<(Value, String)> {
        self.config.as_ref()?.named(name)
    }

    fn parse_yaml(&self, text: &str) -> Result<Value, String> {
        yaml::from_str_value(text, "from_yaml", false).map_err(|findings| words(&findings))
    }

    fn parse_yaml_all(&self, text: &str) -> Result<Vec<Value>, String> {
        let source = crate::model::Source::new("from_yaml_all", text);
        let loaded = yaml::load(&source).map_err(|findings| words(&findings))?;
        loaded.documents.iter().map(|d| d.to_data().map_err(|findings| words(&findings))).collect()
    }

    fn now(&self) -> (i64, u32) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos())
    }
}

fn words(findings: &[crate::diag::Diagnostic]) -> String {
    findings.iter().map(|d| d.message.as_str()).collect::<Vec<_>>().join("; ")
}

/// Whether a name matches a shell pattern: `*`, `?`, `[a-z]`, `[!a-z]`.
pub fn shell_match(pattern: &str, name: &str) -> bool {
    let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    matches(&p, &n)
}

fn matches(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|i| matches(rest, name.get(i..).unwrap_or_default())),
        Some(('?', rest)) => name.split_first().is_some_and(|(_, tail)| matches(rest, tail)),
        Some(('[', rest)) => match rest.iter().skip(1).position(|c| *c == ']') {
            Some(end) => {
                let (set, after) = rest.split_at(end + 1);
                let hit = name.split_first().filter(|(c, _)| in_set(set, **c));
                hit.is_some_and(|(_, tail)| matches(after.get(1..).unwrap_or_default(), tail))
            }
            None => name.first() == Some(&'[') && matches(rest, name.get(1..).unwrap_or_default()),
        },
        Some((c, rest)) => name.split_first().is_some_and(|(n, tail)| n == c && matches(rest, tail)),
    }
}

fn in_set(set: &[char], c: char) -> bool {
    let (negated, set) = match set.split_first() {
        Some(('!' | '^', rest)) => (true, rest),
        _ => (false, set),
    };
    let mut found = false;
    let mut i = 0;
    while let Some(low) = set.get(i) {
        match (set.get(i + 1), set.get(i + 2)) {
            (Some('-'), Some(high)) => {
                found |= (*low..=*high).contains(&c);
                i += 3;
            }
            _ => {
                found |= *low == c;
                i += 1;
            }
        }
    }
    found != negated
}
