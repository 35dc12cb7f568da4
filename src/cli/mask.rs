//! Secrets in events: masked here, before any report sees them.

use crate::event::{Event, HostResult};
use crate::model::{Marks, Status};
use crate::vault::Mask;

/// The event without secrets. `show` lets `debug` print them, as the user asked for.
pub fn event(event: &mut Event, mask: &Mask, show: bool) {
    match event {
        Event::ItemDone(result) | Event::HostDone(result) => host(result, mask, show),
        Event::PlayStarted { name, .. } | Event::NoHosts { play: name } => mask.text(name),
        Event::TaskStarted { name, path, .. } => [name, path].into_iter().for_each(|t| mask.text(t)),
        Event::Retry { task, outcome, .. } => {
            mask.text(task);
            mask.outcome(outcome);
        }
        Event::Included { what, item, .. } => {
            mask.text(what);
            if let Some(item) = item {
                *item = mask.value(item);
            }
        }
        Event::Connecting { how, .. } => mask.text(how),
        Event::Warning(text) | Event::Notice(text) => mask.text(text),
        Event::CustomStats(kept) => kept.iter_mut().for_each(|(_, stats)| *stats = mask.value(stats)),
        Event::RunStarted { .. }
        | Event::Waiting { .. }
        | Event::Background { .. }
        | Event::NoMoreHosts
        | Event::PlaybookEnded { .. }
        | Event::RunEnded { .. }
        | Event::Over => {}
    }
}

fn host(result: &mut HostResult, mask: &Mask, show: bool) {
    if show && result.verbose && result.outcome.status != Status::Failed {
        let shown = |t: &crate::model::Text| t.clone().marked(t.marks().without(Marks::SECRET));
        let entries = result.outcome.result.iter().map(|(key, value)| (key.clone(), value.map_text(&shown)));
        result.outcome.result = entries.collect();
    } else {
        mask.outcome(&mut result.outcome);
    }
    if let Some(item) = &mut result.item {
        *item = mask.value(item);
    }
    if let Some(finding) = &mut result.explanation {
        mask.finding(finding);
    }
}
