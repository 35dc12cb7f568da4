//! Which variables a template reads: what links a task to those that set them.

use std::collections::BTreeSet;

use minijinja::machinery::ast::{Call, CallArg, Expr};

use super::engine::Engine;
use super::file::TemplateOptions;
use super::ir::Template;
use crate::model::{Text, Value};

/// The variables that something reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reads {
    /// Their names.
    pub names: BTreeSet<String>,
    /// Whether it may read others besides: `lookup('vars', name)`, an included template.
    pub any: bool,
}

impl Reads {
    /// Adds what something else reads.
    pub fn add(&mut self, other: Self) {
        self.names.extend(other.names);
        self.any |= other.any;
    }
}

impl From<&Template> for Reads {
    fn from(template: &Template) -> Self {
        Self { names: template.reads.iter().map(ToString::to_string).collect(), any: template.reads_any }
    }
}

impl Engine {
    /// What the templates in a value read when all of it is evaluated; nothing for those
    /// that cannot be compiled.
    pub fn reads(&self, value: &Value) -> Reads {
        match value {
            Value::Str(text) if text.is_template() => self.template(text).map(|t| Reads::from(&*t)).unwrap_or_default(),
            Value::List(items) => self.reads_of_all(items.iter()),
            Value::Map(map) => self.reads_of_all(map.values()),
            _ => Reads::default(),
        }
    }

    fn reads_of_all<'v>(&self, values: impl Iterator<Item = &'v Value>) -> Reads {
        let mut reads = Reads::default();
        values.for_each(|value| reads.add(self.reads(value)));
        reads
    }

    /// What conditions (`when`, `until` …) read: one, or a list of them.
    pub fn condition_reads(&self, value: &Value) -> Reads {
        match value {
            Value::Str(text) if !text.is_template() => self.bare(text).map(|t| Reads::from(&*t)).unwrap_or_default(),
            Value::List(items) => {
                let mut reads = Reads::default();
                items.iter().for_each(|item| reads.add(self.condition_reads(item)));
                reads
            }
            other => self.reads(other),
        }
    }

    /// What a template file reads. `src` and `roots` are as for `Outside::find`; nothing is
    /// known of a file that is not found, and of one that cannot be compiled.
    pub fn file_reads(&self, src: &str, roots: &[String]) -> Option<Reads> {
        let path = self.outside.find("templates", src, roots)?;
        let text = String::from_utf8(self.outside.read_file(&path).ok()?.0).ok()?;
        let mut options = TemplateOptions::default();
        let normal = text.replace("\r\n", "\n");
        let body = options.header(&normal).ok()?;
        let template = options.files().ok()?.compile(self, &Text::template(body, None)).ok()?;
        Some(Reads::from(&*template))
    }
}

/// Whether an expression reads a variable of its own host by its name (`vars.x`,
/// `hostvars[inventory_hostname]['x']`); `Some(None)` when it may be any.
pub(super) fn by_name<'e>(expr: &'e Expr<'_>) -> Option<Option<&'e str>> {
    match expr {
        Expr::GetAttr(a) if own_variables(&a.expr) => Some(Some(a.name)),
        Expr::GetItem(i) if own_variables(&i.expr) => match &i.subscript_expr {
            Expr::Const(c) => Some(c.value.as_str()),
            // The name is an expression, which reads variables in its turn: `vars` counts as read.
            _ => None,
        },
        _ if is_own_hostvars(expr) => Some(None),
        _ => None,
    }
}

fn own_variables(expr: &Expr<'_>) -> bool {
    matches!(expr, Expr::Var(v) if v.id == "vars") || is_own_hostvars(expr)
}

fn is_own_hostvars(expr: &Expr<'_>) -> bool {
    let var = |expr: &Expr<'_>, name: &str| matches!(expr, Expr::Var(v) if v.id == name);
    matches!(expr, Expr::GetItem(i) if var(&i.expr, "hostvars") && var(&i.subscript_expr, "inventory_hostname"))
}

