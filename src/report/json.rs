//! `--output json` and `yaml` (one document at the end), `--output jsonl` (an event a line).

use std::io::{self, Write};

use serde_json::{Map as JsonMap, Value as Json, json};

use super::page::Page;
use super::{Colours, Report, Timings, data, render_diff, timing};
use crate::event::{Counts, Event, HostResult};
use crate::model::Status;

/// One document: plays with tasks with hosts, and the recap.
#[derive(Default)]
pub struct Document {
    plays: Vec<Json>,
    warnings: Vec<String>,
    check: bool,
    form: Form,
    timings: Timings,
    custom: Option<Json>,
}

/// How a document is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// JSON.
    #[default]
    Json,
    /// YAML.
    Yaml,
}

/// An event a line, as they come.
#[derive(Default)]
pub struct Lines;

fn status(s: &Status) -> &'static str {
    match s {
        Status::Ok => "ok",
        Status::Changed => "changed",
        Status::Skipped => "skipped",
        Status::Failed => "failed",
        Status::Unreachable => "unreachable",
        Status::Unknown(_) => "unknown",
    }
}

fn counts(c: &Counts) -> Json {
    json!({
        "ok": c.ok, "changed": c.changed, "unreachable": c.unreachable, "failures": c.failed,
        "skipped": c.skipped, "rescued": c.rescued, "ignored": c.ignored, "unknown": c.unknown,
    })
}

fn recap_json(recap: &[(String, Counts)]) -> Json {
    Json::Object(recap.iter().map(|(host, c)| (host.clone(), counts(c))).collect())
}

fn host_result(result: &HostResult) -> JsonMap<String, Json> {
    let mut shown = data::result(&result.outcome, result.hidden);
    shown.insert("status".to_owned(), json!(status(&result.outcome.status)));
    if result.ignored {
        shown.insert("ignored".to_owned(), json!(true));
    }
    if let Some(other) = &result.delegated_to {
        shown.insert("delegated_to".to_owned(), json!(other));
    }
    if let Some(origin) = result.explanation.as_ref().and_then(|finding| finding.origin.as_ref()) {
        shown.insert("origin".to_owned(), json!(origin.to_string()));
    }
    if !result.outcome.diff.is_empty() && !result.hidden {
        let texts: Vec<String> = result.outcome.diff.iter().map(|d| render_diff(d, Colours::Off)).collect();
        shown.insert("diff".to_owned(), json!(texts.concat()));
    }
    shown.insert("seconds".to_owned(), json!(result.seconds));
    shown.insert("timing".to_owned(), timing::to_json(&result.timing));
    shown
}

impl Document {
    /// A document that will be written in this form.
    pub fn new(form: Form) -> Self {
        Self { form, ..Self::default() }
    }

    fn write(&self, document: &Json, out: &mut Page) -> io::Result<()> {
        match self.form {
            Form::Json => writeln!(out, "{}", data::indented(document)),
            Form::Yaml => write!(out, "---\n{}", serde_yaml::to_string(document).map_err(io::Error::other)?),
        }
    }

    fn tasks(&mut self) -> Option<&mut Vec<Json>> {
        self.plays.last_mut()?.get_mut("tasks")?.as_array_mut()
    }

    fn included(&mut self, what: &str, names: &[String]) {
        let Some(task) = self.tasks().and_then(|t| t.last_mut()) else { return };
        if let Some(hosts) = task.get_mut("hosts").and_then(Json::as_object_mut) {
            for name in names {
                hosts.insert(name.clone(), json!({"changed": false, "include": what, "status": "ok"}));
            }
        }
    }

    fn host(&mut self, result: &HostResult) {
        let Some(task) = self.tasks().and_then(|t| t.last_mut()) else { return };
        if let Some(hosts) = task.get_mut("hosts").and_then(Json::as_object_mut) {
            hosts.insert(result.host.clone(), Json::Object(host_result(result)));
        }
    }
}

