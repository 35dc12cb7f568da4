//! Tasks and blocks.

use super::free_form::FreeForm;
use super::keywords::{self, Keywords, Place, Setting};
use super::parse::Findings;
use super::role::RoleImport;
use crate::diag::Diagnostic;
use crate::model::{Map, Origin, Text, Value};
use crate::module::Module;
use crate::modules;
use crate::yaml::{Node, NodeKind};

/// A task or a block.
#[derive(Debug, Clone)]
pub enum Item {
    /// A task.
    Task(Box<Task>),
    /// A block.
    Block(Box<Block>),
    /// A role that was put in the place of its `import_role`.
    Role(Box<RoleImport>),
}

/// Tasks that belong together, with what runs when one fails, and what runs in any case.
#[derive(Debug, Clone)]
pub struct Block {
    /// Where it starts.
    pub origin: Origin,
    /// Its keywords, inherited by its tasks.
    pub keywords: Keywords,
    /// `block`.
    pub main: Vec<Item>,
    /// `rescue`.
    pub rescue: Vec<Item>,
    /// `always`.
    pub always: Vec<Item>,
    /// The file that its tasks were imported from.
    pub file: Option<String>,
}

/// A task or handler.
#[derive(Debug, Clone)]
pub struct Task {
    /// Where it starts.
    pub origin: Origin,
    /// Its keywords.
    pub keywords: Keywords,
    /// What it does.
    pub action: Action,
    /// Over what it loops.
    pub looped: Option<LoopSpec>,
}

/// A module with arguments.
#[derive(Clone)]
pub struct Action {
    /// The name as written.
    pub name: String,
    /// Where the name stands.
    pub origin: Origin,
    /// The module.
    pub module: &'static Module,
    /// Its arguments, templates not rendered.
    pub args: Map,
    /// `args: "{{ … }}"`: a template that gives further arguments.
    pub more: Option<Value>,
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Action").field("name", &self.name).field("args", &self.args).finish_non_exhaustive()
    }
}

/// `loop` or `with_…`.
#[derive(Debug, Clone)]
pub struct LoopSpec {
    /// `None` for `loop`, the lookup's name for `with_…`.
    pub lookup: Option<String>,
    /// What is looped over.
    pub setting: Setting,
}

/// Reads a list of tasks and blocks. `place` is [`Place::Task`] or [`Place::Handler`].
pub fn parse_tasks(node: &Node, place: Place, findings: &mut Findings) -> Vec<Item> {
    findings.list(node, "a section of tasks").iter().filter_map(|item| parse_item(item, place, findings)).collect()
}

fn parse_item(node: &Node, place: Place, findings: &mut Findings) -> Option<Item> {
    // A lone `-` is passed over, as in Ansible.
    if node.is_null() {
        return None;
    }
    if node.as_map().is_none() {
        findings.push(
            Diagnostic::error(format!("a task is a mapping, this is {}", node.describe()))
                .at(node.origin.clone())
                .hint("write `- name: …` and the module on lines of their own"),
        );
        return None;
    }
    if node.get("block").is_some() { parse_block(node, place, findings) } else { parse_task(node, place, findings) }
}

fn parse_block(node: &Node, place: Place, findings: &mut Findings) -> Option<Item> {
    let mut keywords = Keywords::default();
    let mut block = Block {
        origin: node.origin.clone(),
        keywords: Keywords::default(),
        main: vec![],
        rescue: vec![],
        always: vec![],
        file: None,
    };
    for (key, value) in node.as_map()? {
        match key.as_str() {
            Some("block") => block.main = parse_tasks(value, place, findings),
            Some("rescue") => block.rescue = parse_tasks(value, place, findings),
            Some("always") => block.always = parse_tasks(value, place, findings),
            name => {
                if !keywords.read(key, value, Place::Block, findings) {
                    findings.push(unknown_keyword(name.unwrap_or_default(), key, Place::Block));
                }
            }
        }
    }
    block.keywords = keywords;
    Some(Item::Block(Box::new(block)))
}

/// The finding for a key that is no keyword at its place.
pub(super) fn unknown_keyword(name: &str, key: &Node, place: Place) -> Diagnostic {
    Diagnostic::error(format!("'{name}' is not a valid attribute for a {}", place.name()))
        .at(key.origin.clone())
        .label("unknown keyword")
        .suggest(name, keywords::names(place))
}

