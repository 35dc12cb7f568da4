//! `module_defaults`: arguments for all calls of a module, or of a group of modules.
//!
//! Source: "Module defaults" of Ansible's documentation.

use crate::model::{Map, Value};
use crate::module::Module;

/// What these levels, outermost first, have for a module: mappings, or templates that give one;
/// later ones win. What an inner level says of a module takes the place of what an outer one says.
/// `gather_facts`, the `action`, has its own, above those of the module `setup` that it runs.
pub fn module_defaults(levels: &[Value], module: &Module, action: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let gathers = action.rsplit('.').next() == Some(GATHERS);
    let own = |name: &str, _: &Module| gathers && name.rsplit('.').next() == Some(GATHERS);
    type Answers<'a> = &'a dyn Fn(&str, &Module) -> bool;
    for wanted in [&is_group_of as Answers<'_>, &is_name_of, &own] {
        let of = |level: &Value| -> Vec<Value> {
            let entries = level.as_map().into_iter().flat_map(Map::iter);
            entries
                .filter(|(key, _)| key.as_str().is_some_and(|key| wanted(key, module)))
                .map(|(_, v)| v.clone())
                .collect()
        };
        found.extend(levels.iter().rev().map(of).find(|found| !found.is_empty()).unwrap_or_default());
    }
    found
}

/// The action that gathers facts by way of a module.
const GATHERS: &str = "gather_facts";

fn is_name_of(name: &str, module: &Module) -> bool {
    let short = name.strip_prefix(module.collection).and_then(|rest| rest.strip_prefix('.'));
    let short =
        short.or_else(|| name.strip_prefix("ansible.legacy.").filter(|_| module.collection == "ansible.builtin"));
    let short = short.unwrap_or(name);
    !name.starts_with("group/") && (short == module.name || short != GATHERS && module.aliases.contains(&short))
}

/// A collection's group of all its modules has the last part of its name: `group/docker` and
/// `group/community.docker.docker` are all of `community.docker`.
fn is_group_of(name: &str, module: &Module) -> bool {
    let Some(group) = name.strip_prefix("group/") else { return false };
    let last = module.collection.rsplit('.').next().unwrap_or_default();
    module.collection != "ansible.builtin" && (group == last || group == format!("{}.{last}", module.collection))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(texts: &[&str]) -> Vec<Value> {
        texts.iter().map(|text| crate::yaml::from_str_value(text, "levels", false).unwrap()).collect()
    }

    #[test]
    fn an_inner_level_takes_the_place_of_an_outer_one() {
        let module = crate::modules::find("copy").unwrap();
        let args = |texts: &[&str]| module_defaults(&levels(texts), module, "copy");
        let inner = args(&["{copy: {mode: a, owner: b}}", "{ansible.builtin.copy: {mode: c}}"]);
        assert_eq!(inner, [Value::from(Map::from_iter([("mode", "c")]))]);
        assert_eq!(args(&["{ansible.legacy.copy: {mode: a}}"]).len(), 1);
        let setup = crate::modules::find("setup").unwrap();
        let both = levels(&["{gather_facts: {filter: a}, setup: {filter: b}}"]);
        let filters = |action| -> Vec<String> {
            let found = module_defaults(&both, setup, action);
            found.iter().map(|d| d.get("filter").and_then(Value::as_str).unwrap().to_owned()).collect()
        };
        assert_eq!(
            (filters("setup"), filters("ansible.builtin.gather_facts")),
            (vec!["b".into()], vec!["b".into(), "a".into()])
        );
        assert!(args(&["{file: {mode: a}}", "{group/copy: {mode: a}}", "{other.copy: {mode: a}}"]).is_empty());
    }
}
