//! `git` against repositories on a real sshd: one lab host keeps them, another checks them out.
//! What the dry run says, the run does; a second run does nothing; what fails leaves nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod common;

use common::{Lab, Said, run, said, with_status, write};

/// Tasks, and what holds then.
struct Case {
    name: &'static str,
    /// What is done before, on the host of the checkouts; after `@`, on that of the repositories.
    setup: &'static [&'static str],
    /// Name and arguments of each; the way to the remote is added.
    tasks: &'static [(&'static str, &'static str)],
    /// Those that change something.
    changes: &'static [&'static str],
    /// A shell command that is true afterwards.
    holds: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "versions",
        setup: &[],
        tasks: &[
            ("head", "{repo: $U/plain.git, dest: /srv/head}"),
            ("tag", "{repo: $U/plain.git, dest: /srv/tag, version: v1}"),
            ("branch", "{repo: $U/plain.git, dest: /srv/branch, version: old}"),
            ("bare", "{repo: $U/plain.git, dest: /srv/bare.git, bare: yes}"),
            ("another remote's name", "{repo: $U/plain.git, dest: /srv/named, remote: up}"),
            ("separate", "{repo: $U/plain.git, dest: /srv/sep, separate_git_dir: /srv/sep.git}"),
            ("umask", "{repo: $U/plain.git, dest: /srv/closed, umask: '0077', executable: /usr/bin/git}"),
        ],
        changes: &["head", "tag", "branch", "bare", "another remote's name", "separate", "umask"],
        holds: "test \"$(cat /srv/head/f /srv/tag/f /srv/branch/f /srv/named/f /srv/sep/f /srv/closed/f | xargs)\" = '3 2 1 3 3 3' && \
                git -C /srv/bare.git rev-parse refs/heads/old && test -f /srv/sep/.git && test -d /srv/sep.git/objects && \
                test $(git -C /srv/named remote) = up && test $(stat -c %a /srv/closed/f /srv/closed | xargs echo | tr ' ' -) = 600-700 && \
                test $(git -C /srv/tag for-each-ref --format x refs/heads | wc -l) = 1",
    },
    Case {
        name: "history in parts",
        setup: &[],
        tasks: &[
            ("depth", "{repo: $U/plain.git, dest: /srv/depth, depth: 1}"),
            ("depth of a tag", "{repo: $U/plain.git, dest: /srv/depth-tag, depth: 1, version: v1}"),
            ("single branch", "{repo: $U/plain.git, dest: /srv/single, single_branch: yes, version: old}"),
            (
                "refspec",
                "{repo: $U/app.git, dest: /srv/refspec, version: $HIDDEN, refspec: refs/pull/7/head, recursive: no}",
            ),
            (
                "refspec and depth",
                "{repo: $U/app.git, dest: /srv/refspec1, version: $HIDDEN, refspec: refs/pull/7/head, depth: 1, recursive: no}",
            ),
            ("no clone", "{repo: $U/plain.git, dest: /srv/head, clone: no}"),
            ("reference", "{repo: $U/plain.git, dest: /srv/referring, reference: /srv/bare.git}"),
        ],
        changes: &["depth", "depth of a tag", "single branch", "refspec", "refspec and depth", "reference"],
        holds: "for r in depth depth-tag single refspec1; do test $(git -C /srv/$r rev-list HEAD | wc -l) = 1 || exit; done; \
                cat /srv/refspec/h /srv/refspec1/h && grep /srv/bare.git /srv/referring/.git/objects/info/alternates",
    },
    Case {
        name: "what has moved on",
        setup: &["@cd /srv/w/plain && echo 4 >f && git commit -qam four && git push -q /srv/git/plain.git main"],
        tasks: &[
            ("new commit", "{repo: $U/plain.git, dest: /srv/head}"),
            ("shallow", "{repo: $U/plain.git, dest: /srv/depth, depth: 1}"),
            ("another branch of a shallow one", "{repo: $U/plain.git, dest: /srv/depth-tag, depth: 1, version: old}"),
            ("bare", "{repo: $U/plain.git, dest: /srv/bare.git, bare: yes}"),
            ("left alone", "{repo: $U/plain.git, dest: /srv/named, update: no}"),
            ("moved", "{repo: $U/plain.git, dest: /srv/sep, separate_git_dir: /srv/sep2.git, version: v1}"),
            ("another repository", "{repo: $U/app.git, dest: /srv/closed, version: other, recursive: no, force: yes}"),
        ],
        changes: &["new commit", "shallow", "another branch of a shallow one", "bare", "moved", "another repository"],
        holds: "test \"$(cat /srv/head/f /srv/depth/f /srv/depth-tag/f /srv/named/f /srv/sep/f | xargs)\" = '4 4 1 3 2' && \
                test -d /srv/sep2.git && ! test -e /srv/sep.git && test -f /srv/closed/o && \
                test $(git -C /srv/bare.git rev-parse main) = $(git -C /srv/head rev-parse HEAD)",
    },
    Case {
        name: "submodules",
        setup: &[],
        tasks: &[
            ("with", "{repo: $U/app.git, dest: /srv/with}"),
            ("without", "{repo: $U/app.git, dest: /srv/without, recursive: no}"),
            ("tracking", "{repo: $U/app.git, dest: /srv/tracking, track_submodules: yes}"),
        ],
        changes: &["with", "without", "tracking"],
        holds: "test \"$(cat /srv/with/sub/s /srv/tracking/sub/s | xargs)\" = 's1 s2' && ! test -e /srv/without/sub/s",
    },
    Case {
        name: "submodules later",
        setup: &[],
        tasks: &[
            ("tracking", "{repo: $U/app.git, dest: /srv/with, track_submodules: yes}"),
            ("with", "{repo: $U/app.git, dest: /srv/without}"),
        ],
        changes: &["tracking", "with"],
        holds: "test \"$(cat /srv/with/sub/s /srv/without/sub/s | xargs)\" = 's2 s1'",
    },
    Case {
        name: "local modifications, discarded",
        setup: &["echo mine >/srv/head/f; echo new >/srv/head/untracked"],
        tasks: &[("force", "{repo: $U/plain.git, dest: /srv/head, force: yes}")],
        changes: &["force"],
        holds: "test $(cat /srv/head/f) = 4 && test -f /srv/head/untracked",
    },
    Case {
        name: "archives",
        setup: &["apt-get install -y --no-install-recommends unzip >/dev/null 2>&1"],
        tasks: &[
            ("zip", "{repo: $U/plain.git, dest: /srv/ar, archive: /srv/ar.zip}"),
            ("prefix", "{repo: $U/plain.git, dest: /srv/head, archive: /srv/ar.tgz, archive_prefix: p/}"),
        ],
        changes: &["zip", "prefix"],
        holds: "unzip -Z1 /srv/ar.zip | grep -x f && tar tf /srv/ar.tgz | grep -x p/f",
    },
    Case {
        name: "a new tag and a new branch of the same commit",
        setup: &["@git -C /srv/git/plain.git tag new main && git -C /srv/git/plain.git branch same main"],
        tasks: &[
            ("new tag", "{repo: $U/plain.git, dest: /srv/ar, version: new}"),
            ("new branch", "{repo: $U/plain.git, dest: /srv/depth, version: same, depth: 1, force: yes}"),
        ],
        changes: &[],
        holds: "test \"$(git -C /srv/ar describe --tags --exact-match)\" = new && \
                test \"$(git -C /srv/depth branch --show-current)\" = same",
    },
    Case {
        name: "signatures",
        setup: &[],
        tasks: &[
            ("commit", "{repo: $U/signed.git, dest: /srv/signed, verify_commit: yes}"),
            (
                "other key",
                "{repo: $U/signed.git, dest: /srv/signed2, version: two, verify_commit: yes, gpg_whitelist: [$ONE, $TWO]}",
            ),
        ],
        changes: &["commit", "other key"],
        holds: "test -d /srv/signed2/.git",
    },
    Case {
        name: "signatures of what is there",
        setup: &[],
        tasks: &[
            ("commit", "{repo: $U/signed.git, dest: /srv/signed, verify_commit: yes}"),
            (
                "tag",
                "{repo: $U/signed.git, dest: /srv/signed2, version: two, verify_commit: yes, gpg_allowlist: [$TWO]}",
            ),
        ],
        changes: &[],
        holds: "test $(git -C /srv/signed2 branch --show-current) = two",
    },
    Case {
        name: "a signed tag",
        setup: &[],
        tasks: &[(
            "tag",
            "{repo: $U/signed.git, dest: /srv/signed, version: tag1, verify_commit: yes, gpg_allowlist: [$ONE]}",
        )],
        changes: &[],
        holds: "test -z \"$(git -C /srv/signed branch --show-current)\"",
    },
];

