//! `rplay exec PATTERN -m MODULE -a ARGS`, also called as `ansible`: one task on many hosts.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches, parser::ValueSource};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::options::Options;
use super::{complain, output, playbook, say, setup, usage};
use crate::compile::LoadedPlay;
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::event::Event;
use crate::load::{Config, Environment, Files, Project};
use crate::model::{Origin, Source};
use crate::playbook::{Entry, parse_playbook};
use crate::report::{AdHoc, PATTERN, Page, Report, result_line};
use crate::schedule;
use crate::yaml::{self, Node, NodeKind, Scalar, Style};

/// Options of playbooks that one task has no use for.
const NOT_HERE: [&str; 10] = [
    "tags",
    "skip_tags",
    "list_tasks",
    "list_tags",
    "syntax_check",
    "start_at_task",
    "step",
    "force_handlers",
    "output",
    "timing",
];
/// Statements that are no modules.
const STATEMENTS: [&str; 4] = ["import_playbook", "import_role", "import_tasks", "include"];
/// Modules that do nothing without arguments.
const NEED_ARGS: [&str; 6] = ["command", "shell", "raw", "script", "win_command", "win_shell"];

/// What `exec` has beside the options of playbooks.
struct Given {
    /// Keywords of the task: the times that it may take.
    keywords: Vec<(&'static str, i64)>,
    module: String,
    args: String,
    one_line: bool,
    tree: Option<PathBuf>,
    playbook_dir: Option<String>,
}

/// The options of playbooks, less those that make no sense here, and exec's own.
fn command() -> Command {
    let value = |id: &'static str, long: &'static str, name: &'static str| Arg::new(id).long(long).value_name(name);
    let own = [
        value("module", "module-name", "MODULE").short('m').help("The module to run (default: command)"),
        value("args", "args", "ARGS").short('a').allow_hyphen_values(true).help("Its arguments: k=v words, or JSON"),
        Arg::new("one_line").long("one-line").short('o').action(ArgAction::SetTrue).help("Print a line a host"),
        value("tree", "tree", "DIR").short('t').help("Write each host's result to a file in this directory"),
        value("playbook_dir", "playbook-dir", "DIR").help("The directory whose group_vars count as a playbook's"),
        value("background", "background", "SECONDS")
            .short('B')
            .help("Run in the background, for so many seconds at most"),
        value("poll", "poll", "SECONDS")
            .short('P')
            .help("With -B, seconds between looks; 0 waits for nothing (default: 15)"),
        value("task_timeout", "task-timeout", "SECONDS").help("A limit of time for the task"),
    ];
    let command = Options::command().name("rplay exec").about("Runs one task on hosts: a module with its arguments.");
    let command = command.long_about(None).mut_arg("playbooks", |arg| {
        arg.value_name("PATTERN")
            .help("The hosts")
            .num_args(1)
            .action(ArgAction::Set)
            .required(false)
            .required_unless_present("version")
    });
    let command = NOT_HERE.iter().fold(command, |command, id| command.mut_arg(id, |arg| arg.short(None).hide(true)));
    command.args(own)
}

/// Runs the command; the first argument is its name.
pub fn run(args: &[String]) -> ExitCode {
    let matches = match super::matches(command(), args) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let options = match Options::from_arg_matches(&matches) {
        Ok(options) => options,
        Err(e) => return usage(&e),
    };
    let files = Arc::new(Files::new());
    playbook::ended(try_run(&options, &matches, &files), &files)
}

fn refuse(message: impl Into<String>, hint: &str) -> Vec<Diagnostic> {
    Diagnostic::error(message).hint(hint).exit(ExitCode::Options).into()
}

fn given(matches: &ArgMatches, config: &Config) -> Checked<Given> {
    let set = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    if let Some(id) = NOT_HERE.iter().find(|id| set(id)) {
        let option = id.replace('_', "-");
        return Err(refuse(format!("--{option} is an option of playbooks"), "one task has no use for it"));
    }
    let text = |id: &str| matches.get_one::<String>(id).cloned();
    let mut keywords = Vec::new();
    for (id, option, keyword) in
        [("background", "-B", "async"), ("poll", "-P", "poll"), ("task_timeout", "--task-timeout", "timeout")]
    {
        let Some(given) = text(id) else { continue };
        let seconds = given.parse::<u32>().map_err(|_| {
            let message = format!("{option} takes a number of seconds, and `{given}` is none");
            Diagnostic::error(message).hint("for example 60").exit(ExitCode::Usage)
        })?;
        keywords.push((keyword, i64::from(seconds)));
    }
    let module = text("module").unwrap_or_else(|| config.module_name.value.clone());
    let args = text("args").unwrap_or_else(|| config.module_args.value.clone());
    let short = module.strip_prefix("ansible.builtin.").or_else(|| module.strip_prefix("ansible.legacy."));
    let short = short.unwrap_or(&module);
    if NEED_ARGS.contains(&short) && args.trim().is_empty() && !matches.get_flag("list_hosts") {
        return Err(refuse(format!("No argument passed to {module} module"), "give it with -a"));
    }
    if STATEMENTS.contains(&short) {
        return Err(refuse(format!("'{module}' is not a valid action for ad-hoc commands"), "write a playbook for it"));
    }
    Ok(Given {
        module,
        args,
        one_line: matches.get_flag("one_line")
            || config.load_callbacks.value && config.stdout_callback.value.ends_with("oneline"),
        tree: text("tree").map(PathBuf::from),
        playbook_dir: text("playbook_dir"),
        keywords,
    })
}

fn text_node(text: &str, origin: &Origin) -> Node {
    let scalar = Scalar { text: Arc::from(text), style: Style::Double, is_unsafe: false };
    Node { origin: origin.clone(), kind: NodeKind::Str(scalar) }
}

/// The play of one task, as if it had been written in a playbook.
fn play(pattern: &str, given: &Given, dir: PathBuf) -> Checked<Project> {
    let option = |name: &str, text: &str| Origin::new(&Source::new(name, text), 1, 1);
    let (hosts_at, module_at) = (option(PATTERN, pattern), option("-m", &given.module));
    let key = |name: &str| text_node(name, &hosts_at);
    let source = Source::new("-a", given.args.clone());
    let json = given.args.trim_start().starts_with('{').then(|| yaml::load(&source).ok()).flatten();
    let args = json.and_then(|loaded| loaded.documents.into_iter().next()).filter(|node| node.as_map().is_some());
    let args = args.unwrap_or_else(|| match given.args.trim() {
        // With --list-hosts the task is not run: it needs no arguments.
        "" if NEED_ARGS.contains(&given.module.as_str()) => text_node("true", &module_at),
        "" => Node { origin: module_at.clone(), kind: NodeKind::Null },
        text => text_node(text, &Origin::new(&source, 1, 1)),
    });
    let map = |entries: Vec<(Node, Node)>| Node { origin: hosts_at.clone(), kind: NodeKind::Map(entries) };
    let list = |item: Node| Node { origin: hosts_at.clone(), kind: NodeKind::Seq(vec![item]) };
    let number = |n: i64| Node { origin: hosts_at.clone(), kind: NodeKind::Int(n.into()) };
    let keywords = given.keywords.iter().map(|(name, n)| (key(name), number(*n)));
    let task = map([(text_node(&given.module, &module_at), args)].into_iter().chain(keywords).collect());
    let document = list(map(vec![
        (key("name"), key("Ansible Ad-Hoc")),
        (key("hosts"), text_node(pattern, &hosts_at)),
        (key("gather_facts"), Node { origin: hosts_at.clone(), kind: NodeKind::Bool(false) }),
        (key("tasks"), list(task)),
    ]));
    let (entries, findings) = parse_playbook(&[document], "rplay exec");
    let (entries, warnings) = findings.finish(entries)?;
    let plays = entries.into_iter().filter_map(|entry| match entry {
        Entry::Play(play) => Some(LoadedPlay {
            play: *play,
            imports: Vec::new(),
            playbook_dir: dir.clone(),
            playbook: 0,
            roles: HashMap::new(),
            private_roles: false,
            sound: true,
        }),
        Entry::Import(_) => None,
    });
    Ok(Project { plays: plays.collect(), warnings, errors: Vec::new() })
}

fn try_run(options: &Options, matches: &ArgMatches, files: &Arc<Files>) -> Checked<ExitCode> {
    let environment = Environment::current();
    if options.version {
        return playbook::version(&environment, files);
    }
    let given = given(matches, &Config::load(files, &environment)?)?;
    let dir = super::sources::playbook_dir(&environment, given.playbook_dir.as_deref())?;
    // No pattern at all (`,`) is all hosts.
    let pattern = options.playbooks.first().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
    let pattern = if pattern.split(',').all(|part| part.trim().is_empty()) { "all".to_owned() } else { pattern };
    let mut loaded = setup::load_plays(options, &environment, files, |_, _, _| play(&pattern, &given, dir))?;
    let (sender, mut receiver) = unbounded_channel();
    let (context, warnings) = setup::ready(options, &environment, &mut loaded, files, sender)?;
    playbook::complain_masked(files, warnings);
    let mut hosts = Vec::new();
    for play in &loaded.plays {
        hosts.extend(schedule::select(&context, play)?);
    }
    announce(options, &hosts, &mut receiver);
    if options.list_hosts || hosts.is_empty() {
        return Ok(ExitCode::Success);
    }
    if options.verbose > 0 {
        say(&playbook::config_line(&loaded.config));
    }
    let report = AdHoc::new(output::look(options, &loaded.config), &given.module, given.one_line);
    let report: Box<dyn Report> = match given.tree {
        None => Box::new(report),
        Some(dir) => {
            std::fs::create_dir_all(&dir).map_err(|error| {
                vec![
                    Diagnostic::error(format!("cannot make the directory {}: {error}", dir.display()))
                        .exit(ExitCode::Error),
                ]
            })?;
            Box::new(Tree { inner: report, dir })
        }
    };
    let log = output::log(options, &loaded.config);
    let sinks = playbook::Sinks { files, log, show: options.show_secrets };
    playbook::perform(context, &loaded.plays, receiver, report, sinks)
}

/// What is said of the hosts before the task runs: that there are none, or their list.
fn announce(options: &Options, hosts: &[String], events: &mut UnboundedReceiver<Event>) {
    // The run says them again, with its hosts.
    while let Ok(event) = events.try_recv() {
        if let Event::Warning(text) = event
            && (hosts.is_empty() || options.list_hosts)
        {
            complain(&[Diagnostic::warning(text)]);
        }
    }
    if hosts.is_empty() {
        complain(&[Diagnostic::warning("No hosts matched, nothing to do")]);
    }
    if options.list_hosts {
        say(&format!("  hosts ({}):", hosts.len()));
        hosts.iter().for_each(|host| say(&format!("    {host}")));
    }
}

/// Writes each host's result to a file as well.
struct Tree {
    inner: AdHoc,
    dir: PathBuf,
}

impl Report for Tree {
    fn event(&mut self, event: &Event, out: &mut Page) -> std::io::Result<()> {
        if let Event::HostDone(result) = event {
            // A host's name may not leave the directory.
            let path = self.dir.join(result.host.replace('/', "_"));
            if let Err(error) = std::fs::write(&path, result_line(result)) {
                out.aside(&format!("[WARNING]: Unable to write to {}'s file: {error}", result.host));
            }
        }
        self.inner.event(event, out)
    }
}
