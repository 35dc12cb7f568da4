//! `plugin: constructed`: variables and groups from expressions over what is known of each host.

use std::path::PathBuf;
use std::sync::Arc;

use super::options::{Options, options, plain};
use crate::diag::{Checked, Diagnostic};
use crate::inventory::{Builder, Inventory, safe_name};
use crate::load::{Files, load_group_vars};
use crate::model::{Origin, Text, Value, Vars};
use crate::template::{Engine, Error, Templar, Truth};
use crate::vars::{FileVars, HostLayers, Layer, Level, Scope, Side};
use crate::yaml::Node;

/// What the evaluation sees beside the inventory.
pub(super) struct World<'a> {
    pub files: &'a Files,
    /// Directories of the sources read so far.
    pub dirs: &'a [PathBuf],
    pub engine: &'a Arc<Engine>,
    /// `-e`.
    pub extra: &'a Arc<Layer>,
    /// The setting `use_extra_vars`.
    pub use_extra_vars: bool,
}

const KNOWN: [&str; 8] = [
    "plugin",
    "strict",
    "compose",
    "groups",
    "keyed_groups",
    "use_extra_vars",
    "leading_separator",
    "use_vars_plugins",
];

/// An entry of `keyed_groups`.
struct Keyed {
    key: Node,
    prefix: String,
    separator: String,
    default_value: Option<String>,
    trailing_separator: bool,
    parent_group: Option<Text>,
    origin: Origin,
}

/// Adds what a configuration says about the hosts that are there.
///
/// # Errors
/// Options of the wrong type; with `strict`, expressions that fail.
pub(super) fn parse(builder: &mut Builder, world: &World, document: &Node) -> Checked<()> {
    let options = options(builder, document, &KNOWN)?;
    let rules = Rules {
        strict: options.flag("strict", false)?,
        leading_separator: options.flag("leading_separator", true)?,
        compose: options.entries("compose")?,
        groups: options.entries("groups")?,
        keyed: keyed_groups(builder, &options)?,
        engine: world.engine,
    };
    let use_extra = options.flag("use_extra_vars", world.use_extra_vars)?;
    let so_far = builder.so_far();
    let mut files = FileVars::new();
    if options.flag("use_vars_plugins", false)? {
        load_group_vars(world.files, &so_far, Side::Inventory, world.dirs, &mut files)?;
    }
    let so_far = Arc::new(so_far);
    let layers = HostLayers::new(Arc::clone(&so_far), Arc::new(files));
    for host in so_far.hosts() {
        let own = scope_of(&so_far, &layers, &host.name);
        let full = if use_extra { own.push(Arc::clone(world.extra)) } else { own.clone() };
        rules.apply(builder, &host.name, &own, &full)?;
    }
    Ok(())
}

/// A host's variables as far as sources have given them, and its own name and groups.
fn scope_of(so_far: &Inventory, layers: &HostLayers, host: &str) -> Scope {
    let groups = so_far.groups_said(host);
    let in_all = groups.iter().any(|g| g.name == crate::inventory::ALL);
    let said = |layer: &Arc<Layer>| in_all || (layer.level != Level::InventoryAllFile && &*layer.label != "group all");
    let mut names: Vec<&str> = groups.iter().map(|g| g.name.as_str()).filter(|n| *n != crate::inventory::ALL).collect();
    names.sort_unstable();
    let own: Vars = [
        ("inventory_hostname", Value::from(host)),
        ("inventory_hostname_short", Value::from(host.split('.').next().unwrap_or(host))),
        ("group_names", Value::list(names)),
    ]
    .into_iter()
    .collect();
    let layers = layers.layers(host).into_iter().filter(said);
    Scope::builder().layers(layers).layer(Layer::new(Level::InventoryHostFile, "rplay", own)).build()
}

fn keyed_groups(builder: &mut Builder, options: &Options) -> Checked<Vec<Keyed>> {
    let mut found = Vec::new();
    for entry in options.list("keyed_groups")? {
        let inner = super::options::options(
            builder,
            entry,
            &["key", "prefix", "separator", "default_value", "trailing_separator", "parent_group"],
        )?;
        let trailing = inner.get("trailing_separator");
        if let (Some(_), Some(other)) = (inner.get("default_value"), trailing) {
            return Err(Diagnostic::error(
                "parameters are mutually exclusive for keyed groups: default_value|trailing_separator",
            )
            .at(other.origin.clone())
            .into());
        }
        let Some(key) = inner.get("key") else {
            return Err(Diagnostic::error("an entry of `keyed_groups` has no `key`")
                .at(entry.origin.clone())
                .hint("`key` is the expression that groups are named by")
                .into());
        };
        found.push(Keyed {
            key: key.clone(),
            prefix: inner.text("prefix")?.unwrap_or_default(),
            separator: inner.text("separator")?.unwrap_or_else(|| "_".to_owned()),
            default_value: inner.text("default_value")?,
            trailing_separator: inner.flag("trailing_separator", true)?,
            parent_group: inner
                .text("parent_group")?
                .map(|text| Text::template(text, inner.get("parent_group").map(|node| node.origin.clone()))),
            origin: key.origin.clone(),
        });
    }
    Ok(found)
}

struct Rules<'a> {
    strict: bool,
    leading_separator: bool,
    compose: Vec<(Node, Node)>,
    groups: Vec<(Node, Node)>,
    keyed: Vec<Keyed>,
    engine: &'a Arc<Engine>,
}

