//! Options of lookups: as arguments, or within a term (`key file=x section=y`).

use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::templar::boolean;
use crate::template::value::{Args, R, Val};

/// A lookup's options: those of a term before those of the call.
pub(super) struct Options {
    lookup: &'static str,
    given: Vec<(String, Val)>,
}

impl Options {
    /// The call's own options.
    pub fn of(lookup: &'static str, args: &Args) -> Self {
        Self { lookup, given: args.kw.iter().map(|(k, v)| (k.to_string(), v.clone())).collect() }
    }

    /// These with a term's in front of them.
    pub fn with(&self, inline: Vec<(String, String)>) -> Self {
        let inline = inline.into_iter().map(|(k, v)| (k, Val::str(v)));
        Self { lookup: self.lookup, given: inline.chain(self.given.iter().cloned()).collect() }
    }

    pub fn get(&self, name: &str) -> Option<&Val> {
        self.given.iter().find(|(k, _)| k == name).map(|(_, v)| v).filter(|v| !matches!(v, Val::Null))
    }

    pub fn str(&self, ev: &mut Eval, name: &str, default: &str) -> R<String> {
        self.get(name).map_or(Ok(default.to_owned()), |v| ev.text(v))
    }

    fn invalid(&self, name: &str, kind: &str, shown: &str) -> Error {
        let lookup = self.lookup;
        Error::new(format!(
            "Config '{name}' for '{lookup}' lookup plugin from 'Direct' has an invalid value: Invalid value provided for '{kind}': {shown}"
        ))
    }

    pub fn bool(&self, ev: &mut Eval, name: &str, default: bool) -> R<bool> {
        match self.get(name) {
            None => Ok(default),
            Some(Val::Str(t)) => boolean(t).ok_or_else(|| self.invalid(name, "boolean", &format!("'{}'", t.as_str()))),
            Some(other) => ev.truth(other),
        }
    }

    pub fn int(&self, ev: &mut Eval, name: &str) -> R<Option<i64>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let (text, shown) = (ev.text(value)?, ev.repr(value)?);
        text.trim().parse().map(Some).map_err(|_| self.invalid(name, "integer", &shown))
    }
}

/// Words of a term: quotes keep blanks together, and are kept.
fn words(term: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let (mut quote, mut open) = (None, false);
    let mut escaped = false;
    for c in term.chars() {
        match quote {
            None if c.is_whitespace() && c.is_ascii() && c != '\u{1a}' => {
                open = false;
                continue;
            }
            Some(q) if c == q && !escaped => quote = None,
            None if matches!(c, '"' | '\'') && !escaped => quote = Some(c),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        match out.last_mut().filter(|_| open) {
            Some(last) => last.push(c),
            None => out.push(c.to_string()),
        }
        open = true;
    }
    out
}

fn unquoted(value: &str) -> &str {
    let inner = |q: char| value.strip_prefix(q).and_then(|v| v.strip_suffix(q));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// Splits a term into what is looked up and its options. A term without `=` is taken as it is.
pub(super) fn inline(term: &str, known: &[&str]) -> R<(String, Vec<(String, String)>)> {
    if !term.contains('=') {
        return Ok((term.to_owned(), Vec::new()));
    }
    let (mut key, mut options) = (Vec::new(), Vec::new());
    for word in words(term) {
        match word.split_once('=').filter(|(name, _)| !name.is_empty() && !name.contains(['"', '\''])) {
            Some((name, value)) if known.contains(&name) => options.push((name.to_owned(), unquoted(value).to_owned())),
            Some((name, _)) => return Err(Error::new(format!("{name} is not a valid option"))),
            None => key.push(word),
        }
    }
    Ok((key.join(" "), options))
}
