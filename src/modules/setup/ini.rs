//! INI as Python's `configparser` reads it: duplicates are wrong, `DEFAULT` holds for all sections, and
//! `%(name)s` stands for another value.

use crate::model::{Key, Map, Value};

/// How deep values may stand in values.
const MAX_DEPTH: usize = 10;

/// Why a text gives no facts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is no INI.
    Form,
    /// A value stands for something that is not there; the words say what.
    Value(String),
}

/// A section: names in lower case, with their values as they are written.
type Section = Vec<(String, String)>;

/// The sections of a text, each with its values and those of `DEFAULT`.
pub(super) fn parse(text: &str) -> Result<Map, Problem> {
    let mut reader = Reader::default();
    for line in text.lines() {
        reader.line(line).ok_or(Problem::Form)?;
    }
    let Reader { sections, defaults, .. } = reader;
    let mut out = Map::new();
    for (name, section) in &sections {
        let mut values = Map::new();
        let inherited = defaults.iter().filter(|(key, _)| section.iter().all(|(own, _)| own != key));
        let all: Section = section.iter().chain(inherited).cloned().collect();
        for (key, raw) in &all {
            let filled = fill(raw.trim_end(), &At { section: name, key, all: &all }, 0).map_err(Problem::Value)?;
            values.insert(Key::from(key.as_str()), filled);
        }
        out.insert(Key::from(name.as_str()), Value::from(values));
    }
    Ok(out)
}

#[derive(Default)]
struct Reader {
    sections: Vec<(String, Section)>,
    defaults: Section,
    in_defaults: bool,
    /// Whether a value may go on in the next line, and how far its name is indented.
    open: Option<usize>,
}

impl Reader {
    fn section(&mut self) -> Option<&mut Section> {
        if self.in_defaults {
            return Some(&mut self.defaults);
        }
        self.sections.last_mut().map(|(_, section)| section)
    }

    /// Takes a line; nothing when it is wrong.
    fn line(&mut self, line: &str) -> Option<()> {
        let trimmed = line.trim();
        if trimmed.starts_with(['#', ';']) {
            return Some(());
        }
        let indent = line.len() - line.trim_start().len();
        if self.open.is_some_and(|name| trimmed.is_empty() || indent > name) {
            let (_, value) = self.section()?.last_mut()?;
            value.push('\n');
            value.push_str(trimmed);
            return Some(());
        }
        if trimmed.is_empty() {
            return Some(());
        }
        let header = trimmed.strip_prefix('[').and_then(|rest| Some(rest.rsplit_once(']')?.0));
        if let Some(name) = header.filter(|name| !name.is_empty()) {
            return self.header(name);
        }
        let (key, value) = trimmed.split_once(['=', ':'])?;
        let key = key.trim_end().to_lowercase();
        let section = self.section()?;
        if key.is_empty() || section.iter().any(|(known, _)| *known == key) {
            return None;
        }
        section.push((key, value.trim().to_owned()));
        self.open = Some(indent);
        Some(())
    }

    fn header(&mut self, name: &str) -> Option<()> {
        self.open = None;
        self.in_defaults = name == "DEFAULT";
        if self.in_defaults {
            return Some(());
        }
        if self.sections.iter().any(|(known, _)| known == name) {
            return None;
        }
        self.sections.push((name.to_owned(), Vec::new()));
        Some(())
    }
}

/// Where a value stands, and what it may refer to.
struct At<'a> {
    section: &'a str,
    key: &'a str,
    all: &'a Section,
}

/// A value with others in it filled in.
fn fill(raw: &str, at: &At<'_>, depth: usize) -> Result<String, String> {
    let At { section, key, .. } = at;
    if depth >= MAX_DEPTH {
        return Err(format!(
            "Recursion limit exceeded in value substitution: option '{key}' in section '{section}' contains an interpolation key which cannot be substituted in {MAX_DEPTH} steps. Raw value: '{raw}'"
        ));
    }
    let mut out = String::new();
    let mut rest = raw;
    while let Some(start) = rest.find('%') {
        let (before, tail) = rest.split_at(start);
        out.push_str(before);
        if let Some(after) = tail.strip_prefix("%%") {
            out.push('%');
            rest = after;
            continue;
        }
        let named =
            tail.strip_prefix("%(").ok_or_else(|| format!("'%' must be followed by '%' or '(', found: '{tail}'"))?;
        let (name, after) =
            named.split_once(")s").ok_or_else(|| format!("bad interpolation variable reference '{tail}'"))?;
        let name = name.to_lowercase();
        let found = at.all.iter().find(|(key, _)| *key == name).map(|(_, value)| value).ok_or_else(|| {
            format!(
                "Bad value substitution: option '{key}' in section '{section}' contains an interpolation key '{name}' which is not a valid option name. Raw value: '{raw}'"
            )
        })?;
        out.push_str(&fill(found, at, depth + 1)?);
        rest = after;
    }
    Ok(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::json;

    fn read(text: &str) -> String {
        match parse(text) {
            Ok(map) => json::dumps(&Value::from(map)),
            Err(Problem::Form) => "no INI".to_owned(),
            Err(Problem::Value(why)) => why,
        }
    }

    #[test]
    fn ini_is_read_as_python_reads_it() {
        for (text, expected) in [
            ("", "{}"),
            (
                "# x\n[general]\nName = web\n; no\nlist: a\n  b\n\n  c\n\n[other]\n",
                r#"{"general": {"name": "web", "list": "a\nb\n\nc"}, "other": {}}"#,
            ),
            ("[s]\n  a=1\n  b = 2 ; x\n", r#"{"s": {"a": "1", "b": "2 ; x"}}"#),
            (
                "[DEFAULT]\nx=1\ny=2\n[s]\na=%(X)s%%\nx=3\n[t]\n",
                r#"{"s": {"a": "3%", "x": "3", "y": "2"}, "t": {"x": "1", "y": "2"}}"#,
            ),
            ("a=1\n", "no INI"),
            ("[s]\nwhat?\n", "no INI"),
            ("[s]\na=1\nA=2\n", "no INI"),
            ("[s]\na=1\n[s]\n", "no INI"),
            ("[s]\na = 5 % of\n", "'%' must be followed by '%' or '(', found: '% of'"),
            ("[s]\na=%(b\n", "bad interpolation variable reference '%(b'"),
            (
                "[s]\na=%(b)s\n",
                "Bad value substitution: option 'a' in section 's' contains an interpolation key 'b' which is not a valid option name. Raw value: '%(b)s'",
            ),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
        assert!(read("[s]\na=%(a)s\n").starts_with("Recursion limit exceeded"));
    }
}
