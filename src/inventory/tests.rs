//! Tests of inventories; orders and types are what `ansible` 2.19 printed for the same files.

use super::*;
use crate::model::{Position, Source, Value};
use crate::yaml::from_str_value;

fn ini(text: &str) -> Inventory {
    let mut builder = Builder::new();
    builder.ini(&Source::new("hosts", text));
    builder.finish().unwrap()
}

fn yml(text: &str) -> Inventory {
    let mut builder = Builder::new();
    builder.yaml(&Source::new("hosts.yml", text));
    builder.finish().unwrap()
}

/// Asserts message part, line, column and hint part of the first error.
fn fails(found: Checked<Inventory>, message: &str, line: u32, column: u32, hint: &str) {
    let found = found.unwrap_err().remove(0);
    assert!(found.message.contains(message), "{found:?}");
    assert_eq!(found.origin.as_ref().unwrap().at, Position { line, column }, "{found:?}");
    assert!(hint.is_empty() || found.hints.iter().any(|h| h.contains(hint)), "{found:?}");
}

fn bad_ini(text: &str, message: &str, line: u32, column: u32, hint: &str) {
    let mut builder = Builder::new();
    builder.ini(&Source::new("hosts", text));
    fails(builder.finish(), message, line, column, hint);
}

fn bad_yml(text: &str, message: &str, line: u32, column: u32, hint: &str) {
    let mut builder = Builder::new();
    builder.yaml(&Source::new("hosts.yml", text));
    fails(builder.finish(), message, line, column, hint);
}

const ORDER: &str = "z1\nz2\n[b]\nb2\nb1\nz2\n[a]\na1\nb1\n[top:children]\nmid\na\n[mid:children]\nlow\nb\n[low]\nl1\nl2\n[other]\no1\n";

#[test]
fn patterns_give_ansibles_hosts_in_ansibles_order() {
    let inventory = ini(ORDER);
    for (pattern, limit, expected) in [
        ("all", None, "z1 o1 a1 b1 b2 z2 l1 l2"),
        ("*", None, "z1 o1 a1 b1 b2 z2 l1 l2"),
        ("mid", None, "b2 b1 z2 l1 l2"),
        ("b:a", None, "b2 b1 z2 a1"),
        ("b a", None, "b2 b1 z2 a1"),
        (" b , a ", None, "b2 b1 z2 a1"),
        ("all:!b", None, "z1 o1 a1 l1 l2"),
        ("!b", None, "z1 o1 a1 l1 l2"),
        ("&b", None, "b1 b2 z2"),
        ("top:&mid", None, "b1 b2 z2 l1 l2"),
        ("!b:top", None, "a1 l1 l2"),
        ("b:&a:!b1", None, ""),
        ("b*", None, "b2 b1 z2"),
        ("~b[12]", None, "b2 b1"),
        ("~^(a|o)", None, "z1 o1 a1 b1 b2 z2 l1 l2"),
        ("~B1", None, ""),
        ("b[0]", None, "b2"),
        ("b[-1]", None, "z2"),
        ("b[1:]", None, "b1 z2"),
        ("b[0:1]", None, "b2 b1"),
        ("b[-2:]", None, "b2"),
        ("b[5]", None, ""),
        ("b[1:0]", None, "b1"),
        ("b[:1]", None, "b1"),
        ("top[2:4]", None, "b2 z2 l1"),
        ("*1", None, "z1 b1 a1 l1 o1"),
        ("l?", None, "l1 l2"),
        ("l[!1]", None, "l2"),
        ("localhost,b", None, "localhost b2 b1 z2"),
        ("z1:22", None, ""),
        ("b,a:z1", None, "b2 b1 z2"),
        ("all", Some("b:a"), "a1 b1 b2 z2"),
        ("top", Some("!b1"), "a1 b2 z2 l1 l2"),
        ("b", Some("a[0]"), ""),
    ] {
        assert_eq!(inventory.select(pattern, limit).unwrap().hosts.join(" "), expected, "{pattern} {limit:?}");
    }
    assert_eq!(limit_from_file("b1\n# c\n\n a1\n"), "b1,a1");
}

#[test]
fn a_pattern_that_matches_nothing_is_said_with_the_nearest_name() {
    let inventory = ini("[webservers]\nw1\n");
    let selection = inventory.select("webserver:w1", None).unwrap();
    assert_eq!(selection.hosts, ["w1"]);
    assert!(selection.warnings[0].message.contains("ignoring: webserver"));
    assert_eq!(selection.warnings[0].hints, ["did you mean `webservers`?"]);
    assert!(inventory.select("~(", None).unwrap_err()[0].message.contains("regular expression"));
}

