//! Reports from recorded events.

use super::*;
use crate::diag::Diagnostic;
use crate::event::{Counts, HostResult, TaskKind};
use crate::model::{Diff, Map, Origin, Outcome, Source, Status, Text, TextDiff, Value};

fn done(host: &str, status: Status, result: Map) -> HostResult {
    HostResult {
        host: host.to_owned(),
        delegated_to: None,
        item: None,
        outcome: Outcome::new(status, result),
        ignored: false,
        hidden: false,
        verbose: false,
        seconds: 0.0,
        explanation: None,
        timing: crate::model::Timing::default(),
    }
}

fn show(events: &[Event]) -> String {
    let mut report = DefaultReport::new(Options { width: 40, ..Options::default() });
    let mut out = Page::default();
    for event in events {
        report.event(event, &mut out).unwrap();
    }
    String::from_utf8(out.text()).unwrap()
}

#[test]
fn the_layout_is_ansibles() {
    let mut changed = done("web1", Status::Changed, Map::new());
    let text = TextDiff {
        path: "/etc/motd".to_owned(),
        source: None,
        before: Some("a\nb\n".to_owned()),
        after: Some("a\nc\n".to_owned()),
        hidden: None,
    };
    changed.outcome.diff = vec![Diff::Text(text), Diff::attribute("/etc/motd", "mode", "0600", "0644")];
    let failed = done("web2", Status::Failed, Map::from_iter([("msg", "no"), ("a", "b")]));
    let events = [
        Event::PlayStarted { name: "all".to_owned(), hosts: vec![] },
        Event::TaskStarted { name: "motd".to_owned(), kind: TaskKind::Task, path: "site.yml:3".to_owned() },
        Event::HostDone(Box::new(changed)),
        Event::HostDone(Box::new(failed)),
        Event::HostDone(Box::new(done("web3", Status::Unknown("task `x` was not run".into()), Map::new()))),
        Event::RunEnded {
            recap: vec![("web1".to_owned(), Counts { ok: 1, changed: 1, ..Counts::default() })],
            broken_off: false,
        },
    ];
    let expected = "
PLAY [all] ******************************

TASK [motd] *****************************
--- before: /etc/motd
+++ after: /etc/motd
@@ -1,2 +1,2 @@
 a
-b
+c

--- before: /etc/motd
+++ after: /etc/motd
-mode: 0600
+mode: 0644

changed: [web1]
fatal: [web2]: FAILED! => {\"a\": \"b\", \"changed\": false, \"msg\": \"no\"}
unknown: [web3] => task `x` was not run

PLAY RECAP ******************************
web1                       : ok=1    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0   

";
    assert_eq!(show(&events), expected);
}

#[test]
fn secrets_are_masked_wherever_they_stand() {
    let secret = Value::Str(Text::new("hunter2")).secret();
    let mut result = done("h", Status::Failed, Map::from_iter([("msg", Value::list([secret.clone()]))]));
    result.item = Some(secret);
    let events = [Event::ItemDone(Box::new(result))];
    let mut lines = Page::default();
    Lines.event(&events[0], &mut lines).unwrap();
    let all = show(&events) + &String::from_utf8(lines.text()).unwrap();
    assert!(!all.contains("hunter2") && all.contains("********"), "{all}");
}

#[test]
fn a_diagnostic_shows_the_line_and_the_hint() {
    let source = Source::new("site.yml", "- hosts: all\n  taks: []\n");
    let finding = Diagnostic::error("'taks' is not a valid attribute for a Play")
        .at(Origin::new(&source, 2, 3))
        .label("unknown keyword")
        .suggest("taks", ["tasks"]);
    let text = render_diagnostic(&finding, Colours::Off);
    for part in [
        "[ERROR]: 'taks' is not",
        "site.yml:2:3",
        "2 |   taks: []",
        "^^^^ unknown keyword",
        "hint: did you mean `tasks`?",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}
