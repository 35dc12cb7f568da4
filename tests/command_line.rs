//! The program as a user meets it: forms of output, pipes that break, interruptions, `--step`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "all of it is test code")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn project() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language")
}

fn rplay(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
    command.args(["-i", "inventory/hosts"]).args(args).current_dir(project()).stdin(Stdio::null());
    command
}

/// Runs a playbook of `tests/language` that writes into a directory of its own.
fn output(args: &[&str]) -> (Option<i32>, String) {
    let out = tempfile::tempdir().unwrap();
    let done = rplay(args).arg("-e").arg(format!("out={}", out.path().display())).output().unwrap();
    (done.status.code(), String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap())
}

#[test]
fn what_no_log_hides_is_nowhere() {
    for form in [&["-vvv"][..], &["--diff", "-vvv"], &["--output", "json"], &["--output", "jsonl"], &["--check", "-D"]]
    {
        let (_, text) = output(&[&["no_log.yml"], form].concat());
        assert!(text.contains("Hidden"), "{form:?}: {text}");
        assert!(!text.contains("hunter2"), "{form:?}: {text}");
    }
}

#[test]
fn json_is_one_document_and_jsonl_an_object_a_line() {
    let (code, text) = output(&["loops.yml", "--output", "json"]);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &document["stats"]["a"]["failures"]), (Some(2), &serde_json::json!(1)));
    let (_, text) = output(&["loops.yml", "--output", "jsonl"]);
    let events: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.first().unwrap()["event"], "run_started");
    assert_eq!(events.last().unwrap()["stats"], document["stats"]);
    let items = events.iter().filter(|e| e["event"] == "item_done").count();
    assert!(items > 40, "{items}");
}

#[test]
fn v_says_more() {
    let (_, text) = output(&["roles.yml", "-vvv"]);
    assert!(text.contains("No config file found; using defaults"), "{text}");
    assert!(text.contains("/roles/top/tasks/main.yml:1:3") && text.contains("<a> EXEC on this machine"), "{text}");
    let args = ["-e", "keep=true", "--private-key", "/dev/null", "-vvv", "unreachable.yml"];
    let (_, text) = output(&args);
    assert!(text.contains("<b> EXEC ssh ") && text.contains("-p 1 -i /dev/null"), "{text}");
    assert!(!output(&["roles.yml"]).1.contains("on this machine"));
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run() {
    let out = tempfile::tempdir().unwrap();
    let mut child = rplay(&["arguments.yml", "-e", &format!("out={}", out.path().display())])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(out.path().join("file10").exists());
}

/// The number that a `sleep` of this test alone has, so that it can be told from others.
fn seconds(add: u32) -> String {
    (100_000 + std::process::id() % 100_000 + add * 1_000_000).to_string()
}

fn sleeping(seconds: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|e| std::fs::read(e.path().join("cmdline")).ok());
    lines.filter(|line| *line == format!("sleep\0{seconds}\0").into_bytes()).count()
}

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "no {what} after 20 seconds");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Two hosts that sleep; returns the run once both do.
fn sleepers(seconds: &str) -> Child {
    let dir = tempfile::tempdir().unwrap();
    let playbook = dir.path().join("sleep.yml");
    std::fs::write(
        &playbook,
        format!("- hosts: web\n  gather_facts: false\n  tasks:\n    - command: sleep {seconds}\n"),
    )
    .unwrap();
    let child = rplay(&[]).arg(&playbook).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("sleep", || sleeping(seconds) == 2);
    child
}

#[test]
fn an_interrupted_run_leaves_nothing_running() {
    for (number, (signal, code)) in [("INT", Some(99)), ("TERM", None), ("KILL", None)].into_iter().enumerate() {
        let seconds = seconds(u32::try_from(number).unwrap());
        let mut child = sleepers(&seconds);
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().unwrap();
        assert!(sent.success());
        assert_eq!(child.wait().unwrap().code(), code, "{signal}");
        wait_for("end of what was started", || sleeping(&seconds) == 0);
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text.contains("user interrupted execution"), signal == "INT", "{text}");
    }
}

