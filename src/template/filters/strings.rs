//! Text: case, trimming, indentation, comments, quoting.

use super::Row;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};
use crate::template::{methods, text_methods};

pub(super) const FILTERS: &[Row] = &[
    ("lower", "", |ev, v, _| Ok(Val::str(ev.text(&v)?.to_lowercase()))),
    ("upper", "", |ev, v, _| Ok(Val::str(ev.text(&v)?.to_uppercase()))),
    ("capitalize", "", |ev, v, _| Ok(Val::str(text_methods::capitalize(&ev.text(&v)?)))),
    ("title", "", |ev, v, _| Ok(Val::str(title(&ev.text(&v)?)))),
    ("trim", "chars?", trim),
    ("replace", "old new count?", replace),
    ("indent", "width? first? blank?", indent),
    ("comment", "style? * newline? beginning? end? decoration? prefix? prefix_count? postfix? postfix_count?", comment),
    ("quote", "", |ev, v, _| {
        let text = if let Val::Null = v { String::new() } else { ev.text(&v)? };
        Ok(Val::str(quote_text(&text)))
    }),
    ("split", "sep? maxsplit?", split),
    ("format", "*args **", format),
    ("center", "width?", |ev, v, a| {
        let width = a.get("width").cloned().unwrap_or(Val::Int(80));
        methods::call(ev, &v, "center", &mut Args::of(vec![width])).map(|r| r.unwrap_or(Val::Null))
    }),
    ("truncate", "length? killwords? end? leeway?", truncate),
    ("wordcount", "", |ev, v, _| {
        Ok(Val::Int(
            ev.text(&v)?.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).count() as i128
        ))
    }),
];

/// Upper case after blanks, hyphens and opening brackets.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut start = true;
    for c in text.chars() {
        if start {
            out.extend(c.to_uppercase())
        } else {
            out.extend(c.to_lowercase())
        }
        start = c.is_whitespace() || "-({[<".contains(c);
    }
    out
}

fn trim(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = Val::str(ev.text(&input)?);
    let mut chars = Args::of(args.get("chars").cloned().into_iter().collect());
    methods::call(ev, &text, "strip", &mut chars).map(|r| r.unwrap_or(Val::Null))
}

fn replace(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let (text, old, new) = (ev.text(&input)?, args.need("old")?.clone(), args.need("new")?.clone());
    let (old, new) = (ev.text(&old)?, ev.text(&new)?);
    Ok(Val::str(match usize::try_from(args.int("count", -1)?) {
        Ok(count) => text.replacen(&old, &new, count),
        Err(_) => text.replace(&old, &new),
    }))
}

fn indent(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let by = match args.get("width") {
        Some(Val::Str(s)) => s.as_str().to_owned(),
        _ => " ".repeat(usize::try_from(args.int("width", 4)?).unwrap_or(0).min(1 << 16)),
    };
    let (first, blank) = (args.bool(ev, "first", false)?, args.bool(ev, "blank", false)?);
    let mut out = String::new();
    // Whatever lines end with, a newline ends them afterwards.
    for (i, line) in text_methods::lines(&(text + "\n"), false).into_iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        if (i > 0 || first) && (blank || !line.is_empty()) {
            out.push_str(&by);
        }
        out.push_str(&line);
    }
    Ok(Val::str(out))
}

fn comment(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let style = args.str(ev, "style", "plain")?;
    let (start, deco, end) = match style.as_str() {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        other => return Err(Error::new(format!("Invalid style '{other}'."))),
    };
    let mut option = |name: &str, default: &str| match args.get(name) {
        None => Ok(default.to_owned()),
        Some(v) => ev.text(v),
    };
    let newline = option("newline", "\n")?;
    let (start, end) = (option("beginning", start)?, option("end", end)?);
    let decoration = option("decoration", deco)?;
    let given = args.get("decoration").is_some();
    let bare = if given { decoration.clone() } else { deco.to_owned() };
    let (prefix, postfix) = (option("prefix", bare.trim_end())?, option("postfix", bare.trim_end())?);
    let count =
        |name: &str| args.get(name).and_then(Val::as_int).and_then(|i| usize::try_from(i).ok()).unwrap_or(1).min(1000);
    let (before, after) = (count("prefix_count"), count("postfix_count"));
    let mut out = String::new();
    if !start.is_empty() {
        out.push_str(&(start + &newline));
    }
    let border = |text: &str, times: usize| {
        if text.is_empty() { String::new() } else { (text.to_owned() + &newline).repeat(times) }
    };
    // A prefix that is a line's end needs no other.
    out.push_str(&if prefix == newline { prefix.repeat(before) } else { border(&prefix, before) });
    for (i, line) in text.split(newline.as_str()).enumerate() {
        if i > 0 {
            out.push_str(&newline);
        }
        let last = text.split(newline.as_str()).count() == i + 1;
        out.push_str(if line.is_empty() && !last { decoration.trim_end() } else { &decoration });
        out.push_str(line);
    }
    for _ in 0..after {
        out.push_str(&newline);
        out.push_str(&postfix);
    }
    if !end.is_empty() {
        out.push_str(&(newline + &end));
    }
    Ok(Val::str(out))
}

/// `shlex.quote`.
fn quote_text(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

fn split(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    if !matches!(input, Val::Str(_)) {
        return Err(Error::new(format!("'{}' object has no attribute 'split'", input.type_name())));
    }
    methods::call(ev, &input, "split", &mut args.clone()).map(|r| r.unwrap_or(Val::Null))
}

fn format(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let format = ev.text(&input)?;
    let values = if args.kw.is_empty() {
        Val::tuple(args.pos.clone())
    } else {
        Val::map(ev.pairs(&Args::new(Vec::new(), args.kw.clone()))?)
    };
    crate::template::pyformat::percent(ev, &format, &values).map(Val::str)
}

fn truncate(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let text = ev.text(&input)?;
    let length = usize::try_from(args.int("length", 255)?).unwrap_or(255);
    let kill = args.bool(ev, "killwords", false)?;
    let end = args.str(ev, "end", "...")?;
    let leeway = usize::try_from(args.int("leeway", 5)?).unwrap_or(5);
    if text.chars().count() <= length + leeway {
        return Ok(Val::str(text));
    }
    let cut: String = text.chars().take(length.saturating_sub(end.chars().count())).collect();
    let kept = if kill { cut.as_str() } else { cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head) };
    Ok(Val::str(kept.to_owned() + &end))
}
