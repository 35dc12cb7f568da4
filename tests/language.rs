//! The playbook language, against what Ansible makes of it: `tests/language/cases` names
//! playbooks and options, `tests/language/expected/` holds what ansible-core 2.19 printed
//! for them and the files that it left, recorded by `tests/language/record.sh`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "all of it is test code")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A line of `cases`.
struct Case {
    name: String,
    environment: Vec<(String, String)>,
    args: Vec<String>,
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/language")
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(project().join("cases")).unwrap();
    let lines = text.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
    lines
        .map(|line| {
            let (name, rest) = line.split_once(": ").unwrap();
            let mut args: Vec<String> = rest.split(' ').map(|w| w.replace("\\u0020", " ")).collect();
            let set = args.iter().take_while(|w| w.starts_with(|c: char| c.is_ascii_uppercase())).count();
            let environment = args.drain(..set).map(|w| w.split_once('=').map(|(n, v)| (n.into(), v.into())).unwrap());
            let environment = environment.collect();
            Case { name: name.to_owned(), environment, args }
        })
        .collect()
}

/// Runs a case as `record.sh` does, and writes it down in the same way.
fn run(case: &Case) -> (String, String) {
    let out = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_rplay"))
        .args(["-i", "inventory/hosts", "-e", &format!("out={}", out.path().display())])
        .args(&case.args)
        .envs(case.environment.iter().cloned())
        .env("ANSIBLE_SSH_ARGS", "-o ConnectTimeout=3")
        .current_dir(project())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let place = |text: &str| text.replace(&*out.path().to_string_lossy(), "OUT");
    let hidden =
        |bytes: &[u8]| place(&String::from_utf8_lossy(bytes)).replace(&*project().to_string_lossy(), "PROJECT");
    let mut text = hidden(&done.stdout);
    writeln!(text, "---- exit {}", done.status.code().unwrap_or(-1)).unwrap();
    describe(out.path(), out.path(), &mut text);
    (place(&text), hidden(&done.stderr))
}

fn describe(root: &Path, dir: &Path, text: &mut String) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = format!("./{}", path.strip_prefix(root).unwrap().display());
        let meta = std::fs::symlink_metadata(&path).unwrap();
        let mode = meta.permissions().mode() & 0o7777;
        if meta.is_symlink() {
            writeln!(text, "---- {name} -> {}", std::fs::read_link(&path).unwrap().display()).unwrap();
        } else if meta.is_dir() {
            writeln!(text, "---- {name}/ {mode:o}").unwrap();
            describe(root, &path, text);
        } else {
            writeln!(text, "---- {name} {mode:o}").unwrap();
            text.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
}

/// What both must agree on: every line but for the stars of headlines, the JSON of
/// failures (messages are rplay's own), and the order in which hosts answer.
fn normal(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut answers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current: Option<String> = None;
    let mut explaining = false;
    for line in text.lines() {
        // A job's name is another one each time.
        let line = if line.starts_with("ASYNC ") { line.split(" jid=").next().unwrap_or(line) } else { line };
        let headline = ["TASK [", "PLAY ", "RUNNING HANDLER ["].iter().any(|word| line.starts_with(word));
        explaining = line.starts_with("[ERROR]: ") || explaining && answering(line).is_none() && !headline;
        if explaining || is_explanation(line) {
            continue;
        }
        if let Some(host) = answering(line) {
            answers.entry(host.clone()).or_default().push(shortened(line));
            current = Some(host);
        } else if let Some(host) = current.as_ref().filter(|_| !line.is_empty() && !line.starts_with("----")) {
            answers.entry(host.clone()).or_default().push(line.trim_end().to_owned());
        } else {
            current = None;
            out.extend(std::mem::take(&mut answers).into_values().flatten());
            out.push(line.trim_end().trim_end_matches('*').trim_end().to_owned());
        }
    }
    out.extend(answers.into_values().flatten());
    // rplay shows warnings and explanations where they belong, Ansible on standard error:
    // the empty lines around them say nothing.
    out.retain(|l| !l.is_empty());
    sort_listed(&mut out);
    // Ansible says it twice; `meta` once for each host.
    out.dedup_by(|a, b| a == b && (a.starts_with("NO MORE HOSTS") || a.starts_with("TASK [meta")));
    out.iter_mut().filter(|line| line.starts_with("included: ")).for_each(|line| *line = sorted_hosts(line));
    out.join("\n") + "\n"
}

