//! Ctrl-C while something on this machine keeps the run busy, a `pipe` lookup for one: what it
//! waits for is ended, so that the run can end.

use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How long a run has to end by itself.
const GRACE: Duration = Duration::from_millis(500);

/// How often what was started meanwhile is ended.
const PAUSE: Duration = Duration::from_millis(100);

/// Starts to watch. The thread ends with the process.
pub fn watch() {
    std::thread::spawn(|| {
        // A runtime of its own: the threads of the run's may all be waiting for a program.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        if runtime.block_on(tokio::signal::ctrl_c()).is_err() {
            return;
        }
        std::thread::sleep(GRACE);
        loop {
            end_children();
            std::thread::sleep(PAUSE);
        }
    });
}

/// Ends all that was started, once nothing more is begun. What is under way may still start the
/// next: nothing has been found twice before this is done.
pub fn end_all() {
    let mut quiet = 0;
    for _ in 0..100 {
        quiet = if end_children() == 0 { quiet + 1 } else { 0 };
        if quiet > 1 {
            return;
        }
        std::thread::sleep(PAUSE / 4);
    }
}

/// Ends what this process has started and is still there. Returns how many there were.
fn end_children() -> usize {
    let mut found = Vec::new();
    descendants(Path::new("/proc/self"), &mut found);
    for pid in found.iter().copied().filter_map(Pid::from_raw) {
        // It may have ended by itself.
        let _ = kill_process(pid, Signal::TERM);
    }
    found.len()
}

/// The processes that a process has started, and those that they have.
fn descendants(process: &Path, found: &mut Vec<i32>) {
    let threads = std::fs::read_dir(process.join("task")).into_iter().flatten().flatten();
    for thread in threads {
        let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for pid in children.split_whitespace().filter_map(|pid| pid.parse().ok()) {
            found.push(pid);
            descendants(Path::new(&format!("/proc/{pid}")), found);
        }
    }
}
