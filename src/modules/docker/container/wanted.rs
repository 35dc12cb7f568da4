//! What a task wants of a container, property by property, in the engine's terms.

use super::args::{Container, Healthcheck};
use super::compare::{Comparisons, Way};
use super::table::{Form, Property};
use crate::model::{Failure, Map, Value};
use crate::module::FromArg;
use crate::modules::docker::engine::{Engine, Kind, Version, at, text_at};
use crate::modules::docker::{Options, items, names, strings, texts};
use crate::modules::shlex;
use crate::sys::Probe;

pub use super::mounts::{binds, binds_observed, mounts, tmpfs, volumes, volumes_expected, volumes_observed};
pub use super::ports::{as_keys, exposed_ports, ports_expected, ports_observed, published_ports};
pub use super::resources::{
    device_requests, devices, platform, platform_observed, read_bps, read_iops, ulimits, write_bps, write_iops,
};

/// A task's wishes, and what is needed to understand them.
pub struct Wanted<'a> {
    /// The arguments by their own names, as given.
    pub given: Map,
    /// The arguments, read.
    pub args: Container,
    /// How properties are compared.
    pub comparisons: Comparisons,
    /// The image that counts in comparisons, as the engine tells of it.
    pub image: Value,
    /// The address for ports without one.
    pub host_ip: String,
    /// The environment file's variables.
    pub env_file: Map,
    /// The engine.
    pub engine: &'a Engine,
    /// The host.
    pub host: &'a Probe<'a>,
}

impl Wanted<'_> {
    /// Whether an option was given.
    pub fn has(&self, option: &str) -> bool {
        self.given.contains(option)
    }

    /// The value of a property, when the task says anything of it.
    pub fn value(&self, property: &Property) -> Result<Option<Value>, Failure> {
        let option = property.option;
        let given = self.given.get(option);
        if given.is_none() && !property.with.iter().any(|o| self.has(o)) {
            return Ok(None);
        }
        let read = |e: String| Failure::new(format!("{option}: {e}"));
        let raw = given.cloned().unwrap_or_default();
        Ok(Some(match property.form {
            Form::Made(make) => {
                let value = make(self)?;
                if value.is_null() {
                    return Ok(None);
                }
                value
            }
            Form::Text => Value::from(String::from_arg(&raw).map_err(read)?),
            Form::Int => Value::from(i64::from_arg(&raw).map_err(read)?),
            Form::Bool => Value::from(bool::from_arg(&raw).map_err(read)?),
            Form::Size => Value::from(names::size(option, &String::from_arg(&raw).map_err(read)?)?),
            Form::Texts => texts(Vec::<String>::from_arg(&raw).map_err(read)?),
            Form::Strings => Value::from(strings(option, &Map::from_arg(&raw).map_err(read)?)?),
        }))
    }

    /// The description of a new container, but for its networks.
    pub fn description(&self, image: &str) -> Result<Map, Failure> {
        let mut body = Map::new();
        body.insert("Image", image);
        let attached = self.args.detach != Some(true);
        let stdin = attached && self.args.settings.interactive == Some(true);
        for (key, value) in
            [("AttachStdin", stdin), ("AttachStdout", attached), ("AttachStderr", attached), ("StdinOnce", stdin)]
        {
            body.insert(key, value);
        }
        for property in super::table::PROPERTIES.iter().filter(|p| !["detach", "platform"].contains(&p.option)) {
            let Some(value) = self.value(property)? else { continue };
            let value = property.sent.map_or_else(|| value.clone(), |sent| sent(value.clone()));
            let way = property.way.strip_prefix(&["Config"]).unwrap_or(property.way);
            put(&mut body, way, value);
        }
        Ok(body)
    }
}

/// Sets a value at a way of keys.
pub fn put(map: &mut Map, way: &[&str], value: Value) {
    match way {
        [] => {}
        [last] => drop(map.insert(*last, value)),
        [first, rest @ ..] => {
            let mut inner = super::super::map_of(map.get(first).unwrap_or(&Value::Null));
            put(&mut inner, rest, value);
            map.insert(*first, inner);
        }
    }
}

type Made = Result<Value, Failure>;

/// A command or entry point as words, when it is given.
fn words(wanted: &Wanted<'_>, option: &str, value: Option<&Value>) -> Made {
    let split = |text: &str| {
        shlex::split(text).map(texts).map_err(|e| Failure::new(format!("cannot split {option} into words: {e}")))
    };
    let Some(value) = value else { return Ok(Value::Null) };
    let Some(list) = value.as_list() else {
        return split(&String::from_arg(value).map_err(Failure::new)?);
    };
    let list: Result<Vec<String>, String> = list.iter().map(String::from_arg).collect();
    let list = list.map_err(Failure::new)?;
    match &*wanted.args.command_handling {
        "compatibility" if list.is_empty() => Ok(Value::Null),
        "compatibility" => split(&list.join(" ")),
        _ => Ok(texts(list)),
    }
}

