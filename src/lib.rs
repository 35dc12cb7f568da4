//! rplay: agentless, Ansible-compatible configuration management.
#![forbid(clippy::undocumented_unsafe_blocks)]

pub mod diag;
#[cfg(feature = "controller")]
pub mod inventory;
#[cfg(feature = "controller")]
pub mod load;
pub mod model;
#[cfg(feature = "controller")]
pub mod vars;
#[cfg(feature = "controller")]
pub mod yaml;
