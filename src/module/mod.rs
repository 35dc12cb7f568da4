//! The module contract: what a module declares, what it plans, and how plans are run.
//!
//! A module plans once, reading only; check mode, diff mode and the real run are
//! derived from that one plan, here, for every module alike.

mod args;
pub mod argument_spec;
mod convert;
mod engine;
mod plan;
mod spec;

pub use args::{ArgMap, Arguments};
pub use convert::{ArgKind, FromArg, Path, Suboptions, expand, to_bool};
pub use engine::{Mode, run, run_when};
pub use plan::{Done, Plan, Step};
pub use spec::{ArgSpec, ReturnSpec};
pub use spec::{Blob, ControllerTask, Kind, Local, LocalAbout, LocalEntry, Module, Prepared, Run};
