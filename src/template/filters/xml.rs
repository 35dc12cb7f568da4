//! `from_xml` and `to_xml`: XML as dicts, attributes as `@name` and text as `#text`.

use indexmap::IndexMap;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::Row;
use crate::model::Key;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] =
    &[("from_xml", "engine?", from_xml), ("to_xml", "engine? indent? indent_width? * full_document?", to_xml)];

/// How deep elements may be nested.
const DEPTH: usize = 200;

fn failed(plugin: &str, words: &str) -> Error {
    Error::new(format!("Error when using plugin '{plugin}': {words}"))
}

/// There is one way to turn XML into data; its name may be given.
fn engine(ev: &mut Eval, args: &Args, plugin: &str) -> R<()> {
    match args.str(ev, "engine", "xmltodict")?.as_str() {
        "xmltodict" => Ok(()),
        other => Err(failed(plugin, &format!("engine: {other} is not supported"))),
    }
}

/// An element that is being read.
struct Open {
    name: String,
    entries: IndexMap<Key, Val>,
    text: String,
}

impl Open {
    /// What it comes to: nothing, its text, or a dict.
    fn close(mut self) -> Val {
        let text = self.text.trim();
        if self.entries.is_empty() {
            return if text.is_empty() { Val::Null } else { Val::str(text) };
        }
        if !text.is_empty() {
            self.entries.insert(Key::from("#text"), Val::str(text));
        }
        Val::map(self.entries)
    }

    /// Adds a child; of several with one name a list is made.
    fn add(&mut self, name: &str, child: Val) {
        let next = match self.entries.get(&Key::from(name)) {
            None => child,
            Some(Val::List(list)) => list.with(child),
            Some(first) => Val::list(vec![first.clone(), child]),
        };
        self.entries.insert(Key::from(name), next);
    }
}

fn from_xml(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    engine(ev, args, "from_xml")?;
    let text = ev.text(&input)?;
    read(&text).ok_or_else(|| failed("from_xml", "Input Xml is not valid"))
}

/// The document, or nothing where it is not well-formed.
fn read(text: &str) -> Option<Val> {
    let mut reader = Reader::from_str(text.trim());
    // What stands around the document's element.
    let root = Open { name: String::new(), entries: IndexMap::new(), text: String::new() };
    let mut open = vec![root];
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) if open.len() < DEPTH => open.push(started(&tag)?),
            Event::Start(_) => return None,
            Event::Empty(tag) => {
                let child = started(&tag)?;
                let name = child.name.clone();
                open.last_mut()?.add(&name, child.close());
            }
            Event::End(_) => {
                let child = open.pop()?;
                let name = child.name.clone();
                open.last_mut()?.add(&name, child.close());
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(name) => {
                let text = &mut open.last_mut()?.text;
                match name.resolve_char_ref().ok()? {
                    Some(c) => text.push(c),
                    None => text.push_str(resolve_predefined_entity(&name)?),
                }
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    let [root] = <[Open; 1]>::try_from(open).ok()?;
    let one = root.entries.len() == 1 && !matches!(root.entries.values().next(), Some(Val::List(_)));
    (one && root.text.trim().is_empty()).then(|| Val::map(root.entries))
}

fn started(tag: &BytesStart<'_>) -> Option<Open> {
    let mut entries = IndexMap::new();
    for attribute in tag.attributes() {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned();
        entries.insert(Key::from(format!("@{}", attribute.key.0).as_str()), Val::str(value));
    }
    Some(Open { name: tag.name().0.to_owned(), entries, text: String::new() })
}

/// How XML is written.
struct Writer {
    indent: String,
    out: String,
}

fn to_xml(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    engine(ev, args, "to_xml")?;
    let Val::Map(map) = &input else {
        let kind = input.type_name();
        return Err(Error::new(format!("argument 'data' is of type {kind} and we were unable to convert to dict")));
    };
    let width = usize::try_from(args.int("indent_width", 4)?).unwrap_or(0).min(64);
    let indent = match args.str(ev, "indent", "tabs")?.as_str() {
        "tabs" => "\t".to_owned(),
        "spaces" => " ".repeat(width),
        other => return Err(Error::new(format!("value of indent must be one of: tabs, spaces, got: {other}"))),
    };
    let full = args.bool(ev, "full_document", true)?;
    let mut writer = Writer { indent, out: String::new() };
    if full {
        writer.out.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    }
    let roots = map.all(ev)?;
    let several = matches!(roots.values().next(), Some(Val::List(list)) if list.len() > 1);
    if full && (roots.len() != 1 || several) {
        return Err(failed("to_xml", "Input json is not valid"));
    }
    for (name, value) in roots {
        writer.element(ev, &name.to_string(), &value, 0)?;
    }
    Ok(Val::str(writer.out))
}

impl Writer {
    fn element(&mut self, ev: &mut Eval, name: &str, value: &Val, depth: usize) -> R<()> {
        if let Val::List(list) = value {
            let items = list.all(ev)?;
            return items.iter().try_for_each(|item| ev.nested(|ev| self.element(ev, name, item, depth)));
        }
        let (mut attributes, mut text, mut children) = (String::new(), String::new(), Vec::new());
        match value {
            Val::Map(map) => {
                for (key, value) in map.all(ev)? {
                    let key = key.to_string();
                    match key.strip_prefix('@') {
                        Some(attribute) => {
                            attributes.push_str(&format!(" {attribute}={}", quoted(&plain(ev, &value)?)));
                        }
                        None if key == "#text" => text = plain(ev, &value)?,
                        None if matches!(&value, Val::List(list) if list.len() == 0) => {}
                        None => children.push((key, value)),
                    }
                }
            }
            other => text = plain(ev, other)?,
        }
        self.out.push_str(&self.indent.repeat(depth));
        self.out.push_str(&format!("<{name}{attributes}>"));
        if !children.is_empty() {
            self.out.push('\n');
        }
        for (key, value) in &children {
            ev.nested(|ev| self.element(ev, key, value, depth + 1))?;
        }
        self.out.push_str(&escaped(&text));
        if !children.is_empty() {
            self.out.push_str(&self.indent.repeat(depth));
        }
        self.out.push_str(&format!("</{name}>"));
        if depth > 0 {
            self.out.push('\n');
        }
        Ok(())
    }
}

/// A value as text: nothing for none, and JSON's words for truth.
fn plain(ev: &mut Eval, value: &Val) -> R<String> {
    Ok(match value {
        Val::Null => String::new(),
        Val::Bool(b) => b.to_string(),
        other => ev.text(other)?,
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A value in the quotes that it has none of.
fn quoted(text: &str) -> String {
    let text = escaped(text).replace('\n', "&#10;").replace('\r', "&#13;").replace('\t', "&#9;");
    match (text.contains('"'), text.contains('\'')) {
        (true, false) => format!("'{text}'"),
        _ => format!("\"{}\"", text.replace('"', "&quot;")),
    }
}
