//! `script`: a script of the controller's, run on the host.

use std::sync::Arc;

use super::exec::{self, Needless, output_fields};
use super::shlex;
use super::{copy, exec::YIELDS};
use crate::args;
use crate::model::{Command, Failure, Map, Output};
use crate::module::{Arguments, Blob, Done, Kind, Local, Module, Path, Plan, Prepared, ReturnSpec, Run, Step};
use crate::sys::{BlobHash, Effect, Host, Probe};

args! {
    /// Arguments of `script`.
    pub struct Script {
        /// The script's path on the controller, and its arguments, as free-form text.
        _raw_params: Option<String>,
        /// The script's path on the controller, and its arguments.
        cmd: Option<String>,
        /// The directory on the host that it is run in.
        chdir: Option<Path>,
        /// A path on the host: when it is there, nothing is run.
        creates: Option<Path>,
        /// A path on the host: when it is not there, nothing is run.
        removes: Option<Path>,
        /// The program that runs the script; by default what its first line says.
        executable: Option<String>,
        /// Whether a script that is encrypted with a vault is decrypted.
        decrypt: bool = true,
    }
}

args! {
    /// Arguments of the host's half.
    pub struct Remote {
        /// What the script is named by.
        [required]
        blob: String,
        /// The script's own name.
        [required]
        name: String,
        /// The arguments, as a shell reads them.
        words: String = String::new(),
        /// The directory that it is run in.
        chdir: Option<Path>,
        /// A path: when it is there, nothing is run.
        creates: Option<Path>,
        /// A path: when it is not there, nothing is run.
        removes: Option<Path>,
        /// The program that runs the script.
        executable: Option<String>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "script",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Action,
    doc: "Run a script of the controller's on hosts.\n\nIt is written to a private file, run and removed.",
    args: Script::specs,
    free_form: Some("_raw_params"),
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "rc", doc: "The exit status." },
        ReturnSpec { name: "stdout", doc: "Standard output." },
        ReturnSpec { name: "stderr", doc: "Standard error." },
        ReturnSpec { name: "stdout_lines", doc: "Standard output, by lines." },
        ReturnSpec { name: "stderr_lines", doc: "Standard error, by lines." },
    ],
    run: Run::Split { prepare, plan },
};

fn prepare(mut args: Map, local: &dyn Local) -> Result<Prepared, Failure> {
    let script = Script::parse(&args)?;
    let text = match (script._raw_params, script.cmd) {
        (Some(text), None) | (None, Some(text)) => text,
        (None, None) => return Err(Failure::new("one of the following is required: _raw_params, cmd")),
        (Some(_), Some(_)) => return Err(Failure::new("parameters are mutually exclusive: _raw_params|cmd")),
    };
    let text = text.trim();
    let words = shlex::split(text).map_err(Failure::new)?;
    let name = words.first().ok_or_else(|| Failure::new("No script was given"))?;
    let path = local.find("files", name)?;
    let (bytes, _) = copy::read(&path, script.decrypt, local)?;
    for name in ["_raw_params", "cmd", "decrypt"] {
        args.remove(name);
    }
    let rest: Vec<String> = words.iter().skip(1).map(|w| shlex::quote(w)).collect();
    args.insert("words", rest.join(" "));
    args.insert("blob", bytes.hash().to_hex());
    args.insert("name", copy::base_name(&path));
    Ok(Prepared { args, blobs: vec![Blob(bytes)] })
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Remote::parse(args)?;
    let dir = args.chdir.as_deref();
    match exec::needless(host, args.creates.as_deref(), args.removes.as_deref(), dir)? {
        Some(Needless::Exists(path)) => {
            return Ok(Plan::new().skipped().with("msg", format!("{path} exists, matching creates option")));
        }
        Some(Needless::Gone(path)) => {
            return Ok(Plan::new().skipped().with("msg", format!("{path} does not exist, matching removes option")));
        }
        None => {}
    }
    let hash = BlobHash::from_hex(&args.blob).ok_or_else(|| Failure::new("no script was sent"))?;
    let mut plan = Plan::new();
    plan.step(Step::action([], move |host| run(host, &args, hash)).yields(YIELDS.get(..5).unwrap_or_default()));
    Ok(plan)
}

fn run(host: &mut Host<'_>, args: &Remote, hash: BlobHash) -> Result<Done, Failure> {
    let bytes: Arc<[u8]> = host.probe().blob(hash)?;
    let file = host.scratch(&args.name, &bytes)?;
    let path = shlex::quote(&file.display().to_string());
    // A shell runs it, so that a script without a first line `#!` is run by the shell.
    let line = match &args.executable {
        Some(executable) => format!("{executable} {path} {}", args.words),
        None => format!("{path} {}", args.words),
    };
    let mut command = Command::new("/bin/sh").arg("-c").arg(line.trim_end());
    command.dir = args.chdir.as_deref().map(str::to_owned);
    let out = host.run(&command, None);
    // Whatever became of it, the script goes.
    host.apply(&Effect::Remove { path: file })?;
    finish(&out?)
}

fn finish(out: &Output) -> Result<Done, Failure> {
    let mut result = Map::from_iter([("rc", out.code)]);
    result.extend(output_fields(&out.stdout_text(), &out.stderr_text()));
    if out.success() {
        return Ok(Done::with(result));
    }
    let mut failure = Failure::new("non-zero return code").with("changed", true);
    failure.fields.extend(result);
    Err(failure)
}
