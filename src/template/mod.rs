//! Templates: Jinja2 expressions and texts as ansible-core evaluates them.
//!
//! minijinja reads the text; its syntax tree is turned into our own ([`ir`]) with the names of filters
//! and tests resolved, and evaluated here: Python's operators and text forms, lists and dicts that
//! change in place, undefined names that `default` catches at any depth, variables and containers that
//! are evaluated when they are read, values that are unknown, and secrets that stay secret.

mod access;
mod big;
mod calls;
mod condition;
pub mod dump;
mod embedded;
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
mod json_in;
mod lipsum;
mod lookups;
mod lower;
mod methods;
mod objects;
mod ops;
mod outside;
mod pyformat;
mod quoting;
mod random;
mod reads;
mod regex;
mod residual;
mod scope;
mod secret;
mod signature;
mod templar;
mod tests;
mod text;
mod text_methods;
mod unclosed;
mod value;
mod yaml_out;
mod yaml_styled;

#[cfg(test)]
mod checks;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod known;
#[cfg(test)]
mod robust;
#[cfg(test)]
mod told;

pub use engine::Engine;
pub use error::Error;
pub use file::TemplateOptions;
pub use outside::{Entry, Fetch, NoOutside, Outside, Redirects};
pub use reads::Reads;
pub use templar::{Templar, Truth};
