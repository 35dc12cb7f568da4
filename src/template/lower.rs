//! From minijinja's syntax tree to our own: the only file that knows that tree.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::machinery::{Span as JSpan, ast, parse, parse_expr};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;

use super::big;
use super::calls;
use super::embedded;
use super::error::Error;
use super::ir::{Applied, Arg, BinOp, CmpOp, Expr, ExprKind, For, Macro, Name, Span, Stmt, Target, Template};
use super::quoting;
use super::reads;
use super::unclosed;
use super::value::Val;
use crate::model::Text;

type R<T> = Result<T, Error>;

/// Compiles a template's text.
pub(super) fn template(source: &str, syntax: &SyntaxConfig) -> R<Template> {
    let patched = patch(source, |text| parse(text, "<template>", syntax.clone()).err());
    let tree = parse(&patched, "<template>", syntax.clone()).map_err(|e| syntax_error(&e, source))?;
    let mut lower = Lower { source, ..Lower::default() };
    let ast::Stmt::Template(root) = &tree else { return Ok(Template::default()) };
    let body = lower.stmts(&root.children)?;
    Ok(lower.finish(body))
}

/// Compiles a bare expression into a template that emits it.
pub(super) fn expression(source: &str) -> R<Template> {
    let patched = patch(source, |text| parse_expr(text).err());
    let tree = parse_expr(&patched).map_err(|e| syntax_error(&e, source))?;
    let mut lower = Lower { source, ..Lower::default() };
    let body = vec![Stmt::Emit(lower.expr(&tree)?)];
    Ok(lower.finish(body))
}

/// The parser does not know the sign `+`: where it stops at one, a `-` stands for it. Lowering looks at
/// the source to tell them apart.
fn patch(source: &str, parse: impl Fn(&str) -> Option<minijinja::Error>) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(source);
    let mut last = None;
    while let Some(error) = parse(&text) {
        let sign = error.range().filter(|r| text.get(r.start..).is_some_and(|t| t.starts_with('+')));
        let Some(at) = sign.map(|r| r.start).filter(|at| last.is_none_or(|last| *at > last)) else { break };
        last = Some(at);
        text.to_mut().replace_range(at..=at, "-");
    }
    if parse(&text).is_some() { Cow::Borrowed(source) } else { text }
}

fn syntax_error(error: &minijinja::Error, source: &str) -> Error {
    let what = error.detail().unwrap_or("malformed template").replace('`', "'");
    let line = error.line().unwrap_or(1).saturating_sub(1);
    let start = source.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    let end = source.get(start..).and_then(|rest| rest.lines().next()).map_or(start, |l| start + l.len());
    let range = error.range().unwrap_or(start..end);
    let blocks = unclosed::hint(source, &what, range.start);
    let found = Error::syntax(what).spanned(span_of(range.start, range.end));
    if let Some(blocks) = blocks {
        return found.hint(blocks);
    }
    let rest = source.get(range.start..).unwrap_or_default();
    if rest.starts_with('=') && !rest.starts_with("==") {
        return found.hint("`==` compares two values");
    }
    if rest.starts_with("&&") || rest.starts_with("||") || rest.starts_with('!') {
        return found.hint("the words are `and`, `or` and `not`");
    }
    found
}

fn span_of(start: usize, end: usize) -> Span {
    Span { start: u32::try_from(start).unwrap_or(0), end: u32::try_from(end).unwrap_or(0) }
}

const fn span(s: JSpan) -> Span {
    Span { start: s.start_offset, end: s.end_offset }
}

#[derive(Default)]
struct Lower<'s> {
    source: &'s str,
    blocks: Vec<(Name, Arc<Vec<Stmt>>)>,
    reads: BTreeSet<String>,
    /// Whether it may read variables that cannot be listed.
    reads_any: bool,
    /// Set while what is lowered does not count as read: its parts have been noted by name.
    noted: bool,
    /// Names that are set, innermost scope last.
    set: Vec<BTreeSet<String>>,
    top: BTreeSet<String>,
}

