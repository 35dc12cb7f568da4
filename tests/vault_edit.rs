//! `rplay vault edit`, `create` and `rekey`: what they leave in files, and what nowhere.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "all of it is test code")]

mod common;

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use common::{Ran, run, write};

const KEY: &str = "AGE-SECRET-KEY-1MAF9HRH3VWETGPH2DMM67WDF43AGHVWNAHSHSZN8KHULUDFA2M4STY47CP\n";
const RECIPIENT: &str = "age1f08s02y2p0kwensmg08xyagvgqndf7s28a7d509xeud255k2eqss9jp3l4";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("pw", "first\n");
        place.write("pw2", "second\n");
        place.write("key", KEY);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        write(self.0.path(), name, text)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// `rplay vault`, with an editor that is these lines of shell; the file is `$1`.
    fn command(&self, args: &[&str], editor: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
        let program = self.write("editor", &format!("#!/bin/sh\nset -e\necho \"$1\" >edited\n{editor}\n"));
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        command.arg("vault").args(args).current_dir(self.0.path()).env("EDITOR", program).env("HOME", self.0.path());
        command.env_remove("ANSIBLE_CONFIG");
        command
    }

    fn edit(&self, args: &[&str], editor: &str) -> Ran {
        run(&mut self.command(args, editor))
    }

    fn vault(&self, args: &[&str]) -> Ran {
        self.edit(args, "exit 1")
    }

    /// The file that the editor was given; it must be gone, with its directory.
    fn edited(&self) -> PathBuf {
        let path = PathBuf::from(self.read("edited").trim());
        assert!(!path.exists() && !path.parent().unwrap().exists(), "{} was left behind", path.display());
        path
    }
}

const PW: &[&str] = &["--vault-password-file", "pw"];

#[test]
fn an_edited_file_keeps_mode_owner_password_and_format_and_leaves_nothing_behind() {
    let place = Place::new();
    for format in ["ansible", "age"] {
        let file = place.write("secret.yml", "a: 1\n");
        place.vault(&[&["encrypt", "--format", format, "secret.yml"], PW].concat()).exits(0);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o604)).unwrap();
        // Only root can give a file away.
        let root = chown(&file, Some(12), Some(34)).is_ok();
        let before = place.read("secret.yml");
        let check = "[ \"$(stat -c %a \"$1\")\" = 600 ]; [ \"$(stat -c %a \"${1%/*}\")\" = 700 ]; cp \"$1\" \"$1~\"";
        let args = [&["edit", "secret.yml"], PW].concat();
        place.edit(&args, check).exits(0).says("was not changed");
        assert_eq!(place.read("secret.yml"), before, "an unchanged text was encrypted anew");
        let edited = place.edited();
        assert!(!std::path::Path::new("/dev/shm").is_dir() || edited.starts_with("/dev/shm"), "{}", edited.display());
        assert_eq!(edited.file_name().unwrap(), "secret.yml");
        place.edit(&args, "echo 'b: 2' >>\"$1\"; exit 3").exits(1).says("the editor").says("nothing was changed");
        assert_eq!(place.read("secret.yml"), before);
        place.edited();
        place.edit(&args, "echo 'b: 2' >new; cat new >>\"$1\"").exits(0);
        place.edited();
        assert_eq!(place.vault(&[&["view", "secret.yml"], PW].concat()).exits(0).out, "a: 1\nb: 2\n");
        let meta = std::fs::metadata(&file).unwrap();
        assert_eq!(meta.permissions().mode() & 0o7777, 0o604);
        assert!(!root || (meta.uid(), meta.gid()) == (12, 34));
        let kind = place.vault(&["info", "secret.yml"]).out;
        assert!(kind.contains(format), "{kind}");
        place.vault(&["edit", "secret.yml", "--vault-password-file", "pw2"]).exits(1);
    }
}

#[test]
fn a_signal_while_the_editor_runs_leaves_nothing_behind() {
    let place = Place::new();
    place.write("s", "a: 1\n");
    place.vault(&["encrypt", "-r", RECIPIENT, "s"]).exits(0);
    let before = place.read("s");
    for signal in ["TERM", "HUP"] {
        let _ = std::fs::remove_file(place.path("ready"));
        let mut command =
            place.command(&["edit", "-i", "key", "-r", RECIPIENT, "s"], "echo x >>\"$1\"; echo >ready; exec sleep 60");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while !place.path("ready").exists() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        run(Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()])).exits(0);
        assert_eq!(child.wait().unwrap().code(), Some(99), "{signal}");
        place.edited();
        assert_eq!(place.read("s"), before);
    }
    // The keyboard's signals are the editor's own affair.
    let editor = "kill -INT $PPID; kill -QUIT $PPID; sleep 0.2; echo 'b: 2' >>\"$1\"";
    place.edit(&["edit", "-i", "key", "-r", RECIPIENT, "s"], editor).exits(0);
    place.edited();
    assert_eq!(place.vault(&["view", "-i", "key", "s"]).exits(0).out, "a: 1\nb: 2\n");
}

