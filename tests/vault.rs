//! `rplay vault`: its commands, and the real `ansible-vault` and `age` on the other side.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "all of it is test code")]

mod common;

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Ran, run, write};

/// A directory with passwords and keys.
struct Place(tempfile::TempDir);

const KEY: &str = "AGE-SECRET-KEY-1MAF9HRH3VWETGPH2DMM67WDF43AGHVWNAHSHSZN8KHULUDFA2M4STY47CP\n";
const RECIPIENT: &str = "age1f08s02y2p0kwensmg08xyagvgqndf7s28a7d509xeud255k2eqss9jp3l4";
const TEXT: &str = "user: app\npassword: \"p4ss: word\"\n";

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

    fn command(&self, program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.0.path()).env("HOME", self.0.path()).env_remove("ANSIBLE_CONFIG");
        command
    }

    fn rplay(&self, args: &[&str]) -> Command {
        self.command(env!("CARGO_BIN_EXE_rplay"), args)
    }

    fn vault(&self, args: &[&str]) -> Ran {
        run(self.rplay(&["vault"]).args(args))
    }

    /// A new key pair of ssh; the private key's passphrase may be empty.
    fn ssh_key(&self, name: &str, kind: &str, passphrase: &str) {
        let args = ["-q", "-t", kind, "-N", passphrase, "-f", name, "-C", "who@where"];
        run(&mut self.command("ssh-keygen", &args)).exits(0);
    }
}

/// The tool of that name; without it a test is passed over, but not where `CI` is set:
/// `tests/tools/setup` installs it.
fn tool(name: &str) -> Option<PathBuf> {
    let own = std::env::var_os("XDG_CACHE_HOME")
        .map_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache"), PathBuf::from);
    let dirs = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let found = [own.join("rplay-tools/bin")].into_iter().chain(dirs).map(|dir| dir.join(name)).find(|p| p.is_file());
    assert!(found.is_some() || std::env::var("CI").as_deref() != Ok("true"), "{name} is missing: tests/tools/setup");
    found
}

