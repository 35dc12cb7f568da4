//! Modules run here, against this machine's engine, and what a test leaves there removed.

use std::process::Command;

use rplay::model::{Diff, Map, Outcome, Value};
use rplay::module::{self, Mode};
use rplay::modules::{find, json};
use rplay::sys::{NoBlobs, Session};

use crate::common::{Ran, run, top};

/// A corner of the engine: all that a test makes has its name in front.
pub struct Corner {
    pub name: String,
    pub dir: tempfile::TempDir,
    /// The environment that modules run in, besides this program's own.
    pub env: Vec<(String, String)>,
    /// Where the registry is, for `$R`.
    pub registry: String,
}

pub fn docker(words: &str) -> Ran {
    run(Command::new("docker").args(words.split_whitespace()))
}

impl Corner {
    /// Nothing where there is no engine; with CI=true that is a failure.
    pub fn new(name: &str) -> Option<Self> {
        let made = run(Command::new(top().join("tests/tools/docker")).arg("images"));
        if made.code != 0 {
            let required = std::env::var("CI").is_ok_and(|v| v == "true");
            assert!(!required, "no engine:\n{}", made.err);
            eprintln!("passed over, since there is no engine: {}", made.err);
            return None;
        }
        docker("tag rplay-t-docker:plain rplay-t-docker:also-plain").exits(0);
        let corner = Self {
            name: format!("rplay-t-{name}-{}", std::process::id()),
            dir: tempfile::tempdir().unwrap(),
            env: Vec::new(),
            registry: String::new(),
        };
        std::fs::write(corner.dir.path().join("one.env"), "# comment\nFROM_FILE=1\n\n").unwrap();
        std::fs::write(corner.dir.path().join("two.env"), "FROM_FILE=2\nMORE=a=b\n").unwrap();
        Some(corner)
    }

    pub fn text(&self, text: &str) -> String {
        let pid = std::process::id();
        // A range that no other test has at the same time.
        let net = format!("10.{}.{}", 200 + pid / 250 % 50, pid % 250);
        let text = text.replace("$N", &self.name).replace("$R", &self.registry).replace("$S", &net);
        text.replace("$D", self.dir.path().to_str().unwrap())
    }

    /// `docker`, with `$N` and `$D` in the words.
    pub fn docker(&self, words: &str) -> Ran {
        docker(&self.text(words))
    }

    pub fn args(&self, json: &str) -> Map {
        let text = self.text(json);
        let Some(Value::Map(map)) = json::parse(&text) else { panic!("no JSON: {text}") };
        (*map).clone()
    }

    pub fn run_in(&self, session: &Session, module: &str, args: &str, check: bool) -> Outcome {
        let module = find(module).unwrap_or_else(|| panic!("no module {module}"));
        module::run(module, &self.args(args), session, Mode { check, diff: true }, "the task").0
    }

    pub fn run(&self, module: &str, args: &str, check: bool) -> Outcome {
        let session = Session::new(Box::new(NoBlobs));
        session.set_environment(self.env.clone());
        self.run_in(&session, module, args, check)
    }

    /// The engine's newest API: 41 is 1.41.
    pub fn api(&self) -> u32 {
        let said = docker("version --format {{.Server.APIVersion}}").exits(0).out;
        said.trim().split('.').nth(1).unwrap().parse().unwrap()
    }

    /// All that the engine keeps of this corner, and its files: if a dry run did anything, this
    /// is different.
    pub fn snapshot(&self) -> String {
        let list = |words: &str| {
            let all = docker(words).exits(0).out;
            let mut own: Vec<&str> = all.lines().filter(|l| l.contains(&self.name)).collect();
            own.sort_unstable();
            own.join("\n")
        };
        let files = "find . -printf '%p %y %m %U %G %l\n' | sort; find . -type f -exec sha256sum {} + | sort";
        let files = run(Command::new("sh").args(["-c", files]).current_dir(self.dir.path())).exits(0).out;
        [
            files,
            list("ps --all --no-trunc --format {{.ID}}/{{.Names}}/{{.State}}"),
            list("network ls --no-trunc --format {{.ID}}/{{.Name}}"),
            list("volume ls --format {{.Name}}"),
            list("images --no-trunc --format {{.Repository}}:{{.Tag}}/{{.ID}}"),
        ]
        .join("\n--\n")
    }

    /// What was changed in the file systems of this corner's containers.
    pub fn inside(&self) -> String {
        let script =
            "for c in $(docker ps --all --quiet --filter name=\"$0\"); do echo $c; docker diff $c | sort; done";
        run(Command::new("sh").args(["-c", script, &self.name])).exits(0).out
    }

    pub fn inspect(&self, what: &str, format: &str) -> String {
        let what = self.text(what);
        let ran = run(Command::new("docker").args(["inspect", "--format", format, &what]));
        ran.exits(0).out.trim().to_owned()
    }
}

impl Drop for Corner {
    fn drop(&mut self) {
        for (list, remove) in [
            ("ps --all --format {{.Names}}", "rm --force --volumes"),
            ("network ls --format {{.Name}}", "network rm"),
            // A network that another one takes its configuration from goes after that.
            ("network ls --format {{.Name}}", "network rm"),
            ("volume ls --format {{.Name}}", "volume rm"),
            ("images --format {{.Repository}}:{{.Tag}}", "rmi --force"),
            // What came from a registry stays under its digest.
            ("images --digests --format {{.Repository}}@{{.Digest}}", "rmi --force"),
        ] {
            let all = docker(list).out;
            for name in all.lines().filter(|l| l.contains(&self.name)) {
                docker(&format!("{remove} {name}"));
            }
        }
    }
}

/// A diff as lines, for looking into.
pub fn lines(diff: &[Diff]) -> String {
    let mut out = String::new();
    for one in diff {
        match one {
            Diff::Attributes { subject, changes } => {
                out.push_str(&format!("{subject}\n"));
                for c in changes {
                    out.push_str(&format!("  {}: {} -> {}\n", c.name, c.before, c.after));
                }
            }
            Diff::Text(t) => out.push_str(&format!("{t:?}\n")),
            Diff::Prepared(text) => out.push_str(text),
        }
    }
    out
}
