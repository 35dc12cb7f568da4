//! YAML as PyYAML's `dump` writes it: its choice of styles, its folding, its order.

use std::collections::{HashMap, HashSet};

use crate::model::{Key, Value};

/// How YAML is written.
#[derive(Default)]
pub(super) struct Style {
    pub indent: usize,
    pub width: usize,
    /// All on one line, none, or (as PyYAML's default) the innermost collections.
    pub flow: Option<bool>,
    pub sort: bool,
    pub start: bool,
    pub end: bool,
    /// How all scalars are written: with `'`, `"`, `|` or `>`.
    pub scalar: Option<char>,
    /// In YAML's canonical form: all types are said.
    pub canonical: bool,
}

/// The value as a YAML document.
pub(super) fn write(value: &Value, style: &Style) -> String {
    write_shared(value, style, HashMap::new())
}

/// The same with anchors: the numbers of lists and mappings, by their places in memory.
pub(super) fn write_shared(value: &Value, style: &Style, anchors: HashMap<usize, usize>) -> String {
    let mut out = Writer { style, out: String::new(), anchors, written: HashSet::new() };
    if style.canonical {
        out.out.push_str("---\n");
        out.canonical(value, 0);
        out.out.push_str(if style.end { "\n...\n" } else { "\n" });
        return out.out;
    }
    if style.start {
        out.out.push_str("---");
        if matches!(value, Value::List(_) | Value::Map(_)) && !out.is_flow(value) {
            out.out.push('\n')
        } else {
            out.out.push(' ')
        }
    }
    out.node(value, 0);
    if !out.out.ends_with('\n') {
        out.out.push('\n');
    }
    if style.end {
        out.out.push_str("...\n");
    }
    out.out
}

pub(super) struct Writer<'a> {
    pub(super) style: &'a Style,
    pub(super) out: String,
    anchors: HashMap<usize, usize>,
    written: HashSet<usize>,
}

