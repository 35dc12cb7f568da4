//! Addresses of networks and hosts: the filters of `ansible.utils` (and, before, `ansible.netcommon`).

pub(in crate::template) mod addr;
pub(in crate::template) mod mac;
mod query;
mod tools;

use super::Row;
use crate::template::value::Val;

pub(super) const FILTERS: &[Row] = &[
    ("ipaddr", "query? version?", |ev, v, a| {
        let six = match a.get("version") {
            None | Some(Val::Null) => None,
            Some(version) => Some(version.index()? == 6),
        };
        query::ipaddr(ev, v, a, six)
    }),
    ("ipv4", "query?", |ev, v, a| query::ipaddr(ev, v, a, Some(false))),
    ("ipv6", "query?", |ev, v, a| query::ipaddr(ev, v, a, Some(true))),
    // The query says nothing to it, in Ansible as here.
    ("ipwrap", "query?", query::ipwrap),
    ("ipcut", "amount?", tools::ipcut),
    ("ipsubnet", "query? index?", tools::ipsubnet),
    ("ipmath", "amount?", tools::ipmath),
    ("next_nth_usable", "offset?", |ev, v, a| tools::neighbour(ev, &v, a, false)),
    ("previous_nth_usable", "offset?", |ev, v, a| tools::neighbour(ev, &v, a, true)),
    ("nthhost", "query?", tools::nthhost),
    ("network_in_usable", "test?", |ev, v, a| tools::network_in(ev, &v, a, true)),
    ("network_in_network", "test?", |ev, v, a| tools::network_in(ev, &v, a, false)),
    ("reduce_on_network", "network?", tools::reduce_on_network),
    ("cidr_merge", "action?", tools::cidr_merge),
    ("usable_range", "", tools::usable_range),
    ("ip4_hex", "delimiter?", tools::ip4_hex),
    ("ipv6form", "format?", tools::ipv6form),
    ("hwaddr", "query?", mac::hwaddr),
    ("macaddr", "query?", mac::hwaddr),
    ("slaac", "query?", mac::slaac),
];
