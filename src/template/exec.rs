//! Runs statements: what they write is joined as Ansible joins it, one lone value keeping its type.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::error::Error;
use super::eval::{Eval, Frame};
use super::ir::{Arg, Expr, ExprKind, For, Macro, Name, Stmt, Target, Template};
use super::objects::{Loop, MacroValue, Module, Super};
use super::value::{Object, R, Val};
use crate::model::Text;

/// What was written so far.
#[derive(Default)]
pub(super) struct Out {
    text: String,
    only: Option<Val>,
    parts: usize,
    /// Whether what is undefined makes all of it so, for who uses it, and is no error yet.
    lenient: bool,
    undefined: Option<Arc<Error>>,
}

impl Out {
    fn push(&mut self, ev: &mut Eval, value: Val) -> R<()> {
        let value = match value {
            Val::Object(object) => object.shown().unwrap_or(Val::Object(object)),
            other => other,
        };
        // None is nothing beside anything else.
        if let Val::Null = value {
            return Ok(());
        }
        self.parts += 1;
        if self.parts == 1 {
            // What comes next may change a container that was written here.
            self.only = Some(ev.snapshot(value)?);
            return Ok(());
        }
        if let Some(first) = self.only.take() {
            self.append(ev, &first)?;
        }
        self.append(ev, &value)
    }

    fn append(&mut self, ev: &mut Eval, value: &Val) -> R<()> {
        match append(ev, &mut self.text, value) {
            Err(e) if self.lenient && e.is_undefined() => {
                self.undefined.get_or_insert_with(|| Arc::new(e));
                Ok(())
            }
            other => other,
        }
    }

    fn raw(&mut self, ev: &mut Eval, text: &Name) -> R<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.parts += 1;
        if let Some(first) = self.only.take() {
            self.append(ev, &first)?;
        }
        self.text.push_str(&ev.files.lines(text));
        Ok(())
    }

    fn finish(self) -> Val {
        if let Some(undefined) = self.undefined {
            return Val::Undefined(undefined);
        }
        // Nothing at all is none, not an empty text.
        if self.parts == 0 {
            return Val::Null;
        }
        self.only.unwrap_or_else(|| Val::str(self.text))
    }
}

/// Joined with text, none is nothing and tuples show as lists.
fn append(ev: &mut Eval, text: &mut String, value: &Val) -> R<()> {
    match value {
        Val::Null | Val::Omit => {}
        Val::Undefined(e) if e.is_soft() => {}
        Val::List(_) | Val::Map(_) => {
            let done = ev.finish(value.clone())?;
            let done = ev.read(&done, None)?;
            text.push_str(&ev.text(&done)?);
        }
        other => text.push_str(&ev.text(other)?),
    }
    Ok(())
}

/// A block's body and the text that it stands in.
type Definition = (Arc<Vec<Stmt>>, Text);

/// Blocks of a template and its parents, the outermost child's first.
#[derive(Default)]
pub(super) struct Blocks {
    named: HashMap<Name, Vec<Definition>>,
    parent: Option<(Text, Arc<Template>)>,
}

/// How a run of statements ended.
#[derive(PartialEq, Eq)]
pub(super) enum Flow {
    On,
    Break,
    Continue,
}

impl Eval {
    /// Runs a whole template with its parents.
    pub fn whole(&mut self, template: &Arc<Template>) -> R<Val> {
        self.frames.push(Arc::default());
        // What is included into something lenient is so as well.
        let lenient = self.outs.last().is_some_and(|out| out.lenient);
        self.outs.push(Out { lenient, ..Out::default() });
        let result = self.inherit(template);
        self.frames.pop();
        let out = self.outs.pop().unwrap_or_default();
        result.map(|()| out.finish())
    }

