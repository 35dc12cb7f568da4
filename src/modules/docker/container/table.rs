//! A container's properties as data: for each option, where the engine keeps it, what form
//! it has there, how it is compared, and whether a container can get it without being made anew.

use super::wanted::{self, Wanted};
use crate::model::{Failure, Value};

/// What kind of thing a property is, which says how it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One value.
    Value,
    /// A list, in order.
    List,
    /// A list whose order says nothing.
    Set,
    /// A list of maps whose order says nothing.
    Maps,
    /// A map.
    Map,
}

/// How an argument becomes what the engine takes.
#[derive(Clone, Copy)]
pub enum Form {
    /// As it is, as text.
    Text,
    /// As it is, a number.
    Int,
    /// As it is, a truth value.
    Bool,
    /// A size, `64M`, in bytes.
    Size,
    /// A list of texts.
    Texts,
    /// A map of texts.
    Strings,
    /// By a function.
    Made(fn(&Wanted<'_>) -> Result<Value, Failure>),
}

/// Makes what is expected of a container out of a property's value.
pub type Expected = fn(&Wanted<'_>, Value) -> Result<Value, Failure>;

/// A property.
pub struct Property {
    /// The option, as `comparisons` names it.
    pub option: &'static str,
    /// Other options that have a part in it.
    pub with: &'static [&'static str],
    /// How it is compared.
    pub kind: Kind,
    /// Where the engine tells of it; a new container's description is the same without `Config`.
    pub way: &'static [&'static str],
    /// How its value is made.
    pub form: Form,
    /// Whether a container can get it as it is.
    pub update: bool,
    /// What is expected of a container: the value, with what the image adds.
    pub expected: Option<Expected>,
    /// What a container has, where that is not just what stands there.
    pub observed: Option<fn(&Wanted<'_>, &Value) -> Value>,
    /// What is sent, where that is not just the value.
    pub sent: Option<fn(Value) -> Value>,
}

const fn row(option: &'static str, kind: Kind, way: &'static [&'static str], form: Form) -> Property {
    Property { option, with: &[], kind, way, form, update: false, expected: None, observed: None, sent: None }
}

const fn made(
    option: &'static str,
    kind: Kind,
    way: &'static [&'static str],
    make: fn(&Wanted<'_>) -> Result<Value, Failure>,
) -> Property {
    row(option, kind, way, Form::Made(make))
}

impl Property {
    const fn updated(mut self) -> Self {
        self.update = true;
        self
    }

    const fn with(mut self, options: &'static [&'static str]) -> Self {
        self.with = options;
        self
    }

    const fn expecting(mut self, expected: Expected) -> Self {
        self.expected = Some(expected);
        self
    }

    const fn observing(mut self, observed: fn(&Wanted<'_>, &Value) -> Value) -> Self {
        self.observed = Some(observed);
        self
    }

    const fn sending(mut self, sent: fn(Value) -> Value) -> Self {
        self.sent = Some(sent);
        self
    }

    /// How it is compared when nothing is said: one value and lists strictly, the others so
    /// that there may be more.
    pub fn default_comparison(&self) -> &'static str {
        match self.kind {
            _ if self.option == "stop_timeout" => "ignore",
            Kind::Value | Kind::List => "strict",
            Kind::Set | Kind::Maps | Kind::Map => "allow_more_present",
        }
    }
}

/// Where a section and a name in it are.
macro_rules! way {
    ($($part:literal)+) => { &[$($part),+] };
}

use Form::{Bool, Int, Size, Strings, Text, Texts};
use Kind::{List, Map, Maps, Set, Value as One};

/// All properties, by option.
pub const PROPERTIES: &[Property] = &[
    row("auto_remove", One, way!("HostConfig" "AutoRemove"), Bool),
    row("blkio_weight", One, way!("HostConfig" "BlkioWeight"), Int).updated(),
    row("cap_drop", Set, way!("HostConfig" "CapDrop"), Texts)
        .expecting(wanted::capabilities)
        .observing(wanted::capabilities_dropped),
    row("capabilities", Set, way!("HostConfig" "CapAdd"), Texts)
        .expecting(wanted::capabilities)
        .observing(wanted::capabilities_added),
    row("cgroup_parent", One, way!("HostConfig" "CgroupParent"), Text),
    row("cgroupns_mode", One, way!("HostConfig" "CgroupnsMode"), Text),
    made("command", List, way!("Config" "Cmd"), wanted::command),
    row("cpu_period", One, way!("HostConfig" "CpuPeriod"), Int).updated(),
    row("cpu_quota", One, way!("HostConfig" "CpuQuota"), Int).updated(),
    row("cpu_shares", One, way!("HostConfig" "CpuShares"), Int).updated(),
    made("cpus", One, way!("HostConfig" "NanoCpus"), wanted::cpus),
    row("cpuset_cpus", One, way!("HostConfig" "CpusetCpus"), Text).updated(),
    row("cpuset_mems", One, way!("HostConfig" "CpusetMems"), Text).updated(),
    made("detach", One, way!("Config" "AttachStdout"), wanted::attached).observing(wanted::is_attached),
    row("device_cgroup_rules", List, way!("HostConfig" "DeviceCgroupRules"), Texts),
    made("device_read_bps", Maps, way!("HostConfig" "BlkioDeviceReadBps"), wanted::read_bps),
    made("device_read_iops", Maps, way!("HostConfig" "BlkioDeviceReadIOps"), wanted::read_iops),
    made("device_requests", Maps, way!("HostConfig" "DeviceRequests"), wanted::device_requests),
    made("device_write_bps", Maps, way!("HostConfig" "BlkioDeviceWriteBps"), wanted::write_bps),
    made("device_write_iops", Maps, way!("HostConfig" "BlkioDeviceWriteIOps"), wanted::write_iops),
    made("devices", Maps, way!("HostConfig" "Devices"), wanted::devices),
    row("dns_opts", Set, way!("HostConfig" "DnsOptions"), Texts),
    row("dns_search_domains", List, way!("HostConfig" "DnsSearch"), Texts),
    row("dns_servers", List, way!("HostConfig" "Dns"), Texts),
    row("domainname", One, way!("Config" "Domainname"), Text),
    made("entrypoint", List, way!("Config" "Entrypoint"), wanted::entrypoint),
    made("env", Set, way!("Config" "Env"), wanted::env).with(&["env_file"]).expecting(wanted::env_expected),
    made("etc_hosts", Set, way!("HostConfig" "ExtraHosts"), wanted::etc_hosts),
    made("exposed_ports", Set, way!("Config" "ExposedPorts"), wanted::exposed_ports)
        .with(&["published_ports"])
        .expecting(wanted::ports_expected)
        .observing(wanted::ports_observed)
        .sending(wanted::as_keys),
    row("groups", Set, way!("HostConfig" "GroupAdd"), Texts),
    made("healthcheck", Map, way!("Config" "Healthcheck"), wanted::healthcheck),
    row("hostname", One, way!("Config" "Hostname"), Text),
    row("init", One, way!("HostConfig" "Init"), Bool),
    row("interactive", One, way!("Config" "OpenStdin"), Bool),
    made("ipc_mode", One, way!("HostConfig" "IpcMode"), wanted::ipc_mode),
    row("kernel_memory", One, way!("HostConfig" "KernelMemory"), Size).updated(),
    row("labels", Map, way!("Config" "Labels"), Strings).expecting(wanted::labels_expected),
    row("links", Set, way!("HostConfig" "Links"), Texts)
        .expecting(wanted::links_expected)
        .observing(wanted::links_observed),
    row("log_driver", One, way!("HostConfig" "LogConfig" "Type"), Text),
    made("log_options", Map, way!("HostConfig" "LogConfig" "Config"), wanted::log_options),
    row("mac_address", One, way!("Config" "MacAddress"), Text).observing(wanted::mac_observed),
    row("memory", One, way!("HostConfig" "Memory"), Size).updated(),
    row("memory_reservation", One, way!("HostConfig" "MemoryReservation"), Size).updated(),
    made("memory_swap", One, way!("HostConfig" "MemorySwap"), wanted::memory_swap).updated(),
    row("memory_swappiness", One, way!("HostConfig" "MemorySwappiness"), Int),
    made("mounts", Maps, way!("HostConfig" "Mounts"), wanted::mounts),
    made("network_mode", One, way!("HostConfig" "NetworkMode"), wanted::network_mode)
        .with(&["networks"])
        .expecting(wanted::network_mode_expected)
        .observing(wanted::network_mode_observed),
    row("oom_killer", One, way!("HostConfig" "OomKillDisable"), Bool),
    row("oom_score_adj", One, way!("HostConfig" "OomScoreAdj"), Int),
    made("pid_mode", One, way!("HostConfig" "PidMode"), wanted::pid_mode),
    row("pids_limit", One, way!("HostConfig" "PidsLimit"), Int),
    made("platform", One, way!("Platform"), wanted::platform).observing(wanted::platform_observed),
    row("privileged", One, way!("HostConfig" "Privileged"), Bool),
    row("publish_all_ports", One, way!("HostConfig" "PublishAllPorts"), Bool),
    made("published_ports", Map, way!("HostConfig" "PortBindings"), wanted::published_ports),
    row("read_only", One, way!("HostConfig" "ReadonlyRootfs"), Bool),
    row("restart_policy", One, way!("HostConfig" "RestartPolicy" "Name"), Text).updated(),
    row("restart_retries", One, way!("HostConfig" "RestartPolicy" "MaximumRetryCount"), Int).updated(),
    row("runtime", One, way!("HostConfig" "Runtime"), Text),
    row("security_opts", Set, way!("HostConfig" "SecurityOpt"), Texts),
    row("shm_size", One, way!("HostConfig" "ShmSize"), Size),
    row("stop_signal", One, way!("Config" "StopSignal"), Text),
    row("stop_timeout", One, way!("Config" "StopTimeout"), Int),
    row("storage_opts", Map, way!("HostConfig" "StorageOpt"), Strings),
    row("sysctls", Map, way!("HostConfig" "Sysctls"), Strings),
    made("tmpfs", Map, way!("HostConfig" "Tmpfs"), wanted::tmpfs),
    row("tty", One, way!("Config" "Tty"), Bool),
    made("ulimits", Maps, way!("HostConfig" "Ulimits"), wanted::ulimits),
    row("user", One, way!("Config" "User"), Text),
    row("userns_mode", One, way!("HostConfig" "UsernsMode"), Text),
    row("uts", One, way!("HostConfig" "UTSMode"), Text),
    row("volume_driver", One, way!("HostConfig" "VolumeDriver"), Text),
    made("volumes", Set, way!("Config" "Volumes"), wanted::volumes)
        .expecting(wanted::volumes_expected)
        .observing(wanted::volumes_observed)
        .sending(wanted::as_keys),
    made("volumes", Set, way!("HostConfig" "Binds"), wanted::binds).observing(wanted::binds_observed),
    row("volumes_from", Set, way!("HostConfig" "VolumesFrom"), Texts),
    row("working_dir", One, way!("Config" "WorkingDir"), Text),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::Arguments;
    use crate::modules::docker::container::args::{Container, Settings};

    #[test]
    fn every_row_is_an_option_and_every_setting_has_a_row() {
        let options: Vec<&str> = Container::specs().iter().map(|s| s.name).collect();
        for property in PROPERTIES {
            assert!(options.contains(&property.option), "{}", property.option);
            assert!(property.with.iter().all(|o| options.contains(o)), "{:?}", property.with);
        }
        let engine = super::super::super::engine::EngineArgs::specs();
        for spec in Settings::specs().iter().filter(|s| engine.iter().all(|e| e.name != s.name)) {
            let in_table = PROPERTIES.iter().any(|p| p.option == spec.name || p.with.contains(&spec.name));
            assert!(in_table, "{} is compared by no row", spec.name);
        }
    }
}
