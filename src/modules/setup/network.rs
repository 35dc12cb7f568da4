//! Network facts: interfaces, addresses, default routes, name servers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::{Map, Value};
use crate::sys::{Address, Probe};

/// Where a route is asked to: addresses far away, to which nothing is sent.
const FAR_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8));
const FAR_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2404, 0x6800, 0x400a, 0x800, 0, 0, 0, 0x1012));

pub(super) fn network(host: &Probe<'_>) -> Map {
    let names: Vec<String> =
        host.names("/sys/class/net").into_iter().filter(|n| host.exists(format!("/sys/class/net/{n}/type"))).collect();
    let addresses = host.addresses();
    let mut interfaces: Vec<(String, Map)> = names.iter().map(|n| (n.clone(), device(host, n))).collect();
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for (name, facts) in &mut interfaces {
        let index = host.line(format!("/sys/class/net/{name}/ifindex")).and_then(|t| t.parse::<u32>().ok());
        for address in addresses.iter().filter(|a| Some(a.index) == index) {
            match address.address {
                IpAddr::V4(a) if !a.is_loopback() => v4.push(a.to_string()),
                IpAddr::V6(a) if !a.is_loopback() => v6.push(a.to_string()),
                _ => {}
            }
        }
        add_addresses(facts, addresses.iter().filter(|a| Some(a.index) == index));
    }
    let by_index = |index: u32| {
        names.iter().find(|n| host.line(format!("/sys/class/net/{n}/ifindex")) == Some(index.to_string())).cloned()
    };
    let mut facts = Map::new();
    facts.insert("interfaces", Value::list(names.iter().map(String::as_str)));
    for (kind, far) in [("default_ipv4", FAR_V4), ("default_ipv6", FAR_V6)] {
        facts.insert(kind, default_route(host, far, &by_index, &interfaces, &addresses));
    }
    facts.extend(interfaces.into_iter().collect());
    facts.insert("all_ipv4_addresses", v4);
    facts.insert("all_ipv6_addresses", v6);
    let reachable = [("ipv4", false), ("ipv6", true)].map(|(name, v6)| (name, reachable(host, v6)));
    facts.insert("locally_reachable_ips", Map::from_iter(reachable));
    facts
}

fn reachable(host: &Probe<'_>, v6: bool) -> Vec<String> {
    let mut found: Vec<String> = host
        .local_networks(v6)
        .into_iter()
        .map(|(ip, bits)| if bits == if v6 { 128 } else { 32 } { ip.to_string() } else { format!("{ip}/{bits}") })
        .collect();
    found.dedup();
    found
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

fn ipv4(address: Ipv4Addr, of: &Address) -> Map {
    let mask = mask(of.prefix);
    let broadcast = of.broadcast.map(|b| b.to_string()).unwrap_or_default();
    Map::from_iter([
        ("address", address.to_string()),
        ("broadcast", broadcast),
        ("netmask", Ipv4Addr::from(mask).to_string()),
        ("network", Ipv4Addr::from(u32::from(address) & mask).to_string()),
        ("prefix", of.prefix.to_string()),
    ])
}

fn add_addresses<'a>(facts: &mut Map, addresses: impl Iterator<Item = &'a Address>) {
    let (mut first, mut others, mut v6) = (None, Vec::new(), Vec::new());
    for a in addresses {
        match a.address {
            IpAddr::V4(v4) if first.is_none() && !a.secondary => first = Some(ipv4(v4, a)),
            IpAddr::V4(v4) => others.push(ipv4(v4, a)),
            IpAddr::V6(address) => v6.push(Map::from_iter([
                ("address", address.to_string()),
                ("prefix", a.prefix.to_string()),
                ("scope", a.scope.to_owned()),
            ])),
        }
    }
    if let Some(first) = first {
        facts.insert("ipv4", first);
    }
    if !others.is_empty() {
        facts.insert("ipv4_secondaries", others);
    }
    if !v6.is_empty() {
        facts.insert("ipv6", v6);
    }
}

fn default_route(
    host: &Probe<'_>,
    far: IpAddr,
    by_index: &dyn Fn(u32) -> Option<String>,
    interfaces: &[(String, Map)],
    addresses: &[Address],
) -> Map {
    let mut facts = Map::new();
    let Some(route) = host.route_to(far) else { return facts };
    let Some(name) = route.index.and_then(by_index) else { return facts };
    // Without a gateway it is no default route, but one that happens to fit.
    if let Some(gateway) = route.gateway {
        facts.insert("gateway", gateway.to_string());
    }
    if let Some(source) = route.source {
        facts.insert("address", source.to_string());
    }
    let own = addresses.iter().find(|a| Some(a.address) == route.source && Some(a.index) == route.index);
    match own.map(|a| (a, a.address)) {
        Some((a, IpAddr::V4(v4))) => {
            facts.insert("alias", a.label.clone().unwrap_or_else(|| name.clone()));
            facts.extend(ipv4(v4, a));
        }
        Some((a, IpAddr::V6(_))) => {
            facts.insert("prefix", a.prefix.to_string());
            facts.insert("scope", a.scope);
        }
        None => {}
    }
    if let Some((_, device)) = interfaces.iter().find(|(n, _)| *n == name) {
        for field in ["macaddress", "mtu", "type"] {
            if let Some(value) = device.get(field) {
                facts.insert(field, value.clone());
            }
        }
    }
    facts.insert("interface", name);
    facts
}

