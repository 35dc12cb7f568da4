//! `--tags` and `--skip-tags`.
//!
//! Source: "Tags" in Ansible's user guide: `always`, `never`, `tagged`, `untagged`, `all`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{CompiledPlay, CompiledTask};
use crate::model::{Text, Value};
use crate::template::{Engine, Templar};
use crate::vars::{Layer, Scope};

/// Evaluates tags that are templates, as far as what is written in the play tells; one that it
/// does not tell stays as it is written.
pub fn render(task: &mut CompiledTask, play: &CompiledPlay, filter: &TagFilter, engine: &Arc<Engine>) {
    if !task.tags.iter().any(|tag| tag.contains("{{")) {
        return;
    }
    let role = task.role.and_then(|role| play.roles.get(role));
    let layers = role.iter().flat_map(|role| [Arc::clone(&role.defaults), Arc::clone(&role.vars)]);
    let scope = Scope::builder().layers(play.vars.iter().cloned()).layers(layers).layers(task.vars.iter().cloned());
    let scope = scope.layers(filter.extra.clone());
    let templar = Templar::new(Arc::clone(engine), Arc::new(scope.build()));
    let mut tags = BTreeSet::new();
    for tag in std::mem::take(&mut task.tags) {
        let found = templar.render(&Value::Str(Text::template(tag.as_str(), None)));
        match found {
            Ok(Value::Str(text)) => tags.extend(text.split(',').map(|part| part.trim().to_owned())),
            Ok(Value::List(items)) => tags.extend(items.iter().filter_map(|i| i.as_str().map(str::to_owned))),
            _ => drop(tags.insert(tag)),
        }
    }
    task.tags = tags;
}

/// Which tasks are wanted, and what they must find.
#[derive(Debug, Clone, Default)]
pub struct TagFilter {
    only: BTreeSet<String>,
    skip: BTreeSet<String>,
    /// Whether a handler that is notified may be missing.
    lax: bool,
    /// What tags that are templates may read besides what the play says: `-e`.
    extra: Option<Arc<Layer>>,
}

impl TagFilter {
    /// From the values of `--tags` and `--skip-tags`; no `--tags` is `all`.
    pub fn new(only: impl IntoIterator<Item = String>, skip: impl IntoIterator<Item = String>) -> Self {
        let mut only: BTreeSet<String> = only.into_iter().collect();
        if only.is_empty() {
            only.insert("all".to_owned());
        }
        Self { only, skip: skip.into_iter().collect(), lax: false, extra: None }
    }

    /// Says that a handler that is notified may be missing (`error_on_missing_handler = false`).
    #[must_use]
    pub fn lax(mut self, lax: bool) -> Self {
        self.lax = lax;
        self
    }

    /// Lets tags that are templates read these variables.
    #[must_use]
    pub fn knowing(mut self, extra: &Arc<Layer>) -> Self {
        self.extra = Some(Arc::clone(extra));
        self
    }

    /// Whether each handler that is notified must be there.
    pub const fn needs_handlers(&self) -> bool {
        !self.lax
    }

    /// Whether a task with these tags runs.
    pub fn wants(&self, tags: &BTreeSet<String>) -> bool {
        let untagged = tags.is_empty();
        let has = |name: &str| tags.contains(name);
        let common = |set: &BTreeSet<String>| !set.is_disjoint(tags);
        let run = has("always")
            || self.only.contains("all") && !has("never")
            || common(&self.only)
            || self.only.contains("tagged") && !untagged && !has("never")
            || self.only.contains("untagged") && untagged;
        let skipped = if self.skip.contains("all") {
            !has("always") || self.skip.contains("always")
        } else if common(&self.skip) {
            true
        } else if self.skip.contains("tagged") {
            !untagged
        } else {
            self.skip.contains("untagged") && untagged
        };
        run && !skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(only: &[&str], skip: &[&str], tags: &[&str]) -> bool {
        let owned = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        TagFilter::new(owned(only), owned(skip)).wants(&owned(tags).into_iter().collect())
    }

    #[test]
    fn special_tags_mean_what_they_mean() {
        assert!(wants(&[], &[], &[]) && wants(&[], &[], &["a"]));
        assert!(!wants(&[], &[], &["never"]) && wants(&["never"], &[], &["never"]));
        assert!(wants(&["a"], &[], &["a", "never"]) && !wants(&["a"], &[], &["b"]));
        assert!(wants(&["a"], &[], &["always"]) && !wants(&["a"], &["always"], &["always"]));
        assert!(wants(&["tagged"], &[], &["x"]) && !wants(&["tagged"], &[], &[]));
        assert!(wants(&["untagged"], &[], &[]) && !wants(&["untagged"], &[], &["x"]));
        assert!(!wants(&[], &["tagged"], &["x"]) && !wants(&[], &["a"], &["a", "b"]));
    }
}
