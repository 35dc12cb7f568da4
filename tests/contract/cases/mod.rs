//! The cases: a module, what is there before, arguments, what comes of it. `$D` is the
//! host's directory, `$L` the controller's.

mod copy;
mod file;
mod text;

use rplay::model::Status;

pub struct Case {
    pub module: &'static str,
    pub setup: &'static [&'static str],
    pub args: &'static str,
    pub status: Status,
    /// What is there afterwards, as `World::assert_has` takes it.
    pub leaves: &'static [(&'static str, &'static str)],
    /// Whether only root can run it.
    pub root: bool,
}

/// Modules whose cases are elsewhere, and why.
pub const ELSEWHERE: &[(&str, &str)] = &[
    ("raw", "the controller runs it over a connection"),
    ("setup", "facts are tested by their parsers and on lab hosts"),
    ("apt", SYSTEM),
    ("docker_compose_v2", DOCKER),
    ("docker_compose_v2_exec", DOCKER),
    ("docker_compose_v2_pull", DOCKER),
    ("docker_compose_v2_run", DOCKER),
    ("docker_container", DOCKER),
    ("docker_container_copy_into", DOCKER),
    ("docker_container_exec", DOCKER),
    ("docker_container_info", DOCKER),
    ("docker_host_info", DOCKER),
    ("docker_image", DOCKER),
    ("docker_image_build", DOCKER),
    ("docker_image_export", DOCKER),
    ("docker_image_info", DOCKER),
    ("docker_image_load", DOCKER),
    ("docker_image_pull", DOCKER),
    ("docker_image_push", DOCKER),
    ("docker_image_remove", DOCKER),
    ("docker_image_tag", DOCKER),
    ("docker_login", DOCKER),
    ("docker_network", DOCKER),
    ("docker_network_info", DOCKER),
    ("docker_prune", DOCKER),
    ("docker_volume", DOCKER),
    ("docker_volume_info", DOCKER),
    ("fetch", "the controller writes what it reads: tests/language"),
    ("wait_for_connection", "the controller tries: tests/language"),
    ("git", GIT),
    ("group", SYSTEM),
    ("service", SYSTEM),
    ("systemd", SYSTEM),
    ("user", SYSTEM),
];

/// Why modules that change a whole system are not tried on the machine that tests run on.
const SYSTEM: &str = "tests/system_modules.rs tries it on a lab host";

/// Why `git` is not tried here.
const GIT: &str = "tests/git.rs tries it on lab hosts, by the same contract";

/// Why Docker's modules are not tried here.
const DOCKER: &str = "tests/docker tries it on an engine, by the same contract";

const fn changes(
    module: &'static str,
    setup: &'static [&'static str],
    args: &'static str,
    leaves: &'static [(&'static str, &'static str)],
) -> Case {
    Case { module, setup, args, status: Status::Changed, leaves, root: false }
}