#[test]
fn values_of_host_lines_have_ansibles_types() {
    let line = r#"h a=0644 b="0644" c=True d=5 e=[1,2] f='{"a": 1}' g={'a':1} h="a b" i=1.5 j=None k=yes l=0x10 m=1_000 n=-5 o='"q"' p=a=b r=1e3 s='' t="x # y" w=1,2 u=a#b # c"#;
    let expected = r#"{"a": "0644", "b": "0644", "c": true, "d": 5, "e": [1, 2], "f": {"a": 1}, "g": "{a:1}", "h": "a b", "i": 1.5, "j": null, "k": "yes", "l": 16, "m": 1000, "n": -5, "o": "q", "p": "a=b", "r": 1000.0, "s": "", "t": "x # y", "w": [1, 2], "u": "a"}"#;
    let inventory = ini(line);
    let vars = Value::from(inventory.host("h").unwrap().vars.values().clone());
    assert_eq!(vars, from_str_value(expected, "t", false).unwrap());
}

#[test]
fn values_of_group_vars_have_ansibles_types() {
    let text = "[g]\nx\n[g:vars]\na=0644\nc=True\nd = 5\ne=[1, 2]\nf={'a': 1}\ng=a b\nh=\"a b\"\ni=  spaced   \nj='x' # c\nk=x # c\nl=x;y\nm=\nn=yes\no=\"a\" + \"b\"\np= {{ x }}\nq=0x10\nu=a=b\n";
    let expected = r#"{"a": "0644", "c": true, "d": 5, "e": [1, 2], "f": {"a": 1}, "g": "a b", "h": "a b", "i": "spaced", "j": "x", "k": "x # c", "l": "x;y", "m": "", "n": "yes", "o": "\"a\" + \"b\"", "p": "{{ x }}", "q": 16, "u": "a=b"}"#;
    let inventory = ini(text);
    let vars = &inventory.group("g").unwrap().vars;
    assert_eq!(Value::from(vars.values().clone()), from_str_value(expected, "t", false).unwrap());
    let Some(Value::Str(template)) = vars.get("p") else { panic!() };
    assert!(template.is_template());
    assert_eq!(template.origin().unwrap().to_string(), "hosts:18:4");
    assert_eq!(vars.origin("d").unwrap().to_string(), "hosts:6:1");
}

#[test]
fn ports_ranges_and_hosts_in_several_groups() {
    let inventory = ini(
        "lone:2222\n[::1]:2022\nfe80::1\n[web] # c\nweb[01:03]:22 port=80\n; c\nlone extra=1\n[db:children]\nweb\n[empty]\n",
    );
    assert_eq!(inventory.host("web02").unwrap().vars.get("ansible_port"), Some(&Value::Int(22)));
    assert_eq!(inventory.host("web03").unwrap().vars.get("port"), Some(&Value::Int(80)));
    assert_eq!(inventory.host("::1").unwrap().vars.get("ansible_port"), Some(&Value::Int(2022)));
    let lone = inventory.host("lone").unwrap();
    assert_eq!((lone.groups.as_slice(), lone.vars.len()), (["web".to_owned()].as_slice(), 2));
    assert_eq!(inventory.group_hosts(UNGROUPED), ["::1", "fe80::1"]);
    assert_eq!(inventory.group_hosts("db"), ["web01", "web02", "web03", "lone"]);
    assert_eq!(inventory.group_names("lone"), ["db", "web"]);
    assert_eq!(inventory.group(ALL).unwrap().children, ["ungrouped", "db", "empty"]);
}

#[test]
fn groups_merge_by_depth_then_priority_then_name() {
    let inventory =
        ini("[b]\nh\n[a]\nh\n[c]\nh\n[top:children]\na\n[b:vars]\nansible_group_priority=10\n[c:vars]\nx=1\n");
    let order: Vec<_> = inventory.host_groups("h").iter().map(|g| (g.name.as_str(), g.depth)).collect();
    assert_eq!(order, [("all", 0), ("c", 1), ("top", 1), ("b", 1), ("a", 2)]);
}

#[test]
fn a_yaml_inventory() {
    let inventory = yml(
        "all:\n  hosts:\n    web[1:2]:22:\n      a: 0644\n    c:\n  children:\n    g:\n      hosts:\n        web1: {b: 1}\n      vars: {z: '{{ q }}'}\n    h:\n  vars:\n    x: 1\n",
    );
    let web1 = &inventory.host("web1").unwrap().vars;
    assert_eq!((web1.get("a"), web1.get("b")), (Some(&Value::Int(420)), Some(&Value::Int(1))));
    assert_eq!(inventory.group_hosts(UNGROUPED), ["web2", "c"]);
    assert_eq!(inventory.group(ALL).unwrap().vars.get("x"), Some(&Value::Int(1)));
    assert_eq!(inventory.group("g").unwrap().vars.origin("z").unwrap().to_string(), "hosts.yml:10:14");
}

