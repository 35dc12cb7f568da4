//! What `command`, `shell` and `script` share: whether to run at all, running, and what
//! is returned.

use crate::model::{Command, Failure, Map, Output, Value};
use crate::module::{Done, Plan, ReturnSpec, Step};
use crate::sys::{Host, Probe, Time, clock};

use super::glob::glob;

/// What running a program returns.
pub const RETURNS: &[ReturnSpec] = &[
    ReturnSpec { name: "cmd", doc: "The command as it was run." },
    ReturnSpec { name: "rc", doc: "The exit status." },
    ReturnSpec { name: "stdout", doc: "Standard output." },
    ReturnSpec { name: "stderr", doc: "Standard error." },
    ReturnSpec { name: "stdout_lines", doc: "Standard output, by lines." },
    ReturnSpec { name: "stderr_lines", doc: "Standard error, by lines." },
    ReturnSpec { name: "start", doc: "When it started, in local time." },
    ReturnSpec { name: "end", doc: "When it ended, in local time." },
    ReturnSpec { name: "delta", doc: "How long it took." },
];

/// What only running the program can tell.
pub const YIELDS: &[&str] = &["rc", "stdout", "stderr", "stdout_lines", "stderr_lines", "start", "end", "delta"];

/// Why a program need not be run.
pub enum Needless {
    /// What it creates is there.
    Exists(String),
    /// What it removes is not there.
    Gone(String),
}

/// Whether `creates` and `removes` make running needless.
///
/// # Errors
/// [`Failure::unknown`] in a dry run where an earlier step may provide what is missing.
pub fn needless(
    host: &Probe<'_>,
    creates: Option<&str>,
    removes: Option<&str>,
    dir: Option<&str>,
) -> Result<Option<Needless>, Failure> {
    let exists = |pattern: &str| {
        let found = !glob(host, pattern, dir)?.is_empty();
        match host.may_be_provided() {
            Some(reason) if !found => Err(Failure::unknown(reason)),
            _ => Ok(found),
        }
    };
    if let Some(path) = creates
        && exists(path)?
    {
        return Ok(Some(Needless::Exists(path.to_owned())));
    }
    if let Some(path) = removes
        && !exists(path)?
    {
        return Ok(Some(Needless::Gone(path.to_owned())));
    }
    Ok(None)
}

/// How a program's output is taken.
#[derive(Debug, Clone, Copy)]
pub struct Taking {
    /// Line ends at the end of outputs are left out.
    pub strip: bool,
    /// A shell ran it: its status 127 says that there is no such program.
    pub shell: bool,
}

/// The plan that runs a program and returns what it printed.
pub fn plan(shown: Value, command: Command, taking: Taking) -> Plan {
    let mut plan = Plan::new().with("cmd", shown.clone());
    let action = move |host: &mut Host<'_>| run(host, &command, taking, &shown);
    plan.step(Step::action([], action).yields(YIELDS));
    plan
}

/// Runs a program; an exit status other than 0 is a failure with all that was printed.
///
/// # Errors
/// That failure, or the program is not there.
pub fn run(host: &mut Host<'_>, command: &Command, taking: Taking, shown: &Value) -> Result<Done, Failure> {
    let start = clock::now();
    let out = host.run(command, None).map_err(|failure| not_started(failure, shown))?;
    let mut result = returned(&out, taking, start, clock::now());
    if out.success() {
        result.insert("msg", "");
        return Ok(Done::with(result));
    }
    let message = "non-zero return code";
    let mut failure = if taking.shell && out.code == 127 { Failure::missing(message) } else { Failure::new(message) }
        .with("changed", true);
    failure.fields.insert("cmd", shown.clone());
    failure.fields.extend(result);
    Err(failure)
}

/// As Ansible returns it when there was nothing to run.
fn not_started(failure: Failure, shown: &Value) -> Failure {
    let mut rc = failure.fields.get("rc").cloned().unwrap_or(Value::Int(2));
    if failure.message.starts_with("Unable to change directory") {
        rc = Value::Null;
    }
    let mut failure = failure.with("cmd", shown.clone());
    if rc.is_null() {
        for name in ["delta", "end", "start"] {
            failure.fields.insert(name, Value::Null);
        }
    } else {
        failure.message = format!("Error executing command: {}", failure.message);
    }
    failure.fields.insert("rc", rc);
    failure.fields.extend(output_fields("", ""));
    failure
}

/// Output as text and by lines.
pub fn output_fields(stdout: &str, stderr: &str) -> Map {
    let lines = |text: &str| Value::list(text.lines().map(Value::from));
    Map::from_iter([
        ("stdout", Value::from(stdout)),
        ("stderr", Value::from(stderr)),
        ("stdout_lines", lines(stdout)),
        ("stderr_lines", lines(stderr)),
    ])
}

fn returned(out: &Output, taking: Taking, start: Time, end: Time) -> Map {
    let text = |text: String| {
        if taking.strip { text.trim_end_matches(['\r', '\n']).to_owned() } else { text }
    };
    let mut result = Map::new();
    let offset = clock::offset(start.secs);
    let local = |t: Time| clock::civil(t.secs + offset, t.nanos).to_string();
    result.insert("rc", out.code);
    result.extend(output_fields(&text(out.stdout_text()), &text(out.stderr_text())));
    result.insert("start", local(start));
    result.insert("end", local(end));
    result.insert("delta", delta(start, end));
    result
}

/// As Python writes a `timedelta`.
fn delta(start: Time, end: Time) -> String {
    let nanos = |t: Time| i128::from(t.secs) * 1_000_000_000 + i128::from(t.nanos);
    let micros = ((nanos(end) - nanos(start)) / 1000).max(0);
    let secs = micros / 1_000_000;
    let days = match secs / 86_400 {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        n => format!("{n} days, "),
    };
    format!("{days}{}:{:02}:{:02}.{:06}", secs / 3600 % 24, secs / 60 % 60, secs % 60, micros % 1_000_000)
}
