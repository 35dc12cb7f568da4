//! The keywords of plays, roles, blocks, tasks and handlers, and their values.
//!
//! Source: "Playbook Keywords" of ansible-core 2.19's documentation.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::parse::Findings;
use crate::diag::Diagnostic;
use crate::model::{Origin, Value, Vars};
use crate::yaml::{Node, NodeKind};

/// Where a keyword stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A play.
    Play,
    /// An entry of `roles:` or of a role's dependencies.
    Role,
    /// A block.
    Block,
    /// A task.
    Task,
    /// A handler.
    Handler,
}

impl Place {
    const fn bit(self) -> u8 {
        match self {
            Self::Play => P,
            Self::Role => R,
            Self::Block => B,
            Self::Task => T,
            Self::Handler => H,
        }
    }

    /// The word for it in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Play => "Play",
            Self::Role => "Role",
            Self::Block => "Block",
            Self::Task => "Task",
            Self::Handler => "Handler",
        }
    }
}

const P: u8 = 1;
const R: u8 = 2;
const B: u8 = 4;
const T: u8 = 8;
const H: u8 = 16;
const ALL: u8 = P | R | B | T | H;
const TASKS: u8 = T | H;
const BELOW: u8 = R | B | T | H;

/// What values a keyword takes, as far as that can be told before templates are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A truth value or a template.
    Bool,
    /// A whole number or a template.
    Int,
    /// A number or a template.
    Number,
    /// A string.
    Str,
    /// A string or a list of strings.
    Strs,
    /// A condition: string, truth value, or a list of them.
    Conditions,
    /// A mapping.
    Map,
    /// A mapping or a list of mappings.
    Maps,
    /// A list.
    List,
    /// Anything.
    Any,
}

/// A keyword: where it may stand, what it takes, whether it is built.
pub struct Keyword {
    /// Its name.
    pub name: &'static str,
    places: u8,
    takes: Takes,
    built: bool,
}

const fn k(name: &'static str, places: u8, takes: Takes) -> Keyword {
    Keyword { name, places, takes, built: true }
}

const fn not_built(name: &'static str, places: u8) -> Keyword {
    Keyword { name, places, takes: Takes::Any, built: false }
}

/// All keywords. Those that carry structure (`tasks`, `block`, …) are read elsewhere.
pub static KEYWORDS: &[Keyword] = &[
    k("action", TASKS, Takes::Any),
    k("always", B, Takes::List),
    k("any_errors_fatal", ALL, Takes::Bool),
    k("args", TASKS, Takes::Any),
    k("async", TASKS, Takes::Int),
    k("become", ALL, Takes::Bool),
    k("become_exe", ALL, Takes::Str),
    k("become_flags", ALL, Takes::Str),
    k("become_method", ALL, Takes::Str),
    k("become_user", ALL, Takes::Str),
    k("block", B, Takes::List),
    k("changed_when", TASKS, Takes::Conditions),
    k("check_mode", ALL, Takes::Bool),
    k("collections", ALL, Takes::Strs),
    k("connection", ALL, Takes::Str),
    not_built("debugger", ALL),
    k("delay", TASKS, Takes::Number),
    k("delegate_facts", BELOW, Takes::Bool),
    k("delegate_to", BELOW, Takes::Str),
    k("diff", ALL, Takes::Bool),
    k("environment", ALL, Takes::Maps),
    k("fact_path", P, Takes::Str),
    k("failed_when", TASKS, Takes::Conditions),
    k("force_handlers", P, Takes::Bool),
    k("gather_facts", P, Takes::Bool),
    k("gather_subset", P, Takes::Strs),
    k("gather_timeout", P, Takes::Int),
    k("handlers", P, Takes::List),
    k("hosts", P, Takes::Strs),
    k("ignore_errors", ALL, Takes::Bool),
    k("ignore_unreachable", ALL, Takes::Bool),
    k("listen", H, Takes::Strs),
    k("local_action", TASKS, Takes::Any),
    k("loop", TASKS, Takes::Any),
    k("loop_control", TASKS, Takes::Map),
    k("max_fail_percentage", P, Takes::Number),
    k("module_defaults", ALL, Takes::Maps),
    k("name", ALL, Takes::Str),
    k("no_log", ALL, Takes::Bool),
    k("notify", B | TASKS, Takes::Strs),
    k("order", P, Takes::Str),
    k("poll", TASKS, Takes::Int),
    k("port", ALL, Takes::Int),
    k("post_tasks", P, Takes::List),
    k("pre_tasks", P, Takes::List),
    k("register", TASKS, Takes::Str),
    k("remote_user", ALL, Takes::Str),
    k("rescue", B, Takes::List),
    k("retries", TASKS, Takes::Int),
    k("roles", P, Takes::List),
    k("run_once", ALL, Takes::Bool),
    k("serial", P, Takes::Any),
    k("strategy", P, Takes::Str),
    k("tags", ALL, Takes::Strs),
    k("tasks", P, Takes::List),
    k("throttle", ALL, Takes::Int),
    k("timeout", ALL, Takes::Int),
    k("until", TASKS, Takes::Conditions),
    not_built("validate_argspec", P),
    k("vars", ALL, Takes::Map),
    k("vars_files", P, Takes::Any),
    k("vars_prompt", P, Takes::Maps),
    k("when", BELOW, Takes::Conditions),
];

