//! What is asked of an engine, commands in containers, planned state, and what goes wrong.

use rplay::model::{Status, Value};
use rplay::sys::{NoBlobs, Session};

use crate::container::is;
use crate::engine::{Corner, lines};

#[test]
fn an_engine_is_asked() {
    let Some(corner) = Corner::new("ask") else { return };
    corner.docker("run --detach --name $N-one rplay-t-docker:rich").exits(0);
    let ask = |module: &str, args: &str| {
        let (check, run) = (corner.run(module, args, true), corner.run(module, args, false));
        is(&run, &Status::Ok, args);
        assert_eq!(check.status, run.status, "{args}");
        Value::from(run.result)
    };
    let one = ask("docker_container_info", r#"{"name": "$N-one"}"#);
    assert_eq!(one.get("exists"), Some(&Value::Bool(true)));
    assert_eq!(one.get("container").unwrap().get("Name"), Some(&Value::from(corner.text("/$N-one"))));
    let none = ask("docker_container_info", r#"{"name": "$N-nosuch"}"#);
    assert_eq!((none.get("exists"), none.get("container")), (Some(&Value::Bool(false)), Some(&Value::Null)));
    assert_eq!(ask("docker_network_info", r#"{"name": "bridge"}"#).get("exists"), Some(&Value::Bool(true)));
    let none = ask("docker_volume_info", r#"{"name": "$N-no"}"#);
    assert_eq!((none.get("exists"), none.get("volume")), (Some(&Value::Bool(false)), Some(&Value::Null)));
    let images = ask("docker_image_info", r#"{"name": ["rplay-t-docker:rich", "rplay-t-nosuch"]}"#);
    assert_eq!(images.get("images").unwrap().as_list().unwrap().len(), 1);
    let host = ask(
        "docker_host_info",
        r#"{"containers": true, "containers_filters": {"name": "$N-one"}, "images": true, "networks": true, "volumes": true, "disk_usage": true}"#,
    );
    assert_eq!(host.get("can_talk_to_docker"), Some(&Value::Bool(true)));
    assert_eq!(host.get("containers").unwrap().as_list().unwrap().len(), 1);
    assert!(host.get("host_info").unwrap().get("ServerVersion").is_some());
}

#[test]
fn commands_run_in_containers() {
    let Some(corner) = Corner::new("exec") else { return };
    corner.docker("run --detach --name $N-one rplay-t-docker:plain").exits(0);
    let run = |more: &str| corner.run("docker_container_exec", &format!(r#"{{"container": "$N-one", {more}}}"#), false);
    let check = corner.run("docker_container_exec", r#"{"container": "$N-one", "command": "touch /x"}"#, true);
    assert_eq!((check.status, check.result.get("rc").unwrap().unknown().is_some()), (Status::Changed, true));
    corner.docker("exec $N-one test -e /x").exits(1);
    let text = |o: &rplay::model::Outcome, key: &str| o.result.get(key).unwrap().as_str().unwrap().to_owned();
    let ran = run(
        r#""argv": ["sh", "-c", "pwd; echo $A; id -un; echo no >&2; exit 3"], "chdir": "/etc", "user": "deploy", "env": {"A": "b"}"#,
    );
    is(&ran, &Status::Failed, "exec");
    assert_eq!((ran.message(), ran.result.get("rc")), (Some("non-zero return code"), Some(&Value::Int(3))));
    assert_eq!((text(&ran, "stdout"), text(&ran, "stderr")), ("/etc\nb\ndeploy".into(), "no".into()));
    let ran = run(r#""command": "cat", "stdin": "read", "strip_empty_ends": false"#);
    assert_eq!(text(&ran, "stdout"), "read\n");
    let ran = run(r#""command": "sh -c 'test -t 1 && echo terminal'", "tty": true"#);
    assert_eq!(text(&ran, "stdout"), "terminal");
    let ran = run(r#""command": "true", "detach": true"#);
    assert!(!text(&ran, "exec_id").is_empty());
}

/// What is only planned is known to the tasks that follow.
#[test]
fn a_dry_run_builds_on_what_is_planned() {
    let Some(corner) = Corner::new("planned") else { return };
    let tasks = [
        ("docker_network", r#"{"name": "$N-n"}"#),
        ("docker_volume", r#"{"name": "$N-v"}"#),
        (
            "docker_container",
            r#"{"name": "$N-c", "image": "rplay-t-docker:plain", "networks": [{"name": "$N-n"}], "volumes": ["$N-v:/v"], "env": {"A": "1"}}"#,
        ),
        (
            "docker_container",
            r#"{"name": "$N-c", "image": "rplay-t-docker:plain", "networks": [{"name": "$N-n"}], "volumes": ["$N-v:/v"], "env": {"A": "1"}}"#,
        ),
        ("docker_container", r#"{"name": "$N-c", "image": "rplay-t-docker:plain", "env": {"A": "2"}}"#),
        ("docker_container", r#"{"name": "$N-c", "state": "absent", "force_kill": true}"#),
        ("docker_container", r#"{"name": "$N-c", "state": "absent"}"#),
        ("docker_image_tag", r#"{"name": "rplay-t-docker:plain", "repository": ["$N-i:1"]}"#),
        ("docker_container", r#"{"name": "$N-d", "image": "$N-i:1", "state": "present"}"#),
        ("docker_container", r#"{"name": "$N-d", "image": "$N-i:1", "state": "present", "cpu_shares": 512}"#),
    ];
    let before = corner.snapshot();
    let (dry, real) = (Session::new(Box::new(NoBlobs)), Session::new(Box::new(NoBlobs)));
    let checks: Vec<_> = tasks.iter().map(|(module, args)| corner.run_in(&dry, module, args, true)).collect();
    assert_eq!(before, corner.snapshot());
    for ((module, args), check) in tasks.iter().zip(checks) {
        let ran = corner.run_in(&real, module, args, false);
        assert_ne!(ran.status, Status::Failed, "{args}: {:?}", ran.result);
        assert_eq!(check.status, ran.status, "{args}: {:?} {}", check.result.get("msg"), lines(&check.diff));
        assert_eq!(lines(&check.diff), lines(&ran.diff), "{args}");
    }
}

#[test]
fn what_goes_wrong_is_said() {
    let Some(corner) = Corner::new("wrong") else { return };
    corner.docker("run --detach --name $N-one --publish 127.0.0.1:18770:80 rplay-t-docker:plain").exits(0);
    let c = r#""name": "$N-c", "image": "rplay-t-docker:plain", "state": "present""#;
    let socket = corner.dir.path().join("refuses.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let cases: &[(&str, String, &str)] = &[
        (
            "docker_container",
            r#"{"name": "$N-c", "docker_host": "unix://$D/no.sock"}"#.into(),
            "Error connecting: Error while fetching server API version: cannot connect to unix://$D/no.sock: No such file",
        ),
        ("docker_host_info", r#"{"docker_host": "unix://$D/refuses.sock"}"#.into(), "Connection refused"),
        (
            "docker_host_info",
            r#"{"docker_host": "tcp://127.0.0.1:1", "timeout": 2}"#.into(),
            "cannot connect to tcp://127.0.0.1:1",
        ),
        ("docker_host_info", r#"{"docker_host": "ssh://a@b"}"#.into(), "ssh:// is not supported"),
        ("docker_host_info", r#"{"api_version": "1.12"}"#.into(), "Minimum version required is 1.25"),
        (
            "docker_container",
            r#"{"name": "$N-c", "image": "$N-nosuch", "pull": "never"}"#.into(),
            "Cannot find image with name $N-nosuch, and pull=never",
        ),
        (
            "docker_container",
            r#"{"name": "$N-c", "image": "localhost:1/$N-nosuch"}"#.into(),
            "Error pulling image localhost:1/$N-nosuch",
        ),
        ("docker_container", r#"{"name": "$N-c"}"#.into(), "Cannot create container when image is not specified!"),
        (
            "docker_container",
            format!(r#"{{{c}, "networks": [{{"name": "$N-nosuch"}}]}}"#),
            "network named $N-nosuch could not be found",
        ),
        ("docker_container", format!(r#"{{{c}, "networks": [{{"nam": "x"}}]}}"#), "Unsupported parameters: nam"),
        ("docker_container", format!(r#"{{{c}, "memory": "much"}}"#), "Failed to convert memory to bytes"),
        ("docker_container", format!(r#"{{{c}, "env": {{"A": true}}}}"#), "Non-string value found for env option"),
        (
            "docker_container",
            format!(r#"{{{c}, "comparisons": {{"memory": "allow_more_present"}}}}"#),
            "is a value and not",
        ),
        (
            "docker_container",
            format!(r#"{{{c}, "mounts": [{{"type": "bind", "target": "/x"}}]}}"#),
            "source must be specified",
        ),
        (
            "docker_container",
            format!(
                r#"{{{c}, "mounts": [{{"type": "bind", "source": "/", "target": "/x", "create_mountpoint": true}}]}}"#
            ),
            "Minimum version required is 1.42",
        ),
        ("docker_container", format!(r#"{{{c}, "published_ports": ["host:80:80"]}}"#), "not hostnames"),
        (
            "docker_container",
            format!(r#"{{{c}, "healthcheck": {{"test": ["x"]}}}}"#),
            "must be one of NONE, CMD, CMD-SHELL",
        ),
        (
            "docker_container",
            format!(r#"{{{c}, "log_options": {{"a": "b"}}}}"#),
            "required by 'log_options': log_driver",
        ),
        (
            "docker_container",
            r#"{"name": "$N-p", "image": "rplay-t-docker:plain", "ports": ["127.0.0.1:18770:80"]}"#.into(),
            "port is already allocated",
        ),
        (
            "docker_container_exec",
            r#"{"container": "$N-nosuch", "command": "true"}"#.into(),
            "Could not find container",
        ),
        (
            "docker_container_copy_into",
            r#"{"container": "$N-one", "container_path": "/etc", "content": "x", "mode": 420}"#.into(),
            "is a directory",
        ),
        (
            "docker_container_copy_into",
            r#"{"container": "$N-one", "container_path": "/x", "path": "$D/nosuch"}"#.into(),
            "Cannot find local file",
        ),
        ("docker_network", r#"{"name": "$N-x", "driver": "nosuch"}"#.into(), "Error creating network $N-x"),
        (
            "docker_image",
            r#"{"name": "$N-nosuch", "source": "local"}"#.into(),
            "Cannot find the image $N-nosuch:latest locally.",
        ),
    ];
    for (module, args, words) in cases {
        let before = corner.snapshot();
        let ran = corner.run(module, args, false);
        is(&ran, &Status::Failed, args);
        // Only the engine knows that a port is in use, when it starts what has been made.
        assert!(words.contains("port is") || before == corner.snapshot(), "something was done: {args}");
        let message = ran.message().unwrap_or_default();
        assert!(message.contains(&corner.text(words)), "{args}: {words} in: {message}");
    }
    // With the port free, the next run ends what that one began.
    corner.docker("rm --force $N-one").exits(0);
    let later = r#"{"name": "$N-p", "image": "rplay-t-docker:plain", "ports": ["127.0.0.1:18770:80"]}"#;
    is(&corner.run("docker_container", later, false), &Status::Changed, "with the port free");
    assert_eq!(corner.inspect("$N-p", "{{.State.Running}}"), "true");
}
