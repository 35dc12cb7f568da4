//! What one run shares between all hosts and tasks: compiled texts and the door to the world.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use minijinja::syntax::SyntaxConfig;

use super::error::Error;
use super::file::TemplateOptions;
use super::ir::Template;
use super::{Outside, lookups, lower};
use crate::diag::Diagnostic;
use crate::model::Text;

type Cache = RwLock<HashMap<Arc<str>, Result<Arc<Template>, Error>>>;

/// Compiled templates and expressions, kept by their text.
pub struct Engine {
    pub(super) outside: Arc<dyn Outside>,
    templates: Cache,
    expressions: Cache,
    /// Whole files, by what is different about their syntax.
    files: RwLock<HashMap<String, Arc<Cache>>>,
    syntax: SyntaxConfig,
}

/// How templates within values are read: as Ansible's environment says.
pub(super) fn inline() -> SyntaxConfig {
    SyntaxConfig::builder().trim_blocks(true).build().unwrap_or_default()
}

impl Engine {
    /// An engine that reaches the world through `outside` only.
    pub fn new(outside: Arc<dyn Outside>) -> Self {
        Self {
            outside,
            templates: Cache::default(),
            expressions: Cache::default(),
            files: RwLock::default(),
            syntax: inline(),
        }
    }

    fn cached(
        cache: &Cache,
        text: &Text,
        make: impl FnOnce(&str) -> Result<Template, Error>,
    ) -> Result<Arc<Template>, Error> {
        if let Some(found) = cache.read().unwrap_or_else(PoisonError::into_inner).get(text.as_str()) {
            return found.clone();
        }
        let made = make(text).map(Arc::new);
        cache.write().unwrap_or_else(PoisonError::into_inner).insert(text.shared(), made.clone());
        made
    }

    pub(super) fn template(&self, text: &Text) -> Result<Arc<Template>, Error> {
        Self::cached(&self.templates, text, |source| lower::template(&super::quoting::protect(source), &self.syntax))
    }

    pub(super) fn bare(&self, text: &Text) -> Result<Arc<Template>, Error> {
        Self::cached(&self.expressions, text, lower::expression)
    }

    /// A whole file in some dialect.
    pub(super) fn file(
        &self,
        dialect: &str,
        text: &Text,
        make: impl FnOnce(&str) -> Result<Template, Error>,
    ) -> Result<Arc<Template>, Error> {
        let known = self.files.read().unwrap_or_else(PoisonError::into_inner).get(dialect).cloned();
        let cache = known.unwrap_or_else(|| {
            let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(files.entry(dialect.to_owned()).or_default())
        });
        Self::cached(&cache, text, make)
    }

    /// What is wrong with a template, whatever the variables are.
    pub fn check(&self, text: &Text) -> Vec<Diagnostic> {
        if !text.is_template() {
            return Vec::new();
        }
        self.template(text).err().map(|e| e.located(text).into()).into_iter().collect()
    }

    /// What is wrong with a file as a template, whatever the variables are.
    pub fn check_file(&self, text: &Text) -> Option<Diagnostic> {
        let mut options = TemplateOptions::default();
        let normal = text.replace("\r\n", "\n");
        let compiled = options.header(&normal).and_then(|body| {
            let text = Text::template(body, text.origin().cloned());
            options.files()?.compile(self, &text).map_err(|e| e.located(&text))
        });
        compiled.err().filter(Error::is_syntax).map(Diagnostic::from)
    }

    /// What is wrong with the name of a lookup, as in `with_…`.
    pub fn check_lookup(&self, name: &str) -> Option<Diagnostic> {
        lookups::find(name).is_none().then(|| Error::no_such("lookup", name, lookups::names()).into())
    }

    /// What is wrong with a bare expression, as in `when`.
    pub fn check_expression(&self, text: &Text) -> Vec<Diagnostic> {
        if text.is_template() {
            return self.check(text);
        }
        self.bare(text).err().map(|e| e.located(text).into()).into_iter().collect()
    }
}
