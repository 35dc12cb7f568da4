//! Facts of what limits programs: SELinux, AppArmor, capabilities, chroot.

use crate::model::{Command, Failure, Map};
use crate::sys::Probe;

pub(super) fn selinux(host: &Probe<'_>) -> Map {
    let mut facts = Map::new();
    if host.exists("/sys/fs/selinux/enforce") {
        let config = host.text("/etc/selinux/config").unwrap_or_default();
        let setting = |name: &str| {
            let value = config.lines().find_map(|l| l.trim().strip_prefix(name)?.strip_prefix('='));
            value.map_or("unknown", str::trim).to_owned()
        };
        let enforcing = host.line("/sys/fs/selinux/enforce").as_deref() == Some("1");
        facts.insert("status", "enabled");
        facts.insert("mode", if enforcing { "enforcing" } else { "permissive" });
        facts.insert("config_mode", setting("SELINUX"));
        facts.insert("type", setting("SELINUXTYPE"));
        let version = host.line("/sys/fs/selinux/policyvers").and_then(|v| v.parse::<i64>().ok());
        facts.insert("policyvers", version);
    } else {
        facts.insert("status", "disabled");
    }
    let mut all = super::one("selinux", facts);
    // Nothing here needs Python's bindings; roles that ask want to know whether they may go on.
    all.insert("selinux_python_present", true);
    all
}

pub(super) fn apparmor(host: &Probe<'_>) -> Map {
    let enabled = host.exists("/sys/kernel/security/apparmor");
    Map::from_iter([("status", if enabled { "enabled" } else { "disabled" })])
}

/// Whether `/` is another directory than process 1's.
pub(super) fn is_chroot(host: &Probe<'_>) -> bool {
    if host.env("debian_chroot").is_some_and(|v| !v.is_empty()) {
        return true;
    }
    let Ok(Some(own)) = host.stat("/") else { return false };
    match host.stat("/proc/1/root/.") {
        Ok(Some(first)) => (own.inode, own.dev) != (first.inode, first.dev),
        // Without the right to look there: inode 2 is where most file systems start.
        _ => !matches!(own.inode, 2 | 128 | 256) && !host.exists("/proc/1/cwd") && host.exists("/proc/self"),
    }
}

/// Capabilities in effect, as `capsh` writes them; with all of them nothing is limited.
pub(super) fn capabilities(host: &Probe<'_>) -> Result<Map, Failure> {
    let mut facts = Map::new();
    if host.which("capsh").is_none() {
        return Ok(facts);
    }
    let out = host.query(&Command::new("capsh").arg("--print"))?.stdout_text();
    let Some(current) = out.lines().find_map(|l| l.strip_prefix("Current:")) else { return Ok(facts) };
    let (enforced, caps) = parse_capabilities(current);
    facts.insert("system_capabilities_enforced", enforced);
    facts.insert("system_capabilities", caps);
    Ok(facts)
}

fn parse_capabilities(current: &str) -> (&'static str, Vec<String>) {
    let current = current.trim();
    if current == "=ep" {
        return ("False", Vec::new());
    }
    let list = current.split_once('=').map_or("", |(_, list)| list);
    ("True", list.split(',').map(|c| c.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::parse_capabilities;

    #[test]
    fn capabilities_are_read_as_ansible_reads_them() {
        assert_eq!(parse_capabilities(" =ep"), ("False", vec![]));
        assert_eq!(parse_capabilities(" =ep cap_sys_resource-ep"), ("True", vec!["ep cap_sys_resource-ep".to_owned()]));
    }
}
