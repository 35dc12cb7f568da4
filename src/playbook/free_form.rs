//! `key=value` arguments and free-form text, split as Ansible does: quotes and
//! `{{ … }}` keep a word together.

/// A free-form argument string, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FreeForm {
    /// `key=value` words in order, quotes removed from values.
    pub pairs: Vec<(String, String)>,
    /// All the other words, spaced as written; a backslash at the end of a line joins it to the next.
    pub rest: String,
}

impl FreeForm {
    /// Takes `text` apart. `is_argument` says which keys are arguments; where it says
    /// no, the word stays in the text (`command: FOO=bar run`).
    ///
    /// # Errors
    /// When a quote or a `{{` is not closed.
    pub fn parse(text: &str, is_argument: impl Fn(&str) -> bool) -> Result<Self, String> {
        let mut out = Self::default();
        let mut keep = Vec::new();
        let mut pair_last = false;
        for word in split_words(text)? {
            let decoded = decode_escapes(word.trim());
            let pair = split_pair(&decoded).filter(|(key, _)| is_key(key) && is_argument(key));
            pair_last = pair.is_some();
            match pair {
                Some((key, value)) => out.pairs.push((key.to_owned(), unquote(value))),
                _ => keep.push(word),
            }
        }
        out.rest = joined(&keep);
        if pair_last {
            out.rest.truncate(out.rest.trim_end().len());
        }
        Ok(out)
    }
}

/// Words and the white space after them as one text. A word that is a backslash goes, and with it the end
/// of its line: one blank stands there instead, unless the next line begins with its own.
fn joined(words: &[String]) -> String {
    let mut out = String::new();
    let mut continues = false;
    for (i, word) in words.iter().enumerate() {
        let (body, gap) = word.split_at(word.trim_end().len());
        let dropped = body == "\\" && (gap.is_empty() || gap.starts_with([' ', '\n']));
        continues |= dropped;
        if !dropped {
            out.push_str(body);
        } else if out.ends_with(' ') {
            out.pop();
        }
        let ends = continues && gap.contains('\n');
        let gap = if ends { gap.replacen('\n', "", 1) } else { gap.to_owned() };
        continues &= !ends;
        let last = i + 1 == words.len();
        if (dropped || ends) && !out.is_empty() && !last && !gap.starts_with([' ', '\n']) {
            out.push(' ');
        }
        out.push_str(if dropped && out.is_empty() { gap.trim_start_matches(' ') } else { &gap });
    }
    out
}

/// The first word, which may be a template with spaces in it, and the rest.
pub(super) fn first_word(text: &str) -> (&str, &str) {
    let end = match text.trim_start().starts_with("{{").then(|| text.find("}}")).flatten() {
        Some(at) => at + 2,
        None => 0,
    };
    let cut = text.get(end..).and_then(|rest| rest.find(char::is_whitespace)).map_or(text.len(), |at| end + at);
    (text.get(..cut).unwrap_or(text), text.get(cut..).unwrap_or_default())
}

/// A word at its first `=` that does not stand in a template.
fn split_pair(word: &str) -> Option<(&str, &str)> {
    let mut at = word.find('=')?;
    let mut from = 0;
    while let Some(open) = word.get(from..)?.find("{{").map(|i| from + i).filter(|open| *open < at) {
        from = open + word.get(open..)?.find("}}")? + 2;
        at = from.max(at);
        at += word.get(at..)?.find('=')?;
    }
    Some((word.get(..at)?, word.get(at + 1..)?))
}

