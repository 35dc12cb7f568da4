//! The command line: where everything is wired.

mod ask;
mod config;
mod doc;
mod exec;
mod graph;
mod interrupt;
mod inventory;
mod keys;
mod listing;
mod log;
mod mask;
mod options;
mod output;
mod playbook;
mod run_options;
mod setup;
mod sources;
mod vars;
mod vault;

use std::io::Write;
use std::path::Path;

use clap::{ArgMatches, CommandFactory, FromArgMatches};

use crate::diag::{Diagnostic, ExitCode};
use crate::report::{Colours, render_diagnostics};

/// Subcommands beside the main one, which needs no name.
const COMMANDS: &[&str] = &["config", "doc", "exec", "graph", "inventory", "vars", "vault", "completion", "help"];

/// Runs the program with these arguments, the first being its own name.
pub fn main(args: Vec<String>) -> ExitCode {
    // ssh starts us again to ask for a password.
    if let Some(answer) = crate::connection::askpass_answer(args.get(1).map(String::as_str)) {
        say(&answer);
        return ExitCode::Success;
    }
    if args.len() == 2 && args.get(1).is_some_and(|a| a == crate::protocol::DETACHED) {
        return if crate::worker::run_detached().is_ok() { ExitCode::Success } else { ExitCode::Error };
    }
    if is_worker(&args) {
        return if crate::worker::serve().is_ok() { ExitCode::Success } else { ExitCode::Error };
    }
    let name = args.first().and_then(|a| Path::new(a).file_name()?.to_str().map(str::to_owned)).unwrap_or_default();
    // Under the name of one of Ansible's programs it is that program.
    match name.as_str() {
        "ansible" => return exec::run(&args),
        "ansible-config" => return config::run(&args),
        "ansible-inventory" => return inventory::run(&args),
        "ansible-doc" => return doc::run(&args),
        "ansible-vault" => return vault::run(args.get(1..).unwrap_or_default(), true),
        _ => {}
    }
    let command = args.get(1).map(String::as_str).filter(|a| COMMANDS.contains(a) && name != "ansible-playbook");
    match command {
        Some("config") => config::run(args.get(1..).unwrap_or_default()),
        Some("doc") => doc::run(args.get(1..).unwrap_or_default()),
        Some("graph") => graph::run(args.get(1..).unwrap_or_default()),
        Some("exec") => exec::run(args.get(1..).unwrap_or_default()),
        Some("vars") => vars::run(args.get(1..).unwrap_or_default()),
        Some("inventory") => inventory::run(args.get(1..).unwrap_or_default()),
        Some("vault") => vault::run(args.get(2..).unwrap_or_default(), false),
        Some("completion") => completion(args.get(2).map(String::as_str)),
        _ => {
            let args = if command == Some("help") { vec!["rplay".to_owned(), "--help".to_owned()] } else { args };
            match parse::<options::Options>(&args) {
                Ok(options) => playbook::run(&options),
                Err(code) => code,
            }
        }
    }
}

/// Whether this process is to be a worker: started so, or put on a host under a worker's name.
fn is_worker(args: &[String]) -> bool {
    let name = args.first().and_then(|a| Path::new(a).file_name()?.to_str());
    let named = name.is_some_and(|n| n.starts_with("worker-"));
    named || args.len() == 2 && args.get(1).is_some_and(|a| a == crate::connection::WORKER_COMMAND)
}

/// Reads arguments, the first of which is the program's name; what cannot be read is said.
fn parse<T: CommandFactory + FromArgMatches>(args: &[String]) -> Result<T, ExitCode> {
    T::from_arg_matches(&matches(T::command(), args)?).map_err(|e| usage(&e))
}

/// Reads arguments as Ansible's programs do: of an option given twice the last holds, and the
/// beginning of an option's name does where no other begins so.
fn matches(command: clap::Command, args: &[String]) -> Result<ArgMatches, ExitCode> {
    command.args_override_self(true).infer_long_args(true).try_get_matches_from(args).map_err(|e| usage(&e))
}

/// What clap says: help goes to standard output, a mistake ends as it does in Ansible.
fn usage(e: &clap::Error) -> ExitCode {
    let fine = !e.use_stderr();
    // Nobody is left to tell when this fails.
    let _ = e.print();
    if fine { ExitCode::Success } else { ExitCode::Usage }
}

fn completion(shell: Option<&str>) -> ExitCode {
    let Some(shell) = shell.and_then(|s| s.parse::<clap_complete::Shell>().ok()) else {
        complain(&[Diagnostic::error("completion is for one of: bash, zsh, fish, elvish, powershell")]);
        return ExitCode::Options;
    };
    let mut command = options::Options::command().subcommand(vault::command());
    clap_complete::generate(shell, &mut command, "rplay", &mut std::io::stdout());
    ExitCode::Success
}

/// Prints a line on standard output.
pub(crate) fn say(text: &str) {
    // A reader that has gone away (`| head`) is no error.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints findings on standard error.
pub(crate) fn complain(findings: &[Diagnostic]) {
    let colours = if anstream::AutoStream::choice(&std::io::stderr()) == anstream::ColorChoice::Never {
        Colours::Off
    } else {
        Colours::On
    };
    let _ = write!(std::io::stderr(), "{}", render_diagnostics(findings, colours));
}
