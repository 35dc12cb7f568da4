//! What Docker's modules do with images: find, pull, and read what the engine says meanwhile.

use super::auth;
use super::engine::{Engine, Kind, escape};
use super::names::{Reference, is_id};
use crate::model::{Failure, Map, Value};
use crate::modules::json;
use crate::sys::http::{Body, Reply};
use crate::sys::{Effect, Host, Probe};

/// An image by name (with tag or digest) or id, planned state included.
///
/// # Errors
/// As [`Engine::find`].
pub fn find(engine: &Engine, host: &Probe<'_>, name: &str) -> Result<Option<Value>, Failure> {
    let name = if is_id(name) { name.to_owned() } else { Reference::parse(name).to_string() };
    engine.find(host, Kind::Image, &name)
}

/// The effect that an image will be there of which nothing else is known.
pub fn planned(name: &str) -> Effect {
    Kind::Image.there(name, Map::from_iter([("Planned", true)]))
}

/// The objects of an answer that comes in pieces.
pub fn progress(reply: &Reply) -> Vec<Value> {
    reply.text().lines().filter_map(json::parse).collect()
}

/// The error that came in the middle of an answer, when one did.
pub fn error_in(said: &[Value]) -> Option<String> {
    said.iter().find_map(|line| {
        let detail = line.get("errorDetail").and_then(|d| d.get("message")).or_else(|| line.get("error"));
        detail.and_then(Value::as_str).map(str::to_owned)
    })
}

/// Pulls an image; the engine's words come back.
///
/// # Errors
/// When it cannot be had.
pub fn pull(
    engine: &Engine,
    host: &mut Host<'_>,
    image: &Reference,
    platform: Option<&str>,
) -> Result<Vec<Value>, Failure> {
    let tag = image.tag.clone().unwrap_or_else(|| "latest".to_owned());
    let mut path = format!("/images/create?fromImage={}&tag={}", escape(&image.repository), escape(&tag));
    if let Some(platform) = platform {
        path.push_str(&format!("&platform={}", escape(platform)));
    }
    let headers = auth::header(host.probe(), image.registry())?;
    let headers = headers.map(|h| ("X-Registry-Auth", h)).into_iter().collect();
    let reply = engine.patient().request(host, "POST", &path, headers, Body::Empty)?;
    if !reply.is_success() {
        return Err(engine.failure(&format!("Error pulling image {image} -"), &path, &reply));
    }
    let said = progress(&reply);
    match error_in(&said) {
        Some(error) => Err(Failure::new(format!("Error pulling image {image} - {error}"))),
        None => Ok(said),
    }
}

/// Removes a name of an image, or the image.
///
/// # Errors
/// When the engine refuses.
pub fn remove(engine: &Engine, host: &mut Host<'_>, name: &str, force: bool, prune: bool) -> Result<Value, Failure> {
    let path = format!("/images/{}?force={force}&noprune={}", super::engine::escape_path(name), !prune);
    engine.act(host, &format!("Error removing image {name}"), "DELETE", &path, None)
}

/// Gives an image another name.
///
/// # Errors
/// When the engine refuses.
pub fn tag(engine: &Engine, host: &mut Host<'_>, image: &str, to: &Reference) -> Result<(), Failure> {
    let tag = to.tag.as_deref().unwrap_or("latest");
    let path = format!(
        "/images/{}/tag?repo={}&tag={}&force=1",
        super::engine::escape_path(image),
        escape(&to.repository),
        escape(tag)
    );
    engine.act(host, &format!("Error: failed to tag image as {to}"), "POST", &path, None).map(drop)
}