/// The keyword with this name, where it may stand.
pub(super) fn find(name: &str, place: Place) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|k| k.name == name && k.places & place.bit() != 0)
}

/// Names of the keywords that may stand at a place.
pub(super) fn names(place: Place) -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().filter(move |k| k.places & place.bit() != 0).map(|k| k.name)
}

/// A keyword's value and where the keyword stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The value, templates not rendered.
    pub value: Value,
    /// Where the value stands.
    pub origin: Origin,
    /// What holds where the value turns out to be left out (`omit`): the same keyword further out.
    pub outer: Option<Arc<Setting>>,
    /// Of `vars`: the variables with their places.
    pub vars: Option<Arc<Vars>>,
}

impl Setting {
    /// A value that stands at a place.
    pub const fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin, outer: None, vars: None }
    }
}

/// The keywords that were given at one place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keywords(BTreeMap<&'static str, Setting>);

impl Keywords {
    /// The setting of a keyword.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.0.get(name)
    }

    /// The value of a keyword.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.get(name).map(|s| &s.value)
    }

    /// The value of a keyword, then those that hold in turn where one is left out.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &Value> {
        std::iter::successors(self.get(name), |setting| setting.outer.as_deref()).map(|setting| &setting.value)
    }

    /// Sets a keyword.
    pub fn set(&mut self, name: &'static str, mut setting: Setting) {
        let may_be_left_out = setting.value.as_str().is_some_and(|text| text.contains("omit"));
        if may_be_left_out && let Some(outer) = self.0.remove(name) {
            setting.outer = Some(Arc::new(outer));
        }
        self.0.insert(name, setting);
    }

    /// All that were given.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Setting)> {
        self.0.iter().map(|(name, setting)| (*name, setting))
    }

    /// Reads one entry of a mapping at `place`. `false` when the key is no keyword.
    pub(super) fn read(&mut self, key: &Node, value: &Node, place: Place, findings: &mut Findings) -> bool {
        let Some(keyword) = key.as_str().and_then(|name| find(name, place)) else {
            return false;
        };
        if keyword.name == "debugger" {
            debugger(key, value, place, findings);
            return true;
        }
        if !keyword.built {
            findings.push(
                Diagnostic::error(format!("`{}` is not supported yet", keyword.name))
                    .at(key.origin.clone())
                    .label(format!("keyword of a {}", place.name())),
            );
            return true;
        }
        keyword.check(value, findings);
        match keyword.name {
            "loop_control" => loop_control(value, findings),
            "vars_prompt" => prompts(value, findings),
            "module_defaults" => defaults(value, findings),
            "register" => name_of_variable(value, findings),
            "vars" => value.as_map().unwrap_or_default().iter().for_each(|(key, _)| name_of_variable(key, findings)),
            _ => {}
        }
        if let Some(data) = findings.take(value.to_value()) {
            let vars = (keyword.name == "vars").then(|| value.to_vars().ok().map(Arc::new)).flatten();
            self.0.insert(keyword.name, Setting { vars, ..Setting::new(data, value.origin.clone()) });
        }
        true
    }
}

