//! The composer: events to nodes, with tags, anchors, merge keys and their limits.

use std::collections::HashMap;
use std::sync::Arc;

use super::events::{Event, EventKind, Events};
use super::node::{Node, NodeKind, Style};
use super::scalar::{self, Plain};
use super::tags;
use super::{Loaded, problem};
use crate::diag::{Checked, Diagnostic};
use crate::model::{Key, Origin, Position, Source};

/// How the warning begins that says of a key that it stands twice in a mapping.
pub const DUPLICATE_KEY: &str = "Found duplicate mapping key";

/// Deeper nesting is nobody's file; the composer calls itself, so there is a limit.
const MAX_DEPTH: usize = 200;
/// Nodes that aliases may stand for in one stream: the "billion laughs" ends here.
const MAX_ALIASED: usize = 500_000;

/// Reads all documents of a source.
pub(super) fn compose(source: &Arc<Source>) -> Checked<Loaded> {
    let mut composer = Composer {
        source,
        events: Events::new(&source.text),
        anchors: HashMap::new(),
        aliased: 0,
        depth: 0,
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    let mut documents = Vec::new();
    loop {
        let event = composer.next()?;
        match event.kind {
            EventKind::StreamEnd => break,
            // Anchors belong to their document.
            EventKind::DocumentStart => composer.anchors.clear(),
            EventKind::StreamStart | EventKind::DocumentEnd => {}
            _ => documents.push(composer.node(event)?),
        }
    }
    if composer.errors.is_empty() {
        Ok(Loaded { documents, warnings: composer.warnings })
    } else {
        Err(composer.errors)
    }
}

/// An anchor: the node, or `None` while it is being read.
type Anchored = Option<(Node, usize)>;

struct Composer<'a> {
    source: &'a Arc<Source>,
    events: Events<'a>,
    anchors: HashMap<String, Anchored>,
    aliased: usize,
    depth: usize,
    /// Findings after which reading can go on.
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl Composer<'_> {
    fn next(&mut self) -> Checked<Event> {
        self.events.next().map_err(|error| {
            let mut all = std::mem::take(&mut self.errors);
            all.push(problem::explain(&error, self.source));
            all
        })
    }

    fn origin(&self, at: Position) -> Origin {
        Origin::new(self.source, at.line, at.column)
    }

    fn node(&mut self, event: Event) -> Checked<Node> {
        let origin = self.origin(event.at);
        let (anchor, tag, kind) = match event.kind {
            EventKind::Alias(name) => return self.alias(&name, origin),
            EventKind::Scalar { anchor, tag, text, style } => {
                let kind = self.scalar(text, tag.as_deref(), style, &origin);
                (anchor, None, kind)
            }
            EventKind::SeqStart { anchor, tag } => {
                self.open(anchor.as_deref(), &origin)?;
                (anchor, tag, NodeKind::Seq(self.items()?))
            }
            EventKind::MapStart { anchor, tag } => {
                self.open(anchor.as_deref(), &origin)?;
                (anchor, tag, NodeKind::Map(self.entries()?))
            }
            // An end without a start does not come out of libyaml.
            _ => (None, None, NodeKind::Null),
        };
        let mut node = Node { origin, kind };
        if matches!(node.kind, NodeKind::Seq(_) | NodeKind::Map(_)) {
            self.depth -= 1;
            self.collection_tag(&mut node, tag.as_deref());
        }
        if let Some(name) = anchor {
            let size = size(&node);
            self.anchors.insert(name, Some((node.clone(), size)));
        }
        Ok(node)
    }

    /// Goes one level down.
    fn open(&mut self, anchor: Option<&str>, origin: &Origin) -> Checked<()> {
        if let Some(name) = anchor {
            self.anchors.insert(name.to_owned(), None);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Diagnostic::error(format!("nested deeper than {MAX_DEPTH} levels"))
                .at(origin.clone())
                .label("too deep")
                .into());
        }
        Ok(())
    }

    fn items(&mut self) -> Checked<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.kind, EventKind::SeqEnd | EventKind::StreamEnd) {
                return Ok(items);
            }
            items.push(self.node(event)?);
        }
    }

    fn entries(&mut self) -> Checked<Vec<(Node, Node)>> {
        let mut own = Entries::default();
        let mut merged: Vec<(Node, Node)> = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.kind, EventKind::MapEnd | EventKind::StreamEnd) {
                break;
            }
            let is_merge = matches!(&event.kind,
                EventKind::Scalar { tag: None, text, style: Style::Plain, .. } if text == "<<");
            let key = self.node(event)?;
            let event = self.next()?;
            let value = self.node(event)?;
            if is_merge {
                self.merge(&mut merged, &key, value);
            } else {
                self.insert(&mut own, key, value);
            }
        }
        if merged.is_empty() {
            return Ok(own.list);
        }
        // Merged entries come first, the mapping's own win, as in PyYAML.
        let mut all = Entries::default();
        for (key, value) in merged.into_iter().chain(own.list) {
            all.set(key, value);
        }
        Ok(all.list)
    }

    fn insert(&mut self, entries: &mut Entries, key: Node, value: Node) {
        let origin = key.origin.clone();
        if key.to_key().is_none() {
            self.errors.push(problem::bad_key(&key, self.source));
            return;
        }
        let name = key.as_str().map(str::to_owned);
        if let Some(first) = entries.set(key, value) {
            let name = name.map(|name| format!(" '{name}'")).unwrap_or_default();
            self.warnings.push(
                Diagnostic::warning(format!("{DUPLICATE_KEY}{name}; the last one is used"))
                    .at(origin)
                    .label("this one is used")
                    .related(first, "this one is ignored")
                    .hint("remove one of them"),
            );
        }
    }

    /// `<<: *defaults` and `<<: [*a, *b]`: the first of several wins.
    fn merge(&mut self, merged: &mut Vec<(Node, Node)>, key: &Node, value: Node) {
        match value.kind {
            NodeKind::Map(entries) => merged.extend(entries),
            NodeKind::Seq(items) if items.iter().all(|item| item.as_map().is_some()) => {
                for item in items.into_iter().rev() {
                    if let NodeKind::Map(entries) = item.kind {
                        merged.extend(entries);
                    }
                }
            }
            _ => self.errors.push(
                Diagnostic::error("`<<` merges mappings, and this is none")
                    .at(value.origin)
                    .related(key.origin.clone(), "merged here")
                    .hint("quote the key, \"<<\", if it is an ordinary one"),
            ),
        }
    }

    fn alias(&mut self, name: &str, origin: Origin) -> Checked<Node> {
        let error = match self.anchors.get(name) {
            Some(Some((node, size))) => {
                self.aliased = self.aliased.saturating_add(*size);
                if self.aliased <= MAX_ALIASED {
                    return Ok(node.clone());
                }
                Diagnostic::error(format!("aliases stand for more than {MAX_ALIASED} nodes in this file"))
                    .hint("aliases of aliases multiply; write the data out, or build it with a template")
            }
            Some(None) => Diagnostic::error(format!("the alias `*{name}` stands inside its own anchor")),
            None => Diagnostic::error(format!("the alias `*{name}` has no anchor `&{name}` before it"))
                .suggest(name, self.anchors.keys().map(String::as_str))
                .hint("a value that starts with `*` is an alias in YAML; quote it if it is text"),
        };
        Err(error.at(origin).into())
    }

    fn scalar(&mut self, text: String, tag: Option<&str>, style: Style, origin: &Origin) -> NodeKind {
        let Some(tag) = tag else {
            if style == Style::Plain {
                let plain = scalar::resolve(&text);
                return scalar::kind(text, plain);
            }
            return scalar::string(text, style);
        };
        let plain = || scalar::resolve(text.trim());
        match tag.strip_prefix("tag:yaml.org,2002:").unwrap_or(tag) {
            "!" | "str" => return scalar::string(text, style),
            "!unsafe" => {
                return NodeKind::Str(super::Scalar { text: text.into(), style, is_unsafe: true });
            }
            "!vault" | "!vault-encrypted" => return NodeKind::Vault(text.into()),
            "null" => return NodeKind::Null,
            "bool" => {
                if let Plain::Bool(b) = scalar::resolve(&text.to_lowercase()) {
                    return NodeKind::Bool(b);
                }
            }
            "int" => {
                if let Some(i) = scalar::int(&text) {
                    return NodeKind::Int(i);
                }
            }
            "float" => {
                if let Some(f) = scalar::float(&text).or_else(|| text.parse().ok()) {
                    return NodeKind::Float(f);
                }
            }
            "timestamp" => {
                if let Plain::Time(time) = plain() {
                    return scalar::string(time, style);
                }
            }
            "binary" => match tags::binary(&text) {
                Ok(text) => return scalar::string(text, style),
                Err(finding) => {
                    self.errors.push(finding.at(origin.clone()));
                    return NodeKind::Null;
                }
            },
            _ => {
                self.errors.push(problem::unknown_tag(tag, origin));
                return NodeKind::Null;
            }
        }
        self.errors.push(
            Diagnostic::error(format!("`{text}` is not a value of its tag `{}`", problem::short_tag(tag)))
                .at(origin.clone()),
        );
        NodeKind::Null
    }

    fn collection_tag(&mut self, node: &mut Node, tag: Option<&str>) {
        let Some(tag) = tag else { return };
        match tag.strip_prefix("tag:yaml.org,2002:").unwrap_or(tag) {
            "!unsafe" => make_unsafe(node),
            "!" | "map" | "seq" => {}
            kind @ ("set" | "omap" | "pairs") if !tags::make_list(node, kind) => self
                .errors
                .push(Diagnostic::error(format!("this is not a value of its tag `!!{kind}`")).at(node.origin.clone())),
            "set" | "omap" | "pairs" => {}
            _ => self.errors.push(problem::unknown_tag(tag, &node.origin)),
        }
    }
}

