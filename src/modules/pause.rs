//! `pause`: waits, or asks. The controller does it.

use crate::args;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `pause`.
    pub struct Pause {
        /// What is asked.
        prompt: Option<String>,
        /// For how many minutes it waits.
        minutes: Option<f64>,
        /// For how many seconds it waits.
        seconds: Option<f64>,
        /// Whether the answer is shown while it is typed.
        echo: bool = true,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "pause",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Controller,
    doc: "Wait for a time, or for an answer on the terminal.\n\nIt waits once, for all hosts. Without a terminal nobody is asked.",
    args: Pause::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "user_input", doc: "What was answered." },
        ReturnSpec { name: "start", doc: "When it began." },
        ReturnSpec { name: "stop", doc: "When it ended." },
        ReturnSpec { name: "delta", doc: "How many seconds it took." },
        ReturnSpec { name: "stdout", doc: "The same in words." },
        ReturnSpec { name: "echo", doc: "Whether the answer was shown." },
    ],
    run: Run::Controller(ControllerTask::Pause),
};
