//! Barrier edges: all hosts come to a barrier before it begins, and it ends before they go on.

use super::{Context, EdgeKind, TaskGraph};
use crate::compile::Stage;

/// Why hosts wait where handlers run.
const FLUSH: &str = "handlers that were notified run here";

pub(super) fn connect(context: &Context<'_>, graph: &mut TaskGraph) {
    let tasks = context.play.tasks.len();
    for (id, _) in context.all() {
        let Some(reason) = graph.barrier(id).map(|barrier| barrier.reason.clone()) else { continue };
        // Tasks and handlers are two lists.
        let (start, end) = if id < tasks { (0, tasks) } else { (tasks, graph.len()) };
        if id > start {
            graph.connect(id - 1, id, EdgeKind::Barrier, Some(reason.clone()));
        }
        if id + 1 < end {
            graph.connect(id, id + 1, EdgeKind::Barrier, Some(reason));
        }
    }
    flushes(context, graph);
}

/// Between the tasks before and after a flush, where one of those before may have notified.
fn flushes(context: &Context<'_>, graph: &mut TaskGraph) {
    let (mut before, mut notified, mut flushed) = (None, false, false);
    for stage in &context.play.stages {
        match stage {
            Stage::Flush => {
                flushed |= notified;
                notified = false;
            }
            Stage::Task(id) => {
                if let Some(before) = before.filter(|_| flushed) {
                    graph.connect(before, *id, EdgeKind::Barrier, Some(FLUSH.to_owned()));
                }
                flushed = false;
                before = Some(*id);
                notified |= context.play.tasks.get(*id).is_some_and(|task| !task.notify.is_empty());
            }
        }
    }
}
