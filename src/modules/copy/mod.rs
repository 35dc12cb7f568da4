//! `copy`: files and directories from the controller, content from the playbook, or
//! copies within a host.

pub mod target;
mod tree;

use std::path::Path as FsPath;

use super::attributes::{FileAttributes, Mode, octal};
use super::json;
use crate::args;
use crate::model::{Failure, Map, Value};
use crate::module::{Arguments, Blob, Kind, Local, LocalEntry, Module, Path, Prepared, ReturnSpec, Run};
use crate::sys::Payload;

args! {
    /// Arguments of `copy`.
    pub struct Copy {
        /// The file or directory to copy: on the controller, looked for in `files/` of role
        /// and playbook; on the host with `remote_src`. A directory that ends in `/` has its
        /// content copied, one that does not is copied itself.
        src: Option<String>,
        /// The content of the file, in the place of `src`. A map or list is written as JSON.
        content: Option<Value>,
        /// Where it goes. A path that ends in `/` is a directory, made when it is missing.
        [required]
        dest: Path,
        /// Whether the old file is kept under another name.
        backup: bool = false,
        /// Whether a file that is there already is replaced.
        force: bool = true,
        /// The mode of directories that have to be made.
        directory_mode: Option<Mode>,
        /// Whether `src` is on the host.
        remote_src: bool = false,
        /// Whether a link at `dest` is followed.
        follow: bool = false,
        /// Whether links in `src` are followed.
        local_follow: Option<bool>,
        /// The SHA-1 that the source must have.
        checksum: Option<String>,
        /// Whether a source that is encrypted with a vault is decrypted.
        decrypt: bool = true,
        /// A command that must succeed before the file is put in place; `%s` is the file.
        validate: Option<String>,
        ; ..attributes: FileAttributes,
    }
}

/// What `copy` and `template` return.
pub const RETURNS: &[ReturnSpec] = &[
    ReturnSpec { name: "dest", doc: "The path that was written." },
    ReturnSpec { name: "src", doc: "What it was copied from." },
    ReturnSpec { name: "checksum", doc: "SHA-1 of the content." },
    ReturnSpec { name: "md5sum", doc: "MD5 of the content." },
    ReturnSpec { name: "backup_file", doc: "The path that the old file was kept under." },
    ReturnSpec { name: "mode", doc: "Permissions, as in `0644`." },
    ReturnSpec { name: "uid", doc: "The owner's id." },
    ReturnSpec { name: "gid", doc: "The group's id." },
    ReturnSpec { name: "owner", doc: "The owner's name." },
    ReturnSpec { name: "group", doc: "The group's name." },
    ReturnSpec { name: "size", doc: "Size in bytes." },
    ReturnSpec { name: "state", doc: "What is there." },
];

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "copy",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::State,
    doc: "Copy files to hosts.\n\nFiles are replaced atomically, owner and mode set before they are in place.",
    args: Copy::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: RETURNS,
    run: Run::Split { prepare, plan: target::plan },
};

/// Content on its way: what the arguments of the host's half say of it.
pub(super) fn describe(content: &Payload) -> Map {
    let (sha1, md5) = content.sums();
    Map::from_iter([("blob", content.hash().to_hex().as_str()), ("sha1", sha1), ("md5", md5)])
}

fn prepare(given: Map, local: &dyn Local) -> Result<Prepared, Failure> {
    let mut args = given.clone();
    for name in ["src", "content", "decrypt"] {
        args.remove(name);
    }
    if let Some(reason) = given.get("content").and_then(unknown_in) {
        Copy::parse(&Map::from_iter(given.into_iter().filter(|(k, _)| k.as_str() != Some("content"))))?;
        args.insert("unknown", reason.to_string());
        return Ok(Prepared { args, blobs: Vec::new() });
    }
    let copy = Copy::parse(&given)?;
    match (&copy.content, &copy.src) {
        (Some(_), Some(_)) => Err(Failure::new("src and content are mutually exclusive")),
        (None, None) => Err(Failure::new("src (or content) is required")),
        (Some(_), None) if copy.dest.ends_with('/') => {
            Err(Failure::new("can not use content with a dir as dest").with("dest", &copy.dest.0))
        }
        (Some(content), None) => Ok(with_content(args, content)),
        (None, Some(src)) if copy.remote_src => {
            args.insert("src", src);
            Ok(Prepared { args, blobs: Vec::new() })
        }
        (None, Some(src)) => from_local(args, &copy, src, local),
    }
}

