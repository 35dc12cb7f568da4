//! `include_tasks` and `include_role`: what is read when its turn comes, and run at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::flow::Flow;
use super::linear::Linear;
use super::looping::TaskResult;
use crate::compile::{self, AskedFor, CompiledTask, Course, IncludeAt};
use crate::diag::{Checked, Diagnostic, ExitCode, Severity};
use crate::event::{Event, HostResult, TaskKind};
use crate::model::{Map, Outcome, Status, Timing, Value};
use crate::module::to_bool;
use crate::playbook::RoleFrom;

/// Includes within includes end here: one that includes itself without end.
const MAX_DEPTH: usize = 100;

/// What an include asks for on a host.
#[derive(Debug, Clone, PartialEq)]
pub struct Include {
    /// A file of tasks, or a role.
    pub name: String,
    /// The role's files; nothing for a file of tasks.
    pub role: Option<(RoleFrom, Option<bool>)>,
    /// The loop's variables for this item.
    pub item: Map,
    /// The item as it is shown.
    pub label: Option<Value>,
    /// Not on hosts where the same has run already (`allow_duplicates: false`).
    pub once: bool,
}

/// Hosts that include the same.
pub struct Group {
    include: Include,
    hosts: Vec<String>,
}

impl Linear {
    /// What results ask to be included, those that ask for the same together. What a task that
    /// runs once includes is for its host alone.
    pub(super) fn included(&self, results: &mut [TaskResult]) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for result in results {
            result.counted_elsewhere = result.includes.iter().any(|include| include.role.is_none());
            // Each role counts; the task's own result stands for the first.
            let roles = result.includes.iter().filter(|include| include.role.is_some()).count();
            let more = u32::try_from(roles.saturating_sub(1)).unwrap_or(u32::MAX);
            self.world.count(&result.host, |counts| counts.ok = counts.ok.saturating_add(more));
            // A host that asks for the same again, in a loop with equal items, gets it again: what it has
            // brought itself is none of the groups that it may join. Hosts mostly ask in the same order.
            let (known, mut next) = (groups.len(), 0);
            for include in std::mem::take(&mut result.includes) {
                let joins = |group: &Group| group.include == include && !group.hosts.contains(&result.host);
                let mut order = (next..known).chain(0..next);
                match order.find_map(|at| groups.get(at).filter(|group| joins(group)).map(|_| at)) {
                    Some(at) => {
                        groups.iter_mut().skip(at).take(1).for_each(|group| group.hosts.push(result.host.clone()));
                        next = at + 1;
                    }
                    None => groups.push(Group { include, hosts: vec![result.host.clone()] }),
                }
            }
        }
        groups
    }

    /// Reads what is included, and runs it: each group's tasks one after the other.
    pub(super) async fn include_all(&mut self, task: &Arc<CompiledTask>, groups: Vec<Group>, kind: TaskKind) {
        if groups.is_empty() {
            return;
        }
        self.forget_all();
        let mut courses = Vec::new();
        for group in groups {
            match self.read_include(task, &group, kind) {
                Ok((course, shown, role)) => {
                    self.teller.emit(Event::Included {
                        what: shown,
                        hosts: group.hosts.clone(),
                        item: group.include.label.clone(),
                    });
                    if group.include.role.is_none() {
                        group.hosts.iter().for_each(|host| self.world.count(host, |c| c.ok += 1));
                    }
                    let again = |host: &String| role.as_ref().is_some_and(|asked| self.has_run(host, asked));
                    let hosts = group.hosts.into_iter().filter(|host| !group.include.once || !again(host));
                    courses.push((course, hosts.collect::<Vec<_>>()));
                }
                Err(findings) => self.not_included(task, &group, &findings),
            }
        }
        self.depth += 1;
        // A handler that is forced to run on a host that has failed brings its tasks there, too.
        let held = if self.handling { self.hold_failures() } else { Vec::new() };
        for (course, hosts) in courses {
            let within: BTreeSet<String> = hosts.into_iter().collect();
            self.course(Arc::new(course), kind, Some(&within), 0).await;
            if self.over().is_some() {
                break;
            }
        }
        self.restore_failures(held);
        self.depth -= 1;
    }

    /// Whether tasks of what a statement asks for have run on a host.
    fn has_run(&self, host: &str, asked: &AskedFor) -> bool {
        let ran = self.roles_seen.get(host).into_iter().flatten();
        let mut ran = ran.filter_map(|role| self.play.roles.get(*role)?.asked_for.as_ref());
        ran.any(|other| **other == *asked)
    }

    /// Sets aside how far hosts have come that have failed, as if they had not.
    fn hold_failures(&mut self) -> Vec<(String, Flow)> {
        let failed = self.flows.iter_mut().filter(|(_, flow)| flow.has_failed());
        failed.map(|(host, flow)| (host.clone(), std::mem::take(flow))).collect()
    }

    fn restore_failures(&mut self, held: Vec<(String, Flow)>) {
        for (host, before) in held {
            if let Some(flow) = self.flows.get_mut(&host) {
                flow.resume(before);
            }
        }
    }

    /// What is included, how it is shown, and which role is asked for.
    fn read_include(
        &mut self,
        task: &CompiledTask,
        group: &Group,
        kind: TaskKind,
    ) -> Checked<(Course, String, Option<Arc<AskedFor>>)> {
        if self.depth > MAX_DEPTH {
            return Err(Diagnostic::error("files of tasks include each other without end")
                .at(task.origin.clone())
                .into());
        }
        let include = &group.include;
        let role = task.role.and_then(|r| self.play.roles.get(r)).map(|r| r.path.clone());
        let at = IncludeAt {
            origin: task.action.origin.clone(),
            role,
            playbook_dir: self.play.playbook_dir.clone(),
            handler: kind == TaskKind::Handler,
            collections: searched(&self.play.keywords, task),
        };
        let (what, warnings) = match &include.role {
            None => self.context.includes.tasks(&include.name, &at)?,
            Some((from, public)) => self.context.includes.role(&include.name, from, *public, &at)?,
        };
        for warning in warnings.iter().filter(|w| w.severity == Severity::Warning) {
            self.context.emit(Event::Warning(super::explain::explain_all(warning)));
        }
        let shown = match &what {
            compile::What::Tasks(_, path) => path.clone(),
            compile::What::Role(_) => include.name.clone(),
        };
        let apply = compile::applied(task).map_err(|e| vec![*e])?;
        let tools = (&self.context.wanted, &self.context.engine);
        // Others may include at the same time: each takes numbers of its own.
        let numbers = |count| self.shared.ids.fetch_add(count, Ordering::Relaxed);
        let included = compile::include(&self.play, task, &what, (&apply, &include.item), tools, &numbers)?;
        let play = Arc::make_mut(&mut self.play);
        play.roles = included.roles;
        play.rescued = included.rescued;
        play.handlers = included.handlers;
        self.renew();
        Ok((included.course, shown, included.asked))
    }

    /// What cannot be included fails on each of its hosts, whatever `ignore_errors` says.
    fn not_included(&mut self, task: &CompiledTask, group: &Group, findings: &[Diagnostic]) {
        // What is there and makes no sense ends the run, as in Ansible: nothing rescues it.
        if self.depth <= MAX_DEPTH
            && let Some(broken) = findings.iter().find(|f| f.exit == ExitCode::Parse)
        {
            self.shared.break_off(broken.clone());
            return;
        }
        let reason = findings.iter().map(super::explain::explain_all).collect::<Vec<_>>().join("\n");
        for host in &group.hosts {
            let result = Map::from_iter([("include", group.include.name.as_str()), ("reason", reason.as_str())]);
            self.fails_on(task, host, &Outcome::new(Status::Failed, result), findings.first());
        }
    }

    /// A task fails on a host without having been tried there.
    pub(super) fn fails_on(&mut self, task: &CompiledTask, host: &str, outcome: &Outcome, why: Option<&Diagnostic>) {
        self.teller.emit(Event::HostDone(Box::new(HostResult {
            host: host.to_owned(),
            delegated_to: None,
            item: None,
            outcome: outcome.clone(),
            ignored: false,
            hidden: false,
            verbose: false,
            seconds: 0.0,
            explanation: why.cloned(),
            timing: Timing::default(),
        })));
        let view = self.view_of(task, host);
        let setting = task.keywords.value("any_errors_fatal").and_then(|v| view.render(v).ok().flatten());
        let fatal = setting.as_ref().and_then(to_bool).unwrap_or(self.context.options.any_errors_fatal);
        self.apply(task, TaskResult { fatal_for_all: fatal, ..TaskResult::of(host, outcome.clone()) });
    }
}

/// The collections that a task searches, its own and its play's.
fn searched(play: &crate::playbook::Keywords, task: &CompiledTask) -> Vec<String> {
    let named = |keywords: &crate::playbook::Keywords| compile::texts(keywords.value("collections"), false);
    let play = if task.role.is_none() { named(play) } else { Vec::new() };
    named(&task.keywords).into_iter().chain(play).map(|name| name.as_str().to_owned()).collect()
}
