//! Volumes, mounts and memory file systems of a container.

use super::args::Mount;
use super::wanted::Wanted;
use crate::model::{Failure, Map, Value};
use crate::modules::docker::engine::{Version, at};
use crate::modules::docker::{Options, items, names, strings, texts};

type Made = Result<Value, Failure>;

/// Words that the last part of a volume may consist of.
const MODES: &[&str] = &[
    "rw",
    "ro",
    "z",
    "Z",
    "consistent",
    "delegated",
    "cached",
    "rprivate",
    "private",
    "rshared",
    "shared",
    "rslave",
    "slave",
    "nocopy",
];

fn is_mode(text: &str) -> bool {
    !text.is_empty() && text.split(',').all(|word| MODES.contains(&word))
}

/// A volume: its parts, source and mode only where they are given.
fn parts(wanted: &Wanted<'_>, text: &str) -> Result<(Option<String>, String, Option<String>), Failure> {
    let wrong = || Failure::new(format!("Found invalid volumes mode: {text}"));
    let parts: Vec<&str> = text.split(':').collect();
    Ok(match *parts.as_slice() {
        [target] => (None, target.to_owned(), None),
        [target, mode] if is_mode(mode) => (None, target.to_owned(), Some(mode.to_owned())),
        [source, target] => (Some(absolute(wanted, source)), target.to_owned(), None),
        [source, target, mode] if is_mode(mode) => {
            (Some(absolute(wanted, source)), target.to_owned(), Some(mode.to_owned()))
        }
        _ => return Err(wrong()),
    })
}

/// A source that is a path, in full; the names of volumes stay.
fn absolute(wanted: &Wanted<'_>, source: &str) -> String {
    if source.starts_with('~') {
        return crate::module::expand(source, &|name| wanted.host.env(name));
    }
    if source.starts_with('.') {
        let here = std::env::current_dir().unwrap_or_else(|_| "/".into());
        let mut path = here;
        for part in source.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(path.pop()),
                part => path.push(part),
            }
        }
        return path.display().to_string();
    }
    source.to_owned()
}

/// Volumes without a source: the engine makes one.
pub fn volumes(wanted: &Wanted<'_>) -> Made {
    let mut all = Vec::new();
    for text in wanted.args.settings.more.volumes.iter().flatten() {
        if let (None, target, _) = parts(wanted, text)? {
            all.push(target);
        }
    }
    Ok(texts(all))
}

fn keys(value: &Value) -> Vec<String> {
    value.as_map().map(|m| m.keys().map(ToString::to_string).collect()).unwrap_or_default()
}

/// With the image's.
#[allow(clippy::unnecessary_wraps, reason = "a row of the table")]
pub fn volumes_expected(wanted: &Wanted<'_>, own: Value) -> Made {
    let mut all: Vec<String> = items(&own).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    for target in keys(at(&wanted.image, &["Config", "Volumes"])) {
        if !all.contains(&target) {
            all.push(target);
        }
    }
    Ok(texts(all))
}

/// Those that a container was made with.
pub fn volumes_observed(_: &Wanted<'_>, container: &Value) -> Value {
    texts(keys(at(container, &["Config", "Volumes"])))
}

/// Volumes with a source.
pub fn binds(wanted: &Wanted<'_>) -> Made {
    let mut all = Vec::new();
    for text in wanted.args.settings.more.volumes.iter().flatten() {
        if let (Some(source), target, mode) = parts(wanted, text)? {
            all.push(format!("{source}:{target}:{}", mode.as_deref().unwrap_or("rw")));
        }
    }
    Ok(texts(all))
}

/// Those of a container; how one is mounted is always said.
pub fn binds_observed(_: &Wanted<'_>, container: &Value) -> Value {
    let full = |text: &str| if text.split(':').count() < 3 { format!("{text}:rw") } else { text.to_owned() };
    texts(items(at(container, &["HostConfig", "Binds"])).iter().filter_map(Value::as_str).map(full))
}

pub fn tmpfs(wanted: &Wanted<'_>) -> Made {
    let Some(list) = &wanted.args.settings.more.tmpfs else { return Ok(Value::Null) };
    let one = |text: &String| {
        let (dir, options) = text.split_once(':').unwrap_or((text, ""));
        (dir.to_owned(), options.to_owned())
    };
    Ok(Value::from(list.iter().map(one).collect::<Map>()))
}

/// Options of a mount that only some types have.
fn check(mount: &Mount) -> Result<(), Failure> {
    let kind = mount.r#type.as_str();
    let table: &[(&str, bool, &[&str])] = &[
        ("create_mountpoint", mount.create_mountpoint.is_some(), &["bind"]),
        ("labels", mount.labels.is_some(), &["volume"]),
        ("no_copy", mount.no_copy.is_some(), &["volume"]),
        ("non_recursive", mount.non_recursive.is_some(), &["bind"]),
        ("propagation", mount.propagation.is_some(), &["bind"]),
        ("read_only_force_recursive", mount.read_only_force_recursive.is_some(), &["bind"]),
        ("read_only_non_recursive", mount.read_only_non_recursive.is_some(), &["bind"]),
        ("subpath", mount.subpath.is_some(), &["volume", "image"]),
        ("tmpfs_mode", mount.tmpfs_mode.is_some(), &["tmpfs"]),
        ("tmpfs_options", mount.tmpfs_options.is_some(), &["tmpfs"]),
        ("tmpfs_size", mount.tmpfs_size.is_some(), &["tmpfs"]),
        ("volume_driver", mount.volume_driver.is_some(), &["volume"]),
        ("volume_options", mount.volume_options.is_some(), &["volume"]),
    ];
    for (option, given, kinds) in table {
        if *given && !kinds.contains(&kind) {
            return Err(Failure::new(format!(
                "{option} cannot be specified for mount \"{}\" of type \"{kind}\"",
                mount.target
            )));
        }
    }
    if mount.source.is_none() && !["tmpfs", "volume", "image", "cluster"].contains(&kind) {
        return Err(Failure::new(format!(
            "source must be specified for mount \"{}\" of type \"{kind}\"",
            mount.target
        )));
    }
    if mount.source.is_some() && kind == "tmpfs" {
        return Err(Failure::new(format!(
            "source cannot be specified for mount \"{}\" of type \"tmpfs\"",
            mount.target
        )));
    }
    Ok(())
}

