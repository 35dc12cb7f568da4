//! Connections to stock and to strict sshds: how many at once, how many sessions over one,
//! kept between runs, and what is tried again.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "all of it is test code")]

mod common;
#[path = "common/delay.rs"]
mod delay;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Lab, Ran, rplay, run, write};
use delay::Delay;

const WHO: &str = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: id -un\n      changed_when: false\n";
const NAMES: usize = 40;

/// A lab of one host with this in its sshd's configuration, and a directory for what is kept.
struct Strict {
    lab: Lab,
    host: String,
    address: String,
    dir: tempfile::TempDir,
}

impl Strict {
    fn up(name: &str) -> Option<Self> {
        let lab = Lab::up(name, 1)?;
        let host = format!("{name}-1");
        let address = lab.var(&host, "ansible_host");
        Some(Self { lab, host, address, dir: tempfile::tempdir().unwrap() })
    }

    fn sshd(&self, lines: &str) {
        let script = format!(
            "printf '{lines}' > /etc/ssh/sshd_config.d/strict.conf; journalctl --rotate -q; \
             journalctl --vacuum-time=1s -q; systemctl restart ssh"
        );
        self.lab.sh(&self.host, &script).exits(0);
    }

    /// An inventory of these hosts, each a name and its variables.
    fn inventory(&self, name: &str, hosts: &[String]) -> PathBuf {
        let known = self.lab.inventory().with_file_name("known_hosts");
        let vars = format!(
            "[all:vars]\nansible_user=root\nansible_ssh_private_key_file={}\n\
             ansible_ssh_common_args='-o UserKnownHostsFile={} -o StrictHostKeyChecking=yes -o HostKeyAlias={}'\n",
            self.lab.key().display(),
            known.display(),
            self.address,
        );
        write(self.dir.path(), name, &format!("{}\n{vars}", hosts.join("\n")))
    }

    /// `rplay` with connections of its own, kept in this test's directory.
    fn rplay(&self, inventory: &Path, args: &[&str]) -> Command {
        let play = write(self.dir.path(), "who.yml", WHO);
        let mut command = rplay(["-i"]);
        command.arg(inventory).args(args).arg(play).env("XDG_CACHE_HOME", self.dir.path().join("c"));
        command
    }

    /// How many lines of sshd's log have these words.
    fn logged(&self, words: &str) -> usize {
        self.lab.sh(&self.host, "journalctl -q -u ssh").exits(0).out.lines().filter(|l| l.contains(words)).count()
    }

    /// Process ids of the masters that are kept in this test's directory.
    fn masters(&self) -> Vec<String> {
        let ran = run(Command::new("pgrep").arg("-f").arg(format!("ssh.*{}", self.dir.path().display())));
        ran.out.lines().map(str::to_owned).collect()
    }

