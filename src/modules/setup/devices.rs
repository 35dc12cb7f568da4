//! Block devices, from /sys/block and the names that udev gives them.

use crate::model::{Map, Value};
use crate::sys::Probe;

/// Sectors in /sys are of 512 bytes, whatever the device has.
const SECTOR: u64 = 512;

/// (device, name) of the links in a directory of /dev/disk.
pub(super) fn links(host: &Probe<'_>, dir: &str) -> Vec<(String, String)> {
    let device = |name: &str| {
        let path = host.target(format!("{dir}/{name}"))?;
        Some(path.file_name()?.to_string_lossy().into_owned())
    };
    host.names(dir).into_iter().filter_map(|name| Some((device(&name)?, name))).collect()
}

/// What udev and device-mapper know of devices by name.
struct Links {
    ids: Vec<(String, String)>,
    uuids: Vec<(String, String)>,
    labels: Vec<(String, String)>,
    masters: Vec<(String, String)>,
}

impl Links {
    fn read(host: &Probe<'_>) -> Self {
        let blocks = host.names("/sys/block");
        let masters = blocks.iter().flat_map(|master| {
            let slaves = host.names(format!("/sys/block/{master}/slaves"));
            slaves.into_iter().map(|slave| (slave, master.clone())).collect::<Vec<_>>()
        });
        Self {
            ids: links(host, "/dev/disk/by-id"),
            uuids: links(host, "/dev/disk/by-uuid"),
            labels: links(host, "/dev/disk/by-label"),
            masters: masters.collect(),
        }
    }

    fn kinds(&self) -> [(&'static str, &[(String, String)]); 4] {
        [("ids", &self.ids), ("labels", &self.labels), ("masters", &self.masters), ("uuids", &self.uuids)]
    }

    fn of(&self, device: &str) -> Map {
        let of = |list: &[(String, String)]| {
            Value::list(list.iter().filter(|(d, _)| d == device).map(|(_, name)| name.as_str()))
        };
        self.kinds().into_iter().map(|(kind, list)| (kind, of(list))).collect()
    }

    fn all(&self) -> Map {
        let grouped = |list: &[(String, String)]| {
            let mut map = Map::new();
            for (device, _) in list {
                map.insert(
                    device.as_str(),
                    Value::list(list.iter().filter(|(d, _)| d == device).map(|(_, n)| n.as_str())),
                );
            }
            map
        };
        self.kinds().into_iter().map(|(kind, list)| (kind, grouped(list))).collect()
    }
}

pub(super) fn devices(host: &Probe<'_>) -> Map {
    let links = Links::read(host);
    let devices: Map = host.names("/sys/block").into_iter().map(|n| (n.clone(), device(host, &n, &links))).collect();
    Map::from_iter([("devices", devices), ("device_links", links.all())])
}

fn device(host: &Probe<'_>, name: &str, links: &Links) -> Map {
    let dir = format!("/sys/block/{name}");
    let line = |file: &str| host.line(format!("{dir}/{file}"));
    let mut facts = Map::new();
    facts.insert("virtual", 1);
    facts.insert("links", links.of(name));
    for (fact, file) in [
        ("vendor", "device/vendor"),
        ("model", "device/model"),
        ("sas_address", "device/sas_address"),
        ("sas_device_handle", "device/sas_device_handle"),
    ] {
        facts.insert(fact, line(file));
    }
    if let Some(serial) = line("device/serial") {
        facts.insert("serial", serial);
    }
    if let Some(wwn) =
        line("device/wwid").or_else(|| line("wwid")).and_then(|w| Some(w.strip_prefix("naa.")?.to_owned()))
    {
        facts.insert("wwn", format!("0x{wwn}"));
    }
    facts.insert("removable", line("removable"));
    facts.insert("rotational", line("queue/rotational"));
    facts.insert("support_discard", line("queue/discard_granularity"));
    let scheduler = line("queue/scheduler").unwrap_or_default();
    let chosen = scheduler.split_once('[').and_then(|(_, r)| r.split_once(']')).map_or("", |(name, _)| name);
    facts.insert("scheduler_mode", chosen);
    let sectors = line("size").and_then(|s| s.parse::<u64>().ok()).unwrap_or(0);
    let size = line("queue/logical_block_size").unwrap_or_else(|| "512".to_owned());
    facts.insert("sectors", sectors);
    facts.insert("sectorsize", size);
    facts.insert("size", human(sectors * SECTOR));
    facts.insert("host", "");
    facts.insert("holders", holders(host, &dir));
    facts.insert("partitions", partitions(host, name, links));
    facts
}

fn holders(host: &Probe<'_>, dir: &str) -> Vec<String> {
    let names = host.names(format!("{dir}/holders"));
    // A mapped device goes by the name that it was mapped under.
    names.into_iter().map(|n| host.line(format!("/sys/block/{n}/dm/name")).unwrap_or(n)).collect()
}

fn partitions(host: &Probe<'_>, disk: &str, links: &Links) -> Map {
    let dir = format!("/sys/block/{disk}");
    let names = host.names(&dir).into_iter().filter(|n| n.starts_with(disk));
    names
        .filter(|n| host.exists(format!("{dir}/{n}/partition")))
        .map(|name| {
            let line = |file: &str| host.line(format!("{dir}/{name}/{file}"));
            let sectors = line("size").and_then(|s| s.parse::<u64>().ok()).unwrap_or(0);
            let mut facts = Map::new();
            facts.insert("links", links.of(&name));
            facts.insert("start", line("start").unwrap_or_else(|| "0".to_owned()));
            facts.insert("sectors", sectors);
            let size = host.line(format!("{dir}/queue/logical_block_size")).and_then(|s| s.parse::<u64>().ok());
            facts.insert("sectorsize", size.unwrap_or(SECTOR));
            facts.insert("size", human(sectors * SECTOR));
            facts.insert(
                "uuid",
                links.uuids.iter().find(|(d, _)| *d == name).map(|(_, id)| id.as_str()).map(Value::from),
            );
            facts.insert("holders", holders(host, &format!("{dir}/{name}")));
            (name, facts)
        })
        .collect()
}

/// `256.00 GB`, as Ansible writes sizes.
#[allow(clippy::cast_precision_loss, reason = "two digits after the point are shown")]
fn human(bytes: u64) -> String {
    let units = [("YB", 80), ("ZB", 70), ("EB", 60), ("PB", 50), ("TB", 40), ("GB", 30), ("MB", 20), ("KB", 10)];
    let size = bytes as f64;
    let fits = units.iter().find(|(_, power)| size >= 2f64.powi(*power));
    fits.map_or_else(|| format!("{size:.2} Bytes"), |(unit, power)| format!("{:.2} {unit}", size / 2f64.powi(*power)))
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn sizes_are_written_as_ansible_writes_them() {
        assert_eq!(human(536_870_912 * 512), "256.00 GB");
        assert_eq!(human(0), "0.00 Bytes");
        assert_eq!(human(1536), "1.50 KB");
    }
}
