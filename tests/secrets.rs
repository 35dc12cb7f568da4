//! Secrets are planted in every kind of place, and looked for in everything that is printed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "all of it is test code")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Ran, rplay, run, write};

/// What is planted: in single values, files, inventories, sources of copies and templates; and
/// what templates make of it.
const PLANTED: &[&str] = &[
    "inl1ne-ansible-Q7",
    "inl1ne-age-W8",
    "wh0le-file-E9",
    "vars-f1le-R1",
    "inv3ntory-T2",
    "r0le-vars-Y3",
    "extra-f1le-U4",
    "c0py-source-I5",
    "templ4te-source-O6",
    "unv4ult-lookup-P7",
    "mult1-line-first",
    "mult1-line-second",
    "quot'd-\"s3cret\"-\\A8",
    "734950218",
    // Made of `inl1ne-ansible-Q7`: by upper, b64encode, reverse, split, hash.
    "INL1NE-ANSIBLE-Q7",
    "aW5sMW5lLWFuc2libGUtUTc=",
    "7Q-elbisna-en1lni",
    "ansible-Q7",
    "7680192b",
];

/// A pair of keys for nothing but this test; opening with it is fast, unlike with passwords.
const KEY: &str = "AGE-SECRET-KEY-1MAF9HRH3VWETGPH2DMM67WDF43AGHVWNAHSHSZN8KHULUDFA2M4STY47CP\n";
const RECIPIENT: &str = "age1f08s02y2p0kwensmg08xyagvgqndf7s28a7d509xeud255k2eqss9jp3l4";

const PLAY: &str = r#"
- name: "Play with {{ in_extra }}"
  hosts: all
  gather_facts: false
  vars_files: [files/vars.yml]
  vars:
    url: "https://user:{{ in_ansible }}@host/"
    derived: "{{ in_ansible | b64encode }}"
  roles: [keeper]
  tasks:
    - name: "Task named {{ in_age }}"
      debug: var=in_ansible
    - debug: msg="{{ in_age }} {{ in_whole }} {{ in_vars }} {{ url }}"
    - debug: var=in_quotes
    - debug: var=pin
    - debug: var=hostvars[inventory_hostname]
    - set_fact: {kept: "{{ in_ansible | upper }}", parts: "{{ in_ansible.split('-', 1) }}"}
    - debug: var=kept
    - debug: var=parts
    - name: A command line
      command: "echo {{ in_ansible }} {{ in_inventory }} {{ derived }} {{ in_role }} {{ pin }}"
      register: said
    - debug: var=said
    - debug: msg="{{ said.stdout | reverse }} {{ said.stdout_lines }}"
    - name: What a shell prints of it
      shell: "printf '%s\n' \"$SECRET\" \"$LINES_OF\"; echo {{ in_ansible | reverse }} >&2"
      environment: {SECRET: "{{ in_quotes }}", LINES_OF: "{{ in_lines }}"}
    - name: It fails with it
      command: "sh -c 'echo {{ in_age }} >&2; exit 3'"
      ignore_errors: true
    - name: A program that is not there
      command: "/nonexistent/{{ in_ansible }}"
      ignore_errors: true
    - name: A loop
      command: "echo {{ item.name }} {{ item.value }}"
      loop: [{name: a, value: "{{ in_ansible }}"}, {name: b, value: "{{ in_lines }}"}]
      loop_control: {label: "{{ item.value }}"}
    - name: A loop without a label
      debug: msg="{{ item }}"
      with_items: ["{{ in_ansible }}", "{{ kept }}", "{{ in_whole }}"]
    - name: Contents
      copy: {dest: "{{ out }}/content", content: "x={{ in_ansible }}\ny={{ derived }}\n"}
    - name: An encrypted source
      copy: {dest: "{{ out }}/source", src: source.conf}
    - name: An encrypted template
      template: {dest: "{{ out }}/rendered", src: source.j2}
    - name: A plain template
      template: {dest: "{{ out }}/plain", src: plain.j2}
    - name: A line
      lineinfile: {path: "{{ out }}/plain", line: "more={{ in_vars }}", create: true}
    - name: The files
      shell: "cat {{ out }}/source {{ out }}/rendered {{ out }}/plain"
      register: content
    - debug: var=content.stdout_lines
    - name: A file named by it
      file: {path: "{{ out }}/{{ in_ansible }}", state: touch}
    - debug: msg="{{ lookup('unvault', 'looked-up') }}"
    - debug: msg="{{ lookup('file', 'looked-up') }}"
    - name: An assertion
      assert: {that: ["in_ansible == 'else'"], fail_msg: "it is {{ in_ansible }}"}
      ignore_errors: true
    - name: A wrong argument
      file: {path: "{{ out }}/x", state: "{{ in_ansible }}"}
      ignore_errors: true
    - name: A template that fails
      debug: msg="{{ in_ansible | from_json }}"
      ignore_errors: true
    - name: No such key
      debug: {msg: "{{ {'a': in_ansible}[in_ansible] }}"}
      ignore_errors: true
    - name: Tries
      command: "sh -c 'echo {{ in_whole }}; false'"
      register: tried
      until: tried.rc == 0
      retries: 1
      delay: 0
      ignore_errors: true
    - name: The hash
      command: "echo {{ (in_ansible | hash('sha256'))[:8] }}"
    - name: The end
      fail: msg="because of {{ in_age }}"
