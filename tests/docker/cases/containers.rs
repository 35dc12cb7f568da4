//! Cases of `docker_container` that are not one option's change (options.rs has those): states,
//! the way there, and what only newer engines have.

use super::{Case, always, changes, fails, needs, stays};

const C: &str = "docker_container";

pub const CASES: &[Case] = &[
    changes(
        C,
        r#"{"name": "$N-c", "image": "rplay-t-docker:plain", "paused": true, "stop_timeout": 1}"#,
        "paused: false -> true",
    ),
    changes(C, r#"{"name": "$N-c", "image": "rplay-t-docker:plain", "paused": false}"#, "paused: true -> false"),
    always(C, r#"{"name": "$N-c", "image": "rplay-t-docker:plain", "restart": true, "stop_timeout": 0}"#, "restarted: no -> yes"),
    stays(C, r#"{"name": "$N-c", "image": "rplay-t-docker:plain", "pull": "never"}"#),
    stays(
        C,
        r#"{"name": "$N-c", "image": "rplay-t-docker:plain", "platform": "linux/amd64", "image_comparison": "current-image"}"#,
    ),
    changes(
        C,
        r#"{"name": "$N-c", "state": "stopped", "force_kill": true, "kill_signal": "KILL"}"#,
        "running: true -> false",
    ),
    changes(
        C,
        r#"{"name": "$N-c", "state": "absent", "keep_volumes": false, "removal_wait_timeout": 20}"#,
        "exists: true -> false",
    ),
    changes(
        C,
        r#"{"name": "$N-h", "image": "rplay-t-docker:plain", "state": "healthy", "healthy_wait_timeout": 30, "healthcheck": {"test": "true", "interval": "200ms", "test_cli_compatible": true}}"#,
        "exists: false -> true",
    ),
    fails(
        C,
        r#"{"name": "$N-h", "image": "rplay-t-docker:rich", "image_label_mismatch": "fail", "labels": {"own": "1"}, "comparisons": {"labels": "strict"}, "force_kill": true}"#,
        "Some labels should be removed but are present in the base image",
    ),
    changes(
        C,
        r#"{"name": "$N-p", "image": "rplay-t-docker:plain", "state": "present", "default_host_ip": "127.0.0.3", "published_ports": ["18780:80"]}"#,
        "exists: false -> true",
    ),
    changes(
        C,
        r#"{"name": "$N-m", "image": "rplay-t-docker:plain", "state": "present", "mounts": [{"source": "$N-mv", "target": "/v", "volume_driver": "local", "volume_options": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}}, {"type": "bind", "source": "$D", "target": "/b", "consistency": "cached"}]}"#,
        "exists: false -> true",
    ),
    changes(
        C,
        r#"{"name": "$N-d", "image": "rplay-t-docker:plain", "state": "present", "device_requests": [{"driver": "x", "count": 1, "options": {"a": "b"}}]}"#,
        "exists: false -> true",
    ),
    changes(
        C,
        r#"{"name": "$N-6", "image": "rplay-t-docker:plain", "state": "present", "networks": [{"name": "$N-6", "ipv6_address": "fd00:6::9"}]}"#,
        "exists: false -> true",
    )
    .after(&["docker network create --ipv6 --subnet fd00:6::/64 --subnet $S.0/24 $N-6"]),
    needs(
        C,
        r#"{"name": "$N-x", "image": "rplay-t-docker:plain", "state": "present", "mounts": [{"type": "bind", "source": "$D/made", "target": "/x", "create_mountpoint": true}]}"#,
        42,
    ),
    needs(
        C,
        r#"{"name": "$N-x", "image": "rplay-t-docker:plain", "state": "present", "mounts": [{"type": "bind", "source": "$D", "target": "/x", "read_only": true, "read_only_non_recursive": true}]}"#,
        44,
    ),
    needs(
        C,
        r#"{"name": "$N-x", "image": "rplay-t-docker:plain", "state": "present", "mounts": [{"type": "bind", "source": "$D", "target": "/x", "read_only": true, "propagation": "rprivate", "read_only_force_recursive": true}]}"#,
        44,
    ),
    needs(
        C,
        r#"{"name": "$N-x", "image": "rplay-t-docker:plain", "state": "present", "mounts": [{"source": "$N-mv", "target": "/x", "subpath": "."}]}"#,
        45,
    ),
    needs(
        C,
        r#"{"name": "$N-x", "image": "rplay-t-docker:plain", "state": "present", "mounts": [{"type": "tmpfs", "target": "/x", "tmpfs_options": ["exec"]}]}"#,
        46,
    ),
    needs(
        C,
        r#"{"name": "$N-x", "image": "rplay-t-docker:plain", "state": "present", "healthcheck": {"test": "true", "start_interval": "1s"}}"#,
        44,
    ),
    needs(
        C,
        r#"{"name": "$N-x", "image": "rplay-t-docker:plain", "state": "present", "networks": [{"name": "$N-6", "mac_address": "92:d0:c6:0a:29:33"}]}"#,
        44,
    ),
];
