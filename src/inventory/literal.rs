//! Python literals, as `ast.literal_eval` reads them: what types the values of INI inventories.
//!
//! Source of the grammar: the Python language reference, "Literals" and `ast.literal_eval`.

use std::sync::Arc;

use crate::model::{Key, Map, Value};

/// Nesting beyond this is no literal of a person.
const MAX_DEPTH: usize = 60;

/// The value of a Python literal; `None` when the text is none (Ansible then keeps it as a
/// string). Tuples and sets become lists.
pub fn parse(text: &str) -> Option<Value> {
    let mut parser = Parser { rest: text.trim_start_matches([' ', '\t']), depth: 0, brackets: 0 };
    let value = parser.expression()?;
    parser.space();
    parser.rest.trim().is_empty().then_some(value)
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
    /// Open brackets: line ends are space within them.
    brackets: usize,
}

impl<'a> Parser<'a> {
    /// Skips space and comments.
    fn space(&mut self) {
        let brackets = self.brackets;
        loop {
            self.rest = self.rest.trim_start_matches(|c| {
                matches!(c, ' ' | '\t' | '\u{c}') || (brackets > 0 && matches!(c, '\n' | '\r'))
            });
            if !self.rest.starts_with('#') {
                return;
            }
            self.rest = self.rest.find('\n').and_then(|end| self.rest.get(end..)).unwrap_or("");
        }
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// A literal, or several with commas: a tuple without brackets.
    fn expression(&mut self) -> Option<Value> {
        let first = self.literal()?;
        if !self.eat(",") {
            return Some(first);
        }
        let mut items = vec![first];
        loop {
            self.space();
            if self.rest.trim().is_empty() {
                return Some(Value::List(Arc::new(items)));
            }
            items.push(self.literal()?);
            if !self.eat(",") {
                return Some(Value::List(Arc::new(items)));
            }
        }
    }

    fn literal(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        self.space();
        let value = match self.rest.chars().next()? {
            '[' => self.list("[", "]"),
            '(' => self.parenthesis(),
            '{' => self.braces(),
            '-' => {
                self.eat("-");
                self.number().map(negate)
            }
            '+' => {
                self.eat("+");
                self.number()
            }
            c if c.is_ascii_digit() || c == '.' => self.number(),
            _ => self.word_or_string(),
        };
        self.depth -= 1;
        value
    }

    /// Items up to `close`, and whether a comma stood after any of them.
    fn items(&mut self, close: &str) -> Option<(Vec<Value>, bool)> {
        let (mut items, mut comma) = (Vec::new(), false);
        loop {
            if self.eat(close) {
                return Some((items, comma));
            }
            items.push(self.literal()?);
            if self.eat(",") {
                comma = true;
            } else {
                return self.eat(close).then_some((items, comma));
            }
        }
    }

    fn list(&mut self, open: &str, close: &str) -> Option<Value> {
        self.eat(open);
        self.brackets += 1;
        let found = self.items(close);
        self.brackets -= 1;
        found.map(|(items, _)| Value::List(Arc::new(items)))
    }

    /// `(x)` is x, `(x,)` a tuple.
    fn parenthesis(&mut self) -> Option<Value> {
        self.eat("(");
        self.brackets += 1;
        let found = self.items(")");
        self.brackets -= 1;
        let (mut items, comma) = found?;
        match items.len() {
            1 if !comma => items.pop(),
            _ => Some(Value::List(Arc::new(items))),
        }
    }

    fn braces(&mut self) -> Option<Value> {
        self.eat("{");
        self.brackets += 1;
        let found = self.dict_or_set();
        self.brackets -= 1;
        found
    }

    fn dict_or_set(&mut self) -> Option<Value> {
        if self.eat("}") {
            return Some(Value::from(Map::new()));
        }
        let first = self.literal()?;
        if !self.eat(":") {
            let mut items = vec![first];
            if self.eat(",") {
                items.extend(self.items("}")?.0);
            } else if !self.eat("}") {
                return None;
            }
            return Some(Value::List(Arc::new(items)));
        }
        let mut map = Map::new();
        let mut key = first;
        loop {
            let value = self.literal()?;
            map.insert(as_key(&key)?, value);
            if !self.eat(",") {
                return self.eat("}").then(|| Value::from(map));
            }
            if self.eat("}") {
                return Some(Value::from(map));
            }
            key = self.literal()?;
            if !self.eat(":") {
                return None;
            }
        }
    }

    fn number(&mut self) -> Option<Value> {
        self.space();
        let bytes = self.rest.as_bytes();
        let hex = matches!(bytes, [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', ..]);
        let mut end = 0;
        while let Some(&b) = bytes.get(end) {
            let after_e = end > 0 && matches!(bytes.get(end - 1), Some(b'e' | b'E')) && !hex;
            if b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.') || (after_e && matches!(b, b'+' | b'-')) {
                end += 1;
            } else {
                break;
            }
        }
        let (token, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        // What has no other form stays the text that it is: a complex number, `...`.
        let real = token.strip_suffix(['j', 'J']).filter(|_| !hex);
        if token == "..." || self.brackets > 0 && real.is_some_and(|real| number(real).is_some()) {
            return Some(Value::from(token));
        }
        number(token)
    }

    fn word_or_string(&mut self) -> Option<Value> {
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        if rest.starts_with(['"', '\'']) {
            return self.strings();
        }
        self.rest = rest;
        match word {
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "None" => Some(Value::Null),
            // The empty set has no other form.
            "set" => (self.eat("(") && self.eat(")")).then(|| Value::List(Arc::default())),
            _ => None,
        }
    }

    /// One string, or several side by side, which are one.
    fn strings(&mut self) -> Option<Value> {
        let mut all = String::new();
        loop {
            self.space();
            let quote = self.rest.find(['"', '\'']).filter(|at| *at <= 2);
            let prefix = quote.and_then(|at| self.rest.get(..at)).map(str::to_lowercase);
            let Some(prefix) = prefix.filter(|p| matches!(p.as_str(), "" | "r" | "u" | "b" | "rb" | "br")) else {
                return Some(Value::from(all));
            };
            self.rest = self.rest.get(prefix.len()..)?;
            all.push_str(&self.string(prefix.contains('r'))?);
            self.space();
            if !self.rest.starts_with(['"', '\'', 'r', 'R', 'u', 'U', 'b', 'B']) {
                return Some(Value::from(all));
            }
        }
    }

    fn string(&mut self, raw: bool) -> Option<String> {
        let triple = ["\"\"\"", "'''"].into_iter().find(|q| self.rest.starts_with(q));
        let quote = triple.or_else(|| self.rest.get(..1))?;
        self.rest = self.rest.strip_prefix(quote)?;
        let mut text = String::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                self.rest = rest;
                return Some(text);
            }
            let c = self.next()?;
            match c {
                '\\' if raw => {
                    text.push('\\');
                    text.push(self.next()?);
                }
                '\\' => self.escape(&mut text)?,
                '\n' if triple.is_none() => return None,
                _ => text.push(c),
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    fn escape(&mut self, text: &mut String) -> Option<()> {
        let c = self.next()?;
        let plain = match c {
            '\n' => return Some(()),
            '\\' | '\'' | '"' => c,
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.code(2, 16)?,
            'u' => self.code(4, 16)?,
            'U' => self.code(8, 16)?,
            '0'..='7' => {
                let more = self.rest.chars().take(2).take_while(|d| d.is_digit(8)).count();
                let mut value = c.to_digit(8)?;
                for _ in 0..more {
                    value = value * 8 + self.next()?.to_digit(8)?;
                }
                char::from_u32(value)?
            }
            'N' => return None,
            // Python keeps a backslash before a character that needs none.
            _ => {
                text.push('\\');
                c
            }
        };
        text.push(plain);
        Some(())
    }

    fn code(&mut self, digits: usize, radix: u32) -> Option<char> {
        let (code, rest) = self.rest.split_at_checked(digits)?;
        if !code.chars().all(|c| c.is_digit(radix)) {
            return None;
        }
        self.rest = rest;
        char::from_u32(u32::from_str_radix(code, radix).ok()?)
    }
}

fn negate(value: Value) -> Value {
    match value {
        Value::Int(i) => Value::Int(-i),
        Value::Float(f) => Value::Float(-f),
        other => other,
    }
}

fn as_key(value: &Value) -> Option<Key> {
    Some(match value {
        Value::Null => Key::Null,
        Value::Bool(b) => Key::Bool(*b),
        Value::Int(i) => Key::Int(i64::try_from(*i).ok()?),
        Value::Float(f) => Key::Float(format!("{f:?}").into()),
        Value::Str(text) => Key::Str(text.shared()),
        Value::Big(_) | Value::List(_) | Value::Map(_) | Value::Unknown(_) => return None,
    })
}

/// A number without its sign. A leading zero is for octal in Python 2 only: `0644` is none.
fn number(token: &str) -> Option<Value> {
    let lower = token.to_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            let digits = digits.strip_prefix('_').unwrap_or(digits);
            return i128::from_str_radix(&digits_of(digits, radix)?, radix).ok().map(Value::Int);
        }
    }
    if !lower.contains(['.', 'e']) {
        let digits = digits_of(&lower, 10)?;
        let leading_zero = digits.starts_with('0') && digits.chars().any(|c| c != '0');
        return if leading_zero { None } else { digits.parse().ok().map(Value::Int) };
    }
    let (mantissa, exponent) = lower.split_once('e').map_or((lower.as_str(), None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    for part in [whole, fraction] {
        if !part.is_empty() {
            digits_of(part, 10)?;
        }
    }
    if let Some(exponent) = exponent {
        digits_of(exponent.strip_prefix(['+', '-']).unwrap_or(exponent), 10)?;
    }
    lower.replace('_', "").parse().ok().map(Value::Float)
}

/// Digits with single underscores between them, without the underscores.
fn digits_of(text: &str, radix: u32) -> Option<String> {
    let fits = text.split('_').all(|part| !part.is_empty() && part.chars().all(|c| c.is_digit(radix)));
    fits.then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(literal, JSON of what Python makes of it)`, by hand from `ast.literal_eval`.
    #[test]
    fn literals_are_pythons() {
        for (text, json) in [
            ("5", "5"),
            ("-5", "-5"),
            ("1_000", "1000"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("00", "0"),
            ("1e3", "1000.0"),
            (".5", "0.5"),
            ("True", "true"),
            ("None", "null"),
            ("set()", "[]"),
            ("'a\\n' \"b\"", "\"a\\nb\""),
            ("r'\\d'", "\"\\\\d\""),
            ("'''a'''", "\"a\""),
            ("[1, 'a', [True,],]", "[1, \"a\", [true]]"),
            ("(1)", "1"),
            ("(1,)", "[1]"),
            ("()", "[]"),
            ("1, 2", "[1, 2]"),
            ("{}", "{}"),
            ("{'a': {'b': 1}, 'c': [2]}", "{\"a\": {\"b\": 1}, \"c\": [2]}"),
            ("{1, 2}", "[1, 2]"),
            ("'x' # c", "\"x\""),
            ("1_0.5", "10.5"),
            ("1e5_0", "1.0e+50"),
            ("0b1_1", "3"),
            ("09.5", "9.5"),
            ("- 5", "-5"),
            ("1,", "[1]"),
            ("Rb'x'", "\"x\""),
            ("'\\u00e4\\400'", "\"ä\u{0100}\""),
        ] {
            let expected = crate::yaml::from_str_value(json, "t", false).unwrap();
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_literal_stays_text() {
        for text in [
            "",
            "0644",
            "yes",
            "true",
            "a b",
            "1 2",
            "--5",
            "1__0",
            "[1",
            "{'a' 1}",
            "'a",
            "x # c",
            "\"a\" + \"b\"",
            "5L",
            "1._5",
            "'a'b",
            "f'x'",
            "[,]",
            "{[]:1}",
            "-True",
            "1e+",
            "(5",
            "5)",
            "[1 2]",
            "[1,,2]",
            "ur'x'",
            "1j",
            ".",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"[".repeat(10_000)), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_literal_or_not(text in "[\\[\\](){}'\"\\\\#,:0-9a-fxobrueN_.+\\- \nä]{0,30}") {
            let _ = parse(&text);
        }
    }
}
