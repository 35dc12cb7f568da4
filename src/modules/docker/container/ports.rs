//! Ports of a container: which it says it listens on, and where they are published.

use super::wanted::Wanted;
use crate::model::{Failure, Map, Value};
use crate::modules::docker::engine::{Engine, Kind, at, text_at};
use crate::modules::docker::{items, texts};
use crate::sys::Probe;

type Made = Result<Value, Failure>;

/// The network option that says where ports are published.
const BINDING: &str = "com.docker.network.bridge.host_binding_ipv4";

/// The address that ports without one are published at: as given, or as the first bridge
/// among the networks has it, or any.
pub fn host_ip(given: Option<&str>, networks: &[String], engine: &Engine, host: &Probe<'_>) -> Result<String, Failure> {
    if let Some(ip) = given {
        let fine = ip.is_empty() || ip.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
        return if fine {
            Ok(ip.to_owned())
        } else {
            Err(Failure::new(format!(
                "The value of default_host_ip must be an empty string, an IPv4 address, or an IPv6 address. Got {ip}"
            )))
        };
    }
    let bridge = ["bridge".to_owned()];
    for name in if networks.is_empty() { &bridge } else { networks } {
        let Some(network) = engine.find(host, Kind::Network, name)? else { continue };
        let ip = text_at(&network, &["Options", BINDING]);
        if text_at(&network, &["Driver"]) == "bridge" && !ip.is_empty() {
            return Ok(ip.to_owned());
        }
    }
    Ok("0.0.0.0".to_owned())
}

/// `80-82` as its ports.
fn range(text: &str, whole: &str) -> Result<Vec<u16>, Failure> {
    let wrong = || Failure::new(format!("published_ports: '{whole}': '{text}' is no port and no range of ports"));
    let port = |text: &str| text.parse::<u16>().map_err(|_| wrong());
    match text.split_once('-') {
        None => Ok(vec![port(text)?]),
        Some((from, to)) => {
            let (from, to) = (port(from)?, port(to)?);
            if from > to { Err(wrong()) } else { Ok((from..=to).collect()) }
        }
    }
}

/// One port that is published: which, and where (address, port or range of ports).
struct Published {
    port: String,
    ip: String,
    at: String,
}

/// Takes `[IP:][HOST:]PORT[/PROTOCOL]` apart, each part a port or a range.
fn published(text: &str, default_ip: &str) -> Result<Vec<Published>, Failure> {
    let wrong = || Failure::new(format!("published_ports: cannot understand '{text}'"));
    let (ports, protocol) = match text.split_once('/') {
        Some((ports, protocol)) if ["tcp", "udp", "sctp"].contains(&protocol.to_lowercase().as_str()) => {
            (ports, protocol.to_lowercase())
        }
        Some(_) => return Err(wrong()),
        None => (text, "tcp".to_owned()),
    };
    let (rest, inside) = ports.rsplit_once(':').map_or((None, ports), |(rest, port)| (Some(rest), port));
    let (ip, outside) = match rest {
        None => (None, ""),
        Some(rest) if rest.ends_with(']') => (Some(rest), ""),
        Some(rest) => rest.rsplit_once(':').map_or((None, rest), |(ip, port)| (Some(ip), port)),
    };
    let ip = match ip {
        None => default_ip.to_owned(),
        Some(ip) => {
            let plain = ip.trim_start_matches('[').trim_end_matches(']');
            if plain.parse::<std::net::IpAddr>().is_err() {
                return Err(Failure::new(format!(
                    "Bind addresses for published ports must be IPv4 or IPv6 addresses, not hostnames. Use the dig \
                     lookup to resolve hostnames. (Found hostname: {ip})"
                )));
            }
            plain.to_owned()
        }
    };
    let inside = range(inside, text)?;
    let one = |port: &u16, at: String| Published { port: format!("{port}/{protocol}"), ip: ip.clone(), at };
    if outside.is_empty() {
        return Ok(inside.iter().map(|port| one(port, String::new())).collect());
    }
    let outside_ports = range(outside, text)?;
    if let ([port], true) = (inside.as_slice(), outside_ports.len() > 1) {
        return Ok(vec![one(port, outside.to_owned())]);
    }
    Ok(inside.iter().zip(outside_ports).map(|(port, at)| one(port, at.to_string())).collect())
}

