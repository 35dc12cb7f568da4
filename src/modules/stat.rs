//! `stat`: what is at a path.

use std::path::Path as FsPath;

use md5::Md5;
use sha1::{Digest, Sha1};
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::attributes::{lsattr, octal};
use crate::args;
use crate::model::{Command, Failure, FileKind, Map, Value};
use crate::module::{Arguments, Kind, Module, Path, Plan, ReturnSpec, Run};
use crate::sys::{Probe, Stat};

args! {
    /// Arguments of `stat`.
    pub struct StatArgs {
        /// The path that is asked about.
        [required, aliases "dest" "name"]
        path: Path,
        /// Whether a link's target is meant rather than the link.
        follow: bool = false,
        /// Whether the content's checksum is returned.
        get_checksum: bool = true,
        /// Whether MIME type and encoding are returned, as `file` tells them.
        [aliases "mime" "mime_type" "mime-type"]
        get_mime: bool = true,
        /// Whether flags are returned, as `lsattr` tells them.
        [aliases "attr" "attributes"]
        get_attributes: bool = true,
        /// How the checksum is made.
        [aliases "checksum" "checksum_algo", choices "md5" "sha1" "sha224" "sha256" "sha384" "sha512"]
        checksum_algorithm: String = "sha1".to_owned(),
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "stat",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Query,
    doc: "Tell what is at a path.",
    args: StatArgs::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[ReturnSpec {
        name: "stat",
        doc: "`exists`, and when something is there: path, mode, isdir, isreg, islnk, ischr, isblk, isfifo, issock, \
              uid, gid, pw_name, gr_name, size, inode, dev, nlink, atime, mtime, ctime, rusr … xoth, isuid, isgid, \
              readable, writeable, executable, blocks, block_size, device_type, lnk_source, lnk_target, checksum, \
              mimetype, charset, attr_flags, attributes, version.",
    }],
    run: Run::Target(plan),
};

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = StatArgs::parse(args)?;
    let path = FsPath::new(&args.path.0);
    let found = if args.follow { host.stat(path)? } else { host.lstat_certain(path)? };
    if found.is_none() && host.is_below_a_file(path) {
        return Err(Failure::new("Not a directory"));
    }
    let Some(stat) = found else {
        if let Some(reason) = host.may_be_provided() {
            return Err(Failure::unknown(reason));
        }
        return Ok(Plan::new().with("stat", Map::from_iter([("exists", false)])));
    };
    let mut out = Map::from_iter([("exists", Value::Bool(true)), ("path", Value::from(&args.path.0))]);
    kinds_and_bits(&mut out, &stat);
    numbers(&mut out, &stat, host);
    access(&mut out, &stat, path);
    if stat.kind == FileKind::Link {
        let source = host.canonical(path)?.unwrap_or_else(|| path.to_owned());
        out.insert("lnk_source", source.display().to_string());
        out.insert("lnk_target", host.read_link(path)?.display().to_string());
    }
    if args.get_checksum && stat.kind == FileKind::File {
        let sum = host.read(path).map(|bytes| Value::from(checksum(&bytes, &args.checksum_algorithm)));
        match sum {
            Ok(sum) => drop(out.insert("checksum", sum)),
            Err(Failure { cause: crate::model::Cause::Unknown(reason), .. }) => {
                out.insert("checksum", Value::Unknown(reason));
            }
            // As Ansible: what cannot be read has no checksum.
            Err(_) => {}
        }
    }
    told_by_programs(&mut out, &args, host, &stat)?;
    Ok(Plan::new().with("stat", out))
}

/// Something that is only planned: not all is known of it.
fn is_planned(stat: &Stat) -> bool {
    stat.inode == 0
}

/// Mode, kind and permissions, each bit under a name of its own.
pub(super) fn kinds_and_bits(out: &mut Map, stat: &Stat) {
    let mode = stat.mode;
    out.insert("mode", octal(mode));
    for (name, kind) in [
        ("isdir", FileKind::Directory),
        ("ischr", FileKind::CharDevice),
        ("isblk", FileKind::BlockDevice),
        ("isreg", FileKind::File),
        ("isfifo", FileKind::Fifo),
        ("islnk", FileKind::Link),
        ("issock", FileKind::Socket),
    ] {
        out.insert(name, stat.kind == kind);
    }
    for (name, bit) in [
        ("rusr", 0o400),
        ("wusr", 0o200),
        ("xusr", 0o100),
        ("rgrp", 0o040),
        ("wgrp", 0o020),
        ("xgrp", 0o010),
        ("roth", 0o004),
        ("woth", 0o002),
        ("xoth", 0o001),
        ("isuid", 0o4000),
        ("isgid", 0o2000),
    ] {
        out.insert(name, mode & bit != 0);
    }
}