/// Arguments of a task that fails, the words, and what holds then. `way` of the remote as above.
const FAILURES: &[(&str, &str, &str)] = &[
    (
        "{repo: $U/plain.git, dest: /srv/no, ssh_opts: -o UserKnownHostsFile=/root/none}",
        "Host key verification failed",
        "! test -e /srv/no",
    ),
    ("{repo: $U/plain.git, dest: /srv/no, key_file: /root/other}", "Permission denied (publickey", "! test -e /srv/no"),
    ("{repo: $U/gone.git, dest: /srv/no}", "does not appear to be a git repository", "! test -e /srv/no"),
    (
        "{repo: $U/gone.git, dest: /srv/head}",
        "does not appear to be a git repository",
        "git -C /srv/head remote get-url origin | grep plain.git",
    ),
    ("{repo: 'ssh://root@127.0.0.1:9/x', dest: /srv/no}", "Connection refused", "! test -e /srv/no"),
    ("{repo: $U/plain.git, dest: /srv/no, version: nosuch}", "Failed to checkout nosuch", "! test -e /srv/no"),
    (
        "{repo: $U/plain.git, dest: /srv/mine}",
        "Local modifications exist in the destination: /srv/mine (force=no)",
        "test $(cat /srv/mine/f) = mine",
    ),
    ("{repo: $U/plain.git, dest: /srv/way}", "already exists and is not an empty directory", "ls /srv/way/x"),
    (
        "{repo: $U/plain.git, dest: /srv/broken}",
        "does not have a valid reference to a separate Git dir",
        "test -f /srv/broken/.git",
    ),
    (
        "{repo: $U/plain.git, dest: /srv/no, archive: /srv/a.rar}",
        "Unable to get file extension from archive",
        "! test -e /srv/no",
    ),
    (
        "{repo: $U/signed.git, dest: /srv/signed, verify_commit: yes, gpg_allowlist: [$TWO]}",
        "does not include the public key",
        "test -d /srv/signed",
    ),
];

