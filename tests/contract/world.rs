//! A directory that plays the host and one that plays the controller.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rplay::model::{Failure, Map, Outcome, Text, Value};
use rplay::module::{self, Local, LocalEntry, Mode, Run};
use rplay::modules;
use rplay::sys::{NoBlobs, Payload, Session};

pub struct World {
    host: tempfile::TempDir,
    local: tempfile::TempDir,
}

/// Kind, permissions, owner, times and content of one path.
pub type Entry = (u32, u32, u32, i64, i64, Vec<u8>);

impl World {
    /// Each line makes one thing: `dir/`, `file=content`, `link->target`, `path:0600`; one
    /// that starts with `@` on the controller.
    pub fn new(setup: &[&str]) -> Self {
        let make = || tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
        let world = Self { host: make(), local: make() };
        for line in setup {
            let (root, line) = match line.strip_prefix('@') {
                Some(line) => (world.local.path(), line),
                None => (world.host.path(), *line),
            };
            make_one(root, line);
        }
        world
    }

    pub fn text(&self, text: &str) -> String {
        text.replace("$D", self.host.path().to_str().unwrap()).replace("$L", self.local.path().to_str().unwrap())
    }

    fn args(&self, args: &str) -> Map {
        let json: serde_json::Value = serde_json::from_str(&self.text(args)).expect(args);
        value(&json).as_map().unwrap().clone()
    }

    pub fn run(&self, module: &str, args: &str, check: bool) -> Outcome {
        self.run_in(&Session::new(Box::new(NoBlobs)), module, args, check)
    }

    pub fn run_in(&self, session: &Session, module: &str, args: &str, check: bool) -> Outcome {
        let module = modules::find(module).unwrap();
        let mut args = self.args(args);
        if let Run::Split { prepare, .. } = module.run {
            match prepare(args, &Controller(self.local.path().to_owned())) {
                Ok(prepared) => {
                    args = prepared.args;
                    prepared.blobs.into_iter().for_each(|b| session.keep_blob(std::sync::Arc::clone(b.0.bytes())));
                }
                Err(failure) => return Outcome::failed(failure.message),
            }
        }
        module::run(module, &args, session, Mode { check, diff: true }, "the task").0
    }

    pub fn snapshot(&self) -> BTreeMap<PathBuf, Entry> {
        let mut found = BTreeMap::new();
        look(self.host.path(), self.host.path(), &mut found);
        found
    }

    /// `expected` is a file's content, `->target`, `dir`, `absent`, or `mode=0600`.
    pub fn assert_has(&self, path: &str, expected: &str, name: &str) {
        let path = PathBuf::from(self.text(path));
        let is = match fs::symlink_metadata(&path) {
            Err(_) => "absent".to_owned(),
            Ok(m) if expected.starts_with("mode=") => format!("mode={:04o}", m.mode() & 0o7777),
            Ok(m) if expected.starts_with("owner=") => format!("owner={}:{}", m.uid(), m.gid()),
            Ok(m) if expected.starts_with("mtime=") => format!("mtime={}", m.mtime()),
            Ok(m) if m.is_symlink() => format!("->{}", fs::read_link(&path).unwrap().display()),
            Ok(m) if m.is_dir() => "dir".to_owned(),
            Ok(_) => String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned(),
        };
        assert_eq!(is, self.text(expected), "{} after {name}", path.display());
    }
}

fn make_one(root: &Path, line: &str) {
    if let Some((path, target)) = line.split_once("->") {
        symlink(target, root.join(path)).unwrap();
    } else if let Some((path, content)) = line.split_once('=') {
        fs::write(root.join(path), content).unwrap();
    } else if let Some((path, mode)) = line.split_once(':') {
        let mode = u32::from_str_radix(mode, 8).unwrap();
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    } else {
        fs::create_dir_all(root.join(line)).unwrap();
    }
}

fn look(root: &Path, path: &Path, found: &mut BTreeMap<PathBuf, Entry>) {
    let m = fs::symlink_metadata(path).unwrap();
    let content = if m.is_symlink() {
        fs::read_link(path).unwrap().into_os_string().into_encoded_bytes()
    } else if m.is_dir() {
        Vec::new()
    } else {
        fs::read(path).unwrap()
    };
    let relative = path.strip_prefix(root).unwrap().to_owned();
    found.insert(relative, (m.mode(), m.uid(), m.gid(), m.mtime(), m.mtime_nsec(), content));
    if m.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            look(root, &entry.unwrap().path(), found);
        }
    }
}

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::from),
        serde_json::Value::String(s) => Value::from(s.as_str()),
        serde_json::Value::Array(items) => Value::list(items.iter().map(value)),
        serde_json::Value::Object(map) => Value::from(Map::from_iter(map.iter().map(|(k, v)| (k.as_str(), value(v))))),
    }
}

/// A controller whose files and templates are in one directory; a template's `{{ name }}`
/// is replaced by the variable, nothing more.
struct Controller(PathBuf);

impl Local for Controller {
    fn decrypt(&self, _: &Path, _: &Payload) -> Result<Option<Payload>, Failure> {
        Ok(None)
    }

    fn find(&self, _folder: &str, name: &str) -> Result<PathBuf, Failure> {
        let path = self.0.join(name);
        if path.exists() { Ok(path) } else { Err(Failure::new(format!("Could not find or access '{name}'"))) }
    }

    fn read(&self, path: &Path) -> Result<Payload, Failure> {
        Ok(Payload::new(fs::read(path).map_err(|e| Failure::new(e.to_string()))?))
    }

    fn walk(&self, dir: &Path) -> Result<Vec<(String, LocalEntry)>, Failure> {
        let mut found = BTreeMap::new();
        look(dir, dir, &mut found);
        Ok(found
            .into_iter()
            .filter(|(path, _)| !path.as_os_str().is_empty())
            .map(|(path, (mode, .., content))| {
                let entry = match mode & 0o170_000 {
                    0o120_000 => LocalEntry::Link(String::from_utf8(content).unwrap()),
                    0o040_000 => LocalEntry::Directory(mode & 0o7777),
                    _ => LocalEntry::File(mode & 0o7777),
                };
                (path.to_str().unwrap().to_owned(), entry)
            })
            .collect())
    }

    fn mode(&self, path: &Path) -> Result<u32, Failure> {
        Ok(fs::metadata(path).unwrap().mode() & 0o7777)
    }

    fn render(&self, _path: &Path, text: &Text, options: &Map, vars: &Map) -> Result<Value, Failure> {
        // The template layer is not what is tested here: as much of it as the cases use.
        let (head, body) = match text.strip_prefix("#jinja2:").and_then(|rest| rest.split_once('\n')) {
            Some((head, body)) => (head.split(',').filter_map(|pair| pair.split_once(':')).collect(), body),
            None => (Vec::new(), &**text),
        };
        let said = |name: &str| head.iter().find(|(n, _)| n.trim() == name).map(|(_, v)| v.trim().trim_matches('\''));
        let given = |name: &str| options.get(name).and_then(Value::as_str);
        let mark = |name: &str, default: &str| said(name).or(given(name)).unwrap_or(default).to_owned();
        let (start, end) = (mark("variable_start_string", "{{"), mark("variable_end_string", "}}"));
        let mut out = body.to_owned();
        for (name, value) in vars {
            out = out.replace(&format!("{start} {name} {end}"), value.as_str().unwrap_or_default());
        }
        let newline = mark("newline_sequence", "\n");
        Ok(Value::from(out.replace('\n', &newline)))
    }
}
