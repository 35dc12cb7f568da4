//! Addresses of networks and hosts: the filters of `ansible.utils` (and, before, `ansible.netcommon`).

pub(in crate::template) mod addr;
pub(in crate::template) mod mac;
mod query;
mod tools;

use super::Run;

pub(super) const FILTERS: &[(&str, Run)] = &[
    ("ipaddr", |ev, v, a| query::ipaddr(ev, v, a, None)),
    ("ipv4", |ev, v, a| query::ipaddr(ev, v, a, Some(false))),
    ("ipv6", |ev, v, a| query::ipaddr(ev, v, a, Some(true))),
    ("ipwrap", query::ipwrap),
    ("ipcut", tools::ipcut),
    ("ipsubnet", tools::ipsubnet),
    ("ipmath", tools::ipmath),
    ("next_nth_usable", |ev, v, a| tools::neighbour(ev, &v, a, false)),
    ("previous_nth_usable", |ev, v, a| tools::neighbour(ev, &v, a, true)),
    ("nthhost", tools::nthhost),
    ("network_in_usable", |ev, v, a| tools::network_in(ev, &v, a, true)),
    ("network_in_network", |ev, v, a| tools::network_in(ev, &v, a, false)),
    ("reduce_on_network", tools::reduce_on_network),
    ("cidr_merge", tools::cidr_merge),
    ("usable_range", tools::usable_range),
    ("ip4_hex", tools::ip4_hex),
    ("ipv6form", tools::ipv6form),
    ("hwaddr", mac::hwaddr),
    ("macaddr", mac::hwaddr),
    ("slaac", mac::slaac),
];
