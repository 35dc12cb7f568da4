//! `rplay exec` and its name `ansible`: the layout and the exit codes are those that
//! ansible-core 2.19 has for the same options.

#![allow(clippy::unwrap_used, reason = "all of it is test code")]

use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

const HOSTS: &str = "h1 ansible_connection=local\nh2 ansible_connection=local\n\
                     bad ansible_host=127.0.9.9 ansible_port=1 ansible_ssh_common_args='-o ConnectTimeout=1'\n";

/// Runs with an inventory of two local hosts and one that cannot be reached.
fn exec(args: &[&str]) -> (i32, String, String) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("hosts"), HOSTS).unwrap();
    let program = dir.path().join("ansible");
    symlink(env!("CARGO_BIN_EXE_rplay"), &program).unwrap();
    let mut command = Command::new(program);
    command.args(["-i", "hosts"]).args(args).current_dir(dir.path()).stdin(Stdio::null());
    let done = command.env("ANSIBLE_NOCOLOR", "1").env_remove("ANSIBLE_CONFIG").output().unwrap();
    let mut out = String::from_utf8(done.stdout).unwrap();
    for file in std::fs::read_dir(dir.path().join("tree")).into_iter().flatten().flatten() {
        out += &format!("{}: {}\n", file.file_name().display(), std::fs::read_to_string(file.path()).unwrap());
    }
    (done.status.code().unwrap(), out, String::from_utf8(done.stderr).unwrap())
}

fn prints(args: &[&str], code: i32, expected: &str) {
    let (found, out, err) = exec(args);
    assert_eq!((found, &*out), (code, expected), "{args:?}: {err}");
}

fn refused(args: &[&str], code: i32, words: &[&str]) {
    let (found, out, err) = exec(args);
    assert!(found == code && out.is_empty() && words.iter().all(|w| err.contains(w)), "{args:?}: {found} {out}{err}");
}

#[test]
fn a_module_prints_its_result() {
    let ping = "h1 | SUCCESS => {\n    \"changed\": false,\n    \"ping\": \"pong\"\n}\n";
    prints(&["h1", "-m", "ping"], 0, ping);
    prints(&["h1", "-m", "ansible.builtin.ping", "-o"], 0, "h1 | SUCCESS => {\"changed\": false,\"ping\": \"pong\"}\n");
    prints(&["h1", "-m", "debug", "-a", "var=x", "-e", "x=4"], 0, "h1 | SUCCESS => {\n    \"x\": \"4\"\n}\n");
    prints(
        &["h1", "-m", "fail", "-a", "msg=x"],
        2,
        "h1 | FAILED! => {\n    \"changed\": false,\n    \"msg\": \"x\"\n}\n",
    );
    prints(&["localhost", "-m", "ping"], 0, &ping.replace("h1", "localhost"));
    prints(&["h1", "-m", "ping", "-t", "tree"], 0, &format!("{ping}h1: {{\"changed\": false, \"ping\": \"pong\"}}\n"));
}

#[test]
fn a_command_prints_its_output() {
    prints(&["h*", "-f", "1", "-a", "echo hi"], 0, "h1 | CHANGED | rc=0 >>\nhi\nh2 | CHANGED | rc=0 >>\nhi\n");
    prints(&["h1", "-a", "false"], 2, "h1 | FAILED | rc=1 >>\nnon-zero return code\n");
    let failing = "echo a; echo b >&2; exit 3";
    prints(&["h1", "-m", "shell", "-a", failing], 2, "h1 | FAILED | rc=3 >>\nabnon-zero return code\n");
    prints(&["h1", "-a", "printf 'a\\nb\\n'", "-o"], 0, "h1 | CHANGED | rc=0 | (stdout) a\\nb\n");
    prints(&["h1", "-a", "{\"cmd\": \"echo j\"}"], 0, "h1 | CHANGED | rc=0 >>\nj\n");
    let (code, out, _) = exec(&["h1", "-m", "shell", "-a", "echo x; echo e >&2; false", "-o"]);
    assert!(
        code == 2 && out.starts_with("h1 | FAILED | rc=1 | (stdout) x (stderr) e\nh1 | FAILED! => {\"changed\": true,")
    );
    let (code, out, _) = exec(&["h1", "-C", "-a", "touch never"]);
    assert!(code == 0 && out.starts_with("h1 | CHANGED => {"), "{out}");
}

#[test]
fn hosts_that_cannot_be_reached_decide_the_exit_code() {
    let (code, out, _) = exec(&["h1,bad", "-a", "false"]);
    assert!(code == 4 && out.contains("bad | UNREACHABLE! => {\n") && out.contains("h1 | FAILED | rc=1"), "{out}");
    let (code, out, _) = exec(&["bad", "-m", "ping", "-o"]);
    assert!(code == 4 && out.starts_with("bad | UNREACHABLE!: ") && out.lines().count() == 1, "{out}");
}

#[test]
fn hosts_are_listed() {
    prints(&["all", "--list-hosts"], 0, "  hosts (3):\n    h1\n    h2\n    bad\n");
    prints(&[",", "--list-hosts"], 0, "  hosts (3):\n    h1\n    h2\n    bad\n");
    prints(&["{{ which }},,h2", "-e", "which=h1", "--list-hosts"], 0, "  hosts (2):\n    h1\n    h2\n");
    prints(&["all", "-l", "h2", "--list-hosts"], 0, "  hosts (1):\n    h2\n");
    refused(&["nope", "-m", "ping"], 0, &["Could not match supplied host pattern", "No hosts matched"]);
}

#[test]
fn what_cannot_be_run_is_refused_before_a_host_is_contacted() {
    refused(&["h1"], 5, &["No argument passed to command module", "-a"]);
    refused(&["h1", "-m", "pnig"], 4, &["pnig", "`ping`"]);
    refused(&["h1", "-m", "ping", "-a", "daat=x"], 4, &["daat", "`data`", "-a:1:"]);
    prints(&["h1", "-m", "meta", "-a", "noop"], 0, "");
    refused(&["h1", "-m", "meta", "-a", "end_role"], 4, &["Cannot execute 'end_role' from outside of a role"]);
    refused(&["h1", "-a", "true", "-B", "long"], 2, &["-B takes a number of seconds", "`long`"]);
    refused(&["h1", "-a", "true", "--syntax-check"], 5, &["--syntax-check is an option of playbooks"]);
    refused(&["h1", "h2", "-m", "ping"], 2, &["unexpected argument"]);
}
