//! `include_vars`: variables from files of the controller, for the host.

use crate::args;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `include_vars`.
    pub struct IncludeVars {
        /// The file.
        file: Option<String>,
        /// The directory whose files are read in the order of their names.
        dir: Option<String>,
        /// A variable that holds them all, instead of each for itself.
        name: Option<String>,
        /// How many levels of directories are read; 0 for all.
        depth: i64 = 0,
        /// Only files whose names match this regular expression.
        files_matching: Option<String>,
        /// Names of files, as regular expressions, that are passed over.
        ignore_files: Vec<String> = Vec::new(),
        /// Whether files with other extensions are passed over instead of refused.
        ignore_unknown_extensions: bool = false,
        /// Extensions of files with variables.
        extensions: Vec<String> = ["json", "yaml", "yml"].map(str::to_owned).to_vec(),
        /// How mappings of one name are put together.
        [choices "replace" "merge"]
        hash_behaviour: Option<String>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "include_vars",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Set variables of the host from a file, or from all files of a directory.",
    args: IncludeVars::specs,
    free_form: Some("file"),
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "ansible_included_var_files", doc: "The files that were read." },
        ReturnSpec { name: "message", doc: "Why nothing was read." },
    ],
    run: Run::Controller(ControllerTask::IncludeVars),
};
