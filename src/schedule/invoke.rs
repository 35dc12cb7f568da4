//! Running a module on a host through its worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::AsyncReadExt;

use super::Context;
use crate::connection::{Account, LinkError};
use crate::event::Event;
use crate::model::{Map, Outcome, Reason, Status, Value};
use crate::module::{Blob, Module};
use crate::protocol::TaskRequest;
use crate::sys::{BlobHash, Effect};

/// Content up to this size goes along with its task; more is asked for when it is needed.
const INLINE: usize = 32 << 10;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A task that is ready to be sent.
pub struct Ready<'a> {
    /// Its name, for reasons of what is unknown.
    pub title: &'a str,
    /// The module.
    pub module: &'static Module,
    /// Rendered arguments.
    pub args: Map,
    /// Content that they name.
    pub blobs: Vec<Blob>,
    /// Plan only.
    pub check: bool,
    /// Diffs are wanted.
    pub diff: bool,
    /// Variables for what it spawns.
    pub environment: Vec<(String, String)>,
}

/// Runs a task on an account's worker, started when it is not there.
pub async fn run(context: &Context, account: &Account, ready: Ready<'_>) -> Outcome {
    let slot = context.links.slot(account);
    let mut link = slot.lock().await;
    if link.is_none() {
        if context.options.verbosity >= 3 {
            context.emit(Event::Connecting { host: account.host.clone(), how: account.to_string() });
        }
        match context.links.start(account).await {
            Ok(worker) => *link = Some(worker),
            Err(e) => return failed_start(context, account, e),
        }
    }
    let Some(worker) = link.as_mut() else {
        return Outcome::unreachable("no worker");
    };
    let inline = ready.blobs.iter().map(|b| b.0.len()).sum::<usize>() <= INLINE;
    let blobs = ready.blobs;
    let request = TaskRequest {
        id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
        task: ready.title.to_owned(),
        module: ready.module.name.to_owned(),
        args: ready.args,
        check: ready.check,
        diff: ready.diff,
        environment: ready.environment,
        blobs: if inline { blobs.iter().map(|b| Arc::clone(&b.0)).collect() } else { Vec::new() },
        planned: context.links.planned_by_others(account),
    };
    let find = |hash: BlobHash| blobs.iter().find(|b| BlobHash::of(&b.0) == hash).map(|b| Arc::clone(&b.0));
    match worker.run(request, find).await {
        Ok(ended) => {
            context.links.plan(account, ended.planned);
            ended.outcome
        }
        Err(e) => {
            *link = None;
            context.links.forget(account);
            failed(e)
        }
    }
}

fn failed(e: LinkError) -> Outcome {
    match e {
        LinkError::Unreachable(words) => Outcome::unreachable(words),
        LinkError::Failed(words) => Outcome::failed(words),
    }
}

/// A user that is only planned cannot be become yet: that is no failure of a dry run.
fn failed_start(context: &Context, account: &Account, e: LinkError) -> Outcome {
    let planned = account.escalation.as_ref().and_then(|b| context.links.may_have_user(&account.host, &b.user));
    match (planned, e) {
        (Some(reason), LinkError::Failed(_)) => Outcome::new(Status::Unknown(reason), Map::new()),
        (_, e) => failed(e),
    }
}

/// Records that a task was not run, so that what is missing later may be its doing.
pub fn not_run(context: &Context, account: &Account, title: &str) {
    let reason: Reason = format!("task `{title}` was not run").into();
    context.links.plan_for_all(account, vec![Effect::MayProvide(reason)]);
}

/// Runs a command line as it is, without a worker (`raw`).
pub async fn raw(context: &Context, account: &Account, line: &str) -> Outcome {
    let connection = context.links.connection(&account.host, &account.target);
    let line = account.escalation.as_ref().map_or_else(|| line.to_owned(), |b| b.command_line(line));
    let channel = match connection.spawn(&line).await {
        Ok(channel) => channel,
        Err(e) => return failed(e),
    };
    let (mut stdin, mut stdout, mut stderr) = (channel.stdin, channel.stdout, channel.stderr);
    let password = account.escalation.as_ref().and_then(|b| b.password.clone());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let feed = async {
        if let Some(password) = password {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stdin, format!("{password}\n").as_bytes()).await;
        }
        drop(stdin);
    };
    let (_, read_out, read_err) = tokio::join!(feed, stdout.read_to_end(&mut out), stderr.read_to_end(&mut err));
    let code = channel.ended.await;
    if let (Err(e), _) | (_, Err(e)) = (read_out, read_err) {
        return Outcome::unreachable(format!("the link to the host broke: {e}"));
    }
    let Some(code) = code else { return Outcome::unreachable("the link to the host broke") };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let lines = |text: &str| Value::list(text.lines());
    let (out, err) = (text(&out), text(&err));
    let mut result = Map::new();
    result.insert("rc", code);
    result.insert("stdout_lines", lines(&out));
    result.insert("stderr_lines", lines(&err));
    result.insert("stdout", out);
    result.insert("stderr", err);
    if code == 0 {
        return Outcome::new(Status::Changed, result);
    }
    result.insert("msg", "non-zero return code");
    result.insert("changed", true);
    Outcome::new(Status::Failed, result)
}
