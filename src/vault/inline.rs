//! Single encrypted values in YAML files: shown in the clear for an editor, and put back so
//! that only what was changed differs.

use std::sync::Arc;

use super::detect;
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::model::Source;
use crate::yaml::{self, Node, NodeKind};

/// A value under `!vault |` and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inline {
    /// The keys and numbers on the way to it.
    pub path: String,
    /// Its text: encrypted in a file, plain in an editor.
    pub text: String,
    /// The line of its tag, from 0.
    line: usize,
    /// The first line after it.
    end: usize,
    /// From its tag to its end, as it stands; nothing when it is no block of lines (`!vault |`).
    raw: Option<String>,
    /// How far the line of its tag is indented.
    indent: usize,
}

/// What is put in the place of a value.
pub enum Put<'a> {
    /// It stays as it is.
    Leave,
    /// The original, as it stood.
    Original(&'a Inline),
    /// This encrypted text.
    Cipher(String),
}

/// The values under `!vault` in a YAML text, in the order of its lines.
///
/// # Errors
/// When it is not well-formed YAML.
pub fn find_inline(source: &Arc<Source>) -> Checked<Vec<Inline>> {
    let loaded = yaml::load(source)?;
    let lines: Vec<&str> = source.text.lines().collect();
    let mut found = Vec::new();
    for (number, document) in loaded.documents.iter().enumerate() {
        walk(document, &number.to_string(), &lines, &mut found);
    }
    found.sort_by_key(|value: &Inline| value.line);
    // An alias stands for the same lines again.
    found.dedup_by_key(|value| value.line);
    Ok(found)
}

fn walk(node: &Node, path: &str, lines: &[&str], found: &mut Vec<Inline>) {
    match &node.kind {
        NodeKind::Vault(text) => found.extend(place(node, path, text, lines)),
        NodeKind::Seq(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{path}/{index}"), lines, found);
            }
        }
        NodeKind::Map(entries) => {
            for (key, value) in entries {
                let name = key.to_key().map(|k| k.to_string()).unwrap_or_default();
                walk(value, &format!("{path}/{name}"), lines, found);
            }
        }
        _ => {}
    }
}

/// Where a value stands.
fn place(node: &Node, path: &str, text: &str, lines: &[&str]) -> Option<Inline> {
    let line = usize::try_from(node.origin.at.line).ok()?.checked_sub(1)?;
    let header = lines.get(line)?;
    let tail = header.get(header.rfind("!vault")?..)?;
    let body = lines.get(line + 1..)?;
    let (length, raw) = match tail.split_whitespace().nth(1).filter(|style| style.starts_with('|')) {
        Some(style) => {
            let length = block(style, body);
            let raw = std::iter::once(&tail).chain(body.iter().take(length)).map(|l| format!("{l}\n")).collect();
            (length, Some(raw))
        }
        None => (0, None),
    };
    Some(Inline {
        path: path.to_owned(),
        text: text.to_owned(),
        line,
        end: line + 1 + length,
        raw,
        indent: indented(header),
    })
}

fn indented(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// How many of the lines after a header belong to its block, blank ones at the end left out.
fn block(style: &str, body: &[&str]) -> usize {
    let Some(first) = body.iter().find(|l| !l.trim().is_empty()) else { return 0 };
    // With a digit the block may begin with blanks of its own.
    let margin = if style.contains(|c: char| c.is_ascii_digit()) { 1 } else { indented(first).max(1) };
    let length = body.iter().take_while(|l| l.trim().is_empty() || indented(l) >= margin).count();
    let blank = body.iter().take(length).rev().take_while(|l| l.trim().is_empty()).count();
    length - blank
}

/// A YAML text with other lines in the place of some of its values.
fn replaced(source: &Source, values: &[Inline], mut with: impl FnMut(usize, &str) -> Option<String>) -> String {
    let lines: Vec<&str> = source.text.split_inclusive('\n').collect();
    let mut out = String::with_capacity(source.text.len());
    let mut at = 0;
    for (number, value) in values.iter().enumerate() {
        let header = lines.get(value.line).copied().unwrap_or_default();
        let Some(new) = with(number, header) else { continue };
        out.extend(lines.get(at..value.line).unwrap_or_default().iter().copied());
        out.push_str(&new);
        at = value.end;
    }
    out.extend(lines.get(at..).unwrap_or_default().iter().copied());
    out
}

/// What stands before `!vault` in a line, and how far that is indented which a block below
/// belongs to: a key (`- key: !vault |`: the key, not the dash) or a dash.
fn before(header: &str) -> (&str, usize) {
    let at = header.rfind("!vault").unwrap_or(0);
    let before = header.get(..at).unwrap_or_default();
    let mut rest = before.trim_start();
    let (mut key, mut dash) = (indented(header), indented(header));
    while let Some(tail) = rest.strip_prefix("- ") {
        dash = key;
        key = before.len() - tail.trim_start().len();
        rest = tail.trim_start();
    }
    (before, if rest.is_empty() { dash } else { key })
}

/// A value as a block below its line.
fn written(header: &str, text: &str) -> String {
    let (before, indent) = before(header);
    let kept = text.len() - text.trim_end_matches('\n').len();
    let keep = match kept {
        0 => "-",
        1 if text.len() > 1 => "",
        _ => "+",
    };
    let hint = if text.starts_with([' ', '\n']) { "2" } else { "" };
    let margin = " ".repeat(indent + 2);
    let body: String = text
        .split_inclusive('\n')
        .map(|line| if line == "\n" { line.to_owned() } else { format!("{margin}{line}") })
        .collect();
    let end = if body.ends_with('\n') { "" } else { "\n" };
    format!("{before}!vault |{hint}{keep}\n{body}{end}")
}

/// A text for a person: each value that can be is shown in the clear.
pub fn show_inline(source: &Source, values: &[Inline], plain: &[Option<String>]) -> String {
    replaced(source, values, |number, header| {
        values.get(number).filter(|value| value.raw.is_some())?;
        let text = plain.get(number)?.as_ref()?;
        is_plain(text).then(|| written(header, text))
    })
}

/// Whether a text can stand in a block of YAML as it is.
fn is_plain(text: &str) -> bool {
    let fits = |c: char| c == '\n' || c == '\t' || !c.is_control() && c != '\u{feff}';
    !text.trim().is_empty() && !text.ends_with("\n\n") && text.chars().all(fits)
}

/// A value as it came back from the editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// The text of that original, unchanged; its number.
    Same(usize),
    /// Another text; the number of the original at its place, where there is one.
    New(String, Option<usize>),
    /// It is encrypted as it stands.
    Encrypted,
}

