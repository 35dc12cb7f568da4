//! Preparing an item of a task: everything up to the point where the host is needed.

use std::sync::Arc;

use super::Context;
use super::background;
use super::control;
use super::invoke::{self, Ready};
use super::item::{ItemResult, Route};
use super::local::Files;
use super::settings::{self, Unsettled};
use super::teller::Teller;
use super::view::View;
use crate::compile::CompiledTask;
use crate::connection::{Account, Target};
use crate::model::{Cause, Failure, Map, Outcome, Status, Value};
use crate::module::{self, ControllerTask, Kind, Module, Run, to_bool};
use crate::template::{Error, dump};
use crate::vars::{HostVars, Level, Scope};

/// An item as far as it can be taken without a host.
pub enum Prepared {
    /// It needs none.
    Done(Box<ItemResult>),
    /// It is for a host's worker.
    Ready(Box<Ready>),
    /// A command line for a host, without a worker.
    Raw(Box<Route>, String),
}

/// A task on a host, as the stages of an item see it.
pub struct OnHost<'a> {
    /// The run.
    pub context: &'a Arc<Context>,
    /// Who tells of its tries.
    pub teller: &'a Teller,
    /// The task.
    pub task: &'a CompiledTask,
    /// Its name, rendered.
    pub title: &'a str,
    /// The host.
    pub host: &'a str,
    /// Every host's variables.
    pub hostvars: &'a Arc<dyn HostVars>,
    /// It is prepared before its turn: nothing is noted of it yet.
    pub ahead: bool,
}

