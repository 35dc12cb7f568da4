//! Good and bad playbooks, and what is said of the bad ones.

use super::*;
use crate::diag::Diagnostic;
use crate::model::Source;

fn parse(text: &str) -> Result<Vec<Entry>, Vec<Diagnostic>> {
    let source = Source::new("site.yml", text);
    let loaded = crate::yaml::load(&source)?;
    let (entries, findings) = parse_playbook(&loaded.documents, "site.yml");
    findings.finish(entries).map(|(entries, _)| entries)
}

fn first_error(text: &str) -> (String, String, Vec<String>) {
    let findings = parse(text).expect_err("it was accepted");
    let d = &findings[0];
    (d.message.clone(), d.origin.as_ref().map(ToString::to_string).unwrap_or_default(), d.hints.clone())
}

#[test]
fn a_play_with_everything_is_read() {
    let entries = parse(
        "- hosts: web:&prod\n  become: yes\n  vars: {a: 1}\n  tasks:\n    - name: one\n      ping:\n      when: a == 1\n      \
         tags: [x]\n    - block:\n        - ping: data=hello\n      rescue:\n        - action: ping\n",
    )
    .unwrap();
    let Entry::Play(play) = &entries[0] else { panic!("no play") };
    assert_eq!(play.hosts[0].as_str(), "web:&prod");
    assert_eq!(play.tasks.len(), 2);
    let Item::Block(block) = &play.tasks[1] else { panic!("no block") };
    let Item::Task(task) = &block.main[0] else { panic!("no task") };
    assert_eq!(task.action.args.get("data").and_then(crate::model::Value::as_str), Some("hello"));
}

#[test]
fn misspelt_words_are_named_with_place_and_suggestion() {
    let (message, at, hints) = first_error("- hosts: all\n  tasks:\n    - ping:\n      wehn: a\n");
    assert_eq!((message.as_str(), at.as_str()), ("'wehn' is not a valid attribute for a Task", "site.yml:4:7"));
    assert_eq!(hints, ["did you mean `when`?"]);
    let (message, at, hints) = first_error("- hosts: all\n  tasks:\n    - pnig:\n");
    assert_eq!((message.as_str(), at.as_str()), ("couldn't resolve module/action 'pnig'", "site.yml:3:7"));
    assert_eq!(hints, ["did you mean `ping`?"]);
    let (message, at, hints) = first_error("- hosts: all\n  tasks:\n    - ping:\n        dta: a\n");
    assert_eq!((message.as_str(), at.as_str()), ("Unsupported parameters for (ping) module: dta", "site.yml:4:9"));
    assert_eq!(hints[0], "did you mean `data`?");
}

#[test]
fn what_is_not_built_is_refused_before_it_could_be_ignored() {
    let (message, at, _) = first_error("- hosts: all\n  tasks:\n    - ping:\n      debugger: always\n");
    assert_eq!(
        (message.as_str(), at.as_str()),
        ("`debugger` is not supported: rplay has no debugger of tasks", "site.yml:4:7")
    );
}

#[test]
fn all_findings_come_at_once() {
    let findings = parse("- hosts: all\n  gather_facts: maybe\n  tasks:\n    - pong:\n    - nothing\n    - name: x\n")
        .unwrap_err();
    let lines: Vec<u32> = findings.iter().filter_map(|d| d.origin.as_ref().map(|o| o.at.line)).collect();
    assert_eq!(lines, [2, 4, 5, 6]);
}
