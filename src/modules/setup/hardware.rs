//! Processors, memory, firmware, mounts, uptime.

use crate::model::{Map, Value};
use crate::sys::Probe;

pub(super) fn hardware(host: &Probe<'_>) -> Map {
    let mut facts = processors(&host.line("/proc/cpuinfo").unwrap_or_default(), host.usable_processors());
    facts.extend(memory(&host.line("/proc/meminfo").unwrap_or_default()));
    facts.extend(firmware(host));
    facts.extend(super::devices::devices(host));
    facts.insert("mounts", mounts(host));
    let uptime = host.line("/proc/uptime").unwrap_or_default();
    facts.insert("uptime_seconds", uptime.split(['.', ' ']).next().and_then(|s| s.parse::<i64>().ok()));
    if host.which("vgs").is_none() {
        facts.insert("lvm", "N/A");
    }
    facts
}

fn processors(cpuinfo: &str, usable: usize) -> Map {
    let (mut list, mut flags): (Vec<String>, Vec<String>) = Default::default();
    let mut vendors = 0_i64;
    let mut threads = 0_i64;
    let mut sockets: Vec<String> = Vec::new();
    let (mut cores, mut siblings) = (0_i64, 0_i64);
    for (name, value) in cpuinfo.lines().filter_map(|l| l.split_once(':')).map(|(n, v)| (n.trim(), v.trim())) {
        match name {
            "processor" => {
                threads += 1;
                list.push(value.to_owned());
            }
            "vendor_id" | "model name" | "Model Name" | "Vendor" | "cpu" | "cpu model" => {
                vendors += i64::from(name != "vendor_id");
                list.push(value.to_owned());
            }
            "flags" | "Features" if flags.is_empty() => flags.extend(value.split_whitespace().map(str::to_owned)),
            "physical id" if !sockets.iter().any(|s| s == value) => sockets.push(value.to_owned()),
            "cpu cores" => cores = value.parse().unwrap_or(0),
            "siblings" => siblings = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    let known = !sockets.is_empty() && cores > 0;
    let count = if known { i64::try_from(sockets.len()).unwrap_or(1) } else { threads.max(vendors) };
    let cores = if known { cores } else { 1 };
    let per_core = if known { (siblings / cores).max(1) } else { 1 };
    let mut facts = Map::new();
    facts.insert("processor", list);
    facts.insert("processor_count", count);
    facts.insert("processor_cores", cores);
    facts.insert("processor_threads_per_core", per_core);
    facts.insert("processor_vcpus", per_core * count * cores);
    facts.insert("processor_nproc", usable);
    facts.insert("flags", flags);
    facts
}

fn memory(meminfo: &str) -> Map {
    let get = |name: &str| {
        let line = meminfo.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|l| l.split_whitespace().next()?.parse::<i64>().ok()).unwrap_or(0) / 1024
    };
    let (total, free) = (get("MemTotal"), get("MemFree"));
    let (swap, swap_free) = (get("SwapTotal"), get("SwapFree"));
    let without_cache = free + get("Cached") + get("Buffers");
    let mut facts = Map::new();
    facts.insert("memtotal_mb", total);
    facts.insert("memfree_mb", free);
    facts.insert("swaptotal_mb", swap);
    facts.insert("swapfree_mb", swap_free);
    let mut all = Map::new();
    all.insert("real", Map::from_iter([("total", total), ("used", total - free), ("free", free)]));
    all.insert("nocache", Map::from_iter([("free", without_cache), ("used", total - without_cache)]));
    let fields = [("total", swap), ("free", swap_free), ("used", swap - swap_free), ("cached", get("SwapCached"))];
    all.insert("swap", Map::from_iter(fields));
    facts.insert("memory_mb", all);
    facts
}

/// Kinds of chassis, by their number in the firmware's tables (SMBIOS 7.4.1), from 1.
const CHASSIS: &[&str] = &[
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

/// Facts by the file of /sys that they are read from.
const DMI: &[(&str, &str)] = &[
    ("bios_date", "bios_date"),
    ("bios_vendor", "bios_vendor"),
    ("bios_version", "bios_version"),
    ("board_asset_tag", "board_asset_tag"),
    ("board_name", "board_name"),
    ("board_serial", "board_serial"),
    ("board_vendor", "board_vendor"),
    ("board_version", "board_version"),
    ("chassis_asset_tag", "chassis_asset_tag"),
    ("chassis_serial", "chassis_serial"),
    ("chassis_vendor", "chassis_vendor"),
    ("chassis_version", "chassis_version"),
    ("form_factor", "chassis_type"),
    ("product_name", "product_name"),
    ("product_serial", "product_serial"),
    ("product_uuid", "product_uuid"),
    ("product_version", "product_version"),
    ("system_vendor", "sys_vendor"),
];

fn firmware(host: &Probe<'_>) -> Map {
    let read = |(fact, file): &(&str, &str)| {
        let mut value = host.line(format!("/sys/devices/virtual/dmi/id/{file}"));
        if *fact == "form_factor" {
            let number = value.as_ref().and_then(|v| v.parse::<usize>().ok()).and_then(|n| n.checked_sub(1));
            value = number.map(|n| CHASSIS.get(n).map_or_else(|| format!("unknown ({})", n + 1), |c| (*c).to_owned()));
        }
        ((*fact).to_owned(), value.unwrap_or_else(|| "NA".to_owned()))
    };
    DMI.iter().map(read).collect()
}

/// A mounted file system, from /proc/self/mountinfo.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    device: String,
    path: String,
    kind: String,
    options: String,
    bind: bool,
}

fn parse_mounts(mounts: &str, info: &str) -> Vec<Mount> {
    // Which mounts show only a part of their file system stands in mountinfo alone.
    let bound: Vec<String> = info
        .lines()
        .filter_map(|l| {
            let words: Vec<&str> = l.split_whitespace().collect();
            (*words.get(3)? != "/").then(|| words.get(4).map(|p| unescape(p)))?
        })
        .collect();
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().map(unescape);
            let (device, path, kind, options) = (words.next()?, words.next()?, words.next()?, words.next()?);
            let shown = device.starts_with('/') || device.contains(":/");
            let bind = bound.contains(&path);
            (shown && kind != "none").then_some(Mount { device, path, kind, options, bind })
        })
        .collect()
}

