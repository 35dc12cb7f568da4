//! `docker_compose_v2`: a project's containers brought up, stopped, restarted, removed.

use super::events::{self, Action};
use super::{Project, ProjectArgs, documents, flag, option};
use crate::args;
use crate::model::{Diff, Failure, Map, Value};
use crate::module;
use crate::module::{Arguments, Done, FromArg, Module, Plan, ReturnSpec, Run, Step};
use crate::modules::docker::{COLLECTION, differs, engine::text_at, texts};
use crate::sys::{Effect, Host, Probe};

args! {
    /// Arguments of `docker_compose_v2`.
    pub struct Compose {
        /// What is to be of the project.
        [choices "absent" "stopped" "restarted" "present"]
        state: String = "present".to_owned(),
        /// Whether images are pulled.
        [choices "always" "missing" "never" "policy"]
        pull: String = "policy".to_owned(),
        /// Whether images are built.
        [choices "always" "never" "policy"]
        build: String = "policy".to_owned(),
        /// Whether containers are made anew.
        [choices "always" "never" "auto"]
        recreate: String = "auto".to_owned(),
        /// Make anonymous volumes anew, too.
        renew_anon_volumes: bool = false,
        /// Which services; all when not given.
        services: Option<Vec<String>>,
        /// How many containers of a service.
        scale: Option<Map>,
        /// With the services that these depend on.
        dependencies: bool = true,
        /// A build that restarts no container is no change.
        ignore_build_events: bool = true,
        /// Remove containers of services that are in no Compose file.
        remove_orphans: bool = false,
        /// With `state: absent`: remove images as well.
        [choices "all" "local"]
        remove_images: Option<String>,
        /// With `state: absent`: remove volumes as well.
        remove_volumes: bool = false,
        /// Seconds that containers have to stop.
        timeout: Option<i64>,
        /// Wait until services run, and are healthy where they say it.
        wait: bool = false,
        /// Seconds to wait at most.
        wait_timeout: Option<i64>,
        /// Say yes to all questions of Compose (2.32 and newer).
        assume_yes: bool = false;
        ..project: ProjectArgs,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "docker_compose_v2",
    aliases: &[],
    collection: COLLECTION,
    kind: module::Kind::State,
    doc: "Manage projects of several services with Docker Compose.",
    args: Compose::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[
        ReturnSpec { name: "actions", doc: "What Compose did: `what`, `id` and `status` of each." },
        ReturnSpec { name: "containers", doc: "The project's containers." },
        ReturnSpec { name: "images", doc: "The images of its containers." },
        ReturnSpec { name: "stderr", doc: "What Compose said meanwhile." },
    ],
    run: Run::Target(plan),
};

/// The states of containers that do not run.
const DOWN: [&str; 4] = ["created", "exited", "stopped", "killed"];

impl Compose {
    fn services(&self) -> Vec<String> {
        let list = self.services.clone().unwrap_or_default();
        if list.is_empty() { list } else { ["--".to_owned()].into_iter().chain(list).collect() }
    }

    fn timeout(&self) -> Vec<String> {
        option("--timeout", self.timeout.map(|t| t.to_string()).as_ref())
    }

    /// `up`; with `no_start`: containers are made but not started.
    fn up(&self, no_start: bool) -> Result<Vec<String>, Failure> {
        let mut words: Vec<String> = ["up", "--detach", "--no-color", "--quiet-pull"].map(str::to_owned).into();
        if self.pull != "policy" {
            words.extend(["--pull".to_owned(), self.pull.clone()]);
        }
        words.extend(flag("--remove-orphans", self.remove_orphans));
        words.extend(flag("--force-recreate", self.recreate == "always"));
        words.extend(flag("--no-recreate", self.recreate == "never"));
        words.extend(flag("--renew-anon-volumes", self.renew_anon_volumes));
        words.extend(flag("--no-deps", !self.dependencies));
        words.extend(flag("--build", self.build == "always"));
        words.extend(flag("--no-build", self.build == "never"));
        words.extend(self.timeout());
        for (service, count) in self.scale.iter().flatten() {
            let count = i64::from_arg(count).map_err(|_| {
                Failure::new(format!("The value {} for `scale['{service}']` is not an integer", text(count)))
            })?;
            if count < 0 {
                return Err(Failure::new(format!("The value {count} for `scale['{service}']` is negative")));
            }
            words.extend(["--scale".to_owned(), format!("{service}={count}")]);
        }
        if no_start {
            words.push("--no-start".to_owned());
        } else if self.wait {
            words.push("--wait".to_owned());
            words.extend(option("--wait-timeout", self.wait_timeout.map(|t| t.to_string()).as_ref()));
        }
        words.extend(flag("--yes", self.assume_yes));
        words.extend(self.services());
        Ok(words)
    }

    fn down(&self) -> Vec<String> {
        let mut words = vec!["down".to_owned()];
        words.extend(flag("--remove-orphans", self.remove_orphans));
        words.extend(option("--rmi", self.remove_images.as_ref()));
        words.extend(flag("--volumes", self.remove_volumes));
        words.extend(self.timeout());
        words.extend(self.services());
        words
    }

    /// The first call; what follows `stopped` depends on what runs then.
    fn first(&self) -> Result<Vec<String>, Failure> {
        Ok(match self.state.as_str() {
            "absent" => self.down(),
            "stopped" => self.up(true)?,
            "restarted" => {
                let mut words = vec!["restart".to_owned()];
                words.extend(flag("--no-deps", !self.dependencies));
                words.extend(self.timeout());
                words.extend(self.services());
                words
            }
            _ => self.up(false)?,
        })
    }

    fn stop(&self) -> Vec<String> {
        ["stop".to_owned()].into_iter().chain(self.timeout()).chain(self.services()).collect()
    }

    fn is_changed(&self, actions: &[Action]) -> bool {
        self.state == "restarted" || actions.iter().any(|a| a.is_change(!self.ignore_build_events))
    }
}

fn text(value: &Value) -> String {
    String::from_arg(value).unwrap_or_default()
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Compose::parse(args)?;
    let project = Project::new(&args.project, host)?;
    args.first()?;
    let mut plan = Plan::new();
    if !host.is_dry_run() {
        // Compose itself finds out what differs, on the way to changing it.
        plan.step(Step::action([], move |host| run(&args, &project, host)));
        return Ok(plan);
    }
    project.within(host, |dir| {
        let said = foresee(&args, &project, host, dir)?;
        let actions = events::actions(&said);
        plan.set("stderr", said);
        let (containers, images) = listed(&mut |words| project.ask(host, dir, words))?;
        plan.set("actions", Value::list(actions.iter().map(Action::value)));
        if args.is_changed(&actions) {
            let effects = [Effect::MayProvide("the project of Compose was not brought up".into())];
            let step = Step::action(effects, |_| Ok(Done::default()));
            plan.step(step.diff(diff(&args, &actions)).yields(&["containers", "images"]));
        } else {
            plan.set("containers", containers);
            plan.set("images", images);
        }
        Ok(())
    })?;
    Ok(plan)
}

/// What Compose says that it would do.
fn foresee(args: &Compose, project: &Project, host: &Probe<'_>, dir: &str) -> Result<String, Failure> {
    let dry = |words: Vec<String>| project.ask(host, dir, ["--dry-run".to_owned()].into_iter().chain(words).collect());
    let said = match dry(args.first()?) {
        // Compose's own dry run stumbles over images that are not built.
        Err(failure) if args.state == "absent" && failure.message.contains("No such image") => {
            return Err(Failure::unknown("Compose cannot say what it would remove, since an image is not there"));
        }
        other => other?,
    };
    let mut said = said.stderr_text();
    if args.state == "stopped" && is_up(&mut |words| project.ask(host, dir, words))? {
        said.push_str(&dry(args.stop())?.stderr_text());
    }
    Ok(said)
}

type Ask<'a> = dyn FnMut(Vec<String>) -> Result<crate::model::Output, Failure> + 'a;

fn is_up(ask: &mut Ask<'_>) -> Result<bool, Failure> {
    let (containers, _) = listed(ask)?;
    let list = containers.as_list().unwrap_or_default().to_vec();
    Ok(list.iter().any(|c| !DOWN.contains(&text_at(c, &["State"]))))
}

fn run(args: &Compose, project: &Project, host: &mut Host<'_>) -> Result<Done, Failure> {
    let probe = *host.probe();
    project.within(&probe, |dir| {
        let mut said = project.act(host, dir, args.first()?)?.stderr_text();
        if args.state == "stopped" && is_up(&mut |words| project.ask(&probe, dir, words))? {
            said.push_str(&project.act(host, dir, args.stop())?.stderr_text());
        }
        let actions = events::actions(&said);
        let (containers, images) = listed(&mut |words| project.ask(&probe, dir, words))?;
        let mut result = Map::new();
        result.insert("actions", Value::list(actions.iter().map(Action::value)));
        result.insert("containers", containers);
        result.insert("images", images);
        result.insert("stderr", said);
        let changed = args.is_changed(&actions);
        let diff = if changed { vec![diff(args, &actions)] } else { Vec::new() };
        Ok(Done { result, changed: Some(changed), diff, ..Done::default() })
    })
}

fn diff(args: &Compose, actions: &[Action]) -> Diff {
    let project = &args.project;
    let name = project.project_name.clone().or_else(|| project.project_src.as_ref().map(|p| p.0.clone()));
    // In an order that does not depend on which thing was quicker.
    let mut actions = actions.to_vec();
    actions.sort();
    let changes = actions.iter().filter(|a| a.is_change(!args.ignore_build_events));
    let changes = changes.map(|a| (format!("{} {}", a.what, a.id), String::new(), a.status.clone()));
    differs(format!("project {}", name.unwrap_or_default()), changes.collect())
}

/// The project's containers, and the images of them.
fn listed(ask: &mut Ask<'_>) -> Result<(Value, Value), Failure> {
    let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let containers = documents(&ask(words(&["ps", "--format", "json", "--all", "--no-trunc"]))?.stdout_text());
    let images = documents(&ask(words(&["images", "--format", "json"]))?.stdout_text());
    Ok((Value::list(containers.into_iter().map(apart)), Value::list(images)))
}

/// What Compose writes as text with commas, as lists and maps.
fn apart(container: Value) -> Value {
    let mut map = crate::modules::docker::map_of(&container);
    let split = |text: &str| text.split(',').filter(|p| !p.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    for name in ["Names", "Networks"] {
        if let Some(text) = map.get(name).and_then(Value::as_str).map(str::to_owned) {
            map.insert(name, texts(split(&text)));
        }
    }
    if let Some(text) = map.get("Labels").and_then(Value::as_str).map(str::to_owned) {
        let pairs = split(&text);
        let pairs = pairs.iter().map(|p| p.split_once('=').unwrap_or((p, "")));
        map.insert("Labels", Map::from_iter(pairs));
    }
    Value::from(map)
}
