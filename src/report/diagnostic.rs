//! Diagnostics as the Rust compiler shows them: what, where, the line, a hint.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::style::{Colours, Style};
use crate::diag::{Diagnostic, Severity};
use crate::model::Origin;

/// How lines begin that say what is wrong: as Ansible's, which scripts look for.
const ERROR: &str = "[ERROR]";
const WARNING: &str = "[WARNING]";

/// Several diagnostics, and a line that counts the errors when there are more than one.
pub fn render_diagnostics(findings: &[Diagnostic], colours: Colours) -> String {
    // One mistake may be met by several readers.
    let new = findings.iter().enumerate().filter(|(i, d)| !findings.iter().take(*i).any(|earlier| earlier == *d));
    let mut findings: Vec<&Diagnostic> = new.map(|(_, d)| d).collect();
    // In the order of the text; what stands nowhere comes first.
    findings.sort_by_key(|d| d.origin.as_ref().map(|o| (o.source.name.clone(), o.at)));
    let mut out: String = findings.iter().map(|d| render_diagnostic(d, colours) + "\n").collect();
    let errors = findings.iter().filter(|d| d.severity == Severity::Error).count();
    if errors > 1 {
        out.push_str(&format!("{ERROR}: {errors} errors, nothing was run\n"));
    }
    out
}

/// One diagnostic, ending in a newline.
pub fn render_diagnostic(finding: &Diagnostic, colours: Colours) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR.with_name(ERROR),
        Severity::Warning => Level::WARNING.with_name(WARNING),
    };
    if finding.origin.is_none() && finding.related.is_empty() {
        return plain(finding, colours);
    }
    let mut group = Group::with_title(level.primary_title(finding.message.as_str()));
    let mut places: Vec<(&Origin, Option<&str>, AnnotationKind)> = Vec::new();
    if let Some(origin) = &finding.origin {
        places.push((origin, finding.label.as_deref(), AnnotationKind::Primary));
    }
    places.extend(finding.related.iter().map(|(o, words)| (o, Some(words.as_str()), AnnotationKind::Context)));
    for (origin, label, kind) in &places {
        let (line_text, start, end) = marked(origin);
        let mut annotation = kind.span(start..end);
        if let Some(label) = label {
            annotation = annotation.label(*label);
        }
        let snippet = Snippet::source(line_text)
            .path(origin.source.name.as_str())
            .line_start(origin.at.line as usize)
            .annotation(annotation);
        group = group.element(snippet);
    }
    for hint in &finding.hints {
        group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
    }
    let renderer = if colours == Colours::On { Renderer::styled() } else { Renderer::plain() };
    format!("{}\n", renderer.render(&[group]))
}

/// A task's failure as Ansible shows it: the words, the place, the lines up to there; then what
/// led there, and what to do. It ends in a newline.
pub fn render_failure(finding: &Diagnostic, colours: Colours) -> String {
    let mut out = format!("{ERROR}: {}\n", finding.message);
    out.push_str(&finding.origin.as_ref().map(placed).unwrap_or_default());
    for (origin, words) in &finding.related {
        out.push_str(&format!("\n{words}\n{}", placed(origin)));
    }
    for hint in &finding.hints {
        out.push_str(&format!("hint: {hint}\n"));
    }
    out.lines().map(|line| format!("{}\n", colours.paint(Style::Failed, line))).collect()
}

/// A place with its line and the two before it.
fn placed(origin: &Origin) -> String {
    let mut out = format!("Origin: {origin}\n");
    let (last, width) = (origin.at.line, origin.at.line.to_string().len());
    if origin.source.line(last).is_none() {
        return out;
    }
    out.push('\n');
    for number in last.saturating_sub(2).max(1)..=last {
        let line = origin.source.line(number).unwrap_or_default();
        out.push_str(format!("{number:>width$} {line}").trim_end());
        out.push('\n');
    }
    let indent = width + usize::try_from(origin.at.column).unwrap_or(1);
    out + &format!("{}^ column {}\n", " ".repeat(indent), origin.at.column)
}

/// A finding about no place in particular: no source line, no margin.
fn plain(finding: &Diagnostic, colours: Colours) -> String {
    let (word, style) = match finding.severity {
        Severity::Error => (ERROR, Style::Failed),
        Severity::Warning => (WARNING, Style::Warning),
    };
    let mut out = format!("{}: {}\n", colours.paint(style, word), finding.message);
    for hint in &finding.hints {
        out.push_str(&format!("  {}: {hint}\n", colours.paint(Style::Place, "hint")));
    }
    out
}

/// The line that an origin stands in, and the bytes of the word that is marked.
fn marked(origin: &Origin) -> (&str, usize, usize) {
    let line = origin.source.line(origin.at.line).unwrap_or_default();
    let column = origin.at.column.saturating_sub(1) as usize;
    let start = line.char_indices().nth(column).map_or(line.len(), |(i, _)| i);
    let rest = line.get(start..).unwrap_or_default();
    let word = rest.find([' ', ':', ',', ']', '}', '\t']).filter(|n| *n > 0).unwrap_or(rest.len());
    (line, start, (start + word).max(start))
}
