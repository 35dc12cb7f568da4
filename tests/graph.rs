//! `rplay graph`: each format of one playbook as it was accepted, read back by a reader of
//! its language; what one host sees; what is refused.
//!
//! After a change that is meant, `ACCEPT=1 cargo nextest run --test graph` writes the
//! accepted files anew; look at the difference.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "all of it is test code")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Ran, run, write};
use serde_json::Value;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/graph")
}

/// `rplay graph` in a directory.
fn graph(dir: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rplay"));
    run(command.arg("graph").args(args).current_dir(dir).env_remove("ANSIBLE_CONFIG"))
}

/// The playbook of `tests/graph` in a format.
fn site(format: &str) -> String {
    let ran = graph(&project(), &["-i", "inventory", "site.yml", "--format", format]).exits(0);
    assert_eq!(ran.err, "");
    ran.out
}

fn titles(text: &str) -> Vec<String> {
    let json: Value = serde_json::from_str(text).unwrap();
    json["nodes"].as_array().unwrap().iter().map(|n| n["title"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_format_is_as_it_was_accepted() {
    let mut different = Vec::new();
    for (format, file) in [("dot", "site.dot"), ("mermaid", "site.mmd"), ("svg", "site.svg"), ("json", "site.json")] {
        let path = project().join("expected").join(file);
        let text = site(format);
        if std::env::var_os("ACCEPT").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != text {
            different.push(format!("{}:\n{text}", path.display()));
        }
    }
    assert!(different.is_empty(), "not as accepted:\n{}", different.join("\n"));
    assert_eq!(graph(&project(), &["-i", "inventory", "site.yml"]).out, site("dot"), "the default is dot");
}

#[test]
fn json_holds_every_kind_of_edge_and_its_ends_are_there() {
    let json: Value = serde_json::from_str(&site("json")).unwrap();
    assert_eq!(json["version"], 1);
    let ids = |list: &str| -> BTreeSet<String> {
        json[list].as_array().unwrap().iter().map(|n| n["id"].as_str().unwrap().to_owned()).collect()
    };
    let (nodes, clusters) = (ids("nodes"), ids("clusters"));
    assert_eq!(nodes.len(), json["nodes"].as_array().unwrap().len(), "ids are unique");
    for node in json["nodes"].as_array().unwrap() {
        assert!(clusters.contains(node["cluster"].as_str().unwrap()), "{node}");
    }
    let mut kinds = BTreeMap::new();
    for edge in json["edges"].as_array().unwrap() {
        assert!(nodes.contains(edge["from"].as_str().unwrap()) && nodes.contains(edge["to"].as_str().unwrap()));
        *kinds.entry(edge["kind"].as_str().unwrap()).or_insert(0) += 1;
    }
    assert_eq!(kinds.keys().copied().collect::<Vec<_>>(), ["barrier", "data", "notify", "order", "role_dependency"]);
}

/// The words and marks of a DOT document.
fn dot_tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '"' => {
                let mut word = String::from("\"");
                loop {
                    match chars.next().unwrap() {
                        '\\' => word.extend(['\\', chars.next().unwrap()]),
                        '"' => break,
                        c => word.push(c),
                    }
                }
                tokens.push(word);
            }
            '-' => {
                assert_eq!(chars.next(), Some('>'), "an edge of a digraph");
                tokens.push("->".to_owned());
            }
            '{' | '}' | '[' | ']' | '=' | ',' | ';' => tokens.push(c.to_string()),
            c if c.is_ascii_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || "_.".contains(*c)) {
                    word.push(c);
                }
                tokens.push(word);
            }
            c => panic!("{c:?} outside a string"),
        }
    }
    tokens
}

/// Reads statements of DOT up to the closing brace.
#[derive(Default)]
struct Dot {
    tokens: Vec<String>,
    at: usize,
    nodes: BTreeSet<String>,
    edges: Vec<(String, String, BTreeMap<String, String>)>,
}

impl Dot {
    fn token(&mut self) -> String {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned().unwrap_or_else(|| panic!("the document ends too early"))
    }

    fn is(&mut self, token: &str) -> bool {
        let is = self.tokens.get(self.at).is_some_and(|t| t == token);
        self.at += usize::from(is);
        is
    }

    fn word(&mut self) -> String {
        let word = self.token();
        assert!(word.starts_with(|c: char| c.is_ascii_alphanumeric() || "_\"".contains(c)), "{word} is no word");
        word
    }

    fn attributes(&mut self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        if self.is("[") {
            while !self.is("]") {
                let name = self.word();
                assert!(self.is("="), "{name} has no value");
                assert!(all.insert(name, self.word()).is_none(), "an attribute twice");
                self.is(",");
            }
        }
        all
    }

