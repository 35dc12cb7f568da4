//! The engine that Docker's modules talk to: where it is, which version of its API is
//! spoken, and what its answers mean.

use std::time::Duration;

use super::auth::{Config, config_path};
use crate::args;
use crate::model::{Failure, Map, Value};
use crate::module::Path;
use crate::modules::json;
use crate::sys::Probe;
use crate::sys::http::{Address, Body, Endpoint, Reply, Request, Tls};
use crate::sys::{Effect, Host};

/// The newest API that what is sent here is written for.
const NEWEST: Version = Version(1, 47);
/// The oldest that has what is asked for.
const OLDEST: Version = Version(1, 25);

args! {
    /// Where an engine is, for all of Docker's modules.
    pub struct AddressArgs {
        /// Where the engine is: `unix://PATH` or `tcp://HOST:PORT`; `DOCKER_HOST` of the environment
        /// when not given, else the usual socket.
        [aliases "docker_url"]
        docker_host: Option<String>,
        /// The version of the API to speak (`DOCKER_API_VERSION`); `auto`: the newest that both know.
        [aliases "docker_api_version"]
        api_version: Option<String>,
        /// A file of certificates that the engine's must come from (`DOCKER_CERT_PATH`/ca.pem).
        [aliases "ca_cert" "tls_ca_cert" "cacert_path"]
        ca_path: Option<Path>,
        /// Our certificate, a file (`DOCKER_CERT_PATH`/cert.pem).
        [aliases "tls_client_cert" "cert_path"]
        client_cert: Option<Path>,
        /// Our certificate's key, a file (`DOCKER_CERT_PATH`/key.pem).
        [aliases "tls_client_key" "key_path"]
        client_key: Option<Path>,
        /// Use TLS without checking who the engine is (`DOCKER_TLS`).
        tls: Option<bool>,
        /// Use TLS and check who the engine is (`DOCKER_TLS_VERIFY`).
        [aliases "tls_verify"]
        validate_certs: Option<bool>,
    }
}

args! {
    /// Arguments of the modules that speak to an engine themselves.
    pub struct EngineArgs {
        /// The name that the engine's certificate must have (`DOCKER_TLS_HOSTNAME`).
        tls_hostname: Option<String>,
        /// Seconds to wait for an answer (`DOCKER_TIMEOUT`); 60 when not given.
        timeout: Option<i64>,
        /// Whether ssh:// addresses are reached by the ssh program.
        [refused "engines are reached over a socket or TCP; have the task run on the other host instead"]
        use_ssh_client: Option<bool>,
        /// Debug mode; there is nothing more to say here.
        debug: bool = false;
        ..address: AddressArgs,
    }
}

/// A version of the engine's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// An engine that answers.
#[derive(Debug, Clone)]
pub struct Engine {
    endpoint: Endpoint,
    /// The version of the API that is spoken.
    pub version: Version,
}

