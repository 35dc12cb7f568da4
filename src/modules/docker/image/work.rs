//! What more than one module does with images: push, load, remove.

use crate::model::{Failure, Map, Value};
use crate::module::{Done, Step};
use crate::modules::docker::engine::{Engine, Kind, escape, escape_path, is_planned, text_at};
use crate::modules::docker::names::{Reference, is_id};
use crate::modules::docker::{auth, differs, images, items};
use crate::sys::http::Body;
use crate::sys::{Host, Probe};

/// An image that must be there.
pub(super) fn found(engine: &Engine, host: &Probe<'_>, name: &str) -> Result<Value, Failure> {
    images::find(engine, host, name)?.ok_or_else(|| {
        let kind = if is_id(name) { "with ID " } else { "" };
        Failure::missing(format!("Cannot find image {kind}{name}"))
    })
}

/// An image as a result; what is only planned is not known.
pub(super) fn unknown_id(image: Value, name: &str) -> Value {
    if is_planned(&image) && image.get("Id").is_none() {
        return Value::Unknown(format!("the image {name} is only planned").into());
    }
    image
}

/// Pushes; says whether anything was sent.
pub(super) fn push(engine: &Engine, host: &mut Host<'_>, image: &Reference) -> Result<bool, Failure> {
    let tag = image.tag.as_deref().unwrap_or("latest");
    let path = format!("/images/{}/push?tag={}", escape_path(&image.repository), escape(tag));
    // The engine wants the header also where there is nothing to say.
    let credentials = auth::header(host.probe(), image.registry())?.unwrap_or_else(|| "e30=".to_owned());
    let headers = vec![("X-Registry-Auth", credentials)];
    let reply = engine.patient().request(host, "POST", &path, headers, Body::Empty)?;
    let doing = format!("Error pushing image {image}");
    if !reply.is_success() {
        return Err(engine.failure(&doing, &path, &reply));
    }
    let said = images::progress(&reply);
    if let Some(error) = images::error_in(&said) {
        return Err(Failure::new(format!("{doing}: {error}")));
    }
    Ok(said.iter().any(|line| text_at(line, &["status"]) == "Pushed"))
}

/// Loads an archive: names or ids of what was in it, and what the engine printed.
pub(super) fn load(engine: &Engine, host: &mut Host<'_>, path: &str) -> Result<(Vec<String>, String), Failure> {
    let body = Body::File("application/x-tar", path.into());
    let reply = engine.patient().request(host, "POST", "/images/load?quiet=true", Vec::new(), body)?;
    if !reply.is_success() {
        return Err(engine.failure(&format!("Error loading image from {path}"), "/images/load", &reply));
    }
    let said = images::progress(&reply);
    if let Some(error) = images::error_in(&said) {
        return Err(Failure::new(format!("Error loading image from {path}: {error}")));
    }
    let text: String = said.iter().filter_map(|l| l.get("stream").and_then(Value::as_str)).collect();
    let name = |line: &str| {
        let rest = line.strip_prefix("Loaded image ID:").or_else(|| line.strip_prefix("Loaded image:"))?;
        Some(rest.trim().to_owned())
    };
    Ok((text.lines().filter_map(name).collect(), text))
}

/// An image that was loaded.
pub(super) fn loaded(engine: &Engine, host: &Host<'_>, name: &str) -> Result<Value, Failure> {
    Ok(images::find(engine, host.probe(), name)?.unwrap_or_default())
}

/// A step that removes an image, or one of its names.
pub(super) fn removal(engine: &Engine, name: &str, image: &Value, force: bool, prune: bool) -> Step {
    let (engine, name) = (engine.clone(), name.to_owned());
    let id = text_at(image, &["Id"]).to_owned();
    let tags = items(image.get("RepoTags").unwrap_or(&Value::Null));
    // By its id, so that all its names go.
    let all = force && tags.len() > 1;
    let mut effects = vec![Kind::Image.gone(&name)];
    if all {
        effects.extend(tags.iter().filter_map(Value::as_str).map(|t| Kind::Image.gone(t)));
    }
    let diff = differs(format!("image {name}"), vec![("id".to_owned(), id.clone(), "absent".to_owned())]);
    let target = if all { id } else { name };
    let step = Step::action(effects, move |host| {
        let said = images::remove(&engine, host, &target, force, prune)?;
        let of = |key: &str| {
            let list = items(&said).iter().filter_map(|one| one.get(key).and_then(Value::as_str));
            let mut list: Vec<String> = list.map(str::to_owned).collect();
            list.sort();
            Value::list(list)
        };
        let mut result = Map::new();
        result.insert("deleted", of("Deleted"));
        result.insert("untagged", of("Untagged"));
        Ok(Done::with(result))
    });
    step.diff(diff).yields(&["deleted", "untagged"])
}
