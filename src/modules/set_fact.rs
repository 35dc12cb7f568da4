//! `set_fact`: sets variables of a host. The controller does it.

use crate::args;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `set_fact`; every other name is a variable.
    pub struct SetFact {
        /// Whether the variables go into the fact cache as well.
        cacheable: bool = false,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "set_fact",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Set variables of the host, for all that comes after in this run.\n\nEach argument but `cacheable` is a \
          variable and its value.",
    args: SetFact::specs,
    free_form: None,
    any_args: true,
    asks_others: false,
    returns: &[ReturnSpec { name: "ansible_facts", doc: "The variables that were set." }],
    run: Run::Controller(ControllerTask::SetFact),
};