/// Where the arguments and the environment say that the engine is.
pub fn endpoint(args: &EngineArgs, host: &Probe<'_>) -> Result<Endpoint, Failure> {
    let env = |name: &str| host.env(name).filter(|v| !v.is_empty());
    let truth = |name: &str| env(name).is_some_and(|v| crate::module::to_bool(&Value::from(v)).unwrap_or(true));
    let url = args.address.docker_host.clone().or_else(|| env("DOCKER_HOST"));
    let url = url.unwrap_or_else(|| "unix:///var/run/docker.sock".to_owned());
    let seconds = match (args.timeout, env("DOCKER_TIMEOUT")) {
        (Some(seconds), _) => seconds,
        (None, Some(text)) => {
            text.parse().map_err(|_| Failure::new(format!("DOCKER_TIMEOUT is no number of seconds: {text}")))?
        }
        (None, None) => 60,
    };
    let timeout = u64::try_from(seconds).ok().filter(|s| *s > 0).map(Duration::from_secs);
    let verify = args.address.validate_certs.unwrap_or_else(|| truth("DOCKER_TLS_VERIFY"));
    let secured = verify || args.address.tls.unwrap_or_else(|| truth("DOCKER_TLS"));
    if let Some(path) = url.strip_prefix("unix://").or_else(|| url.starts_with('/').then_some(&*url)) {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        return Ok(Endpoint { address: Address::Unix(path.into()), timeout });
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("tcp", &url));
    if !["tcp", "http", "https"].contains(&scheme) {
        return Err(Failure::new(format!(
            "docker_host '{url}': {scheme}:// is not supported; an engine is reached at unix://PATH or tcp://HOST:PORT"
        )));
    }
    let secured = secured || scheme == "https";
    let rest = rest.trim_end_matches('/');
    let (name, port) = match rest.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => {
            let port = port.parse().map_err(|_| Failure::new(format!("docker_host '{url}': no port: {port}")))?;
            (name, port)
        }
        _ => (rest, if secured { 2376 } else { 2375 }),
    };
    let in_dir = |file: &str| env("DOCKER_CERT_PATH").map(|dir| format!("{}/{file}", dir.trim_end_matches('/')));
    let file = |given: &Option<Path>, name: &str| given.as_ref().map(|p| p.0.clone()).or_else(|| in_dir(name));
    let tls = secured.then(|| Tls {
        verify,
        name: args.tls_hostname.clone().or_else(|| env("DOCKER_TLS_HOSTNAME")),
        ca: file(&args.address.ca_path, "ca.pem"),
        client: file(&args.address.client_cert, "cert.pem").zip(file(&args.address.client_key, "key.pem")),
    });
    let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok(Endpoint { address: Address::Tcp { host: name, port, tls }, timeout })
}

/// Where nothing says which engine, and Docker's command line would have gone elsewhere: that it
/// would. As in Ansible, contexts are for the modules that run the command line.
fn context_hint(args: &EngineArgs, host: &Probe<'_>) -> Option<String> {
    let set = |name: &str| host.env(name).filter(|v| !v.is_empty());
    if args.address.docker_host.is_some() || set("DOCKER_HOST").is_some() {
        return None;
    }
    let config = || Config::read(host, &config_path(host)).ok();
    let current = || config()?.map.get("currentContext")?.as_str().map(str::to_owned);
    let name = set("DOCKER_CONTEXT").or_else(current).filter(|n| n != "default")?;
    Some(format!(" (docker's context '{name}' is not followed here; say where the engine is with docker_host)"))
}

impl Engine {
    /// Finds the engine and agrees on a version of its API.
    ///
    /// # Errors
    /// When none answers ([`Failure::missing`]: an earlier task may start it), or what
    /// answers is too old.
    pub fn connect(args: &EngineArgs, host: &Probe<'_>) -> Result<Self, Failure> {
        let endpoint = endpoint(args, host)?;
        let wanted = args.address.api_version.clone().or_else(|| host.env("DOCKER_API_VERSION")).unwrap_or_default();
        let ask = host.get(&endpoint, "/version").map_err(|mut failure| {
            let hint = context_hint(args, host).unwrap_or_default();
            failure.message =
                format!("Error connecting: Error while fetching server API version: {}{hint}", failure.message);
            failure
        })?;
        let said = json::parse(&ask.text()).unwrap_or_default();
        let newest = said.get("ApiVersion").and_then(Value::as_str).and_then(Version::parse);
        let Some(newest) = newest.filter(|_| ask.is_success()) else {
            return Err(Failure::new(format!(
                "Error connecting: what answers at {endpoint} is no Docker engine: {} {}",
                ask.status,
                ask.text().chars().take(200).collect::<String>()
            )));
        };
        let version = match &*wanted {
            "" | "auto" => newest.min(NEWEST),
            text => Version::parse(text)
                .ok_or_else(|| Failure::new(format!("api_version '{text}' is no version of the API, like 1.41")))?,
        };
        if version < OLDEST {
            return Err(Failure::new(format!(
                "Docker API version is {version}. Minimum version required is {OLDEST}."
            )));
        }
        Ok(Self { endpoint, version })
    }

