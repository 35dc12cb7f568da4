//! Variables whose names are keywords of the language, or functions of templates.
//!
//! They work, but who reads them is easily misled. Source: "Creating valid variable names" in
//! Ansible's user guide; ansible-core warns about the same names.

use std::collections::BTreeSet;

use super::{CompiledPlay, CompiledTask};
use crate::diag::Diagnostic;
use crate::model::{Origin, Value, Vars};
use crate::module::{ControllerTask, Run};
use crate::playbook::KEYWORDS;
use crate::vars::Layer;

/// Names that templates have by themselves.
const FUNCTIONS: &[&str] =
    &["cycler", "dict", "joiner", "lipsum", "lookup", "namespace", "now", "omit", "q", "query", "range", "undef"];

/// Keywords that ansible-core lets pass.
const FREE: &[&str] = &["gather_subset", "listen", "validate_argspec", "vars"];

fn is_reserved(name: &str) -> bool {
    let keyword = KEYWORDS.iter().any(|k| k.name == name) && !FREE.contains(&name);
    keyword || FUNCTIONS.contains(&name)
}

/// Warnings about reserved names, each place once.
#[derive(Debug, Default)]
pub struct Reserved {
    seen: BTreeSet<(String, String)>,
    warnings: Vec<Diagnostic>,
}

impl Reserved {
    /// Looks at the variables of one source.
    pub fn vars(&mut self, vars: &Vars) {
        for (name, _) in vars.values().iter() {
            self.name(&name.to_string(), vars.origin(&name.to_string()));
        }
    }

    /// Looks at what a play sets.
    pub fn play(&mut self, play: &CompiledPlay) {
        self.layers(&play.vars);
        for role in &play.roles {
            self.vars(&role.defaults.vars);
            self.vars(&role.vars.vars);
        }
        play.tasks.iter().chain(&play.handlers).for_each(|task| self.task(task));
    }

    /// Looks at what a task sets.
    pub fn task(&mut self, task: &CompiledTask) {
        self.layers(&task.vars);
        if let Some(setting) = task.keywords.get("register")
            && let Value::Str(name) = &setting.value
        {
            self.name(name.as_str(), Some(&setting.origin));
        }
        if matches!(task.action.module.run, Run::Controller(ControllerTask::SetFact)) {
            task.action.args.iter().for_each(|(name, _)| self.name(&name.to_string(), Some(&task.action.origin)));
        }
    }

    /// The warnings.
    pub fn into_warnings(self) -> Vec<Diagnostic> {
        self.warnings
    }

    fn layers<'a>(&mut self, layers: impl IntoIterator<Item = &'a std::sync::Arc<Layer>>) {
        layers.into_iter().for_each(|layer| self.vars(&layer.vars));
    }

    fn name(&mut self, name: &str, origin: Option<&Origin>) {
        let place = origin.map(ToString::to_string).unwrap_or_default();
        if !is_reserved(name) || !self.seen.insert((name.to_owned(), place)) {
            return;
        }
        let warning = Diagnostic::warning(format!("Found variable using reserved name '{name}'."));
        self.warnings.push(match origin {
            Some(origin) => warning.at(origin.clone()),
            None => warning,
        });
    }
}
