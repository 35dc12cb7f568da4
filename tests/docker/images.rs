//! Images: built, named, archived, loaded, pushed to and pulled from a registry that runs here.

use std::process::Command;

use rplay::model::{Outcome, Status, Value};

use crate::common::{run, top};
use crate::container::is;
use crate::contract::contract;
use crate::engine::{Corner, lines};

/// tester, secret-1
const HTPASSWD: &str = "tester:$2y$05$PKG5q.kqtZ5LpKsOtBlFf.hRCnyy9aET48mLsE.Jx4SeRHFPiPRYG\n";

/// A registry; gone when this is dropped.
pub struct Registry {
    pub at: String,
    pid: i32,
    _dir: tempfile::TempDir,
}

impl Registry {
    pub fn start(locked: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new(top().join("tests/tools/docker"));
        command.arg("registry").arg(dir.path().join("registry"));
        if locked {
            let file = dir.path().join("htpasswd");
            std::fs::write(&file, HTPASSWD).unwrap();
            command.arg(file);
        }
        let ran = run(&mut command).exits(0);
        let (at, pid) = ran.out.trim().split_once(' ').unwrap();
        Self { at: at.to_owned(), pid: pid.parse().unwrap(), _dir: dir }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.pid) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }
}

fn id(outcome: &Outcome) -> String {
    let image = outcome.result.get("image").cloned().unwrap_or_default();
    image.get("Id").and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[test]
fn images_are_built_named_archived_and_removed() {
    let Some(corner) = Corner::new("images") else { return };
    let dir = corner.dir.path().join("context");
    std::fs::create_dir_all(dir.join("sub")).unwrap();
    for (name, text) in [
        ("Dockerfile", "FROM scratch\nARG WHO=nobody\nLABEL who=$WHO\nCOPY . /\n"),
        ("Other", "FROM scratch AS first\nCOPY a /first\nFROM first\nCOPY sub /second\n"),
        ("a", "a"),
        ("left-out.log", "x"),
        ("sub/b", "b"),
        (".dockerignore", "*.log\nDockerfile\n"),
    ] {
        std::fs::write(dir.join(name), text).unwrap();
    }
    let build = r#""build": {"path": "$D/context", "args": {"WHO": "me"}, "labels": {"l": "1"}}"#;
    let ran = contract(&corner, "docker_image", &format!(r#"{{"name": "$N-i", "source": "build", {build}}}"#), "build");
    let lines = ran.result.get("stdout_lines").and_then(Value::as_list).unwrap();
    assert!(lines.iter().any(|l| l.as_str().unwrap().starts_with("Successfully built")), "{:?}", ran.result);
    let did = corner.text("Built image $N-i:latest from $D/context");
    assert_eq!(ran.result.get("actions").and_then(Value::as_list), Some(&[Value::from(did)][..]));
    assert_eq!(corner.inspect("$N-i", "{{.Config.Labels.who}}{{.Config.Labels.l}}"), "me1");
    // What is in it: a container's files, without what is ignored.
    corner.docker("create --name $N-look $N-i none").exits(0);
    corner.docker("cp $N-look:/sub/b -").exits(0);
    corner.docker("cp $N-look:/left-out.log -").exits(1);
    // Again, with nothing new: the same image.
    let again = format!(r#"{{"name": "$N-i", "source": "build", "force_source": true, {build}}}"#);
    is(&corner.run("docker_image", &again, false), &Status::Ok, "force_source");
    let other = r#"{"name": "$N-other", "tag": "1", "source": "build", "build": {"path": "$D/context", "dockerfile": "Other", "target": "first", "nocache": true}}"#;
    contract(&corner, "docker_image", other, "another Dockerfile");

    let steps = [
        ("docker_image_tag", r#"{"name": "$N-i", "repository": ["$N-t:1", "$N-t"]}"#),
        ("docker_image_tag", r#"{"name": "$N-other:1", "repository": ["$N-t:1"]}"#),
        ("docker_image", r#"{"name": "$N-i", "source": "local", "repository": "$N-r:2", "archive_path": "$D/a.tar"}"#),
        ("docker_image_export", r#"{"names": ["$N-i", "$N-other:1"], "path": "$D/b.tar"}"#),
        ("docker_image_remove", r#"{"name": "$N-t", "tag": "1"}"#),
        ("docker_image", r#"{"name": "$N-r:2", "state": "absent"}"#),
    ];
    for (module, args) in steps {
        contract(&corner, module, args, args);
    }
    let keep = r#"{"name": "$N-other:1", "repository": ["$N-t"], "existing_images": "keep"}"#;
    is(&corner.run("docker_image_tag", keep, false), &Status::Ok, "keep");
    // Gone under all names, and back out of the archive.
    corner.docker("rm --force $N-look").exits(0);
    contract(&corner, "docker_image_remove", r#"{"name": "$N-i", "force": true}"#, "force");
    contract(&corner, "docker_image", r#"{"name": "$N-i", "source": "load", "load_path": "$D/a.tar"}"#, "load");
    corner.docker("rmi --force $N-other:1").exits(0);
    let ran = corner.run("docker_image_load", r#"{"path": "$D/b.tar"}"#, false);
    is(&ran, &Status::Changed, "load");
    let mut names: Vec<&str> =
        ran.result.get("image_names").unwrap().as_list().unwrap().iter().filter_map(Value::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, [corner.text("$N-i:latest"), corner.text("$N-other:1")]);
    let wrong = corner.run("docker_image", r#"{"name": "$N-no", "source": "load", "load_path": "$D/a.tar"}"#, false);
    assert!(wrong.message().unwrap().contains("Expected to load image"), "{wrong:?}");
    let broken = r#"{"name": "$N-no", "source": "build", "build": {"path": "$D/context", "dockerfile": "a"}}"#;
    is(&corner.run("docker_image", broken, false), &Status::Failed, "no Dockerfile");
}

/// What is sent for a build is what Docker's own client sends: the same files, dates and modes.
#[test]
fn a_context_is_what_dockers_client_sends() {
    let Some(corner) = Corner::new("sent") else { return };
    let script = "mkdir -p c && cd c && mkdir -p a/b/c keep/deep x/y logs && touch a/1.o a/b/2.o a/b/c/3.o a/keep.o keep/deep/f x/y/z \
        logs/1.log logs/2.log logs/important.log aXc abc 'with space' .hidden top.tmp && chmod 4755 a/1.o && chmod 600 abc && \
        ln -s abc link && ln -s /nowhere dangling && mkfifo pipe && touch -d 2001-02-03 x/y/z && \
        printf 'FROM scratch\nCOPY . /\n' >Dockerfile && \
        printf '%s\n' '# a comment' '**/*.o' '!a/keep.o' 'keep/*' '!keep/deep' 'logs/*.log' '!logs/imp*' 'a?c' '[^a-v]/y/q' './top.tmp/' '/.hidden' '' '  ' 'no/../link' >.dockerignore";
    run(Command::new("sh").args(["-c", script]).current_dir(corner.dir.path())).exits(0);
    let args = r#"{"name": "$N-ours", "source": "build", "build": {"path": "$D/c"}}"#;
    is(&corner.run("docker_image", args, false), &Status::Changed, "build");
    let client = corner.text("DOCKER_BUILDKIT=0 docker build --quiet --no-cache --tag $N-theirs $D/c");
    run(Command::new("sh").args(["-c", &client])).exits(0);
    let files = |name: &str| {
        let script = corner.text(
            "c=$(docker create $N-NAME none) && docker export $c | tar -tv --full-time --utc -f - | grep -Ev ' (dev|proc|sys|etc|.dockerenv)(/|$)' | sort -k6; docker rm $c >/dev/null",
        );
        run(Command::new("sh").args(["-c", &script.replace("NAME", name)])).exits(0).out
    };
    let (ours, theirs) = (files("ours"), files("theirs"));
    assert!(theirs.contains("a/keep.o") && theirs.contains("2001-02-03") && !theirs.contains("2.o"), "{theirs}");
    assert_eq!(ours, theirs);
}

#[test]
fn images_go_to_a_registry_and_come_back() {
    let Some(corner) = Corner::new("registry") else { return };
    let registry = Registry::start(false);
    let at = &registry.at;
    corner.docker("tag rplay-t-docker:plain $N-i:1").exits(0);
    let name = format!("{at}/$N-i");
    let push = format!(r#"{{"name": "$N-i:1", "source": "local", "repository": "{name}:1", "push": true}}"#);
    is(&corner.run("docker_image", &push, false), &Status::Changed, "push");
    // What is there already is not sent again.
    let again = format!(r#"{{"name": "{name}", "tag": "1"}}"#);
    is(&corner.run("docker_image_push", &again, false), &Status::Ok, "push again");
    let digest = corner.inspect(&format!("{name}:1"), "{{index .RepoDigests 0}}");
    corner.docker(&format!("rmi {name}:1")).exits(0);
    let pull = format!(r#"{{"name": "{name}", "tag": "1", "pull": "not_present"}}"#);
    let ran = contract(&corner, "docker_image_pull", &pull, "pull");
    assert!(!id(&ran).is_empty());
    let always = format!(r#"{{"name": "{name}:1"}}"#);
    is(&corner.run("docker_image_pull", &always, false), &Status::Ok, "pull what is there");
    is(&corner.run("docker_image_pull", &format!(r#"{{"name": "{digest}"}}"#), false), &Status::Ok, "by digest");
    contract(&corner, "docker_image_remove", &always, "remove");
    contract(&corner, "docker_image", &format!(r#"{{"name": "{name}:1", "source": "pull"}}"#), "source: pull");
    // A container pulls what it lacks; with pull: always it follows the registry.
    corner.docker(&format!("rmi --force {name}:1")).exits(0);
    let container =
        |pull: &str| format!(r#"{{"name": "$N-c", "image": "{name}:1", "state": "present", "pull": "{pull}"}}"#);
    let ran = contract(&corner, "docker_container", &container("missing"), "pull: missing");
    assert!(lines(&ran.diff).contains("pulled: no -> yes"), "{}", lines(&ran.diff));
    is(&corner.run("docker_container", &container("always"), false), &Status::Ok, "pull: always");
    for words in ["tag rplay-t-docker:rich {}", "push {}", "tag rplay-t-docker:plain {}"] {
        corner.docker(&words.replace("{}", &format!("{name}:1"))).exits(0);
    }
    is(&corner.run("docker_container", &container("missing"), false), &Status::Ok, "pull: missing");
    // Whether there is something newer a dry run does not know; what it says then is chosen.
    is(&corner.run("docker_container", &container("always"), true), &Status::Ok, "dry, pull: always");
    let always = container("always").replacen('{', r#"{"pull_check_mode_behavior": "always", "#, 1);
    is(&corner.run("docker_container", &always, true), &Status::Changed, "dry, pull_check_mode_behavior");
    let ran = corner.run("docker_container", &container("always"), false);
    is(&ran, &Status::Changed, "pull: always");
    assert!(lines(&ran.diff).contains("image differs"), "{}", lines(&ran.diff));
    let none = corner.run("docker_image_pull", &format!(r#"{{"name": "{at}/$N-none"}}"#), false);
    is(&none, &Status::Failed, "none");
    assert!(none.message().unwrap().contains("Error pulling image"), "{none:?}");
}

#[test]
fn a_registry_is_logged_into() {
    let Some(corner) = Corner::new("login") else { return };
    let registry = Registry::start(true);
    let at = &registry.at;
    let login = |password: &str, more: &str| {
        format!(
            r#"{{"registry_url": "{at}", "username": "tester", "password": "{password}", "config_path": "$D/new/config.json"{more}}}"#
        )
    };
    let wrong = corner.run("docker_login", &login("no", ""), false);
    is(&wrong, &Status::Failed, "wrong password");
    assert!(wrong.message().unwrap().contains("failed with status: 401 Unauthorized"), "{wrong:?}");
    assert!(!corner.dir.path().join("new").exists(), "nothing was written");
    contract(&corner, "docker_login", &login("secret-1", ""), "login");
    let text = std::fs::read_to_string(corner.dir.path().join("new/config.json")).unwrap();
    assert!(text.contains(r#""auth": "dGVzdGVyOnNlY3JldC0x""#), "{text}");
    is(&corner.run("docker_login", &login("secret-1", r#", "reauthorize": true"#), false), &Status::Ok, "reauthorize");
    // The credentials are used: DOCKER_CONFIG says where they are.
    let session = rplay::sys::Session::new(Box::new(rplay::sys::NoBlobs));
    session.set_environment(vec![("DOCKER_CONFIG".to_owned(), corner.text("$D/new"))]);
    let name = format!("{at}/$N-i:1");
    corner.docker(&format!("tag rplay-t-docker:plain {name}")).exits(0);
    let push = format!(r#"{{"name": "{name}"}}"#);
    is(&corner.run("docker_image_push", &push, false), &Status::Failed, "without credentials");
    is(&corner.run_in(&session, "docker_image_push", &push, false), &Status::Changed, "with them");
    contract(&corner, "docker_login", &login("", r#", "state": "absent""#), "logout");
}
