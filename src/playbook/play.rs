//! Plays and playbooks.

use super::keywords::{self, Keywords, Place};
use super::parse::Findings;
use super::role::RoleRef;
use super::strategy::Strategy;
use super::task::{Item, parse_section, unknown_keyword};
use crate::diag::Diagnostic;
use crate::model::{Origin, Text, Value};
use crate::yaml::Node;

/// Task statements of Ansible's that are no modules; known, so that they are not
/// taken for misspelt ones.
pub(super) const TASK_STATEMENTS: &[&str] =
    &["import_tasks", "include_tasks", "import_role", "include_role", "include_vars", "import_playbook", "meta"];

/// An entry of a playbook.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A play.
    Play(Box<Play>),
    /// `import_playbook`.
    Import(Import),
}

/// `import_playbook`.
#[derive(Debug, Clone)]
pub struct Import {
    /// The file, relative to the one that imports it.
    pub file: Text,
    /// Where the file's name stands.
    pub origin: Origin,
    /// `vars`, `tags`, `when`: inherited by all its plays.
    pub keywords: Keywords,
}

/// A play.
#[derive(Debug, Clone)]
pub struct Play {
    /// Where it starts.
    pub origin: Origin,
    /// `hosts`: patterns, joined as with commas.
    pub hosts: Vec<Text>,
    /// Its other keywords.
    pub keywords: Keywords,
    /// `pre_tasks`.
    pub pre_tasks: Vec<Item>,
    /// `roles`.
    pub roles: Vec<RoleRef>,
    /// `tasks`.
    pub tasks: Vec<Item>,
    /// `post_tasks`.
    pub post_tasks: Vec<Item>,
    /// `handlers`.
    pub handlers: Vec<Item>,
    /// Whether nothing in it is wrong.
    pub sound: bool,
}

impl Play {
    /// Its name, or its hosts.
    pub fn title(&self) -> Text {
        match self.keywords.value("name") {
            Some(Value::Str(name)) if !name.is_empty() => name.clone(),
            _ => {
                let patterns = self.hosts.iter().map(Text::as_str).collect::<Vec<_>>().join(",");
                Text::template(patterns, self.hosts.first().and_then(|h| h.origin().cloned()))
            }
        }
    }
}

/// Reads a playbook: what of it can be read, and what is wrong with the rest.
pub fn parse_playbook(documents: &[Node], name: &str) -> (Vec<Entry>, Findings) {
    let mut findings = Findings::default();
    let mut entries = Vec::new();
    for document in documents.iter().filter(|d| !d.is_null()) {
        let Some(plays) = document.as_seq() else {
            findings.push(
                Diagnostic::error(format!("A playbook must be a list of plays, got {} instead", document.describe()))
                    .at(document.origin.clone())
                    .hint("begin each play with `- hosts: …`"),
            );
            continue;
        };
        if plays.is_empty() {
            let finding = Diagnostic::error(format!("A playbook must contain at least one play: {name}"));
            findings.push(finding.at(document.origin.clone()));
        }
        for node in plays {
            let before = findings.errors();
            let mut entry = parse_entry(node, &mut findings);
            if let Some(Entry::Play(play)) = &mut entry {
                play.sound = findings.errors() == before;
            }
            entries.extend(entry);
        }
    }
    if documents.iter().all(Node::is_null) {
        findings.push(Diagnostic::error(format!("Empty playbook, nothing to do: {name}")));
    }
    (entries, findings)
}

fn parse_entry(node: &Node, findings: &mut Findings) -> Option<Entry> {
    let Some(entries) = node.as_map() else {
        findings.push(
            Diagnostic::error(format!("a play is a mapping, this is {}", node.describe())).at(node.origin.clone()),
        );
        return None;
    };
    let import = |key: &Node| {
        matches!(
            key.as_str(),
            Some("import_playbook" | "ansible.builtin.import_playbook" | "ansible.legacy.import_playbook")
        )
    };
    if let Some((_, file)) = entries.iter().find(|(key, _)| import(key)) {
        return parse_import(entries, file, &import, findings).map(Entry::Import);
    }
    parse_play(node, entries, findings).map(|play| Entry::Play(Box::new(play)))
}

