//! Order edges: tasks as they are written, handlers as they are defined.

use super::{Context, EdgeKind, TaskGraph};

pub(super) fn connect(context: &Context<'_>, graph: &mut TaskGraph) {
    let handlers = context.play.tasks.len();
    for (id, _) in context.all().skip(1).filter(|(id, _)| *id != handlers) {
        graph.connect(id - 1, id, EdgeKind::Order, None);
    }
}