/// As [`FAILURES`], of what only the run finds out.
const LATE: &[(&str, &str, &str)] = &[
    (
        "{repo: $U/plain.git, dest: /srv/no, version: 0123456789012345678901234567890123456789}",
        "Failed to checkout 0123456789",
        "! test -e /srv/no",
    ),
    (
        "{repo: $U/signed.git, dest: /srv/no, version: unsigned, verify_commit: yes}",
        "Failed to verify GPG signature of commit/tag",
        "! test -e /srv/no",
    ),
    (
        "{repo: $U/signed.git, dest: /srv/empty, version: unsigned-tag, verify_commit: yes}",
        "Failed to verify GPG signature of commit/tag",
        "test -z \"$(ls -A /srv/empty)\"",
    ),
    (
        "{repo: $U/signed.git, dest: /srv/signed, version: two, verify_commit: yes, gpg_allowlist: [$ONE]}",
        "does not include the public key",
        "test $(git -C /srv/signed branch --show-current) = main",
    ),
    (
        "{repo: $U/app.git, dest: /srv/tagged, recursive: no}",
        "would clobber existing tag",
        "git -C /srv/tagged remote get-url origin | grep plain.git",
    ),
];

/// On the host of the repositories.
const REPOSITORIES: &str = r#"
set -e; export GNUPGHOME=/root/gpg; mkdir -p -m 700 /root/gpg /srv/w /srv/git
git config --global user.email t@example.org; git config --global user.name t
git config --global init.defaultBranch main; git config --global protocol.file.allow always
ssh-keygen -q -t ed25519 -N '' -f /root/key; cat /root/key.pub >>/root/.ssh/authorized_keys
new() { git init -q /srv/w/$1; cd /srv/w/$1; }
keep() { git clone -q --mirror . /srv/git/$1.git; }
new plain; for i in 1 2 3; do echo $i >f; git add f; git commit -qm $i; done; git tag v1 HEAD~1; git branch old HEAD~2; keep plain
new sub; echo s1 >s; git add s; git commit -qm s1; echo s2 >s; git commit -qam s2; keep sub
new app; echo a >a; git add a; git commit -qm a; git tag v1
git submodule --quiet add /srv/git/sub.git sub; git -C sub checkout -q HEAD~1
git config -f .gitmodules submodule.sub.url ../sub.git; git add .; git commit -qm sub
git checkout -q -b other; echo o >o; git add o; git commit -qm o
git checkout -q -b hidden; echo h >h; git add h; git commit -qm h; git update-ref refs/pull/7/head HEAD
git checkout -q main; git branch -qD hidden; keep app
for n in one two; do
  gpg --batch --quiet --pinentry-mode loopback --passphrase '' --quick-gen-key "$n <$n@example.org>" ed25519 sign never
  gpg --list-keys --with-colons $n@example.org | awk -F: '/^fpr/{print $10; exit}' >/root/$n
