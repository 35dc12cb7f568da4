//! Mistakes that users make: each is refused with a message that says what, where and what
//! to do about it, with Ansible's exit code, before anything was done to a host.

#![allow(clippy::unwrap_used, clippy::panic, reason = "all of it is test code")]

use std::path::Path;
use std::process::{Command, Stdio};

/// A play that leaves a mark when it is run, to which tasks are added.
const PLAY: &str = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: touch {{ playbook_dir }}/touched\n";

struct Run {
    code: i32,
    stdout: String,
    stderr: String,
    touched: bool,
}

/// Runs `rplay` in a new directory with these files, on this machine unless `args` say otherwise.
fn rplay(files: &[(&str, &[u8])], args: &[&str]) -> Run {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    run_in(dir.path(), args)
}

fn run_in(dir: &Path, args: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
    if !args.contains(&"-i") {
        command.args(["-i", "localhost,"]);
        if !args.contains(&"-c") {
            command.args(["-c", "local"]);
        }
    }
    let done = command.args(args).current_dir(dir).stdin(Stdio::null()).output().unwrap();
    let place = format!("{}/", dir.canonicalize().unwrap().display());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&place, "");
    let run = Run {
        code: done.status.code().unwrap_or(-1),
        stdout: text(&done.stdout),
        stderr: text(&done.stderr),
        touched: dir.join("touched").exists(),
    };
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

/// Refused: exit code, all of these words on standard error, and nothing was run.
fn refused(files: &[(&str, &str)], args: &[&str], code: i32, words: &[&str]) {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    refused_bytes(&files, args, code, words);
}

fn refused_bytes(files: &[(&str, &[u8])], args: &[&str], code: i32, words: &[&str]) {
    let run = rplay(files, args);
    assert_eq!(run.code, code, "{words:?}\n{}{}", run.stdout, run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "no `{word}` in\n{}", run.stderr);
    }
    assert!(!run.touched && !run.stdout.contains("TASK ["), "something was run: {}", run.stdout);
}

/// A playbook of [`PLAY`] and these further tasks is refused.
fn bad_task(tasks: &str, words: &[&str]) {
    refused(&[("site.yml", &format!("{PLAY}{tasks}"))], &["site.yml"], 4, words);
}

fn bad_play(text: &str, code: i32, words: &[&str]) {
    refused(&[("site.yml", text)], &["site.yml"], code, words);
}

/// Nothing but the failing task's host is concerned: the message stands in the output, with
/// place, line and hint.
fn fails(files: &[(&str, &str)], words: &[&str]) {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let run = rplay(&files, &["site.yml"]);
    assert_eq!(run.code, 2, "{}{}", run.stdout, run.stderr);
    for word in words {
        assert!(run.stdout.contains(word), "no `{word}` in\n{}", run.stdout);
    }
    assert!(run.stdout.contains("failed=1"), "{}", run.stdout);
}

#[test]
fn malformed_yaml() {
    bad_task("    - debug:\n      when: {{ x }}\n", &["starts with `{{` must be quoted", "site.yml:6:13", "quote the"]);
    bad_task("    - debug:\n        msg: {{ x }} y\n", &["must be quoted", "site.yml:6:14"]);
    bad_task("    - name: x\n      debug\n", &["no `key: value`", "site.yml:6:7", "a key needs a colon"]);
    bad_play("- hosts: all\n  tasks\n    - debug:\n", 4, &["no `key: value`", "site.yml:2:3"]);
    bad_task("    - debug:\n        msg: a: b\n", &["a colon in this value", "site.yml:6:15", "quote the value"]);
    bad_task("    - debug:\n\tmsg: x\n", &["a tab stands", "site.yml:6:1", "use spaces"]);
    bad_play("- hosts: all\n  tasks:\n  - name: x\n     debug:\n", 4, &["site.yml:4:11", "start in one column"]);
    bad_task("    - debug:\n        msg: \"a\" b\n", &["text after the closing quote", "site.yml:6:18"]);
    bad_task("    - debug: {msg: !foo x}\n", &["unknown tag `!foo`", "site.yml:5:20", "quote it"]);
    bad_play("- hosts: *x\n", 4, &["no anchor `&x`", "site.yml:1:10"]);
    bad_play(&"[".repeat(5000), 4, &["nested deeper", "site.yml:1:201"]);
    let deep: String = (0..300).map(|i| format!("{}- block:\n", " ".repeat(4 + 4 * i))).collect();
    bad_play(&format!("- hosts: all\n  tasks:\n{deep}"), 4, &["nested deeper", "site.yml:102:"]);
}

