//! `pause`: waits, or asks.

use crate::args;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `pause`.
    pub struct Pause {
        /// Minutes to wait.
        minutes: Option<f64>,
        /// Seconds to wait.
        seconds: Option<f64>,
        /// What to ask.
        prompt: Option<String>,
        /// Whether what is typed is shown.
        echo: bool = true,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "pause",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Wait for a time, or until the user presses return.\n\nIt runs once for all hosts.",
    args: Pause::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "user_input", doc: "What the user typed." },
        ReturnSpec { name: "start", doc: "When it began." },
        ReturnSpec { name: "stop", doc: "When it ended." },
        ReturnSpec { name: "delta", doc: "Seconds in between." },
        ReturnSpec { name: "stdout", doc: "What it did, in words." },
    ],
    run: Run::Controller(ControllerTask::Pause),
};