pub fn mounts(wanted: &Wanted<'_>) -> Made {
    let Some(list) = &wanted.args.settings.more.mounts else { return Ok(Value::Null) };
    let mut all = Vec::new();
    let mut targets: Vec<String> = Vec::new();
    for text in wanted.args.settings.more.volumes.iter().flatten() {
        targets.push(parts(wanted, text)?.1);
    }
    for Options(mount) in list {
        check(mount)?;
        if targets.contains(&mount.target) {
            return Err(Failure::new(format!("The mount point \"{}\" appears twice", mount.target)));
        }
        targets.push(mount.target.clone());
        all.push(Value::from(one(wanted, mount)?));
    }
    Ok(Value::list(all))
}

fn one(wanted: &Wanted<'_>, mount: &Mount) -> Result<Map, Failure> {
    let mut map = Map::new();
    map.insert("Type", mount.r#type.as_str());
    map.insert("Target", mount.target.as_str());
    if let Some(source) = &mount.source {
        map.insert("Source", if mount.r#type == "bind" { absolute(wanted, source) } else { source.clone() });
    }
    for (key, value) in
        [("ReadOnly", mount.read_only.map(Value::from)), ("Consistency", mount.consistency.clone().map(Value::from))]
    {
        if let Some(value) = value {
            map.insert(key, value);
        }
    }
    let engine = wanted.engine;
    let mut within = |section: &str, key: &str, value: Option<Value>| {
        if let Some(value) = value {
            super::wanted::put(&mut map, &[section, key], value);
        }
    };
    within("BindOptions", "Propagation", mount.propagation.clone().map(Value::from));
    for (option, key, value, version) in [
        ("create_mountpoint", "CreateMountpoint", mount.create_mountpoint, Version(1, 42)),
        ("non_recursive", "NonRecursive", mount.non_recursive, Version(1, 40)),
        ("read_only_non_recursive", "ReadOnlyNonRecursive", mount.read_only_non_recursive, Version(1, 44)),
        ("read_only_force_recursive", "ReadOnlyForceRecursive", mount.read_only_force_recursive, Version(1, 44)),
    ] {
        if value.is_some() {
            engine.needs(&format!("mounts.{option}"), version)?;
        }
        within("BindOptions", key, value.map(Value::from));
    }
    if mount.subpath.is_some() {
        engine.needs("mounts.subpath", Version(1, 45))?;
    }
    let section = if mount.r#type == "image" { "ImageOptions" } else { "VolumeOptions" };
    within(section, "Subpath", mount.subpath.clone().map(Value::from));
    within("VolumeOptions", "NoCopy", mount.no_copy.map(Value::from));
    let labels = mount.labels.as_ref().map(|labels| strings("labels", labels)).transpose()?;
    within("VolumeOptions", "Labels", labels.map(Value::from));
    if mount.volume_driver.is_some() || mount.volume_options.is_some() {
        let options = strings("volume_options", &mount.volume_options.clone().unwrap_or_default())?;
        let mut driver = Map::from_iter([("Name", mount.volume_driver.clone().unwrap_or_default())]);
        driver.insert("Options", options);
        within("VolumeOptions", "DriverConfig", Some(driver.into()));
    }
    let size = mount.tmpfs_size.as_ref().map(|text| names::size("tmpfs_size", text)).transpose()?;
    within("TmpfsOptions", "SizeBytes", size.map(Value::from));
    let mode = mount.tmpfs_mode.as_ref().map(|text| {
        i64::from_str_radix(text, 8).map_err(|_| Failure::new(format!("tmpfs_mode '{text}' is no octal number")))
    });
    within("TmpfsOptions", "Mode", mode.transpose()?.map(Value::from));
    if let Some(options) = &mount.tmpfs_options {
        engine.needs("mounts.tmpfs_options", Version(1, 46))?;
        within("TmpfsOptions", "Options", Some(tmpfs_options(options)?));
    }
    Ok(map)
}

/// Each a word, or a map of one name and its value.
fn tmpfs_options(options: &[Value]) -> Made {
    let mut all = Vec::new();
    for option in options {
        match option {
            Value::Map(map) => {
                for (name, value) in map.iter() {
                    let parts = [name.to_string(), super::super::shown(value)];
                    all.push(texts(parts.into_iter().filter(|p| !p.is_empty())));
                }
            }
            other => all.push(texts([super::super::shown(other)])),
        }
    }
    Ok(Value::list(all))
}
