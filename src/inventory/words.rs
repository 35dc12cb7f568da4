//! Splits a host line into words, as a shell would: quotes, backslashes and comments.

/// A word with the column (from 1, in characters) where it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub text: String,
    pub column: u32,
}

/// What stands open at the end of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Open {
    /// The quote, or a backslash with nothing after it.
    pub what: char,
    pub column: u32,
}

/// The words of a line. `#` starts a comment, also within a word, unless it is quoted.
pub(super) fn split(line: &str) -> Result<Vec<Word>, Open> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut chars = (1u32..).zip(line.chars());
    while let Some((column, c)) = chars.next() {
        if c == '#' {
            break;
        }
        if c.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        let current = word.get_or_insert_with(|| Word { text: String::new(), column });
        match c {
            '\'' | '"' => quoted(&mut chars, c, &mut current.text).ok_or(Open { what: c, column })?,
            '\\' => current.text.push(chars.next().ok_or(Open { what: c, column })?.1),
            _ => current.text.push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Reads up to the closing quote. In double quotes a backslash escapes `"` and itself.
fn quoted(chars: &mut impl Iterator<Item = (u32, char)>, quote: char, text: &mut String) -> Option<()> {
    loop {
        let (_, c) = chars.next()?;
        if c == quote {
            return Some(());
        }
        if c == '\\' && quote == '"' {
            let (_, escaped) = chars.next()?;
            if !matches!(escaped, '"' | '\\') {
                text.push('\\');
            }
            text.push(escaped);
        } else {
            text.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        let texts = |line| split(line).unwrap().into_iter().map(|w| w.text).collect::<Vec<_>>();
        assert_eq!(texts("h a=\"b c\" d='e\"' f\\ g # h"), ["h", "a=b c", "d=e\"", "f g"]);
        assert_eq!(texts("u=a#b ''"), ["u=a"]);
        assert_eq!(texts("a=\"\\\"\\n\" ''"), ["a=\"\\n", ""]);
        assert_eq!(split("  ä b").unwrap()[1].column, 5);
        assert_eq!(split("h a=\"b").unwrap_err(), Open { what: '"', column: 5 });
    }
}
