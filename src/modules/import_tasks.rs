//! `import_tasks`: tasks of another file, put in its place when the playbook is read.

use crate::args;
use crate::module::{Arguments, ControllerTask, Kind, Module, Run};

args! {
    /// Arguments of `import_tasks`.
    pub struct ImportTasks {
        /// The file, relative to the one that this stands in.
        [required]
        file: String,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "import_tasks",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Put the tasks of a file in this place.\n\nThe file is read before any host is contacted; keywords of the statement hold for each of its tasks.",
    args: ImportTasks::specs,
    free_form: Some("file"),
    any_args: false,
    asks_others: false,
    returns: &[],
    run: Run::Controller(ControllerTask::ImportTasks),
};
