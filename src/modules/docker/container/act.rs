//! What is done to containers, each a request to the engine.

use std::time::{Duration, Instant};

use super::Task;
use crate::model::{Failure, Map, Value};
use crate::module::Done;
use crate::modules::docker::engine::{at, escape, escape_path, text_at};
use crate::modules::docker::warned;
use crate::sys::Host;

/// How often the engine is asked while something is waited for.
const PAUSE: Duration = Duration::from_millis(100);

/// A container's path.
pub(super) fn path(name: &str, what: &str) -> String {
    format!("/containers/{}{what}", escape_path(name))
}

/// A container's id.
pub(super) fn id(container: &Value) -> String {
    text_at(container, &["Id"]).to_owned()
}

/// Stops a container, or kills it where that is asked for.
pub(super) fn stop(task: &Task, host: &mut Host<'_>, name: &str) -> Result<(), Failure> {
    let engine = task.engine.patient();
    // A paused process hears nothing.
    let now = engine.get(host.probe(), &path(name, "/json"))?.unwrap_or_default();
    if at(&now, &["State", "Paused"]).as_bool() == Some(true) {
        pause(task, host, name, false)?;
    }
    if task.args.force_kill {
        let signal = task.args.kill_signal.as_ref().map(|s| format!("?signal={}", escape(s))).unwrap_or_default();
        let what = format!("/kill{signal}");
        return engine
            .act(host, &format!("Error killing container {name}"), "POST", &path(name, &what), None)
            .map(drop);
    }
    let seconds = task.args.settings.more.stop_timeout.map(|t| format!("?t={t}")).unwrap_or_default();
    let what = format!("/stop{seconds}");
    engine.act(host, &format!("Error stopping container {name}"), "POST", &path(name, &what), None).map(drop)
}

