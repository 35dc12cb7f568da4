//! Random plays on simulated hosts: what is done, and in which order, must not depend on
//! whether tasks are sent ahead.
//!
//! The hosts are simulated, the rest is real: dispatcher, links, frames, the worker's loop.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "all of it is test code")]

mod hosts;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use rplay::compile::Includes;
use rplay::compile::{CompiledPlay, IncludeAt, LoadedPlay, TagFilter, What, compile};
use rplay::connection::{Connection, Links, SshOptions, Workers};
use rplay::diag::{Checked, Diagnostic};
use rplay::event::Event;
use rplay::inventory::Builder;
use rplay::model::{Source, Value};
use rplay::playbook::{Entry, RoleFrom, parse_playbook};
use rplay::schedule::{Context, RunOptions, run};
use rplay::template::Engine;
use rplay::template::{NoOutside, Outside};
use rplay::vars::{FileVars, HostLayers};

use hosts::{Log, Way};

const HOSTS: [&str; 3] = ["alpha", "beta", "gamma"];

fn play(text: &str) -> CompiledPlay {
    let documents = rplay::yaml::load(&Source::new("random.yml", text)).unwrap().documents;
    let (entries, findings) = parse_playbook(&documents, "random.yml");
    let (mut entries, _) = findings.finish(entries).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    let Entry::Play(play) = entries.remove(0) else { panic!("no play") };
    let loaded = LoadedPlay {
        play: *play,
        imports: vec![],
        playbook_dir: ".".into(),
        playbook: 0,
        roles: HashMap::new(),
        private_roles: false,
        sound: true,
    };
    let engine = Arc::new(Engine::new(Arc::new(NoOutside)));
    let (play, findings) = compile(&loaded, &TagFilter::new([], []), false, &engine);
    assert!(findings.is_empty(), "{findings:?}\n{text}");
    play
}

/// The controller, which notes the commands that lookups run.
struct Controller(Log);

impl Outside for Controller {
    fn run(&self, command: &str) -> Result<(i32, String), String> {
        for began in [true, false] {
            self.0.lock().unwrap().push((command.to_owned(), "controller".into(), began));
        }
        Ok((0, command.to_owned()))
    }
    fn read_file(&self, path: &str) -> Result<(Vec<u8>, bool), String> {
        NoOutside.read_file(path)
    }
    fn kind(&self, _: &str) -> Option<&'static str> {
        None
    }
    fn find(&self, _: &str, _: &str, _: &[String]) -> Option<String> {
        None
    }
    fn glob(&self, _: &str) -> Vec<String> {
        vec![]
    }
    fn realpath(&self, path: &str) -> String {
        path.to_owned()
    }
    fn env(&self, _: &str) -> Option<String> {
        None
    }
    fn parse_yaml(&self, text: &str) -> Result<Value, String> {
        NoOutside.parse_yaml(text)
    }
    fn parse_yaml_all(&self, text: &str) -> Result<Vec<Value>, String> {
        NoOutside.parse_yaml_all(text)
    }
    fn now(&self) -> (i64, u32) {
        (0, 0)
    }
}

struct NoFiles;

impl Includes for NoFiles {
    fn tasks(&self, _: &str, _: &IncludeAt) -> Checked<(What, Vec<Diagnostic>)> {
        unreachable!()
    }
    fn role(&self, _: &str, _: &RoleFrom, _: Option<bool>, _: &IncludeAt) -> Checked<(What, Vec<Diagnostic>)> {
        unreachable!()
    }
}

/// What a run came to.
#[derive(Debug, PartialEq)]
struct Came {
    /// Actions in their order; those of one task on several hosts have none among them.
    actions: Vec<(String, Vec<String>)>,
    /// Every result: task, host, status.
    results: BTreeMap<(String, String), Vec<String>>,
    recap: Vec<(String, rplay::event::Counts)>,
}