/// What /sys says of an interface.
fn device(host: &Probe<'_>, name: &str) -> Map {
    let dir = format!("/sys/class/net/{name}");
    let line = |file: &str| host.line(format!("{dir}/{file}"));
    let number = |file: &str| line(file).and_then(|t| t.parse::<i64>().ok());
    let mut facts = Map::from_iter([("device", Value::from(name))]);
    if let Some(mac) = line("address").filter(|m| !m.is_empty() && m != "00:00:00:00:00:00") {
        facts.insert("macaddress", mac);
    }
    if let Some(mtu) = number("mtu") {
        facts.insert("mtu", mtu);
    }
    facts.insert("active", line("operstate").is_some_and(|s| s != "down"));
    if let Some(module) = host.target(format!("{dir}/device/driver/module")) {
        facts.insert("module", module.file_name().unwrap_or_default().to_string_lossy().into_owned());
    }
    if let Some(id) = host.target(format!("{dir}/device")) {
        facts.insert("pciid", id.file_name().unwrap_or_default().to_string_lossy().into_owned());
    }
    if let Some(kind) = kind(&line("type").unwrap_or_default()) {
        facts.insert("type", kind);
    }
    if host.exists(format!("{dir}/bridge")) {
        facts.insert("type", "bridge");
        facts.insert("interfaces", host.names(format!("{dir}/brif")));
        if let Some(id) = line("bridge/bridge_id") {
            facts.insert("id", id);
        }
        if let Some(stp) = line("bridge/stp_state") {
            facts.insert("stp", stp == "1");
        }
    }
    if host.exists(format!("{dir}/bonding")) {
        bond(&mut facts, &line);
    }
    if let Some(speed) = number("speed") {
        facts.insert("speed", speed);
    }
    let flags = line("flags").and_then(|f| i64::from_str_radix(f.trim_start_matches("0x"), 16).ok()).unwrap_or(0);
    facts.insert("promisc", flags & 0x100 != 0);
    facts
}

fn kind(number: &str) -> Option<&'static str> {
    Some(match number {
        "1" => "ether",
        "32" => "infiniband",
        "512" => "ppp",
        "772" => "loopback",
        "65534" => "tunnel",
        _ => return None,
    })
}

fn bond(facts: &mut Map, line: &dyn Fn(&str) -> Option<String>) {
    let word = |file: &str| line(file).unwrap_or_default();
    let slaves: Vec<String> = word("bonding/slaves").split_whitespace().map(str::to_owned).collect();
    facts.insert("type", "bonding");
    facts.insert("slaves", slaves);
    facts.insert("mode", word("bonding/mode").split_whitespace().next().unwrap_or_default());
    facts.insert("miimon", word("bonding/miimon").split_whitespace().next().unwrap_or_default());
    facts.insert("lacp_rate", word("bonding/lacp_rate").split_whitespace().next().unwrap_or_default());
    if let Some(primary) = line("bonding/primary") {
        facts.insert("primary", primary);
        facts.insert("all_slaves_active", word("bonding/all_slaves_active") == "1");
    }
}

/// What /etc/resolv.conf says.
pub(super) fn dns(host: &Probe<'_>) -> Map {
    parse_resolv(&host.text("/etc/resolv.conf").unwrap_or_default())
}

fn parse_resolv(text: &str) -> Map {
    let mut facts = Map::new();
    let mut servers: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.starts_with(['#', ';']) || line.trim().is_empty() {
            continue;
        }
        let mut words = line.split_whitespace().map(str::to_owned);
        match words.next().as_deref() {
            Some("nameserver") => servers.extend(words),
            Some("domain") => drop(facts.insert("domain", words.next())),
            Some(list @ ("search" | "sortlist")) => drop(facts.insert(list, words.collect::<Vec<_>>())),
            Some("options") => {
                let options = words.map(|w| match w.split_once(':') {
                    Some((name, value)) => (name.to_owned(), Value::from(value)),
                    None => (w, Value::Bool(true)),
                });
                facts.insert("options", options.collect::<Map>());
            }
            _ => {}
        }
    }
    if !servers.is_empty() {
        facts.insert("nameservers", servers);
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolv_conf_is_read() {
        let dns =
            parse_resolv("# x\nnameserver 10.0.0.1\nnameserver ::1\nsearch a.org b.org\noptions ndots:2 rotate\n");
        assert_eq!(dns.get("nameservers").unwrap().as_list().unwrap().len(), 2);
        assert_eq!(dns.get("options").unwrap().get("ndots").unwrap().as_str(), Some("2"));
        assert_eq!(dns.get("options").unwrap().get("rotate").unwrap().as_bool(), Some(true));
        assert!(!dns.contains("domain"));
    }

    #[test]
    fn masks_and_networks_follow_from_prefixes() {
        assert_eq!(Ipv4Addr::from(mask(0)).to_string(), "0.0.0.0");
        assert_eq!(Ipv4Addr::from(mask(20)).to_string(), "255.255.240.0");
        assert_eq!(Ipv4Addr::from(mask(32)).to_string(), "255.255.255.255");
    }
}
