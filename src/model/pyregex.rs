//! Python's regular expressions on fancy-regex: syntax and replacement texts.

use fancy_regex::{Captures, Regex};

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

/// Fills a Python replacement text: `\1`, `\g<1>`, `\g<name>`, `\n`.
///
/// # Errors
/// When it names a group that the pattern does not have.
pub fn expand(template: &str, found: &Captures<'_, str>) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = template.chars().peekable();
    let group = |name: &str| -> Result<String, String> {
        let known = match name.parse::<usize>() {
            Ok(i) => (i < found.len()).then(|| found.get(i)),
            Err(_) => Some(found.name(name)),
        };
        let known = known.ok_or_else(|| format!("invalid group reference {name}"))?;
        Ok(known.map_or_else(String::new, |m| m.as_str().to_owned()))
    };
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('g') if chars.next_if_eq(&'<').is_some() => {
                let name: String = chars.by_ref().take_while(|c| *c != '>').collect();
                out.push_str(&group(&name)?);
            }
            Some(d) if d.is_ascii_digit() => {
                let mut name = d.to_string();
                if d != '0' {
                    name.extend(chars.next_if(char::is_ascii_digit));
                }
                out.push_str(&group(&name)?);
            }
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\\') => out.push('\\'),
            Some(c) => out.extend(['\\', c]),
            None => out.push('\\'),
        }
    }
    Ok(out)
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

    #[test]
    fn replacements_take_groups() {
        let regex = compile("(?P<k>a)(b)?(c)", false, false).unwrap();
        let found = regex.captures("ac").unwrap().unwrap();
        assert_eq!(expand(r"\g<k>-\2-\3\n\g<1>", &found).unwrap(), "a--c\na");
        assert!(expand(r"\9", &found).is_err());
    }
}
