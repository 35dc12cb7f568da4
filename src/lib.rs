//! rplay: agentless, Ansible-compatible configuration management.
#![forbid(clippy::undocumented_unsafe_blocks)]

pub mod diag;
pub mod model;
pub mod module;
pub mod modules;
#[cfg(feature = "controller")]
pub mod playbook;
pub mod protocol;
pub mod sys;
#[cfg(feature = "controller")]
pub mod vars;
pub mod worker;
#[cfg(feature = "controller")]
pub mod yaml;