impl Rules<'_> {
    fn templar(&self, scope: Scope) -> Templar {
        Templar::new(Arc::clone(self.engine), Arc::new(scope))
    }

    /// What the rules make of a host. Its variables come without extra vars and, where the options want
    /// it, with them: conditions of `groups` are about the host alone, as in Ansible.
    fn apply(&self, builder: &mut Builder, host: &str, own: &Scope, full: &Scope) -> Checked<()> {
        let templar = self.templar(full.clone());
        let mut composed = Vars::new();
        for (name, expression) in &self.compose {
            let (Some(name), Some(text)) = (name.as_str(), text_of(expression)) else {
                self.refuse(expression, "an expression of `compose` must be a string")?;
                continue;
            };
            match templar.expression(&text) {
                Ok(value) => {
                    builder.set_host_var(host, name, value.clone(), &expression.origin);
                    composed.set(name, value, Some(expression.origin.clone()));
                }
                Err(error) => self.failed(&format!("could not set {name} for host {host}"), expression, error)?,
            }
        }
        let composed = Layer::new(Level::InventoryHostFile, "compose", composed);
        let templar = self.templar(own.push(Arc::clone(&composed)));
        for (name, condition) in &self.groups {
            let name_text = name.to_key().map(|key| key.to_string()).unwrap_or_default();
            match templar.condition(&condition.to_value()?) {
                Ok(Truth::True) => self.join(builder, host, &safe_name(&name_text), &name.origin),
                Ok(_) => {}
                Err(e) => self.failed(&format!("could not add host {host} to group {name_text}"), condition, e)?,
            }
        }
        let templar = self.templar(full.push(composed));
        for keyed in &self.keyed {
            self.keyed(builder, host, keyed, &templar)?;
        }
        Ok(())
    }

    fn join(&self, builder: &mut Builder, host: &str, group: &str, origin: &Origin) {
        builder.add_group(group, origin);
        builder.add_host(host, None, group, origin);
    }

    fn refuse(&self, at: &Node, message: &str) -> Checked<()> {
        let finding = Diagnostic::error(format!("{message}, and this is {}", at.describe())).at(at.origin.clone());
        if self.strict { Err(finding.hint("quote it").into()) } else { Ok(()) }
    }

    /// With `strict` a failed expression ends the source; without, it is left out: what it
    /// reads may simply not be known of this host.
    fn failed(&self, what: &str, at: &Node, error: Error) -> Checked<()> {
        if !self.strict {
            return Ok(());
        }
        let inner = Diagnostic::from(error);
        let mut finding = Diagnostic::error(format!("{what}: {}", inner.message))
            .at(inner.origin.clone().unwrap_or_else(|| at.origin.clone()));
        finding.hints = inner.hints;
        Err(finding.hint("without `strict`, expressions that fail are left out").into())
    }

    fn keyed(&self, builder: &mut Builder, host: &str, keyed: &Keyed, templar: &Templar) -> Checked<()> {
        let Some(text) = text_of(&keyed.key) else {
            return self.refuse(&keyed.key, "the `key` of a keyed group must be a string");
        };
        let value = match templar.expression(&text) {
            Ok(value) => value,
            Err(e) => {
                return self.failed(
                    &format!("could not generate group for host {host} from {} entry", text.as_str()),
                    &keyed.key,
                    e,
                );
            }
        };
        let Some(names) = names(keyed, &value)? else {
            let words = format!("no key or key resulted empty for '{}' in host {host}, invalid entry", text.as_str());
            let finding = Diagnostic::error(words).at(keyed.origin.clone());
            return if self.strict { Err(finding.into()) } else { Ok(()) };
        };
        let bare = keyed.prefix.is_empty() && !self.leading_separator;
        let separator = if bare { "" } else { keyed.separator.as_str() };
        for name in names {
            let group = format!("{}{separator}{name}", keyed.prefix);
            let group = safe_name(&group);
            let parent = match &keyed.parent_group {
                None => None,
                Some(parent) => match templar.render(&Value::Str(parent.clone())) {
                    Ok(Value::Str(parent)) => Some(parent),
                    Ok(_) => continue,
                    Err(e) => {
                        self.failed(&format!("could not generate parent group for host {host}"), &keyed.key, e)?;
                        continue;
                    }
                },
            };
            self.join(builder, host, &group, &keyed.origin);
            if let Some(parent) = parent {
                let parent = safe_name(&parent);
                builder.add_group(&parent, &keyed.origin);
                builder.add_child(&parent, &group, &keyed.origin);
            }
        }
        Ok(())
    }
}

fn text_of(node: &Node) -> Option<Text> {
    node.as_str().map(|text| Text::template(text, Some(node.origin.clone())))
}

/// The names that a key's value gives, without the prefix; nothing when it is empty.
fn names(keyed: &Keyed, value: &Value) -> Checked<Option<Vec<String>>> {
    let empty = |value: &Value| value.is_null() || value.as_str() == Some("");
    let or_default = |value: &Value| match &keyed.default_value {
        Some(default) if empty(value) => default.clone(),
        _ => plain(value),
    };
    Ok(Some(match value {
        value if empty(value) => match &keyed.default_value {
            Some(default) => vec![default.clone()],
            None => return Ok(None),
        },
        value if value.truthy() == Some(false) => return Ok(None),
        Value::Str(text) => vec![text.as_str().to_owned()],
        Value::List(items) => items.iter().map(or_default).collect(),
        Value::Map(map) => map
            .iter()
            .map(|(key, value)| {
                if empty(value) && !keyed.trailing_separator {
                    key.to_string()
                } else {
                    format!("{key}{}{}", keyed.separator, or_default(value))
                }
            })
            .collect(),
        other => {
            let words = format!(
                "Invalid group name format, expected a string or a list of them or dictionary, got: {}",
                other.type_name()
            );
            return Err(Diagnostic::error(words)
                .at(keyed.origin.clone())
                .hint("make it text: `key: my_number | string`")
                .into());
        }
    }))
}
