//! Facts that are kept between runs: a JSON file for each host, as ansible-core's `jsonfile` writes
//! them, so that both can use the same cache.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;

use crate::model::{Map, Value};

/// Under which name a file says that all facts were gathered, as in Ansible's.
const GATHERED: &str = "_ansible_facts_gathered";

/// What ansible-core 2.19 puts before a host's name: the version of its schema.
const SCHEMA: &str = "s1_";

/// Under which name the facts stand in such a file, as JSON within a string.
const PAYLOAD: &str = "__payload__";

/// The directory of the files.
#[derive(Debug)]
pub struct FactCache {
    dir: PathBuf,
    prefix: String,
    /// Seconds; 0 is no limit.
    timeout: u32,
}

impl FactCache {
    /// The cache in a directory; files older than `timeout` seconds do not count, unless it is 0.
    pub const fn new(dir: PathBuf, prefix: String, timeout: u32) -> Self {
        Self { dir, prefix, timeout }
    }

    fn path(&self, schema: &str, host: &str) -> Option<PathBuf> {
        let name = format!("{}{schema}{host}", self.prefix);
        (!name.contains('/') && name != "..").then(|| self.dir.join(name))
    }

    /// The content of a file that is not too old.
    fn read(&self, path: &Path) -> Option<serde_json::Map<String, Json>> {
        let changed = std::fs::metadata(path).ok()?.modified().ok()?;
        let age = SystemTime::now().duration_since(changed).unwrap_or_default();
        if self.timeout > 0 && age > Duration::from_secs(self.timeout.into()) {
            return None;
        }
        let object = |bytes: &[u8]| match serde_json::from_slice(bytes) {
            Ok(Json::Object(found)) => Some(found),
            _ => None,
        };
        let found = object(&std::fs::read(path).ok()?)?;
        match found.get(PAYLOAD) {
            Some(Json::String(text)) => object(text.as_bytes()),
            _ => Some(found),
        }
    }

    /// What is kept of a host, and whether it was gathered as a whole; also what ansible-core before
    /// 2.19 has kept.
    pub fn load(&self, host: &str) -> Option<(Map, bool)> {
        let found = self.read(&self.path(SCHEMA, host)?).or_else(|| self.read(&self.path("", host)?))?;
        let gathered = found.get(GATHERED).and_then(Json::as_bool).unwrap_or(false);
        let facts = found.iter().filter(|(name, _)| *name != GATHERED);
        Some((facts.map(|(name, value)| (name.as_str(), from_json(value))).collect(), gathered))
    }

    /// Keeps the facts of a host; what is secret in them is left out.
    ///
    /// # Errors
    /// In words, when the file cannot be written.
    pub fn store(&self, host: &str, facts: &Map, gathered: bool) -> Result<(), String> {
        let Some(path) = self.path(SCHEMA, host) else { return Ok(()) };
        let mut all: serde_json::Map<String, Json> =
            facts.iter().filter_map(|(name, value)| Some((name.to_string(), to_json(value)?))).collect();
        if gathered {
            all.insert(GATHERED.to_owned(), Json::Bool(true));
        }
        let payload = Json::String(Json::Object(all).to_string());
        let text = Json::Object(serde_json::Map::from_iter([(PAYLOAD.to_owned(), payload)])).to_string();
        let written = || -> std::io::Result<()> {
            std::fs::create_dir_all(&self.dir)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
            std::io::Write::write_all(&mut file, text.as_bytes())?;
            file.persist(&path)?;
            Ok(())
        };
        written().map_err(|e| format!("cannot write the fact cache {}: {e}", path.display()))
    }

