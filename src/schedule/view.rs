//! Variables and templates of one task on one host, together.

use std::sync::Arc;

use crate::model::{Text, Value};
use crate::template::{Engine, Error, Templar, Truth};
use crate::vars::{Scope, Variables};

/// What a task sees on a host.
pub struct View {
    /// The variables as written.
    pub scope: Arc<Scope>,
    /// Their evaluation.
    pub templar: Templar,
}

impl View {
    /// A view of a scope.
    pub fn new(engine: &Arc<Engine>, scope: Scope) -> Self {
        let scope = Arc::new(scope);
        let vars: Arc<dyn Variables> = Arc::clone(&scope) as Arc<dyn Variables>;
        Self { scope, templar: Templar::new(Arc::clone(engine), vars) }
    }

    /// A variable's value, evaluated; nothing when it is not defined or omitted.
    pub fn variable(&self, name: &str) -> Result<Option<Value>, Error> {
        self.scope.get(name).map_or(Ok(None), |value| self.render(&value))
    }

    /// A value with its templates evaluated; nothing when it is omitted.
    pub fn render(&self, value: &Value) -> Result<Option<Value>, Error> {
        match self.templar.render(value) {
            Ok(value) => Ok(Some(value)),
            Err(e) if e.is_omitted() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// A text with its templates evaluated, as text.
    pub fn text(&self, text: &Text) -> Result<Text, Error> {
        Ok(match self.render(&Value::Str(text.clone()))? {
            Some(Value::Str(text)) => text,
            Some(Value::Int(i)) => Text::from(i.to_string()),
            Some(Value::Unknown(reason)) => Text::from(format!("unknown: {reason}")),
            _ => text.clone(),
        })
    }

    /// Conditions that must all hold, in order; the first that does not is returned with
    /// its verdict.
    pub fn conditions<'c>(&self, conditions: &'c [Value]) -> Result<(Truth, Option<&'c Value>), Error> {
        for condition in conditions {
            let truth = self.templar.condition(condition).map_err(Error::in_condition)?;
            if truth != Truth::True {
                return Ok((truth, Some(condition)));
            }
        }
        Ok((Truth::True, None))
    }
}
