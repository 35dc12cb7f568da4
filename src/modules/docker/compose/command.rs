//! `docker_compose_v2_exec` and `docker_compose_v2_run`: a command in a service's container, or
//! in a new one of its own.

use super::{Project, ProjectArgs, flag, option};
use crate::args;
use crate::model::{Failure, Map, Output};
use crate::module;
use crate::module::{ArgSpec, Arguments, Done, Module, Plan, ReturnSpec, Run, Step};
use crate::modules::docker::{COLLECTION, ended, shown, strings};
use crate::modules::{exec::output_fields, shlex};
use crate::sys::{Host, Probe};

args! {
    /// What both have.
    pub struct Call {
        /// The service.
        [required]
        service: String,
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
        /// With a terminal, where there is one.
        tty: bool = true,
        /// Its environment.
        env: Option<Map>;
        ..project: ProjectArgs,
    }
}

args! {
    /// Arguments of `docker_compose_v2_exec`.
    pub struct Exec {
        /// Which of the service's containers.
        index: Option<i64>,
        /// With all privileges.
        privileged: bool = false;
        ..call: Call,
    }
}

args! {
    /// Arguments of `docker_compose_v2_run`.
    pub struct RunArgs {
        /// Build the image before.
        build: bool = false,
        /// Capabilities that it has.
        cap_add: Option<Vec<String>>,
        /// Capabilities that it has not.
        cap_drop: Option<Vec<String>>,
        /// Remove the container when it ends.
        cleanup: bool = false,
        /// Another entry point.
        entrypoint: Option<String>,
        /// With an open standard input.
        interactive: bool = true,
        /// Labels.
        labels: Option<Vec<String>>,
        /// The container's name.
        name: Option<String>,
        /// Without services that it depends on.
        no_deps: bool = false,
        /// Ports.
        publish: Option<Vec<String>>,
        /// Do not tell how pulling goes on.
        quiet_pull: bool = false,
        /// Remove containers of services that are in no Compose file.
        remove_orphans: bool = false,
        /// With the service's ports.
        service_ports: bool = false,
        /// With the service's names in its networks.
        use_aliases: bool = false,
        /// Volumes.
        volumes: Option<Vec<String>>;
        ..call: Call,
    }
}

