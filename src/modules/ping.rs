//! `ping`: says "pong", to show that a host can be reached and run things.

use crate::args;
use crate::model::{Failure, Map};
use crate::module::{Arguments, Kind, Module, Plan, ReturnSpec, Run};
use crate::sys::Probe;

args! {
    /// Arguments of `ping`.
    pub struct Ping {
        /// What to return. `crash` fails instead.
        data: String = "pong".to_owned(),
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "ping",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Query,
    doc: "Try to connect to a host and return `pong`.",
    args: Ping::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[ReturnSpec { name: "ping", doc: "The value of `data`." }],
    run: Run::Target(plan),
};

fn plan(args: &Map, _host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Ping::parse(args)?;
    if args.data == "crash" {
        return Err(Failure::new("Task failed: Module failed: boom"));
    }
    Ok(Plan::new().with("ping", args.data))
}
