//! Plans: what is to be done on a host, as steps that can be carried out or dropped.

use crate::model::{Diff, Failure, Map, Reason, Value};
use crate::sys::{Effect, Host, Probe};

/// What carrying a step out gave.
#[derive(Debug, Default)]
pub struct Done {
    /// Return values to add to the plan's.
    pub result: Map,
    /// Set when only the step itself could tell whether it changed something.
    pub changed: Option<bool>,
    /// What it turned out to change, for `--diff`, where that was not known before.
    pub diff: Vec<Diff>,
    /// Warnings to add to the plan's.
    pub warnings: Vec<String>,
}

impl Done {
    /// Return values.
    pub fn with(result: Map) -> Self {
        Self { result, ..Self::default() }
    }
}

/// Reads return values when all is done.
type After = Box<dyn FnOnce(&Probe<'_>) -> Result<Map, Failure>>;

type Action = Box<dyn FnOnce(&mut Host<'_>) -> Result<Done, Failure>>;

/// One step: what differs, what it does to the host, and how.
pub struct Step {
    pub(super) diff: Vec<Diff>,
    pub(super) effects: Vec<Effect>,
    pub(super) action: Option<Action>,
    pub(super) yields: &'static [&'static str],
    pub(super) quiet: bool,
}

impl Step {
    /// A step that an effect on files describes completely.
    pub fn effect(effect: Effect) -> Self {
        Self { diff: Vec::new(), effects: vec![effect], action: None, yields: &[], quiet: false }
    }

    /// A step that runs code. A dry run takes its `effects` as planned state instead.
    pub fn action(
        effects: impl IntoIterator<Item = Effect>,
        action: impl FnOnce(&mut Host<'_>) -> Result<Done, Failure> + 'static,
    ) -> Self {
        Self {
            diff: Vec::new(),
            effects: effects.into_iter().collect(),
            action: Some(Box::new(action)),
            yields: &[],
            quiet: false,
        }
    }

    /// What differs; a step may have several (content, then owner and mode).
    #[must_use]
    pub fn diff(mut self, diff: impl Into<Option<Diff>>) -> Self {
        self.diff.extend(diff.into());
        self
    }

    /// Says that this step is no change by itself (a cleaning on the way, a reload).
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Return values that only carrying the step out gives; unknown in a dry run.
    #[must_use]
    pub const fn yields(mut self, names: &'static [&'static str]) -> Self {
        self.yields = names;
        self
    }
}

/// What a module found and what is to be done. No steps: nothing is.
#[derive(Default)]
pub struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) result: Map,
    pub(super) warnings: Vec<String>,
    pub(super) skipped: bool,
    pub(super) changed: Option<bool>,
    pub(super) unsure: Option<Reason>,
    pub(super) after: Option<After>,
}

impl Plan {
    /// Nothing to do, nothing to say.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a return value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.result.insert(name, value);
        self
    }

    /// Sets a return value.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.result.insert(name, value);
    }

    /// Removes a return value.
    pub fn unset(&mut self, name: &str) {
        self.result.remove(name);
    }

    /// Sets return values.
    pub fn extend(&mut self, values: Map) {
        self.result.extend(values);
    }

    /// The return values so far.
    pub const fn result(&self) -> &Map {
        &self.result
    }

    /// Adds a step.
    pub fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Adds all of another plan's steps and return values.
    pub fn append(&mut self, other: Self) {
        self.steps.extend(other.steps);
        self.result.extend(other.result);
        self.warnings.extend(other.warnings);
        self.unsure = self.unsure.take().or(other.unsure);
        self.after = other.after.or_else(|| self.after.take());
    }

    /// Whether nothing is to be done.
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Number of steps.
    pub const fn len(&self) -> usize {
        self.steps.len()
    }

    /// Carries the plan out within a step that could only plan it after its own beginning
    /// (packages, when the lists of packages have been fetched).
    ///
    /// # Errors
    /// The first failure of a step.
    pub fn carry_out(self, host: &mut Host<'_>) -> Result<Done, Failure> {
        let mut all = Done { result: self.result, changed: Some(false), warnings: self.warnings, ..Done::default() };
        for step in self.steps {
            let done = match step.action {
                None => step.effects.iter().try_for_each(|effect| host.apply(effect)).map(|()| Done::default())?,
                Some(action) => action(host)?,
            };
            all.result.extend(done.result);
            all.warnings.extend(done.warnings);
            all.diff.extend(step.diff.into_iter().chain(done.diff));
            all.changed = Some(all.changed == Some(true) || (done.changed.unwrap_or(true) && !step.quiet));
        }
        Ok(all)
    }

    /// Adds a warning.
    pub fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// Reports the task as skipped.
    #[must_use]
    pub const fn skipped(mut self) -> Self {
        self.skipped = true;
        self
    }

    /// A dry run cannot tell whether the steps will change anything, and why. What they
    /// would leave behind is planned all the same.
    #[must_use]
    pub fn unsure(mut self, reason: Reason) -> Self {
        self.unsure = Some(reason);
        self
    }

    /// Reads return values (owner, mode, size …) once the steps are done. In a dry run
    /// it reads planned state, so that both give the same.
    pub fn after(&mut self, read: impl FnOnce(&Probe<'_>) -> Result<Map, Failure> + 'static) {
        self.after = Some(Box::new(read));
    }

    /// Says whether the steps count as a change, where "there are some" is not the answer.
    #[must_use]
    pub const fn changed(mut self, changed: bool) -> Self {
        self.changed = Some(changed);
        self
    }
}