#[test]
fn several_sources_make_one_inventory_and_later_ones_win() {
    let mut builder = Builder::new();
    builder.ini(&Source::new("one", "[web]\na x=1 y=1\n"));
    builder.yaml(&Source::new("two.yml", "web:\n  hosts:\n    a: {x: 2}\n    b:\n"));
    builder.host_list("b, c:2222,", "-i", false);
    let inventory = builder.finish().unwrap();
    assert_eq!(inventory.host("a").unwrap().vars.get("x"), Some(&Value::Int(2)));
    assert_eq!(inventory.host("a").unwrap().vars.get("y"), Some(&Value::Int(1)));
    assert_eq!(inventory.select("all", None).unwrap().hosts, ["c", "a", "b"]);
    assert_eq!(inventory.host("c").unwrap().origin.as_ref().unwrap().to_string(), "-i:1:4");
}

#[test]
fn a_limit_of_nothing_but_commas_is_none() {
    let inventory = ini("a\nb\n");
    for limit in ["", ",", " , ,"] {
        assert_eq!(inventory.select("all", Some(limit)).unwrap().hosts, ["a", "b"], "{limit:?}");
    }
}

#[test]
fn localhost_is_there_without_being_listed() {
    let inventory = Inventory::default();
    let localhost = inventory.host("localhost").unwrap();
    assert!(localhost.implicit);
    assert_eq!(localhost.vars.get("ansible_connection").unwrap().as_str(), Some("local"));
    assert_eq!(inventory.select("all", None).unwrap().hosts, Vec::<String>::new());
    assert!(!ini("localhost\n").host("localhost").unwrap().implicit);
}

#[test]
fn bad_ini_is_explained() {
    bad_ini("[web:children]\nwbe\n[web2]\nh\n", "`wbe` that is not defined", 2, 1, "define it");
    bad_ini("[web:children]\ndatabse\n[database]\n", "not defined", 2, 1, "`database`");
    bad_ini("[wep:vars]\nx=1\n[web]\nh\n", "variables for the group `wep`", 1, 2, "`web`");
    bad_ini("[a:children]\nb\n[b:children]\na\n", "`a`, `b` are children of each other", 2, 1, "remove");
    bad_ini("[a:children]\na\n", "its own child", 2, 1, "remove");
    bad_ini("[a:childern]\nb c d\n", "`childern` is no kind", 1, 4, "`children`");
    bad_ini("[a\nh\n", "section header", 1, 1, "[group:vars]");
    bad_ini("[a]\n  h  b\n", "expected `name=value`", 2, 6, "space");
    bad_ini("h a=\"b c\n", "quote opened here", 1, 5, "close it");
    bad_ini("h[3:1]\n", "before it begins", 1, 1, "ranges");
    bad_ini("[g]\nh\n[g:vars]\njust words\n", "expected `name=value` in `[g:vars]`", 4, 1, "");
    bad_ini("[g:children]\na b=1\n[a]\n", "name of a group", 2, 1, "one group a line");
    bad_ini("---\nall:\n", "YAML", 1, 1, ".yml");
    bad_ini("h:\n", "without a port", 1, 1, "");
    bad_ini("[g]\n[g:vars]\nansible_group_priority=high\n", "integer", 3, 1, "");
}

#[test]
fn a_cycle_names_the_lines_that_make_it() {
    let mut builder = Builder::new();
    builder.ini(&Source::new("hosts", "[a:children]\nb\n[b:children]\nc\n[c:children]\na\n"));
    let found = builder.finish().unwrap_err().remove(0);
    assert_eq!(found.label.as_deref(), Some("`b` is a child of `a` here"));
    let lines: Vec<_> = found.related.iter().map(|(origin, _)| origin.at.line).collect();
    assert_eq!(lines, [4, 6]);
}

#[test]
fn a_long_chain_of_groups_is_no_problem() {
    let mut text = String::new();
    for i in 0..20_000 {
        text += &format!("[g{i}:children]\ng{}\n", i + 1);
    }
    let inventory = ini(&(text + "[g20000]\nh\n"));
    assert_eq!(inventory.group("g20000").unwrap().depth, 20_001);
    assert_eq!(inventory.host_groups("h").len(), 20_002);
}

#[test]
fn bad_yaml_is_explained() {
    bad_yml("g:\n  hosts: [a, b]\n", "must be a mapping", 2, 10, "not `- name`");
    bad_yml("- a\n", "a mapping of groups", 1, 1, "all:");
    bad_yml("plugin: x\n", "configures an inventory plugin", 1, 1, "enable_plugins");
    bad_yml("g: {children: {c: 5}}\n", "must be a mapping", 1, 19, "");
    bad_yml("g: {hosts: {'': }}\n", "no name", 1, 13, "");
    bad_yml("g:\n  hosts:\n    a: 5\n", "expected variables", 3, 8, "");
    bad_yml("g:\n  hosts:\n    5:\n", "must be a string", 3, 5, "quote");
    bad_yml("a:\n  children:\n    b:\n      children:\n        a:\n", "children of each other", 3, 5, "");
    bad_yml("g:\n\thosts:\n", "tab", 2, 1, "spaces");
    bad_yml("", "empty", 1, 1, "");
    assert!(yml("g:\n  host:\n    a:\n").warnings()[0].hints[0].contains("`hosts`"));
}

