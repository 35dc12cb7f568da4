//! `rplay PLAYBOOK…`: load everything, then list, check or run.

use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::log::Log;
use super::options::{Options, Output};
use super::{complain, listing, output, say, setup};
use crate::diag::{Checked, Diagnostic, ExitCode, Severity};
use crate::event::Event;
use crate::load::{Config, Environment, Files};
use crate::report::Report;
use crate::schedule::{self, Context};

/// Runs the main command.
pub fn run(options: &Options) -> ExitCode {
    let files = Arc::new(Files::new());
    ended(try_run(options, &files), &files)
}

/// What the program ends with; what is wrong is said, without what came out of the vault.
pub fn ended(result: Checked<ExitCode>, files: &Files) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(findings) => {
            complain_masked(files, findings.clone());
            let mut exits = findings.iter().filter(|d| d.severity == Severity::Error).map(|d| d.exit);
            // Of several, what Ansible would have stumbled over while it reads.
            if exits.clone().any(|exit| exit == ExitCode::Parse) {
                ExitCode::Parse
            } else {
                exits.next().unwrap_or(ExitCode::Error)
            }
        }
    }
}

/// Prints findings without what came out of the vault.
pub fn complain_masked(files: &Files, mut findings: Vec<Diagnostic>) {
    let mask = files.vault().secrets.mask();
    findings.iter_mut().for_each(|finding| mask.finding(finding));
    complain(&findings);
}

fn try_run(options: &Options, files: &Arc<Files>) -> Checked<ExitCode> {
    let environment = Environment::current();
    if options.version {
        return version(&environment, files);
    }
    let mut loaded = setup::load(options, &environment, files)?;
    let (sender, receiver) = unbounded_channel();
    let (context, warnings) = setup::ready(options, &environment, &mut loaded, files, sender)?;
    complain_masked(files, warnings);
    if options.syntax_check {
        options.playbooks.iter().for_each(|playbook| say(&format!("\nplaybook: {}", playbook.display())));
        return Ok(ExitCode::Success);
    }
    if options.list_hosts || options.list_tasks || options.list_tags {
        listing::print(options, &context, &loaded.plays)?;
        return Ok(ExitCode::Success);
    }
    if options.verbose > 0 && options.output == Output::Default {
        say(&config_line(&loaded.config));
    }
    if options.verbose > 1 && options.output == Output::Default {
        for (index, playbook) in options.playbooks.iter().enumerate() {
            let count = loaded.plays.iter().filter(|play| play.playbook == index).count();
            say(&format!("{count} plays in {}", playbook.display()));
        }
    }
    let report = output::report(options, &loaded.config);
    let log = output::log(options, &loaded.config);
    perform(context, &loaded.plays, receiver, report, Sinks { files, log, show: options.show_secrets })
}

/// Where a run's output goes beside standard output, and what is kept out of it.
pub struct Sinks<'a> {
    /// Its vault knows the secrets.
    pub files: &'a Files,
    /// A file that gets what is said as well.
    pub log: Option<Log>,
    /// `--show-secrets`.
    pub show: bool,
}

/// Runs plays, with a thread that reports what happens.
///
/// # Errors
/// What ends the run before its time.
pub fn perform(
    context: Arc<Context>,
    plays: &[Arc<crate::compile::CompiledPlay>],
    receiver: UnboundedReceiver<Event>,
    report: Box<dyn Report>,
    sinks: Sinks,
) -> Checked<ExitCode> {
    let progress = Arc::clone(&context.progress);
    let (vault, show, log) = (sinks.files.vault(), sinks.show, sinks.log);
    let printer = std::thread::spawn(move || output::pump(receiver, report, log, &progress, (&vault.secrets, show)));
    let version = env!("CARGO_PKG_VERSION").to_owned();
    context.emit(Event::RunStarted { version, check: context.options.check });
    crate::connection::make_room(context.hosts.inventory().hosts().count());
    let result = execute(&context, plays);
    context.emit(Event::Over);
    drop(context);
    let _ = printer.join();
    result
}

fn execute(context: &Arc<Context>, plays: &[Arc<crate::compile::CompiledPlay>]) -> Checked<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| vec![Diagnostic::error(format!("cannot start: {e}")).exit(ExitCode::Unexpected)])?;
    super::interrupt::watch();
    // On a thread of the runtime, where what hosts answer does not have to be handed to another.
    let (context, plays) = (Arc::clone(context), plays.to_vec());
    let running = runtime.spawn(async move {
        let code = tokio::select! {
            result = schedule::run(&context, &plays) => result.map(|summary| summary.exit()),
            _ = tokio::signal::ctrl_c() => {
                Err(vec![Diagnostic::error("user interrupted execution").exit(ExitCode::Interrupted)])
            }
        };
        context.links.close().await;
        code
    });
    let code = runtime
        .block_on(running)
        .unwrap_or_else(|e| Err(vec![Diagnostic::error(format!("the run broke off: {e}")).exit(ExitCode::Unexpected)]));
    // What still runs (a host that hangs) is left: its links end with this process.
    runtime.shutdown_background();
    if matches!(&code, Err(findings) if findings.iter().any(|finding| finding.exit == ExitCode::Interrupted)) {
        super::interrupt::end_all();
    }
    code
}

/// Which configuration holds: the first line with `-v`.
pub fn config_line(config: &Config) -> String {
    config.file.as_ref().map_or_else(
        || "No config file found; using defaults".to_owned(),
        |file| format!("Using {} as config file", file.display()),
    )
}

/// `--version`.
///
/// # Errors
/// When the configuration cannot be read.
pub fn version(environment: &Environment, files: &Files) -> Checked<ExitCode> {
    let config = crate::load::Config::load(files, environment)?;
    say(&format!("rplay {}", env!("CARGO_PKG_VERSION")));
    let file = config.file.as_ref().map_or_else(|| "None".to_owned(), |f| f.display().to_string());
    say(&format!("  config file = {file}"));
    say("  semantics = ansible-core 2.19");
    Ok(ExitCode::Success)
}
