//! The cases: a module, what is there before, arguments, what comes of it. `$D` is the
//! host's directory, `$L` the controller's.

use rplay::model::Status;

pub struct Case {
    pub module: &'static str,
    pub setup: &'static [&'static str],
    pub args: &'static str,
    pub status: Status,
    /// What is there afterwards, as `World::assert_has` takes it.
    pub leaves: &'static [(&'static str, &'static str)],
    /// Whether only root can run it.
    pub root: bool,
}

/// Modules whose cases are elsewhere, and why.
pub const ELSEWHERE: &[(&str, &str)] = &[];

const fn changes(
    module: &'static str,
    setup: &'static [&'static str],
    args: &'static str,
    leaves: &'static [(&'static str, &'static str)],
) -> Case {
    Case { module, setup, args, status: Status::Changed, leaves, root: false }
}

const fn stays(module: &'static str, setup: &'static [&'static str], args: &'static str) -> Case {
    Case { module, setup, args, status: Status::Ok, leaves: &[], root: false }
}

const fn fails(module: &'static str, setup: &'static [&'static str], args: &'static str) -> Case {
    Case { module, setup, args, status: Status::Failed, leaves: &[], root: false }
}

const fn as_root(mut case: Case) -> Case {
    case.root = true;
    case
}

/// State modules.
pub const CASES: &[Case] = &[
    // file: directories
    changes(
        "file",
        &[],
        r#"{"path": "$D/a/b", "state": "directory", "mode": 448}"#,
        &[("$D/a", "mode=0700"), ("$D/a/b", "dir")],
    ),
    stays("file", &["a/"], r#"{"path": "$D/a", "state": "directory", "mode": "0755"}"#),
    stays("file", &["a/"], r#"{"path": "$D/a/", "state": "directory"}"#),
    fails("file", &["f=x"], r#"{"path": "$D/f", "state": "directory"}"#),
    fails("file", &["f=x"], r#"{"path": "$D/f/g", "state": "directory"}"#),
    changes(
        "file",
        &["a/"],
        r#"{"path": "$D/a", "state": "directory", "mode": "u=rwx,go="}"#,
        &[("$D/a", "mode=0700")],
    ),
    changes(
        "file",
        &["a/b/", "a/f=x", "a/b/g=y", "h=z", "a/l->../h"],
        r#"{"path": "$D/a", "state": "directory", "recurse": true, "mode": "u=rwX,g=rX,o="}"#,
        &[("$D/a/b", "mode=0750"), ("$D/a/b/g", "mode=0640"), ("$D/h", "mode=0640")],
    ),
    changes(
        "file",
        &["a/b/", "a/b/g=y", "h=z", "a/l->../h"],
        r#"{"path": "$D/a", "recurse": true, "follow": false, "state": "directory", "mode": "go="}"#,
        &[("$D/a/b/g", "mode=0600"), ("$D/h", "mode=0644")],
    ),
    changes(
        "file",
        &["a/", "a/loop->."],
        r#"{"path": "$D/a", "state": "directory", "recurse": true, "mode": "0700"}"#,
        &[],
    ),
    changes("file", &[], r#"{"path": "$D/new", "recurse": true}"#, &[("$D/new", "dir")]),
    changes(
        "file",
        &["real/", "l->real"],
        r#"{"path": "$D/l", "state": "directory", "mode": "0700"}"#,
        &[("$D/real", "mode=0700"), ("$D/l", "->real")],
    ),
    changes("file", &["l->real"], r#"{"path": "$D/l", "state": "directory"}"#, &[("$D/real", "dir")]),
    fails("file", &["real/", "l->real"], r#"{"path": "$D/l", "state": "directory", "follow": false}"#),
    // file: files
    changes("file", &["f=x"], r#"{"path": "$D/f", "mode": "0600"}"#, &[("$D/f", "mode=0600")]),
    changes("file", &["f=x"], r#"{"dest": "$D/f", "mode": "a+x"}"#, &[("$D/f", "mode=0755")]),
    changes("file", &["f=x"], r#"{"name": "$D/f", "mode": "u+s"}"#, &[("$D/f", "mode=4644")]),
    fails("file", &[], r#"{"path": "$D/f", "mode": "0600"}"#),
    fails("file", &["d/"], r#"{"path": "$D/d", "state": "file"}"#),
    fails("file", &["f=x"], r#"{"path": "$D/f", "mode": "0999"}"#),
    fails("file", &["f=x"], r#"{"path": "$D/f", "owner": "no-such-user-here"}"#),
    fails("file", &["f=x"], r#"{"path": "$D/f", "group": "no-such-group-here"}"#),
    fails("file", &["f=x"], r#"{"path": "$D/f", "src": "$D/g"}"#),
    fails("file", &["f=x"], r#"{"path": "$D/f", "recurse": true}"#),
    as_root(changes(
        "file",
        &["f=x"],
        r#"{"path": "$D/f", "owner": "daemon", "group": "daemon"}"#,
        &[("$D/f", "owner=1:1")],
    )),
    as_root(changes(
        "file",
        &["f=x"],
        r#"{"path": "$D/f", "owner": 1234, "group": "4321"}"#,
        &[("$D/f", "owner=1234:4321")],
    )),
    as_root(changes("file", &["f=x", "f:4755"], r#"{"path": "$D/f", "owner": "1234"}"#, &[("$D/f", "mode=4755")])),
    as_root(changes(
        "file",
        &[],
        r#"{"path": "$D/d", "state": "directory", "owner": "daemon", "mode": "2770"}"#,
        &[("$D/d", "mode=2770")],
    )),
    changes(
        "file",
        &["f=x"],
        r#"{"path": "$D/f", "state": "file", "modification_time": "200001011200.00", "access_time": "preserve"}"#,
        &[],
    ),
    changes(
        "file",
        &["f=x"],
        r#"{"path": "$D/f", "modification_time": "2000-01-01", "modification_time_format": "%Y-%m-%d"}"#,
        &[],
    ),
    fails("file", &["f=x"], r#"{"path": "$D/f", "modification_time": "yesterday"}"#),
    // file: touch
    changes(
        "file",
        &[],
        r#"{"path": "$D/f", "state": "touch", "mode": "0640", "modification_time": "preserve", "access_time": "preserve"}"#,
        &[("$D/f", "mode=0640"), ("$D/f", "")],
    ),
    stays(
        "file",
        &["f=x"],
        r#"{"path": "$D/f", "state": "touch", "modification_time": "preserve", "access_time": "preserve"}"#,
    ),
    changes(
        "file",
        &[],
        r#"{"path": "$D/f", "state": "touch", "modification_time": "200001011200.00", "access_time": "preserve"}"#,
        &[],
    ),
    fails("file", &[], r#"{"path": "$D/no/f", "state": "touch"}"#),
    // file: absent
    changes("file", &["a/b/", "a/f=x"], r#"{"path": "$D/a", "state": "absent"}"#, &[("$D/a", "absent")]),
    changes("file", &["f=x", "l->f"], r#"{"path": "$D/l", "state": "absent"}"#, &[("$D/l", "absent"), ("$D/f", "x")]),
    stays("file", &[], r#"{"path": "$D/a", "state": "absent"}"#),
    // file: links
    changes("file", &["f=x"], r#"{"path": "$D/l", "src": "f", "state": "link"}"#, &[("$D/l", "->f")]),
    changes(
        "file",
        &["f=x", "g=y", "l->f"],
        r#"{"path": "$D/l", "src": "$D/g", "state": "link"}"#,
        &[("$D/l", "->$D/g")],
    ),
    stays("file", &["f=x", "l->f"], r#"{"path": "$D/l", "src": "f", "state": "link"}"#),
    stays("file", &["f=x", "l->f"], r#"{"path": "$D/l", "state": "link"}"#),
    changes(
        "file",
        &["f=x", "l->f"],
        r#"{"path": "$D/l", "src": "f", "state": "link", "mode": "0600"}"#,
        &[("$D/f", "mode=0600")],
    ),
    fails("file", &[], r#"{"path": "$D/l", "src": "f", "state": "link"}"#),
    changes("file", &[], r#"{"path": "$D/l", "src": "f", "state": "link", "force": true}"#, &[("$D/l", "->f")]),
    fails("file", &["f=x", "g=y"], r#"{"path": "$D/g", "src": "f", "state": "link"}"#),
    changes(
        "file",
        &["f=x", "g=y"],
        r#"{"path": "$D/g", "src": "f", "state": "link", "force": true}"#,
        &[("$D/g", "->f")],
    ),
    changes(
        "file",
        &["f=x", "d/"],
        r#"{"path": "$D/d", "src": "$D/f", "state": "link", "force": true}"#,
        &[("$D/d", "->$D/f")],
    ),
    fails("file", &["f=x", "d/", "d/g=y"], r#"{"path": "$D/d", "src": "$D/f", "state": "link", "force": true}"#),
    fails("file", &["f=x"], r#"{"path": "$D/l", "state": "link"}"#),
    as_root(changes(
        "file",
        &["f=x", "l->f"],
        r#"{"path": "$D/l", "src": "f", "state": "link", "follow": false, "owner": "1234"}"#,
        &[("$D/l", "owner=1234:0"), ("$D/f", "owner=0:0")],
    )),
    as_root(changes(
        "file",
        &["f=x"],
        r#"{"path": "$D/l", "src": "f", "state": "link", "follow": false, "owner": "1234"}"#,
        &[("$D/l", "owner=1234:0")],
    )),
    changes("file", &["f=x"], r#"{"path": "$D/h", "src": "$D/f", "state": "hard"}"#, &[("$D/h", "x")]),
    fails("file", &["f=x", "h=y"], r#"{"path": "$D/h", "src": "$D/f", "state": "hard"}"#),
    changes(
        "file",
        &["f=x", "h=y"],
        r#"{"path": "$D/h", "src": "$D/f", "state": "hard", "force": true}"#,
        &[("$D/h", "x")],
    ),
    fails("file", &[], r#"{"path": "$D/h", "src": "$D/f", "state": "hard"}"#),
    // copy
    changes("copy", &[], r#"{"content": "hello\n", "dest": "$D/f"}"#, &[("$D/f", "hello\n"), ("$D/f", "mode=0644")]),
    changes("copy", &[], r#"{"content": "", "dest": "$D/f"}"#, &[("$D/f", "")]),
    changes(
        "copy",
        &["f=old", "f:0600"],
        r#"{"content": "new", "dest": "$D/f"}"#,
        &[("$D/f", "new"), ("$D/f", "mode=0600")],
    ),
    changes("copy", &["f=old"], r#"{"content": "new", "dest": "$D/f", "mode": "0640"}"#, &[("$D/f", "mode=0640")]),
    changes("copy", &["f=same"], r#"{"content": "same", "dest": "$D/f", "mode": 384}"#, &[("$D/f", "mode=0600")]),
    stays("copy", &["f=same"], r#"{"content": "same", "dest": "$D/f"}"#),
    stays("copy", &["f=old"], r#"{"content": "new", "dest": "$D/f", "force": false}"#),
    changes("copy", &[], r#"{"content": "new", "dest": "$D/f", "force": false}"#, &[("$D/f", "new")]),
    changes("copy", &[], r#"{"content": {"a": [1, true]}, "dest": "$D/f"}"#, &[("$D/f", r#"{"a": [1, true]}"#)]),
    changes("copy", &["f=old"], r#"{"content": "new", "dest": "$D/f", "backup": true}"#, &[("$D/f", "new")]),
    changes(
        "copy",
        &["f=old"],
        r#"{"content": "new", "dest": "$D/f", "validate": "grep -q new %s"}"#,
        &[("$D/f", "new")],
    ),
    fails("copy", &["f=old"], r#"{"content": "new", "dest": "$D/f", "validate": "no percent"}"#),
    fails("copy", &[], r#"{"content": "x", "dest": "$D/no/f"}"#),
    fails("copy", &["d/"], r#"{"content": "x", "dest": "$D/d/"}"#),
    fails("copy", &["d/"], r#"{"content": "x", "dest": "$D/d"}"#),
    fails("copy", &[], r#"{"dest": "$D/d"}"#),
    fails("copy", &["@s=x"], r#"{"src": "s", "content": "y", "dest": "$D/d"}"#),
    fails("copy", &[], r#"{"src": "missing", "dest": "$D/d"}"#),
    changes("copy", &["f=x", "l->f"], r#"{"content": "y", "dest": "$D/l"}"#, &[("$D/l", "y"), ("$D/f", "x")]),
    changes("copy", &["f=x", "l->f"], r#"{"content": "x", "dest": "$D/l"}"#, &[("$D/l", "x")]),
    changes(
        "copy",
        &["f=x", "l->f"],
        r#"{"content": "y", "dest": "$D/l", "follow": true}"#,
        &[("$D/l", "->f"), ("$D/f", "y")],
    ),
    changes("copy", &["@s=x"], r#"{"src": "s", "dest": "$D/f"}"#, &[("$D/f", "x")]),
    changes("copy", &["@s=x", "d/"], r#"{"src": "s", "dest": "$D/d"}"#, &[("$D/d/s", "x")]),
    changes("copy", &["@s=x"], r#"{"src": "s", "dest": "$D/a/b/"}"#, &[("$D/a/b/s", "x")]),
    changes("copy", &["@s=x"], r#"{"src": "s", "dest": "$D/a/", "directory_mode": "0700"}"#, &[("$D/a", "mode=0700")]),
    changes(
        "copy",
        &["@s=x", "@s:0751"],
        r#"{"src": "s", "dest": "$D/f", "mode": "preserve"}"#,
        &[("$D/f", "mode=0751")],
    ),
    changes(
        "copy",
        &["@s=x"],
        r#"{"src": "s", "dest": "$D/f", "checksum": "11f6ad8ec52a2984abaafd7c3b516503785c2072"}"#,
        &[("$D/f", "x")],
    ),
    fails("copy", &["@s=x"], r#"{"src": "s", "dest": "$D/f", "checksum": "0000"}"#),
    changes(
        "copy",
        &["@t/sub/", "@t/a=1", "@t/sub/b=2", "@t/empty/"],
        r#"{"src": "t", "dest": "$D/x"}"#,
        &[("$D/x/t/sub/b", "2"), ("$D/x/t/empty", "dir")],
    ),
    changes(
        "copy",
        &["@t/sub/", "@t/a=1", "@t/sub/b=2"],
        r#"{"src": "t/", "dest": "$D/x", "mode": "0600", "directory_mode": "0700"}"#,
        &[("$D/x/sub/b", "2"), ("$D/x/a", "mode=0600"), ("$D/x/sub", "mode=0700")],
    ),
    changes(
        "copy",
        &["@t/sub/", "@t/a=1", "@t/sub/b=2", "x/", "x/a=1"],
        r#"{"src": "t/", "dest": "$D/x"}"#,
        &[("$D/x/sub/b", "2")],
    ),
    changes("copy", &["@t/", "@t/a=1", "@t/l->a"], r#"{"src": "t/", "dest": "$D/x"}"#, &[("$D/x/l", "1")]),
    changes(
        "copy",
        &["@t/", "@t/a=1", "@t/l->a"],
        r#"{"src": "t/", "dest": "$D/x", "local_follow": false}"#,
        &[("$D/x/l", "->a")],
    ),
    changes("copy", &["s=x"], r#"{"src": "$D/s", "dest": "$D/f", "remote_src": true}"#, &[("$D/f", "x")]),
    changes(
        "copy",
        &["s=x", "s:0751"],
        r#"{"src": "$D/s", "dest": "$D/f", "remote_src": true, "mode": "preserve"}"#,
        &[("$D/f", "mode=0751")],
    ),
    changes(
        "copy",
        &["s/t/", "s/t/a=1"],
        r#"{"src": "$D/s", "dest": "$D/x", "remote_src": true}"#,
        &[("$D/x/s/t/a", "1")],
    ),
    changes(
        "copy",
        &["s/t/", "s/t/a=1"],
        r#"{"src": "$D/s/", "dest": "$D/x", "remote_src": true}"#,
        &[("$D/x/t/a", "1")],
    ),
    fails("copy", &[], r#"{"src": "$D/s", "dest": "$D/f", "remote_src": true}"#),
    as_root(changes(
        "copy",
        &[],
        r#"{"content": "x", "dest": "$D/f", "owner": "daemon", "group": "4321"}"#,
        &[("$D/f", "owner=1:4321")],
    )),
    // template
    changes(
        "template",
        &["@t.j2=to {{ template_destpath }}\n"],
        r#"{"src": "t.j2", "dest": "$D/f"}"#,
        &[("$D/f", "to $D/f\n")],
    ),
    changes(
        "template",
        &["@t.j2=a\nb\n"],
        r#"{"src": "t.j2", "dest": "$D/f", "newline_sequence": "\\r\\n"}"#,
        &[("$D/f", "a\r\nb\r\n")],
    ),
    changes(
        "template",
        &["@t.j2=#jinja2: variable_start_string: '[%', variable_end_string: '%]'\n[% ansible_managed %]"],
        r#"{"src": "t.j2", "dest": "$D/f"}"#,
        &[("$D/f", "Ansible managed")],
    ),
    changes(
        "template",
        &["@t.j2=é", "@t.j2:0600"],
        r#"{"src": "t.j2", "dest": "$D/f", "output_encoding": "latin-1", "mode": "preserve"}"#,
        &[("$D/f", "mode=0600")],
    ),
    changes("template", &["@t.j2=x", "d/"], r#"{"src": "t.j2", "dest": "$D/d/"}"#, &[("$D/d/t.j2", "x")]),
    changes(
        "template",
        &["@t.j2=x", "f=y"],
        r#"{"src": "t.j2", "dest": "$D/f", "backup": true, "validate": "test -f %s"}"#,
        &[("$D/f", "x")],
    ),
    stays("template", &["@t.j2=x", "f=y"], r#"{"src": "t.j2", "dest": "$D/f", "force": false}"#),
    fails("template", &["@t.j2=x"], r#"{"src": "t.j2", "dest": "$D/f", "newline_sequence": "x"}"#),
    fails("template", &["@t.j2=é"], r#"{"src": "t.j2", "dest": "$D/f", "output_encoding": "ascii"}"#),
    fails("template", &[], r#"{"src": "t.j2", "dest": "$D/f"}"#),
];

type Other = (&'static str, &'static [&'static str], &'static str, Status, Status);

/// Queries and actions: module, setup, arguments, status of a dry run, of a run.
pub const OTHERS: &[Other] = &[
    ("ping", &[], "{}", Status::Ok, Status::Ok),
    ("command", &[], r#"{"argv": ["touch", "$D/f"]}"#, Status::Changed, Status::Changed),
    ("command", &[], r#"{"cmd": "touch $D/f", "creates": "$D/f"}"#, Status::Changed, Status::Changed),
    ("command", &["f.x="], r#"{"cmd": "touch $D/g", "creates": "$D/*.x"}"#, Status::Ok, Status::Ok),
    ("command", &[], r#"{"cmd": "rm $D/f", "removes": "$D/f"}"#, Status::Ok, Status::Ok),
    ("command", &["f="], r#"{"_raw_params": "rm f", "removes": "f", "chdir": "$D"}"#, Status::Changed, Status::Changed),
    ("command", &[], r#"{"cmd": "false"}"#, Status::Changed, Status::Failed),
    ("command", &[], r#"{}"#, Status::Failed, Status::Failed),
    ("command", &[], r#"{"cmd": "a", "argv": ["b"]}"#, Status::Failed, Status::Failed),
    ("shell", &[], r#"{"cmd": "echo a > $D/f; exit 0"}"#, Status::Changed, Status::Changed),
    ("shell", &["f="], r#"{"cmd": "echo", "creates": "$D/f"}"#, Status::Ok, Status::Ok),
    ("shell", &[], r#"{"cmd": "[[ a == a* ]]", "executable": "/bin/bash"}"#, Status::Changed, Status::Changed),
];
