//! `setup`: gathers facts about a host, read from the kernel and from files; hardly
//! anything is run for it.

mod devices;
mod distribution;
mod hardware;

mod ini;
mod local;
mod managers;
mod network;
mod platform;
mod security;
mod subset;
mod virtualization;

use std::time::Duration;

use super::glob::fnmatch;
use crate::args;
use crate::model::{Failure, Map, Value};
use crate::module::{Arguments, Kind, Module, Path, Plan, ReturnSpec, Run};
use crate::sys::Probe;

args! {
    /// Arguments of `setup`.
    pub struct Setup {
        /// The directory of local facts: `*.fact` files, JSON or INI, or programs that print such.
        fact_path: Path = Path("/etc/ansible/facts.d".to_owned()),
        /// Return only facts whose names match one of these shell patterns.
        filter: Vec<String> = Vec::new(),
        /// Which groups of facts to gather: `all`, `min`, names of groups, `!name` for all but it.
        gather_subset: Vec<String> = vec!["all".to_owned()],
        /// Seconds that a single program asked for facts may take.
        gather_timeout: i64 = 10,
        /// Of `gather_facts`: whether its modules run at the same time. There is one.
        parallel: Option<bool>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "setup",
    aliases: &["gather_facts"],
    collection: "ansible.builtin",
    kind: Kind::Query,
    doc: "Gather facts about a host.",
    args: Setup::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[ReturnSpec { name: "ansible_facts", doc: "The facts, each with the prefix `ansible_`." }],
    run: Run::Target(plan),
};

/// What the collectors need to know besides the host.
struct Gather<'a> {
    host: &'a Probe<'a>,
    args: &'a Setup,
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Setup::parse(args)?;
    let names = subset::select(&args.gather_subset)?;
    let mut facts = Map::new();
    let mut warnings = Vec::new();
    let gather = Gather { host, args: &args };
    for name in names {
        facts.extend(collect(name, &gather, &facts, &mut warnings)?);
    }
    facts.insert("gather_subset", Value::list(args.gather_subset.iter().map(String::as_str)));
    facts.insert("module_setup", true);
    let filters: Vec<&str> = args.filter.iter().map(String::as_str).filter(|f| !f.is_empty() && *f != "*").collect();
    let wanted =
        |name: &str, full: &str| filters.is_empty() || filters.iter().any(|f| fnmatch(f, full) || fnmatch(f, name));
    let mut all = Map::new();
    for (key, value) in facts {
        let name = key.to_string();
        let full = match name.as_str() {
            // Two that speak of the module itself have no prefix.
            "gather_subset" | "module_setup" => name.clone(),
            _ => format!("ansible_{}", name.replace(['-', ':', '.'], "_")),
        };
        if wanted(&name, &full) {
            all.insert(full, value);
        }
    }
    let mut plan = Plan::new().with("ansible_facts", all);
    for warning in warnings {
        plan.warn(warning);
    }
    Ok(plan)
}

fn collect(name: &str, gather: &Gather<'_>, so_far: &Map, warnings: &mut Vec<String>) -> Result<Map, Failure> {
    let host = gather.host;
    Ok(match name {
        "platform" => platform::platform(host),
        "distribution" => distribution::distribution(host),
        "lsb" => one("lsb", distribution::lsb(host)),
        "selinux" => security::selinux(host),
        "apparmor" => one("apparmor", security::apparmor(host)),
        "chroot" => one("is_chroot", security::is_chroot(host)),
        "fips" => one("fips", host.line("/proc/sys/crypto/fips_enabled").as_deref() == Some("1")),
        "python" => platform::python(host, so_far),
        "caps" => security::capabilities(host)?,
        "pkg_mgr" => one("pkg_mgr", managers::package_manager(host, so_far)),
        "service_mgr" => one("service_mgr", managers::service_manager(host)),
        "cmdline" => platform::cmdline(host),
        "date_time" => platform::date_time(host)?,
        "env" => one("env", Map::from_iter(host.environment())),
        "loadavg" => {
            let [one_minute, five, fifteen] = host.load();
            one("loadavg", Map::from_iter([("1m", one_minute), ("5m", five), ("15m", fifteen)]))
        }
        "ssh_pub_keys" => platform::host_keys(host),
        "user" => platform::user(host),
        "systemd" => managers::systemd(host),
        "virtual" => virtualization::virtualization(host),
        "hardware" => hardware::hardware(host),
        "dns" => one("dns", network::dns(host)),
        "network" => network::network(host),
        "fibre_channel_wwn" => one("fibre_channel_wwn", hardware::fibre_channel(host)),
        "iscsi" => one("iscsi_iqn", hardware::iscsi(host)),
        "nvme" => one("hostnqn", host.text("/etc/nvme/hostnqn").unwrap_or_default().trim()),
        "local" => {
            let timeout = Duration::from_secs(gather.args.gather_timeout.try_into().unwrap_or(10));
            one("local", local::local(host, &gather.args.fact_path, timeout, warnings))
        }
        _ => Map::new(),
    })
}

fn one(name: &str, value: impl Into<Value>) -> Map {
    Map::from_iter([(name, value.into())])
}
