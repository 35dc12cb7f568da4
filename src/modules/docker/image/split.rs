//! The modules that each do one thing with images: `docker_image_pull`, `_push`, `_tag`,
//! `_remove`, `_load`, `_export`.

use super::archive;
use super::work::{found, load, loaded, push, removal, unknown_id};
use crate::args;
use crate::model::{Failure, Map, Value};
use crate::module;
use crate::module::{Arguments, Done, Module, Path, Plan, ReturnSpec, Run, Step};
use crate::modules::docker::engine::{Engine, EngineArgs, text_at};
use crate::modules::docker::names::{Reference, is_id};
use crate::modules::docker::{COLLECTION, differs, images};
use crate::sys::{Effect, Probe};

args! {
    /// One image, for the modules that do something with it.
    pub struct Named {
        /// The image's name; an id where it is not pulled or pushed.
        [required]
        name: String,
        /// Its tag, or digest, unless the name has one.
        tag: String = "latest".to_owned();
        ..engine: EngineArgs,
    }
}

impl Named {
    /// The id, or the name with its tag.
    fn full(&self) -> String {
        if is_id(&self.name) { self.name.clone() } else { self.reference().to_string() }
    }

    fn reference(&self) -> Reference {
        Reference::parse(&self.name).or_tag(&self.tag)
    }
}

args! {
    /// Arguments of `docker_image_pull`.
    pub struct PullArgs {
        /// The platform.
        platform: Option<String>,
        /// `always`, or only when it is `not_present`.
        [choices "always" "not_present"]
        pull: String = "always".to_owned();
        ..image: Named,
    }
}

args! {
    /// Arguments of `docker_image_tag`.
    pub struct TagArgs {
        /// The names that it is to have as well.
        [required]
        repository: Vec<String>,
        /// What to do where another image has one of them.
        [choices "keep" "overwrite"]
        existing_images: String = "overwrite".to_owned();
        ..image: Named,
    }
}

args! {
    /// Arguments of `docker_image_remove`.
    pub struct RemoveArgs {
        /// Remove it under all its names, and where containers use it.
        force: bool = false,
        /// Remove images it was made from that have no name.
        prune: bool = true;
        ..image: Named,
    }
}

args! {
    /// Arguments of `docker_image_load`.
    pub struct LoadArgs {
        /// The archive, a file on the host.
        [required]
        path: Path;
        ..engine: EngineArgs,
    }
}

args! {
    /// Arguments of `docker_image_export`.
    pub struct ExportArgs {
        /// Names or ids of images.
        [required, aliases "name"]
        names: Vec<String>,
        /// The tag of those without one.
        tag: String = "latest".to_owned(),
        /// The archive.
        [required]
        path: Path,
        /// Write it also where it is as it should be.
        force: bool = false;
        ..engine: EngineArgs,
    }
}

const IMAGE: ReturnSpec = ReturnSpec { name: "image", doc: "The image, as the engine tells of it." };