fn context(seed: u64, options: RunOptions, log: &Log, events: UnboundedSender<Event>) -> Arc<Context> {
    let mut builder = Builder::new();
    builder.ini(&Source::new("hosts", format!("{}\n", HOSTS.join("\n")).as_str()));
    let hosts = HostLayers::new(Arc::new(builder.finish().unwrap()), Arc::new(FileVars::default()));
    let ssh = SshOptions { control_dir: "/nonexistent".into(), persist: "no".into(), connect_forks: 1 };
    let (log, noted) = (Arc::clone(log), Arc::clone(log));
    let way = move |host: &str, _: &rplay::connection::Target| -> Arc<dyn Connection> {
        Arc::new(Way { host: host.to_owned(), seed, log: Arc::clone(&log) })
    };
    let links = Links::new(Workers::find(&std::env::temp_dir()), ssh, Duration::from_secs(20)).over(Box::new(way));
    Arc::new(Context {
        options,
        hosts: rplay::schedule::Hosts::new(hosts),
        layers: vec![],
        engine: Arc::new(Engine::new(Arc::new(Controller(noted)))),
        outside: Arc::new(NoOutside),
        vault: Arc::default(),
        vars_loader: Box::new(|_| unreachable!()),
        includes: Box::new(NoFiles),
        wanted: TagFilter::new([], []),
        links,
        events,
        files: Mutex::default(),
        owners: Mutex::default(),
        accounts: rplay::schedule::Accounts::default(),
        fact_cache: None,
        reload: None,
        asker: None,
        stepper: None,
        progress: Arc::default(),
    })
}

/// Runs a play in step; whether `linear`'s promise was kept is asserted here.
fn run_play(text: &str, seed: u64, one_by_one: bool) -> Came {
    let (mut came, log) = run_any(text, seed, RunOptions { one_by_one, ..RunOptions::default() });
    came.actions = in_turns(&log, text);
    came
}

/// Runs a play whose hosts go alone: what each did, in its order.
fn run_free(text: &str, seed: u64, one_by_one: bool) -> Came {
    let (mut came, log) = run_any(text, seed, RunOptions { one_by_one, ..RunOptions::default() });
    let began: Vec<&(String, String, bool)> = log.iter().filter(|(_, _, began)| *began).collect();
    for host in HOSTS.into_iter().chain(["controller"]) {
        let mut did: Vec<String> = began.iter().filter(|(_, h, _)| h == host).map(|(what, ..)| what.clone()).collect();
        // Others delegate to this one whenever they come to it.
        if matches!(host, "beta" | "controller") {
            did.sort();
        }
        came.actions.push((host.to_owned(), did));
    }
    came
}

fn run_any(text: &str, seed: u64, options: RunOptions) -> (Came, Vec<(String, String, bool)>) {
    let log = Log::default();
    let (sender, mut receiver) = unbounded_channel();
    let context = context(seed, options, &log, sender);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let plays = [Arc::new(play(text))];
    let all = async { tokio::time::timeout(Duration::from_secs(20), run(&context, &plays)).await };
    let ended = runtime.block_on(all);
    let summary = ended.unwrap_or_else(|_| panic!("hangs:\n{text}\n{:?}", log.lock())).unwrap();
    drop(context);
    let mut results: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut task = String::new();
    while let Ok(event) = receiver.try_recv() {
        match event {
            Event::TaskStarted { name, .. } => task = name,
            Event::HostDone(r) => {
                let seen = format!("{:?} {:?} {}", r.outcome.status, r.outcome.result, r.ignored);
                results.entry((task.clone(), r.host.clone())).or_default().push(seen);
            }
            _ => {}
        }
    }
    let log = log.lock().unwrap().clone();
    (Came { actions: vec![], results, recap: summary.recap.into_iter().collect() }, log)
}

