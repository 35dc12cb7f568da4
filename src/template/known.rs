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

const SIGNATURES: &str = include_str!("../../tests/templates/signatures.txt");

/// Where rplay takes less or more on purpose, with why.
const DIFFERENT: &[(&str, &str)] = &[
    ("filter ansible.builtin.checksum", "functions of Python are no values"),
    ("filter ansible.builtin.sha1", "functions of Python are no values"),
    ("filter ansible.builtin.urlsplit", "the name that errors are told under"),
    ("filter ansible.utils.hwaddr", "the name that errors are told under"),
    ("filter ansible.utils.ipaddr", "the name that errors are told under"),
    ("filter ansible.utils.ipwrap", "it may be given by position, too"),
];

#[test]
fn filters_and_tests_take_what_ansible_s_do() {
    let mut wrong = Vec::new();
    for line in SIGNATURES.lines() {
        let (name, want) = line.split_once(':').expect("a name and what it takes");
        let (kind, plugin) = name.split_once(' ').expect("a kind and a name");
        let takes = match kind {
            "filter" => filters::find(plugin).map(filters::Filter::takes),
            _ => tests::find(plugin).map(tests::Test::takes),
        };
        // What Python takes by `*args` and `**kwargs` has names here.
        let any = want.contains("**") || want.contains("*args");
        if let Some(takes) = takes
            && !any
            && !DIFFERENT.iter().any(|(different, _)| *different == name)
            && takes != want.trim()
        {
            wrong.push(format!("{name} takes ({takes}), not ({})", want.trim()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
