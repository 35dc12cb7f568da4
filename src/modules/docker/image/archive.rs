//! Archives of images: what one holds, so that it is written only where that differs.

use crate::model::{Failure, Value};
use crate::modules::docker::engine::{Engine, escape};
use crate::modules::docker::items;
use crate::modules::json;
use crate::sys::{Host, Probe};

/// An image in an archive: its id and its names.
pub type Archived = (String, Vec<String>);

/// The ids and names of the images in an archive; `None` when it is none.
pub fn manifest(host: &Probe<'_>, path: &str) -> Result<Option<Vec<Archived>>, Failure> {
    let Some(bytes) = host.archive_entry(path, "manifest.json")? else { return Ok(None) };
    let Some(list) = json::parse(&String::from_utf8_lossy(&bytes)) else { return Ok(None) };
    let images = items(&list).iter().filter_map(|image| {
        let config = image.get("Config")?.as_str()?;
        let name = config.trim_end_matches(".json");
        let id = format!("sha256:{}", name.rsplit('/').next().unwrap_or(name));
        let tags = items(image.get("RepoTags")?).iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Some((id, tags))
    });
    Ok(Some(images.collect()))
}

/// Why an archive is to be written: it is not there, or holds something else. Nothing when
/// it is as it should be.
pub fn reason(host: &Probe<'_>, path: &str, wanted: &[(String, String)]) -> Result<Option<String>, Failure> {
    if host.stat(path)?.is_none() {
        return Ok(Some("absent".to_owned()));
    }
    let Some(there) = manifest(host, path)? else { return Ok(Some("no archive of images".to_owned())) };
    let has = |id: &str, name: &str| {
        there.iter().any(|(other, tags)| other == id && (name == id || tags.iter().any(|t| t == name)))
    };
    if there.len() == wanted.len() && wanted.iter().all(|(id, name)| has(id, name)) {
        return Ok(None);
    }
    let names: Vec<&str> = there.iter().flat_map(|(_, tags)| tags.iter().map(String::as_str)).collect();
    Ok(Some(format!("an archive of other images ({})", names.join(", "))))
}

/// Writes an archive of images.
pub fn write(engine: &Engine, host: &mut Host<'_>, names: &[String], path: &str) -> Result<(), Failure> {
    let query: Vec<String> = names.iter().map(|name| format!("names={}", escape(name))).collect();
    let from = format!("/images/get?{}", query.join("&"));
    engine.patient().download(host, &format!("Error getting image {}", names.join(", ")), &from, path)
}
