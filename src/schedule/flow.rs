//! Who runs what after a failure: blocks, rescue and always, as a state machine of one host.
//!
//! A play's tasks stand in one static order. For each task in that order a host either
//! runs it or not; that follows from the failures it has had and from the task's place.

use std::collections::HashSet;

use crate::compile::{BlockId, BlockPath, Section};

/// A host's way through a play.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// Failures that nothing has rescued yet, by where they happened.
    failing: Vec<Failing>,
    /// Blocks whose rescue section this host runs.
    rescuing: HashSet<BlockId>,
}

#[derive(Debug, Clone)]
struct Failing {
    path: BlockPath,
    /// A rescue section is going to take it up.
    rescued: bool,
}

/// How the task's place relates to that of a failure.
enum Relation {
    /// It stands in the rescue section of a block whose main section failed.
    Rescues(usize),
    /// It stands in the always section of a block that failed.
    Always,
    /// It is passed over.
    Passed,
}

impl Flow {
    /// Whether this host runs the task at `path`, the next in static order.
    pub fn enter(&mut self, path: &BlockPath) -> bool {
        while let Some(failure) = self.failing.last() {
            match relation(&failure.path, path) {
                Relation::Rescues(depth) => self.rescue(path, depth),
                Relation::Always => break,
                Relation::Passed => return false,
            }
        }
        path.iter().all(|(block, section)| *section != Section::Rescue || self.rescuing.contains(block))
    }

    fn rescue(&mut self, path: &BlockPath, depth: usize) {
        let Some((block, _)) = path.get(depth) else { return };
        self.rescuing.insert(*block);
        let inside = |failure: &Failing| failure.path.get(depth) == Some(&(*block, Section::Main));
        self.failing.retain(|failure| !inside(failure));
    }

    /// Records a failure at `path`. Returns whether a rescue section will take it up;
    /// `has_rescue` says which blocks have one.
    pub fn fail(&mut self, path: &BlockPath, has_rescue: &[bool]) -> bool {
        let can = |block: BlockId| has_rescue.get(block).copied().unwrap_or(false);
        let rescued = path.iter().any(|(block, section)| *section == Section::Main && can(*block));
        self.failing.push(Failing { path: path.clone(), rescued });
        rescued
    }

    /// Whether a failure stands that nothing has rescued or is going to.
    pub fn has_failed(&self) -> bool {
        self.failing.iter().any(|failure| !failure.rescued)
    }

    /// Goes on from where it was before; failures since then are kept.
    pub fn resume(&mut self, before: Self) {
        let since = std::mem::replace(self, before);
        self.failing.extend(since.failing);
    }

    /// Forgets all failures (`meta: clear_host_errors`).
    pub fn clear(&mut self) {
        self.failing.clear();
    }
}

fn relation(failure: &BlockPath, path: &BlockPath) -> Relation {
    for (depth, (failed, next)) in failure.iter().zip(path).enumerate() {
        if failed == next {
            continue;
        }
        return match (failed, next) {
            ((a, Section::Main), (b, Section::Rescue)) if a == b => Relation::Rescues(depth),
            ((a, Section::Main | Section::Rescue), (b, Section::Always)) if a == b => Relation::Always,
            _ => Relation::Passed,
        };
    }
    Relation::Passed
}

#[cfg(test)]
mod tests {
    use super::*;
    use Section::{Always, Main, Rescue};

    /// Runs tasks in static order; those named in `fail` fail when they are run.
    fn run(tasks: &[(&'static str, BlockPath)], has_rescue: &[bool], fail: &[&str]) -> (Vec<&'static str>, bool) {
        let mut flow = Flow::default();
        let mut ran = Vec::new();
        for (name, path) in tasks {
            if flow.enter(path) {
                ran.push(*name);
                if fail.contains(name) {
                    flow.fail(path, has_rescue);
                }
            }
        }
        (ran, flow.has_failed())
    }

    fn block() -> Vec<(&'static str, BlockPath)> {
        vec![
            ("before", vec![]),
            ("main1", vec![(0, Main)]),
            ("main2", vec![(0, Main)]),
            ("rescue1", vec![(0, Rescue)]),
            ("rescue2", vec![(0, Rescue)]),
            ("always", vec![(0, Always)]),
            ("after", vec![]),
        ]
    }

    #[test]
    fn a_block_without_failure_runs_main_and_always() {
        assert_eq!(run(&block(), &[true], &[]), (vec!["before", "main1", "main2", "always", "after"], false));
    }

    #[test]
    fn a_failure_is_rescued_and_the_play_goes_on() {
        let expected = vec!["before", "main1", "rescue1", "rescue2", "always", "after"];
        assert_eq!(run(&block(), &[true], &["main1"]), (expected, false));
    }

    #[test]
    fn a_failing_rescue_still_runs_always_and_then_stops() {
        let expected = vec!["before", "main1", "rescue1", "always"];
        assert_eq!(run(&block(), &[true], &["main1", "rescue1"]), (expected, true));
    }

    #[test]
    fn a_failure_outside_of_blocks_ends_the_play() {
        assert_eq!(run(&block(), &[true], &["before"]), (vec!["before"], true));
    }

    #[test]
    fn an_outer_rescue_takes_up_what_an_inner_block_leaves_after_its_always() {
        let tasks = vec![
            ("inner", vec![(0, Main), (1, Main)]),
            ("inner always", vec![(0, Main), (1, Always)]),
            ("outer next", vec![(0, Main)]),
            ("outer rescue", vec![(0, Rescue)]),
            ("after", vec![]),
        ];
        let expected = vec!["inner", "inner always", "outer rescue", "after"];
        assert_eq!(run(&tasks, &[true, false], &["inner"]), (expected.clone(), false));
        assert_eq!(run(&tasks, &[true, false], &["inner", "inner always"]), (expected, false));
    }

    #[test]
    fn a_failure_in_always_passes_what_is_left_of_it() {
        let tasks = vec![
            ("main", vec![(0, Main)]),
            ("always1", vec![(0, Always)]),
            ("always2", vec![(0, Always)]),
            ("after", vec![]),
        ];
        assert_eq!(run(&tasks, &[false], &["always1"]), (vec!["main", "always1"], true));
        assert_eq!(run(&tasks, &[false], &["main"]), (vec!["main", "always1", "always2"], true));
    }
}
