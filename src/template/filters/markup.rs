//! Text for people and browsers: wrapping, HTML.

use super::Row;
use super::markup_type::escaped;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("wordwrap", "width? break_long_words? wrapstring? break_on_hyphens?", wordwrap),
    ("striptags", "", striptags),
    ("xmlattr", "autospace?", xmlattr),
    ("urlize", "trim_url_limit? nofollow? target? rel? extra_schemes?", urlize),
];

/// The parts that a line may be broken between; a word with hyphens has several.
fn chunks(line: &str, hyphens: bool) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let chars: Vec<char> = line.chars().collect();
    for (i, c) in chars.iter().enumerate() {
        let blank = c.is_whitespace();
        let before = i.checked_sub(1).and_then(|i| chars.get(i));
        let after_hyphen = hyphens
            && before == Some(&'-')
            && i >= 3
            && chars.get(i - 2).is_some_and(|c| c.is_alphabetic())
            && c.is_alphabetic()
            && chars.get(i + 1).is_some_and(|c| c.is_alphabetic());
        match out.last_mut() {
            Some(last) if before.is_some_and(|b| b.is_whitespace() == blank) && !after_hyphen => last.push(*c),
            _ => out.push(c.to_string()),
        }
    }
    out
}

/// As Python's `textwrap` breaks a line.
fn wrap(line: &str, width: usize, long: bool, hyphens: bool) -> Vec<String> {
    let count = |s: &str| s.chars().count();
    let mut rest: std::collections::VecDeque<String> = chunks(line, hyphens).into();
    let mut lines = Vec::new();
    while !rest.is_empty() {
        let mut now = String::new();
        if !lines.is_empty() && rest.front().is_some_and(|c| c.trim().is_empty()) {
            rest.pop_front();
        }
        while let Some(next) = rest.front() {
            if count(&now) + count(next) > width {
                break;
            }
            now.push_str(next);
            rest.pop_front();
        }
        if let Some(next) = rest.front_mut().filter(|next| count(next) > width) {
            let room = width.saturating_sub(count(&now));
            if long && room > 0 {
                now.extend(next.chars().take(room));
                *next = next.chars().skip(room).collect();
            } else if now.is_empty() {
                now = std::mem::take(next);
                rest.pop_front();
            }
        }
        // Blanks at the end of a line go.
        let kept = now.trim_end();
        if !kept.is_empty() {
            lines.push(kept.to_owned());
        }
    }
    lines
}

fn wordwrap(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let width = usize::try_from(args.int("width", 79)?).unwrap_or(79).max(1);
    let long = args.bool(ev, "break_long_words", true)?;
    let with = args.str(ev, "wrapstring", "\n")?;
    let hyphens = args.bool(ev, "break_on_hyphens", true)?;
    let wrapped = text.lines().map(|line| wrap(line, width, long, hyphens).join(&with));
    Ok(Val::str(wrapped.collect::<Vec<_>>().join(&with)))
}

/// Text without comments and tags, its entities read, its blanks made single.
fn striptags(ev: &mut Eval, input: Val, _: &Args) -> R<Val> {
    let mut text = ev.text(&input)?;
    for (open, close) in [("<!--", "-->"), ("<", ">")] {
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some((before, inside)) = rest.split_once(open) {
            let Some((_, after)) = inside.split_once(close) else { break };
            out.push_str(before);
            rest = after;
        }
        out.push_str(rest);
        text = out;
    }
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (entity, plain) in
        [("&lt;", "<"), ("&gt;", ">"), ("&#34;", "\""), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        text = text.replace(entity, plain);
    }
    Ok(Val::str(text))
}

fn xmlattr(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let space = args.bool(ev, "autospace", true)?;
    let Val::Map(map) = &input else {
        return Err(Error::new(format!("'{}' object has no attribute 'items'", input.type_name())));
    };
    let mut parts = Vec::new();
    for (key, value) in map.all(ev)? {
        let key = key.to_string();
        if key.contains(|c: char| c.is_whitespace() || "/>=".contains(c)) {
            return Err(Error::new(format!("Invalid character in attribute name: {key:?}")));
        }
        if !matches!(value, Val::Null) {
            parts.push(format!("{}=\"{}\"", escaped(&key), escaped(&ev.text(&value)?)));
        }
    }
    let all = parts.join(" ");
    Ok(Val::str(if space && !all.is_empty() { format!(" {all}") } else { all }))
}

/// Links around what looks like one.
fn urlize(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let limit = match args.get("trim_url_limit") {
        None | Some(Val::Null) => None,
        Some(_) => usize::try_from(args.int("trim_url_limit", 0)?).ok(),
    };
    let nofollow = args.bool(ev, "nofollow", false)?;
    let target = args.str(ev, "target", "")?;
    let mut rel: Vec<String> = args.str(ev, "rel", "")?.split_whitespace().map(str::to_owned).collect();
    rel.extend(nofollow.then(|| "nofollow".to_owned()));
    rel.push("noopener".to_owned());
    rel.sort();
    rel.dedup();
    let mut schemes = vec!["http://".to_owned(), "https://".to_owned()];
    if let Some(more) = args.get("extra_schemes").filter(|more| !matches!(more, Val::Null)) {
        for scheme in ev.iterate(more)? {
            schemes.push(ev.text(&scheme)?);
        }
    }
    let attributes = format!(" rel=\"{}\"", escaped(&rel.join(" ")));
    let target = if target.is_empty() { String::new() } else { format!(" target=\"{}\"", escaped(&target)) };
    let shown = |url: &str| match limit {
        Some(limit) if url.chars().count() > limit => url.chars().take(limit).collect::<String>() + "...",
        _ => url.to_owned(),
    };
    let link = |word: &str| {
        let domain = |d: &str| {
            d.contains('.') && !d.ends_with('.') && d.chars().all(|c| c.is_alphanumeric() || "-.".contains(c))
        };
        if schemes.iter().any(|scheme| word.starts_with(scheme.as_str()) && word != scheme) {
            return format!("<a href=\"{word}\"{attributes}{target}>{}</a>", shown(word));
        }
        if word.starts_with("www.") {
            return format!("<a href=\"https://{word}\"{attributes}{target}>{}</a>", shown(word));
        }
        match word.split_once('@') {
            Some((user, host)) if !user.is_empty() && !word.contains(':') && domain(host) => {
                format!("<a href=\"mailto:{word}\">{word}</a>")
            }
            _ => word.to_owned(),
        }
    };
    let mut out = String::new();
    for chunk in chunks(&escaped(&text), false) {
        if chunk.trim().is_empty() {
            out.push_str(&chunk);
            continue;
        }
        let head = chunk.len() - chunk.trim_start_matches(['(', '<']).len();
        let (head, middle) = chunk.split_at(head);
        let kept = middle.trim_end_matches(['.', ',', ')', '>', '\n']).len();
        let (middle, tail) = middle.split_at(kept);
        out.push_str(&format!("{head}{}{tail}", link(middle)));
    }
    Ok(Val::str(out))
}