/// Why something in a value is unknown, when something is.
pub(super) fn unknown_in(value: &Value) -> Option<crate::model::Reason> {
    match value {
        Value::Unknown(reason) => Some(reason.clone()),
        Value::List(items) => items.iter().find_map(unknown_in),
        Value::Map(map) => map.values().find_map(unknown_in),
        _ => None,
    }
}

/// Whether a value has anything secret in it.
fn secret_in(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.is_secret(),
        Value::List(items) => items.iter().any(secret_in),
        Value::Map(map) => map.values().any(secret_in),
        _ => false,
    }
}

fn with_content(mut args: Map, content: &Value) -> Prepared {
    let text = match content {
        Value::Str(text) => text.to_string(),
        other => json::dumps(other),
    };
    let bytes = Payload::new(text.into_bytes());
    args.extend(describe(&bytes));
    if secret_in(content) {
        args.insert("secret", true);
    }
    Prepared { args, blobs: vec![Blob(bytes)] }
}

fn from_local(mut args: Map, copy: &Copy, src: &str, local: &dyn Local) -> Result<Prepared, Failure> {
    let path = local.find("files", src.trim_end_matches('/'))?;
    args.insert("src", src);
    if local.is_dir(&path) {
        return directory(args, copy, src, &path, local);
    }
    let (bytes, secret) = read(&path, copy.decrypt, local)?;
    args.extend(describe(&bytes));
    args.insert("name", base_name(&path));
    args.insert("src", path.display().to_string());
    if secret {
        args.insert("secret", true);
    }
    if copy.attributes.mode == Some(Mode::Preserve) {
        args.insert("mode", octal(local.mode(&path)?));
    }
    Ok(Prepared { args, blobs: vec![Blob(bytes)] })
}

pub(super) fn base_name(path: &FsPath) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A file's content and whether it came out of a vault.
pub(super) fn read(path: &FsPath, decrypt: bool, local: &dyn Local) -> Result<(Payload, bool), Failure> {
    let bytes = local.read(path)?;
    if !decrypt {
        return Ok((bytes, false));
    }
    Ok(match local.decrypt(path, &bytes)? {
        Some(clear) => (clear, true),
        None => (bytes, false),
    })
}

fn directory(mut args: Map, copy: &Copy, src: &str, path: &FsPath, local: &dyn Local) -> Result<Prepared, Failure> {
    let mut blobs = Vec::new();
    let mut entries = Vec::new();
    gather(&mut entries, &mut blobs, copy, path, "", local, 0)?;
    args.insert("tree", Value::list(entries));
    if !src.ends_with('/') {
        args.insert("name", base_name(path));
    }
    Ok(Prepared { args, blobs })
}

/// What is below a directory, links followed unless `local_follow` says no.
fn gather(
    entries: &mut Vec<Value>,
    blobs: &mut Vec<Blob>,
    copy: &Copy,
    dir: &FsPath,
    prefix: &str,
    local: &dyn Local,
    depth: usize,
) -> Result<(), Failure> {
    if depth > 40 {
        return Err(Failure::new(format!("a loop of links in {}", dir.display())));
    }
    for (name, entry) in local.walk(dir)? {
        let path = dir.join(&name);
        let mut item = Map::from_iter([("path", format!("{prefix}{name}"))]);
        match entry {
            LocalEntry::Link(to) if copy.local_follow == Some(false) => drop(item.insert("link", to)),
            LocalEntry::Link(_) if local.is_dir(&path) => {
                entries.push(Value::from(item));
                gather(entries, blobs, copy, &path, &format!("{prefix}{name}/"), local, depth + 1)?;
                continue;
            }
            LocalEntry::Directory(_) => {}
            LocalEntry::File(_) | LocalEntry::Link(_) => {
                let (bytes, secret) = read(&path, copy.decrypt, local)?;
                item.extend(describe(&bytes));
                item.insert("secret", secret);
                item.insert("mode", octal(local.mode(&path)?));
                blobs.push(Blob(bytes));
            }
        }
        entries.push(Value::from(item));
    }
    Ok(())
}
