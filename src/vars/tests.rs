//! Tests of precedence and scopes.

use super::*;
use crate::diag::Diagnostic;
use crate::inventory;
use crate::model::{Map, Source, Vars};
use crate::yaml::from_str_value;

const LEVELS: [Level; 24] = [
    Level::CommandLine,
    Level::RoleDefaults,
    Level::InventoryGroup,
    Level::InventoryAllFile,
    Level::PlaybookAllFile,
    Level::InventoryGroupFile,
    Level::PlaybookGroupFile,
    Level::InventoryHost,
    Level::InventoryHostFile,
    Level::PlaybookHostFile,
    Level::Facts,
    Level::Play,
    Level::PlayPrompt,
    Level::PlayFiles,
    Level::Role,
    Level::Block,
    Level::Task,
    Level::IncludeVars,
    Level::Registered,
    Level::RoleParams,
    Level::IncludeParams,
    Level::Extra,
    Level::Magic,
    Level::Loop,
];

fn layer(level: Level, label: &str, json: &str) -> Arc<Layer> {
    let value = from_str_value(json, label, true).unwrap();
    Layer::new(level, label, Vars::from(value.as_map().unwrap().clone()))
}

#[test]
fn a_higher_level_wins_in_whatever_order_layers_are_pushed() {
    for (i, low) in LEVELS.iter().enumerate() {
        for high in &LEVELS[i + 1..] {
            let (a, b) = (layer(*low, "low", "{\"x\": 1}"), layer(*high, "high", "{\"x\": 2}"));
            for scope in [
                Scope::default().push(Arc::clone(&a)).push(Arc::clone(&b)),
                Scope::builder().layer(Arc::clone(&b)).layer(a).build(),
            ] {
                assert_eq!(scope.get("x"), Some(Value::Int(2)), "{low:?} {high:?}");
            }
        }
    }
}

#[test]
fn of_one_level_the_last_wins_and_the_parent_scope_stays_as_it_was() {
    let outer = Scope::default().push(layer(Level::Block, "outer", "{\"x\": 1, \"y\": 1}"));
    let inner = outer.push(layer(Level::Block, "inner", "{\"x\": 2}"));
    assert_eq!((inner.get("x"), inner.get("y")), (Some(Value::Int(2)), Some(Value::Int(1))));
    assert_eq!(outer.get("x"), Some(Value::Int(1)));
    assert_eq!(inner.names(), ["x", "y"]);
    assert_eq!(inner.get("z"), None);
}

#[test]
fn hash_behaviour_merge_merges_mappings_and_replaces_the_rest() {
    let layers = [
        layer(Level::Play, "a", "{\"d\": {\"x\": {\"p\": 1, \"q\": 1}, \"l\": [1]}, \"s\": {\"k\": 1}}"),
        layer(Level::Block, "block", "{\"d\": {\"y\": 1}}"),
        layer(Level::Task, "b", "{\"d\": {\"x\": {\"q\": 2}, \"l\": [2]}, \"s\": 5}"),
    ];
    let merging = Scope::builder().layers(layers.clone()).merge(true).build();
    let expected = from_str_value("{\"x\": {\"p\": 1, \"q\": 2}, \"l\": [2]}", "t", false).unwrap();
    assert_eq!(merging.get("d"), Some(expected));
    assert_eq!(merging.get("s"), Some(Value::Int(5)));
    let replacing = Scope::builder().layers(layers).build();
    assert_eq!(replacing.get("d").unwrap().as_map().unwrap().len(), 2);
    assert_eq!(replacing.get("d").unwrap().get("x").unwrap().as_map().unwrap().len(), 1);
}

