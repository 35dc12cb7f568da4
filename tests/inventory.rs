//! `rplay inventory` against ansible-inventory: `tests/inventory/cases` names the options,
//! `tests/inventory/expected/` holds what ansible-core 2.19 printed, recorded by
//! `tests/inventory/record.sh`. And `rplay vars`, and what is said of sources that are wrong.

#![allow(clippy::unwrap_used, reason = "all of it is test code")]

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inventory")
}

fn run(program: &Path, args: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program);
    command.args(args).envs(environment.iter().copied()).env("ANSIBLE_NOCOLOR", "1").env_remove("ANSIBLE_CONFIG");
    command.current_dir(project()).stdin(Stdio::null()).output().unwrap()
}

fn rplay(args: &[&str]) -> (i32, String, String) {
    let done = run(Path::new(env!("CARGO_BIN_EXE_rplay")), args, &[]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&*project().to_string_lossy(), "PROJECT");
    (done.status.code().unwrap(), text(&done.stdout), text(&done.stderr))
}

#[test]
fn what_is_printed_is_what_ansible_inventory_prints() {
    let programs = tempfile::tempdir().unwrap();
    let program = programs.path().join("ansible-inventory");
    symlink(env!("CARGO_BIN_EXE_rplay"), &program).unwrap();
    let cases = std::fs::read_to_string(project().join("cases")).unwrap();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for line in cases.lines().filter(|l| !l.starts_with('#')) {
        let (name, words) = line.split_once(": ").unwrap();
        let is_set = |word: &&str| word.starts_with(|c: char| c.is_ascii_uppercase());
        let environment: Vec<_> = words.split(' ').take_while(is_set).map(|w| w.split_once('=').unwrap()).collect();
        let args: Vec<_> = words.split(' ').skip_while(is_set).collect();
        let done = run(&program, &args, &environment);
        let found = format!("{}---- exit {}\n", String::from_utf8_lossy(&done.stdout), done.status.code().unwrap());
        let expected = std::fs::read_to_string(project().join("expected").join(name)).unwrap();
        if found != expected {
            wrong.push(format!("{name}: {words}\n{found}{}", String::from_utf8_lossy(&done.stderr)));
        }
        count += 1;
    }
    assert!(count > 60, "{count} cases");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_written_can_be_read_again() {
    let dir = tempfile::tempdir().unwrap();
    for (form, ending) in [("--yaml", "yml"), ("--toml", "toml")] {
        let file = dir.path().join(format!("again.{ending}"));
        let name = file.to_str().unwrap();
        let (code, out, _) = rplay(&["inventory", "-i", "hosts.toml", "--list", "--export", form, "--output", name]);
        assert!(code == 0 && out.is_empty(), "{out}");
        let graph = |source: &str| rplay(&["inventory", "-i", source, "--graph", "--vars"]);
        assert_eq!(graph(name), graph("hosts.toml"));
    }
}

#[test]
fn a_source_that_is_wrong_is_explained_with_its_place() {
    for (source, words) in [
        ("fail.sh", &["'script' plugin: Inventory script returned non-zero exit code 3", "oops"][..]),
        (
            "badjson.sh",
            &[
                "'script' plugin: Unable to get JSON decoder for inventory script result. Value could not be parsed as JSON",
                "badjson.sh --list:2:",
            ],
        ),
        ("hostbad.sh", &["Inventory script result for host 'h1' is", "hostbad.sh --host h1:1:1"]),
        ("strict.yml", &["could not set x for host h1: 'nosuch' is undefined", "strict.yml:3:14", "`strict`"]),
    ] {
        let (code, _, err) = rplay(&["inventory", "-i", "base.ini", "-i", source, "--graph"]);
        assert!(code == 0 && words.iter().all(|w| err.contains(w)), "{source}: {err}");
        assert!(err.contains(&format!("Unable to parse PROJECT/{source} as an inventory source")), "{err}");
    }
    let (_, _, err) = rplay(&["inventory", "-i", "ok.sh", "--graph"]);
    assert!(err.contains("ok.sh says: a note"), "{err}");
}

#[test]
fn vars_tell_where_a_value_is_from_and_what_it_shadows() {
    let (code, out, err) = rplay(&["vars", "w1", "n", "-i", "rich.yml", "-e", "n={{ zed }}"]);
    let expected = "n: 1\n    from --extra-vars:1:1 (extra vars (-e))\n    written as \"{{ zed }}\"\n    \
                    shadows 420 from PROJECT/rich.yml:9:87 (inventory host w1)\n";
    assert_eq!((code, &*out, &*err), (0, expected, ""));
    let (_, out, _) = rplay(&["vars", "h1", "gv", "-i", "base.ini"]);
    let expected = "gv: \"from_web\"\n    from PROJECT/group_vars/web.yml:1:1 (group_vars beside the playbook)\n";
    assert_eq!(out, expected);
    let (code, out, _) = rplay(&["vars", "h1", "-i", "base.ini", "--output", "json"]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let wv = &json["views"][0]["variables"]["wv"];
    assert_eq!((code, &wv["value"], &wv["line"], &wv["level"]), (0, &"w".into(), &9.into(), &"inventory group".into()));
}

#[test]
fn vars_of_a_playbook_are_those_of_its_plays() {
    let (code, out, err) = rplay(&["vars", "h1", "os", "-i", "base.ini", "--playbook", "play.yml"]);
    let expected = "play: first\nos: \"from_files\"\n    from PROJECT/vars.yml:1:1 (play vars_files)\n    \
                    shadows \"from_play\" from play.yml:4:5 (play vars)\n";
    assert!(code == 0 && out.starts_with(expected), "{out}{err}");
    assert!(out.contains("shadows \"deb\" from PROJECT/base.ini:2:8 (inventory host h1)"), "{out}");
    let (_, out, _) = rplay(&["vars", "h1", "dflt", "-i", "base.ini", "--playbook", "play.yml"]);
    assert!(
        out.contains("dflt: \"of the role\"\n    from PROJECT/roles/r/defaults/main.yml:1:1 (role defaults"),
        "{out}"
    );
}

#[test]
fn vars_that_are_not_there_are_named_with_a_suggestion() {
    let (code, _, err) = rplay(&["vars", "h1", "gvv", "-i", "base.ini"]);
    assert!(code == 1 && err.contains("`gvv` is not defined for the host `h1`") && err.contains("`gv`"), "{err}");
    let (code, _, err) = rplay(&["vars", "h9", "-i", "base.ini"]);
    assert!(code == 1 && err.contains("`h9` is not in the inventory") && err.contains("`h1`"), "{err}");
}
