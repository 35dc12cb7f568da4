//! The corpus of `tests/templates/`: what ansible-core gave is what rplay gives.

use std::sync::Arc;

use super::checks::{Vars, trusted};
use super::{Engine, Outside, Templar, TemplateOptions, json};
use crate::model::{Origin, Source, Text, Value};

/// A world that answers as the one did in which the corpus was recorded.
struct World;

impl Outside for World {
    fn read_file(&self, path: &str) -> Result<(Vec<u8>, bool), String> {
        std::fs::read(path).map(|bytes| (bytes, false)).map_err(|e| format!("{path}: {e}"))
    }
    fn kind(&self, path: &str) -> Option<&'static str> {
        match path {
            "/" | "/etc" => Some("directory"),
            "/etc/hostname" | "/etc/passwd" => Some("file"),
            _ => None,
        }
    }
    fn is_mount(&self, path: &str) -> bool {
        path == "/"
    }
    fn find(&self, _kind: &str, name: &str, _roots: &[String]) -> Option<String> {
        self.kind(name).map(|_| name.to_owned())
    }
    fn glob(&self, _pattern: &str) -> Vec<String> {
        Vec::new()
    }
    fn realpath(&self, path: &str) -> String {
        path.to_owned()
    }
    fn env(&self, _name: &str) -> Option<String> {
        None
    }
    fn run(&self, _command: &str) -> Result<(i32, String), String> {
        Err("no commands here".into())
    }
    fn setting(&self, name: &str) -> Option<(Value, String)> {
        let value = match name {
            "DEFAULT_FORKS" => Value::Int(5),
            "RETRY_FILES_ENABLED" => Value::Bool(false),
            "DEFAULT_ROLES_PATH" => Value::list(["/etc/ansible/roles"]),
            _ => return None,
        };
        Some((value, "default".to_owned()))
    }
    fn parse_yaml(&self, text: &str) -> Result<Value, String> {
        crate::yaml::from_str_value(text, "from_yaml", false).map_err(|f| format!("{} findings", f.len()))
    }
    fn parse_yaml_all(&self, text: &str) -> Result<Vec<Value>, String> {
        let source = crate::model::Source::new("from_yaml_all", text);
        let loaded = crate::yaml::load(&source).map_err(|f| format!("{} findings", f.len()))?;
        Ok(loaded.documents.iter().map(|d| d.to_data().expect("data")).collect())
    }
    fn now(&self) -> (i64, u32) {
        (1_700_000_000, 0)
    }
}

/// Cases where rplay differs on purpose or does not go as far yet, with why.
const DIFFERENT: &[(&str, &str)] = &[
    ("{{ xs | map('multiply') | list if false else 'skipped' }}", "what there is not is refused before anything runs"),
    ("{{ ('b' if e) | to_json }}", "what is left is empty text, as it is for other filters"),
    ("{{ weird.items }}", "the entry is meant, where there is one"),
    ("{{ weird.keys }}", "the entry is meant, where there is one"),
    ("{{ [1,2,3] | community.general.json_diff([3,2,1]) }}", "what moves is taken away and added"),
    ("{{ {'a': {'b': 1}} | community.general.json_diff({'c': {'b': 1}}) }}", "what moves is taken away and added"),
    ("{{ users | groupby('shell', default='none') | list }}", "the default is used, as Jinja2 does"),
    ("{{ range(3) }}", "Ansible refuses a bare range; a list is what was meant"),
    ("{{ c1 }}", "the cycle is named"),
    ("{{ (('2016-08-14 20:00:12' | to_datetime) - ('2015-12-25' | to_datetime('%Y-%m-%d'))) }}", "its text"),
    ("{{ '2023-11-14 22:13:20' | to_datetime }}", "a date is its text"),
    ("{{ 'a: [1, yes, ~, 0x1f, 2020-01-01]' | from_yaml }}", "a date is its text"),
    ("{{ recs | groupby('zz', default='q') | list }}", "the default is used, as Jinja2 does"),
    ("{{ 'x' | attr('upper') is defined }}", "methods are called, not passed on"),
    ("{{ {'timedout': true} is timedout }}", "a truth value is taken as well"),
    ("{{ 'é'.encode('utf-8') | length }}", "there are no bytes"),
    ("{{ xs.count(1) }}", "Ansible counts none in a list that was not read before"),
    ("{{ range(10000000) | length }}", "a range has a limit"),
    ("{{ self }}", "its text"),
    (
        "{{ vars is defined }} {{ omit is defined }} {{ lookup is defined }} {{ range is callable }} {{ s is callable }} {{ namespace is defined }} {{ undef is defined }} {{ now is defined }}",
        "only without a play is it missing in Ansible",
    ),
    ("{{ vars[name] }}", "only without a play is it missing in Ansible"),
    ("{{ vars.xs[0] }}", "only without a play is it missing in Ansible"),
    ("{{ ip | ansible.utils.ipaddr('ip_wildcard') }}", "it is in the documentation, and an error in Ansible"),
    ("{{ ip | ansible.utils.ipaddr('v4') }}", "it is in the documentation, and an error in Ansible"),
    ("{{ ip | ansible.utils.ipaddr('v6') }}", "it is in the documentation, and an error in Ansible"),
    ("{{ query('subelements', [{'a': 1}], 'l', skip_missing=true) }}", "the option in the documentation works"),
    ("{{ 'host.example.com' is community.general.fqdn_valid }}", "no Python package is needed"),
    ("{{ 99999999999999999999999999999999999999999999 }}", "whole numbers are written with 128 bits"),
    ("{{ 1e400 }}", "it is infinite, as in Python"),
    ("{{ -1e400 }}", "it is infinite, as in Python"),
    ("{{ 'ǅ'.title() }}", "upper case is what there is"),
    ("{{ {1.0: 'a', 1: 'b'} }}", "a key is what was written"),
    ("{{ f.as_integer_ratio() }}", "numbers have no such methods"),
    ("{{ (0.5).hex() }}", "numbers have no such methods"),
    ("{{ nope is string is undefined }}", "tests may follow each other"),
    ("{{ n.real }}", "numbers have no such attributes"),
    ("{{ query('flattened', [1, [2, [3]]]) }}", "it is in a collection that this ansible-core does not have"),
];

