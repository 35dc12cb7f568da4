//! Tests of addresses: those of `ansible.utils`.

use super::Row;
use crate::template::eval::Eval;
use crate::template::filters::{Net, mac, within};
use crate::template::value::{Args, R, Val};

pub(super) const TESTS: &[Row] = &[
    ("ip", "", |ev, v, _| strict(ev, v, None)),
    ("ipv4", "", |ev, v, _| strict(ev, v, Some(false))),
    ("ipv6", "", |ev, v, _| strict(ev, v, Some(true))),
    ("ip_address", "", |ev, v, _| address(ev, v, |_| true)),
    ("ipv4_address", "", |ev, v, _| address(ev, v, |n| !n.six)),
    ("ipv6_address", "", |ev, v, _| address(ev, v, |n| n.six)),
    ("ipv6_ipv4_mapped", "", |ev, v, _| address(ev, v, |n| n.six && n.ip >> 32 == 0xffff)),
    ("ipv6_sixtofour", "", |ev, v, _| address(ev, v, |n| n.six && n.ip >> 112 == 0x2002)),
    ("ipv6_teredo", "", |ev, v, _| address(ev, v, |n| n.six && n.ip >> 96 == 0x2001_0000)),
    ("ipv4_netmask", "", |ev, v, _| address(ev, v, |n| !n.six && ones(!n.ip & n.full()) && n.ip != 0)),
    ("ipv4_hostmask", "", |ev, v, _| address(ev, v, |n| !n.six && ones(n.ip))),
    ("loopback", "", |ev, v, _| address(ev, v, Net::is_loopback)),
    ("multicast", "", |ev, v, _| address(ev, v, Net::is_multicast)),
    ("private", "", |ev, v, _| address(ev, v, Net::is_private)),
    ("public", "", |ev, v, _| address(ev, v, Net::is_public)),
    ("reserved", "", |ev, v, _| address(ev, v, |n| within(n, &RESERVED))),
    ("unspecified", "", |ev, v, _| address(ev, v, |n| n.ip == 0)),
    ("mac", "", |ev, v, _| Ok(mac::parse(&ev.text(v)?).is_some())),
    ("in_network", "network", |ev, v, a| {
        let outer = a.need("network")?.clone();
        within_one(ev, v, &outer)
    }),
    ("in_any_network", "networks", in_any),
    ("in_one_network", "networks", in_any),
    ("subnet_of", "network_b", |ev, v, a| {
        let outer = a.need("network_b")?.clone();
        within_one(ev, v, &outer)
    }),
    ("supernet_of", "network_b", |ev, v, a| {
        let inner = a.need("network_b")?.clone();
        within_one(ev, &inner, v)
    }),
];

const RESERVED: [&str; 14] = [
    "240.0.0.0/4",
    "::/8",
    "100::/8",
    "200::/7",
    "400::/6",
    "800::/5",
    "1000::/4",
    "4000::/3",
    "6000::/3",
    "8000::/3",
    "a000::/3",
    "c000::/3",
    "e000::/4",
    "fe00::/9",
];

const fn ones(bits: u128) -> bool {
    bits & (bits + 1) == 0
}

fn parse(ev: &mut Eval, v: &Val) -> R<Option<(Net, bool)>> {
    Ok(Net::parse(&ev.text(v)?))
}

fn address(ev: &mut Eval, v: &Val, holds: fn(Net) -> bool) -> R<bool> {
    Ok(parse(ev, v)?.is_some_and(|(net, prefixed)| !prefixed && holds(net)))
}

/// An address, or a network without bits for a host.
fn strict(ev: &mut Eval, v: &Val, six: Option<bool>) -> R<bool> {
    Ok(parse(ev, v)?.is_some_and(|(net, _)| net.ip == net.first() && six.is_none_or(|six| six == net.six)))
}

fn within_one(ev: &mut Eval, inner: &Val, outer: &Val) -> R<bool> {
    Ok(match (parse(ev, inner)?, parse(ev, outer)?) {
        (Some((inner, _)), Some((outer, _))) => outer.holds(inner),
        _ => false,
    })
}

fn in_any(ev: &mut Eval, v: &Val, args: &Args) -> R<bool> {
    let networks = args.need("networks")?.clone();
    for network in ev.iterate(&networks)? {
        if within_one(ev, v, &network)? {
            return Ok(true);
        }
    }
    Ok(false)
}
