//! What can be known to be wrong before a host is contacted: templates, lookups, and how
//! hosts are to be reached.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::settings::{port, unknown_connection, unknown_method};
use super::{Context, play};
use crate::compile::{CompiledPlay, CompiledTask, Section};
use crate::connection::Method;
use crate::diag::{Diagnostic, ExitCode};
use crate::model::{Map, Origin, Source, Text, Value};
use crate::playbook::Keywords;
use crate::vars::{Scope, Variables};

/// Keywords whose text is an expression without braces.
const CONDITIONS: [&str; 3] = ["changed_when", "failed_when", "until"];

/// Findings in the templates and conditions of plays (syntax, unknown filters, tests and
/// lookups), in template files, and in what is said of connections.
pub fn preflight(context: &Context, plays: &[Arc<CompiledPlay>]) -> Vec<Diagnostic> {
    let mut check = Check { context, findings: Vec::new() };
    check.options();
    for play in plays {
        check.reaching(&play.keywords);
        check.text(&play.title);
        play.hosts.iter().for_each(|h| check.text(h));
        play.vars.iter().for_each(|layer| check.map(layer.vars.values()));
        for role in &play.roles {
            check.map(role.defaults.vars.values());
            check.map(role.vars.vars.values());
        }
        play.tasks.iter().chain(&play.handlers).for_each(|task| check.task(play, task));
    }
    check.hosts(plays);
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
    context: &'a Context,
    findings: Vec<Diagnostic>,
}

