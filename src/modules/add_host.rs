//! `add_host`: a host for the plays that follow.

use crate::args;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `add_host`; every other name is a variable.
    pub struct AddHost {
        /// The host; `host:port` sets its port too.
        [required, aliases "host" "hostname"]
        name: String,
        /// Groups that it is put into, made when they are not there.
        [aliases "group" "groupname"]
        groups: Vec<String> = Vec::new(),
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "add_host",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Add a host to the inventory of this run.\n\nAll other arguments are variables of the host. It runs once for all hosts.",
    args: AddHost::specs,
    free_form: None,
    any_args: true,
    asks_others: false,
    returns: &[ReturnSpec { name: "add_host", doc: "The host, its groups and its variables." }],
    run: Run::Controller(ControllerTask::AddHost),
};