    fn end_masters(&self) {
        for pid in self.masters() {
            run(Command::new("kill").arg(pid));
        }
        wait_for(|| self.masters().is_empty());
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        for pid in self.masters() {
            run(Command::new("kill").arg(pid));
        }
    }
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

#[track_caller]
fn all_well(ran: &Ran, hosts: &[String], tasks: u32) {
    for host in hosts {
        let name = host.split(' ').next().unwrap();
        assert_eq!(ran.recap(name), [tasks, 0, 0, 0, 0, 0, 0], "{name}\n{}", ran.out);
    }
}

#[test]
fn many_names_of_one_strict_sshd_are_all_reached() {
    let Some(strict) = Strict::up("t-strict") else { return };
    let a = &strict.address;
    // The worker is there already: sending it forty times is not what this is about.
    run(&mut strict.rplay(&strict.inventory("first", &[format!("first ansible_host={a}")]), &[])).exits(0);
    strict.end_masters();
    strict.sshd("MaxStartups 2:50:4\\nMaxSessions 1\\n");
    // The same way to it; ways that differ; names that only ssh knows to be the same host.
    let hosts: Vec<String> = (0..NAMES)
        .map(|i| match i % 4 {
            0 => format!("n{i:02} ansible_host={a}"),
            1 => format!("n{i:02} ansible_host={a} ansible_ssh_extra_args='-o ServerAliveInterval={}'", 100 + i),
            _ => format!("n{i:02} ansible_host=alias-{i} ansible_ssh_extra_args='-o HostName={a}'"),
        })
        .collect();
    let inventory = strict.inventory("many", &hosts);
    let ran = run(&mut strict.rplay(&inventory, &[])).exits(0);
    all_well(&ran, &hosts, 1);
    assert!(strict.logged("throttling") > 0, "sshd was not strict");
    // Each session has a connection of its own, and all of these are found again.
    let masters = strict.masters();
    assert!(masters.len() >= NAMES, "{masters:?}");
    all_well(&run(&mut strict.rplay(&inventory, &[])).exits(0), &hosts, 1);
    assert_eq!(strict.masters(), masters);
    // Another user's worker is another session; MaxSessions 1 has it go another way.
    let both = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: id -un\n      register: plain\n      \
                changed_when: false\n    - command: id -un\n      become: true\n      become_user: deploy\n      \
                register: other\n      changed_when: false\n    - assert:\n        that: plain.stdout == 'root' and \
                other.stdout == 'deploy'\n";
    let both = write(strict.dir.path(), "both.yml", both);
    let mut command = rplay(["-i"]);
    command.arg(&inventory).args(["--limit", "n00,n01,n02,n04"]).arg(&both);
    command.env("XDG_CACHE_HOME", strict.dir.path().join("c"));
    let ran = run(&mut command).exits(0);
    all_well(&ran, &["n00", "n01", "n02", "n04"].map(str::to_owned), 3);
}

#[test]
fn connections_are_kept_found_again_and_made_anew() {
    let Some(strict) = Strict::up("t-kept") else { return };
    strict.sshd("");
    let hosts = [format!("one ansible_host={}", strict.address)];
    let inventory = strict.inventory("one", &hosts);
    let accepted = || strict.logged("Accepted publickey");
    let go = |args: &[&str]| all_well(&run(&mut strict.rplay(&inventory, args)).exits(0), &hosts, 1);
    go(&[]);
    go(&[]);
    assert_eq!(accepted(), 1, "found again");
    // A stale socket: its master was killed, and could not take it away.
    let masters = strict.masters();
    assert_eq!(masters.len(), 1, "{masters:?}");
    run(Command::new("kill").args(["-9", &masters[0]])).exits(0);
    wait_for(|| strict.masters().is_empty());
    go(&[]);
    go(&[]);
    assert_eq!(accepted(), 2, "made anew, and that one found again");
    // A master that does not answer.
    run(Command::new("kill").args(["-STOP", &strict.masters()[0]])).exits(0);
    go(&[]);
    assert_eq!(accepted(), 3, "made anew beside one that hangs");
    for pid in strict.masters() {
        run(Command::new("kill").args(["-9", &pid]));
    }
    // None is kept where the user wants none.
    let mut command = strict.rplay(&inventory, &[]);
    all_well(&run(command.env("ANSIBLE_SSH_ARGS", "-o ControlPersist=no")).exits(0), &hosts, 1);
    wait_for(|| strict.masters().is_empty());
    // How many at a time can be said: never more than sshd takes, and it need refuse none.
    let many: Vec<String> = (0..24)
        .map(|i| {
            format!(
                "n{i:02} ansible_host={} ansible_ssh_extra_args='-o ServerAliveInterval={}'",
                strict.address,
                100 + i
            )
        })
        .collect();
    let inventory = strict.inventory("many", &many);
    strict.sshd("MaxStartups 3:100:3\\n");
    all_well(&run(&mut strict.rplay(&inventory, &["--connect-forks", "1"])).exits(0), &many, 1);
    assert_eq!(strict.logged("throttling"), 0);
    strict.end_masters();
    all_well(&run(strict.rplay(&inventory, &[]).env("RPLAY_CONNECT_FORKS", "24")).exits(0), &many, 1);
    assert_ne!(strict.logged("throttling"), 0);
}

#[test]
fn only_a_busy_host_is_asked_again() {
    let Some(strict) = Strict::up("t-again") else { return };
    // What is wrong for good is met once.
    let target = format!("{}:22", strict.address).parse().unwrap();
    let proxy = Delay::start(&[("127.0.0.1:0".parse().unwrap(), target)], Duration::from_millis(2)).unwrap();
    let port = proxy.listening()[0].port();
    let hosts = [format!("far ansible_host=127.0.0.1 ansible_port={port}")];
    let inventory = strict.inventory("far", &hosts);
    run(&mut strict.rplay(&inventory, &["-u", "nobody-here", "-e", "ansible_user=nobody-here"]))
        .exits(4)
        .says("Permission denied");
    assert_eq!(proxy.connections(), 1);
    strict.sshd("MaxSessions 0\\n");
    run(&mut strict.rplay(&inventory, &[])).exits(4).says("the host refuses a session");
    assert_eq!(proxy.connections(), 2);
    strict.sshd("");
    all_well(&run(&mut strict.rplay(&inventory, &[])).exits(0), &hosts, 1);
    // A host that only ever hangs up may be busy: it is asked some times, and then believed.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    let inventory = strict.inventory("closed", &[format!("closed ansible_host=127.0.0.1 ansible_port={port}")]);
    run(&mut strict.rplay(&inventory, &[])).exits(4).says("kex_exchange_identification");
    assert_eq!(asked.load(Ordering::SeqCst), 5);
}
