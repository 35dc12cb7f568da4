//! `docker_network`: networks of an engine, and who is in them.

use std::sync::Arc;

use super::container::disconnect;
use super::engine::{Engine, EngineArgs, Kind, Version, at, escape_path, is_planned, text_at};
use super::{Options, differs, items, map_of, shown, strings, warned};
use crate::args;
use crate::model::{Failure, Map, Value};
use crate::module;
use crate::module::{Arguments, Done, Module, Plan, ReturnSpec, Run, Step};
use crate::sys::{Host, Probe};

args! {
    /// Arguments of `docker_network`.
    pub struct Network {
        /// The network's name.
        [required, aliases "network_name"]
        name: String,
        /// Whether it is to be.
        [choices "absent" "present"]
        state: String = "present".to_owned(),
        /// Containers that are to be in it; others leave, unless `appends` says otherwise.
        [aliases "containers"]
        connected: Vec<String> = Vec::new(),
        /// Leave containers in it that are not in `connected`.
        [aliases "incremental"]
        appends: bool = false,
        /// Make it anew also where nothing differs.
        force: bool = false,
        /// The driver.
        driver: String = "bridge".to_owned(),
        /// The driver's options.
        driver_options: Map = Map::new(),
        /// The driver of addresses.
        ipam_driver: Option<String>,
        /// Its options.
        ipam_driver_options: Option<Map>,
        /// Subnets.
        ipam_config: Option<Vec<Options<Ipam>>>,
        /// With IPv4.
        enable_ipv4: Option<bool>,
        /// With IPv6.
        enable_ipv6: Option<bool>,
        /// Without a way out.
        internal: Option<bool>,
        /// Labels.
        labels: Map = Map::new(),
        /// How far it reaches.
        [choices "local" "global" "swarm"]
        scope: Option<String>,
        /// Whether containers may join a swarm's network by hand.
        attachable: Option<bool>,
        /// The swarm's network for routing.
        ingress: Option<bool>,
        /// Only a configuration for other networks.
        config_only: Option<bool>,
        /// The network that the configuration is taken from.
        config_from: Option<String>;
        ..engine: EngineArgs,
    }
}

