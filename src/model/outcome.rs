//! What became of a task, or of one item of its loop, on one host.

use serde::{Deserialize, Serialize};

use super::{Diff, Map, Reason, Value};

/// How a task ended on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// The host is as the task wants it, or it only asked something.
    Ok,
    /// The host was changed, or under `--check` would be.
    Changed,
    /// A condition said no.
    Skipped,
    /// It did not succeed.
    Failed,
    /// The host could not be reached, or the link to it broke.
    Unreachable,
    /// A dry run cannot tell, and why.
    Unknown(Reason),
}

/// A task's result: Ansible's return values and what rplay needs to report it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// The return values as a playbook's `register` sees them, without `changed`,
    /// `failed` and `skipped`, which are derived from the status.
    pub result: Map,
    /// What changed, or would.
    pub diff: Vec<Diff>,
    /// Warnings to show once.
    pub warnings: Vec<String>,
}

impl Outcome {
    /// An outcome with a status and return values.
    pub const fn new(status: Status, result: Map) -> Self {
        Self { status, result, diff: Vec::new(), warnings: Vec::new() }
    }

    /// A failure with a message.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Status::Failed, Map::from_iter([("msg", message.into())]))
    }

    /// A lost or never gained host, with ssh's own words.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self::new(Status::Unreachable, Map::from_iter([("msg", message.into())]))
    }

    /// The return value `msg`, when it is a string.
    pub fn message(&self) -> Option<&str> {
        self.result.get("msg").and_then(Value::as_str)
    }

    /// What `register` and conditions see of it.
    pub fn to_value(&self) -> Value {
        let mut map = self.result.clone();
        let mut default = |name: &str, value: Value| {
            if !map.contains(name) {
                map.insert(name, value);
            }
        };
        match &self.status {
            Status::Unknown(reason) => {
                let unknown = || Value::Unknown(Reason::clone(reason));
                default("changed", unknown());
                default("failed", unknown());
                default("skipped", unknown());
            }
            status => {
                default("changed", Value::Bool(*status == Status::Changed));
                default("failed", Value::Bool(*status == Status::Failed));
            }
        }
        if self.status == Status::Skipped {
            default("skipped", Value::Bool(true));
        }
        if self.status == Status::Unreachable {
            default("unreachable", Value::Bool(true));
        }
        // Lines beside texts, as Ansible adds them to every result.
        for name in ["stdout", "stderr"] {
            let lines = format!("{name}_lines");
            if let (Some(Value::Str(text)), false) = (map.get(name), map.contains(&lines)) {
                let split = Value::list(text.lines());
                map.insert(lines, split);
            }
        }
        Value::from(map).untemplated()
    }
}
