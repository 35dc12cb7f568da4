//! Tasks and blocks.

use super::arguments::{self, Arguments};
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
    pub more: Vec<Value>,
    /// What is wrong with the arguments of a task whose failure somebody deals with: it fails
    /// in its turn.
    pub wrong: Option<Box<Diagnostic>>,
    /// What is said of required arguments that are not there, unless `module_defaults` has them.
    pub missing: Option<Box<Diagnostic>>,
    /// The module's name, where it is a template.
    pub templated: Option<Text>,
}

impl Action {
    /// A call of a module, by its full name, that is written nowhere; nothing when there is no
    /// such module.
    pub fn of_module(name: &str, origin: &Origin, args: Map) -> Option<Self> {
        let module = modules::find(name)?;
        Some(Self {
            name: name.to_owned(),
            origin: origin.clone(),
            module,
            args,
            more: Vec::new(),
            wrong: None,
            missing: None,
            templated: None,
        })
    }
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
    parse_section("tasks", node, place, findings)
}

/// Reads the tasks of a section, such as `pre_tasks`.
pub(super) fn parse_section(name: &str, node: &Node, place: Place, findings: &mut Findings) -> Vec<Item> {
    let wrong = format!("A malformed block was encountered while loading {name}");
    findings.list(node, &wrong).iter().filter_map(|item| parse_item(item, place, findings)).collect()
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
        if place == Place::Handler && matches!(key.as_str(), Some("block" | "rescue" | "always")) {
            no_blocks(value, findings);
        }
        match key.as_str() {
            Some("block") => {
                let rescued = usize::from(node.get("rescue").is_some());
                findings.handled += rescued;
                block.main = parse_section("block", value, place, findings);
                findings.handled -= rescued;
            }
            Some("rescue") => block.rescue = parse_section("rescue", value, place, findings),
            Some("always") => block.always = parse_section("always", value, place, findings),
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

/// A handler is a task: blocks within a block of handlers are none.
fn no_blocks(tasks: &Node, findings: &mut Findings) {
    for block in tasks.as_seq().unwrap_or_default().iter().filter(|item| item.get("block").is_some()) {
        findings.push(
            Diagnostic::error("Using a block as a handler is not supported.")
                .at(block.origin.clone())
                .hint("tasks of handlers that belong together may `listen` to one name"),
        );
    }
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
    let mut loops: Option<&Node> = None;
    let mut action: Option<(&Node, &Node)> = None;
    for (key, value) in node.as_map()? {
        let name = key.as_str().unwrap_or_default();
        if (name == "loop" || name.starts_with("with_"))
            && let Some(first) = loops.replace(key)
        {
            findings.push(two_loops(first, key));
        }
        if keywords.read(key, value, place, findings) {
            if name == "loop" && !value.is_null() {
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
    let given = ["action", "local_action"].into_iter().filter_map(|name| Some(node.entry(name)?.0));
    let mut actions = action.iter().map(|(key, _)| *key).chain(given);
    if let (Some(first), Some(second)) = (actions.next(), actions.next()) {
        findings.push(two_actions(first, second));
    }
    let action = match action {
        Some((key, value)) => parse_action(key, value, node, findings),
        None => parse_action_keyword(node, &mut keywords, findings),
    }?;
    Some(Item::Task(Box::new(Task { origin: node.origin.clone(), keywords, action, looped })))
}

fn two_loops(first: &Node, second: &Node) -> Diagnostic {
    let name = second.as_str().unwrap_or_default();
    Diagnostic::error(format!("duplicate loop in task: {}", name.strip_prefix("with_").unwrap_or(name)))
        .at(second.origin.clone())
        .label("a second loop")
        .related(first.origin.clone(), "the first loop")
        .hint("a task has one loop: combine the lists, or include a file of tasks in the outer one")
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
            return two_actions(first, second);
        }
        (None, Some(_)) => (first, a),
        _ => (second, b),
    };
    unknown_keyword(name, unknown, place)
}

fn two_actions(first: &Node, second: &Node) -> Diagnostic {
    let (a, b) = (first.as_str().unwrap_or_default(), second.as_str().unwrap_or_default());
    Diagnostic::error(format!("conflicting action statements: {a}, {b}"))
        .at(second.origin.clone())
        .label("a second module")
        .related(first.origin.clone(), "the first module")
        .hint("a task calls one module; make two tasks of it")
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
    Some(LoopSpec { lookup: lookup.map(str::to_owned), setting: Setting::new(data, value.origin.clone()) })
}

/// `action: copy src=a dest=b`, `action: {module: copy, src: a}`, `local_action: …`.
fn parse_action_keyword(node: &Node, keywords: &mut Keywords, findings: &mut Findings) -> Option<Action> {
    let (key, value) = match (node.entry("action"), node.entry("local_action")) {
        (Some(entry), _) => entry,
        (None, Some((key, value))) => {
            let setting = Setting::new(Value::from("localhost"), key.origin.clone());
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
            let (name, rest) = super::free_form::first_word(&text.text);
            build_action(name, key, Arguments::Text(rest.trim(), value), node, findings)
        }
        NodeKind::Map(entries) => {
            let module = value.get("module").unwrap_or(value);
            let (name, rest) = super::free_form::first_word(module.as_str().unwrap_or_default().trim());
            build_action(name, key, Arguments::Action(entries, rest.trim(), module), node, findings)
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
        NodeKind::Seq(_) => Arguments::List(value),
        NodeKind::Str(text) => Arguments::Text(&text.text, value),
        _ => Arguments::Scalar(value),
    };
    build_action(name, key, arguments, task, findings)
}

/// The action that a name and arguments make. What is wrong with the arguments of a task whose
/// failure is dealt with (`ignore_errors`, `rescue`) is kept for its turn, and warned about.
fn build_action(name: &str, key: &Node, given: Arguments<'_>, task: &Node, findings: &mut Findings) -> Option<Action> {
    if name.contains("{{") {
        return arguments::of_template(name, key, given, task, findings);
    }
    let Some(module) = modules::find(name) else {
        findings.push(unknown_module(name, key));
        return None;
    };
    let handled = findings.handled > 0 || task.get("ignore_errors").is_some_and(|node| node.as_bool() != Some(false));
    let mut own = Findings::default();
    let taken = arguments::read(module, name, given, task, &mut own);
    let wrong = match own.first_error() {
        Some(error) if handled => {
            findings.push(error.clone().into_warning("this task is going to fail"));
            Some(Box::new(error))
        }
        _ => {
            findings.append(own);
            None
        }
    };
    let (args, more) = taken.unwrap_or_default();
    let all = !more.is_empty() || wrong.is_some();
    let missing = if all { None } else { arguments::missing(module, name, &args, (key, task)).map(Box::new) };
    Some(Action {
        name: name.to_owned(),
        origin: key.origin.clone(),
        module,
        args,
        more,
        wrong,
        missing,
        templated: None,
    })
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
