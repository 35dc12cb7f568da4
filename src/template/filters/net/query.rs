//! `ipaddr` and its kin: what a query makes of an address or a list of them.

use super::addr::Net;
use crate::template::big;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

/// An address as it was given.
#[derive(Clone, Copy)]
pub(super) struct Given {
    pub net: Net,
    /// Whether a prefix was written.
    pub prefixed: bool,
    /// Whether it was a number.
    pub number: bool,
}

impl Given {
    /// The address with what was written of a prefix.
    fn text(self) -> String {
        if self.prefixed || self.number { self.net.cidr() } else { self.net.address() }
    }

    fn is_network(self) -> bool {
        self.net.size() > 1 && self.net.ip == self.net.first()
    }

    /// Whether a host can have it.
    fn is_address(self) -> bool {
        self.net.size() == 1 || self.net.ip != self.net.first()
    }
}

/// Reads what a filter is given; nothing where it is no address.
pub(super) fn given(ev: &mut Eval, value: &Val, six: Option<bool>) -> R<Option<Given>> {
    let number = match value {
        Val::Int(i) => Some(u128::try_from(*i).ok()),
        Val::Str(_) => {
            let text = ev.text(value)?;
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            if !digits {
                return Ok(Net::parse(&text).map(|(net, prefixed)| Given { net, prefixed, number: false }));
            }
            Some(text.parse().ok())
        }
        _ => None,
    };
    let net = number.flatten().and_then(|n| Net::of_number(n, six));
    Ok(net.map(|net| Given { net, prefixed: false, number: true }))
}

fn refuse(words: impl Into<String>) -> Error {
    Error::new(words)
}

/// `ipaddr`, `ipv4` (`six` is false) and `ipv6`.
pub(super) fn ipaddr(ev: &mut Eval, input: Val, args: &Args, six: Option<bool>) -> R<Val> {
    let query = args.str(ev, "query", "")?;
    if let Val::List(list) = &input {
        let mut out = Vec::new();
        for item in list.all(ev)? {
            let found = one(ev, &item, &query, six)?;
            if ev.truth(&found)? {
                out.push(found);
            }
        }
        return Ok(Val::list(out));
    }
    one(ev, &input, &query, six)
}

fn one(ev: &mut Eval, value: &Val, query: &str, six: Option<bool>) -> R<Val> {
    let Some(v) = given(ev, value, six)? else { return Ok(Val::Bool(false)) };
    if six.is_some_and(|six| six != v.net.six) {
        return Ok(Val::Bool(false));
    }
    if let Ok(n) = query.parse::<i128>() {
        return Ok(nth(v, n));
    }
    if let Some((network, _)) = Net::parse(query) {
        return Ok(if network.holds(v.net) { Val::str(v.text()) } else { Val::Null });
    }
    let plain = match kinds(v, query) {
        Some(found) => found,
        None => match parts(v.net, query) {
            Some(found) => found,
            None => hosts(v, query)?,
        },
    };
    Ok(plain)
}

fn nth(v: Given, n: i128) -> Val {
    let at = if n < 0 { v.net.last().checked_add_signed(n + 1) } else { v.net.first().checked_add_signed(n) };
    let at = at.filter(|at| (v.net.first()..=v.net.last()).contains(at));
    match at {
        _ if v.net.size() == 1 => Val::str(v.net.address()),
        Some(at) => Val::str(v.net.with(at, v.net.prefix).cidr()),
        None => Val::Bool(false),
    }
}

fn when(holds: bool, text: impl FnOnce() -> String) -> Val {
    if holds { Val::str(text()) } else { Val::Null }
}

/// Queries that let an address through or not.
fn kinds(v: Given, query: &str) -> Option<Val> {
    let net = v.net;
    let through = |holds: bool| when(holds, || v.text());
    Some(match query {
        "" if v.number => Val::str(net.address()),
        "" => Val::str(v.text()),
        "private" => through(net.is_private()),
        "public" => through(net.is_public()),
        "unicast" => through(!net.is_multicast()),
        "multicast" => through(net.is_multicast()),
        "link-local" => through(net.is_link_local()),
        "lo" | "loopback" => through(net.is_loopback()),
        "ipv4" | "v4" if !net.six => Val::str(v.net.cidr()),
        "ipv4" | "v4" => {
            let four = Net { six: false, ip: net.ip & 0xffff_ffff, prefix: net.prefix.saturating_sub(96) };
            if net.ip >> 32 == 0xffff { Val::str(four.cidr()) } else { Val::Bool(false) }
        }
        "ipv6" | "v6" if net.six => Val::str(v.net.cidr()),
        "ipv6" | "v6" => Val::str(Net { six: true, ip: net.ip | (0xffff << 32), prefix: net.prefix + 96 }.cidr()),
        "wrap" if net.six => {
            let rest = if v.prefixed || v.number { format!("/{}", net.prefix) } else { String::new() };
            Val::str(format!("[{}]{rest}", net.address()))
        }
        "wrap" => Val::str(v.text()),
        "6to4" if net.six => {
            if net.ip >> 112 == 0x2002 {
                Val::str(format!(
                    "{:04x}:{:04x}:{:04x}::1",
                    net.ip >> 112,
                    (net.ip >> 96) & 0xffff,
                    (net.ip >> 80) & 0xffff
                ))
            } else {
                Val::Bool(false)
            }
        }
        "6to4" => Val::str(format!("2002:{:04x}:{:04x}::1/48", net.ip >> 16, net.ip & 0xffff)),
        _ => return None,
    })
}

