//! Playbooks and roles as data: parsed and checked, nothing resolved yet.
//!
//! Every keyword of Ansible's is known here; those that are not built are refused with
//! their position, and what is no keyword at all with a suggestion.

mod arguments;
mod free_form;
mod keywords;
mod parse;
mod play;
mod role;
mod serial;
mod strategy;
mod task;
#[cfg(test)]
mod tests;

/// A value as a truth value, by any of the words for it.
pub use crate::module::to_bool;
pub use crate::modules::find as find_module;
pub use free_form::{FreeForm, decode_escapes, split_words};
pub use keywords::{KEYWORDS, Keywords, Place, Setting, is_variable};
pub use parse::Findings;
pub use play::{Entry, Import, Play, parse_playbook};
pub use role::{Meta, Role, RoleFiles, RoleFrom, RoleImport, RoleRef, collection_of};
pub use serial::batch_size;
pub use strategy::Strategy;
pub use task::{Action, Block, Item, LoopSpec, Task, parse_tasks};
