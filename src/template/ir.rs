//! The compiled form of a template: owned, shared between threads, names of filters and tests resolved.

use std::sync::Arc;

use super::filters::Filter;
use super::tests::Test;
use super::value::Val;
use crate::model::Text;

/// A place in the template's text: byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    pub start: u32,
    pub end: u32,
}

/// A name or text shared by everything that mentions it.
pub(super) type Name = Arc<str>;

/// An expression and where it stands.
#[derive(Debug)]
pub(super) struct Expr {
    pub kind: ExprKind,
    pub at: Span,
}

#[derive(Debug)]
pub(super) enum ExprKind {
    Const(Val),
    /// A constant of a lookup's that is a template itself.
    Embedded(Text),
    Var(Name),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Attr(Box<Expr>, Name),
    Item(Box<Expr>, Box<Expr>),
    Slice(Box<[Option<Expr>; 4]>),
    Not(Box<Expr>),
    Neg(Box<Expr>),
    Pos(Box<Expr>),
    Binary(BinOp, Box<(Expr, Expr)>),
    And(Box<(Expr, Expr)>),
    Or(Box<(Expr, Expr)>),
    Compare(Box<Expr>, Vec<(CmpOp, Expr)>),
    If(Box<(Expr, Expr)>, Option<Box<Expr>>),
    Filter(Box<Applied<Filter>>),
    Test(Box<Applied<Test>>),
    Call(Box<(Expr, Vec<Arg>)>),
}

/// A filter or test with what it is applied to; no input inside `{% filter %}`.
#[derive(Debug)]
pub(super) struct Applied<T> {
    pub name: Name,
    pub what: T,
    pub input: Option<Expr>,
    pub args: Vec<Arg>,
}

#[derive(Debug)]
pub(super) enum Arg {
    Pos(Expr),
    Kw(Name, Expr),
    Splat(Expr),
    KwSplat(Expr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Pow,
    Concat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CmpOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
}

/// What `set`, `for` and `with` assign to.
#[derive(Debug)]
pub(super) enum Target {
    Name(Name),
    Attr(Name, Name),
    Tuple(Vec<Self>),
}

#[derive(Debug)]
pub(super) enum Stmt {
    Raw(Name),
    Emit(Expr),
    For(Arc<For>),
    If(Expr, Vec<Self>, Vec<Self>),
    With(Vec<(Target, Expr)>, Vec<Self>),
    Set(Target, Expr),
    SetBlock(Target, Option<Expr>, Vec<Self>),
    FilterBlock(Expr, Vec<Self>),
    Scope(Vec<Self>),
    Macro(Arc<Macro>),
    CallBlock(Box<(Expr, Vec<Arg>, Arc<Macro>)>),
    Do(Expr),
    Block(Name),
    Extends(Expr),
    /// What, whether it may be missing, whether it sees the variables here.
    Include(Expr, bool, bool),
    /// What, its name, whether it sees the variables here.
    Import(Expr, Name, bool),
    FromImport(Expr, Vec<(Name, Name)>, bool),
    Break,
    Continue,
}

#[derive(Debug)]
pub(super) struct For {
    pub target: Target,
    pub iter: Expr,
    pub filter: Option<Expr>,
    pub recursive: bool,
    pub body: Vec<Stmt>,
    pub otherwise: Vec<Stmt>,
}

#[derive(Debug)]
pub(super) struct Macro {
    pub name: Name,
    pub args: Vec<Name>,
    /// Those of the last arguments.
    pub defaults: Vec<Expr>,
    pub body: Vec<Stmt>,
    /// Whether the body asks for these, so that surplus arguments are no error.
    pub varargs: bool,
    pub kwargs: bool,
    pub caller: bool,
}

/// A compiled template or expression.
#[derive(Debug, Default)]
pub(super) struct Template {
    pub body: Vec<Stmt>,
    pub blocks: Vec<(Name, Arc<Vec<Stmt>>)>,
    /// Variables that it reads and does not set itself.
    pub reads: Vec<Name>,
    /// Whether it may read others besides, which cannot be listed (`lookup('vars', name)`).
    pub reads_any: bool,
}