#[test]
fn odd_group_names_are_warned_about() {
    let inventory = ini("[a-b]\nx\n");
    assert!(inventory.warnings()[0].message.contains("`a-b`"));
    assert_eq!(inventory.warnings()[0].origin.as_ref().unwrap().at, Position { line: 1, column: 2 });
}

proptest::proptest! {
    #[test]
    fn any_ini_is_read_or_explained(text in "([a-c\\[\\]:= #;\"'\\\\0-9,{}\nä-]|\\[a:vars\\]\n|\\[b:children\\]\n)*") {
        let mut builder = Builder::new();
        builder.ini(&Source::new("hosts", text.clone()));
        builder.yaml(&Source::new("hosts", text));
        let _ = builder.finish();
    }

    #[test]
    fn any_pattern_is_evaluated_or_refused(pattern in "[abz*?~!&:,\\[\\]0-9 ^-]{0,12}") {
        let _ = ini(ORDER).select(&pattern, Some(&pattern));
    }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|n| (*n).to_owned()).collect()
}

#[test]
fn an_inventory_grows_as_add_host_and_group_by_make_it() {
    // Orders are those of `groups` in ansible-core 2.19 after the same tasks.
    let before = ini("[a]\nh1\nh2\n[p:children]\na\n");
    let mut grown = before.clone();
    let one: Vars = [("x", Value::Int(1))].into_iter().collect();
    assert!(grown.add_host("n1", &one, &names(&["b", "c"])));
    assert!(!grown.add_host("n1", &one, &names(&["b", "c"])));
    assert!(grown.add_host("n1", &[("x", Value::Int(2))].into_iter().collect(), &[]));
    assert!(grown.add_host("n2", &Vars::new(), &[]));
    for host in ["h1", "h2"] {
        assert!(grown.add_group_member(host, &format!("k_{host}"), &names(&["q", "a"])).unwrap());
    }
    assert_eq!(grown.group_hosts(ALL), ["n1", "n2", "h1", "h2"]);
    assert_eq!(grown.select("all", None).unwrap().hosts, ["n1", "n2", "h1", "h2"]);
    assert_eq!(grown.select("b:k_*", None).unwrap().hosts, ["n1", "h1", "h2"]);
    assert_eq!((grown.group_hosts("q"), grown.group_hosts("a")), (vec!["h1", "h2"], vec!["h1", "h2"]));
    assert_eq!(grown.group_hosts(UNGROUPED), ["n2"]);
    assert_eq!(grown.group_names("h2"), ["a", "k_h2", "p", "q"]);
    assert_eq!((grown.group_names("n1"), grown.group_names("n2")), (vec!["b", "c"], vec!["ungrouped"]));
    assert_eq!(grown.host("n1").unwrap().vars.get("x"), Some(&Value::Int(2)));
    assert_eq!(grown.group("k_h1").unwrap().depth, 3);
    assert!(before.host("n1").is_none() && before.group("b").is_none());
}

#[test]
fn a_host_of_ungrouped_leaves_it_and_localhost_can_join_a_group() {
    let mut inventory = ini("lone\n");
    assert!(inventory.add_group_member("lone", "g", &[]).unwrap());
    assert!(!inventory.add_group_member("lone", "g", &[]).unwrap());
    assert_eq!(inventory.group_hosts(UNGROUPED), Vec::<&str>::new());
    assert!(inventory.add_group_member("localhost", "loc", &[]).unwrap());
    assert_eq!((inventory.group_names("localhost"), inventory.group_hosts("loc")), (vec!["loc"], vec!["localhost"]));
    assert!(inventory.host("localhost").unwrap().implicit);
    inventory.add_host("localhost", &Vars::new(), &[]);
    assert!(!inventory.host("localhost").unwrap().implicit);
}

#[test]
fn an_addition_that_cannot_be_is_explained() {
    let mut inventory = ini("[a]\nh\n[p:children]\na\n");
    let found = inventory.add_group_member("h", "p", &names(&["a"])).unwrap_err();
    assert_eq!(found, "Adding group 'p' as child to 'a' creates a recursive dependency loop.");
    assert!(inventory.add_group_member("other", "p", &[]).unwrap_err().contains("other"));
    assert_eq!(host_and_port("n2:2222"), ("n2".to_owned(), Some(2222)));
}
