//! Inventories in TOML form: a table for each group, with `hosts`, `children` and `vars`.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Builder, yaml};
use crate::diag::Diagnostic;
use crate::model::{Origin, Source};
use crate::yaml::{Node, NodeKind, Scalar, Style};

/// Reads a source into the builder; findings stay with the builder.
pub(super) fn parse(builder: &mut Builder, source: &Arc<Source>) {
    let places = Places::new(source);
    let table = match DeTable::parse(&source.text) {
        Ok(table) => table,
        Err(error) => {
            let origin = error.span().map_or_else(|| Origin::new(source, 1, 1), |span| places.at(&span));
            builder.errors.push(Diagnostic::error(format!("this is no TOML: {}", error.message())).at(origin));
            return;
        }
    };
    if let Some((key, _)) = table.get_ref().get_key_value("plugin") {
        builder.errors.push(
            Diagnostic::error("this configures a plugin, and is no inventory in TOML")
                .at(places.at(&key.span()))
                .hint("plugins are configured in YAML: `plugin: constructed` in a file that ends in .yml"),
        );
        return;
    }
    for (name, body) in table.get_ref() {
        group(builder, &places.key(name), &places.node(body));
    }
}

/// A group's table. In TOML `children` are a list of names; all groups are tables of the file.
fn group(builder: &mut Builder, name: &Node, body: &Node) {
    let group_name = name.as_str().unwrap_or_default();
    let Some(sections) = body.as_map() else {
        builder.warnings.push(
            Diagnostic::warning(format!("`{group_name}` is no group, and is ignored: it is {}", body.describe()))
                .at(name.origin.clone())
                .hint(format!("a group is a table: `[{group_name}.hosts]`")),
        );
        return;
    };
    builder.add_group(group_name, &name.origin);
    for (section, content) in sections {
        match section.as_str() {
            Some("children") => match content.as_seq() {
                Some(children) => {
                    for child in children {
                        let Some(child_name) = child.as_str() else {
                            wrong(builder, "the name of a child group", "a string", child);
                            continue;
                        };
                        builder.add_group(child_name, &child.origin);
                        builder.add_child(group_name, child_name, &child.origin);
                    }
                }
                None => wrong(builder, &format!("`children` of `{group_name}`"), "a list of names", content),
            },
            Some(known @ ("hosts" | "vars")) if content.as_map().is_none() => {
                wrong(builder, &format!("`{known}` of `{group_name}`"), "a table", content);
            }
            _ => yaml::section(builder, group_name, section, content),
        }
    }
}

fn wrong(builder: &mut Builder, what: &str, wanted: &str, found: &Node) {
    let message = format!("{what} must be {wanted}, and this is {}", found.describe());
    builder.errors.push(Diagnostic::error(message).at(found.origin.clone()));
}

/// Lines and columns of byte offsets.
struct Places<'a> {
    source: &'a Arc<Source>,
    /// Where each line starts.
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    fn new(source: &'a Arc<Source>) -> Self {
        let after = source.text.match_indices('\n').map(|(at, _)| at + 1);
        Self { source, lines: std::iter::once(0).chain(after).collect() }
    }

    fn at(&self, span: &Range<usize>) -> Origin {
        let line = self.lines.partition_point(|start| *start <= span.start).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let column = self.source.text.get(start..span.start).map_or(0, |text| text.chars().count()) + 1;
        Origin::new(self.source, u32::try_from(line).unwrap_or(1), u32::try_from(column).unwrap_or(1))
    }

    fn text(&self, text: &str, span: &Range<usize>) -> Node {
        let scalar = Scalar { text: Arc::from(text), style: Style::Double, is_unsafe: false };
        Node { origin: self.at(span), kind: NodeKind::Str(scalar) }
    }

    fn key(&self, key: &Spanned<std::borrow::Cow<'_, str>>) -> Node {
        self.text(key.get_ref(), &key.span())
    }

    /// The node that a value would be in YAML. Dates become text.
    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let kind = match value.get_ref() {
            DeValue::String(text) => return self.text(text, &value.span()),
            DeValue::Integer(n) => match i128::from_str_radix(n.as_str(), n.radix()) {
                Ok(n) => NodeKind::Int(n),
                Err(_) => return self.text(n.as_str(), &value.span()),
            },
            DeValue::Float(f) => NodeKind::Float(f.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(b) => NodeKind::Bool(*b),
            DeValue::Datetime(date) => return self.text(&date.to_string(), &value.span()),
            DeValue::Array(items) => NodeKind::Seq(items.iter().map(|item| self.node(item)).collect()),
            DeValue::Table(table) => {
                NodeKind::Map(table.iter().map(|(key, value)| (self.key(key), self.node(value))).collect())
            }
        };
        Node { origin: self.at(&value.span()), kind }
    }
}
