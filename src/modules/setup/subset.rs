//! `gather_subset`: from names of collectors and facts to what is to be collected.

use crate::model::Failure;

/// A group of facts that is collected together.
#[derive(Debug)]
pub(super) struct Collector {
    /// Its name.
    pub name: &'static str,
    /// Names of single facts that stand for it.
    pub facts: &'static [&'static str],
    /// Whether it is collected unless `!min` is asked for.
    minimal: bool,
    /// Collectors whose facts come with it.
    needs: &'static [&'static str],
}

const fn collector(
    name: &'static str,
    facts: &'static [&'static str],
    minimal: bool,
    needs: &'static [&'static str],
) -> Collector {
    Collector { name, facts, minimal, needs }
}

const PLATFORM: &[&str] =
    &["system", "kernel", "kernel_version", "machine", "python_version", "architecture", "machine_id"];
const NETWORK: &[&str] = &["interfaces", "default_ipv4", "default_ipv6", "all_ipv4_addresses", "all_ipv6_addresses"];
const HARDWARE: &[&str] = &["processor", "processor_cores", "processor_count", "mounts", "devices"];
const KEYS: &[&str] = &[
    "ssh_host_pub_keys",
    "ssh_host_key_dsa_public",
    "ssh_host_key_rsa_public",
    "ssh_host_key_ecdsa_public",
    "ssh_host_key_ed25519_public",
];
const USER: &[&str] = &[
    "user_id",
    "user_uid",
    "user_gid",
    "user_gecos",
    "user_dir",
    "user_shell",
    "real_user_id",
    "effective_user_id",
    "effective_group_ids",
];
const VIRTUAL: &[&str] =
    &["virtualization_type", "virtualization_role", "virtualization_tech_guest", "virtualization_tech_host"];

/// All collectors, in the order in which they run.
pub(super) static COLLECTORS: &[Collector] = &[
    collector("platform", PLATFORM, true, &[]),
    collector(
        "distribution",
        &["distribution_version", "distribution_release", "distribution_major_version", "os_family"],
        true,
        &[],
    ),
    collector("lsb", &[], true, &[]),
    collector("selinux", &[], true, &[]),
    collector("apparmor", &[], true, &[]),
    collector("chroot", &["is_chroot"], false, &[]),
    collector("fips", &[], true, &[]),
    collector("python", &[], true, &[]),
    collector("caps", &["system_capabilities", "system_capabilities_enforced"], true, &[]),
    collector("pkg_mgr", &[], true, &["distribution"]),
    collector("service_mgr", &[], true, &["platform", "distribution"]),
    collector("cmdline", &[], true, &[]),
    collector("date_time", &[], true, &[]),
    collector("env", &[], true, &[]),
    collector("loadavg", &[], false, &[]),
    collector("ssh_pub_keys", KEYS, true, &[]),
    collector("user", USER, true, &[]),
    collector("systemd", &[], false, &[]),
    collector("virtual", VIRTUAL, false, &[]),
    collector("hardware", HARDWARE, false, &["platform"]),
    collector("dns", &[], true, &[]),
    collector("network", NETWORK, false, &["platform", "distribution"]),
    collector("fibre_channel_wwn", &[], false, &[]),
    collector("iscsi", &[], false, &[]),
    collector("nvme", &[], false, &[]),
    collector("local", &[], true, &[]),
    // Programs of Puppet and Chef; their facts are never collected.
    collector("facter", &[], false, &[]),
    collector("ohai", &[], false, &[]),
];

fn named(name: &str) -> Vec<&'static str> {
    COLLECTORS.iter().filter(|c| c.name == name || c.facts.contains(&name)).map(|c| c.name).collect()
}

fn all() -> Vec<&'static str> {
    COLLECTORS.iter().map(|c| c.name).collect()
}

fn minimal() -> Vec<&'static str> {
    COLLECTORS.iter().filter(|c| c.minimal).map(|c| c.name).collect()
}

fn known(name: &str) -> Result<Vec<&'static str>, Failure> {
    let found = named(name);
    if found.is_empty() {
        let mut names: Vec<&str> = COLLECTORS.iter().flat_map(|c| c.facts.iter().copied().chain([c.name])).collect();
        names.push("all");
        names.sort_unstable();
        names.dedup();
        return Err(Failure::new(format!(
            "Bad subset '{name}' given to Ansible. gather_subset options allowed: {}",
            names.join(", ")
        )));
    }
    Ok(found)
}

/// The names of the collectors that a `gather_subset` asks for.
///
/// # Errors
/// When a name in it is not known.
pub(super) fn select(subset: &[String]) -> Result<Vec<&'static str>, Failure> {
    let (mut wanted, mut excluded, mut explicit) = (Vec::new(), Vec::new(), Vec::new());
    // Where all that is said is what is not wanted, it is taken from the least, as in Ansible.
    let any = subset.iter().any(|word| !word.trim().is_empty());
    for word in subset.iter().map(|s| s.trim()).filter(|s| !s.is_empty()) {
        match word {
            "all" => wanted.extend(all()),
            "min" => wanted.extend(minimal()),
            "!min" => excluded.extend(minimal()),
            "!all" => excluded.extend(all().into_iter().filter(|n| !minimal().contains(n))),
            _ => match word.strip_prefix('!') {
                Some(name) => excluded.extend(known(name)?),
                None => {
                    let names = known(word)?;
                    wanted.extend(names.iter().copied());
                    explicit.extend(names);
                }
            },
        }
    }
    if !any {
        wanted.extend(all());
    }
    wanted.extend(minimal());
    // A name given on its own wins over a group that is excluded.
    wanted.retain(|n| explicit.contains(n) || !excluded.contains(n));
    let mut needed: Vec<&str> = wanted.clone();
    for c in COLLECTORS.iter().filter(|c| wanted.contains(&c.name)) {
        needed.extend(c.needs);
    }
    Ok(COLLECTORS.iter().map(|c| c.name).filter(|n| needed.contains(n)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(subset: &[&str]) -> Vec<&'static str> {
        select(&subset.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn subsets_select_what_ansible_selects() {
        assert_eq!(names(&["all"]).len(), COLLECTORS.len());
        assert_eq!(names(&["!all", "!min"]), Vec::<&str>::new());
        assert!(names(&["!all"]).contains(&"platform") && !names(&["!all"]).contains(&"network"));
        assert_eq!(names(&["!all", "!min", "interfaces"]), ["platform", "distribution", "network"]);
        assert_eq!(names(&["virtual", "!min"]), ["virtual"]);
        assert_eq!(names(&["!hardware"]), names(&["min"]));
        assert_eq!(names(&["!min"]), Vec::<&str>::new());
        let without = names(&["all", "!hardware"]);
        assert!(!without.contains(&"hardware") && without.contains(&"network"));
        assert!(names(&["network"]).contains(&"env"));
        let error = select(&["bogus".to_owned()]).unwrap_err();
        assert!(error.message.starts_with("Bad subset 'bogus' given to Ansible."), "{error}");
    }
}