pub fn command(wanted: &Wanted<'_>) -> Made {
    words(wanted, "command", wanted.args.settings.command.as_ref())
}

pub fn entrypoint(wanted: &Wanted<'_>) -> Made {
    words(wanted, "entrypoint", wanted.given.get("entrypoint"))
}

#[allow(clippy::cast_possible_truncation, reason = "as many CPUs as would overflow there are not")]
pub fn cpus(wanted: &Wanted<'_>) -> Made {
    Ok(wanted.args.settings.cpus.map(|n| (n * 1e9).round() as i64).into())
}

pub fn attached(wanted: &Wanted<'_>) -> Made {
    Ok(wanted.args.detach.into())
}

/// Whether a container was made to run by itself.
pub fn is_attached(_: &Wanted<'_>, container: &Value) -> Value {
    let is = |name: &str| at(container, &["Config", name]).as_bool() == Some(true);
    Value::from(!(is("AttachStdout") && is("AttachStderr")))
}

pub fn env(wanted: &Wanted<'_>) -> Made {
    let mut all = wanted.env_file.clone();
    if let Some(own) = &wanted.args.settings.env {
        all.extend(strings("env", own)?);
    }
    Ok(texts(all.iter().map(|(name, value)| format!("{name}={}", super::super::shown(value)))))
}

/// The environment with what the image brings.
#[allow(clippy::unnecessary_wraps, reason = "a row of the table")]
pub fn env_expected(wanted: &Wanted<'_>, own: Value) -> Made {
    let mut all: Vec<String> = items(&own).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let name = |text: &str| text.split('=').next().unwrap_or_default().to_owned();
    for line in items(at(&wanted.image, &["Config", "Env"])).iter().filter_map(Value::as_str) {
        if !all.iter().any(|own| name(own) == name(line)) {
            all.push(line.to_owned());
        }
    }
    Ok(texts(all))
}

pub fn etc_hosts(wanted: &Wanted<'_>) -> Made {
    let hosts = wanted.args.settings.etc_hosts.clone().unwrap_or_default();
    Ok(texts(strings("etc_hosts", &hosts)?.iter().map(|(name, ip)| format!("{name}:{}", super::super::shown(ip)))))
}

pub fn healthcheck(wanted: &Wanted<'_>) -> Made {
    let Some(Options(check)) = &wanted.args.settings.healthcheck else { return Ok(Value::Null) };
    let mut map = Map::new();
    match test(check)? {
        Some(test) => drop(map.insert("Test", test)),
        None if check.test_cli_compatible => {}
        None => {
            map.insert("Test", texts(["NONE"]));
            return Ok(map.into());
        }
    }
    for (name, key, value) in [
        ("interval", "Interval", &check.interval),
        ("timeout", "Timeout", &check.timeout),
        ("start_period", "StartPeriod", &check.start_period),
        ("start_interval", "StartInterval", &check.start_interval),
    ] {
        if let Some(text) = value {
            map.insert(key, names::duration(name, text)?);
        }
    }
    if check.start_interval.is_some() {
        wanted.engine.needs("healthcheck.start_interval", Version(1, 44))?;
    }
    if let Some(retries) = check.retries {
        map.insert("Retries", retries);
    }
    Ok(map.into())
}

fn test(check: &Healthcheck) -> Result<Option<Value>, Failure> {
    let Some(test) = &check.test else { return Ok(None) };
    let Some(list) = test.as_list() else {
        let text = String::from_arg(test).map_err(Failure::new)?;
        return Ok(Some(texts(["CMD-SHELL".to_owned(), text])));
    };
    let list: Result<Vec<String>, String> = list.iter().map(String::from_arg).collect();
    let list = list.map_err(Failure::new)?;
    if !list.first().is_some_and(|first| ["NONE", "CMD", "CMD-SHELL"].contains(&first.as_str())) {
        return Err(Failure::new("the first item of healthcheck.test must be one of NONE, CMD, CMD-SHELL"));
    }
    Ok(Some(texts(list)))
}

/// A mode that may name another container, which the engine knows by its id.
fn mode(wanted: &Wanted<'_>, option: &str, text: Option<String>) -> Made {
    let Some(text) = text else { return Ok(Value::Null) };
    let Some(name) = text.strip_prefix("container:") else { return Ok(text.into()) };
    match wanted.engine.find(wanted.host, Kind::Container, name)? {
        Some(other) => Ok(format!("container:{}", text_at(&other, &["Id"])).into()),
        None => Err(Failure::missing(format!("{option}: there is no container {name}"))),
    }
}

pub fn ipc_mode(wanted: &Wanted<'_>) -> Made {
    mode(wanted, "ipc_mode", wanted.args.settings.more.ipc_mode.clone())
}

