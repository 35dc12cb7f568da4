//! The arguments of `docker_container`.

use super::super::Options;
use super::super::engine::EngineArgs;
use crate::args;
use crate::model::{Map, Value};
use crate::module::Path;

args! {
    /// Arguments of `docker_container`.
    pub struct Container {
        /// The container: its name; for one that is there also its id.
        [required]
        name: String,
        /// What is to be: there and running, there, healthy, stopped, or gone.
        [choices "absent" "present" "healthy" "stopped" "started"]
        state: String = "started".to_owned(),
        /// The image: a name with or without tag, or an id.
        image: Option<String>,
        /// How options are compared with a container that is there, by option: `strict`, `ignore` or
        /// `allow_more_present`; `*` for all.
        comparisons: Option<Map>,
        /// `compatibility`: the defaults that old versions had.
        [choices "compatibility" "no_defaults"]
        container_default_behavior: String = "no_defaults".to_owned(),
        /// Make the container anew also where nothing differs.
        recreate: bool = false,
        /// Stop and start a container that runs and needs no change.
        restart: bool = false,
        /// Kill where a container is stopped.
        [aliases "forcekill"]
        force_kill: bool = false,
        /// The signal that kills.
        kill_signal: Option<String>,
        /// Keep anonymous volumes of a container that is removed.
        keep_volumes: bool = true,
        /// Seconds to wait until a removed container is gone; for ever when not given.
        removal_wait_timeout: Option<f64>,
        /// Seconds to wait for `state: healthy`; 0: for ever.
        healthy_wait_timeout: f64 = 300.0,
        /// With `detach: false`: remove the container when it is done.
        cleanup: bool = false,
        /// Whether the container runs on by itself; if not, the task waits for its end.
        detach: Option<bool>,
        /// Write what the container prints to the host's log. The result has it in any case.
        output_logs: bool = false,
        /// Whether the processes of a running container are paused.
        paused: Option<bool>,
        /// When to pull the image: `never`, `missing`, `always`.
        [choices "never" "missing" "always" "true" "false"]
        pull: Value = Value::from("missing"),
        /// What a dry run says of `pull: always` when the image is there.
        [choices "image_not_present" "always"]
        pull_check_mode_behavior: String = "image_not_present".to_owned(),
        /// The image whose environment, labels, ports and volumes count in comparisons.
        [choices "desired-image" "current-image"]
        image_comparison: String = "desired-image".to_owned(),
        /// What to do about labels of the image that are not in `labels`.
        [choices "ignore" "fail"]
        image_label_mismatch: String = "ignore".to_owned(),
        /// Whether a container of the same image by another name is made anew.
        [choices "recreate" "ignore"]
        image_name_mismatch: String = "recreate".to_owned(),
        /// Whether lists in `command` and `entrypoint` stay lists.
        [choices "compatibility" "correct"]
        command_handling: String = "correct".to_owned(),
        /// The address that ports without one are published at.
        default_host_ip: Option<String>,
        /// Networks that the container is in.
        networks: Option<Vec<Options<Network>>>,
        /// As `docker run --network`: with `networks`, the default network is left out.
        networks_cli_compatible: bool = true;
        ..settings: Settings,
    }
}

args! {
    /// A network of a container.
    pub struct Network {
        /// Its name.
        [required]
        name: String,
        /// Other names of the container in it.
        aliases: Option<Vec<String>>,
        /// The container's IPv4 address in it.
        ipv4_address: Option<String>,
        /// The container's IPv6 address in it.
        ipv6_address: Option<String>,
        /// Containers that get other names (`container:alias`).
        links: Option<Vec<String>>,
        /// The MAC address in it.
        mac_address: Option<String>,
    }
}

