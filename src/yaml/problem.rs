//! libyaml's complaints, which users search for, and the same in a user's words: what is wrong on
//! this line, and what to write instead.

use std::sync::Arc;

use super::events::ScanError;
use super::node::{Node, NodeKind};
use crate::diag::Diagnostic;
use crate::model::{Origin, Position, Source};

/// The diagnostic for what libyaml could not read.
pub(super) fn explain(error: &ScanError, source: &Arc<Source>) -> Diagnostic {
    let Some(at) = error.at else { return bad_character(error, source) };
    let scene = Scene { error, source, at, line: source.line(at.line).unwrap_or_default() };
    // Braces without quotes are found by the composer as well, in the same words.
    if let Some(template) = scene.template().filter(|_| scene.tab().is_none()) {
        return template;
    }
    let found = scene.tab().or_else(|| scene.known());
    let said = said(error);
    match found {
        Some(found) => Diagnostic { message: format!("{said}; {}", found.message), ..found },
        None => Diagnostic::error(said).at(scene.origin(at)),
    }
}

/// The parser's own words, as Ansible gives them.
fn said(error: &ScanError) -> String {
    let context = error.context.as_deref().map(|context| format!("{context} ")).unwrap_or_default();
    let words = format!("{context}{}", error.problem);
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase()).into_iter();
    format!("YAML parsing failed: {}", first.chain(letters).collect::<String>())
}

/// A problem with the line it was found on.
struct Scene<'a> {
    error: &'a ScanError,
    source: &'a Arc<Source>,
    at: Position,
    line: &'a str,
}

impl Scene<'_> {
    fn origin(&self, at: Position) -> Origin {
        Origin::new(self.source, at.line, at.column)
    }

    fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(self.origin(self.at))
    }

    fn char(&self) -> Option<char> {
        char_at(self.line, self.at.column)
    }

    /// A tab where only spaces may indent: on this line, or on the one that was read last.
    fn tab(&self) -> Option<Diagnostic> {
        let problem = self.error.problem.as_str();
        let said = problem.contains("tab character") || self.char() == Some('\t');
        let lines = [self.at.line, self.at.line.saturating_sub(1)];
        let place = lines.into_iter().find_map(|number| {
            let indent: String = self.source.line(number)?.chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
            let column = indent.chars().position(|c| c == '\t')?;
            Some(Position { line: number, column: u32::try_from(column).ok()?.checked_add(1)? })
        });
        let at = place.or_else(|| said.then_some(self.at))?;
        Some(
            Diagnostic::error("a tab stands where YAML wants spaces")
                .at(self.origin(at))
                .label("tab")
                .hint("tabs cannot indent; use spaces"),
        )
    }

    /// `key: {{ name }}/more`: the braces start a YAML mapping.
    fn template(&self) -> Option<Diagnostic> {
        [self.at, self.error.context_at].into_iter().find_map(|at| {
            let line = self.source.line(at.line)?;
            let byte = line.find("{{").filter(|byte| {
                let before = line.get(..*byte).unwrap_or_default().trim_end();
                before.is_empty() || before.ends_with([':', '-', '[', ','])
            })?;
            let column = u32::try_from(line.get(..byte)?.chars().count()).ok()?.checked_add(1)?;
            Some(template_unquoted(self.origin(Position { line: at.line, column })))
        })
    }

    fn known(&self) -> Option<Diagnostic> {
        let opened = self.origin(self.error.context_at);
        Some(match self.error.problem.as_str() {
            "found character that cannot start any token" => {
                let c = self.char().unwrap_or(' ');
                self.error(format!("a value cannot start with `{c}`"))
                    .hint(format!("`{c}` is reserved in YAML; quote the value"))
            }
            "mapping values are not allowed in this context" => self.second_colon(),
            "did not find expected key" => self.no_key(opened),
            "did not find expected '-' indicator" => self
                .error("expected the next `-` of the list, or less indentation")
                .related(opened, "the list starts here")
                .hint("items of one list start in one column"),
            "could not find expected ':'" => Diagnostic::error("this line is no `key: value`")
                .at(opened)
                .label("no colon after this")
                .hint("a key needs a colon and a space after it; text over several lines needs `|` or `>` or quotes"),
            "found unexpected end of stream" => self.quote_open(opened),
            "found unexpected document indicator" => self.quote_open(opened),
            "did not find expected ',' or ']'" => self.flow_open("list", "[", opened),
            "did not find expected ',' or '}'" => self.flow_open("mapping", "{", opened),
            "found unknown escape character" | "did not find expected hexadecimal number" => self
                .error("this backslash starts no escape that YAML knows")
                .hint("in double quotes a backslash is written `\\\\`; in single quotes it is an ordinary character"),
            "did not find expected alphabetic or numeric character" => {
                Diagnostic::error("a value that starts with `*` or `&` is an alias or anchor in YAML")
                    .at(opened)
                    .hint("quote the value if it is text")
            }
            "block sequence entries are not allowed in this context" => self
                .error("a list item cannot start here")
                .hint("after `key:`, items start on lines of their own; quote the value if the `-` is text"),
            "mapping keys are not allowed in this context" => {
                self.error("a key cannot start here").hint("quote the value if the `?` is text")
            }
            "did not find expected comment or line break" => self
                .error("text cannot follow `|` or `>` on its line")
                .hint("start the text on the next line, indented; or quote the value"),
            "did not find expected node content" => self.error("a value is missing before this"),
            "did not find expected <document start>" => self
                .error("nothing can follow the end of the document here")
                .hint("a document is one mapping or one list; start the next one with `---`"),
            "found undefined tag handle" | "did not find expected tag URI" => {
                self.error("this is no tag that YAML knows").hint("quote the value if the `!` is text")
            }
            _ => return None,
        })
    }

    /// A colon and a space inside a value, or a key that is indented too far.
    fn second_colon(&self) -> Diagnostic {
        let column = usize::try_from(self.at.column).unwrap_or(1).saturating_sub(1);
        let before: String = self.line.chars().take(column).collect();
        let text = before.trim_start().trim_start_matches("- ");
        if text.contains(": ") {
            self.error("a colon in this value: YAML takes it for a key")
                .label("this colon")
                .hint("quote the value: a colon followed by a space starts a mapping")
        } else {
            self.error("a mapping cannot start here")
                .hint("is the line indented more than the one above? keys of one mapping start in one column")
        }
    }

    fn no_key(&self, opened: Origin) -> Diagnostic {
        let column = usize::try_from(self.at.column).unwrap_or(1).saturating_sub(1);
        let before: String = self.line.chars().take(column).collect();
        if before.trim_end().ends_with(['"', '\'']) {
            return self.error("text after the closing quote").label("outside the quotes").hint(
                "quote the whole value, or escape the quotes in it: '' within single quotes, \\\" within double",
            );
        }
        if before.trim().is_empty() {
            return self
                .error("this line fits no mapping that is open")
                .related(opened, "the mapping starts here")
                .hint("keys of one mapping start in one column; is a quote or bracket left open above?");
        }
        self.error("expected a key here")
            .related(opened, "the mapping starts here")
            .hint("quote the value above if it is text")
    }

    fn quote_open(&self, opened: Origin) -> Diagnostic {
        Diagnostic::error("a quote is opened here and never closed")
            .at(opened)
            .label("opened here")
            .hint("close it; within single quotes a quote is written twice, within double quotes as \\\"")
    }

    fn flow_open(&self, what: &str, bracket: &str, opened: Origin) -> Diagnostic {
        self.error(format!("expected a comma or the end of the {what} that starts with `{bracket}`"))
            .related(opened, format!("`{bracket}` stands here"))
            .hint("a bracket is left open, a comma is missing, or a value needs quotes")
    }
}

