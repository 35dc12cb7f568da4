//! A container that is to be there: made, made anew, or changed as it is.

use std::sync::Arc;

use super::compare::{Difference, Way, differences};
use super::state::{Course, change, runs, settle};
use super::wanted::{Wanted, put};
use super::{Image, Task, act, networks, ports};
use crate::model::{Diff, Failure, Map, Value};
use crate::module::Plan;
use crate::modules::docker::engine::{at, is_planned, text_at};
use crate::modules::docker::names::{full, is_id};
use crate::modules::docker::{differs, images, map_of, shown, warned};
use crate::sys::Probe;

/// Plans all but the pulling of the image.
pub(super) fn plan(task: &Arc<Task>, host: &Probe<'_>, image: &Image) -> Result<Plan, Failure> {
    let container = task.container(host)?;
    let counted = counted_image(task, host, image, container.as_ref())?;
    let wanted = wanted(task, host, counted)?;
    let removing = |c: &Value| text_at(c, &["State", "Status"]) == "removing";
    let mut course = match &container {
        Some(there) if !removing(there) => existing(task, &wanted, image, there)?,
        other => {
            let mut course = blank(task.args.name.clone());
            let diff = differs(format!("container {}", course.name), vec![change("exists", "false", "true")]);
            create(task, &wanted, image, other.as_ref(), &mut course, diff)?;
            course
        }
    };
    let settled = networks::plan(task, host, &wanted, &mut course)?;
    let changed = !course.plan.is_empty() || settled;
    settle(task, &mut course, changed);
    let Course { mut plan, .. } = course;
    if plan.is_empty() {
        plan.set("container", container.unwrap_or_default());
    } else if task.args.detach != Some(false) {
        let known = Arc::clone(task);
        plan.after(move |host| {
            let mut result = Map::new();
            if !host.is_dry_run() {
                let now = known.engine.get(host, &act::path(&known.args.name, "/json"))?;
                result.insert("container", now.unwrap_or_default());
            }
            Ok(result)
        });
    }
    Ok(plan)
}

fn blank(name: String) -> Course {
    Course { plan: Plan::new(), state: Map::new(), name }
}

/// The image whose environment, labels, ports and volumes count.
fn counted_image(task: &Task, host: &Probe<'_>, image: &Image, container: Option<&Value>) -> Result<Value, Failure> {
    let current = container.filter(|_| task.args.image_comparison == "current-image" || image.name.is_none());
    match current.map(|c| text_at(c, &["Image"])).filter(|id| !id.is_empty()) {
        Some(id) => Ok(images::find(&task.engine, host, id)?.unwrap_or_default()),
        None => Ok(image.found.clone()),
    }
}

fn wanted<'a>(task: &'a Task, host: &'a Probe<'a>, image: Value) -> Result<Wanted<'a>, Failure> {
    let args = task.args.clone();
    let named: Vec<String> = args.networks.iter().flatten().map(|n| n.0.name.clone()).collect();
    let host_ip = match &args.settings.more.published_ports {
        Some(_) => ports::host_ip(args.default_host_ip.as_deref(), &named, &task.engine, host)?,
        None => String::new(),
    };
    let env_file = match &args.settings.env_file {
        Some(path) => env_file(&String::from_utf8_lossy(&host.read(&path.0)?)),
        None => Map::new(),
    };
    let (given, comparisons) = (task.given.clone(), task.comparisons.clone());
    Ok(Wanted { given, args, comparisons, image, host_ip, env_file, engine: &task.engine, host })
}

/// `NAME=VALUE` by lines.
fn env_file(text: &str) -> Map {
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.to_owned()))
        .collect()
}

/// What of the image differs: the image itself, or what it is called.
fn image_differs(task: &Task, image: &Image, container: &Value) -> Option<Difference> {
    let name = image.name.as_ref()?;
    if task.comparisons.image() == Way::Ignore {
        return None;
    }
    let is = text_at(container, &["Image"]);
    if image.id() != Some(is) {
        let after = image.id().unwrap_or(name);
        return Some(Difference { option: "image", before: is.into(), after: after.into(), update: None });
    }
    let called = text_at(container, &["Config", "Image"]);
    let other = if is_id(name) || is_id(called) { name != called } else { full(name) != full(called) };
    let counts = task.args.image_name_mismatch == "recreate" && other;
    counts.then(|| Difference { option: "image", before: called.into(), after: name.into(), update: None })
}

fn existing(task: &Arc<Task>, wanted: &Wanted<'_>, image: &Image, container: &Value) -> Result<Course, Failure> {
    let mut found = differences(wanted, container)?;
    found.extend(image_differs(task, image, container));
    let name = text_at(container, &["Name"]).trim_start_matches('/').to_owned();
    let mut course = blank(if name.is_empty() { task.args.name.clone() } else { name });
    course.state = map_of(container);
    if task.args.recreate || found.iter().any(|d| d.update.is_none()) {
        let named: Vec<&str> = found.iter().filter(|d| d.update.is_none()).map(|d| d.option).collect();
        let why =
            if named.is_empty() { "it was asked for".to_owned() } else { format!("{} differs", named.join(", ")) };
        let mut rows: Vec<_> = found.iter().map(row).collect();
        if rows.is_empty() {
            rows.push(change("created", text_at(container, &["Created"]), "anew"));
        }
        let diff = differs(format!("container {} (recreated: {why})", course.name), rows);
        create(task, wanted, image, Some(container), &mut course, diff)?;
        return Ok(course);
    }
    if !found.is_empty() {
        update(task, wanted, &found, &mut course)?;
    }
    Ok(course)
}

