//! The names of `tests/templates/names.txt`: each is known, or there is a reason why it is not.

use super::{filters, lookups, tests};

const NAMES: &str = include_str!("../../tests/templates/names.txt");

fn known(kind: &str, name: &str) -> bool {
    match kind {
        "filter" => filters::find(name).is_some(),
        "test" => tests::find(name).is_some(),
        "lookup" => lookups::find(name).is_some(),
        _ => panic!("{kind}: no kind of plugin"),
    }
}

#[test]
fn every_name_is_known_or_there_is_a_reason() {
    let mut wrong = Vec::new();
    for line in NAMES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, reason) = line.split_once(": ").map_or((line, None), |(name, reason)| (name, Some(reason)));
        let (kind, name) = name.split_once(' ').expect("a kind and a name");
        let short = name.rsplit('.').next().expect("a short name");
        match (known(kind, name), reason) {
            (true, Some(_)) => wrong.push(format!("{kind} {name} has a reason, and is known")),
            (false, None) => wrong.push(format!("{kind} {name} is not known")),
            (true, None) if !known(kind, short) => wrong.push(format!("{kind} {short} is not known by its short name")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_of_other_collections_are_not_taken_for_those() {
    assert!(!known("filter", "my.own.upper"));
    assert!(!known("lookup", "my.own.file"));
    assert!(!known("test", "my.own.odd"));
    assert!(known("lookup", "ansible.legacy.file"));
    assert!(known("filter", "ansible.netcommon.ipaddr"), "where it was before");
}
