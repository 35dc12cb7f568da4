//! Plain data that every layer speaks: values with marks, task outcomes, diffs.
//!
//! Nothing in here reads, writes or knows about files, hosts or YAML.

mod command;
mod condition;
mod diff;
mod failure;
mod map;
mod mode;
mod outcome;
mod path;
mod position;
pub mod pyregex;
mod pyreplace;
mod text;
mod timing;
mod value;
mod vars;

pub use command::{Command, Output};
pub use condition::{Comparison, Condition};
pub use diff::{Attribute, Diff, TextDiff};
pub use failure::{Cause, Failure};
pub use map::{Key, Map};
pub use mode::{FileKind, ModeSpec, ParseModeError};
pub use outcome::{Outcome, Status};
pub use path::normal;
pub use position::{Origin, Position, Source};
pub use pyreplace::Replacement;
pub use text::{Marks, Text};
pub use timing::Timing;
pub use value::Value;
pub use vars::Vars;

/// Why something cannot be known in a dry run, in words that complete
/// "unknown: …", for example `the command of task "probe" was not run`.
pub type Reason = std::sync::Arc<str>;

/// What is printed in the place of a secret.
pub const MASK: &str = "********";
