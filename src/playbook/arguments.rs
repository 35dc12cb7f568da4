//! The arguments of a task's module: named, as text, or both.

use super::free_form::FreeForm;
use super::parse::Findings;
use super::task::Action;
use crate::diag::Diagnostic;
use crate::model::{Map, Origin, Text, Value};
use crate::module::{ArgSpec, Module};
use crate::yaml::{Node, NodeKind};

/// Arguments as they are written.
pub(super) enum Arguments<'n> {
    /// Entries of a mapping, but for the named one.
    Entries(&'n [(Node, Node)], Option<&'n str>),
    /// Entries of `action`, whose `module` has a text behind the module's name.
    Action(&'n [(Node, Node)], &'n str, &'n Node),
    /// Text: `key=value` words, or what a module takes as it is.
    Text(&'n str, &'n Node),
    /// A bare number or truth value: `command: 5`.
    Scalar(&'n Node),
    /// What no module takes.
    List(&'n Node),
}

/// Reads a task's arguments, those of `args` below its own; and the templates that give
/// further ones, or all of them, the first below the others.
pub(super) fn read(
    module: &'static Module,
    name: &str,
    given: Arguments<'_>,
    task: &Node,
    findings: &mut Findings,
) -> Option<(Map, Vec<Value>)> {
    let known = |n: &str| has(module, name, n);
    let mut args = Map::new();
    let mut more = Vec::new();
    match task.get("args").map(|n| (n, &n.kind)) {
        None | Some((_, NodeKind::Null)) => {}
        Some((_, NodeKind::Map(entries))) => read_entries(entries, &|_| false, module, &known, &mut args, findings),
        Some((node, _)) => {
            splat(node, findings);
            more.extend(findings.take(node.to_value()));
        }
    }
    match given {
        Arguments::Entries(entries, skip) => {
            let skipped = |name: &str| skip == Some(name);
            read_entries(entries, &skipped, module, &known, &mut args, findings);
        }
        Arguments::Action(entries, text, node) => {
            read_entries(entries, &|name| matches!(name, "module" | "args"), module, &known, &mut args, findings);
            more.extend(read_text(text, node, module, &known, &mut args, findings));
            let own = entries.iter().find(|(key, _)| key.as_str() == Some("args")).map(|(_, own)| own);
            match own.map(|own| (&own.kind, own)) {
                Some((NodeKind::Map(entries), _)) => {
                    read_entries(entries, &|_| false, module, &known, &mut args, findings);
                }
                Some((NodeKind::Str(text), own)) if is_template(&text.text) => {
                    splat(own, findings);
                    more.extend(findings.take(own.to_value()));
                }
                _ => {}
            }
        }
        Arguments::Text(text, node) => more.extend(read_text(text, node, module, &known, &mut args, findings)),
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
        Arguments::List(node) => {
            findings.push(
                Diagnostic::error(format!("the arguments of `{name}` are a mapping or text, not a list"))
                    .at(node.origin.clone()),
            );
            return None;
        }
    }
    Some((args, more))
}

/// Whether an action of that name has an argument. `parallel` is that of `gather_facts` alone, which runs `setup`.
fn has(module: &Module, action: &str, argument: &str) -> bool {
    let another = module.name == "setup" && argument == "parallel" && !action.ends_with("gather_facts");
    let named = |spec: &ArgSpec| spec.name == argument || spec.aliases.contains(&argument);
    module.any_args || !another && (module.args)().iter().any(named)
}

/// Whether a text is one template and nothing else.
fn is_template(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("{{") && text.ends_with("}}") && text.matches("{{").count() == 1
}

/// Arguments that come out of a template may be what somebody else has written.
fn splat(node: &Node, findings: &mut Findings) {
    findings.push(
        Diagnostic::warning("Using a template for task args is unsafe in some situations")
            .at(node.origin.clone())
            .hint("name the arguments, each with a template of its own: then none can come in that was not meant"),
    );
}

/// What is said of arguments that a module cannot do without, and that are not there under any
/// of their names; nothing when all are.
pub(super) fn missing(module: &Module, name: &str, args: &Map, (key, task): (&Node, &Node)) -> Option<Diagnostic> {
    let given = |names: &[&str]| names.iter().any(|n| args.contains(n));
    let specs = (module.args)();
    let missing: Vec<&str> = specs
        .iter()
        .filter(|spec| spec.required && !given(&[spec.name]) && !given(spec.aliases))
        .map(|spec| spec.name)
        .collect();
    if !missing.is_empty() && matches!(module.name, "include_tasks" | "import_tasks") {
        return Some(Diagnostic::error(format!("No file specified for {name}")).at(task.origin.clone()));
    }
    (!missing.is_empty()).then(|| {
        Diagnostic::error(format!("missing required arguments: {}", missing.join(", ")))
            .at(key.origin.clone())
            .label("this module needs them")
            .hint(format!("`rplay doc {name}` shows its arguments"))
    })
}

fn read_entries(
    entries: &[(Node, Node)],
    skip: &dyn Fn(&str) -> bool,
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
        if skip(name) {
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
    if name.starts_with("_ansible_") {
        findings.push(reserved(name, module).at(at.clone()));
        return false;
    }
    let specs = (module.args)();
    if !known(name) {
        findings.push(unsupported(name, module, &specs, known).at(at.clone()));
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
        let words = if name.ends_with("_from") && module.name.ends_with("_role") {
            format!("Expected a string for {name} but got {why}")
        } else {
            format!("argument `{name}` of `{}` takes {}: {why}", module.name, spec.kind.name())
        };
        findings.push(Diagnostic::error(words).at(value_at.clone()).label("wrong type"));
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

/// What is said of an argument that a module does not have.
fn unsupported(name: &str, module: &Module, specs: &[ArgSpec], known: &dyn Fn(&str) -> bool) -> Diagnostic {
    let all = specs.iter().flat_map(|s| std::iter::once(s.name).chain(s.aliases.iter().copied()));
    let names: Vec<&str> = all.filter(|name| known(name)).collect();
    // In Ansible these are no modules, and say it in other words.
    let statement = matches!(module.name, "include_tasks" | "import_tasks" | "include_role" | "import_role");
    let words = match module.name {
        of if statement || of == "wait_for_connection" => format!("Invalid options for {of}: {name}"),
        of => format!("Unsupported parameters for ({of}) module: {name}"),
    };
    Diagnostic::error(words)
        .label("unknown argument")
        .suggest(name, names.iter().copied())
        .hint(format!("supported arguments: {}", names.join(", ")))
}

/// What is said of an argument whose name is Ansible's own.
fn reserved(name: &str, module: &Module) -> Diagnostic {
    Diagnostic::error(format!(
        "Invalid parameter specified beginning with keyword '_ansible_' for action '{}': '{name}'. The prefix \
         '_ansible_' is reserved for internal use only.",
        module.name
    ))
}

fn has_template(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.is_template(),
        Value::List(items) => items.iter().any(has_template),
        Value::Map(map) => map.values().any(has_template),
        _ => false,
    }
}

/// Reads arguments in a text. Gives the template that stands alone beside `key=value` words.
fn read_text(
    text: &str,
    node: &Node,
    module: &Module,
    known: &dyn Fn(&str) -> bool,
    args: &mut Map,
    findings: &mut Findings,
) -> Option<Value> {
    let takes_text = module.free_form.is_some();
    let parsed =
        match FreeForm::parse(text, |key| if key.contains("{{") { module.any_args } else { !takes_text || known(key) })
        {
            Ok(parsed) => parsed,
            Err(why) => {
                findings
                    .push(Diagnostic::error(format!("failed at splitting arguments: {why}")).at(node.origin.clone()));
                return None;
            }
        };
    let template = |text: String| Value::Str(Text::template(text, Some(node.origin.clone())));
    for (name, value) in parsed.pairs {
        let value = template(value);
        if check_argument(&name, &value, &node.origin, &node.origin, module, known, findings) {
            args.insert(name, value);
        }
    }
    let rest = parsed.rest.trim();
    match module.free_form {
        // What a shell reads is returned as it was written.
        Some(free) if !rest.is_empty() && module.name == "shell" => drop(args.insert(free, template(parsed.rest))),
        Some(free) if !rest.is_empty() => drop(args.insert(free, template(rest.to_owned()))),
        None if is_template(rest) => {
            splat(node, findings);
            return Some(template(rest.to_owned()));
        }
        None if !rest.is_empty() => findings.push(
            Diagnostic::error(format!("Action '{}' does not support raw params: {rest}", module.full_name()))
                .at(node.origin.clone())
                .hint("its arguments are `key=value` words"),
        ),
        _ => {}
    }
    None
}

/// The action of a name that is a template: which module it is, is known when it runs.
pub(super) fn of_template(
    name: &str,
    key: &Node,
    given: Arguments<'_>,
    task: &Node,
    findings: &mut Findings,
) -> Option<Action> {
    let module = &crate::modules::TEMPLATED;
    let (args, more) = read(module, name, given, task, findings)?;
    Some(Action {
        name: name.to_owned(),
        origin: key.origin.clone(),
        module,
        args,
        more,
        wrong: None,
        missing: None,
        templated: Some(Text::template(name, Some(key.origin.clone()))),
    })
}

impl Action {
    /// The action with the module that its template has given.
    ///
    /// # Errors
    /// When there is no such module, or it does not take the arguments.
    pub fn with_module(&self, name: &str) -> Result<Self, Box<Diagnostic>> {
        let module = crate::modules::find(name).ok_or_else(|| {
            let finding = Diagnostic::error(format!("couldn't resolve module/action '{name}'"));
            Box::new(finding.at(self.origin.clone()))
        })?;
        let mut args = self.args.clone();
        if let (Some(text), Some(free)) = (args.remove("_raw_params"), module.free_form) {
            args.insert(free, text);
        }
        let mut findings = Findings::default();
        let known = |n: &str| has(module, name, n);
        for (name, value) in &args {
            check_argument(&name.to_string(), value, &self.origin, &self.origin, module, &known, &mut findings);
        }
        match findings.first_error() {
            Some(error) => Err(Box::new(error)),
            None => Ok(Self { name: name.to_owned(), module, args, templated: None, ..self.clone() }),
        }
    }
}