#[test]
fn what_is_no_playbook() {
    bad_play("hosts: all\ntasks: []\n", 4, &["must be a list of plays", "site.yml:1:1", "- hosts:"]);
    bad_play("hello\n", 4, &["must be a list of plays, got a string"]);
    bad_play("", 4, &["Empty playbook, nothing to do: site.yml"]);
    bad_play("---\n# nothing\n", 4, &["Empty playbook"]);
    refused_bytes(&[("site.yml", b"\x7fELF\x02\x01\xff\xfe")], &["site.yml"], 4, &["not UTF-8", "line 1"]);
    refused_bytes(&[("site.yml", b"- hosts: all\n  name: caf\xe9\n")], &["site.yml"], 4, &["line 2", "iconv"]);
    refused(&[("site.yml/x", "")], &["site.yml"], 1, &["site.yml does not appear to be a file"]);
    refused(&[("site.yml", PLAY)], &["stie.yml"], 1, &["stie.yml could not be found", "did you mean `site.yml`?"]);
    refused(&[("site.yml", PLAY)], &["site.yml", "nope.yml"], 1, &["nope.yml could not be found"]);
}

#[test]
fn files_of_other_systems_are_read() {
    let windows = PLAY.replace('\n', "\r\n");
    let marked = format!("\u{feff}{PLAY}");
    for text in [windows, marked] {
        let run = rplay(&[("site.yml", text.as_bytes())], &["site.yml"]);
        assert!(run.code == 0 && run.touched, "{}{}", run.stdout, run.stderr);
    }
}

#[test]
fn misspelt_words() {
    bad_task("    - debug:\n      become_usr: x\n", &["'become_usr' is not a valid", "site.yml:6:7", "`become_user`"]);
    bad_play("- hosts: all\n  taks: []\n", 4, &["'taks' is not a valid attribute for a Play", "site.yml:2:3"]);
    bad_task("    - coppy: {src: a}\n", &["resolve module/action 'coppy'", "site.yml:5:7", "did you mean `copy`?"]);
    bad_task("    - copy: {scr: a, dest: b}\n", &["(copy) module: scr", "site.yml:5:14", "did you mean `src`?"]);
    bad_task("    - debug: {msg: \"{{ 'x' | uper }}\"}\n", &["No filter named 'uper'", "site.yml:5:30", "`upper`"]);
    bad_task("    - debug:\n      when: 1 is defned\n", &["No test named 'defned'", "site.yml:6:18", "`defined`"]);
    bad_task(
        "    - debug: {msg: \"{{ lookup('evn', 'HOME') }}\"}\n",
        &["The lookup plugin 'evn' was not found", "site.yml:5:", "`env`"],
    );
    bad_task(
        "    - debug:\n      with_itmes: [1]\n",
        &["'with_itmes' is not a valid attribute", "site.yml:6:7", "`with_items`"],
    );
    bad_task(
        "    - debug:\n      loop: [1]\n      loop_control: {lable: x}\n",
        &["'lable'", "site.yml:7:22", "`label`"],
    );
    bad_task(
        "    - debug:\n      notify: restat\n  handlers:\n    - name: restart\n      debug:\n",
        &["handler 'restat' was not found", "site.yml:6:15", "did you mean `restart`?"],
    );
    bad_task("    - debug:\n      connection: lcal\n", &["connection plugin 'lcal'", "site.yml:6:19", "`local`"]);
    bad_task("    - debug:\n      become_method: sduo\n", &["become method 'sduo'", "site.yml:6:22", "`sudo`"]);
}

