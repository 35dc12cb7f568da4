//! Tasks that the controller carries out itself: debug, set_fact, assert, fail.

use std::sync::Arc;

use super::Context;
use super::including::Include;
use super::view::View;
use crate::model::{Map, Outcome, Status, Text, Value, Vars};
use crate::module::ControllerTask;
use crate::playbook::RoleFrom;
use crate::template::{Error, Truth};

/// What a controller task gives.
pub struct Controlled {
    /// Its outcome.
    pub outcome: Outcome,
    /// Variables that it sets on the host.
    pub set: Map,
    /// The result is shown without `-v` as well.
    pub verbose: bool,
    /// What it wants to be included.
    pub include: Option<Include>,
    /// Variables that came out of files.
    pub included: Vars,
    /// What it sets are facts as well.
    pub cacheable: bool,
    /// A wait before it is done.
    pub pause: Option<super::pause::Pause>,
}

impl Controlled {
    fn new(status: Status, result: Map) -> Self {
        Self::of(Outcome::new(status, result))
    }

    /// An outcome and nothing else.
    pub fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            set: Map::new(),
            verbose: false,
            include: None,
            included: Vars::new(),
            cacheable: false,
            pause: None,
        }
    }
}

/// Runs a controller task with arguments as written.
pub fn run(task: ControllerTask, args: &Map, view: &View, context: &Arc<Context>) -> Result<Controlled, Error> {
    let verbosity = context.options.verbosity;
    match task {
        ControllerTask::Debug => debug(args, view, verbosity),
        ControllerTask::SetFact => set_fact(args, view),
        ControllerTask::Assert => assert(args, view),
        ControllerTask::Fail => fail(args, view),
        ControllerTask::IncludeTasks => include_tasks(args, view),
        ControllerTask::IncludeRole => include_role(args, view),
        ControllerTask::IncludeVars => super::include_vars::run(args, context, view),
        ControllerTask::AddHost => super::growing::add_host(args, context, view),
        ControllerTask::SetStats => super::stats::set(args, view),
        ControllerTask::Pause => super::pause::plan(args, view),
        ControllerTask::ValidateArgumentSpec => super::argument_spec::run(args, view),
        ControllerTask::GroupBy => super::growing::group_by(args, context, view),
        ControllerTask::ImportTasks | ControllerTask::ImportRole | ControllerTask::Meta | ControllerTask::Templated => {
            Ok(Controlled::new(Status::Failed, Map::from_iter([("msg", "this is done when the playbook is read")])))
        }
        ControllerTask::Raw => Ok(Controlled::new(Status::Failed, Map::from_iter([("msg", "raw needs a host")]))),
    }
}

fn argument(args: &Map, names: &[&str], view: &View) -> Result<Option<Value>, Error> {
    match names.iter().find_map(|n| args.get(n)) {
        Some(value) => view.render(value).map_err(|e| e.in_argument(names.first().copied().unwrap_or_default())),
        None => Ok(None),
    }
}

/// What `debug` says of a variable that is `omit`.
const NOT_OMITTED: &str = "The result of the `var` expression could not be omitted; a placeholder was used instead.";

fn debug(args: &Map, view: &View, verbosity: u8) -> Result<Controlled, Error> {
    let wanted = argument(args, &["verbosity"], view)?.as_ref().and_then(Value::as_int).unwrap_or(0);
    if i128::from(verbosity) < wanted {
        let result = Map::from_iter([("skipped_reason", Value::from("Verbosity threshold not met."))]);
        return Ok(Controlled::new(Status::Skipped, result));
    }
    if args.contains("msg") && args.contains("var") {
        return Err(Error::new("parameters are mutually exclusive: msg|var"));
    }
    let (mut result, mut warnings) = (Map::new(), Vec::new());
    let var = match args.get("var") {
        // A template that is left out leaves the argument out.
        Some(Value::Str(text))
            if text.is_template()
                && text.contains("{{")
                && view.render(&Value::Str(text.clone())).is_ok_and(|v| v.is_none()) =>
        {
            None
        }
        var => var,
    };
    match var {
        Some(Value::Str(text)) => {
            let name = view.templar.named(text)?;
            let shown = match view.templar.expression(&name) {
                Ok(value) => value,
                Err(e) if e.undefined_name().is_some() => {
                    warnings.push(format!("Encountered 1 template error. error 1 - {}", e.message()));
                    Value::from(format!("<< error 1 - {} >>", e.message()))
                }
                Err(e) if e.is_omitted() => {
                    warnings.push(NOT_OMITTED.to_owned());
                    Value::from("<<Omit>>")
                }
                Err(e) => return Err(e.within("Error while resolving `var` expression")),
            };
            result.insert(name.as_str(), shown);
        }
        Some(other) if !other.is_null() => {
            return Err(Error::new(format!(
                "argument 'var' is of type {} and we were unable to convert to str: it is not a string and \
                 conversion is not allowed",
                other.type_name()
            )));
        }
        _ => {
            let message = argument(args, &["msg"], view)?.unwrap_or_else(|| Value::from("Hello world!"));
            result.insert("msg", message);
        }
    }
    let mut done = Controlled::new(Status::Ok, result);
    done.outcome.warnings = warnings;
    done.verbose = true;
    Ok(done)
}

/// A file's or role's name must be known when it is to be read.
fn name(args: &Map, names: &[&str], view: &View) -> Result<String, Error> {
    match argument(args, names, view)? {
        Some(Value::Str(name)) if !name.is_empty() => Ok(name.as_str().to_owned()),
        Some(Value::Unknown(reason)) => Err(Error::new(format!("what is to be included is unknown: {reason}"))),
        _ => Err(Error::new("what is to be included has no name")),
    }
}

