//! Ansible's default layout.

use std::collections::HashSet;
use std::io::{self, Write};

use serde_json::Value as Json;

use super::page::Page;
use super::style::Style;
use super::{Options, Report, data, render_diff, render_failure};
use crate::event::{Counts, Event, HostResult, TaskKind};
use crate::model::{Outcome, Status, Value};

/// The default report.
pub struct Default {
    options: Options,
    warned: HashSet<String>,
    /// A task whose headline has not been printed yet: name, kind, place.
    pending: Option<(String, TaskKind, String)>,
    /// What `set_stats` has kept: of hosts, and of the run.
    custom: Vec<(Option<String>, Value)>,
}

impl Default {
    /// A report with these options.
    pub fn new(options: Options) -> Self {
        Self { options, warned: HashSet::new(), pending: None, custom: Vec::new() }
    }

    fn banner(&self, title: &str, out: &mut Page) -> io::Result<()> {
        let width = if self.options.width == 0 { 79 } else { self.options.width };
        let stars = width.saturating_sub(title.chars().count()).max(3);
        writeln!(out, "\n{title} {}", "*".repeat(stars))
    }

    /// A task's headline: at once, or with the first result that is shown, where some are hidden.
    fn headline(&mut self, out: &mut Page) -> io::Result<()> {
        let Some((name, kind, path)) = self.pending.take() else { return Ok(()) };
        let word = if kind == TaskKind::Handler { "RUNNING HANDLER" } else { "TASK" };
        self.banner(&format!("{word} [{name}]"), out)?;
        if self.options.verbosity >= 2 { writeln!(out, "task path: {path}") } else { Ok(()) }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        self.options.colours.paint(style, text)
    }

    fn warn(&mut self, text: &str, out: &mut Page) -> io::Result<()> {
        if self.warned.insert(text.to_owned()) {
            out.aside(&self.paint(Style::Warning, &format!("[WARNING]: {text}")));
        }
        Ok(())
    }

    fn result(&mut self, result: &HostResult, looped: bool, out: &mut Page) -> io::Result<()> {
        for warning in &result.outcome.warnings {
            self.warn(warning, out)?;
        }
        let hidden_kind = match result.outcome.status {
            Status::Skipped => self.options.hide_skipped,
            Status::Ok => self.options.hide_ok,
            _ => false,
        };
        if !hidden_kind {
            self.headline(out)?;
        }
        self.diffs(result, out)?;
        if !looped {
            self.explain(result, out)?;
        }
        if !hidden_kind && !looped {
            writeln!(out, "{}", self.line(result))?;
            if result.ignored && result.item.is_none() {
                writeln!(out, "{}", self.paint(Style::Skipped, "...ignoring"))?;
            }
        }
        Ok(())
    }

    /// Why it failed, and where that is written: before the result, as in Ansible.
    fn explain(&mut self, result: &HostResult, out: &mut Page) -> io::Result<()> {
        let Some(finding) = result.explanation.as_ref().filter(|_| !result.hidden) else { return Ok(()) };
        let text = render_failure(finding, self.options.colours);
        // The same mistake on many hosts is explained once.
        if self.warned.insert(text.clone()) { writeln!(out, "{text}") } else { Ok(()) }
    }

    fn diffs(&self, result: &HostResult, out: &mut Page) -> io::Result<()> {
        for diff in result.outcome.diff.iter().filter(|_| !result.hidden) {
            write!(out, "{}", render_diff(diff, self.options.colours))?;
        }
        Ok(())
    }

    fn line(&self, result: &HostResult) -> String {
        let who = match &result.delegated_to {
            Some(other) => format!("[{} -> {other}]", result.host),
            None => format!("[{}]", result.host),
        };
        let item = result.item.as_ref().map(|item| {
            let label = if result.hidden { Value::from("(censored due to no_log)") } else { item.clone() };
            format!("(item={})", label_text(&label))
        });
        let failed = matches!(result.outcome.status, Status::Failed)
            || result.outcome.status == Status::Unreachable && item.is_some();
        let (style, word) = match &result.outcome.status {
            Status::Ok => (Style::Ok, "ok"),
            Status::Changed => (Style::Changed, "changed"),
            Status::Skipped => (Style::Skipped, "skipping"),
            Status::Failed if item.is_some() => (Style::Failed, "failed"),
            Status::Unreachable if item.is_some() => (Style::Unreachable, "failed"),
            Status::Failed => (Style::Failed, "fatal"),
            Status::Unreachable => (Style::Unreachable, "fatal"),
            Status::Unknown(_) => (Style::Unknown, "unknown"),
        };
        let mut line = format!("{word}: {who}");
        match (&item, failed) {
            (Some(item), true) => line.push_str(&format!(" {item}")),
            (Some(item), false) => line.push_str(&format!(" => {item}")),
            (None, true) => line.push_str(": FAILED!"),
            (None, false) if result.outcome.status == Status::Unreachable => line.push_str(": UNREACHABLE!"),
            _ => {}
        }
        if let Some(text) = self.details(result) {
            line.push_str(&text);
        }
        self.paint(style, &line)
    }

