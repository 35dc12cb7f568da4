//! Notify edges: from a task to the handlers that answer to what it notifies.

use super::{Context, EdgeKind, TaskGraph};
use crate::compile::handler_names;

pub(super) fn connect(context: &Context<'_>, graph: &mut TaskGraph) {
    let play = context.play;
    for (index, handler) in play.handlers.iter().enumerate() {
        let names = handler_names(handler, &play.roles);
        let id = play.tasks.len() + index;
        for (from, task) in context.all().filter(|(from, _)| *from != id) {
            for name in task.notify.iter().filter(|n| names.iter().any(|name| name == n.as_str())) {
                graph.connect(from, id, EdgeKind::Notify, Some(name.as_str().to_owned()));
            }
        }
    }
}