fn all_published(wanted: &Wanted<'_>) -> Result<Vec<Published>, Failure> {
    let mut all = Vec::new();
    for text in wanted.args.settings.more.published_ports.iter().flatten() {
        if text == "all" {
            return Err(Failure::new(
                "Specifying \"all\" in published_ports is no longer allowed. Set publish_all_ports to \"true\" instead",
            ));
        }
        all.extend(published(text, &wanted.host_ip)?);
    }
    Ok(all)
}

/// Where each port is published, as the engine has it.
pub fn published_ports(wanted: &Wanted<'_>) -> Made {
    let mut map = Map::new();
    for one in all_published(wanted)? {
        let binding = Map::from_iter([("HostIp", one.ip), ("HostPort", one.at)]);
        let mut list = items(map.get(&one.port).unwrap_or(&Value::Null)).to_vec();
        list.push(binding.into());
        map.insert(one.port, Value::list(list));
    }
    Ok(map.into())
}

/// Ports that are exposed, those that are published among them: `80/tcp`.
pub fn exposed_ports(wanted: &Wanted<'_>) -> Made {
    let mut all: Vec<String> = Vec::new();
    for text in wanted.args.settings.exposed_ports.iter().flatten() {
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        all.extend(range(ports, text)?.iter().map(|port| format!("{port}/{}", protocol.to_lowercase())));
    }
    for one in all_published(wanted)? {
        if !all.contains(&one.port) {
            all.push(one.port);
        }
    }
    Ok(texts(all))
}

fn keys(value: &Value) -> Vec<String> {
    value.as_map().map(|m| m.keys().map(ToString::to_string).collect()).unwrap_or_default()
}

/// With the image's ports.
#[allow(clippy::unnecessary_wraps, reason = "a row of the table")]
pub fn ports_expected(wanted: &Wanted<'_>, own: Value) -> Made {
    let mut all: Vec<String> = items(&own).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    for port in keys(at(&wanted.image, &["Config", "ExposedPorts"])) {
        if !all.contains(&port) {
            all.push(port);
        }
    }
    Ok(texts(all))
}

/// The ports that a container exposes.
pub fn ports_observed(_: &Wanted<'_>, container: &Value) -> Value {
    texts(keys(at(container, &["Config", "ExposedPorts"])))
}

/// A list as the keys of a map, which is how the engine takes some.
pub fn as_keys(list: Value) -> Value {
    let empty = |item: &Value| item.as_str().map(|name| (name.to_owned(), Map::new()));
    Value::from(items(&list).iter().filter_map(empty).collect::<Map>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        match published(text, "0.0.0.0") {
            Ok(all) => all.iter().map(|p| format!("{}={}:{}", p.port, p.ip, p.at)).collect(),
            Err(failure) => vec![failure.message],
        }
    }

    #[test]
    fn ports_are_read_as_docker_reads_them() {
        assert_eq!(read("8000"), ["8000/tcp=0.0.0.0:"]);
        assert_eq!(read("9000:8000"), ["8000/tcp=0.0.0.0:9000"]);
        assert_eq!(read("127.0.0.1:8081:9001/udp"), ["9001/udp=127.0.0.1:8081"]);
        assert_eq!(read("127.0.0.1::9001"), ["9001/tcp=127.0.0.1:"]);
        assert_eq!(read("[::1]:80:81"), ["81/tcp=::1:80"]);
        assert_eq!(read("8000-8100:9003"), ["9003/tcp=0.0.0.0:8000-8100"]);
        assert_eq!(read("7000-7001:9010-9020"), ["9010/tcp=0.0.0.0:7000", "9011/tcp=0.0.0.0:7001"]);
        for wrong in ["x", "80/nosuch", "host:80:80", "90-80"] {
            assert!(read(wrong)[0].contains("ublished"), "{wrong}: {:?}", read(wrong));
        }
    }
}
