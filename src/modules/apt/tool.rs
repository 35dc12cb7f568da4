//! apt-get: how it is called, how it simulates, and what it says it would do.

use super::{Apt, fnmatch};
use crate::model::{Command, Diff, Failure, Map, Output};
use crate::module::{Done, Plan, Step};
use crate::sys::{Effect, Host, Probe, ScratchDir};

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// apt on a host, as a task wants it.
pub(super) struct Tool<'a> {
    /// The task's arguments.
    pub args: &'a Apt,
    /// The host.
    pub host: &'a Probe<'a>,
    /// Options that make a simulation see what is planned: lists and database of its own.
    pub planned: Vec<String>,
    /// Where those are; kept as long as they are in use.
    pub scratch: Option<ScratchDir>,
}

/// A change that apt says it would make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// The package.
    pub name: String,
    /// The version that will be there, `None` when it is removed.
    pub version: Option<String>,
    /// Whether it is there before.
    pub present: bool,
}

impl<'a> Tool<'a> {
    pub(super) fn new(args: &'a Apt, host: &'a Probe<'a>) -> Result<Self, Failure> {
        let mut tool = Self { args, host, planned: Vec::new(), scratch: None };
        let planned = if host.is_dry_run() { host.planned_packages() } else { Vec::new() };
        if !planned.is_empty() {
            let scratch = host.scratch_dir()?;
            let status = tool.planned_status(&planned)?;
            tool.planned.push(format!("Dir::State::status={}", scratch.file("status", status.as_bytes())?));
            tool.scratch = Some(scratch);
        }
        Ok(tool)
    }

    /// dpkg's database as it will be when what is planned has been done.
    fn planned_status(&self, planned: &[(String, Option<String>)]) -> Result<String, Failure> {
        let text = self.host.text("/var/lib/dpkg/status").unwrap_or_default();
        let gone = |stanza: &&str| {
            let name = stanza.lines().find_map(|l| l.strip_prefix("Package: ")).unwrap_or_default();
            !planned.iter().any(|(n, _)| n == name)
        };
        let mut all: Vec<String> = text.split("\n\n").filter(gone).map(|s| s.trim_end().to_owned()).collect();
        let named = planned.iter().filter_map(|(name, version)| {
            let version = version.as_ref()?;
            Some(if version.is_empty() { name.clone() } else { format!("{name}={version}") })
        });
        let names: Vec<String> = named.collect();
        if !names.is_empty() {
            let command = Command::new("apt-cache").args(["show", "--no-all-versions"]).args(names);
            let out = self.host.query(&command)?.stdout_text();
            for stanza in out.split("\n\n").map(str::trim).filter(|s| !s.is_empty()) {
                all.push(format!("{stanza}\nStatus: install ok installed"));
            }
        }
        Ok(all.join("\n\n") + "\n")
    }

    /// Options that go before the verb.
    fn base(&self) -> Vec<String> {
        let mut words = vec!["-y".to_owned()];
        for option in self.args.dpkg_options.split(',').map(str::trim).filter(|o| !o.is_empty()) {
            words.extend(["-o".to_owned(), format!("Dpkg::Options::=--{option}")]);
        }
        words.extend(["-o".to_owned(), format!("DPkg::Lock::Timeout={}", self.args.lock_timeout)]);
        words
    }

    /// The command that does it.
    pub(super) fn command(&self, words: &[String]) -> Command {
        in_english(Command::new("apt-get").args(self.base()).args(words.to_vec()))
    }

    /// A command of apt's that only reads, and sees what is planned.
    pub(super) fn reading(&self, program: &str, words: &[String]) -> Command {
        let options = self.planned.iter().flat_map(|o| ["-o".to_owned(), o.clone()]);
        in_english(Command::new(program).args(options).args(words.to_vec()))
    }

    /// What apt-get would do.
    ///
    /// # Errors
    /// In Ansible's words, when it would fail.
    pub(super) fn simulate(&self, words: &[String]) -> Result<String, Failure> {
        let simulated: Vec<String> = ["-o", "Debug::NoLocking=1", "--simulate"]
            .into_iter()
            .map(str::to_owned)
            .chain(self.base())
            .chain(words.iter().cloned())
            .collect();
        let out = self.host.query(&self.reading("apt-get", &simulated))?;
        if out.success() { Ok(out.stdout_text()) } else { Err(failed(&self.command(words), &out)) }
    }

