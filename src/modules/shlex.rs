//! Splitting a command line into words as a POSIX shell does, nothing expanded.

/// The words of `text`: quotes and backslashes keep them together.
///
/// # Errors
/// When a quote is not closed, or a backslash ends the text.
pub fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '"' => break,
                        '\\' => match chars.next().ok_or("No escaped character")? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("No escaped character")?),
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// A word quoted for a POSIX shell.
pub fn quote(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(safe) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        for (text, words) in [
            ("ls -l  /tmp", &["ls", "-l", "/tmp"][..]),
            (r#"a 'b c' "d \"e\" \n" f\ g """#, &["a", "b c", r#"d "e" \n"#, "f g", ""]),
            ("a'b'\"c\"", &["abc"]),
            ("  ", &[]),
        ] {
            assert_eq!(split(text).unwrap(), words, "{text}");
        }
        assert!(split("echo 'a").is_err() && split("echo \"a").is_err() && split("a\\").is_err());
    }

    #[test]
    fn a_quoted_word_is_read_back_as_it_was() {
        for word in ["plain", "", "two words", "it's", "$HOME", "a\nb"] {
            assert_eq!(split(&quote(word)).unwrap(), [word]);
        }
    }
}
