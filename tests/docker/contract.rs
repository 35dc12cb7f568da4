//! The contract on an engine, case by case: a dry run does nothing and says what the run does;
//! a second run has nothing to do. And each option has a case, which the modules' own tables
//! of arguments are asked for.

use std::collections::BTreeSet;
use std::process::Command;

use rplay::model::{Map, Outcome, Status, Value};
use rplay::module::{ArgSpec, Kind};
use rplay::modules::{MODULES, find, json};

use crate::cases::{self, Case, Then};
use crate::common::run;
use crate::compose::plugins;
use crate::container::is;
use crate::engine::{Corner, lines};
use crate::images::Registry;
use crate::options;

/// Check, run, run again: nothing is done under check, and it says what the run does.
pub fn contract(corner: &Corner, module: &str, args: &str, name: &str) -> Outcome {
    let run = changes(corner, module, args, name);
    let again = corner.run(module, args, false);
    is(&again, &Status::Ok, &format!("{name}, again"));
    assert!(again.diff.is_empty(), "{name}: {}", lines(&again.diff));
    run
}

/// Check, and run.
fn changes(corner: &Corner, module: &str, args: &str, name: &str) -> Outcome {
    let inside = || if module.starts_with("docker_container_") { corner.inside() } else { String::new() };
    let before = (corner.snapshot(), inside());
    let check = corner.run(module, args, true);
    is(&check, &Status::Changed, &format!("{name}, check"));
    assert_eq!(before, (corner.snapshot(), inside()), "check did something: {name}");
    let run = corner.run(module, args, false);
    is(&run, &Status::Changed, &format!("{name}, run"));
    // What an action does is not described beforehand.
    if find(module).unwrap().kind == Kind::State {
        assert_eq!(lines(&check.diff), lines(&run.diff), "{name}: check's diff and the run's");
        assert!(!run.diff.is_empty(), "{name}: a change shows a diff");
    }
    run
}

/// Dry and for real the same, and no change.
fn stays(corner: &Corner, module: &str, args: &str, name: &str) -> Outcome {
    let before = corner.snapshot();
    let (check, run) = (corner.run(module, args, true), corner.run(module, args, false));
    is(&check, &Status::Ok, &format!("{name}, check"));
    is(&run, &Status::Ok, &format!("{name}, run"));
    assert_eq!(before, corner.snapshot(), "something was done: {name}");
    run
}

/// As [`stays`], where the dry run alone does nothing.
fn quiet(corner: &Corner, module: &str, args: &str, name: &str) -> Outcome {
    let before = corner.snapshot();
    is(&corner.run(module, args, true), &Status::Ok, &format!("{name}, check"));
    assert_eq!(before, corner.snapshot(), "check did something: {name}");
    let run = corner.run(module, args, false);
    is(&run, &Status::Ok, &format!("{name}, run"));
    run
}

/// Dry and for real the same failure, and nothing done.
fn fails(corner: &Corner, module: &str, args: &str, words: &str) -> Outcome {
    let before = corner.snapshot();
    let (check, run) = (corner.run(module, args, true), corner.run(module, args, false));
    for ran in [&check, &run] {
        is(ran, &Status::Failed, args);
        assert!(ran.message().unwrap().contains(&corner.text(words)), "{args}: {words} in {ran:?}");
    }
    assert_eq!(before, corner.snapshot(), "something was done: {args}");
    run
}

/// A change, or the failure that says what this machine's tools have not.
fn lacks(corner: &Corner, module: &str, args: &str, words: &str) -> Outcome {
    let ran = corner.run(module, args, false);
    if ran.status == Status::Failed {
        assert!(format!("{:?}", ran.result).contains(words), "{args}: {words} in {ran:?}");
        return ran;
    }
    is(&ran, &Status::Changed, args);
    ran
}

fn holds(corner: &Corner, case: &Case) {
    for line in case.setup {
        let line = corner.text(line);
        match line.split_once('=').filter(|(path, _)| path.starts_with('/')) {
            Some((path, content)) => {
                let path = std::path::Path::new(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, content).unwrap();
            }
            None => drop(run(Command::new("sh").args(["-c", &line])).exits(0)),
        }
    }
    let (module, args) = (case.module, case.args);
    let name = format!("{module} {args}");
    let ran = match case.then {
        Then::Changes(_) => contract(corner, module, args, &name),
        Then::Always(_) => changes(corner, module, args, &name),
        Then::Stays => stays(corner, module, args, &name),
        Then::Quiet => quiet(corner, module, args, &name),
        Then::Fails(words) => fails(corner, module, args, words),
        Then::Lacks(words) => lacks(corner, module, args, words),
        Then::Needs(minor) if corner.api() < minor => {
            fails(corner, module, args, &format!("Minimum version required is 1.{minor}"))
        }
        Then::Needs(_) => contract(corner, module, args, &name),
    };
    if let Then::Changes(words) | Then::Always(words) = case.then {
        let diff = lines(&ran.diff);
        assert!(diff.contains(&corner.text(words)), "{name}: {words} in\n{diff}");
    }
}

