//! Lookups that do something, or give something else each time: they run in their task's turn only.

use super::files::playbook_dir;
use super::options::{Options, inline};
use super::{plain, terms};
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::filters::{Scheme, random_salt};
use crate::template::random::Random;
use crate::template::value::{Args, R, Val};

pub(super) fn pipe(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    ev.own_turn()?;
    let mut out = Vec::new();
    for command in terms(ev, args)? {
        let (code, text) = ev.engine.outside.run(&command).map_err(Error::new)?;
        if code != 0 {
            return Err(Error::new(format!("lookup_plugin.pipe({command}) returned {code}")));
        }
        out.push(plain(text.trim_end()));
    }
    Ok(out)
}

pub(super) fn lines(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    ev.own_turn()?;
    let mut out = Vec::new();
    for command in terms(ev, args)? {
        let (code, text) = ev.engine.outside.run(&command).map_err(Error::new)?;
        if code != 0 {
            return Err(Error::new(format!("lookup_plugin.lines({command}) returned {code}")));
        }
        out.extend(text.lines().map(plain));
    }
    Ok(out)
}

pub(super) const PASSWORD: &[&str] = &["length", "encrypt", "chars", "ident", "seed"];

/// A password that is made once and kept in a file.
pub(super) fn password(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    ev.own_turn()?;
    let call = Options::of("password", args);
    let mut out = Vec::new();
    for term in terms(ev, args)? {
        let (path, mut options) = inline(&term, PASSWORD)
            .map_err(|e| Error::new(format!("Unrecognized parameter(s) given to password lookup: {e}")))?;
        // Within a term, two commas are one of the characters.
        for (_, value) in options.iter_mut().filter(|(name, value)| name == "chars" && value.contains(",,")) {
            *value = format!(",,{}", value.replace(",,", ","));
        }
        out.push(one_password(ev, &path, &call.with(options))?);
    }
    Ok(out)
}

fn one_password(ev: &mut Eval, path: &str, options: &Options) -> R<Val> {
    let length = options.int(ev, "length")?.unwrap_or(20);
    let length = usize::try_from(length).map_err(|_| Error::new("the length of a password is not below 0"))?;
    let chars = characters(ev, options.get("chars"))?;
    let seed = options.str(ev, "seed", "")?;
    let encrypt = options.str(ev, "encrypt", "")?;
    let ident = Some(options.str(ev, "ident", "")?).filter(|i| !i.is_empty());
    let salted = if encrypt.is_empty() { None } else { Some(if encrypt == "bcrypt" { 22 } else { 8 }) };
    let path = match ev.engine.outside.expand_user(path) {
        path if path.starts_with('/') => path,
        path => format!("{}/{path}", playbook_dir(ev)?),
    };
    let mut made: R<(String, Option<String>)> = Err(Error::new("the password could not be kept"));
    let mut change = |old: Option<&str>| {
        let (kept, result) = renewed(old, &chars, length, &seed, salted, ident.as_deref());
        made = result;
        kept
    };
    if path == "/dev/null" {
        change(None);
    } else {
        ev.engine.outside.update_private(&path, &mut change).map_err(Error::new)?;
    }
    let (password, salt) = made?;
    if encrypt.is_empty() {
        return Ok(plain(password));
    }
    let scheme = Scheme { name: encrypt, salt, ident, ..Scheme::default() };
    scheme.hash(&password).map(plain)
}

type Made = R<(String, Option<String>)>;

/// The password and salt of a file's content, made where they are missing; the content when it is new.
fn renewed(
    old: Option<&str>,
    chars: &[char],
    length: usize,
    seed: &str,
    salted: Option<usize>,
    ident: Option<&str>,
) -> (Option<String>, Made) {
    let (password, known) = match old.map(|o| o.trim_end_matches('\n')) {
        Some(line) => {
            let line = line.rsplit_once(" ident=").map_or(line, |(l, _)| l);
            match line.rsplit_once(" salt=") {
                Some((password, salt)) => (password.to_owned(), Some(salt.to_owned())),
                None => (line.to_owned(), None),
            }
        }
        None => match drawn(chars, length, seed) {
            Ok(password) => (password, None),
            Err(e) => return (None, Err(e)),
        },
    };
    let salt = match (known.clone(), salted) {
        (None, Some(size)) => match random_salt(size) {
            Ok(salt) => Some(salt),
            Err(e) => return (None, Err(e)),
        },
        (known, _) => known,
    };
    let changed = old.is_none() || salt != known;
    let content = changed.then(|| {
        let salt = salt.as_ref().map_or_else(String::new, |s| format!(" salt={s}"));
        let ident = ident.filter(|_| !salt.is_empty()).map_or_else(String::new, |i| format!(" ident={i}"));
        format!("{password}{salt}{ident}\n")
    });
    (content, Ok((password, salt)))
}

fn drawn(chars: &[char], length: usize, seed: &str) -> R<String> {
    if chars.is_empty() {
        return Err(Error::new("there are no characters to make a password of"));
    }
    let count = chars.len() as u64;
    let pick = |at: u64| usize::try_from(at).ok().and_then(|i| chars.get(i)).copied().unwrap_or(' ');
    if !seed.is_empty() {
        let mut random = Random::from_text(seed);
        return Ok((0..length).map(|_| pick(random.below(count))).collect());
    }
    let mut out = String::new();
    while out.chars().count() < length {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|e| Error::new(format!("no random numbers: {e}")))?;
        let drawn = u64::from_le_bytes(bytes);
        // What would make the first characters likelier is drawn again.
        if drawn < u64::MAX - u64::MAX % count {
            out.push(pick(drawn % count));
        }
    }
    Ok(out)
}

/// Sets of characters by their names in Python, or as they are.
fn characters(ev: &mut Eval, given: Option<&Val>) -> R<Vec<char>> {
    let sets = match given {
        None => ["ascii_letters", "digits", ".,:-_"].map(str::to_owned).to_vec(),
        Some(list @ Val::List(_)) => ev.iterate(list)?.iter().map(|v| ev.text(v)).collect::<R<_>>()?,
        Some(text) => {
            let text = ev.text(text)?;
            let comma = text.starts_with(",,").then(|| ",".to_owned());
            comma.into_iter().chain(text.split(',').filter(|s| !s.is_empty()).map(str::to_owned)).collect()
        }
    };
    let lower = || ('a'..='z').collect::<String>();
    let punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    let all: String = sets
        .into_iter()
        .map(|set| match set.as_str() {
            "ascii_letters" => lower() + &lower().to_uppercase(),
            "ascii_lowercase" => lower(),
            "ascii_uppercase" => lower().to_uppercase(),
            "digits" => "0123456789".to_owned(),
            "hexdigits" => "0123456789abcdefABCDEF".to_owned(),
            "octdigits" => "01234567".to_owned(),
            "punctuation" => punctuation.to_owned(),
            "whitespace" => " \t\n\r\u{b}\u{c}".to_owned(),
            "printable" => {
                "0123456789".to_owned() + &lower() + &lower().to_uppercase() + punctuation + " \t\n\r\u{b}\u{c}"
            }
            _ => set,
        })
        .collect();
    Ok(all.chars().filter(|c| !matches!(c, '"' | '\'')).collect())
}
