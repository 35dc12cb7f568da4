//! `debug`: prints a message or a variable. The controller does it.

use crate::args;
use crate::model::Value;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `debug`.
    pub struct Debug {
        /// What to print; of any type.
        msg: Value = Value::from("Hello world!"),
        /// The variable, or expression, whose value is printed; instead of `msg`.
        var: Option<Value>,
        /// How many `-v` it takes for this to be printed.
        verbosity: i64 = 0,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "debug",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Print a message or the value of a variable.",
    args: Debug::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[ReturnSpec { name: "msg", doc: "The message; with `var`, the value stands under the variable's name." }],
    run: Run::Controller(ControllerTask::Debug),
};