/// `--step` asks on the terminal, whatever standard input is.
#[test]
fn step_asks_before_each_task() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let terminal = || std::fs::OpenOptions::new().read(true).write(true).open(&name).unwrap();
    let mut child = Command::new("setsid")
        .args(["--ctty", "--wait", env!("CARGO_BIN_EXE_rplay"), "-i", "inventory/hosts", "extra.yml", "--step"])
        .current_dir(project())
        .stdin(terminal())
        .stdout(terminal())
        .stderr(terminal())
        .spawn()
        .unwrap();
    let mut master = std::fs::File::from(master);
    master.write_all(b"y\nn\nc\n").unwrap();
    // Reading fails when the last one has closed the terminal.
    let mut text = Vec::new();
    let _ = master.read_to_end(&mut text);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("Perform task: TASK: ansible.builtin.set_fact (N)o/(y)es/(c)ontinue:"), "{text}");
    assert!(text.contains("ok=2 ") && !text.contains("TASK [ansible.builtin.set_fact]"), "{text}");
}

#[test]
fn the_number_of_connects_is_checked_wherever_it_comes_from() {
    let play = "handlers.yml";
    let (code, said) = output(&["--connect-forks", "0", play]);
    assert!(code == Some(5) && said.contains("at least 1"), "{said}");
    let with = |value: &str| {
        let output = rplay(&["--syntax-check", play]).env("RPLAY_CONNECT_FORKS", value).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = with("many");
    assert!(code == Some(5) && said.contains("RPLAY_CONNECT_FORKS is `many`"), "{said}");
    assert_eq!(with("3").0, Some(0));
    let dir = tempfile::tempdir().unwrap();
    let cfg = dir.path().join("ansible.cfg");
    std::fs::write(&cfg, "[rplay]\nconnect_forks = -1\n").unwrap();
    let output = rplay(&["--syntax-check", play]).env("ANSIBLE_CONFIG", &cfg).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(5) && said.contains("ansible.cfg:2:1"), "{said}");
}

#[test]
fn files_are_left_where_and_as_the_playbook_says() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("part.txt", "part\n");
    write("t.j2", "a {% include 'part.txt' %}!\n{% for x in [1, 2] %}{{ x }}{% endfor %}\n");
    write("k.j2", "#jinja2: keep_trailing_newline: True\n{% include 'part.txt' %}!\n");
    write(
        "site.yml",
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - file: {path: touched, state: touch}\n    \
         - template: {src: t.j2, dest: t}\n    - template: {src: k.j2, dest: k}\n",
    );
    let args = ["-i", "here,", "-c", "local", "site.yml"];
    let done = Command::new(env!("CARGO_BIN_EXE_rplay")).args(args).current_dir(dir.path()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!((read("touched"), read("t"), read("k")), ("".into(), "a part!\n12\n".into(), "part\n!\n".into()));
}

#[test]
fn config_says_what_is_set_and_by_whom() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ansible.cfg"), "[defaults]\nforks = 7\nfork = 8\n").unwrap();
    let config = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
        command.arg("config").args(args).current_dir(dir.path()).env_remove("ANSIBLE_CONFIG");
        let done = command.env("ANSIBLE_TIMEOUT", "3").output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (done.status.code(), text(done.stdout), text(done.stderr))
    };
    let file = dir.path().canonicalize().unwrap().join("ansible.cfg").display().to_string();
    let (code, text, said) = config(&["dump", "--only-changed"]);
    let want =
        format!("CONFIG_FILE() = {file}\nDEFAULT_FORKS({file}) = 7\nDEFAULT_TIMEOUT(env: ANSIBLE_TIMEOUT) = 3\n");
    assert_eq!((code, text), (Some(0), want));
    assert!(said.contains("`fork` in [defaults] is no setting") && said.contains("ansible.cfg:3:1"), "{said}");
    assert!(said.contains("did you mean `forks`?"), "{said}");
    let (_, text, _) = config(&["dump", "--only-changed", "--format", "json"]);
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let timeout = serde_json::json!({"name": "DEFAULT_TIMEOUT", "origin": "env: ANSIBLE_TIMEOUT", "value": 3});
    assert_eq!((&all[2], all.as_array().unwrap().len()), (&timeout, 3));
    let (_, text, _) = config(&["list", "--format", "json"]);
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(all["DEFAULT_FORKS"]["env"][0]["name"], "ANSIBLE_FORKS");
    assert_eq!(config(&["view"]).1, "[defaults]\nforks = 7\nfork = 8\n");
    let (code, _, said) = config(&["dump", "-c", "nope.cfg"]);
    assert!(code == Some(1) && said.contains("nope.cfg"), "{code:?} {said}");
    std::fs::remove_file(dir.path().join("ansible.cfg")).unwrap();
    assert_eq!(config(&["view"]).0, Some(1));
}

