//! What options and configuration come to: how a run goes, and how hosts are reached.

use std::path::PathBuf;

use super::options::Options;
use super::setup::{Loaded, cache_dir, refuse};
use super::{ask, output, sources};
use crate::connection::SshOptions;
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::load::{Config, Environment, Gathering, HashBehaviour};
use crate::playbook::Strategy;
use crate::schedule::{ConnectionDefaults, Passwords, RunOptions};

fn passwords(options: &Options, config: &Config) -> Checked<Passwords> {
    let mut passwords = Passwords::default();
    let file = |given: &Option<PathBuf>, configured: &Option<PathBuf>| given.clone().or_else(|| configured.clone());
    if options.ask_pass || config.ask_pass.value {
        passwords.connection = Some(ask::password("SSH password")?);
    } else if let Some(path) = file(&options.connection_password_file, &config.connection_password_file.value) {
        passwords.connection = Some(ask::password_file(&path)?);
    }
    if options.ask_become_pass || config.become_ask_pass.value {
        let shown = if passwords.connection.is_some() {
            "BECOME password[defaults to SSH password]"
        } else {
            "BECOME password"
        };
        let asked = ask::password(shown)?;
        passwords.escalation = if asked.is_empty() { passwords.connection.clone() } else { Some(asked) };
    } else if let Some(path) = file(&options.become_password_file, &config.become_password_file.value) {
        passwords.escalation = Some(ask::password_file(&path)?);
    }
    Ok(passwords)
}

fn connection(options: &Options, config: &Config) -> Checked<ConnectionDefaults> {
    let key = options.private_key.clone().or_else(|| config.private_key_file.value.clone());
    let choose = |given: &Option<String>, configured: &str| given.clone().unwrap_or_else(|| configured.to_owned());
    Ok(ConnectionDefaults {
        connection: Some(choose(&options.connection, &config.transport.value)),
        user: options.user.clone().or_else(|| config.remote_user.value.clone()),
        port: config.remote_port.value,
        key: key.map(|k| k.to_string_lossy().into_owned()),
        timeout: options.timeout.unwrap_or(u64::from(config.timeout.value)),
        check_host_key: config.host_key_checking.value,
        ssh_executable: config.ssh_executable.value.clone(),
        ssh_args: Some(config.ssh_args.value.clone()),
        common_args: choose(&options.ssh_common_args, &config.ssh_common_args.value),
        extra_args: choose(&options.ssh_extra_args, &config.ssh_extra_args.value),
        escalate: options.escalate || config.r#become.value,
        become_user: Some(choose(&options.become_user, &config.become_user.value)),
        become_method: Some(choose(&options.become_method, &config.become_method.value)),
        become_exe: config.become_exe.value.clone(),
        become_flags: config.become_flags.value.clone(),
        become_same_user: config.become_allow_same_user.value,
        local_user: crate::sys::user_name(rustix::process::geteuid().as_raw()),
        passwords: passwords(options, config)?,
    })
}

/// What the user asked for.
///
/// # Errors
/// When it makes no sense, or a password cannot be had.
pub(super) fn run_options(options: &Options, environment: &Environment, loaded: &Loaded) -> Checked<RunOptions> {
    let config = &loaded.config;
    let forks = options.forks.or_else(|| config.forks.value.and_then(|f| usize::try_from(f).ok()));
    if forks == Some(0) {
        return Err(Diagnostic::error("The number of processes (--forks) must be >= 1")
            .hint("leave it out to work on all hosts at once")
            .exit(ExitCode::Usage)
            .into());
    }
    Ok(RunOptions {
        check: options.check,
        diff: options.diff || config.diff_always.value,
        forks,
        limit: loaded.limit.clone(),
        sources: sources::names(environment, config, &options.inventory),
        config_file: config.file.as_ref().map(|path| path.to_string_lossy().into_owned()),
        force_handlers: options.force_handlers || config.force_handlers.value,
        start_at: options.start_at_task.clone(),
        tags: loaded.tags.0.clone(),
        skip_tags: loaded.tags.1.clone(),
        verbosity: output::look(options, config).verbosity,
        told: output::told(options, config),
        connection: connection(options, config)?,
        inject_facts: config.inject_facts.value,
        no_log: config.no_log.value,
        pattern_mismatch: config.host_pattern_mismatch.value,
        any_errors_fatal: config.any_errors_fatal.value,
        shell: Some(config.executable.value.clone()).filter(|_| !config.executable.is_default()),
        strategy: Some(strategy(config)?),
        task_timeout: u64::from(config.task_timeout.value),
        poll_interval: u64::from(config.poll_interval.value),
        merge: config.hash_behaviour.value == HashBehaviour::Merge,
        gather_once: config.gathering.value == Gathering::Smart,
        show_custom_stats: config.show_custom_stats.value,
        one_by_one: false,
    })
}

/// How many connections one core sets up at the same time: most of each is waiting for the
/// other end.
const CONNECTS_PER_CORE: usize = 16;

/// How hosts are reached.
///
/// # Errors
/// When an option makes no sense.
pub(super) fn ssh_options(options: &Options, environment: &Environment, config: &Config) -> Checked<SshOptions> {
    let given = options.connect_forks.or_else(|| config.connect_forks.value.and_then(|n| usize::try_from(n).ok()));
    if given == Some(0) {
        return Err(refuse(
            "the number of connections that are set up at the same time (--connect-forks) must be at least 1",
            "leave it out for a number that suits this machine",
        ));
    }
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let dir = if config.control_path_dir.is_default() {
        cache_dir(environment).join("cp")
    } else {
        config.control_path_dir.value.clone()
    };
    Ok(SshOptions {
        control_dir: dir,
        persist: persist(&config.ssh_args.value),
        connect_forks: given.unwrap_or(CONNECTS_PER_CORE * cores),
    })
}

/// How long masters are kept: what `ssh_args` says of ControlPersist.
fn persist(args: &str) -> String {
    let lower = args.to_lowercase();
    let found = lower.find("controlpersist").and_then(|at| args.get(at + "controlpersist".len()..));
    let value = found.map(|rest| rest.trim_start_matches(['=', ' ', '"']));
    let word: String = value.unwrap_or("60s").chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
    if word.is_empty() { "60s".to_owned() } else { word }
}

/// The strategy of plays that name none.
fn strategy(config: &Config) -> Checked<Strategy> {
    let set = &config.strategy;
    Strategy::named(&set.value).map_err(|finding| vec![finding.at(set.origin().cloned())])
}
