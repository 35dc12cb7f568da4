//! `wait_for_connection`: tries until a worker answers on the host.

use std::time::{Duration, Instant};

use super::invoke::{self, Place, Ready};
use super::item::ItemResult;
use super::prepare::OnHost;
use super::view::View;
use crate::connection::End;
use crate::model::{Map, Outcome, Status, Value};
use crate::template::Error;

/// One attempt's answer, or why there is none.
type Answer = Result<Outcome, String>;

fn words(outcome: &Outcome) -> String {
    outcome.result.get("msg").and_then(Value::as_str).unwrap_or("no answer").to_owned()
}

impl OnHost<'_> {
    /// Tries until the host answers or the time is up.
    pub(super) async fn reached(&self, view: &View, ready: Ready) -> Result<ItemResult, Error> {
        let seconds = |name: &str, default: u64| {
            let given = ready.args.get(name);
            let number = given.and_then(Value::as_int).and_then(|n| u64::try_from(n).ok());
            let text = || given.and_then(Value::as_str).and_then(|text| text.trim().parse().ok());
            Duration::from_secs(number.or_else(text).unwrap_or(default))
        };
        let limit = self.limit(view)?;
        let started = Instant::now();
        let until = started + seconds("timeout", 600);
        let (each, between) = (seconds("connect_timeout", 5), seconds("sleep", 1));
        let delay = seconds("delay", 0);
        let all = async {
            tokio::time::sleep(delay).await;
            loop {
                let answer = tokio::time::timeout(each.max(Duration::from_secs(1)), self.asked(&ready)).await;
                let why = match answer.unwrap_or_else(|_| Err(format!("no answer in {} seconds", each.as_secs()))) {
                    Ok(outcome) => return outcome,
                    Err(why) => why,
                };
                if Instant::now() >= until {
                    return Outcome::failed(format!("timed out waiting for ping module test: {why}"));
                }
                tokio::time::sleep(between.max(Duration::from_millis(50))).await;
            }
        };
        let mut outcome = super::background::within(limit, all).await;
        outcome.result.insert("changed", false);
        outcome.result.insert("elapsed", started.elapsed().as_secs());
        Ok(ItemResult { delegated_to: ready.delegated_to.clone(), ..ItemResult::plain(outcome) })
    }

    async fn asked(&self, ready: &Ready) -> Answer {
        let link = invoke::worker(self.context, &ready.account, 0).await.map_err(|outcome| words(&outcome))?;
        let again = Ready {
            account: ready.account.clone(),
            delegated_to: None,
            module: ready.module,
            args: Map::new(),
            contents: Default::default(),
            check: false,
            diff: false,
            environment: Vec::new(),
            directory: None,
            detach: None,
        };
        let place = Place { chain: invoke::fresh(), granted: true, ..Place::default() };
        let mut ticket = again.send(self.context, &link, self.title, place);
        let last = ticket.id;
        match ticket.end(last).await {
            End::Done(ended) if ended.outcome.status == Status::Ok => Ok(Outcome::new(Status::Ok, Map::new())),
            End::Done(ended) => Err(words(&ended.outcome)),
            End::Broken(e) => Err(words(&invoke::failed(e))),
            End::Skipped(_) | End::Dropped => Err("no answer".to_owned()),
        }
    }
}
