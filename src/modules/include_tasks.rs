//! `include_tasks`: tasks of another file, read when their turn comes.

use crate::args;
use crate::model::Map;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `include_tasks`.
    pub struct IncludeTasks {
        /// The file, relative to the one that this stands in.
        [required]
        file: String,
        /// Keywords for each of its tasks.
        apply: Option<Map>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "include_tasks",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Run the tasks of a file.\n\nThe file is read when the turn comes, so that its name may be a template and the statement may loop.",
    args: IncludeTasks::specs,
    free_form: Some("file"),
    any_args: false,
    asks_others: false,
    returns: &[ReturnSpec { name: "include", doc: "The file." }],
    run: Run::Controller(ControllerTask::IncludeTasks),
};