const fn module(
    name: &'static str,
    kind: module::Kind,
    doc: &'static str,
    args: fn() -> Vec<module::ArgSpec>,
    returns: &'static [ReturnSpec],
    plan: fn(&Map, &Probe<'_>) -> Result<Plan, Failure>,
) -> Module {
    Module {
        name,
        aliases: &[],
        collection: COLLECTION,
        kind,
        doc,
        args,
        free_form: None,
        any_args: false,
        asks_others: true,
        returns,
        run: Run::Target(plan),
    }
}

use module::Kind::{Action, State};

/// `docker_image_pull`.
pub static PULL: Module =
    module("docker_image_pull", State, "Pull Docker images from registries.", PullArgs::specs, &[IMAGE], plan_pull);
/// `docker_image_push`.
pub static PUSH: Module =
    module("docker_image_push", Action, "Push Docker images to registries.", Named::specs, &[IMAGE], plan_push);
/// `docker_image_tag`.
pub static TAG: Module = module(
    "docker_image_tag",
    State,
    "Give Docker images further names.",
    TagArgs::specs,
    &[IMAGE, ReturnSpec { name: "tagged_images", doc: "The names that it was given." }],
    plan_tag,
);
/// `docker_image_remove`.
pub static REMOVE: Module = module(
    "docker_image_remove",
    State,
    "Remove Docker images.",
    RemoveArgs::specs,
    &[
        IMAGE,
        ReturnSpec { name: "deleted", doc: "Ids of images that were removed." },
        ReturnSpec { name: "untagged", doc: "Names that were removed." },
    ],
    plan_remove,
);
/// `docker_image_load`.
pub static LOAD: Module = module(
    "docker_image_load",
    Action,
    "Load Docker images from archives.",
    LoadArgs::specs,
    &[
        ReturnSpec { name: "images", doc: "The images that were loaded." },
        ReturnSpec { name: "image_names", doc: "Their names." },
        ReturnSpec { name: "stdout", doc: "What the engine printed." },
    ],
    plan_load,
);
/// `docker_image_export`.
pub static EXPORT: Module = module(
    "docker_image_export",
    State,
    "Write Docker images into archives.",
    ExportArgs::specs,
    &[ReturnSpec { name: "images", doc: "The images." }],
    plan_export,
);

fn plan_pull(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = PullArgs::parse(args)?;
    if is_id(&args.image.name) {
        return Err(Failure::new("Cannot pull an image by ID"));
    }
    let image = args.image.reference();
    let engine = Engine::connect(&args.image.engine, host)?;
    let name = image.to_string();
    let before = images::find(&engine, host, &name)?;
    let mut plan = Plan::new();
    if let Some(there) = before.as_ref().filter(|_| args.pull == "not_present") {
        plan.set("image", there.clone());
        return Ok(plan);
    }
    let had = before.as_ref().map(|b| text_at(b, &["Id"]).to_owned());
    let row = |after: &str| {
        let subject = format!("image {name}");
        differs(subject, vec![("id".to_owned(), had.clone().unwrap_or_else(|| "absent".to_owned()), after.to_owned())])
    };
    let dry = host.is_dry_run();
    let diff = (dry || had.is_none()).then(|| row("pulled"));
    let shown = diff.is_some();
    let (platform, kept) = (args.platform.clone(), had.clone());
    let step = Step::action([images::planned(&name)], move |host| {
        images::pull(&engine, host, &image, platform.as_deref())?;
        let now = images::find(&engine, host.probe(), &image.to_string())?.unwrap_or_default();
        let id = text_at(&now, &["Id"]).to_owned();
        let mut done = Done { changed: Some(kept.as_deref() != Some(&id)), ..Done::default() };
        if done.changed == Some(true) && !shown {
            let row = ("id".to_owned(), kept.clone().unwrap_or_default(), "pulled".to_owned());
            done.diff.push(differs(format!("image {image}"), vec![row]));
        }
        done.result.insert("image", now);
        Ok(done)
    });
    plan.step(step.diff(diff).yields(&["image"]));
    Ok(plan)
}

fn plan_push(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Named::parse(args)?;
    if is_id(&args.name) {
        return Err(Failure::new("Cannot push an image by ID"));
    }
    let image = args.reference();
    if image.digest {
        return Err(Failure::new("Cannot push an image by digest"));
    }
    let engine = Engine::connect(&args.engine, host)?;
    let there = found(&engine, host, &image.to_string())?;
    let mut plan = Plan::new().with("image", there);
    plan.step(Step::action([], move |host| {
        let changed = push(&engine, host, &image)?;
        Ok(Done { changed: Some(changed), ..Done::default() })
    }));
    Ok(plan)
}

fn plan_tag(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = TagArgs::parse(args)?;
    let engine = Engine::connect(&args.image.engine, host)?;
    let name = args.image.full();
    let image = found(&engine, host, &name)?;
    let id = text_at(&image, &["Id"]).to_owned();
    let mut plan = Plan::new();
    let mut tagged = Vec::new();
    for repository in &args.repository {
        let to = Reference::parse(repository).or_tag(&args.image.tag);
        if to.digest {
            return Err(Failure::new(format!("repository {repository} must not have a digest")));
        }
        let other = images::find(&engine, host, &to.to_string())?;
        let other = other.map(|o| text_at(&o, &["Id"]).to_owned());
        let keep = other.is_some() && args.existing_images == "keep";
        if keep || (other.as_deref() == Some(&id) && !id.is_empty()) {
            continue;
        }
        let row = ("id".to_owned(), other.unwrap_or_else(|| "absent".to_owned()), id.clone());
        let diff = differs(format!("image {to}"), vec![row]);
        tagged.push(to.to_string());
        let (engine, from) = (engine.clone(), name.clone());
        let mut state = super::super::map_of(&image);
        state.insert("Planned", true);
        let effect = super::super::engine::Kind::Image.there(&to.to_string(), state);
        plan.step(
            Step::action([effect], move |host| images::tag(&engine, host, &from, &to).map(|()| Done::default()))
                .diff(diff),
        );
    }
    plan.set("image", unknown_id(image, &name));
    plan.set("tagged_images", Value::list(tagged));
    Ok(plan)
}

fn plan_remove(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = RemoveArgs::parse(args)?;
    let engine = Engine::connect(&args.image.engine, host)?;
    let name = args.image.full();
    let mut plan = Plan::new().with("image", Map::new());
    let none = || Value::list(Vec::<Value>::new());
    match images::find(&engine, host, &name)? {
        None => {
            plan.set("deleted", none());
            plan.set("untagged", none());
        }
        Some(image) => {
            plan.step(removal(&engine, &name, &image, args.force, args.prune));
            plan.set("image", unknown_id(image, &name));
        }
    }
    Ok(plan)
}

fn plan_load(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = LoadArgs::parse(args)?;
    let engine = Engine::connect(&args.engine, host)?;
    if host.stat(&args.path.0)?.is_none() {
        return Err(Failure::missing(format!("Error opening archive {}: no such file", args.path.0)));
    }
    let mut plan = Plan::new();
    let step = Step::action([], move |host| {
        let (names, text) = load(&engine, host, &args.path.0)?;
        let found: Result<Vec<Value>, Failure> = names.iter().map(|n| loaded(&engine, host, n)).collect();
        let mut result = Map::new();
        result.insert("stdout", text.trim_end());
        result.insert("image_names", Value::list(names));
        result.insert("images", Value::list(found?));
        Ok(Done::with(result))
    });
    plan.step(step.yields(&["images", "image_names", "stdout"]));
    Ok(plan)
}

fn plan_export(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = ExportArgs::parse(args)?;
    let engine = Engine::connect(&args.engine, host)?;
    let (mut names, mut all, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
    for name in &args.names {
        let name = if is_id(name) { name.clone() } else { Reference::parse(name).or_tag(&args.tag).to_string() };
        let image = found(&engine, host, &name)?;
        wanted.push((text_at(&image, &["Id"]).to_owned(), name.clone()));
        all.push(unknown_id(image, &name));
        names.push(name);
    }
    let mut plan = Plan::new().with("images", Value::list(all));
    let reason = archive::reason(host, &args.path.0, &wanted)?;
    if let Some(why) = reason.or_else(|| args.force.then(|| "an archive".to_owned())) {
        plan.step(export_step(engine, names, args.path.0, &why, host));
    }
    Ok(plan)
}

/// Writes an archive.
pub(super) fn export_step(engine: Engine, names: Vec<String>, path: String, why: &str, host: &Probe<'_>) -> Step {
    let row = ("content".to_owned(), why.to_owned(), names.join(", "));
    let (uid, gid) = host.own_ids();
    let content = crate::sys::Content::Unknown("the images were not written into it".into());
    let mode = 0o666 & !host.umask();
    let effect = Effect::File { path: path.clone().into(), content, mode, uid, gid, in_place: false };
    let diff = differs(path.clone(), vec![row]);
    Step::action([effect], move |host| archive::write(&engine, host, &names, &path).map(|()| Done::default()))
        .diff(diff)
}
