//! Deployments with containers, from playbooks/, on lab hosts over ssh that have this
//! machine's engine: under check first, then twice; the second run changes nothing.

use std::io::{Read as _, Write as _};

use crate::common::{Lab, Ran, Said, run, said, with_status, write};
use crate::engine::Corner;
use crate::images::Registry;

fn host_up(name: &str) -> Option<Lab> {
    Lab::up_with(name, 1, &["--docker"])
}

fn play(lab: &Lab, inventory: &str, args: &[&str]) -> (Ran, Vec<Said>) {
    let ran = run(lab.rplay(["-i", inventory]).args(args).args(["--diff", "--output", "json"]));
    assert!(ran.code == 0, "{}\n{}", ran.out, ran.err);
    let all = said(&ran.out);
    (ran, all)
}

fn changes(all: &[Said]) -> Vec<(String, String)> {
    all.iter().filter(|s| s.status == "changed").map(|s| (s.task.clone(), s.diff.clone())).collect()
}

fn ask(port: &str) -> String {
    let mut said = String::new();
    for _ in 0..100 {
        if let Ok(mut stream) = std::net::TcpStream::connect(format!("127.0.0.1:{port}")) {
            stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
            said.clear();
            let _ = stream.read_to_string(&mut said);
            if !said.is_empty() {
                break;
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    said
}

#[test]
fn a_front_end_is_deployed_kept_and_mended() {
    let Some(corner) = Corner::new("front") else { return };
    let Some(lab) = host_up("t-front") else { return };
    let registry = Registry::start(true);
    let inventory = write(corner.dir.path(), "i.yml", "frontends:\n  hosts:\n    t-front-1:\n");
    let inventory = inventory.to_str().unwrap().to_owned();
    let dir = lab.shared().join("frontend");
    let vars = format!(
        "frontend_name={} frontend_base=rplay-t-docker:plain frontend_dir={} frontend_port=18771 frontend_registry={} \
         frontend_registry_config=/root/registry/config.json",
        corner.name,
        dir.display(),
        registry.at
    );
    let args = ["playbooks/frontend.yml", "--identity", "vault/example-key", "-e", &vars];
    let before = corner.snapshot();
    let (first, dry) = play(&lab, &inventory, &[&args[..], &["--check"]].concat());
    assert_eq!(before, corner.snapshot(), "the dry run did something");
    assert!(!dir.exists(), "the dry run wrote");
    let (second, wet) = play(&lab, &inventory, &args);
    assert_eq!(changes(&dry), changes(&wet));
    assert!(ask("18771").contains(&format!("Hello from {}", corner.name)), "{}", ask("18771"));
    lab.sh("t-front-1", "grep -q dGVzdGVyOnNlY3JldC0x /root/registry/config.json").exits(0);
    let (third, again) = play(&lab, &inventory, &args);
    assert_eq!(with_status(&again, "t-front-1", "changed"), [""; 0]);
    // Nowhere is the password shown, nor what a configuration keeps of it.
    lab.sh("t-front-1", "rm /root/registry/config.json").exits(0);
    let loud = run(lab.rplay(["-i", &inventory]).args(args).args(["--diff", "-vvv"])).exits(0);
    assert_eq!(loud.recap("t-front-1")[1], 1, "logged in again: {}", loud.out);
    for ran in [first, second, third, loud] {
        for text in ["secret-1", "dGVzdGVyOnNlY3JldC0x"] {
            assert!(
                !ran.out.contains(text) && !ran.err.contains(text),
                "the password is shown:\n{}{}",
                ran.out,
                ran.err
            );
        }
    }
    // A file that is gone comes back, and nothing else is done.
    std::fs::remove_file(dir.join("conf/site.conf")).unwrap();
    assert!(ask("18771").contains("no configuration"));
    let (_, mended) = play(&lab, &inventory, &args);
    assert_eq!(with_status(&mended, "t-front-1", "changed"), ["frontend : The configuration"]);
    assert!(ask("18771").contains("Hello from"));
}

#[test]
fn workers_come_and_go_by_number() {
    let Some(corner) = Corner::new("jobs") else { return };
    let Some(lab) = host_up("t-jobs") else { return };
    let inventory = write(corner.dir.path(), "i.yml", "engines:\n  hosts:\n    t-jobs-1:\n");
    let inventory = inventory.to_str().unwrap().to_owned();
    // Those that run, and all that are there: the surplus is gone, not only stopped.
    let workers = || {
        let all = corner.snapshot();
        let all: Vec<&str> = all.lines().filter(|l| l.contains("-worker-")).collect();
        (all.iter().filter(|l| l.contains("running")).count(), all.len())
    };
    for count in [2, 3, 1] {
        let vars = format!("workers_name={} workers_image=rplay-t-docker:plain workers_count={count}", corner.name);
        let args = ["playbooks/workers.yml", "-e", &vars];
        let before = corner.snapshot();
        let (_, dry) = play(&lab, &inventory, &[&args[..], &["--check"]].concat());
        assert_eq!(before, corner.snapshot(), "the dry run did something");
        let (_, wet) = play(&lab, &inventory, &args);
        assert_eq!(changes(&dry), changes(&wet), "{count} workers");
        assert_eq!(workers(), (count, count));
        let (_, again) = play(&lab, &inventory, &args);
        assert_eq!(with_status(&again, "t-jobs-1", "changed"), [""; 0], "{count} workers, again");
    }
    let first = format!("exec {}-worker-1 getent hosts broker", corner.name);
    corner.docker(&first).exits(0);
    // What a worker leaves in its volume the web front sees, and may not change.
    corner.docker("exec $N-worker-1 touch /results/done").exits(0);
    corner.docker("exec $N-web test -e /results/done").exits(0);
    corner.docker("exec $N-web touch /results/more").exits(1);
}

#[test]
fn who_may_not_use_the_socket_is_told() {
    let Some(lab) = host_up("t-denied") else { return };
    let dir = tempfile::tempdir().unwrap();
    let text = "- hosts: all\n  gather_facts: false\n  tasks:\n    - community.docker.docker_container_info:\n        name: x\n";
    let play = write(dir.path(), "p.yml", text);
    let deploy = || run(&mut lab.rplay([play.to_str().unwrap(), "-e", "ansible_user=deploy"])).exits(2);
    deploy().says("Permission denied");
    // Docker's own command line might have gone elsewhere.
    let context =
        "mkdir /home/deploy/.docker && echo '{\"currentContext\": \"far\"}' >/home/deploy/.docker/config.json";
    lab.sh("t-denied-1", context).exits(0);
    deploy().says("docker's context 'far' is not followed here; say where the engine is with docker_host");
}

/// `output_logs` is for the host's own log.
#[test]
fn what_a_container_prints_is_in_the_hosts_log() {
    let Some(corner) = Corner::new("logs") else { return };
    let Some(lab) = host_up("t-logs") else { return };
    let text = format!(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - docker_container:\n        name: {}-c\n        image: rplay-t-docker:plain\n        \
         command: [echo, said by the container]\n        detach: false\n        cleanup: true\n        output_logs: true\n      register: ran\n    \
         - assert: {{that: \"ran.container.Output == 'said by the container\\\\n'\"}}\n",
        corner.name
    );
    let play = write(corner.dir.path(), "p.yml", &text);
    run(&mut lab.rplay([play.to_str().unwrap()])).exits(0);
    lab.sh("t-logs-1", "journalctl --no-pager -t rplay-docker_container").says("said by the container");
    assert!(!corner.snapshot().contains("-c/"), "cleaned up");
}