fn including(include: Include) -> Controlled {
    let result = Map::from_iter([("include", include.name.as_str())]);
    Controlled { include: Some(include), ..Controlled::new(Status::Ok, result) }
}

fn include_tasks(args: &Map, view: &View) -> Result<Controlled, Error> {
    let name = name(args, &["file", "_raw_params"], view)?;
    Ok(including(Include { name, role: None, item: Map::new(), label: None, once: false }))
}

fn include_role(args: &Map, view: &View) -> Result<Controlled, Error> {
    let name = name(args, &["name", "role"], view)?;
    let mut from = RoleFrom::default();
    for (argument_name, place) in from.places() {
        if let Some(Value::Str(file)) = argument(args, &[argument_name], view)? {
            *place = file.as_str().to_owned();
        }
    }
    let flag = |name: &str| Ok(argument(args, &[name], view)?.as_ref().and_then(crate::module::to_bool));
    let public = flag("public")?;
    let once = flag("allow_duplicates")? == Some(false);
    from.validate = flag("rolespec_validate")?.unwrap_or(true);
    Ok(including(Include { name, role: Some((from, public)), item: Map::new(), label: None, once }))
}

fn set_fact(args: &Map, view: &View) -> Result<Controlled, Error> {
    let mut set = Map::new();
    for (key, value) in args {
        if key.as_str() == Some("cacheable") {
            continue;
        }
        let name = match (key, view.render(&Value::Str(Text::template(key.to_string(), None)))?) {
            (crate::model::Key::Str(_), Some(Value::Str(name))) => name,
            (crate::model::Key::Str(_), Some(other)) => {
                let shown = view.text(&Text::template(key.to_string(), None))?;
                return Err(Error::new(format!(
                    "Invalid variable name '{}' of type '{}'.",
                    shown.as_str(),
                    other.type_name()
                )));
            }
            (other, _) => {
                let kind = other.to_value().type_name();
                return Err(Error::new(format!("Invalid variable name '{other}' of type '{kind}'.")));
            }
        };
        if !crate::playbook::is_variable(name.as_str()) {
            return Err(Error::new(format!("Invalid variable name '{}'.", name.as_str())));
        }
        if let Some(value) = view.render(value).map_err(|e| e.in_argument(name.as_str()))? {
            set.insert(name.as_str(), value);
        }
    }
    if set.is_empty() {
        let words = "No key/value pairs provided, at least one is required for this action to succeed";
        return Ok(Controlled::new(Status::Failed, Map::from_iter([("msg", words)])));
    }
    let mut done = Controlled::new(Status::Ok, Map::from_iter([("ansible_facts", Value::from(set.clone()))]));
    done.set = set;
    done.cacheable = argument(args, &["cacheable"], view)?.as_ref().and_then(crate::module::to_bool).unwrap_or(false);
    Ok(done)
}

/// What an assertion says: a string or a list of strings.
fn message(args: &Map, names: &[&str], view: &View) -> Result<Option<Value>, Error> {
    let strings = |value: &Value| matches!(value, Value::Str(_) | Value::Unknown(_));
    match argument(args, names, view)? {
        Some(Value::List(items)) if items.iter().all(strings) => Ok(Some(Value::List(items))),
        Some(value) if !strings(&value) && !value.is_null() => Err(Error::new(format!(
            "argument '{}' is of type {} and we were unable to convert to str_or_list_of_str: \
             a string or list of strings is required",
            names.first().copied().unwrap_or_default(),
            value.type_name()
        ))),
        other => Ok(other.filter(|value| !value.is_null())),
    }
}

fn assert(args: &Map, view: &View) -> Result<Controlled, Error> {
    if !args.contains("that") {
        return Err(Error::new("missing required arguments: that"));
    }
    let conditions = args.get("that").map_or(Ok(Vec::new()), |that| view.templar.conditions(that))?;
    let quiet = argument(args, &["quiet"], view)?.as_ref().and_then(crate::module::to_bool).unwrap_or(false);
    let fail = message(args, &["fail_msg", "msg"], view)?;
    let success = message(args, &["success_msg"], view)?;
    for condition in &conditions {
        if condition.is_null() || condition.as_str().is_some_and(|text| text.trim().is_empty()) {
            return Err(Error::new("Empty conditional expressions are not allowed."));
        }
        let mut result = Map::new();
        match view.templar.condition(condition).map_err(Error::in_condition)? {
            Truth::True => {}
            Truth::False => {
                result.insert("assertion", condition.untemplated());
                result.insert("evaluated_to", false);
                result.insert("msg", fail.unwrap_or_else(|| Value::from("Assertion failed")));
                return Ok(Controlled { verbose: !quiet, ..Controlled::new(Status::Failed, result) });
            }
            Truth::Unknown(reason) => {
                result.insert("assertion", condition.untemplated());
                return Ok(Controlled::new(Status::Unknown(reason), result));
            }
        }
    }
    let message = success.unwrap_or_else(|| Value::from("All assertions passed"));
    let result = Map::from_iter([("changed", Value::from(false)), ("msg", message)]);
    let mut done = Controlled::new(Status::Ok, result);
    done.verbose = !quiet;
    Ok(done)
}

fn fail(args: &Map, view: &View) -> Result<Controlled, Error> {
    let message = argument(args, &["msg"], view)?.unwrap_or_else(|| Value::from("Failed as requested from task"));
    Ok(Controlled::new(Status::Failed, Map::from_iter([("msg", message)])))
}