/// The turns of the tasks: no action of one lies between two of another, and none begins
/// before all of the turn before have ended.
fn in_turns(log: &[(String, String, bool)], text: &str) -> Vec<(String, Vec<String>)> {
    let mut turns: Vec<(String, Vec<String>)> = Vec::new();
    let mut open = 0;
    for (what, host, began) in log {
        if !began {
            open -= 1;
            continue;
        }
        // Items of one task, and its variables on a host, stand after the task's number.
        let task = what.split(['.', '-']).next().unwrap_or_default();
        if turns.last().is_none_or(|(last, _)| last != task) {
            assert_eq!(open, 0, "`{what}` began on {host} while the task before was at work\n{text}\n{log:?}");
            turns.push((task.to_owned(), vec![]));
        }
        open += 1;
        turns.last_mut().unwrap().1.push(format!("{host} {what}"));
    }
    turns.iter_mut().for_each(|(_, actions)| actions.sort());
    turns
}

/// Writes tasks of all kinds, as the numbers say.
struct Author {
    numbers: std::vec::IntoIter<u8>,
    text: String,
    count: usize,
    /// Nothing that reads what other hosts have come to.
    alone: bool,
}

/// A lookup that does something on the controller, for each host.
fn lookup(n: usize) -> String {
    format!("{{{{ lookup('pipe', 't{n}-' ~ inventory_hostname) }}}}")
}

impl Author {
    fn pick(&mut self, n: u8) -> u8 {
        self.numbers.next().unwrap_or(0) % n
    }