    /// What follows the headline of a result, when anything does.
    fn details(&self, result: &HostResult) -> Option<String> {
        if let Status::Unknown(reason) = &result.outcome.status
            && self.options.verbosity == 0
        {
            return Some(format!(" => {reason}"));
        }
        let failed = matches!(result.outcome.status, Status::Failed | Status::Unreachable);
        let speaks = result.verbose && !result.hidden;
        if !speaks && !failed && self.options.verbosity == 0 {
            return None;
        }
        let mut shown = data::result(&result.outcome, result.hidden);
        if speaks {
            if failed && shown.contains_key("assertion") {
                // An assertion is shown as it is.
            } else if failed {
                shown.retain(|k, _| !matches!(k.as_str(), "changed" | "failed_when_result"));
            } else if !result.outcome.result.contains("changed") {
                // A message stands alone, and a variable without the loop's marks beside it.
                let alone = shown.contains_key("msg");
                let marks = ["changed", "ansible_loop_var", "ansible_index_var", "ansible_loop"];
                shown.retain(|k, _| if alone { k == "msg" } else { !marks.contains(&k.as_str()) });
            }
            let shown = if self.options.verbosity == 0 && !failed { strip_internal(shown) } else { shown };
            return Some(format!(" => {}", data::indented(&Json::Object(shown))));
        }
        let shown = Json::Object(shown);
        let over_lines = self.options.verbosity > 2 || result.verbose && !result.hidden;
        Some(format!(" => {}", if over_lines { data::indented(&shown) } else { data::one_line(&shown) }))
    }

    fn recap(&self, recap: &[(String, Counts)], out: &mut Page) -> io::Result<()> {
        self.banner("PLAY RECAP", out)?;
        for (host, counts) in recap {
            writeln!(out, "{}", self.recap_line(host, counts))?;
        }
        writeln!(out)?;
        if self.custom.is_empty() {
            return Ok(());
        }
        self.banner("CUSTOM STATS:", out)?;
        let (run, hosts): (Vec<_>, Vec<_>) = self.custom.iter().partition(|(host, _)| host.is_none());
        for (host, data) in hosts.into_iter().chain(run) {
            let host = host.as_deref().unwrap_or("RUN");
            writeln!(
                out,
                "\t{host}: {}",
                data::indented_by(b" ", &data::sorted(data::to_json(data))).replace('\n', "")
            )?;
        }
        writeln!(out)
    }

    fn recap_line(&self, host: &str, c: &Counts) -> String {
        let style = if c.failed > 0 || c.unreachable > 0 {
            Style::Failed
        } else if c.changed > 0 {
            Style::Changed
        } else {
            Style::Ok
        };
        let part = |name: &str, n: u32, style: Style| {
            let text = format!("{name}={n:<4}");
            if n > 0 { self.paint(style, &text) } else { text }
        };
        let mut parts = vec![
            part("ok", c.ok, Style::Ok),
            part("changed", c.changed, Style::Changed),
            part("unreachable", c.unreachable, Style::Unreachable),
            part("failed", c.failed, Style::Failed),
            part("skipped", c.skipped, Style::Skipped),
            part("rescued", c.rescued, Style::Ok),
            part("ignored", c.ignored, Style::Warning),
        ];
        if c.unknown > 0 {
            parts.push(part("unknown", c.unknown, Style::Unknown));
        }
        format!("{} : {}", self.paint(style, &format!("{host:<26}")), parts.join(" "))
    }

