//! What has come from the controller and was not looked at yet.

use std::collections::{BTreeSet, VecDeque};
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::protocol::{self, Request, TaskRequest};
use crate::sys::{BlobHash, allow_children, stop_children};

#[derive(Default)]
struct Waiting {
    tasks: VecDeque<TaskRequest>,
    blobs: VecDeque<Part>,
    granted: u64,
    cancelled: u64,
    closed: bool,
    /// The task that runs, and those whose time is up.
    current: u64,
    stopped: BTreeSet<u64>,
}

/// A part of content that was asked for; no bytes when the controller does not have it.
pub struct Part {
    /// Its name.
    pub hash: BlobHash,
    /// The bytes.
    pub bytes: Option<Vec<u8>>,
    /// Whether the parts together are packed.
    pub packed: bool,
    /// Whether no part follows.
    pub last: bool,
}

/// Requests by kind; filled by a thread of its own, so that the controller's going away is
/// seen while a task runs.
#[derive(Clone, Default)]
pub struct Inbox(Arc<(Mutex<Waiting>, Condvar)>);

impl Inbox {
    /// Reads requests until the input ends; then `ended` is called.
    pub fn listen(&self, mut input: impl Read + Send + 'static, ended: impl FnOnce() + Send + 'static) {
        let filled = self.clone();
        std::thread::spawn(move || {
            while let Ok(Some(request)) = protocol::read::<Request>(&mut input) {
                filled.put(request);
            }
            filled.change(|waiting| waiting.closed = true);
            ended();
        });
    }

    fn change(&self, change: impl FnOnce(&mut Waiting)) {
        let (waiting, changed) = &*self.0;
        change(&mut waiting.lock().unwrap_or_else(PoisonError::into_inner));
        changed.notify_all();
    }

    fn put(&self, request: Request) {
        self.change(|waiting| match request {
            Request::Run(task) => waiting.tasks.push_back(*task),
            Request::Blob { hash, part, packed, last } => {
                waiting.blobs.push_back(Part { hash, bytes: Some(part), packed, last });
            }
            Request::NoBlob(hash) => waiting.blobs.push_back(Part { hash, bytes: None, packed: false, last: true }),
            Request::Grant(id) => waiting.granted = waiting.granted.max(id),
            Request::Stop(id) => {
                waiting.stopped.insert(id);
                if waiting.current == id {
                    stop_children();
                }
            }
            Request::Cancel(id) => waiting.cancelled = waiting.cancelled.max(id),
        });
    }

    /// Waits until `ready` finds something; nothing when nothing can come any more.
    fn wait<T>(&self, mut ready: impl FnMut(&mut Waiting) -> Option<T>) -> Option<T> {
        let (waiting, changed) = &*self.0;
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = ready(&mut waiting) {
                return Some(found);
            }
            if waiting.closed {
                return None;
            }
            waiting = changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next task.
    pub fn task(&self) -> Option<TaskRequest> {
        self.wait(|waiting| waiting.tasks.pop_front())
    }

    /// A task begins; whether its time is not up already.
    pub fn begin(&self, id: u64) -> bool {
        let mut waiting = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.current = id;
        allow_children();
        !waiting.stopped.contains(&id)
    }

    /// The next part of content.
    pub fn part(&self) -> Option<Part> {
        self.wait(|waiting| waiting.blobs.pop_front())
    }

    /// Forgets content that nobody waits for any more.
    pub fn clear_parts(&self) {
        self.change(|waiting| waiting.blobs.clear());
    }

    /// Whether a task was granted already, or cancelled; nothing when neither.
    pub fn verdict(&self, id: u64) -> Option<bool> {
        let waiting = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        verdict(&waiting, id)
    }

    /// Waits for a task's grant; `false` when it is cancelled, or nobody is left to grant it.
    pub fn granted(&self, id: u64) -> bool {
        self.wait(|waiting| verdict(waiting, id)).unwrap_or(false)
    }
}

const fn verdict(waiting: &Waiting, id: u64) -> Option<bool> {
    if waiting.cancelled >= id {
        return Some(false);
    }
    if waiting.granted >= id { Some(true) } else { None }
}
