//! Results of one task on many hosts, as `ansible` prints them.

use std::io::{self, Write};

use serde_json::Value as Json;

use super::page::Page;
use super::style::Style;
use super::{Options, Report, data, render_diff, render_failure};
use crate::diag::Diagnostic;
use crate::event::{Event, HostResult};
use crate::model::{Map, Status, Value};

/// The report of `rplay exec`.
pub struct AdHoc {
    options: Options,
    /// A line a host.
    one_line: bool,
    /// The module runs a command: its output is printed as it is.
    plain: bool,
}

/// What the place is called of a task of the command line.
pub const PATTERN: &str = "PATTERN";

/// Modules whose output is printed as it is.
const PLAIN: [&str; 3] = ["command", "shell", "raw"];

/// A result as JSON on one line: what `--tree` writes.
pub fn result_line(result: &HostResult) -> String {
    data::one_line(&Json::Object(data::result(&result.outcome, result.hidden)))
}

fn text<'r>(result: &'r Map, name: &str) -> &'r str {
    match result.get(name) {
        Some(Value::Str(text)) if text.is_secret() => crate::model::MASK,
        Some(Value::Str(text)) => text.as_str(),
        _ => "",
    }
}

impl AdHoc {
    /// A report for a task of this module.
    pub fn new(options: Options, module: &str, one_line: bool) -> Self {
        let short = module.strip_prefix("ansible.builtin.").or_else(|| module.strip_prefix("ansible.legacy."));
        Self { options, one_line, plain: PLAIN.contains(&short.unwrap_or(module)) }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        self.options.colours.paint(style, text)
    }

    fn result(&self, result: &HostResult, out: &mut Page) -> io::Result<()> {
        for warning in &result.outcome.warnings {
            out.aside(&self.paint(Style::Warning, &format!("[WARNING]: {warning}")));
        }
        for diff in result.outcome.diff.iter().filter(|_| !result.hidden) {
            write!(out, "{}", render_diff(diff, self.options.colours))?;
        }
        // A place in the pattern says nothing: the result is all there is.
        let placed = |finding: &&Diagnostic| finding.origin.as_ref().is_none_or(|o| o.source.name != PATTERN);
        if let Some(finding) = result.explanation.as_ref().filter(|_| !result.hidden).filter(placed) {
            writeln!(out, "{}", render_failure(finding, self.options.colours))?;
        }
        let (style, word) = match &result.outcome.status {
            Status::Ok => (Style::Ok, "SUCCESS"),
            Status::Changed => (Style::Changed, "CHANGED"),
            Status::Skipped => (Style::Skipped, "SKIPPED"),
            Status::Failed => (Style::Failed, "FAILED"),
            Status::Unreachable => (Style::Unreachable, "UNREACHABLE!"),
            Status::Unknown(_) => (Style::Unknown, "UNKNOWN"),
        };
        for line in self.lines(result, word) {
            writeln!(out, "{}", self.paint(style, &line))?;
        }
        Ok(())
    }

    fn lines(&self, result: &HostResult, word: &str) -> Vec<String> {
        let head = format!("{} | {word}", result.host);
        let values = &result.outcome.result;
        let failed = result.outcome.status == Status::Failed;
        match &result.outcome.status {
            Status::Skipped => return vec![head],
            Status::Unreachable if self.one_line => return vec![format!("{head}: {}", text(values, "msg"))],
            Status::Unknown(reason) => return vec![format!("{head} => {reason}")],
            _ => {}
        }
        // Without an exit status there was no command: it is a dry run, or was not found.
        let rc = values.get("rc").and_then(Value::as_int).filter(|_| self.plain && !result.hidden);
        let mut lines = Vec::new();
        if let Some(rc) = rc {
            let (stdout, stderr) = (text(values, "stdout"), text(values, "stderr"));
            if self.one_line {
                let escaped = |text: &str| text.replace('\n', "\\n").replace('\r', "\\r");
                let errors = if stderr.is_empty() { String::new() } else { format!(" (stderr) {}", escaped(stderr)) };
                lines.push(format!("{head} | rc={rc} | (stdout) {}{errors}", escaped(stdout)));
                // Ansible says it twice when it failed.
                if !failed {
                    return lines;
                }
            } else {
                return vec![format!("{head} | rc={rc} >>\n{stdout}{stderr}{}", text(values, "msg"))];
            }
        }
        let mark = if failed { "!" } else { "" };
        lines.push(format!("{head}{mark} => {}", self.json(result)));
        lines
    }

    fn json(&self, result: &HostResult) -> String {
        let mut shown = data::result(&result.outcome, result.hidden);
        let says_changed = result.outcome.result.contains("changed") || self.one_line;
        if result.verbose && result.outcome.status != Status::Failed && !says_changed {
            shown.shift_remove("changed");
        }
        let shown = Json::Object(shown);
        if self.one_line { compact(&shown) } else { data::indented(&shown) }
    }
}

/// JSON on one line as Ansible's `-o` has it: a blank after `:`, none after `,`.
fn compact(json: &Json) -> String {
    match json {
        Json::Array(items) => format!("[{}]", items.iter().map(compact).collect::<Vec<_>>().join(",")),
        Json::Object(map) => {
            let entries = map.iter().map(|(k, v)| format!("{}: {}", Json::String(k.clone()), compact(v)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

impl Report for AdHoc {
    fn event(&mut self, event: &Event, out: &mut Page) -> io::Result<()> {
        match event {
            Event::HostDone(result) => self.result(result, out),
            Event::Warning(text) => {
                out.aside(&self.paint(Style::Warning, &format!("[WARNING]: {text}")));
                Ok(())
            }
            Event::Background { host, job, state } => {
                let line = super::data::job_line(host, job, *state);
                writeln!(out, "{line}")
            }
            Event::Connecting { .. } if self.options.verbosity < 3 => Ok(()),
            Event::Connecting { host, how } => {
                writeln!(out, "{}", self.paint(Style::Skipped, &format!("<{host}> EXEC {how}")))
            }
            Event::Waiting { hosts, seconds } => {
                let text = format!("waiting since {seconds} s for: {}", hosts.join(", "));
                writeln!(out, "{}", self.paint(Style::Skipped, &text))
            }
            _ => Ok(()),
        }
    }
}
