//! Tests of reading YAML.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::diag::Severity;
use crate::model::{Key, Position};

fn read(text: &str) -> Node {
    let loaded = load(&Source::new("t.yml", text)).unwrap();
    assert_eq!(loaded.documents.len(), 1, "{loaded:?}");
    loaded.documents.into_iter().next().unwrap()
}

fn value(text: &str) -> Value {
    read(text).to_value().unwrap()
}

fn error(text: &str) -> Diagnostic {
    load(&Source::new("t.yml", text)).unwrap_err().remove(0)
}

/// Asserts message part, line, column and hint part of the first error.
fn fails(text: &str, message: &str, line: u32, column: u32, hint: &str) {
    let found = error(text);
    assert!(found.message.contains(message), "{found:?}");
    assert_eq!(found.origin.as_ref().unwrap().at, Position { line, column }, "{found:?}");
    assert!(hint.is_empty() || found.hints.iter().any(|h| h.contains(hint)), "{found:?}");
}

#[test]
fn a_play_keeps_the_place_of_each_node() {
    let play = read("---\n- hosts: web\n  tasks:\n    - copy: {src: a, dest: \"ä\"}\n");
    let task = play.as_seq().unwrap()[0].get("tasks").unwrap().as_seq().unwrap()[0].get("copy").unwrap();
    assert_eq!(task.origin.to_string(), "t.yml:4:13");
    assert_eq!(task.entry("dest").unwrap().0.origin.at, Position { line: 4, column: 22 });
    assert_eq!(task.get("dest").unwrap().as_str(), Some("ä"));
}

#[test]
fn strings_are_templates_with_an_origin_unless_unsafe() {
    let v = value("a: '{{ b }}'\nc: !unsafe '{{ d }}'\ne: !unsafe\n  f: ['{{ g }}']\n");
    let text = |v: &Value| match v {
        Value::Str(t) => t.clone(),
        other => panic!("{other:?}"),
    };
    assert!(text(v.get("a").unwrap()).is_template());
    assert_eq!(text(v.get("a").unwrap()).origin().unwrap().at, Position { line: 1, column: 4 });
    assert!(!text(v.get("c").unwrap()).is_template());
    assert!(!text(&v.get("e").unwrap().get("f").unwrap().as_list().unwrap()[0]).is_template());
}

#[test]
fn merge_keys_and_aliases() {
    let v = value("d: &d {x: 1, y: 2}\ne: &e {x: 9, z: 3}\na:\n  y: 5\n  <<: *d\nb:\n  <<: [*d, *e]\nc: *d\n");
    assert_eq!(v.get("a").unwrap(), &value("{x: 1, y: 5}"));
    assert_eq!(v.get("b").unwrap(), &value("{x: 1, z: 3, y: 2}"));
    assert_eq!(v.get("c").unwrap(), &value("{x: 1, y: 2}"));
}

#[test]
fn a_duplicate_key_is_a_warning_with_both_places_and_the_last_wins() {
    let loaded = load(&Source::new("t.yml", "a: 1\nb: 2\na: 3\n")).unwrap();
    assert_eq!(loaded.documents[0].to_value().unwrap(), value("{a: 3, b: 2}"));
    let warning = &loaded.warnings[0];
    assert_eq!(warning.severity, Severity::Warning);
    assert_eq!(warning.origin.as_ref().unwrap().at.line, 3);
    assert_eq!(warning.related[0].0.at.line, 1);
}

#[test]
fn keys_of_other_types() {
    let v = value("{80: a, true: b, ~: c, 1.5: d}");
    let keys: Vec<_> = v.as_map().unwrap().keys().cloned().collect();
    assert_eq!(keys, [Key::Int(80), Key::Bool(true), Key::Null, Key::Float("1.5".into())]);
}

#[test]
fn malformed_yaml_is_explained() {
    fails("a:\n\tb: 1\n", "tab", 2, 1, "use spaces");
    fails("a: {{ b }}\n", "must be quoted", 1, 4, "quote");
    fails("a: {{ b }}/c\n", "must be quoted", 1, 4, "quote");
    fails("- debug:\n    msg: {{ b }} c\n", "must be quoted", 2, 10, "quote");
    fails("a: b: c\n", "colon in this value", 1, 5, "quote the value");
    fails("- name: x\n    debug: y\n", "cannot start here", 2, 10, "column");
    fails("a: \"b\nc: d\n", "never closed", 1, 4, "close");
    fails("a: \"b\" c\n", "after the closing quote", 1, 8, "quote the whole");
    fails("a: [1, 2\nb: 3\n", "list", 2, 2, "bracket");
    fails("a: @b\n", "cannot start with `@`", 1, 4, "quote");
    fails("a: *.conf\n", "alias", 1, 4, "quote");
    fails("a: *conf\n", "no anchor", 1, 4, "quote");
    fails("a: \"\\d\"\n", "backslash", 1, 5, "single quotes");
    fails("a: - b\n", "list item", 1, 4, "lines of their own");
    fails("a: 1\nb\nc: 2\n", "no `key: value`", 2, 1, "colon");
    fails("? [a]\n: b\n", "must be a string", 1, 3, "");
    fails("a: !foo b\n", "unknown tag `!foo`", 1, 4, "quote");
    fails("a: !!binary /w==\n", "not text in UTF-8", 1, 4, "b64decode");
    fails("a: !!binary '*'\n", "not Base64", 1, 4, "");
    fails("a: !!omap [b]\n", "not a value of its tag `!!omap`", 1, 4, "");
    fails("a: !!set [b]\n", "not a value of its tag `!!set`", 1, 4, "");
    fails("a: !vualt b\n", "unknown tag", 1, 4, "`!vault`");
    fails("ok: 1\na: \u{1b}[0m\n", "U+001B", 2, 4, "escape");
    fails("<<: 1\n", "merges mappings", 1, 5, "");
    fails("a:\n  - b\n c: d\n", "", 3, 2, "column");
}

