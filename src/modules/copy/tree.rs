//! Directories: sent by the controller, or copied within a host.

use std::path::{Path as FsPath, PathBuf};

use md5::{Digest, Md5};
use sha1::Sha1;

use super::base_name;
use super::target::{Place, Source, directory_step, file, make_directories, write};
use crate::model::{Diff, Failure, FileKind, ModeSpec, Value};
use crate::module::{Plan, Step};
use crate::modules::attributes::{self, FileAttributes, Mode};
use crate::sys::{BlobHash, Effect, Probe, Stat};

/// One thing below a directory that is copied.
enum Item {
    /// With its own mode, where that is kept.
    Directory(Option<u32>),
    Link(PathBuf),
    File(Box<Source>, Option<u32>),
}

/// Plans a directory that the controller sent.
pub(super) fn plan(place: &Place, entries: &[Value], host: &Probe<'_>) -> Result<Plan, Failure> {
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    let items = entries.iter().filter_map(|item| {
        let path = text(item, "path")?;
        let what = match (text(item, "blob"), text(item, "link")) {
            (Some(blob), _) => {
                let source = Source {
                    blob: BlobHash::from_hex(&blob),
                    bytes: None,
                    sha1: text(item, "sha1"),
                    md5: text(item, "md5"),
                    unknown: None,
                    secret: item.get("secret").and_then(Value::as_bool).unwrap_or(false),
                    name: None,
                };
                Item::File(Box::new(source), u32::from_str_radix(&text(item, "mode")?, 8).ok())
            }
            (None, Some(link)) => Item::Link(PathBuf::from(link)),
            (None, None) => Item::Directory(None),
        };
        Some((path, what))
    });
    plan_items(place, items.collect(), host)
}

fn plan_items(place: &Place, items: Vec<(String, Item)>, host: &Probe<'_>) -> Result<Plan, Failure> {
    let mut dest = PathBuf::from(&place.dest.0);
    if let Some(name) = &place.name {
        dest = dest.join(name);
    }
    let mut plan = Plan::new();
    if let Some(stat) = host.stat(&dest)?
        && stat.kind != FileKind::Directory
    {
        return Err(Failure::new("can not use a directory as src when dest is a file").with("dest", &place.dest.0));
    }
    let whole = items.first().is_some_and(|(path, _)| path.is_empty());
    make_directories(&mut plan, place, host, if whole { dest.parent().unwrap_or(&dest) } else { &dest })?;
    let parents: std::collections::BTreeSet<PathBuf> =
        items.iter().filter_map(|(path, _)| Some(FsPath::new(path).parent()?.to_owned())).collect();
    for (path, item) in items {
        let leaf = !parents.contains(FsPath::new(&path));
        let at = if path.is_empty() { dest.clone() } else { dest.join(path) };
        plan_item(&mut plan, place, &at, item, leaf, host)?;
    }
    plan.set("dest", &place.dest.0);
    if let Some(src) = &place.src {
        plan.set("src", src);
    }
    for name in ["checksum", "md5sum", "msg"] {
        plan.unset(name);
    }
    let returned = PathBuf::from(&place.dest.0);
    attributes::return_info(&mut plan, &returned);
    Ok(plan)
}

fn plan_item(
    plan: &mut Plan,
    place: &Place,
    path: &FsPath,
    item: Item,
    leaf: bool,
    host: &Probe<'_>,
) -> Result<(), Failure> {
    match item {
        Item::Directory(mode) => match host.stat(path)? {
            None => {
                let kept = mode.map(|m| Mode::Spec(ModeSpec::Bits(m)));
                let place = Place { directory_mode: kept.or_else(|| place.directory_mode.clone()), ..place.clone() };
                plan.step(directory_step(&place, host, path.to_owned())?);
            }
            Some(stat) if stat.kind != FileKind::Directory => {
                return Err(Failure::new(format!("{} is not a directory", path.display())));
            }
            // As Ansible: directories that hold files are left as they are.
            Some(stat) if leaf && !place.remote_src => {
                let attributes = FileAttributes { mode: place.directory_mode.clone(), ..place.attributes.clone() };
                attributes::plan(plan, host, path, &stat, &attributes)?;
            }
            Some(_) => {}
        },
        Item::Link(target) => {
            let there = host.lstat(path)?.is_some_and(|s| s.kind == FileKind::Link);
            if !there || host.read_link(path)? != target {
                let diff = Diff::attribute(path.display().to_string(), "src", "", target.display().to_string());
                plan.step(Step::effect(Effect::Link { path: path.to_owned(), target }).diff(diff));
            }
        }
        Item::File(source, mode) => {
            let mut attributes = place.attributes.clone();
            if place.remote_src {
                // As Ansible within a host: what is copied has its own mode, what is the same keeps its.
                let same = host.stat(path)?.is_some() && host.read(path).ok().as_deref() == source.bytes.as_deref();
                attributes.mode = mode.filter(|_| !same).map(|m| Mode::Spec(ModeSpec::Bits(m)));
            } else if attributes.mode == Some(Mode::Preserve) {
                attributes.mode = mode.map(|m| Mode::Spec(ModeSpec::Bits(m)));
            }
            write(plan, place, &attributes, path, *source, host)?;
        }
    }
    Ok(())
}

