//! Arithmetic with networks: subnets, neighbours, merging.

use super::addr::Net;
use super::query::given;
use crate::model::Key;
use crate::template::big;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

fn need(ev: &mut Eval, value: &Val) -> R<Net> {
    let text = ev.text(value)?;
    given(ev, value, None)?
        .map(|g| g.net)
        .ok_or_else(|| Error::new(format!("'{text}' is not an IP address or network")))
}

fn needed(ev: &mut Eval, args: &Args, name: &str) -> R<Net> {
    let value = args.need(name)?.clone();
    need(ev, &value)
}

/// The first bits of an address, or (below 0) its last ones, written as an address is.
pub(super) fn ipcut(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let shown = ev.text(&input)?;
    let invalid = || Error::new(format!("You must pass a valid IP address; {shown} is invalid"));
    let (net, prefixed) = Net::parse(&shown).ok_or_else(invalid)?;
    if prefixed {
        return Err(invalid());
    }
    let amount = match args.get("amount") {
        None | Some(Val::Null) => {
            return Err(Error::new("You must pass an integer for arithmetic; None is not a valid integer"));
        }
        Some(_) => args.int("amount", 0)?,
    };
    let width = usize::try_from(net.width()).unwrap_or(0);
    let bits = format!("{:0width$b}", net.ip);
    let count = usize::try_from(amount.unsigned_abs()).unwrap_or(width).min(width);
    let part = if amount >= 0 { bits.get(..count) } else { bits.get(width - count..) }.unwrap_or_default();
    let group = if net.six { 16 } else { 8 };
    let chunks = part.as_bytes().chunks(group).map(|chunk| {
        let number = chunk.iter().fold(0u32, |sum, bit| sum * 2 + u32::from(*bit == b'1'));
        if net.six { format!("{number:x}") } else { number.to_string() }
    });
    Ok(Val::str(chunks.collect::<Vec<_>>().join(if net.six { ":" } else { "." })))
}

pub(super) fn ipsubnet(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let Some(v) = given(ev, &input, None)? else { return Ok(Val::Bool(false)) };
    let query = args.str(ev, "query", "")?;
    let index = match args.get("index") {
        None | Some(Val::Null) => None,
        Some(value) => Some(ev.text(value)?.parse::<i128>().map_err(|_| Error::new("the index is not a number"))?),
    };
    let net = v.net;
    if query.is_empty() {
        return Ok(Val::str(net.network().cidr()));
    }
    if let Ok(prefix) = query.parse::<u32>() {
        let invalid = || Error::new(format!("Requested subnet size of {prefix} is invalid"));
        if prefix > net.width() {
            return Err(invalid());
        }
        return match (v.prefixed, index) {
            (true, None) if prefix < net.prefix => Err(invalid()),
            (true, None) => Ok(Val::str(1u128.checked_shl(prefix - net.prefix).unwrap_or(u128::MAX).to_string())),
            (true, Some(index)) => Ok(nth_subnet(net, prefix, index)),
            (false, None) => Ok(Val::str(net.with(net.ip, prefix).network().cidr())),
            (false, Some(index)) => Ok(supernet(net, prefix, index)),
        };
    }
    let (outer, _) = Net::parse(&query)
        .ok_or_else(|| Error::new(format!("You must pass a valid subnet or IP address; {query} is invalid")))?;
    if !outer.holds(net) {
        return Err(Error::new(format!("{} is not in the subnet {}", net.network().cidr(), outer.network().cidr())));
    }
    Ok(Val::str(((net.first() - outer.first()) / net.size() + 1).to_string()))
}

/// The network's `index`-th part of that prefix length.
fn nth_subnet(net: Net, prefix: u32, index: i128) -> Val {
    let Some(count) = prefix.checked_sub(net.prefix).and_then(|bits| 1u128.checked_shl(bits)) else {
        return Val::Bool(false);
    };
    let at = if index < 0 { count.checked_add_signed(index) } else { u128::try_from(index).ok() };
    let part = net.with(net.first(), prefix);
    match at.filter(|at| *at < count) {
        Some(at) => Val::str(part.with(part.ip + at * part.size(), prefix).cidr()),
        None => Val::Bool(false),
    }
}

/// The `index`-th of the networks around an address, from the one of that prefix length inwards.
fn supernet(net: Net, prefix: u32, index: i128) -> Val {
    let (low, high) = (i128::from(prefix), i128::from(net.prefix));
    let at = if index < 0 { high + index } else { low + index };
    match u32::try_from(at).ok().filter(|_| (low..high).contains(&at)) {
        Some(prefix) => Val::str(net.with(net.ip, prefix).network().cidr()),
        None => Val::Bool(false),
    }
}

pub(super) fn ipmath(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let bad = || Error::new(format!("You must pass a valid IP address; {text} is invalid"));
    let net = given(ev, &input, None)?.ok_or_else(bad)?.net;
    let amount = args.int("amount", 0)?;
    let at = net.ip.checked_add_signed(i128::from(amount)).filter(|at| *at <= net.full());
    at.map(|at| Val::str(net.text_of(at))).ok_or_else(|| Error::new("the address is out of range"))
}

/// The usable address so many steps after (or before) this one.
pub(super) fn neighbour(ev: &mut Eval, input: &Val, args: &Args, back: bool) -> R<Val> {
    let net = need(ev, input)?;
    let Some(Val::Int(offset)) = args.get("offset") else { return Err(Error::new("Must pass in an integer")) };
    let at = net.ip.checked_add_signed(if back { -offset } else { *offset });
    let at = at.filter(|at| net.usable().is_some_and(|(a, b)| (a..=b).contains(at)));
    Ok(at.map_or(Val::Null, |at| Val::str(net.text_of(at))))
}