    fn statements(&mut self) {
        while !self.is("}") {
            if self.is("subgraph") {
                self.word();
                assert!(self.is("{"));
                self.statements();
                continue;
            }
            if self.is("{") {
                self.statements();
                continue;
            }
            let word = self.word();
            if self.is("=") {
                self.word();
            } else if self.is("->") {
                let to = self.word();
                let attributes = self.attributes();
                self.edges.push((word, to, attributes));
            } else {
                self.attributes();
                if !["graph", "node", "edge"].contains(&&*word) {
                    self.nodes.insert(word);
                }
            }
            assert!(self.is(";"), "a statement ends");
        }
    }
}

#[test]
fn dot_is_dot_and_each_edge_leads_somewhere() {
    let text = site("dot");
    let mut dot = Dot { tokens: dot_tokens(&text), ..Dot::default() };
    assert!(dot.is("digraph") && dot.word() == "rplay" && dot.is("{"));
    dot.statements();
    assert_eq!(dot.at, dot.tokens.len(), "something follows");
    assert!(dot.nodes.contains("p1t1") && dot.nodes.contains("p2t2"));
    for (from, to, _) in &dot.edges {
        // Graphviz would make a node of a name that it does not know.
        assert!(dot.nodes.contains(from) && dot.nodes.contains(to), "{from} -> {to}");
    }
    let data = dot.edges.iter().find(|(from, to, _)| (from.as_str(), to.as_str()) == ("p1t2", "p1t5")).unwrap();
    assert_eq!(data.2["label"], "\"release");
    let why = dot.edges.iter().find(|(from, ..)| from == "p1t2_why").unwrap();
    assert_eq!(why.1, "p1t2", "a note says why it is a barrier");
}

#[test]
fn mermaid_is_balanced_and_each_edge_leads_somewhere() {
    let text = site("mermaid");
    let mut lines = text.lines().map(str::trim);
    assert_eq!(lines.next(), Some("flowchart TB"));
    let (mut depth, mut edges) = (0, 0);
    let mut nodes = BTreeSet::new();
    let mut ends = BTreeSet::new();
    let id = |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    for line in lines {
        assert_eq!(line.matches('"').count() % 2, 0, "{line}");
        let arrow = [" --> ", " -.->", " -.-o", " --o", " ==> "].iter().find_map(|a| line.split_once(a));
        if let Some((from, to)) = arrow {
            edges += 1;
            let to = to.strip_prefix('|').map_or(to, |rest| rest.split_once("| ").unwrap().1).trim();
            ends.extend([id(from), id(to)]);
            nodes.extend([from, to].iter().filter(|end| end.contains('[')).map(|end| id(end)));
        } else if line.starts_with("subgraph ") {
            depth += 1;
        } else if line == "end" {
            depth -= 1;
        } else if let Some(numbers) = line.strip_prefix("linkStyle ") {
            let numbers = numbers.split(' ').next().unwrap();
            assert!(numbers.split(',').all(|n| n.parse::<usize>().unwrap() < edges), "{line}");
        } else if !line.starts_with("classDef ") && !line.starts_with("direction ") {
            nodes.insert(id(line));
        }
    }
    assert_eq!(depth, 0);
    assert!(ends.is_subset(&nodes), "{:?}", ends.difference(&nodes));
}