fn parse_task(node: &Node, place: Place, findings: &mut Findings) -> Option<Item> {
    let mut keywords = Keywords::default();
    let mut looped = None;
    let mut action: Option<(&Node, &Node)> = None;
    for (key, value) in node.as_map()? {
        let name = key.as_str().unwrap_or_default();
        if keywords.read(key, value, place, findings) {
            if name == "loop" {
                check_loop(value, findings);
                looped = loop_spec(None, value, findings);
            }
        } else if let Some(lookup) = name.strip_prefix("with_") {
            looped = loop_spec(Some(lookup), value, findings);
        } else if let Some((first, _)) = action {
            findings.push(conflict(first, key, place));
        } else {
            action = Some((key, value));
        }
    }
    let action = match action {
        Some((key, value)) => parse_action(key, value, node, findings),
        None => parse_action_keyword(node, &mut keywords, findings),
    }?;
    Some(Item::Task(Box::new(Task { origin: node.origin.clone(), keywords, action, looped })))
}

/// Two keys that are no keywords: one of them is misspelt, or there are two modules.
fn conflict(first: &Node, second: &Node, place: Place) -> Diagnostic {
    let (a, b) = (first.as_str().unwrap_or_default(), second.as_str().unwrap_or_default());
    let (unknown, name) = match (modules::find(a), modules::find(b)) {
        (Some(module), None) if has_argument(module, b) => {
            return unknown_keyword(b, second, place)
                .hint(format!("`{b}` is an argument of `{a}`: indent it below the module's name"));
        }
        (None, Some(module)) if has_argument(module, a) => {
            return unknown_keyword(a, first, place)
                .hint(format!("`{a}` is an argument of `{b}`: indent it below the module's name"));
        }
        (Some(_), Some(_)) => {
            return Diagnostic::error(format!("conflicting action statements: {a}, {b}"))
                .at(second.origin.clone())
                .label("a second module")
                .related(first.origin.clone(), "the first module")
                .hint("a task calls one module; make two tasks of it");
        }
        (None, Some(_)) => (first, a),
        _ => (second, b),
    };
    unknown_keyword(name, unknown, place)
}

/// `loop` takes a list or a template that gives one.
fn check_loop(value: &Node, findings: &mut Findings) {
    let template = value.as_str().is_some_and(|s| s.contains("{{") || s.contains("{%"));
    if value.as_seq().is_none() && !template {
        let finding =
            Diagnostic::error(format!("`loop` takes a list, not {}", value.describe())).at(value.origin.clone());
        findings.push(match &value.kind {
            NodeKind::Map(_) => finding.hint("a mapping is looped over as `loop: \"{{ … | dict2items }}\"`"),
            NodeKind::Str(name) => {
                finding.hint(format!("for a variable's value write `loop: \"{{{{ {} }}}}\"`", name.text))
            }
            _ => finding.hint("a single value goes into a list: `loop: [value]`"),
        });
    }
}

fn has_argument(module: &Module, name: &str) -> bool {
    (module.args)().iter().any(|spec| spec.name == name || spec.aliases.contains(&name))
}

fn loop_spec(lookup: Option<&str>, value: &Node, findings: &mut Findings) -> Option<LoopSpec> {
    let data = findings.take(value.to_value())?;
    Some(LoopSpec { lookup: lookup.map(str::to_owned), setting: Setting { value: data, origin: value.origin.clone() } })
}

/// `action: copy src=a dest=b`, `action: {module: copy, src: a}`, `local_action: …`.
fn parse_action_keyword(node: &Node, keywords: &mut Keywords, findings: &mut Findings) -> Option<Action> {
    let (key, value) = match (node.entry("action"), node.entry("local_action")) {
        (Some(entry), _) => entry,
        (None, Some((key, value))) => {
            let setting = Setting { value: Value::from("localhost"), origin: key.origin.clone() };
            keywords.set("delegate_to", setting);
            (key, value)
        }
        (None, None) => {
            findings.push(
                Diagnostic::error("no module/action detected in task")
                    .at(node.origin.clone())
                    .hint("a task needs one key that names a module, for example `ansible.builtin.copy:`"),
            );
            return None;
        }
    };
    match &value.kind {
        NodeKind::Str(text) => {
            let (name, rest) = text.text.split_once(char::is_whitespace).unwrap_or((&text.text, ""));
            build_action(name, key, Arguments::Text(rest.trim(), value), node, findings)
        }
        NodeKind::Map(entries) => {
            let name = value.get("module").and_then(Node::as_str).unwrap_or_default();
            build_action(name, key, Arguments::Entries(entries, Some("module")), node, findings)
        }
        _ => {
            findings.push(Diagnostic::error("an action is a module's name with arguments").at(value.origin.clone()));
            None
        }
    }
}

