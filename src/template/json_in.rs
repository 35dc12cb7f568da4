//! Reads JSON as Python's `json` module does: its words for what is wrong, `NaN` and `Infinity`, whole
//! numbers as large as they come here.

use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

use super::error::Error;
use super::value::R;
use crate::model::{Map, Value};

/// How deep lists and objects may be nested.
const DEPTH: usize = 500;

/// Reads one value.
pub(super) fn read(text: &str) -> R<Value> {
    let mut reader = Reader { text, chars: text.chars().peekable(), at: 0, depth: 0 };
    reader.blanks();
    let value = reader.value()?;
    reader.blanks();
    match reader.chars.peek() {
        None => Ok(value),
        Some(_) => Err(reader.wrong("Extra data", reader.at)),
    }
}

struct Reader<'t> {
    text: &'t str,
    chars: Peekable<Chars<'t>>,
    /// How many characters were read.
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn wrong(&self, what: &str, at: usize) -> Error {
        let before: String = self.text.chars().take(at).collect();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Error::new(format!("{what}: line {line} column {column} (char {at})"))
    }

    fn next(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        self.at += 1;
        Some(c)
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.chars.peek() == Some(&wanted);
        if found {
            self.next();
        }
        found
    }

    fn blanks(&mut self) {
        while matches!(self.chars.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.next();
        }
    }

    fn value(&mut self) -> R<Value> {
        let start = self.at;
        match self.chars.peek() {
            Some('"') => {
                self.next();
                self.string().map(Value::from)
            }
            Some('[') => self.deeper(Self::list),
            Some('{') => self.deeper(Self::object),
            Some('-' | '0'..='9') => self.number(),
            Some(c) if c.is_ascii_alphabetic() => self.word(start, 1.0),
            _ => Err(self.wrong("Expecting value", start)),
        }
    }

    fn deeper(&mut self, read: fn(&mut Self) -> R<Value>) -> R<Value> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Error::new("maximum recursion depth exceeded while decoding a JSON document"));
        }
        self.next();
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn word(&mut self, start: usize, sign: f64) -> R<Value> {
        let rest: String = self.chars.clone().take("Infinity".len()).collect();
        let words = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(sign * f64::INFINITY)),
        ];
        let found = words.into_iter().find(|(word, _)| rest.starts_with(word) && (sign > 0.0 || *word == "Infinity"));
        let (word, value) = found.ok_or_else(|| self.wrong("Expecting value", start))?;
        for _ in 0..word.len() {
            self.next();
        }
        Ok(value)
    }

    /// Digits, as many as there are.
    fn digits(&mut self, out: &mut String) -> bool {
        let before = out.len();
        while let Some(c) = self.chars.peek().copied().filter(char::is_ascii_digit) {
            out.push(c);
            self.next();
        }
        out.len() > before
    }

    fn number(&mut self) -> R<Value> {
        let start = self.at;
        let mut text = String::new();
        if self.take('-') {
            text.push('-');
            if self.chars.peek() == Some(&'I') {
                return self.word(start, -1.0);
            }
        }
        if self.take('0') {
            text.push('0');
        } else if !self.digits(&mut text) {
            return Err(self.wrong("Expecting value", start));
        }
        let mut float = false;
        // What looks like a fraction or an exponent and is none is what follows the number.
        let mut ahead = self.chars.clone();
        if ahead.next() == Some('.') && ahead.next().is_some_and(|c| c.is_ascii_digit()) {
            float = self.take('.');
            text.push('.');
            self.digits(&mut text);
        }
        let mut ahead = self.chars.clone();
        if matches!(ahead.next(), Some('e' | 'E')) {
            let sign = ahead.next_if(|c| matches!(c, '+' | '-'));
            if ahead.next().is_some_and(|c| c.is_ascii_digit()) {
                float = true;
                self.next();
                text.push('e');
                if let Some(sign) = sign {
                    self.next();
                    text.push(sign);
                }
                self.digits(&mut text);
            }
        }
        if float {
            return Ok(text.parse().map_or(Value::Null, Value::Float));
        }
        match text.parse() {
            Ok(number) => Ok(Value::Int(number)),
            // As Python reads them.
            Err(_) if text.len() <= 4300 => Ok(Value::Big(text.into())),
            Err(_) => Err(self.wrong("the number has more than 4300 digits", start)),
        }
    }

    fn list(&mut self) -> R<Value> {
        let mut items = Vec::new();
        self.blanks();
        if self.take(']') {
            return Ok(Value::List(Arc::new(items)));
        }
        loop {
            self.blanks();
            items.push(self.value()?);
            self.blanks();
            if self.take(']') {
                return Ok(Value::List(Arc::new(items)));
            }
            if !self.take(',') {
                return Err(self.wrong("Expecting ',' delimiter", self.at));
            }
        }
    }

    fn object(&mut self) -> R<Value> {
        let mut map = Map::new();
        self.blanks();
        if self.take('}') {
            return Ok(map.into());
        }
        loop {
            self.blanks();
            if !self.take('"') {
                return Err(self.wrong("Expecting property name enclosed in double quotes", self.at));
            }
            let key = self.string()?;
            self.blanks();
            if !self.take(':') {
                return Err(self.wrong("Expecting ':' delimiter", self.at));
            }
            self.blanks();
            let value = self.value()?;
            map.insert(key.as_str(), value);
            self.blanks();
            if self.take('}') {
                return Ok(map.into());
            }
            if !self.take(',') {
                return Err(self.wrong("Expecting ',' delimiter", self.at));
            }
        }
    }

    /// What stands up to the closing quote.
    fn string(&mut self) -> R<String> {
        let start = self.at - 1;
        let mut out = String::new();
        loop {
            let at = self.at;
            match self.next() {
                None => return Err(self.wrong("Unterminated string starting at", start)),
                Some('"') => return Ok(out),
                Some('\\') => out.push(self.escape(start)?),
                Some(c) if u32::from(c) < 0x20 => return Err(self.wrong("Invalid control character at", at)),
                Some(c) => out.push(c),
            }
        }
    }

    fn escape(&mut self, start: usize) -> R<char> {
        let at = self.at - 1;
        Ok(match self.next() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let first = self.unit(at)?;
                // Two halves of one character.
                let pair = (0xd800..0xdc00).contains(&first) && self.chars.clone().take(2).eq(['\\', 'u']);
                let mut units = vec![first];
                if pair {
                    self.next();
                    self.next();
                    units.push(self.unit(at)?);
                }
                let one = char::decode_utf16(units).next().and_then(Result::ok);
                one.ok_or_else(|| Error::new("Refusing to deserialize an invalid UTF8 string value"))?
            }
            Some(_) => return Err(self.wrong("Invalid \\escape", at)),
            None => return Err(self.wrong("Unterminated string starting at", start)),
        })
    }

    fn unit(&mut self, at: usize) -> R<u16> {
        let digits: String = self.chars.clone().take(4).collect();
        let hex = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| hex);
        let unit = unit.ok_or_else(|| self.wrong("Invalid \\uXXXX escape", at + 1))?;
        for _ in 0..4 {
            self.next();
        }
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_as_python_reads_it() {
        let read = |text: &str| read(text).map(|v| format!("{v:?}")).unwrap_or_else(|e| e.to_string());
        // As Python's json.loads says.
        for (text, wanted) in [
            ("", "Expecting value: line 1 column 1 (char 0)"),
            ("{\"a\": 1", "Expecting ',' delimiter: line 1 column 8 (char 7)"),
            ("[1,]", "Expecting value: line 1 column 4 (char 3)"),
            ("{\"a\" 1}", "Expecting ':' delimiter: line 1 column 6 (char 5)"),
            ("{a: 1}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
            ("\"abc", "Unterminated string starting at: line 1 column 1 (char 0)"),
            ("1 2", "Extra data: line 1 column 3 (char 2)"),
            ("01", "Extra data: line 1 column 2 (char 1)"),
            ("tru", "Expecting value: line 1 column 1 (char 0)"),
            ("[1\n2]", "Expecting ',' delimiter: line 2 column 1 (char 3)"),
            ("1.", "Extra data: line 1 column 2 (char 1)"),
            ("-", "Expecting value: line 1 column 1 (char 0)"),
            (r#""\x""#, "Invalid \\escape: line 1 column 2 (char 1)"),
            (r#""\u12""#, "Invalid \\uXXXX escape: line 1 column 3 (char 2)"),
            ("\"a\tb\"", "Invalid control character at: line 1 column 3 (char 2)"),
        ] {
            assert_eq!(read(text), wanted, "{text}");
        }
        for (text, wanted) in [
            ("123456789012345678901234567890", Value::Int(123_456_789_012_345_678_901_234_567_890)),
            (" -0 ", Value::Int(0)),
            ("1E5", Value::Float(100_000.0)),
            ("1e400", Value::Float(f64::INFINITY)),
            ("-Infinity", Value::Float(f64::NEG_INFINITY)),
            (r#""\ud83d\ude00\n\/""#, Value::from("😀\n/")),
            (r#"{"a":1,"a":[true,null,{}]}"#, super::read(r#"{"a": [true, null, {}]}"#).expect("JSON")),
        ] {
            assert_eq!(super::read(text).expect(text), wanted, "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(super::read(&deep).is_err(), "no overflow");
    }
}
