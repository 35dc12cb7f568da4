//! Strategies by name: how the hosts of a batch go through a play.
//!
//! Source: the documentation of Ansible's strategy plugins.

use crate::diag::{Diagnostic, nearest};

/// A strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// All hosts in step.
    Linear,
    /// Each host on its own.
    Free,
    /// Each host on its own, and at work until it has ended.
    HostPinned,
}

impl Strategy {
    /// The strategy of this name, which may be written in full.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn named(name: &str) -> Result<Self, Box<Diagnostic>> {
        match name.strip_prefix("ansible.builtin.").unwrap_or(name) {
            "linear" => return Ok(Self::Linear),
            "free" => return Ok(Self::Free),
            "host_pinned" => return Ok(Self::HostPinned),
            _ => {}
        }
        let finding = Diagnostic::error(format!("Invalid play strategy specified: {name}"));
        Err(Box::new(match nearest(name, ["linear", "free", "host_pinned"]) {
            Some(near) => finding.hint(format!("did you mean `{near}`?")),
            None => finding.hint("strategies are linear, free and host_pinned"),
        }))
    }
}
