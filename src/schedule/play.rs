//! Plays one after the other: their hosts, their batches, what is left of the hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Context;
use super::linear::{End, Over};
use super::scope::magic;
use super::strategy::{self, Went};
use super::vars_files::PlayFiles;
use super::view::View;
use super::world::World;
use crate::compile::CompiledPlay;
use crate::diag::{Checked, Diagnostic, ExitCode, Severity};
use crate::event::{Counts, Event};
use crate::load::PatternMismatch;
use crate::model::{Text, Value};
use crate::playbook;

/// How a run ended.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Recap counts by host.
    pub recap: BTreeMap<String, Counts>,
    /// What hosts had been counted when their errors were cleared.
    pub forgiven: BTreeMap<String, Counts>,
}

impl Summary {
    /// The exit code, as Ansible gives it.
    pub fn exit(&self) -> ExitCode {
        let forgiven = |host: &String| self.forgiven.get(host).copied().unwrap_or_default();
        if self.recap.iter().any(|(host, c)| c.unreachable > forgiven(host).unreachable) {
            ExitCode::Unreachable
        } else if self.recap.iter().any(|(host, c)| c.failed > forgiven(host).failed) {
            ExitCode::Failed
        } else {
            ExitCode::Success
        }
    }
}

/// Hosts that run a play at the same time.
pub struct Batch {
    /// The hosts of this batch.
    pub hosts: Vec<String>,
    /// All hosts of the play.
    pub all: Vec<String>,
    /// Those of them that were lost before this batch.
    pub lost: BTreeSet<String>,
    /// `vars_files` of each host.
    pub files: PlayFiles,
}

/// Runs plays on their hosts.
///
/// # Errors
/// When a play cannot be started: a pattern that cannot be read, a variables file that
/// is not there; when a task notifies a handler that is not there. What ran before has been
/// reported.
pub async fn run(context: &Arc<Context>, plays: &[Arc<CompiledPlay>]) -> Checked<Summary> {
    let world = Arc::new(World::default());
    world.recall(context);
    let mut lost: BTreeSet<String> = BTreeSet::new();
    let mut started = context.options.start_at.is_none();
    let mut result = Ok(());
    for (index, plays) in plays.chunk_by(|a, b| a.playbook == b.playbook).enumerate() {
        if index > 0 {
            let recap = world.counts().into_iter().collect();
            context.emit(Event::PlaybookEnded { recap });
        }
        result = run_plays(context, plays, &world, &mut lost, &mut started).await;
        if result.is_err() {
            break;
        }
    }
    let recap = world.counts();
    if let Some(stats) = world.stats().filter(|_| context.options.show_custom_stats) {
        context.emit(stats);
    }
    context.emit(Event::RunEnded {
        recap: recap.iter().map(|(h, c)| (h.clone(), *c)).collect(),
        broken_off: result.is_err(),
    });
    result.map(|()| Summary { recap, forgiven: world.forgiven() })
}

