//! From plan to outcome: the one place where check mode, diff mode and real runs part.

use super::{Kind, Module, Plan, Run};
use crate::model::{Cause, Diff, Failure, Map, Outcome, Reason, Status, Value};
use crate::sys::{Effect, Host, Probe, Session};

/// How a task is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mode {
    /// Plan only; remember what the steps would have done.
    pub check: bool,
    /// Somebody looks at diffs.
    pub diff: bool,
}

/// Plans a module's task and, in a real run, carries the plan out. `task` names it in
/// reasons for what is unknown. The effects returned are those that a dry run planned.
pub fn run(module: &Module, args: &Map, session: &Session, mode: Mode, task: &str) -> (Outcome, Vec<Effect>) {
    let outcome = run_when(module, args, session, mode, task, &mut || true);
    outcome.unwrap_or_else(|| (Outcome::failed("not permitted"), Vec::new()))
}

/// As [`run`], but when there is something to do (in a dry run: to plan), `permit` is
/// asked first; nothing comes back, and nothing was done, when it says no.
pub fn run_when(
    module: &Module,
    args: &Map,
    session: &Session,
    mode: Mode,
    task: &str,
    permit: &mut dyn FnMut() -> bool,
) -> Option<(Outcome, Vec<Effect>)> {
    let plan = match module.run {
        Run::Target(plan) | Run::Split { plan, .. } => plan,
        Run::Controller(_) => {
            return Some((Outcome::failed(format!("{} runs in the controller", module.name)), Vec::new()));
        }
    };
    let probe = Probe::new(session, mode.diff).dry_run(mode.check);
    let mut ran = match plan(args, &probe) {
        Err(failure) if excuse(&failure, session).is_some() && !permit() => None,
        Err(failure) => Some(failed_plan(module, failure, session, task)),
        Ok(plan) if !plan.is_empty() && !permit() => None,
        Ok(plan) if mode.check => Some(check(module, plan, probe, session, mode, task)),
        Ok(plan) => Some((act(module, plan, probe, mode), Vec::new())),
    };
    if let Some((outcome, _)) = &mut ran {
        lines(&mut outcome.result);
    }
    ran
}

/// Beside text that was printed stand its lines, in every result.
fn lines(result: &mut Map) {
    for (text, name) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        let lines = match result.get(text) {
            Some(Value::Str(text)) => Value::list(text.lines().map(Value::from)),
            Some(Value::Unknown(reason)) => Value::Unknown(reason.clone()),
            _ => continue,
        };
        if !result.contains(name) {
            result.insert(name, lines);
        }
    }
}

fn failed(failure: Failure, mut result: Map) -> Outcome {
    result.insert("msg", failure.message);
    result.extend(failure.fields);
    Outcome::new(Status::Failed, result)
}

/// Why a failure is none, but unknown: something is missing that an earlier step of
/// this dry run may provide. In a real run nothing is ever planned, so this is nothing.
fn excuse(failure: &Failure, session: &Session) -> Option<Reason> {
    match &failure.cause {
        Cause::Unknown(reason) => Some(reason.clone()),
        Cause::Missing => session.may_be_provided().map(|by| format!("{}; {by}", failure.message).into()),
        Cause::Failed => None,
    }
}

fn failed_plan(module: &Module, failure: Failure, session: &Session, task: &str) -> (Outcome, Vec<Effect>) {
    let Some(reason) = excuse(&failure, session) else {
        return (failed(failure, Map::new()), Vec::new());
    };
    let effects = provide(module, session, task);
    (Outcome::new(Status::Unknown(reason.clone()), unknown_result(module, &reason)), effects)
}

/// What would be done is not known, so from here on anything missing may be provided by it.
fn provide(module: &Module, session: &Session, task: &str) -> Vec<Effect> {
    if module.kind == Kind::Query {
        return Vec::new();
    }
    let effects = vec![Effect::MayProvide(not_run(task))];
    session.plan(&effects);
    effects
}

fn not_run(task: &str) -> Reason {
    format!("task `{task}` was not run").into()
}

fn unknown_result(module: &Module, reason: &Reason) -> Map {
    module.returns.iter().map(|r| (r.name, Value::Unknown(reason.clone()))).collect()
}

fn check(
    module: &Module,
    plan: Plan,
    probe: Probe<'_>,
    session: &Session,
    mode: Mode,
    task: &str,
) -> (Outcome, Vec<Effect>) {
    let mut effects = Vec::new();
    let mut diff = Vec::new();
    let mut result = plan.result;
    let any = plan.steps.iter().any(|step| !step.quiet);
    for step in plan.steps {
        for name in step.yields {
            result.insert(*name, Value::Unknown(not_run(task)));
        }
        effects.extend(step.effects);
        diff.extend(step.diff.into_iter().filter(|_| mode.diff));
    }
    if any && module.kind == Kind::Action {
        effects.push(Effect::MayProvide(not_run(task)));
    }
    session.plan(&effects);
    // What cannot be read of planned state is no reason to fail a dry run.
    if let Some(Ok(read)) = plan.after.map(|read| read(&probe)) {
        result.extend(read);
    }
    let status = match plan.unsure {
        Some(reason) if any => Status::Unknown(reason),
        _ => status(plan.changed.unwrap_or(any), plan.skipped),
    };
    (Outcome { status, result, diff, warnings: plan.warnings }, effects)
}

const fn status(changed: bool, skipped: bool) -> Status {
    match (skipped, changed) {
        (true, _) => Status::Skipped,
        (false, true) => Status::Changed,
        (false, false) => Status::Ok,
    }
}

fn act(module: &Module, plan: Plan, probe: Probe<'_>, mode: Mode) -> Outcome {
    let mut host = Host::new(probe);
    let mut result = plan.result;
    let mut diff: Vec<Diff> = Vec::new();
    let mut changed = false;
    let mut warnings = plan.warnings;
    for step in plan.steps {
        let quiet = step.quiet;
        let step_changed = match step.action {
            None => step.effects.iter().try_for_each(|effect| host.apply(effect)).map(|()| true),
            Some(action) => action(&mut host).map(|done| {
                result.extend(done.result);
                warnings.extend(done.warnings);
                diff.extend(done.diff.into_iter().filter(|_| mode.diff));
                done.changed.unwrap_or(true)
            }),
        };
        match step_changed {
            Ok(c) => changed |= c && !quiet,
            Err(Failure { cause: Cause::Missing, message, .. }) if host.probe().is_dry() => {
                // A task that runs within a dry run: what it wants may only be planned.
                let by = host.probe().may_be_provided().unwrap_or_else(|| "earlier tasks were only planned".into());
                let reason: Reason = format!("{message}; {by}").into();
                result.extend(unknown_result(module, &reason));
                return Outcome { diff, warnings, ..Outcome::new(Status::Unknown(reason), result) };
            }
            Err(failure) => {
                // What the earlier steps did has been done, and is said.
                result.insert("changed", changed);
                return Outcome { diff, warnings, ..failed(failure, result) };
            }
        }
        diff.extend(step.diff.into_iter().filter(|_| mode.diff));
    }
    if let Some(read) = plan.after {
        match read(host.probe()) {
            Ok(read) => result.extend(read),
            Err(failure) => {
                result.insert("changed", changed);
                return Outcome { diff, warnings, ..failed(failure, result) };
            }
        }
    }
    let status = status(plan.changed.unwrap_or(changed), plan.skipped);
    Outcome { status, result, diff, warnings }
}
