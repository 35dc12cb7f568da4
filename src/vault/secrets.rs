//! The texts of a run that must not be shown, and masking them wherever they stand.
//!
//! Marks on strings ([`crate::model::Marks::SECRET`]) are lost on the way to a host and back.
//! What a host echoes, a diff, a command line, a program's complaint is found by its text.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use aho_corasick::AhoCorasick;

use crate::diag::Diagnostic;
use crate::model::{Attribute, Diff, Key, MASK, Map, Marks, Outcome, Status, Text, Value};

/// Shorter texts are not looked for: `root` and `true` in a vault would mask half of all
/// that is printed. Where they are carried by marks, they are masked all the same.
pub const MIN_LENGTH: usize = 6;
/// Files of more lines than this are looked for as a whole only.
const MOST_LINES: usize = 5000;

/// Texts that must not be shown.
#[derive(Default)]
pub struct Secrets(Mutex<State>);

#[derive(Default)]
struct State {
    texts: HashSet<String>,
    /// Finds them; made anew when there are more.
    finder: Option<Arc<AhoCorasick>>,
}

impl Secrets {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a secret: as a whole, by its lines, and as other programs write it.
    pub fn note(&self, text: &str) {
        let text = text.trim();
        if text.chars().count() < MIN_LENGTH {
            return;
        }
        let mut state = self.state();
        if state.texts.contains(text) {
            return;
        }
        let mut add = |part: &str| {
            let part = part.trim();
            if part.chars().count() >= MIN_LENGTH && state.texts.insert(part.to_owned()) {
                state.finder = None;
            }
        };
        add(text);
        text.lines().take(MOST_LINES).for_each(&mut add);
        for written in spellings(text) {
            add(&written);
        }
    }

    /// Takes note of a decrypted file: its lines, the values in lines like `name = value`,
    /// and its longer numbers, which carry no marks.
    pub fn note_content(&self, content: &[u8]) {
        let Ok(text) = std::str::from_utf8(content) else { return };
        for line in text.lines().take(MOST_LINES) {
            let line = line.trim();
            let value = line.split_once(['=', ':']).map_or(line, |(_, value)| value);
            let value = value.trim_matches(|c: char| c.is_whitespace() || "\"',;".contains(c));
            for number in line.split(|c: char| !c.is_ascii_digit()) {
                self.note(number);
            }
            if !line.starts_with('#') {
                literals(value).for_each(|part| self.note(part));
            }
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.state().texts.is_empty()
    }

    fn finder(&self) -> Option<Arc<AhoCorasick>> {
        let mut state = self.state();
        if state.finder.is_none() && !state.texts.is_empty() {
            state.finder = AhoCorasick::new(&state.texts).ok().map(Arc::new);
        }
        state.finder.clone()
    }

    /// A text without the secrets in it.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.finder().map_or(Cow::Borrowed(text), |finder| masked(&finder, text))
    }

    /// What masks many texts one after the other.
    pub fn mask(&self) -> Mask {
        Mask(self.finder())
    }
}

/// Masks what was known to be secret when it was made.
#[derive(Clone, Default)]
pub struct Mask(Option<Arc<AhoCorasick>>);

impl Mask {
    /// A text.
    pub fn text(&self, text: &mut String) {
        if let Some(finder) = &self.0
            && let Cow::Owned(other) = masked(finder, text)
        {
            *text = other;
        }
    }

