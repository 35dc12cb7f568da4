//! `--syntax-check` and every run look at whole trees of playbooks and roles, and tell all that is
//! wrong with them at once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "all of it is test code")]

mod common;

use common::run;
use std::process::Command;

/// What a syntax check of the first of these files says on standard error, and its exit code.
fn check(files: &[(&str, &str)], playbooks: &[&str]) -> (i32, String) {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
    let done = run(command.args(["-i", "localhost,", "--syntax-check"]).args(playbooks).current_dir(dir.path()));
    assert!(!done.err.contains("panicked"), "{}", done.err);
    (done.code, done.err)
}

/// All of these words in this order.
fn in_order(said: &str, words: &[&str]) {
    let mut from = 0;
    for word in words {
        match said.get(from..).unwrap_or_default().find(word) {
            Some(at) => from += at + word.len(),
            None => panic!("no `{word}` where it should be in\n{said}"),
        }
    }
}

#[test]
fn what_is_wrong_in_one_file_does_not_hide_what_is_wrong_in_another() {
    let site =
        "- hosts: all\n  roles: [bad, gone]\n  tasks:\n    - coppy: {}\n    - debug: {msg: \"{{ 1 | nope }}\"}\n";
    let files = [
        ("site.yml", site),
        (
            "other.yml",
            "- hosts: all\n  taks: []\n- hosts: all\n  tasks:\n    - meta: nothing\n    - ping:\n      notify: nobody\n",
        ),
        ("roles/bad/tasks/main.yml", "- debug:\n  taks: x\n"),
        ("roles/bad/meta/main.yml", "dependencies: [beneath, missing]\n"),
        ("roles/beneath/handlers/main.yml", "- dbug:\n"),
    ];
    let (code, said) = check(&files, &["site.yml", "other.yml"]);
    assert_eq!(code, 4, "{said}");
    in_order(&said, &["'coppy'", "site.yml:4:7", "No filter named 'nope'", "site.yml:5:"]);
    in_order(
        &said,
        &["'taks' is not a valid attribute for a Play", "other.yml:2:3", "invalid meta action", "other.yml:5:7"],
    );
    in_order(&said, &["'nobody' was not found", "other.yml:7:15"]);
    for word in ["roles/bad/tasks/main.yml:2:3", "'dbug'", "the role 'missing'", "the role 'gone'", "9 errors"] {
        assert!(said.contains(word), "no `{word}` in\n{said}");
    }
}

/// What could not be read is not said to be missing.
#[test]
fn there_are_no_findings_that_only_follow_from_others() {
    let handlers = "  handlers:\n    - name: restart\n      sevrice: {name: x}\n";
    let play = format!("- hosts: all\n  roles: [bad]\n  tasks:\n    - ping:\n      notify: restart\n{handlers}");
    let (code, said) = check(&[("site.yml", &play), ("roles/bad/tasks/main.yml", "- pnig:\n")], &["site.yml"]);
    assert!(code == 4 && said.contains("'sevrice'") && said.contains("'pnig'"), "{said}");
    assert!(said.contains("2 errors"), "{said}");
    let (code, said) = check(&[("site.yml", "- hosts: all\n  taks: []\n")], &["site.yml"]);
    assert!(code == 4 && said.contains("'taks' is not a valid attribute"), "{said}");
}

/// One mistake does not hide the others, and the same one is not told twice.
#[test]
fn all_mistakes_of_a_file_come_at_once() {
    let tasks = "- hosts: all\n  tasks:\n";
    let text = format!("{tasks}    - pnig:\n    - debug:\n      wehn: a\n    - debug: {{mgs: x}}\n");
    let (code, said) = check(&[("site.yml", &text)], &["site.yml"]);
    assert_eq!(code, 4, "{said}");
    in_order(&said, &["'pnig'", "'wehn'", "mgs", "3 errors, nothing was run"]);
    let text = format!("{tasks}    - debug:\n        msg: {{{{ x }}}} y\n");
    let (_, said) = check(&[("site.yml", &text)], &["site.yml"]);
    assert_eq!(said.matches("must be quoted").count(), 1, "{said}");
}

