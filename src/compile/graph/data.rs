//! Data edges: from a task that sets variables (`register`, `set_fact`, facts,
//! `include_vars`) to each later one that reads them.
//!
//! What a handler sets is followed to later handlers only: tasks after it are behind the
//! barrier of its flush anyway.

use std::collections::{BTreeSet, HashMap};

use super::{Context, EdgeKind, TaskGraph};
use crate::compile::reads::{self, Sets};
use crate::template::Reads;

pub(super) fn connect(context: &Context<'_>, graph: &mut TaskGraph) {
    let sets: Vec<Sets> = context.all().map(|(_, task)| reads::sets(task)).collect();
    let setters = Setters::new(&sets);
    let paths: Vec<_> = context.all().map(|(_, task)| &task.path).collect();
    let handlers = context.play.tasks.len();
    for (id, task) in context.all() {
        let reads = context.reads(id);
        // Names of which the value is that of a setter already met: those before it do not matter.
        let mut settled: BTreeSet<&str> = BTreeSet::new();
        for from in setters.of(&reads).into_iter().rev().filter(|from| *from < id) {
            let (Some(sets), Some(path)) = (sets.get(from), paths.get(from)) else { continue };
            for name in reads::shared(sets, &reads).into_iter().filter(|name| !settled.contains(name.as_str())) {
                graph.connect(from, id, EdgeKind::Data, Some(name));
            }
            // A handler may run between any two tasks, so that it may see each of their values.
            if id < handlers && task.path.starts_with(path) {
                settled.extend(sets.names.iter().filter(|(_, sure)| *sure).map(|(name, _)| name.as_str()));
            }
        }
    }
}

/// Ids of tasks by what they set, each list in their order.
#[derive(Default)]
struct Setters<'a> {
    by_name: HashMap<&'a str, Vec<usize>>,
    facts: Vec<usize>,
    any: Vec<usize>,
    all: Vec<usize>,
}

impl<'a> Setters<'a> {
    fn new(sets: &'a [Sets]) -> Self {
        let mut setters = Self::default();
        for (id, sets) in sets.iter().enumerate().filter(|(_, sets)| **sets != Sets::default()) {
            sets.names.iter().for_each(|(name, _)| setters.by_name.entry(name).or_default().push(id));
            if sets.facts {
                setters.facts.push(id);
            }
            if sets.any {
                setters.any.push(id);
            }
            setters.all.push(id);
        }
        setters
    }

    /// Those that may set something of what is read.
    fn of(&self, reads: &Reads) -> BTreeSet<usize> {
        if reads.any {
            return self.all.iter().copied().collect();
        }
        let named = reads.names.iter().filter_map(|name| self.by_name.get(name.as_str())).flatten();
        let facts = self.facts.iter().filter(|_| reads.names.iter().any(|name| reads::is_fact(name)));
        named.chain(facts).chain(&self.any).copied().collect()
    }
}
