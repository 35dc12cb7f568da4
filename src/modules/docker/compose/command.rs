//! `docker_compose_v2_exec` and `docker_compose_v2_run`: a command in a service's container, or
//! in a new one of its own.

use super::{Project, ProjectArgs, flag, option};
use crate::args;
use crate::model::{Failure, Map, Output};
use crate::module;
use crate::module::{ArgSpec, Arguments, Done, Module, Plan, ReturnSpec, Run, Step};
use crate::modules::docker::COLLECTION;
use crate::modules::docker::call::{self, Call};
use crate::sys::{Host, Probe};

args! {
    /// What both have.
    pub struct Called {
        /// The service.
        [required]
        service: String,
        /// With a terminal, where there is one.
        tty: bool = true;
        ..call: Call,
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
        ..called: Called,
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
        ..called: Called,
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

const RUN_RETURNS: &[ReturnSpec] = {
    let [stdout, stderr, rc] = call::RETURNS;
    &[stdout, stderr, rc, ReturnSpec { name: "container_id", doc: "With `detach`: the container." }]
};

/// `docker_compose_v2_exec`.
pub static EXEC: Module = module(
    "docker_compose_v2_exec",
    "Run a command in a container of a service of Docker Compose.",
    Exec::specs,
    &call::RETURNS,
    |args, host| {
        let args = Exec::parse(args)?;
        let mut words = vec!["exec".to_owned()];
        words.extend(option("--index", args.index.map(|i| i.to_string()).as_ref()));
        words.extend(flag("--privileged", args.privileged));
        args.called.call.required_words()?;
        plan(args.called, host, words)
    },
);

/// `docker_compose_v2_run`.
pub static RUN: Module = module(
    "docker_compose_v2_run",
    "Run a command in a new container of a service of Docker Compose.",
    RunArgs::specs,
    RUN_RETURNS,
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
        plan(args.called, host, words)
    },
);

fn plan(args: Called, host: &Probe<'_>, mut words: Vec<String>) -> Result<Plan, Failure> {
    let argv = args.call.words()?.unwrap_or_default();
    let project = Project::new(&args.project, host)?;
    words.extend(flag("--detach", args.call.detach));
    words.extend(option("--user", args.call.user.as_ref()));
    words.extend(flag("--no-TTY", !args.tty));
    words.extend(option("--workdir", args.call.chdir.as_ref()));
    words.extend(args.call.environment()?.into_iter().flat_map(|pair| ["--env".to_owned(), pair]));
    words.extend(["--".to_owned(), args.service.clone()]);
    words.extend(argv);
    let mut plan = Plan::new();
    let yields: &'static [&'static str] = if args.call.detach { &["container_id"] } else { call::YIELDS };
    let detach = args.call.detach;
    let step = Step::action([], move |host| run(&args.call, &project, host, words)).yields(yields);
    // As Ansible counts: what nobody waits for is no change.
    plan.step(if detach { step.quiet() } else { step });
    Ok(plan)
}

fn run(call: &Call, project: &Project, host: &mut Host<'_>, words: Vec<String>) -> Result<Done, Failure> {
    let is_run = words.first().is_some_and(|w| w == "run");
    let probe = *host.probe();
    project.within(&probe, |dir| {
        let mut command = project.command(dir, words);
        command.stdin = call.input();
        let out = host.run(&command, None)?;
        if let Some(failure) = project.cli.no_plugin("compose", &out).filter(|_| !out.success()) {
            return Err(failure);
        }
        if call.detach {
            return detached(project, &command, out, is_run);
        }
        call.ended(&out.stdout, &out.stderr, Some(i128::from(out.code)))
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
