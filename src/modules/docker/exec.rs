//! `docker_container_exec`: a command in a running container.

use super::call::{self, Call};
use super::container::unframed;
use super::engine::{Engine, EngineArgs, Kind, at, escape_path, text_at};
use super::texts;
use crate::args;
use crate::model::{Failure, Map};
use crate::module;
use crate::module::{Arguments, Done, Module, Plan, ReturnSpec, Run, Step};
use crate::sys::{Host, Probe};

args! {
    /// Arguments of `docker_container_exec`.
    pub struct Exec {
        /// The container.
        [required]
        container: String,
        /// With a terminal.
        tty: bool = false;
        ..call: Call,
        ..engine: EngineArgs,
    }
}

const RETURNS: &[ReturnSpec] = {
    let [stdout, stderr, rc] = call::RETURNS;
    &[stdout, stderr, rc, ReturnSpec { name: "exec_id", doc: "With `detach`: the id under which it runs." }]
};

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "docker_container_exec",
    aliases: &[],
    collection: super::COLLECTION,
    kind: module::Kind::Action,
    doc: "Run a command in a Docker container.",
    args: Exec::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: RETURNS,
    run: Run::Target(plan),
};

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Exec::parse(args)?;
    let words = args.call.required_words()?;
    let engine = Engine::connect(&args.engine, host)?;
    if engine.find(host, Kind::Container, &args.container)?.is_none() {
        return Err(Failure::missing(format!("Could not find container \"{}\"", args.container)));
    }
    let env = args.call.environment()?;
    let mut body = Map::new();
    body.insert("Cmd", texts(words));
    for (key, on) in [
        ("AttachStdin", args.call.stdin.is_some()),
        ("AttachStdout", true),
        ("AttachStderr", true),
        ("Tty", args.tty),
        ("Privileged", false),
    ] {
        body.insert(key, on);
    }
    for (key, text) in [("User", &args.call.user), ("WorkingDir", &args.call.chdir)] {
        if let Some(text) = text {
            body.insert(key, text.as_str());
        }
    }
    if args.call.env.is_some() {
        body.insert("Env", texts(env));
    }
    let mut plan = Plan::new();
    let yields: &'static [&'static str] = if args.call.detach { &["exec_id"] } else { call::YIELDS };
    plan.step(Step::action([], move |host| run(&args, &engine, &body, host)).yields(yields));
    Ok(plan)
}

fn run(args: &Exec, engine: &Engine, body: &Map, host: &mut Host<'_>) -> Result<Done, Failure> {
    let path = format!("/containers/{}/exec", escape_path(&args.container));
    let made =
        engine.act(host, &format!("Error running a command in {}", args.container), "POST", &path, Some(body))?;
    let id = text_at(&made, &["Id"]).to_owned();
    let start = Map::from_iter([("Detach", args.call.detach), ("Tty", args.tty)]);
    let path = format!("/exec/{id}/start");
    if args.call.detach {
        engine.act(host, "Error starting a command", "POST", &path, Some(&start))?;
        return Ok(Done::with(Map::from_iter([("exec_id", id)])));
    }
    let input = args.call.input();
    let bytes = engine.converse(host, "Error running a command", &path, &start, input.as_deref())?;
    let (out, err) = if args.tty {
        (bytes, Vec::new())
    } else {
        let (_, out, err) = unframed(&bytes);
        (out, err)
    };
    let ended = engine.get(host.probe(), &format!("/exec/{id}/json"))?.unwrap_or_default();
    args.call.ended(&out, &err, at(&ended, &["ExitCode"]).as_int())
}
