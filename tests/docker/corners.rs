//! What is less often used: pruning, programs that keep credentials, contexts, old engines.

use std::os::unix::fs::PermissionsExt;

use rplay::model::{Status, Value};
use rplay::sys::{NoBlobs, Session};

use crate::compose::plugins;
use crate::container::is;
use crate::engine::Corner;
use crate::images::Registry;

#[test]
fn what_nobody_uses_is_pruned() {
    let Some(corner) = Corner::new("prune") else { return };
    for words in [
        "create --name $N-c --label rplay.prune=$N rplay-t-docker:plain",
        "volume create --label rplay.prune=$N $N-v",
        "network create --label rplay.prune=$N $N-n",
        "network create $N-other",
    ] {
        corner.docker(words).exits(0);
    }
    let filter = r#"{"label": "rplay.prune=$N"}"#;
    let parts: Vec<String> = ["containers", "volumes", "networks", "images"]
        .iter()
        .map(|part| format!(r#""{part}": true, "{part}_filters": {filter}"#))
        .collect();
    let args = format!(
        r#"{{{}, "builder_cache": true, "builder_cache_filters": {{"id": "none"}}, "builder_cache_keep_storage": "1T"}}"#,
        parts.join(", ")
    );
    let before = corner.snapshot();
    is(&corner.run("docker_prune", &args, true), &Status::Changed, "dry");
    assert_eq!(before, corner.snapshot(), "a dry run did something");
    let ran = corner.run("docker_prune", &args, false);
    is(&ran, &Status::Changed, "prune");
    for (key, count) in [("containers", 1), ("volumes", 1), ("networks", 1), ("images", 0)] {
        assert_eq!(ran.result.get(key).and_then(Value::as_list).map(<[Value]>::len), Some(count), "{key}: {ran:?}");
    }
    corner.docker("network inspect $N-other").exits(0);
    is(&corner.run("docker_prune", &args, false), &Status::Ok, "again");
    is(&corner.run("docker_prune", "{}", false), &Status::Ok, "nothing asked for");
}

/// A program that keeps credentials in a file, one registry's at most.
const HELPER: &str = r#"#!/bin/sh
case $1 in
store) cat >$(dirname "$0")/kept ;;
erase) rm -f $(dirname "$0")/kept ;;
get) cat $(dirname "$0")/kept 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
esac
"#;

#[test]
fn a_program_keeps_the_credentials() {
    let Some(corner) = Corner::new("helper") else { return };
    let registry = Registry::start(true);
    let at = &registry.at;
    for dir in ["bin", "cfg"] {
        std::fs::create_dir(corner.dir.path().join(dir)).unwrap();
    }
    let helper = corner.dir.path().join("bin/docker-credential-t");
    std::fs::write(&helper, HELPER).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = corner.dir.path().join("cfg/config.json");
    std::fs::write(&config, r#"{"credsStore": "t"}"#).unwrap();
    let session = || {
        let session = Session::new(Box::new(NoBlobs));
        let path = format!("{}:{}", corner.text("$D/bin"), std::env::var("PATH").unwrap());
        session.set_environment(vec![("PATH".to_owned(), path), ("DOCKER_CONFIG".to_owned(), corner.text("$D/cfg"))]);
        session
    };
    let login = format!(
        r#"{{"registry_url": "{at}", "username": "tester", "password": "secret-1", "config_path": "$D/cfg/config.json"}}"#
    );
    let kept = corner.dir.path().join("bin/kept");
    is(&corner.run_in(&session(), "docker_login", &login, true), &Status::Changed, "dry");
    assert!(!kept.exists(), "a dry run kept something");
    is(&corner.run_in(&session(), "docker_login", &login, false), &Status::Changed, "login");
    assert!(std::fs::read_to_string(&kept).unwrap().contains("secret-1"));
    assert!(!std::fs::read_to_string(&config).unwrap().contains("auths"), "nothing is in the file itself");
    is(&corner.run_in(&session(), "docker_login", &login, false), &Status::Ok, "again");
    let name = format!("{at}/$N-i:1");
    corner.docker(&format!("tag rplay-t-docker:plain {name}")).exits(0);
    let push = format!(r#"{{"name": "{name}"}}"#);
    is(&corner.run_in(&session(), "docker_image_push", &push, false), &Status::Changed, "push with what is kept");
    let logout = login.replacen('{', r#"{"state": "absent", "#, 1);
    is(&corner.run_in(&session(), "docker_login", &logout, false), &Status::Changed, "logout");
    assert!(!kept.exists(), "erased");
    is(&corner.run_in(&session(), "docker_login", &logout, false), &Status::Ok, "logout again");
}

#[test]
fn contexts_say_which_engine() {
    let (Some(corner), Some(plugins)) = (Corner::new("context"), plugins()) else { return };
    let dir = corner.text("$D/cfg");
    std::fs::create_dir(&dir).unwrap();
    std::os::unix::fs::symlink(format!("{plugins}/cli-plugins"), format!("{dir}/cli-plugins")).unwrap();
    for (name, socket) in [("here", "/var/run/docker.sock"), ("nowhere", "/nowhere.sock")] {
        corner.docker(&format!("--config {dir} context create {name} --docker host=unix://{socket}")).exits(0);
    }
    corner.docker(&format!("--config {dir} context use nowhere")).exits(0);
    std::fs::write(corner.dir.path().join("Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n").unwrap();
    let session = Session::new(Box::new(NoBlobs));
    session.set_environment(vec![("DOCKER_CONFIG".to_owned(), dir)]);
    let build = |more: &str| {
        corner.run_in(&session, "docker_image_build", &format!(r#"{{"name": "$N-i", "path": "$D"{more}}}"#), false)
    };
    let ran = build("");
    is(&ran, &Status::Failed, "the current context");
    assert!(ran.message().unwrap().contains("unix:///nowhere.sock"), "{ran:?}");
    // The modules that speak to the engine themselves do not follow contexts, as in Ansible.
    is(&corner.run_in(&session, "docker_host_info", "{}", false), &Status::Ok, "the usual socket");
    is(&build(r#", "cli_context": "here""#), &Status::Changed, "another context");
    is(&build(r#", "docker_host": "unix:///var/run/docker.sock""#), &Status::Ok, "an address");
}