    fn inherit(&mut self, template: &Arc<Template>) -> R<()> {
        let mut template = Arc::clone(template);
        loop {
            for (name, body) in &template.blocks {
                let entry = (Arc::clone(body), self.current.clone());
                self.blocks.named.entry(Arc::clone(name)).or_default().push(entry);
            }
            self.exec(&template.body)?;
            let Some((text, parent)) = self.blocks.parent.take() else { return Ok(()) };
            if let Some(out) = self.outs.last_mut() {
                *out = Out { lenient: out.lenient, ..Out::default() };
            }
            self.current = text;
            template = parent;
        }
    }

    /// The value as it is now: containers that can be changed in place are copied.
    fn snapshot(&mut self, value: Val) -> R<Val> {
        Ok(match &value {
            Val::List(list) if list.is_owned() => {
                let items = list.all(self)?.into_iter().map(|v| self.nested(|ev| ev.snapshot(v)));
                let items = items.collect::<R<Vec<_>>>()?;
                if list.tuple { Val::tuple(items) } else { Val::list(items) }
            }
            Val::Map(map) if map.is_owned() => {
                let all = map.all(self)?;
                Val::map(all.into_iter().map(|(k, v)| Ok((k, self.nested(|ev| ev.snapshot(v))?))).collect::<R<_>>()?)
            }
            _ => value,
        })
    }

    fn write(&mut self, value: Val) -> R<()> {
        let Some(mut out) = self.outs.pop() else { return Ok(()) };
        let result = out.push(self, value);
        self.outs.push(out);
        result
    }

