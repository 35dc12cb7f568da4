//! Conditions, and the forms of them that older playbooks have: with `{{ … }}` in them.
//!
//! What a host returned must never be evaluated, so a condition is not rendered and the text read
//! again. A template in it stands for its value, and only text of the user's own is an expression.

use super::error::Error;
use super::templar::{Templar, Truth, boolean};
use crate::model::{Marks, Text, Value};

/// How many variables that are conditions in their turn are followed.
const MAX_DEPTH: usize = 20;

impl Templar {
    /// Whether a condition (`when`, `until`, `failed_when` …) holds.
    ///
    /// # Errors
    /// When it cannot be compiled or fails, or is text that is not the user's own.
    pub fn condition(&self, value: &Value) -> Result<Truth, Error> {
        let result = match value {
            Value::Str(t) if t.is_template() => {
                self.warn(told(t));
                self.delimited(t, 0)?
            }
            Value::Str(t) if t.trim().is_empty() => Value::Bool(true),
            // Text that a host sent, or that is marked `!unsafe`.
            Value::Str(t) if !t.marks().has(Marks::TEMPLATE) => return Err(untrusted(t)),
            Value::Str(t) => self.expression(t)?,
            other => other.clone(),
        };
        self.truth(value, result)
    }

    /// The conditions that `assert` is given: a list, or a variable that holds one.
    ///
    /// # Errors
    /// When it fails, or gives text that is not the user's own.
    pub fn conditions(&self, value: &Value) -> Result<Vec<Value>, Error> {
        match value {
            Value::List(items) => Ok(items.to_vec()),
            Value::Str(t) if t.is_template() => {
                let raw = whole(t).and_then(|name| self.variable(name.trim()));
                let items = match raw {
                    Some(Value::List(items)) => items,
                    _ => match self.render(value)? {
                        Value::List(items) => items,
                        _ => return Ok(vec![value.clone()]),
                    },
                };
                let own = |item: &Value| matches!(item, Value::Str(t) if t.marks().has(Marks::TEMPLATE));
                items.iter().map(|i| if own(i) { Ok(i.clone()) } else { judged(i.clone(), t) }).collect()
            }
            other => Ok(vec![other.clone()]),
        }
    }

    /// The expression that a text stands for which says what to show: the user's own, or, where a
    /// template gives it, no more than the name of a variable and of what is in it.
    ///
    /// # Errors
    /// When the template fails, or gives anything else.
    pub fn named(&self, text: &Text) -> Result<Text, Error> {
        if !text.marks().has(Marks::TEMPLATE) {
            return Err(untrusted(text));
        }
        if !text.is_template() {
            return Ok(text.clone());
        }
        if let Some(own) = whole(text).and_then(|name| self.own(name)).filter(|own| !own.is_template()) {
            return Ok(own);
        }
        match self.render(&Value::Str(text.clone()))? {
            Value::Str(found) if is_name(&found) => Ok(found),
            Value::Unknown(reason) => Err(Error::of_unknown(reason)),
            _ => Err(untrusted(text)),
        }
    }

    /// The value of a condition that has template delimiters.
    fn delimited(&self, text: &Text, depth: usize) -> Result<Value, Error> {
        if depth > MAX_DEPTH {
            return Err(Error::new("the condition leads to itself").located(text));
        }
        if let Some(inner) = whole(text) {
            return match self.own(inner) {
                Some(own) => self.own_condition(&own, depth),
                None => judged(self.render(&Value::Str(text.clone()))?, text),
            };
        }
        let Some(parts) = parts(text) else {
            return judged(self.render(&Value::Str(text.clone()))?, text);
        };
        let mut out = String::new();
        let mut constant = None;
        for part in parts {
            match part {
                Part::Text(t) => out.push_str(t),
                Part::Quote(q) => quote(&mut out, q, &mut constant),
                Part::Inline(e, Some(q)) => {
                    out.push_str(&format!("{q} ~ ({e}) ~ {q}"));
                    constant = constant.map(|(at, _)| (at, true));
                }
                Part::Inline(e, None) => out.push_str(&self.inlined(e, text, depth)?),
            }
        }
        self.expression(&Text::new(out).at(text.origin().cloned()))
    }

    /// What stands in the place of a `{{ … }}` outside of quotes.
    fn inlined(&self, expression: &str, text: &Text, depth: usize) -> Result<String, Error> {
        if let Some(own) = self.own(expression) {
            return Ok(match self.own_condition(&own, depth)? {
                Value::Bool(true) => "true".to_owned(),
                Value::Bool(false) => "false".to_owned(),
                _ => format!("({})", own.as_str()),
            });
        }
        let value = self.expression(&Text::new(expression).at(text.origin().cloned()))?;
        Ok(match judged(value, text)? {
            Value::Bool(true) => "true".to_owned(),
            Value::Bool(false) => "false".to_owned(),
            _ => format!("({expression})"),
        })
    }

    fn own_condition(&self, own: &Text, depth: usize) -> Result<Value, Error> {
        match boolean(own) {
            Some(plain) => Ok(Value::Bool(plain)),
            None if own.is_template() => self.delimited(own, depth + 1),
            None => self.expression(own),
        }
    }

    /// The text of a variable that the user wrote, where the expression is but its name.
    fn own(&self, expression: &str) -> Option<Text> {
        match self.variable(expression.trim())? {
            Value::Str(t) if t.marks().has(Marks::TEMPLATE) && !t.trim().is_empty() => Some(t),
            _ => None,
        }
    }

