//! `docker_container_exec`: a command in a running container.

use super::container::unframed;
use super::engine::{Engine, EngineArgs, Kind, at, escape_path, text_at};
use super::{strings, texts};
use crate::args;
use crate::model::{Failure, Map};
use crate::module;
use crate::module::{Arguments, Done, Module, Plan, ReturnSpec, Run, Step};
use crate::modules::{exec::output_fields, shlex};
use crate::sys::{Host, Probe};

args! {
    /// Arguments of `docker_container_exec`.
    pub struct Exec {
        /// The container.
        [required]
        container: String,
        /// The command as a list.
        argv: Option<Vec<String>>,
        /// The command as text.
        command: Option<String>,
        /// The directory it starts in.
        chdir: Option<String>,
        /// Do not wait for its end.
        detach: bool = false,
        /// Who runs it.
        user: Option<String>,
        /// What it reads.
        stdin: Option<String>,
        /// With a line break at the end of what it reads.
        stdin_add_newline: bool = true,
        /// Without line breaks at the end of what it prints.
        strip_empty_ends: bool = true,
        /// With a terminal.
        tty: bool = false,
        /// Its environment.
        env: Option<Map>;
        ..engine: EngineArgs,
    }
}

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
    returns: &[
        ReturnSpec { name: "stdout", doc: "What it printed." },
        ReturnSpec { name: "stderr", doc: "What it printed as errors." },
        ReturnSpec { name: "rc", doc: "Its exit status." },
        ReturnSpec { name: "exec_id", doc: "With `detach`: the id under which it runs." },
    ],
    run: Run::Target(plan),
};

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Exec::parse(args)?;
    let words = match (&args.argv, &args.command) {
        (Some(_), Some(_)) => return Err(Failure::new("parameters are mutually exclusive: argv|command")),
        (Some(argv), None) => argv.clone(),
        (None, Some(text)) => shlex::split(text).map_err(Failure::new)?,
        (None, None) => return Err(Failure::new("one of the following is required: argv, command")),
    };
    if args.detach && args.stdin.is_some() {
        return Err(Failure::new("If detach=true, stdin cannot be provided."));
    }
    let engine = Engine::connect(&args.engine, host)?;
    if engine.find(host, Kind::Container, &args.container)?.is_none() {
        return Err(Failure::missing(format!("Could not find container \"{}\"", args.container)));
    }
    let env = args.env.as_ref().map(|env| strings("env", env)).transpose()?;
    let mut body = Map::new();
    body.insert("Cmd", texts(words));
    for (key, on) in [
        ("AttachStdin", args.stdin.is_some()),
        ("AttachStdout", true),
        ("AttachStderr", true),
        ("Tty", args.tty),
        ("Privileged", false),
    ] {
        body.insert(key, on);
    }
    for (key, text) in [("User", &args.user), ("WorkingDir", &args.chdir)] {
        if let Some(text) = text {
            body.insert(key, text.as_str());
        }
    }
    if let Some(env) = env {
        body.insert("Env", texts(env.iter().map(|(k, v)| format!("{k}={}", super::shown(v)))));
    }
    let mut plan = Plan::new();
    let yields: &'static [&'static str] =
        if args.detach { &["exec_id"] } else { &["stdout", "stderr", "rc", "stdout_lines", "stderr_lines"] };
    plan.step(Step::action([], move |host| run(&args, &engine, &body, host)).yields(yields));
    Ok(plan)
}

fn run(args: &Exec, engine: &Engine, body: &Map, host: &mut Host<'_>) -> Result<Done, Failure> {
    let path = format!("/containers/{}/exec", escape_path(&args.container));
    let made =
        engine.act(host, &format!("Error running a command in {}", args.container), "POST", &path, Some(body))?;
    let id = text_at(&made, &["Id"]).to_owned();
    let start = Map::from_iter([("Detach", args.detach), ("Tty", args.tty)]);
    let path = format!("/exec/{id}/start");
    if args.detach {
        engine.act(host, "Error starting a command", "POST", &path, Some(&start))?;
        return Ok(Done::with(Map::from_iter([("exec_id", id)])));
    }
    let input = args.stdin.as_ref().map(|text| {
        let end = if args.stdin_add_newline { "\n" } else { "" };
        format!("{text}{end}").into_bytes()
    });
    let bytes = engine.converse(host, "Error running a command", &path, &start, input.as_deref())?;
    let (out, err) = if args.tty {
        (bytes, Vec::new())
    } else {
        let (_, out, err) = unframed(&bytes);
        (out, err)
    };
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        if args.strip_empty_ends { text.trim_end_matches(['\r', '\n']).to_owned() } else { text }
    };
    let ended = engine.get(host.probe(), &format!("/exec/{id}/json"))?.unwrap_or_default();
    super::ended(output_fields(&text(&out), &text(&err)), at(&ended, &["ExitCode"]).as_int())
}