#[test]
fn misplaced_and_missing_words() {
    bad_task(
        "    - name: x\n      debug:\n      msg: y\n",
        &["'msg' is not a valid", "site.yml:7:7", "indent it below"],
    );
    bad_play("- hosts: all\n  copy: {src: a}\n", 4, &["`copy` is a module", "site.yml:2:3", "under `tasks:`"]);
    bad_task("    - - debug:\n", &["a task is a mapping, this is a list", "site.yml:5:7"]);
    bad_play(
        "- hosts: all\n  tasks:\n    debug:\n      msg: x\n",
        4,
        &["malformed block was encountered while loading tasks", "should be a list", "site.yml:3:5", "with `- `"],
    );
    bad_play("- name: x\n  tasks: []\n", 4, &["'hosts' is required", "site.yml:1:3"]);
    bad_play("- hosts:\n  tasks: []\n", 4, &["Hosts list cannot be empty", "site.yml:1:9"]);
    bad_play("- hosts: []\n  tasks: []\n", 4, &["Hosts list cannot be empty", "site.yml:1:10"]);
    bad_play("[]\n", 4, &["A playbook must contain at least one play", "site.yml:1:1"]);
    bad_play(
        "- hosts: all\n  pre_tasks: 123\n",
        4,
        &["malformed block was encountered while loading pre_tasks: 123 should be a list or None", "site.yml:2:14"],
    );
    bad_play("- hosts: all\n  roles: 123\n", 4, &["A malformed role declaration was encountered", "site.yml:2:10"]);
    bad_play("- hosts: all\n  roles: ['a,b']\n", 4, &["Invalid old style role requirement: a,b", "site.yml:2:11"]);
    bad_play(
        "- hosts: all\n  user: a\n  remote_user: b\n",
        4,
        &["both 'user' and 'remote_user' are set for this play.", "site.yml:2:9"],
    );
    bad_task("    - set_fact: {_ansible_x: 1}\n", &["'_ansible_' is reserved for internal use only", "site.yml:5:18"]);
    bad_task("    - meta: end_role\n", &["Cannot execute 'end_role' from outside of a role", "site.yml:5:7"]);
    bad_task("    - action: ping\n      debug:\n", &["conflicting action statements: debug, action", "site.yml:5:7"]);
    bad_task("    - debug:\n      command: x\n", &["conflicting action statements: debug, command", "site.yml:6:7"]);
    bad_task("    - name: x\n", &["no module/action detected", "site.yml:5:7"]);
    bad_task("    - copy: {src: a}\n", &["missing required arguments: dest", "site.yml:5:7", "rplay doc copy"]);
    bad_task("    - command: x\n      debugger: always\n", &["`debugger` is not supported", "site.yml:6:7"]);
    bad_play(
        "- hosts: all\n  strategy: fre\n",
        4,
        &["Invalid play strategy specified: fre", "site.yml:2:13", "`free`"],
    );
}

#[test]
fn wrong_types() {
    bad_task("    - debug:\n      become: maybe\n", &["`become` takes a truth value", "site.yml:6:15"]);
    bad_task("    - debug:\n      retries: many\n", &["`retries` takes a whole number", "site.yml:6:16"]);
    bad_task("    - debug:\n      loop: 5\n", &["`loop` takes a list, not", "site.yml:6:13", "`loop: [value]`"]);
    bad_task("    - debug:\n      loop: names\n", &["`loop` takes a list", "loop: \"{{ names }}\""]);
    bad_task("    - debug:\n      vars: x\n", &["`vars` takes a mapping", "site.yml:6:13"]);
    bad_task("    - debug:\n      register: a-b\n", &["Invalid variable name 'a-b'", "site.yml:6:17", "`a_b`"]);
    bad_task("    - debug:\n      register: 200\n", &["Invalid variable name '200' of type 'int'", "site.yml:6:17"]);
    bad_task("    - debug:\n      vars: {1st: x}\n", &["Invalid variable name '1st'", "site.yml:6:14"]);
    bad_play("- hosts: all\n  vars: [a]\n", 4, &["`vars` takes a mapping, not a list", "site.yml:2:9"]);
    bad_task("    - file: {path: /x, state: present}\n", &["value of state must be one of", "site.yml:5:31"]);
    bad_task("    - file: {path: /x, recurse: maybe}\n", &["argument `recurse` of `file`", "site.yml:5:33"]);
    bad_task("    - copy: [a, b]\n", &["not a list", "site.yml:5:13"]);
}

