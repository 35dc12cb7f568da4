//! `docker_compose_v2_pull`: the images of a project.

use super::events::{self, Action};
use super::{Project, ProjectArgs, flag};
use crate::args;
use crate::model::{Diff, Failure, Map, Value};
use crate::module;
use crate::module::{Arguments, Done, Module, Plan, ReturnSpec, Run, Step};
use crate::modules::docker::{COLLECTION, differs};
use crate::sys::{Effect, Host, Probe};

args! {
    /// Arguments of `docker_compose_v2_pull`.
    pub struct Pull {
        /// Pull images that are there, too, or those that are missing (Compose 2.22 and newer).
        [choices "always" "missing"]
        policy: String = "always".to_owned(),
        /// Leave out images that can be built.
        ignore_buildable: bool = false,
        /// With services that those given depend on.
        include_deps: bool = false,
        /// Which services; all when not given.
        services: Option<Vec<String>>;
        ..project: ProjectArgs,
    }
}

/// The registry's entry.
pub static PULL: Module = Module {
    name: "docker_compose_v2_pull",
    aliases: &[],
    collection: COLLECTION,
    kind: module::Kind::State,
    doc: "Pull the images of a project of Docker Compose.",
    args: Pull::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[
        ReturnSpec { name: "actions", doc: "What was pulled: `what`, `id` and `status` of each." },
        ReturnSpec { name: "stderr", doc: "What Compose said meanwhile." },
    ],
    run: Run::Target(plan),
};

impl Pull {
    fn words(&self) -> Vec<String> {
        let mut words = vec!["pull".to_owned()];
        if self.policy != "always" {
            words.extend(["--policy".to_owned(), self.policy.clone()]);
        }
        words.extend(flag("--ignore-buildable", self.ignore_buildable));
        words.extend(flag("--include-deps", self.include_deps));
        if let Some(services) = self.services.as_ref().filter(|s| !s.is_empty()) {
            words.push("--".to_owned());
            words.extend(services.clone());
        }
        words
    }
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Pull::parse(args)?;
    let project = Project::new(&args.project, host)?;
    let mut plan = Plan::new();
    if !host.is_dry_run() {
        plan.step(Step::action([], move |host| run(&args, &project, host)));
        return Ok(plan);
    }
    let dry = [vec!["--dry-run".to_owned()], args.words()].concat();
    let said = project.within(host, |dir| project.ask(host, dir, dry))?;
    let actions = events::actions(&said.stderr_text());
    plan.set("actions", Value::list(actions.iter().map(Action::value)));
    plan.set("stderr", said.stderr_text());
    // Whether a registry has something newer is not known before it is fetched.
    if args.policy == "always" || !actions.is_empty() {
        let effects = [Effect::MayProvide("images were not pulled".into())];
        plan.step(Step::action(effects, |_| Ok(Done::default())).diff(diff(&actions)));
    }
    Ok(plan)
}

fn diff(actions: &[Action]) -> Diff {
    // In an order that does not depend on which was quicker.
    let mut actions = actions.to_vec();
    actions.sort();
    let changes = actions.iter().map(|a| (format!("{} {}", a.what, a.id), String::new(), a.status.clone()));
    differs("images of the project", changes.collect())
}

fn run(args: &Pull, project: &Project, host: &mut Host<'_>) -> Result<Done, Failure> {
    let probe = *host.probe();
    project.within(&probe, |dir| {
        let before = ids(project, &probe, dir)?;
        let said = project.act(host, dir, args.words())?;
        let changed = before != ids(project, &probe, dir)?;
        let actions = events::actions(&said.stderr_text());
        let mut result = Map::from_iter([("actions", Value::list(actions.iter().map(Action::value)))]);
        result.insert("stderr", said.stderr_text());
        let diff = if changed { vec![diff(&actions)] } else { Vec::new() };
        Ok(Done { result, changed: Some(changed), diff, ..Done::default() })
    })
}

/// The project's images that are there, with their ids.
fn ids(project: &Project, host: &Probe<'_>, dir: &str) -> Result<Vec<(String, String)>, Failure> {
    let names = project.ask(host, dir, ["config", "--images"].map(str::to_owned).into())?.stdout_text();
    let mut found = Vec::new();
    for name in names.lines().map(str::trim).filter(|n| !n.is_empty()) {
        let words = ["image", "inspect", "--format", "{{.Id}}", name];
        let out = host.query(&project.cli.command(words))?;
        if out.success() {
            found.push((name.to_owned(), out.stdout_text().trim().to_owned()));
        }
    }
    Ok(found)
}