args! {
    /// What a container is made of, part one: processes, resources.
    pub struct Settings {
        /// Have the engine remove the container when it ends.
        auto_remove: Option<bool>,
        /// Weight of block I/O, 10 to 1000.
        blkio_weight: Option<i64>,
        /// Capabilities to drop.
        cap_drop: Option<Vec<String>>,
        /// Capabilities to add.
        capabilities: Option<Vec<String>>,
        /// The parent cgroup.
        cgroup_parent: Option<String>,
        /// The namespace of cgroups.
        [choices "host" "private"]
        cgroupns_mode: Option<String>,
        /// The command, as text or list.
        command: Option<Value>,
        /// CPU period of the scheduler.
        cpu_period: Option<i64>,
        /// CPU quota of the scheduler.
        cpu_quota: Option<i64>,
        /// Weight of CPU.
        cpu_shares: Option<i64>,
        /// How many CPUs, `1.5`.
        cpus: Option<f64>,
        /// Which CPUs, `0-3`.
        cpuset_cpus: Option<String>,
        /// Which memory nodes.
        cpuset_mems: Option<String>,
        /// Rules for devices.
        device_cgroup_rules: Option<Vec<String>>,
        /// Bytes a second read from devices.
        device_read_bps: Option<Vec<Options<Rate>>>,
        /// Reads a second from devices.
        device_read_iops: Option<Vec<Options<Rate>>>,
        /// Bytes a second written to devices.
        device_write_bps: Option<Vec<Options<Rate>>>,
        /// Writes a second to devices.
        device_write_iops: Option<Vec<Options<Rate>>>,
        /// Further devices, such as GPUs.
        device_requests: Option<Vec<Options<DeviceRequest>>>,
        /// Devices, `HOST:CONTAINER:PERMISSIONS`.
        devices: Option<Vec<String>>,
        /// Options of the resolver.
        dns_opts: Option<Vec<String>>,
        /// Domains of the resolver.
        dns_search_domains: Option<Vec<String>>,
        /// Name servers.
        dns_servers: Option<Vec<String>>,
        /// The domain's name.
        domainname: Option<String>,
        /// The entry point in place of the image's.
        entrypoint: Option<Vec<String>>,
        /// The environment.
        env: Option<Map>,
        /// A file on the host with more of it; `env` wins.
        env_file: Option<Path>,
        /// Names and addresses for /etc/hosts.
        etc_hosts: Option<Map>,
        /// Ports that the container says it listens on.
        [aliases "exposed" "expose"]
        exposed_ports: Option<Vec<String>>,
        /// Further groups.
        groups: Option<Vec<String>>,
        /// How to find out whether the container is healthy.
        healthcheck: Option<Options<Healthcheck>>,
        /// The host's name.
        hostname: Option<String>,
        /// Run an init process.
        init: Option<bool>,
        /// Keep standard input open.
        interactive: Option<bool>;
        ..more: More,
    }
}

args! {
    /// What a container is made of, part two.
    pub struct More {
        /// The IPC namespace.
        ipc_mode: Option<String>,
        /// Limit of kernel memory.
        kernel_memory: Option<String>,
        /// Labels.
        labels: Option<Map>,
        /// Other containers' names, `container:alias`.
        links: Option<Vec<String>>,
        /// The logging driver.
        log_driver: Option<String>,
        /// The logging driver's options.
        [aliases "log_opt"]
        log_options: Option<Map>,
        /// The MAC address.
        mac_address: Option<String>,
        /// Limit of memory, `512M`.
        memory: Option<String>,
        /// Soft limit of memory.
        memory_reservation: Option<String>,
        /// Limit of memory and swap together; `unlimited`.
        memory_swap: Option<String>,
        /// How eagerly memory is swapped, 0 to 100.
        memory_swappiness: Option<i64>,
        /// Mounts.
        mounts: Option<Vec<Options<Mount>>>,
        /// The network mode: `bridge`, `host`, `none`, `container:NAME`, a network.
        network_mode: Option<String>,
        /// Keep the kernel from killing it for memory.
        oom_killer: Option<bool>,
        /// How likely the kernel kills it for memory.
        oom_score_adj: Option<i64>,
        /// The namespace of processes.
        pid_mode: Option<String>,
        /// How many processes; -1: any number.
        pids_limit: Option<i64>,
        /// The platform, `linux/amd64`.
        platform: Option<String>,
        /// With all privileges.
        privileged: Option<bool>,
        /// Publish all ports that are exposed.
        publish_all_ports: Option<bool>,
        /// Ports to publish, as docker's `-p`.
        [aliases "ports"]
        published_ports: Option<Vec<String>>,
        /// The root file system is read-only.
        read_only: Option<bool>,
        /// When the engine starts it again.
        [choices "no" "on-failure" "always" "unless-stopped"]
        restart_policy: Option<String>,
        /// How often, with `on-failure`.
        restart_retries: Option<i64>,
        /// The runtime.
        runtime: Option<String>,
        /// Security options.
        security_opts: Option<Vec<String>>,
        /// Size of /dev/shm.
        shm_size: Option<String>,
        /// The signal that stops it.
        stop_signal: Option<String>,
        /// Seconds until it is killed when it does not stop.
        stop_timeout: Option<i64>,
        /// Options of the storage driver.
        storage_opts: Option<Map>,
        /// Kernel settings.
        sysctls: Option<Map>,
        /// Directories in memory.
        tmpfs: Option<Vec<String>>,
        /// With a terminal.
        tty: Option<bool>,
        /// Limits, `nofile:1024:2048`.
        ulimits: Option<Vec<String>>,
        /// The user that its process runs as.
        user: Option<String>,
        /// The namespace of users.
        userns_mode: Option<String>,
        /// The namespace of host names.
        uts: Option<String>,
        /// The driver of volumes.
        volume_driver: Option<String>,
        /// Volumes, `SOURCE:TARGET[:MODE]`.
        volumes: Option<Vec<String>>,
        /// Containers whose volumes it gets.
        volumes_from: Option<Vec<String>>,
        /// The directory that its process starts in.
        working_dir: Option<String>;
        ..engine: EngineArgs,
    }
}

