//! `import_role`: a role, put in its place when the playbook is read.

use crate::args;
use crate::module::{Arguments, ControllerTask, Kind, Module, Run};

args! {
    /// Arguments of `import_role`.
    pub struct ImportRole {
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
        public: bool = true,
        /// Whether arguments are checked against the role's specification.
        rolespec_validate: bool = true,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "import_role",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Run a role in this place.\n\nThe role is read before any host is contacted; keywords of the statement hold for each of its tasks.",
    args: ImportRole::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[],
    run: Run::Controller(ControllerTask::ImportRole),
};
