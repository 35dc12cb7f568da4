//! The only doors to a managed host's system: [`Probe`] reads, [`Host`] writes and spawns.
//!
//! In a dry run a Probe looks through the effects that earlier steps of the same run
//! planned ([`Overlay`]), so that modules need no code for check mode.

mod accounts;
pub mod clock;
mod effect;
mod fs;
mod host;
pub mod http;
mod machine;
mod netlink;
mod overlay;
mod payload;
mod peers;
mod probe;
mod process;
mod reach;
mod scratch;
mod session;
mod xattr;

pub use accounts::{Group, User, expand_home, user_name};
pub use effect::{Content, Effect, Stat, Time};
pub use fs::replace_file;
pub use host::Host;
pub use machine::{Ids, Kernel, Space, machine_identity};
pub use netlink::{Address, Route};
pub use overlay::Overlay;
pub use payload::{Payload, unpack};
pub use probe::Probe;
pub use process::{allow_children, kill_children, run_command, stop_children};
pub use scratch::ScratchDir;
pub use session::{BlobHash, Blobs, NoBlobs, Session};
