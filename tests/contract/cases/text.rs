//! Cases of the modules that edit text.

use super::{Case, changes, fails, stays};

pub const CASES: &[Case] = &[
    // lineinfile
    changes("lineinfile", &["f=a\nb\nc"], r#"{"path": "$D/f", "regexp": "^b", "line": "B"}"#, &[("$D/f", "a\nB\nc")]),
    changes("lineinfile", &["f=a\nb"], r#"{"path": "$D/f", "line": "c"}"#, &[("$D/f", "a\nb\nc\n")]),
    changes("lineinfile", &["f=a\nb"], r#"{"path": "$D/f", "line": "b"}"#, &[("$D/f", "a\nb\n")]),
    stays("lineinfile", &["f=a\nb\n"], r#"{"dest": "$D/f", "value": "b"}"#),
    changes(
        "lineinfile",
        &["f=a\nb\n"],
        r#"{"path": "$D/f", "line": "c", "insertafter": "^a"}"#,
        &[("$D/f", "a\nc\nb\n")],
    ),
    changes(
        "lineinfile",
        &["f=a\n1\na\n2\n"],
        r#"{"path": "$D/f", "line": "c", "insertafter": "^a"}"#,
        &[("$D/f", "a\n1\na\nc\n2\n")],
    ),
    changes(
        "lineinfile",
        &["f=a\n1\na\n2\n"],
        r#"{"path": "$D/f", "line": "c", "insertafter": "^a", "firstmatch": true}"#,
        &[("$D/f", "a\nc\n1\na\n2\n")],
    ),
    changes(
        "lineinfile",
        &["f=a\nb"],
        r#"{"path": "$D/f", "line": "c", "insertafter": "^b"}"#,
        &[("$D/f", "a\nb\nc\n")],
    ),
    changes(
        "lineinfile",
        &["f=a\nb\n"],
        r#"{"path": "$D/f", "line": "c", "insertafter": "nothing"}"#,
        &[("$D/f", "a\nb\nc\n")],
    ),
    changes(
        "lineinfile",
        &["f=a\nb\n"],
        r#"{"path": "$D/f", "line": "c", "insertafter": "EOF"}"#,
        &[("$D/f", "a\nb\nc\n")],
    ),
    changes(
        "lineinfile",
        &["f=a\nb\n"],
        r#"{"path": "$D/f", "line": "c", "insertbefore": "BOF"}"#,
        &[("$D/f", "c\na\nb\n")],
    ),
    changes(
        "lineinfile",
        &["f=a\nb\n"],
        r#"{"path": "$D/f", "line": "c", "insertbefore": "^b$"}"#,
        &[("$D/f", "a\nc\nb\n")],
    ),
    changes(
        "lineinfile",
        &["f=x=1\n"],
        r#"{"path": "$D/f", "regexp": "^(x)=(.*)$", "line": "\\1 = \\g<2>0", "backrefs": true, "state": "present"}"#,
        &[("$D/f", "x = 10\n")],
    ),
    stays("lineinfile", &["f=y\n"], r#"{"path": "$D/f", "regexp": "^(x)=(.*)$", "line": "\\1", "backrefs": true}"#),
    changes(
        "lineinfile",
        &["f=# opt one\n"],
        r#"{"path": "$D/f", "search_string": "opt", "line": "opt two"}"#,
        &[("$D/f", "opt two\n")],
    ),
    changes(
        "lineinfile",
        &["f=b1\nb2\n"],
        r#"{"path": "$D/f", "regexp": "^b", "line": "b9", "firstmatch": true}"#,
        &[("$D/f", "b9\nb2\n")],
    ),
    changes(
        "lineinfile",
        &[],
        r#"{"path": "$D/d/f", "line": "x", "create": true, "mode": "0600"}"#,
        &[("$D/d/f", "x\n"), ("$D/d/f", "mode=0600")],
    ),
    fails("lineinfile", &[], r#"{"path": "$D/f", "line": "x"}"#),
    fails("lineinfile", &["d/"], r#"{"path": "$D/d", "line": "x"}"#),
    fails("lineinfile", &["f="], r#"{"path": "$D/f"}"#),
    fails("lineinfile", &["f="], r#"{"path": "$D/f", "line": "x", "backrefs": true}"#),
    fails("lineinfile", &["f="], r#"{"path": "$D/f", "line": "x", "regexp": "("}"#),
    fails("lineinfile", &["f="], r#"{"path": "$D/f", "line": "x", "insertafter": "a", "insertbefore": "b"}"#),
    fails("lineinfile", &["f="], r#"{"path": "$D/f", "state": "absent"}"#),
    changes(
        "lineinfile",
        &["f=a\nb\na\n"],
        r#"{"path": "$D/f", "regexp": "^a$", "state": "absent"}"#,
        &[("$D/f", "b\n")],
    ),
    changes("lineinfile", &["f=a\nb\n"], r#"{"path": "$D/f", "line": "b", "state": "absent"}"#, &[("$D/f", "a\n")]),
    changes(
        "lineinfile",
        &["f=a\nbc\n"],
        r#"{"path": "$D/f", "search_string": "b", "state": "absent", "backup": true}"#,
        &[("$D/f", "a\n")],
    ),
    stays("lineinfile", &[], r#"{"path": "$D/f", "line": "b", "state": "absent"}"#),
    changes("lineinfile", &["f=a\n"], r#"{"path": "$D/f", "line": "a", "mode": "0600"}"#, &[("$D/f", "mode=0600")]),
    changes(
        "lineinfile",
        &["f=a\n", "l->f"],
        r#"{"path": "$D/l", "line": "b"}"#,
        &[("$D/f", "a\nb\n"), ("$D/l", "->f")],
    ),
    changes(
        "lineinfile",
        &["f=a\n"],
        r#"{"path": "$D/f", "line": "b", "validate": "grep -q b %s"}"#,
        &[("$D/f", "a\nb\n")],
    ),
];
