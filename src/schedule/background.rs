//! Tasks in the background (`async`, `poll`), and tasks with a limit of time (`timeout`).
//!
//! Source: Ansible's documentation of asynchronous actions.

use std::time::Duration;

use super::invoke::{self, Place};
use super::item::{Begun, ItemResult, Route, Sent};
use super::prepare::OnHost;
use super::settings::Unsettled;
use super::view::View;
use crate::event::{Event, JobState};
use crate::model::{Map, Outcome, Status, Timing, Value};
use crate::module::Module;
use crate::playbook::find_module;
use crate::protocol::Detach;
use crate::template::Error;

/// The longest `timeout`, in seconds.
const LONGEST: u64 = 100_000_000;

/// How a task runs in the background.
#[derive(Debug, Clone, Copy)]
pub struct Background {
    /// How many seconds it may take.
    seconds: u64,
    /// Seconds between looks at it; when 0, nobody waits for it.
    poll: u64,
}

impl Background {
    /// What its worker is told.
    pub fn detach(self, view: &View) -> Result<Detach, Error> {
        let job = format!("j{}.{}", nanoseconds() % 1_000_000_000_000, invoke::fresh());
        Ok(Detach { job, seconds: self.seconds, dir: directory(view)? })
    }
}

/// Something that another job is unlikely to have.
fn nanoseconds() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// Where jobs leave their results.
pub fn directory(view: &View) -> Result<String, Error> {
    let set = view.variable("ansible_async_dir")?;
    Ok(set.as_ref().and_then(Value::as_str).unwrap_or("~/.ansible_async").to_owned())
}

fn number(value: Option<&Value>) -> Option<u64> {
    match value {
        Some(Value::Int(i)) => u64::try_from(*i).ok(),
        Some(Value::Float(f)) => Some(f.max(0.0).ceil() as u64),
        Some(Value::Str(text)) => text.trim().parse().ok(),
        _ => None,
    }
}

/// What a task comes to that took too long.
pub fn timed_out(limit: Duration) -> Outcome {
    let period = i64::try_from(limit.as_secs()).unwrap_or(i64::MAX);
    let details = Map::from_iter([("frame", Value::from("(traceback unavailable)")), ("period", Value::from(period))]);
    let mut outcome = Outcome::failed(format!("Task failed: Timed out after {period} second(s)."));
    outcome.result.insert("timedout", details);
    outcome
}

/// What `work` comes to, or that it took too long.
pub async fn within(limit: Option<Duration>, work: impl Future<Output = Outcome>) -> Outcome {
    match limit {
        None => work.await,
        Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or_else(|_| timed_out(limit)),
    }
}