/// Text or an attribute's value: every `&` begins a reference.
fn check_text(text: &str) {
    for rest in text.split('&').skip(1) {
        let name = rest.split_once(';').unwrap_or_else(|| panic!("a bare & in {text}")).0;
        assert!(["amp", "lt", "gt", "quot", "#39"].contains(&name), "&{name};");
    }
    assert!(!text.contains(['<', '>']) && !text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
}

/// Reads a well-formed XML document; returns its elements' names and their attributes.
fn xml(text: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let text = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
    let (mut open, mut found) = (Vec::new(), Vec::new());
    let mut pieces = text.split('<');
    assert_eq!(pieces.next(), Some(""));
    for piece in pieces {
        assert!(found.is_empty() || !open.is_empty(), "something follows the root: {piece}");
        let (tag, rest) = piece.split_once('>').unwrap_or_else(|| panic!("a tag does not end: {piece}"));
        check_text(rest);
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        let (name, mut rest) = tag.trim_end_matches('/').split_once(' ').unwrap_or((tag.trim_end_matches('/'), ""));
        let mut attributes = BTreeMap::new();
        while let Some((key, value)) = rest.trim_start().split_once("=\"") {
            let (value, after) = value.split_once('"').unwrap();
            assert!(key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{key:?} in {tag}");
            check_text(value);
            assert!(attributes.insert(key.to_owned(), value.to_owned()).is_none(), "{key} twice in {tag}");
            assert!(after.is_empty() || after.starts_with(' '), "{tag}");
            rest = after;
        }
        assert_eq!(rest.trim(), "", "{tag}");
        found.push((name.to_owned(), attributes));
        if !tag.ends_with('/') {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "{open:?} is not closed");
    found
}

#[test]
fn svg_is_well_formed_and_shows_every_node_and_kind_of_edge() {
    let elements = xml(&site("svg"));
    assert_eq!((elements[0].0.as_str(), elements[0].1["xmlns"].as_str()), ("svg", "http://www.w3.org/2000/svg"));
    let ids: Vec<&String> = elements.iter().filter_map(|(_, a)| a.get("id")).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "ids are unique");
    let of_class = |class: &str| elements.iter().filter(|(_, a)| a.get("class").is_some_and(|c| c == class)).count();
    assert_eq!(of_class("node"), titles(&site("json")).len());
    for kind in ["order", "data", "notify", "role-dependency", "barrier"] {
        assert!(of_class(kind) > 0, "no {kind}");
    }
}

#[test]
fn one_host_sees_its_plays_without_what_is_surely_skipped() {
    let of = |host: &str| {
        let args = ["-i", "inventory", "site.yml", "--format", "json", "--host", host];
        titles(&graph(&project(), &args).exits(0).out)
    };
    let (front, back) = (of("w1"), of("w2"));
    assert!(front.contains(&"ping".to_owned()) && !back.contains(&"ping".to_owned()));
    assert_eq!(front.len(), back.len() + 1);
    assert_eq!(of("d1"), ["Peers", "ping"]);
    let none = graph(&project(), &["-i", "inventory", "site.yml", "--host", "localhost"]).exits(0);
    none.says("[WARNING]: no play selects the host `localhost`");
    let probe = graph(&project(), &["-i", "inventory", "site.yml", "--tags", "probe", "--format", "json"]).exits(0);
    assert_eq!(
        titles(&probe.out),
        ["Gathering Facts", "reload", "restart", "ping"].map(|t| match t {
            "reload" => "web : reload",
            other => other,
        })
    );
}

#[test]
fn only_conditions_that_nothing_in_the_run_can_change_count() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "hosts", "h off=False early=False indirect=\"{{ result | default(false) }}\" ansible_user=me\n");
    let tasks = [
        ("dropped", "off == true"),
        ("dropped", "off and result.rc == 0"),
        ("dropped", "\"'web' in group_names\""),
        ("dropped", "nowhere is defined"),
        ("dropped", "ansible_user == 'root'"),
        ("kept", "not off"),
        ("kept", "early"),
        ("kept", "indirect"),
        ("kept", "result.rc == 1"),
        ("kept", "ansible_facts.kernel == 'x'"),
        ("kept", "ansible_os_family is defined"),
        ("kept", "ansible_check_mode"),
        ("kept", "hostvars['h'].x is defined"),
        ("kept", "nowhere == 1"),
    ];
    let mut text = "- hosts: h\n  gather_facts: false\n  tasks:\n    - {command: x, register: result}\n".to_owned();
    tasks.iter().for_each(|(title, when)| {
        text += &format!("    - name: {title}\n      ping:\n      when: {when}\n");
    });
    text += "    - {set_fact: {early: true}}\n";
    write(dir.path(), "p.yml", &text);
    let all = graph(dir.path(), &["-i", "hosts", "p.yml", "--format", "json", "--host", "h"]).exits(0);
    let titles = titles(&all.out);
    assert!(!titles.contains(&"dropped".to_owned()), "{titles:?}");
    assert_eq!(titles.iter().filter(|t| *t == "kept").count(), 9);
}

#[test]
fn mistakes_are_refused_as_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "hosts", "[web]\nweb1\n");
    write(dir.path(), "p.yml", "- hosts: web\n  tasks: [{ping: }]\n");
    write(dir.path(), "bad.yml", "- hosts: web\n  tasks:\n    - pingg:\n");
    write(dir.path(), "worse.yml", "- hosts: web\n  tasks:\n    - debug: {msg: \"{{ x | uper }}\"}\n");
    let refused = |args: &[&str], code: i32, words: &str| {
        let ran = graph(dir.path(), &[&["-i", "hosts"], args].concat()).exits(code);
        assert_eq!(ran.out, "");
        ran.says(words);
    };
    refused(&["p.yml", "--host", "web2"], 1, "did you mean `web1`?");
    refused(&["p.yml", "--format", "pdf"], 2, "[possible values: dot, mermaid, svg, json]");
    refused(&["p.yml", "--check"], 2, "unexpected argument '--check'");
    refused(&[], 2, "<PLAYBOOK>...");
    refused(&["none.yml"], 1, "the playbook: none.yml could not be found");
    refused(&["bad.yml"], 4, "did you mean `ping`?");
    refused(&["worse.yml"], 4, "worse.yml:3:");
    graph(dir.path(), &["--help"]).exits(0).says("- mermaid: Mermaid's, for Markdown");
}

#[test]
fn no_password_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "ansible.cfg", "[defaults]\nask_pass = true\n[privilege_escalation]\nbecome_ask_pass = true\n");
    write(dir.path(), "p.yml", "- hosts: localhost\n  tasks: [{ping: }]\n");
    let ran = graph(dir.path(), &["p.yml"]).exits(0);
    assert!(ran.out.starts_with("digraph") && !ran.err.contains("assword"), "{}", ran.err);
}
