//! Modules that change a whole system (packages, services, accounts, repositories), on a
//! fresh host: the dry run, the run, and the run after it.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails, and says where it was")]

mod common;

use common::{Lab, Said, run, said, with_status, write};

/// Tasks, and what must come of them.
struct Case {
    name: &'static str,
    /// A shell script that prepares the host.
    setup: &'static str,
    /// The tasks, as YAML.
    tasks: &'static str,
    /// Names of the tasks that change something, in the dry run and in the run.
    changes: &'static [&'static str],
    /// Names of the tasks that change something each time.
    always: &'static [&'static str],
    /// A shell script that succeeds when the host is as it should be.
    holds: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "a package, a file that it ships and its service",
        setup: "",
        tasks: "
- name: package
  apt: name=nginx
- name: new file
  copy: {dest: /etc/nginx/conf.d/x.conf, content: \"server_tokens off;\\n\"}
- name: shipped file
  copy: {dest: /etc/nginx/proxy_params, content: \"proxy_set_header Host $http_host;\\n\"}
- name: line in a shipped file
  lineinfile: {path: /etc/nginx/nginx.conf, regexp: '^worker_processes', line: worker_processes 1;}
- name: service as the package leaves it
  service: name=nginx state=started enabled=yes
- name: restart
  service: name=nginx state=restarted
- name: same package
  apt: {name: [nginx-common, nginx], state: latest}
",
        changes: &["package", "new file", "shipped file", "line in a shipped file", "restart"],
        always: &["restart"],
        holds: "systemctl is-active nginx && systemctl is-enabled nginx && grep -q '^worker_processes 1;' /etc/nginx/nginx.conf",
    },
    Case {
        name: "a service stopped, disabled, masked and back",
        setup: "",
        tasks: "
- name: stop
  systemd_service: name=nginx state=stopped enabled=no
- name: mask
  ansible.builtin.systemd: {name: nginx, masked: true}
",
        changes: &["stop", "mask"],
        always: &[],
        holds: "! systemctl is-active nginx && test \"$(systemctl is-enabled nginx)\" = masked",
    },
    Case {
        name: "a unit that the playbook writes",
        setup: "systemctl unmask nginx",
        tasks: "
- name: unit
  copy:
    dest: /etc/systemd/system/nap.service
    content: |
      [Service]
      ExecStart=/bin/sleep 100000
      [Install]
      WantedBy=multi-user.target
- name: reload
  systemd: daemon_reload=yes
- name: start
  service: name=nap state=started enabled=yes
- name: again
  service: name=nap state=started enabled=yes
",
        changes: &["unit", "start"],
        always: &[],
        holds: "systemctl is-active nap && systemctl is-enabled nap",
    },
    Case {
        name: "packages away, with what they needed",
        setup: "",
        tasks: "
- name: purge
  apt: {name: 'nginx*', state: absent, purge: true, autoremove: true}
- name: not there
  apt: name=nosuchpackage state=absent
- name: lists
  apt: update_cache=yes cache_valid_time=86400
",
        changes: &["purge"],
        always: &[],
        holds: "! test -e /etc/nginx && ! dpkg -s nginx-common",
    },
    Case {
        name: "users, groups and what is theirs",
        setup: "",
        tasks: "
- name: group
  group: name=crew
- name: system group
  group: name=watch system=yes
- name: user
  user: {name: ann, groups: [crew], append: true, shell: /bin/bash, comment: Ann}
- name: system user
  user: {name: bot, system: true, create_home: false, home: /srv/bot, group: watch}
- name: file in the home
  copy: {dest: /home/ann/.profile, content: \"umask 027\\n\", owner: ann, group: crew, mode: '0600'}
- name: directory for the system user
  file: {path: /srv/bot, state: directory, owner: bot, group: watch}
- name: more groups
  user: {name: ann, groups: 'crew,watch', password_expire_max: 90}
- name: nothing new
  user: {name: ann, groups: 'watch,crew', shell: /bin/bash}
",
        changes: &[
            "group",
            "system group",
            "user",
            "system user",
            "file in the home",
            "directory for the system user",
            "more groups",
        ],
        always: &[],
        holds: "id -nG ann | tr ' ' '\\n' | sort | xargs test 'ann crew watch' = \"$(id -nG ann | tr ' ' '\\n' | sort | xargs)\"; \
                test \"$(stat -c '%U:%G' /srv/bot)\" = bot:watch && test -f /home/ann/.bashrc && chage -l ann | grep -q 90",
    },
    Case {
        name: "accounts away",
        setup: "",
        tasks: "
- name: user away
  user: name=ann state=absent remove=yes
- name: home is gone
  stat: path=/home/ann
- name: group away
  group: name=crew state=absent
",
        changes: &["user away", "group away"],
        always: &[],
        holds: "! id ann && ! getent group crew && ! test -e /home/ann",
    },
    Case {
        name: "a repository",
        setup: "apt-get install -y git >/dev/null 2>&1; git config --global user.email a@b; git config --global user.name n; \
                git init -q -b main /srv/r && cd /srv/r && echo 1 >f && git add f && git commit -qm one && git tag v1 && \
                echo 2 >f && git commit -qam two && git branch old v1",
        tasks: "
- name: clone
  git: repo=/srv/r dest=/srv/new/checkout
- name: tag
  git: repo=/srv/r dest=/srv/tagged version=v1
- name: bare
  git: repo=/srv/r dest=/srv/bare.git bare=yes
",
        changes: &["clone", "tag", "bare"],
        always: &[],
        holds: "test \"$(cat /srv/new/checkout/f /srv/tagged/f | xargs)\" = '2 1' && test -f /srv/bare.git/HEAD",
    },
    Case {
        name: "a repository that has moved on",
        setup: "cd /srv/r && echo 3 >f && git commit -qam three",
        tasks: "
- name: new commit
  git: repo=/srv/r dest=/srv/new/checkout
- name: another version
  git: repo=/srv/r dest=/srv/tagged version=old
- name: left alone
  git: repo=/srv/r dest=/srv/bare.git bare=yes update=no
",
        changes: &["new commit"],
        always: &[],
        holds: "test \"$(cat /srv/new/checkout/f /srv/tagged/f | xargs)\" = '3 1' && cd /srv/tagged && test \"$(git branch --show-current)\" = old",
    },
];

fn play(lab: &Lab, tasks: &str, args: &[&str]) -> Vec<Said> {
    let dir = tempfile::tempdir().unwrap();
    let indented: String = tasks.lines().map(|l| format!("    {l}\n")).collect();
    let text = format!("- hosts: all\n  gather_facts: false\n  tasks:\n{indented}");
    let file = write(dir.path(), "play.yml", &text);
    let ran = run(lab.rplay([file.to_str().unwrap()]).args(["--diff", "--output", "json"]).args(args)).exits(0);
    said(&ran.out)
}

fn seen(all: &[Said]) -> Vec<(&str, &str, &str)> {
    all.iter().map(|s| (s.task.as_str(), s.status.as_str(), s.diff.as_str())).collect()
}

#[test]
fn systems_are_brought_into_their_state_as_the_dry_run_said() {
    let Some(lab) = Lab::up("t-sysmod", 1) else { return };
    let host = "t-sysmod-1";
    for case in CASES {
        eprintln!("{}", case.name);
        lab.sh(host, &format!("export HOME=/root; {}", if case.setup.is_empty() { ":" } else { case.setup })).exits(0);
        let check = play(&lab, case.tasks, &["--check"]);
        let ran = play(&lab, case.tasks, &[]);
        assert_eq!(with_status(&ran, host, "changed"), case.changes, "{}: {:#?}", case.name, seen(&ran));
        assert_eq!(seen(&check), seen(&ran), "{}", case.name);
        lab.sh(host, &format!("export HOME=/root; {}", case.holds)).exits(0);
        let again = play(&lab, case.tasks, &[]);
        assert_eq!(with_status(&again, host, "changed"), case.always, "{}: again: {:#?}", case.name, seen(&again));
    }
}

#[test]
fn failures_are_worded_as_users_know_them() {
    let Some(lab) = Lab::up("t-sysfail", 1) else { return };
    for (task, words) in [
        ("apt: name=nosuchpackage", "No package matching 'nosuchpackage' is available"),
        ("apt: name=bash=99", "no available installation candidate for bash=99"),
        ("service: name=nosuch state=started", "Could not find the requested service nosuch: host"),
        ("user: name=x groups=nosuch", "Group nosuch does not exist"),
        ("user: name=x uid=0", "useradd: UID 0 is not unique"),
        ("setup: gather_subset=bogus", "Bad subset 'bogus' given to Ansible."),
        ("git: repo=/srv/x dest=/srv/y", "Failed to find required executable \\\"git\\\" in paths"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let file =
            write(dir.path(), "play.yml", &format!("- hosts: all\n  gather_facts: false\n  tasks:\n    - {task}\n"));
        for mode in [&["--check"][..], &[]] {
            run(lab.rplay([file.to_str().unwrap()]).args(mode)).exits(2).says(words);
        }
    }
}

/// A task that became an account has left a worker there; the account can be removed all the same,
/// made again, and become again.
#[test]
fn an_account_that_was_become_can_be_removed() {
    let Some(lab) = Lab::up("t-sysleaver", 1) else { return };
    let tasks = "
- name: account
  user: name=leaver
- name: as it
  command: id -un
  become: true
  become_user: leaver
- name: gone
  user: {name: leaver, state: absent, remove: true}
- name: account again
  user: name=leaver
- name: as it again
  command: id -un
  become: true
  become_user: leaver
- name: gone again
  user: {name: leaver, state: absent, remove: true}
";
    let all = play(&lab, tasks, &[]);
    let changed = with_status(&all, "t-sysleaver-1", "changed");
    assert_eq!(changed, ["account", "as it", "gone", "account again", "as it again", "gone again"]);
}
