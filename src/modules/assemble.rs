//! `assemble`: one file out of the fragments in a directory.

use std::path::Path as FsPath;

use fancy_regex::Regex;
use md5::Md5;
use sha1::{Digest, Sha1};

use super::attributes::{self, FileAttributes};
use super::content::{self, Write};
use super::copy;
use crate::args;
use crate::model::{Failure, FileKind, Map, pyregex};
use crate::module::{Arguments, Blob, Kind, Local, LocalEntry, Module, Path, Plan, Prepared, Run};
use crate::sys::{Content, Payload, Probe};

args! {
    /// Arguments of `assemble`.
    pub struct Assemble {
        /// The directory of fragments, which are taken in the order of their names.
        [required]
        src: Path,
        /// The file that is made of them.
        [required]
        dest: Path,
        /// Whether the directory is on the host.
        remote_src: bool = true,
        /// What stands between two fragments.
        delimiter: Option<String>,
        /// A regular expression (Python's) that a fragment's name must match.
        regexp: Option<String>,
        /// Whether names that begin with `.` are left out.
        ignore_hidden: bool = false,
        /// Whether the old file is kept under another name.
        backup: bool = false,
        /// A command that must accept the content before it is put in place; `%s` is the file.
        validate: Option<String>,
        /// Whether fragments of the controller that are encrypted with a vault are decrypted.
        decrypt: bool = true,
        ; ..attributes: FileAttributes,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "assemble",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::State,
    doc: "Make a file out of fragments.",
    args: Assemble::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: copy::RETURNS,
    run: Run::Split { prepare, plan },
};

fn prepare(mut args: Map, local: &dyn Local) -> Result<Prepared, Failure> {
    let assemble = Assemble::parse(&args)?;
    let pick = Pick::new(&assemble)?;
    if assemble.remote_src {
        return Ok(Prepared { args, blobs: Vec::new() });
    }
    let dir = local.find("files", assemble.src.0.trim_end_matches('/'))?;
    if !local.is_dir(&dir) {
        return Err(Failure::new(format!("Source ({}) is not a directory", assemble.src.0)));
    }
    let (mut parts, mut secret) = (Vec::new(), false);
    for (name, entry) in local.walk(&dir)? {
        let path = dir.join(&name);
        let is_file = match entry {
            LocalEntry::File(_) => true,
            LocalEntry::Link(_) => path.is_file(),
            LocalEntry::Directory(_) => false,
        };
        if is_file && !name.contains('/') && pick.takes(&name) {
            let (bytes, hidden) = copy::read(&path, assemble.decrypt, local)?;
            secret |= hidden;
            parts.push(bytes.bytes().to_vec());
        }
    }
    let whole = Payload::new(joined(&parts, assemble.delimiter.as_deref()));
    for name in ["remote_src", "delimiter", "regexp", "ignore_hidden", "decrypt", "src"] {
        args.remove(name);
    }
    args.insert("src", dir.display().to_string());
    args.extend(copy::describe(&whole));
    args.insert("secret", secret);
    Ok(Prepared { args, blobs: vec![Blob(whole)] })
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    if args.contains("blob") {
        return copy::target::plan(args, host);
    }
    let args = Assemble::parse(args)?;
    let pick = Pick::new(&args)?;
    let src = FsPath::new(&args.src.0);
    match host.stat(src)? {
        None => return Err(Failure::missing(format!("Source ({}) does not exist", args.src.0))),
        Some(stat) if stat.kind != FileKind::Directory => {
            return Err(Failure::new(format!("Source ({}) is not a directory", args.src.0)));
        }
        Some(_) => {}
    }
    if let Some(validate) = args.validate.as_deref().filter(|text| !text.contains("%s")) {
        return Err(Failure::new(format!("validate must contain %s: {validate}")));
    }
    let mut parts = Vec::new();
    for name in host.list_dir(src)? {
        let path = src.join(&name);
        let is_file = host.stat(&path)?.is_some_and(|stat| stat.kind == FileKind::File);
        if is_file && pick.takes(&name.to_string_lossy()) {
            parts.push(host.read(&path)?);
        }
    }
    let whole = joined(&parts, args.delimiter.as_deref());
    let hex = |digest: &[u8]| digest.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let mut plan = Plan::new()
        .with("src", args.src.0.as_str())
        .with("dest", args.dest.0.as_str())
        .with("checksum", hex(&Sha1::digest(&whole)))
        .with("md5sum", hex(&Md5::digest(&whole)))
        .with("msg", "OK");
    let dest = FsPath::new(&args.dest.0);
    let write = Write {
        backup: args.backup.then_some(&["backup_file"]),
        validate: args.validate.as_deref(),
        ..Write::new(dest, Content::Bytes(whole.into()), &args.attributes)
    };
    content::plan(&mut plan, host, write)?;
    attributes::return_info(&mut plan, dest);
    Ok(plan)
}

/// Which names are fragments.
struct Pick {
    regex: Option<Regex>,
    ignore_hidden: bool,
}

impl Pick {
    fn new(args: &Assemble) -> Result<Self, Failure> {
        let regex = args.regexp.as_deref().map(|text| {
            pyregex::compile(text, false, false)
                .map_err(|why| Failure::new(format!("Invalid Regexp ({why}) in \"{text}\"")))
        });
        Ok(Self { regex: regex.transpose()?, ignore_hidden: args.ignore_hidden })
    }

    fn takes(&self, name: &str) -> bool {
        let fits = self.regex.as_ref().is_none_or(|regex| regex.is_match(name).unwrap_or(false));
        fits && !(self.ignore_hidden && name.starts_with('.'))
    }
}

/// The fragments one after the other, each on a line of its own, with the delimiter between.
fn joined(parts: &[Vec<u8>], delimiter: Option<&str>) -> Vec<u8> {
    let delimiter = delimiter.filter(|text| !text.is_empty()).map(unescaped);
    let mut out = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            if parts.get(index - 1).is_some_and(|last| !last.ends_with(b"\n")) {
                out.push(b'\n');
            }
            if let Some(delimiter) = &delimiter {
                out.extend(delimiter.as_bytes());
                if !delimiter.ends_with('\n') {
                    out.push(b'\n');
                }
            }
        }
        out.extend(part);
    }
    out
}

/// A delimiter may be written with `\n`, `\t` and the like.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\\') | None => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_stand_on_lines_of_their_own() {
        let parts = [b"one".to_vec(), b"two\n".to_vec(), b"three".to_vec()];
        assert_eq!(joined(&parts, None), b"one\ntwo\nthree");
        assert_eq!(joined(&parts, Some("--\\n")), b"one\n--\ntwo\n--\nthree");
        assert_eq!(joined(&parts, Some("==")), b"one\n==\ntwo\n==\nthree");
        assert_eq!(joined(&[], Some("==")), b"");
    }
}