/// A name, of which templates may be a part (`set_fact: {{ item }}_port=1`).
fn is_key(key: &str) -> bool {
    let mut plain = key.to_owned();
    while let Some((head, tail)) = plain.split_once("{{").and_then(|(h, t)| Some((h, t.split_once("}}")?.1))) {
        plain = format!("{head}{tail}");
    }
    !key.is_empty() && plain.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Removes one pair of quotes around a value.
fn unquote(value: &str) -> String {
    let inner = |quote| value.strip_prefix(quote).and_then(|v| v.strip_suffix(quote));
    let inner = inner('"').or_else(|| inner('\'')).filter(|_| value.len() > 1);
    inner.unwrap_or(value).to_owned()
}

/// The escapes that Ansible decodes in `key=value`: `\n` and its kin, `\\`, `\"`, `\'`, `\xHH`, `\uHHHH`,
/// `\UHHHHHHHH`. Any other backslash stays.
pub fn decode_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('\\') {
        out.push_str(plain);
        match escaped(after) {
            Some((c, length)) => {
                out.push(c);
                rest = after.get(length..).unwrap_or_default();
            }
            None => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// What stands after a backslash: the character that it means, and how many bytes say so.
fn escaped(text: &str) -> Option<(char, usize)> {
    let first = text.chars().next()?;
    let digits = match first {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => {
            let c = match first {
                'a' => '\u{7}',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\u{b}',
                '\\' | '\'' | '"' => first,
                _ => return None,
            };
            return Some((c, 1));
        }
    };
    let hex = text.get(1..=digits).filter(|hex| hex.chars().all(|c| c.is_ascii_hexdigit()))?;
    Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, digits + 1))
}

/// Splits at white space outside of quotes and template braces. A quote counts wherever it
/// stands, so that one in a template ends the one around it: `msg="{{ f("x y") }}"`. Words keep
/// the white space that follows them, so that joining them gives the text back.
///
/// # Errors
/// When a quote or brace is not closed.
pub fn split_words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let mut depth = 0usize;
    let mut chars = text.chars().peekable();
    let mut in_space = false;
    while let Some(c) = chars.next() {
        let space = c.is_whitespace() && quote.is_none() && depth == 0;
        if in_space && !space {
            words.push(std::mem::take(&mut word));
        }
        in_space = space && !word.is_empty();
        word.push(c);
        match (c, quote) {
            // By itself it is a word: a line that goes on.
            ('\\', None)
                if depth == 0 && word == "\\" && chars.peek().is_none_or(|next| matches!(next, ' ' | '\n')) => {}
            ('\\', _) => word.extend(chars.next()),
            (q, Some(open)) if q == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            ('{', _) if chars.peek().is_some_and(|n| matches!(n, '{' | '%' | '#')) => {
                depth += 1;
                word.extend(chars.next());
            }
            ('}' | '%' | '#', _) if depth > 0 && chars.peek() == Some(&'}') => {
                depth -= 1;
                word.extend(chars.next());
            }
            _ => {}
        }
    }
    if quote.is_some() || depth > 0 {
        return Err("unbalanced quotes or template braces".to_owned());
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> (Vec<(String, String)>, String) {
        let f = FreeForm::parse(text, |k| k != "FOO").unwrap();
        (f.pairs, f.rest)
    }

    #[test]
    fn words_keys_quotes_and_braces() {
        let (p, rest) = pairs("dest=/etc/hosts regexp='.*{{ item }}$' line=\"{{ a.b }} {{ item }}\" state=present");
        assert_eq!(rest, "");
        let expected = [
            ("dest", "/etc/hosts"),
            ("regexp", ".*{{ item }}$"),
            ("line", "{{ a.b }} {{ item }}"),
            ("state", "present"),
        ];
        assert_eq!(p, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
        let (p, rest) = pairs("FOO=1 run  --x='a b' {{ y | default('q w') }} chdir=/tmp");
        assert_eq!(p, [("chdir".to_owned(), "/tmp".to_owned())]);
        assert_eq!(rest, "FOO=1 run  --x='a b' {{ y | default('q w') }}");
    }

    #[test]
    fn values_of_pairs_have_their_escapes_decoded() {
        let (p, rest) = pairs(r#"a="x\ty\\1 \x41\u00e9 \q\1" b=\n c='it\'s' d="q\"r" echo "a\tb""#);
        assert_eq!(rest, r#"echo "a\tb""#);
        let expected = [("a", "x\ty\\1 A\u{e9} \\q\\1"), ("b", "\n"), ("c", "it's"), ("d", "q\"r")];
        assert_eq!(p, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert_eq!(decode_escapes(r"\x4 \uD800 \"), r"\x4 \uD800 \");
    }

    #[test]
    fn lines_that_end_in_a_backslash_go_on() {
        for (text, expected) in [
            ("echo a \\\n   b\nc", "echo a   b\nc"),
            ("echo a   \\\n  b", "echo a    b"),
            ("echo a \\\nb \\\n\\\n \\\n c \\\n", "echo a b c"),
            ("echo a \\ b\necho c\necho d", "echo a b echo c\necho d"),
            ("\\\necho a \\\n\necho b \\", "echo a\necho b"),
            ("echo a \\\n\tb", "echo a \tb"),
            ("echo 'x \\\ny' \\\n\"z\n\" {{ 'a \\\\ b' }}\nc", "echo 'x \\\ny' \"z\n\" {{ 'a \\\\ b' }}\nc"),
            ("echo \\\\ a\\ b\\\nc \\\r\nd", "echo \\\\ a\\ b\\\nc \\\r\nd"),
            ("\n  echo a  \n  echo b\t\n", "\n  echo a  \n  echo b\t\n"),
        ] {
            assert_eq!(pairs(text).1, expected, "{text:?}");
        }
        assert_eq!(pairs("a=1 \\\n  b=2 \\\n").0.len(), 2);
    }

    #[test]
    fn a_template_may_stand_for_a_key() {
        let (p, rest) =
            pairs("{{ item if (item == 'a') else item[0] }}={{ item }} {{ 'x' + y }}=1=2 a_{{ b }}_{{ c == d }}=x");
        assert_eq!(rest, "");
        let expected = [
            ("{{ item if (item == 'a') else item[0] }}", "{{ item }}"),
            ("{{ 'x' + y }}", "1=2"),
            ("a_{{ b }}_{{ c == d }}", "x"),
        ];
        assert_eq!(p, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn what_is_not_closed_is_an_error() {
        assert!(split_words("a 'b").is_err());
        assert!(split_words("a={{ b").is_err());
    }
}