fn template_unquoted(origin: Origin) -> Diagnostic {
    Diagnostic::error("a value that starts with `{{` must be quoted")
        .at(origin)
        .label("YAML reads a mapping here")
        .hint("quote the whole value: \"{{ … }}\"")
}

fn char_at(line: &str, column: u32) -> Option<char> {
    line.chars().nth(usize::try_from(column).ok()?.checked_sub(1)?)
}

/// Characters that YAML forbids: libyaml gives an offset only, so look for the first one.
fn bad_character(error: &ScanError, source: &Arc<Source>) -> Diagnostic {
    let mut at = Position { line: 1, column: 1 };
    for (offset, c) in source.text.char_indices() {
        let start_mark = offset == 0 && c == '\u{feff}';
        if !start_mark && !allowed(c) {
            return Diagnostic::error(format!("the character U+{:04X} is not allowed in YAML", u32::from(c)))
                .at(Origin::new(source, at.line, at.column))
                .hint("remove it, or write it as an escape in double quotes (\"\\x1b\")");
        }
        match c {
            '\n' => at = Position { line: at.line.saturating_add(1), column: 1 },
            _ if start_mark => {}
            _ => at.column = at.column.saturating_add(1),
        }
    }
    Diagnostic::error(format!("{} at byte {}", said(error), error.offset)).at(Origin::new(source, 1, 1))
}

const fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}')
        || matches!(c, '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

/// The diagnostic for a key that is no scalar.
pub(super) fn bad_key(key: &Node, source: &Arc<Source>) -> Diagnostic {
    let at = key.origin.at;
    let line = source.line(at.line).unwrap_or_default();
    let before = at.column.checked_sub(1).and_then(|column| char_at(line, column));
    if matches!(key.kind, NodeKind::Map(_)) && before == Some('{') {
        return template_unquoted(Origin::new(source, at.line, at.column - 1));
    }
    let message = match key.kind {
        NodeKind::Int(_) => "this integer is too large for a key".to_owned(),
        _ => format!("a key must be a string or a number, and this is {}", key.describe()),
    };
    Diagnostic::error(message).at(key.origin.clone()).label("key").hint("quote it if it is text")
}

/// The diagnostic for a tag that has no meaning here.
pub(super) fn unknown_tag(tag: &str, origin: &Origin) -> Diagnostic {
    let short = short_tag(tag);
    Diagnostic::error(format!("unknown tag `{short}`"))
        .at(origin.clone())
        .suggest(&short, ["!vault", "!unsafe", "!!str", "!!int", "!!float", "!!bool", "!!null"])
        .hint("a value that starts with `!` has a tag in YAML; quote it if it is text")
}

/// A tag as it is written.
pub(super) fn short_tag(tag: &str) -> String {
    tag.strip_prefix("tag:yaml.org,2002:").map_or_else(|| tag.to_owned(), |rest| format!("!!{rest}"))
}
