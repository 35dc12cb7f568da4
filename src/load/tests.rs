//! Tests of finding and reading files.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::diag::{Diagnostic, ExitCode};
use crate::model::{Position, Value};
use crate::vars::{FileVars, HostLayers, Scope, Side, Variables};

struct Project {
    dir: tempfile::TempDir,
    env: Environment,
    files: Files,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let vars = HashMap::from([("HOME".to_owned(), dir.path().join("home").display().to_string())]);
        let env = Environment { vars, cwd: dir.path().to_owned() };
        Self { dir, env, files: Files::new() }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.env.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    fn config(&self) -> Config {
        Config::load(&self.files, &self.env).unwrap()
    }

    fn config_error(&self) -> Diagnostic {
        Config::load(&self.files, &self.env).unwrap_err().remove(0)
    }

    fn inventory(&self, given: &[&str]) -> crate::diag::Checked<LoadedInventory> {
        let given: Vec<String> = given.iter().map(|s| (*s).to_owned()).collect();
        load_inventory(&self.files, &self.env, &self.config(), &given, &no_extra())
    }
}

fn at(diagnostic: &Diagnostic) -> Position {
    diagnostic.origin.as_ref().unwrap().at
}

#[test]
fn settings_come_from_the_file_and_the_environment_wins() {
    let project = Project::new(&[(
        "ansible.cfg",
        "[defaults]\nforks = 7 ; c\nremote_user = bob # c\nroles_path = r1:~/r2\ninventory=hosts,more\ntimeout = 20\nnocows=1\nbogus = 1\n[ssh_connection]\nssh_args: -o A=b\n  -o C=d\npipelining = True\n[galaxy]\nx=1\n",
    )])
    .set("ANSIBLE_TIMEOUT", "30")
    .set("ANSIBLE_HOST_KEY_CHECKING", "False");
    let config = project.config();
    assert_eq!(config.forks.value, Some(7));
    assert_eq!(config.forks.origin().unwrap().at, Position { line: 2, column: 1 });
    assert_eq!(config.remote_user.value.as_deref(), Some("bob # c"));
    assert_eq!(config.roles_path.value, [project.path("r1"), project.path("home/r2")]);
    assert_eq!(config.inventory.value, ["hosts", "more"].map(|n| project.path(n).display().to_string()));
    assert_eq!((config.timeout.value, &config.timeout.by), (30, &SetBy::Environment("ANSIBLE_TIMEOUT")));
    assert!(!config.host_key_checking.value);
    assert_eq!(config.ssh_args.value, "-o A=b\n-o C=d");
    assert_eq!(config.control_path_dir.value, project.path("home/.ansible/cp"));
    let unknown: Vec<_> = config.unknown().iter().map(|u| (u.section.as_str(), u.key.as_str())).collect();
    assert_eq!(unknown, [("defaults", "bogus")]);
    assert!(config.become_user.is_default() && config.become_user.value == "root");
}