#[test]
fn a_new_file_is_made_once_and_is_its_owners_alone() {
    let place = Place::new();
    let args = [&["create", "new/dir/file.yml"], PW].concat();
    place.edit(&args, "echo 'a: 1' >\"$1\"").exits(0);
    place.edited();
    let file = place.path("new/dir/file.yml");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(place.vault(&[&["view", "new/dir/file.yml"], PW].concat()).exits(0).out, "a: 1\n");
    place.edit(&args, "exit 0").exits(1).says("is there already");
}

#[test]
fn recipients_have_to_be_known_before_a_file_for_keys_is_edited() {
    let place = Place::new();
    place.write("s", "a: 1\n");
    place.vault(&["encrypt", "-r", RECIPIENT, "s"]).exits(0);
    place
        .edit(&["edit", "-i", "key", "s"], "touch was-run")
        .exits(5)
        .says("does not say whose")
        .says("vault/recipients");
    assert!(!place.path("was-run").exists());
    place.write("vault/recipients", RECIPIENT);
    place.edit(&["edit", "-i", "key", "s"], "echo 'b: 2' >>\"$1\"").exits(0);
    assert_eq!(place.vault(&["view", "-i", "key", "s"]).exits(0).out, "a: 1\nb: 2\n");
}

/// A YAML file with values of both formats.
fn values(place: &Place) -> String {
    let string = |name: &str, text: &str, with: &[&str]| {
        place.vault(&[&["encrypt-string"], with, &["-n", name, "--", text]].concat()).exits(0).out
    };
    let old = [&["--format", "ansible", "--vault-id", "prod@pw"], &[][..]].concat();
    let one = string("one", "first value", &old);
    let two = string("two", "second value\nof two lines\n", &["-r", RECIPIENT]);
    let three = string("three", "third value", &old).replace("          ", "    ");
    format!("# A comment\nplain: x\n{one}# Another\n{two}{three}last: [1, 2]\n")
}

#[test]
fn single_values_are_edited_in_the_clear_and_only_changed_ones_are_encrypted_anew() {
    let place = Place::new();
    let text = values(&place);
    place.write("vars.yml", &text);
    let keys = ["-i", "key", "-r", RECIPIENT, "--vault-id", "prod@pw"];
    let args = [&["edit", "vars.yml"], &keys[..]].concat();
    let shown = "# A comment\nplain: x\none: !vault |-\n  first value\n# Another\ntwo: !vault |\n  second value\n  of two lines\nthree: !vault |-\n  third value\nlast: [1, 2]\n";
    let view = ["view", "vars.yml", "-i", "key", "--vault-id", "prod@pw"];
    assert_eq!(place.vault(&view).exits(0).out, shown);
    place.edit(&args, "cp \"$1\" seen").exits(0).says("was not changed");
    assert_eq!(place.read("seen"), shown);
    assert_eq!(place.read("vars.yml"), text);
    // A value, a plain one, and a new one.
    let editor = "sed -i 's/second value/other value/; s/plain: x/plain: y/' \"$1\"; printf 'new: !vault |\\n  fourth\\n' >>\"$1\"";
    place.edit(&args, editor).exits(0);
    place.edited();
    let after = place.read("vars.yml");
    assert!(!after.contains("value") && !after.contains("fourth"), "{after}");
    let lines: Vec<&str> = after.lines().collect();
    let kept = text.lines().filter(|line| lines.contains(line)).count();
    let block = text.split("two: ").nth(1).unwrap().split("three: ").next().unwrap().lines().count();
    // But for the changed value and the plain one, every line is as it was.
    assert!(kept >= text.lines().count() - block, "{kept} lines were kept of\n{text}\n--- in\n{after}");
    assert!(after.contains("three: !vault |\n    $ANSIBLE_VAULT;1.2;AES256;prod\n"), "{after}");
    let expected =
        shown.replace("second value", "other value").replace("plain: x", "plain: y") + "new: !vault |\n  fourth\n";
    assert_eq!(place.vault(&view).exits(0).out, expected);
    // What cannot be opened stays as it is.
    place
        .edit(&["edit", "vars.yml", "--vault-id", "prod@pw"], "sed -i 's/third/3rd/' \"$1\"")
        .exits(0)
        .says("[WARNING]");
    assert_eq!(place.vault(&view).exits(0).out, expected.replace("third", "3rd"));
    // What would stay in the clear, or is no YAML any more, is refused.
    let before = place.read("vars.yml");
    place.edit(&args, "echo 'odd: !vault plain' >>\"$1\"").exits(1).says("lines of its own");
    place.edit(&args, "echo 'a: [' >>\"$1\"").exits(1).says("was not changed");
    assert_eq!(place.read("vars.yml"), before);
    place.edited();
}

