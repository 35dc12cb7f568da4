//! Regular expressions.

use super::Row;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::regex;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("regex_replace", "pattern? replacement? ignorecase? multiline? count? mandatory_count?", regex_replace),
    ("regex_search", "regex *groups ignorecase? multiline?", regex_search),
    ("regex_findall", "regex multiline? ignorecase?", regex_findall),
    ("regex_escape", "re_type?", regex_escape),
];

fn regex_replace(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let (pattern, with) = (args.str(ev, "pattern", "")?, args.str(ev, "replacement", "")?);
    let (ignorecase, multiline) = (args.bool(ev, "ignorecase", false)?, args.bool(ev, "multiline", false)?);
    let count = usize::try_from(args.int("count", 0)?).unwrap_or(0);
    let wanted = args.int("mandatory_count", 0)?;
    let regex = regex::compile(&pattern, ignorecase, multiline)?;
    let (result, done) = regex::replace(&regex, &text, &with, count)?;
    // Not at least so many: exactly; zero asks for nothing.
    if wanted != 0 && usize::try_from(wanted) != Ok(done) {
        return Err(Error::new(format!(
            "'{pattern}' should match {wanted} times, but matches {done} times in '{text}'"
        )));
    }
    Ok(Val::str(result))
}

fn regex_search(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let pattern = args.str(ev, "regex", "")?;
    let (ignorecase, multiline) = (args.bool(ev, "ignorecase", false)?, args.bool(ev, "multiline", false)?);
    let regex = regex::compile(&pattern, ignorecase, multiline)?;
    let mut wanted = Vec::new();
    for group in args.pos.get(1..).unwrap_or_default() {
        let name = ev.text(group)?;
        let named = name.strip_prefix("\\g<").and_then(|n| n.strip_suffix('>')).map(str::to_owned);
        let number = name.strip_prefix('\\').filter(|n| n.chars().all(|c| c.is_ascii_digit())).map(str::to_owned);
        wanted.push(named.or(number).ok_or_else(|| {
            Error::new("Unknown argument").hint(format!("`{name}` is no group: write `\\\\1` or `\\\\g<name>`"))
        })?);
    }
    let Some(found) = regex::first(&regex, &text)? else { return Ok(Val::Null) };
    if wanted.is_empty() {
        return Ok(found.get(0).map_or(Val::Null, |m| Val::str(m.as_str())));
    }
    let group = |name: &String| {
        let part = name.parse::<usize>().map_or_else(|_| found.name(name), |i| found.get(i));
        part.map_or(Val::Null, |m| Val::str(m.as_str()))
    };
    Ok(Val::list(wanted.iter().map(group).collect()))
}

fn regex_findall(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let pattern = args.str(ev, "regex", "")?;
    let multiline = args.bool(ev, "multiline", false)?;
    let regex = regex::compile(&pattern, args.bool(ev, "ignorecase", false)?, multiline)?;
    let mut out = Vec::new();
    for found in regex::all(&regex, &text)? {
        let part = |i: usize| Val::str(found.get(i).map_or("", |m| m.as_str()));
        out.push(match found.len() {
            0 | 1 => part(0),
            2 => part(1),
            n => Val::tuple((1..n).map(part).collect()),
        });
    }
    Ok(Val::list(out))
}

fn regex_escape(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    match args.str(ev, "re_type", "python")?.as_str() {
        "python" => Ok(Val::str(regex::escape(&text))),
        "posix_basic" => Ok(Val::str(
            text.chars()
                .flat_map(|c| "].[^$*\\".contains(c).then_some('\\').into_iter().chain([c]))
                .collect::<String>(),
        )),
        // Ansible's own words: it knows the name, and does nothing with it.
        "posix_extended" => Err(Error::new("Regex type (posix_extended) not yet implemented")),
        other => Err(Error::new(format!("Invalid regex type ({other})"))),
    }
}
