//! Secrets in an evaluation: what is computed from one is one, and is noted as such.

use super::error::Error;
use super::eval::Eval;
use super::ir::Expr;
use super::value::{R, Val};
use crate::model::{Marks, Text, Value};

impl Eval {
    /// Notes that a value is read: what is computed from a secret is secret.
    pub fn touch(&mut self, value: Val) -> Val {
        if let Val::Str(t) = &value
            && t.is_secret()
        {
            self.secret = true;
            self.engine.outside.note_secret(t);
        }
        value
    }

    /// Notes that something is read that is secret, or not.
    pub const fn reads_secret(&mut self, secret: bool) {
        self.secret |= secret;
    }

    /// Does `work`; what it gives is secret, and noted, when it was computed from a secret.
    pub fn noting(&mut self, work: impl FnOnce(&mut Self) -> R<Val>) -> R<Val> {
        let outer = std::mem::replace(&mut self.secret, false);
        let result = work(self);
        let result = match result {
            Ok(value) if self.secret => {
                self.note(&value);
                self.hide(&value)
            }
            other => other,
        };
        self.secret |= outer;
        result
    }

    /// Notes what was computed from a secret. A text that stands in the template itself was
    /// only chosen by it (`'present' if password else 'absent'`).
    fn note(&mut self, value: &Val) {
        match value {
            Val::Str(t) if !self.current.contains(t.as_str()) => self.engine.outside.note_secret(t),
            Val::List(l) => {
                let items = l.all(self).unwrap_or_default();
                items.iter().for_each(|v| self.note(v));
            }
            Val::Map(m) => {
                let items = m.all(self).unwrap_or_default();
                items.iter().for_each(|(_, v)| self.note(v));
            }
            _ => {}
        }
    }

    /// Whether something secret was read.
    pub const fn is_secret(&self) -> bool {
        self.secret
    }

    /// A text that was encrypted by itself. What comes out is data: Ansible does not evaluate
    /// it either.
    pub(super) fn decrypted(&mut self, text: &Text) -> R<Val> {
        let opened = self.engine.outside.decrypt(text);
        let plain = opened.map_err(|why| Error::undecryptable(text, &why).at(text.origin().cloned()))?;
        Ok(self.touch(Val::Str(Text::new(plain).marked(Marks::SECRET))))
    }

    /// What `unvault` and `vault_encrypted` look at: of a value that no key opens the encrypted text.
    pub(super) fn even_encrypted(&mut self, e: &Expr) -> R<Val> {
        self.expr(e).or_else(|error| match error.encrypted() {
            Some(text) => Ok(Val::Str(Text::new(text.shared()).marked(Marks::ENCRYPTED))),
            None => Err(error),
        })
    }

    /// The same value with every string in it secret.
    pub(super) fn hide(&mut self, value: &Val) -> R<Val> {
        Ok(match value {
            Val::Str(t) => Val::Str(t.clone().marked(t.marks().with(Marks::SECRET))),
            Val::List(l) => {
                let items = l.all(self)?.iter().map(|v| self.hide(v)).collect::<R<Vec<_>>>()?;
                if l.tuple { Val::tuple(items) } else { Val::list(items) }
            }
            Val::Map(m) => {
                let all = m.all(self)?;
                Val::map(all.iter().map(|(k, v)| Ok((k.clone(), self.hide(v)?))).collect::<R<_>>()?)
            }
            other => other.clone(),
        })
    }

    /// Notes that all of a value is read.
    pub(super) fn touch_all(&mut self, value: &Value) {
        match value {
            Value::Str(t) if t.is_secret() => drop(self.touch(Val::Str(t.clone()))),
            Value::List(items) => items.iter().for_each(|v| self.touch_all(v)),
            Value::Map(map) => map.values().for_each(|v| self.touch_all(v)),
            _ => {}
        }
    }
}