impl Writer<'_> {
    pub(super) fn column(&self) -> usize {
        self.out.rsplit('\n').next().map_or(0, |l| l.chars().count())
    }

    fn is_flow(&self, value: &Value) -> bool {
        // A scalar with a style of its own does not make for a short line.
        let scalar = |v: &Value| self.style.scalar.is_none() && !matches!(v, Value::List(_) | Value::Map(_));
        match value {
            Value::List(l) if l.is_empty() => true,
            Value::Map(m) if m.is_empty() => true,
            Value::List(l) => self.style.flow.unwrap_or_else(|| l.iter().all(scalar)),
            Value::Map(m) => self.style.flow.unwrap_or_else(|| m.values().all(scalar)),
            _ => false,
        }
    }

    pub(super) fn pad(&mut self, level: usize) {
        self.out.extend(std::iter::repeat_n(' ', level));
    }

    /// Begins a line, unless a block has just ended one.
    fn line(&mut self, level: usize) {
        if !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.pad(level);
    }

    pub(super) fn entries<'v>(&self, map: &'v crate::model::Map) -> Vec<(&'v Key, &'v Value)> {
        let mut entries: Vec<_> = map.iter().collect();
        if self.style.sort {
            entries.sort_by(|a, b| a.0.cmp(b.0));
        }
        entries
    }

    /// Writes a node whose first line begins where the writer stands; `level` is its column.
    fn node(&mut self, value: &Value, level: usize) {
        if self.is_flow(value) {
            self.flow(value, level + self.style.indent);
            return;
        }
        match value {
            Value::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        self.line(level);
                    }
                    self.out.push('-');
                    self.gap(item, level, false);
                }
            }
            Value::Map(map) => {
                for (i, (key, item)) in self.entries(map).into_iter().enumerate() {
                    if i > 0 {
                        self.line(level);
                    }
                    self.key(key);
                    self.out.push(':');
                    self.gap(item, level, true);
                }
            }
            scalar => self.scalar(scalar, level + self.style.indent, false),
        }
    }

    /// From a dash or colon to what follows it.
    fn gap(&mut self, item: &Value, level: usize, in_map: bool) {
        let anchor = super::dump::place(item).and_then(|place| self.anchors.get(&place)).copied();
        if let Some(number) = anchor {
            if !self.written.insert(number) {
                self.out.push_str(&format!(" *id{number:03}"));
                return;
            }
            self.out.push_str(&format!(" &id{number:03}"));
        }
        let block = matches!(item, Value::List(_) | Value::Map(_)) && !self.is_flow(item);
        if !block {
            self.out.push(' ');
            if matches!(item, Value::List(_) | Value::Map(_)) {
                self.flow(item, level + self.style.indent);
            } else {
                self.scalar(item, level + self.style.indent, false);
            }
            return;
        }
        if in_map {
            // A list under a key stands in the key's own column.
            let below = if matches!(item, Value::List(_)) { level } else { level + self.style.indent };
            self.out.push('\n');
            self.pad(below);
            self.node(item, below);
        } else if anchor.is_some() {
            self.out.push('\n');
            self.pad(level + self.style.indent);
            self.node(item, level + self.style.indent);
        } else {
            self.pad(self.style.indent - 1);
            self.node(item, level + self.style.indent);
        }
    }

    fn key(&mut self, key: &Key) {
        self.scalar(&key.to_value(), 0, true);
    }

    fn flow(&mut self, value: &Value, level: usize) {
        let (open, close) = if matches!(value, Value::List(_)) { ('[', ']') } else { ('{', '}') };
        self.out.push(open);
        let items: Vec<(Option<&Key>, &Value)> = match value {
            Value::List(l) => l.iter().map(|v| (None, v)).collect(),
            Value::Map(m) => self.entries(m).into_iter().map(|(k, v)| (Some(k), v)).collect(),
            _ => Vec::new(),
        };
        for (i, (key, item)) in items.into_iter().enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            if self.column() > self.style.width {
                self.out.push('\n');
                self.pad(level);
            } else if i > 0 {
                self.out.push(' ');
            }
            if let Some(key) = key {
                self.flow_scalar(&key.to_value(), level, true);
                self.out.push_str(": ");
            }
            match item {
                Value::List(_) | Value::Map(_) => self.flow(item, level + self.style.indent),
                scalar => self.flow_scalar(scalar, level, false),
            }
        }
        self.out.push(close);
    }

    fn flow_scalar(&mut self, value: &Value, level: usize, key: bool) {
        self.any_scalar(value, level, key, true);
    }

    fn scalar(&mut self, value: &Value, level: usize, key: bool) {
        self.any_scalar(value, level, key, false);
    }

    fn any_scalar(&mut self, value: &Value, level: usize, key: bool, flow: bool) {
        if self.style.scalar.is_some() {
            return self.styled(value, level, key, flow);
        }
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Value::Int(i) => self.out.push_str(&i.to_string()),
            Value::Big(digits) => self.out.push_str(digits),
            Value::Float(f) => self.out.push_str(&float(*f)),
            Value::Str(s) if s.is_encrypted() && !flow => self.encrypted(s, level),
            Value::Str(s) => {
                let breaks = if key { usize::MAX } else { self.style.width };
                if s.chars().any(special) {
                    self.double(s, level, breaks);
                } else if plain_allowed(s, flow) && !(s.contains('\n') || key && s.is_empty()) {
                    self.plain(s, level, breaks);
                } else {
                    self.single(s, level, breaks);
                }
            }
            _ => {}
        }
    }

    /// Text that is still encrypted, as it stands in files.
    fn encrypted(&mut self, s: &str, level: usize) {
        self.out.push_str("!vault |");
        s.lines().for_each(|line| {
            self.fold(level);
            self.out.push_str(line);
        });
    }

    fn plain(&mut self, s: &str, level: usize, width: usize) {
        let mut words = s.split(' ').peekable();
        while let Some(word) = words.next() {
            self.out.push_str(word);
            let Some(next) = words.peek() else { break };
            let single = !word.is_empty() && !next.is_empty();
            if single && self.column() > width { self.fold(level) } else { self.out.push(' ') }
        }
    }

    fn fold(&mut self, level: usize) {
        self.out.push('\n');
        self.pad(level);
    }

    pub(super) fn single(&mut self, s: &str, level: usize, width: usize) {
        self.out.push('\'');
        for (i, line) in s.split('\n').enumerate() {
            if i > 0 {
                // A line break is an empty line; the run of them ends with the next line's indentation.
                if i == 1 || !s.split('\n').nth(i - 1).unwrap_or_default().is_empty() {
                    self.out.push('\n');
                }
                self.out.push('\n');
                if !line.is_empty() || i == s.matches('\n').count() {
                    self.pad(level);
                }
            }
            let words: Vec<&str> = line.split(' ').collect();
            for (j, word) in words.iter().enumerate() {
                if j > 0 {
                    let single = words.get(j - 1).is_some_and(|w| !w.is_empty()) && !word.is_empty();
                    if single && self.column() > width { self.fold(level) } else { self.out.push(' ') }
                }
                self.out.push_str(&word.replace('\'', "''"));
            }
        }
        self.out.push('\'');
    }

    pub(super) fn double(&mut self, s: &str, level: usize, width: usize) {
        self.out.push('"');
        let mut chars = s.chars().peekable();
        let mut first = true;
        while let Some(c) = chars.next() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\0' => self.out.push_str("\\0"),
                '\u{7}' => self.out.push_str("\\a"),
                '\u{8}' => self.out.push_str("\\b"),
                '\t' => self.out.push_str("\\t"),
                '\n' => self.out.push_str("\\n"),
                '\u{b}' => self.out.push_str("\\v"),
                '\u{c}' => self.out.push_str("\\f"),
                '\r' => self.out.push_str("\\r"),
                '\u{1b}' => self.out.push_str("\\e"),
                '\u{85}' => self.out.push_str("\\N"),
                '\u{2028}' => self.out.push_str("\\L"),
                '\u{2029}' => self.out.push_str("\\P"),
                c if special(c) => {
                    let n = u32::from(c);
                    self.out.push_str(&match n {
                        0..0x100 => format!("\\x{n:02X}"),
                        0x100..0x1_0000 => format!("\\u{n:04X}"),
                        _ => format!("\\U{n:08X}"),
                    });
                }
                ' ' if !first && chars.peek().is_some() && self.column() > width => {
                    self.out.push_str("\\\n");
                    self.pad(level);
                    self.out.push_str("\\ ");
                }
                c => self.out.push(c),
            }
            first = false;
        }
        self.out.push('"');
    }
}