    /// Fails where an option needs a newer engine.
    ///
    /// # Errors
    /// In Ansible's words.
    pub fn needs(&self, option: &str, version: Version) -> Result<(), Failure> {
        if self.version >= version {
            return Ok(());
        }
        Err(Failure::new(format!(
            "Docker API version is {}. Minimum version required is {version} to set {option} option.",
            self.version
        )))
    }

    /// Where it is, as addresses of engines are written.
    pub fn address(&self) -> String {
        self.endpoint.to_string()
    }

    /// The same engine, which may take as long as it likes to answer.
    pub fn patient(&self) -> Self {
        let endpoint = Endpoint { timeout: None, ..self.endpoint.clone() };
        Self { endpoint, version: self.version }
    }

    /// A path with the version in front.
    pub fn path(&self, path: &str) -> String {
        format!("/v{}{path}", self.version)
    }

    /// The failure that a bad answer is, in the words of Ansible's client.
    pub fn failure(&self, doing: &str, path: &str, reply: &Reply) -> Failure {
        let said = json::parse(&reply.text());
        let said = said.as_ref().and_then(|v| v.get("message")).and_then(Value::as_str).map(str::to_owned);
        let text = said.unwrap_or_else(|| reply.text().trim().to_owned());
        let side = if reply.status >= 500 { "Server" } else { "Client" };
        let path = path.split('?').next().unwrap_or_default();
        // Some of Ansible's messages go on after a dash.
        let colon = if doing.ends_with(" -") { "" } else { ":" };
        Failure::new(format!(
            "{doing}{colon} {} {side} Error for {}{}: {} (\"{text}\")",
            reply.status,
            self.endpoint,
            self.path(path),
            reply.reason
        ))
    }

    /// Asks; `None` when there is no such thing.
    ///
    /// # Errors
    /// When the engine does not answer, or answers with another error.
    pub fn get(&self, host: &Probe<'_>, path: &str) -> Result<Option<Value>, Failure> {
        let reply = host.get(&self.endpoint, &self.path(path))?;
        match reply.status {
            404 => Ok(None),
            _ if reply.is_success() => self.parse(&reply).map(Some),
            _ => Err(self.failure("Error from the Docker engine", path, &reply)),
        }
    }

