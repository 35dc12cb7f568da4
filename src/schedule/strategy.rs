//! Strategies: how the hosts of a batch go through a play.
//!
//! `linear`: in step. `free`: each goes as fast as it can. `host_pinned`: as `free`, but a host
//! that has begun is taken to the end before another one takes its place.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::Context;
use super::jobs::SILENCE;
use super::linear::{End, Linear, Over};
use super::play::{Batch, play_view};
use super::shared::Shared;
use super::teller::{Shown, Teller};
use super::world::World;
use crate::compile::CompiledPlay;
use crate::diag::{Checked, Diagnostic};
use crate::event::Event;
use crate::model::Value;
use crate::playbook::Strategy;

/// How a batch went through a play.
pub struct Went {
    /// Why it ended.
    pub end: End,
    /// Hosts that failed.
    pub failed: Vec<String>,
    /// Hosts that were lost.
    pub gone: Vec<String>,
    /// What `meta` has ended.
    pub over: Option<Over>,
    /// The task that `--start-at-task` names has come.
    pub started: bool,
}

/// Takes a batch through a play.
///
/// # Errors
/// When the play's strategy is a template that fails, or is not known; later, when something
/// breaks the whole run off.
pub fn run<'r>(
    context: &'r Arc<Context>,
    play: &'r Arc<CompiledPlay>,
    world: &'r Arc<World>,
    batch: &'r Arc<Batch>,
    started: bool,
) -> Checked<impl Future<Output = Checked<Went>> + Send + 'r> {
    let strategy = of(context, play)?;
    Ok(async move {
        world.none_lost();
        let shared = Shared::new(context, play, strategy != Strategy::Linear);
        if strategy == Strategy::Linear {
            let teller = Teller::in_step(context);
            let mut linear = Linear::new(context, play, world, batch, batch.hosts.clone(), (shared, teller));
            linear.started |= started;
            let end = linear.run().await;
            linear.shared.goes_on()?;
            return Ok(went(&linear, end));
        }
        let all = alone(context, play, world, batch, (shared.clone(), strategy, started)).await;
        shared.goes_on().map(|()| all)
    })
}

fn of(context: &Context, play: &CompiledPlay) -> Checked<Strategy> {
    let set = play.keywords.get("strategy");
    let rendered = match set {
        Some(set) => play_view(context, play).render(&set.value).map_err(Diagnostic::from)?,
        None => None,
    };
    let Some(name) = rendered.as_ref().and_then(Value::as_str) else {
        return Ok(context.options.strategy.unwrap_or(Strategy::Linear));
    };
    Strategy::named(name).map_err(|finding| vec![finding.at(set.map(|set| set.origin.clone()))])
}

fn went(linear: &Linear, end: End) -> Went {
    let (failed, gone) = linear.losses();
    Went { end, failed, gone, over: linear.over(), started: linear.started }
}

/// Each host on its own.
async fn alone(
    context: &Arc<Context>,
    play: &Arc<CompiledPlay>,
    world: &Arc<World>,
    batch: &Arc<Batch>,
    (shared, strategy, started): (Shared, Strategy, bool),
) -> Went {
    warn_of_run_once(context, play);
    let shown = Shown::default();
    let pins = Arc::clone(&shared.permits);
    let mut walks = JoinSet::new();
    let mut hosts: VecDeque<&String> = batch.hosts.iter().collect();
    let mut all = Went { end: End::Done, failed: vec![], gone: vec![], over: None, started };
    let mut waiting: BTreeSet<String> = batch.hosts.iter().cloned().collect();
    let (mut said, mut silence) = (context.progress.sent(), 0);
    loop {
        while let Some(host) = hosts.front() {
            let (shared, pin) = match strategy {
                Strategy::HostPinned => match Arc::clone(&pins).try_acquire_owned() {
                    Ok(pin) => (shared.pinned(), Some(pin)),
                    Err(_) => break,
                },
                _ => (shared.clone(), None),
            };
            let teller = Teller::mixed(context, &shown);
            let mut walk = Linear::new(context, play, world, batch, vec![(*host).clone()], (shared, teller));
            walk.started |= started;
            walks.spawn(async move {
                let _pin = pin;
                let end = walk.run().await;
                (walk.hosts.first().cloned().unwrap_or_default(), went(&walk, end))
            });
            hosts.pop_front();
        }
        match tokio::time::timeout(SILENCE, walks.join_next()).await {
            Ok(None) => break,
            Ok(Some(Err(_))) => {}
            Ok(Some(Ok((host, one)))) => {
                waiting.remove(&host);
                all.failed.extend(one.failed);
                all.gone.extend(one.gone);
                all.over = all.over.or(one.over);
                all.started |= one.started;
            }
            Err(_) if context.progress.sent() == said => {
                silence += SILENCE.as_secs();
                context.emit(Event::Waiting { hosts: waiting.iter().cloned().collect(), seconds: silence });
                said = context.progress.sent();
            }
            Err(_) => (said, silence) = (context.progress.sent(), 0),
        }
    }
    if all.failed.len() + all.gone.len() >= batch.hosts.len() {
        all.end = End::Stop;
    }
    all
}

fn warn_of_run_once(context: &Context, play: &CompiledPlay) {
    let mut all_tasks = play.tasks.iter().chain(&play.handlers);
    if all_tasks.any(|task| task.keywords.get("run_once").is_some()) {
        let words = "run_once has no effect where hosts go alone (strategies free and host_pinned)";
        context.emit(Event::Warning(format!("{words}: such tasks run on every host")));
    }
}