#[test]
fn a_tree_is_rekeyed_from_one_format_to_the_other_all_or_nothing() {
    let place = Place::new();
    let vars = values(&place);
    place.write("tree/a.yml", "a: 1\n");
    place.write("tree/sub/b.yml", "b: 2\n");
    place.vault(&["encrypt", "--format", "ansible", "--vault-id", "prod@pw", "tree/a.yml", "tree/sub/b.yml"]).exits(0);
    place.write("tree/vars.yml", &vars);
    place.write("tree/plain.yml", "c: 3\n");
    place.write("tree/.git/x", &place.read("tree/a.yml"));
    let all =
        || ["tree/a.yml", "tree/sub/b.yml", "tree/vars.yml", "tree/plain.yml", "tree/.git/x"].map(|f| place.read(f));
    let before = all();
    let keys = ["--vault-id", "prod@pw", "-i", "key"];
    let wrong = ["rekey", "tree", "--vault-id", "prod@pw", "-r", RECIPIENT];
    place.vault(&wrong).exits(1).says("tree/vars.yml:").says("`!vault`");
    assert_eq!(all(), before, "some were changed, some were not");
    let ran = place.vault(&[&["rekey", "tree", "-r", RECIPIENT], &keys[..]].concat()).exits(0);
    let expected = "tree/a.yml: ansible → age for 1 recipient(s)\n\
                    tree/sub/b.yml: ansible → age for 1 recipient(s)\n\
                    tree/vars.yml: 3 value(s), ansible → age for 1 recipient(s), age → age for 1 recipient(s), ansible → age for 1 recipient(s)\n";
    assert_eq!(ran.out, expected);
    let info = place.vault(&["info", "tree"]).exits(0).out;
    assert!(!info.contains("ansible") && info.lines().count() == 3, "{info}");
    let new = ["--format", "ansible", "--new-vault-id", "team@pw2"];
    place.vault(&[&["rekey", "tree", "-i", "key"], &new[..]].concat()).exits(0);
    assert!(place.read("tree/a.yml").starts_with("$ANSIBLE_VAULT;1.2;AES256;team\n"));
    place.vault(&["rekey", "tree", "--format", "age", "--vault-password-file", "pw2"]).exits(0);
    let info = place.vault(&["info", "tree/sub/b.yml"]).exits(0).out;
    assert!(info.contains("age, for a password"), "{info}");
    let clear = place.vault(&["view", "--vault-password-file", "pw2", "tree/vars.yml"]).exits(0).out;
    assert!(clear.contains("one: !vault |-\n  first value\n# Another\n") && clear.contains("of two lines"), "{clear}");
    assert_eq!((place.read("tree/plain.yml"), place.read("tree/.git/x")), (before[3].clone(), before[4].clone()));
    place.vault(&["rekey", "tree/plain.yml", "-r", RECIPIENT]).exits(1).says("is not encrypted");
}

#[test]
fn git_shows_differences_in_the_clear() {
    let place = Place::new();
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        let path = format!(
            "{}:{}",
            PathBuf::from(env!("CARGO_BIN_EXE_rplay")).parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        command.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(args).current_dir(place.0.path());
        run(command.env("PATH", path).env("ANSIBLE_VAULT_PASSWORD_FILE", place.path("pw")).env("HOME", place.0.path()))
    };
    git(&["init", "-q"]).exits(0);
    place.write(".gitattributes", "secret.yml diff=rplay-vault\n");
    git(&["config", "diff.rplay-vault.textconv", "rplay vault view --textconv"]).exits(0);
    // The first version was not encrypted yet.
    place.write("secret.yml", "a: 0\n");
    for text in ["a: 1\n", "a: 2\n"] {
        git(&["add", "."]).exits(0);
        git(&["commit", "-qm", "x"]).exits(0);
        place.write("secret.yml", text);
        place.vault(&[&["encrypt", "secret.yml"], PW].concat()).exits(0);
    }
    git(&["diff"]).exits(0).says("-a: 1\n+a: 2\n");
    git(&["log", "-p"]).exits(0).says("+a: 0\n").says("-a: 0\n+a: 1\n");
}