done
new signed; git commit -q --allow-empty -m none; git tag unsigned; git tag -a unsigned-tag -m x
git commit -q --allow-empty -m one -S$(cat /root/one); git tag one; git tag -s -u $(cat /root/one) -m one tag1
git checkout -q -b two; git commit -q --allow-empty -m two -S$(cat /root/two); git checkout -q main; keep signed
gpg --export --armor >/root/keys.asc; gpgconf --kill gpg-agent
"#;

/// The two hosts, and what stands for `$…` in the tables.
struct Stage {
    lab: Lab,
    words: Vec<(&'static str, String)>,
}

const HERE: &str = "t-git-1";
const REMOTE: &str = "t-git-2";

impl Stage {
    fn new() -> Option<Self> {
        let lab = Lab::up("t-git", 2)?;
        for host in [HERE, REMOTE] {
            let install = "apt-get update -qq && apt-get install -y --no-install-recommends git gnupg openssh-client";
            lab.sh(host, &format!("({install}) >/dev/null 2>&1")).exits(0);
        }
        let cat = |what: &str| lab.sh(REMOTE, what).exits(0).out.trim().to_owned();
        lab.sh(REMOTE, &format!("export HOME=/root; {REPOSITORIES}")).exits(0);
        let address = cat("hostname -I").split_whitespace().next().unwrap().to_owned();
        for file in ["key", "keys.asc"] {
            let text = cat(&format!("cat /root/{file}"));
            lab.sh(HERE, &format!("umask 077; cat >/root/{file} <<'END'\n{text}\nEND")).exits(0);
        }
        lab.sh(
            HERE,
            &format!(
                "export HOME=/root; gpg -q --import /root/keys.asc 2>/dev/null; ssh-keygen -q -t ed25519 -N '' -f /root/other; \
                 ssh-keyscan {address} 2>/dev/null >/root/known; mkdir -p /srv/way /srv/empty; touch /srv/way/x"
            ),
        )
        .exits(0);
        let words = vec![
            ("$U", format!("ssh://root@{address}/srv/git")),
            ("$HIDDEN", cat("git -C /srv/git/app.git rev-parse refs/pull/7/head")),
            ("$ONE", cat("cat /root/one")),
            ("$TWO", cat("cat /root/two")),
        ];
        Some(Self { lab, words })
    }

    /// A task; how the remote is reached is the same for all but those that say it themselves.
    fn task(&self, name: &str, args: &str) -> String {
        let mut args = args.trim_end_matches('}').to_owned();
        for (option, value) in [("key_file", "/root/key"), ("ssh_opts", "-o UserKnownHostsFile=/root/known")] {
            if !args.contains(option) {
                args.push_str(&format!(", {option}: {value}"));
            }
        }
        let args = self.words.iter().fold(args, |text, (word, value)| text.replace(word, value));
        format!("    - name: {name}\n      git: {args}}}\n")
    }

    fn play(&self, tasks: &str, args: &[&str]) -> common::Ran {
        let dir = tempfile::tempdir().unwrap();
        let text = format!("- hosts: {HERE}\n  gather_facts: false\n  tasks:\n{tasks}");
        let file = write(dir.path(), "play.yml", &text);
        run(self.lab.rplay([file.to_str().unwrap()]).args(args))
    }

