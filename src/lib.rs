//! rplay: agentless, Ansible-compatible configuration management.
#![forbid(clippy::undocumented_unsafe_blocks)]

pub mod diag;
pub mod model;
#[cfg(feature = "controller")]
pub mod template;
#[cfg(feature = "controller")]
pub mod vars;