#[test]
fn broken_templates_and_conditions() {
    bad_task("    - debug:\n        msg: '{{ x'\n", &["Syntax error in template", "site.yml:6:"]);
    bad_task("    - debug: msg={{ x\n", &["unbalanced quotes or template braces", "site.yml:5:14"]);
    bad_task("    - debug:\n      when: a = 1\n", &["Syntax error", "site.yml:6:15", "`==` compares"]);
    bad_task("    - debug:\n      when: a && b\n", &["Syntax error", "site.yml:6:15", "`and`"]);
    let file =
        [("site.yml", "- hosts: all\n  gather_facts: false\n  tasks:\n    - template: {src: t.j2, dest: /nowhere}\n")];
    let broken = |text| [file[0], ("templates/t.j2", text)];
    refused(&broken("one\n{{ 'x' | uper }}\n"), &["site.yml"], 4, &["No filter named 'uper'", "t.j2:2:10", "`upper`"]);
    refused(&broken("one\n{% if x %}\n"), &["site.yml"], 4, &["expected end of block", "t.j2:2:"]);
}

#[test]
fn roles_files_and_imports_that_are_not_there() {
    let role = [("site.yml", "- hosts: all\n  roles: [comon]\n"), ("roles/common/tasks/main.yml", "[]\n")];
    refused(&role, &["site.yml"], 1, &["the role 'comon' was not found", "site.yml:2:11", "did you mean `common`?"]);
    let cycle = [
        ("site.yml", "- hosts: all\n  roles: [a]\n"),
        ("roles/a/meta/main.yml", "dependencies: [b]\n"),
        ("roles/b/meta/main.yml", "dependencies: [a]\n"),
    ];
    refused(
        &cycle,
        &["site.yml"],
        4,
        &["in a circle: a, b", "roles/a/meta/main.yml:1:16", "roles/b/meta/main.yml:1:16"],
    );
    let tasks = [("site.yml", "- hosts: all\n  roles: [r]\n"), ("roles/r/tasks/main.yml", "hosts: x\n")];
    refused(&tasks, &["site.yml"], 4, &["should be a list", "roles/r/tasks/main.yml:1:1"]);
    bad_play("- import_playbook: othr.yml\n", 1, &["could not find the imported playbook", "site.yml:1:20"]);
    bad_play("- import_playbook: site.yml\n", 4, &["without end", "site.yml:1:20"]);
    bad_play("- import_playbook: '{{ x }}.yml'\n", 4, &["'x' is undefined", "site.yml:1:", "-e"]);
    let site = PLAY.replace("  tasks:", "  vars_files: [vars/secert.yml]\n  tasks:");
    let run = rplay(&[("site.yml", site.as_bytes()), ("vars/secret.yml", b"a: 1\n")], &["site.yml"]);
    let words = "vars file vars/secert.yml was not found (site.yml:3:16); did you mean `vars/secret.yml`?";
    assert!(run.code == 0 && run.stderr.contains(words), "{}", run.stderr);
    let broken = [("site.yml", PLAY), ("group_vars/all.yml", "a: [1\n")];
    refused(&broken, &["site.yml"], 4, &["a comma or the end of the list", "group_vars/all.yml:1:4"]);
    let secret = "$ANSIBLE_VAULT;1.2;AES256;prod\n\
                  30300a30303030303030303030303030303030303030303030303030303030303030303030303030\n\
                  3030303030303030303030303030303030303030303030303030300a303030303030303030303030\n\
                  3030303030303030303030303030303030303030\n";
    let vault = [("site.yml", "- hosts: all\n  vars_files: [v.yml]\n  tasks: []\n"), ("v.yml", secret)];
    refused(&vault, &["site.yml"], 1, &["cannot decrypt", "v.yml", "the vault id `prod`", "--vault-password-file"]);
    refused(&vault, &["site.yml", "--vault-id", "prod@nowhere"], 1, &["nowhere", "No such file"]);
    refused(&vault, &["site.yml", "--vault-id", "dev@site.yml"], 1, &["`prod`", "the password in site.yml (`dev`)"]);
}