    fn line(&mut self, depth: usize, line: &str) {
        self.text.push_str(&" ".repeat(depth));
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn tasks(&mut self, depth: usize, n: usize, nested: bool) {
        for _ in 0..n {
            if nested && self.pick(5) == 0 {
                self.block(depth);
            } else {
                self.task(depth);
            }
        }
    }

    fn block(&mut self, depth: usize) {
        for (key, wanted) in [("- block:", 4), ("  rescue:", 2), ("  always:", 2)] {
            if key != "- block:" && self.pick(wanted) == 0 {
                continue;
            }
            self.line(depth, key);
            let n = usize::from(self.pick(3)) + 1;
            self.tasks(depth + 4, n, false);
        }
    }

    fn task(&mut self, depth: usize) {
        self.count += 1;
        let n = self.count;
        self.line(depth, &format!("- name: task {n}"));
        let looped = self.pick(6) == 0;
        let what = if looped { format!("t{n}.{{{{ item }}}}") } else { format!("t{n}") };
        let kind = self.pick(7);
        match kind {
            0 => self.line(depth, "  debug: msg=hello"),
            1 => self.line(depth, &format!("  set_fact: {{fact: {n}}}")),
            2 | 3 => self.line(depth, &format!("  command: {what}")),
            4 => self.line(depth, &format!("  file: {{path: \"{what}-{{{{ fact | default('') }}}}\", state: touch}}")),
            5 if !looped => self.line(depth, &format!("  file: {{path: \"{}\", state: touch}}", lookup(n))),
            _ => self.line(depth, &format!("  file: {{path: \"{what}\", state: touch}}")),
        }
        if looped {
            self.line(depth, "  loop: [a, b, c]");
        }
        let earlier = n.saturating_sub(usize::from(self.pick(4)) + 1).max(1);
        match self.pick(9) {
            0 => self.line(depth, &format!("  when: r{earlier} is defined and r{earlier} is changed")),
            1 => self.line(depth, &format!("  when: r{earlier}.rc | default(0) == 1")),
            2 => self.line(depth, "  when: inventory_hostname != 'beta'"),
            3 => self.line(depth, &format!("  when: r{earlier}.said is defined")),
            4 if !self.alone => self.line(depth, "  when: ansible_play_hosts | length > 2"),
            _ => {}
        }
        for (chance, line) in [
            (2, format!("  register: r{n}")),
            (6, "  ignore_errors: true".to_owned()),
            (5, "  changed_when: false".to_owned()),
            (9, format!("  failed_when: r{n}.rc | default(0) == 1")),
            (if self.alone { 1 } else { 9 }, "  run_once: true".to_owned()),
            (4, "  notify: handler".to_owned()),
            // Of several that bring one host into one state, the first changes it: whichever
            // that is. A command is one for each.
            (if matches!(kind, 2 | 3) { 5 } else { 1 }, "  delegate_to: beta".to_owned()),
            (15, "  any_errors_fatal: true".to_owned()),
        ] {
            if self.pick(chance) == 1 {
                self.line(depth, &line);
            }
        }
    }
}

fn write_play(numbers: Vec<u8>, strategy: &str) -> String {
    let alone = strategy != "linear";
    let mut author = Author { numbers: numbers.into_iter(), text: String::new(), count: 0, alone };
    author.line(0, "- hosts: all");
    author.line(2, &format!("strategy: {strategy}"));
    author.line(2, "gather_facts: false");
    for line in ["serial: 2", "serial: 1", "max_fail_percentage: 40", "force_handlers: true", "any_errors_fatal: true"]
    {
        if author.pick(8) == 1 {
            author.line(2, line);
        }
    }
    author.line(2, "tasks:");
    author.tasks(4, 12, true);
    author.line(2, "handlers:");
    author.line(4, "- name: handler");
    author.line(6, "command: handle");
    author.text.replace("serial: 2\n  serial: 1", "serial: 1")
}

/// How many were at work at the same time at most, at all and at one task, and the hosts in
/// the order they began in.
fn crowd(text: &str, forks: Option<usize>) -> (usize, usize, Vec<String>) {
    let (came, log) = run_any(text, 5, RunOptions { forks, ..RunOptions::default() });
    assert_eq!(came.recap.len(), HOSTS.len());
    let (mut open, mut most, mut most_at_one) = (HashMap::<&str, usize>::new(), 0, 0);
    for (what, _, began) in &log {
        let here = open.entry(what).or_default();
        *here = if *began { *here + 1 } else { *here - 1 };
        most_at_one = most_at_one.max(*here);
        most = most.max(open.values().sum());
    }
    (most, most_at_one, log.iter().filter(|(.., began)| *began).map(|(_, host, _)| host.clone()).collect())
}

#[test]
fn throttle_and_forks_limit_how_many_hosts_are_at_work() {
    let tasks = |keyword: &str| (1..8).map(|n| format!("    - command: t{n}\n{keyword}")).collect::<String>();
    for strategy in ["linear", "free", "host_pinned"] {
        let head = format!(
            "- hosts: all\n  strategy: {strategy}\n  gather_facts: false\n  ignore_errors: true\n  vars: {{one: 1}}\n  tasks:\n"
        );
        for keyword in ["      throttle: 1\n", "      throttle: \"{{ one }}\"\n"] {
            let (_, at_one, order) = crowd(&format!("{head}{}", tasks(keyword)), None);
            assert_eq!((at_one, order.len()), (1, 21), "{strategy} {keyword}");
        }
        let (most, _, order) = crowd(&format!("{head}{}", tasks("")), Some(1));
        assert_eq!((most, order.len()), (1, 21), "{strategy}");
        let expected: Vec<&str> = match strategy {
            "linear" => HOSTS.repeat(7),
            "host_pinned" => HOSTS.iter().flat_map(|host| [*host; 7]).collect(),
            _ => continue,
        };
        assert_eq!(order, expected, "{strategy}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 50, max_shrink_iters: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sending_ahead_changes_nothing_that_is_done_and_nothing_that_is_said(
        numbers in proptest::collection::vec(any::<u8>(), 60..300), seed in any::<u64>(),
    ) {
        let text = write_play(numbers, "linear");
        let plain = run_play(&text, seed, true);
        let ahead = run_play(&text, seed, false);
        prop_assert_eq!(&plain.actions, &ahead.actions, "{}", text);
        for (which, results) in &plain.results {
            prop_assert_eq!(Some(results), ahead.results.get(which), "{:?}\n{}", which, text);
        }
        prop_assert_eq!(plain, ahead, "{}", text);
    }

    #[test]
    fn alone_each_host_does_the_same_in_the_same_order(
        numbers in proptest::collection::vec(any::<u8>(), 60..300), seed in any::<u64>(), pinned in any::<bool>(),
    ) {
        let text = write_play(numbers, if pinned { "host_pinned" } else { "free" });
        let plain = run_free(&text, seed, true);
        let ahead = run_free(&text, seed, false);
        prop_assert_eq!(plain, ahead, "{}", text);
    }
}