fn parse_import(
    entries: &[(Node, Node)],
    file: &Node,
    is_import: &dyn Fn(&Node) -> bool,
    findings: &mut Findings,
) -> Option<Import> {
    let mut keywords = Keywords::default();
    for (key, value) in entries.iter().filter(|(key, _)| !is_import(key)) {
        let name = key.as_str().unwrap_or_default();
        let allowed = matches!(name, "name" | "vars" | "tags" | "when");
        if !allowed || !keywords.read(key, value, Place::Block, findings) {
            findings.push(
                Diagnostic::error(format!("'{name}' is not a valid attribute for a PlaybookInclude"))
                    .at(key.origin.clone())
                    .suggest(name, ["name", "vars", "tags", "when"]),
            );
        }
    }
    match findings.take(file.to_value())? {
        Value::Str(text) if !text.is_empty() => Some(Import { file: text, origin: file.origin.clone(), keywords }),
        _ => {
            findings.push(Diagnostic::error("import_playbook takes a file's name").at(file.origin.clone()));
            None
        }
    }
}

fn parse_play(node: &Node, entries: &[(Node, Node)], findings: &mut Findings) -> Option<Play> {
    let mut play = Play {
        origin: node.origin.clone(),
        hosts: Vec::new(),
        keywords: Keywords::default(),
        pre_tasks: Vec::new(),
        roles: Vec::new(),
        tasks: Vec::new(),
        post_tasks: Vec::new(),
        handlers: Vec::new(),
        sound: true,
    };
    for (key, value) in entries {
        match key.as_str() {
            Some("hosts") => play.hosts = parse_hosts(value, findings),
            Some("pre_tasks") => play.pre_tasks = parse_section("pre_tasks", value, Place::Task, findings),
            Some("tasks") => play.tasks = parse_section("tasks", value, Place::Task, findings),
            Some("post_tasks") => play.post_tasks = parse_section("post_tasks", value, Place::Task, findings),
            Some("handlers") => play.handlers = parse_section("handlers", value, Place::Handler, findings),
            Some("roles") => play.roles = RoleRef::parse_list(value, findings),
            name => read_play_keyword(&mut play.keywords, name.unwrap_or_default(), key, value, findings),
        }
    }
    if let (Some(_), Some(user)) = (node.get("remote_user"), node.get("user")) {
        findings.push(
            Diagnostic::error("both 'user' and 'remote_user' are set for this play.")
                .at(user.origin.clone())
                .hint("`user` is an older name of `remote_user`: keep that one"),
        );
    }
    if node.get("hosts").is_none() {
        findings.push(
            Diagnostic::error("the field 'hosts' is required but was not set")
                .at(node.origin.clone())
                .label("this play has no `hosts`"),
        );
        return None;
    }
    Some(play)
}

fn read_play_keyword(keywords: &mut Keywords, name: &str, key: &Node, value: &Node, findings: &mut Findings) {
    // An older name of the same thing.
    if name == "user" {
        let mut renamed = key.clone();
        if let crate::yaml::NodeKind::Str(scalar) = &mut renamed.kind {
            scalar.text = "remote_user".into();
        }
        keywords.read(&renamed, value, Place::Play, findings);
        return;
    }
    if keywords.read(key, value, Place::Play, findings) {
        if name == "serial" {
            super::serial::check(value, findings);
        }
        if name == "strategy"
            && let Some(strategy) = value.as_str().filter(|s| !s.contains("{{"))
            && let Err(finding) = Strategy::named(strategy)
        {
            findings.push((*finding).at(value.origin.clone()));
        }
        return;
    }
    let mut finding = unknown_keyword(name, key, Place::Play);
    if crate::modules::find(name).is_some() {
        finding = finding.hint(format!("`{name}` is a module: it belongs into a task under `tasks:`"));
    } else if keywords::find(name, Place::Task).is_some() {
        finding = finding.hint(format!("`{name}` is a keyword of tasks"));
    }
    findings.push(finding);
}

fn parse_hosts(node: &Node, findings: &mut Findings) -> Vec<Text> {
    let items = node.as_seq().unwrap_or(std::slice::from_ref(node));
    let mut hosts = Vec::new();
    if items.is_empty() {
        findings.push(no_hosts(node));
    }
    for item in items {
        match findings.take(item.to_value()) {
            Some(Value::Str(text)) if !text.trim().is_empty() => hosts.push(text),
            Some(_) => findings.push(no_hosts(item)),
            None => {}
        }
    }
    hosts
}

fn no_hosts(node: &Node) -> Diagnostic {
    Diagnostic::error("Hosts list cannot be empty. Please check your playbook")
        .at(node.origin.clone())
        .hint("`hosts` takes patterns: for example `hosts: all`, or a group of the inventory")
}
