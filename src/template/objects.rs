//! What statements bring into scope: macros, `loop`, `super`, imported templates.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::error::Error;
use super::eval::{Eval, Frame};
use super::exec::Flow;
use super::ir::{For, Macro, Name};
use super::scope::Scope;
use super::value::{Args, Object, R, Val};
use crate::model::Text;

/// An imported template.
pub(super) struct Module {
    pub frame: Arc<Frame>,
    /// What it writes; what is undefined in it is so for who asks for this alone.
    pub written: Val,
}

impl Object for Module {
    fn type_name(&self) -> &'static str {
        "TemplateModule"
    }

    fn attr(&self, _ev: &mut Eval, name: &str) -> R<Option<Val>> {
        Ok(self.frame.get(name))
    }

    fn shown(&self) -> Option<Val> {
        Some(if matches!(self.written, Val::Null) { Val::str("") } else { self.written.clone() })
    }

    fn text(&self) -> String {
        if let Val::Str(text) = &self.written { text.as_str().to_owned() } else { String::new() }
    }
}

/// `super` in a block.
pub(super) struct Super {
    pub name: Name,
    pub level: usize,
}

impl Object for Super {
    fn type_name(&self) -> &'static str {
        "BlockReference"
    }

    fn call(&self, ev: &mut Eval, _args: Args) -> R<Val> {
        ev.block(&self.name, self.level)
    }
}

/// `self`: the template's blocks.
pub(super) struct SelfReference;

impl Object for SelfReference {
    fn type_name(&self) -> &'static str {
        "TemplateReference"
    }

    fn attr(&self, ev: &mut Eval, name: &str) -> R<Option<Val>> {
        Ok(ev.has_block(name).then(|| Val::Object(Arc::new(Super { name: name.into(), level: 0 }))))
    }
}

/// A macro with what it sees around it.
pub(super) struct MacroValue {
    pub decl: Arc<Macro>,
    pub frames: Vec<Arc<Frame>>,
    pub scope: Arc<Scope>,
    pub text: Text,
}

impl MacroValue {
    fn bind(&self, ev: &mut Eval, args: Args) -> R<()> {
        let decl = &self.decl;
        let mut kw = args.kw;
        let mut take = |name: &str| kw.iter().position(|(k, _)| &**k == name).map(|i| kw.swap_remove(i).1);
        let caller = take("caller");
        let plain = decl.args.len() - decl.defaults.len();
        for (i, name) in decl.args.iter().enumerate() {
            let value = match args.pos.get(i).cloned().or_else(|| take(name)) {
                Some(value) => value,
                None => match i.checked_sub(plain).and_then(|i| decl.defaults.get(i)) {
                    Some(default) => ev.expr(default)?,
                    None => {
                        Val::Undefined(Arc::new(Error::undefined(name, format!("parameter '{name}' was not provided"))))
                    }
                },
            };
            ev.assign_name(name, value);
        }
        let rest: Vec<Val> = args.pos.into_iter().skip(decl.args.len()).collect();
        if !rest.is_empty() && !decl.varargs {
            let (name, most) = (&decl.name, decl.args.len());
            return Err(Error::new(format!("macro '{name}' takes not more than {most} argument(s)")));
        }
        if let (Some((name, _)), false) = (kw.first(), decl.kwargs) {
            return Err(Error::new(format!("macro '{}' takes no keyword argument '{name}'", decl.name)));
        }
        ev.assign_name(&"varargs".into(), Val::tuple(rest));
        let kwargs = kw.into_iter().map(|(k, v)| (crate::model::Key::Str(k), v)).collect();
        ev.assign_name(&"kwargs".into(), Val::map(kwargs));
        if let Some(caller) = caller {
            ev.assign_name(&"caller".into(), caller);
        }
        Ok(())
    }
}

impl Object for MacroValue {
    fn type_name(&self) -> &'static str {
        "Macro"
    }

    fn attr(&self, _ev: &mut Eval, name: &str) -> R<Option<Val>> {
        Ok(Some(match name {
            "name" => Val::Str(Text::new(Arc::clone(&self.decl.name))),
            "arguments" => Val::tuple(self.decl.args.iter().map(|a| Val::str(Arc::clone(a))).collect()),
            "catch_varargs" => Val::Bool(self.decl.varargs),
            "caller" => Val::Bool(self.decl.caller),
            "catch_kwargs" => Val::Bool(self.decl.kwargs),
            _ => return Ok(None),
        }))
    }

    fn call(&self, ev: &mut Eval, args: Args) -> R<Val> {
        let frames = std::mem::replace(&mut ev.frames, self.frames.clone());
        let current = std::mem::replace(&mut ev.current, self.text.clone());
        let scope = std::mem::replace(&mut ev.scope, Arc::clone(&self.scope));
        let result = ev.capture(|ev| {
            ev.scoped(|ev| {
                self.bind(ev, args)?;
                ev.exec(&self.decl.body)
            })
        });
        ev.scope = scope;
        ev.frames = frames;
        ev.current = current;
        result
    }
}

/// `loop` in a `for`.
pub(super) struct Loop {
    pub items: Vec<Val>,
    pub at: AtomicUsize,
    pub depth: usize,
    pub body: Option<Arc<For>>,
    pub changed: Mutex<Option<Vec<Val>>>,
}

impl Object for Loop {
    fn type_name(&self) -> &'static str {
        "LoopContext"
    }

    fn attr(&self, _ev: &mut Eval, name: &str) -> R<Option<Val>> {
        let (at, len) = (self.at.load(Ordering::Relaxed), self.items.len());
        let int = |i: usize| Val::Int(i as i128);
        let neighbour = |i: Option<usize>, what: &str| {
            i.and_then(|i| self.items.get(i))
                .cloned()
                .unwrap_or_else(|| Val::Undefined(Arc::new(Error::undefined(what, format!("there is no {what} item")))))
        };
        Ok(Some(match name {
            "index" => int(at + 1),
            "index0" => int(at),
            "revindex" => int(len - at),
            "revindex0" => int(len - at - 1),
            "first" => Val::Bool(at == 0),
            "last" => Val::Bool(at + 1 == len),
            "length" => int(len),
            "depth" => int(self.depth + 1),
            "depth0" => int(self.depth),
            "previtem" => neighbour(at.checked_sub(1), "previous"),
            "nextitem" => neighbour(Some(at + 1), "next"),
            _ => return Ok(None),
        }))
    }

    fn method(&self, ev: &mut Eval, name: &str, args: &Args) -> R<Option<Val>> {
        match name {
            "cycle" if !args.pos.is_empty() => {
                Ok(args.pos.get(self.at.load(Ordering::Relaxed) % args.pos.len()).cloned())
            }
            "changed" => {
                let last = self.changed.lock().unwrap_or_else(PoisonError::into_inner).replace(args.pos.clone());
                let same = match last {
                    Some(last) => ev.equal(&Val::list(last), &Val::list(args.pos.clone()))?,
                    None => false,
                };
                Ok(Some(Val::Bool(!same)))
            }
            _ => Ok(None),
        }
    }

    fn call(&self, ev: &mut Eval, args: Args) -> R<Val> {
        let Some(body) = &self.body else {
            return Err(Error::new("the loop must have the 'recursive' marker to be called recursively"));
        };
        let items =
            ev.iterate(args.pos.first().ok_or_else(|| Error::new("the loop is called with what it goes through"))?)?;
        ev.capture(|ev| ev.for_loop(body, items, self.depth + 1).map(|()| Flow::On))
    }
}
