//! `group_by`: puts hosts into groups that are named after what they are. The controller does it.

use crate::args;
use crate::model::Value;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `group_by`.
    pub struct GroupBy {
        /// The group's name; spaces become `-`.
        [required]
        key: Value,
        /// Groups that it is put below: a list or a name.
        parents: Value = Value::from("all"),
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "group_by",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Put hosts into groups whose names come from their variables, for what follows in this run.",
    args: GroupBy::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "add_group", doc: "The group's name." },
        ReturnSpec { name: "parent_groups", doc: "The groups that it is put below." },
    ],
    run: Run::Controller(ControllerTask::GroupBy),
};
