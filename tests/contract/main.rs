//! The contract of modules, checked for every module of the registry on this machine:
//! a dry run writes nothing and says what the run will do; a second run does nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod cases;
mod layers;
mod world;

use cases::{Case, ELSEWHERE};
use rplay::model::Status;
use rplay::module::Kind;
use rplay::modules::MODULES;
use world::World;

fn holds(case: &Case) {
    let world = World::new(case.setup);
    let name = format!("{} {}", case.module, case.args);
    let before = world.snapshot();
    let check = world.run(case.module, case.args, true);
    assert_eq!(before, world.snapshot(), "check wrote something: {name}");
    let run = world.run(case.module, case.args, false);
    let after = world.snapshot();
    assert_eq!(run.status, case.status, "status of the run: {name}: {run:?}");
    assert_eq!(check.status, run.status, "status of the dry run: {name}: {check:?}");
    assert_eq!(check.diff, run.diff, "diff: {name}");
    assert_eq!(
        run.status == Status::Changed,
        !run.diff.is_empty(),
        "a change shows a diff, no change shows none: {name}"
    );
    for (path, expected) in case.leaves {
        world.assert_has(path, expected, &name);
    }
    if case.status == Status::Failed {
        assert_eq!(before, after, "a failure left something behind: {name}");
        return;
    }
    for (key, value) in &run.result {
        let key = key.to_string();
        // Where a backup went is known only when it was made; times and inodes are the file's own.
        if !matches!(key.as_str(), "backup_file" | "backup" | "stat" | "size") {
            assert_eq!(check.result.get(&key), Some(value), "return value {key} in the dry run: {name}");
        }
    }
    let again = world.run(case.module, case.args, false);
    assert_eq!((again.status, again.diff.len()), (Status::Ok, 0), "a second run: {name}");
    assert_eq!(after, world.snapshot(), "a second run wrote something: {name}");
}

#[test]
fn state_modules_keep_the_contract() {
    let root = rustix::process::geteuid().is_root();
    for case in cases::all().filter(|c| root || !c.root) {
        holds(case);
    }
}

#[test]
fn every_module_has_a_case() {
    for module in MODULES.iter().filter(|m| m.kind != Kind::Controller) {
        let here = cases::all().any(|c| c.module == module.name) || cases::OTHERS.iter().any(|c| c.0 == module.name);
        let elsewhere = ELSEWHERE.iter().any(|(name, _)| *name == module.name);
        assert!(here || elsewhere, "`{}` has no case in tests/contract/cases/", module.name);
        assert!(!(here && elsewhere), "`{}` is tested here and excused", module.name);
    }
}

#[test]
fn every_module_is_documented() {
    for module in MODULES {
        assert!(!module.doc.is_empty(), "{} has no documentation", module.name);
        for spec in (module.args)() {
            assert!(!spec.doc.trim().is_empty(), "argument {} of {} has no documentation", spec.name, module.name);
        }
        for value in module.returns {
            assert!(!value.doc.is_empty(), "return value {} of {} has no documentation", value.name, module.name);
        }
    }
    let names: Vec<&str> = MODULES.iter().map(|m| m.name).collect();
    assert!(names.is_sorted(), "the registry is in alphabetical order: {names:?}");
}

#[test]
fn queries_and_actions_write_nothing_in_a_dry_run() {
    for (module, setup, args, checked, status) in cases::OTHERS {
        let world = World::new(setup);
        let before = world.snapshot();
        let check = world.run(module, args, true);
        assert_eq!(before, world.snapshot(), "check wrote something: {module} {args}");
        assert_eq!(check.status, *checked, "dry run: {module} {args}: {check:?}");
        let run = world.run(module, args, false);
        assert_eq!(run.status, *status, "run: {module} {args}: {run:?}");
    }
}
