//! Handing a task to a host's worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::AsyncReadExt;

use super::Context;
use crate::connection::{Account, Contents, Link, LinkError, Ticket};
use crate::event::Event;
use crate::model::{Condition, Map, Outcome, Reason, Status, Value};
use crate::module::Module;
use crate::protocol::{Detach, TaskRequest};
use crate::sys::Effect;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A number that no chain and no group has yet.
pub fn fresh() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A task that is ready to be sent.
pub struct Ready {
    /// Where it runs.
    pub account: Arc<Account>,
    /// The host it runs on instead of its own, as headlines name it.
    pub delegated_to: Option<String>,
    /// The module.
    pub module: &'static Module,
    /// Rendered arguments.
    pub args: Map,
    /// Content that they name.
    pub contents: Contents,
    /// Plan only.
    pub check: bool,
    /// Diffs are wanted.
    pub diff: bool,
    /// Variables for what it spawns.
    pub environment: Vec<(String, String)>,
    /// Where it works, on this machine.
    pub directory: Option<String>,
    /// It runs in the background.
    pub detach: Option<Detach>,
}

/// How a task stands to those before and after it on its worker.
#[derive(Clone, Default)]
pub struct Place {
    /// Tasks that depend on one another's success.
    pub chain: u64,
    /// Items of one loop.
    pub group: u64,
    /// Whether it may act at once.
    pub granted: bool,
    /// Conditions for the worker to decide.
    pub when: Vec<Condition>,
    /// The name for its result in later conditions.
    pub register: Option<String>,
    /// `changed_when`, when it is plain.
    pub changed_when: Option<bool>,
    /// Which of the account's workers, where several are used.
    pub lane: usize,
}

impl Ready {
    /// Sends it to a worker.
    pub fn send(self, context: &Context, link: &Arc<Link>, title: &str, place: Place) -> Ticket {
        let request = TaskRequest {
            id: 0,
            chain: place.chain,
            group: place.group,
            granted: place.granted,
            when: place.when,
            register: place.register,
            changed_when: place.changed_when,
            task: title.to_owned(),
            module: self.module.name.to_owned(),
            args: self.args,
            check: self.check,
            dry: context.options.check,
            diff: self.diff,
            environment: self.environment,
            directory: self.directory,
            blobs: Vec::new(),
            detach: self.detach,
            planned: context.links.planned_by_others(&self.account),
        };
        link.send(request, self.contents)
    }
}

/// The worker of an account, started when it does not run; else what the task comes to.
pub async fn worker(context: &Context, account: &Arc<Account>, lane: usize) -> Result<Arc<Link>, Outcome> {
    let starting = || {
        if context.options.told >= 3 {
            let mut how = account.to_string();
            if let Some(escalation) = account.escalation.as_ref().filter(|_| context.options.told >= 4) {
                how = format!("{how}: {}", escalation.command_line("…"));
            }
            context.emit(Event::Connecting { host: account.host.clone(), how });
        }
    };
    context.links.worker(account, lane, starting).await.map_err(|e| failed_start(context, account, e))
}

/// What a task comes to whose link is broken.
pub fn failed(e: LinkError) -> Outcome {
    match e {
        LinkError::Unreachable(words) => Outcome::unreachable(format!("Task failed: {words}")),
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
pub fn not_run(context: &Context, account: &Arc<Account>, title: &str) {
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
        return Outcome::unreachable(format!("Task failed: the link to the host broke: {e}"));
    }
    let Some(code) = code else { return Outcome::unreachable("Task failed: the link to the host broke") };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let lines = |text: &str| Value::list(text.lines());
    let (out, mut err) = (text(&out), text(&err));
    let escalation = account.escalation.as_ref();
    let refused = escalation.filter(|_| code != 0).and_then(|b| b.wrong_password(&err));
    err = escalation.map_or(err.clone(), |b| b.without_question(&err));
    let mut result = Map::new();
    result.insert("rc", code);
    result.insert("stdout_lines", lines(&out));
    result.insert("stderr_lines", lines(&err));
    result.insert("stdout", out);
    result.insert("stderr", err);
    if code == 0 {
        return Outcome::new(Status::Changed, result);
    }
    result.insert("msg", refused.as_deref().unwrap_or("non-zero return code"));
    result.insert("changed", true);
    Outcome::new(Status::Failed, result)
}