args! {
    /// A subnet.
    pub struct Ipam {
        /// The subnet, `192.0.2.0/24`.
        subnet: Option<String>,
        /// The part of it that addresses are taken from.
        iprange: Option<String>,
        /// The gateway.
        gateway: Option<String>,
        /// Addresses that are in use otherwise.
        aux_addresses: Option<Map>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "docker_network",
    aliases: &[],
    collection: super::COLLECTION,
    kind: module::Kind::State,
    doc: "Manage Docker networks.",
    args: Network::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[ReturnSpec { name: "network", doc: "The network, as the engine tells of it." }],
    run: Run::Target(plan),
};

fn path(name: &str, what: &str) -> String {
    format!("/networks/{}{what}", escape_path(name))
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Network::parse(args)?;
    let engine = Engine::connect(&args.engine, host)?;
    if args.config_from.is_some() && args.config_only == Some(true) {
        return Err(Failure::new("config_from cannot be used with config_only"));
    }
    if args.enable_ipv4.is_some() {
        engine.needs("enable_ipv4", Version(1, 47))?;
    }
    let found = engine.find(host, Kind::Network, &args.name)?;
    if args.state == "absent" {
        return Ok(absent(&args, &engine, found.as_ref()));
    }
    present(args, engine, host, found)
}

/// Containers in a network, by name.
fn members(network: &Value) -> Vec<String> {
    let Some(map) = at(network, &["Containers"]).as_map() else { return Vec::new() };
    map.values().map(|c| text_at(c, &["Name"]).to_owned()).collect()
}

fn remove(engine: &Engine, host: &mut Host<'_>, name: &str) -> Result<(), Failure> {
    let there = engine.get(host.probe(), &path(name, ""))?.unwrap_or_default();
    for member in members(&there) {
        disconnect(engine, host, name, &member, true)?;
    }
    engine.act(host, &format!("Error removing network {name}"), "DELETE", &path(name, ""), None).map(drop)
}

fn absent(args: &Network, engine: &Engine, found: Option<&Value>) -> Plan {
    let mut plan = Plan::new();
    if found.is_none() {
        return plan;
    }
    let (known, name) = (engine.clone(), args.name.clone());
    let step =
        Step::action([Kind::Network.gone(&name)], move |host| remove(&known, host, &name).map(|()| Done::default()));
    let change = ("exists".to_owned(), "true".to_owned(), "false".to_owned());
    plan.step(step.diff(differs(format!("network {}", args.name), vec![change])));
    plan
}

/// What the engine takes to make the network.
fn description(args: &Network) -> Result<Map, Failure> {
    let mut body = Map::new();
    body.insert("Name", args.name.as_str());
    body.insert("Driver", args.driver.as_str());
    body.insert("CheckDuplicate", true);
    body.insert("Options", strings("driver_options", &args.driver_options)?);
    body.insert("Labels", strings("labels", &args.labels)?);
    for (key, value) in [
        ("EnableIPv4", args.enable_ipv4),
        ("EnableIPv6", args.enable_ipv6),
        ("Internal", args.internal),
        ("Attachable", args.attachable),
        ("Ingress", args.ingress),
        ("ConfigOnly", args.config_only),
    ] {
        if let Some(value) = value {
            body.insert(key, value);
        }
    }
    if let Some(scope) = &args.scope {
        body.insert("Scope", scope.as_str());
    }
    if let Some(from) = &args.config_from {
        body.insert("ConfigFrom", Map::from_iter([("Network", from.as_str())]));
    }
    if args.ipam_driver.is_some() || args.ipam_driver_options.is_some() || args.ipam_config.is_some() {
        let mut ipam = Map::new();
        ipam.insert("Driver", args.ipam_driver.as_deref().unwrap_or("default"));
        if let Some(options) = &args.ipam_driver_options {
            ipam.insert("Options", strings("ipam_driver_options", options)?);
        }
        let configs: Result<Vec<Value>, Failure> =
            args.ipam_config.iter().flatten().map(|Options(c)| subnet(c).map(Value::from)).collect();
        ipam.insert("Config", Value::list(configs?));
        body.insert("IPAM", ipam);
    }
    Ok(body)
}

fn subnet(config: &Ipam) -> Result<Map, Failure> {
    let mut map = Map::new();
    for (key, value) in [("Subnet", &config.subnet), ("IPRange", &config.iprange), ("Gateway", &config.gateway)] {
        if let Some(text) = value {
            map.insert(key, text.as_str());
        }
    }
    if let Some(addresses) = &config.aux_addresses {
        map.insert("AuxiliaryAddresses", strings("aux_addresses", addresses)?);
    }
    Ok(map)
}

/// Whether all of a map is in another.
fn within(wanted: &Value, there: &Value) -> bool {
    map_of(wanted).iter().all(|(key, value)| there.as_map().and_then(|m| m.get_key(key)) == Some(value))
}

/// What of a network is not as it is to be.
fn differences(body: &Map, there: &Value) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let mut add =
        |name: &str, before: &Value, after: &Value| found.push((name.to_owned(), shown(before), shown(after)));
    let wanted = Value::from(body.clone());
    let values = [
        ("driver", &["Driver"][..]),
        ("enable_ipv4", &["EnableIPv4"]),
        ("enable_ipv6", &["EnableIPv6"]),
        ("internal", &["Internal"]),
        ("attachable", &["Attachable"]),
        ("ingress", &["Ingress"]),
        ("scope", &["Scope"]),
        ("config_only", &["ConfigOnly"]),
        ("config_from", &["ConfigFrom", "Network"]),
        ("ipam_driver", &["IPAM", "Driver"]),
    ];
    for (name, way) in values {
        let (before, after) = (at(there, way), at(&wanted, way));
        // A configuration has no driver, whatever is asked for.
        if name == "driver" && at(there, &["ConfigOnly"]).as_bool() == Some(true) {
            continue;
        }
        if !after.is_null() && before != after && !(before.is_null() && after.truthy() == Some(false)) {
            add(name, before, after);
        }
    }
    for (name, way) in
        [("driver_options", &["Options"][..]), ("labels", &["Labels"]), ("ipam_driver_options", &["IPAM", "Options"])]
    {
        if !within(at(&wanted, way), at(there, way)) {
            add(name, at(there, way), at(&wanted, way));
        }
    }
    let (have, want) = (at(there, &["IPAM", "Config"]), at(&wanted, &["IPAM", "Config"]));
    let fits = |config: &Value| items(have).iter().any(|other| within(config, other));
    // The engine adds a subnet for what has none: an IPv4 one beside an IPv6 one that was asked for.
    if !items(want).iter().all(fits) {
        add("ipam_config", have, want);
    }
    found
}