fn parse_action(key: &Node, value: &Node, task: &Node, findings: &mut Findings) -> Option<Action> {
    let name = key.as_str().unwrap_or_default();
    let arguments = match &value.kind {
        NodeKind::Null => Arguments::Entries(&[], None),
        NodeKind::Map(entries) => Arguments::Entries(entries, None),
        NodeKind::Seq(_) => {
            findings.push(
                Diagnostic::error(format!("the arguments of `{name}` are a mapping or text, not a list"))
                    .at(value.origin.clone()),
            );
            return None;
        }
        NodeKind::Str(text) => Arguments::Text(&text.text, value),
        _ => Arguments::Scalar(value),
    };
    build_action(name, key, arguments, task, findings)
}

enum Arguments<'n> {
    /// Entries of a mapping, but for the named one.
    Entries(&'n [(Node, Node)], Option<&'n str>),
    Text(&'n str, &'n Node),
    /// A bare number or truth value: `command: 5`.
    Scalar(&'n Node),
}

fn build_action(name: &str, key: &Node, given: Arguments<'_>, task: &Node, findings: &mut Findings) -> Option<Action> {
    let Some(module) = modules::find(name) else {
        findings.push(unknown_module(name, key));
        return None;
    };
    let specs = (module.args)();
    let known = |n: &str| module.any_args || specs.iter().any(|s| s.name == n || s.aliases.contains(&n));
    let mut args = Map::new();
    let mut more = None;
    match task.get("args").map(|n| (n, &n.kind)) {
        None | Some((_, NodeKind::Null)) => {}
        Some((_, NodeKind::Map(entries))) => read_entries(entries, None, module, &known, &mut args, findings),
        Some((node, _)) => more = findings.take(node.to_value()),
    }
    match given {
        Arguments::Entries(entries, skip) => read_entries(entries, skip, module, &known, &mut args, findings),
        Arguments::Text(text, node) => read_text(text, node, module, &known, &mut args, findings),
        Arguments::Scalar(node) => {
            if let (Some(free), Some(value)) = (module.free_form, findings.take(node.to_value())) {
                args.insert(free, value);
            } else {
                findings.push(
                    Diagnostic::error(format!("`{name}` takes named arguments, not {}", node.describe()))
                        .at(node.origin.clone()),
                );
            }
        }
    }
    if more.is_none() {
        check_required(module, name, &args, key, findings);
    }
    Some(Action { name: name.to_owned(), origin: key.origin.clone(), module, args, more })
}

/// Arguments that a module cannot do without, and that are not there under any of their names.
fn check_required(module: &Module, name: &str, args: &Map, key: &Node, findings: &mut Findings) {
    let given = |names: &[&str]| names.iter().any(|n| args.contains(n));
    let specs = (module.args)();
    let missing: Vec<&str> = specs
        .iter()
        .filter(|spec| spec.required && !given(&[spec.name]) && !given(spec.aliases))
        .map(|spec| spec.name)
        .collect();
    if !missing.is_empty() {
        findings.push(
            Diagnostic::error(format!("missing required arguments: {}", missing.join(", ")))
                .at(key.origin.clone())
                .label("this module needs them")
                .hint(format!("`rplay doc {name}` shows its arguments")),
        );
    }
}

/// The finding for a name that is no module.
fn unknown_module(name: &str, key: &Node) -> Diagnostic {
    let short = name.rsplit('.').next().unwrap_or(name);
    let finding = Diagnostic::error(format!("couldn't resolve module/action '{name}'"))
        .at(key.origin.clone())
        .label("unknown module");
    if super::play::TASK_STATEMENTS.contains(&short) {
        return Diagnostic::error(format!("`{short}` is not supported yet")).at(key.origin.clone());
    }
    let modules = modules::MODULES.iter().map(|m| m.name);
    finding.suggest(short, modules.chain(keywords::names(Place::Task)))
}