#[test]
fn the_file_is_found_where_ansible_looks() {
    let project = Project::new(&[("home/.ansible.cfg", "[defaults]\nforks=1\n")]);
    assert_eq!(project.config().forks.value, Some(1));
    std::fs::write(project.path("ansible.cfg"), "[defaults]\nforks=2\n").unwrap();
    assert_eq!(project.config().forks.value, Some(2));
    std::fs::set_permissions(project.dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let config = project.config();
    assert_eq!(config.forks.value, Some(1));
    assert!(config.warnings()[0].message.contains("anyone can write"));
    std::fs::write(project.path("other.cfg"), "[defaults]\nforks=3\n").unwrap();
    assert_eq!(project.set("ANSIBLE_CONFIG", "other.cfg").config().forks.value, Some(3));
}

#[test]
fn bad_settings_are_explained() {
    for (text, message, line) in [
        ("[defaults]\nforks = a\n", "`forks` is `a`: expected a whole number", 2),
        ("[defaults]\nhost_key_checking = maybe\n", "truth value", 2),
        ("[defaults]\ngathering = never\n", "implicit, explicit or smart", 2),
        ("[defaults]\nforks=1\nforks=2\n", "set twice", 3),
        ("[defaults]\nforce_handlers\n", "expected `key = value`", 2),
        ("forks=1\n", "before the first section", 1),
        ("[defaults\n", "closing", 1),
        ("[defaults]\njinja2_extensions = jinja2.ext.do\n", "cannot be loaded", 2),
    ] {
        let found = Project::new(&[("ansible.cfg", text)]).config_error();
        assert!(found.message.contains(message), "{found:?}");
        assert_eq!((at(&found).line, found.exit), (line, ExitCode::Options));
    }
    let found = Project::new(&[]).set("ANSIBLE_FORKS", "x").config_error();
    assert!(found.message.contains("ANSIBLE_FORKS"));
    let noted = Project::new(&[("ansible.cfg", "[defaults]\nstdout_callback = yaml\n")]).config();
    assert!(noted.warnings()[0].message.contains("`yaml`"));
}

fn no_extra() -> std::sync::Arc<crate::vars::Layer> {
    crate::vars::Layer::new(crate::vars::Level::Extra, "-e", crate::model::Vars::new())
}

#[test]
fn an_inventory_directory_is_read_as_ansible_does() {
    let project = Project::new(&[
        ("inv/hosts", "[web]\nh1\n[db]\nh2\n"),
        ("inv/foo.ini", "[g]\nz\n"),
        ("inv/foo.txt", "[g]\ny\n"),
        ("inv/hosts.bak", "x=1\n"),
        ("inv/.hidden", "[g]\nw\n"),
        ("inv/sub/more", "web:\n  hosts:\n    h3:\n"),
        ("inv/group_vars/web/b.yml", "a: 1\n"),
        ("inv/group_vars/web/z", "a2: 2\n"),
        ("inv/group_vars/web/x.txt", "a3: 3\n"),
        ("inv/group_vars/web/sub/q.yml", "a4: 4\n"),
        ("inv/group_vars/web.yml", "a5: 5\n"),
        ("inv/group_vars/db.json", "{\"d\": 1}"),
        ("inv/group_vars/db.yml", "d: 2\n"),
        ("inv/host_vars/h1.json", "{\"h\": 1e3, \"u\": \"\\ud83d\\ude00\"}"),
        ("inv/host_vars/h2.yml", "\n"),
        ("group_vars/web.yml", "a: playbook\n"),
    ]);
    let loaded = project.inventory(&["inv"]).unwrap();
    assert_eq!(loaded.inventory.select("all", None).unwrap().hosts, ["z", "h1", "h3", "h2"]);
    let mut vars = FileVars::new();
    load_group_vars(&project.files, &loaded.inventory, Side::Inventory, &loaded.dirs, &mut vars).unwrap();
    load_group_vars(
        &project.files,
        &loaded.inventory,
        Side::Playbook,
        std::slice::from_ref(&project.env.cwd),
        &mut vars,
    )
    .unwrap();
    let hosts = HostLayers::new(std::sync::Arc::new(loaded.inventory), std::sync::Arc::new(vars));
    let scope = |host| Scope::builder().layers(hosts.layers(host)).build();
    assert_eq!(scope("h1").names(), ["a", "a4", "a2", "h", "u"]);
    assert_eq!(scope("h1").get("a").unwrap().as_str(), Some("playbook"));
    assert_eq!(scope("h1").get("h"), Some(Value::Float(1000.0)));
    assert_eq!(scope("h1").get("u").unwrap().as_str(), Some("😀"));
    assert_eq!(scope("h2").get("d"), Some(Value::Int(2)));
    assert!(scope("h1").origin("a2").unwrap().to_string().ends_with("inv/group_vars/web/z:1:1"));
}

#[test]
fn inventory_sources_that_cannot_be_used_are_explained() {
    let project = Project::new(&[
        ("hosts.toml", "[a]\nhosts = 5\n[b\n"),
        ("broken", "all:\n  hosts:\n\ta:\n"),
        ("ini", "[a]\nx y\n"),
        ("plug.yml", "plugin: construct\n"),
        ("limit.txt", "h1\nh2\n"),
    ]);
    for (given, message, hint) in [
        ("hosts.toml", "'toml' plugin: this is no TOML", ""),
        ("broken", "'yaml' plugin: ", ""),
        ("ini", "'ini' plugin: expected `name=value`", "space"),
        ("plug.yml", "unknown plugin 'construct'", "`constructed`"),
        ("nowhere", "no such file", "`-i nowhere,`"),
        ("./nowhere", "no such file", ""),
        ("hosts.tml", "no such file", "hosts.toml"),
    ] {
        let loaded = project.inventory(&[given, "h,"]).unwrap();
        let found = &loaded.warnings[0];
        assert!(found.message.contains(message), "{found:?}");
        assert!(hint.is_empty() || found.hints.iter().any(|h| h.contains(hint)), "{found:?}");
        assert!(loaded.warnings[1].message.contains("Unable to parse"), "{:?}", loaded.warnings);
        assert_eq!(loaded.inventory.hosts().count(), 1);
    }
    let mut strict = project.config();
    strict.inventory_any_unparsed_is_failed.value = true;
    let given = ["ini", "h,"].map(str::to_owned);
    let found = load_inventory(&project.files, &project.env, &strict, &given, &no_extra()).unwrap_err();
    assert_eq!((found[0].exit, found[0].severity), (ExitCode::Error, crate::diag::Severity::Error));
    assert!(found[1].message.contains("Completely failed to parse"), "{found:?}");
    let mut strict = project.config();
    strict.inventory_unparsed_is_failed.value = true;
    assert!(load_inventory(&project.files, &project.env, &strict, &given, &no_extra()).is_ok());
    assert!(load_inventory(&project.files, &project.env, &strict, &given[..1], &no_extra()).is_err());
    assert_eq!(project.inventory(&["a,b"]).unwrap().inventory.hosts().count(), 2);
    for (given, expected) in [("web,@limit.txt", "web,h1,h2"), ("@limit.txt:&db:web[0:1]", "h1,h2,&db,web[0:1]")] {
        assert_eq!(limit(&project.files, &project.env, given).unwrap(), expected);
    }
    assert!(limit(&project.files, &project.env, "@limt.txt").unwrap_err()[0].hints[0].contains("limit.txt"));
}

#[test]
fn a_default_inventory_may_be_missing() {
    let project = Project::new(&[]);
    let mut config = project.config();
    config.inventory.value = vec!["/nonexistent/hosts".to_owned()];
    let loaded = load_inventory(&project.files, &project.env, &config, &[], &no_extra()).unwrap();
    assert!(loaded.warnings[0].message.contains("implicit localhost"));
}

#[test]
fn variables_files_that_cannot_be_used_are_explained() {
    let project = Project::new(&[
        ("list.yml", "- a\n"),
        ("two.yml", "a: 1\n---\nb: 2\n"),
        ("vault.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n"),
        ("age.yml", "-----BEGIN AGE ENCRYPTED FILE-----\n"),
        ("twice.yml", "a: 1\na: 2\n"),
        ("dir/x", ""),
    ]);
    std::fs::write(project.path("latin1.yml"), b"a: 1\nb: \xe4\n").unwrap();
    for (name, message) in [
        ("list.yml", "found a list"),
        ("two.yml", "one YAML document"),
        ("vault.yml", "truncated or altered"),
        ("age.yml", "cannot decrypt"),
        ("latin1.yml", "line 2"),
        ("none.yml", "no such file"),
        ("dir", "directory"),
    ] {
        let found = load_vars(&project.files, &project.path(name)).unwrap_err().remove(0);
        assert!(found.message.contains(message), "{name}: {found:?}");
    }
    let twice = load_vars(&project.files, &project.path("twice.yml")).unwrap();
    assert_eq!((twice.vars.get("a"), twice.warnings.len()), (Some(&Value::Int(2)), 1));
}

#[test]
fn extra_vars_are_read_in_all_their_forms() {
    let project = Project::new(&[("x.yml", "a: 0644\n"), ("plays.yml", "- hosts: all\n")]);
    let read = |text: &str| extra_vars(&project.files, &project.env, text);
    let vars = read("a=1 b=\"two words\" c='{{ d }}' e=x=y f=a\\tb g=\"q'q\" h=\"q\\\"r \\\\1\"").unwrap().vars;
    let shown: Vec<_> = vars.values().values().map(|v| v.as_str().unwrap().to_owned()).collect();
    assert_eq!(shown, ["1", "two words", "{{ d }}", "x=y", "a\tb", "q'q", "q\"r \\1"]);
    assert!(matches!(vars.get("c"), Some(Value::Str(t)) if t.is_template()));
    assert_eq!(read("@x.yml").unwrap().vars.get("a"), Some(&Value::Int(420)));
    assert_eq!(read("{\"a\": 1, b: yes}").unwrap().vars.get("b"), Some(&Value::Bool(true)));
    for (text, message, exit) in [
        ("words only", "no `name=value`", ExitCode::Options),
        ("a='b", "not closed", ExitCode::Parse),
        ("{a", "comma", ExitCode::Parse),
        ("[1]", "found a list", ExitCode::Options),
        ("./x.yml", "no variable", ExitCode::Options),
        ("@none.yml", "no such file", ExitCode::Error),
        ("@plays.yml", "found a list", ExitCode::Options),
    ] {
        let found = read(text).unwrap_err().remove(0);
        assert!(found.message.contains(message) && found.exit == exit, "{text}: {found:?}");
    }
}

#[test]
fn each_file_is_read_once() {
    let project = Project::new(&[("a.yml", "a: 1\n")]);
    let first = project.files.read(&project.path("a.yml"), "the file").unwrap();
    std::fs::remove_file(project.path("a.yml")).unwrap();
    let second = project.files.read(&project.path("a.yml"), "the file").unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &second));
}

#[test]
fn paths_are_expanded() {
    let env =
        Environment { vars: HashMap::from([("HOME".into(), "/h".into()), ("X".into(), "x".into())]), cwd: "/w".into() };
    for (text, expected) in [
        ("~/a", "/h/a"),
        ("$X/b", "/b/x/b"),
        ("${X}y", "/b/xy"),
        ("/c/../d", "/d"),
        ("./e", "/b/e"),
        ("$NO", "/b/$NO"),
        ("~nobody-here/a", "/b/~nobody-here/a"),
        ("~root/a", "/root/a"),
    ] {
        assert_eq!(env.path(text, Path::new("/b")), Path::new(expected), "{text}");
    }
}

#[test]
fn the_machine_knows_mounts_from_directories_and_links() {
    use crate::template::Outside;
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink("/proc", &link).unwrap();
    let machine = super::Machine::new(Files::new().vault());
    let is_mount = |path: &Path| machine.is_mount(&path.display().to_string());
    assert!(is_mount(Path::new("/")) && is_mount(Path::new("/proc")));
    assert!(!is_mount(dir.path()) && !is_mount(&link) && !is_mount(&dir.path().join("absent")));
}
