//! Cases of what Docker's command line does: projects of Compose, and builds with BuildKit.

use super::{Case, always, changes, lacks, quiet, stays};

const UP: &str = "docker_compose_v2";
const PULL: &str = "docker_compose_v2_pull";
const EXEC: &str = "docker_compose_v2_exec";
const RUN: &str = "docker_compose_v2_run";
const BUILD: &str = "docker_image_build";

pub const CASES: &[Case] = &[
    changes(UP, r#"{"project_src": "$D/p", "project_name": "$N"}"#, "container $N-web-1:  -> Creating").after(&[
        "/$D/p/compose.yaml=services:\n  web:\n    image: rplay-t-docker:plain\n    command: sleep 1000\n    stop_grace_period: 1s\n    volumes: [{type: volume, source: data, target: /data}]\n  worker:\n    image: rplay-t-docker:plain\n    command: sleep 1000\n    stop_grace_period: 1s\n    profiles: [more]\nvolumes: {data: {}}\n",
        "/$D/p/other.yml=services:\n  web:\n    image: rplay-t-docker:plain\n    command: sleep 1000\n    stop_grace_period: 1s\n    environment: {A: \"${A}\"}\nvolumes: {data: {}}\n",
        "/$D/p/a.env=A=from-file\n",
    ]),
    changes(
        UP,
        r#"{"project_src": "$D/p", "project_name": "$N", "scale": {"web": 2}}"#,
        "container $N-web-2:  -> Creating",
    ),
    stays(
        UP,
        r#"{"project_src": "$D/p", "project_name": "$N", "scale": {"web": 2}, "pull": "never", "build": "never", "wait": true, "wait_timeout": 30, "ignore_build_events": true}"#,
    ),
    changes(UP, r#"{"project_src": "$D/p", "project_name": "$N"}"#, "container $N-web-2:  -> Removing"),
    always(
        UP,
        r#"{"project_src": "$D/p", "project_name": "$N", "recreate": "always", "renew_anon_volumes": true}"#,
        "container $N-web-1:  -> Recreat",
    ),
    changes(
        UP,
        r#"{"project_src": "$D/p", "project_name": "$N", "profiles": ["more"], "services": ["worker"], "dependencies": false}"#,
        "container $N-worker-1:  -> Creating",
    ),
    changes(
        UP,
        r#"{"project_src": "$D/p", "project_name": "$N", "profiles": ["more"], "state": "stopped", "timeout": 1}"#,
        "container $N-worker-1:  -> Stopping",
    ),
    changes(
        UP,
        r#"{"project_src": "$D/p", "project_name": "$N", "recreate": "never"}"#,
        "container $N-web-1:  -> Starting",
    ),
    changes(
        UP,
        r#"{"project_src": "$D/p", "project_name": "$N", "files": ["other.yml"], "env_files": ["a.env"], "remove_orphans": true}"#,
        "container $N-worker-1:  -> Removing",
    ),
    stays(
        UP,
        r#"{"project_src": "$D/p", "project_name": "$N", "files": ["other.yml"], "env_files": ["a.env"], "check_files_existing": false}"#,
    ),
    always(
        UP,
        r#"{"project_src": "$D/p", "project_name": "$N", "state": "restarted", "timeout": 1}"#,
        "container $N-web-1:  -> Restarting",
    ),
    changes(
        UP,
        r#"{"project_src": "$D/p", "project_name": "$N", "state": "absent", "remove_volumes": true, "remove_images": "local", "timeout": 1}"#,
        "volume $N_data:  -> Removing",
    ),
    lacks(UP, r#"{"project_src": "$D/p", "project_name": "$N", "state": "stopped", "assume_yes": true}"#, "assume_yes=true needs Docker Compose 2.32.0"),
    // The same from arguments alone; the commands are in its container.
    changes(
        UP,
        r#"{"project_name": "$N", "definition": {"services": {"one": {"image": "rplay-t-docker:plain", "command": "sleep 1000", "stop_grace_period": "1s"}}}}"#,
        "container $N-one-1:  -> Creating",
    ),
    always(
        EXEC,
        r#"{"project_src": "$D/one", "project_name": "$N", "service": "one", "argv": ["cat"], "stdin": "x", "stdin_add_newline": false, "strip_empty_ends": false, "tty": false, "index": 1, "privileged": false, "user": "root", "chdir": "/tmp", "env": {"A": "b"}}"#,
        "",
    )
    .after(&["/$D/one/compose.yaml=services: {one: {image: rplay-t-docker:plain, command: sleep 1000, stop_grace_period: 1s}}"]),
    quiet(
        EXEC,
        r#"{"project_src": "$D/one", "project_name": "$N", "service": "one", "command": "true", "detach": true, "files": ["compose.yaml"], "env_files": ["../p/a.env"], "profiles": ["x"], "check_files_existing": true}"#,
    ),
    always(
        EXEC,
        r#"{"definition": {"services": {"one": {"image": "rplay-t-docker:plain"}}}, "project_name": "$N", "service": "one", "command": "true"}"#,
        "",
    ),
    always(
        RUN,
        r#"{"definition": {"services": {"one": {"image": "rplay-t-docker:plain"}}}, "project_name": "$N", "service": "one", "argv": ["cat"], "stdin": "x", "stdin_add_newline": false, "strip_empty_ends": false, "cleanup": true, "tty": false, "interactive": true, "labels": ["l=1"], "no_deps": true, "volumes": ["$D:/mnt"], "user": "root", "chdir": "/tmp", "env": {"A": "b"}, "quiet_pull": true, "service_ports": true, "use_aliases": true, "cap_add": ["NET_ADMIN"], "cap_drop": ["MKNOD"], "build": false, "remove_orphans": false}"#,
        "",
    ),
    quiet(
        RUN,
        r#"{"project_src": "$D/one", "project_name": "$N", "service": "one", "command": "100", "entrypoint": "sleep", "detach": true, "publish": ["127.0.0.1::80"], "cleanup": true, "files": ["compose.yaml"], "env_files": ["../p/a.env"], "profiles": ["x"], "check_files_existing": true}"#,
    ),
    always(
        RUN,
        r#"{"project_src": "$D/one", "project_name": "$N", "service": "one", "command": "true", "name": "$N-own"}"#,
        "",
    )
    // A second run may not have the name; the dry run has left nothing.
    .after(&["docker rm --force $N-own >/dev/null 2>&1 || true"]),
    changes(UP, r#"{"project_src": "$D/one", "project_name": "$N", "state": "absent", "remove_orphans": true}"#, "Removing"),
    changes(
        PULL,
        r#"{"project_name": "$N", "definition": {"services": {"a": {"image": "$R/$N-p:1"}}}, "policy": "missing", "include_deps": true, "ignore_buildable": true, "services": ["a"]}"#,
        "a",
    )
    .after(&["docker tag rplay-t-docker:plain $R/$N-p:1 && docker push $R/$N-p:1 && docker rmi $R/$N-p:1"]),
    changes(
        PULL,
        r#"{"project_src": "$D/pull", "project_name": "$N", "policy": "missing", "files": ["compose.yaml"], "env_files": ["../p/a.env"], "profiles": ["x"], "check_files_existing": true}"#,
        "a",
    )
    .after(&["docker rmi $R/$N-p:1", "/$D/pull/compose.yaml=services: {a: {image: \"$R/$N-p:1\"}}"]),
    changes(
        BUILD,
        r#"{"name": "$N-i", "tag": "1", "path": "$D/context", "target": "first", "args": {"WHO": "me"}, "labels": {"l": "1"}, "nocache": true, "network": "host", "etc_hosts": {"extra": "192.0.2.1"}, "shm_size": "32M", "cache_from": ["$N-i:0"], "pull": false, "secrets": [{"id": "s", "type": "value", "value": "hidden"}, {"id": "f", "type": "file", "src": "$D/one.env"}, {"id": "e", "type": "env", "env": "PATH"}]}"#,
        "state: absent -> built",
    )
    .after(&[
        "/$D/context/Dockerfile=FROM rplay-t-docker:plain AS first\nARG WHO=nobody\nLABEL who=$WHO\nRUN --mount=type=secret,id=s --mount=type=secret,id=f --mount=type=secret,id=e cat /run/secrets/s /run/secrets/f /run/secrets/e >/secret\n",
        "/$D/context/Other=FROM scratch\nCOPY Other /\n",
    ]),
    stays(BUILD, r#"{"name": "$N-i:1", "path": "$D/context", "rebuild": "never"}"#),
    always(
        BUILD,
        r#"{"name": "$N-i:1", "path": "$D/context", "dockerfile": "Other", "platform": ["linux/amd64"], "rebuild": "always"}"#,
        "state: built before -> built",
    ),
    always(
        BUILD,
        r#"{"name": "$N-o", "path": "$D/context", "dockerfile": "Other", "outputs": [{"type": "image", "name": ["$N-o"], "push": false}]}"#,
        "state: absent -> built",
    ),
    lacks(
        BUILD,
        r#"{"name": "$N-d", "path": "$D/context", "dockerfile": "Other", "outputs": [{"type": "local", "dest": "$D/out"}, {"type": "docker", "context": "default"}]}"#,
        "multiple outputs currently unsupported",
    ),
];