/// Plans a copy of something that is on the host.
pub(super) fn remote(mut place: Place, host: &Probe<'_>) -> Result<Plan, Failure> {
    let src = place.src.clone().unwrap_or_default();
    let path = PathBuf::from(&src);
    let Some(stat) = host.stat(&path)? else {
        return Err(Failure::missing(format!("Source {src} not found")));
    };
    if stat.kind == FileKind::Directory {
        place.name = (!src.ends_with('/')).then(|| base_name(&path));
        let mut items = Vec::new();
        gather(&mut items, &path, "", &place, host, 0)?;
        items.insert(0, (String::new(), Item::Directory(Some(stat.mode))));
        return remote_tree(&place, items, host);
    }
    place.name = Some(base_name(&path));
    if place.attributes.mode == Some(Mode::Preserve) {
        place.attributes.mode = Some(Mode::Spec(ModeSpec::Bits(stat.mode)));
    }
    let source = on_host(host, &path)?;
    file(&place, source, host)
}

/// As Ansible: `mode` is that of the directory that was copied to, not of what is in it.
fn remote_tree(place: &Place, items: Vec<(String, Item)>, host: &Probe<'_>) -> Result<Plan, Failure> {
    let base = PathBuf::from(&place.dest.0);
    let inner = place.name.as_ref().map_or_else(|| base.clone(), |name| base.join(name));
    let top = if host.stat(&base)?.is_some() { inner } else { base };
    let made = host.stat(&top)?;
    // A parent of what is copied has the default mode, the copy itself its own.
    let own = items.first().and_then(|(_, item)| if let Item::Directory(mode) = item { *mode } else { None });
    let parent = place.name.is_some() && top == FsPath::new(&place.dest.0);
    let default = own.filter(|_| !parent).unwrap_or(0o777 & !host.umask());
    let mut plan = plan_items(place, items, host)?;
    let now = made.unwrap_or(Stat { mode: default, ..Stat::blank(FileKind::Directory) });
    let attributes = FileAttributes { owner: None, group: None, ..place.attributes.clone() };
    if attributes.mode.is_some() && attributes.mode != Some(Mode::Preserve) {
        attributes::plan(&mut plan, host, &top, &now, &attributes)?;
    }
    plan.set("dest", top.display().to_string());
    attributes::return_info(&mut plan, &top);
    Ok(plan)
}

fn on_host(host: &Probe<'_>, path: &FsPath) -> Result<Source, Failure> {
    let bytes = host.read(path)?;
    let hex = |digest: &[u8]| digest.iter().map(|b| format!("{b:02x}")).collect::<String>();
    Ok(Source {
        blob: None,
        sha1: Some(hex(&Sha1::digest(&bytes))),
        md5: Some(hex(&Md5::digest(&bytes))),
        bytes: Some(bytes.into()),
        unknown: None,
        secret: false,
        name: Some(path.display().to_string()),
    })
}

fn gather(
    items: &mut Vec<(String, Item)>,
    dir: &FsPath,
    prefix: &str,
    place: &Place,
    host: &Probe<'_>,
    depth: usize,
) -> Result<(), Failure> {
    if depth > 200 {
        return Err(Failure::new(format!("a loop of links in {}", dir.display())));
    }
    let follow = place.local_follow != Some(false);
    for name in host.list_dir(dir)? {
        let path = dir.join(&name);
        let below = format!("{prefix}{}", name.to_string_lossy());
        let stat: Option<Stat> = if follow { host.stat(&path)? } else { host.lstat(&path)? };
        match stat {
            Some(stat) if stat.kind == FileKind::Directory => {
                items.push((below.clone(), Item::Directory(Some(stat.mode))));
                gather(items, &path, &format!("{below}/"), place, host, depth + 1)?;
            }
            Some(stat) if stat.kind == FileKind::Link => items.push((below, Item::Link(host.read_link(&path)?))),
            Some(stat) => items.push((below, Item::File(Box::new(on_host(host, &path)?), Some(stat.mode)))),
            None => items.push((below, Item::Link(host.read_link(&path)?))),
        }
    }
    Ok(())
}
