//! `plugin: generator`: a host for every combination of the values of its layers.

use std::sync::Arc;

use super::options::{Options, options, plain};
use crate::diag::{Checked, Diagnostic};
use crate::inventory::Builder;
use crate::model::{Origin, Text, Value, Vars};
use crate::template::{Engine, Templar};
use crate::vars::{Layer, Level, Scope};
use crate::yaml::Node;

/// No configuration means more hosts than this.
const MAX_HOSTS: usize = 100_000;
/// Parents of parents end here; they are written out, so no person comes near.
const MAX_DEPTH: usize = 50;

/// Adds all hosts of a configuration.
///
/// # Errors
/// Options that are missing or of the wrong type; templates that fail.
pub(super) fn parse(builder: &mut Builder, engine: &Arc<Engine>, document: &Node) -> Checked<()> {
    let top = options(builder, document, &["plugin", "hosts", "layers"])?;
    let (hosts, layers) = (needed(&top, "hosts", document)?, top.entries("layers")?);
    needed(&top, "layers", document)?;
    let mut axes: Vec<(&str, Vec<Value>)> = Vec::new();
    for (name, values) in &layers {
        let Some(items) = values.as_seq() else {
            return Err(Diagnostic::error(format!(
                "a layer must be a list of values, and this is {}",
                values.describe()
            ))
            .at(values.origin.clone())
            .into());
        };
        let values = items.iter().map(Node::to_value).collect::<Checked<Vec<_>>>()?;
        axes.push((name.as_str().unwrap_or_default(), values));
    }
    let count = axes.iter().try_fold(1usize, |n, (_, values)| n.checked_mul(values.len()));
    if count.is_none_or(|n| n > MAX_HOSTS) {
        let message = format!("the layers combine to more than {MAX_HOSTS} hosts");
        return Err(Diagnostic::error(message).at(document.origin.clone()).into());
    }
    let pattern = options(builder, hosts, &["name", "parents"])?;
    for at in 0..count.unwrap_or(0) {
        let templar = Templar::new(Arc::clone(engine), Arc::new(combination(&axes, at)));
        let name = needed(&pattern, "name", hosts)?;
        let host = render(&templar, name)?;
        let mut made = Maker { builder, templar: &templar };
        made.builder.add_host(&host, None, crate::inventory::UNGROUPED, &name.origin);
        made.parents(&host, &pattern, true, 0)?;
    }
    Ok(())
}

fn needed<'n>(options: &Options<'n>, name: &str, at: &Node) -> Checked<&'n Node> {
    options.get(name).ok_or_else(|| {
        Diagnostic::error(format!("a configuration of `generator` needs `{name}`")).at(at.origin.clone()).into()
    })
}

/// The values of the layers for host number `at`; those of the last layer change fastest.
fn combination(axes: &[(&str, Vec<Value>)], at: usize) -> Scope {
    let mut rest = at;
    let mut vars = Vars::new();
    for (name, values) in axes.iter().rev() {
        let len = values.len().max(1);
        if let Some(value) = values.get(rest % len) {
            vars.set(name, value.clone(), None);
        }
        rest /= len;
    }
    Scope::builder().layer(Layer::new(Level::Loop, "layers", vars)).build()
}

fn render(templar: &Templar, node: &Node) -> Checked<String> {
    let Some(text) = node.as_str() else {
        return Err(Diagnostic::error(format!("a name must be a string, and this is {}", node.describe()))
            .at(node.origin.clone())
            .into());
    };
    let text = Text::template(text, Some(node.origin.clone()));
    match templar.render(&Value::Str(text)) {
        Ok(value) => Ok(plain(&value)),
        Err(error) => Err(Diagnostic::from(error).into()),
    }
}

struct Maker<'a> {
    builder: &'a mut Builder,
    templar: &'a Templar,
}

impl Maker<'_> {
    /// The parents of a host or group, and theirs.
    fn parents(&mut self, child: &str, of: &Options, is_host: bool, depth: usize) -> Checked<()> {
        for parent in of.list("parents")? {
            let inner = options(self.builder, parent, &["name", "parents", "vars"])?;
            let Some(name) = inner.get("name").filter(|_| depth < MAX_DEPTH) else {
                return Err(Diagnostic::error(format!("Element {child} has a parent with no name."))
                    .at(parent.origin.clone())
                    .into());
            };
            let group = render(self.templar, name)?;
            let at: &Origin = &name.origin;
            self.builder.add_group(&group, at);
            for (key, value) in inner.entries("vars")? {
                let value_at = value.origin.clone();
                // What the layers do not define may be known when the variable is used.
                let written = value.to_value()?;
                let value = self.templar.render(&written).unwrap_or(written);
                self.builder.set_group_var(&group, key.as_str().unwrap_or_default(), value, &value_at);
            }
            self.parents(&group, &inner, false, depth + 1)?;
            if is_host {
                self.builder.add_host(child, None, &group, at);
            } else {
                self.builder.add_child(&group, child, at);
            }
        }
        Ok(())
    }
}
