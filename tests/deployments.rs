//! Whole deployments on fresh hosts: under check first, then for real, then once more.

mod common;

use std::process::Command;

use common::{Lab, Ran, Said, run, said, top, with_status, write};

fn json(lab: &Lab, args: &[&str]) -> (Ran, Vec<Said>) {
    let ran = run(lab.rplay(args).args(["--diff", "--output", "json"]));
    let all = said(&ran.out);
    (ran, all)
}

#[test]
fn a_dry_run_names_what_the_run_changes_with_the_very_diffs() {
    let Some(lab) = Lab::up("t-check", 1) else { return };
    let host = "t-check-1";
    let play = "playbooks/check-is-true.yml";
    let before = lab.sh(host, FINGERPRINT).exits(0).out;
    let (ran, predicted) = json(&lab, &[play, "--check"]);
    ran.exits(0);
    assert_eq!(lab.sh(host, FINGERPRINT).exits(0).out, before, "the dry run wrote");
    let unknown = with_status(&predicted, host, "unknown");
    // Nobody can act as a user who is only planned; and the probe was not run.
    let hangs = ["The user's own file, written as the user", "What hangs on the probe"];
    assert_eq!(unknown, hangs);
    for (task, word) in [(hangs[0], "sailor"), (hangs[1], "A probe")] {
        let reason = predicted.iter().find(|s| s.task == task).unwrap().result["unknown"].to_string();
        assert!(reason.contains(word), "{reason}");
    }
    let (ran, happened) = json(&lab, &[play]);
    ran.exits(0);
    let sure = |all: &[Said]| -> Vec<(String, String, String)> {
        let known = all.iter().filter(|s| !hangs.contains(&s.task.as_str()));
        known.map(|s| (s.task.clone(), s.status.clone(), s.diff.clone())).collect()
    };
    assert_eq!(sure(&predicted), sure(&happened));
    let (ran, again) = json(&lab, &[play]);
    ran.exits(0);
    assert_eq!(with_status(&again, host, "changed"), [""; 0]);
    lab.sh(host, "test \"$(cat /srv/crew/log/seen)\" = \"$(cat /srv/crew/in/settings)\"").exits(0);
    lab.sh(host, "test \"$(stat -c '%U:%G %a' /srv/crew/in/settings)\" = 'sailor:root 600'").exits(0);
    lab.sh(host, "test \"$(stat -c %U /srv/crew/out/mine)\" = sailor").exits(0);
}

/// Names, modes, owners and content of what a playbook could touch.
const FINGERPRINT: &str = "find / -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /dev \
     -o -path /var/log -o -path /root/.cache -o -path /var/lib/systemd -o -path /var/cache/apt \\) -prune -o -printf '%p %m %u %s\\n' \
     | sort | sha256sum; cat /etc/passwd /etc/group | sha256sum; dpkg -l | sha256sum";

#[test]
fn a_website_is_deployed_kept_and_mended() {
    let Some(lab) = Lab::up("t-web", 2) else { return };
    let dir = tempfile::tempdir().unwrap();
    let hosts = lab.hosts.join(":\n        ");
    let inventory = format!("all:\n  children:\n    web:\n      hosts:\n        {hosts}:\n");
    let groups = write(dir.path(), "web.yml", &inventory);
    std::fs::create_dir(dir.path().join("group_vars")).unwrap();
    std::fs::copy(top().join("inventory/group_vars/web.yml"), dir.path().join("group_vars/web.yml")).unwrap();
    let groups = groups.to_str().unwrap().to_owned();
    let play = ["-i", &groups, "playbooks/website.yml"];
    let first = run(&mut lab.rplay(play)).exits(0);
    for host in &lab.hosts {
        assert_eq!(first.recap(host)[3], 0);
        lab.sh(host, "systemctl is-active nginx && systemctl is-enabled nginx").exits(0);
        let page = "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
        lab.sh(host, &format!("bash -c \"{page}\"")).says(&format!("Served by {host}"));
    }
    let second = run(&mut lab.rplay(play)).exits(0);
    assert!(lab.hosts.iter().all(|h| second.recap(h)[1] == 0), "{}", second.out);
    lab.sh("t-web-2", "rm /etc/nginx/conf.d/website.conf").exits(0);
    let (ran, third) = json(&lab, &play);
    ran.exits(0);
    assert_eq!(with_status(&third, "t-web-1", "changed"), [""; 0]);
    let changed = with_status(&third, "t-web-2", "changed");
    assert_eq!(changed, ["website : The server's configuration", "website : reload nginx"]);
    lab.sh("t-web-2", "test -f /etc/nginx/conf.d/website.conf").exits(0);
}

#[test]
fn two_servers_are_deployed_as_they_have_always_been() {
    let Some(lab) = Lab::up("t-two", 2) else { return };
    let dir = tempfile::tempdir().unwrap();
    // The example's own inventory, with the lab's addresses.
    let mut text = std::fs::read_to_string(top().join("inventory/two-servers.ini")).unwrap();
    for (example, host) in [("192.0.2.10", "t-two-1"), ("192.0.2.11", "t-two-2")] {
        text = text.replace(example, &lab.var(host, "ansible_host"));
    }
    let inventory = write(dir.path(), "two-servers.ini", &text);
    let source = dir.path().join("service");
    let git = |args: &[&str]| run(Command::new("git").args(args).current_dir(dir.path())).exits(0);
    git(&["init", "-q", "-b", "main", "service"]);
    std::fs::write(source.join("README"), "A service\n").unwrap();
    git(&["-C", "service", "add", "."]);
    git(&["-C", "service", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "One"]);
    git(&["clone", "-q", "--bare", "service", "service.git"]);
    for host in &lab.hosts {
        let container = lab.var(host, "lab_container");
        lab.sh(host, "mkdir -p /srv/git").exits(0);
        let from = dir.path().join("service.git");
        run(Command::new("docker").arg("cp").arg(&from).arg(format!("{container}:/srv/git/service.git"))).exits(0);
        lab.sh(host, "chown -R root:root /srv/git").exits(0);
    }
    let go = |args: &[&str]| {
        let mut command = common::rplay(["-i"]);
        command.arg(&inventory).arg("playbooks/two-servers.yml").arg("--private-key").arg(lab.key()).args(args);
        run(command.env("ANSIBLE_HOST_KEY_CHECKING", "False"))
    };
    go(&["--check", "--diff"]).exits(0);
    let first = go(&[]).exits(0);
    assert!(first.recap("prodserver")[1] > 5, "{}", first.out);
    let revision = git(&["-C", "service", "rev-parse", "HEAD"]).out;
    first.says(&format!("prodserver runs {}", revision.trim().to_uppercase()));
    lab.sh("t-two-1", "grep -c server /etc/hosts").says("2");
    lab.sh("t-two-1", "test \"$(stat -c %U /opt/service/README)\" = deploy").exits(0);
    lab.sh("t-two-1", "grep -q registry.example.org /etc/docker/daemon.json").exits(0);
    lab.sh("t-two-2", "test -d /home/deploy/lab && test ! -e /etc/docker/daemon.json").exits(0);
    let second = go(&["--output", "json"]).exits(0);
    let all = said(&second.out);
    // What runs each time: the shell task; and Ansible's apt reports a fresh cache as a change.
    assert_eq!(with_status(&all, "devserver", "changed"), [""; 0]);
    assert_eq!(with_status(&all, "prodserver", "changed"), ["The service's version"]);
}