/// Removes a container and waits until it is gone; one that is being removed is only waited for.
pub(super) fn remove(task: &Task, host: &mut Host<'_>, name: &str, removing: bool) -> Result<(), Failure> {
    if !removing {
        let volumes = !task.args.keep_volumes;
        let what = format!("?v={volumes}&force=false");
        let reply = task.engine.patient().request(
            host,
            "DELETE",
            &path(name, &what),
            Vec::new(),
            crate::sys::http::Body::Empty,
        )?;
        // With auto_remove the engine is quicker.
        if !reply.is_success() && ![404, 409].contains(&reply.status) {
            return Err(task.engine.failure(&format!("Error removing container {name}"), &path(name, ""), &reply));
        }
        if reply.status == 409 && !reply.text().contains("already in progress") {
            return Err(task.engine.failure(&format!("Error removing container {name}"), &path(name, ""), &reply));
        }
    }
    let deadline = deadline(task.args.removal_wait_timeout);
    while task.engine.get(host.probe(), &path(name, "/json"))?.is_some() {
        if deadline.is_some_and(|d| Instant::now() > d) {
            return Err(Failure::new(format!("Timeout exceeded while waiting for container {name} to be removed")));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn deadline(seconds: Option<f64>) -> Option<Instant> {
    let seconds = seconds.filter(|s| *s > 0.0)?;
    Duration::try_from_secs_f64(seconds).ok().and_then(|d| Instant::now().checked_add(d))
}

/// Makes a container from a description.
pub(super) fn create(task: &Task, host: &mut Host<'_>, name: &str, body: &Map) -> Result<Done, Failure> {
    let platform = task.args.settings.more.platform.as_ref().map(|p| format!("&platform={}", escape(p)));
    let path = format!("/containers/create?name={}{}", escape(name), platform.unwrap_or_default());
    task.engine.patient().act(host, "Error creating container", "POST", &path, Some(body)).map(|said| warned(&said))
}

/// Starts a container; with `detach: false` waits for its end and tells how it went.
pub(super) fn start(task: &Task, host: &mut Host<'_>, name: &str) -> Result<Done, Failure> {
    let doing = format!("Error starting container {name}");
    task.engine.patient().act(host, &doing, "POST", &path(name, "/start"), None)?;
    if task.args.detach != Some(false) {
        return Ok(Done::default());
    }
    let waited = task.engine.patient().act(
        host,
        &format!("Error waiting for container {name}"),
        "POST",
        &path(name, "/wait"),
        None,
    )?;
    let status = at(&waited, &["StatusCode"]).as_int().unwrap_or(1);
    let container = task.engine.get(host.probe(), &path(name, "/json"))?.unwrap_or_default();
    let output = output(task, host, name, &container)?;
    if task.args.output_logs {
        log(host, name, &output);
    }
    if task.args.cleanup && task.args.settings.auto_remove != Some(true) {
        let what = format!("?v={}&force=true", !task.args.keep_volumes);
        task.engine.patient().act(host, "Error removing container", "DELETE", &path(name, &what), None)?;
    }
    let mut container = crate::modules::docker::map_of(&container);
    container.insert("Output", output.as_str());
    let result = Map::from_iter([("container", Value::from(container)), ("status", Value::Int(status))]);
    if status != 0 {
        let mut failure = Failure::new(output);
        failure.fields = result;
        return Err(failure);
    }
    Ok(Done::with(result))
}

/// What a container printed.
fn output(task: &Task, host: &Host<'_>, name: &str, container: &Value) -> Result<String, Failure> {
    if task.args.settings.auto_remove == Some(true) {
        return Ok("Cannot retrieve result as auto_remove is enabled".to_owned());
    }
    let driver = text_at(container, &["HostConfig", "LogConfig", "Type"]);
    if !["json-file", "journald", "local"].contains(&driver) {
        return Ok(format!("Result logged using `{driver}` driver"));
    }
    let reply = task.engine.raw(host.probe(), &path(name, "/logs?stdout=true&stderr=true"))?;
    if !reply.is_success() {
        return Err(task.engine.failure(&format!("Error reading the logs of {name}"), &path(name, "/logs"), &reply));
    }
    let tty = at(container, &["Config", "Tty"]).as_bool() == Some(true);
    let bytes = if tty { reply.body } else { unframed(&reply.body).0 };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// To the host's log, where there is one.
fn log(host: &mut Host<'_>, name: &str, text: &str) {
    let command = crate::model::Command::new("logger").args(["-t", "rplay-docker_container", "--"]);
    // A host without a log has nothing to write to.
    drop(host.run(&command.arg(format!("{name}: {text}")), Some(Duration::from_secs(10))));
}

/// The engine's frames of output, each with its stream and length: all in order, and the
/// standard output and standard error apart.
pub fn unframed(mut bytes: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let (mut all, mut out, mut err) = (Vec::new(), Vec::new(), Vec::new());
    while let Some((head, rest)) = bytes.split_at_checked(8) {
        let length = head.get(4..8).and_then(|b| <[u8; 4]>::try_from(b).ok()).map_or(0, u32::from_be_bytes);
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
        let (text, after) = rest.split_at(length);
        all.extend_from_slice(text);
        if head.first() == Some(&2) {
            err.extend_from_slice(text)
        } else {
            out.extend_from_slice(text)
        }
        bytes = after;
    }
    (all, out, err)
}

/// Stops and starts a container.
pub(super) fn restart(task: &Task, host: &mut Host<'_>, name: &str) -> Result<(), Failure> {
    let seconds = task.args.settings.more.stop_timeout.map(|t| format!("?t={t}")).unwrap_or_default();
    let what = path(name, &format!("/restart{seconds}"));
    task.engine.patient().act(host, &format!("Error restarting container {name}"), "POST", &what, None).map(drop)
}

/// Pauses a container's processes, or has them go on.
pub(super) fn pause(task: &Task, host: &mut Host<'_>, name: &str, pause: bool) -> Result<(), Failure> {
    let (what, word) = if pause { ("/pause", "pausing") } else { ("/unpause", "unpausing") };
    task.engine.act(host, &format!("Error {word} container {name}"), "POST", &path(name, what), None).map(drop)
}

/// Waits until a container is healthy.
pub(super) fn wait_healthy(task: &Task, host: &Host<'_>, name: &str) -> Result<(), Failure> {
    let deadline = deadline(Some(task.args.healthy_wait_timeout));
    loop {
        let now = task.engine.get(host.probe(), &path(name, "/json"))?;
        let Some(now) = now else {
            return Err(Failure::new(format!("Container {name} vanished while waiting for it to become healthy")));
        };
        // What is unhealthy may get well until the time is over, unless it has ended.
        let why = match text_at(&now, &["State", "Health", "Status"]) {
            "healthy" => return Ok(()),
            "" | "none" => "has no health check",
            _ if at(&now, &["State", "Running"]).as_bool() != Some(true) => "stopped running",
            _ => "",
        };
        if !why.is_empty() {
            let state = at(&now, &["State"]).clone();
            return Err(Failure::new(format!("Container {name} {why} while waiting for it to become healthy"))
                .with("state", state));
        }
        if deadline.is_some_and(|d| Instant::now() > d) {
            return Err(Failure::new(format!("Timeout exceeded while waiting for container {name} to become healthy")));
        }
        std::thread::sleep(PAUSE);
    }
}
