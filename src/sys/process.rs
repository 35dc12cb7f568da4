//! Spawning programs, reading what they print, and leaving none behind.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::model::{Command, Failure, Output};

/// Process groups that run now. Killed when the controller goes away.
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// The time of the task that runs is up: it starts nothing more.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// How long a pipe is still read after its program has ended while something that
/// the program left in the background holds it open.
const LINGER: Duration = Duration::from_millis(200);

/// Ends every program that was started and still runs, with all of its group.
pub fn kill_children() {
    let groups = RUNNING.lock().map(|g| g.clone()).unwrap_or_default();
    for pid in groups.into_iter().filter_map(Pid::from_raw) {
        // It may have ended by itself in between.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// Ends what runs, and keeps the task from starting anything more.
pub fn stop_children() {
    STOPPED.store(true, Ordering::SeqCst);
    kill_children();
}

/// Whether the time of the task that runs is up.
pub fn is_stopped() -> bool {
    STOPPED.load(Ordering::SeqCst)
}

/// Another task begins, which may start programs.
pub fn allow_children() {
    STOPPED.store(false, Ordering::SeqCst);
}

/// Runs a program to its end and returns what it printed.
///
/// # Errors
/// [`Failure::missing`] when the program (or the directory) is not there, a plain
/// failure when it cannot be started or the time is up (the program is then killed).
pub fn run_command(command: &Command, env: &[(String, String)], timeout: Option<Duration>) -> Result<Output, Failure> {
    if is_stopped() {
        return Err(Failure::new("the time of the task is up"));
    }
    let mut child = spawn(command, env)?;
    let group = i32::try_from(child.id()).unwrap_or(0);
    if let Ok(mut running) = RUNNING.lock() {
        running.insert(group);
    }
    let result = communicate(&mut child, command, timeout);
    if let Ok(mut running) = RUNNING.lock() {
        running.remove(&group);
    }
    result
}

fn spawn(command: &Command, env: &[(String, String)]) -> Result<Child, Failure> {
    let mut builder = std::process::Command::new(&command.program);
    builder.args(&command.args).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    builder.stdin(if command.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    for (name, value) in env.iter().chain(&command.env) {
        builder.env(name, value);
    }
    if let Some(dir) = &command.dir {
        if !std::path::Path::new(dir).is_dir() {
            return Err(Failure::missing(format!(
                "Unable to change directory before execution: no such directory: '{dir}'"
            )));
        }
        builder.current_dir(dir);
    }
    builder.spawn().map_err(|e| {
        let words = format!("{:?}", command.words());
        match e.kind() {
            ErrorKind::NotFound => {
                Failure::missing(format!("[Errno 2] No such file or directory: b'{}'", command.program))
            }
            ErrorKind::PermissionDenied => {
                Failure::new(format!("[Errno 13] Permission denied: b'{}'", command.program))
            }
            _ => Failure::new(format!("cannot run {words}: {e}")),
        }
        .with("rc", e.raw_os_error().unwrap_or(1))
        .with("cmd", command.words().join(" "))
    })
}

fn communicate(child: &mut Child, command: &Command, timeout: Option<Duration>) -> Result<Output, Failure> {
    let feeder = child.stdin.take().zip(command.stdin.clone()).map(|(mut pipe, data)| {
        // A thread, since a program may print before it has read all; it may also
        // not read at all, which is its own affair.
        std::thread::spawn(move || drop(pipe.write_all(&data)))
    });
    let (Some(mut out), Some(mut err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Failure::new("no pipes to the program"));
    };
    let mut output = Output::default();
    let deadline = timeout.map(|t| Instant::now() + t);
    let (mut out_open, mut err_open) = (true, true);
    let mut quiet_since = None;
    while out_open || err_open {
        let ready = wait_readable(&out, out_open, &err, err_open);
        if out_open && ready.0 {
            out_open = take(&mut out, &mut output.stdout);
        }
        if err_open && ready.1 {
            err_open = take(&mut err, &mut output.stderr);
        }
        if deadline.is_some_and(|d| Instant::now() > d) {
            kill_group(child);
            return Err(Failure::new(format!("timed out after {} seconds", timeout.unwrap_or_default().as_secs())));
        }
        quiet_since = if ready.0 || ready.1 || !matches!(child.try_wait(), Ok(Some(_))) {
            None
        } else {
            quiet_since.or_else(|| Some(Instant::now()))
        };
        if quiet_since.is_some_and(|t| t.elapsed() > LINGER) {
            break;
        }
    }
    let status = wait_until(child, deadline, timeout)?;
    if let Some(feeder) = feeder.filter(std::thread::JoinHandle::is_finished) {
        let _ = feeder.join();
    }
    output.code = status.code().unwrap_or_else(|| -status.signal().unwrap_or(1));
    Ok(output)
}

fn wait_until(
    child: &mut Child,
    deadline: Option<Instant>,
    timeout: Option<Duration>,
) -> Result<std::process::ExitStatus, Failure> {
    let lost = |e: std::io::Error| Failure::new(format!("cannot wait for the program: {e}"));
    let Some(deadline) = deadline else {
        return child.wait().map_err(lost);
    };
    loop {
        if let Some(status) = child.try_wait().map_err(lost)? {
            return Ok(status);
        }
        if Instant::now() > deadline {
            kill_group(child);
            return Err(Failure::new(format!("timed out after {} seconds", timeout.unwrap_or_default().as_secs())));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn kill_group(child: &mut Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let _ = child.wait();
}

/// Waits a little for either pipe; says which has something (or its end) to read.
fn wait_readable(out: &impl AsFd, out_open: bool, err: &impl AsFd, err_open: bool) -> (bool, bool) {
    // A pipe that was closed would answer "hung up" at once, so it is not asked.
    let mut fds = Vec::with_capacity(2);
    if out_open {
        fds.push(PollFd::new(out, PollFlags::IN));
    }
    if err_open {
        fds.push(PollFd::new(err, PollFlags::IN));
    }
    let timeout = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    if poll(&mut fds, Some(&timeout)).is_err() {
        return (false, false);
    }
    let mut hits = fds.iter().map(|fd| !fd.revents().is_empty());
    let out_ready = out_open && hits.next().unwrap_or(false);
    (out_ready, err_open && hits.next().unwrap_or(false))
}

/// Reads what is there; says whether the pipe is still open.
fn take(pipe: &mut impl Read, into: &mut Vec<u8>) -> bool {
    let mut buffer = [0u8; 16384];
    match pipe.read(&mut buffer) {
        Ok(0) => false,
        Ok(n) => {
            into.extend_from_slice(buffer.get(..n).unwrap_or_default());
            true
        }
        Err(e) => e.kind() == ErrorKind::Interrupted,
    }
}
