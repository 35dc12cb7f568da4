//! Templates for one task on one host: what the scheduler calls.

use std::sync::{Arc, Mutex, PoisonError};

use super::engine::Engine;
use super::error::Error;
use super::eval::Eval;
use super::file::{TemplateOptions, with_newlines_of};
use super::lookups;
use super::scope::Scope;
use super::value::{Args, Val};
use crate::model::{Map, Marks, Reason, Text, Value};
use crate::vars::Variables;

/// What a condition comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It reads something that a dry run cannot know.
    Unknown(Reason),
}

/// What is to be said of evaluations besides their results.
pub(super) type Warnings = Arc<Mutex<Vec<String>>>;

/// Evaluates in one scope, each variable at most once.
pub struct Templar {
    engine: Arc<Engine>,
    scope: Arc<Scope>,
    warnings: Warnings,
}

impl Templar {
    /// A templar that sees `vars`.
    pub fn new(engine: Arc<Engine>, vars: Arc<dyn Variables>) -> Self {
        Self { engine, scope: Scope::new(vars, None), warnings: Warnings::default() }
    }

    pub(super) const fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(super) fn eval(&self) -> Eval {
        let mut ev = Eval::new(Arc::clone(&self.engine), Arc::clone(&self.scope));
        ev.warnings = Arc::clone(&self.warnings);
        ev
    }

    /// A variable as it is written, not evaluated.
    pub fn variable(&self, name: &str) -> Option<Value> {
        self.scope.vars.get(name)
    }

    /// Notes a warning.
    pub fn warn(&self, warning: impl Into<String>) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning.into());
    }

    /// The warnings since the last call.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The value with all templates in it evaluated, entries and items that are omitted left out.
    ///
    /// What is unknown is `Value::Unknown` where it stands. Results are data: never templated again.
    ///
    /// # Errors
    /// When a template fails; [`Error::is_omitted`] when the whole value is `omit`.
    pub fn render(&self, value: &Value) -> Result<Value, Error> {
        let mut ev = self.eval();
        let result = ev.read(value, Some(&self.scope.me)).and_then(|v| ev.finish(v));
        let placed = |e: Error| if let Value::Str(text) = value { e.located(text) } else { e };
        self.done(ev, result.map_err(placed))
    }

    fn done(&self, ev: Eval, result: Result<Value, Error>) -> Result<Value, Error> {
        drop(ev);
        match result {
            Err(e) => e.unknown().cloned().map(Value::Unknown).ok_or(e),
            Ok(value) => Ok(value),
        }
    }

    /// The value of a bare expression.
    ///
    /// # Errors
    /// When it cannot be compiled or fails.
    pub fn expression(&self, text: &Text) -> Result<Value, Error> {
        let mut ev = self.eval();
        let result = self
            .engine
            .bare(text)
            .map_err(|e| e.located(text))
            .and_then(|compiled| ev.run(text, &compiled))
            .and_then(|v| ev.finish(v).map_err(|e| e.located(text)));
        self.done(ev, result)
    }

    /// A whole file as a template. Its marks say whether it is secret.
    ///
    /// # Errors
    /// When it cannot be compiled or fails; [`Error::unknown`] when it reads something unknown.
    pub fn text(&self, text: &Text, options: TemplateOptions) -> Result<Text, Error> {
        let mut options = options;
        // What a header line asks for does not hold for the newlines that are put back.
        let newline = options.newline_sequence.clone();
        let normal = text.replace("\r\n", "\n");
        let body = options.header(&normal).map_err(|e| e.located(text))?;
        let text = Text::template(body, text.origin().cloned()).marked(text.marks().with(Marks::TEMPLATE));
        let files = Arc::new(options.files()?);
        let compiled = files.compile(&self.engine, &text).map_err(|e| e.located(&text))?;
        let mut ev = self.eval();
        ev.files = files;
        let value = ev.run(&text, &compiled)?.defined()?;
        let marks = match &value {
            Val::Str(t) => t.marks(),
            _ => Marks::NONE,
        };
        let rendered = match &value {
            // Newlines alone are no template.
            Val::Null if text.trim_matches('\n').is_empty() => with_newlines_of(&text, String::new(), &newline),
            Val::Null => String::new(),
            Val::List(l) if l.tuple => {
                let list = Val::list(l.all(&mut ev)?);
                ev.text(&list)?
            }
            Val::Str(t) => with_newlines_of(&text, t.as_str().to_owned(), &newline),
            other => ev.text(other).map_err(|e| e.located(&text))?,
        };
        Ok(Text::new(rendered).marked(marks))
    }

    /// A Handlebars text, strict, with the same variables.
    ///
    /// # Errors
    /// When it cannot be compiled, or names what is not defined.
    pub fn handlebars(&self, text: &Text) -> Result<Text, Error> {
        super::handlebars::render(&mut self.eval(), text)
    }

    /// What a lookup plugin gives, as `with_…` needs it.
    ///
    /// # Errors
    /// When there is no such lookup, or it fails.
    pub fn lookup(&self, name: &str, terms: Vec<Value>, kwargs: Map) -> Result<Vec<Value>, Error> {
        let lookup = lookups::find(name).ok_or_else(|| Error::no_such("lookup", name, lookups::names()))?;
        let mut ev = self.eval();
        let mut args = Args::default();
        for term in &terms {
            args.pos.push(ev.read(term, Some(&self.scope.me))?.defined()?);
        }
        for (key, value) in &kwargs {
            args.kw.push((key.to_string().into(), ev.read(value, Some(&self.scope.me))?.defined()?));
        }
        let found = (lookup.run)(&mut ev, &args).map_err(|e| e.in_plugin("lookup", name))?;
        let found: Vec<Value> = found.into_iter().map(|v| ev.finish(v)).collect::<Result<_, _>>()?;
        Ok(if ev.is_secret() { found.iter().map(Value::secret).collect() } else { found })
    }
}

/// The words that Ansible takes for a truth value.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "yes" | "true" | "on" | "1" | "y" | "t" => Some(true),
        "no" | "false" | "off" | "0" | "n" | "f" => Some(false),
        _ => None,
    }
}
