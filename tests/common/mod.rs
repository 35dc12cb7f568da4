//! What tests that use the real program and real hosts share.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a helper of tests fails as tests do"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The repository's top.
pub fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// What a program left behind.
#[derive(Debug)]
pub struct Ran {
    /// Exit status.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Fails the test unless the exit status is as expected.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit status\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// Fails the test unless the output (of either kind) has these words.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        let all = format!("{}{}", self.out, self.err);
        assert!(all.contains(words), "`{words}` is missing in\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    /// Counts of a host's recap line: ok, changed, unreachable, failed, skipped, rescued, ignored.
    #[track_caller]
    pub fn recap(&self, host: &str) -> [u32; 7] {
        let line = self.out.lines().find(|l| l.starts_with(host) && l.contains(" : ok="));
        let line = line.unwrap_or_else(|| panic!("no recap of {host} in\n{}\n{}", self.out, self.err));
        let count = |name: &str| {
            let rest = line.split(&format!("{name}=")).nth(1).unwrap_or_default();
            rest.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("no {name} in {line}"))
        };
        ["ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored"].map(count)
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// `rplay` in the repository's top, with the configuration there.
pub fn rplay<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
    command.args(args).current_dir(top()).env_remove("ANSIBLE_CONFIG").env("ANSIBLE_NOCOLOR", "1");
    command
}

/// Hosts of a lab; gone when this is dropped.
pub struct Lab {
    name: String,
    dir: PathBuf,
    /// The names of its hosts.
    pub hosts: Vec<String>,
}

impl Lab {
    /// Starts `n` fresh hosts. Without a lab a test is passed over on a developer's machine;
    /// where `CI` is set that is a failure.
    pub fn up(name: &str, n: usize) -> Option<Self> {
        Self::up_with(name, n, &[])
    }

    /// As [`Lab::up`], with further options of tests/lab/up.
    pub fn up_with(name: &str, n: usize, options: &[&str]) -> Option<Self> {
        let mut up = Command::new(top().join("tests/lab/up"));
        let ran = run(up.arg(n.to_string()).args(["--name", name]).args(options));
        if ran.code != 0 {
            let required = std::env::var("CI").is_ok_and(|v| v == "true");
            assert!(!required, "the lab did not come up:\n{}", ran.err);
            eprintln!("passed over, since there is no lab: {}", ran.err);
            return None;
        }
        let state = std::env::var_os("RPLAY_LAB_STATE").map_or_else(|| top().join(".lab"), PathBuf::from);
        let hosts = (1..=n).map(|i| format!("{name}-{i}")).collect();
        Some(Self { name: name.to_owned(), dir: top().join(state).join(name), hosts })
    }

    /// The path of its inventory.
    pub fn inventory(&self) -> PathBuf {
        self.dir.join("inventory")
    }

    /// The directory that hosts of `up --docker` and this machine both see.
    pub fn shared(&self) -> PathBuf {
        self.dir.join("shared")
    }

    /// The path of the private key that its hosts know.
    pub fn key(&self) -> PathBuf {
        self.dir.join("key")
    }

    /// A word of a host's line in the inventory: `ansible_host`, `lab_container`.
    pub fn var(&self, host: &str, name: &str) -> String {
        let text = std::fs::read_to_string(self.inventory()).unwrap();
        let line = text.lines().find(|l| l.split_whitespace().next() == Some(host)).unwrap();
        line.split(&format!("{name}=")).nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    }

    /// Runs a shell command on a host as root, past rplay.
    pub fn sh(&self, host: &str, script: &str) -> Ran {
        run(Command::new("docker").args(["exec", &self.var(host, "lab_container"), "sh", "-c", script]))
    }

    /// `rplay` on this lab.
    pub fn rplay<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = rplay(["-i"]);
        command.arg(self.inventory()).args(args);
        command
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = run(Command::new(top().join("tests/lab/down")).arg(&self.name));
    }
}

/// What one task said of one host, from `--output json`.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The task's name.
    pub task: String,
    /// The host.
    pub host: String,
    /// `ok`, `changed`, `unknown`, …
    pub status: String,
    /// Its diff.
    pub diff: String,
    /// The whole result.
    pub result: Value,
}

/// Takes a JSON document apart, in the order of tasks.
pub fn said(document: &str) -> Vec<Said> {
    let document: Value = serde_json::from_str(document).unwrap_or_else(|e| panic!("{e}: {document}"));
    let mut all = Vec::new();
    for task in document["plays"].as_array().unwrap().iter().flat_map(|p| p["tasks"].as_array().unwrap()) {
        for (host, result) in task["hosts"].as_object().unwrap() {
            let text = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
            let name = task["task"]["name"].as_str().unwrap().to_owned();
            all.push(Said {
                task: name,
                host: host.clone(),
                status: text("status"),
                diff: text("diff"),
                result: result.clone(),
            });
        }
    }
    all
}

/// Names of the tasks with this status on a host.
pub fn with_status<'a>(all: &'a [Said], host: &str, status: &str) -> Vec<&'a str> {
    all.iter().filter(|s| s.host == host && s.status == status).map(|s| s.task.as_str()).collect()
}

/// Writes a file of a test's own directory.
pub fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}
