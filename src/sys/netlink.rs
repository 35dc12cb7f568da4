//! Addresses and routes, asked of the kernel over rtnetlink: what `ip` would show, without
//! running it and where it is not installed.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// An address of a network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The interface's number.
    pub index: u32,
    /// The address.
    pub address: IpAddr,
    /// Bits of the network's part.
    pub prefix: u8,
    /// Where it is valid, as `ip` names it: `global`, `site`, `link`, `host`.
    pub scope: &'static str,
    /// The broadcast address, where one is set.
    pub broadcast: Option<Ipv4Addr>,
    /// The label (`eth0:1`), for IPv4.
    pub label: Option<String>,
    /// Whether another address of the same network comes first.
    pub secondary: bool,
}

/// The way to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The destination network, with its bits.
    pub destination: Option<(IpAddr, u8)>,
    /// The next hop.
    pub gateway: Option<IpAddr>,
    /// The address that packets are sent from.
    pub source: Option<IpAddr>,
    /// The number of the interface.
    pub index: Option<u32>,
    table: u32,
    kind: u8,
}

const NEW_ADDRESS: u16 = 20;
const GET_ADDRESS: u16 = 22;
const NEW_ROUTE: u16 = 24;
const GET_ROUTE: u16 = 26;
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// A request, and one for all there is.
const REQUEST: u16 = 0x1;
const DUMP: u16 = 0x300;
const HEADER: usize = 16;
const LOCAL_TABLE: u32 = 255;
const LOCAL_ROUTE: u8 = 2;
const SECONDARY: u8 = 1;

fn open() -> io::Result<OwnedFd> {
    // rtnetlink is protocol 0 of its family.
    Ok(rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?)
}

fn ask(kind: u16, flags: u16, body: &[u8], answer: u16) -> io::Result<Vec<Vec<u8>>> {
    let socket = open()?;
    let length = u32::try_from(HEADER + body.len()).map_err(io::Error::other)?;
    let mut message = length.to_ne_bytes().to_vec();
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(&(REQUEST | flags).to_ne_bytes());
    message.extend_from_slice(&[0; 8]);
    message.extend_from_slice(body);
    rustix::net::send(&socket, &message, SendFlags::empty())?;
    let mut found = Vec::new();
    loop {
        let mut buffer = vec![0u8; 65536];
        let (_, length) = rustix::net::recv(&socket, buffer.as_mut_slice(), RecvFlags::empty())?;
        let mut rest = buffer.get(..length).unwrap_or_default();
        if rest.is_empty() {
            return Ok(found);
        }
        while let (Some(size), Some(kind)) = (u32_at(rest, 0), u16_at(rest, 4)) {
            let size = size as usize;
            if kind == DONE || kind == ERROR || size < HEADER {
                return Ok(found);
            }
            if kind == answer {
                found.extend(rest.get(HEADER..size).map(<[u8]>::to_vec));
            }
            rest = rest.get(size.next_multiple_of(4)..).unwrap_or_default();
        }
        if flags & DUMP == 0 {
            return Ok(found);
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The attributes that follow a message's fixed part.
fn attributes(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while let (Some(size), Some(kind)) = (u16_at(bytes, 0), u16_at(bytes, 2)) {
        let size = usize::from(size);
        let Some(value) = bytes.get(4..size) else { break };
        found.push((kind & 0x3fff, value));
        bytes = bytes.get(size.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|b| IpAddr::V4(Ipv4Addr::from(b))),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|b| IpAddr::V6(Ipv6Addr::from(b))),
        _ => None,
    }
}

/// All addresses of all interfaces; nothing where the kernel does not say.
pub(super) fn addresses() -> Vec<Address> {
    let all = ask(GET_ADDRESS, DUMP, &[0; 8], NEW_ADDRESS).unwrap_or_default();
    all.iter().filter_map(|message| parse_address(message)).collect()
}

fn parse_address(message: &[u8]) -> Option<Address> {
    let (_, prefix, flags, scope) = (message.first()?, *message.get(1)?, *message.get(2)?, *message.get(3)?);
    let attributes = attributes(message.get(8..)?);
    let get = |kind: u16| attributes.iter().find(|(k, _)| *k == kind).map(|(_, v)| *v);
    // LOCAL is the own end of a point-to-point link, where ADDRESS is the other's.
    let address = get(2).or_else(|| get(1)).and_then(ip)?;
    let broadcast = get(4).and_then(ip).and_then(|b| if let IpAddr::V4(b) = b { Some(b) } else { None });
    let label = get(3).map(|l| String::from_utf8_lossy(l).trim_end_matches('\0').to_owned());
    let scope = match scope {
        0 => "global",
        200 => "site",
        253 => "link",
        254 => "host",
        _ => "nowhere",
    };
    let secondary = address.is_ipv4() && flags & SECONDARY != 0;
    Some(Address { index: u32_at(message, 4)?, address, prefix, scope, broadcast, label, secondary })
}

fn parse_route(message: &[u8]) -> Option<Route> {
    let (bits, table, kind) = (*message.get(1)?, *message.get(4)?, *message.get(7)?);
    let attributes = attributes(message.get(12..)?);
    let get = |kind: u16| attributes.iter().find(|(k, _)| *k == kind).map(|(_, v)| *v);
    Some(Route {
        destination: get(1).and_then(ip).map(|d| (d, bits)),
        gateway: get(5).and_then(ip),
        source: get(7).and_then(ip),
        index: get(4).and_then(|v| u32_at(v, 0)),
        table: get(15).and_then(|v| u32_at(v, 0)).unwrap_or_else(|| u32::from(table)),
        kind,
    })
}

/// The destinations that are the host itself.
pub(super) fn local_networks(v6: bool) -> Vec<(IpAddr, u8)> {
    let mut body = [0u8; 12];
    body[0] = if v6 { 10 } else { 2 };
    let all = ask(GET_ROUTE, DUMP, &body, NEW_ROUTE).unwrap_or_default();
    let local = |r: &Route| r.table == LOCAL_TABLE && r.kind == LOCAL_ROUTE;
    all.iter().filter_map(|m| parse_route(m)).filter(local).filter_map(|r| r.destination).collect()
}

/// How packets to an address would leave; nothing when they could not.
pub(super) fn route_to(to: IpAddr) -> Option<Route> {
    let bytes = match to {
        IpAddr::V4(a) => a.octets().to_vec(),
        IpAddr::V6(a) => a.octets().to_vec(),
    };
    let mut body = vec![0u8; 12];
    *body.first_mut()? = if to.is_ipv6() { 10 } else { 2 };
    *body.get_mut(1)? = u8::try_from(bytes.len() * 8).ok()?;
    body.extend_from_slice(&u16::try_from(bytes.len() + 4).ok()?.to_ne_bytes());
    body.extend_from_slice(&1u16.to_ne_bytes());
    body.extend_from_slice(&bytes);
    let found = ask(GET_ROUTE, 0, &body, NEW_ROUTE).ok()?;
    found.first().and_then(|m| parse_route(m)).filter(|r| r.index.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_address_is_found() {
        let all = addresses();
        let lo = all.iter().find(|a| a.address == IpAddr::V4(Ipv4Addr::LOCALHOST)).unwrap();
        assert_eq!((lo.prefix, lo.scope, lo.label.as_deref()), (8, "host", Some("lo")));
        assert!(local_networks(false).contains(&(IpAddr::V4(Ipv4Addr::LOCALHOST), 32)));
    }
}
