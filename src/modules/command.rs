//! `command`: runs a program, without a shell.

use super::exec::{self, Needless, Taking};
use super::shlex;
use crate::args;
use crate::model::{Command, Failure, Map, Value};
use crate::module::{Arguments, Kind, Module, Path, Plan, Run, expand};
use crate::sys::Probe;

args! {
    /// Arguments of `command`.
    pub struct CommandArgs {
        /// The command line, as free-form text: split into words as a shell does, but no
        /// shell runs it, so `<`, `>`, `|`, `;`, `&` and `*` have no meaning.
        _raw_params: Option<String>,
        /// The command line.
        cmd: Option<String>,
        /// The program and its arguments, each as it is.
        argv: Option<Vec<String>>,
        /// The directory that it is run in.
        chdir: Option<Path>,
        /// A path or pattern: when it is there, nothing is run.
        creates: Option<Path>,
        /// A path or pattern: when it is not there, nothing is run.
        removes: Option<Path>,
        /// Whether `$VAR` and `~` are expanded in arguments.
        expand_argument_vars: bool = true,
        /// What it reads on standard input.
        stdin: Option<String>,
        /// Whether a line end follows what it reads.
        stdin_add_newline: bool = true,
        /// Whether line ends at the end of what it prints are left out.
        strip_empty_ends: bool = true,
        /// Without effect, as in Ansible since 2.4: a warning says so. `shell` has it.
        executable: Option<Path>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "command",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Action,
    doc: "Run a program.\n\nThe program is run directly, not by a shell. It counts as a change each time it is \
          run; `creates` and `removes` say when it need not be. With --check it is not run, and what it would \
          return is unknown.",
    args: CommandArgs::specs,
    free_form: Some("_raw_params"),
    any_args: false,
    asks_others: false,
    returns: exec::RETURNS,
    run: Run::Target(plan),
};

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = CommandArgs::parse(args)?;
    let mut words = words(args._raw_params, args.cmd, args.argv)?;
    if args.expand_argument_vars {
        words = words.iter().map(|word| expand(word, &|name| host.env(name))).collect();
    }
    let shown = Value::list(words.iter().map(Value::from));
    let dir = args.chdir.as_deref();
    if let Some(why) = exec::needless(host, args.creates.as_deref(), args.removes.as_deref(), dir)? {
        return Ok(needless_result(&why, shown));
    }
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default()).args(words);
    command.dir = dir.map(str::to_owned);
    command.stdin = stdin(args.stdin, args.stdin_add_newline);
    let mut plan = exec::plan(shown, command, Taking { strip: args.strip_empty_ends, shell: false });
    if let Some(executable) = args.executable {
        plan.warn(format!(
            "As of Ansible 2.4, the parameter 'executable' is no longer supported with the 'command' module. Not using '{}'.",
            executable.0
        ));
    }
    Ok(plan)
}

/// The program and its arguments.
fn words(free: Option<String>, cmd: Option<String>, argv: Option<Vec<String>>) -> Result<Vec<String>, Failure> {
    let words = match (free, cmd, argv) {
        (Some(text), None, None) | (None, Some(text), None) => shlex::split(&text).map_err(Failure::new)?,
        (None, None, Some(argv)) => argv,
        (None, None, None) => {
            return Err(Failure::new("one of the following is required: _raw_params, cmd, argv"));
        }
        _ => return Err(Failure::new("parameters are mutually exclusive: _raw_params|cmd|argv")),
    };
    if words.is_empty() {
        return Err(Failure::new("no command given").with("rc", 256));
    }
    Ok(words)
}

/// Standard input from the arguments for it.
pub(super) fn stdin(text: Option<String>, newline: bool) -> Option<Vec<u8>> {
    text.map(|text| if newline { text + "\n" } else { text }.into_bytes())
}

/// What is returned when nothing need be run.
pub(super) fn needless_result(why: &Needless, shown: Value) -> Plan {
    let (stdout, message) = match why {
        Needless::Exists(path) => {
            (format!("skipped, since {path} exists"), format!("Did not run command since '{path}' exists"))
        }
        Needless::Gone(path) => (
            format!("skipped, since {path} does not exist"),
            format!("Did not run command since '{path}' does not exist"),
        ),
    };
    let mut plan = Plan::new().with("cmd", shown).with("rc", 0).with("msg", message);
    plan.extend(exec::output_fields(&stdout, ""));
    for name in ["start", "end", "delta"] {
        plan.set(name, Value::Null);
    }
    plan
}