impl Keyword {
    fn check(&self, value: &Node, findings: &mut Findings) {
        if value.is_null() {
            return;
        }
        let wanted = match self.takes {
            Takes::Bool if !is_bool(value) => "a truth value",
            Takes::Int if !is_int(value) => "a whole number",
            Takes::Number if !(is_int(value) || matches!(value.kind, NodeKind::Float(_))) => "a number",
            Takes::Str if !is_scalar(value) => "a string",
            Takes::Strs if !one_or_list(value, is_scalar) => "a string or a list of strings",
            Takes::Conditions if !one_or_list(value, is_scalar) => "a condition or a list of conditions",
            Takes::Map if value.as_map().is_none() => "a mapping",
            Takes::Maps if !(one_or_list(value, |n| n.as_map().is_some() || is_template(n))) => "a mapping",
            Takes::List if value.as_seq().is_none() => "a list",
            _ => return,
        };
        findings.push(
            Diagnostic::error(format!("`{}` takes {wanted}, not {}", self.name, value.describe()))
                .at(value.origin.clone()),
        );
    }
}

/// Nobody is asked what to do while a run is under way; `never` asks for nothing else.
fn debugger(key: &Node, value: &Node, place: Place, findings: &mut Findings) {
    if value.is_null() || value.as_str() == Some("never") {
        return;
    }
    findings.push(
        Diagnostic::error("`debugger` is not supported: rplay has no debugger of tasks")
            .at(key.origin.clone())
            .label(format!("keyword of a {}", place.name()))
            .hint("`--step` asks before each task, `--start-at-task` begins at one, `-vvv` shows what came back"),
    );
}

/// What `loop_control` may hold.
const LOOP_CONTROL: &[&str] =
    &["break_when", "extended", "extended_allitems", "index_var", "label", "loop_var", "parallel", "pause"];

fn loop_control(value: &Node, findings: &mut Findings) {
    for (key, _) in value.as_map().unwrap_or_default() {
        let name = key.as_str().unwrap_or_default();
        if !LOOP_CONTROL.contains(&name) {
            findings.push(
                Diagnostic::error(format!("'{name}' is not a valid attribute for a LoopControl"))
                    .at(key.origin.clone())
                    .label("unknown keyword")
                    .suggest(name, LOOP_CONTROL.iter().copied()),
            );
        }
    }
}

fn defaults(value: &Node, findings: &mut Findings) {
    for level in value.as_seq().unwrap_or(std::slice::from_ref(value)) {
        if is_template(level) {
            findings.push(
                Diagnostic::error("the keys of `module_defaults` must be static action, module, or group names")
                    .at(level.origin.clone())
                    .hint("only the values may be templates: `{copy: \"{{ copy_defaults }}\"}`"),
            );
        }
        for (key, _) in level.as_map().unwrap_or_default() {
            let name = key.as_str().unwrap_or_default();
            let group = name.strip_prefix("group/").map(|group| group.rsplit('.').next().unwrap_or(group));
            let has = |group: &str| {
                let mut collections = crate::modules::MODULES.iter().map(|m| m.collection);
                collections.any(|c| c != "ansible.builtin" && c.rsplit('.').next() == Some(group))
            };
            if group.is_some_and(|group| !has(group)) {
                findings.push(
                    Diagnostic::warning(format!("could not resolve the module_defaults group {name}"))
                        .at(key.origin.clone())
                        .hint("no module here belongs to it: it has no effect"),
                );
            }
        }
    }
}

