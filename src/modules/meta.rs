//! `meta`: what concerns the run itself.

use crate::args;
use crate::module::{Arguments, ControllerTask, Kind, Module, Run};

args! {
    /// Arguments of `meta`.
    pub struct Meta {
        /// What is to be done.
        [required]
        _raw_params: String,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "meta",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Change the course of the run.\n\nThe argument is one of: flush_handlers, refresh_inventory, noop, clear_facts, clear_host_errors, end_host, end_batch, end_play, end_role, reset_connection.",
    args: Meta::specs,
    free_form: Some("_raw_params"),
    any_args: false,
    asks_others: false,
    returns: &[],
    run: Run::Controller(ControllerTask::Meta),
};