    fn holds(&self, name: &str, script: &str) {
        let ran = self.lab.sh(HERE, &format!("export HOME=/root; {script}"));
        assert_eq!(ran.code, 0, "{name}: {script}\n{}{}", ran.out, ran.err);
    }
}

fn seen(all: &[Said]) -> Vec<(&str, &str)> {
    all.iter().map(|s| (s.task.as_str(), s.status.as_str())).collect()
}

fn case(stage: &Stage, case: &Case) {
    eprintln!("{}", case.name);
    for line in case.setup {
        let (host, line) = line.strip_prefix('@').map_or((HERE, *line), |line| (REMOTE, line));
        stage.lab.sh(host, &format!("export HOME=/root; {line}")).exits(0);
    }
    let tasks: String = case.tasks.iter().map(|(name, args)| stage.task(name, args)).collect();
    let play =
        |args: &[&str]| said(&stage.play(&tasks, &[&["--diff", "--output", "json"], args].concat()).exits(0).out);
    let check = play(&["--check"]);
    assert_eq!(with_status(&check, HERE, "changed"), case.changes, "{}: check: {:?}", case.name, seen(&check));
    let ran = play(&[]);
    assert_eq!(seen(&check), seen(&ran), "{}", case.name);
    stage.holds(case.name, case.holds);
    let again = play(&[]);
    assert_eq!(with_status(&again, HERE, "changed"), [""; 0], "{}: again: {:?}", case.name, seen(&again));
}

/// The ways to a host that [`host_keys`] tries.
const NEW_KEYS: &str = ", accept_newhostkey: yes";
const ANY_KEYS: &str = ", accept_hostkey: yes";

/// A new option without a case fails; every option of the module changes what it does.
#[test]
fn each_option_has_a_case() {
    let cases = CASES.iter().flat_map(|c| c.tasks.iter().map(|(_, args)| *args));
    let failures = FAILURES.iter().chain(LATE).map(|(args, ..)| *args);
    let texts: Vec<&str> = cases.chain(failures).chain([NEW_KEYS, ANY_KEYS]).collect();
    let module = rplay::modules::find("git").unwrap();
    let has =
        |name: &str| texts.iter().any(|t| t.contains(&format!("{{{name}: ")) || t.contains(&format!(", {name}: ")));
    let specs = (module.args)();
    let missing: Vec<&str> = specs.iter().filter(|s| !has(s.name)).map(|s| s.name).collect();
    assert_eq!(missing, [""; 0], "options without a case");
}

#[test]
fn checkouts_over_ssh_follow_their_remotes() {
    let Some(stage) = Stage::new() else { return };
    CASES.iter().for_each(|one| case(&stage, one));
    host_keys(&stage);
    stage.holds(
        "setup",
        "cp -a /srv/head /srv/mine && echo mine >/srv/mine/f && mkdir /srv/broken && echo gitdir: /none >/srv/broken/.git && \
         cp -a /srv/head /srv/tagged && git -C /srv/signed checkout -q main",
    );
    for (args, words, holds) in FAILURES {
        for mode in [&["--check"][..], &[]] {
            stage.play(&stage.task("t", args), mode).exits(2).says(words);
            stage.holds(args, holds);
        }
    }
    for (args, words, holds) in LATE {
        stage.play(&stage.task("t", args), &["--check"]).exits(0);
        // The second run fails as the first: nothing was left that looks right.
        for _ in 0..2 {
            stage.play(&stage.task("t", args), &[]).exits(2).says(words);
            stage.holds(args, holds);
        }
    }
}

/// A host that is not known is refused, accepted when it is new, or in any case; one whose key
/// has changed is refused also where new ones are accepted.
fn host_keys(stage: &Stage) {
    let new = "ssh_opts: -o UserKnownHostsFile=/root/new";
    let task = |dest: &str, more: &str| stage.task("t", &format!("{{repo: $U/plain.git, dest: {dest}, {new}{more}}}"));
    stage.play(&task("/srv/k1", ""), &[]).exits(2).says("Host key verification failed");
    stage.play(&task("/srv/k1", NEW_KEYS), &[]).exits(0);
    stage.play(&task("/srv/k2", ""), &[]).exits(0);
    stage.holds(
        "another key",
        "set -- $(cut -d' ' -f1,2 /root/other.pub); echo \"$(cut -d' ' -f1 /root/new | head -n1) $1 $2\" >/root/new",
    );
    stage.play(&task("/srv/k3", NEW_KEYS), &[]).exits(2).says("HAS CHANGED");
    stage.holds("another key", "! test -e /srv/k3 && rm /root/new");
    stage.play(&task("/srv/k3", ANY_KEYS), &[]).exits(0);
}
