//! Planned state: a dry run of several tasks predicts what the run of them does.

use rplay::model::Status;
use rplay::sys::{NoBlobs, Session};

use crate::world::World;

/// Runs the tasks dry in one session, then for real, and compares each.
fn predicts(setup: &[&str], tasks: &[(&str, &str)]) {
    let world = World::new(setup);
    let before = world.snapshot();
    let dry = Session::new(Box::new(NoBlobs));
    let checks: Vec<_> = tasks.iter().map(|(module, args)| world.run_in(&dry, module, args, true)).collect();
    assert_eq!(before, world.snapshot(), "the dry run wrote something");
    let real = Session::new(Box::new(NoBlobs));
    for ((module, args), check) in tasks.iter().zip(checks) {
        let run = world.run_in(&real, module, args, false);
        assert_ne!(run.status, Status::Failed, "{module} {args}: {run:?}");
        assert_eq!(check.status, run.status, "{module} {args}: {check:?}");
        assert_eq!(check.diff, run.diff, "{module} {args}");
    }
}

#[test]
fn a_tree_is_made_and_filled() {
    predicts(
        &[],
        &[
            ("file", r#"{"path": "$D/etc/app", "state": "directory", "mode": "0750"}"#),
            ("copy", r#"{"content": "a=1\n", "dest": "$D/etc/app/conf"}"#),
            ("copy", r#"{"content": "a=1\n", "dest": "$D/etc/app/conf"}"#),
            ("copy", r#"{"content": "a=2\n", "dest": "$D/etc/app/conf", "mode": "0600"}"#),
            ("file", r#"{"path": "$D/etc/app/conf", "mode": "0640"}"#),
            ("file", r#"{"path": "$D/etc/app/conf", "mode": "0640"}"#),
            ("file", r#"{"path": "$D/current", "src": "etc/app", "state": "link"}"#),
            ("copy", r#"{"content": "a=3\n", "dest": "$D/current/conf"}"#),
            ("copy", r#"{"content": "a=3\n", "dest": "$D/etc/app/conf"}"#),
            ("file", r#"{"path": "$D/current/sub", "state": "directory"}"#),
            ("file", r#"{"path": "$D/etc/app/sub", "state": "directory"}"#),
            ("file", r#"{"path": "$D/etc", "state": "directory", "recurse": true, "mode": "go="}"#),
            ("file", r#"{"path": "$D/etc/app", "state": "absent"}"#),
            ("file", r#"{"path": "$D/etc/app", "state": "absent"}"#),
            ("file", r#"{"path": "$D/etc/app", "state": "directory"}"#),
            ("copy", r#"{"content": "a=4\n", "dest": "$D/etc/app/conf"}"#),
        ],
    );
}

#[test]
fn what_is_there_is_changed_removed_and_made_anew() {
    predicts(
        &["d/", "d/f=x", "e/", "e/g=y", "l->d"],
        &[
            ("file", r#"{"path": "$D/l/f", "mode": "0600"}"#),
            ("file", r#"{"path": "$D/d/f", "mode": "0600"}"#),
            ("copy", r#"{"content": "z", "dest": "$D/l/f"}"#),
            ("copy", r#"{"src": "$D/d/f", "dest": "$D/e/copied", "remote_src": true}"#),
            ("copy", r#"{"src": "$D/d/", "dest": "$D/e", "remote_src": true}"#),
            ("file", r#"{"path": "$D/l", "src": "e", "state": "link"}"#),
            ("copy", r#"{"content": "w", "dest": "$D/l/g"}"#),
            ("copy", r#"{"content": "w", "dest": "$D/e/g"}"#),
            ("file", r#"{"path": "$D/e", "state": "absent"}"#),
            ("file", r#"{"path": "$D/e", "state": "directory"}"#),
            ("copy", r#"{"content": "w", "dest": "$D/l/g"}"#),
        ],
    );
}

#[test]
fn a_planned_file_is_edited() {
    predicts(
        &["plain=1\n", "@t=a=1\n"],
        &[
            ("file", r#"{"path": "$D/d", "state": "directory"}"#),
            ("template", r#"{"src": "t", "dest": "$D/d/f"}"#),
            ("lineinfile", r#"{"path": "$D/d/f", "regexp": "^a", "line": "a=2"}"#),
            ("lineinfile", r#"{"path": "$D/d/f", "regexp": "^a", "line": "a=2"}"#),
            ("lineinfile", r#"{"path": "$D/d/f", "line": "b=1", "insertbefore": "BOF"}"#),
            ("file", r#"{"path": "$D/d/f", "mode": "0600"}"#),
            ("lineinfile", r#"{"path": "$D/d/f", "line": "c=1"}"#),
            ("file", r#"{"path": "$D/d/h", "src": "$D/d/f", "state": "hard"}"#),
            ("lineinfile", r#"{"path": "$D/d/h", "line": "c=1"}"#),
            ("lineinfile", r#"{"path": "$D/plain", "line": "2"}"#),
            ("lineinfile", r#"{"path": "$D/plain", "regexp": "2", "state": "absent"}"#),
            ("copy", r#"{"content": "1\n", "dest": "$D/plain"}"#),
            ("lineinfile", r#"{"path": "$D/other", "line": "x", "create": true}"#),
            ("lineinfile", r#"{"path": "$D/other", "line": "x"}"#),
        ],
    );
}

#[test]
fn what_a_command_may_provide_is_unknown_and_fails_nowhere() {
    let world = World::new(&["here=x"]);
    let dry = Session::new(Box::new(NoBlobs));
    let status = |module, args| world.run_in(&dry, module, args, true).status;
    assert_eq!(status("command", r#"{"cmd": "make install"}"#), Status::Changed);
    for (module, args) in [
        ("file", r#"{"path": "$D/made", "mode": "0600"}"#),
        ("file", r#"{"path": "$D/here", "owner": "made-by-make"}"#),
        ("file", r#"{"path": "$D/made", "state": "absent"}"#),
        ("command", r#"{"cmd": "x", "creates": "$D/made"}"#),
        ("command", r#"{"cmd": "x", "removes": "$D/made"}"#),
        ("lineinfile", r#"{"path": "$D/made", "line": "x"}"#),
        ("lineinfile", r#"{"path": "$D/made", "line": "x", "state": "absent"}"#),
        ("copy", r#"{"src": "$D/made", "dest": "$D/x", "remote_src": true}"#),
    ] {
        assert!(matches!(status(module, args), Status::Unknown(_)), "{module} {args}");
    }
    assert_eq!(status("copy", r#"{"content": "a", "dest": "$D/made/conf"}"#), Status::Changed);
    assert_eq!(status("file", r#"{"path": "$D/here", "mode": "0644"}"#), Status::Ok);
    // A task that runs for real within the dry run.
    let probe = world.run_in(&dry, "command", r#"{"cmd": "no-such-program-yet"}"#, false);
    assert!(matches!(probe.status, Status::Unknown(_)), "{probe:?}");
}
