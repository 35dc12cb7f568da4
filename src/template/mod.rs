//! Templates: Jinja2 expressions and texts as ansible-core evaluates them.
//!
//! minijinja reads the text; its syntax tree is turned into our own ([`ir`]) with the names of filters
//! and tests resolved, and evaluated here: Python's operators and text forms, lists and dicts that
//! change in place, undefined names that `default` catches at any depth, variables and containers that
//! are evaluated when they are read, values that are unknown, and secrets that stay secret.

mod access;
mod condition;
pub mod dump;
mod engine;
mod error;
mod eval;
mod exec;
mod file;
mod filters;
mod functions;
mod handlebars;
mod ir;
mod json;
mod lookups;
mod lower;
mod methods;
mod objects;
mod ops;
mod pyformat;
mod quoting;
mod random;
mod reads;
mod regex;
mod residual;
mod scope;
mod secret;
mod templar;
mod tests;
mod text;
mod value;
mod yaml_out;

#[cfg(test)]
mod checks;

use crate::model::Value;

pub use engine::Engine;
pub use error::Error;
pub use file::TemplateOptions;
pub use reads::Reads;
pub use templar::{Templar, Truth};

/// The only door from templates to the world.
pub trait Outside: Send + Sync {
    /// A file's content, and whether it was encrypted: then it is secret.
    ///
    /// # Errors
    /// When it cannot be read or decrypted; the words say why.
    fn read_file(&self, path: &str) -> Result<(Vec<u8>, bool), String>;
    /// A text that was encrypted by itself (`!vault`).
    ///
    /// # Errors
    /// When no key opens it; the words say why.
    fn decrypt(&self, _text: &str) -> Result<String, String> {
        Err("there is no vault here".into())
    }
    /// Takes note of a text that must not be shown, wherever it turns up.
    fn note_secret(&self, _text: &str) {}
    /// What is at a path: `file`, `directory`, or `None`; links are followed.
    fn kind(&self, path: &str) -> Option<&'static str>;
    /// Whether a path is a symbolic link.
    fn is_link(&self, _path: &str) -> bool {
        false
    }
    /// Whether another file system begins at a path.
    fn is_mount(&self, _path: &str) -> bool {
        false
    }
    /// The path of a file that a role or playbook brings: `kind` is `files`, `templates`, `vars` or empty,
    /// `roots` are the directories to look in, the nearest first (each with and without `kind`).
    fn find(&self, kind: &str, name: &str, roots: &[String]) -> Option<String>;
    /// Files that match a shell pattern, sorted.
    fn glob(&self, pattern: &str) -> Vec<String>;
    /// An absolute path without links and dots.
    fn realpath(&self, path: &str) -> String;
    /// An environment variable.
    fn env(&self, name: &str) -> Option<String>;
    /// Runs a shell command: exit status and standard output.
    ///
    /// # Errors
    /// When it cannot be started.
    fn run(&self, command: &str) -> Result<(i32, String), String>;
    /// Reads a YAML document.
    ///
    /// # Errors
    /// When it is malformed.
    fn parse_yaml(&self, text: &str) -> Result<Value, String>;
    /// Reads all YAML documents of a stream.
    ///
    /// # Errors
    /// When one is malformed.
    fn parse_yaml_all(&self, text: &str) -> Result<Vec<Value>, String>;
    /// The time: seconds since 1970 and nanoseconds.
    fn now(&self) -> (i64, u32);
}

/// No world at all: nothing exists, nothing runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOutside;

impl Outside for NoOutside {
    fn read_file(&self, path: &str) -> Result<(Vec<u8>, bool), String> {
        Err(format!("could not find {path}"))
    }
    fn kind(&self, _path: &str) -> Option<&'static str> {
        None
    }
    fn find(&self, _kind: &str, _name: &str, _roots: &[String]) -> Option<String> {
        None
    }
    fn glob(&self, _pattern: &str) -> Vec<String> {
        Vec::new()
    }
    fn realpath(&self, path: &str) -> String {
        path.to_owned()
    }
    fn env(&self, _name: &str) -> Option<String> {
        None
    }
    fn run(&self, _command: &str) -> Result<(i32, String), String> {
        Err("no commands here".into())
    }
    fn parse_yaml(&self, _text: &str) -> Result<Value, String> {
        Err("no YAML here".into())
    }
    fn parse_yaml_all(&self, _text: &str) -> Result<Vec<Value>, String> {
        Err("no YAML here".into())
    }
    fn now(&self) -> (i64, u32) {
        (0, 0)
    }
}
