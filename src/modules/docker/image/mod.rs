//! `docker_image`: images built, pulled, loaded, named, pushed, archived, removed.

mod archive;
mod build;
mod buildx;
mod context;
mod split;
mod work;

pub use buildx::BUILD;
pub use split::{EXPORT, LOAD, PULL, PUSH, REMOVE, TAG};

use crate::args;
use crate::model::{Failure, Map, Value};
use crate::module;
use crate::module::{Arguments, Done, Module, Path, Plan, ReturnSpec, Run, Step};
use crate::modules::docker::engine::{Engine, EngineArgs, Kind, is_planned, text_at};
use crate::modules::docker::names::{Reference, is_id};
use crate::modules::docker::{COLLECTION, Options, differs, images, map_of, texts};
use crate::sys::Probe;
use build::Build;

args! {
    /// Arguments of `docker_image`.
    pub struct Image {
        /// The image's name; an id for `state: absent` and `source: local` or `load`.
        [required]
        name: String,
        /// Its tag, unless the name has one.
        tag: String = "latest".to_owned(),
        /// Whether it is to be.
        [choices "absent" "present"]
        state: String = "present".to_owned(),
        /// Where it comes from.
        [choices "build" "load" "pull" "local"]
        source: Option<String>,
        /// How it is built.
        build: Option<Options<Build>>,
        /// How it is pulled.
        pull: Option<Options<PullOptions>>,
        /// The archive that it is in.
        load_path: Option<Path>,
        /// An archive to write it into.
        archive_path: Option<Path>,
        /// Another name for it.
        repository: Option<String>,
        /// Push it.
        push: bool = false,
        /// Build, pull or load it also when it is there.
        force_source: bool = false,
        /// Give it the other name also where another image has it.
        force_tag: bool = false,
        /// Remove it under all its names.
        force_absent: bool = false;
        ..engine: EngineArgs,
    }
}

