//! The examples that need no server, and the program by its names.

mod common;

use std::process::Command;

use common::{Ran, rplay, run, said, top, with_status, write};

#[test]
fn the_first_example_changes_things_once_and_is_told_by_a_dry_run() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("hello");
    let go = |args: &[&str]| {
        let mut command = rplay(["playbooks/hello.yml", "-e"]);
        run(command.arg(format!("hello_dir={}", place.display())).args(args))
    };
    let dry = go(&["--check", "--diff", "--output", "json"]).exits(0);
    assert!(!place.exists(), "the dry run wrote");
    let wet = go(&["--diff", "--output", "json"]).exits(0);
    let changes = |ran: &Ran| -> Vec<(String, String)> {
        let all = said(&ran.out);
        all.into_iter().filter(|s| s.status == "changed").map(|s| (s.task, s.diff)).collect()
    };
    let predicted = changes(&dry);
    assert_eq!(predicted.len(), 3);
    // The directory's mode is the only thing that the default umask decides.
    assert_eq!(predicted, changes(&wet));
    let again = go(&["--output", "json"]).exits(0);
    assert_eq!(with_status(&said(&again.out), "localhost", "changed"), [""; 0]);
    let text = std::fs::read_to_string(place.join("hello.txt")).unwrap();
    assert!(text.starts_with("Hello, "), "{text}");
}

#[test]
fn the_forms_of_output_hold_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let play = write(dir.path(), "p.yml", "- hosts: all\n  gather_facts: false\n  tasks: [{ping: }]\n");
    let go = |form: &str| run(rplay(["-i", "localhost,", "-c", "local", "--output", form]).arg(&play)).exits(0).out;
    let json: serde_json::Value = serde_json::from_str(&go("json")).unwrap();
    assert_eq!(json["stats"]["localhost"]["ok"], 1);
    assert_eq!(json["plays"][0]["tasks"][0]["hosts"]["localhost"]["ping"], "pong");
    let yaml: serde_json::Value = serde_yaml::from_str(&go("yaml")).unwrap();
    assert_eq!(yaml["stats"], json["stats"]);
    let lines = go("jsonl");
    let events: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let names: Vec<&str> = events.iter().filter_map(|e| e["event"].as_str()).collect();
    assert_eq!(names, ["run_started", "play_started", "task_started", "host_done", "run_ended"]);
}

#[test]
fn the_program_answers_to_ansibles_name_and_works_without_its_worker_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let play = write(dir.path(), "p.yml", "- hosts: all\n  gather_facts: false\n  tasks: [{ping: }]\n");
    let alone = dir.path().join("ansible-playbook");
    std::fs::copy(env!("CARGO_BIN_EXE_rplay"), &alone).unwrap();
    let ran =
        run(Command::new(&alone).args(["-i", "localhost,", "-c", "local"]).arg(&play).current_dir(top())).exits(0);
    assert_eq!(ran.recap("localhost"), [1, 0, 0, 0, 0, 0, 0]);
    run(Command::new(&alone).arg("--version")).exits(0).says("ansible-core 2.19");
    run(Command::new(&alone).arg("--nonsense")).exits(2).says("--nonsense");
    run(&mut rplay(["doc", "copy"])).exits(0).says("remote_src (bool");
    run(&mut rplay(["doc", "coppy"])).exits(1).says("did you mean `copy`?");
}

#[test]
fn the_example_of_secrets_uses_them_and_shows_none() {
    let dir = tempfile::tempdir().unwrap();
    let place = format!("secrets_dir={}", dir.path().join("secrets").display());
    let go = |args: &[&str]| run(rplay(["playbooks/secrets.yml", "--diff", "-e", &place]).args(args));
    let key = ["--identity", "vault/example-key"];
    let ran = go(&key).exits(0);
    assert_eq!(ran.recap("localhost"), [4, 2, 0, 0, 0, 0, 0]);
    let text = std::fs::read_to_string(dir.path().join("secrets/app.conf")).unwrap();
    assert_eq!(text, "user = app\nurl = postgres://app:tr0ub4dor-and-3@localhost/app\ntoken = not-a-real-token\n");
    for secret in ["tr0ub4dor", "not-a-real-token"] {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{}{}", ran.out, ran.err);
    }
    assert!(ran.out.contains("********"), "{}", ran.out);
    assert_eq!(go(&key).exits(0).recap("localhost"), [4, 0, 0, 0, 0, 0, 0]);
    go(&[]).exits(1).says("cannot decrypt").says("--identity");
}

#[test]
fn the_example_of_handlebars_writes_its_page_once() {
    let dir = tempfile::tempdir().unwrap();
    let place = format!("about_dir={}", dir.path().join("about").display());
    let go = || run(&mut rplay(["-i", "web1,", "-c", "local", "playbooks/about.yml", "--diff", "-e", &place]));
    assert_eq!(go().exits(0).recap("web1"), [2, 2, 0, 0, 0, 0, 0]);
    let text = std::fs::read_to_string(dir.path().join("about/about.md")).unwrap();
    let want = "# About this host\n\nHost web1, tags web, public.\n0. Ada <ada@example.com>\n1. Grace <no mail>\n\
                Port 8080, as JSON {\"port\": 8080, \"tags\": [\"web\", \"public\"]}, encoded QWJvdXQgdGhpcyBob3N0.\n\n    \
                settings:\n      port: 8080\n      tags:\n      - web\n      - public\n\n";
    assert_eq!(text, want);
    assert_eq!(go().exits(0).recap("web1"), [2, 0, 0, 0, 0, 0, 0]);
}