"#;

struct Project {
    dir: tempfile::TempDir,
}

impl Project {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn vault(&self, args: &[&str]) -> Ran {
        run(Command::new(env!("CARGO_BIN_EXE_rplay")).arg("vault").args(args).current_dir(self.dir.path())).exits(0)
    }

    fn string(&self, name: &str, text: &str, with: &[&str]) -> String {
        self.vault(&[&["encrypt-string"], with, &["-n", name, "--", text]].concat()).out
    }

    /// A project with everything planted.
    fn new() -> Self {
        let project = Self { dir: tempfile::tempdir().unwrap() };
        let file = |name: &str, text: &str| write(project.dir.path(), name, text);
        file("pw", "a password\n");
        std::fs::create_dir(project.path("out")).unwrap();
        file("key", KEY);
        let ansible = ["--vault-password-file", "pw", "--format", "ansible"];
        let age = ["--vault-password-file", "pw", "--format", "age"];
        let fast = ["-r", RECIPIENT];
        let single = [
            project.string("in_ansible", PLANTED[0], &ansible),
            project.string("in_age", PLANTED[1], &age),
            project.string("in_lines", "mult1-line-first\nmult1-line-second\n", &fast),
            project.string("in_quotes", PLANTED[12], &fast),
        ];
        file("group_vars/all/single.yml", &single.concat());
        file("group_vars/all/whole.yml", "in_whole: wh0le-file-E9\npin: 734950218\n");
        file("files/vars.yml", "in_vars: vars-f1le-R1\n");
        file(
            "hosts.yml",
            "all:\n  hosts:\n    here:\n      ansible_connection: local\n      in_inventory: inv3ntory-T2\n",
        );
        file("roles/keeper/vars/main.yml", "in_role: r0le-vars-Y3\n");
        file("roles/keeper/tasks/main.yml", "- debug: var=in_role\n");
        file("extra.yml", "in_extra: extra-f1le-U4\n");
        file("files/source.conf", "key = c0py-source-I5\n");
        file("templates/source.j2", "key: templ4te-source-O6 {{ in_whole }}\n");
        file("templates/plain.j2", "a={{ in_ansible }}\nb={{ in_age | b64encode }}\n");
        file("files/looked-up", "unv4ult-lookup-P7\n");
        project.vault(&[&["encrypt"], &ansible[..], &["files/vars.yml"]].concat());
        let others = [
            "group_vars/all/whole.yml",
            "hosts.yml",
            "roles/keeper/vars/main.yml",
            "extra.yml",
            "files/source.conf",
            "templates/source.j2",
            "files/looked-up",
        ];
        project.vault(&[&["encrypt"], &fast[..], &others].concat());
        file("play.yml", PLAY);
        project
    }

    fn play(&self, args: &[&str]) -> Ran {
        let mut command = rplay([
            "-i",
            "hosts.yml",
            "play.yml",
            "--vault-password-file",
            "pw",
            "-e",
            "@extra.yml",
            "--identity",
            "key",
        ]);
        let out = format!("out={}", self.path("out").display());
        run(command.args(["-e", &out]).args(args).current_dir(self.dir.path()).env("ANSIBLE_LOG_PATH", "run.log"))
    }
}

