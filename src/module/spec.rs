//! What a module is: its name, its documentation, its arguments, its code.

use super::{ArgKind, Plan};
use crate::model::{Failure, Map, Text, Value};
use crate::sys::{Payload, Probe, Time, user_name};

/// One argument of a module, as `rplay doc` and the offline check see it.
#[derive(Debug, Clone)]
pub struct ArgSpec {
    /// Its name.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// What it is for.
    pub doc: &'static str,
    /// What values it takes.
    pub kind: ArgKind,
    /// Whether it must be given.
    pub required: bool,
    /// The values it can have; empty when they are not fixed.
    pub choices: &'static [&'static str],
    /// The default in Rust's notation, for the documentation.
    pub default: Option<&'static str>,
    /// Why an argument that Ansible has is refused when given.
    pub refused: Option<&'static str>,
}

/// One return value.
#[derive(Debug, Clone, Copy)]
pub struct ReturnSpec {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub doc: &'static str,
}

/// How a module relates to the state of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Brings something into a state; nothing to do when it is there.
    State,
    /// Only asks: always safe, never a change.
    Query,
    /// Does something each time; not run in a dry run.
    Action,
    /// Runs in the controller and needs no host.
    Controller,
}

/// Tasks that the controller carries out itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControllerTask {
    /// Prints a message or a variable.
    Debug,
    /// Sets variables of the host.
    SetFact,
    /// Fails unless conditions hold.
    Assert,
    /// Fails.
    Fail,
    /// Runs a command line over the connection, without a worker.
    Raw,
    /// Puts the tasks of a file in its place when the playbook is read.
    ImportTasks,
    /// Puts a role in its place when the playbook is read.
    ImportRole,
    /// Runs the tasks of a file.
    IncludeTasks,
    /// Runs a role.
    IncludeRole,
    /// Sets variables of the host from files.
    IncludeVars,
    /// Changes the course of the run.
    Meta,
    /// Adds a host to the run.
    AddHost,
    /// Puts hosts into groups.
    GroupBy,
    /// Keeps figures of the run.
    SetStats,
    /// Waits, or asks.
    Pause,
    /// Whatever a template names.
    Templated,
    /// Checks variables against a specification.
    ValidateArgumentSpec,
}

/// A module's code.
#[derive(Clone, Copy)]
pub enum Run {
    /// On the host: plans from arguments.
    Target(fn(&Map, &Probe<'_>) -> Result<Plan, Failure>),
    /// First in the controller (files are read, templates rendered), then on the host.
    Split {
        /// The controller's half: arguments as the host's half wants them, and content.
        prepare: fn(Map, &dyn Local) -> Result<Prepared, Failure>,
        /// The host's half.
        plan: fn(&Map, &Probe<'_>) -> Result<Plan, Failure>,
    },
    /// In the controller.
    Controller(ControllerTask),
}

/// A module.
pub struct Module {
    /// Its short name, `copy`.
    pub name: &'static str,
    /// Other short names for it (`systemd_service`).
    pub aliases: &'static [&'static str],
    /// The collections it is known under; `ansible.builtin` and `ansible.legacy` go together.
    pub collection: &'static str,
    /// How it relates to a host's state.
    pub kind: Kind,
    /// One line, then paragraphs.
    pub doc: &'static str,
    /// The arguments it takes.
    pub args: fn() -> Vec<ArgSpec>,
    /// The argument that free-form text (`command: ls -l`) is put into.
    pub free_form: Option<&'static str>,
    /// Whether any name is an argument (`set_fact: a=1`).
    pub any_args: bool,
    /// Whether its plan asks other machines (a repository's server, a port): it is planned
    /// in its turn only, since what comes before it on other hosts may be what it asks for.
    pub asks_others: bool,
    /// What it returns besides `changed`, `failed`, `msg`.
    pub returns: &'static [ReturnSpec],
    /// Its code.
    pub run: Run,
}

impl Module {
    /// Its name with its collection, `ansible.builtin.copy`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.collection, self.name)
    }
}

/// Content that goes with a task.
#[derive(Debug, Clone)]
pub struct Blob(pub Payload);

/// What a controller half hands to the host's half.
#[derive(Debug, Default)]
pub struct Prepared {
    /// The arguments.
    pub args: Map,
    /// Content that the arguments name by hash ([`crate::sys::BlobHash::to_hex`]).
    pub blobs: Vec<Blob>,
}

/// What a controller half can use of the controller's machine.
pub trait Local {
    /// The path of `name`, searched as Ansible searches `files/` or `templates/`
    /// (`folder`) of role, play and playbook.
    ///
    /// # Errors
    /// When it is nowhere; the message lists where it was looked for.
    fn find(&self, folder: &str, name: &str) -> Result<std::path::PathBuf, Failure>;

    /// A file's content.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, path: &std::path::Path) -> Result<Payload, Failure>;

    /// All that is below a directory: relative path, and what is there, parents first.
    ///
    /// # Errors
    /// When it cannot be listed.
    fn walk(&self, dir: &std::path::Path) -> Result<Vec<(String, LocalEntry)>, Failure>;

    /// Whether a directory is at `path`, links followed.
    fn is_dir(&self, path: &std::path::Path) -> bool {
        path.is_dir()
    }

    /// The content of a file that may be encrypted with a vault: decrypted, when it was.
    ///
    /// # Errors
    /// When no secret fits.
    fn decrypt(&self, path: &std::path::Path, content: &Payload) -> Result<Option<Payload>, Failure>;

    /// Who owns a file, and when it was changed.
    ///
    /// # Errors
    /// When it is not there.
    fn about(&self, path: &std::path::Path) -> Result<LocalAbout, Failure> {
        use std::os::unix::fs::MetadataExt;
        let meta =
            std::fs::metadata(path).map_err(|e| Failure::new(format!("cannot look at {}: {e}", path.display())))?;
        let nanos = u32::try_from(meta.mtime_nsec()).unwrap_or(0);
        Ok(LocalAbout { owner: self.owner(meta.uid()), modified: Time { secs: meta.mtime(), nanos } })
    }

    /// A moment as this machine's clocks show it: `2026-01-31 12:00:00`.
    fn date(&self, time: Time) -> String {
        crate::sys::clock::local(time).to_string()
    }

    /// The name of a user of this machine, else the number.
    fn owner(&self, uid: u32) -> String {
        user_name(uid)
    }

    /// Permission bits of a file.
    ///
    /// # Errors
    /// When it is not there.
    fn mode(&self, path: &std::path::Path) -> Result<u32, Failure>;

    /// Renders a template file with the task's variables and these on top. `options`
    /// are the template module's (`trim_blocks`, `variable_start_string`, …).
    ///
    /// # Errors
    /// When it cannot be read or rendered.
    fn render(&self, path: &std::path::Path, text: &Text, options: &Map, vars: &Map) -> Result<Value, Failure>;
}

/// What is at a path on the controller's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalEntry {
    /// A file with its mode.
    File(u32),
    /// A directory with its mode.
    Directory(u32),
    /// A symbolic link with its target.
    Link(String),
}

/// What [`Local::about`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalAbout {
    /// The owner's name.
    pub owner: String,
    /// The last change of content.
    pub modified: Time,
}
