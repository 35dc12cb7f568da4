//! What a host runs on, and what runs on it: containers and virtual machines.

use crate::model::{Map, Value};
use crate::sys::Probe;

/// What was found: kinds that the host is a guest of, and a host for; the first of
/// either that was found names the type.
#[derive(Default)]
struct Found {
    guest: Vec<&'static str>,
    host: Vec<&'static str>,
    first: Option<(&'static str, &'static str)>,
}

impl Found {
    fn guest(&mut self, kind: &'static str) {
        self.guest.push(kind);
        self.first.get_or_insert((kind, "guest"));
    }

    fn host(&mut self, kind: &'static str) {
        self.host.push(kind);
        self.first.get_or_insert((kind, "host"));
    }

    fn container(&mut self, kind: &'static str) {
        self.guest(kind);
        self.guest.push("container");
    }
}

pub(super) fn virtualization(host: &Probe<'_>) -> Map {
    let mut found = Found::default();
    containers(host, &mut found);
    machines(host, &mut found);
    hosts(host, &mut found);
    let unique = |mut list: Vec<&'static str>| {
        let mut seen = Vec::new();
        list.retain(|k| {
            !seen.contains(k) && {
                seen.push(*k);
                true
            }
        });
        Value::list(list)
    };
    let (kind, role) = found.first.unwrap_or(("NA", "NA"));
    Map::from_iter([
        ("virtualization_type", Value::from(kind)),
        ("virtualization_role", Value::from(role)),
        ("virtualization_tech_guest", unique(found.guest)),
        ("virtualization_tech_host", unique(found.host)),
    ])
}

fn containers(host: &Probe<'_>, found: &mut Found) {
    let cgroup = host.line("/proc/1/cgroup").unwrap_or_default();
    if cgroup.contains("/docker") {
        found.container("docker");
    }
    if cgroup.contains("/lxc/") || cgroup.contains("/machine.slice/machine-lxc") {
        found.container("lxc");
    }
    let environ = host.line("/proc/1/environ").unwrap_or_default();
    let named = environ.split('\0').find_map(|e| e.strip_prefix("container=")).map(str::to_owned);
    match named.or_else(|| host.line("/run/systemd/container")).as_deref() {
        Some("lxc" | "lxc-libvirt") => found.container("lxc"),
        Some("podman") => found.container("podman"),
        Some("systemd-nspawn") => found.container("systemd-nspawn"),
        Some("oci" | "") | None => {}
        Some(_) => found.guest("container"),
    }
    // After what process 1 says: Ansible calls a container with an init just that.
    if host.exists("/.dockerenv") || host.exists("/.dockerinit") {
        found.container("docker");
    }
    if host.exists("/run/.containerenv") {
        found.container("podman");
    }
    if host.exists("/proc/vz") && !host.exists("/proc/lve") {
        if host.exists("/proc/bc") {
            found.host("openvz");
        } else {
            found.container("openvz");
        }
    }
}

fn machines(host: &Probe<'_>, found: &mut Found) {
    if host.exists("/proc/xen") || host.line("/sys/hypervisor/type").as_deref() == Some("xen") {
        let controls = host.line("/proc/xen/capabilities").is_some_and(|c| c.contains("control_d"));
        if controls { found.host("xen") } else { found.guest("xen") }
    }
    let dmi = |file: &str| host.line(format!("/sys/devices/virtual/dmi/id/{file}")).unwrap_or_default();
    if let Some(kind) =
        by_firmware(&dmi("product_name"), &dmi("sys_vendor"), &dmi("bios_vendor"), &dmi("product_family"))
    {
        found.guest(kind);
    }
    let status = host.line("/proc/self/status").unwrap_or_default();
    if status.lines().any(|l| l.starts_with("VxID:") && l.trim_start_matches("VxID:").trim() != "0") {
        found.guest("linux_vserver");
    }
    let cpu = host.line("/proc/cpuinfo").unwrap_or_default();
    for line in cpu.lines() {
        if line.starts_with("model name") && line.contains("QEMU Virtual CPU") {
            found.guest("kvm");
        } else if line.starts_with("vendor_id") && line.contains("User Mode Linux") {
            found.guest("uml");
        } else if line.starts_with("vendor_id") && line.contains("PowerVM Lx86") {
            found.guest("powervm_lx86");
        } else if line.starts_with("vendor_id") && line.contains("IBM/S390") {
            found.guest("PR/SM");
        }
    }
}

fn by_firmware(product: &str, vendor: &str, bios: &str, family: &str) -> Option<&'static str> {
    let kvm = ["KVM", "KVM Server", "Bochs", "AHV", "CloudStack KVM Hypervisor", "Standard PC (Q35 + ICH9, 2009)"];
    Some(match (product, vendor) {
        ("OpenStack Nova" | "OpenStack Compute", _) => "openstack",
        ("VirtualBox", _) => "virtualbox",
        ("Virtual Machine", "Microsoft Corporation") => "VirtualPC",
        ("Parallels Software International Inc.", _) | (_, "Parallels Software International Inc.") => "parallels",
        (p, _) if kvm.contains(&p) => "kvm",
        (p, _) if p.starts_with("VMware") => "VMware",
        (_, "Amazon EC2" | "QEMU" | "Google" | "Hetzner" | "DigitalOcean" | "Scaleway" | "Alibaba Cloud") => "kvm",
        (_, "oVirt") if family == "RHV" => "RHEV",
        ("RHEV Hypervisor", _) => "RHEV",
        (_, "oVirt") => "oVirt",
        (_, "Red Hat") if family == "Red Hat Enterprise Linux" => "kvm",
        (_, "VMware, Inc.") => "VMware",
        _ if bios == "Xen" => "xen",
        _ if bios == "innotek GmbH" => "virtualbox",
        _ if bios == "Amazon EC2" => "kvm",
        _ => return None,
    })
}

fn hosts(host: &Probe<'_>, found: &mut Found) {
    let modules = host.line("/proc/modules").unwrap_or_default();
    let loaded: Vec<&str> = modules.lines().filter_map(|l| l.split_whitespace().next()).collect();
    if loaded.contains(&"kvm") || host.exists("/dev/kvm") {
        // A guest with nested virtualisation has it loaded as well; it stays a guest.
        found.host("kvm");
    }
    if loaded.contains(&"vboxdrv") {
        found.host("virtualbox");
    }
    if loaded.contains(&"virtio") && found.guest.is_empty() && found.host.is_empty() {
        found.guest("kvm");
    }
}

#[cfg(test)]
mod tests {
    use super::by_firmware;

    #[test]
    fn firmware_names_the_hypervisor() {
        assert_eq!(by_firmware("KVM", "QEMU", "SeaBIOS", ""), Some("kvm"));
        assert_eq!(by_firmware("Standard PC (i440FX + PIIX, 1996)", "QEMU", "SeaBIOS", ""), Some("kvm"));
        assert_eq!(by_firmware("VMware Virtual Platform", "VMware, Inc.", "", ""), Some("VMware"));
        assert_eq!(by_firmware("t3.micro", "Amazon EC2", "Amazon EC2", ""), Some("kvm"));
        assert_eq!(by_firmware("ThinkPad", "LENOVO", "LENOVO", ""), None);
    }
}
