//! What this process may have open at once.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files for each host: a session has a socket and three pipes, and there may be two;
/// the rest is for connecting.
const FOR_HOST: u64 = 10;
/// And for everything else.
const FOR_RUN: u64 = 256;

/// Raises the number of files that may be open to what so many hosts need, as far as the
/// system lets us. Only where they are many: what is started here inherits the number.
pub fn make_room(hosts: usize) {
    let wanted = FOR_HOST * hosts as u64 + FOR_RUN;
    let limit = getrlimit(Resource::Nofile);
    let current = match limit.current {
        Some(current) if current < wanted => limit.maximum.map_or(wanted, |most| most.min(wanted)).max(current),
        _ => return,
    };
    // Where it is not granted, what cannot be opened will say so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum: limit.maximum });
}
