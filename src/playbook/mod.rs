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
mod strategy;
mod task;
#[cfg(test)]
mod tests;

pub use free_form::{FreeForm, split_words};
pub use keywords::{KEYWORDS, Keywords, Place, Setting};
pub use parse::Findings;
pub use play::{Entry, Import, Play, parse_playbook};
pub use role::{Role, RoleFiles, RoleFrom, RoleImport, RoleRef};
pub use strategy::Strategy;
pub use task::{Action, Block, Item, LoopSpec, Task, parse_tasks};
