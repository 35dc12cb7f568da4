//! `--timing`: what a run cost on the wire, by task, by host and by play.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::Report;
use super::page::Page;
use crate::event::{Event, HostResult};
use crate::model::Timing;

/// What one play cost.
#[derive(Debug, Default)]
pub struct PlayTiming {
    name: String,
    tasks: Vec<(String, Timing)>,
    hosts: BTreeMap<String, Timing>,
    all: Timing,
}

/// What a run cost, collected from its events.
#[derive(Debug, Default)]
pub struct Timings(Vec<PlayTiming>);

impl Timings {
    /// Takes an event.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::PlayStarted { name, .. } => {
                self.0.push(PlayTiming { name: name.clone(), ..PlayTiming::default() });
            }
            Event::TaskStarted { name, .. } => {
                if let Some(play) = self.0.last_mut() {
                    play.tasks.push((name.clone(), Timing::default()));
                }
            }
            Event::HostDone(result) => self.host(result),
            _ => {}
        }
    }

    fn host(&mut self, result: &HostResult) {
        let Some(play) = self.0.last_mut() else { return };
        play.all.add(&result.timing);
        play.hosts.entry(result.host.clone()).or_default().add(&result.timing);
        if let Some((_, task)) = play.tasks.last_mut() {
            task.add(&result.timing);
        }
    }

    /// By host and by play, for a document; tasks carry their own.
    pub fn to_json(&self) -> Json {
        let play = |play: &PlayTiming| {
            let hosts = play.hosts.iter().map(|(host, t)| (host.clone(), to_json(t)));
            json!({"play": play.name, "all": to_json(&play.all), "hosts": Json::Object(hosts.collect())})
        };
        Json::Array(self.0.iter().map(play).collect())
    }

    fn write(&self, out: &mut Page) -> io::Result<()> {
        for play in &self.0 {
            writeln!(out, "\nTIMING [{}]", play.name)?;
            let head = ["round trips", "sent", "received", "waiting", "planning", "acting"];
            let [trips, sent, received, waiting, planning, acting] = head;
            writeln!(out, "{trips:>11} {sent:>9} {received:>9} {waiting:>9} {planning:>9} {acting:>9}")?;
            for (name, timing) in &play.tasks {
                row(timing, &format!("task {name}"), out)?;
            }
            for (host, timing) in &play.hosts {
                row(timing, &format!("host {host}"), out)?;
            }
            row(&play.all, "the play", out)?;
        }
        Ok(())
    }
}

fn row(t: &Timing, name: &str, out: &mut Page) -> io::Result<()> {
    let seconds = |time: std::time::Duration| format!("{:.3}s", time.as_secs_f64());
    let (waiting, planning, acting) = (seconds(t.waiting), seconds(t.planning), seconds(t.acting));
    let (sent, received) = (bytes(t.sent), bytes(t.received));
    writeln!(out, "{:>11} {sent:>9} {received:>9} {waiting:>9} {planning:>9} {acting:>9}  {name}", t.round_trips)
}

/// A number of bytes in the largest unit that leaves a whole part.
fn bytes(n: u64) -> String {
    let mut value = n as f64;
    for unit in ["B", "KiB", "MiB"] {
        if value < 1024.0 {
            return if unit == "B" { format!("{n} B") } else { format!("{value:.1} {unit}") };
        }
        value /= 1024.0;
    }
    format!("{value:.1} GiB")
}

/// What a task cost, as `--output json` has it: seconds and bytes.
pub(super) fn to_json(t: &Timing) -> Json {
    json!({
        "round_trips": t.round_trips, "bytes_sent": t.sent, "bytes_received": t.received,
        "waiting": t.waiting.as_secs_f64(), "planning": t.planning.as_secs_f64(), "acting": t.acting.as_secs_f64(),
    })
}

/// Another report with the table of what the run cost at its end.
pub struct Timed {
    inner: Box<dyn Report>,
    timings: Timings,
}

impl Timed {
    /// Adds the table to a report.
    pub fn new(inner: Box<dyn Report>) -> Self {
        Self { inner, timings: Timings::default() }
    }
}

impl Report for Timed {
    fn event(&mut self, event: &Event, out: &mut Page) -> io::Result<()> {
        self.timings.event(event);
        self.inner.event(event, out)?;
        if matches!(event, Event::RunEnded { .. }) { self.timings.write(out) } else { Ok(()) }
    }
}
