//! `add_host`: adds a host to the inventory of the run. The controller does it.

use crate::args;
use crate::model::Value;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `add_host`; every other name is a variable of the host.
    pub struct AddHost {
        /// The host's name; a port may follow it.
        [required, aliases "host" "hostname"]
        name: String,
        /// Groups that it joins: a list, or names with commas between them.
        [aliases "groupname" "group"]
        groups: Value = Value::Null,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "add_host",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Add a host, with variables and groups, to the inventory of this run.\n\nIt runs once, for the first host \
          of the play; what it adds is known to hostvars at once, and to the plays that follow.",
    args: AddHost::specs,
    free_form: None,
    any_args: true,
    asks_others: false,
    returns: &[ReturnSpec { name: "add_host", doc: "`host_name`, `groups` and `host_vars`." }],
    run: Run::Controller(ControllerTask::AddHost),
};