/// `included: FILE for HOSTS`: the hosts come in the order of their answers.
fn sorted_hosts(line: &str) -> String {
    let Some((what, rest)) = line.rsplit_once(" for ") else { return line.to_owned() };
    let (hosts, item) = rest.split_once(" =>").map_or((rest, String::new()), |(h, i)| (h, format!(" =>{i}")));
    let mut hosts: Vec<&str> = hosts.split(", ").collect();
    hosts.sort_unstable();
    format!("{what} for {}{item}", hosts.join(", "))
}

/// `--list-hosts` of Ansible gives hosts in any order.
fn sort_listed(lines: &mut [String]) {
    let mut rest = lines;
    while let Some(at) = rest.iter().position(|l| l.starts_with("    hosts (")) {
        rest = rest.split_at_mut(at + 1).1;
        let end = rest.iter().position(|l| !l.starts_with("      ")).unwrap_or(rest.len());
        rest[..end].sort();
    }
}

fn is_explanation(line: &str) -> bool {
    let bare = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
    line.starts_with("error: ")
        || line.starts_with("  hint: ")
        || line.starts_with("[WARNING]: ")
        || bare.starts_with(" | ")
        || bare.starts_with(" |") && bare.len() == 2
        || ["--> ", "::: ", "= help: ", "= hint: ", "|"].iter().any(|p| line.starts_with(' ') && bare.starts_with(p))
}

fn answering(line: &str) -> Option<String> {
    let (word, rest) = line.split_once(": [")?;
    let known = ["ok", "changed", "skipping", "fatal", "failed", "unknown", "FAILED - RETRYING"];
    known.contains(&word).then(|| rest.split([']', ' ']).next().unwrap_or_default().to_owned())
}

/// Without the times of a program's run, and what only Python has to tell.
fn timeless(line: &str) -> String {
    let mut out = String::new();
    for part in line.split(", \"") {
        let name = part.split('"').next().unwrap_or_default();
        if !matches!(name, "delta" | "end" | "start" | "failed_when_suppressed_exception") {
            let comma = if out.is_empty() { "" } else { ", \"" };
            write!(out, "{comma}{part}").unwrap();
        }
    }
    out
}

fn shortened(line: &str) -> String {
    let line = &timeless(line);
    let failure = line.starts_with("fatal: ") || line.starts_with("failed: ");
    let cut = line.find(" => {").filter(|_| failure);
    line[..cut.unwrap_or(line.len())].trim_end().to_owned()
}

fn compare(case: &Case) -> Result<(), String> {
    let expected = std::fs::read_to_string(project().join("expected").join(&case.name)).unwrap_or_default();
    let (text, stderr) = run(case);
    let (expected, got) = (normal(&expected), normal(&text));
    if expected == got {
        return Ok(());
    }
    let diff = similar::TextDiff::from_lines(&expected, &got);
    let shown = diff.unified_diff().context_radius(3).header("Ansible", "rplay").to_string();
    Err(format!("==== {}: {}\n{shown}{stderr}", case.name, case.args.join(" ")))
}

/// All cases, four at a time; `CASE=name` picks one.
#[test]
fn the_language_is_ansibles() {
    let only = std::env::var("CASE").ok();
    let cases: Vec<Case> = cases().into_iter().filter(|c| only.as_ref().is_none_or(|o| *o == c.name)).collect();
    assert!(!cases.is_empty(), "no such case");
    let (next, different) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(words) = compare(case) {
                        different.lock().unwrap().push(words);
                    }
                }
            });
        }
    });
    let mut different = different.into_inner().unwrap();
    different.sort();
    assert!(different.is_empty(), "{}\n{} of {} cases differ", different.join("\n"), different.len(), cases.len());
}

/// Each recording belongs to a case, and each case has one with something in it.
#[test]
fn every_case_is_recorded() {
    let names: Vec<String> = cases().into_iter().map(|c| c.name).collect();
    let recorded = std::fs::read_dir(project().join("expected")).unwrap();
    let recorded: Vec<String> = recorded.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    let without: Vec<_> = names.iter().filter(|n| !recorded.contains(n)).collect();
    let left: Vec<_> = recorded.iter().filter(|r| !names.contains(r)).collect();
    assert!(without.is_empty() && left.is_empty(), "not recorded: {without:?}; no case: {left:?}");
    for name in names {
        let text = std::fs::read_to_string(project().join("expected").join(&name)).unwrap();
        assert!(text.contains("---- exit "), "{name} is empty");
    }
}
