//! `shell`: has a shell run a command line.

use super::command::{needless_result, stdin};
use super::exec::{self, Taking};
use crate::args;
use crate::model::{Command, Failure, Map, Value};
use crate::module::{Arguments, Kind, Module, Path, Plan, Run};
use crate::sys::Probe;

args! {
    /// Arguments of `shell`.
    pub struct Shell {
        /// The command line, as free-form text.
        _raw_params: Option<String>,
        /// The command line.
        cmd: Option<String>,
        /// The directory that it is run in.
        chdir: Option<Path>,
        /// A path or pattern: when it is there, nothing is run.
        creates: Option<Path>,
        /// A path or pattern: when it is not there, nothing is run.
        removes: Option<Path>,
        /// The shell, `/bin/sh` by default.
        executable: Option<Path>,
        /// What it reads on standard input.
        stdin: Option<String>,
        /// Whether a line end follows what it reads.
        stdin_add_newline: bool = true,
        /// Whether line ends at the end of what it prints are left out.
        strip_empty_ends: bool = true,
        /// Of `command` only; a shell expands by itself.
        [refused "a shell expands variables by itself"]
        expand_argument_vars: Option<bool>,
        /// Of `command` only.
        [refused "use `command`, which needs no shell"]
        argv: Option<Vec<String>>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "shell",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Action,
    doc: "Have a shell run a command line.\n\nIt counts as a change each time it is run; `creates` and `removes` \
          say when it need not be. With --check it is not run, and what it would return is unknown.",
    args: Shell::specs,
    free_form: Some("_raw_params"),
    any_args: false,
    asks_others: false,
    returns: exec::RETURNS,
    run: Run::Target(plan),
};

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Shell::parse(args)?;
    let text = match (args._raw_params, args.cmd) {
        (Some(text), None) | (None, Some(text)) => text,
        (None, None) => return Err(Failure::new("one of the following is required: _raw_params, cmd, argv")),
        (Some(_), Some(_)) => return Err(Failure::new("parameters are mutually exclusive: _raw_params|cmd|argv")),
    };
    if text.trim().is_empty() {
        return Err(Failure::new("no command given").with("rc", 256));
    }
    let dir = args.chdir.as_deref();
    let shown = Value::from(&text);
    if let Some(why) = exec::needless(host, args.creates.as_deref(), args.removes.as_deref(), dir)? {
        return Ok(needless_result(&why, shown));
    }
    let shell = args.executable.map_or_else(|| "/bin/sh".to_owned(), |path| path.0);
    let mut command = Command::new(shell).arg("-c").arg(text);
    command.dir = dir.map(str::to_owned);
    command.stdin = stdin(args.stdin, args.stdin_add_newline);
    Ok(exec::plan(shown, command, Taking { strip: args.strip_empty_ends, shell: true }))
}
