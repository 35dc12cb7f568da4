//! Data edges: from a task that sets variables (`register`, `set_fact`, facts,
//! `include_vars`) to each later one that reads them.
//!
//! What a handler sets is followed to later handlers only: tasks after it are behind the
//! barrier of its flush anyway.

use std::collections::BTreeSet;

use super::{Context, EdgeKind, TaskGraph};
use crate::compile::CompiledTask;
use crate::compile::reads::{self, Sets};

pub(super) fn connect(context: &Context<'_>, graph: &mut TaskGraph) {
    let setters: Vec<(usize, &CompiledTask, Sets)> =
        context.all().map(|(id, task)| (id, task, reads::sets(task))).filter(|(.., s)| *s != Sets::default()).collect();
    let handlers = context.play.tasks.len();
    for (id, task) in context.all() {
        let reads = context.reads(id);
        // Names of which the value is that of a setter already met: those before it do not matter.
        let mut settled: BTreeSet<String> = BTreeSet::new();
        for (from, setter, sets) in setters.iter().rev().filter(|(from, ..)| *from < id) {
            for name in reads::shared(sets, &reads).difference(&settled) {
                graph.connect(*from, id, EdgeKind::Data, Some(name.clone()));
            }
            // A handler may run between any two tasks, so that it may see each of their values.
            if id < handlers && setter.path.iter().zip(&task.path).filter(|(a, b)| a == b).count() == setter.path.len()
            {
                settled.extend(sets.names.iter().filter(|(_, sure)| *sure).map(|(name, _)| name.clone()));
            }
        }
    }
}