#[test]
fn less_common_tags_are_lists_and_text() {
    let node = read(
        "b: !!binary |\n  aGVsbG8gd29y\n  bGQ=\ns: !!set {x, y}\no: !!omap [k: 1, l: [2]]\np: !!pairs [k: 1, k: 2]\n",
    );
    let plain = read("b: hello world\ns: [x, y]\no: [[k, 1], [l, [2]]]\np: [[k, 1], [k, 2]]\n");
    assert_eq!(node.to_value().unwrap(), plain.to_value().unwrap());
}

#[test]
fn an_encrypted_value_stays_encrypted_until_it_is_evaluated() {
    let node = read("a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n");
    assert!(matches!(&node.get("a").unwrap().kind, NodeKind::Vault(t) if t.starts_with("$ANSIBLE_VAULT")));
    let value = node.to_value().unwrap();
    let Some(Value::Str(text)) = value.get("a") else { panic!("{value:?}") };
    assert!(text.is_encrypted() && text.is_template());
    assert_eq!(text.origin().unwrap().at, Position { line: 1, column: 4 });
    let found = node.to_data().unwrap_err();
    assert_eq!(found[0].origin.as_ref().unwrap().at, Position { line: 1, column: 4 });
}

#[test]
fn a_billion_laughs_and_a_bottomless_pit_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let aliases = vec![format!("*a{}", i - 1); 10].join(", ");
        text += &format!("a{i}: &a{i} [{aliases}]\n");
    }
    assert!(error(&text).message.contains("aliases"));
    assert!(error(&"[".repeat(100_000)).message.contains("deeper"));
    assert!(error("a: &a [*a]").message.contains("inside its own anchor"));
}

#[test]
fn documents_and_values_from_text() {
    assert_eq!(load(&Source::new("t", "# nothing\n")).unwrap().documents.len(), 0);
    assert_eq!(load(&Source::new("t", "a\n---\nb\n")).unwrap().documents.len(), 2);
    let json = "{\"a\": \"{{ b }}\", \"c\": 1e3}";
    let data = from_str_value(json, "from_yaml", false).unwrap();
    assert_eq!(data.get("c").unwrap().as_str(), Some("1e3"));
    assert!(matches!(data.get("a"), Some(Value::Str(t)) if !t.is_template()));
    let extra = from_str_value(json, "-e", true).unwrap();
    assert_eq!(extra.get("c"), Some(&Value::Float(1000.0)));
    assert!(matches!(extra.get("a"), Some(Value::Str(t)) if t.is_template()));
    assert!(
        matches!(from_str_value("x: '{{ b }}'", "-e", true).unwrap().get("x"), Some(Value::Str(t)) if t.is_template())
    );
    assert_eq!(from_str_value("", "x", false).unwrap(), Value::Null);
    assert!(from_str_value("a\n---\nb", "x", false).is_err());
}

/// `text TAB type TAB repr`, recorded from PyYAML by `tests/yaml/record.py`.
#[test]
fn plain_scalars_are_what_pyyaml_makes_of_them() {
    let recorded = include_str!("../../tests/yaml/scalars.tsv");
    let mut wrong = Vec::new();
    for line in recorded.lines().filter(|l| !l.starts_with('#')) {
        let mut fields = line.split('\t');
        let (text, kind, shown) = (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap());
        let node = read(&format!("- {text}\n"));
        let item = &node.as_seq().unwrap()[0];
        let agrees = match (&item.kind, kind) {
            (NodeKind::Null, "NoneType") => true,
            (NodeKind::Bool(b), "bool") => *b == (shown == "True"),
            (NodeKind::Int(i), "int") => i.to_string() == shown,
            (NodeKind::Float(f), "float") if f.is_nan() => shown == "nan",
            (NodeKind::Float(f), "float") => {
                (*f - shown.parse::<f64>().unwrap()).abs() < 1e-9 || f.to_string() == shown
            }
            (NodeKind::Str(s), "str" | "date" | "datetime") => *s.text == *shown,
            // What PyYAML resolves and cannot build is left as it was written.
            (NodeKind::Str(s), "error") => *s.text == *text,
            _ => false,
        };
        if !agrees {
            wrong.push(format!("{line:?}: {:?}", item.kind));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_explained(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Ok(loaded) = load(&Source::new("t", text)) {
            for document in loaded.documents {
                let _ = document.to_value();
            }
        }
    }

    #[test]
    fn yaml_like_text_is_read_or_explained_with_a_place(text in "([ \\-:&*a<{}\\[\\],'\"|>!#%@?\t\n0-9.]|\\{\\{|<<: |\\n  |\\n- )*") {
        match load(&Source::new("t", text.clone())) {
            Ok(loaded) => loaded.documents.iter().for_each(|d| drop(d.to_value())),
            Err(found) => for d in found {
                let at = d.origin.unwrap().at;
                prop_assert!(at.line >= 1 && at.column >= 1);
            },
        }
    }

    #[test]
    fn any_plain_word_resolves(text in "[-+0-9_.:eExobTtZ ]{0,12}") {
        let _ = resolve_plain(&text);
    }
}

#[test]
fn an_origin_shares_its_source() {
    let source = Source::new("t.yml", "[a, b]");
    let loaded = load(&source).unwrap();
    assert!(Arc::ptr_eq(&loaded.documents[0].origin.source, &source));
}