pub fn pid_mode(wanted: &Wanted<'_>) -> Made {
    mode(wanted, "pid_mode", wanted.args.settings.more.pid_mode.clone())
}

pub fn network_mode(wanted: &Wanted<'_>) -> Made {
    let first = wanted.args.networks.as_ref().and_then(|n| n.first()).filter(|_| wanted.args.networks_cli_compatible);
    let named = wanted.args.settings.more.network_mode.clone();
    mode(wanted, "network_mode", named.or_else(|| first.map(|n| n.0.name.clone())))
}

/// What the mode is called by its default.
fn plain_mode(mode: &str) -> Value {
    Value::from(if matches!(mode, "default" | "") { "bridge" } else { mode })
}

#[allow(clippy::unnecessary_wraps, reason = "a row of the table")]
pub fn network_mode_expected(wanted: &Wanted<'_>, own: Value) -> Made {
    // What follows from `networks` is compared as networks are, in place.
    if wanted.has("network_mode") { Ok(plain_mode(own.as_str().unwrap_or_default())) } else { Ok("*".into()) }
}

pub fn network_mode_observed(wanted: &Wanted<'_>, container: &Value) -> Value {
    if !wanted.has("network_mode") {
        return "*".into();
    }
    plain_mode(text_at(container, &["HostConfig", "NetworkMode"]))
}

/// Labels with the image's, where none may be there that nobody asked for.
pub fn labels_expected(wanted: &Wanted<'_>, own: Value) -> Made {
    if wanted.comparisons.labels() != Way::Strict {
        return Ok(own);
    }
    let mut all = super::super::map_of(at(&wanted.image, &["Config", "Labels"]));
    let own = super::super::map_of(&own);
    if wanted.args.image_label_mismatch == "fail" {
        let foreign: Vec<String> = all.keys().filter(|k| own.get_key(k).is_none()).map(ToString::to_string).collect();
        if !foreign.is_empty() {
            return Err(Failure::new(format!(
                "Some labels should be removed but are present in the base image. You can set image_label_mismatch \
                 to 'ignore' to ignore this error. Labels: {}",
                foreign.join(", ")
            )));
        }
    }
    all.extend(own);
    Ok(all.into())
}

#[allow(clippy::unnecessary_wraps, reason = "a row of the table")]
pub fn links_expected(_: &Wanted<'_>, own: Value) -> Made {
    let full = |link: &str| if link.contains(':') { link.to_owned() } else { format!("{link}:{link}") };
    Ok(texts(items(&own).iter().filter_map(Value::as_str).map(full)))
}

/// `/other:/own/alias` as `other:alias`.
pub fn links_observed(_: &Wanted<'_>, container: &Value) -> Value {
    let short = |link: &str| {
        let (other, alias) = link.split_once(':').unwrap_or((link, link));
        format!("{}:{}", other.trim_start_matches('/'), alias.rsplit('/').next().unwrap_or_default())
    };
    texts(items(at(container, &["HostConfig", "Links"])).iter().filter_map(Value::as_str).map(short))
}

/// Capabilities as the engine writes them, whichever way they were given.
fn plain_capabilities(list: &Value) -> Value {
    let plain = |text: &str| {
        let upper = text.to_uppercase();
        upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned()
    };
    texts(items(list).iter().filter_map(Value::as_str).map(plain))
}

#[allow(clippy::unnecessary_wraps, reason = "a row of the table")]
pub fn capabilities(_: &Wanted<'_>, own: Value) -> Made {
    Ok(plain_capabilities(&own))
}

pub fn capabilities_added(_: &Wanted<'_>, container: &Value) -> Value {
    plain_capabilities(at(container, &["HostConfig", "CapAdd"]))
}

pub fn capabilities_dropped(_: &Wanted<'_>, container: &Value) -> Value {
    plain_capabilities(at(container, &["HostConfig", "CapDrop"]))
}

pub fn log_options(wanted: &Wanted<'_>) -> Made {
    let mut out = Map::new();
    for (name, value) in wanted.args.settings.more.log_options.iter().flatten() {
        // Truth values are written as the engine reads them.
        let text = match value {
            Value::Bool(b) => b.to_string(),
            other => String::from_arg(other).map_err(|e| Failure::new(format!("log_options: {e}")))?,
        };
        out.insert(name.to_string(), text);
    }
    Ok(out.into())
}

pub fn mac_observed(_: &Wanted<'_>, container: &Value) -> Value {
    let own = at(container, &["Config", "MacAddress"]);
    if own.truthy() == Some(true) { own.clone() } else { at(container, &["NetworkSettings", "MacAddress"]).clone() }
}

pub fn memory_swap(wanted: &Wanted<'_>) -> Made {
    match wanted.args.settings.more.memory_swap.as_deref() {
        None => Ok(Value::Null),
        Some("unlimited" | "-1") => Ok(Value::Int(-1)),
        Some(text) => Ok(names::size("memory_swap", text)?.into()),
    }
}
