//! Cases of networks, volumes, files and commands in containers, and of what is asked of an engine.

use super::{Case, always, changes, needs, stays};

const NETWORK: &str = "docker_network";
const VOLUME: &str = "docker_volume";
const COPY: &str = "docker_container_copy_into";
const EXEC: &str = "docker_container_exec";

pub const CASES: &[Case] = &[
    changes(NETWORK, r#"{"name": "$N-n"}"#, "exists: false -> true").after(&[
        "docker run --detach --name $N-one rplay-t-docker:plain",
        "docker run --detach --name $N-two rplay-t-docker:plain",
        "docker exec $N-one ln -s /tmp/target /to",
        "ln -s $D/one.env $D/link.env",
    ]),
    stays(NETWORK, r#"{"name": "$N-n", "state": "present"}"#),
    changes(
        NETWORK,
        r#"{"name": "$N-n", "driver_options": {"com.docker.network.bridge.enable_icc": false}}"#,
        "driver_options differs",
    ),
    changes(NETWORK, r#"{"name": "$N-n", "labels": {"a": "1"}}"#, "labels differs"),
    changes(NETWORK, r#"{"name": "$N-n", "internal": true}"#, "internal: false -> true"),
    changes(NETWORK, r#"{"name": "$N-n", "attachable": true}"#, "attachable: false -> true"),
    changes(
        NETWORK,
        r#"{"name": "$N-n", "connected": ["$N-one"]}"#,
        "connected.$N-one: not connected -> connected",
    ),
    changes(
        NETWORK,
        r#"{"name": "$N-n", "containers": ["$N-two"], "appends": true}"#,
        "connected.$N-two: not connected",
    ),
    changes(
        NETWORK,
        r#"{"name": "$N-n", "connected": ["$N-two"]}"#,
        "connected.$N-one: connected -> not connected",
    ),
    changes(
        NETWORK,
        r#"{"name": "$N-n", "ipam_config": [{"subnet": "$S.0/24", "gateway": "$S.3", "iprange": "$S.64/26", "aux_addresses": {"x": "$S.70"}}]}"#,
        "ipam_config differs",
    ),
    changes(
        NETWORK,
        r#"{"name": "$N-n", "ipam_driver": "default", "ipam_driver_options": {"foo": "bar"}}"#,
        "ipam_driver_options differs",
    ),
    changes(
        NETWORK,
        r#"{"name": "$N-n", "enable_ipv6": true, "ipam_config": [{"subnet": "fd00:5::/64"}, {"subnet": "$S.0/24"}]}"#,
        "enable_ipv6: false -> true",
    ),
    changes(
        NETWORK,
        r#"{"name": "$N-six", "enable_ipv6": true, "ipam_config": [{"subnet": "fd00:7::/64"}]}"#,
        "exists: false -> true",
    ),
    always(NETWORK, r#"{"name": "$N-n", "driver": "bridge", "force": true}"#, "recreated: force"),
    needs(NETWORK, r#"{"name": "$N-n4", "enable_ipv4": true}"#, 47),
    changes(NETWORK, r#"{"name": "$N-conf", "config_only": true}"#, "exists: false -> true"),
    changes(NETWORK, r#"{"name": "$N-from", "config_from": "$N-conf", "scope": "local", "ingress": false}"#, "exists: false -> true"),
    changes(NETWORK, r#"{"name": "$N-n", "state": "absent"}"#, "exists: true -> false"),
    changes(VOLUME, r#"{"name": "$N-v", "labels": {"a": "1"}}"#, "exists: false -> true"),
    stays(VOLUME, r#"{"name": "$N-v", "labels": {"a": "2"}}"#),
    changes(VOLUME, r#"{"name": "$N-v", "labels": {"a": "2"}, "recreate": "options-changed"}"#, "labels differs"),
    changes(
        VOLUME,
        r#"{"name": "$N-v", "driver": "local", "driver_options": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}, "recreate": "options-changed"}"#,
        "driver_options differs",
    ),
    always(VOLUME, r#"{"name": "$N-v", "recreate": "always"}"#, "created: "),
    changes(VOLUME, r#"{"name": "$N-v", "state": "absent"}"#, "exists: true -> false"),
    changes(
        COPY,
        r#"{"container": "$N-one", "container_path": "etc/x.conf", "content": "a=1\n", "mode": 420}"#,
        "$N-one:/etc/x.conf",
    ),
    changes(
        COPY,
        r#"{"container": "$N-one", "container_path": "/etc/x.conf", "content": "a=2\n", "mode": 420}"#,
        "a=2",
    ),
    stays(
        COPY,
        r#"{"container": "$N-one", "container_path": "/etc/x.conf", "content": "new", "mode": 420, "force": false}"#,
    ),
    changes(
        COPY,
        r#"{"container": "$N-one", "container_path": "/etc/x.conf", "content": "a=2\n", "mode": "0600", "mode_parse": "modern"}"#,
        "mode: 0644 -> 0600",
    ),
    changes(
        COPY,
        r#"{"container": "$N-one", "container_path": "/etc/x.conf", "content": "a=2\n", "mode": 384, "owner_id": 12, "group_id": 13}"#,
        "group_id: 0 -> 13",
    ),
    always(
        COPY,
        r#"{"container": "$N-one", "container_path": "/etc/x.conf", "content": "a=2\n", "mode": 384, "owner_id": 12, "group_id": 13, "force": true}"#,
        "/etc/x.conf",
    ),
    changes(COPY, r#"{"container": "$N-one", "container_path": "/etc/link", "path": "$D/one.env"}"#, "FROM_FILE"),
    changes(
        COPY,
        r#"{"container": "$N-one", "container_path": "/etc/linked", "path": "$D/link.env", "local_follow": false}"#,
        "$D/one.env",
    ),
    changes(
        COPY,
        r#"{"container": "$N-one", "container_path": "/to", "content": "YQBi", "content_is_b64": true, "mode": 420, "follow": true}"#,
        "binary",
    ),
    always(EXEC, r#"{"container": "$N-one", "command": "touch /exec"}"#, ""),
    always(
        EXEC,
        r#"{"container": "$N-one", "argv": ["sh", "-c", "cat >/exec"], "chdir": "/etc", "user": "root", "env": {"A": "b"}, "stdin": "x", "stdin_add_newline": false, "strip_empty_ends": false, "tty": false}"#,
        "",
    ),
    always(EXEC, r#"{"container": "$N-one", "command": "touch /exec", "detach": true}"#, ""),
    stays("docker_container_info", r#"{"name": "$N-one"}"#),
    stays("docker_network_info", r#"{"name": "bridge"}"#),
    stays("docker_volume_info", r#"{"volume_name": "$N-v"}"#),
    stays("docker_image_info", r#"{"name": ["rplay-t-docker:plain"]}"#),
    stays(
        "docker_host_info",
        r#"{"containers": true, "containers_all": true, "containers_filters": {"name": "$N"}, "images": true, "images_filters": {"reference": "$N"}, "networks": true, "networks_filters": {"name": "$N"}, "volumes": true, "volumes_filters": {"name": "$N"}, "disk_usage": true, "verbose_output": true}"#,
    ),
    always(
        "docker_prune",
        r#"{"containers": true, "containers_filters": {"label": "rplay.prune=$N"}, "images": true, "images_filters": {"label": "rplay.prune=$N"}, "networks": true, "networks_filters": {"label": "rplay.prune=$N"}, "volumes": true, "volumes_filters": {"label": "rplay.prune=$N"}, "builder_cache": true, "builder_cache_all": false, "builder_cache_filters": {"id": "none"}, "builder_cache_keep_storage": "1T"}"#,
        "",
    )
    .after(&["docker volume create --label rplay.prune=$N $N-pruned"]),
];
