//! The modules, one file each, and the registry that finds them by any of their names.

mod add_host;
mod apt;
mod assemble;
mod assert;
pub mod async_status;
pub mod attributes;
mod blockinfile;
mod command;
pub mod content;
mod copy;
mod debug;
pub mod docker;
pub mod exec;
mod fail;
mod fetch;
mod file;
mod find;
mod getent;
mod git;
pub mod glob;
mod group;
mod group_by;
pub mod ids;
mod import_role;
mod import_tasks;
mod include_role;
mod include_tasks;
mod include_vars;
pub mod json;
mod lineinfile;
pub mod lines;
mod meta;
mod pause;
mod ping;
mod raw;
mod replace;
mod script;
mod service;
mod set_fact;
mod set_stats;
mod setup;
mod shell;
pub mod shlex;
mod slurp;
mod stat;
mod systemd;
pub mod tar;
mod tempfile;
mod template;
mod user;
mod validate_argument_spec;
mod wait_for;
mod wait_for_connection;

use crate::module::Module;

/// Every module, in alphabetical order.
pub static MODULES: &[&Module] = &[
    &add_host::MODULE,
    &apt::MODULE,
    &assemble::MODULE,
    &assert::MODULE,
    &async_status::MODULE,
    &blockinfile::MODULE,
    &command::MODULE,
    &copy::MODULE,
    &debug::MODULE,
    &docker::compose::up::MODULE,
    &docker::compose::EXEC,
    &docker::compose::PULL,
    &docker::compose::RUN,
    &docker::container::MODULE,
    &docker::copy_into::MODULE,
    &docker::exec::MODULE,
    &docker::info::CONTAINER,
    &docker::info::HOST,
    &docker::image::MODULE,
    &docker::image::BUILD,
    &docker::image::EXPORT,
    &docker::info::IMAGE,
    &docker::image::LOAD,
    &docker::image::PULL,
    &docker::image::PUSH,
    &docker::image::REMOVE,
    &docker::image::TAG,
    &docker::login::MODULE,
    &docker::network::MODULE,
    &docker::info::NETWORK,
    &docker::prune::MODULE,
    &docker::volume::MODULE,
    &docker::info::VOLUME,
    &fail::MODULE,
    &fetch::MODULE,
    &file::MODULE,
    &find::MODULE,
    &getent::MODULE,
    &git::MODULE,
    &group::MODULE,
    &group_by::MODULE,
    &import_role::MODULE,
    &import_tasks::MODULE,
    &include_role::MODULE,
    &include_tasks::MODULE,
    &include_vars::MODULE,
    &lineinfile::MODULE,
    &meta::MODULE,
    &pause::MODULE,
    &ping::MODULE,
    &raw::MODULE,
    &replace::MODULE,
    &script::MODULE,
    &service::MODULE,
    &set_fact::MODULE,
    &set_stats::MODULE,
    &setup::MODULE,
    &shell::MODULE,
    &slurp::MODULE,
    &stat::MODULE,
    &systemd::MODULE,
    &tempfile::MODULE,
    &template::MODULE,
    &user::MODULE,
    &validate_argument_spec::MODULE,
    &wait_for::MODULE,
    &wait_for_connection::MODULE,
];

/// What stands for a module whose name is a template, until the template is evaluated.
pub static TEMPLATED: Module = Module {
    name: "action",
    aliases: &[],
    collection: "ansible.builtin",
    kind: crate::module::Kind::Action,
    doc: "",
    args: Vec::new,
    free_form: Some("_raw_params"),
    any_args: true,
    asks_others: false,
    returns: &[],
    run: crate::module::Run::Controller(crate::module::ControllerTask::Templated),
};

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
