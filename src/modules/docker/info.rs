//! Modules that only ask an engine: `docker_container_info`, `docker_host_info`,
//! `docker_image_info`, `docker_network_info`, `docker_volume_info`.

use super::engine::{Engine, EngineArgs, Kind, escape, is_planned};
use super::{images, items, text_list};
use crate::args;
use crate::model::{Failure, Map, Value};
use crate::module;
use crate::module::{Arguments, FromArg, Module, Plan, ReturnSpec, Run};
use crate::modules::json;
use crate::sys::Probe;

args! {
    /// Arguments of `docker_container_info` and `docker_network_info`.
    pub struct Named {
        /// The name or id.
        [required]
        name: String;
        ..engine: EngineArgs,
    }
}

args! {
    /// Arguments of `docker_volume_info`.
    pub struct Volume {
        /// The volume's name.
        [required, aliases "volume_name"]
        name: String;
        ..engine: EngineArgs,
    }
}

args! {
    /// Arguments of `docker_image_info`.
    pub struct Images {
        /// Names or ids; all images when not given.
        name: Option<Vec<String>>;
        ..engine: EngineArgs,
    }
}

args! {
    /// Kinds of things that an engine keeps, and which of them.
    pub struct Kinds {
        /// Containers.
        containers: bool = false,
        /// Which containers, by the engine's filters.
        containers_filters: Option<Map>,
        /// Images.
        images: bool = false,
        /// Which images.
        images_filters: Option<Map>,
        /// Networks.
        networks: bool = false,
        /// Which networks.
        networks_filters: Option<Map>,
        /// Volumes.
        volumes: bool = false,
        /// Which volumes.
        volumes_filters: Option<Map>;
        ..engine: EngineArgs,
    }
}

args! {
    /// Arguments of `docker_host_info`: what to list, and what else to tell.
    pub struct Everything {
        /// Containers that do not run as well.
        containers_all: bool = false,
        /// Say what takes how much space.
        disk_usage: bool = false,
        /// All that the engine tells of each.
        verbose_output: bool = false;
        ..kinds: Kinds,
    }
}