#[test]
fn inventories() {
    let with = |hosts: &'static str| [("site.yml", PLAY), ("hosts", hosts)];
    let args = ["-i", "hosts", "site.yml"];
    refused(&with("h ansible_port=abc\n"), &args, 4, &["'abc' is not a port", "hosts:1:", "1 to 65535"]);
    refused(&with("h ansible_connection=smrt\n"), &args, 4, &["connection plugin 'smrt'", "hosts:1:", "`smart`"]);
    refused(&with("h ansible_become_method=sduo\n"), &args, 4, &["become method 'sduo'", "hosts:1:", "`sudo`"]);
    let hosts = [("site.yml", PLAY), ("hosts", "[web]\nlocalhost ansible_connection=local\n")];
    refused(&hosts, &["-i", "hosts", "-l", "wbe", "site.yml"], 1, &["--limit leaves us with no hosts", "`web`"]);
    refused(&hosts, &["-i", "hosts", "-l", "@nope", "site.yml"], 1, &["nope", "no such file"]);
}

/// A source that cannot be read is passed over with a warning, as in Ansible, or is an error
/// where the configuration says so.
#[test]
fn inventory_sources() {
    let cycle = "[a:children]\nb\n[b:children]\na\n";
    let strict = "[inventory]\nany_unparsed_is_failed = true\n";
    for (hosts, given, words) in [
        (cycle, "hosts", vec!["children of each other", "hosts:2:1", "hosts:4:1"]),
        ("[web\nlocalhost\n", "hosts", vec!["section header", "hosts:1:1", "`[group]`"]),
        ("", "hsots", vec!["no such file", "`hosts`", "hsots as an inventory source"]),
        ("", "nowhere", vec!["no such file", "`-i nowhere,`", "No inventory was parsed"]),
    ] {
        let files = [("site.yml", PLAY.as_bytes()), ("hosts", hosts.as_bytes())];
        let run = rplay(&files, &["-i", given, "site.yml"]);
        assert!(run.code == 0 && words.iter().all(|w| run.stderr.contains(w)), "{} {}", run.code, run.stderr);
        let strictly = [files[0], files[1], ("ansible.cfg", strict.as_bytes())];
        let run = rplay(&strictly, &["-i", given, "site.yml"]);
        let mut words = words.iter().filter(|w| !w.contains("No inventory was") && !w.contains("as an inventory"));
        assert!(run.code == 1 && !run.touched && words.all(|w| run.stderr.contains(w)), "{} {}", run.code, run.stderr);
        assert!(run.stderr.contains("Completely failed to parse inventory source"), "{}", run.stderr);
    }
}

/// What Ansible goes on with, with a warning, so does rplay.
#[test]
fn warnings() {
    let typo = PLAY.replace("all", "wbe");
    let hosts = b"[web]\nlocalhost ansible_connection=local\n".as_slice();
    let run = rplay(&[("site.yml", typo.as_bytes()), ("hosts", hosts)], &["-i", "hosts", "site.yml"]);
    let words = "Could not match supplied host pattern, ignoring: wbe (site.yml:1:10); did you mean `web`?";
    assert!(run.code == 0 && !run.touched && run.stderr.contains(words), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("skipping: no hosts matched"), "{}", run.stdout);
    let run = rplay(&[("site.yml", PLAY.as_bytes()), ("hosts", b"")], &["-i", "hosts", "site.yml"]);
    assert!(run.code == 0 && run.stderr.contains("provided hosts list is empty"), "{}{}", run.stdout, run.stderr);
    let twice = format!("{PLAY}    - debug:\n        msg: a\n        msg: b\n");
    let run = rplay(&[("site.yml", twice.as_bytes())], &["site.yml"]);
    assert!(run.code == 0 && run.stderr.contains("Found duplicate mapping key 'msg'"), "{}", run.stderr);
    assert!(run.stderr.contains("site.yml:7:9") && run.stdout.contains("\"msg\": \"b\""), "{}", run.stdout);
}