#[test]
fn explain_names_the_winner_and_what_it_shadows() {
    let mut builder = inventory::Builder::new();
    builder.ini(&Source::new("hosts", "[web]\nw x=host\n[web:vars]\nx=web\n[all:vars]\nx=all\n"));
    let mut files = FileVars::new();
    files.add_group(Side::Playbook, "all", "group_vars/all.yml", [("x", Value::from("pb-all"))].into_iter().collect());
    files.add_group(Side::Inventory, "web", "group_vars/web", [("x", Value::from("inv-web"))].into_iter().collect());
    files.add_host(Side::Inventory, "w", "host_vars/w", [("x", Value::from("inv-host"))].into_iter().collect());
    let hosts = HostLayers::new(Arc::new(builder.finish().unwrap()), Arc::new(files));
    let scope = Scope::builder().layers(hosts.layers("w")).build();
    let found: Vec<_> =
        scope.explain("x").into_iter().map(|d| (d.value.as_str().unwrap().to_owned(), d.level)).collect();
    let expected = [
        ("inv-host", Level::InventoryHostFile),
        ("host", Level::InventoryHost),
        ("inv-web", Level::InventoryGroupFile),
        ("pb-all", Level::PlaybookAllFile),
        ("web", Level::InventoryGroup),
        ("all", Level::InventoryGroup),
    ];
    assert_eq!(found, expected.map(|(v, l)| (v.to_owned(), l)));
    assert_eq!(scope.explain("x")[1].origin.as_ref().unwrap().to_string(), "hosts:2:3");
    let localhost = Scope::builder().layers(hosts.layers("localhost")).build();
    assert_eq!(localhost.get("x").unwrap().as_str(), Some("pb-all"));
}

#[test]
fn group_layers_are_shared_by_hosts() {
    let mut builder = inventory::Builder::new();
    builder.ini(&Source::new("hosts", "[web]\nw[1:200]\n[web:vars]\nx=1\n"));
    let hosts = HostLayers::new(Arc::new(builder.finish().unwrap()), Arc::new(FileVars::new()));
    assert!(Arc::ptr_eq(&hosts.layers("w1")[0], &hosts.layers("w200")[0]));
}

#[test]
fn facts_are_seen_in_both_places() {
    let facts: Map = [("ansible_os_family", "Debian"), ("ansible_local", "l"), ("custom", "c")].into_iter().collect();
    let scope = Scope::default().push(Layer::facts("facts", &facts, true));
    assert_eq!(scope.get("ansible_os_family").unwrap().as_str(), Some("Debian"));
    let namespace = scope.get("ansible_facts").unwrap();
    assert_eq!(namespace.get("os_family").unwrap().as_str(), Some("Debian"));
    assert!(namespace.get("ansible_local").is_some() && namespace.get("custom").is_some());
    let quiet = Scope::default().push(Layer::facts("facts", &facts, false));
    assert_eq!(quiet.names(), ["ansible_facts"]);
}

/// Gives every new group and host a variable with its name.
#[derive(Debug)]
struct Named;

impl MoreVars for Named {
    fn load(&self, groups: &[&str], hosts: &[&str], into: &mut FileVars) -> crate::diag::Checked<Vec<Diagnostic>> {
        let vars = |name: &str| [("file_of", Value::from(name))].into_iter().collect();
        groups.iter().for_each(|g| into.add_group(Side::Playbook, g, "f", vars(g)));
        hosts.iter().for_each(|h| into.add_host(Side::Playbook, h, "f", vars(h)));
        Ok(Vec::new())
    }
}

#[test]
fn layers_grow_without_changing_those_that_are_held() {
    let mut builder = inventory::Builder::new();
    builder.ini(&Source::new("hosts", "[web]\nw\nv\n[web:vars]\nx=web\n[all:vars]\ny=all\n"));
    let old =
        HostLayers::new(Arc::new(builder.finish().unwrap()), Arc::new(FileVars::new())).with_more(Arc::new(Named));
    let member =
        |host: &str| inventory::Addition::Member { host: host.into(), group: "new".into(), parents: Vec::new() };
    let host = inventory::Addition::Host {
        name: "n".into(),
        vars: [("z", Value::from("own"))].into_iter().collect(),
        groups: vec!["web".into()],
    };
    let grown = old.with_added(&[member("w"), member("w"), host]).unwrap();
    assert_eq!(grown.changed, [true, false, true]);
    let get = |layers: &HostLayers, host: &str, name: &str| {
        let scope = Scope::builder().layers(layers.layers(host)).build();
        scope.get(name).map(|v| v.as_str().unwrap().to_owned())
    };
    assert_eq!(get(&grown.layers, "w", "file_of").as_deref(), Some("new"));
    assert_eq!(get(&grown.layers, "v", "file_of"), None);
    assert_eq!(get(&grown.layers, "n", "file_of").as_deref(), Some("n"));
    let inherited: Vec<_> = ["x", "y", "z"].iter().filter_map(|v| get(&grown.layers, "n", v)).collect();
    assert_eq!(inherited, ["web", "all", "own"]);
    assert_eq!(get(&old, "w", "file_of"), None);
    assert!(old.inventory().host("n").is_none());
    assert!(grown.layers.with_added(&[member("missing")]).is_err());
}