impl Report for Document {
    fn event(&mut self, event: &Event, out: &mut Page) -> io::Result<()> {
        self.timings.event(event);
        match event {
            Event::RunStarted { check, .. } => self.check = *check,
            Event::PlayStarted { name, hosts } => {
                self.plays.push(json!({"play": {"name": name, "hosts": hosts}, "tasks": []}));
            }
            Event::TaskStarted { name, path, .. } => {
                let task = json!({"task": {"name": name, "path": path}, "hosts": {}});
                if let Some(tasks) = self.tasks() {
                    tasks.push(task);
                }
            }
            Event::Included { what, hosts, .. } => self.included(what, hosts),
            Event::HostDone(result) => self.host(result),
            Event::Warning(text) => self.warnings.push(text.clone()),
            Event::CustomStats(kept) => self.custom = Some(custom_json(kept)),
            Event::RunEnded { recap, .. } => {
                let plays = std::mem::take(&mut self.plays);
                let mut document = json!({
                    "check": self.check, "plays": plays, "stats": recap_json(recap),
                    "timing": self.timings.to_json(), "warnings": self.warnings,
                });
                if let (Some(kept), Some(document)) = (self.custom.take(), document.as_object_mut()) {
                    document.insert("custom_stats".to_owned(), kept);
                }
                return self.write(&document, out);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Report for Lines {
    fn event(&mut self, event: &Event, out: &mut Page) -> io::Result<()> {
        let line = match event {
            Event::Over => return Ok(()),
            Event::RunStarted { version, check } => json!({"event": "run_started", "version": version, "check": check}),
            Event::PlayStarted { name, hosts } => json!({"event": "play_started", "play": name, "hosts": hosts}),
            Event::NoHosts { play } => json!({"event": "no_hosts", "play": play}),
            Event::TaskStarted { name, path, .. } => json!({"event": "task_started", "task": name, "path": path}),
            Event::ItemDone(r) | Event::HostDone(r) => {
                let name = if matches!(event, Event::ItemDone(_)) { "item_done" } else { "host_done" };
                let item = r.item.as_ref().filter(|_| !r.hidden).map(data::to_json);
                json!({"event": name, "host": r.host, "item": item, "result": host_result(r)})
            }
            Event::Included { what, hosts, item } => {
                let item = item.as_ref().map(data::to_json);
                json!({"event": "included", "include": what, "hosts": hosts, "item": item})
            }
            Event::Retry { host, task, left, .. } => {
                json!({"event": "retry", "host": host, "task": task, "left": left})
            }
            Event::Background { host, job, state } => {
                json!({"event": "background", "host": host, "job": job, "state": format!("{state:?}").to_lowercase()})
            }
            Event::Connecting { host, how } => json!({"event": "connecting", "host": host, "how": how}),
            Event::Waiting { hosts, seconds } => json!({"event": "waiting", "hosts": hosts, "seconds": seconds}),
            Event::Warning(text) => json!({"event": "warning", "text": text}),
            Event::Notice(text) => json!({"event": "notice", "text": text}),
            Event::CustomStats(kept) => json!({"event": "custom_stats", "stats": custom_json(kept)}),
            Event::NoMoreHosts => json!({"event": "no_more_hosts"}),
            Event::PlaybookEnded { recap } => json!({"event": "playbook_ended", "stats": recap_json(recap)}),
            Event::RunEnded { recap, .. } => json!({"event": "run_ended", "stats": recap_json(recap)}),
        };
        writeln!(out, "{line}")
    }
}

/// What `set_stats` has kept; that of the run under `_run`, as in Ansible.
fn custom_json(kept: &[(Option<String>, crate::model::Value)]) -> Json {
    let name = |host: &Option<String>| host.clone().unwrap_or_else(|| "_run".to_owned());
    Json::Object(kept.iter().map(|(host, stats)| (name(host), data::to_json(stats))).collect())
}
