//! CSV and INI: the filters `from_csv`, `from_ini`, `to_ini`, and what the lookups `csvfile` and `ini` read.

use indexmap::IndexMap;

use super::Row;
use crate::model::Key;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("from_csv", "dialect? fieldnames? delimiter? skipinitialspace? strict?", from_csv),
    ("from_ini", "", from_ini),
    ("to_ini", "", to_ini),
];

/// How CSV is written.
#[derive(Clone, Copy)]
pub(in crate::template) struct Csv {
    pub delimiter: char,
    pub quote: char,
    /// Whether blanks after a delimiter are dropped.
    pub skip: bool,
    /// Whether a quote that stands wrong is an error.
    pub strict: bool,
}

impl Csv {
    pub const fn new(delimiter: char) -> Self {
        Self { delimiter, quote: '"', skip: false, strict: false }
    }

    /// The rows; lines with nothing in them are left out.
    pub fn rows(self, text: &str) -> R<Vec<Vec<String>>> {
        let mut rows = Vec::new();
        let mut row: Vec<String> = Vec::new();
        let mut cell = String::new();
        let (mut quoted, mut started) = (false, false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if quoted {
                match c {
                    c if c == self.quote && chars.next_if_eq(&self.quote).is_some() => cell.push(c),
                    c if c == self.quote => {
                        quoted = false;
                        let ends = chars.peek().is_none_or(|n| *n == self.delimiter || matches!(n, '\r' | '\n'));
                        if self.strict && !ends {
                            let (delimiter, quote) = (self.delimiter, self.quote);
                            return Err(Error::new(format!("'{delimiter}' expected after '{quote}'")));
                        }
                    }
                    c => cell.push(c),
                }
                continue;
            }
            match c {
                c if c == self.delimiter => {
                    row.push(std::mem::take(&mut cell));
                    started = false;
                }
                '\n' | '\r' => {
                    let blank = row.is_empty() && cell.is_empty() && !started;
                    row.push(std::mem::take(&mut cell));
                    let done = std::mem::take(&mut row);
                    if !blank {
                        rows.push(done);
                    }
                    started = false;
                }
                ' ' if self.skip && !started => {}
                c if c == self.quote && !started => (quoted, started) = (true, true),
                c => {
                    cell.push(c);
                    started = true;
                }
            }
        }
        if quoted && self.strict {
            return Err(Error::new("unexpected end of data"));
        }
        if !row.is_empty() || started {
            row.push(cell);
            rows.push(row);
        }
        Ok(rows)
    }
}

fn from_csv(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let dialect = args.str(ev, "dialect", "excel")?;
    let mut csv = match dialect.as_str() {
        "excel" | "unix" => Csv::new(','),
        "excel-tab" => Csv::new('\t'),
        other => return Err(Error::new(format!("Dialect '{other}' is not supported by your version of python."))),
    };
    if let Some(given @ Val::Str(_)) = args.get("delimiter") {
        csv.delimiter = ev.text(given)?.chars().next().unwrap_or(csv.delimiter);
    }
    csv.skip = args.get("skipinitialspace").map_or(Ok(false), |v| ev.truth(v))?;
    csv.strict = args.get("strict").map_or(Ok(false), |v| ev.truth(v))?;
    let text = text.trim_start_matches('\u{feff}');
    let mut rows = csv.rows(text).map_err(|e| Error::new(format!("Unable to process file: {e}")))?.into_iter();
    let names = match args.get("fieldnames") {
        Some(list @ Val::List(_)) => ev.iterate(list)?.iter().map(|v| ev.text(v)).collect::<R<Vec<_>>>()?,
        _ => rows.next().unwrap_or_default(),
    };
    let row = |cells: Vec<String>| {
        let mut cells = cells.into_iter();
        let mut map: IndexMap<Key, Val> = IndexMap::new();
        for name in &names {
            map.insert(Key::from(name.as_str()), cells.next().map_or(Val::Null, Val::str));
        }
        let rest: Vec<String> = cells.collect();
        if !rest.is_empty() {
            map.insert(Key::Null, Val::strs(rest));
        }
        Val::map(map)
    };
    Ok(Val::list(rows.map(row).collect()))
}

