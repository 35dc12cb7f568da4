//! `wait_for_connection`: until a host can be reached. The controller tries
//! (`schedule/reaching.rs`); the host's half answers.

use crate::args;
use crate::model::{Failure, Map};
use crate::module::{Arguments, Kind, Module, Plan, ReturnSpec, Run};
use crate::sys::Probe;

args! {
    /// Arguments of `wait_for_connection`.
    pub struct WaitForConnection {
        /// How many seconds at most.
        timeout: i64 = 600,
        /// How many seconds one attempt may take.
        connect_timeout: i64 = 5,
        /// How many seconds pass before the first attempt.
        delay: i64 = 0,
        /// How many seconds pass between attempts.
        sleep: i64 = 1,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "wait_for_connection",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Query,
    doc: "Wait until the host can be reached and a worker answers there. A dry run skips it.",
    args: WaitForConnection::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[ReturnSpec { name: "elapsed", doc: "How many seconds it waited." }],
    run: Run::Target(plan),
};

fn plan(args: &Map, _: &Probe<'_>) -> Result<Plan, Failure> {
    WaitForConnection::parse(args)?;
    Ok(Plan::new())
}
