//! The lists of packages: how old they are, fetching them, and fetching them in private
//! to know what a dry run would find in them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::tool::{Tool, failed};
use super::{Apt, Lists, rest};
use crate::model::{Command, Failure, Output};
use crate::module::Done;
use crate::sys::{Host, Probe};

/// Touched by hosts that have a hook for it, also when nothing new was fetched.
const STAMP: &str = "/var/lib/apt/periodic/update-success-stamp";
const LISTS: &str = "/var/lib/apt/lists";

/// When the lists were last fetched; 0 where it is not known.
pub(super) fn stamp(host: &Probe<'_>) -> i64 {
    let time = |path: &str| host.stat(path).ok().flatten().map(|s| s.mtime.secs);
    time(STAMP).or_else(|| time(LISTS)).unwrap_or(0)
}

/// Whether a task wants the lists to be fetched.
pub(super) fn is_due(args: &Apt, stamp: i64, _host: &Probe<'_>) -> bool {
    let wanted = args.update_cache.unwrap_or(args.cache_valid_time > 0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    wanted && (args.cache_valid_time == 0 || stamp + args.cache_valid_time < now)
}

/// Fetches the lists into a private directory that starts as a copy of the host's.
///
/// # Errors
/// When they cannot be fetched.
pub(super) fn simulate<'a>(args: &'a Apt, host: &'a Probe<'a>, stamp: i64) -> Result<(Tool<'a>, Lists), Failure> {
    let mut tool = Tool::new(args, host)?;
    let scratch = match tool.scratch.take() {
        Some(scratch) => scratch,
        None => host.scratch_dir()?,
    };
    let state = scratch.dir("state")?;
    host.query(&Command::new("cp").args(["-a", LISTS, &state]))?;
    let lists = format!("{state}/lists");
    let cache = scratch.dir("cache")?;
    tool.planned.push(format!("Dir::State::lists={lists}/"));
    tool.planned.push(format!("Dir::Cache::pkgcache={cache}/pkgcache.bin"));
    tool.planned.push(format!("Dir::Cache::srcpkgcache={cache}/srcpkgcache.bin"));
    let time = |path: &str| host.stat(path).ok().flatten().map(|s| s.mtime.secs);
    let before = time(&lists);
    // The private directory is not to be read by apt's own user, and hooks are for real runs.
    let words = ["-o", "APT::Sandbox::User=root", "-o", "APT::Update::Post-Invoke-Success=", "-q", "update"];
    let command = tool.reading("apt-get", &words.map(str::to_owned));
    let out = retry(args, || host.query(&command))?;
    if !out.success() {
        return Err(update_failed(&command, &out));
    }
    // With the hook, each fetching counts as one.
    let updated = time(&lists) != before || host.exists(STAMP);
    let time = if updated { time(&lists).unwrap_or(stamp) } else { stamp };
    tool.scratch = Some(scratch);
    Ok((tool, Lists { updated, time }))
}

/// Fetches the lists, then plans and does the rest of the task.
///
/// # Errors
/// When they cannot be fetched, or the rest fails.
pub(super) fn update_and_go_on(args: &Apt, host: &mut Host<'_>, before: i64) -> Result<Done, Failure> {
    let lock = format!("DPkg::Lock::Timeout={}", args.lock_timeout);
    let command = Command::new("apt-get")
        .args(["-o", &lock, "-q", "update"])
        .env("LC_ALL", "C.UTF-8")
        .env("DEBIAN_FRONTEND", "noninteractive");
    let out = retry(args, || host.run(&command, None))?;
    if !out.success() {
        return Err(update_failed(&command, &out));
    }
    let time = stamp(host.probe());
    let lists = Lists { updated: time != before, time };
    let probe = *host.probe();
    let plan = rest(&Tool::new(args, &probe)?, lists)?;
    plan.carry_out(host)
}

fn update_failed(command: &Command, out: &Output) -> Failure {
    let reason = out.stderr_text();
    let failure = failed(command, out);
    Failure { message: format!("Failed to update apt cache: {}", reason.trim()), ..failure }
}

/// Tries again with pauses that double.
fn retry(args: &Apt, mut run: impl FnMut() -> Result<Output, Failure>) -> Result<Output, Failure> {
    let mut pause = 1;
    let mut tries = 0;
    loop {
        let out = run()?;
        tries += 1;
        // Failed fetches of single lists are warnings to apt-get, and an error to us.
        let bad = !out.success() || out.stderr_text().lines().any(|l| l.starts_with("E:"));
        if !bad || tries >= args.update_cache_retries.max(1) {
            return Ok(out);
        }
        let seconds = pause.min(args.update_cache_retry_max_delay).max(0);
        std::thread::sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
        pause *= 2;
    }
}
