//! How often a run waits for its hosts: counted by a proxy between both that delays, and
//! compared with what rplay says of itself.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "all of it is test code")]

mod common;
#[path = "common/delay.rs"]
mod delay;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Lab, run, top};
use delay::Delay;
use serde_json::Value;

/// The thirty tasks of the benchmark, five of which are commands.
fn thirty() -> PathBuf {
    top().join("tests/bench/workloads/small-steps/playbook.yml")
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A lab behind a proxy.
struct Distant {
    lab: Lab,
    proxy: Delay,
    inventory: PathBuf,
    dir: tempfile::TempDir,
}

impl Distant {
    fn new(name: &str, hosts: usize) -> Option<Self> {
        let lab = Lab::up(name, hosts)?;
        let address = |text: String| text.parse::<SocketAddr>().unwrap();
        let of = |host: &String| lab.var(host, "ansible_host");
        let pairs: Vec<_> = lab
            .hosts
            .iter()
            .map(|h| (address(format!("{}:0", of(h).replace("127.0.", "127.1."))), address(format!("{}:22", of(h)))))
            .collect();
        let proxy = Delay::start(&pairs, Duration::from_millis(50)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for (host, at) in lab.hosts.iter().zip(proxy.listening()) {
            text.push_str(&format!("{host} ansible_host={} ansible_port={}\n", at.ip(), at.port()));
        }
        // The hosts' keys are known by their own addresses.
        text.push_str(&format!(
            "[all:vars]\nansible_user=root\nansible_ssh_private_key_file={}\nansible_host_key_checking=false\n\
             ansible_ssh_common_args='-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR'\n",
            lab.key().display()
        ));
        let inventory = write(dir.path(), "inventory", &text);
        Some(Self { lab, proxy, inventory, dir })
    }

    /// What was counted, once nothing is under way any more: the end of a run's sessions is
    /// said after the run itself has ended.
    fn settled(&self) -> Vec<u64> {
        let mut counted = self.proxy.round_trips();
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let now = self.proxy.round_trips();
            if now == counted {
                return now;
            }
            counted = now;
        }
    }

    /// Runs a playbook over connections that are there; the most round trips that one of
    /// them took, and the most that rplay says one host took.
    fn trips(&self, args: &[&str], playbook: &Path) -> (u64, u64) {
        let before = self.settled();
        let mut command = common::rplay(["-i"]);
        command.arg(&self.inventory).args(args).args(["--output", "json"]).arg(playbook);
        let ran = run(&mut command).exits(0);
        let after = self.settled();
        assert_eq!(before.len(), after.len(), "a connection was made anew:\n{}", ran.err);
        let counted = after.iter().zip(&before).map(|(a, b)| a - b).max().unwrap();
        let document: Value = serde_json::from_str(&ran.out).unwrap();
        let hosts = document["timing"][0]["hosts"].as_object().unwrap();
        let said = hosts.values().map(|h| h["round_trips"].as_u64().unwrap()).max().unwrap();
        (counted, said)
    }

    /// The same for a play's own round trips: what it takes to have a worker is told by a
    /// play of one task.
    fn own_trips(&self, args: &[&str], playbook: &Path) -> u64 {
        let text = "- hosts: all\n  gather_facts: false\n  tasks:\n    - ping:\n";
        let ping = write(self.dir.path(), "ping.yml", text);
        let (base, one) = self.trips(args, &ping);
        assert_eq!(one, 1, "a play of one task is one round trip");
        let (counted, said) = self.trips(args, playbook);
        let own = counted + 1 - base;
        // ssh may have had something to say for itself in between.
        assert!(said <= own, "{said} round trips were said, {own} were counted (of {counted}, {base} for a ping)");
        own
    }
}

/// Nothing has been changed: all that the play says is in place.
fn converge(distant: &Distant) {
    run(distant.lab.rplay::<&str>([]).arg(thirty())).exits(0);
    // Now over the proxy, so that there is a connection and a worker.
    run(common::rplay(["-i"]).arg(&distant.inventory).arg(thirty())).exits(0);
}

#[test]
fn where_nothing_orders_the_hosts_a_converged_play_is_sent_and_answered_at_once() {
    let Some(distant) = Distant::new("t-trips1", 1) else { return };
    converge(&distant);
    let own = distant.own_trips(&[], &thirty());
    assert!(own <= 3, "{own} round trips on one host");
}

#[test]
fn on_many_hosts_only_what_acts_waits_for_its_turn() {
    let Some(distant) = Distant::new("t-trips3", 3) else { return };
    converge(&distant);
    let own = distant.own_trips(&["--check"], &thirty());
    assert!(own <= 3, "{own} round trips in a dry run");
    let own = distant.own_trips(&[], &thirty());
    assert!(own <= 3 + 5, "{own} round trips with five commands");
    let text = std::fs::read_to_string(thirty()).unwrap();
    assert_eq!(text.matches("- hosts: all\n").count(), 1);
    let free = thirty().with_file_name(".free.yml");
    std::fs::write(&free, text.replacen("- hosts: all\n", "- hosts: all\n  strategy: free\n", 1)).unwrap();
    let own = distant.own_trips(&[], &free);
    std::fs::remove_file(free).unwrap();
    assert!(own <= 3, "{own} round trips with the strategy free");
    // The hosts are as they were, and one that is not is brought back.
    distant.lab.sh("t-trips3-2", "rm /opt/small-steps/3/small.txt").exits(0);
    let ran = run(common::rplay(["-i"]).arg(&distant.inventory).arg(thirty())).exits(0);
    assert_eq!(ran.recap("t-trips3-2"), [30, 1, 0, 0, 0, 0, 0]);
    assert_eq!(ran.recap("t-trips3-1"), [30, 0, 0, 0, 0, 0, 0]);
    distant.lab.sh("t-trips3-2", "test -s /opt/small-steps/3/small.txt").exits(0);
}

#[test]
fn items_of_a_loop_run_at_the_same_time_when_asked_to() {
    let Some(lab) = Lab::up("t-parallel", 1) else { return };
    let dir = tempfile::tempdir().unwrap();
    // Each item waits until all three are at work; one after the other none would end well.
    let text = "- hosts: all\n  gather_facts: false\n  tasks:\n    - file: {path: /tmp/p, state: directory}\n    - shell: |\n        touch /tmp/p/{{ item }}; i=0\n        while [ $(ls /tmp/p | wc -l) -lt 3 ]; do\n          i=$((i+1)); [ $i -lt 100 ] || exit 1; sleep 0.1\n        done; echo {{ item }}\n      loop: [a, b, c]\n      loop_control: {parallel: PARALLEL}\n      register: all\n    - assert:\n        that: all.results | map(attribute='stdout') | list == ['a', 'b', 'c']\n";
    let play = write(dir.path(), "parallel.yml", &text.replace("PARALLEL", "3"));
    assert_eq!(run(lab.rplay::<&str>([]).arg(&play)).exits(0).recap("t-parallel-1"), [3, 2, 0, 0, 0, 0, 0]);
    lab.sh("t-parallel-1", "rm -r /tmp/p").exits(0);
    let play = write(dir.path(), "one.yml", &text.replace("PARALLEL", "1").replace("-lt 100", "-lt 5"));
    run(lab.rplay::<&str>([]).arg(&play)).exits(2);
}