args! {
    /// How an image is pulled.
    pub struct PullOptions {
        /// The platform.
        platform: Option<String>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "docker_image",
    aliases: &[],
    collection: COLLECTION,
    kind: module::Kind::State,
    doc: "Manage Docker images.",
    args: Image::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[
        ReturnSpec { name: "image", doc: "The image, as the engine tells of it." },
        ReturnSpec { name: "stdout", doc: "What was printed while it was built or loaded." },
        ReturnSpec { name: "actions", doc: "What was done." },
    ],
    run: Run::Target(plan),
};

impl Image {
    fn check(&self) -> Result<(), Failure> {
        let missing =
            |names: &str| Failure::new(format!("state is present but all of the following are missing: {names}"));
        match self.source.as_deref() {
            Some("build") if self.build.is_none() => return Err(missing("build")),
            Some("load") if self.load_path.is_none() => return Err(missing("load_path")),
            None if self.state == "present" => {
                return Err(Failure::new("state is present but all of the following are missing: source"));
            }
            _ => {}
        }
        if is_id(&self.name)
            && self.state == "present"
            && !["local", "load"].contains(&self.source.as_deref().unwrap_or(""))
        {
            let source = self.source.as_deref().unwrap_or("");
            return Err(Failure::new(format!(
                "Image name must not be an image ID for source={source}; got: {}",
                self.name
            )));
        }
        Ok(())
    }
}

impl Image {
    /// What was done to get it.
    fn got(&self, source: &str, name: &str) -> String {
        let from = |path: Option<&Path>| path.map(|p| format!(" from {}", p.0)).unwrap_or_default();
        match source {
            "build" => format!("Built image {name}{}", from(self.build.as_ref().map(|b| &b.0.path))),
            "load" => format!("Loaded image {name}{}", from(self.load_path.as_ref())),
            _ => format!("Pulled image {name}"),
        }
    }
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Image::parse(args)?;
    args.check()?;
    let engine = Engine::connect(&args.engine, host)?;
    let name =
        if is_id(&args.name) { args.name.clone() } else { Reference::parse(&args.name).or_tag(&args.tag).to_string() };
    let there = images::find(&engine, host, &name)?;
    let mut plan = Plan::new().with("image", Map::new());
    if args.state == "absent" {
        plan.set("actions", Value::list(there.iter().map(|_| format!("Removed image {name}"))));
        if let Some(image) = there {
            plan.set("image", Map::from_iter([("state", "Deleted")]));
            plan.step(work::removal(&engine, &name, &image, args.force_absent, true));
        }
        return Ok(plan);
    }
    let source = args.source.as_deref().unwrap_or_default();
    let mut image = there.clone().unwrap_or_default();
    let mut actions = Vec::new();
    if there.is_none() && source == "local" {
        return Err(Failure::missing(format!("Cannot find the image {name} locally.")));
    }
    if (there.is_none() || args.force_source) && source != "local" {
        plan.step(get(&args, &engine, host, &name, there.as_ref())?);
        actions.push(args.got(source, &name));
        image = Map::from_iter([("Planned", true)]).into();
    }
    plan.set("image", work::unknown_id(image.clone(), &name));
    if let Some(path) = &args.archive_path {
        let wanted = [(text_at(&image, &["Id"]).to_owned(), name.clone())];
        if let Some(why) = archive::reason(host, &path.0, &wanted)? {
            let since = if why == "absent" { "none" } else { &why };
            actions.push(format!("Archived image {name} to {}, since {since} present", path.0));
            plan.step(split::export_step(engine.clone(), vec![name.clone()], path.0.clone(), &why, host));
        }
    }
    name_and_push(&args, &engine, host, &name, &image, (&mut plan, &mut actions))?;
    plan.set("actions", texts(actions));
    if !plan.is_empty() {
        plan.after(move |host| {
            let mut result = Map::new();
            if !host.is_dry_run() {
                result.insert("image", images::find(&engine, host, &name)?.unwrap_or_default());
            }
            Ok(result)
        });
    }
    Ok(plan)
}

/// A step that builds, pulls or loads the image.
fn get(args: &Image, engine: &Engine, host: &Probe<'_>, name: &str, there: Option<&Value>) -> Result<Step, Failure> {
    let source = args.source.clone().unwrap_or_default();
    let had = there.map(|image| text_at(image, &["Id"]).to_owned());
    let was = had.clone().unwrap_or_else(|| "absent".to_owned());
    let word = match &*source {
        "build" => "built",
        "pull" => "pulled",
        _ => "loaded",
    };
    if let Some(Options(how)) = args.build.as_ref().filter(|_| source == "build") {
        build::check(how, host)?;
    }
    let archive = args.load_path.as_ref().filter(|_| source == "load");
    if let Some(path) = archive
        && host.stat(&path.0)?.is_none()
    {
        return Err(Failure::missing(format!("Error loading image {name}. Specified path {} does not exist.", path.0)));
    }
    let (args, engine, called) = (args.clone(), engine.clone(), name.to_owned());
    let row = vec![("id".to_owned(), was, word.to_owned())];
    // Whether it is another one is known only then.
    let known = had.is_none() || host.is_dry_run();
    let diff = differs(format!("image {name}"), row);
    let (now, later) = if known { (Some(diff), None) } else { (None, Some(diff)) };
    let step = Step::action([images::planned(name)], move |host| {
        let image = Reference::parse(&called);
        let mut result = Map::new();
        match (&*source, &args.build, &args.load_path) {
            ("build", Some(Options(how)), _) => drop(result.insert("stdout", build::run(how, &engine, host, &called)?)),
            ("load", _, Some(path)) => {
                let (names, text) = work::load(&engine, host, &path.0)?;
                result.insert("stdout", text);
                if !names.contains(&called) {
                    let names = names.join(", ");
                    return Err(Failure::new(format!("Expected to load image {called}, but the archive has: {names}")));
                }
            }
            _ => {
                let platform = args.pull.as_ref().and_then(|p| p.0.platform.clone());
                images::pull(&engine, host, &image, platform.as_deref())?;
            }
        }
        let now = images::find(&engine, host.probe(), &called)?.unwrap_or_default();
        let changed = had.as_deref() != Some(text_at(&now, &["Id"]));
        result.insert("image", now);
        let diff = later.into_iter().filter(|_| changed).collect();
        Ok(Done { result, changed: Some(changed), diff, ..Done::default() })
    });
    Ok(step.diff(now).yields(&["image", "stdout"]))
}

/// The image's other name, and pushing it under that or its own.
fn name_and_push(
    args: &Image,
    engine: &Engine,
    host: &Probe<'_>,
    name: &str,
    image: &Value,
    (plan, actions): (&mut Plan, &mut Vec<String>),
) -> Result<(), Failure> {
    let mut pushed = Reference::parse(name);
    if let Some(repository) = &args.repository {
        let to = Reference::parse(repository).or_tag(&args.tag);
        pushed = to.clone();
        let other = images::find(engine, host, &to.to_string())?;
        let id = text_at(image, &["Id"]);
        let same = other.as_ref().is_some_and(|o| !id.is_empty() && text_at(o, &["Id"]) == id);
        if other.is_none() || (args.force_tag && !same) || (is_planned(image) && args.force_tag) {
            let was = other.as_ref().map_or("absent", |o| text_at(o, &["Id"])).to_owned();
            let diff = differs(format!("image {to}"), vec![("id".to_owned(), was, format!("that of {name}"))]);
            let mut state = map_of(image);
            state.insert("Planned", true);
            let effect = Kind::Image.there(&to.to_string(), state);
            let (engine, from) = (engine.clone(), name.to_owned());
            actions.push(format!("Tagged image {name} to {to}"));
            plan.step(
                Step::action([effect], move |host| images::tag(&engine, host, &from, &to).map(|()| Done::default()))
                    .diff(diff),
            );
        }
    }
    if args.push {
        let engine = engine.clone();
        let registry = pushed.registry().to_owned();
        let subject = format!("image {pushed} at {registry}");
        actions.push(format!("Pushed image {pushed} to {registry}"));
        let dry = host.is_dry_run();
        let diff = differs(subject, vec![("pushed".to_owned(), String::new(), "yes".to_owned())]);
        let (now, later) = if dry { (Some(diff), None) } else { (None, Some(diff)) };
        let step = Step::action([], move |host| {
            let changed = work::push(&engine, host, &pushed)?;
            Ok(Done {
                changed: Some(changed),
                diff: later.into_iter().filter(|_| changed).collect(),
                ..Done::default()
            })
        });
        plan.step(step.diff(now));
    }
    Ok(())
}