async fn run_plays(
    context: &Arc<Context>,
    plays: &[Arc<CompiledPlay>],
    world: &Arc<World>,
    lost: &mut BTreeSet<String>,
    started: &mut bool,
) -> Checked<()> {
    for play in plays {
        let play = &super::prompts::asked(context, play).await?;
        let all = selected(context, play)?;
        let hosts: Vec<String> = ordered(context, play, &all)?.into_iter().filter(|h| !lost.contains(h)).collect();
        let name = title(context, play);
        context.emit(Event::PlayStarted { name: name.clone(), hosts: hosts.clone() });
        if hosts.is_empty() {
            if all.is_empty() {
                context.emit(Event::NoHosts { play: name });
            }
            continue;
        }
        for (index, batch) in batches(context, play, &hosts)?.into_iter().enumerate() {
            if index > 0 {
                context.emit(Event::PlayStarted { name: name.clone(), hosts: batch.clone() });
            }
            let files = PlayFiles::of(context, play, world, &batch, &all)?;
            let batch = Arc::new(Batch { hosts: batch, all: all.clone(), lost: lost.clone(), files });
            let before = world.forgiven();
            let went = strategy::run(context, play, world, &batch, *started)?;
            let Went { end, failed, gone, over, started: begun } = went.await?;
            *started = begun;
            let all_lost = failed.len() + gone.len() >= batch.hosts.len();
            if world.forgiven() != before {
                lost.clear();
            }
            lost.extend(failed);
            lost.extend(gone);
            if over == Some(Over::Play) {
                break;
            }
            // A batch that is lost as a whole ends the run, as in Ansible.
            if end == End::Stop || all_lost {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The hosts of a play, in its order.
///
/// # Errors
/// When its pattern cannot be read.
pub fn select(context: &Context, play: &CompiledPlay) -> Checked<Vec<String>> {
    selected(context, play).and_then(|hosts| ordered(context, play, &hosts))
}

/// The patterns of a play's hosts, rendered.
///
/// # Errors
/// When a template fails.
pub fn patterns(context: &Context, play: &CompiledPlay) -> Checked<Vec<String>> {
    play.hosts.iter().map(|text| render_hosts(context, play, text)).collect()
}

/// A play's name, rendered with what is known without a host.
pub fn title(context: &Context, play: &CompiledPlay) -> String {
    super::names::rendered_or_raw(&play_view(context, play), &play.title)
}

/// Whether a host's facts are gathered: `gather_facts` may be a template of what the play itself says.
pub(super) fn gathers(context: &Context, play: &CompiledPlay, batch: &Batch, world: &World, host: &str) -> bool {
    if context.options.gather_once && world.has_gathered(host) {
        return false;
    }
    let Some(text @ Value::Str(_)) = play.keywords.value("gather_facts") else { return true };
    let scope = play_view(context, play).scope.push_all(batch.files.layers(host));
    let wanted = View::new(&context.engine, scope).render(text).ok().flatten();
    wanted.as_ref().and_then(crate::module::to_bool).unwrap_or(true)
}

/// What a play sees before it has hosts.
pub(super) fn play_view(context: &Context, play: &CompiledPlay) -> View {
    let magic = magic::shared(context, play, &[], &[], &[]);
    let layers = context.layers.iter().cloned().chain(play.vars.iter().cloned()).chain([magic]);
    View::new(&context.engine, crate::vars::Scope::builder().merge(context.options.merge).layers(layers).build())
}

/// The hosts of a play in the order of the inventory.
fn selected(context: &Context, play: &CompiledPlay) -> Checked<Vec<String>> {
    let pattern = patterns(context, play)?.join(",");
    let selection = context.hosts.inventory().select(&pattern, context.options.limit.as_deref())?;
    let origin = play.hosts.first().and_then(Text::origin);
    let mismatches = selection.warnings.into_iter().map(|warning| warning.at(origin.cloned()));
    for warning in mismatched(context, mismatches)? {
        context.emit(Event::Warning(super::explain::explain_all(&warning)));
    }
    // Hosts and groups that tasks have added may have encrypted files, too.
    let layers = context.hosts.now();
    match selection.hosts.iter().find_map(|host| layers.locked(host).first().copied().cloned()) {
        Some(locked) => Err(locked.into()),
        None => Ok(selection.hosts),
    }
}

/// What is said of patterns that match no host: a warning, an error or nothing, as the configuration has it.
/// It is said when the play begins: earlier plays may add hosts and groups.
fn mismatched(context: &Context, found: impl Iterator<Item = Diagnostic>) -> Checked<Vec<Diagnostic>> {
    let found: Vec<Diagnostic> = found.collect();
    match context.options.pattern_mismatch {
        PatternMismatch::Warning => Ok(found),
        PatternMismatch::Ignore => Ok(Vec::new()),
        PatternMismatch::Error if found.is_empty() => Ok(found),
        PatternMismatch::Error => {
            let error = |finding| Diagnostic { severity: Severity::Error, exit: ExitCode::Error, ..finding };
            Err(found.into_iter().map(error).collect())
        }
    }
}

fn ordered(context: &Context, play: &CompiledPlay, hosts: &[String]) -> Checked<Vec<String>> {
    let mut hosts = hosts.to_vec();
    let order = match play.keywords.value("order") {
        Some(order) => play_view(context, play).render(order).map_err(Diagnostic::from)?,
        None => None,
    };
    match order.as_ref().and_then(Value::as_str) {
        Some("sorted") => hosts.sort(),
        Some("reverse_sorted") => {
            hosts.sort();
            hosts.reverse();
        }
        Some("reverse_inventory") => hosts.reverse(),
        Some("shuffle") => shuffle(&mut hosts),
        _ => {}
    }
    Ok(hosts)
}

fn render_hosts(context: &Context, play: &CompiledPlay, text: &Text) -> Checked<String> {
    if !text.is_template() {
        return Ok(text.as_str().to_owned());
    }
    match play_view(context, play).render(&Value::Str(text.clone())).map_err(Diagnostic::from)? {
        Some(Value::Str(text)) => Ok(text.as_str().to_owned()),
        Some(Value::List(items)) => Ok(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")),
        _ => Err(Diagnostic::error("`hosts` takes patterns").at(text.origin().cloned()).into()),
    }
}

/// Any order will do, and another one each time.
fn shuffle(hosts: &mut [String]) {
    use std::hash::{BuildHasher, RandomState};
    let state = RandomState::new();
    hosts.sort_by_cached_key(|h| state.hash_one(h));
}

/// `serial`: how many hosts at a time.
fn batches(context: &Context, play: &CompiledPlay, hosts: &[String]) -> Checked<Vec<Vec<String>>> {
    let Some(setting) = play.keywords.get("serial") else { return Ok(vec![hosts.to_vec()]) };
    let rendered = play_view(context, play).render(&setting.value).map_err(Diagnostic::from)?;
    let sizes = match rendered {
        Some(Value::List(items)) => items.to_vec(),
        Some(Value::Null) | None => vec![Value::from(0)],
        Some(other) => vec![other],
    };
    let mut out = Vec::new();
    let mut rest = hosts;
    let mut sizes = sizes.iter();
    let mut size = 0;
    while !rest.is_empty() {
        if let Some(next) = sizes.next() {
            size = playbook::batch_size(next, hosts.len()).ok_or_else(|| {
                Diagnostic::error("`serial` takes numbers and percentages").at(setting.origin.clone())
            })?;
        }
        let (now, later) = rest.split_at(if size == 0 { rest.len() } else { size.min(rest.len()) });
        out.push(now.to_vec());
        rest = later;
    }
    Ok(out)
}