    /// Asks for the bytes of something, with the headers that come with them.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn raw(&self, host: &Probe<'_>, path: &str) -> Result<Reply, Failure> {
        host.get(&self.endpoint, &self.path(path))
    }

    /// Asks for the headers alone.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn head(&self, host: &Probe<'_>, path: &str) -> Result<Reply, Failure> {
        host.head(&self.endpoint, &self.path(path))
    }

    fn parse(&self, reply: &Reply) -> Result<Value, Failure> {
        if reply.body.is_empty() {
            return Ok(Value::Null);
        }
        json::parse(&reply.text())
            .ok_or_else(|| Failure::new(format!("the answer of {} is no JSON: {}", self.endpoint, reply.text())))
    }

    /// Has something done. `what` is `METHOD /path`.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn request(
        &self,
        host: &mut Host<'_>,
        method: &'static str,
        path: &str,
        headers: Vec<(&'static str, String)>,
        body: Body,
    ) -> Result<Reply, Failure> {
        host.send(&self.endpoint, &Request { method, path: self.path(path), headers, body })
    }

    /// Has something done, with a JSON body where there is one; the answer as JSON.
    ///
    /// # Errors
    /// When the engine does not answer or refuses; `doing` begins the message.
    pub fn act(
        &self,
        host: &mut Host<'_>,
        doing: &str,
        method: &'static str,
        path: &str,
        body: Option<&Map>,
    ) -> Result<Value, Failure> {
        let body = body.map_or(Body::Empty, |map| Body::Json(json::dumps(&Value::from(map.clone()))));
        let reply = self.request(host, method, path, Vec::new(), body)?;
        if !reply.is_success() && reply.status != 304 {
            return Err(self.failure(doing, path, &reply));
        }
        Ok(json::parse(&reply.text()).unwrap_or_default())
    }

    /// A request that makes the connection a stream.
    ///
    /// # Errors
    /// As [`Engine::act`].
    pub fn converse(
        &self,
        host: &mut Host<'_>,
        doing: &str,
        path: &str,
        body: &Map,
        input: Option<&[u8]>,
    ) -> Result<Vec<u8>, Failure> {
        let headers = vec![("Upgrade", "tcp".to_owned())];
        let body = Body::Json(json::dumps(&Value::from(body.clone())));
        let request = Request { method: "POST", path: self.path(path), headers, body };
        let reply = host.converse(&self.endpoint, &request, input)?;
        if !reply.is_success() && reply.status != 101 {
            return Err(self.failure(doing, path, &reply));
        }
        Ok(reply.body)
    }

    /// Puts what the engine answers into a file.
    ///
    /// # Errors
    /// As [`Engine::act`], and when the file cannot be written.
    pub fn download(&self, host: &mut Host<'_>, doing: &str, path: &str, dest: &str) -> Result<(), Failure> {
        let reply = host.download(&self.endpoint, &self.path(path), std::path::Path::new(dest))?;
        if reply.is_success() { Ok(()) } else { Err(self.failure(doing, path, &reply)) }
    }

    /// Something that the engine keeps, planned state included: `kind` is `docker network`
    /// and the like; nothing when there is no such thing.
    ///
    /// # Errors
    /// As [`Engine::get`].
    pub fn find(&self, host: &Probe<'_>, kind: Kind, name: &str) -> Result<Option<Value>, Failure> {
        if let Some(planned) = host.planned_thing(kind.label(), &kind.key(name)) {
            return Ok(planned.map(|text| json::parse(&text).unwrap_or_default()));
        }
        self.get(host, &format!("/{}/{}{}", kind.path(), escape_path(name), kind.suffix()))
    }
}

/// What an engine keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Containers.
    Container,
    /// Images.
    Image,
    /// Networks.
    Network,
    /// Volumes.
    Volume,
}

impl Kind {
    /// What it is called in planned state.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Container => "docker container",
            Self::Image => "docker image",
            Self::Network => "docker network",
            Self::Volume => "docker volume",
        }
    }

    fn key(self, name: &str) -> String {
        if self == Self::Image { super::names::full(name) } else { name.trim_start_matches('/').to_owned() }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Container => "containers",
            Self::Image => "images",
            Self::Network => "networks",
            Self::Volume => "volumes",
        }
    }

    const fn suffix(self) -> &'static str {
        if matches!(self, Self::Container | Self::Image) { "/json" } else { "" }
    }

    /// The effect that something of this kind is there, as the engine would tell of it.
    pub fn there(self, name: &str, state: Map) -> Effect {
        let state = Some(json::dumps(&Value::from(state)));
        Effect::Thing { kind: self.label().to_owned(), name: self.key(name), state }
    }

    /// The effect that it is gone.
    pub fn gone(self, name: &str) -> Effect {
        Effect::Thing { kind: self.label().to_owned(), name: self.key(name), state: None }
    }
}

/// Whether what [`Engine::find`] gave is only planned.
pub fn is_planned(state: &Value) -> bool {
    state.get("Planned").is_some()
}

/// A name for a path: names of images keep their slashes.
pub fn escape_path(name: &str) -> String {
    escape_but(name, b"/:@")
}

/// A value for a query.
pub fn escape(text: &str) -> String {
    escape_but(text, b"")
}

fn escape_but(text: &str, keep: &[u8]) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Something at a way of keys in what the engine tells.
pub fn at<'a>(value: &'a Value, way: &[&str]) -> &'a Value {
    const NOTHING: &Value = &Value::Null;
    way.iter().try_fold(value, |v, key| v.get(key)).unwrap_or(NOTHING)
}

/// The text at a way of keys; empty when there is none.
pub fn text_at<'a>(value: &'a Value, way: &[&str]) -> &'a str {
    at(value, way).as_str().unwrap_or_default()
}