/// Runs a command on a terminal of its own, and answers each question (`…: `) with a line.
fn on_terminal(place: &Place, line: &str, answers: &[&str]) -> Ran {
    let mut command = place.command("script", &["-qec", line, "/dev/null"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut answers = answers.iter();
    let (mut out, mut byte) = (Vec::new(), [0]);
    while stdout.read(&mut byte).unwrap_or(0) == 1 {
        out.push(byte[0]);
        if out.ends_with(b": ")
            && let Some(answer) = answers.next()
        {
            writeln!(stdin, "{answer}").unwrap();
        }
    }
    let code = child.wait().unwrap().code().unwrap_or(-1);
    Ran { code, out: String::from_utf8_lossy(&out).into_owned(), err: String::new() }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_file_is_encrypted_in_its_place_once_and_opened_by_its_password_alone() {
    let place = Place::new();
    let file = place.write("dir/secret.yml", TEXT);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("dir/secret.yml", place.path("link.yml")).unwrap();
    for format in ["age", "ansible"] {
        let with = ["--vault-password-file", "pw", "link.yml"];
        place.vault(&[&["encrypt", "--format", format], &with[..]].concat()).exits(0).says("Encryption successful");
        let encrypted = place.read("dir/secret.yml");
        let head = if format == "age" { "-----BEGIN AGE ENCRYPTED FILE-----\n" } else { "$ANSIBLE_VAULT;1.1;AES256\n" };
        assert!(encrypted.starts_with(head), "{encrypted}");
        assert!(std::fs::symlink_metadata(place.path("link.yml")).unwrap().is_symlink());
        assert_eq!(mode(&file), 0o640);
        place.vault(&[&["encrypt"], &with[..]].concat()).exits(1).says("link.yml is encrypted already");
        assert_eq!(place.read("dir/secret.yml"), encrypted, "refused, and yet changed");
        let wrong = place.vault(&["decrypt", "--vault-id", "dev@pw2", "link.yml"]).exits(1);
        wrong.says("link.yml").says("the password in pw2 (`dev`)");
        place.vault(&["decrypt", "link.yml"]).exits(1).says("no vault secrets found").says("--vault-password-file");
        assert_eq!(place.read("dir/secret.yml"), encrypted, "a wrong password changed it");
        assert_eq!(place.vault(&[&["view"], &with[..]].concat()).exits(0).out, TEXT);
        place.vault(&[&["decrypt"], &with[..]].concat()).exits(0);
        assert_eq!((place.read("dir/secret.yml").as_str(), mode(&file)), (TEXT, 0o640));
    }
    place.vault(&["decrypt", "--vault-password-file", "pw", "link.yml"]).exits(1).says("is not encrypted");
    let left: Vec<_> = std::fs::read_dir(place.path("dir")).unwrap().collect();
    assert_eq!(left.len(), 1, "something was left behind: {left:?}");
}

#[test]
fn passwords_come_from_files_programs_the_environment_and_standard_input() {
    let place = Place::new();
    place.write("s", TEXT);
    place.vault(&["encrypt", "--format", "ansible", "--vault-id", "prod@pw", "s"]).exits(0);
    assert!(place.read("s").starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n"));
    let program = place.write("ask-client", "#!/bin/sh\n[ \"$1 $2\" = '--vault-id prod' ] && echo first\n");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(place.vault(&["view", "--vault-id", "prod@ask-client", "s"]).exits(0).out, TEXT);
    place.vault(&["view", "--vault-id", "dev@ask-client", "s"]).exits(1).says("ask-client failed");
    let view = |name: &str, value: &str| run(place.rplay(&["vault", "view", "s"]).env(name, value));
    assert_eq!(view("ANSIBLE_VAULT_PASSWORD_FILE", "pw").exits(0).out, TEXT);
    assert_eq!(view("ANSIBLE_VAULT_IDENTITY_LIST", "dev@pw2, prod@pw").exits(0).out, TEXT);
    view("ANSIBLE_VAULT_PASSWORD_FILE", "pw2").exits(1);
    // The wrong label, and labels have to match.
    let mut strict = place.rplay(&["vault", "view", "--vault-id", "dev@pw", "s"]);
    run(strict.env("ANSIBLE_VAULT_ID_MATCH", "true")).exits(1).says("`prod`");
    let piped = |args: &[&str], text: &str| {
        let line = format!("printf %s '{text}' | {} vault {}", env!("CARGO_BIN_EXE_rplay"), args.join(" "));
        run(&mut place.command("setsid", &["-w", "sh", "-c", &line]))
    };
    assert_eq!(piped(&["view", "--vault-password-file", "-", "s"], "first\n").exits(0).out, TEXT);
    assert_eq!(piped(&["view", "--ask-vault-pass", "s"], "first\n").exits(0).out, TEXT);
    assert_eq!(piped(&["decrypt", "--vault-password-file", "pw", "--output", "-", "s"], "").exits(0).out, TEXT);
    let there = piped(&["encrypt", "--vault-password-file", "pw"], TEXT.trim()).exits(0).out;
    assert!(there.starts_with("-----BEGIN AGE"), "{there}");
    place.write("ansible.cfg", "[defaults]\nvault_identity_list = prod@pw\n");
    assert_eq!(place.vault(&["view", "s"]).exits(0).out, TEXT);
    place.write("empty", "\n");
    // What is given besides is enough; without anything it is an error.
    let empty = place.vault(&["view", "--vault-password-file", "empty", "s"]).exits(0);
    assert!(
        empty.out == TEXT && empty.err.contains("[WARNING]: Error getting vault password file (default)"),
        "{empty:?}"
    );
    place.vault(&["view", "--vault-id", "x@pv", "s"]).exits(0).says("did you mean").says("pw");
    place.write("ansible.cfg", "");
    place.vault(&["view", "--vault-password-file", "empty", "s"]).exits(1).says("empty vault password");
    place.vault(&["view", "--vault-password-file", "pv", "s"]).exits(1).says("did you mean").says("pw");
}

/// What is encrypted for others is no hindrance to those whose hosts it is not about.
#[test]
fn files_of_groups_that_no_play_is_for_may_stay_encrypted() {
    let place = Place::new();
    place.write("pw", "first\n");
    place.write("other", "second\n");
    place.write("hosts", "[dev]\na\n[prod]\nb\n[all:vars]\nansible_connection=local\n");
    place.write("group_vars/prod.yml", "shown: from prod\n");
    place.vault(&["encrypt", "--vault-password-file", "pw", "group_vars/prod.yml"]).exits(0);
    let play = |hosts: &str| {
        format!(
            "- hosts: {hosts}\n  gather_facts: false\n  tasks: [{{debug: {{msg: \"{{{{ shown | default('none') }}}}\"}}}}]\n"
        )
    };
    place.write("dev.yml", &play("dev"));
    place.write("all.yml", &play("all"));
    let go = |args: &[&str]| run(&mut place.rplay(&[&["-i", "hosts"], args].concat()));
    go(&["dev.yml"])
        .exits(0)
        .says("\"msg\": \"none\"")
        .says("[WARNING]: cannot decrypt")
        .says("no play is for its hosts");
    go(&["all.yml", "--limit", "dev", "--vault-password-file", "other"]).exits(0).says("could decrypt it");
    let refused = go(&["all.yml"]).exits(4).says("[ERROR]: cannot decrypt").says("group_vars/prod.yml");
    assert!(!refused.out.contains("TASK"), "{}", refused.out);
    go(&["all.yml", "--vault-password-file", "pw"]).exits(0).says("\"msg\": \"********\"");
    run(&mut place.rplay(&["inventory", "-i", "hosts", "--list"])).exits(1).says("cannot decrypt");
    run(&mut place.rplay(&["vars", "a", "-i", "hosts"])).exits(0);
    run(&mut place.rplay(&["vars", "b", "-i", "hosts"])).exits(1).says("cannot decrypt");
}

#[test]
fn a_password_is_asked_for_on_the_terminal_and_a_new_one_twice() {
    let place = Place::new();
    place.write("s", TEXT);
    let rplay = env!("CARGO_BIN_EXE_rplay");
    let other = on_terminal(&place, &format!("{rplay} vault encrypt s"), &["typed", "tyqed"]);
    assert!(other.code == 1 && other.out.contains("not the same"), "{other:?}");
    assert_eq!(place.read("s"), TEXT);
    let asked = on_terminal(&place, &format!("{rplay} vault encrypt s"), &["typed", "typed"]);
    assert!(asked.code == 0 && asked.out.contains("New Vault password:"), "{asked:?}");
    assert!(!asked.out.contains("typed"), "the password was shown: {asked:?}");
    place.write("typed", "typed");
    assert_eq!(place.vault(&["view", "--vault-password-file", "typed", "s"]).exits(0).out, TEXT);
    let seen = on_terminal(&place, &format!("PAGER='sed s/^/paged-/' {rplay} vault view s"), &["typed"]);
    assert!(seen.out.contains("Vault password:") && seen.out.contains("paged-user: app"), "{seen:?}");
}

#[test]
fn a_team_opens_a_file_with_its_own_keys_and_age_opens_it_too() {
    let (Some(age), Some(keygen)) = (tool("age"), tool("age-keygen")) else { return };
    let place = Place::new();
    run(&mut place.command(&keygen, &["-o", "second"])).exits(0);
    place.ssh_key("ed", "ed25519", "");
    place.ssh_key("locked", "ed25519", "a phrase");
    place.ssh_key("rsa", "rsa", "");
    let second = run(&mut place.command(&keygen, &["-y", "second"])).exits(0).out;
    let public = |name: &str| place.read(&format!("{name}.pub"));
    let team = format!("# team\n{RECIPIENT}\n{second}{}{}{}", public("ed"), public("rsa"), public("locked"));
    place.write("vault/recipients", &team);
    place.write("s", TEXT);
    // The recipients of the project are the default.
    place.vault(&["encrypt", "s"]).exits(0);
    place.vault(&["info", "s"]).exits(0).says("age, for 5 recipient(s): 2 × X25519, 2 × ssh-ed25519, 1 × ssh-rsa");
    for key in ["key", "second", "ed", "rsa"] {
        assert_eq!(place.vault(&["view", "-i", key, "s"]).exits(0).out, TEXT);
        assert_eq!(run(&mut place.command(&age, &["-d", "-i", key, "s"])).exits(0).out, TEXT);
    }
    let line = format!("{} vault view -i locked s", env!("CARGO_BIN_EXE_rplay"));
    let asked = on_terminal(&place, &line, &["a phrase"]);
    assert!(asked.out.contains("Passphrase of") && asked.out.contains("user: app"), "{asked:?}");
    place.vault(&["view", "--vault-password-file", "pw", "s"]).exits(1).says("the owners of 5 keys");
    // The user's own ssh key needs no option.
    std::fs::create_dir(place.path(".ssh")).unwrap();
    std::fs::rename(place.path("ed"), place.path(".ssh/id_ed25519")).unwrap();
    assert_eq!(place.vault(&["view", "s"]).exits(0).out, TEXT);
    // And the other way round: binary and armored, for keys of both kinds.
    for (flag, recipient) in [("-a", RECIPIENT), ("-e", second.trim()), ("-a", public("rsa").trim())] {
        run(&mut place.command(&age, &[flag, "-r", recipient, "-o", "theirs", "vault/recipients"])).exits(0);
        let args = ["view", "-i", "key", "-i", "second", "-i", "rsa", "theirs"];
        assert_eq!(place.vault(&args).exits(0).out, team);
    }
    place.vault(&["encrypt", "-r", "age1nonsense", "pw2"]).exits(5).says("--recipient:1:1").says("no recipient");
    place.vault(&["encrypt", "-r", RECIPIENT, "--vault-password-file", "pw", "pw2"]).exits(5).says("not for both");
    place.vault(&["encrypt", "-r", RECIPIENT, "--format", "ansible", "pw2"]).exits(5).says("knows no recipients");
    assert_eq!(place.read("pw2"), "second\n");
}

#[test]
fn age_reads_and_writes_passwords_that_rplay_writes_and_reads() {
    let Some(age) = tool("age") else { return };
    let place = Place::new();
    place.write("s", TEXT);
    place.vault(&["encrypt", "--vault-password-file", "pw", "s"]).exits(0);
    let age = age.display();
    let theirs = on_terminal(&place, &format!("{age} -d -o clear s"), &["first"]);
    assert_eq!(place.read("clear"), TEXT, "{theirs:?}");
    let made = on_terminal(&place, &format!("{age} -p -o made clear"), &["third one", "third one"]);
    place.write("pw3", "third one");
    let seen = place.vault(&["view", "--vault-password-file", "pw3", "made"]);
    assert_eq!(seen.out, TEXT, "{made:?} {seen:?}");
}

#[test]
fn ansible_vault_reads_what_rplay_writes_and_the_reverse() {
    let Some(theirs) = tool("ansible-vault") else { return };
    let place = Place::new();
    let ids = ["--vault-id", "prod@pw", "--vault-id", "dev@pw2"];
    let vault = |program: &Path, args: &[&str]| run(place.command(program, args).env("ANSIBLE_NOCOLOR", "1"));
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_rplay"));
    // Under Ansible's name, with its spellings.
    let link = place.path("ansible-vault");
    symlink(&ours, &link).unwrap();
    for (one, other) in [(&theirs, &link), (&link, &theirs)] {
        place.write("s", TEXT);
        vault(one, &[&["encrypt", "--encrypt-vault-id", "dev", "s"], &ids[..]].concat()).exits(0);
        assert!(place.read("s").starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"));
        assert_eq!(vault(other, &[&["view", "s"], &ids[..]].concat()).exits(0).out.trim_end(), TEXT.trim_end());
        vault(other, &[&["rekey", "s", "--new-vault-id", "prod@pw"], &ids[..]].concat()).exits(0);
        assert!(place.read("s").starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n"));
        vault(one, &["decrypt", "s", "--vault-password-file", "pw"]).exits(0);
        assert_eq!(place.read("s"), TEXT);
        vault(one, &[&["encrypt", "s"], &ids[..]].concat()).exits(5).says("--encrypt-vault-id");
        let single = ["encrypt_string", "--vault-password-file", "pw", "-n", "token", "s3cret value"];
        let text = vault(one, &single).exits(0).out;
        assert!(text.starts_with("token: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          "), "{text}");
        place.write("v.yml", &text);
        place.write("p.yml", "- hosts: all\n  gather_facts: false\n  vars_files: [v.yml]\n  tasks:\n    - assert: {that: \"token == 's3cret value'\"}\n");
        let args = ["-i", "localhost,", "-c", "local", "p.yml", "--vault-password-file", "pw"];
        let play = if other == &link { ours.clone() } else { theirs.with_file_name("ansible-playbook") };
        run(&mut place.command(play, &args)).exits(0);
        vault(one, &["view", "pw", "--vault-password-file", "pw"]).exits(1);
    }
}

#[test]
fn strings_have_the_names_that_were_meant_for_them() {
    let place = Place::new();
    place.write("input", "typed");
    let names = |args: &[&str]| {
        let mut command = place.command(env!("CARGO_BIN_EXE_rplay"), &["vault", "encrypt-string"]);
        command.args(["--format", "ansible", "--vault-password-file", "pw"]).args(args);
        let done = command.stdin(std::fs::File::open(place.path("input")).unwrap()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let out = String::from_utf8(done.stdout).unwrap();
        out.lines().filter_map(|l| l.strip_suffix("!vault |").map(|n| n.trim().to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(names(&["-n", "a"]), ["a:"]);
    assert_eq!(names(&["-", "x", "-n", "a"]), ["", "a:"]);
    assert_eq!(names(&["x", "-n", "a", "--stdin-name", "b"]), ["b:", "a:"]);
}