impl Check<'_> {
    fn options(&mut self) {
        let options = &self.context.options.connection;
        let given = |text: &Option<String>| text.clone().map(Value::from).unwrap_or_default();
        let found = [connection(&given(&options.connection)), method(&given(&options.become_method))];
        self.findings.extend(found.into_iter().flatten().map(|finding| finding.exit(ExitCode::Options)));
        if let Some(path) = &options.key {
            self.key(path, None);
        }
    }

    /// Keywords that say how a host is reached.
    fn reaching(&mut self, keywords: &Keywords) {
        for (name, check) in [("connection", connection as Judge), ("become_method", method), ("port", number)] {
            let Some(setting) = keywords.get(name) else { continue };
            self.findings.extend(check(&setting.value).map(|finding| finding.at(setting.origin.clone())));
        }
    }

    /// Variables that say how the hosts of the plays are reached.
    fn hosts(&mut self, plays: &[Arc<CompiledPlay>]) {
        let mut seen = BTreeSet::new();
        let mut locked: Vec<Diagnostic> = Vec::new();
        for play in plays {
            // A pattern that cannot be evaluated yet is dealt with when its play begins.
            let Ok(hosts) = play::patterns(self.context, play) else { continue };
            let inventory = self.context.hosts.inventory();
            let limit = self.context.options.limit.as_deref();
            let Ok(selection) = inventory.select(&hosts.join(","), limit) else { continue };
            for host in selection.hosts.into_iter().filter(|host| seen.insert(host.clone())) {
                self.host(&host);
                locked.extend(self.context.hosts.now().locked(&host).into_iter().cloned());
            }
        }
        // What is encrypted for others, and for no host of this run, may stay so.
        for finding in self.context.hosts.now().all_locked().filter(|finding| !locked.contains(finding)) {
            let words = "no play is for its hosts: its variables are missing where others read them";
            self.findings.push(finding.clone().into_warning(words));
        }
        self.findings.extend(locked.into_iter().map(|finding| finding.exit(ExitCode::Parse)));
    }

    fn host(&mut self, host: &str) {
        let scope = Scope::builder().layers(self.context.hosts.layers(host)).build();
        let checks = [
            ("ansible_connection", connection as Judge),
            ("ansible_become_method", method),
            ("ansible_port", number),
            ("ansible_ssh_port", number),
        ];
        for (name, check) in checks {
            let Some(finding) = scope.get(name).and_then(|value| check(&value)) else { continue };
            self.findings.push(finding.at(scope.origin(name)));
        }
        for name in ["ansible_ssh_private_key_file", "ansible_private_key_file"] {
            let found = scope.get(name);
            if let Some(path) = found.as_ref().and_then(plain) {
                self.key(path, scope.origin(name));
            }
        }
    }

    /// A key that is not there: ssh goes on with others, so this is a warning.
    fn key(&mut self, path: &str, origin: Option<Origin>) {
        let full = std::path::PathBuf::from(super::settings::expand_home(path));
        if path.is_empty() || full.exists() {
            return;
        }
        let finding = Diagnostic::warning(format!("the private key {path} is not there")).at(origin);
        let finding = match crate::load::near_name(&full) {
            Some(near) => finding.hint(format!("did you mean `{}`?", full.with_file_name(near).display())),
            None => finding,
        };
        self.findings.push(finding.hint("ssh goes on with its other keys and the agent's"));
    }

    /// The file that a `template` task names, where that is plain and the file is there.
    fn template_file(&mut self, play: &CompiledPlay, task: &CompiledTask) {
        let args = &task.action.args;
        let usual = !args.keys().any(|key| key.as_str().is_some_and(|key| key.ends_with("_string")));
        let Some(src) = args.get("src").and_then(plain) else { return };
        if task.action.module.name != "template" || !usual || src.ends_with(".hbs") {
            return;
        }
        let role = task.role.and_then(|role| play.roles.get(role)).map(|role| &role.path);
        let roots: Vec<String> =
            role.into_iter().chain([&play.playbook_dir]).map(|root| root.to_string_lossy().into_owned()).collect();
        let Some(path) = self.context.outside.find("templates", src, &roots) else { return };
        let Ok(text) = std::fs::read_to_string(&path) else { return };
        let source = Source::new(path, text);
        let text = Text::template(source.text.as_str(), Some(Origin::new(&source, 1, 1)));
        self.findings.extend(self.context.engine.check_file(&text));
    }

    /// What is wrong with a task whose failure is dealt with is a warning: it fails in its turn.
    fn task(&mut self, play: &CompiledPlay, task: &CompiledTask) {
        self.form_of_loop(task);
        let before = self.findings.len();
        self.look_at(play, task);
        let ignored = task.keywords.value("ignore_errors").is_some_and(|v| crate::module::to_bool(v) != Some(false));
        let rescued = |(block, section): &(usize, Section)| {
            *section == Section::Main && play.rescued.get(*block).copied().unwrap_or(false)
        };
        if ignored || task.path.iter().any(rescued) {
            let own = self.findings.split_off(before);
            self.findings.extend(own.into_iter().map(|finding| finding.into_warning("this task is going to fail")));
        }
    }

    fn look_at(&mut self, play: &CompiledPlay, task: &CompiledTask) {
        self.reaching(&task.keywords);
        self.template_file(play, task);
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

    /// A form of loop that is not there is a keyword that is none: no handling of errors helps.
    fn form_of_loop(&mut self, task: &CompiledTask) {
        let Some((looped, name)) = task.looped.as_ref().and_then(|l| Some((l, l.lookup.as_ref()?))) else { return };
        let unknown = self.context.engine.check_lookup(name);
        let origin = above(&looped.setting.origin, &format!("with_{name}"));
        self.findings.extend(unknown.map(|finding| {
            let message = format!("'with_{name}' is not a valid attribute for a Task");
            let hints = finding.hints.iter().map(|hint| hint.replacen('`', "`with_", 1)).collect();
            Diagnostic { message, hints, ..finding }.at(origin)
        }));
    }

    fn conditions(&mut self, value: Option<&Value>) {
        match value {
            Some(Value::Str(text)) => self.findings.extend(self.context.engine.check_expression(text)),
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
        self.findings.extend(self.context.engine.check(text));
    }
}

/// What is wrong with a plain value, if anything; a template is looked at when it is rendered.
type Judge = fn(&Value) -> Option<Diagnostic>;

fn has_template(value: &Value) -> bool {
    matches!(value, Value::Str(text) if text.is_template())
}

fn plain(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !has_template(value) && !text.is_empty())
}

fn connection(value: &Value) -> Option<Diagnostic> {
    let name = plain(value)?;
    let short = name.rsplit('.').next().unwrap_or(name);
    (!super::settings::CONNECTIONS.contains(&short)).then(|| unknown_connection(name))
}

fn method(value: &Value) -> Option<Diagnostic> {
    plain(value).filter(|name| Method::parse(name).is_none()).map(unknown_method)
}

fn number(value: &Value) -> Option<Diagnostic> {
    plain(value).and_then(|text| port(text).err())
}

/// Where `key` stands: on the line of its value or on one above.
fn above(value: &Origin, key: &str) -> Option<Origin> {
    let lines: Vec<&str> = value.source.text.lines().take(usize::try_from(value.at.line).ok()?).collect();
    let (index, column) = lines.iter().enumerate().rev().find_map(|(i, line)| Some((i, line.find(key)?)))?;
    Some(Origin::new(&value.source, u32::try_from(index + 1).ok()?, u32::try_from(column + 1).ok()?))
}