const fn module(
    name: &'static str,
    doc: &'static str,
    args: fn() -> Vec<ArgSpec>,
    returns: &'static [ReturnSpec],
    plan: fn(&Map, &Probe<'_>) -> Result<Plan, Failure>,
) -> Module {
    Module {
        name,
        aliases: &[],
        collection: COLLECTION,
        kind: module::Kind::Action,
        doc,
        args,
        free_form: None,
        any_args: false,
        asks_others: true,
        returns,
        run: Run::Target(plan),
    }
}

const STDOUT: ReturnSpec = ReturnSpec { name: "stdout", doc: "What it printed." };
const STDERR: ReturnSpec = ReturnSpec { name: "stderr", doc: "What it printed as errors." };
const RC: ReturnSpec = ReturnSpec { name: "rc", doc: "Its exit status." };
const YIELDS: &[&str] = &["stdout", "stderr", "rc", "stdout_lines", "stderr_lines"];

/// `docker_compose_v2_exec`.
pub static EXEC: Module = module(
    "docker_compose_v2_exec",
    "Run a command in a container of a service of Docker Compose.",
    Exec::specs,
    &[STDOUT, STDERR, RC],
    |args, host| {
        let args = Exec::parse(args)?;
        let mut words = vec!["exec".to_owned()];
        words.extend(option("--index", args.index.map(|i| i.to_string()).as_ref()));
        words.extend(flag("--privileged", args.privileged));
        if args.call.argv.is_none() && args.call.command.is_none() {
            return Err(Failure::new("one of the following is required: argv, command"));
        }
        plan(args.call, host, words)
    },
);

/// `docker_compose_v2_run`.
pub static RUN: Module = module(
    "docker_compose_v2_run",
    "Run a command in a new container of a service of Docker Compose.",
    RunArgs::specs,
    &[STDOUT, STDERR, RC, ReturnSpec { name: "container_id", doc: "With `detach`: the container." }],
    |args, host| {
        let args = RunArgs::parse(args)?;
        let mut words = vec!["run".to_owned()];
        let each = |name: &str, list: &Option<Vec<String>>| {
            list.iter().flatten().flat_map(|v| [name.to_owned(), v.clone()]).collect::<Vec<_>>()
        };
        words.extend(flag("--build", args.build));
        words.extend(each("--cap-add", &args.cap_add));
        words.extend(each("--cap-drop", &args.cap_drop));
        words.extend(option("--entrypoint", args.entrypoint.as_ref()));
        words.extend(flag("--interactive=false", !args.interactive));
        words.extend(each("--label", &args.labels));
        words.extend(option("--name", args.name.as_ref()));
        words.extend(flag("--no-deps", args.no_deps));
        words.extend(each("--publish", &args.publish));
        words.extend(flag("--quiet-pull", args.quiet_pull));
        words.extend(flag("--remove-orphans", args.remove_orphans));
        words.extend(flag("--rm", args.cleanup));
        words.extend(flag("--service-ports", args.service_ports));
        words.extend(flag("--use-aliases", args.use_aliases));
        words.extend(each("--volume", &args.volumes));
        plan(args.call, host, words)
    },
);

fn plan(args: Call, host: &Probe<'_>, mut words: Vec<String>) -> Result<Plan, Failure> {
    let argv = match (&args.argv, &args.command) {
        (Some(_), Some(_)) => return Err(Failure::new("parameters are mutually exclusive: argv|command")),
        (Some(argv), None) => argv.clone(),
        (None, Some(text)) => shlex::split(text).map_err(Failure::new)?,
        (None, None) => Vec::new(),
    };
    if args.detach && args.stdin.is_some() {
        return Err(Failure::new("If detach=true, stdin cannot be provided."));
    }
    let project = Project::new(&args.project, host)?;
    words.extend(flag("--detach", args.detach));
    words.extend(option("--user", args.user.as_ref()));
    words.extend(flag("--no-TTY", !args.tty));
    words.extend(option("--workdir", args.chdir.as_ref()));
    if let Some(env) = &args.env {
        let env = strings("env", env)?;
        words.extend(env.iter().flat_map(|(k, v)| ["--env".to_owned(), format!("{k}={}", shown(v))]));
    }
    words.extend(["--".to_owned(), args.service.clone()]);
    words.extend(argv);
    let mut plan = Plan::new();
    let yields: &'static [&'static str] = if args.detach { &["container_id"] } else { YIELDS };
    plan.step(Step::action([], move |host| call(&args, &project, host, words)).yields(yields));
    Ok(plan)
}

fn call(args: &Call, project: &Project, host: &mut Host<'_>, words: Vec<String>) -> Result<Done, Failure> {
    let is_run = words.first().is_some_and(|w| w == "run");
    let probe = *host.probe();
    project.within(&probe, |dir| {
        let mut command = project.command(dir, words);
        if let Some(text) = &args.stdin {
            let end = if args.stdin_add_newline { "\n" } else { "" };
            command.stdin = Some(format!("{text}{end}").into_bytes());
        }
        let out = host.run(&command, None)?;
        if let Some(failure) = project.cli.no_plugin("compose", &out).filter(|_| !out.success()) {
            return Err(failure);
        }
        if args.detach {
            return detached(project, &command, out, is_run);
        }
        let text = |text: String| {
            if args.strip_empty_ends { text.trim_end_matches(['\r', '\n']).to_owned() } else { text }
        };
        let result = output_fields(&text(out.stdout_text()), &text(out.stderr_text()));
        ended(result, Some(i128::from(out.code)))
    })
}

fn detached(project: &Project, command: &crate::model::Command, out: Output, is_run: bool) -> Result<Done, Failure> {
    let out = project.good(command, out)?;
    let id = out.stdout_text().trim().to_owned();
    let mut result = Map::new();
    if is_run {
        result.insert("container_id", id);
    }
    Ok(Done::with(result))
}
