//! Python's regular expressions on fancy-regex: their syntax.

use fancy_regex::Regex;

/// Compiles a Python pattern.
///
/// # Errors
/// When it is none, in words.
pub fn compile(pattern: &str, ignorecase: bool, multiline: bool) -> Result<Regex, String> {
    let mut out = String::with_capacity(pattern.len() + 8);
    match (ignorecase, multiline) {
        (true, true) => out.push_str("(?im)"),
        (true, false) => out.push_str("(?i)"),
        (false, true) => out.push_str("(?m)"),
        (false, false) => {}
    }
    translate(pattern, multiline, &mut out);
    Regex::new(&out).map_err(|e| format!("invalid regular expression '{pattern}': {e}"))
}

/// What Python writes otherwise: `\Z`, `$` before a last line end, `[` in a class.
fn translate(pattern: &str, multiline: bool, out: &mut String) {
    let mut chars = pattern.chars().peekable();
    let (mut class, mut start) = (false, false);
    let multiline = multiline || ["(?m", "(?im", "(?sm"].iter().any(|flags| pattern.starts_with(flags));
    while let Some(c) = chars.next() {
        let first = std::mem::take(&mut start);
        match c {
            '\\' => match chars.next() {
                Some('Z') if !class => out.push_str(r"\z"),
                Some(c) if !c.is_ascii_alphanumeric() && !c.is_ascii_punctuation() => out.push(c),
                Some(c) if "\"',;:=%@`!_<>/".contains(c) => out.push(c),
                Some(c) => out.extend(['\\', c]),
                None => out.push('\\'),
            },
            '[' if class => out.push_str(r"\["),
            '[' => {
                class = true;
                start = true;
                out.push('[');
                out.extend(chars.next_if_eq(&'^'));
            }
            ']' if class && first => out.push_str(r"\]"),
            ']' => {
                class = false;
                out.push(']');
            }
            '&' | '~' if class => out.extend(['\\', c]),
            '{' if !class && chars.peek() == Some(&',') => out.push_str("{0"),
            '$' if !class && !multiline => out.push_str(r"(?=\n?\z)"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_python() {
        for (pattern, text, expected) in [
            ("foo$", "foo\n", true),
            ("foo$", "foo\nbar", false),
            (r"foo\Z", "foo\n", false),
            (r"^\s*#?\s*Port\s", "#Port 22\n", true),
            ("[[]x", "[x", true),
            ("[]a]x", "]x", true),
            (r"a\ b\-c\/d", "a b-c/d", true),
            ("^a{,2}$", "aa", true),
            ("(?<!x)y", "xy", false),
            ("(?P<q>a)(?P=q)", "aa", true),
            ("(?m)^b$", "a\nb\nc", true),
        ] {
            let found = compile(pattern, false, false).unwrap().is_match(text).unwrap();
            assert_eq!(found, expected, "{pattern} on {text:?}");
        }
        assert!(compile("(", false, false).is_err());
    }
}