fn int(n: u128) -> Val {
    big::value(n.into())
}

/// Queries for a part or property of any address.
fn parts(net: Net, query: &str) -> Option<Val> {
    let text = |ip: u128| Val::str(net.text_of(ip));
    let pair = |a: u128, b: u128| Val::str(format!("{} {}", net.text_of(a), net.text_of(b)));
    Some(match query {
        "bool" => Val::Bool(true),
        "version" => Val::Int(if net.six { 6 } else { 4 }),
        "prefix" => Val::Int(i128::from(net.prefix)),
        "size" => big::value(num_bigint::BigInt::from(net.last() - net.first()) + 1),
        "size_usable" => int(net.usable().map_or(0, |(a, b)| b - a + 1)),
        "netmask" => text(net.mask()),
        "hostmask" | "wildcard" => text(net.host_mask()),
        "network" | "network_id" => text(net.first()),
        "network/prefix" | "subnet" => Val::str(net.network().cidr()),
        "network_netmask" => pair(net.first(), net.mask()),
        "network_wildcard" => pair(net.first(), net.host_mask()),
        "ip_netmask" => pair(net.ip, net.mask()),
        "ip_wildcard" => pair(net.ip, net.host_mask()),
        "broadcast" => when(net.size() > 2, || net.text_of(net.last())),
        "cidr" => Val::str(net.cidr()),
        "revdns" => Val::str(net.reverse()),
        _ => return None,
    })
}

/// Queries that depend on whether it is a host's address or a network.
fn hosts(v: Given, query: &str) -> R<Val> {
    let net = v.net;
    let usable = || net.usable().ok_or_else(|| refuse("Not a network address"));
    let beside = |ip: Option<u128>| {
        let ip = ip.filter(|ip| net.usable().is_some_and(|(a, b)| (a..=b).contains(ip)));
        ip.map_or(Val::Null, |ip| Val::str(net.text_of(ip)))
    };
    Ok(match query {
        "address" | "ip" => when(v.is_address() || net.six || net.size() <= 2, || net.address()),
        "host" => when(v.is_address(), || net.cidr()),
        "address/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet" | "router" => {
            if v.is_address() {
                Val::str(net.cidr())
            } else {
                Val::Bool(false)
            }
        }
        "ip/prefix" => when(v.is_address() && net.size() > 1, || net.cidr()),
        "net" => when(v.is_network(), || net.cidr()),
        "type" => Val::str(if v.is_address() { "address" } else { "network" }),
        "int" if v.prefixed => Val::str(format!("{}/{}", net.ip, net.prefix)),
        "int" => int(net.ip),
        "first_usable" => Val::str(net.text_of(usable()?.0)),
        "last_usable" => Val::str(net.text_of(usable()?.1)),
        "range_usable" => {
            let (a, b) = usable()?;
            Val::str(format!("{}-{}", net.text_of(a), net.text_of(b)))
        }
        "next_usable" => beside(net.ip.checked_add(1)),
        "previous_usable" => beside(net.ip.checked_sub(1)),
        "peer" => peer(net)?,
        other => return Err(refuse(format!("ipaddr: unknown filter type: {other}"))),
    })
}

/// The other end of a network of two hosts.
fn peer(net: Net) -> R<Val> {
    match (net.size(), net.ip & net.host_mask()) {
        (2, _) => Ok(Val::str(net.text_of(net.ip ^ 1))),
        (4, 0) => Err(refuse("Network address of /30 has no peer")),
        (4, 3) => Err(refuse("Broadcast address of /30 has no peer")),
        (4, _) => Ok(Val::str(net.text_of(net.ip ^ 3))),
        _ => Err(refuse("Not a point-to-point network")),
    }
}

/// Brackets around addresses of version 6; what is no address stays as it is.
pub(super) fn ipwrap(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    if let Val::List(list) = &input {
        let items = list.all(ev)?.into_iter().map(|item| wrapped(ev, item));
        return items.collect::<R<_>>().map(Val::list);
    }
    wrapped(ev, input)
}

fn wrapped(ev: &mut Eval, value: Val) -> R<Val> {
    match given(ev, &value, None)? {
        Some(v) => Ok(kinds(v, "wrap").unwrap_or(value)),
        None => Ok(value),
    }
}