fn present(args: Network, engine: Engine, host: &Probe<'_>, found: Option<Value>) -> Result<Plan, Failure> {
    let body = Arc::new(description(&args)?);
    let mut plan = Plan::new();
    let name = args.name.clone();
    let mut state = (*body).clone();
    state.insert("Planned", true);
    let there = Kind::Network.there(&name, state);
    let before = found.as_ref().map(members).unwrap_or_default();
    let mut inside = before.clone();
    let make = |engine: &Engine, anew: bool| {
        let (engine, body, name) = (engine.clone(), Arc::clone(&body), name.clone());
        Step::action([there.clone()], move |host| {
            if anew {
                remove(&engine, host, &name)?;
            }
            let doing = format!("Error creating network {name}");
            engine.act(host, &doing, "POST", "/networks/create", Some(&body)).map(|said| warned(&said))
        })
        .yields(&["network"])
    };
    match &found {
        None => {
            let change = ("exists".to_owned(), "false".to_owned(), "true".to_owned());
            plan.step(make(&engine, false).diff(differs(format!("network {name}"), vec![change])));
        }
        Some(network) => {
            let mut rows = differences(&body, network);
            let asked = args.force && rows.is_empty() && !is_planned(network);
            if asked {
                rows.push(("created".to_owned(), text_at(network, &["Created"]).to_owned(), "anew".to_owned()));
            }
            if !rows.is_empty() {
                let why: Vec<&str> = rows.iter().map(|r| r.0.as_str()).collect();
                let why = if asked { "force".to_owned() } else { format!("{} differs", why.join(", ")) };
                plan.step(make(&engine, true).diff(differs(format!("network {name} (recreated: {why})"), rows)));
                inside.clear();
            }
        }
    }
    connect(&args, &engine, &before, &inside, &mut plan);
    let known = engine.clone();
    match found {
        Some(network) if plan.is_empty() => plan.set("network", network),
        _ => plan.after(move |host| told(&known, host, &name)),
    }
    let _ = host;
    Ok(plan)
}

fn told(engine: &Engine, host: &Probe<'_>, name: &str) -> Result<Map, Failure> {
    if host.is_dry_run() {
        return Ok(Map::new());
    }
    let now = engine.get(host, &path(name, ""))?.unwrap_or_default();
    Ok(Map::from_iter([("network", now)]))
}

/// Has containers join and leave. Those that were in a network that is made anew go back.
fn connect(args: &Network, engine: &Engine, before: &[String], inside: &[String], plan: &mut Plan) {
    let wanted: Vec<String> = if args.connected.is_empty() { before.to_vec() } else { args.connected.clone() };
    let mut move_one = |container: &str, join: bool| {
        let words = ["not connected".to_owned(), "connected".to_owned()];
        let [out, inside] = words;
        let (is, will) = if join { (out, inside) } else { (inside, out) };
        let (engine, name, container) = (engine.clone(), args.name.clone(), container.to_owned());
        let row = (format!("connected.{container}"), is, will);
        let step = Step::action([], move |host| {
            if !join {
                return disconnect(&engine, host, &name, &container, false).map(|()| Done::default());
            }
            let body = Map::from_iter([("Container", container.as_str())]);
            let doing = format!("Error connecting {container} to network {name}");
            engine.act(host, &doing, "POST", &path(&name, "/connect"), Some(&body)).map(|_| Done::default())
        });
        plan.step(step.diff(differs(format!("network {}", args.name), vec![row])).yields(&["network"]));
    };
    for container in wanted.iter().filter(|c| !inside.contains(c)) {
        move_one(container, true);
    }
    if !args.appends {
        for container in inside.iter().filter(|c| !wanted.contains(c)) {
            move_one(container, false);
        }
    }
}
