//! JSON as programs on a host print it, read into values. The worker is built without
//! serde_json, to stay small.

use crate::model::{Map, Value};

/// How deep lists and maps may be nested.
const MAX_DEPTH: usize = 64;

/// Reads a document; `None` when it is not JSON.
pub fn parse(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    reader.space();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.space();
        match self.rest.chars().next()? {
            _ if depth > MAX_DEPTH => None,
            '{' => self.map(depth),
            '[' => self.list(depth),
            '"' => self.string().map(Value::from),
            _ if self.eat("true") => Some(Value::Bool(true)),
            _ if self.eat("false") => Some(Value::Bool(false)),
            _ if self.eat("null") => Some(Value::Null),
            _ => self.number(),
        }
    }

    fn map(&mut self, depth: usize) -> Option<Value> {
        let mut map = Map::new();
        self.eat("{");
        if self.eat("}") {
            return Some(map.into());
        }
        loop {
            self.space();
            let key = self.string()?;
            if !self.eat(":") {
                return None;
            }
            map.insert(key, self.value(depth + 1)?);
            if self.eat("}") {
                return Some(map.into());
            }
            if !self.eat(",") {
                return None;
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.eat("[");
        if self.eat("]") {
            return Some(Value::list(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.eat("]") {
                return Some(Value::list(items));
            }
            if !self.eat(",") {
                return None;
            }
        }
    }

    fn number(&mut self) -> Option<Value> {
        let end = self.rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        if !word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return None;
        }
        word.parse::<i128>().map(Value::Int).ok().or_else(|| word.parse().map(Value::Float).ok())
    }

    fn string(&mut self) -> Option<String> {
        let mut out = String::new();
        let mut chars = self.rest.strip_prefix('"')?.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => match chars.next()? {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    'b' => out.push('\u{8}'),
                    'f' => out.push('\u{c}'),
                    'u' => out.push(unicode(&mut chars)?),
                    c @ ('"' | '\\' | '/') => out.push(c),
                    _ => return None,
                },
                c if (c as u32) < 0x20 => return None,
                c => out.push(c),
            }
        }
        self.rest = chars.as_str();
        Some(out)
    }
}

fn unicode(chars: &mut std::str::Chars<'_>) -> Option<char> {
    let first = hex4(chars)?;
    if !(0xD800..0xDC00).contains(&first) {
        return char::from_u32(first);
    }
    // The first half of a pair for what lies beyond 16 bits.
    (chars.next()? == '\\' && chars.next()? == 'u').then_some(())?;
    let second = hex4(chars)?.checked_sub(0xDC00)?;
    char::from_u32(0x10000 + ((first - 0xD800) << 10) + second)
}

fn hex4(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |n, _| Some(n * 16 + chars.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_and_noise_is_refused() {
        let doc = parse(r#" {"a": [1, -2.5, true, null], "b": {"c": "x\n\u00e9\ud83d\ude00"}} "#).unwrap();
        assert_eq!(doc.get("a").unwrap().as_list().unwrap().len(), 4);
        assert_eq!(doc.get("b").unwrap().get("c").unwrap().as_str(), Some("x\né😀"));
        assert_eq!(parse("{}").unwrap().as_map().map(Map::len), Some(0));
        for bad in ["", "{", "[1,]", "{\"a\" 1}", "a=b", "[general]\nx=1", "1 2", "\"\\u12\""] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }
}
