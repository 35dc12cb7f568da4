//! `fail`: fails, with a message. The controller does it.

use crate::args;
use crate::module::{Arguments, ControllerTask, Kind, Module, Run};

args! {
    /// Arguments of `fail`.
    pub struct Fail {
        /// Why.
        msg: String = "Failed as requested from task".to_owned(),
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "fail",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Fail with a message; `when` says under which condition.",
    args: Fail::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[],
    run: Run::Controller(ControllerTask::Fail),
};
