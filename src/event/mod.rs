//! What happens in a run: all that links the engine and the reports.

use serde::{Deserialize, Serialize};

use crate::diag::Diagnostic;
use crate::model::{Outcome, Timing, Value};

/// What a host's recap line counts, as Ansible counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Tasks that succeeded, changed ones included.
    pub ok: u32,
    /// Tasks that changed something.
    pub changed: u32,
    /// Times the host could not be reached.
    pub unreachable: u32,
    /// Failed tasks.
    pub failed: u32,
    /// Skipped tasks.
    pub skipped: u32,
    /// Failed tasks whose block rescued them.
    pub rescued: u32,
    /// Failed tasks that were ignored.
    pub ignored: u32,
    /// Tasks of which a dry run cannot tell.
    pub unknown: u32,
}

/// What kind of task it is, for its headline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskKind {
    /// A task of a play or role.
    Task,
    /// A handler.
    Handler,
}

/// A task's outcome on a host, or that of one item of its loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostResult {
    /// The host.
    pub host: String,
    /// The host it ran on instead.
    pub delegated_to: Option<String>,
    /// The item's label, for items of loops.
    pub item: Option<Value>,
    /// What became of it.
    pub outcome: Outcome,
    /// It failed, and that is ignored.
    pub ignored: bool,
    /// The result is not shown (`no_log`).
    pub hidden: bool,
    /// The result is printed in full also without `-v` (`debug`).
    pub verbose: bool,
    /// Seconds it took.
    pub seconds: f64,
    /// What is wrong, with its place, where rplay itself found it.
    #[serde(skip)]
    pub explanation: Option<Diagnostic>,
    /// What it cost.
    pub timing: Timing,
}

/// What has become of a task in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobState {
    /// It is at work.
    Running,
    /// It has ended well.
    Ok,
    /// It has failed, or did not end in time.
    Failed,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]

pub enum Event {
    /// The run starts.
    RunStarted {
        /// rplay's version.
        version: String,
        /// Whether it is a dry run.
        check: bool,
    },
    /// A play starts.
    PlayStarted {
        /// Its name.
        name: String,
        /// Its hosts.
        hosts: Vec<String>,
    },
    /// A play's pattern matched no host.
    NoHosts {
        /// The play's name.
        play: String,
    },
    /// A task starts on the first of its hosts.
    TaskStarted {
        /// Its name, with its role.
        name: String,
        /// Task or handler.
        kind: TaskKind,
        /// Where it stands: `file:line`.
        path: String,
    },
    /// An item of a loop ended on a host.
    ItemDone(Box<HostResult>),
    /// A file of tasks, or a role, was included.
    Included {
        /// The file's path or the role's name.
        what: String,
        /// The hosts that include it.
        hosts: Vec<String>,
        /// The loop's item, as it is shown.
        item: Option<Value>,
    },
    /// A task ended on a host.
    HostDone(Box<HostResult>),
    /// A try failed, another follows.
    Retry {
        /// The host.
        host: String,
        /// The task's name.
        task: String,
        /// Tries left.
        left: u32,
        /// What the try gave.
        outcome: Box<Outcome>,
    },
    /// A task in the background was looked at.
    Background {
        /// The host.
        host: String,
        /// The job's name.
        job: String,
        /// What was found.
        state: JobState,
    },
    /// A link to a host is being made; sent with `-vvv`.
    Connecting {
        /// The host.
        host: String,
        /// The way, with its options.
        how: String,
    },
    /// Nothing has come for a while.
    Waiting {
        /// Who is awaited.
        hosts: Vec<String>,
        /// For how many seconds.
        seconds: u64,
    },
    /// Something to know, said once.
    Warning(String),
    /// What `set_stats` has kept: of hosts by name, and of the run.
    CustomStats(Vec<(Option<String>, Value)>),
    /// Words of a task for who watches, `pause`'s for one.
    Notice(String),
    /// No hosts are left.
    NoMoreHosts,
    /// One of several playbooks has ended, and another follows.
    PlaybookEnded {
        /// The recap so far.
        recap: Vec<(String, Counts)>,
    },
    /// The run has ended.
    RunEnded {
        /// The recap: hosts in alphabetical order.
        recap: Vec<(String, Counts)>,
        /// An error broke it off: who reads along gets no recap, as from Ansible.
        broken_off: bool,
    },
    /// Nothing follows: whoever listens need not wait until all senders are gone.
    Over,
}
