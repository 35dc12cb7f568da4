//! Whole files as templates: their options, their header line, the files they include.

use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;

use super::engine::Engine;
use super::error::Error;
use super::eval::Eval;
use super::ir::Template;
use super::lower;
use super::value::{R, Val};
use crate::model::{Origin, Source, Text};

/// How a file is rendered; the defaults are those of the `template` module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateOptions {
    /// Whether the first newline after a block is dropped.
    pub trim_blocks: bool,
    /// Whether blanks before a block are dropped.
    pub lstrip_blocks: bool,
    /// Whether the last newline of a file that another includes is kept.
    pub keep_trailing_newline: bool,
    /// What lines end with in the result.
    pub newline_sequence: String,
    /// `{%` and `%}`.
    pub block: (String, String),
    /// `{{` and `}}`.
    pub variable: (String, String),
    /// `{#` and `#}`.
    pub comment: (String, String),
    /// What begins a line that is a statement; none when empty.
    pub line_statement: String,
    /// The file's own directory, and others where included files are looked for.
    pub search: Vec<String>,
}

impl Default for TemplateOptions {
    fn default() -> Self {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        Self {
            trim_blocks: true,
            lstrip_blocks: false,
            keep_trailing_newline: false,
            newline_sequence: "\n".into(),
            block: pair("{%", "%}"),
            variable: pair("{{", "}}"),
            comment: pair("{#", "#}"),
            line_statement: String::new(),
            search: Vec::new(),
        }
    }
}

/// How included files are found and compiled.
#[derive(Default)]
pub(super) struct Files {
    syntax: SyntaxConfig,
    /// What is different about the syntax, as a key.
    dialect: String,
    search: Vec<String>,
    /// What a line in the text ends with in the result; a newline when empty.
    newline: String,
}

impl TemplateOptions {
    pub(super) fn files(&self) -> R<Files> {
        let mut builder = SyntaxConfig::builder();
        builder
            .block_delimiters(self.block.0.clone(), self.block.1.clone())
            .variable_delimiters(self.variable.0.clone(), self.variable.1.clone())
            .comment_delimiters(self.comment.0.clone(), self.comment.1.clone())
            .trim_blocks(self.trim_blocks)
            .lstrip_blocks(self.lstrip_blocks)
            .keep_trailing_newline(self.keep_trailing_newline);
        if !self.line_statement.is_empty() {
            builder.line_statement_prefix(self.line_statement.clone());
        }
        let syntax = builder.build().map_err(|e| Error::new(format!("the delimiters are not usable: {e}")))?;
        let (trim, lstrip, keep) = (self.trim_blocks, self.lstrip_blocks, self.keep_trailing_newline);
        let dialect =
            format!("{:?}", (trim, lstrip, keep, &self.block, &self.variable, &self.comment, &self.line_statement));
        Ok(Files { syntax, dialect, search: self.search.clone(), newline: self.newline_sequence.clone() })
    }

    /// Takes the options that a `#jinja2:` header line sets; the rest of the text.
    pub(super) fn header<'a>(&mut self, text: &'a str) -> R<&'a str> {
        let Some(rest) = text.strip_prefix("#jinja2:") else { return Ok(text) };
        let (line, body) = rest.split_once('\n').unwrap_or((rest, ""));
        for pair in line.split(',').map(str::trim) {
            if pair.is_empty() {
                return Err(bad("Empty '#jinja2:' override pair not allowed."));
            }
            let (name, value) = pair
                .split_once(':')
                .ok_or_else(|| bad(format!("Missing key-value separator `:` in '#jinja2:' override pair '{pair}'.")))?;
            let value = value.trim();
            let text = value.trim_matches(|c| c == '\'' || c == '"').to_owned();
            let flag = || match value {
                "True" | "true" => Ok(true),
                "False" | "false" => Ok(false),
                _ => Err(bad(format!("'#jinja2:' override '{pair}' is not True or False"))),
            };
            match name.trim() {
                "trim_blocks" => self.trim_blocks = flag()?,
                "lstrip_blocks" => self.lstrip_blocks = flag()?,
                "keep_trailing_newline" => self.keep_trailing_newline = flag()?,
                "newline_sequence" => {
                    self.newline_sequence = text.replace("\\r", "\r").replace("\\n", "\n");
                    if !matches!(self.newline_sequence.as_str(), "\n" | "\r\n" | "\r") {
                        return Err(bad(format!(
                            "TemplateOverrides.newline_sequence must be one of ('\\n', '\\r\\n', '\\r') instead of '{text}'"
                        )));
                    }
                }
                "line_statement_prefix" => self.line_statement = text,
                "line_comment_prefix" => return Err(bad("line_comment_prefix is not supported")),
                "block_start_string" => self.block.0 = text,
                "block_end_string" => self.block.1 = text,
                "variable_start_string" => self.variable.0 = text,
                "variable_end_string" => self.variable.1 = text,
                "comment_start_string" => self.comment.0 = text,
                "comment_end_string" => self.comment.1 = text,
                other => return Err(bad(format!("Invalid '#jinja2:' override key '{other}'."))),
            }
        }
        Ok(body)
    }
}

/// A header line that cannot be used: in Ansible the task fails, in its words.
fn bad(words: impl std::fmt::Display) -> Error {
    Error::new(format!("Syntax error in template: {words}"))
}

/// Puts back the newlines at the end of a file that rendering took away: the last one of every
/// file, and one after each block at the end.
pub(super) fn with_newlines_of(source: &str, mut rendered: String, newline: &str) -> String {
    let count = |text: &str| text.bytes().rev().take_while(|b| *b == b'\n').count();
    let missing = count(source).saturating_sub(count(&rendered));
    rendered.extend(std::iter::repeat_n(newline, missing));
    rendered
}

impl Files {
    /// Text as it stands in a file, with the newlines that are wanted.
    pub(super) fn lines<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str> {
        match self.newline.as_str() {
            "" | "\n" => text.into(),
            newline => text.replace('\n', newline).into(),
        }
    }

    /// Compiles a file's text, once for all hosts.
    pub(super) fn compile(&self, engine: &Engine, text: &Text) -> R<Arc<Template>> {
        engine.file(&self.dialect, text, |source| lower::template(source, &self.syntax))
    }
}

impl Eval {
    /// The first file of these names, compiled.
    pub(super) fn load(&mut self, names: &Val) -> R<(Text, Arc<Template>)> {
        let names = match names {
            Val::List(_) => self.iterate(names)?,
            Val::Undefined(e) => return Err((**e).clone()),
            one => vec![one.clone()],
        };
        let mut tried = Vec::new();
        for name in &names {
            let name = self.text(name)?;
            let files = Arc::clone(&self.files);
            let places: Vec<String> = if name.starts_with('/') {
                vec![name.clone()]
            } else {
                files.search.iter().map(|dir| format!("{}/{name}", dir.trim_end_matches('/'))).collect()
            };
            for path in places {
                let Ok((bytes, secret)) = self.engine.outside.read_file(&path) else { continue };
                self.reads_secret(secret);
                let content = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
                let make = if secret { Source::secret } else { Source::new };
                let source = make(path, content.clone());
                let text = Text::template(content, Some(Origin::new(&source, 1, 1)));
                let template = files.compile(&self.engine, &text).map_err(|e| e.located(&text))?;
                return Ok((text, template));
            }
            tried.push(name);
        }
        Err(Error::new(format!("template not found: {}", tried.join(", "))))
    }
}
