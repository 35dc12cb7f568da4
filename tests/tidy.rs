//! Holds the source tree to its rules: who may import whom, how long things get, what
//! every module brings along, and where printing and `unsafe` have their one place.
//!
//! Every exception is a line in a table here, with its reason, and a line that is not
//! needed any more fails as well: so the tables say how the tree is.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "all of it is test code")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rplay::module::Kind;
use rplay::modules::MODULES;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// The pure layers, each of which may import what stands left of it.
const PURE: &[&str] = &["yaml", "vault", "inventory", "vars", "template", "playbook"];

/// Layers and what they may import, as the design has it; `model` and `diag` may be
/// imported by all but `model`, every layer by itself, and all of them by `cli`.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("diag", &["model"]),
    ("event", &[]),
    ("protocol", &[]),
    ("sys", &[]),
    ("module", &["sys"]),
    ("modules", &["module", "sys"]),
    ("worker", &["modules", "module", "protocol", "sys"]),
    ("load", PURE),
    ("compile", &["yaml", "vault", "inventory", "vars", "template", "playbook", "module"]),
    ("connection", &["protocol"]),
    (
        "schedule",
        &[
            "compile",
            "connection",
            "event",
            "module",
            "protocol",
            "yaml",
            "vault",
            "inventory",
            "vars",
            "template",
            "playbook",
        ],
    ),
    ("report", &["event"]),
];

/// What a layer may import beyond the design, and why.
const AMENDMENTS: &[(&str, &str, &str)] = &[
    ("protocol", "sys", "content and planned effects travel in frames as sys names them"),
    ("connection", "sys", "hands content and planned effects, which are sys's types, to and from workers"),
    ("schedule", "sys", "keeps what is planned on a host, in sys's types, between tasks"),
    ("schedule", "load", "reads the files that a module's controller half asks for"),
    ("load", "sys", "asks whose home `~user` is"),
    ("load", "compile", "a loaded play is what compile takes, with roles resolved"),
    ("playbook", "module", "checks a task's arguments while their positions are at hand"),
    ("playbook", "modules", "finds the module whose arguments it checks"),
    ("compile", "modules", "says what a task's module is before it is scheduled"),
];

/// Async, and the only layers that it may be in.
const ASYNC_CRATES: &[&str] = &["tokio", "openssh"];
const ASYNC_LAYERS: &[&str] = &["connection", "schedule", "cli"];

/// Where standard output and error may be written; the programs' own main files, too.
const PRINTING: &[(&str, &str)] = &[
    ("report/", "what a user sees"),
    ("cli/", "answers of subcommands"),
    ("worker/mod.rs", "its standard output carries frames"),
];

/// The one file with `unsafe`.
const UNSAFE: &str = "yaml/events.rs";

const FILE_LINES: usize = 500;
/// Files that are longer, and why.
const LONG_FILES: &[(&str, &str)] = &[];

const FUNCTION_LINES: usize = 60;
/// Functions that are longer (`path::function`), and why.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];

/// Modules that return nothing of their own, and why.
const NO_RETURNS: &[(&str, &str)] = &[
    ("fail", "only ever fails, with the message that it is given"),
    ("import_role", IN_ITS_PLACE),
    ("import_tasks", IN_ITS_PLACE),
    ("include_role", "its tasks are what it comes to"),
    ("meta", "what it does shows in what follows"),
];

const IN_ITS_PLACE: &str = "is gone when the playbook has been read";

/// A source file below `src`.
struct Source {
    /// Its path from there.
    path: String,
    /// The module it is, outermost first: `template::filters::core`.
    module: Vec<String>,
    text: String,
    tree: syn::File,
}

impl Source {
    fn read(root: &Path, file: &Path) -> Self {
        let path = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let stem = path.trim_end_matches(".rs").trim_end_matches("/mod");
        let module = stem.split('/').map(str::to_owned).collect();
        let text = fs::read_to_string(file).unwrap();
        let tree = syn::parse_file(&text).unwrap_or_else(|e| panic!("{path}: {e}"));
        Self { path, module, text, tree }
    }

    /// Its layer; none for the crate's root and the programs' main files.
    fn layer(&self) -> Option<&str> {
        let programs = ["lib.rs", "main.rs"].contains(&&*self.path) || self.path.starts_with("bin/");
        (!programs).then(|| &*self.module[0])
    }
}

/// The Rust files below a directory, in order.
fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    rust_files(&root).iter().map(|f| Source::read(&root, f)).collect()
}

/// Fails with all complaints at once.
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaint(s):\n  {}", complaints.len(), complaints.join("\n  "));
}

/// What is of interest in a file: paths, long functions, `unsafe`.
struct Finder<'a> {
    file: &'a Source,
    /// The module that is being looked at, which inline modules make deeper.
    at: Vec<String>,
    /// Paths with their lines, from the crate's root where they are ours (`crate::…`).
    paths: Vec<(usize, Vec<String>)>,
    functions: Vec<(usize, String, usize)>,
    unsafe_at: Vec<usize>,
}

