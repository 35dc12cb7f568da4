//! Running plays: strategies, the dispatcher, and the stages of one task on one host.
//!
//! The dispatcher owns all state that hosts share, takes the results of a task in one
//! place and sends events. A task on a host sees a snapshot of that state.

mod accounts;
mod ahead;
mod argument_spec;
mod background;
mod control;
mod explain;
mod fact_cache;
mod fetch;
mod flow;
mod growing;
mod handlers;
mod hosts;
mod include_vars;
mod including;
mod invoke;
mod item;
mod items;
mod jobs;
mod lagging;
mod linear;
mod local;
mod looping;
mod meta;
mod names;
mod pause;
mod play;
mod preflight;
mod prepare;
mod prompts;
mod queue;
mod reaching;
mod register;
mod results;
mod scope;
mod settings;
mod shared;
mod stats;
mod strategy;
mod teller;
mod vars_files;
mod view;
mod world;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

pub use accounts::Accounts;
pub use fact_cache::FactCache;
pub use flow::Flow;
pub use hosts::Hosts;
pub use play::{Summary, patterns, run, select, title};
pub use preflight::preflight;
pub use settings::{ConnectionDefaults, Passwords};

use crate::compile::{Includes, TagFilter};
use crate::connection::Links;
use crate::diag::{Checked, Diagnostic};
use crate::event::Event;
use crate::load::PatternMismatch;
use crate::model::Vars;
use crate::playbook::Strategy;
use crate::sys::Payload;
use crate::template::{Engine, Outside};
use crate::vars::{HostLayers, Layer};
use crate::vault::Vault;

/// What the user asked for, for the whole run.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Dry run.
    pub check: bool,
    /// Diffs are shown.
    pub diff: bool,
    /// How many hosts at the same time; all when `None`.
    pub forks: Option<usize>,
    /// `--limit`.
    pub limit: Option<String>,
    /// The inventory's sources, as `ansible_inventory_sources` has them.
    pub sources: Vec<String>,
    /// The configuration file that was read.
    pub config_file: Option<String>,
    /// `--force-handlers`.
    pub force_handlers: bool,
    /// `--start-at-task`.
    pub start_at: Option<String>,
    /// `--tags`, for `ansible_run_tags`.
    pub tags: Vec<String>,
    /// `--skip-tags`.
    pub skip_tags: Vec<String>,
    /// Number of `-v`.
    pub verbosity: u8,
    /// How much the most talkative of its readers says, the log included.
    pub told: u8,
    /// What the connection is where nothing else is said.
    pub connection: ConnectionDefaults,
    /// The setting `executable`, where it is not the default: the shell of `shell` and `raw`.
    pub shell: Option<String>,
    /// Facts are put among the variables under `ansible_…` as well.
    pub inject_facts: bool,
    /// What a pattern is that matches no host.
    pub pattern_mismatch: PatternMismatch,
    /// `no_log` where a task does not say.
    pub no_log: bool,
    /// `any_errors_fatal` where a play does not say.
    pub any_errors_fatal: bool,
    /// The strategy of plays that name none.
    pub strategy: Option<Strategy>,
    /// Seconds that an action may take where its task does not say; no limit when 0.
    pub task_timeout: u64,
    /// Seconds between looks at a task in the background where it does not say.
    pub poll_interval: u64,
    /// `hash_behaviour = merge`.
    pub merge: bool,
    /// Facts of hosts that are known already are not gathered again (`gathering = smart`).
    pub gather_once: bool,
    /// `show_custom_stats`.
    pub show_custom_stats: bool,
    /// Tasks are sent one by one, none ahead of its turn.
    pub one_by_one: bool,
}

/// Reads variables files for plays.
pub type VarsLoader = dyn Fn(&std::path::Path) -> Checked<(Vars, Vec<Diagnostic>)> + Send + Sync;

/// Asks the user whether to run a task (`--step`): yes, no, or go on without asking.
pub type Stepper = dyn Fn(&str) -> StepAnswer + Send + Sync;

/// Reads the inventory again, with warnings.
pub type Reload = dyn Fn() -> Checked<(HostLayers, Vec<Diagnostic>)> + Send + Sync;

/// Asks for a line on the terminal, shown or not while it is typed; nothing without a terminal.
pub type Asker = dyn Fn(&str, bool) -> Option<String> + Send + Sync;

/// An answer to `--step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepAnswer {
    /// Run it.
    Yes,
    /// Pass it over.
    No,
    /// Run it and all that follow.
    Continue,
}

/// What the whole run shares.
pub struct Context {
    /// What the user asked for.
    pub options: RunOptions,
    /// Hosts, groups and their variables.
    pub hosts: Hosts,
    /// `-e` and what options set as variables.
    pub layers: Vec<Arc<Layer>>,
    /// Templates.
    pub engine: Arc<Engine>,
    /// The controller's machine.
    pub outside: Arc<dyn Outside>,
    /// Opens what is encrypted, and knows what is secret.
    pub vault: Arc<Vault>,
    /// Reads variables files.
    pub vars_loader: Box<VarsLoader>,
    /// Files of tasks and roles that are read while the run goes on.
    pub includes: Box<dyn Includes>,
    /// Which tasks are wanted.
    pub wanted: TagFilter,
    /// Connections and workers.
    pub links: Links,
    /// Where events go.
    pub events: UnboundedSender<Event>,
    /// Files that were read, by path: one reading for all hosts.
    pub files: Mutex<HashMap<PathBuf, Payload>>,
    /// Names of this machine's users that own them.
    pub owners: Mutex<HashMap<u32, String>>,
    /// How hosts are reached.
    pub accounts: Accounts,
    /// Facts that are kept between runs.
    pub fact_cache: Option<FactCache>,
    /// Reads the inventory again.
    pub reload: Option<Box<Reload>>,
    /// Asks on the terminal.
    pub asker: Option<Box<Asker>>,
    /// `--step`.
    pub stepper: Option<Box<Stepper>>,
    /// How far the report has come with what was sent to it.
    pub progress: Arc<Progress>,
}

/// How many events were sent, and how many have been shown.
#[derive(Debug, Default)]
pub struct Progress {
    sent: AtomicU64,
    shown: AtomicU64,
}

impl Progress {
    /// One more event has been shown.
    pub fn shown(&self) {
        self.shown.fetch_add(1, Ordering::Release);
    }

    /// How many events were sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Acquire)
    }

    /// Waits until all that was sent has been shown, so that a question on the terminal
    /// comes after it; gives up when nobody shows anything.
    pub(crate) async fn caught_up(&self) {
        for _ in 0..2000 {
            if self.shown.load(Ordering::Acquire) >= self.sent.load(Ordering::Acquire) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Context {
    /// Sends an event; nobody listening is not this layer's affair.
    pub(crate) fn emit(&self, event: Event) {
        self.progress.sent.fetch_add(1, Ordering::Release);
        let _ = self.events.send(event);
    }
}
