//! Compose and BuildKit, by the plugins of Docker's command line, against the real engine.

use std::process::Command;

use rplay::model::{Outcome, Status, Value};
use rplay::sys::{NoBlobs, Session};

use crate::common::{run, top};
use crate::container::is;
use crate::engine::{Corner, lines};
use crate::images::Registry;

/// The configuration of Docker's client that has the plugins; nothing where they cannot be had.
pub fn plugins() -> Option<String> {
    let made = run(Command::new(top().join("tests/tools/docker")).arg("plugins"));
    if made.code != 0 {
        let required = std::env::var("CI").is_ok_and(|v| v == "true");
        assert!(!required, "no plugins:\n{}", made.err);
        eprintln!("passed over, since Docker's plugins are not to be had: {}", made.err);
        return None;
    }
    Some(made.out.trim().to_owned())
}

/// A session with this configuration of Docker's client.
fn with(dir: &str) -> Session {
    let session = Session::new(Box::new(NoBlobs));
    session.set_environment(vec![("DOCKER_CONFIG".to_owned(), dir.to_owned())]);
    session
}

/// Runs dry and for real: the same status and diff, and the dry run does nothing.
fn same(corner: &Corner, dir: &str, module: &str, args: &str) -> Outcome {
    let before = corner.snapshot();
    let check = corner.run_in(&with(dir), module, args, true);
    assert_eq!(before, corner.snapshot(), "a dry run did something: {args}");
    let ran = corner.run_in(&with(dir), module, args, false);
    assert_ne!(ran.status, Status::Failed, "{args}: {ran:?}");
    assert_eq!(check.status, ran.status, "{args}: {check:?}\n{ran:?}");
    assert_eq!(lines(&check.diff), lines(&ran.diff), "{args}");
    ran
}

