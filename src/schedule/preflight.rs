//! What can be known to be wrong with templates before a host is contacted.

use crate::compile::{CompiledPlay, CompiledTask};
use crate::diag::Diagnostic;
use crate::model::{Map, Text, Value};
use crate::template::Engine;

/// Keywords whose text is an expression without braces.
const CONDITIONS: [&str; 3] = ["changed_when", "failed_when", "until"];

/// Findings in the templates and conditions of plays: syntax, unknown filters and tests.
pub fn preflight(engine: &Engine, plays: &[CompiledPlay]) -> Vec<Diagnostic> {
    let mut check = Check { engine, findings: Vec::new() };
    for play in plays {
        check.text(&play.title);
        play.hosts.iter().for_each(|h| check.text(h));
        play.vars.iter().for_each(|layer| check.map(layer.vars.values()));
        for role in &play.roles {
            check.map(role.defaults.vars.values());
            check.map(role.vars.vars.values());
        }
        play.tasks.iter().chain(&play.handlers).for_each(|task| check.task(task));
    }
    let mut findings: Vec<Diagnostic> = Vec::new();
    for finding in check.findings {
        // A role that is used twice is checked twice.
        if !findings.contains(&finding) {
            findings.push(finding);
        }
    }
    findings
}

struct Check<'a> {
    engine: &'a Engine,
    findings: Vec<Diagnostic>,
}

impl Check<'_> {
    fn task(&mut self, task: &CompiledTask) {
        self.map(&task.action.args);
        if task.action.module.name == "assert" {
            self.conditions(task.action.args.get("that"));
        }
        task.when.iter().for_each(|c| self.conditions(Some(c)));
        task.vars.iter().for_each(|layer| self.map(layer.vars.values()));
        task.environment.iter().for_each(|e| self.value(e));
        if let Some(looped) = &task.looped {
            self.value(&looped.setting.value);
        }
        for (name, setting) in task.keywords.iter() {
            if CONDITIONS.contains(&name) {
                self.conditions(Some(&setting.value));
            } else if name != "when" {
                self.value(&setting.value);
            }
        }
    }

    fn conditions(&mut self, value: Option<&Value>) {
        match value {
            Some(Value::Str(text)) => self.findings.extend(self.engine.check_expression(text)),
            Some(Value::List(items)) => items.iter().for_each(|item| self.conditions(Some(item))),
            _ => {}
        }
    }

    fn map(&mut self, map: &Map) {
        map.values().for_each(|value| self.value(value));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Str(text) => self.text(text),
            Value::List(items) => items.iter().for_each(|item| self.value(item)),
            Value::Map(map) => self.map(map),
            _ => {}
        }
    }

    fn text(&mut self, text: &Text) {
        self.findings.extend(self.engine.check(text));
    }
}
