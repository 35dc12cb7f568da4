//! An IP address with the length of its network's prefix, as numbers.

use std::net::{Ipv4Addr, Ipv6Addr};

/// `192.168.0.1/24`; an address alone has the longest prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::template) struct Net {
    pub six: bool,
    pub ip: u128,
    pub prefix: u32,
}

impl Net {
    pub const fn width(self) -> u32 {
        if self.six { 128 } else { 32 }
    }

    /// All bits of the family.
    pub const fn full(self) -> u128 {
        if self.six { u128::MAX } else { u32::MAX as u128 }
    }

    /// The bits that hosts differ in; one less than the number of addresses.
    pub fn host_mask(self) -> u128 {
        self.full().checked_shr(self.prefix).unwrap_or(0)
    }

    pub fn mask(self) -> u128 {
        self.full() & !self.host_mask()
    }

    pub fn first(self) -> u128 {
        self.ip & self.mask()
    }

    pub fn last(self) -> u128 {
        self.ip | self.host_mask()
    }

    /// How many addresses; the greatest number where they do not fit.
    pub fn size(self) -> u128 {
        self.host_mask().saturating_add(1)
    }

    pub fn network(self) -> Self {
        Self { ip: self.first(), ..self }
    }

    pub const fn with(self, ip: u128, prefix: u32) -> Self {
        Self { ip, prefix, ..self }
    }

    /// Whether all of `other` lies in this network.
    pub fn holds(self, other: Self) -> bool {
        self.six == other.six && self.first() <= other.first() && other.last() <= self.last()
    }

    /// An address that hosts may have: neither the network's own nor its broadcast.
    pub fn usable(self) -> Option<(u128, u128)> {
        match self.host_mask() {
            0 => None,
            1 => Some((self.first(), self.last())),
            _ => Some((self.first() + 1, self.last() - 1)),
        }
    }

    pub fn text_of(self, ip: u128) -> String {
        match u32::try_from(ip) {
            Ok(four) if !self.six => Ipv4Addr::from(four).to_string(),
            // As libc writes addresses that are compatible with version 4.
            Ok(four) if four > 0xffff => format!("::{}", Ipv4Addr::from(four)),
            _ => Ipv6Addr::from(ip).to_string(),
        }
    }

    pub fn address(self) -> String {
        self.text_of(self.ip)
    }

    pub fn cidr(self) -> String {
        format!("{}/{}", self.address(), self.prefix)
    }

    /// Reads an address, with a prefix or not; the second says whether there was one.
    pub fn parse(text: &str) -> Option<(Self, bool)> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let net = match (address.parse::<Ipv4Addr>(), address.parse::<Ipv6Addr>()) {
            (Ok(four), _) => Self { six: false, ip: u128::from(u32::from(four)), prefix: 32 },
            (_, Ok(six)) => Self { six: true, ip: u128::from(six), prefix: 128 },
            _ => return None,
        };
        match prefix {
            None => Some((net, false)),
            Some(prefix) => Some((net.with(net.ip, net.prefix_of(prefix)?), true)),
        }
    }

    /// `24`, `255.255.255.0` or `0.0.0.255`.
    fn prefix_of(self, text: &str) -> Option<u32> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().filter(|p| *p <= self.width());
        }
        let (mask, bare) = Self::parse(text)?;
        let bits = mask.ip;
        if bare || mask.six != self.six {
            return None;
        }
        let of_hosts = |bits: u128| (bits & bits.wrapping_add(1)) == 0;
        let inverted = !bits & self.full();
        if of_hosts(inverted) {
            return Some(bits.count_ones());
        }
        of_hosts(bits).then(|| self.width() - bits.count_ones())
    }

    /// A number as an address: of version 4 where it fits, unless version 6 is asked for.
    pub fn of_number(number: u128, six: Option<bool>) -> Option<Self> {
        let six = six.unwrap_or(number > u128::from(u32::MAX));
        let net = Self { six, ip: number, prefix: if six { 128 } else { 32 } };
        (number <= net.full()).then_some(net)
    }
}

/// Blocks that are not reachable from everywhere, but for the exceptions below.
const LOCAL: [&str; 25] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::1/128",
    "::/128",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "fc00::/7",
    "fe80::/10",
];

const REACHABLE: [&str; 8] = [
    "192.0.0.9/32",
    "192.0.0.10/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:20::/28",
    "2001:30::/28",
];

/// Whether one of these networks holds it.
pub(in crate::template) fn within(net: Net, list: &[&str]) -> bool {
    list.iter().filter_map(|n| Net::parse(n)).any(|(n, _)| n.holds(net.with(net.ip, net.width())))
}

impl Net {
    pub fn is_private(self) -> bool {
        within(self, &LOCAL) && !within(self, &REACHABLE)
    }

    pub fn is_multicast(self) -> bool {
        within(self, &["224.0.0.0/4", "ff00::/8"])
    }

    pub fn is_loopback(self) -> bool {
        within(self, &["127.0.0.0/8", "::1/128"])
    }

    pub fn is_link_local(self) -> bool {
        within(self, &["169.254.0.0/16", "fe80::/10"])
    }

    pub fn is_public(self) -> bool {
        !(self.is_private() || self.is_multicast() || self.is_loopback() || self.is_link_local())
    }

    /// The name that a resolver asks for.
    pub fn reverse(self) -> String {
        if self.six {
            let digits = format!("{:032x}", self.ip);
            let parts: Vec<String> = digits.chars().rev().map(String::from).collect();
            return parts.join(".") + ".ip6.arpa.";
        }
        let parts: Vec<String> = (0..4).map(|i| ((self.ip >> (8 * i)) & 0xff).to_string()).collect();
        parts.join(".") + ".in-addr.arpa."
    }
}