/// One section of an INI file: its name, and its keys with their values.
pub(in crate::template) type Section = (String, IndexMap<String, Option<String>>);

/// Reads INI as Python's `configparser` does.
pub(in crate::template) struct Ini {
    /// Whether the case of keys counts.
    pub case: bool,
    /// Whether a key may stand without a value.
    pub bare: bool,
}

impl Ini {
    pub fn read(&self, text: &str) -> R<Vec<Section>> {
        let mut out: Vec<Section> = Vec::new();
        let mut last: Option<(String, usize)> = None;
        for (i, line) in text.lines().enumerate() {
            let content = line.trim();
            let indent = line.len() - line.trim_start().len();
            let comment = content.starts_with(['#', ';']);
            if let (Some((key, at)), Some((_, keys))) = (&last, out.last_mut())
                && (content.is_empty() || comment || indent > *at)
            {
                if let Some(Some(value)) = keys.get_mut(key).filter(|_| !comment) {
                    value.push('\n');
                    value.push_str(content);
                }
                continue;
            }
            if content.is_empty() || comment {
                continue;
            }
            if let Some(name) = content.strip_prefix('[').and_then(|c| c.split_once(']')).map(|(name, _)| name) {
                if out.iter().any(|(n, _)| n == name) {
                    return Err(Error::new(format!(
                        "While reading from '<string>' [line {:2}]: section '{name}' already exists",
                        i + 1
                    )));
                }
                out.push((name.to_owned(), IndexMap::new()));
                last = None;
                continue;
            }
            let Some((section, keys)) = out.last_mut() else {
                return Err(Error::new(format!(
                    "File contains no section headers.\nfile: '<string>', line: {}\n'{line}'",
                    i + 1
                )));
            };
            let (name, value) = self.pair(content).ok_or_else(|| {
                Error::new(format!("Source contains parsing errors: '<string>'\n\t[line {:2}]: '{line}'", i + 1))
            })?;
            if keys.insert(name.clone(), value).is_some() {
                return Err(Error::new(format!(
                    "While reading from '<string>' [line {:2}]: option '{name}' in section '{section}' already exists",
                    i + 1
                )));
            }
            last = Some((name, indent));
        }
        for (_, keys) in &mut out {
            for value in keys.values_mut().flatten() {
                value.truncate(value.trim_end_matches('\n').len());
            }
        }
        Ok(out)
    }

    /// A key and its value.
    fn pair(&self, content: &str) -> Option<(String, Option<String>)> {
        let (name, value) = match content.split_once(['=', ':']) {
            Some((name, value)) => (name.trim(), Some(value.trim().to_owned())),
            None => (content, None),
        };
        let name = if self.case { name.to_owned() } else { name.to_lowercase() };
        (value.is_some() || self.bare).then_some((name, value))
    }
}

fn from_ini(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let sections = Ini { case: true, bare: false }.read(&text);
    let sections = sections.map_err(|e| Error::new(format!("from_ini failed to parse given string: {e}")))?;
    let keys = |keys: IndexMap<String, Option<String>>| {
        Val::map(keys.into_iter().map(|(k, v)| (Key::from(k.as_str()), v.map_or(Val::Null, Val::str))).collect())
    };
    Ok(Val::map(sections.into_iter().map(|(name, all)| (Key::from(name.as_str()), keys(all))).collect()))
}

fn to_ini(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let Val::Map(map) = &input else {
        return Err(Error::new(format!("to_ini requires a dict, got {}", input.type_name())));
    };
    let mut out = String::new();
    for (name, section) in map.all(ev)? {
        let Val::Map(keys) = &section else {
            let kind = section.type_name();
            return Err(Error::new(format!(
                "to_ini failed to parse given dict:'{kind}' object has no attribute 'items'"
            )));
        };
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("[{name}]\n"));
        for (key, value) in keys.all(ev)? {
            out.push_str(&format!("{key} = {}\n", ev.text(&value)?.replace('\n', "\n\t")));
        }
    }
    Ok(Val::str(out))
}
