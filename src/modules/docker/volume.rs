//! `docker_volume`: volumes of an engine.

use super::engine::{Engine, EngineArgs, Kind, at, escape_path, text_at};
use super::{differs, map_of, shown, strings};
use crate::args;
use crate::model::{Failure, Map, Value};
use crate::module;
use crate::module::{Arguments, Done, Module, Plan, ReturnSpec, Run, Step};
use crate::sys::Probe;

args! {
    /// Arguments of `docker_volume`.
    pub struct Volume {
        /// The volume's name.
        [required, aliases "name"]
        volume_name: String,
        /// Whether it is to be.
        [choices "absent" "present"]
        state: String = "present".to_owned(),
        /// The driver.
        driver: String = "local".to_owned(),
        /// The driver's options.
        driver_options: Map = Map::new(),
        /// Labels.
        labels: Option<Map>,
        /// When a volume that is there is made anew, which loses what is in it.
        [choices "always" "never" "options-changed"]
        recreate: String = "never".to_owned();
        ..engine: EngineArgs,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "docker_volume",
    aliases: &[],
    collection: super::COLLECTION,
    kind: module::Kind::State,
    doc: "Manage Docker volumes.",
    args: Volume::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[ReturnSpec { name: "volume", doc: "The volume, as the engine tells of it." }],
    run: Run::Target(plan),
};

fn path(name: &str) -> String {
    format!("/volumes/{}", escape_path(name))
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Volume::parse(args)?;
    let engine = Engine::connect(&args.engine, host)?;
    let found = engine.find(host, Kind::Volume, &args.volume_name)?;
    let (name, subject) = (args.volume_name.clone(), format!("volume {}", args.volume_name));
    let mut plan = Plan::new();
    let exists = |before: bool| vec![("exists".to_owned(), before.to_string(), (!before).to_string())];
    if args.state == "absent" {
        if found.is_some() {
            let step = Step::action([Kind::Volume.gone(&name)], move |host| {
                let doing = format!("Error removing volume {name}");
                engine.act(host, &doing, "DELETE", &path(&name), None).map(|_| Done::default())
            });
            plan.step(step.diff(differs(subject, exists(true))));
        }
        return Ok(plan);
    }
    let body = description(&args)?;
    let mut rows = found.as_ref().map(|v| differences(&args, &body, v)).unwrap_or_default();
    let asked = args.recreate == "always" && rows.is_empty();
    if asked {
        let created = found.as_ref().map(|v| text_at(v, &["CreatedAt"]).to_owned()).unwrap_or_default();
        rows.push(("created".to_owned(), created, "anew".to_owned()));
    }
    let anew = found.is_some();
    let diff = match &found {
        None => differs(subject, exists(false)),
        Some(volume) if rows.is_empty() || args.recreate == "never" => {
            plan.set("volume", volume.clone());
            return Ok(plan);
        }
        Some(_) => {
            let names: Vec<&str> = rows.iter().map(|r| r.0.as_str()).collect();
            let why = if asked { "it was asked for".to_owned() } else { format!("{} differs", names.join(", ")) };
            differs(format!("{subject} (recreated: {why})"), rows)
        }
    };
    let mut state = body.clone();
    state.insert("Planned", true);
    let step = Step::action([Kind::Volume.there(&name, state)], move |host| {
        if anew {
            engine.act(host, &format!("Error removing volume {name}"), "DELETE", &path(&name), None)?;
        }
        engine.act(host, &format!("Error creating volume {name}"), "POST", "/volumes/create", Some(&body))?;
        let now = engine.get(host.probe(), &path(&name))?.unwrap_or_default();
        Ok(Done::with(Map::from_iter([("volume", now)])))
    });
    plan.step(step.diff(diff).yields(&["volume"]));
    Ok(plan)
}

fn description(args: &Volume) -> Result<Map, Failure> {
    let mut body = Map::new();
    body.insert("Name", args.volume_name.as_str());
    body.insert("Driver", args.driver.as_str());
    body.insert("DriverOpts", strings("driver_options", &args.driver_options)?);
    if let Some(labels) = &args.labels {
        body.insert("Labels", strings("labels", labels)?);
    }
    Ok(body)
}

fn differences(args: &Volume, body: &Map, there: &Value) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    let mut add =
        |name: &str, before: &Value, after: &Value| found.push((name.to_owned(), shown(before), shown(after)));
    if text_at(there, &["Driver"]) != args.driver {
        add("driver", at(there, &["Driver"]), &Value::from(&args.driver));
    }
    let empty = Value::from(Map::new());
    for (name, key, there_key) in [("driver_options", "DriverOpts", "Options"), ("labels", "Labels", "Labels")] {
        let wanted = body.get(key).unwrap_or(&empty);
        let is = map_of(at(there, &[there_key]));
        if map_of(wanted).iter().any(|(k, v)| is.get_key(k) != Some(v)) {
            add(name, &Value::from(is), wanted);
        }
    }
    found
}