const fn query(
    name: &'static str,
    doc: &'static str,
    args: fn() -> Vec<module::ArgSpec>,
    returns: &'static [ReturnSpec],
    plan: fn(&Map, &Probe<'_>) -> Result<Plan, Failure>,
) -> Module {
    Module {
        name,
        aliases: &[],
        collection: super::COLLECTION,
        kind: module::Kind::Query,
        doc,
        args,
        free_form: None,
        any_args: false,
        asks_others: true,
        returns,
        run: Run::Target(plan),
    }
}

/// `docker_container_info`.
pub static CONTAINER: Module = query(
    "docker_container_info",
    "What a Docker engine tells of a container.",
    Named::specs,
    &[
        ReturnSpec { name: "exists", doc: "Whether it is there." },
        ReturnSpec { name: "container", doc: "The container; null when there is none." },
    ],
    |args, host| {
        let args = Named::parse(args)?;
        one(host, &args.engine, Kind::Container, &args.name, "container")
    },
);

/// `docker_network_info`.
pub static NETWORK: Module = query(
    "docker_network_info",
    "What a Docker engine tells of a network.",
    Named::specs,
    &[
        ReturnSpec { name: "exists", doc: "Whether it is there." },
        ReturnSpec { name: "network", doc: "The network; null when there is none." },
    ],
    |args, host| {
        let args = Named::parse(args)?;
        one(host, &args.engine, Kind::Network, &args.name, "network")
    },
);

/// `docker_volume_info`.
pub static VOLUME: Module = query(
    "docker_volume_info",
    "What a Docker engine tells of a volume.",
    Volume::specs,
    &[
        ReturnSpec { name: "exists", doc: "Whether it is there." },
        ReturnSpec { name: "volume", doc: "The volume; null when there is none." },
    ],
    |args, host| {
        let args = Volume::parse(args)?;
        one(host, &args.engine, Kind::Volume, &args.name, "volume")
    },
);

/// `docker_image_info`.
pub static IMAGE: Module = query(
    "docker_image_info",
    "What a Docker engine tells of images.",
    Images::specs,
    &[ReturnSpec { name: "images", doc: "The images that are there, of those asked for." }],
    image_info,
);

/// `docker_host_info`.
pub static HOST: Module = query(
    "docker_host_info",
    "What a Docker engine tells of itself and of what it keeps.",
    Everything::specs,
    &[
        ReturnSpec { name: "can_talk_to_docker", doc: "Whether an engine answers." },
        ReturnSpec { name: "host_info", doc: "The engine and its host." },
        ReturnSpec { name: "containers", doc: "With `containers`: containers." },
        ReturnSpec { name: "images", doc: "With `images`: images." },
        ReturnSpec { name: "networks", doc: "With `networks`: networks." },
        ReturnSpec { name: "volumes", doc: "With `volumes`: volumes." },
        ReturnSpec { name: "disk_usage", doc: "With `disk_usage`: what takes how much space." },
    ],
    host_info,
);

/// What is only planned has no details yet.
fn known(kind: Kind, name: &str, value: Value) -> Value {
    if is_planned(&value) {
        return Value::Unknown(format!("{} {name} is only planned", kind.label()).into());
    }
    value
}

fn one(host: &Probe<'_>, args: &EngineArgs, kind: Kind, name: &str, key: &str) -> Result<Plan, Failure> {
    let engine = Engine::connect(args, host)?;
    let found = engine.find(host, kind, name)?;
    let mut plan = Plan::new().with("exists", found.is_some());
    match found {
        Some(value) => plan.set(key, known(kind, name, value)),
        None if host.may_be_provided().is_some() => {
            return Err(Failure::missing(format!("there is no {} {name}", kind.label())));
        }
        None => plan.set(key, Value::Null),
    }
    Ok(plan)
}

fn image_info(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Images::parse(args)?;
    let engine = Engine::connect(&args.engine, host)?;
    let names = match args.name {
        Some(names) => names,
        None => {
            let all = engine.get(host, "/images/json?all=false")?.unwrap_or_default();
            items(&all).iter().filter_map(|i| i.get("Id").and_then(Value::as_str)).map(str::to_owned).collect()
        }
    };
    let mut found = Vec::new();
    for name in &names {
        let image = match images::find(&engine, host, name)? {
            // An id may be given without its algorithm, or in part.
            None if !name.contains([':', '/']) => engine.get(host, &format!("/images/{}/json", escape(name)))?,
            other => other,
        };
        found.extend(image.map(|image| known(Kind::Image, name, image)));
    }
    Ok(Plan::new().with("images", Value::list(found)))
}

/// Filters as the engine takes them: each name with a list of texts.
pub fn filters(map: Option<&Map>) -> Result<String, Failure> {
    let mut out = Map::new();
    for (name, value) in map.into_iter().flatten() {
        let text = |v: &Value| match v {
            Value::Bool(b) => Ok(b.to_string()),
            other => String::from_arg(other).map_err(|e| Failure::new(format!("filter {name}: {e}"))),
        };
        let list: Result<Vec<String>, Failure> = match value.as_list() {
            Some(list) => list.iter().map(text).collect(),
            None => text(value).map(|t| vec![t]),
        };
        out.insert(name.to_string(), text_list(list?));
    }
    Ok(escape(&json::dumps(&Value::from(out))))
}

/// Only some of what is told of each.
fn brief(list: &Value, keys: &[&str]) -> Value {
    Value::list(
        items(list).iter().map(|one| {
            keys.iter().filter_map(|key| one.get(key).map(|v| ((*key).to_owned(), v.clone()))).collect::<Map>()
        }),
    )
}

/// A list that may be asked for: its name, whether it is, which, the path, what is told in brief.
type List<'a> = (&'static str, bool, &'a Option<Map>, &'static str, &'static [&'static str]);

fn host_info(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Everything::parse(args)?;
    let no = |failure: Failure| failure.with("can_talk_to_docker", false);
    let engine = Engine::connect(&args.kinds.engine, host).map_err(no)?;
    let ask = |path: &str| engine.get(host, path).map(Option::unwrap_or_default);
    let mut plan = Plan::new().with("can_talk_to_docker", true).with("host_info", ask("/info")?);
    let lists: [List<'_>; 3] = [
        (
            "containers",
            args.kinds.containers,
            &args.kinds.containers_filters,
            if args.containers_all { "/containers/json?all=true&" } else { "/containers/json?" },
            &["Id", "Image", "Command", "Created", "Status", "Ports", "Names"],
        ),
        (
            "images",
            args.kinds.images,
            &args.kinds.images_filters,
            "/images/json?",
            &["Id", "RepoTags", "Created", "Size"],
        ),
        (
            "networks",
            args.kinds.networks,
            &args.kinds.networks_filters,
            "/networks?",
            &["Id", "Driver", "Name", "Scope"],
        ),
    ];
    for (name, wanted, which, path, keys) in lists {
        if wanted {
            let list = ask(&format!("{path}filters={}", filters(which.as_ref())?))?;
            plan.set(name, if args.verbose_output { list } else { brief(&list, keys) });
        }
    }
    if args.kinds.volumes {
        let said = ask(&format!("/volumes?filters={}", filters(args.kinds.volumes_filters.as_ref())?))?;
        let list = said.get("Volumes").cloned().unwrap_or_default();
        plan.set("volumes", if args.verbose_output { list } else { brief(&list, &["Driver", "Name"]) });
    }
    if args.disk_usage {
        let said = ask("/system/df")?;
        let size = || Map::from_iter([("LayersSize", said.get("LayersSize").cloned().unwrap_or_default())]);
        plan.set("disk_usage", if args.verbose_output { said.clone() } else { size().into() });
    }
    Ok(plan)
}
