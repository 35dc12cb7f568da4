//! Cases of images and of the registry that they go to and come from.

use super::{Case, always, changes, stays};

const IMAGE: &str = "docker_image";
const LOGIN: &str = "docker_login";

pub const CASES: &[Case] = &[
    // Credentials first: the registry asks for them.
    changes(
        LOGIN,
        r#"{"registry_url": "$R", "username": "tester", "password": "secret-1", "config_path": "$D/config/config.json"}"#,
        "user: not logged in -> tester",
    ),
    stays(
        LOGIN,
        r#"{"registry": "$R", "username": "tester", "password": "secret-1", "dockercfg_path": "$D/config/config.json", "reauthorize": false}"#,
    ),
    changes(
        IMAGE,
        r#"{"name": "$N-i", "source": "build", "build": {"path": "$D/context", "args": {"WHO": "me"}, "labels": {"l": "1"}}}"#,
        "$N-i",
    )
    .after(&[
        "/$D/context/Dockerfile=FROM scratch\nARG WHO=nobody\nLABEL who=$WHO\nCOPY . /\n",
        "/$D/context/Other=FROM scratch AS first\nCOPY a /first\nFROM first\nCOPY sub /second\n",
        "/$D/context/a=a",
        "/$D/context/sub/b=b",
        "/$D/context/left-out.log=x",
        "/$D/context/.dockerignore=*.log\nDockerfile\n",
    ]),
    stays(
        IMAGE,
        r#"{"name": "$N-i", "tag": "latest", "source": "build", "force_source": false, "build": {"path": "$D/context"}}"#,
    ),
    changes(
        IMAGE,
        r#"{"name": "$N-o", "tag": "1", "source": "build", "build": {"path": "$D/context", "dockerfile": "Other", "target": "first", "nocache": true, "rm": true, "pull": false, "network": "none", "platform": "linux/amd64", "shm_size": "32M", "etc_hosts": {"extra": "192.0.2.1"}, "cache_from": ["$N-i"], "http_timeout": 60, "use_config_proxy": true, "container_limits": {"cpusetcpus": "0", "cpushares": 512, "memory": "256M", "memswap": "512M"}}}"#,
        "$N-o:1",
    ),
    changes("docker_image_tag", r#"{"name": "$N-i", "repository": ["$N-t:1", "$N-t"]}"#, "absent"),
    stays("docker_image_tag", r#"{"name": "$N-o", "tag": "1", "repository": ["$N-t"], "existing_images": "keep"}"#),
    changes("docker_image_tag", r#"{"name": "$N-o:1", "repository": ["$N-t:1"]}"#, "$N-t:1"),
    changes(IMAGE, r#"{"name": "$N-o:1", "source": "local", "repository": "$N-r:2"}"#, "$N-r:2"),
    changes(IMAGE, r#"{"name": "$N-i", "source": "local", "repository": "$N-r:2", "force_tag": true}"#, "$N-r:2"),
    changes(IMAGE, r#"{"name": "$N-i", "source": "local", "archive_path": "$D/a.tar"}"#, "$D/a.tar"),
    changes("docker_image_export", r#"{"names": ["$N-i", "$N-o:1"], "tag": "latest", "path": "$D/b.tar"}"#, "$D/b.tar"),
    always("docker_image_export", r#"{"names": ["$N-i", "$N-o:1"], "path": "$D/b.tar", "force": true}"#, "$D/b.tar"),
    changes("docker_image_remove", r#"{"name": "$N-t", "tag": "1"}"#, "$N-t:1"),
    changes(IMAGE, r#"{"name": "$N-r:2", "state": "absent"}"#, "$N-r:2"),
    // Under all names, and back out of the archive.
    changes(IMAGE, r#"{"name": "$N-i", "state": "absent", "force_absent": true}"#, "$N-i"),
    changes(IMAGE, r#"{"name": "$N-i", "source": "load", "load_path": "$D/a.tar"}"#, "$N-i"),
    changes("docker_image_remove", r#"{"name": "$N-o:1", "force": true, "prune": false}"#, "$N-o:1"),
    always("docker_image_load", r#"{"path": "$D/b.tar"}"#, ""),
    // To the registry and back.
    always("docker_image_push", r#"{"name": "$R/$N-p", "tag": "1"}"#, "")
        .after(&["docker tag rplay-t-docker:plain $R/$N-p:1"]),
    changes("docker_image_pull", r#"{"name": "$R/$N-p", "tag": "1", "pull": "not_present", "platform": "linux/amd64"}"#, "absent")
        .after(&["docker rmi $R/$N-p:1"]),
    changes(IMAGE, r#"{"name": "$R/$N-p:1", "source": "pull", "pull": {"platform": "linux/amd64"}}"#, "pulled")
        .after(&["docker rmi $R/$N-p:1"]),
    always(IMAGE, r#"{"name": "$N-i", "source": "local", "repository": "$R/$N-i:2", "push": true}"#, "$R/$N-i:2"),
    changes(LOGIN, r#"{"url": "$R", "config_path": "$D/config/config.json", "state": "absent"}"#, "user: logged in -> "),
];