/// Fails when a text has one of the secrets in it.
#[track_caller]
fn clean(what: &str, text: &str) {
    for secret in PLANTED {
        let hit = text.lines().find(|line| line.contains(secret));
        assert!(hit.is_none(), "{what} shows {secret}:\n{}\n--- in\n{text}", hit.unwrap_or_default());
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn no_output_shows_a_planted_secret() {
    let project = Project::new();
    let forms: &[&[&str]] = &[
        &["--diff"],
        &["--diff", "-vvv"],
        &["--diff", "--output", "json"],
        &["--diff", "--output", "jsonl", "-v"],
        &["--diff", "--output", "yaml"],
        &["--check", "--diff", "-vvv"],
    ];
    for args in forms {
        let ran = project.play(args).exits(2);
        assert!(ran.out.contains("The end") && ran.out.contains("********"), "{}", ran.out);
        clean(&format!("{args:?}"), &format!("{}{}", ran.out, ran.err));
        let _ = std::fs::remove_dir_all(project.path("out"));
        std::fs::create_dir(project.path("out")).unwrap();
    }
    clean("the log file", &read(&project.path("run.log")));
    // The secrets did get where they belong.
    project.play(&[]).exits(2);
    assert_eq!(read(&project.path("out/source")), "key = c0py-source-I5\n");
    assert_eq!(read(&project.path("out/rendered")), "key: templ4te-source-O6 wh0le-file-E9\n");
    assert!(read(&project.path("out/plain")).starts_with("a=inl1ne-ansible-Q7\nb=aW5sMW5lLWFnZS1XOA==\n"));
    assert!(project.path("out").join(PLANTED[0]).exists());
}

/// What is told of inventories and variables, and what one task says of them.
#[test]
fn inventory_vars_and_exec_show_no_planted_secret() {
    let project = Project::new();
    let exec = &["exec", "all", "-m", "debug", "-a", "msg={{ in_age }}", "--tree", "tree"][..];
    let shell = &["exec", "all", "-m", "shell", "-a", "echo {{ in_ansible | reverse }}; exit 3", "-o"][..];
    for (args, code) in [
        (&["inventory", "--list"][..], 0),
        (&["inventory", "--list", "--yaml"], 0),
        (&["inventory", "--list", "--export", "--toml"], 0),
        (&["inventory", "--host", "here"], 0),
        (&["inventory", "--graph", "--vars"], 0),
        (&["vars", "here"], 0),
        (&["vars", "here", "--output", "json", "--playbook", "play.yml"], 0),
        (exec, 0),
        (shell, 2),
    ] {
        let mut command = rplay(args);
        let keys = ["-i", "hosts.yml", "--vault-password-file", "pw", "-e", "@extra.yml", "--identity", "key"];
        let ran = run(command.args(keys).current_dir(project.dir.path())).exits(code);
        assert!(ran.out.contains("********"), "{args:?}: {}{}", ran.out, ran.err);
        clean(&format!("{args:?}"), &format!("{}{}", ran.out, ran.err));
    }
    let kept = read(&project.path("tree/here"));
    assert!(kept.contains("********"), "{kept}");
    clean("the tree", &kept);
}

#[test]
fn debug_shows_secrets_when_it_is_asked_to_and_nothing_else_does() {
    let project = Project::new();
    let ran = project.play(&["--show-secrets", "-vvv"]).exits(2);
    for secret in ["inl1ne-ansible-Q7", "wh0le-file-E9", "INL1NE-ANSIBLE-Q7", "734950218"] {
        assert!(ran.out.contains(secret), "{secret} is missing in\n{}", ran.out);
    }
    let task = |name: &str| {
        let rest = ran.out.split(&format!("TASK [{name}]")).nth(1).unwrap_or_else(|| panic!("no {name}: {}", ran.out));
        rest.split("\nTASK [").next().unwrap().to_owned()
    };
    for name in ["A command line", "It fails with it", "The files", "An assertion", "The end"] {
        clean(name, &task(name));
    }
}

#[test]
fn what_is_wrong_in_an_encrypted_file_is_told_without_its_content() {
    let project = Project::new();
    let cases = [
        ("group_vars/all/bad.yml", "key: [inl1ne-ansible-Q7\n"),
        ("group_vars/all/bad.yml", "key: !wh0le-file-E9 x\n"),
        ("group_vars/all/bad.yml", "*vars-f1le-R1\n"),
        ("files/vars.yml", "- inl1ne-ansible-Q7\n"),
        ("hosts.yml", "all: {hosts: {h: {}}, inv3ntory-T2: x}\n"),
        ("templates/source.j2", "{{ templ4te-source-O6 !! }}\n"),
        ("templates/source.j2", "{% if inl1ne-ansible-Q7 %}\n"),
    ];
    for (name, text) in cases {
        let path = project.path(name);
        let before = std::fs::read(&path).ok();
        std::fs::write(&path, text).unwrap();
        project.vault(&["encrypt", "-r", RECIPIENT, name]);
        let ran = project.play(&["-vvv"]);
        assert_ne!(ran.code, 0, "{name}: {}", ran.out);
        clean(&format!("{name}: {text}"), &format!("{}{}", ran.out, ran.err));
        match before {
            Some(before) => std::fs::write(&path, before).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
    }
}