/// `\040` and the like in mount tables.
fn unescape(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.as_bytes();
    while let Some((first, rest)) = bytes.split_first() {
        let code = rest.get(..3).filter(|_| *first == b'\\').and_then(|d| std::str::from_utf8(d).ok());
        if let Some(byte) = code.and_then(|d| u8::from_str_radix(d, 8).ok()) {
            out.push(byte);
            bytes = rest.get(3..).unwrap_or_default();
        } else {
            out.push(*first);
            bytes = rest;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn mounts(host: &Probe<'_>) -> Vec<Value> {
    let table = host.line("/proc/self/mounts").unwrap_or_default();
    let info = host.line("/proc/self/mountinfo").unwrap_or_default();
    let uuids = super::devices::links(host, "/dev/disk/by-uuid");
    parse_mounts(&table, &info).into_iter().map(|mount| mount_facts(host, mount, &uuids).into()).collect()
}

fn mount_facts(host: &Probe<'_>, mount: Mount, uuids: &[(String, String)]) -> Map {
    let mut facts = Map::new();
    if let Some(space) = host.space(&mount.path) {
        facts.insert("size_total", space.fragment_size * space.blocks);
        facts.insert("size_available", space.fragment_size * space.available);
        facts.insert("block_size", space.block_size);
        facts.insert("block_total", space.blocks);
        facts.insert("block_available", space.available);
        facts.insert("block_used", space.blocks.saturating_sub(space.available));
        facts.insert("inode_total", space.inodes);
        facts.insert("inode_available", space.inodes_available);
        facts.insert("inode_used", space.inodes.saturating_sub(space.inodes_available));
    }
    let device = host.target(&mount.device).and_then(|p| Some(p.file_name()?.to_string_lossy().into_owned()));
    let uuid = uuids.iter().find(|(name, _)| Some(name) == device.as_ref()).map(|(_, id)| id.as_str());
    facts.insert("uuid", uuid.unwrap_or("N/A"));
    facts.insert("mount", mount.path);
    facts.insert("device", mount.device);
    facts.insert("fstype", mount.kind);
    facts.insert("options", if mount.bind { format!("{},bind", mount.options) } else { mount.options });
    facts.insert("dump", 0);
    facts.insert("passno", 0);
    facts
}

pub(super) fn fibre_channel(host: &Probe<'_>) -> Vec<String> {
    let ports = host.names("/sys/class/fc_host");
    let names = ports.iter().filter_map(|p| host.line(format!("/sys/class/fc_host/{p}/port_name")));
    names.map(|n| n.trim_start_matches("0x").to_owned()).collect()
}

pub(super) fn iscsi(host: &Probe<'_>) -> String {
    let text = host.text("/etc/iscsi/initiatorname.iscsi").unwrap_or_default();
    let name = text.lines().find_map(|l| l.trim().strip_prefix("InitiatorName="));
    name.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(facts: &Map, name: &str) -> i128 {
        facts.get(name).unwrap().as_int().unwrap()
    }

    #[test]
    fn processors_are_counted_by_socket_core_and_thread() {
        let cpu = |n: usize, socket: usize| {
            format!(
                "processor\t: {n}\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\nphysical id\t: {socket}\nsiblings\t: 4\ncpu cores\t: 2\nflags\t\t: fpu vme\n\n"
            )
        };
        let text: String = (0..8).map(|n| cpu(n, n / 4)).collect();
        let facts = processors(&text, 8);
        assert_eq!((int(&facts, "processor_count"), int(&facts, "processor_cores")), (2, 2));
        assert_eq!((int(&facts, "processor_threads_per_core"), int(&facts, "processor_vcpus")), (2, 8));
        assert_eq!(facts.get("processor").unwrap().as_list().unwrap().len(), 24);
        let arm = processors("processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\n\nprocessor\t: 1\n", 2);
        assert_eq!((int(&arm, "processor_count"), int(&arm, "processor_vcpus")), (2, 2));
    }

    #[test]
    fn memory_is_in_mebibytes() {
        let facts = memory("MemTotal: 2048000 kB\nMemFree: 1024000 kB\nBuffers: 10240 kB\nCached: 20480 kB\n");
        assert_eq!(
            (int(&facts, "memtotal_mb"), int(&facts, "memfree_mb"), int(&facts, "swaptotal_mb")),
            (2000, 1000, 0)
        );
        let nocache = facts.get("memory_mb").unwrap().get("nocache").unwrap().clone();
        assert_eq!(nocache.get("used").unwrap().as_int(), Some(970));
    }

    #[test]
    fn mounts_are_those_of_devices() {
        let table =
            "/dev/vda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n/dev/vda1 /a\\040b ext4 ro 0 0\nnas:/x /x nfs rw 0 0\n";
        let info = "1 0 8:1 / / rw - ext4 /dev/vda1 rw\n2 1 8:1 /sub /a\\040b ro - ext4 /dev/vda1 rw\n";
        let mounts = parse_mounts(table, info);
        let seen: Vec<(&str, bool)> = mounts.iter().map(|m| (m.path.as_str(), m.bind)).collect();
        assert_eq!(seen, [("/", false), ("/a b", true), ("/x", false)]);
    }
}