fn read_entries(
    entries: &[(Node, Node)],
    skip: Option<&str>,
    module: &Module,
    known: &dyn Fn(&str) -> bool,
    args: &mut Map,
    findings: &mut Findings,
) {
    for (key, node) in entries {
        let Some(name) = key.as_str() else {
            findings.push(Diagnostic::error("an argument's name is a string").at(key.origin.clone()));
            continue;
        };
        if skip == Some(name) {
            continue;
        }
        // `_raw_params` is Ansible's name for free-form text in a mapping.
        let name = if name == "_raw_params" { module.free_form.unwrap_or(name) } else { name };
        let Some(value) = findings.take(node.to_value()) else { continue };
        if check_argument(name, &value, &key.origin, &node.origin, module, known, findings) {
            args.insert(name, value);
        }
    }
}

/// Whether an argument is one of the module's; says so when not, or when its value
/// can be seen to be of the wrong type.
fn check_argument(
    name: &str,
    value: &Value,
    at: &Origin,
    value_at: &Origin,
    module: &Module,
    known: &dyn Fn(&str) -> bool,
    findings: &mut Findings,
) -> bool {
    let specs = (module.args)();
    if !known(name) {
        let names: Vec<&str> =
            specs.iter().flat_map(|s| std::iter::once(s.name).chain(s.aliases.iter().copied())).collect();
        findings.push(
            Diagnostic::error(format!("Unsupported parameters for ({}) module: {name}", module.name))
                .at(at.clone())
                .label("unknown argument")
                .suggest(name, names.iter().copied())
                .hint(format!("supported arguments: {}", names.join(", "))),
        );
        return false;
    }
    let Some(spec) = specs.iter().find(|s| s.name == name || s.aliases.contains(&name)) else { return true };
    if let Some(why) = spec.refused {
        findings.push(
            Diagnostic::error(format!("argument `{name}` of `{}` is not supported: {why}", module.name)).at(at.clone()),
        );
        return false;
    }
    if has_template(value) {
        return true;
    }
    if let Err(why) = spec.kind.check(value) {
        findings.push(
            Diagnostic::error(format!("argument `{name}` of `{}` takes {}: {why}", module.name, spec.kind.name()))
                .at(value_at.clone())
                .label("wrong type"),
        );
        return false;
    }
    if let Some(word) =
        value.as_str().filter(|w| !spec.choices.is_empty() && !w.contains(',') && !spec.choices.contains(w))
    {
        findings.push(
            Diagnostic::error(format!("value of {name} must be one of: {}, got: {word}", spec.choices.join(", ")))
                .at(value_at.clone())
                .suggest(word, spec.choices.iter().copied()),
        );
        return false;
    }
    true
}

fn has_template(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.is_template(),
        Value::List(items) => items.iter().any(has_template),
        Value::Map(map) => map.values().any(has_template),
        _ => false,
    }
}

fn read_text(
    text: &str,
    node: &Node,
    module: &Module,
    known: &dyn Fn(&str) -> bool,
    args: &mut Map,
    findings: &mut Findings,
) {
    let takes_text = module.free_form.is_some();
    let parsed =
        match FreeForm::parse(text, |key| if key.contains("{{") { module.any_args } else { !takes_text || known(key) })
        {
            Ok(parsed) => parsed,
            Err(why) => {
                findings
                    .push(Diagnostic::error(format!("failed at splitting arguments: {why}")).at(node.origin.clone()));
                return;
            }
        };
    let template = |text: String| Value::Str(Text::template(text, Some(node.origin.clone())));
    for (name, value) in parsed.pairs {
        let value = template(value);
        if check_argument(&name, &value, &node.origin, &node.origin, module, known, findings) {
            args.insert(name, value);
        }
    }
    match module.free_form {
        Some(free) if !parsed.rest.is_empty() => drop(args.insert(free, template(parsed.rest))),
        None if !parsed.rest.is_empty() => findings.push(
            Diagnostic::error(format!(
                "`{}` takes `key=value` arguments, this is not one: {}",
                module.name, parsed.rest
            ))
            .at(node.origin.clone()),
        ),
        _ => {}
    }
}