    /// Forgets a host.
    pub fn forget(&self, host: &str) {
        for path in [SCHEMA, ""].into_iter().filter_map(|schema| self.path(schema, host)) {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn tagged(map: &serde_json::Map<String, Json>) -> bool {
    map.get("__ansible_type").and_then(Json::as_str).is_some_and(|name| name.starts_with("_AnsibleTagged"))
}

fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => n.as_i128().map_or_else(|| Value::Float(n.as_f64().unwrap_or(0.0)), Value::Int),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(from_json)),
        // A value with notes of ansible-core's own: where it was written, whether it may be a template.
        Json::Object(map) if tagged(map) => map.get("value").map_or(Value::Null, from_json),
        Json::Object(map) => Value::from(map.iter().map(|(k, v)| (k.as_str(), from_json(v))).collect::<Map>()),
    }
}

/// Nothing for what is secret or unknown.
fn to_json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(i) => serde_json::Number::from_i128(*i).map_or(Json::Null, Json::Number),
        Value::Big(digits) => Json::String(digits.to_string()),
        Value::Float(f) => serde_json::Number::from_f64(*f).map_or(Json::Null, Json::Number),
        Value::Str(text) if text.is_secret() => return None,
        Value::Str(text) => Json::String(text.as_str().to_owned()),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect::<Option<_>>()?),
        Value::Map(map) => {
            Json::Object(map.iter().map(|(k, v)| Some((k.to_string(), to_json(v)?))).collect::<Option<_>>()?)
        }
        Value::Unknown(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Text;

    #[test]
    fn what_is_stored_is_loaded_without_secrets() {
        let dir = tempfile::tempdir().unwrap();
        let cache = FactCache::new(dir.path().join("new"), "p_".to_owned(), 0);
        assert_eq!(cache.load("web"), None);
        let secret = Value::Str(Text::new("x").marked(crate::model::Marks::SECRET));
        let facts = Map::from_iter([("a", Value::from(1)), ("b", Value::list(["x"])), ("s", secret)]);
        cache.store("web", &facts, true).unwrap();
        let (found, gathered) = cache.load("web").unwrap();
        assert!(gathered && found.len() == 2 && found.get("a") == Some(&Value::from(1)), "{found:?}");
        assert!(dir.path().join("new/p_s1_web").is_file());
        cache.forget("web");
        assert_eq!(cache.load("web"), None);
    }

    /// Both forms of ansible-core's files.
    #[test]
    fn what_ansible_has_kept_is_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let cache = FactCache::new(dir.path().to_owned(), String::new(), 0);
        std::fs::write(dir.path().join("old"), r#"{"_ansible_facts_gathered": true, "ansible_x": 1}"#).unwrap();
        std::fs::write(dir.path().join("s1_new"), r#"{"__payload__": "{\"n\": [1, {\"a\": \"b\"}]}"}"#).unwrap();
        let (old, gathered) = cache.load("old").unwrap();
        assert!(gathered && old.get("ansible_x") == Some(&Value::from(1)), "{old:?}");
        let (new, gathered) = cache.load("new").unwrap();
        assert!(!gathered && new.get("n").and_then(Value::as_list).is_some_and(|list| list.len() == 2), "{new:?}");
        let text = r#"{"t": {"value": [{"value": 1, "tags": [], "__ansible_type": "_AnsibleTaggedInt"}], "tags": [],
            "__ansible_type": "_AnsibleTaggedList"}}"#;
        let payload = Json::Object(serde_json::Map::from_iter([(PAYLOAD.to_owned(), Json::from(text))]));
        std::fs::write(dir.path().join("s1_tagged"), payload.to_string()).unwrap();
        assert_eq!(cache.load("tagged").unwrap().0.get("t"), Some(&Value::list([1])));
        std::fs::write(dir.path().join("s1_odd"), r#"{"__payload__": "no"}"#).unwrap();
        assert_eq!(cache.load("odd"), None);
    }

    #[test]
    fn names_that_lead_elsewhere_have_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let cache = FactCache::new(dir.path().to_owned(), String::new(), 0);
        cache.store("../evil", &Map::new(), false).unwrap();
        assert!(cache.load("../evil").is_none() && !dir.path().join("../evil").exists());
    }
}
