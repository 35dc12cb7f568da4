//! YAML whose scalars all have the style that was asked for, and its canonical form: PyYAML's
//! `default_style` and `canonical`.

use std::borrow::Cow;

use super::yaml_out::{Writer, float, special};
use crate::model::{Key, Value};

/// A scalar's type, as tags name it, and its text.
fn scalar(value: &Value) -> Option<(&'static str, Cow<'_, str>)> {
    Some(match value {
        Value::Null => ("null", "null".into()),
        Value::Bool(b) => ("bool", if *b { "true" } else { "false" }.into()),
        Value::Int(i) => ("int", i.to_string().into()),
        Value::Big(digits) => ("int", digits.as_ref().into()),
        Value::Float(f) => ("float", float(*f).into()),
        Value::Str(s) => ("str", s.as_str().into()),
        _ => return None,
    })
}

/// What stands behind `|` and `>`: the indentation, where the text begins with a blank, and
/// whether its last lines' ends are to go (`-`) or to stay (`+`).
fn hints(text: &str, indent: usize) -> String {
    let first = if text.starts_with([' ', '\n']) { indent.to_string() } else { String::new() };
    let last = match text.strip_suffix('\n') {
        None => "-",
        Some(rest) if rest.is_empty() || rest.ends_with('\n') => "+",
        Some(_) => "",
    };
    first + last
}

impl Writer<'_> {
    /// A scalar in the style that was asked for; what is no string then has to say its type.
    pub(super) fn styled(&mut self, value: &Value, level: usize, key: bool, flow: bool) {
        let Some((tag, text)) = scalar(value) else { return };
        if self.style.canonical {
            self.out.push_str(&format!("!!{tag} "));
        } else if tag != "str" {
            // What libyaml, which Ansible writes with, makes of a type that quotes would hide.
            self.out.push_str("! ");
        }
        let width = if key { usize::MAX } else { self.style.width };
        let style = if self.style.canonical { '"' } else { self.style.scalar.unwrap_or('"') };
        let quoted = text.chars().any(special) || text.contains(" \n");
        let blocks = !key && !flow && !text.is_empty() && !quoted && !text.ends_with(' ');
        match style {
            '|' if blocks => self.literal(&text, level),
            '>' if blocks => self.folded(&text, level),
            '"' | '|' | '>' => self.double(&text, level, width),
            _ if quoted || text.contains("\n ") || key && text.contains('\n') => self.double(&text, level, width),
            _ => self.single(&text, level, width),
        }
    }

    /// All lines as they are.
    fn literal(&mut self, text: &str, level: usize) {
        self.out.push_str(&format!("|{}\n", hints(text, self.style.indent)));
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if !line.is_empty() {
                self.pad(level);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    /// Lines broken where they are long; a break of the text is an empty line more, but beside
    /// lines that begin with a blank.
    fn folded(&mut self, text: &str, level: usize) {
        self.out.push_str(&format!(">{}\n", hints(text, self.style.indent)));
        let mut indented = true;
        let mut empty = 0;
        for (index, line) in text.strip_suffix('\n').unwrap_or(text).split('\n').enumerate() {
            if line.is_empty() {
                empty += 1;
                continue;
            }
            let blank = line.starts_with(' ');
            let between = index > 0 && !indented && !blank;
            self.out.extend(std::iter::repeat_n('\n', empty + usize::from(between)));
            (indented, empty) = (blank, 0);
            self.pad(level);
            self.words(line, level);
            self.out.push('\n');
        }
        self.out.extend(std::iter::repeat_n('\n', empty));
    }

    fn words(&mut self, line: &str, level: usize) {
        let mut words = line.split(' ').peekable();
        while let Some(word) = words.next() {
            self.out.push_str(word);
            let Some(next) = words.peek() else { break };
            if !word.is_empty() && !next.is_empty() && self.column() > self.style.width {
                self.out.push('\n');
                self.pad(level);
            } else {
                self.out.push(' ');
            }
        }
    }

    /// A node in the canonical form: a line for each part, every type said.
    pub(super) fn canonical(&mut self, value: &Value, level: usize) {
        let inner = level + self.style.indent;
        let (open, close, items): (_, _, Vec<(Option<&Key>, &Value)>) = match value {
            Value::List(list) => ("!!seq [", ']', list.iter().map(|item| (None, item)).collect()),
            Value::Map(map) => ("!!map {", '}', self.entries(map).into_iter().map(|(k, v)| (Some(k), v)).collect()),
            scalar => return self.styled(scalar, inner, false, true),
        };
        self.out.push_str(open);
        for (key, item) in &items {
            self.out.push('\n');
            self.pad(inner);
            if let Some(key) = key {
                self.out.push_str("? ");
                self.styled(&key.to_value(), inner + self.style.indent, false, true);
                self.out.push('\n');
                self.pad(inner);
                self.out.push_str(": ");
            }
            self.canonical(item, inner);
            self.out.push(',');
        }
        if !items.is_empty() {
            self.out.push('\n');
            self.pad(level);
        }
        self.out.push(close);
    }
}
