//! Diffs as text: unified, with Ansible's headers.

use std::fmt::Write;

use similar::TextDiff as Similar;

use super::style::{Colours, Style};
use crate::model::{Diff, TextDiff};

/// A diff as it is printed, ending in an empty line.
pub fn render_diff(diff: &Diff, colours: Colours) -> String {
    match diff {
        Diff::Text(text) => render_text(text, colours),
        Diff::Attributes { subject, changes } => {
            let mut out = headers(subject, None, colours);
            for change in changes {
                let line = |sign: char, value: &str| format!("{sign}{}: {value}", change.name);
                let _ = writeln!(out, "{}", colours.paint(Style::Removed, &line('-', &change.before)));
                let _ = writeln!(out, "{}", colours.paint(Style::Added, &line('+', &change.after)));
            }
            out + "\n"
        }
        Diff::Prepared(text) => format!("{}\n\n", text.trim_end()),
    }
}

fn headers(path: &str, source: Option<&str>, colours: Colours) -> String {
    let before = colours.paint(Style::Removed, &format!("--- before: {path}"));
    let after = colours.paint(Style::Added, &format!("+++ after: {}", source.unwrap_or(path)));
    format!("{before}\n{after}\n")
}

fn render_text(diff: &TextDiff, colours: Colours) -> String {
    let mut out = headers(&diff.path, diff.source.as_deref(), colours);
    if diff.before.is_none() && diff.hidden.is_none() {
        // Ansible names a file only where there was one.
        out = out.replacen(&format!("--- before: {}", diff.path), "--- before", 1);
    }
    if let Some(why) = &diff.hidden {
        return format!("{out}{why}\n\n");
    }
    let (before, after) = (diff.before.as_deref().unwrap_or_default(), diff.after.as_deref().unwrap_or_default());
    let changes = Similar::from_lines(before, after);
    for hunk in changes.unified_diff().context_radius(3).iter_hunks() {
        for line in hunk.to_string().lines() {
            let style = match line.as_bytes().first() {
                Some(b'+') => Some(Style::Added),
                Some(b'-') => Some(Style::Removed),
                Some(b'@') => Some(Style::Place),
                _ => None,
            };
            let _ = writeln!(out, "{}", style.map_or_else(|| line.to_owned(), |s| colours.paint(s, line)));
        }
    }
    out + "\n"
}