fn numbers(out: &mut Map, stat: &Stat, host: &Probe<'_>) {
    out.insert("uid", stat.uid);
    out.insert("gid", stat.gid);
    if let Some(user) = host.user_by_id(stat.uid) {
        out.insert("pw_name", user.name);
    }
    if let Some(group) = host.group_by_id(stat.gid) {
        out.insert("gr_name", group.name);
    }
    out.insert("size", stat.size);
    out.insert("nlink", stat.nlink);
    out.insert("block_size", stat.block_size);
    let unknown =
        |value: Value| if is_planned(stat) { Value::Unknown("the path is only planned".into()) } else { value };
    for (name, value) in [
        ("inode", Value::from(stat.inode)),
        ("dev", Value::from(stat.dev)),
        ("device_type", Value::from(stat.rdev)),
        ("blocks", Value::from(stat.blocks)),
        ("atime", Value::Float(stat.atime.as_f64())),
        ("mtime", Value::Float(stat.mtime.as_f64())),
        ("ctime", Value::Float(stat.ctime.as_f64())),
    ] {
        out.insert(name, unknown(value));
    }
}

/// What the user that asks may do with it.
fn access(out: &mut Map, stat: &Stat, path: &FsPath) {
    use rustix::fs::{Access, access};
    for (name, right, bits) in [
        ("readable", Access::READ_OK, 0o444),
        ("writeable", Access::WRITE_OK, 0o222),
        ("executable", Access::EXEC_OK, 0o111),
    ] {
        let may = if is_planned(stat) { stat.mode & bits != 0 } else { access(path, right).is_ok() };
        out.insert(name, may);
    }
}

/// The checksum of `bytes` in hexadecimal.
pub(super) fn checksum(bytes: &[u8], algorithm: &str) -> String {
    let hex = |digest: &[u8]| digest.iter().map(|b| format!("{b:02x}")).collect();
    match algorithm {
        "md5" => hex(&Md5::digest(bytes)),
        "sha224" => hex(&Sha224::digest(bytes)),
        "sha256" => hex(&Sha256::digest(bytes)),
        "sha384" => hex(&Sha384::digest(bytes)),
        "sha512" => hex(&Sha512::digest(bytes)),
        _ => hex(&Sha1::digest(bytes)),
    }
}

fn told_by_programs(out: &mut Map, args: &StatArgs, host: &Probe<'_>, stat: &Stat) -> Result<(), Failure> {
    let path = &args.path.0;
    if is_planned(stat) {
        return Ok(());
    }
    if args.get_mime {
        let (mime, charset) = mime(host, path)?.unwrap_or_else(|| ("unknown".to_owned(), "unknown".to_owned()));
        out.insert("mimetype", mime);
        out.insert("charset", charset);
    }
    if args.get_attributes
        && let Some((version, flags)) = lsattr(host, FsPath::new(path))?
    {
        out.insert("version", version);
        out.insert("attributes", Value::list(flags.chars().filter_map(flag_name)));
        out.insert("attr_flags", flags);
    }
    Ok(())
}

fn mime(host: &Probe<'_>, path: &str) -> Result<Option<(String, String)>, Failure> {
    if host.which("file").is_none() {
        return Ok(None);
    }
    let out = host.query(&Command::new("file").args(["--brief", "--mime-type", "--mime-encoding", "--", path]))?;
    let text = out.stdout_text();
    let Some((mime, charset)) = text.trim().split_once("; charset=").filter(|_| out.success()) else { return Ok(None) };
    Ok(Some((mime.to_owned(), charset.to_owned())))
}

/// Ansible's name of a flag that `lsattr` shows.
fn flag_name(flag: char) -> Option<&'static str> {
    Some(match flag {
        'A' => "noatime",
        'a' => "append",
        'c' => "compressed",
        'C' => "nocow",
        'd' => "nodump",
        'D' => "dirsync",
        'e' => "extents",
        'E' => "encrypted",
        'h' => "blocksize",
        'i' => "immutable",
        'I' => "indexed",
        'j' => "journalled",
        'N' => "inline",
        's' => "zero",
        'S' => "synchronous",
        't' => "notail",
        'T' => "blockroot",
        'u' => "undelete",
        'X' => "compressedraw",
        'Z' => "compresseddirty",
        _ => return None,
    })
}