    /// Plans a call of apt-get that is known to have something to do.
    ///
    /// # Errors
    /// When a simulation fails.
    pub(super) fn run(&self, words: &[String]) -> Result<Plan, Failure> {
        let mut plan = Plan::new();
        if !self.host.is_dry_run() {
            plan.step(self.act(words));
            return Ok(plan);
        }
        let text = self.simulate(words)?;
        let changes = changes(&text);
        let effects = super::provide::effects(self, words, &changes);
        let diff = summary(&text).map(Diff::Prepared);
        plan.step(Step::action(effects, |_| Ok(Done::default())).diff(diff).yields(&["stdout", "stderr"]));
        Ok(plan)
    }

    /// Plans a call of apt-get that may have nothing to do: a simulation says.
    ///
    /// # Errors
    /// When a simulation fails.
    pub(super) fn run_if_needed(&self, words: &[String]) -> Result<Plan, Failure> {
        let text = self.simulate(words)?;
        if changes(&text).is_empty() {
            return Ok(Plan::new().with("stdout", text.as_str()).with("stderr", ""));
        }
        self.run(words)
    }

    fn act(&self, words: &[String]) -> Step {
        let command = self.command(words);
        let policy = self.args.policy_rc_d;
        Step::action([], move |host| {
            let out = with_policy(host, policy, |host| host.run(&command, None))?;
            if !out.success() {
                return Err(failed(&command, &out));
            }
            let text = out.stdout_text();
            let diff = summary(&text).map(Diff::Prepared).into_iter().collect();
            Ok(Done { result: output(&out), diff, ..Done::default() })
        })
    }

    /// The version that apt would install of each package, by one call.
    ///
    /// # Errors
    /// When apt-cache cannot be run.
    pub(super) fn candidates(&self, names: &[String]) -> Result<Vec<Candidate>, Failure> {
        let mut words = Vec::new();
        if let Some(release) = &self.args.default_release {
            words.extend(["-o".to_owned(), format!("APT::Default-Release={release}")]);
        }
        words.push("policy".to_owned());
        words.extend(names.iter().cloned());
        Ok(parse_policy(&self.host.query(&self.reading("apt-cache", &words))?.stdout_text()))
    }

    /// Names of all packages that match a pattern.
    ///
    /// # Errors
    /// When apt-cache cannot be run.
    pub(super) fn matching(&self, pattern: &str) -> Result<Vec<String>, Failure> {
        let out = self.host.query(&self.reading("apt-cache", &["pkgnames".to_owned()]))?.stdout_text();
        let mut names: Vec<String> = out.lines().filter(|n| fnmatch(pattern, n)).map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }
}

/// What `apt-cache policy` says of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Candidate {
    /// The package.
    pub name: String,
    /// The version that would be installed; `None` for a virtual package.
    pub version: Option<String>,
    /// All versions that there are, newest first.
    pub all: Vec<String>,
}

fn parse_policy(text: &str) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut table = false;
    for line in text.lines() {
        if let Some(name) = line.strip_suffix(':').filter(|n| !n.starts_with(' ')) {
            found.push(Candidate { name: name.to_owned(), ..Candidate::default() });
            table = false;
            continue;
        }
        let Some(candidate) = found.last_mut() else { continue };
        if let Some(version) = line.trim().strip_prefix("Candidate:") {
            candidate.version = Some(version.trim().to_owned()).filter(|v| v != "(none)");
        } else if line.trim() == "Version table:" {
            table = true;
        } else if table && (line.starts_with("     ") || line.starts_with(" *** ")) && !line.starts_with("      ") {
            let words: Vec<&str> = line.trim().trim_start_matches("*** ").split_whitespace().collect();
            candidate.all.extend(words.first().map(|v| (*v).to_owned()));
        }
    }
    found
}

fn in_english(command: Command) -> Command {
    ["LANG", "LC_ALL", "LC_MESSAGES", "LC_CTYPE"]
        .into_iter()
        .fold(command, |c, name| c.env(name, "C.UTF-8"))
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("DEBIAN_PRIORITY", "critical")
}

/// A program's output as return values.
pub(super) fn output(out: &Output) -> Map {
    Map::from_iter([("stdout", out.stdout_text()), ("stderr", out.stderr_text())])
}

