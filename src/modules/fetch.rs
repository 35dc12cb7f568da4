//! `fetch`: a file of the host, kept on the controller. The host's half reads it; the
//! controller (`schedule/fetch.rs`) writes it.

use std::path::Path as FsPath;

use base64::Engine as _;
use sha1::{Digest, Sha1};

use crate::args;
use crate::model::{Cause, Failure, FileKind, Map};
use crate::module::{Arguments, Kind, Module, Path, Plan, ReturnSpec, Run};
use crate::sys::Probe;

/// How much of a file goes in one answer.
const PART: usize = 16 << 20;

args! {
    /// Arguments of `fetch`.
    pub struct Fetch {
        /// The file on the host.
        [required]
        src: Path,
        /// The directory on the controller that it goes to, below the host's name and its own
        /// directory; with `flat`, the file itself, or a directory when it ends in `/`.
        [required]
        dest: String,
        /// Whether it goes to `dest` itself.
        flat: bool = false,
        /// Whether it is a failure when the file is not there.
        fail_on_missing: bool = true,
        /// Whether what was written is compared with what was read.
        [aliases "validate_md5"]
        validate_checksum: bool = true,
    }
}

args! {
    /// Arguments of the host's half.
    pub struct Part {
        /// The file on the host.
        [required]
        src: Path,
        /// Whether it is a failure when the file is not there.
        fail_on_missing: bool = true,
        /// The checksum of the file that the controller has.
        _have: Option<String>,
        /// Which byte comes first.
        _offset: i64 = 0,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "fetch",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Query,
    doc: "Copy a file of the host to the controller.\n\nIt is not sent when the controller has it already. A dry run \
          skips it.",
    args: Fetch::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[
        ReturnSpec { name: "dest", doc: "The file on the controller." },
        ReturnSpec { name: "checksum", doc: "SHA-1 of its content." },
        ReturnSpec { name: "md5sum", doc: "MD5 of its content." },
        ReturnSpec { name: "remote_checksum", doc: "SHA-1 of the file on the host." },
        ReturnSpec { name: "remote_md5sum", doc: "Nothing." },
        ReturnSpec { name: "file", doc: "The file on the host, when nothing was to be done." },
    ],
    run: Run::Target(plan),
};

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let part = Part::parse(args)?;
    let path = FsPath::new(&part.src.0);
    let ignored = |words: &str| {
        let file = part.src.0.as_str();
        let all = format!("{words}, not transferring, ignored");
        if part.fail_on_missing {
            // Ansible's words for a missing file are the same either way.
            let missing = words.contains("does not exist");
            return Err(Failure::missing(if missing { all.as_str() } else { words }));
        }
        Ok(Plan::new().with("file", file).with("msg", all))
    };
    match host.stat(path) {
        Ok(None) => return ignored("the remote file does not exist"),
        Ok(Some(stat)) if stat.kind == FileKind::Directory => {
            return ignored("remote file is a directory, fetch cannot work on directories");
        }
        Ok(Some(_)) => {}
        Err(failure) if matches!(failure.cause, Cause::Unknown(_)) => return Err(failure),
        Err(_) => return ignored(&format!("File is not readable: {}", path.display())),
    }
    let offset = u64::try_from(part._offset).unwrap_or(0);
    let mut plan = Plan::new().with("src", part.src.0.as_str());
    let content = match read(host, path, offset, part._have.as_deref(), &mut plan) {
        Ok(content) => content,
        Err(failure) if matches!(failure.cause, Cause::Unknown(_)) => return Err(failure),
        Err(_) => return ignored("the remote file does not have read access"),
    };
    if let Some(bytes) = content {
        plan.set("more", bytes.len() == PART);
        plan.set("content", base64::engine::general_purpose::STANDARD.encode(bytes));
    }
    Ok(plan)
}

/// A part of the file; nothing when the controller has it. With the first part comes the
/// checksum of the whole.
fn read(
    host: &Probe<'_>,
    path: &FsPath,
    offset: u64,
    have: Option<&str>,
    plan: &mut Plan,
) -> Result<Option<Vec<u8>>, Failure> {
    let first = host.read_part(path, offset, PART)?;
    if offset > 0 {
        return Ok(Some(first));
    }
    let mut digest = Sha1::new();
    digest.update(&first);
    let mut length = first.len();
    let mut last = length;
    while last == PART {
        let part = host.read_part(path, u64::try_from(length).unwrap_or(u64::MAX), PART)?;
        digest.update(&part);
        last = part.len();
        length += last;
    }
    let sum: String = digest.finalize().iter().map(|b| format!("{b:02x}")).collect();
    plan.set("checksum", sum.as_str());
    Ok((have != Some(sum.as_str())).then_some(first))
}