pub(super) fn float(f: f64) -> String {
    if f.is_nan() {
        return ".nan".into();
    }
    if f.is_infinite() {
        return if f > 0.0 { ".inf".into() } else { "-.inf".into() };
    }
    let text = super::text::float(f);
    // Without a dot, YAML 1.1 would not read the exponent form as a float.
    match text.split_once('e') {
        Some((digits, exp)) if !digits.contains('.') => format!("{digits}.0e{exp}"),
        _ => text,
    }
}

/// Characters that only double quotes can carry.
pub(super) fn special(c: char) -> bool {
    !(c == '\n'
        || (' '..='~').contains(&c)
        || c == '\u{85}'
        || ('\u{a0}'..='\u{d7ff}').contains(&c)
        || ('\u{e000}'..='\u{fffd}').contains(&c))
        || c == '\u{feff}'
}

/// Whether a string may stand without quotes and is still a string when it is read again.
fn plain_allowed(s: &str, flow: bool) -> bool {
    let Some(first) = s.chars().next() else { return false };
    if resolves(s) || s.starts_with("---") || s.starts_with("...") {
        return false;
    }
    let second_blank = s.chars().nth(1).is_none_or(|c| c == ' ' || c == '\n');
    if "#,[]{}&*!|>'\"%@`".contains(first)
        || (first == '-' && second_blank)
        || ("?:".contains(first) && (flow || second_blank))
    {
        return false;
    }
    if s.starts_with([' ', '\n']) || s.ends_with([' ', '\n']) {
        return false;
    }
    let chars: Vec<char> = s.chars().collect();
    !chars.iter().enumerate().any(|(i, c)| {
        let next_blank = chars.get(i + 1).is_none_or(|n| *n == ' ' || *n == '\n');
        let after_blank = i > 0 && chars.get(i - 1).is_some_and(|p| *p == ' ' || *p == '\n');
        match c {
            ',' | '?' | '[' | ']' | '{' | '}' => flow && i > 0,
            ':' => next_blank || (flow && i > 0),
            '#' => after_blank,
            '\n' => true,
            _ => false,
        }
    })
}