fn hold(corner: &Corner, cases: &[Case]) {
    let mut failed = Vec::new();
    for case in cases {
        // All that is wrong is said at once.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| holds(corner, case))).is_err() {
            failed.push(format!("{} {}", case.module, case.args));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn containers_keep_the_contract() {
    let Some(corner) = Corner::new("containers") else { return };
    hold(&corner, cases::containers::CASES);
    assert_eq!(
        corner.inspect("$N-p", "{{json .HostConfig.PortBindings}}"),
        r#"{"80/tcp":[{"HostIp":"127.0.0.3","HostPort":"18780"}]}"#
    );
}

#[test]
fn networks_volumes_and_files_keep_the_contract() {
    let Some(corner) = Corner::new("things") else { return };
    hold(&corner, cases::things::CASES);
    let said = corner.docker("exec $N-one sh -c stat$IFS-c$IFS%a:%u:%g$IFS/etc/x.conf;cat$IFS/etc/x.conf").exits(0).out;
    assert_eq!(said, "600:12:13\na=2\n");
    corner.docker("exec $N-one test -L /to").exits(0);
    corner.docker("exec $N-one test -f /tmp/target").exits(0);
}

#[test]
fn images_keep_the_contract() {
    let Some(mut corner) = Corner::new("images") else { return };
    let registry = Registry::start(true);
    corner.registry = registry.at.clone();
    corner.env.push(("DOCKER_CONFIG".to_owned(), corner.text("$D/config")));
    hold(&corner, cases::images::CASES);
}

#[test]
fn projects_and_builds_keep_the_contract() {
    let (Some(mut corner), Some(config)) = (Corner::new("projects"), plugins()) else { return };
    let registry = Registry::start(false);
    corner.registry = registry.at.clone();
    corner.env.push(("DOCKER_CONFIG".to_owned(), config));
    hold(&corner, cases::projects::CASES);
}

/// The options of a level, those within them as `mounts.target`.
fn options_of(specs: &[ArgSpec], before: &str, found: &mut BTreeSet<String>) {
    for spec in specs.iter().filter(|s| s.refused.is_none()) {
        let name = format!("{before}{}", spec.name);
        options_of(&spec.kind.within(), &format!("{name}."), found);
        found.insert(name);
    }
}

/// The options that arguments use, by their own names.
fn used(specs: &[ArgSpec], before: &str, args: &Map, found: &mut BTreeSet<String>) {
    for (key, value) in args {
        let key = key.to_string();
        let spec = specs.iter().find(|s| s.name == key || s.aliases.contains(&key.as_str()));
        let spec = spec.unwrap_or_else(|| panic!("no option {before}{key}"));
        let name = format!("{before}{}", spec.name);
        let within = spec.kind.within();
        if !within.is_empty() {
            for one in value.as_list().unwrap_or(std::slice::from_ref(value)) {
                used(&within, &format!("{name}."), one.as_map().unwrap(), found);
            }
        }
        found.insert(name);
    }
}

fn parsed(text: &str) -> Map {
    let Some(Value::Map(map)) = json::parse(text) else { panic!("no JSON: {text}") };
    (*map).clone()
}

/// A new option without a case, or a case's module that is no more, fails.
#[test]
fn each_option_has_a_case() {
    let own = options::CASES.iter().flat_map(|c| [c.1, c.2]);
    let own = own.chain(options::SAME.iter().flat_map(|c| [c.0, c.1]));
    let own = own.chain(options::STRICT.iter().flat_map(|c| [c.0, c.1]));
    let containers: Vec<String> = own.map(crate::container::arguments).collect();
    let containers = containers.iter().map(|args| ("docker_container", args.as_str()));
    let all: Vec<(&str, &str)> = cases::all().map(|c| (c.module, c.args)).chain(containers).collect();
    let mut missing = Vec::new();
    for module in MODULES.iter().filter(|m| m.name.starts_with("docker_")) {
        let specs = (module.args)();
        let mut wanted = BTreeSet::new();
        options_of(&specs, "", &mut wanted);
        let mut found = BTreeSet::new();
        for (_, args) in all.iter().filter(|(name, _)| *name == module.name) {
            used(&specs, "", &parsed(args), &mut found);
        }
        for (name, option, why) in cases::WITHOUT.iter().filter(|w| w.0 == module.name || w.0 == "*") {
            let is_case = found.contains(*option);
            assert!(*name == "*" || !is_case, "{name}: {option} has a case, and is excused: {why}");
            assert!(*name == "*" || wanted.contains(*option), "{name} has no option {option}: {why}");
            found.insert((*option).to_owned());
        }
        missing.extend(wanted.difference(&found).map(|option| format!("{}: {option}", module.name)));
    }
    assert!(missing.is_empty(), "options without a case in tests/docker/cases: {missing:#?}");
}