/// What became of the values of a text: `originals` and their plain texts, and the values of
/// the edited text.
pub fn take_inline(originals: &[Inline], plain: &[Option<String>], edited: &[Inline]) -> Vec<Edited> {
    let mut used = vec![false; originals.len()];
    let mut taken = Vec::new();
    for value in edited {
        if value.is_encrypted() {
            taken.push(Edited::Encrypted);
            continue;
        }
        let place = originals.iter().position(|o| o.path == value.path);
        let same = |at: &usize| plain.get(*at).is_some_and(|p| p.as_deref() == Some(&*value.text));
        let free = |at: &usize| used.get(*at).is_some_and(|u| !u);
        // At its own place first; it may have been moved or its key renamed.
        let found = place.filter(same).or_else(|| (0..originals.len()).find(|at| same(at) && free(at)));
        if let Some(flag) = found.and_then(|at| used.get_mut(at)) {
            *flag = true;
        }
        taken.push(found.map_or_else(|| Edited::New(value.text.clone(), place), Edited::Same));
    }
    taken
}

/// A text with what is put in the place of each of its values, by number.
pub fn with_inline(source: &Source, values: &[Inline], put: &[Put<'_>]) -> String {
    let block = |number: usize| values.get(number).is_some_and(Inline::is_block);
    replaced(source, values, |number, header| match put.get(number).filter(|_| block(number))? {
        Put::Leave => None,
        Put::Original(original) => match (&original.raw, before(header)) {
            // As it stood, so that nothing changes in version control.
            (Some(raw), (before, _)) if original.indent == indented(header) => Some(format!("{before}{raw}")),
            _ => Some(block_of(header, &original.text)),
        },
        Put::Cipher(text) => Some(block_of(header, text)),
    })
}

/// A value below its line, in Ansible's way: ten blanks further in.
fn block_of(header: &str, cipher: &str) -> String {
    let (before, indent) = before(header);
    let margin = " ".repeat(indent + 10);
    let body: String = cipher.trim_end().lines().map(|line| format!("{margin}{}\n", line.trim())).collect();
    format!("{before}!vault |\n{body}")
}

impl Inline {
    /// Whether it is a block of lines (`!vault |`): the others are left as they are.
    pub const fn is_block(&self) -> bool {
        self.raw.is_some()
    }

    /// Whether it is encrypted as it stands.
    pub fn is_encrypted(&self) -> bool {
        detect(self.text.trim_start().as_bytes()).is_some()
    }

    /// A finding about this value of a file.
    pub fn finding(&self, source: &Arc<Source>, message: String, hint: &str) -> Diagnostic {
        let line = u32::try_from(self.line + 1).unwrap_or(1);
        let text = source.text.lines().nth(self.line).unwrap_or_default();
        let column = text.rfind("!vault").map_or(0, |at| text.get(..at).unwrap_or_default().chars().count());
        let column = u32::try_from(column).unwrap_or(0) + 1;
        Diagnostic::error(message)
            .at(crate::model::Origin::new(source, line, column))
            .label("`!vault`")
            .hint(hint)
            .exit(ExitCode::Error)
    }
}
