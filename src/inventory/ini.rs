//! Inventories in INI form.

use std::sync::Arc;

use super::words::{self, Word};
use super::{Builder, UNGROUPED, address, literal};
use crate::diag::Diagnostic;
use crate::model::{Origin, Source, Text, Value};

/// What a section's lines are.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Hosts,
    Vars,
    Children,
}

/// Reads a source into the builder; findings stay with the builder.
pub(super) fn parse(builder: &mut Builder, source: &Arc<Source>) {
    let mut reader = Reader { builder, source, group: UNGROUPED.to_owned(), kind: Some(Kind::Hosts) };
    for (number, line) in (1u32..).zip(source.text.lines()) {
        let line = if number == 1 { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
        let text = line.trim();
        if text.is_empty() || text.starts_with(['#', ';']) {
            continue;
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        let at = Line { number, indent: u32::try_from(indent).unwrap_or(0), text };
        if number == 1 && text == "---" {
            reader.error(&at, 1, "this is YAML in a file that is read as INI").hint("name it `….yml`");
            return;
        }
        reader.line(&at);
    }
}

/// A line without the space around it.
struct Line<'a> {
    number: u32,
    indent: u32,
    text: &'a str,
}

struct Reader<'a> {
    builder: &'a mut Builder,
    source: &'a Arc<Source>,
    group: String,
    /// `None` within a section that is not understood: its lines are passed over.
    kind: Option<Kind>,
}

impl Reader<'_> {
    /// The origin of a column (from 1) of the trimmed line.
    fn origin(&self, line: &Line, column: u32) -> Origin {
        Origin::new(self.source, line.number, line.indent.saturating_add(column))
    }

    /// Adds an error, and gives it back to be completed.
    fn error(&mut self, line: &Line, column: u32, message: impl Into<String>) -> Finding<'_> {
        let diagnostic = Diagnostic::error(message).at(self.origin(line, column));
        self.builder.errors.push(diagnostic);
        Finding(self.builder)
    }

    fn line(&mut self, line: &Line) {
        if line.text.starts_with('[') {
            match section(line.text) {
                Section::Header(group, kind) => return self.section(line, group, kind),
                Section::Broken => {
                    self.kind = None;
                    self.error(line, 1, "this section header cannot be read")
                        .hint("a header is `[group]`, `[group:vars]` or `[group:children]`, alone on its line");
                    return;
                }
                // `[::1]:22` is a host.
                Section::None => {}
            }
        }
        match self.kind {
            Some(Kind::Hosts) => self.hosts(line),
            Some(Kind::Vars) => self.variable(line),
            Some(Kind::Children) => self.child(line),
            None => {}
        }
    }

    fn section(&mut self, line: &Line, group: &str, kind: Option<&str>) {
        let origin = self.origin(line, 2);
        group.clone_into(&mut self.group);
        self.kind = match kind {
            None | Some("hosts") => Some(Kind::Hosts),
            Some("vars") => Some(Kind::Vars),
            Some("children") => Some(Kind::Children),
            Some(other) => {
                let column = u32::try_from(group.chars().count()).unwrap_or(0).saturating_add(3);
                self.error(line, column, format!("`{other}` is no kind of section"))
                    .suggest(other, &["vars", "children", "hosts"])
                    .hint("the kinds are `vars`, `children` and `hosts`");
                None
            }
        };
        match self.kind {
            Some(Kind::Vars) => self.builder.mention(group, &origin),
            _ => self.builder.add_group(group, &origin),
        }
    }

    fn hosts(&mut self, line: &Line) {
        let words = match words::split(line.text) {
            Ok(words) => words,
            Err(open) => {
                let what = if open.what == '\\' { "the backslash has" } else { "the quote opened here has" };
                self.error(line, open.column, format!("{what} no end on this line"))
                    .hint("close it, or escape it as \\'");
                return;
            }
        };
        let mut words = words.into_iter();
        let Some(host) = words.next() else { return };
        let Some(names) = self.host_names(line, &host) else { return };
        for word in words {
            self.host_variable(line, &names, &word);
        }
    }

    fn host_names(&mut self, line: &Line, word: &Word) -> Option<Vec<String>> {
        if word.text.ends_with(':') {
            self.error(line, word.column, format!("the host `{}` ends in `:` without a port", word.text));
            return None;
        }
        let found = address::address(&word.text);
        let names = match address::expand(&found.name) {
            Ok(names) => names,
            Err(why) => {
                self.error(line, word.column, format!("`{}`: {why}", word.text))
                    .hint("ranges are `web[01:20]`, `db-[a:f]`, `n[0:10:2]`");
                return None;
            }
        };
        let origin = self.origin(line, word.column);
        for name in &names {
            self.builder.add_host(name, found.port, &self.group, &origin);
        }
        Some(names)
    }

    fn host_variable(&mut self, line: &Line, hosts: &[String], word: &Word) {
        let Some((name, text)) = word.text.split_once('=') else {
            self.error(line, word.column, format!("expected `name=value` after the host, found `{}`", word.text))
                .hint("no space around `=`; quote a value with spaces in it: name=\"a b\"");
            return;
        };
        let origin = self.origin(line, word.column);
        let value = typed(text, &origin);
        for host in hosts {
            self.builder.set_host_var(host, name, value.clone(), &origin);
        }
    }

    fn variable(&mut self, line: &Line) {
        let Some((name, text)) = line.text.split_once('=') else {
            self.error(line, 1, format!("expected `name=value` in `[{}:vars]`, found `{}`", self.group, line.text));
            return;
        };
        let lead = name.chars().count() + 1 + text.chars().take_while(|c| c.is_whitespace()).count();
        let value_at = self.origin(line, u32::try_from(lead).unwrap_or(0).saturating_add(1));
        let value = typed(text.trim(), &value_at);
        let origin = self.origin(line, 1);
        let group = self.group.clone();
        self.builder.set_group_var(&group, name.trim(), value, &origin);
    }

    fn child(&mut self, line: &Line) {
        let end = line.text.find(|c: char| c.is_whitespace() || c == '#').unwrap_or(line.text.len());
        let (name, rest) = line.text.split_at_checked(end).unwrap_or((line.text, ""));
        if !rest.trim().is_empty() && !rest.trim().starts_with('#') || name.contains([':', ']']) {
            self.error(
                line,
                1,
                format!("expected the name of a group in `[{}:children]`, found `{}`", self.group, line.text),
            )
            .hint("one group a line; a group's variables stand under `[group:vars]`");
            return;
        }
        let origin = self.origin(line, 1);
        let group = self.group.clone();
        self.builder.add_child(&group, name, &origin);
    }
}

