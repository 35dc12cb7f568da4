//! Which programs manage packages and services on a host.

use crate::model::{Command, Map};
use crate::sys::Probe;

/// Package managers by the path of their program, in the order of preference.
const PROGRAMS: &[(&str, &str)] = &[
    ("/usr/bin/rpm-ostree", "atomic_container"),
    ("/usr/bin/dnf5", "dnf5"),
    ("/usr/bin/dnf-3", "dnf"),
    ("/usr/bin/dnf", "dnf"),
    ("/usr/bin/yum", "yum"),
    ("/usr/bin/apt-get", "apt"),
    ("/usr/bin/zypper", "zypper"),
    ("/usr/bin/pacman", "pacman"),
    ("/sbin/apk", "apk"),
    ("/usr/bin/emerge", "portage"),
    ("/usr/sbin/urpmi", "urpmi"),
    ("/usr/bin/xbps-install", "xbps"),
    ("/usr/sbin/swupd", "swupd"),
    ("/usr/sbin/sorcery", "sorcery"),
    ("/opt/bin/opkg", "opkg"),
    ("/bin/opkg", "opkg"),
    ("/usr/bin/installp", "installp"),
    ("/run/current-system/sw/bin/nix-env", "nix"),
];

pub(super) fn package_manager(host: &Probe<'_>, facts: &Map) -> String {
    let family = facts.get("os_family").and_then(|f| f.as_str()).unwrap_or_default();
    // A Debian host may have dnf installed, and the other way round.
    let preferred: &[&str] = match family {
        "Debian" => &["apt"],
        "Altlinux" => return "apt_rpm".to_owned(),
        "RedHat" => &["atomic_container", "dnf5", "dnf", "yum"],
        _ => &[],
    };
    let there = || PROGRAMS.iter().filter(|(path, _)| host.exists(path)).map(|(_, name)| *name);
    there().find(|name| preferred.contains(name)).or_else(|| there().next()).unwrap_or("unknown").to_owned()
}

/// What process 1 is, or what is installed where it is only called `init`.
pub(super) fn service_manager(host: &Probe<'_>) -> String {
    let first = host.line("/proc/1/comm").unwrap_or_default();
    let name = first.rsplit('/').next().unwrap_or_default();
    if !(name.is_empty() || name == "init" || name.ends_with("sh")) {
        return match name {
            "runit-init" => "runit",
            "svscan" => "svc",
            "openrc-init" => "openrc",
            other => other,
        }
        .to_owned();
    }
    let systemctl = host.which("systemctl").is_some();
    let booted = ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"].iter().any(|p| host.exists(p));
    if systemctl && booted {
        "systemd"
    } else if host.which("initctl").is_some() && host.exists("/etc/init") {
        "upstart"
    } else if host.exists("/sbin/openrc") {
        "openrc"
    } else if systemctl && host.target("/sbin/init").is_some_and(|p| p.ends_with("systemd")) {
        "systemd"
    } else if host.exists("/etc/init.d") {
        "sysvinit"
    } else if host.exists("/etc/dinit.d") {
        "dinit"
    } else {
        "service"
    }
    .to_owned()
}

/// Version and features of systemd, where it runs.
pub(super) fn systemd(host: &Probe<'_>) -> Map {
    if service_manager(host) != "systemd" || host.which("systemctl").is_none() {
        return Map::new();
    }
    let Ok(out) = host.query(&Command::new("systemctl").arg("--version")) else { return Map::new() };
    let text = out.stdout_text();
    let mut lines = text.lines();
    let version = lines.next().and_then(|l| l.split_whitespace().nth(1)).and_then(|v| v.parse::<i64>().ok());
    let mut facts = Map::new();
    facts.insert("features", lines.next().unwrap_or_default());
    facts.insert("version", version);
    super::one("systemd", facts)
}
