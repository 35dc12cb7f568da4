//! `group_by`: a group for the host, by a value that it has.

use crate::args;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `group_by`.
    pub struct GroupBy {
        /// The group; spaces become hyphens.
        [required]
        key: String,
        /// Groups that the group is put below.
        parents: Vec<String> = vec!["all".to_owned()],
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "group_by",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Put the host into a group, made when it is not there.",
    args: GroupBy::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "add_group", doc: "The group." },
        ReturnSpec { name: "parent_groups", doc: "Those above it." },
    ],
    run: Run::Controller(ControllerTask::GroupBy),
};