#[test]
fn loops_imports_and_batches_that_cannot_be() {
    let refused = |text: &str, words: &[&str]| {
        let (code, said) = check(&[("site.yml", text)], &["site.yml"]);
        assert_eq!(code, 4, "{said}");
        in_order(&said, words);
    };
    let two = "- hosts: all\n  tasks:\n    - debug:\n      loop: [1]\n      with_items: [2]\n";
    refused(two, &["duplicate loop in task: items", "site.yml:5:7", "the first loop"]);
    let nameless = "- hosts: all\n  tasks:\n    - import_role: {}\n    - import_tasks:\n";
    refused(nameless, &["missing required arguments: name", "No file specified for import_tasks", "2 errors"]);
    refused("- hosts: all\n  serial: [1, many]\n", &["`serial` takes numbers", "site.yml:2:15"]);
}

#[test]
fn setup_has_nothing_to_run_in_parallel() {
    let site = "- hosts: all\n  tasks:\n    - gather_facts: {parallel: true}\n    - setup: {parallel: true}\n";
    let (code, said) = check(&[("site.yml", site)], &["site.yml"]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("Unsupported parameters") && said.contains("site.yml:4:15"), "{said}");
    assert!(!said.contains("site.yml:3:") && !said.contains("did you mean `parallel`"), "{said}");
}

#[test]
fn what_cannot_be_a_handler_is_refused() {
    let site = "- hosts: all\n  tasks:\n    - ping:\n  handlers:\n    - name: h\n      block:\n        - ping:\n        - \
                block:\n            - ping:\n    - name: f\n      meta: flush_handlers\n    - debug:\n      \
                with_itmes: [1]\n      ignore_errors: true\n";
    let (code, said) = check(&[("site.yml", site)], &["site.yml"]);
    assert_eq!(code, 4, "{said}");
    in_order(&said, &["Using a block as a handler is not supported.", "site.yml:8:11"]);
    in_order(&said, &["flush_handlers cannot be used as a handler", "site.yml:11:7"]);
    in_order(&said, &["'with_itmes' is not a valid attribute", "site.yml:13:7", "did you mean `with_items`?"]);
}

#[test]
fn settings_that_are_not_built_are_warned_about() {
    let dir = tempfile::tempdir().unwrap();
    let play = dir.path().join("p.yml");
    std::fs::write(&play, "- hosts: localhost\n  gather_facts: false\n  tasks: [{ping: }]\n").unwrap();
    for (name, value, words) in [
        ("ANSIBLE_SSH_RETRIES", "3", "`retries of ssh` has no effect"),
        ("ANSIBLE_ERROR_ON_UNDEFINED_VARS", "0", "`error_on_undefined_vars` has no effect"),
    ] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rplay"));
        let out = command.arg(&play).current_dir(dir.path()).env(name, value).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() && said.contains(words), "{said}");
    }
    let go = |name: &str, value: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rplay"));
        let out = command.arg(&play).current_dir(dir.path()).env(name, value).output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let (code, said) = go("ANSIBLE_PRECEDENCE", "all_inventory,groups_inventory");
    assert!(code == Some(5) && said.contains("is not supported yet"), "{said}");
    let (code, said) = go("ANSIBLE_FACTS_MODULES", "setup,service_facts");
    assert!(code == Some(5) && said.contains("`facts_modules` is not supported yet"), "{said}");
    assert_eq!(go("ANSIBLE_FACTS_MODULES", "ansible.legacy.setup").0, Some(0));
    std::fs::write(&play, "- hosts: nobody\n  gather_facts: false\n  tasks: [{ping: }]\n").unwrap();
    let words = "Could not match supplied host pattern, ignoring: nobody";
    let (code, said) = go("ANSIBLE_HOST_PATTERN_MISMATCH", "error");
    assert!(code == Some(1) && said.contains(words) && said.contains("p.yml:1:10"), "{said}");
    let (code, said) = go("ANSIBLE_HOST_PATTERN_MISMATCH", "ignore");
    assert!(code == Some(0) && !said.contains(words), "{said}");
}
