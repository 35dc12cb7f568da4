//! `slurp`: the content of a file on the host.

use std::path::Path as FsPath;

use base64::Engine as _;

use crate::args;
use crate::model::{Cause, Failure, FileKind, Map};
use crate::module::{Arguments, Kind, Module, Path, Plan, ReturnSpec, Run};
use crate::sys::Probe;

args! {
    /// Arguments of `slurp`.
    pub struct Slurp {
        /// The file.
        [required, aliases "path"]
        src: Path,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "slurp",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Query,
    doc: "Read a file of the host.",
    args: Slurp::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "content", doc: "The content, in base64." },
        ReturnSpec { name: "encoding", doc: "`base64`." },
        ReturnSpec { name: "source", doc: "The file." },
    ],
    run: Run::Target(plan),
};

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Slurp::parse(args)?;
    let path = FsPath::new(&args.src.0);
    let shown = path.display();
    let unreadable = |failure: Failure| match failure.cause {
        Cause::Unknown(_) => failure,
        _ if failure.message.to_lowercase().contains("permission") => {
            Failure::new(format!("File is not readable: {shown}"))
        }
        _ => failure,
    };
    match host.stat(path).map_err(unreadable)? {
        None if host.is_below_a_file(path) => {
            return Err(Failure::new(format!("Unable to slurp file: {shown}: Not a directory")));
        }
        None => return Err(Failure::missing(format!("File not found: {shown}"))),
        Some(stat) if stat.kind == FileKind::Directory => {
            return Err(Failure::new(format!("Source is a directory and must be a file: {shown}")));
        }
        Some(_) => {}
    }
    let content = host.read(path).map_err(unreadable)?;
    Ok(Plan::new()
        .with("content", base64::engine::general_purpose::STANDARD.encode(content))
        .with("encoding", "base64")
        .with("source", args.src.0.as_str()))
}
