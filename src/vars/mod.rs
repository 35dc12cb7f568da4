//! Variables: where expressions find them, and which of several definitions wins.

mod hosts;
mod level;
mod pending;
mod scope;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use hosts::{FileVars, Grown, HostLayers, MoreVars, Side};
pub use level::Level;
pub use pending::Pending;
pub use scope::{Builder, Definition, Layer, Scope, connects, merged};

use crate::model::Value;

/// What an expression sees: names and their values as they were written.
///
/// Values may hold templates; who evaluates them does it lazily, in this same scope.
pub trait Variables: Send + Sync {
    /// The value of `name` as written, or `None` when it is not defined.
    fn get(&self, name: &str) -> Option<Value>;

    /// All names that are defined, for suggestions, `vars` and `varnames`.
    fn names(&self) -> Vec<String>;

    /// The scopes behind `hostvars`: those of all hosts, each evaluated in its own.
    fn hostvars(&self) -> Option<Arc<dyn HostVars>> {
        None
    }

    /// Whether it is this task's turn, so that what an expression *does* (a command of the
    /// `pipe` lookup, a file that `password` writes) may be done. Where it is not, the
    /// expression must fail instead, and is evaluated again when the turn has come.
    fn is_turn(&self) -> bool {
        true
    }
}

/// Every host's variables.
pub trait HostVars: Send + Sync {
    /// The inventory's hosts in order.
    fn hosts(&self) -> Vec<String>;
    /// The scope of `host`.
    fn scope(&self, host: &str) -> Option<Arc<dyn Variables>>;
}