impl OnHost<'_> {
    pub(super) fn keyword(&self, name: &str, view: &View) -> Result<Option<Value>, Error> {
        for value in self.task.keywords.values(name) {
            let value = view.render(value).map_err(|e| e.within(&format!("Error processing keyword '{name}'")))?;
            if let Some(value) = value.filter(|v| !v.is_null()) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    pub(super) fn flag(&self, name: &str, view: &View) -> Result<Option<bool>, Error> {
        Ok(self.keyword(name, view)?.as_ref().and_then(to_bool))
    }

    /// Whether nothing is to be shown of a result; where it cannot be told, nothing is.
    pub(super) fn hides(&self, view: &View) -> bool {
        self.flag("no_log", view).map_or(true, |own| own.unwrap_or(self.context.options.no_log))
    }

    /// Whether this task only plans.
    pub(super) fn checks(&self, view: &View) -> Result<bool, Error> {
        Ok(self.flag("check_mode", view)?.unwrap_or(self.context.options.check))
    }

    /// In a dry run nothing is known of what a task would have done that was not reached.
    pub(super) fn note_not_run(&self, view: &View) {
        if self.task.action.module.kind == Kind::Query || self.task.action.module.kind == Kind::Controller {
            return;
        }
        if let Ok(route) = self.route(view) {
            self.not_run(&route.account);
        }
    }

    pub(super) fn not_run(&self, account: &Arc<Account>) {
        if !self.ahead {
            invoke::not_run(self.context, account, self.title);
        }
    }

    /// Takes one try as far as it goes without a host.
    ///
    /// # Errors
    /// When a template fails.
    pub fn prepare(&self, view: &View) -> Result<Prepared, Error> {
        let Some(name) = self.delegate(view)? else { return self.prepare_in(view) };
        let scope = view.scope.push_all(super::scope::magic::delegated(&name));
        let inner = View::new(&self.context.engine, scope);
        let prepared = self.prepare_in(&inner);
        inner.templar.take_warnings().into_iter().for_each(|warning| view.templar.warn(warning));
        prepared
    }

    fn prepare_in(&self, view: &View) -> Result<Prepared, Error> {
        let module = self.task.action.module;
        for name in self.task.notify.iter().filter(|name| name.is_template()) {
            view.render(&Value::Str(name.clone())).map_err(|e| e.within("Error processing keyword 'notify'"))?;
        }
        if let Some(finding) = &self.task.action.wrong {
            return Ok(Prepared::Done(Box::new(ItemResult::explained((**finding).clone()))));
        }
        let here = matches!(module.run, Run::Controller(_) | Run::Split { .. })
            || matches!(module.name, "fetch" | "wait_for_connection" | "async_status");
        if here && self.background(view)?.is_some() {
            let words = format!("This action ({}) does not support async.", module.name);
            return Ok(Prepared::Done(Box::new(ItemResult::plain(Outcome::failed(words)))));
        }
        if let Run::Controller(task) = module.run
            && task != ControllerTask::Raw
        {
            let args = self.arguments(view)?;
            let done = control::run(task, &args, view, self.context).map_err(|e| e.of_module(&module.full_name()))?;
            let mut result = ItemResult::plain(done.outcome);
            result.set = done.set;
            result.verbose = done.verbose;
            result.include = done.include;
            result.included = done.included;
            result.pause = done.pause;
            result.cacheable = done.cacheable;
            if let Some(name) = self.delegate(view)? {
                result.delegated_to = self.delegate_label(&self.delegate_view(view, &name), &name)?;
            }
            return Ok(Prepared::Done(Box::new(result)));
        }
        let args = self.rendered(view)?;
        let route = match self.route(view) {
            Ok(route) => route,
            Err(Unsettled::Template(e)) => return Err(*e),
            Err(Unsettled::Wrong(finding)) => return Ok(Prepared::Done(Box::new(ItemResult::explained(*finding)))),
        };
        if let Some(reason) = Value::from(args.clone()).unknown() {
            self.not_run(&route.account);
            let outcome = Outcome::new(Status::Unknown(Arc::clone(reason)), Map::new());
            let delegated_to = route.delegated_to;
            return Ok(Prepared::Done(Box::new(ItemResult { delegated_to, ..ItemResult::plain(outcome) })));
        }
        self.ready(view, route, args)
    }

    /// The arguments with their values, and what a module is told besides.
    fn rendered(&self, view: &View) -> Result<Map, Error> {
        let module = self.task.action.module;
        let mut args = Map::new();
        for (name, value) in &self.arguments(view)? {
            let failed = |e: Error| e.in_argument(&name.to_string()).of_module(&module.full_name());
            if let Some(value) = view.render(value).map_err(failed)? {
                args.insert(name.clone(), value);
            }
        }
        if module.name == "setup" {
            self.only_setup(view)?;
        }
        if !args.contains("executable")
            && let Some(shell) = self.shell(view)?
        {
            args.insert("executable", shell);
        }
        if module.name == "async_status" {
            args.insert("_async_dir", background::directory(view)?);
        }
        Ok(args)
    }

    /// Facts are gathered by `setup` alone, which `ansible_facts_modules` may name; another module that it
    /// names would be passed over.
    fn only_setup(&self, view: &View) -> Result<(), Error> {
        let gathers = self.task.gathers || self.task.action.name.ends_with("gather_facts");
        let Some(named) = view.templar.variable("ansible_facts_modules").filter(|_| gathers) else { return Ok(()) };
        let named = view.render(&named)?.unwrap_or_default();
        let one = |value: &Value| value.as_str().map(|name| name.rsplit('.').next().unwrap_or(name).to_owned());
        let names: Vec<String> = match &named {
            Value::List(items) => items.iter().filter_map(one).collect(),
            value => one(value).into_iter().collect(),
        };
        match names.iter().find(|name| !matches!(name.as_str(), "smart" | "setup" | "gather_facts")) {
            None => Ok(()),
            Some(other) => Err(Error::new(format!("ansible_facts_modules: '{other}' gathers no facts here"))
                .hint("`setup` does; call another module in a task of its own")),
        }
    }

    /// The shell of a command line where the task does not say; for `raw`, which knows nothing of the
    /// host, the configuration's.
    fn shell(&self, view: &View) -> Result<Option<Value>, Error> {
        let said = match self.task.action.module.name {
            "shell" => view.variable("ansible_shell_executable")?.filter(|shell| shell.truthy() != Some(false)),
            "raw" => None,
            _ => return Ok(None),
        };
        Ok(said.or_else(|| self.context.options.shell.as_deref().map(Value::from)))
    }

    /// The arguments as written, those of `args: "{{ … }}"` below them.
    pub(super) fn arguments(&self, view: &View) -> Result<Map, Error> {
        let action = &self.task.action;
        let mut args = Map::new();
        for more in &action.more {
            match view.render(more)? {
                Some(Value::Map(map)) => args.extend((*map).clone()),
                None | Some(Value::Null) => {}
                Some(other) => {
                    let words = format!("Task args must resolve to a 'dict' not '{}'.", other.type_name());
                    let origin = if let Value::Str(text) = more { text.origin().cloned() } else { None };
                    return Err(Error::new(words).at(origin).as_argument().of_module(&action.module.full_name()));
                }
            }
        }
        if let Some(unknown) = unsupported(action.module, &args) {
            return Err(unknown);
        }
        args.extend(action.args.clone());
        if self.task.module_defaults.is_empty() {
            return Ok(args);
        }
        let mut all = Map::new();
        for defaults in crate::compile::module_defaults(&self.task.module_defaults, action.module, &action.name) {
            let defaults = if defaults.as_str().is_some() { view.render(&defaults)? } else { Some(defaults) };
            all.extend(defaults.as_ref().and_then(Value::as_map).cloned().unwrap_or_default());
        }
        // The same argument under another name is the task's own.
        for spec in (action.module.args)() {
            let names: Vec<&str> = std::iter::once(spec.name).chain(spec.aliases.iter().copied()).collect();
            if names.iter().any(|name| args.contains(name)) {
                names.iter().for_each(|name| drop(all.remove(name)));
            }
        }
        all.extend(args);
        Ok(all)
    }

    /// With rendered arguments: the controller's half of the module.
    fn ready(&self, view: &View, route: Route, args: Map) -> Result<Prepared, Error> {
        let module = self.task.action.module;
        let check = self.checks(view)?;
        if let Run::Controller(_) = module.run {
            return Ok(self.raw(route, &args, check));
        }
        if check && matches!(module.name, "fetch" | "wait_for_connection") {
            return Ok(Prepared::Done(Box::new(super::fetch::skipped(route.delegated_to))));
        }
        let args = if module.name == "fetch" { self.with_what_is_here(view, args)? } else { args };
        let background = self.background(view)?;
        let files = Files::new(self.context, view);
        let prepared = match module.run {
            Run::Split { prepare, .. } => prepare(args, &files),
            _ => Ok(module::Prepared { args, blobs: Vec::new() }),
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(failure) => {
                let result = match files.finding() {
                    Some(finding) => ItemResult::explained(finding),
                    None => ItemResult::plain(self.not_prepared(&route.account, failure)),
                };
                return Ok(Prepared::Done(Box::new(ItemResult { delegated_to: route.delegated_to, ..result })));
            }
        };
        Ok(Prepared::Ready(Box::new(Ready {
            directory: self.directory(view, &route.account),
            account: route.account,
            delegated_to: route.delegated_to,
            module,
            args: prepared.args,
            contents: prepared.blobs.into_iter().map(|blob| blob.0).collect(),
            check,
            diff: self.flag("diff", view)?.unwrap_or(self.context.options.diff),
            environment: self.environment(view)?,
            detach: background.map(|background| background.detach(view)).transpose()?,
        })))
    }

    fn not_prepared(&self, account: &Arc<Account>, failure: Failure) -> Outcome {
        if let Cause::Unknown(reason) = failure.cause {
            self.not_run(account);
            return Outcome::new(Status::Unknown(reason), Map::new());
        }
        let mut result = Map::from_iter([("msg", failure.message)]);
        result.extend(failure.fields);
        Outcome::new(Status::Failed, result)
    }

    fn raw(&self, route: Route, args: &Map, check: bool) -> Prepared {
        if check {
            self.not_run(&route.account);
            let reason: crate::model::Reason = format!("task `{}` was not run", self.title).into();
            let names = ["rc", "stdout", "stderr", "stdout_lines", "stderr_lines"];
            let result = names.iter().map(|n| (*n, Value::Unknown(Arc::clone(&reason)))).collect();
            let outcome = Outcome::new(Status::Changed, result);
            return Prepared::Done(Box::new(ItemResult {
                delegated_to: route.delegated_to,
                ..ItemResult::plain(outcome)
            }));
        }
        let module = self.task.action.module;
        let line = module.free_form.and_then(|f| args.get(f)).and_then(Value::as_str).unwrap_or_default();
        let shell = args.get("executable").and_then(Value::as_str).filter(|e| !e.is_empty());
        let line = match shell {
            Some(shell) => format!("{shell} -c {}", crate::connection::shell_quote(line)),
            None => line.to_owned(),
        };
        Prepared::Raw(Box::new(route), line)
    }

    /// As in Ansible, what is run on this machine is run in the playbook's directory.
    pub(super) fn directory(&self, view: &View, account: &Account) -> Option<String> {
        let here = account.target == Target::Local;
        let directory = view.variable("playbook_dir").ok().flatten().filter(|_| here)?;
        directory.as_str().map(str::to_owned)
    }

    fn environment(&self, view: &View) -> Result<Vec<(String, String)>, Error> {
        let mut all: Vec<(String, String)> = Vec::new();
        for value in &self.task.environment {
            let rendered = match view.render(value) {
                // The environment of a play may read facts that are gathered with it first.
                Err(e) if self.task.action.module.name == "setup" && is_fact(e.undefined_name()) => {
                    let each = value.as_map().into_iter().flatten();
                    let known = each.filter_map(|(name, value)| Some((name.clone(), view.render(value).ok()??)));
                    Some(Value::from(known.collect::<Map>()))
                }
                rendered => rendered?,
            };
            let Some(Value::Map(map)) = rendered else { continue };
            for (name, value) in map.iter().filter(|(_, value)| !matches!(value, Value::Unknown(_))) {
                all.retain(|(n, _)| *n != name.to_string());
                all.push((name.to_string(), dump::python(value)));
            }
        }
        Ok(all)
    }

    /// Where the item runs: on its host, or on the one it is delegated to.
    pub(super) fn route(&self, view: &View) -> Result<Route, Unsettled> {
        let Some(name) = self.delegate(view)? else {
            let account = settings::account(self.context, self.host, view, &self.task.keywords, false)?;
            return Ok(Route { account, delegated_to: None });
        };
        // Connection variables are those of the other host, evaluated there.
        let other = self.delegate_view(view, &name);
        let account = settings::account(self.context, &name, &other, &self.task.keywords, true)?;
        Ok(Route { account, delegated_to: self.delegate_label(&other, &name)? })
    }

    /// The host that the task is delegated to.
    pub(super) fn delegate(&self, view: &View) -> Result<Option<String>, Error> {
        match self.keyword("delegate_to", view)? {
            None => Ok(None),
            // Written as nothing it is none; a template that comes to nothing is a mistake.
            Some(Value::Str(name)) if name.is_empty() && !self.templated("delegate_to") => Ok(None),
            Some(Value::Str(name)) if !name.is_empty() => Ok(Some(name.as_str().to_owned())),
            Some(_) => {
                let origin = self.task.keywords.get("delegate_to").map(|s| s.origin.clone());
                let error = Error::new("delegate_to takes a host's name, and this is empty or none");
                Err(error.hint("`default('localhost', true)` gives it one").at(origin))
            }
        }
    }

    /// Whether a keyword's value is a template.
    fn templated(&self, name: &str) -> bool {
        matches!(self.task.keywords.value(name), Some(Value::Str(text)) if text.is_template())
    }

    /// The other host as a headline names it; nothing when it is the task's own.
    fn delegate_label(&self, other: &View, name: &str) -> Result<Option<String>, Error> {
        let address = other.variable("ansible_host")?;
        let address = address.as_ref().and_then(Value::as_str).filter(|a| *a != name);
        let label = address.map_or_else(|| name.to_owned(), |address| format!("{name}({address})"));
        Ok(Some(label).filter(|_| name != self.host))
    }

    fn delegate_view(&self, view: &View, name: &str) -> View {
        let mut scope = Scope::builder().merge(self.context.options.merge).hostvars(Arc::clone(self.hostvars));
        scope = scope.layers(self.context.hosts.layers(name));
        let task_vars =
            view.scope.layers().iter().filter(|l| matches!(l.level, Level::Task | Level::Block | Level::Extra));
        scope = scope.layers(task_vars.cloned());
        scope = scope.layer(super::scope::magic::of_host(self.context, name));
        View::new(&self.context.engine, scope.build())
    }
}

/// What is wrong with the names of arguments that came out of a template, for a module of the
/// controller: a host's module says so itself.
fn unsupported(module: &Module, args: &Map) -> Option<Error> {
    let specs = (module.args)();
    let known = |name: &str| specs.iter().any(|s| s.name == name || s.aliases.contains(&name));
    let free = module.any_args || !matches!(module.run, Run::Controller(_));
    let unknown: Vec<String> =
        args.keys().map(ToString::to_string).filter(|name| !free && !known(name) && name != "_raw_params").collect();
    let names: Vec<&str> = specs.iter().map(|s| s.name).collect();
    (!unknown.is_empty()).then(|| {
        Error::new(format!(
            "Unsupported parameters for ({}) module: {}. Supported parameters include: {}.",
            module.name,
            unknown.join(", "),
            names.join(", ")
        ))
    })
}

fn is_fact(name: Option<&str>) -> bool {
    name.is_some_and(|name| name == "ansible_env" || name == "ansible_facts" || name == "env")
}
