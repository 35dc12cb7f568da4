//! Reaching real hosts: ssh, sudo, su, docker; and what happens when a host is lost.

mod common;

use std::time::Duration;

use common::{Lab, run, write};

const WHOAMI: &str = "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: who\n      command: id -un\n      \
                      register: who\n      changed_when: false\n    - debug: msg=\"I am {{ who.stdout }}\"\n";

#[test]
fn users_are_become_with_and_without_passwords() {
    let Some(lab) = Lab::up("t-become", 1) else { return };
    let dir = tempfile::tempdir().unwrap();
    let play = write(dir.path(), "who.yml", WHOAMI);
    let admin = write(dir.path(), "admin", "lab-admin\n");
    let root = write(dir.path(), "root", "lab-root\n");
    let wrong = write(dir.path(), "wrong", "nonsense\n");
    let go = |args: &[&str]| run(lab.rplay(args).arg(&play));
    let file = |path: &std::path::PathBuf| format!("--become-password-file={}", path.display());
    go(&[]).exits(0).says("I am root");
    go(&["-e", "ansible_user=deploy"]).exits(0).says("I am deploy");
    go(&["-e", "ansible_user=deploy", "-b"]).exits(0).says("I am root");
    go(&["-b", "--become-user", "deploy"]).exits(0).says("I am deploy");
    go(&["-e", "ansible_user=admin", "-b", &file(&admin)]).exits(0).says("I am root");
    go(&["-e", "ansible_user=admin", "-b", "--become-method=su", &file(&root)]).exits(0).says("I am root");
    go(&["-e", "ansible_user=admin", "-b"]).exits(2).says("Missing sudo password");
    go(&["-e", "ansible_user=admin", "-b", &file(&wrong)]).exits(2).says("Incorrect sudo password");
    go(&["-e", "ansible_user=admin", "-b", "--become-method=su", &file(&wrong)]).exits(2).says("Incorrect su password");
    // A password that nobody asked for does not reach what `raw` runs.
    let cat = write(dir.path(), "raw.yml", "- hosts: all\n  gather_facts: false\n  tasks:\n    - raw: cat; id -un\n");
    let raw = run(lab.rplay(["-v", "-e", "ansible_user=deploy", "-b", &file(&admin)]).arg(&cat)).exits(0).says("root");
    assert!(!raw.out.contains("lab-admin"), "{}", raw.out);
    go(&["-b", "--become-user", "nobody-here"]).exits(2).says("nobody-here");
    // A login password, and no key at all. The wrong one first: a connection that is kept
    // asks for no password.
    let no_key =
        ["-e", "ansible_user=admin ansible_ssh_private_key_file=", "--ssh-extra-args=-o PubkeyAuthentication=no"];
    let login = format!("--connection-password-file={}", admin.display());
    go(&[no_key[0], no_key[1], no_key[2], &format!("--connection-password-file={}", wrong.display())])
        .exits(4)
        .says("Permission denied");
    go(&[no_key[0], no_key[1], no_key[2], &login]).exits(0).says("I am admin");
    go(&[
        "-e",
        "ansible_user=admin",
        "-c",
        "docker",
        "-e",
        &format!("ansible_host={}", lab.var("t-become-1", "lab_container")),
        "-e",
        "ansible_user=root",
    ])
    .exits(0)
    .says("I am root");
}

#[test]
fn a_lost_host_is_unreachable_with_sshs_own_reason_and_the_others_go_on() {
    let Some(lab) = Lab::up("t-lost", 3) else { return };
    let dir = tempfile::tempdir().unwrap();
    let play = write(dir.path(), "who.yml", WHOAMI);
    // A port where nobody listens, a key that is not there, a host key that is not known.
    let all = run(lab
        .rplay(["-e", "{\"ansible_port\": \"{{ 2 if inventory_hostname == 't-lost-1' else 22 }}\"}"])
        .arg(&play))
    .exits(4);
    assert_eq!(all.recap("t-lost-1"), [0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(all.recap("t-lost-2"), [2, 0, 0, 0, 0, 0, 0]);
    all.says("Connection refused");
    run(lab.rplay(["-e", "ansible_ssh_private_key_file=/nowhere/key"]).arg(&play))
        .exits(4)
        .says("no such identity: /nowhere/key");
    let unknown = write(dir.path(), "known_hosts", "");
    let args = format!(
        "ansible_ssh_common_args='-o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null'",
        unknown.display()
    );
    run(lab.rplay(["-e", &args]).arg(&play)).exits(4).says("Host key verification failed");
    run(lab.rplay(["-e", &args]).arg(&play).env("ANSIBLE_HOST_KEY_CHECKING", "False")).exits(0).says("I am root");
}

#[test]
fn a_host_that_dies_under_a_task_is_unreachable_and_nothing_stays_behind() {
    let Some(lab) = Lab::up("t-dies", 2) else { return };
    let dir = tempfile::tempdir().unwrap();
    let text = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: sleep 77\n      when: inventory_hostname == \
                't-dies-1'\n    - ping:\n";
    let play = write(dir.path(), "sleep.yml", text);
    let container = lab.var("t-dies-1", "lab_container");
    // The user's own umask holds, on first contact and later.
    let text = "- hosts: all\n  gather_facts: false\n  tasks:\n    - copy: content=x dest=/root/{{ n }}\n";
    let umask = write(dir.path(), "umask.yml", text);
    for n in ["first", "second"] {
        run(lab.rplay(["-e", &format!("n={n}")]).arg(&umask)).exits(0);
        lab.sh("t-dies-2", &format!("stat -c %a /root/{n}")).says("644");
    }
    // The worker is killed; its child must go with the connection.
    let mut command = lab.rplay(["-v"]);
    let child = std::thread::spawn({
        let play = play.clone();
        move || run(command.arg(&play))
    });
    wait_for(|| lab.sh("t-dies-1", "pgrep -x sleep").code == 0);
    lab.sh("t-dies-1", "pkill -9 -f '[r]play/worker-'").exits(0);
    let ran = child.join().unwrap().exits(4);
    assert_eq!(ran.recap("t-dies-1"), [0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(ran.recap("t-dies-2"), [1, 0, 0, 0, 1, 0, 0]);
    lab.sh("t-dies-1", "pkill -x sleep");
    // The host hangs: a deadline ends the wait.
    let mut command = lab.rplay(["-v"]);
    let child = std::thread::spawn(move || run(command.arg(&play)));
    wait_for(|| lab.sh("t-dies-1", "pgrep -x sleep").code == 0);
    // The kernel is not always quick enough for docker, which then takes it back.
    wait_for(|| run(std::process::Command::new("docker").args(["pause", &container])).code == 0);
    let ran = child.join().unwrap();
    run(std::process::Command::new("docker").args(["unpause", &container])).exits(0);
    let ran = ran.exits(4);
    assert_eq!(ran.recap("t-dies-1"), [0, 0, 1, 0, 0, 0, 0]);
    // The controller is gone; so are its worker and the worker's child.
    wait_for(|| lab.sh("t-dies-1", "pgrep -x sleep || pgrep -f '[r]play/worker-'").code != 0);
}

fn wait_for(holds: impl Fn() -> bool) {
    for _ in 0..300 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(holds(), "waited in vain");
}