impl OnHost<'_> {
    /// How the task runs in the background, if it does. A dry run predicts it as any other.
    pub(super) fn background(&self, view: &View) -> Result<Option<Background>, Error> {
        if self.checks(view)? {
            return Ok(None);
        }
        self.wanted_in_background(view)
    }

    fn wanted_in_background(&self, view: &View) -> Result<Option<Background>, Error> {
        let seconds = number(self.keyword("async", view)?.as_ref()).unwrap_or(0);
        if seconds == 0 {
            return Ok(None);
        }
        let poll = number(self.keyword("poll", view)?.as_ref()).unwrap_or(self.context.options.poll_interval);
        Ok(Some(Background { seconds, poll }))
    }

    /// How long the task's action may take.
    pub(super) fn limit(&self, view: &View) -> Result<Option<Duration>, Error> {
        let set = self.keyword("timeout", view)?;
        let seconds = match (number(set.as_ref()), &set) {
            (Some(seconds @ 0..=LONGEST), _) => seconds,
            (None, None) => self.context.options.task_timeout,
            (_, set) => {
                let given = match set {
                    Some(Value::Str(text)) => text.as_str().to_owned(),
                    Some(Value::Int(i)) => i.to_string(),
                    _ => "of this kind".to_owned(),
                };
                let words = format!("Timeout {given} is invalid, it must be between 0 and {LONGEST}.");
                return Err(Error::new(words).at(self.task.keywords.get("timeout").map(|s| s.origin.clone())));
            }
        };
        Ok((seconds > 0).then(|| Duration::from_secs(seconds)))
    }

    /// The end of a task that was started in the background, when it is to be waited for.
    pub(super) async fn watched(
        &self,
        view: &View,
        started: ItemResult,
        timing: &mut Timing,
    ) -> Result<ItemResult, Error> {
        let mut started = started;
        if self.checks(view)? && self.wanted_in_background(view)?.is_some_and(|b| b.poll == 0) {
            // A dry run starts no job; what asks for it later is unknown.
            let reason = format!("task `{}` was not started in the background", self.title);
            started.outcome.result.insert("ansible_job_id", Value::Unknown(reason.into()));
        }
        let Some(background) = self.background(view)?.filter(|b| b.poll > 0) else { return Ok(started) };
        let job = started.outcome.result.get("ansible_job_id").and_then(Value::as_str).map(str::to_owned);
        let Some(job) = job.filter(|_| started.outcome.status == Status::Changed) else { return Ok(started) };
        let tell = |state| {
            let (host, job) = (self.host.to_owned(), job.clone());
            self.teller.emit(Event::Background { host, job, state });
        };
        let mut left = background.seconds;
        let mut last = started;
        while left > 0 {
            tokio::time::sleep(Duration::from_secs(background.poll)).await;
            last = self.ask(view, &job, "status", timing).await?;
            let finished = last.outcome.result.get("finished").and_then(Value::as_bool) == Some(true);
            if finished || matches!(last.outcome.status, Status::Failed | Status::Unreachable) {
                let failed = last.outcome.status != Status::Ok && last.outcome.status != Status::Changed;
                tell(if failed { JobState::Failed } else { JobState::Ok });
                self.ask(view, &job, "cleanup", timing).await?;
                return Ok(last);
            }
            left = left.saturating_sub(background.poll);
            tell(JobState::Running);
        }
        tell(JobState::Failed);
        let words = format!("async task did not complete within the requested time - {}s", background.seconds);
        let mut outcome = Outcome::failed(words);
        outcome.result.insert("async_result", Value::from(last.outcome.result));
        Ok(ItemResult { delegated_to: last.delegated_to, ..ItemResult::plain(outcome) })
    }

    /// Asks the job's host about it.
    async fn ask(&self, view: &View, job: &str, mode: &str, timing: &mut Timing) -> Result<ItemResult, Error> {
        let Some(module) = find_module("async_status") else { return Ok(ItemResult::plain(Outcome::failed("?"))) };
        let route = match self.route(view) {
            Ok(route) => route,
            Err(Unsettled::Template(e)) => return Err(*e),
            Err(Unsettled::Wrong(finding)) => return Ok(ItemResult::explained(*finding)),
        };
        let mut args = Map::from_iter([("jid", job), ("mode", mode)]);
        args.insert("_async_dir", directory(view)?);
        self.call(view, route, module, args, timing).await
    }

    /// Runs a module at the end of a route, and waits for it.
    pub(super) async fn call(
        &self,
        view: &View,
        route: Route,
        module: &'static Module,
        args: Map,
        timing: &mut Timing,
    ) -> Result<ItemResult, Error> {
        let Route { account, delegated_to } = route;
        let link = match invoke::worker(self.context, &account, 0).await {
            Ok(link) => link,
            Err(outcome) => return Ok(ItemResult { delegated_to, ..ItemResult::plain(outcome) }),
        };
        let ready = invoke::Ready {
            account: account.clone(),
            delegated_to: delegated_to.clone(),
            module,
            args,
            contents: Default::default(),
            check: false,
            diff: false,
            environment: Vec::new(),
            directory: self.directory(view, &account),
            detach: None,
        };
        let place = Place { chain: invoke::fresh(), granted: true, ..Place::default() };
        let chain = place.chain;
        let ticket = ready.send(self.context, &link, self.title, place);
        let last = ticket.id;
        let (conditions, warnings) = (Vec::new(), Vec::new());
        let sent = Sent { ticket, link, last, chain, account, delegated_to, conditions, warnings };
        self.ended(view, Begun::Sent(Box::new(sent)), timing).await
    }
}