/// A mapping's entries while they are read: each key once, at its first place.
#[derive(Default)]
struct Entries {
    list: Vec<(Node, Node)>,
    index: HashMap<Key, usize>,
}

impl Entries {
    /// Sets a key; returns where it stood when it was there.
    fn set(&mut self, key: Node, value: Node) -> Option<Origin> {
        let id = key.to_key()?;
        let next = self.list.len();
        let at = *self.index.entry(id).or_insert(next);
        match self.list.get_mut(at) {
            Some(entry) => {
                let old = std::mem::replace(entry, (key, value));
                Some(old.0.origin)
            }
            None => {
                self.list.push((key, value));
                None
            }
        }
    }
}

fn make_unsafe(node: &mut Node) {
    match &mut node.kind {
        NodeKind::Str(scalar) => scalar.is_unsafe = true,
        NodeKind::Seq(items) => items.iter_mut().for_each(make_unsafe),
        NodeKind::Map(entries) => entries.iter_mut().for_each(|(_, value)| make_unsafe(value)),
        _ => {}
    }
}

/// How many nodes a node is.
fn size(node: &Node) -> usize {
    1 + match &node.kind {
        NodeKind::Seq(items) => items.iter().map(size).sum(),
        NodeKind::Map(entries) => entries.iter().map(|(k, v)| size(k) + size(v)).sum(),
        _ => 0,
    }
}