args! {
    /// A device and a rate.
    pub struct Rate {
        /// The device.
        [required]
        path: String,
        /// How much: a size for bytes, a number for operations.
        [required]
        rate: String,
    }
}

args! {
    /// A request for devices.
    pub struct DeviceRequest {
        /// Lists of capabilities, one of which must be had.
        capabilities: Option<Vec<Value>>,
        /// How many; -1: all.
        count: Option<i64>,
        /// Which.
        device_ids: Option<Vec<String>>,
        /// The driver.
        driver: Option<String>,
        /// Its options.
        options: Option<Map>,
    }
}

args! {
    /// A health check.
    pub struct Healthcheck {
        /// The command, as text or list.
        test: Option<Value>,
        /// How often.
        interval: Option<String>,
        /// How long it may take.
        timeout: Option<String>,
        /// How many failures make it unhealthy.
        retries: Option<i64>,
        /// How long failures do not count at the start.
        start_period: Option<String>,
        /// How often at the start.
        start_interval: Option<String>,
        /// Without `test` the image's check stays.
        test_cli_compatible: bool = false,
    }
}

args! {
    /// A mount.
    pub struct Mount {
        /// Where in the container.
        [required]
        target: String,
        /// A path on the host or a volume.
        source: Option<String>,
        /// What is mounted.
        [choices "bind" "npipe" "tmpfs" "volume" "cluster" "image"]
        r#type: String = "volume".to_owned(),
        /// Only for reading.
        read_only: Option<bool>,
        /// How consistent it is.
        [choices "cached" "consistent" "default" "delegated"]
        consistency: Option<String>,
        /// How mounts below are shared.
        [choices "private" "rprivate" "shared" "rshared" "slave" "rslave"]
        propagation: Option<String>,
        /// Make the directory on the host.
        create_mountpoint: Option<bool>,
        /// Without mounts below.
        non_recursive: Option<bool>,
        /// Read-only, but for mounts below.
        read_only_non_recursive: Option<bool>,
        /// Fail where mounts below cannot be read-only.
        read_only_force_recursive: Option<bool>,
        /// A path within the volume or image.
        subpath: Option<String>,
        /// Do not fill the volume from the image.
        no_copy: Option<bool>,
        /// Labels of the volume.
        labels: Option<Map>,
        /// The volume's driver.
        volume_driver: Option<String>,
        /// Its options.
        volume_options: Option<Map>,
        /// Size of a tmpfs.
        tmpfs_size: Option<String>,
        /// Mode of a tmpfs.
        tmpfs_mode: Option<String>,
        /// Options of a tmpfs, each a name or a map of one.
        tmpfs_options: Option<Vec<Value>>,
    }
}