impl<'a> Finder<'a> {
    fn over(file: &'a Source) -> Self {
        let mut finder =
            Self { file, at: file.module.clone(), paths: Vec::new(), functions: Vec::new(), unsafe_at: Vec::new() };
        finder.visit_file(&file.tree);
        finder
    }

    /// Notes a path, with `super::` and `self::` resolved.
    fn path(&mut self, line: usize, segments: &[String]) {
        let mut base: Vec<String> = self.at.clone();
        let relative = segments.iter().take_while(|s| ["self", "super"].contains(&&***s)).count();
        for up in segments[..relative].iter().filter(|s| *s == "super") {
            assert!(base.pop().is_some(), "{}:{line}: too many {up}", self.file.path);
        }
        let path = if relative == 0 {
            segments.to_vec()
        } else {
            let root = std::iter::once("crate".to_owned());
            root.chain(base).chain(segments[relative..].iter().cloned()).collect()
        };
        self.paths.push((line, path));
    }

    fn use_tree(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.use_tree(&path.tree, &with(&path.ident)),
            syn::UseTree::Name(name) => self.path(name.ident.span().start().line, &with(&name.ident)),
            syn::UseTree::Rename(name) => self.path(name.ident.span().start().line, &with(&name.ident)),
            syn::UseTree::Glob(glob) => self.path(glob.span().start().line, before),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.use_tree(item, before)),
        }
    }

    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let (from, to) = (signature.span().start().line, body.span().end().line);
        self.functions.push((from, signature.ident.to_string(), to + 1 - from));
        if signature.unsafety.is_some() {
            self.unsafe_at.push(from);
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.at.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.at.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.use_tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.path(path.span().start().line, &segments);
        visit::visit_path(self, path);
    }

    /// What is handed to a macro is only text yet: its paths are put together again.
    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        let line = mac.span().start().line;
        let text = mac.tokens.to_string().replace(" :: ", "::").replace("$ crate", "crate").replace("$crate", "crate");
        for word in text.split(|c: char| !(c.is_alphanumeric() || "_:".contains(c))) {
            let segments: Vec<String> =
                word.split("::").filter(|s| !s.is_empty() && !s.contains(':')).map(str::to_owned).collect();
            if segments.len() > 1 && word.contains("::") && ["crate", "super"].contains(&&*segments[0]) {
                self.path(line, &segments);
            }
        }
        visit::visit_macro(self, mac);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_unsafe(&mut self, expr: &'ast syn::ExprUnsafe) {
        self.unsafe_at.push(expr.span().start().line);
        visit::visit_expr_unsafe(self, expr);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.unsafe_at.extend(item.unsafety.map(|u| u.span().start().line));
        visit::visit_item_impl(self, item);
    }
}

/// The layer that a path of ours leads into.
fn layer_of(path: &[String]) -> Option<&str> {
    let [root, first, ..] = path else { return None };
    // Macros are at the crate's root wherever they are written.
    let layer = if first == "args" { "module" } else { first };
    (root == "crate").then_some(layer)
}

fn may_import(layer: &str, other: &str) -> bool {
    let left_of = |name: &str| PURE.iter().take_while(|l| **l != name).any(|l| *l == other);
    let listed = LAYERS.iter().any(|(l, may)| *l == layer && may.contains(&other));
    layer == "cli"
        || layer == other
        || listed
        || (layer != "model" && layer != "diag" && ["model", "diag"].contains(&other))
        || (PURE.contains(&layer) && left_of(layer))
}

#[test]
fn layers_import_only_what_they_may() {
    let mut complaints = Vec::new();
    let mut used = BTreeSet::new();
    for file in sources() {
        let Some(layer) = file.layer() else { continue };
        if layer != "cli" && !PURE.contains(&layer) && !LAYERS.iter().any(|(l, _)| *l == layer) {
            complaints.push(format!("{}: `{layer}` is not in the table of layers", file.path));
        }
        for (line, path) in Finder::over(&file).paths {
            if ASYNC_CRATES.contains(&&*path[0]) && !ASYNC_LAYERS.contains(&layer) {
                complaints.push(format!("{}:{line}: {layer} is synchronous and may not use {}", file.path, path[0]));
            }
            let Some(other) = layer_of(&path) else { continue };
            if may_import(layer, other) {
                continue;
            }
            if AMENDMENTS.iter().any(|(l, o, _)| (*l, *o) == (layer, other)) {
                used.insert((layer.to_owned(), other.to_owned()));
            } else {
                complaints.push(format!("{}:{line}: {layer} may not import {other}: {}", file.path, path.join("::")));
            }
        }
    }
    for (layer, other, _) in AMENDMENTS {
        if !used.contains(&((*layer).to_owned(), (*other).to_owned())) {
            complaints.push(format!("the amendment {layer} -> {other} is not needed any more"));
        }
    }
    none(&complaints);
}