impl Lower<'_> {
    fn finish(self, body: Vec<Stmt>) -> Template {
        let reads = self.reads.into_iter().map(Name::from).collect();
        Template { body, blocks: self.blocks, reads, reads_any: self.reads_any }
    }

    fn read(&mut self, name: &str) {
        let known = self.top.contains(name) || self.set.iter().any(|s| s.contains(name));
        if !known && !self.noted {
            self.reads.insert(name.to_owned());
            // The variables themselves are all of them.
            self.reads_any |= name == "vars";
        }
    }

    /// Notes the variable that `vars.x` and `hostvars[inventory_hostname].x` read; all, where no name is written.
    fn read_by_name(&mut self, expr: &ast::Expr<'_>) -> bool {
        match reads::by_name(expr) {
            None => return false,
            Some(Some(name)) => self.read(name),
            Some(None) => self.reads_any |= !self.noted,
        }
        !self.noted
    }

    /// Notes what a lookup reads by the names in its arguments.
    fn read_by_lookup(&mut self, c: &ast::Call<'_>) {
        match reads::by_lookup(c) {
            Some(names) => names.iter().for_each(|name| self.read(name)),
            None => self.reads_any = true,
        }
    }

    /// Notes what templates in a lookup's constants read; they may be names to look up.
    fn read_embedded(&mut self, templates: Vec<Template>) {
        self.reads_any |= !templates.is_empty();
        templates.iter().flat_map(|template| &template.reads).for_each(|name| self.read(name));
    }

    fn assign(&mut self, name: &str) {
        self.set.last_mut().unwrap_or(&mut self.top).insert(name.to_owned());
    }

    fn scoped<T>(&mut self, work: impl FnOnce(&mut Self) -> R<T>) -> R<T> {
        self.set.push(BTreeSet::new());
        let result = work(self);
        self.set.pop();
        result
    }

    fn stmts(&mut self, list: &[ast::Stmt<'_>]) -> R<Vec<Stmt>> {
        list.iter().map(|s| self.stmt(s)).collect()
    }

    fn body(&mut self, list: &[ast::Stmt<'_>]) -> R<Vec<Stmt>> {
        self.scoped(|me| me.stmts(list))
    }

    fn stmt(&mut self, stmt: &ast::Stmt<'_>) -> R<Stmt> {
        Ok(match stmt {
            ast::Stmt::Template(t) => Stmt::Scope(self.stmts(&t.children)?),
            ast::Stmt::EmitRaw(e) => Stmt::Raw(self.raw(e.raw, e.span())),
            ast::Stmt::EmitExpr(e) => Stmt::Emit(self.expr(&e.expr)?),
            ast::Stmt::ForLoop(f) => self.for_loop(f)?,
            ast::Stmt::IfCond(c) => {
                Stmt::If(self.expr(&c.expr)?, self.stmts(&c.true_body)?, self.stmts(&c.false_body)?)
            }
            ast::Stmt::WithBlock(w) => self.scoped(|me| {
                let sets = w.assignments.iter().map(|(t, e)| {
                    Ok((e, t)).and_then(|(e, t)| {
                        let e = me.expr(e)?;
                        Ok((me.target(t)?, e))
                    })
                });
                let sets = sets.collect::<R<Vec<_>>>()?;
                Ok(Stmt::With(sets, me.stmts(&w.body)?))
            })?,
            ast::Stmt::Set(s) => {
                let value = self.expr(&s.expr)?;
                Stmt::Set(self.target(&s.target)?, value)
            }
            ast::Stmt::SetBlock(s) => {
                let body = self.body(&s.body)?;
                let filter = s.filter.as_ref().map(|f| self.expr(f)).transpose()?;
                Stmt::SetBlock(self.target(&s.target)?, filter, body)
            }
            ast::Stmt::AutoEscape(a) => Stmt::Scope(self.body(&a.body)?),
            ast::Stmt::FilterBlock(f) => Stmt::FilterBlock(self.expr(&f.filter)?, self.body(&f.body)?),
            ast::Stmt::Macro(m) => {
                self.assign(m.name);
                Stmt::Macro(Arc::new(self.macro_decl(m)?))
            }
            ast::Stmt::CallBlock(c) => {
                let callee = self.expr(&c.call.expr)?;
                let args = self.args(&c.call.args)?;
                Stmt::CallBlock(Box::new((callee, args, Arc::new(self.macro_decl(&c.macro_decl)?))))
            }
            ast::Stmt::Continue(_) => Stmt::Continue,
            ast::Stmt::Break(_) => Stmt::Break,
            ast::Stmt::Do(d) => Stmt::Do(self.call(&d.call, span(d.call.span()))?),
            other => self.multi_template(other)?,
        })
    }

    fn multi_template(&mut self, stmt: &ast::Stmt<'_>) -> R<Stmt> {
        Ok(match stmt {
            ast::Stmt::Block(b) => {
                let name = Name::from(b.name);
                let body = self.body(&b.body)?;
                self.blocks.push((Arc::clone(&name), Arc::new(body)));
                Stmt::Block(name)
            }
            ast::Stmt::Extends(e) => {
                self.reads_any = true;
                Stmt::Extends(self.expr(&e.name)?)
            }
            ast::Stmt::Include(i) => {
                self.reads_any = true;
                let here = self.context(i.span(), true);
                Stmt::Include(self.expr(&i.name)?, i.ignore_missing, here)
            }
            ast::Stmt::Import(i) => {
                self.reads_any = true;
                let from = self.expr(&i.expr)?;
                Stmt::Import(from, self.bind(&i.name)?, self.context(i.span(), false))
            }
            ast::Stmt::FromImport(i) => {
                self.reads_any = true;
                let from = self.expr(&i.expr)?;
                let names = i.names.iter().map(|(name, alias)| {
                    let ast::Expr::Var(original) = name else { return Err(Error::syntax("expected a name")) };
                    Ok((Name::from(original.id), self.bind(alias.as_ref().unwrap_or(name))?))
                });
                Stmt::FromImport(from, names.collect::<R<_>>()?, self.context(i.span(), false))
            }
            _ => return Err(Error::syntax("unsupported statement")),
        })
    }

    /// Text between tags. The parser drops a newline after `{% raw %}`, which Jinja2 keeps.
    fn raw(&self, text: &str, at: JSpan) -> Name {
        let start = at.start_offset as usize;
        let (before, after) =
            (self.source.get(..start).unwrap_or_default(), self.source.get(start..).unwrap_or_default());
        let tag = before.trim_end_matches(|c: char| !c.is_alphanumeric());
        let end = before.get(tag.len()..).unwrap_or_default();
        let raw = tag.ends_with("raw") && !tag.ends_with("endraw") && !end.is_empty() && !end.contains('-');
        if raw && after.starts_with('\n') && after.get(1..).is_some_and(|rest| rest.starts_with(text)) {
            return format!("\n{text}").into();
        }
        text.into()
    }

    /// Whether a statement ends with `with context` or `without context`.
    fn context(&self, at: JSpan, default: bool) -> bool {
        let text = self.source.get(at.start_offset as usize..at.end_offset as usize).unwrap_or_default();
        let mut words = text.trim_end_matches(['%', '}', '-', '+', ' ']).split_whitespace().rev();
        match (words.next(), words.next()) {
            (Some("context"), Some("with")) => true,
            (Some("context"), Some("without")) => false,
            // `ignore missing` may stand behind the context.
            (Some("missing"), Some("ignore")) => match (words.next(), words.next()) {
                (Some("context"), Some("without")) => false,
                _ => default,
            },
            _ => default,
        }
    }

    fn for_loop(&mut self, f: &ast::ForLoop<'_>) -> R<Stmt> {
        let iter = self.expr(&f.iter)?;
        self.scoped(|me| {
            let target = me.target(&f.target)?;
            me.assign("loop");
            Ok(Stmt::For(Arc::new(For {
                target,
                iter,
                filter: f.filter_expr.as_ref().map(|e| me.expr(e)).transpose()?,
                recursive: f.recursive,
                body: me.stmts(&f.body)?,
                otherwise: me.stmts(&f.else_body)?,
            })))
        })
    }

    fn macro_decl(&mut self, m: &ast::Macro<'_>) -> R<Macro> {
        self.scoped(|me| {
            let mut args = Vec::new();
            for arg in &m.args {
                args.push(me.bind(arg)?);
            }
            let defaults = m.defaults.iter().map(|e| me.expr(e)).collect::<R<Vec<_>>>()?;
            let before = std::mem::take(&mut me.reads);
            let body = me.stmts(&m.body)?;
            let asks = |name: &str| me.reads.contains(name);
            let (varargs, kwargs, caller) = (asks("varargs"), asks("kwargs"), asks("caller"));
            let own: BTreeSet<String> = std::mem::replace(&mut me.reads, before);
            me.reads.extend(own.into_iter().filter(|n| !matches!(n.as_str(), "varargs" | "kwargs" | "caller")));
            Ok(Macro { name: m.name.into(), args, defaults, body, varargs, kwargs, caller })
        })
    }

    fn bind(&mut self, target: &ast::Expr<'_>) -> R<Name> {
        match self.target(target)? {
            Target::Name(name) => Ok(name),
            _ => Err(Error::syntax("expected a name")),
        }
    }

    fn target(&mut self, target: &ast::Expr<'_>) -> R<Target> {
        Ok(match target {
            ast::Expr::Var(v) => {
                self.assign(v.id);
                Target::Name(v.id.into())
            }
            ast::Expr::GetAttr(a) => match &a.expr {
                ast::Expr::Var(v) => Target::Attr(v.id.into(), a.name.into()),
                _ => return Err(Error::syntax("cannot assign to this expression")),
            },
            ast::Expr::List(l) => Target::Tuple(l.items.iter().map(|t| self.target(t)).collect::<R<_>>()?),
            ast::Expr::Tuple(l) => Target::Tuple(l.items.iter().map(|t| self.target(t)).collect::<R<_>>()?),
            _ => return Err(Error::syntax("cannot assign to this expression")),
        })
    }

    fn pair(&mut self, a: &ast::Expr<'_>, b: &ast::Expr<'_>) -> R<Box<(Expr, Expr)>> {
        Ok(Box::new((self.expr(a)?, self.expr(b)?)))
    }

    fn boxed(&mut self, e: &ast::Expr<'_>) -> R<Box<Expr>> {
        self.expr(e).map(Box::new)
    }

    fn expr(&mut self, expr: &ast::Expr<'_>) -> R<Expr> {
        if self.read_by_name(expr) {
            self.noted = true;
            let lowered = self.expr_kind(expr);
            self.noted = false;
            return lowered;
        }
        self.expr_kind(expr)
    }

    fn expr_kind(&mut self, expr: &ast::Expr<'_>) -> R<Expr> {
        let mut at = span(expr.span());
        let kind = match expr {
            ast::Expr::Var(v) => {
                self.read(v.id);
                ExprKind::Var(v.id.into())
            }
            ast::Expr::Const(c) => ExprKind::Const(constant(&c.value)),
            ast::Expr::Slice(s) => {
                let mut part = |e: &Option<ast::Expr<'_>>| e.as_ref().map(|e| self.expr(e)).transpose();
                let (start, stop, step) = (part(&s.start)?, part(&s.stop)?, part(&s.step)?);
                ExprKind::Slice(Box::new([Some(self.expr(&s.expr)?), start, stop, step]))
            }
            ast::Expr::UnaryOp(u) => match u.op {
                ast::UnaryOpKind::Not => ExprKind::Not(self.boxed(&u.expr)?),
                ast::UnaryOpKind::Neg if self.source.get(at.start as usize..).is_some_and(|s| s.starts_with('+')) => {
                    ExprKind::Pos(self.boxed(&u.expr)?)
                }
                ast::UnaryOpKind::Neg => ExprKind::Neg(self.boxed(&u.expr)?),
            },
            ast::Expr::BinOp(b) => self.binary(b)?,
            ast::Expr::Compare(c) => {
                let first = self.boxed(&c.expr)?;
                let rest = c.ops.iter().map(|o| Ok((compare(o.op), self.expr(&o.expr)?))).collect::<R<Vec<_>>>()?;
                ExprKind::Compare(first, rest)
            }
            ast::Expr::IfExpr(i) => {
                let otherwise = i.false_expr.as_ref().map(|e| self.boxed(e)).transpose()?;
                ExprKind::If(self.pair(&i.test_expr, &i.true_expr)?, otherwise)
            }
            ast::Expr::Filter(_) | ast::Expr::Test(_) => self.applied(expr)?,
            // The parser's span of these begins at the last bracket before.
            ast::Expr::GetAttr(a) => {
                let of = self.boxed(&a.expr)?;
                at.start = at.start.min(of.at.start);
                ExprKind::Attr(of, a.name.into())
            }
            ast::Expr::GetItem(i) => {
                let of = self.boxed(&i.expr)?;
                at.start = at.start.min(of.at.start);
                ExprKind::Item(of, self.boxed(&i.subscript_expr)?)
            }
            ast::Expr::Call(c) => return self.call(c, at),
            ast::Expr::List(l) => ExprKind::List(l.items.iter().map(|e| self.expr(e)).collect::<R<_>>()?),
            ast::Expr::Tuple(l) => ExprKind::Tuple(l.items.iter().map(|e| self.expr(e)).collect::<R<_>>()?),
            ast::Expr::Map(m) => {
                let entries = m.keys.iter().zip(&m.values).map(|(k, v)| Ok((self.expr(k)?, self.expr(v)?)));
                ExprKind::Map(entries.collect::<R<_>>()?)
            }
        };
        Ok(Expr { kind, at })
    }

    fn call(&mut self, c: &ast::Call<'_>, at: Span) -> R<Expr> {
        calls::lookup(c, self.source)?;
        self.read_by_lookup(c);
        let callee = self.expr(&c.expr)?;
        let mut args = self.args(&c.args)?;
        if reads::is_lookup(c) {
            self.read_embedded(embedded::mark(&mut args)?);
        }
        Ok(Expr { kind: ExprKind::Call(Box::new((callee, args))), at })
    }

    fn applied(&mut self, expr: &ast::Expr<'_>) -> R<ExprKind> {
        let at = span(expr.span());
        Ok(match expr {
            ast::Expr::Filter(f) => {
                let name = squeeze(f.name);
                let what = calls::filter(&name, &f.args, at, self.source)?;
                let input = f.expr.as_ref().map(|e| self.expr(e)).transpose()?;
                ExprKind::Filter(Box::new(Applied { name: name.into(), what, input, args: self.args(&f.args)? }))
            }
            ast::Expr::Test(t) => {
                let name = squeeze(t.name);
                let what = calls::test(&name, &t.args, at, self.source)?;
                let input = Some(self.expr(&t.expr)?);
                ExprKind::Test(Box::new(Applied { name: name.into(), what, input, args: self.args(&t.args)? }))
            }
            _ => ExprKind::Const(Val::Null),
        })
    }

    fn binary(&mut self, b: &ast::BinOp<'_>) -> R<ExprKind> {
        use ast::BinOpKind as K;
        let op = match b.op {
            K::ScAnd => return Ok(ExprKind::And(self.pair(&b.left, &b.right)?)),
            K::ScOr => return Ok(ExprKind::Or(self.pair(&b.left, &b.right)?)),
            K::Add => BinOp::Add,
            K::Sub => BinOp::Sub,
            K::Mul => BinOp::Mul,
            K::Div => BinOp::Div,
            K::FloorDiv => BinOp::FloorDiv,
            K::Rem => BinOp::Rem,
            K::Pow => BinOp::Pow,
            K::Concat => BinOp::Concat,
            K::Eq | K::Ne | K::Lt | K::Lte | K::Gt | K::Gte | K::In => {
                let op = match b.op {
                    K::Eq => CmpOp::Eq,
                    K::Ne => CmpOp::Ne,
                    K::Lt => CmpOp::Lt,
                    K::Lte => CmpOp::Le,
                    K::Gt => CmpOp::Gt,
                    K::Gte => CmpOp::Ge,
                    _ => CmpOp::In,
                };
                let first = self.boxed(&b.left)?;
                return Ok(ExprKind::Compare(first, vec![(op, self.expr(&b.right)?)]));
            }
        };
        Ok(ExprKind::Binary(op, self.pair(&b.left, &b.right)?))
    }

    fn args(&mut self, args: &[ast::CallArg<'_>]) -> R<Vec<Arg>> {
        calls::named_once(args)?;
        args.iter()
            .map(|arg| {
                Ok(match arg {
                    ast::CallArg::Pos(e) => Arg::Pos(self.expr(e)?),
                    ast::CallArg::Kwarg(name, e) => Arg::Kw((*name).into(), self.expr(e)?),
                    ast::CallArg::PosSplat(e) => Arg::Splat(self.expr(e)?),
                    ast::CallArg::KwargSplat(e) => Arg::KwSplat(self.expr(e)?),
                })
            })
            .collect()
    }
}

/// A dotted name may be written with blanks around its dots.
fn squeeze(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).collect()
}

const fn compare(op: ast::CompareOpKind) -> CmpOp {
    match op {
        ast::CompareOpKind::Eq => CmpOp::Eq,
        ast::CompareOpKind::Ne => CmpOp::Ne,
        ast::CompareOpKind::Lt => CmpOp::Lt,
        ast::CompareOpKind::Lte => CmpOp::Le,
        ast::CompareOpKind::Gt => CmpOp::Gt,
        ast::CompareOpKind::Gte => CmpOp::Ge,
        ast::CompareOpKind::In => CmpOp::In,
        ast::CompareOpKind::NotIn => CmpOp::NotIn,
    }
}

fn constant(value: &minijinja::Value) -> Val {
    match value.kind() {
        ValueKind::Bool => Val::Bool(value.is_true()),
        ValueKind::Number if value.is_integer() => {
            let large = || u128::try_from(value.clone()).map_or(Val::Null, |n| big::value(n.into()));
            i128::try_from(value.clone()).map_or_else(|_| large(), Val::Int)
        }
        ValueKind::Number => f64::try_from(value.clone()).map_or(Val::Null, Val::Float),
        ValueKind::String => Val::Str(Text::new(quoting::restore(value.as_str().unwrap_or_default()).into_owned())),
        _ => Val::Null,
    }
}