fn differences(recorded: &str) -> Vec<String> {
    let mut failures = Vec::new();
    for group in json::read(recorded).expect("JSON").as_list().expect("groups") {
        let vars = trusted(group.get("vars").expect("vars")).as_map().cloned().unwrap_or_default();
        let engine = Arc::new(Engine::new(Arc::new(World)));
        let templar = Templar::new(engine, Arc::new(Vars(vars)));
        for case in group.get("cases").and_then(Value::as_list).expect("cases") {
            let text = case.get("template").and_then(Value::as_str).expect("template");
            // Statements that a bare ansible-core does not enable.
            let disabled = ["{% do", "{% break", "{% continue"].iter().any(|s| text.contains(s));
            if disabled || DIFFERENT.iter().any(|(t, _)| *t == text) {
                continue;
            }
            let got = templar.render(&Value::Str(Text::template(text, None)));
            let got = got.and_then(|v| json::write(&v, &json::Style::plain()));
            let want = case.get("is").and_then(Value::as_str);
            let error = case.get("error").and_then(Value::as_str).unwrap_or_default();
            match (got, want) {
                (Ok(got), Some(want)) if got == want => {}
                (Ok(got), want) => failures.push(format!("{text}\n   got {got}\n  want {}", want.unwrap_or(error))),
                (Err(_), None) => {}
                (Err(e), Some(want)) => failures.push(format!("{text}\n   got {e}\n  want {want}")),
            }
        }
    }
    failures
}

#[test]
fn whole_files_are_what_ansible_core_renders() {
    let recorded = json::read(&recorded("files")).expect("JSON");
    let vars = trusted(recorded.get("vars").expect("vars")).as_map().cloned().unwrap_or_default();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/templates/files");
    let mut failures = Vec::new();
    for case in recorded.get("cases").and_then(Value::as_list).expect("cases") {
        let name = case.get("file").and_then(Value::as_str).expect("file");
        let path = format!("{folder}/{name}");
        let content = std::fs::read_to_string(&path).expect("file");
        let source = Source::new(path, content.clone());
        let text = Text::template(content, Some(Origin::new(&source, 1, 1)));
        let templar = Templar::new(Arc::new(Engine::new(Arc::new(World))), Arc::new(Vars(vars.clone())));
        let options = TemplateOptions { search: vec![folder.to_owned()], ..TemplateOptions::default() };
        let got = match templar.text(&text, options) {
            Ok(got) => json::write(&Value::from(got.as_str()), &json::Style::plain()).expect("JSON"),
            Err(e) => format!("error: {e}"),
        };
        let want = case.get("is").and_then(Value::as_str).expect("a result");
        if got != want {
            failures.push(format!("{name}\n   got {got}\n  want {want}"));
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

fn recorded(name: &str) -> String {
    let path = format!("{}/tests/templates/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn check(name: &str) {
    let failures = differences(&recorded(name));
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn templates_give_what_ansible_core_gives() {
    check("cases");
}

#[test]
fn every_builtin_gives_what_ansible_core_gives() {
    check("builtin");
}

#[test]
fn corners_give_what_ansible_core_gives() {
    check("more");
}

#[test]
fn collections_give_what_they_give_in_ansible() {
    check("collections");
}

#[test]
fn what_real_playbooks_write_gives_what_ansible_core_gives() {
    check("field");
}
