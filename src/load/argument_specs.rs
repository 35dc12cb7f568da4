//! Specifications of roles' arguments: the task that checks them before a role's own.
//!
//! Source: "Role argument validation" of Ansible's documentation.

use std::path::Path;

use super::project::{Loader, role_file};
use crate::model::{Map, Value};
use crate::playbook::{Action, Item, Keywords, RoleFrom, Setting, Task};
use crate::yaml::Node;

impl Loader<'_> {
    /// The task that checks a role's arguments, where the role says what it takes.
    pub(super) fn validation(&mut self, name: &str, path: &Path, from: &RoleFrom, meta: Option<&Node>) -> Option<Item> {
        if !from.validate {
            return None;
        }
        let own = role_file(&path.join("meta"), "argument_specs");
        let document = own.and_then(|file| self.read(&file, "the role's file")?.into_iter().next());
        let specs = document.as_ref().or(meta)?.get("argument_specs")?;
        let entry = from.tasks.strip_suffix(".yml").or_else(|| from.tasks.strip_suffix(".yaml"));
        let entry = entry.unwrap_or(&from.tasks);
        let spec = specs.get(entry)?;
        let options = spec.get("options").map(Node::to_data);
        let options = match options {
            Some(options) => self.take(options)?,
            None => Value::from(Map::new()),
        };
        let mut title = format!("Validating arguments against arg spec '{entry}'");
        if let Some(short) = spec.get("short_description").and_then(Node::as_str).filter(|s| !s.is_empty()) {
            title = format!("{title} - {short}");
        }
        // A role of a collection has its short name here.
        let own = path.file_name().and_then(|own| own.to_str());
        let name = own.filter(|own| name.ends_with(&format!(".{own}"))).unwrap_or(name);
        let context = Map::from_iter([
            ("argument_spec_name", Value::from(entry)),
            ("name", Value::from(name)),
            ("path", Value::from(path.display().to_string())),
            ("type", Value::from("role")),
        ]);
        let args = Map::from_iter([("argument_spec", options), ("validate_args_context", Value::from(context))]);
        let origin = spec.origin.clone();
        let action = Action::of_module("ansible.builtin.validate_argument_spec", &origin, args)?;
        let mut keywords = Keywords::default();
        let setting = |value: &str| Setting::new(Value::from(value), origin.clone());
        keywords.set("name", setting(&title));
        keywords.set("tags", setting("always"));
        Some(Item::Task(Box::new(Task { origin, keywords, action, looped: None })))
    }
}
