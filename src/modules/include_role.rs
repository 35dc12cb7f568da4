//! `include_role`: a role, read when its turn comes.

use crate::args;
use crate::model::Map;
use crate::module::{Arguments, ControllerTask, Kind, Module, Run};

args! {
    /// Arguments of `include_role`.
    pub struct IncludeRole {
        /// The role: a name that is searched, or a path.
        [required, aliases "role"]
        name: String,
        /// The file below `tasks/` instead of `main`.
        tasks_from: String = "main".to_owned(),
        /// The file below `vars/` instead of `main`.
        vars_from: String = "main".to_owned(),
        /// The file below `defaults/` instead of `main`.
        defaults_from: String = "main".to_owned(),
        /// The file below `handlers/` instead of `main`.
        handlers_from: String = "main".to_owned(),
        /// Whether the role may run more than once.
        allow_duplicates: bool = true,
        /// Whether its defaults and vars are seen by what comes after it.
        public: bool = false,
        /// Whether arguments are checked against the role's specification.
        rolespec_validate: bool = true,
        /// Keywords for each of its tasks.
        apply: Option<Map>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "include_role",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Run a role.\n\nThe role is read when the turn comes, so that its name may be a template and the statement may loop.",
    args: IncludeRole::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[],
    run: Run::Controller(ControllerTask::IncludeRole),
};