#[test]
fn files_say_what_they_are_and_stay_readable() {
    let mut complaints = Vec::new();
    let (mut long_files, mut long_functions) = (BTreeSet::new(), BTreeSet::new());
    for file in sources() {
        if !file.text.starts_with("//!") {
            complaints.push(format!("{}: does not begin with a //! line that says what it is", file.path));
        }
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            long_files.insert(file.path.clone());
            if !LONG_FILES.iter().any(|(f, _)| *f == file.path) {
                complaints.push(format!("{}: {lines} lines, more than {FILE_LINES}", file.path));
            }
        }
        for (line, name, lines) in Finder::over(&file).functions {
            let full = format!("{}::{name}", file.path);
            if lines > FUNCTION_LINES && !LONG_FUNCTIONS.iter().any(|(f, _)| *f == full) {
                complaints
                    .push(format!("{}:{line}: `{name}` has {lines} lines, more than {FUNCTION_LINES}", file.path));
            }
            if lines > FUNCTION_LINES {
                long_functions.insert(full);
            }
        }
    }
    let stale = |table: &[(&str, &str)], found: &BTreeSet<String>| -> Vec<String> {
        let gone = table.iter().filter(|(name, _)| !found.contains(*name));
        gone.map(|(name, _)| format!("{name}: is listed as too long, and is not")).collect()
    };
    complaints.extend(stale(LONG_FILES, &long_files));
    complaints.extend(stale(LONG_FUNCTIONS, &long_functions));
    none(&complaints);
}

#[test]
fn printing_and_unsafe_have_their_places() {
    let mut complaints = Vec::new();
    for file in sources() {
        let finder = Finder::over(&file);
        let may_print = file.layer().is_none() || PRINTING.iter().any(|(place, _)| file.path.starts_with(place));
        let prints = |path: &[String]| match path {
            [one] => ["print", "println", "eprint", "eprintln"].contains(&&**one),
            [.., module, last] => module == "io" && ["stdout", "stderr"].contains(&&**last),
            [] => false,
        };
        for (line, path) in finder.paths.iter().filter(|(_, path)| !may_print && prints(path)) {
            complaints.push(format!("{}:{line}: {} outside report and cli", file.path, path.join("::")));
        }
        if file.path != UNSAFE {
            complaints.extend(finder.unsafe_at.iter().map(|line| format!("{}:{line}: unsafe", file.path)));
            if file.text.contains("(unsafe_code") {
                complaints.push(format!("{}: allows unsafe code, which {UNSAFE} alone may", file.path));
            }
        }
    }
    none(&complaints);
}

#[test]
fn modules_are_registered_and_documented() {
    let mut complaints = Vec::new();
    let registry = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/modules/mod.rs")).unwrap();
    for file in sources().iter().filter(|f| f.layer() == Some("modules")) {
        let declares = |item: &syn::Item| matches!(item, syn::Item::Static(s) if s.ident == "MODULE");
        let entry = format!("&{}::MODULE", file.module[1..].join("::"));
        if file.tree.items.iter().any(declares) && !registry.contains(&entry) {
            complaints.push(format!("{}: {entry} is not in modules::MODULES", file.path));
        }
    }
    for pair in MODULES.windows(2).filter(|pair| pair[0].name >= pair[1].name) {
        complaints.push(format!("MODULES is not in order: `{}` before `{}`", pair[0].name, pair[1].name));
    }
    for module in MODULES {
        let name = module.name;
        if module.doc.trim().is_empty() {
            complaints.push(format!("{name}: has no doc"));
        }
        for arg in (module.args)().iter().filter(|a| a.doc.trim().is_empty()) {
            complaints.push(format!("{name}: its argument `{}` has no doc", arg.name));
        }
        for value in module.returns.iter().filter(|r| r.doc.trim().is_empty()) {
            complaints.push(format!("{name}: its return value `{}` has no doc", value.name));
        }
        if module.returns.is_empty() != NO_RETURNS.iter().any(|(m, _)| *m == name) {
            complaints.push(format!("{name}: has no docs of what it returns, or is listed in NO_RETURNS and has them"));
        }
    }
    none(&complaints);
}

/// Every state module is held to the contract: check writes nothing, and tells what the run does.
#[test]
fn state_modules_have_a_case_in_the_contract_test() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract");
    let cases = rust_files(&tests).into_iter().map(|file| fs::read_to_string(file).unwrap());
    let text = cases.collect::<Vec<_>>().join("\n");
    let words: BTreeSet<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    let state = MODULES.iter().filter(|m| m.kind == Kind::State);
    let missing = state.filter(|m| !words.contains(m.name));
    none(&missing.map(|m| format!("{}: tests/contract has no case for it", m.name)).collect::<Vec<_>>());
}
