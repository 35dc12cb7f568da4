//! Python's replacement texts of regular expressions: `\1`, `\g<name>`, `\n`.

use std::iter::Peekable;
use std::str::Chars;

use fancy_regex::{Captures, Regex};

/// A replacement text, taken apart for one expression.
pub struct Replacement {
    pieces: Vec<Piece>,
}

enum Piece {
    Text(String),
    Group(usize),
}

impl Replacement {
    /// Takes a text apart. As in Python, it is wrong whether or not anything matches.
    ///
    /// # Errors
    /// When it names a group that the expression does not have, or has an escape that there is not, in
    /// Python's words.
    pub fn parse(text: &str, regex: &Regex) -> Result<Self, String> {
        let mut reader = Reader { chars: text.chars().peekable(), at: 0, regex };
        let (mut pieces, mut plain) = (Vec::new(), String::new());
        while let Some(c) = reader.next() {
            match if c == '\\' { reader.escape()? } else { Piece::Text(c.into()) } {
                Piece::Text(text) => plain.push_str(&text),
                group => pieces.extend([Piece::Text(std::mem::take(&mut plain)), group]),
            }
        }
        pieces.push(Piece::Text(plain));
        Ok(Self { pieces })
    }

    /// The text for a match; a group that took no part is empty.
    pub fn fill(&self, found: &Captures<'_, str>) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Group(group) => out.push_str(found.get(*group).map_or("", |m| m.as_str())),
            }
        }
        out
    }
}

struct Reader<'a> {
    chars: Peekable<Chars<'a>>,
    /// How many characters have been read.
    at: usize,
    regex: &'a Regex,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.chars.next();
        self.at += usize::from(next.is_some());
        next
    }

    fn next_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let next = self.chars.next_if(|c| wanted(*c));
        self.at += usize::from(next.is_some());
        next
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<Piece, String> {
        let start = self.at - 1;
        Ok(Piece::Text(match self.next() {
            None => return Err(format!("bad escape (end of pattern) at position {start}")),
            Some('g') => return self.named(),
            Some(digit) if digit.is_ascii_digit() => return self.digits(digit, start),
            Some('a') => "\u{7}".to_owned(),
            Some('b') => "\u{8}".to_owned(),
            Some('f') => "\u{c}".to_owned(),
            Some('n') => "\n".to_owned(),
            Some('r') => "\r".to_owned(),
            Some('t') => "\t".to_owned(),
            Some('v') => "\u{b}".to_owned(),
            Some('\\') => "\\".to_owned(),
            Some(letter) if letter.is_ascii_alphabetic() => {
                return Err(format!("bad escape \\{letter} at position {start}"));
            }
            Some(other) => format!("\\{other}"),
        }))
    }

    /// `\g<name>`, `\g<1>`.
    fn named(&mut self) -> Result<Piece, String> {
        let start = self.at;
        if self.next_if(|c| c == '<').is_none() {
            return Err(format!("missing < at position {start}"));
        }
        let start = self.at;
        let mut name = String::new();
        while let Some(c) = self.next_if(|c| c != '>') {
            name.push(c);
        }
        let closed = self.next().is_some();
        match name.chars().next() {
            None => Err(format!("missing group name at position {start}")),
            _ if !closed => Err(format!("missing >, unterminated name at position {start}")),
            _ if name.bytes().all(|b| b.is_ascii_digit()) => self.group(&name, start),
            Some(first) if first.is_numeric() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') => {
                Err(format!("bad character in group name '{name}' at position {start}"))
            }
            Some(_) => {
                let group = self.regex.capture_names().position(|known| known == Some(&name));
                group.map(Piece::Group).ok_or_else(|| format!("unknown group name '{name}'"))
            }
        }
    }

    /// A group's number, or a character's in octal: `\0…` and what has three digits.
    fn digits(&mut self, first: char, start: usize) -> Result<Piece, String> {
        let octal = |c: char| ('0'..='7').contains(&c);
        let mut digits = first.to_string();
        if first == '0' {
            digits.extend(self.next_if(octal));
            digits.extend(self.next_if(octal));
            return character(&digits, start);
        }
        digits.extend(self.next_if(|c| c.is_ascii_digit()));
        if digits.len() == 2 && digits.chars().all(octal) {
            digits.extend(self.next_if(octal));
        }
        if digits.len() == 3 { character(&digits, start) } else { self.group(&digits, start + 1) }
    }

    fn group(&self, number: &str, start: usize) -> Result<Piece, String> {
        let known = number.parse().ok().filter(|group| *group < self.regex.captures_len());
        known.map(Piece::Group).ok_or_else(|| format!("invalid group reference {number} at position {start}"))
    }
}

fn character(octal: &str, start: usize) -> Result<Piece, String> {
    let byte = u8::from_str_radix(octal, 8)
        .map_err(|_| format!("octal escape value \\{octal} outside of range 0-0o377 at position {start}"))?;
    Ok(Piece::Text(char::from(byte).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> Result<String, String> {
        let regex = Regex::new("(?P<k>a)(b)?(c)").unwrap();
        let found = regex.captures("ac").unwrap().unwrap();
        Replacement::parse(template, &regex).map(|r| r.fill(&found))
    }

    #[test]
    fn replacements_take_groups_and_escapes() {
        assert_eq!(filled(r"\g<k>-\2-\3\n\g<1>\g<0>").unwrap(), "a--c\naac");
        assert_eq!(filled(r"\0\07z\012\101\\\&\-\f").unwrap(), "\0\u{7}z\nA\\\\&\\-\u{c}");
    }

    #[test]
    fn what_python_refuses_is_refused() {
        for (template, words) in [
            (r"x\D", r"bad escape \D at position 1"),
            (r"\", "bad escape (end of pattern) at position 0"),
            (r"\9", "invalid group reference 9 at position 1"),
            (r"\60", "invalid group reference 60 at position 1"),
            (r"\g<7>", "invalid group reference 7 at position 3"),
            (r"\777", r"octal escape value \777 outside of range 0-0o377 at position 0"),
            (r"x\g1", "missing < at position 3"),
            (r"\g<", "missing group name at position 3"),
            (r"\g<>", "missing group name at position 3"),
            (r"\g<k", "missing >, unterminated name at position 3"),
            (r"\g<1x>", "bad character in group name '1x' at position 3"),
            (r"\g<nope>", "unknown group name 'nope'"),
        ] {
            assert_eq!(filled(template).unwrap_err(), words, "{template}");
        }
    }
}
