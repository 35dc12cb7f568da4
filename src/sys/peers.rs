//! Other workers of this program on the same host, for other accounts.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How often, and how long each time, is waited for one that was told to end.
const LOOKS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// Ends the workers that run as an account, and waits until they are gone (two seconds at most): what
/// removes an account refuses while a program of it runs. The next task for it starts another one.
pub(super) fn end(uid: u32) {
    let Some(own) = program(Path::new("/proc/self")) else { return };
    for _ in 0..LOOKS {
        let found = of(uid, &own);
        if found.is_empty() {
            return;
        }
        for pid in found.into_iter().filter_map(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
        std::thread::sleep(PAUSE);
    }
}

/// The processes of an account that run the program of that name.
fn of(uid: u32, name: &OsString) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path())));
    let own = std::process::id();
    let theirs = processes.filter(|(pid, path): &(i32, _)| {
        let owner = std::fs::metadata(path).map(|meta| meta.uid());
        owner.is_ok_and(|owner| owner == uid) && program(path).as_ref() == Some(name) && u32::try_from(*pid) != Ok(own)
    });
    theirs.map(|(pid, _)| pid).collect()
}

/// The name of the program that a process runs: a worker's has its hash in it.
fn program(process: &Path) -> Option<OsString> {
    std::fs::read_link(process.join("exe")).ok()?.file_name().map(ToOwned::to_owned)
}