/// Whether YAML 1.1 reads the text as something else than a string.
fn resolves(s: &str) -> bool {
    const WORDS: &[&str] = &["yes", "no", "true", "false", "on", "off", "null"];
    let cased = |w: &str| s == w || s == w.to_uppercase() || s == super::text_methods::capitalize(w);
    if WORDS.iter().any(|w| cased(w)) || matches!(s, "~" | "=" | "<<") {
        return true;
    }
    let body = s.strip_prefix(['-', '+']).unwrap_or(s);
    number(s, body) || date(s)
}

fn number(s: &str, body: &str) -> bool {
    let digits = |t: &str, radix: u32| !t.is_empty() && t.chars().all(|c| c == '_' || c.is_digit(radix));
    if let Some(rest) = body.strip_prefix("0b") {
        return digits(rest, 2);
    }
    if let Some(rest) = body.strip_prefix("0x") {
        return digits(rest, 16);
    }
    if matches!(body, ".inf" | ".Inf" | ".INF") || matches!(s, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let Some(first) = body.chars().next() else { return false };
    if body.contains(':') {
        let mut parts = body.split(':');
        let head = parts.next().unwrap_or_default();
        let tail: Vec<&str> = parts.collect();
        let base60 = |p: &&str, last: bool| {
            let p = if last { p.split('.').next().unwrap_or_default() } else { p };
            (1..=2).contains(&p.len())
                && p.chars().all(|c| c.is_ascii_digit())
                && (p.len() == 1 || p.starts_with(['0', '1', '2', '3', '4', '5']))
        };
        return first.is_ascii_digit()
            && digits(head, 10)
            && tail.iter().enumerate().all(|(i, p)| base60(p, i + 1 == tail.len()));
    }
    if first == '0' && body.len() > 1 && digits(body, 8) {
        return true;
    }
    if first.is_ascii_digit() && digits(body, 10) {
        return first != '0' || body.len() == 1;
    }
    let Some((whole, rest)) = body.split_once('.') else { return false };
    let (fraction, exponent) = rest.split_once(['e', 'E']).map_or((rest, None), |(f, e)| (f, Some(e)));
    let exponent_ok = exponent.is_none_or(|e| {
        e.strip_prefix(['-', '+']).is_some_and(|d| !d.is_empty() && d.chars().all(|c| c.is_ascii_digit()))
    });
    let whole_ok = if whole.is_empty() {
        fraction.starts_with(|c: char| c.is_ascii_digit())
    } else {
        first.is_ascii_digit() && digits(whole, 10)
    };
    whole_ok && exponent_ok && fraction.chars().all(|c| c == '_' || c.is_ascii_digit())
}

fn date(s: &str) -> bool {
    let all = |t: &str| !t.is_empty() && t.chars().all(|c| c.is_ascii_digit());
    let mut parts = s.splitn(3, '-');
    let (Some(y), Some(m), Some(d)) = (parts.next(), parts.next(), parts.next()) else { return false };
    if y.len() != 4 || !all(y) || !all(m) || m.len() > 2 {
        return false;
    }
    let end = d.find(|c: char| !c.is_ascii_digit()).unwrap_or(d.len());
    let (day, rest) = d.split_at(end);
    if day.is_empty() || day.len() > 2 {
        return false;
    }
    rest.is_empty() && m.len() == 2 && day.len() == 2
        || (rest.starts_with(['T', 't', ' ']) && rest.matches(':').count() >= 2)
}
