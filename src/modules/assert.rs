//! `assert`: fails unless conditions hold. The controller does it.

use crate::args;
use crate::model::Value;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `assert`.
    pub struct Assert {
        /// The conditions, as in `when`: one, or a list of which all must hold.
        [required]
        that: Value,
        /// What to say when one does not hold: a string, or a list of them.
        [aliases "msg"]
        fail_msg: Option<Value>,
        /// What to say when all hold.
        success_msg: Option<Value>,
        /// Whether only failures are reported in full.
        quiet: bool = false,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "assert",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Fail unless conditions hold.",
    args: Assert::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "msg", doc: "What was said." },
        ReturnSpec { name: "assertion", doc: "The condition that did not hold." },
        ReturnSpec { name: "evaluated_to", doc: "Its value." },
    ],
    run: Run::Controller(ControllerTask::Assert),
};
