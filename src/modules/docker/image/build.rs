//! Building an image through the engine's API, from a directory of the host.

use super::context;
use crate::args;
use crate::model::{Failure, FileKind, Map, Value};
use crate::module::Path;
use crate::modules::docker::auth::{Config, config_path, proxies};
use crate::modules::docker::engine::{Engine, escape};
use crate::modules::docker::{Options, images, names, strings, texts};
use crate::modules::{json, tar};
use crate::sys::http::Body;
use crate::sys::{Host, Probe};

args! {
    /// How an image is built.
    pub struct Build {
        /// The directory.
        [required]
        path: Path,
        /// The file that says how, in the directory or elsewhere.
        dockerfile: Option<String>,
        /// Arguments.
        args: Option<Map>,
        /// Images whose steps are used again.
        cache_from: Option<Vec<String>>,
        /// Limits while it is built.
        container_limits: Option<Options<Limits>>,
        /// Names and addresses for /etc/hosts.
        etc_hosts: Option<Map>,
        /// Seconds to wait for the engine to say anything.
        http_timeout: Option<i64>,
        /// Labels.
        labels: Option<Map>,
        /// The network mode while it is built.
        network: Option<String>,
        /// Do not use steps again.
        nocache: bool = false,
        /// The platform.
        platform: Option<String>,
        /// Pull the images it is built from.
        pull: bool = false,
        /// Remove containers that it is built in.
        rm: bool = true,
        /// Size of /dev/shm.
        shm_size: Option<String>,
        /// The stage to build.
        target: Option<String>,
        /// Have the build use the proxies of Docker's configuration.
        use_config_proxy: bool = false,
    }
}

args! {
    /// Limits while an image is built.
    pub struct Limits {
        /// Which CPUs.
        cpusetcpus: Option<String>,
        /// Weight of CPU.
        cpushares: Option<i64>,
        /// Limit of memory.
        memory: Option<String>,
        /// Limit of memory and swap.
        memswap: Option<String>,
    }
}

/// The file that says how to build, by its path in what is sent; one from elsewhere is added.
fn dockerfile(host: &Probe<'_>, build: &Build) -> Result<(String, Option<tar::Entry>), Failure> {
    let name = build.dockerfile.as_deref().unwrap_or("Dockerfile");
    let dir = build.path.0.trim_end_matches('/');
    let whole = if name.starts_with('/') { name.to_owned() } else { format!("{dir}/{name}") };
    if host.stat(&whole)?.is_none() {
        return Err(Failure::missing(format!("Cannot find the Dockerfile {whole}")));
    }
    if let Some(inside) = whole.strip_prefix(&format!("{dir}/")).filter(|p| !p.contains("..")) {
        return Ok((inside.to_owned(), None));
    }
    let path = ".rplay-dockerfile".to_owned();
    let kind = tar::Kind::File(host.read(&whole)?);
    Ok((path.clone(), Some(tar::Entry { path, mode: 0o600, uid: 0, gid: 0, mtime: 0, kind })))
}

/// The options as a query.
fn query(build: &Build, name: &str, dockerfile: &str, proxies: Map) -> Result<String, Failure> {
    let json = |value: Value| json::dumps(&value);
    let mut pairs = vec![
        ("t", name.to_owned()),
        ("dockerfile", dockerfile.to_owned()),
        ("nocache", build.nocache.to_string()),
        ("rm", build.rm.to_string()),
        ("forcerm", "true".to_owned()),
    ];
    let mut add = |key: &'static str, value: Option<String>| pairs.extend(value.map(|v| (key, v)));
    add("pull", build.pull.then(|| "1".to_owned()));
    let map = |option: &str, map: &Option<Map>| map.as_ref().map(|m| strings(option, m).map(Value::from)).transpose();
    let mut build_args = proxies;
    build_args.extend(build.args.as_ref().map(|m| strings("build.args", m)).transpose()?.unwrap_or_default());
    add("buildargs", (!build_args.is_empty()).then(|| json(build_args.into())));
    add("labels", map("build.labels", &build.labels)?.map(json));
    add("cachefrom", build.cache_from.clone().map(|list| json(texts(list))));
    add("networkmode", build.network.clone());
    add("platform", build.platform.clone());
    add("target", build.target.clone());
    let size = |option: &str, text: &Option<String>| {
        text.as_ref().map(|t| names::size(option, t).map(|n| n.to_string())).transpose()
    };
    add("shmsize", size("build.shm_size", &build.shm_size)?);
    if let Some(hosts) = &build.etc_hosts {
        let lines = strings("build.etc_hosts", hosts)?;
        let lines: Vec<String> = lines.iter().map(|(k, v)| format!("{k}:{}", super::super::shown(v))).collect();
        add("extrahosts", Some(lines.join(",")));
    }
    if let Some(Options(limits)) = &build.container_limits {
        add("cpusetcpus", limits.cpusetcpus.clone());
        add("cpushares", limits.cpushares.map(|n| n.to_string()));
        add("memory", size("build.container_limits.memory", &limits.memory)?);
        add("memswap", size("build.container_limits.memswap", &limits.memswap)?);
    }
    let pairs: Vec<String> = pairs.iter().map(|(k, v)| format!("{k}={}", escape(v))).collect();
    Ok(pairs.join("&"))
}

/// What can be seen to be wrong before anything is done.
pub fn check(build: &Build, host: &Probe<'_>) -> Result<(), Failure> {
    if host.stat(&build.path.0)?.is_none_or(|s| s.kind != FileKind::Directory) {
        return Err(Failure::missing(format!(
            "Requested build path {} could not be found or you do not have access.",
            build.path.0
        )));
    }
    dockerfile(host, build)?;
    query(build, "x", "x", Map::new()).map(drop)
}

/// Builds; what was printed comes back.
pub fn run(build: &Build, engine: &Engine, host: &mut Host<'_>, name: &str) -> Result<String, Failure> {
    let dir = build.path.0.trim_end_matches('/');
    let (file, extra) = dockerfile(host.probe(), build)?;
    let mut entries = context::entries(host.probe(), dir, &file)?;
    entries.extend(extra);
    let config = build.use_config_proxy.then(|| Config::read(host.probe(), &config_path(host.probe()))).transpose()?;
    let proxies = config.map(|c| proxies(&c, &engine.address())).unwrap_or_default();
    let path = format!("/build?{}", query(build, name, &file, proxies)?);
    let body = Body::Parts("application/x-tar", tar::parts(entries));
    let reply = engine.patient().request(host, "POST", &path, Vec::new(), body)?;
    if !reply.is_success() {
        return Err(engine.failure(&format!("Error building {name}"), &path, &reply));
    }
    let said = images::progress(&reply);
    let lines = said.iter().filter_map(|l| l.get("stream").and_then(Value::as_str));
    // As Ansible puts it together: each piece a line.
    let text = lines.map(|l| l.strip_suffix('\n').unwrap_or(l)).collect::<Vec<_>>().join("\n");
    match images::error_in(&said) {
        Some(error) => Err(Failure::new(format!("Error building {name} - message: {error}, logs: {text}"))),
        None => Ok(text),
    }
}
