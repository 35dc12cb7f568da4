//! `tempfile`: a new file or directory with a name of its own.

use super::attributes::path_info;
use crate::args;
use crate::model::{Command, Failure, Map};
use crate::module::{Arguments, Done, Kind, Module, Path, Plan, ReturnSpec, Run, Step};
use crate::sys::{Host, Probe};

args! {
    /// Arguments of `tempfile`.
    pub struct TempFile {
        /// What is made.
        [choices "directory" "file"]
        state: String = "file".to_owned(),
        /// Where; the host's directory for such files without it.
        path: Option<Path>,
        /// What the name begins with.
        prefix: String = "ansible.".to_owned(),
        /// What it ends with.
        suffix: String = String::new(),
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "tempfile",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Action,
    doc: "Make a new temporary file or directory, which stays until it is removed.",
    args: TempFile::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[ReturnSpec { name: "path", doc: "The path." }],
    run: Run::Target(plan),
};

fn plan(args: &Map, _: &Probe<'_>) -> Result<Plan, Failure> {
    let args = TempFile::parse(args)?;
    for (name, part) in [("prefix", &args.prefix), ("suffix", &args.suffix)] {
        if part.contains('/') {
            return Err(Failure::new(format!("{name} must be a valid file name component, got '{part}'")));
        }
    }
    let mut plan = Plan::new();
    plan.step(Step::action([], move |host| make(host, &args)).yields(&["path"]));
    Ok(plan)
}

fn make(host: &mut Host<'_>, args: &TempFile) -> Result<Done, Failure> {
    let mut command = Command::new("mktemp");
    if args.state == "directory" {
        command = command.arg("-d");
    }
    command = match &args.path {
        Some(dir) => command.arg("-p").arg(dir.0.as_str()),
        None => command.arg("-t"),
    };
    let out = host.run(&command.arg(format!("{}XXXXXXXX{}", args.prefix, args.suffix)), None)?;
    if out.code != 0 {
        let why = String::from_utf8_lossy(&out.stderr).trim().to_owned();
        return Err(Failure::new(why));
    }
    let path = String::from_utf8_lossy(&out.stdout).trim_end_matches('\n').to_owned();
    let mut result = path_info(host.probe(), std::path::Path::new(&path))?;
    result.insert("path", path);
    Ok(Done::with(result))
}