#[test]
fn a_project_may_be_in_the_arguments() {
    let (Some(corner), Some(config)) = (Corner::new("compose"), plugins()) else { return };
    let definition = format!(
        r#"{{"project_name": "$N", "definition": {{"services": {{"one": {{"image": "rplay-t-docker:plain", "command": "sleep 1000", "stop_grace_period": "1s"}}}}}}{}}}"#,
        ""
    );
    let ran = same(&corner, &config, "docker_compose_v2", &definition);
    is(&ran, &Status::Changed, "definition");
    let first = ran.result.get("containers").and_then(Value::as_list).unwrap()[0].clone();
    assert_eq!(first.get("Service").and_then(Value::as_str), Some("one"));
    assert_eq!(first.get("Labels").unwrap().get("com.docker.compose.service").and_then(Value::as_str), Some("one"));
    is(&same(&corner, &config, "docker_compose_v2", &definition), &Status::Ok, "definition again");
    commands(&corner, &config, &definition);
    let gone = definition.replace(r#""project_name""#, r#""state": "absent", "project_name""#);
    let ran = same(&corner, &config, "docker_compose_v2", &gone);
    is(&ran, &Status::Changed, "gone");
    assert_eq!(ran.result.get("containers").and_then(Value::as_list).map(<[Value]>::len), Some(0));
}

/// Commands in a service's container, and in ones of their own.
fn commands(corner: &Corner, dir: &str, project: &str) {
    let said = |module: &str, more: &str, key: &str| {
        let args = project.replacen('{', &format!("{{{more}, \"service\": \"one\", "), 1);
        let ran = corner.run_in(&with(dir), module, &args, false);
        let status = match more {
            _ if more.contains("false\"]") => Status::Failed,
            _ if more.contains("detach") => Status::Ok,
            _ => Status::Changed,
        };
        is(&ran, &status, more);
        ran.result.get(key).map(|v| v.as_str().map_or_else(|| format!("{v:?}"), str::to_owned)).unwrap_or_default()
    };
    let exec = |more: &str, key: &str| said("docker_compose_v2_exec", more, key);
    assert_eq!(exec(r#""argv": ["cat"], "stdin": "hello", "tty": false"#, "stdout"), "hello");
    assert_eq!(
        exec(
            r#""command": "sh -c 'echo $A; pwd; id -un; echo no >&2'", "env": {"A": "b"}, "chdir": "/tmp", "user": "daemon""#,
            "stdout"
        ),
        "b\n/tmp\ndaemon"
    );
    assert_eq!(exec(r#""argv": ["false"], "index": 1"#, "rc"), "Int(1)");
    assert_eq!(exec(r#""argv": ["touch", "/detached"], "detach": true"#, "rc"), "");
    let own = |more: &str, key: &str| said("docker_compose_v2_run", more, key);
    assert_eq!(
        own(
            r#""command": "sh -c 'cat; echo $A'", "stdin": "x", "cleanup": true, "env": {"A": "b"}, "tty": false, "labels": ["l=1"], "no_deps": true, "volumes": ["$D:/mnt"]"#,
            "stdout"
        ),
        "x\nb"
    );
    let id = own(
        r#""command": "sleep 100", "detach": true, "name": "$N-own", "publish": ["127.0.0.1::80"], "cap_drop": ["ALL"], "entrypoint": "nice""#,
        "container_id",
    );
    assert_eq!(id, corner.inspect("$N-own", "{{.Id}}"));
    assert_eq!(corner.inspect("$N-own", "{{.State.Running}} {{.HostConfig.CapDrop}}"), "true [ALL]");
    corner.docker("rm --force $N-own").exits(0);
}

#[test]
fn what_compose_cannot_do_is_said() {
    let (Some(corner), Some(config)) = (Corner::new("composebad"), plugins()) else { return };
    let dir = corner.dir.path().join("bad");
    std::fs::create_dir(&dir).unwrap();
    let fails = |args: &str, words: &str| {
        for check in [true, false] {
            let ran = corner.run_in(&with(&config), "docker_compose_v2", args, check);
            assert_eq!(ran.status, Status::Failed, "{args}: {ran:?}");
            assert!(ran.message().unwrap().contains(words), "{args}: {ran:?}");
        }
    };
    fails(
        r#"{"project_src": "$D/bad"}"#,
        "does not contain compose.yaml, compose.yml, docker-compose.yaml, or docker-compose.yml",
    );
    fails(r#"{"project_src": "$D/none"}"#, "is not a directory");
    fails(r#"{"project_src": "$D/bad", "files": ["x.yml"]}"#, "Cannot find Compose file \"x.yml\"");
    fails(r#"{"project_src": "$D/bad", "definition": {}}"#, "mutually exclusive: definition|project_src");
    fails(r#"{"definition": {}}"#, "required by 'definition': project_name");
    std::fs::write(dir.join("compose.yaml"), "services: {a: {image: x, nosuch: 1}}").unwrap();
    fails(r#"{"project_src": "$D/bad"}"#, "nosuch");
    std::fs::write(dir.join("compose.yaml"), "services: {a: {image: x}}").unwrap();
    fails(r#"{"project_src": "$D/bad", "scale": {"a": -1}}"#, "is negative");
    fails(r#"{"project_src": "$D/bad", "docker_host": "unix:///nowhere"}"#, "Cannot connect to the Docker daemon");
    fails(r#"{"project_src": "$D/bad", "docker_cli": "/no/docker"}"#, "Cannot find docker cli /no/docker");
    fails(r#"{"project_src": "$D/bad", "docker_host": "unix:///x", "cli_context": "a"}"#, "docker_host|cli_context");
    // Without the plugins.
    let ran = corner.run_in(&with(&corner.text("$D")), "docker_compose_v2", r#"{"project_src": "$D/bad"}"#, false);
    // Where the machine has the plugin by itself, it is another failure.
    assert!(matches!(ran.status, Status::Failed), "{ran:?}");
}

#[test]
fn a_project_pulls_its_images() {
    let (Some(corner), Some(config)) = (Corner::new("composepull"), plugins()) else { return };
    let registry = Registry::start(false);
    let name = format!("{}/$N-i:1", registry.at);
    for words in ["tag rplay-t-docker:plain {}", "push {}", "rmi {}"] {
        corner.docker(&words.replace("{}", &name)).exits(0);
    }
    let project = format!(r#""project_name": "$N", "definition": {{"services": {{"a": {{"image": "{name}"}}}}}}"#);
    let pull = |more: &str| format!("{{{project}{more}}}");
    let missing = pull(r#", "policy": "missing", "include_deps": true, "services": ["a"]"#);
    is(&corner.run_in(&with(&config), "docker_compose_v2_pull", &missing, true), &Status::Changed, "missing, dry");
    corner.docker(&format!("image inspect {name}")).exits(1);
    let ran = corner.run_in(&with(&config), "docker_compose_v2_pull", &missing, false);
    is(&ran, &Status::Changed, "missing");
    assert_eq!(
        ran.result.get("actions").unwrap().as_list().unwrap()[0].get("status").and_then(Value::as_str),
        Some("Pulling")
    );
    for args in [&missing, &pull(r#", "ignore_buildable": true"#)] {
        is(&corner.run_in(&with(&config), "docker_compose_v2_pull", args, false), &Status::Ok, args);
    }
    for words in ["tag rplay-t-docker:rich {}", "push {}", "tag rplay-t-docker:plain {}"] {
        corner.docker(&words.replace("{}", &name)).exits(0);
    }
    is(&corner.run_in(&with(&config), "docker_compose_v2_pull", &pull(""), false), &Status::Changed, "something newer");
    let none = pull("").replace("-i:1", "-none");
    is(&corner.run_in(&with(&config), "docker_compose_v2_pull", &none, false), &Status::Failed, "none");
}

#[test]
fn images_are_built_by_buildkit() {
    let (Some(corner), Some(config)) = (Corner::new("buildx"), plugins()) else { return };
    let dir = corner.dir.path().join("context");
    std::fs::create_dir(&dir).unwrap();
    let docker = "FROM rplay-t-docker:plain AS first\nARG WHO=nobody\nLABEL who=$WHO\nRUN --mount=type=secret,id=s cat /run/secrets/s >/secret; \
                  grep -q extra /etc/hosts && touch /hosts; df /dev/shm | tail -n1 >/shm\nFROM first\nRUN touch /second\n";
    std::fs::write(dir.join("Dockerfile"), docker).unwrap();
    std::fs::write(dir.join("Other"), "FROM scratch\nCOPY Other /\n").unwrap();
    let path = r#""path": "$D/context""#;
    let build = format!(
        r#"{{"name": "$N-i", "tag": "1", {path}, "target": "first", "args": {{"WHO": "me"}}, "labels": {{"l": "1"}}, "nocache": true,
            "network": "host", "etc_hosts": {{"extra": "10.0.0.1"}}, "shm_size": "32M", "cache_from": ["$N-i:0"],
            "secrets": [{{"id": "s", "type": "value", "value": "hidden"}}]}}"#
    );
    let ran = same(&corner, &config, "docker_image_build", &build);
    is(&ran, &Status::Changed, "build");
    assert!(lines(&ran.diff).contains("state: absent -> built"), "{}", lines(&ran.diff));
    assert!(ran.result.get("image").unwrap().get("Id").is_some(), "{:?}", ran.result);
    assert_eq!(corner.inspect("$N-i:1", "{{.Config.Labels.who}}{{.Config.Labels.l}}"), "me1");
    assert_eq!(corner.docker("run --rm $N-i:1 cat /secret").exits(0).out, "hidden");
    corner.docker("run --rm $N-i:1 test -f /hosts").exits(0);
    corner.docker("run --rm $N-i:1 test -f /second").exits(1);
    let text = format!("{:?}", ran.result.get("command"));
    assert!(!text.contains("hidden"), "a secret's value in the command: {text}");
    is(&same(&corner, &config, "docker_image_build", &build), &Status::Ok, "again");
    let always = build.replacen('{', r#"{"rebuild": "always", "#, 1);
    is(&same(&corner, &config, "docker_image_build", &always), &Status::Changed, "rebuild");
    let outputs = format!(
        r#"{{"name": "$N-o", {path}, "dockerfile": "Other", "platform": ["linux/amd64"], "outputs": [{{"type": "image", "name": ["$N-a", "$N-b:2"]}}]}}"#
    );
    let ran = corner.run_in(&with(&config), "docker_image_build", &outputs, false);
    if ran.status == Status::Failed {
        // The engine's own BuildKit knows one output at a time; newer ones several.
        assert!(format!("{:?}", ran.result).contains("multiple outputs"), "{ran:?}");
    }
    let local = format!(
        r#"{{"name": "$N-o", {path}, "dockerfile": "Other", "outputs": [{{"type": "image", "name": ["$N-o"]}}]}}"#
    );
    is(&same(&corner, &config, "docker_image_build", &local), &Status::Changed, "output");
    for (args, words) in [
        (r#"{"name": "$N-x", "path": "$D/none"}"#.to_owned(), "is not an existing directory"),
        (format!(r#"{{"name": "$N-x", {path}, "outputs": [{{"type": "tar"}}]}}"#), "missing: dest found in outputs"),
        (
            format!(r#"{{"name": "$N-x", {path}, "secrets": [{{"id": "a", "type": "env"}}]}}"#),
            "missing: env found in secrets",
        ),
        (format!(r#"{{"name": "$N-x", {path}, "dockerfile": "none"}}"#), "$D/context/none\" is not an existing file"),
        (format!(r#"{{"name": "$N-x", {path}, "target": "none"}}"#), "Building $N-x:latest failed"),
    ] {
        let ran = corner.run_in(&with(&config), "docker_image_build", &args, false);
        is(&ran, &Status::Failed, &args);
        assert!(ran.message().unwrap().contains(&corner.text(words)), "{args}: {ran:?}");
    }
}