const fn stays(module: &'static str, setup: &'static [&'static str], args: &'static str) -> Case {
    Case { module, setup, args, status: Status::Ok, leaves: &[], root: false }
}

const fn fails(module: &'static str, setup: &'static [&'static str], args: &'static str) -> Case {
    Case { module, setup, args, status: Status::Failed, leaves: &[], root: false }
}

const fn as_root(mut case: Case) -> Case {
    case.root = true;
    case
}

/// State modules.
pub fn all() -> impl Iterator<Item = &'static Case> {
    file::CASES.iter().chain(copy::CASES).chain(text::CASES)
}

type Other = (&'static str, &'static [&'static str], &'static str, Status, Status);

/// Queries and actions: module, setup, arguments, status of a dry run, of a run.
pub const OTHERS: &[Other] = &[
    ("ping", &[], "{}", Status::Ok, Status::Ok),
    (
        "async_status",
        &["j1={\"started\": true, \"finished\": true, \"changed\": true, \"rc\": 0}"],
        r#"{"jid": "j1", "_async_dir": "$D"}"#,
        Status::Changed,
        Status::Changed,
    ),
    (
        "async_status",
        &["j1={\"started\": true, \"finished\": true, \"failed\": true, \"msg\": \"no\"}"],
        r#"{"jid": "j1", "_async_dir": "$D"}"#,
        Status::Failed,
        Status::Failed,
    ),
    ("async_status", &["j1={"], r#"{"jid": "j1", "_async_dir": "$D"}"#, Status::Failed, Status::Failed),
    ("async_status", &[], r#"{"jid": "j1", "_async_dir": "$D"}"#, Status::Failed, Status::Failed),
    ("async_status", &["j1={}"], r#"{"jid": "j1", "mode": "cleanup", "_async_dir": "$D"}"#, Status::Ok, Status::Ok),
    ("tempfile", &["d/"], r#"{"path": "$D/d", "suffix": ".x"}"#, Status::Changed, Status::Changed),
    ("tempfile", &["d/"], r#"{"path": "$D/d", "state": "directory", "prefix": "p"}"#, Status::Changed, Status::Changed),
    ("tempfile", &[], r#"{"path": "$D/none"}"#, Status::Changed, Status::Failed),
    ("slurp", &["f=x"], r#"{"src": "$D/f"}"#, Status::Ok, Status::Ok),
    ("slurp", &["d/"], r#"{"src": "$D/d"}"#, Status::Failed, Status::Failed),
    ("slurp", &[], r#"{"path": "$D/f"}"#, Status::Failed, Status::Failed),
    ("command", &[], r#"{"argv": ["touch", "$D/f"]}"#, Status::Changed, Status::Changed),
    ("command", &[], r#"{"cmd": "touch $D/f", "creates": "$D/f"}"#, Status::Changed, Status::Changed),
    ("command", &["f.x="], r#"{"cmd": "touch $D/g", "creates": "$D/*.x"}"#, Status::Ok, Status::Ok),
    ("command", &[], r#"{"cmd": "rm $D/f", "removes": "$D/f"}"#, Status::Ok, Status::Ok),
    ("command", &["f="], r#"{"_raw_params": "rm f", "removes": "f", "chdir": "$D"}"#, Status::Changed, Status::Changed),
    ("command", &[], r#"{"cmd": "false"}"#, Status::Changed, Status::Failed),
    ("command", &[], r#"{}"#, Status::Failed, Status::Failed),
    ("command", &[], r#"{"cmd": "a", "argv": ["b"]}"#, Status::Failed, Status::Failed),
    ("shell", &[], r#"{"cmd": "echo a > $D/f; exit 0"}"#, Status::Changed, Status::Changed),
    ("script", &["@s.sh=touch $1"], r#"{"cmd": "s.sh $D/f"}"#, Status::Changed, Status::Changed),
    (
        "script",
        &["@s.sh=#!/bin/sh\nexit 3"],
        r#"{"_raw_params": "s.sh", "chdir": "$D"}"#,
        Status::Changed,
        Status::Failed,
    ),
    (
        "script",
        &["@s.sh=test -d sub && test \"$1\" = 'a b'", "sub/"],
        r#"{"cmd": "s.sh 'a b'", "chdir": "$D", "executable": "bash"}"#,
        Status::Changed,
        Status::Changed,
    ),
    ("script", &["@s.sh=x"], r#"{"cmd": "s.sh", "creates": "$D"}"#, Status::Skipped, Status::Skipped),
    ("script", &["@s.sh=x"], r#"{"cmd": "s.sh", "removes": "$D/f"}"#, Status::Skipped, Status::Skipped),
    ("stat", &["f=x"], r#"{"path": "$D/f"}"#, Status::Ok, Status::Ok),
    ("stat", &[], r#"{"path": "$D/f", "follow": true}"#, Status::Ok, Status::Ok),
    ("stat", &[], r#"{"path": "$D/f", "checksum_algo": "crc"}"#, Status::Failed, Status::Failed),
    ("find", &["f=x"], r#"{"paths": "$D", "file_type": "any", "recurse": true}"#, Status::Ok, Status::Ok),
    ("find", &[], r#"{"paths": "$D/none"}"#, Status::Ok, Status::Ok),
    ("find", &[], r#"{"paths": "$D", "size": "1x"}"#, Status::Failed, Status::Failed),
    ("wait_for", &["f=a b"], r#"{"path": "$D/f", "search_regex": "(a) b"}"#, Status::Ok, Status::Ok),
    ("wait_for", &[], r#"{"path": "$D/f", "state": "absent"}"#, Status::Ok, Status::Ok),
    ("wait_for", &[], r#"{"path": "$D/f", "port": 1}"#, Status::Failed, Status::Failed),
    ("getent", &[], r#"{"database": "passwd", "key": "root"}"#, Status::Ok, Status::Ok),
    ("getent", &[], r#"{"database": "passwd", "key": "nobody at all"}"#, Status::Failed, Status::Failed),
    ("shell", &["f="], r#"{"cmd": "echo", "creates": "$D/f"}"#, Status::Ok, Status::Ok),
    ("shell", &[], r#"{"cmd": "[[ a == a* ]]", "executable": "/bin/bash"}"#, Status::Changed, Status::Changed),
];
