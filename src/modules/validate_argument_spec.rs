//! `validate_argument_spec`: checks variables against a specification of arguments. The controller does it.

use crate::args;
use crate::model::Map;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `validate_argument_spec`.
    pub struct ValidateArgumentSpec {
        /// Names of arguments, and what each of them takes: `type`, `required`, `choices`, `elements`, `options` …
        [required]
        argument_spec: Map,
        /// Arguments, which win over variables of the same name.
        provided_arguments: Option<Map>,
        /// What is checked, for messages.
        validate_args_context: Option<Map>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "validate_argument_spec",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Check variables, or given arguments, against a specification.",
    args: ValidateArgumentSpec::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "argument_errors", doc: "What is wrong." },
        ReturnSpec { name: "argument_spec_data", doc: "The specification." },
        ReturnSpec { name: "validate_args_context", doc: "What was checked." },
    ],
    run: Run::Controller(ControllerTask::ValidateArgumentSpec),
};