    fn truth(&self, condition: &Value, result: Value) -> Result<Truth, Error> {
        let shown = condition.as_str().unwrap_or("the condition");
        let holds = match &result {
            Value::Bool(b) => *b,
            Value::Unknown(reason) => return Ok(Truth::Unknown(reason.clone())),
            Value::Str(t) => {
                self.warn(format!("conditional result of `{shown}` was {t:?} of type 'str', not a boolean"));
                boolean(t).unwrap_or(!t.is_empty())
            }
            other => {
                self.warn(format!(
                    "conditional result of `{shown}` was of type '{}', not a boolean",
                    other.type_name()
                ));
                other.truthy().unwrap_or(false)
            }
        };
        Ok(if holds { Truth::True } else { Truth::False })
    }
}

/// What is said of a condition that has a template in it.
fn told(text: &str) -> String {
    let quoted = |part: &Part<'_>| !matches!(part, Part::Inline(_, None));
    if parts(text).is_some_and(|parts| parts.iter().all(quoted)) {
        return super::embedded::in_condition(text);
    }
    format!("Conditionals should not be surrounded by templating delimiters: {text}")
}

/// A template's result as a condition: text is one only where it is a truth value.
fn judged(value: Value, text: &Text) -> Result<Value, Error> {
    match value {
        Value::Str(t) if t.trim().is_empty() => Ok(Value::Str(t)),
        Value::Str(t) => boolean(&t).map(Value::Bool).ok_or_else(|| untrusted(text)),
        other => Ok(other),
    }
}

fn untrusted(text: &Text) -> Error {
    Error::new(
        "Encountered untrusted template or expression: what is to be evaluated is text that is not written in a \
         playbook, role or inventory",
    )
    .located(text)
}

/// Whether a text is `name`, `name.part`, `name[0]`, `name['part']` and so on.
fn is_name(text: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = text.trim().trim_start_matches(word);
    let named = text.trim().starts_with(|c: char| c.is_alphabetic() || c == '_');
    while !rest.is_empty() {
        let next = match (rest.strip_prefix('.'), rest.strip_prefix('[')) {
            (Some(tail), _) if tail.starts_with(word) => Some(tail.trim_start_matches(word)),
            (_, Some(tail)) => tail.split_once(']').filter(|(key, _)| is_key(key)).map(|(_, after)| after),
            _ => None,
        };
        let Some(next) = next else { return false };
        rest = next;
    }
    named
}

/// Whether a subscript is a number, or a constant in one pair of quotes.
fn is_key(key: &str) -> bool {
    let inner = |q: char| key.strip_prefix(q).and_then(|k| k.strip_suffix(q));
    match inner('\'').or_else(|| inner('"')) {
        Some(inner) => !inner.contains(['\'', '"', '\\']),
        None => !key.is_empty() && key.chars().all(|c| c.is_ascii_digit()),
    }
}

/// What a condition is made of.
enum Part<'a> {
    Text(&'a str),
    /// A quote that begins or ends a constant.
    Quote(char),
    /// The inside of `{{ … }}`, and the quotes it stands in.
    Inline(&'a str, Option<char>),
}

/// Writes a quote; a constant that had a template in it is put into parentheses.
fn quote(out: &mut String, q: char, constant: &mut Option<(usize, bool)>) {
    match constant.take() {
        None => {
            *constant = Some((out.len(), false));
            out.push(q);
        }
        Some((at, inlined)) => {
            out.push(q);
            if inlined {
                out.insert(at, '(');
                out.push(')');
            }
        }
    }
}

/// The expression, where the text is one `{{ … }}` and nothing else.
fn whole(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?;
    let end = closing(inner)?;
    inner.get(end..).filter(|rest| *rest == "}}").and_then(|_| inner.get(..end))
}

/// Where the `}}` is that ends an expression; braces in its constants and dicts do not.
fn closing(text: &str) -> Option<usize> {
    let mut quoted = None;
    let mut depth = 0usize;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, quoted) {
            ('\\', Some(_)) => drop(chars.next()),
            (c, Some(q)) if c == q => quoted = None,
            (_, Some(_)) => {}
            ('\'' | '"', None) => quoted = Some(c),
            ('{', None) => depth += 1,
            ('}', None) if depth > 0 => depth -= 1,
            ('}', None) if text.get(at..).is_some_and(|t| t.starts_with("}}")) => return Some(at),
            _ => {}
        }
    }
    None
}

/// Takes a condition apart; `None` where it has statements or comments, or does not end well.
fn parts(text: &str) -> Option<Vec<Part<'_>>> {
    let mut out = Vec::new();
    let mut quoted: Option<char> = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("{%") || rest.starts_with("{#") {
            return None;
        }
        if let Some(inner) = rest.strip_prefix("{{") {
            let end = closing(inner)?;
            out.push(Part::Inline(inner.get(..end)?, quoted));
            rest = inner.get(end + 2..)?;
            continue;
        }
        let width = match c {
            '\\' if quoted.is_some() => 1 + rest.get(1..)?.chars().next()?.len_utf8(),
            c => c.len_utf8(),
        };
        let (here, next) = rest.split_at_checked(width)?;
        match quoted {
            Some(q) if c == q => {
                quoted = None;
                out.push(Part::Quote(c));
            }
            None if matches!(c, '\'' | '"') => {
                quoted = Some(c);
                out.push(Part::Quote(c));
            }
            _ => out.push(Part::Text(here)),
        }
        rest = next;
    }
    quoted.is_none().then_some(out)
}