    fn retry(&self, host: &str, task: &str, left: u32, outcome: &Outcome, out: &mut Page) -> io::Result<()> {
        let mut line = format!("FAILED - RETRYING: [{host}]: {task} ({left} retries left).");
        if self.options.verbosity > 0 {
            line.push_str(&format!(" Result was: {}", data::one_line(&Json::Object(data::result(outcome, false)))));
        }
        writeln!(out, "{}", self.paint(Style::Warning, &line))
    }
}

/// Ansible shows `debug`'s own values, not the marks beside them.
fn strip_internal(mut shown: serde_json::Map<String, Json>) -> serde_json::Map<String, Json> {
    shown.retain(|k, _| !matches!(k.as_str(), "failed" | "skipped" | "evaluated_to" | "assertion"));
    shown
}

/// An item in a loop's line, as Python's `str` gives it.
fn label_text(value: &Value) -> String {
    match value {
        Value::Str(t) if t.is_secret() => crate::model::MASK.to_owned(),
        Value::Str(t) => t.as_str().to_owned(),
        other => python(&data::to_json(other)),
    }
}

fn python(json: &Json) -> String {
    match json {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::String(s) if s.contains('\'') && !s.contains('"') => format!("\"{s}\""),
        Json::String(s) => format!("'{}'", s.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n")),
        Json::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        Json::Object(map) => {
            let entries = map.iter().map(|(k, v)| format!("'{k}': {}", python(v)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Json::Number(n) => n.to_string(),
    }
}

impl Report for Default {
    fn event(&mut self, event: &Event, out: &mut Page) -> io::Result<()> {
        match event {
            Event::RunStarted { .. } => Ok(()),
            Event::PlayStarted { name, .. } => {
                self.pending = None;
                self.banner(&format!("PLAY [{name}]"), out)
            }
            Event::NoHosts { .. } => writeln!(out, "{}", self.paint(Style::Skipped, "skipping: no hosts matched")),
            Event::TaskStarted { name, kind, path } => {
                self.pending = Some((name.clone(), *kind, path.clone()));
                if self.options.hide_ok || self.options.hide_skipped { Ok(()) } else { self.headline(out) }
            }
            Event::Included { what, hosts, item } => {
                self.headline(out)?;
                let item = item.as_ref().map(|item| format!(" => (item={})", label_text(item))).unwrap_or_default();
                let line = format!("included: {what} for {}{item}", hosts.join(", "));
                writeln!(out, "{}", self.paint(Style::Skipped, &line))
            }
            Event::ItemDone(result) => self.result(result, false, out),
            Event::HostDone(result) => {
                let looped = result.outcome.result.contains("results") && result.outcome.status != Status::Skipped;
                let looped = looped && !matches!(result.outcome.status, Status::Unreachable);
                self.result(result, looped, out)?;
                if looped && result.ignored {
                    writeln!(out, "{}", self.paint(Style::Skipped, "...ignoring"))?;
                }
                Ok(())
            }
            Event::Retry { host, task, left, outcome } => self.retry(host, task, *left, outcome, out),
            Event::Background { host, job, state } => {
                let line = super::data::job_line(host, job, *state);
                writeln!(out, "{line}")
            }
            Event::Connecting { .. } if self.options.verbosity < 3 => Ok(()),
            Event::Connecting { host, how } => {
                writeln!(out, "{}", self.paint(Style::Skipped, &format!("<{host}> EXEC {how}")))
            }
            Event::Waiting { hosts, seconds } => {
                let names = if hosts.len() > 10 {
                    format!(
                        "{} and {} more",
                        hosts.iter().take(10).cloned().collect::<Vec<_>>().join(", "),
                        hosts.len() - 10
                    )
                } else {
                    hosts.join(", ")
                };
                writeln!(out, "{}", self.paint(Style::Skipped, &format!("waiting since {seconds} s for: {names}")))
            }
            Event::Warning(text) => self.warn(text, out),
            Event::Notice(text) => self.headline(out).and_then(|()| writeln!(out, "{text}")),
            Event::CustomStats(kept) => {
                self.custom = kept.clone();
                Ok(())
            }
            Event::NoMoreHosts => self.banner("NO MORE HOSTS LEFT", out),
            Event::RunEnded { broken_off: true, .. } | Event::Over => Ok(()),
            Event::PlaybookEnded { recap } | Event::RunEnded { recap, .. } => self.recap(recap, out),
        }
    }
}