/// The failure of a program, in Ansible's words.
pub(super) fn failed(command: &Command, out: &Output) -> Failure {
    let words = command.words().join(" ");
    Failure { fields: output(out), ..Failure::new(format!("'{words}' failed: {}", out.stderr_text())) }
        .with("rc", out.code)
}

/// The changes that a simulation announces.
pub(super) fn changes(text: &str) -> Vec<Change> {
    let change = |line: &str| {
        let mut words = line.split_whitespace();
        let verb = words.next()?;
        let name = words.next()?.split(':').next()?.to_owned();
        let next = words.next().unwrap_or_default();
        match verb {
            "Inst" => {
                let present = next.starts_with('[');
                let rest = if present { words.next().unwrap_or_default() } else { next };
                Some(Change { name, version: Some(rest.trim_start_matches('(').to_owned()), present })
            }
            "Remv" | "Purg" => Some(Change { name, version: None, present: true }),
            _ => None,
        }
    };
    text.lines().filter_map(change).collect()
}

/// The part of apt-get's output that says what changes; nothing when nothing does.
pub(super) fn summary(text: &str) -> Option<String> {
    let mut lines = Vec::new();
    let mut within = false;
    for line in text.lines() {
        within |= line.starts_with("The following ") || line.starts_with("WARNING: The following");
        if line.contains(" upgraded, ") && line.contains(" newly installed, ") {
            lines.push(line);
            return (lines.len() > 1).then(|| lines.join("\n"));
        }
        if within {
            lines.push(line);
        }
    }
    None
}

/// Runs something with a policy-rc.d that answers with `code`, then puts back what was there.
fn with_policy(
    host: &mut Host<'_>,
    code: Option<i64>,
    run: impl FnOnce(&mut Host<'_>) -> Result<Output, Failure>,
) -> Result<Output, Failure> {
    let Some(code) = code else { return run(host) };
    let script = format!("#!/bin/sh\nexit {code}\n");
    let file = |bytes: &[u8], mode: u32| Effect::File {
        path: POLICY.into(),
        content: crate::sys::Content::Bytes(bytes.into()),
        mode,
        uid: 0,
        gid: 0,
        in_place: false,
    };
    let before = host.probe().stat(POLICY)?.map(|stat| stat.mode).zip(host.probe().read(POLICY).ok());
    host.apply(&file(script.as_bytes(), 0o755))?;
    let result = run(host);
    match before {
        Some((mode, bytes)) => host.apply(&file(&bytes, mode))?,
        None => host.apply(&Effect::Remove { path: POLICY.into() })?,
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIMULATED: &str = "Reading package lists...\nThe following NEW packages will be installed:\n  tree\n\
        0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.\n\
        Inst tree (2.1.0-1 Debian:12.15/oldstable [amd64])\nInst bash [5.1] (5.2-2 Debian:12 [amd64]) []\n\
        Remv nano [7.2]\nConf tree (2.1.0-1 Debian:12.15/oldstable [amd64])\n";

    #[test]
    fn a_simulation_says_what_changes() {
        let all = changes(SIMULATED);
        let seen: Vec<(&str, Option<&str>, bool)> =
            all.iter().map(|c| (c.name.as_str(), c.version.as_deref(), c.present)).collect();
        assert_eq!(seen, [("tree", Some("2.1.0-1"), false), ("bash", Some("5.2-2"), true), ("nano", None, true)]);
        assert_eq!(
            summary(SIMULATED).unwrap(),
            "The following NEW packages will be installed:\n  tree\n0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded."
        );
        assert!(summary("Reading...\n0 upgraded, 0 newly installed, 0 to remove and 3 not upgraded.\n").is_none());
    }

    #[test]
    fn policies_name_candidates_and_versions() {
        let text = "tree:\n  Installed: (none)\n  Candidate: 2.1.0-1\n  Version table:\n     2.1.0-1 500\n        500 http://deb\n     1.8-1 500\n        500 http://x\nvirt:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n";
        let found = parse_policy(text);
        assert_eq!(found[0].version.as_deref(), Some("2.1.0-1"));
        assert_eq!(found[0].all, ["2.1.0-1", "1.8-1"]);
        assert_eq!((found[1].name.as_str(), found[1].version.as_ref()), ("virt", None));
    }
}