pub(super) fn nthhost(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let Some(v) = given(ev, &input, None)? else { return Ok(Val::Bool(false)) };
    let text = args.str(ev, "query", "")?;
    let n: i128 = text.parse().map_err(|_| Error::new(format!("'{text}' is not a number")))?;
    let net = v.net;
    let at = if n < 0 { net.last().checked_add_signed(n + 1) } else { net.first().checked_add_signed(n) };
    Ok(match at.filter(|at| (net.first()..=net.last()).contains(at)) {
        Some(at) => Val::str(net.text_of(at)),
        None => Val::Bool(false),
    })
}

/// Whether a network holds another, all of it or only its usable part.
pub(super) fn network_in(ev: &mut Eval, input: &Val, args: &Args, usable: bool) -> R<Val> {
    let (net, test) = (need(ev, input)?, needed(ev, args, "test")?);
    let inside = net.usable().is_some_and(|(a, b)| a <= test.first() && test.last() <= b && net.six == test.six);
    Ok(Val::Bool(if usable { inside } else { net.holds(test) }))
}

pub(super) fn reduce_on_network(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let net = needed(ev, args, "network")?;
    let mut out = Vec::new();
    for item in ev.iterate(&input)? {
        if net.holds(need(ev, &item)?) {
            out.push(item);
        }
    }
    Ok(Val::list(out))
}

pub(super) fn cidr_merge(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let action = args.str(ev, "action", "merge")?;
    if action != "merge" && action != "span" {
        return Err(Error::new(format!("cidr_merge: invalid action '{action}'")));
    }
    let mut nets = Vec::new();
    for item in ev.iterate(&input)? {
        let words = ev.text(&item)?;
        let net = given(ev, &item, None)?;
        nets.push(
            net.ok_or_else(|| Error::new(format!("cidr_merge: error in netaddr:\ninvalid IPNetwork {words}")))?.net,
        );
    }
    if action == "span" {
        return span(&nets);
    }
    nets.sort_by_key(|n| (n.six, n.first(), n.prefix));
    let mut ranges: Vec<(Net, u128)> = Vec::new();
    for net in nets {
        match ranges.last_mut() {
            Some((first, end)) if first.six == net.six && end.checked_add(1).is_none_or(|next| net.first() <= next) => {
                *end = (*end).max(net.last());
            }
            _ => ranges.push((net.network(), net.last())),
        }
    }
    let mut out = Vec::new();
    for (first, end) in ranges {
        blocks(first, end, &mut out);
    }
    Ok(Val::strs(out))
}

/// The largest aligned networks that fill a range.
fn blocks(first: Net, end: u128, out: &mut Vec<String>) {
    let mut at = first.ip;
    loop {
        let fits = |p: &u32| {
            let block = first.with(at, *p);
            block.first() == at && block.last() <= end
        };
        let prefix = (0..=first.width()).find(fits).unwrap_or(first.width());
        let block = first.with(at, prefix);
        out.push(block.cidr());
        if block.last() >= end {
            return;
        }
        at = block.last() + 1;
    }
}

fn span(nets: &[Net]) -> R<Val> {
    let few = || Error::new("cidr_merge: error in netaddr:\nIP sequence must contain at least 2 elements!");
    let first = *nets.first().filter(|_| nets.len() > 1).ok_or_else(few)?;
    let last = nets.iter().map(|n| n.last()).max().unwrap_or(first.ip);
    if nets.iter().any(|n| n.six != first.six) {
        return Err(Error::new("cidr_merge: error in netaddr:\nIP sequence cannot contain both IPv4 and IPv6!"));
    }
    let low = nets.iter().map(|n| n.first()).min().unwrap_or(first.ip);
    let holds = |p: &u32| first.with(low, *p).last() >= last;
    let prefix = (0..=first.width()).rev().find(holds).unwrap_or(0);
    Ok(Val::str(first.with(low, prefix).network().cidr()))
}

pub(super) fn usable_range(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let net = need(ev, &input)?;
    if net.size() > 1 << 16 {
        return Err(Error::new("the network has too many addresses to list"));
    }
    let ips = Val::strs((net.first()..=net.last()).map(|ip| net.text_of(ip)));
    let count = int(net.size());
    Ok(Val::map([(Key::from("usable_ips"), ips), (Key::from("number_of_ips"), count)].into_iter().collect()))
}

fn int(n: u128) -> Val {
    big::value(n.into())
}

pub(super) fn ip4_hex(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let (net, with) = (need(ev, &input)?, args.str(ev, "delimiter", "")?);
    let bytes: Vec<String> = (0..4).rev().map(|i| format!("{:02x}", (net.ip >> (8 * i)) & 0xff)).collect();
    Ok(Val::str(bytes.join(&with)))
}

pub(super) fn ipv6form(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let (net, form) = (need(ev, &input)?, args.str(ev, "format", "")?);
    let groups = |width: usize| {
        let group = |i: u32| format!("{:0width$x}", (net.ip >> (16 * i)) & 0xffff);
        (0..8).rev().map(group).collect::<Vec<_>>().join(":")
    };
    Ok(Val::str(match form.as_str() {
        "expand" => groups(4),
        "x509" => groups(1),
        "compress" => net.address(),
        other => return Err(Error::new(format!("ipv6form: unknown format '{other}'"))),
    }))
}