#[test]
fn an_interruption_ends_a_run_that_waits_for_a_lookup_and_what_that_started() {
    let dir = tempfile::tempdir().unwrap();
    let lookup = "echo $$ >> started; exec sleep 1000";
    let play = format!(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - debug: {{msg: \"{{{{ lookup('pipe', '{lookup}') }}}}\"}}\n"
    );
    std::fs::write(dir.path().join("site.yml"), play).unwrap();
    // More hosts than threads: all of these wait.
    let hosts = (0..40).map(|n| format!("h{n},")).collect::<String>();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
    command.args(["-i", &hosts, "-c", "local", "site.yml"]).current_dir(dir.path()).stdin(Stdio::null());
    let mut run = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let started = || std::fs::read_to_string(dir.path().join("started")).unwrap_or_default();
    while !started().ends_with('\n') {
        std::thread::sleep(Duration::from_millis(20));
    }
    Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
    let mut said = String::new();
    run.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(99), "{said}");
    assert!(said.contains("user interrupted execution"), "{said}");
    for pid in started().lines() {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(!line.starts_with(b"sleep"), "{pid} is still there");
    }
}

#[test]
fn failures_are_shown_with_their_place_and_logged_with_their_level() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write(
        "site.yml",
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - fail: {msg: nope}\n      ignore_errors: true\n    \
         - command: pwd\n      register: where\n    - debug: {var: where.stdout}\n",
    );
    // What runs on this machine runs in the playbook's directory.
    let site = dir.path().join("site.yml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
    command.args(["-i", "here,", "-c", "local"]).arg(&site).current_dir("/");
    let done = command.env("ANSIBLE_LOG_PATH", dir.path().join("log")).env("ANSIBLE_LOG_VERBOSITY", "3");
    let done = done.output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let place = format!(
        "[ERROR]: Task failed: Action failed: nope\nOrigin: {}:4:7\n\n2   gather_facts: false\n3   tasks:\n4     - \
         fail: {{msg: nope}}\n        ^ column 7\n\nfatal: [here]: FAILED! => ",
        site.display()
    );
    assert!(text.contains(&place), "{text}");
    let real = std::fs::canonicalize(dir.path()).unwrap();
    assert!(text.contains(&format!("\"where.stdout\": \"{}\"", real.display())), "{text}");
    assert!(!text.contains("EXEC"), "{text}");
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    for words in
        ["n=rplay INFO| TASK [fail]", "n=rplay ERROR| [ERROR]: Task failed: Action failed: nope", "INFO| <here> EXEC "]
    {
        assert!(log.contains(words), "no {words} in\n{log}");
    }
}

#[test]
fn roles_may_run_once_and_have_directories_of_variables() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("roles/r/defaults/main/00.yml", "a: 1\nb: 1\n");
    write("roles/r/defaults/main/01.yml", "b: 2\n");
    write("roles/r/tasks/main.yml", "- debug: {msg: \"ran {{ a }} {{ b }} {{ c }}\"}\n");
    write(
        "site.yml",
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - import_role: {role: r, allow_duplicates: '{{ false }}'}\n    \
         - include_role: {name: r}\n    - include_role: {name: r, allow_duplicates: false}\n    \
         - import_role: {name: r, allow_duplicates: false}\n",
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
    command.args(["-i", "here,", "-c", "local", "site.yml", "-e", "{\"c\": {\"__ansible_unsafe\": \"{{ a }}\"}}"]);
    let done = command.current_dir(dir.path()).output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    assert_eq!(text.matches("ran 1 2 {{ a }}").count(), 2, "{text}");
    assert!(done.status.success(), "{text}");
}

/// Items that are delegated each to a host of its own: the others are tried.
#[test]
fn an_item_whose_host_cannot_be_reached_does_not_keep_others_from_theirs() {
    let dir = tempfile::tempdir().unwrap();
    let play = "- hosts: here\n  gather_facts: false\n  tasks:\n    - command: echo {{ item }}\n      \
                delegate_to: \"{{ item }}\"\n      loop: [lost, here]\n      ignore_unreachable: true\n      register: r\n    \
                - debug: {msg: \"{{ r.results | length }} {{ r.results[1].stdout }} {{ r.msg }} {{ r is unreachable }}\"}\n";
    let hosts = "here ansible_connection=local\nlost ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1\n";
    std::fs::write(dir.path().join("site.yml"), play).unwrap();
    std::fs::write(dir.path().join("hosts"), hosts).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
    let done = command.args(["-i", "hosts", "site.yml"]).current_dir(dir.path()).output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(text.contains("failed: [here -> lost(127.0.0.1)] (item=lost) => {"), "{text}");
    assert!(text.contains("\"msg\": \"2 here All items completed True\""), "{text}");
    assert_eq!(done.status.code(), Some(0), "{text}");
}

/// A task that ran once and failed has failed on all hosts: a rescue on each of them can read why.
#[test]
fn a_rescue_on_other_hosts_reads_what_failed_once() {
    let dir = tempfile::tempdir().unwrap();
    let play = "- hosts: all\n  gather_facts: false\n  tasks:\n    - block:\n        - {name: Once, fail: {msg: why}, run_once: true}\n      \
                rescue:\n        - debug: {msg: \"{{ ansible_failed_task.name }} {{ ansible_failed_result.msg }}\"}\n";
    std::fs::write(dir.path().join("site.yml"), play).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
    let done = command.args(["-i", "a,b", "-c", "local", "site.yml"]).current_dir(dir.path()).output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    assert_eq!(text.matches("\"msg\": \"Once why\"").count(), 2, "{text}");
    assert_eq!(done.status.code(), Some(0), "{text}");
}

#[test]
fn options_are_read_as_ansible_reads_them() {
    let hosts = |args: &[&str]| {
        let (code, text) = output(&[&["handlers.yml", "--list-hosts"], args].concat());
        assert_eq!(code, Some(0), "{args:?}: {text}");
        text.lines().filter_map(|line| line.strip_prefix("      ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(hosts(&["-l", "a", "-l", "b", "-C", "-C", "--list-hosts"]), ["b"], "the last one holds");
    assert_eq!(hosts(&["--lim", "a", "--extra", "x=1"]), ["a"], "the beginning of a name does");
    let (code, text) = output(&["handlers.yml", "--list"]);
    assert!(code == Some(2) && text.contains("--list"), "of several none is meant: {text}");
}

#[test]
fn options_that_cannot_be_read_end_with_two() {
    for command in ["", "exec", "inventory", "vars", "graph", "vault", "vault view", "config", "config dump", "doc"] {
        let words = command.split_whitespace().chain(["--foo"]);
        let done = Command::new(env!("CARGO_BIN_EXE_rplay")).args(words).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.code() == Some(2) && said.contains("'--foo'"), "{command}: {said}");
    }
    for command in ["vault", "config", "doc", "inventory", "exec"] {
        let done = Command::new(env!("CARGO_BIN_EXE_rplay")).args([command, "--version"]).output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && said.starts_with("rplay "), "{command}: {said}");
    }
}
