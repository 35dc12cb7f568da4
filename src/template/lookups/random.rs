//! `random_string`: characters drawn under constraints.

use base64::Engine as _;

use super::options::Options;
use super::plain;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::filters::generator;
use crate::template::random::Random;
use crate::template::value::{Args, R, Val};

pub(super) const STRING: &[&str] = &[
    "base64",
    "ignore_similar_chars",
    "length",
    "lower",
    "min_lower",
    "min_numeric",
    "min_special",
    "min_upper",
    "numbers",
    "override_all",
    "override_special",
    "seed",
    "similar_chars",
    "special",
    "upper",
];

const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

fn drawn(random: &mut Random, from: &[char], count: i64) -> R<Vec<char>> {
    let count = usize::try_from(count).unwrap_or(0).min(1 << 20);
    if count > 0 && from.is_empty() {
        return Err(Error::new("Available characters cannot be None, please change constraints"));
    }
    let pick = |random: &mut Random| usize::try_from(random.below(from.len() as u64)).ok().and_then(|i| from.get(i));
    Ok((0..count).filter_map(|_| pick(random).copied()).collect())
}

pub(super) fn random_string(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    ev.own_turn()?;
    let options = Options::of("random_string", args);
    let seed = options.get("seed").map(|v| ev.text(v)).transpose()?.map(Val::str);
    let mut random = generator(ev, seed.as_ref())?;
    let similar = match options.bool(ev, "ignore_similar_chars", false)? {
        true => options.str(ev, "similar_chars", "il1LoO0")?,
        false => String::new(),
    };
    let chars = |set: &str| set.chars().filter(|c| !similar.contains(*c)).collect::<Vec<char>>();
    let special = options.str(ev, "override_special", PUNCTUATION)?;
    let sets = [
        ("numbers", "min_numeric", chars("0123456789")),
        ("lower", "min_lower", chars("abcdefghijklmnopqrstuvwxyz")),
        ("upper", "min_upper", chars("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
        ("special", "min_special", chars(&special)),
    ];
    let length = options.int(ev, "length")?.unwrap_or(8);
    let all = options.str(ev, "override_all", "")?;
    let mut out = Vec::new();
    let from = if all.is_empty() {
        for (_, least, set) in &sets {
            let least = options.int(ev, least)?.unwrap_or(0);
            out.extend(drawn(&mut random, set, least)?);
        }
        let mut from = Vec::new();
        for name in ["upper", "lower", "numbers", "special"] {
            if options.bool(ev, name, true)? {
                from.extend(sets.iter().filter(|(n, ..)| *n == name).flat_map(|(.., set)| set.iter().copied()));
            }
        }
        from
    } else {
        chars(&all)
    };
    let rest = length - i64::try_from(out.len()).unwrap_or(0);
    out.extend(drawn(&mut random, &from, rest)?);
    if seed.is_none() {
        random.shuffle(&mut out);
    }
    let text: String = out.into_iter().collect();
    let encode = options.bool(ev, "base64", false)?;
    Ok(vec![if encode { plain(base64::engine::general_purpose::STANDARD.encode(text)) } else { plain(text) }])
}
