//! The modules, one file each, and the registry that finds them by any of their names.

mod apt;
pub mod attributes;
mod command;
pub mod content;
mod copy;
pub mod exec;
mod file;
mod git;
pub mod glob;
mod group;
pub mod ids;
pub mod json;
mod ping;
mod service;
mod setup;
mod shell;
pub mod shlex;
mod systemd;
mod template;
mod user;

use crate::module::Module;

/// Every module, in alphabetical order.
pub static MODULES: &[&Module] = &[
    &apt::MODULE,
    &command::MODULE,
    &copy::MODULE,
    &file::MODULE,
    &git::MODULE,
    &group::MODULE,
    &ping::MODULE,
    &service::MODULE,
    &setup::MODULE,
    &shell::MODULE,
    &systemd::MODULE,
    &template::MODULE,
    &user::MODULE,
];

/// The module with this name: short (`copy`), or in full (`ansible.builtin.copy`).
pub fn find(name: &str) -> Option<&'static Module> {
    let (collection, short) = name.rsplit_once('.').map_or((None, name), |(c, s)| (Some(c), s));
    let module = MODULES.iter().find(|m| m.name == short || m.aliases.contains(&short))?;
    match collection {
        None | Some("ansible.builtin" | "ansible.legacy") if module.collection == "ansible.builtin" => Some(module),
        None => Some(module),
        Some(c) => (module.collection == c).then_some(module),
    }
}
