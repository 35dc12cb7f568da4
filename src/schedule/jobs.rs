//! A task on its hosts, at the same time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::task::coop::unconstrained;

use super::Context;
use super::looping::{Job, TaskResult};
use super::shared::Limits;
use crate::event::Event;

/// After how much silence it is said who is awaited.
pub(super) const SILENCE: Duration = Duration::from_secs(15);

type Running = Pin<Box<dyn Future<Output = TaskResult> + Send>>;

/// Runs jobs at the same time, as many as the limits allow; in between says who is awaited.
/// Results are in the order of the jobs.
pub async fn run(context: &Arc<Context>, jobs: Vec<Job>, limits: &Limits, alone: bool) -> Vec<TaskResult> {
    let order: BTreeMap<String, usize> = jobs.iter().enumerate().map(|(i, j)| (j.host.clone(), i)).collect();
    let mut waiting: BTreeSet<String> = order.keys().cloned().collect();
    let mut jobs: VecDeque<Job> = jobs.into();
    let mut set = JoinSet::new();
    let started = Instant::now();
    let mut results = Vec::new();
    loop {
        // Hosts that go in step start in their order, when those before have made room.
        while let Some(job) = jobs.pop_front() {
            let answered = job.ready.is_some();
            let mut running: Running = if alone {
                let limits = limits.clone();
                Box::pin(async move {
                    let _permits = limits.wait().await;
                    job.run().await
                })
            } else if let Some(permits) = limits.take() {
                Box::pin(async move {
                    let _permits = permits;
                    job.run().await
                })
            } else {
                jobs.push_front(job);
                break;
            };
            // The answer to what was sent ahead is mostly here: then there is no need for a
            // task of its own, whose start and end would cost more than what it does.
            match if answered { once(&mut running).await } else { None } {
                Some(result) => {
                    waiting.remove(&result.host);
                    results.push(result);
                }
                None => drop(set.spawn(running)),
            }
        }
        match tokio::time::timeout(SILENCE, set.join_next()).await {
            Ok(Some(Ok(result))) => {
                waiting.remove(&result.host);
                results.push(result);
            }
            Ok(Some(Err(_))) => {}
            Ok(None) => break,
            // Who goes alone does not know of the others.
            Err(_) if alone => {}
            Err(_) => context.emit(Event::Waiting {
                hosts: waiting.iter().cloned().collect(),
                seconds: started.elapsed().as_secs(),
            }),
        }
    }
    results.sort_by_key(|r| order.get(&r.host).copied());
    results
}

/// What it comes to if it need not wait.
async fn once(running: &mut Running) -> Option<TaskResult> {
    let mut running = unconstrained(running);
    poll_fn(|cx| match Pin::new(&mut running).poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
