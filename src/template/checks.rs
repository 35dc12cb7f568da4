//! Tests of the layer as a whole: against what ansible-core gave, and what is rplay's own.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Engine, NoOutside, Templar, Truth, json};
use crate::model::{Map, Marks, Origin, Source, Text, Value};
use crate::vars::{HostVars, Variables};

/// Variables from a map; all hosts of a test share what is in it.
pub(super) struct Vars(pub Map);

impl Variables for Vars {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }
    fn names(&self) -> Vec<String> {
        self.0.keys().map(ToString::to_string).collect()
    }
}

/// Every string as the user's own: templated.
pub(super) fn trusted(value: &Value) -> Value {
    value.map_text(&|t| t.clone().marked(Marks::TEMPLATE))
}

pub(super) fn templar(vars: &str) -> Templar {
    let vars = trusted(&json::read(vars).expect("JSON"));
    let vars = vars.as_map().cloned().unwrap_or_default();
    Templar::new(Arc::new(Engine::new(Arc::new(NoOutside))), Arc::new(Vars(vars)))
}

fn template(text: &str) -> Value {
    Value::Str(Text::template(text, None))
}

/// Cases where rplay differs on purpose or does not go as far yet, with why.
const DIFFERENT: &[(&str, &str)] = &[
    ("{{ range(3) }}", "Ansible refuses a bare range; a list is what was meant"),
    ("{{ c1 }}", "the cycle is named"),
    ("{{ lookup('nope','x') }}", "said without Python's words"),
];

#[test]
fn templates_give_what_ansible_core_gives() {
    let recorded = json::read(include_str!("../../tests/templates/recorded.json")).expect("JSON");
    let mut failures = Vec::new();
    for group in recorded.as_list().expect("groups") {
        let vars = json::write(group.get("vars").expect("vars"), &json::Style::plain()).expect("JSON");
        for case in group.get("cases").and_then(Value::as_list).expect("cases") {
            let text = case.get("template").and_then(Value::as_str).expect("template");
            if DIFFERENT.iter().any(|(t, _)| *t == text) {
                continue;
            }
            let got = templar(&vars).render(&template(text));
            let got = got.map(|v| json::write(&v, &json::Style::plain()).expect("JSON"));
            let want = case.get("is").and_then(Value::as_str);
            let error = case.get("error").and_then(Value::as_str);
            match (got, want, error) {
                (Ok(got), Some(want), _) if got == want => {}
                (Ok(got), want, error) => {
                    failures.push(format!("{text}\n   got {got}\n  want {}", want.or(error).unwrap_or_default()))
                }
                (Err(_), None, Some(_)) => {}
                (Err(e), want, _) => failures.push(format!("{text}\n   got {e}\n  want {}", want.unwrap_or_default())),
            }
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}
