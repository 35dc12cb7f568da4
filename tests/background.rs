//! Tasks in the background and with a limit of time, on a host over ssh.
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

mod common;

use common::Lab;

#[test]
fn a_task_in_the_background_and_one_with_a_limit_of_time() {
    let Some(lab) = Lab::up("t-exec-b", 1) else { return };
    let run = |args: &[&str], code| {
        let mut command = common::rplay(["exec", "-i"]);
        common::run(command.arg(lab.inventory()).arg("all").args(["-m", "shell"]).args(args)).exits(code)
    };
    let out = run(&["-a", "echo later", "-B", "20", "-P", "1"], 0).out;
    assert!(out.contains("ASYNC OK on t-exec-b-1") && out.contains("later"), "{out}");
    let out = run(&["-a", "sleep 3; touch /root/left", "-B", "20", "-P", "0"], 0).out;
    assert!(out.contains("\"started\": true") && out.contains("ansible_job_id"), "{out}");
    // It outlives its worker and the connection's session.
    run(&["-a", "for i in 1 2 3 4 5 6 7 8 9; do [ -e /root/left ] && exit 0; sleep 1; done; exit 1"], 0);
    let ran = run(&["-a", "sleep 50; touch /root/never", "--task-timeout", "1"], 2);
    assert!(ran.out.contains("Timed out after 1 second(s)"), "{}", ran.out);
    let out = run(&["-a", "pgrep -x sleep || ls /root"], 0).out;
    assert!(out.contains("left") && !out.contains("never"), "{out}");
}

#[test]
fn a_dry_run_starts_no_job_and_knows_nothing_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let play = dir.path().join("play.yml");
    let text = "- hosts: localhost\n  gather_facts: false\n  vars: {ansible_async_dir: '{{ playbook_dir }}/jobs'}\n  \
                tasks:\n    - command: sleep 1\n      async: 9\n      poll: 0\n      register: job\n    - \
                async_status: jid={{ job.ansible_job_id }}\n      register: asked\n      until: asked is finished\n      \
                retries: 5\n      delay: 1\n    - debug: msg='rc {{ asked.rc }}'\n    - command: touch \
                {{ playbook_dir }}/touched\n      when: asked.rc == 0\n";
    std::fs::write(&play, text).unwrap();
    let mut command = common::rplay(["-i", "localhost,", "-c", "local"]);
    let dry = common::run(command.arg(&play).arg("--check")).exits(0).out;
    assert!(dry.contains("ok=2    changed=1    unreachable=0    failed=0") && dry.contains("unknown=2"), "{dry}");
    assert!(!dir.path().join("jobs").exists(), "{dry}");
    let mut command = common::rplay(["-i", "localhost,", "-c", "local"]);
    let out = common::run(command.arg(&play)).exits(0).out;
    assert!(out.contains("rc 0") && dir.path().join("touched").exists(), "{out}");
}