    pub(super) fn exec(&mut self, body: &[Stmt]) -> R<Flow> {
        for stmt in body {
            let flow = self.stmt(stmt)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn stmt(&mut self, stmt: &Stmt) -> R<Flow> {
        match stmt {
            Stmt::Raw(text) => {
                let Some(mut out) = self.outs.pop() else { return Ok(Flow::On) };
                let result = out.raw(self, text);
                self.outs.push(out);
                result?;
            }
            Stmt::Emit(e) => {
                let value = self.noting(|ev| ev.expr(e))?;
                self.write(value).map_err(|err| err.spanned(e.at))?;
            }
            Stmt::For(f) => {
                let items = self.noting(|ev| ev.expr(&f.iter))?;
                let items = self.iterate(&items).map_err(|e| e.raised().spanned(f.iter.at))?;
                return self.nested(|ev| ev.for_loop(f, items, 0)).map(|()| Flow::On);
            }
            Stmt::If(test, yes, no) => {
                let value = self.expr(test)?;
                let branch = if self.truth(&value).map_err(|e| e.spanned(test.at))? { yes } else { no };
                return self.nested(|ev| ev.exec(branch));
            }
            Stmt::Scope(body) => return self.scoped(|ev| ev.exec(body)),
            Stmt::With(sets, body) => {
                let values = sets.iter().map(|(_, e)| self.noting(|ev| ev.expr(e))).collect::<R<Vec<_>>>()?;
                return self.scoped(|ev| {
                    for ((target, _), value) in sets.iter().zip(values) {
                        ev.assign(target, value)?;
                    }
                    ev.exec(body)
                });
            }
            Stmt::Set(target, e) => {
                let value = self.noting(|ev| ev.expr(e))?;
                self.assign(target, value).map_err(|err| err.spanned(e.at))?;
            }
            Stmt::SetBlock(target, filter, body) => {
                let mut value = self.capture(|ev| ev.scoped(|ev| ev.exec(body)))?;
                if let Some(filter) = filter {
                    value = self.filter_chain(filter, value)?;
                }
                self.assign(target, value)?;
            }
            Stmt::FilterBlock(filter, body) => {
                let value = self.capture(|ev| ev.scoped(|ev| ev.exec(body)))?;
                let value = self.filter_chain(filter, value)?;
                self.write(value)?;
            }
            Stmt::Do(e) => {
                self.expr(e)?;
            }
            Stmt::Break => return Ok(Flow::Break),
            Stmt::Continue => return Ok(Flow::Continue),
            other => self.multi(other)?,
        }
        Ok(Flow::On)
    }

    fn multi(&mut self, stmt: &Stmt) -> R<()> {
        match stmt {
            Stmt::Macro(decl) => {
                let value = self.make_macro(decl);
                self.assign_name(&decl.name, value);
            }
            Stmt::CallBlock(call) => {
                let (callee, args, caller) = &**call;
                let caller = self.make_macro(caller);
                let value = self.call_with(callee, args, caller).map_err(|e| e.spanned(callee.at))?;
                self.write(value)?;
            }
            Stmt::Block(name) if self.blocks.parent.is_none() => {
                let value = self.block(name, 0)?;
                self.write(value)?;
            }
            Stmt::Extends(e) => {
                let name = self.expr(e)?;
                let parent = self.load(&name).map_err(|err| err.spanned(e.at))?;
                self.blocks.parent = Some(parent);
            }
            Stmt::Include(e, optional, context) => {
                let names = self.expr(e)?;
                match self.load(&names) {
                    Ok((text, template)) => {
                        let value = self.within(*context, |ev| ev.nested(|ev| ev.run(&text, &template)))?;
                        self.write(value)?;
                    }
                    Err(_) if *optional => {}
                    Err(err) => return Err(err.spanned(e.at)),
                }
            }
            Stmt::Import(e, name, context) => {
                let module = self.import(e, *context)?;
                self.assign_name(name, Val::Object(module));
            }
            Stmt::FromImport(e, names, context) => {
                let module = self.import(e, *context)?;
                for (name, alias) in names {
                    let value = module.frame.get(name).ok_or_else(|| {
                        Error::undefined(name, format!("the template does not export '{name}'")).spanned(e.at)
                    })?;
                    self.assign_name(alias, value);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn call_with(&mut self, callee: &Expr, args: &[Arg], caller: Val) -> R<Val> {
        let mut args = self.args(args)?;
        args.kw.push(("caller".into(), caller));
        let callee = self.expr(callee)?;
        self.call(&callee, args)
    }

    pub(super) fn has_block(&self, name: &str) -> bool {
        self.blocks.named.contains_key(name)
    }

    /// Runs a block's `level`-th definition.
    pub(super) fn block(&mut self, name: &Name, level: usize) -> R<Val> {
        let Some((body, text)) = self.blocks.named.get(name).and_then(|l| l.get(level)).cloned() else {
            return Err(Error::undefined("super", format!("there is no parent block called '{name}'")));
        };
        let current = std::mem::replace(&mut self.current, text.clone());
        let result = self.capture(|ev| {
            ev.scoped(|ev| {
                let parent = Super { name: Arc::clone(name), level: level + 1 };
                ev.assign_name(&"super".into(), Val::Object(Arc::new(parent)));
                ev.nested(|ev| ev.exec(&body))
            })
        });
        self.current = current;
        result.map_err(|e| e.located(&text))
    }

    /// What `work` writes, as a value.
    pub(super) fn capture(&mut self, work: impl FnOnce(&mut Self) -> R<Flow>) -> R<Val> {
        self.outs.push(Out { lenient: true, ..Out::default() });
        let result = work(self);
        let out = self.outs.pop().unwrap_or_default();
        Ok(match result.map(|_| out.finish())? {
            Val::Undefined(e) => Val::Undefined(Arc::new((*e).clone().located(&self.current))),
            value => value,
        })
    }

    pub(super) fn scoped<T>(&mut self, work: impl FnOnce(&mut Self) -> R<T>) -> R<T> {
        self.frames.push(Arc::default());
        let result = work(self);
        self.frames.pop();
        result
    }

    fn filter_chain(&mut self, filter: &Expr, value: Val) -> R<Val> {
        let ExprKind::Filter(applied) = &filter.kind else { return Ok(value) };
        let value = match &applied.input {
            Some(inner) => self.filter_chain(inner, value)?,
            None => value,
        };
        self.filter(applied, value).map_err(|e| e.spanned(filter.at))
    }

    pub(super) fn assign_name(&self, name: &Name, value: Val) {
        if let Some(frame) = self.frames.last() {
            frame.set(name, value);
        }
    }

    fn assign(&mut self, target: &Target, value: Val) -> R<()> {
        match target {
            Target::Name(name) => self.assign_name(name, value),
            Target::Attr(object, name) => match self.variable(object, super::ir::Span::default())? {
                Val::Object(o) if o.set(name, &value) => {}
                _ => return Err(Error::new("cannot assign attribute on non-namespace object")),
            },
            Target::Tuple(targets) => {
                let values = self.iterate(&value).map_err(Error::raised)?;
                if values.len() != targets.len() {
                    let (want, got) = (targets.len(), values.len());
                    return Err(Error::new(if got > want {
                        format!("too many values to unpack (expected {want})")
                    } else {
                        format!("not enough values to unpack (expected {want}, got {got})")
                    }));
                }
                for (target, value) in targets.iter().zip(values) {
                    self.assign(target, value)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn for_loop(&mut self, f: &Arc<For>, items: Vec<Val>, depth: usize) -> R<()> {
        let items = match &f.filter {
            None => items,
            Some(test) => {
                let mut kept = Vec::new();
                for item in items {
                    let keep = self.scoped(|ev| {
                        ev.assign(&f.target, item.clone())?;
                        let value = ev.expr(test)?;
                        ev.truth(&value).map_err(|e| e.spanned(test.at))
                    })?;
                    if keep {
                        kept.push(item);
                    }
                }
                kept
            }
        };
        if items.is_empty() {
            return self.scoped(|ev| ev.exec(&f.otherwise)).map(|_| ());
        }
        let state = Arc::new(Loop {
            items,
            at: AtomicUsize::new(0),
            depth,
            body: f.recursive.then(|| Arc::clone(f)),
            changed: Mutex::default(),
        });
        for (i, item) in state.items.iter().enumerate() {
            state.at.store(i, Ordering::Relaxed);
            let flow = self.scoped(|ev| {
                let object: Arc<dyn Object> = Arc::<Loop>::clone(&state);
                ev.assign_name(&"loop".into(), Val::Object(object));
                ev.assign(&f.target, item.clone()).map_err(|e| e.spanned(f.iter.at))?;
                ev.exec(&f.body)
            })?;
            if flow == Flow::Break {
                break;
            }
        }
        Ok(())
    }

    fn make_macro(&mut self, decl: &Arc<Macro>) -> Val {
        // Any of them may get this macro: by `from … import` the frame of another macro does.
        self.captured.extend(self.frames.iter().cloned());
        Val::Object(Arc::new(MacroValue {
            decl: Arc::clone(decl),
            frames: self.frames.clone(),
            scope: Arc::clone(&self.scope),
            text: self.current.clone(),
        }))
    }

    /// Does `work` where the variables here are seen, but for `loop`; or none of them.
    fn within<T>(&mut self, context: bool, work: impl FnOnce(&mut Self) -> R<T>) -> R<T> {
        let scope = if context { Arc::clone(&self.scope) } else { self.scope.bare() };
        let scope = std::mem::replace(&mut self.scope, scope);
        let frames = std::mem::take(&mut self.frames);
        if context {
            self.frames.clone_from(&frames);
            let hidden = Arc::new(Frame::default());
            if frames.iter().any(|f| f.get("loop").is_some()) {
                hidden.set(&"loop".into(), Val::Undefined(Arc::new(Error::undefined("loop", "'loop' is undefined"))));
            }
            self.frames.push(hidden);
        }
        let result = work(self);
        self.scope = scope;
        self.frames = frames;
        result
    }

    fn import(&mut self, e: &Expr, context: bool) -> R<Arc<Module>> {
        let name = self.expr(e)?;
        let (text, template) = self.load(&name).map_err(|err| err.spanned(e.at))?;
        let current = std::mem::replace(&mut self.current, text.clone());
        let frame = Arc::new(Frame::default());
        let own = Arc::clone(&frame);
        let result = self.within(context, |ev| {
            ev.frames.push(own);
            ev.capture(|ev| ev.nested(|ev| ev.exec(&template.body)))
        });
        self.current = current;
        let written = result.map_err(|err| err.located(&text))?;
        Ok(Arc::new(Module { frame, written }))
    }
}