#[test]
fn options() {
    let site = [("site.yml", PLAY)];
    refused(&site, &["-f", "0", "site.yml"], 2, &["(--forks) must be >= 1"]);
    refused(&site, &["-f", "x", "site.yml"], 2, &["invalid value 'x'"]);
    refused(&site, &["--chek", "site.yml"], 2, &["'--chek'", "'--check'"]);
    refused(&site, &[], 2, &["PLAYBOOK"]);
    refused(&site, &["-e", "foo", "site.yml"], 5, &["`foo` given to -e is no `name=value`"]);
    refused(&site, &["-e", "@foo", "site.yml"], 1, &["foo", "no such file"]);
    refused(&site, &["-c", "lcal", "site.yml"], 5, &["connection plugin 'lcal'", "`local`"]);
    refused(&site, &["-b", "--become-method", "sduo", "site.yml"], 5, &["become method 'sduo'", "`sudo`"]);
    let cfg = [("site.yml", PLAY), ("ansible.cfg", "[defaults]\nforks = many\n")];
    refused(&cfg, &["site.yml"], 5, &["`forks` is `many`", "ansible.cfg:2:1"]);
}

/// A key that is not there is named before the connection fails for want of it.
#[test]
fn a_key_that_is_not_there() {
    let files: [(&str, &[u8]); 2] = [("site.yml", PLAY.as_bytes()), ("id_key", b"")];
    let args = ["-i", "127.0.0.1,", "-e", "ansible_port=1", "--private-key", "id_kye", "site.yml"];
    let run = rplay(&files, &args);
    assert_eq!(run.code, 4, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("the private key id_kye is not there"), "{}", run.stderr);
    assert!(run.stderr.contains("did you mean `id_key`?"), "{}", run.stderr);
    assert!(run.stdout.contains("unreachable=1"), "{}", run.stdout);
}

#[test]
fn undefined_variables_are_shown_where_they_stand() {
    let play = |task: &str| {
        format!("- hosts: all\n  gather_facts: false\n  vars: {{web_port: 80, web: {{port: 1}}}}\n  tasks:\n{task}")
    };
    let undefined = |task: &str, words: &[&str]| fails(&[("site.yml", &play(task))], words);
    undefined(
        "    - debug: {msg: \"port {{ web_prot }}\"}\n",
        &[
            "Error while resolving value for 'msg': 'web_prot' is undefined",
            "Origin: site.yml:5:29",
            "^ column 29",
            "did you mean `web_port`?",
        ],
    );
    undefined("    - debug:\n      when: web_prot == 80\n", &["site.yml:6:13", "`web_port`"]);
    undefined("    - debug: {msg: \"{{ web.prot }}\"}\n", &["has no attribute 'prot'", "site.yml:5:", "`port`"]);
    undefined("    - debug:\n      loop: '{{ web_prots }}'\n", &["'web_prots' is undefined", "site.yml:6:17"]);
    undefined("    - command: id\n      delegate_to: '{{ web_prot }}'\n", &["site.yml:6:24", "`web_port`"]);
    undefined("    - command: id\n      changed_when: web_prot\n", &["site.yml:6:21", "`web_port`"]);
    undefined("    - debug: {msg: '{{ a }}'}\n      vars: {a: '{{ b }}', b: '{{ a }}'}\n", &["site.yml:6:"]);
    let task = play("    - template: {src: t.j2, dest: '{{ playbook_dir }}/o'}\n");
    fails(
        &[("site.yml", &task), ("templates/t.j2", "one\ntwo {{ web_prot }}\n")],
        &["Origin: templates/t.j2:2:8", "2 two {{ web_prot }}", "did you mean `web_port`?"],
    );
}

