//! The networks of a container: joined, left, or joined anew with other addresses or names.

use std::sync::Arc;

use super::Task;
use super::args::Network;
use super::compare::Way;
use super::present::mode_network;
use super::state::{Course, change};
use super::wanted::{Wanted, put};
use crate::model::{Failure, Map, Value};
use crate::module::Done;
use crate::modules::docker::engine::{Engine, Kind, Version, at, escape_path, text_at};
use crate::modules::docker::{Options, differs, items, map_of, texts};
use crate::sys::{Host, Probe};

/// A network's part in a container's description.
fn endpoint(engine: &Engine, network: &Network) -> Result<Map, Failure> {
    let mut map = Map::new();
    if let Some(aliases) = &network.aliases {
        map.insert("Aliases", texts(aliases.clone()));
    }
    if let Some(links) = &network.links {
        map.insert("Links", texts(links.iter().map(|l| full_link(l))));
    }
    for (key, value) in [("IPv4Address", &network.ipv4_address), ("IPv6Address", &network.ipv6_address)] {
        if let Some(address) = value {
            put(&mut map, &["IPAMConfig", key], address.into());
        }
    }
    if let Some(mac) = &network.mac_address {
        engine.needs("networks.mac_address", Version(1, 44))?;
        map.insert("MacAddress", mac.as_str());
    }
    Ok(map)
}

fn full_link(link: &str) -> String {
    if link.contains(':') { link.to_owned() } else { format!("{link}:{link}") }
}

fn known(task: &Task, host: &Probe<'_>, name: &str) -> Result<(), Failure> {
    if task.engine.find(host, Kind::Network, name)?.is_some() {
        return Ok(());
    }
    let message = format!("Parameter error: network named {name} could not be found. Does it exist?");
    Err(Failure::missing(message))
}

/// Puts the first network into a new container's description, so that it never is in the
/// default one.
pub(super) fn at_creation(task: &Task, wanted: &Wanted<'_>, body: &mut Map) -> Result<(), Failure> {
    for Options(network) in task.args.networks.iter().flatten() {
        known(task, wanted.host, &network.name)?;
    }
    let Some(Options(first)) = task.args.networks.as_ref().and_then(|n| n.first()) else { return Ok(()) };
    let mode = body.get("HostConfig").and_then(|h| h.get("NetworkMode")).and_then(Value::as_str).unwrap_or_default();
    if task.args.networks_cli_compatible && mode == first.name {
        put(body, &["NetworkingConfig", "EndpointsConfig", &first.name], endpoint(&task.engine, first)?.into());
    }
    Ok(())
}

/// What of a network a container is in is not as wanted: (what, as it is, as it is to be).
fn differences(network: &Network, there: &Value) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let subject = |what: &str| format!("networks.{}.{what}", network.name);
    for (what, key, wanted) in
        [("ipv4_address", "IPv4Address", &network.ipv4_address), ("ipv6_address", "IPv6Address", &network.ipv6_address)]
    {
        let is = text_at(there, &["IPAMConfig", key]);
        let same = |text: &str| match (text.parse::<std::net::IpAddr>(), is.parse::<std::net::IpAddr>()) {
            (Ok(a), Ok(b)) => a == b,
            _ => text == is,
        };
        if let Some(text) = wanted.as_ref().filter(|text| !same(text)) {
            found.push(change(&subject(what), is, text.as_str()));
        }
    }
    let list =
        |value: &Value| -> Vec<String> { items(value).iter().filter_map(Value::as_str).map(str::to_owned).collect() };
    let links = network.links.as_ref().map(|l| l.iter().map(|l| full_link(l)).collect::<Vec<String>>());
    for (what, key, wanted) in [("aliases", "Aliases", network.aliases.clone()), ("links", "Links", links)] {
        let is = list(at(there, &[key]));
        if let Some(wanted) = wanted.filter(|w| !w.iter().all(|item| is.contains(item))) {
            found.push(change(&subject(what), is.join(", "), wanted.join(", ")));
        }
    }
    let mac = text_at(there, &["MacAddress"]);
    if let Some(wanted) = network.mac_address.as_ref().filter(|m| !m.eq_ignore_ascii_case(mac)) {
        found.push(change(&subject("mac_address"), mac, wanted.as_str()));
    }
    found
}