/// Whether a call is one of a lookup.
pub(super) fn is_lookup(call: &Call<'_>) -> bool {
    matches!(&call.expr, Expr::Var(v) if matches!(v.id, "lookup" | "query" | "q"))
}

/// The variables that a call reads as a lookup, by names in its arguments; nothing when
/// they cannot be listed.
pub(super) fn by_lookup<'e>(call: &'e Call<'_>) -> Option<Vec<&'e str>> {
    if !is_lookup(call) {
        return Some(Vec::new());
    }
    let mut positional = call.args.iter().filter_map(|arg| match arg {
        CallArg::Pos(Expr::Const(c)) => Some(c.value.as_str()),
        CallArg::Kwarg(..) => None,
        _ => Some(None),
    });
    let name = positional.next()??;
    match name.rsplit('.').next().unwrap_or(name) {
        "vars" => positional.collect(),
        "varnames" | "template" | "merge_variables" => None,
        _ => Some(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::template::NoOutside;

    fn engine() -> Engine {
        Engine::new(Arc::new(NoOutside))
    }

    fn names(reads: Reads) -> (Vec<String>, bool) {
        (reads.names.into_iter().collect(), reads.any)
    }

    fn reads(text: &str) -> (Vec<String>, bool) {
        names(engine().reads(&Value::Str(Text::template(text, None))))
    }

    fn named(list: &[&str]) -> (Vec<String>, bool) {
        (list.iter().map(|n| (*n).to_owned()).collect(), false)
    }

    #[test]
    fn names_that_a_template_sets_itself_are_not_read() {
        let text = "{% for h in hosts %}{{ h }}{{ port }}{% endfor %}{% set z = 1 %}{{ z }}";
        assert_eq!(reads(text), named(&["hosts", "port"]));
        assert_eq!(reads("{% macro m(a) %}{{ a }}{{ b }}{% endmacro %}{{ m(c) }}"), named(&["b", "c"]));
        assert_eq!(reads("plain text: a"), named(&[]));
    }

    #[test]
    fn all_parts_of_a_value_and_of_a_condition_are_read() {
        let text = |t: &str| Value::Str(Text::template(t, None));
        let value = Value::list([
            text("{{ a }}"),
            Value::from([("k", text("{{ b.c }}"))].into_iter().collect::<crate::model::Map>()),
        ]);
        assert_eq!(names(engine().reads(&value)), named(&["a", "b"]));
        let conditions = Value::list([text("r.rc == 0 and x is defined"), text("{{ y }}"), Value::from(true)]);
        assert_eq!(names(engine().condition_reads(&conditions)), named(&["r", "x", "y"]));
        assert_eq!(names(engine().condition_reads(&text("r ==="))), named(&[]), "what is malformed reads nothing");
    }

    #[test]
    fn own_variables_are_read_by_name() {
        assert_eq!(reads("{{ vars.a }}{{ vars['b'].c }}"), named(&["a", "b"]));
        assert_eq!(reads("{{ hostvars[inventory_hostname].a }}"), named(&["a"]));
        assert_eq!(reads("{{ hostvars[inventory_hostname]['a'] | default(b) }}"), named(&["a", "b"]));
        assert_eq!(reads("{{ hostvars['other'].a }}"), named(&["hostvars"]));
        assert_eq!(reads("{{ lookup('vars', 'a', 'b', default=c) }}"), named(&["a", "b", "c", "lookup"]));
    }

    #[test]
    fn what_cannot_be_listed_is_said_to_be_any() {
        let texts = [
            "{{ vars[name] }}",
            "{{ vars }}",
            "{{ hostvars[inventory_hostname][name] }}",
            "{{ lookup('vars', name) }}",
            "{{ query(kind, 'x') }}",
            "{{ lookup('template', 'x.j2') }}",
            "{% include 'x.j2' %}",
        ];
        for text in texts {
            assert!(reads(text).1, "{text}");
        }
        assert!(!reads("{{ lookup('file', name) }}{{ f(name) }}").1);
    }
}
