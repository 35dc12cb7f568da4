//! `docker_prune`: what an engine keeps and nobody uses, removed.

use super::engine::{Engine, Version, at, escape};
use super::info::{Kinds, filters};
use super::{items, names};
use crate::args;
use crate::model::{Failure, Map, Value};
use crate::module;
use crate::module::{Arguments, Done, Module, Plan, ReturnSpec, Run, Step};
use crate::sys::{Host, Probe};

args! {
    /// Arguments of `docker_prune`: what is removed where nobody uses it.
    pub struct Prune {
        /// What builds left to be used again.
        builder_cache: bool = false,
        /// All of that.
        builder_cache_all: bool = false,
        /// Which of it.
        builder_cache_filters: Option<Map>,
        /// How much of it to keep, `5G`.
        builder_cache_keep_storage: Option<String>;
        ..kinds: Kinds,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "docker_prune",
    aliases: &[],
    collection: super::COLLECTION,
    kind: module::Kind::Action,
    doc: "Remove what a Docker engine keeps and nobody uses.",
    args: Prune::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[
        ReturnSpec { name: "containers", doc: "Containers that were removed." },
        ReturnSpec { name: "containers_space_reclaimed", doc: "How much space that gave, in bytes." },
        ReturnSpec { name: "images", doc: "Images that were removed." },
        ReturnSpec { name: "images_space_reclaimed", doc: "How much space that gave, in bytes." },
        ReturnSpec { name: "networks", doc: "Networks that were removed." },
        ReturnSpec { name: "volumes", doc: "Volumes that were removed." },
        ReturnSpec { name: "volumes_space_reclaimed", doc: "How much space that gave, in bytes." },
        ReturnSpec { name: "builder_cache_space_reclaimed", doc: "How much space the builds' rest gave, in bytes." },
        ReturnSpec { name: "builder_cache_caches_deleted", doc: "What of it was removed." },
    ],
    run: Run::Target(plan),
};

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Prune::parse(args)?;
    let engine = Engine::connect(&args.kinds.engine, host)?;
    let mut plan = Plan::new();
    if args.kinds.containers || args.kinds.images || args.kinds.networks || args.kinds.volumes || args.builder_cache {
        plan.step(Step::action([], move |host| run(&args, &engine.patient(), host)));
    }
    Ok(plan)
}

fn run(args: &Prune, engine: &Engine, host: &mut Host<'_>) -> Result<Done, Failure> {
    let mut result = Map::new();
    let mut changed = false;
    let table = [
        (
            "containers",
            "/containers/prune",
            args.kinds.containers,
            &args.kinds.containers_filters,
            "ContainersDeleted",
            true,
        ),
        ("images", "/images/prune", args.kinds.images, &args.kinds.images_filters, "ImagesDeleted", true),
        ("networks", "/networks/prune", args.kinds.networks, &args.kinds.networks_filters, "NetworksDeleted", false),
        ("volumes", "/volumes/prune", args.kinds.volumes, &args.kinds.volumes_filters, "VolumesDeleted", true),
    ];
    for (name, path, wanted, which, key, space) in table {
        if !wanted {
            continue;
        }
        let path = format!("{path}?filters={}", filters(which.as_ref())?);
        let said = engine.act(host, &format!("Error pruning {name}"), "POST", &path, None)?;
        let gone = at(&said, &[key]);
        changed |= !items(gone).is_empty();
        result.insert(name, Value::list(items(gone).iter().cloned()));
        if space {
            let bytes = at(&said, &["SpaceReclaimed"]);
            changed |= bytes.as_int().unwrap_or(0) > 0;
            result.insert(format!("{name}_space_reclaimed"), bytes.clone());
        }
    }
    if args.builder_cache {
        engine.needs("builder_cache", Version(1, 31))?;
        let mut path = format!("/build/prune?all={}", args.builder_cache_all);
        if args.builder_cache_filters.is_some() {
            path.push_str(&format!("&filters={}", filters(args.builder_cache_filters.as_ref())?));
        }
        if let Some(keep) = &args.builder_cache_keep_storage {
            path.push_str(&format!(
                "&keep-storage={}",
                escape(&names::size("builder_cache_keep_storage", keep)?.to_string())
            ));
        }
        let said = engine.act(host, "Error pruning the builder's cache", "POST", &path, None)?;
        let bytes = at(&said, &["SpaceReclaimed"]);
        changed |= bytes.as_int().unwrap_or(0) > 0;
        result.insert("builder_cache_space_reclaimed", bytes.clone());
        result
            .insert("builder_cache_caches_deleted", Value::list(items(at(&said, &["CachesDeleted"])).iter().cloned()));
    }
    Ok(Done { result, changed: Some(changed), ..Done::default() })
}