    /// Whether there is a secret in a text.
    fn hits(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|finder| finder.is_match(text))
    }

    /// A value.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::Str(t) if t.is_secret() => Value::from(MASK),
            Value::Str(t) if self.hits(t) => {
                let mut text = t.as_str().to_owned();
                self.text(&mut text);
                Value::Str(Text::new(text))
            }
            Value::Int(i) if self.hits(&i.to_string()) => Value::from(MASK),
            Value::Big(digits) if self.hits(digits) => Value::from(MASK),
            Value::Float(f) if self.hits(&f.to_string()) => Value::from(MASK),
            Value::List(items) => Value::list(items.iter().map(|v| self.value(v))),
            Value::Map(map) => Value::from(self.map(map)),
            Value::Unknown(reason) => {
                let mut text = reason.to_string();
                self.text(&mut text);
                Value::Unknown(text.into())
            }
            other => other.clone(),
        }
    }

    /// Whether there is anything to mask in a value: in most results there is not, and they
    /// need not be made anew.
    fn concerns(&self, value: &Value) -> bool {
        match value {
            Value::Str(text) => text.is_secret() || self.hits(text),
            Value::Int(_) | Value::Big(_) | Value::Float(_) | Value::Unknown(_) => self.0.is_some(),
            Value::List(items) => items.iter().any(|item| self.concerns(item)),
            Value::Map(map) => self.concerns_map(map),
            Value::Null | Value::Bool(_) => false,
        }
    }

    fn concerns_map(&self, map: &Map) -> bool {
        map.iter().any(|(key, value)| matches!(key, Key::Str(text) if self.hits(text)) || self.concerns(value))
    }

    /// A map, its keys included.
    pub fn map(&self, map: &Map) -> Map {
        map.iter().map(|(key, value)| (self.key(key), self.value(value))).collect()
    }

    fn key(&self, key: &Key) -> Key {
        match key {
            Key::Str(text) if self.hits(text) => {
                let mut text = text.to_string();
                self.text(&mut text);
                Key::Str(text.into())
            }
            other => other.clone(),
        }
    }

    /// What a task came to.
    pub fn outcome(&self, outcome: &mut Outcome) {
        if self.concerns_map(&outcome.result) {
            outcome.result = self.map(&outcome.result);
        }
        outcome.diff.iter_mut().for_each(|d| self.diff(d));
        outcome.warnings.iter_mut().for_each(|w| self.text(w));
        if let Status::Unknown(reason) = &mut outcome.status {
            let mut text = reason.to_string();
            self.text(&mut text);
            *reason = text.into();
        }
    }

    fn diff(&self, diff: &mut Diff) {
        match diff {
            Diff::Text(diff) => {
                let texts = [&mut diff.source, &mut diff.before, &mut diff.after, &mut diff.hidden];
                texts.into_iter().flatten().for_each(|t| self.text(t));
                self.text(&mut diff.path);
            }
            Diff::Attributes { subject, changes } => {
                self.text(subject);
                for Attribute { name, before, after } in changes {
                    [name, before, after].into_iter().for_each(|t| self.text(t));
                }
            }
            Diff::Prepared(text) => self.text(text),
        }
    }

    /// A finding. Its place in a file that was encrypted is kept, the line there is not shown.
    pub fn finding(&self, finding: &mut Diagnostic) {
        let encrypted = finding.origin.as_ref().is_some_and(|o| o.source.secret);
        let texts = std::iter::once(&mut finding.message)
            .chain(&mut finding.label)
            .chain(&mut finding.hints)
            .chain(finding.related.iter_mut().map(|(_, words)| words));
        for text in texts {
            self.text(text);
            if encrypted {
                *text = unquoted(text);
            }
        }
    }

    /// The same value, every string in it that holds a secret marked as one.
    pub fn mark(&self, value: &Value) -> Value {
        if self.0.is_none() {
            return value.clone();
        }
        value.map_text(&|t| {
            if self.hits(t) { t.clone().marked(t.marks().with(Marks::SECRET)) } else { t.clone() }
        })
    }
}

/// A text with what it quotes left out: findings in an encrypted file quote its content.
fn unquoted(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(i, part)| if i % 2 == 1 { MASK } else { part }).collect::<Vec<_>>().join("`")
}

fn masked<'t>(finder: &AhoCorasick, text: &'t str) -> Cow<'t, str> {
    // Secrets may overlap: what any of them covers is masked.
    let mut covered: Vec<(usize, usize)> = Vec::new();
    for found in finder.find_overlapping_iter(text) {
        covered.push((found.start(), found.end()));
    }
    if covered.is_empty() {
        return Cow::Borrowed(text);
    }
    covered.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut spans = covered.into_iter().peekable();
    while let Some((start, mut end)) = spans.next() {
        while let Some((_, later)) = spans.next_if(|(start, _)| *start < end) {
            end = end.max(later);
        }
        out.push_str(text.get(at..start).unwrap_or_default());
        out.push_str(MASK);
        at = end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(out)
}

/// What stands around templates in a line; what they become is noted when they are evaluated.
fn literals(line: &str) -> impl Iterator<Item = &str> {
    let parts = line.split("{{").flat_map(|part| part.split("{%"));
    parts.map(|part| part.rsplit_once("}}").or_else(|| part.rsplit_once("%}")).map_or(part, |(_, after)| after))
}

/// A text as JSON, Python and the shell write it within quotes, where that differs.
fn spellings(text: &str) -> impl Iterator<Item = String> {
    let json = serde_json::to_string(text).unwrap_or_default();
    let json = json.strip_prefix('"').and_then(|j| j.strip_suffix('"')).unwrap_or_default().to_owned();
    let python = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t");
    let single = python.replace('\'', "\\'");
    let shell = text.replace('\'', "'\"'\"'");
    [json, python, single, shell].into_iter().filter(move |w| w != text).collect::<Vec<_>>().into_iter()
}
