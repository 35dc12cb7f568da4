//! The host's half of `copy` and `template`: a file that is to have a content.

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use super::tree;
use crate::args;
use crate::model::{Cause, Failure, FileKind, Map, Value};
use crate::module::{Arguments, Path, Plan, Step};
use crate::modules::attributes::{self, FileAttributes, Mode};
use crate::modules::content::{self, Write};
use crate::sys::{BlobHash, Content, Effect, Probe};

args! {
    /// Arguments of the host's half.
    pub struct Place {
        /// Where it goes.
        [required]
        dest: Path,
        /// What the content is named by.
        blob: Option<String>,
        /// The content's SHA-1.
        sha1: Option<String>,
        /// The content's MD5.
        md5: Option<String>,
        /// Why the content is not known in a dry run.
        unknown: Option<String>,
        /// What is below a directory that is copied.
        tree: Option<Vec<Value>>,
        /// The source's own name, for a `dest` that is a directory.
        name: Option<String>,
        /// The source.
        src: Option<String>,
        /// Whether the content came out of a vault.
        secret: bool = false,
        /// Whether `src` is on the host.
        remote_src: bool = false,
        /// Whether the old file is kept.
        backup: bool = false,
        /// Whether a file that is there is replaced.
        force: bool = true,
        /// The mode of directories that have to be made.
        directory_mode: Option<Mode>,
        /// Whether a link at `dest` is followed.
        follow: bool = false,
        /// Whether links in the source are followed.
        local_follow: Option<bool>,
        /// The SHA-1 that the source must have.
        checksum: Option<String>,
        /// A command that must accept the content.
        validate: Option<String>,
        ; ..attributes: FileAttributes,
    }
}

/// Content and what is known of it.
pub(super) struct Source {
    pub blob: Option<BlobHash>,
    pub bytes: Option<Arc<[u8]>>,
    pub sha1: Option<String>,
    pub md5: Option<String>,
    pub unknown: Option<String>,
    pub secret: bool,
    pub name: Option<String>,
}

/// The plan of the host's half.
pub fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let mut place = Place::parse(args)?;
    if place.remote_src {
        return tree::remote(place, host);
    }
    if let Some(entries) = place.tree.take() {
        return tree::plan(&place, &entries, host);
    }
    let source = Source {
        blob: place.blob.as_deref().and_then(BlobHash::from_hex),
        bytes: None,
        sha1: place.sha1.clone(),
        md5: place.md5.clone(),
        unknown: place.unknown.clone(),
        secret: place.secret,
        name: place.src.clone(),
    };
    file(&place, source, host)
}

/// Plans one file, with the directory of a `dest` that ends in `/`.
pub(super) fn file(place: &Place, source: Source, host: &Probe<'_>) -> Result<Plan, Failure> {
    if let (Some(wanted), Some(sha1)) = (&place.checksum, &source.sha1)
        && wanted != sha1
    {
        return Err(Failure::new("Copied file does not match the expected checksum. Transfer failed.")
            .with("checksum", sha1)
            .with("expected_checksum", wanted));
    }
    let mut plan = Plan::new();
    let dest = destination(place, host, &mut plan)?;
    plan.set("dest", dest.display().to_string());
    if let Some(src) = &place.src {
        plan.set("src", src);
    }
    write(&mut plan, place, &place.attributes, &dest, source, host)?;
    attributes::return_info(&mut plan, &dest);
    Ok(plan)
}

/// The file's own path: within `dest` when that is a directory, or is to be one.
fn destination(place: &Place, host: &Probe<'_>, plan: &mut Plan) -> Result<PathBuf, Failure> {
    let dest = PathBuf::from(&place.dest.0);
    let is_dir = host.stat(&dest)?.is_some_and(|s| s.kind == FileKind::Directory);
    let Some(name) = place.name.as_deref().filter(|_| is_dir || place.dest.ends_with('/')) else {
        if is_dir {
            return Err(Failure::new("can not use content with a dir as dest").with("dest", &place.dest.0));
        }
        return Ok(dest);
    };
    if !is_dir {
        make_directories(plan, place, host, &dest)?;
    }
    Ok(dest.join(name))
}

/// Plans a directory and those of its parents that are missing.
pub(super) fn make_directories(plan: &mut Plan, place: &Place, host: &Probe<'_>, dir: &FsPath) -> Result<(), Failure> {
    let mut missing = Vec::new();
    for dir in dir.ancestors().filter(|d| !d.as_os_str().is_empty()) {
        if host.stat(dir)?.is_some() {
            break;
        }
        missing.push(dir.to_owned());
    }
    for dir in missing.into_iter().rev() {
        plan.step(directory_step(place, host, dir)?);
    }
    Ok(())
}

/// The step that makes one directory.
pub(super) fn directory_step(place: &Place, host: &Probe<'_>, dir: PathBuf) -> Result<Step, Failure> {
    let default = 0o777 & !host.umask();
    let attributes = FileAttributes { mode: place.directory_mode.clone(), ..place.attributes.clone() };
    let wanted = attributes.wanted(host, default, true)?;
    let (uid, gid) = host.own_ids();
    let diff = crate::model::Diff::attribute(dir.display().to_string(), "state", "absent", "directory");
    Ok(Step::effect(Effect::Directory {
        path: dir,
        mode: wanted.mode.unwrap_or(default),
        uid: wanted.uid.unwrap_or(uid),
        gid: wanted.gid.unwrap_or(gid),
    })
    .diff(diff))
}

/// Plans the content of one file whose directory is there, or planned by the same plan.
pub(super) fn write(
    plan: &mut Plan,
    place: &Place,
    attributes: &FileAttributes,
    dest: &FsPath,
    source: Source,
    host: &Probe<'_>,
) -> Result<(), Failure> {
    for (name, value) in [("checksum", &source.sha1), ("md5sum", &source.md5)] {
        if let Some(value) = value {
            plan.set(name, value);
        }
    }
    let path = attributes::write_target(host, dest, place.follow)?;
    let now = host.lstat(&path)?;
    if now.is_some() && !place.force {
        plan.set("msg", "file already exists");
        return Ok(());
    }
    let content = match (&source.unknown, source.bytes, source.blob) {
        (Some(reason), ..) => Content::Unknown(reason.as_str().into()),
        (_, Some(bytes), _) => Content::Bytes(bytes),
        (_, _, Some(hash)) => {
            Content::Bytes(by_name(host, &path, now.is_some_and(|s| s.kind == FileKind::File), hash)?)
        }
        _ => return Err(Failure::new("no content was sent")),
    };
    let hidden = source.secret.then_some("the content is secret");
    let write = Write {
        path: &path,
        content,
        attributes,
        source: source.name,
        hidden,
        backup: place.backup.then_some(&["backup_file"]),
        validate: place.validate.as_deref(),
        parent_planned: !plan.is_empty(),
    };
    content::plan(plan, host, write)
}

/// The content with this name: that of the file itself when it has it already, so that
/// nothing needs to be sent.
fn by_name(host: &Probe<'_>, path: &FsPath, is_file: bool, hash: BlobHash) -> Result<Arc<[u8]>, Failure> {
    if is_file {
        match host.read(path) {
            Ok(bytes) if BlobHash::of(&bytes) == hash => return Ok(bytes.into()),
            Ok(_) | Err(Failure { cause: Cause::Unknown(_), .. }) => {}
            Err(failure) => return Err(failure),
        }
    }
    host.blob(hash)
}