/// Joins, leaves and joins anew; says whether anything is to be done.
pub(super) fn plan(
    task: &Arc<Task>,
    host: &Probe<'_>,
    wanted: &Wanted<'_>,
    course: &mut Course,
) -> Result<bool, Failure> {
    let way = task.comparisons.networks();
    let state = Value::from(course.state.clone());
    let new = !course.plan.is_empty() && state.get("Created").is_none();
    let mut there = map_of(at(&state, &["NetworkSettings", "Networks"]));
    if new && there.is_empty() {
        there.extend(mode_network(&state).map(|name| (name, Map::new())).into_iter().collect());
    }
    let before = course.plan.len();
    if way == Way::Ignore && !new {
        return Ok(false);
    }
    for Options(network) in task.args.networks.iter().flatten() {
        known(task, host, &network.name)?;
        let body = connection(&course.name, endpoint(&task.engine, network)?);
        match there.get(&network.name) {
            None => join(task, course, network, body, Vec::new()),
            Some(_) if new => {}
            Some(is) => {
                let differs = differences(network, is);
                if !differs.is_empty() {
                    join(task, course, network, body, differs);
                }
            }
        }
    }
    let asked = wanted.has("networks") || task.given.get("comparisons").and_then(|c| c.get("networks")).is_some();
    if way == Way::Strict && asked {
        let named = |name: &str| task.args.networks.iter().flatten().any(|n| n.0.name == name);
        for name in there.keys().map(ToString::to_string).filter(|name| !named(name)) {
            leave(task, course, name);
        }
    }
    Ok(course.plan.len() > before)
}

fn connection(container: &str, endpoint: Map) -> Map {
    let mut body = Map::new();
    body.insert("Container", container);
    body.insert("EndpointConfig", endpoint);
    body
}

fn subject(course: &Course) -> String {
    format!("container {} (networks, in place)", course.name)
}

fn join(
    task: &Arc<Task>,
    course: &mut Course,
    network: &Network,
    body: Map,
    differences: Vec<(String, String, String)>,
) {
    let again = !differences.is_empty();
    let name = network.name.clone();
    let rows =
        if again { differences } else { vec![change(&format!("networks.{name}"), "not connected", "connected")] };
    let diff = differs(subject(course), rows);
    let (known, container) = (Arc::clone(task), course.name.clone());
    let planned = body.get("EndpointConfig").cloned().unwrap_or_default();
    let shown = name.clone();
    course.step(
        move |map| put(map, &["NetworkSettings", "Networks", &shown], planned),
        Some(diff),
        move |host| {
            if again {
                disconnect(&known.engine, host, &name, &container, false)?;
            }
            let doing = format!("Error connecting container to network {name}");
            let path = format!("/networks/{}/connect", escape_path(&name));
            known.engine.act(host, &doing, "POST", &path, Some(&body)).map(|_| Done::default())
        },
    );
}

fn leave(task: &Arc<Task>, course: &mut Course, name: String) {
    let diff = differs(subject(course), vec![change(&format!("networks.{name}"), "connected", "not connected")]);
    let (known, container) = (Arc::clone(task), course.name.clone());
    let gone = name.clone();
    course.step(
        move |map| {
            let state = Value::from(map.clone());
            let mut networks = map_of(at(&state, &["NetworkSettings", "Networks"]));
            networks.remove(&gone);
            put(map, &["NetworkSettings", "Networks"], networks.into());
        },
        Some(diff),
        move |host| disconnect(&known.engine, host, &name, &container, false).map(|()| Done::default()),
    );
}

/// Takes a container out of a network.
pub fn disconnect(
    engine: &Engine,
    host: &mut Host<'_>,
    network: &str,
    container: &str,
    force: bool,
) -> Result<(), Failure> {
    let mut body = Map::new();
    body.insert("Container", container);
    body.insert("Force", force);
    let doing = format!("Error disconnecting container from network {network}");
    engine.act(host, &doing, "POST", &format!("/networks/{}/disconnect", escape_path(network)), Some(&body)).map(drop)
}