#[test]
fn roles_and_collections() {
    let missing = "- hosts: all\n  roles: [a.b.c]\n";
    refused(
        &[("site.yml", missing)],
        &["site.yml"],
        1,
        &["the role 'a.b.c' was not found in collections:", "site.yml:2:11"],
    );
    let again = "- import_role: {name: a}\n";
    let files = [("site.yml", "- hosts: all\n  roles: [a]\n"), ("roles/a/tasks/main.yml", again)];
    refused(&files, &["site.yml"], 4, &["the role a imports itself"]);
    let outside = "- hosts: all\n  tasks:\n    - import_role: {name: a, tasks_from: ../../../site.yml}\n";
    let files = [("site.yml", outside), ("roles/a/tasks/main.yml", "- debug:\n")];
    refused(&files, &["site.yml"], 4, &["as it is not inside the expected role path"]);
}

#[test]
fn keywords_with_a_form_of_their_own() {
    let prompt = |entry: &str| format!("- hosts: all\n  vars_prompt:\n    - {entry}\n");
    bad_play(&prompt("{prompt: x}"), 4, &["vars_prompt data structure, missing 'name' key", "site.yml:3:7"]);
    bad_play(&prompt("{name: x, privat: no}"), 4, &["found unsupported key 'privat'", "did you mean `private`?"]);
    bad_play(&prompt("{name: x, encrypt: sha51}"), 4, &["passlib does not support 'sha51'", "did you mean `sha512`?"]);
    bad_task("    - debug:\n      debugger: on_failed\n", &["`debugger` is not supported", "site.yml:6:7", "--step"]);
    bad_task("    - debug:\n      module_defaults: \"{{ x }}\"\n", &["must be static action", "site.yml:6:24"]);
    bad_task("    - debug: [1]\n", &["are a mapping or text, not a list", "site.yml:5:14"]);
    bad_task("    - add_host: {groups: x}\n", &["missing required arguments: name", "site.yml:5:7"]);
}

#[test]
fn a_task_whose_failure_is_dealt_with_fails_in_its_turn() {
    let tasks = "    - coppy_args: {}\n";
    bad_task(tasks, &["'coppy_args'"]);
    let tasks = "    - copy: {scr: a}\n      ignore_errors: true\n    - block:\n        - file:\n      rescue:\n        - debug:\n";
    let run = rplay(&[("site.yml", format!("{PLAY}{tasks}").as_bytes())], &["site.yml"]);
    assert!(run.code == 0 && run.touched, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("ignored=1") && run.stdout.contains("rescued=1"), "{}", run.stdout);
    assert!(run.stderr.contains("this task is going to fail"), "{}", run.stderr);
}

#[test]
fn what_goes_round_in_circles() {
    let vars = "- hosts: all\n  gather_facts: false\n  vars: {a: '{{ b }}', b: '{{ c }}', c: 'x{{ a }}'}\n  tasks:\n    - debug: {msg: '{{ a }}'}\n";
    fails(&[("site.yml", vars)], &["Recursive loop detected in template: `a` → `b` → `c` → `a`", "site.yml:3:"]);
    let start = "- hosts: all\n  gather_facts: false\n  tasks:\n";
    let tasks = format!("{start}    - include_tasks: t.yml\n");
    let files = [("site.yml", tasks.as_str()), ("t.yml", "- include_tasks: t.yml\n")];
    fails(&files, &["files of tasks include each other without end", "t.yml:1:3"]);
    let role = format!("{start}    - include_role: {{name: r}}\n");
    let files = [("site.yml", role.as_str()), ("roles/r/tasks/main.yml", "- include_role: {name: r}\n")];
    fails(&files, &["include each other without end", "roles/r/tasks/main.yml:1:3"]);
    let tasks = format!("{start}    - import_tasks: t.yml\n");
    let files = [("site.yml", tasks.as_str()), ("t.yml", "- import_tasks: t.yml\n")];
    refused(&files, &["site.yml"], 4, &["t.yml imports itself", "t.yml:1:3"]);
}

