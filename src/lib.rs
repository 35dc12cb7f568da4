//! rplay: agentless, Ansible-compatible configuration management.
#![deny(clippy::undocumented_unsafe_blocks)]

#[cfg(feature = "controller")]
pub mod cli;
#[cfg(feature = "controller")]
pub mod compile;
#[cfg(feature = "controller")]
pub mod connection;
pub mod diag;
#[cfg(feature = "controller")]
pub mod event;
#[cfg(feature = "controller")]
pub mod inventory;
#[cfg(feature = "controller")]
pub mod load;
pub mod model;
pub mod module;
pub mod modules;
#[cfg(feature = "controller")]
pub mod playbook;
pub mod protocol;
#[cfg(feature = "controller")]
pub mod report;
#[cfg(feature = "controller")]
pub mod schedule;
pub mod sys;
#[cfg(feature = "controller")]
pub mod template;
#[cfg(feature = "controller")]
pub mod vars;
#[cfg(feature = "controller")]
pub mod vault;
pub mod worker;
#[cfg(feature = "controller")]
pub mod yaml;
