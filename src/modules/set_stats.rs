//! `set_stats`: keeps figures of the run. The controller does it.

use crate::args;
use crate::model::Value;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `set_stats`.
    pub struct SetStats {
        /// Names and values.
        [required]
        data: Value,
        /// Whether they are kept for each host instead of for the run.
        per_host: Value = Value::from(false),
        /// Whether they are put together with what is there under the same name: numbers and
        /// texts added, lists joined, mappings merged.
        aggregate: Value = Value::from(true),
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "set_stats",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Keep figures of the run: numbers, texts, lists and mappings, which the recap can show (show_custom_stats).",
    args: SetStats::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[ReturnSpec { name: "ansible_stats", doc: "`data`, `per_host`, `aggregate`." }],
    run: Run::Controller(ControllerTask::SetStats),
};
