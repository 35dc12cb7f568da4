//! What comes out of compiling small plays.

use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::diag::Diagnostic;
use crate::model::Source;
use crate::playbook::{Entry, Findings, Place, Role, RoleRef, parse_playbook, parse_tasks};
use crate::template::{NoOutside, Outside};

fn loaded(text: &str, roles: &[(&str, &str, &str)]) -> LoadedPlay {
    let source = Source::new("site.yml", text);
    let documents = crate::yaml::load(&source).unwrap().documents;
    let (entries, findings) = parse_playbook(&documents, "site.yml");
    let (mut entries, _) = findings.finish(entries).unwrap();
    let Entry::Play(play) = entries.remove(0) else { panic!("no play") };
    let role = |(name, deps, tasks): &(&str, &str, &str)| {
        let mut findings = Findings::default();
        let read = |file: &str, text: &str| crate::yaml::load(&Source::new(file, text)).unwrap().documents.remove(0);
        let role = Role {
            name: (*name).to_owned(),
            path: name.into(),
            tasks: parse_tasks(&read("tasks", tasks), Place::Task, &mut findings),
            handlers: vec![],
            defaults: Arc::default(),
            vars: Arc::default(),
            dependencies: RoleRef::parse_list(&read("meta", deps), &mut findings),
            allow_duplicates: false,
        };
        (role.name.clone(), Arc::new(role))
    };
    LoadedPlay {
        play: *play,
        imports: vec![],
        playbook_dir: ".".into(),
        playbook: 0,
        roles: roles.iter().map(role).collect::<HashMap<_, _>>(),
        private_roles: false,
        sound: true,
    }
}

pub(super) fn compiled(text: &str, roles: &[(&str, &str, &str)]) -> Result<CompiledPlay, Vec<Diagnostic>> {
    compiled_with(text, roles, NoOutside)
}

/// The same, where templates see a world.
pub(super) fn compiled_with(
    text: &str,
    roles: &[(&str, &str, &str)],
    outside: impl Outside + 'static,
) -> Result<CompiledPlay, Vec<Diagnostic>> {
    let engine = Arc::new(Engine::new(Arc::new(outside)));
    let (play, findings) = compile(&loaded(text, roles), &TagFilter::new([], []), false, &engine);
    if findings.is_empty() { Ok(play) } else { Err(findings) }
}

fn titles(play: &CompiledPlay) -> Vec<String> {
    play.tasks.iter().map(|t| t.title().as_str().to_owned()).collect()
}

#[test]
fn dependencies_run_first_and_once() {
    let roles = [
        ("web", "[base, tls]", "[{name: web, ping: }]"),
        ("tls", "[base]", "[{name: tls, ping: }]"),
        ("base", "[]", "[{name: base, ping: }]"),
    ];
    let play = compiled("- hosts: all\n  roles: [web]\n  tasks: [{name: last, ping: }]\n", &roles).unwrap();
    assert_eq!(titles(&play), ["base", "tls", "web", "last"]);
    assert_eq!(play.graph.order().unwrap(), [0, 1, 2, 3]);
    assert_eq!(play.graph.after(0, EdgeKind::RoleDependency), [1, 2]);
}

#[test]
fn a_circle_of_roles_is_named_with_its_places() {
    let roles = [("a", "[b]", "[]"), ("b", "[a]", "[]")];
    let findings = compiled("- hosts: all\n  roles: [a]\n", &roles).unwrap_err();
    assert_eq!(findings[0].message, "roles depend on each other in a circle: a, b");
    assert_eq!(findings[0].related.len(), 1);
}

#[test]
fn keywords_are_inherited_and_conditions_add_up() {
    let text = "- hosts: all\n  become: true\n  tags: p\n  tasks:\n    - when: a\n      become_user: x\n      block:\n        \
                - ping:\n          when: [b, c]\n          tags: t\n          become: false\n";
    let play = compiled(text, &[]).unwrap();
    let task = &play.tasks[0];
    assert_eq!(task.keywords.value("become").and_then(Value::as_bool), Some(false));
    assert_eq!(task.keywords.value("become_user").and_then(Value::as_str), Some("x"));
    let conditions: Vec<_> = task.when.iter().filter_map(Value::as_str).collect();
    assert_eq!(conditions, ["a", "b", "c"]);
    assert_eq!(task.tags.iter().map(String::as_str).collect::<Vec<_>>(), ["p", "t"]);
    assert_eq!(task.path, [(0, Section::Main)]);
}

#[test]
fn a_handler_that_is_not_there_is_found_before_the_run() {
    let text =
        "- hosts: all\n  tasks:\n    - ping:\n      notify: restrat\n  handlers:\n    - name: restart\n      ping:\n";
    let findings = compiled(text, &[]).unwrap_err();
    assert_eq!(findings[0].hints, ["did you mean `restart`?"]);
    assert_eq!(findings[0].origin.as_ref().map(|o| o.at.line), Some(4));
}
