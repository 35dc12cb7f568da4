//! Credentials for registries, as Docker's client keeps them: config.json and its helpers.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::model::{Command, Failure, Map, Value};
use crate::modules::json;
use crate::sys::Probe;

/// The registry that Docker takes when none is named, as configurations call it.
pub const DEFAULT: &str = "https://index.docker.io/v1/";

/// What Docker's client keeps.
#[derive(Debug, Default, Clone)]
pub struct Config {
    /// The whole of it.
    pub map: Map,
}

/// Where the configuration is when nothing is said.
pub fn config_path(host: &Probe<'_>) -> String {
    let dir = host.env("DOCKER_CONFIG").filter(|d| !d.is_empty());
    let home = || format!("{}/.docker", host.env("HOME").unwrap_or_else(|| "/root".to_owned()));
    format!("{}/config.json", dir.unwrap_or_else(home))
}

impl Config {
    /// Reads a configuration; an absent file is an empty one.
    ///
    /// # Errors
    /// When it is no JSON.
    pub fn read(host: &Probe<'_>, path: &str) -> Result<Self, Failure> {
        if host.stat(path)?.is_none() {
            return Ok(Self::default());
        }
        let text = String::from_utf8_lossy(&host.read(path)?).into_owned();
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        match json::parse(&text) {
            Some(Value::Map(map)) => Ok(Self { map: (*map).clone() }),
            _ => Err(Failure::new(format!("{path} is no JSON"))),
        }
    }

    /// The program that keeps the credentials of a registry, when one does.
    pub fn helper(&self, registry: &str) -> Option<String> {
        let own = self.map.get("credHelpers").and_then(|h| h.get(registry)).and_then(Value::as_str);
        let name = own.or_else(|| self.map.get("credsStore").and_then(Value::as_str))?;
        (!name.is_empty()).then(|| format!("docker-credential-{name}"))
    }

    /// The user's name and password, from the file.
    pub fn stored(&self, registry: &str) -> Option<(String, String)> {
        let auths = self.map.get("auths")?.as_map()?;
        let entry = auths.get(registry).or_else(|| {
            // Older configurations have addresses with scheme and path.
            auths.iter().find(|(key, _)| host_of(&key.to_string()) == registry).map(|(_, value)| value)
        })?;
        let auth = entry.get("auth").and_then(Value::as_str)?;
        let plain = STANDARD.decode(auth.trim()).ok()?;
        let plain = String::from_utf8(plain).ok()?;
        let (user, password) = plain.split_once(':')?;
        Some((user.to_owned(), password.trim_end_matches('\0').to_owned()))
    }
}

/// The variables of the environment that name proxies, in both spellings, for what an engine
/// builds.
pub fn proxies(config: &Config, engine: &str) -> Map {
    let all = config.map.get("proxies");
    let own = all.and_then(|p| p.get(engine)).or_else(|| all.and_then(|p| p.get("default")));
    let mut found = Map::new();
    for (key, name) in
        [("httpProxy", "http_proxy"), ("httpsProxy", "https_proxy"), ("ftpProxy", "ftp_proxy"), ("noProxy", "no_proxy")]
    {
        if let Some(value) = own.and_then(|p| p.get(key)).and_then(Value::as_str) {
            found.insert(name, value);
            found.insert(name.to_uppercase(), value);
        }
    }
    found
}

/// `https://host:5000/v1/` as `host:5000`.
fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// A helper asked for the credentials of a registry.
///
/// # Errors
/// When there is no such program.
pub fn ask_helper(host: &Probe<'_>, helper: &str, registry: &str) -> Result<Option<(String, String)>, Failure> {
    let mut command = Command::new(helper).arg("get");
    command.stdin = Some(registry.as_bytes().to_vec());
    let out = host.query(&command)?;
    let said = json::parse(&out.stdout_text()).filter(|_| out.success());
    Ok(said.and_then(|v| {
        let text = |name: &str| v.get(name).and_then(Value::as_str).map(str::to_owned);
        Some((text("Username")?, text("Secret")?))
    }))
}

/// The header that lets the engine log in to a registry, when there are credentials.
///
/// # Errors
/// When the configuration or its helper cannot be read.
pub fn header(host: &Probe<'_>, registry: &str) -> Result<Option<String>, Failure> {
    let config = Config::read(host, &config_path(host))?;
    let key = if registry == "docker.io" { DEFAULT } else { registry };
    let found = match config.helper(key) {
        Some(helper) => ask_helper(host, &helper, key)?,
        None => config.stored(key),
    };
    Ok(found.map(|(user, password)| encode(&user, &password, key)))
}

/// Credentials as the engine takes them.
pub fn encode(user: &str, password: &str, registry: &str) -> String {
    let token = user == "<token>";
    let map = if token {
        Map::from_iter([("identitytoken", password), ("serveraddress", registry)])
    } else {
        Map::from_iter([("username", user), ("password", password), ("serveraddress", registry)])
    };
    URL_SAFE.encode(json::dumps(&Value::from(map)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_by_host_or_address() {
        let text = r#"{"auths": {"https://r.io/v1/": {"auth": "dTpw"}, "l:5000": {"auth": "YTpiOmM="}}, "credHelpers": {"h.io": "x"}}"#;
        let Some(Value::Map(map)) = json::parse(text) else { panic!("no map") };
        let config = Config { map: (*map).clone() };
        assert_eq!(config.stored("r.io"), Some(("u".into(), "p".into())));
        assert_eq!(config.stored("l:5000"), Some(("a".into(), "b:c".into())));
        assert_eq!((config.stored("no"), config.helper("h.io")), (None, Some("docker-credential-x".into())));
    }
}