#[test]
fn conditions_and_loops_of_other_types() {
    let tasks = "    - debug: {msg: seen}\n      when: text\n    - debug: {msg: hidden}\n      when: empty\n";
    let play = format!("{PLAY}{tasks}").replace("  tasks:", "  vars: {text: word, empty: []}\n  tasks:");
    let run = rplay(&[("site.yml", play.as_bytes())], &["site.yml"]);
    assert!(run.code == 0 && run.stdout.contains("seen") && !run.stdout.contains("hidden"), "{}", run.stdout);
    assert!(run.stderr.contains("conditional result of `text`"), "{}{}", run.stdout, run.stderr);
    let looped = "    - debug:\n      loop: '{{ text }}'\n";
    let play = format!("{PLAY}{looped}").replace("  tasks:", "  vars: {text: word}\n  tasks:");
    fails(&[("site.yml", &play)], &["The `loop` value must resolve to a 'list', not 'str'."]);
    bad_task("    - debug:\n      loop: word\n", &["`loop` takes a list, not a string", "site.yml:6:13"]);
}

#[test]
fn settings_that_make_mistakes_errors_or_not() {
    let twice = format!("{PLAY}    - debug:\n        msg: a\n        msg: b\n");
    let config = |text: &str| format!("[defaults]\n{text}\n");
    let error = config("duplicate_dict_key = error");
    refused(
        &[("site.yml", &twice), ("ansible.cfg", &error)],
        &["site.yml"],
        4,
        &["Found duplicate mapping key 'msg'", "site.yml:7:9"],
    );
    let ignore = config("duplicate_dict_key = ignore");
    let run = rplay(&[("site.yml", twice.as_bytes()), ("ansible.cfg", ignore.as_bytes())], &["site.yml"]);
    assert!(run.code == 0 && run.touched && !run.stderr.contains("twice"), "{}", run.stderr);
    let notify = format!("{PLAY}      notify: restrt\n  handlers:\n    - {{name: restart, debug: }}\n");
    let words = ["The requested handler 'restrt' was not found", "site.yml:5:15", "did you mean `restart`?"];
    refused(&[("site.yml", &notify)], &["site.yml"], 4, &words);
    let lax = config("error_on_missing_handler = false");
    let run = rplay(&[("site.yml", notify.as_bytes()), ("ansible.cfg", lax.as_bytes())], &["site.yml"]);
    assert!(run.code == 0 && run.touched && run.stderr.contains("the handler 'restrt'"), "{}", run.stderr);
}

/// A name that is known only when it is notified: the whole run ends there, without a recap and
/// without `rescue`, as in Ansible.
#[test]
fn a_handler_that_is_missing_when_it_is_notified() {
    let rest = "    - debug: {msg: after}\n  handlers:\n    - {name: restart, debug: }\n";
    let block = "    - block: [{include_tasks: sub.yml}]\n      rescue: [{debug: {msg: after}}]\n";
    let play = format!("{PLAY}{block}{rest}");
    let sub: &[u8] = b"- command: echo\n  notify: \"{{ 'restrt' }}\"\n  ignore_errors: true\n";
    let files = |config: &'static [u8]| [("site.yml", play.as_bytes()), ("sub.yml", sub), ("ansible.cfg", config)];
    for strategy in ["linear", "free"] {
        let set = format!("[defaults]\nstrategy = {strategy}\n").leak();
        let run = rplay(&files(set.as_bytes()), &["site.yml"]);
        assert!(run.code == 1 && run.touched, "{}{}", run.stdout, run.stderr);
        for word in ["The requested handler 'restrt' was not found", "sub.yml:1:3", "did you mean `restart`?"] {
            assert!(run.stderr.contains(word), "no `{word}` in\n{}", run.stderr);
        }
        assert!(!run.stdout.contains("after") && !run.stdout.contains("PLAY RECAP"), "{}", run.stdout);
    }
    let run = rplay(&files(b"[defaults]\nerror_on_missing_handler = false\n"), &["site.yml"]);
    assert!(run.code == 0 && run.stderr.contains("the handler 'restrt'"), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("after") && run.stdout.contains("PLAY RECAP"), "{}", run.stdout);
}