/// What `encrypt` of `vars_prompt` may be.
const SCHEMES: &[&str] =
    &["bcrypt", "blowfish", "md5", "md5_crypt", "sha256", "sha256_crypt", "sha512", "sha512_crypt"];

/// What an entry of `vars_prompt` may hold.
const PROMPT: &[&str] = &["confirm", "default", "encrypt", "name", "private", "prompt", "salt", "salt_size", "unsafe"];

fn prompts(value: &Node, findings: &mut Findings) {
    for entry in value.as_seq().unwrap_or(std::slice::from_ref(value)) {
        if entry.is_null() {
            continue;
        }
        if entry.get("name").is_none() {
            findings.push(
                Diagnostic::error("Invalid vars_prompt data structure, missing 'name' key").at(entry.origin.clone()),
            );
        }
        for (key, value) in entry.as_map().unwrap_or_default() {
            let name = key.as_str().unwrap_or_default();
            if !PROMPT.contains(&name) {
                let words = format!("Invalid vars_prompt data structure, found unsupported key '{name}'");
                findings.push(Diagnostic::error(words).at(key.origin.clone()).suggest(name, PROMPT.iter().copied()));
            } else if name == "encrypt" && value.as_str().is_some_and(|scheme| !SCHEMES.contains(&scheme)) {
                let scheme = value.as_str().unwrap_or_default();
                let words = format!("passlib does not support '{scheme}' algorithm");
                findings
                    .push(Diagnostic::error(words).at(value.origin.clone()).suggest(scheme, SCHEMES.iter().copied()));
            }
        }
    }
}

/// Words that no template could read as a variable.
const RESERVED: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield", "true", "false", "none",
];

/// Whether `name` can be read as a variable: letters, digits and `_`, no digit first.
pub fn is_variable(name: &str) -> bool {
    let start = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    start && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !RESERVED.contains(&name)
}

fn name_of_variable(node: &Node, findings: &mut Findings) {
    let (name, kind) = match &node.kind {
        NodeKind::Int(i) => (i.to_string(), " of type 'int'"),
        NodeKind::Bool(b) => ((if *b { "True" } else { "False" }).to_owned(), " of type 'bool'"),
        _ => (node.as_str().unwrap_or_default().to_owned(), ""),
    };
    if node.is_null() || is_template(node) || is_variable(&name) {
        return;
    }
    let better: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let finding = Diagnostic::error(format!("Invalid variable name '{name}'{kind}")).at(node.origin.clone());
    findings.push(if is_variable(&better) {
        finding.hint(format!("letters, digits and `_` make a name, for example `{better}`"))
    } else {
        finding.hint("a name has letters, digits and `_`, does not start with a digit, and is no word of Python's")
    });
}

fn is_template(node: &Node) -> bool {
    node.as_str().is_some_and(|s| s.contains("{{") || s.contains("{%"))
}

fn is_bool(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Bool(_) => true,
        NodeKind::Int(i) => matches!(i, 0 | 1),
        NodeKind::Str(_) => {
            is_template(node) || node.as_str().is_some_and(|s| crate::module::to_bool(&Value::from(s)).is_some())
        }
        _ => false,
    }
}

fn is_int(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Int(_))
        || is_template(node)
        || node.as_str().is_some_and(|s| s.trim().parse::<f64>().is_ok())
}

fn is_scalar(node: &Node) -> bool {
    !matches!(node.kind, NodeKind::Seq(_) | NodeKind::Map(_))
}

fn one_or_list(node: &Node, each: impl Fn(&Node) -> bool) -> bool {
    node.as_seq().map_or_else(|| each(node), |items| items.iter().all(&each))
}
