//! `raw`: a command line over the connection, without a worker. The controller does it.

use crate::args;
use crate::module::{Arguments, ControllerTask, Kind, Module, ReturnSpec, Run};

args! {
    /// Arguments of `raw`.
    pub struct Raw {
        /// The command line, as free-form text.
        [required]
        _raw_params: String,
        /// The shell that runs it, by its full path; the user's own by default.
        executable: Option<String>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "raw",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Action,
    doc: "Run a command line over the connection as it is: nothing is needed on the host, no worker is sent there.",
    args: Raw::specs,
    free_form: Some("_raw_params"),
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "rc", doc: "The exit status." },
        ReturnSpec { name: "stdout", doc: "Standard output." },
        ReturnSpec { name: "stderr", doc: "Standard error." },
        ReturnSpec { name: "stdout_lines", doc: "Standard output, by lines." },
        ReturnSpec { name: "stderr_lines", doc: "Standard error, by lines." },
    ],
    run: Run::Controller(ControllerTask::Raw),
};
