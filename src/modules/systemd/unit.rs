//! A unit as it is, what a dry run planned for it included.

use crate::model::{Command, Failure, Map};
use crate::sys::Probe;

/// Suffixes of units; a name without one is a service's.
const KINDS: &[&str] = &[
    ".service",
    ".socket",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".path",
    ".timer",
    ".slice",
    ".scope",
];

/// Where unit files are, the first one counts.
const PLACES: &[&str] = &[
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// A unit's state.
pub(super) struct Unit {
    /// As the task calls it.
    pub name: String,
    /// Its name with suffix; of the unit itself where the task uses an alias.
    pub id: String,
    /// Whether there is such a unit.
    pub found: bool,
    /// Whether it runs, or is about to.
    pub active: bool,
    /// Whether it is about to stop.
    pub deactivating: bool,
    /// Whether it starts at boot, or cannot be told to.
    pub enabled: bool,
    /// Whether it cannot be started.
    pub masked: bool,
    /// What `systemctl show` says.
    pub status: Map,
}

impl Unit {
    /// Reads a unit's state, by one call of systemctl where that says it all.
    ///
    /// # Errors
    /// When systemd does not answer.
    pub(super) fn read(host: &Probe<'_>, name: &str, systemctl: &Command) -> Result<Self, Failure> {
        let full = full_name(name);
        let out = host.query(&systemctl.clone().args(["show", name]))?;
        let text = out.stdout_text();
        if !out.success() && text.is_empty() && host.planned_unit(&full) == (None, None) {
            let why = out.stderr_text();
            return Err(Failure::new(format!("failed to get status of service {name}: {}", why.trim())));
        }
        let status = parse_show(&text);
        let get = |key: &str| status.get(key).and_then(|v| v.as_str()).unwrap_or_default();
        let id = Some(get("Id")).filter(|id| !id.is_empty() && get("LoadState") != "not-found").unwrap_or(&full);
        let state = get("UnitFileState");
        let mut unit = Self {
            name: name.to_owned(),
            id: id.to_owned(),
            found: !matches!(get("LoadState"), "" | "not-found"),
            active: matches!(get("ActiveState"), "active" | "activating" | "reloading"),
            deactivating: get("ActiveState") == "deactivating",
            enabled: is_enabled(host, name, state, systemctl)?,
            masked: get("LoadState") == "masked",
            status: Map::new(),
        };
        unit.apply_plans(host);
        unit.status = status;
        if host.is_dry() {
            unit.status.insert(
                "LoadState",
                if unit.masked {
                    "masked"
                } else if unit.found {
                    "loaded"
                } else {
                    "not-found"
                },
            );
            unit.status.insert("ActiveState", if unit.active { "active" } else { "inactive" });
        }
        Ok(unit)
    }

    /// Takes in what earlier tasks of a dry run planned.
    fn apply_plans(&mut self, host: &Probe<'_>) {
        if !host.is_dry() {
            return;
        }
        let (active, enabled) = host.planned_unit(&self.id);
        if !self.found {
            let file = unit_file(host, &self.id);
            self.found = file.is_some() || active.is_some() || enabled.is_some();
            // A unit without [Install] is static: systemctl counts it as enabled.
            self.enabled = file.flatten().is_some_and(|text| !text.contains("[Install]"));
        }
        self.active = active.unwrap_or(self.active);
        self.deactivating &= active.is_none();
        self.enabled = enabled.unwrap_or(self.enabled);
    }

    /// Fails in Ansible's words when there is no such unit.
    pub(super) fn must_exist(&self) -> Result<(), Failure> {
        if self.found {
            return Ok(());
        }
        Err(Failure::missing(format!("Could not find the requested service {}: host", self.name)))
    }
}

fn full_name(name: &str) -> String {
    if KINDS.iter().any(|kind| name.ends_with(kind)) { name.to_owned() } else { format!("{name}.service") }
}

/// A planned unit file: `Some(None)` when it is there and its content is not known.
fn unit_file(host: &Probe<'_>, id: &str) -> Option<Option<String>> {
    let template = id.split_once('@').and_then(|(base, rest)| Some(format!("{base}@.{}", rest.rsplit_once('.')?.1)));
    let names = std::iter::once(id.to_owned()).chain(template);
    let paths = names.flat_map(|name| PLACES.iter().map(move |dir| format!("{dir}/{name}")));
    let path = paths.into_iter().find(|path| host.exists(path))?;
    Some(host.text(path))
}

/// What `systemctl is-enabled` makes of the state of a unit file.
fn is_enabled(host: &Probe<'_>, name: &str, state: &str, systemctl: &Command) -> Result<bool, Failure> {
    Ok(match state {
        "enabled" | "enabled-runtime" | "static" => true,
        // An init script: systemd asks the host's own tool for it.
        "generated" => host.query(&systemctl.clone().args(["is-enabled", name, "-l"]))?.success(),
        _ => false,
    })
}

/// `Key=value` lines; values of commands may go over several.
fn parse_show(text: &str) -> Map {
    let mut status = Map::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        if let Some((key, value)) = &mut open {
            value.push('\n');
            value.push_str(line);
            if line.trim_end().ends_with('}') {
                status.insert(std::mem::take(key), std::mem::take(value));
                open = None;
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        if key.starts_with("Exec") && value.starts_with('{') && !value.trim_end().ends_with('}') {
            open = Some((key.to_owned(), value.to_owned()));
        } else {
            status.insert(key, value.trim());
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_suffix_are_services() {
        assert_eq!(full_name("nginx"), "nginx.service");
        assert_eq!(full_name("x.timer"), "x.timer");
        assert_eq!(full_name("my.app"), "my.app.service");
    }

    #[test]
    fn commands_may_go_over_lines() {
        let status =
            parse_show("Id=a.service\nExecStart={ path=/bin/sh ; argv[]=/bin/sh -c x\ny ; }\nActiveState=active\n");
        assert_eq!(status.get("ActiveState").unwrap().as_str(), Some("active"));
        assert!(status.get("ExecStart").unwrap().as_str().unwrap().ends_with("y ; }"));
        assert_eq!(status.len(), 3);
    }
}
