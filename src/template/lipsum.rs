//! `lipsum()`: words to fill a page with.

use super::error::Error;
use super::eval::Eval;
use super::filters::{generator, markup_type};
use super::random::Random;
use super::value::{Args, R, Val};

const WORDS: &str = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore \
    et dolore magna aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris nisi aliquip ex ea commodo \
    consequat duis aute irure in reprehenderit voluptate velit esse cillum eu fugiat nulla pariatur excepteur sint \
    occaecat cupidatat non proident sunt culpa qui officia deserunt mollit anim id est laborum";

/// Paragraphs of `min` to `max - 1` words, in HTML unless that is not wanted.
pub(super) fn lipsum(ev: &mut Eval, args: &Args) -> R<Val> {
    let count = args.int("n", 5)?.clamp(0, 10_000);
    let html = args.bool(ev, "html", true)?;
    let (min, max) = (args.int("min", 20)?, args.int("max", 100)?);
    let (Ok(low), Ok(high)) = (u64::try_from(min), u64::try_from(max)) else {
        return Err(Error::new("lipsum: there are no paragraphs of less than no words"));
    };
    if high <= low || high > 100_000 {
        return Err(Error::new(format!("empty range in randrange({min}, {max})")));
    }
    let mut random = generator(ev, None)?;
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let paragraphs: Vec<String> = (0..count).map(|_| paragraph(&mut random, &words, low, high)).collect();
    Ok(if html {
        let all: Vec<String> = paragraphs.iter().map(|p| format!("<p>{p}</p>")).collect();
        markup_type::safe(all.join("\n"))
    } else {
        Val::str(paragraphs.join("\n\n"))
    })
}

/// Sentences of some words, some with a comma.
fn paragraph(random: &mut Random, words: &[&str], low: u64, high: u64) -> String {
    let count = low + random.below(high - low);
    let mut out = String::new();
    let (mut start, mut left) = (true, 0);
    for at in 0..count {
        if start {
            left = 4 + random.below(12);
        }
        let index = usize::try_from(random.below(words.len() as u64)).unwrap_or(0);
        let word = words.get(index).copied().unwrap_or("lorem");
        if at > 0 {
            out.push(' ');
        }
        let mut chars = word.chars();
        match chars.next().filter(|_| start) {
            Some(first) => out.extend(first.to_uppercase().chain(chars)),
            None => out.push_str(word),
        }
        left = u64::saturating_sub(left, 1);
        start = left == 0 && at + 1 < count;
        if start {
            out.push('.');
        } else if at + 1 < count && random.below(8) == 0 {
            out.push(',');
        }
    }
    if !out.is_empty() {
        out.push('.');
    }
    out
}
