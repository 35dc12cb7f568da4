//! `docker_container`, option by option.

use rplay::model::{Outcome, Status, Value};

use crate::contract::contract;
use crate::engine::{Corner, lines};
use crate::options::{ANEW, CASES, SAME, STRICT};

/// Arguments for a container: the base, and on top of it some of its own.
pub fn arguments(own: &str) -> String {
    let mut all = format!(r#"{{"name": "$N-c", "force_kill": true, {own}"#);
    for (key, value) in [("image", "rplay-t-docker:plain"), ("state", "present")] {
        if !own.contains(&format!("\"{key}\":")) {
            all.push_str(&format!(r#", "{key}": "{value}""#));
        }
    }
    all + "}"
}

pub fn is(outcome: &Outcome, status: &Status, name: &str) {
    assert_eq!(&outcome.status, status, "{name}: {:?}\n{}", outcome.result.get("msg"), lines(&outcome.diff));
}

fn prepare(corner: &Corner) {
    corner.docker("create --name $N-other rplay-t-docker:plain").exits(0);
    corner.docker("start $N-other").exits(0);
    corner.docker("network create $N-a").exits(0);
    corner.docker("network create --subnet $S.0/24 $N-b").exits(0);
}

#[test]
fn each_option_makes_anew_or_updates() {
    let Some(corner) = Corner::new("options") else { return };
    prepare(&corner);
    let mut failed = Vec::new();
    for case in CASES {
        // All that is wrong is said at once.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| option_holds(&corner, case))).is_err() {
            failed.push(case.0);
        }
        corner.run("docker_container", r#"{"name": "$N-c", "state": "absent", "force_kill": true}"#, false);
    }
    assert!(failed.is_empty(), "{failed:?}");
}

fn option_holds(corner: &Corner, (name, first, second, how, property): &(&str, &str, &str, &str, &str)) {
    let property = corner.text(property);
    contract(corner, "docker_container", &arguments(first), &format!("{name}, first"));
    let id = corner.inspect("$N-c", "{{.Id}}");
    let ran = contract(corner, "docker_container", &arguments(second), &format!("{name}, second"));
    let diff = lines(&ran.diff);
    assert!(diff.contains(how), "{name}: {how} in\n{diff}");
    assert!(diff.contains(&format!("{property}: ")), "{name}: {property} in\n{diff}");
    assert_eq!(id != corner.inspect("$N-c", "{{.Id}}"), *how == ANEW, "{name}: {diff}");
}

#[test]
fn what_is_the_same_stays() {
    let Some(corner) = Corner::new("same") else { return };
    prepare(&corner);
    for (first, second) in SAME {
        is(&corner.run("docker_container", &arguments(first), false), &Status::Changed, first);
        is(&corner.run("docker_container", &arguments(second), false), &Status::Ok, second);
        corner.run("docker_container", r#"{"name": "$N-c", "state": "absent"}"#, false);
    }
    for (first, second, property) in STRICT {
        is(&corner.run("docker_container", &arguments(first), false), &Status::Changed, first);
        let ran = corner.run("docker_container", &arguments(second), false);
        is(&ran, &Status::Changed, second);
        assert!(lines(&ran.diff).contains(&format!("{property}: ")), "{second}: {}", lines(&ran.diff));
        corner.run("docker_container", r#"{"name": "$N-c", "state": "absent"}"#, false);
    }
}

#[test]
fn states_are_reached_and_kept() {
    let Some(corner) = Corner::new("states") else { return };
    let state = |state: &str, more: &str| {
        let image = if state == "absent" { "" } else { r#", "image": "rplay-t-docker:plain""# };
        format!(r#"{{"name": "$N-c", "state": "{state}", "force_kill": true{image}{more}}}"#)
    };
    let status = || corner.inspect("$N-c", "{{.State.Status}}");
    for (wanted, more, expected) in [
        ("present", "", "created"),
        ("started", "", "running"),
        ("started", r#", "paused": true"#, "paused"),
        ("started", r#", "paused": false"#, "running"),
        ("stopped", "", "exited"),
        ("healthy", r#", "healthcheck": {"test": "true", "interval": "200ms"}"#, "running"),
        ("stopped", r#", "hostname": "new""#, "created"),
    ] {
        contract(&corner, "docker_container", &state(wanted, more), &format!("{wanted}{more}"));
        assert_eq!(status(), expected, "{wanted}{more}");
    }
    contract(&corner, "docker_container", &state("absent", ""), "absent");
    // Restart is a change each time.
    corner.run("docker_container", &state("started", ""), false);
    let started = corner.inspect("$N-c", "{{.State.StartedAt}}");
    let ran = corner.run("docker_container", &state("started", r#", "restart": true"#), false);
    is(&ran, &Status::Changed, "restart");
    assert_ne!(started, corner.inspect("$N-c", "{{.State.StartedAt}}"));
}

#[test]
fn a_process_is_waited_for_and_its_output_kept() {
    let Some(corner) = Corner::new("wait") else { return };
    let run = |command: &str, more: &str| {
        let args = format!(
            r#"{{"name": "$N-c", "image": "rplay-t-docker:plain", "detach": false, "command": ["sh", "-c", "{command}"]{more}}}"#
        );
        corner.run("docker_container", &args, false)
    };
    let output = |o: &Outcome| o.result.get("container").and_then(|c| c.get("Output")).cloned();
    let ran = run("echo out; sleep 0.2; echo err >&2", "");
    is(&ran, &Status::Changed, "detach");
    assert_eq!((ran.result.get("status"), output(&ran)), (Some(&Value::Int(0)), Some(Value::from("out\nerr\n"))));
    let failed = run("echo no; exit 3", r#", "cleanup": true"#);
    is(&failed, &Status::Failed, "exit status");
    assert_eq!((failed.result.get("status"), failed.message()), (Some(&Value::Int(3)), Some("no\n")));
    assert!(!corner.snapshot().contains("-c/"), "cleaned up");
}

/// `healthy` is waited for, and not for longer than asked; what is there stays as it is.
#[test]
fn health_is_waited_for() {
    let Some(corner) = Corner::new("health") else { return };
    let args = |test: &str, more: &str| {
        format!(
            r#"{{"name": "$N-c", "image": "rplay-t-docker:plain", "state": "healthy", "force_kill": true,
                "healthcheck": {{"test": "{test}", "interval": "100ms", "retries": 1}}{more}}}"#
        )
    };
    let well = args("test -f /tmp/well", r#", "healthy_wait_timeout": 1.5"#);
    let ran = corner.run("docker_container", &well, false);
    is(&ran, &Status::Failed, "never healthy");
    assert!(
        ran.message()
            .unwrap()
            .contains("Timeout exceeded while waiting for container $N-c".replace("$N", &corner.name).as_str()),
        "{ran:?}"
    );
    // It runs, and gets well.
    corner.docker("exec $N-c touch /tmp/well").exits(0);
    let ran = corner.run("docker_container", &args("test -f /tmp/well", r#", "healthy_wait_timeout": 0"#), false);
    is(&ran, &Status::Ok, "healthy");
    let ended = args("true", "").replace(r#""force_kill""#, r#""command": "true", "force_kill""#);
    let ran = corner.run("docker_container", &ended, false);
    assert!(ran.message().unwrap().contains("stopped running while waiting"), "{ran:?}");
    let without = r#"{"name": "$N-n", "image": "rplay-t-docker:plain", "state": "healthy", "force_kill": true}"#;
    let ran = corner.run("docker_container", without, false);
    assert!(ran.message().unwrap().contains("has no health check"), "{ran:?}");
}

/// What the engine warns of is a warning of the task.
#[test]
fn the_engine_warns() {
    let Some(corner) = Corner::new("warns") else { return };
    let made = r#"{"name": "$N-c", "image": "rplay-t-docker:plain", "state": "present", "memory": "64M", "kernel_memory": "32M", "blkio_weight": 300}"#;
    let dry = corner.run("docker_container", made, true);
    assert!(dry.warnings.is_empty(), "{dry:?}");
    let ran = corner.run("docker_container", made, false);
    is(&ran, &Status::Changed, "made");
    assert!(ran.warnings.iter().any(|w| w.starts_with("Docker warning: ") && w.contains("kernel memory")), "{ran:?}");
}
