//! Tasks in the background (`async`): run by a process of their own, which outlives the worker
//! and leaves the result in a file that `async_status` reads.
//!
//! Source: Ansible's documentation of asynchronous actions and of `async_status`.

use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Execute, Modules};
use crate::model::{Map, Outcome, Status, Value};
use crate::modules::json;
use crate::protocol::{self, DETACHED, Detach, TaskRequest};
use crate::sys::{NoBlobs, Session, kill_children, replace_file};

/// How long after its time is up a job is ended.
const GRACE: Duration = Duration::from_secs(2);

/// Starts a task in the background. What comes back says under which name to ask for it.
pub(super) fn start(task: TaskRequest, detach: &Detach) -> Outcome {
    let file = place(detach);
    match spawn(task, &file) {
        Ok(()) => Outcome::new(Status::Changed, head(detach, &file, false)),
        Err(e) => Outcome::failed(format!("cannot start the task in the background: {e}")),
    }
}

/// What every answer about a job begins with.
fn head(detach: &Detach, file: &Path, finished: bool) -> Map {
    let mut map = Map::new();
    map.insert("ansible_job_id", detach.job.as_str());
    map.insert("started", true);
    map.insert("finished", finished);
    map.insert("results_file", file.to_string_lossy().into_owned());
    map
}

fn place(detach: &Detach) -> PathBuf {
    crate::modules::async_status::expand(&detach.dir).join(&detach.job)
}

fn spawn(mut task: TaskRequest, file: &Path) -> io::Result<()> {
    if let Some(dir) = file.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    // Dependents, grants and the like ended here.
    task.granted = true;
    let mut child = Command::new("/proc/self/exe");
    child.arg(DETACHED).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = child.spawn()?;
    let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("no pipes"));
    };
    input.write_all(&protocol::encode(&task)?)?;
    // It answers once it is a session of its own and its job can be asked for.
    let mut answer = [0];
    output.read_exact(&mut answer).map_err(|_| io::Error::other("the process ended at once"))
}

/// The process itself: reads its task, says that it has begun, and is on its own from then on.
///
/// # Errors
/// When there is no task to read, or the job's file cannot be written.
pub(super) fn run(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    rustix::process::setsid()?;
    let task: TaskRequest = protocol::read(input)?.ok_or_else(|| io::Error::other("no task on standard input"))?;
    let detach = task.detach.clone().ok_or_else(|| io::Error::other("the task is not one for the background"))?;
    let file = place(&detach);
    write(&file, head(&detach, &file, false))?;
    output.write_all(b".")?;
    output.flush()?;
    let ended = Arc::new(Mutex::new(false));
    watch(Arc::clone(&ended), detach.clone(), file.clone());
    let modules = Modules { session: Session::new(Box::new(NoBlobs)) };
    let task = TaskRequest { detach: None, ..task };
    let done = modules.execute(task, &mut || true);
    let outcome = done.map_or_else(|| Outcome::failed("it was not run"), |(outcome, _)| outcome);
    let mut said = ended.lock().unwrap_or_else(PoisonError::into_inner);
    *said = true;
    write(&file, result(&detach, &file, &outcome))
}

/// Ends the job when its time is up.
fn watch(ended: Arc<Mutex<bool>>, detach: Detach, file: PathBuf) {
    std::thread::spawn(move || {
        // Who looks at it when the time is up finds it at work.
        std::thread::sleep(Duration::from_secs(detach.seconds) + GRACE);
        let said = ended.lock().unwrap_or_else(PoisonError::into_inner);
        if *said {
            return;
        }
        kill_children();
        let outcome = Outcome::failed(format!("Job reached maximum time limit of {} seconds.", detach.seconds));
        // Nobody is left to tell when this fails.
        let _ = write(&file, result(&detach, &file, &outcome));
        std::process::exit(1);
    });
}

fn result(detach: &Detach, file: &Path, outcome: &Outcome) -> Map {
    let mut map = outcome.to_value().as_map().cloned().unwrap_or_default();
    map.extend(head(detach, file, true));
    if !outcome.warnings.is_empty() {
        map.insert("warnings", Value::list(outcome.warnings.iter().map(String::as_str)));
    }
    map
}

fn write(file: &Path, map: Map) -> io::Result<()> {
    replace_file(file, json::dumps(&Value::from(map)).as_bytes(), 0o600)
}
