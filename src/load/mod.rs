//! Finds and reads a project's files, and calls the pure parsers.
//!
//! Each file is read once; every one that is missing, unreadable or encrypted is a
//! diagnostic with its path.

mod argument_specs;
mod config;
mod config_file;
mod config_value;
mod fetch;
mod files;
mod find_role;
mod group_vars;
mod imports;
mod includes;
mod inventory;
mod outside;
mod private;
mod project;
#[cfg(test)]
mod tests;
mod tree;
mod vars_file;

pub use config::{Config, Shown};
pub use config_file::Unknown;
pub use config_value::{DuplicateKeys, Gathering, HashBehaviour, PatternMismatch, SetBy, Setting};
pub use files::{Environment, Files, near_name};
pub use find_role::collection_playbook;
pub use group_vars::{VarsFolders, load_group_vars};
pub use includes::ProjectIncludes;
pub use inventory::{LoadedInventory, limit, load_inventory};
pub use outside::{Machine, shell_match};
pub use project::{Project, load_project};
pub use vars_file::{LoadedVars, extra_vars, load_vars};