fn row(difference: &Difference) -> (String, String, String) {
    (difference.option.to_owned(), shown(&difference.before), shown(&difference.after))
}

fn update(task: &Arc<Task>, wanted: &Wanted<'_>, found: &[Difference], course: &mut Course) -> Result<(), Failure> {
    let mut body = Map::new();
    for difference in found {
        let way = difference.update.unwrap_or_default();
        let way = way.strip_prefix(&["HostConfig"]).unwrap_or(way);
        put(&mut body, way, difference.after.clone());
    }
    // The engine takes a restart policy as a whole.
    if let Some(policy) = body.get("RestartPolicy") {
        let mut policy = map_of(policy);
        let there = Value::from(course.state.clone());
        let there = at(&there, &["HostConfig", "RestartPolicy"]).clone();
        for key in ["Name", "MaximumRetryCount"] {
            if !policy.contains(key) {
                let keep = key == "Name" || wanted.has("restart_retries");
                let value = there.get(key).cloned().filter(|_| keep).unwrap_or(Value::Int(0));
                policy.insert(key, value);
            }
        }
        body.insert("RestartPolicy", policy);
    }
    let rows = found.iter().map(row).collect();
    let diff = differs(format!("container {} (updated in place)", course.name), rows);
    let (known, name, sent) = (Arc::clone(task), course.name.clone(), body.clone());
    course.step(
        |map| {
            for (key, value) in &body {
                put(map, &["HostConfig", &key.to_string()], value.clone());
            }
        },
        Some(diff),
        move |host| {
            let doing = format!("Error updating container {name}");
            known.engine.act(host, &doing, "POST", &act::path(&name, "/update"), Some(&sent)).map(|said| warned(&said))
        },
    );
    Ok(())
}

/// Makes a container, in the place of one that is there.
fn create(
    task: &Arc<Task>,
    wanted: &Wanted<'_>,
    image: &Image,
    old: Option<&Value>,
    course: &mut Course,
    diff: Diff,
) -> Result<(), Failure> {
    let kept = old.map(|c| text_at(c, &["Config", "Image"]).to_owned()).filter(|i| !i.is_empty());
    let Some(name) = image.name.clone().or(kept) else {
        return Err(Failure::new("Cannot create container when image is not specified!"));
    };
    let mut body = wanted.description(&name)?;
    networks::at_creation(task, wanted, &mut body)?;
    let id = image.id().map(str::to_owned).or_else(|| old.map(|c| text_at(c, &["Image"]).to_owned()));
    let state = as_told(&course.name, &body, id.as_deref().unwrap_or_default(), &wanted.image);
    let (known, called) = (Arc::clone(task), course.name.clone());
    let old =
        old.filter(|c| !is_planned(c)).map(|c| (act::id(c), runs(c), text_at(c, &["State", "Status"]) == "removing"));
    course.step(
        move |map| *map = state,
        Some(diff),
        move |host| {
            if let Some((id, running, removing)) = old {
                if running {
                    act::stop(&known, host, &id)?;
                }
                act::remove(&known, host, &id, removing)?;
            }
            act::create(&known, host, &called, &body)
        },
    );
    Ok(())
}

/// A container that is only planned, as the engine will tell of it.
fn as_told(name: &str, body: &Map, image_id: &str, image: &Value) -> Map {
    let mut config = map_of(at(image, &["Config"]));
    for (key, value) in body {
        let key = key.to_string();
        if !["HostConfig", "NetworkingConfig"].contains(&key.as_str()) {
            config.insert(key, value.clone());
        }
    }
    let mut env = crate::modules::docker::items(body.get("Env").unwrap_or(&Value::Null)).to_vec();
    let variable = |v: &Value| v.as_str().unwrap_or_default().split('=').next().unwrap_or_default().to_owned();
    for line in crate::modules::docker::items(at(image, &["Config", "Env"])) {
        if !env.iter().any(|own| variable(own) == variable(line)) {
            env.push(line.clone());
        }
    }
    config.insert("Env", Value::list(env));
    let body = Value::from(body.clone());
    let mut state = Map::new();
    state.insert("Id", name);
    state.insert("Name", format!("/{name}"));
    state.insert("Image", image_id);
    state.insert("Config", config);
    state.insert("HostConfig", at(&body, &["HostConfig"]).clone());
    put(&mut state, &["State", "Running"], false.into());
    put(&mut state, &["State", "Status"], "created".into());
    let endpoints = map_of(at(&body, &["NetworkingConfig", "EndpointsConfig"]));
    put(&mut state, &["NetworkSettings", "Networks"], endpoints.into());
    state
}

/// Networks of a planned container that come from its mode.
pub(super) fn mode_network(state: &Value) -> Option<String> {
    let mode = text_at(state, &["HostConfig", "NetworkMode"]);
    let named = matches!(mode, "default" | "" | "bridge");
    if named {
        Some("bridge".to_owned())
    } else {
        (!mode.contains(':') && mode != "none" && mode != "host").then(|| mode.to_owned())
    }
}