/// The error that was added last, to be completed.
struct Finding<'a>(&'a mut Builder);

impl Finding<'_> {
    fn change(self, change: impl FnOnce(Diagnostic) -> Diagnostic) -> Self {
        if let Some(last) = self.0.errors.pop() {
            self.0.errors.push(change(last));
        }
        self
    }

    fn hint(self, hint: &str) -> Self {
        self.change(|d| d.hint(hint))
    }

    fn suggest(self, name: &str, candidates: &[&str]) -> Self {
        self.change(|d| d.suggest(name, candidates.iter().copied()))
    }
}

/// A line that starts with a bracket.
enum Section<'a> {
    Header(&'a str, Option<&'a str>),
    Broken,
    None,
}

fn section(text: &str) -> Section<'_> {
    let Some((inner, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) else { return Section::Broken };
    let rest = rest.trim();
    if !rest.is_empty() && !rest.starts_with('#') {
        // A range or an IPv6 address; but `[web] host` is a mistake.
        let glued = !text.get(inner.len() + 2..).is_some_and(|r| r.starts_with(char::is_whitespace));
        return if glued { Section::None } else { Section::Broken };
    }
    let (group, kind) = inner.split_once(':').map_or((inner, None), |(group, kind)| (group, Some(kind)));
    let fits = |t: &str| !t.is_empty() && !t.contains(|c: char| c.is_whitespace() || c == ':');
    if fits(group) && kind.is_none_or(fits) { Section::Header(group, kind) } else { Section::Broken }
}

/// A value as Ansible types it: a Python literal, or else a string.
fn typed(text: &str, origin: &Origin) -> Value {
    let template = |text: &Text| Text::template(text.shared(), Some(origin.clone()));
    literal::parse(text).map_or_else(|| Value::Str(template(&Text::new(text))), |value| value.map_text(&template))
}
