//! The worker: reads a frame, runs a module, replies. Synchronous, and gone with its controller.

use std::io::{self, Stdin, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::model::{Failure, Outcome};
use crate::module::{self, Mode};
use crate::modules;
use crate::protocol::{self, HEARTBEAT, Reply, Request, TaskRequest, VERSION};
use crate::sys::{BlobHash, Blobs, Session, kill_children};

/// Serves one controller on standard input and output until it goes away.
///
/// # Errors
/// When a frame cannot be read or written; the controller then knows as well.
pub fn serve() -> io::Result<()> {
    let out = Wire::new(io::stdout());
    out.send(&Reply::Hello { version: VERSION, uid: rustix::process::geteuid().as_raw() })?;
    let requests = Arc::new(Mutex::new(listen(io::stdin())));
    let session = Session::new(Box::new(Remote { out: out.clone(), requests: Arc::clone(&requests) }));
    heartbeat(out.clone());
    loop {
        let request = requests.lock().map_err(|_| gone())?.recv();
        match request {
            Ok(Request::Run(task)) => {
                out.busy.store(true, Ordering::Relaxed);
                let id = task.id;
                let (outcome, planned) = run(*task, &session);
                out.busy.store(false, Ordering::Relaxed);
                out.send(&Reply::Done { id, outcome: Box::new(outcome), planned })?;
            }
            // Content nobody waits for any more.
            Ok(Request::Blob { .. } | Request::NoBlob(_)) => {}
            Err(_) => return Ok(()),
        }
    }
}

fn run(task: TaskRequest, session: &Session) -> (Outcome, Vec<crate::sys::Effect>) {
    for bytes in task.blobs {
        session.keep_blob(bytes);
    }
    session.plan(&task.planned);
    session.set_environment(task.environment);
    match modules::find(&task.module) {
        Some(module) => {
            module::run(module, &task.args, session, Mode { check: task.check, diff: task.diff }, &task.task)
        }
        None => (Outcome::failed(format!("this worker has no module `{}`", task.module)), Vec::new()),
    }
}

/// Reads frames in a thread of its own, so that the controller's going away is seen
/// while a task runs: then everything that was started is ended.
fn listen(mut input: Stdin) -> Receiver<Request> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        loop {
            match protocol::read::<Request>(&mut input) {
                Ok(Some(request)) => {
                    if sender.send(request).is_err() {
                        return;
                    }
                }
                Ok(None) | Err(_) => {
                    kill_children();
                    std::process::exit(0);
                }
            }
        }
    });
    receiver
}

fn heartbeat(out: Wire) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(HEARTBEAT));
            if out.busy.load(Ordering::Relaxed) && out.send(&Reply::Alive).is_err() {
                return;
            }
        }
    });
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the controller is gone")
}

/// The way out; shared with the thread that says we are alive.
#[derive(Clone)]
struct Wire {
    out: Arc<Mutex<Stdout>>,
    busy: Arc<AtomicBool>,
}

impl Wire {
    fn new(out: Stdout) -> Self {
        Self { out: Arc::new(Mutex::new(out)), busy: Arc::default() }
    }

    fn send(&self, reply: &Reply) -> io::Result<()> {
        let frame = protocol::encode(reply)?;
        let out = self.out.lock().map_err(|_| gone())?;
        let mut out = out.lock();
        out.write_all(&frame)?;
        out.flush()
    }
}

/// Content that the controller is asked for.
struct Remote {
    out: Wire,
    requests: Arc<Mutex<Receiver<Request>>>,
}

impl Blobs for Remote {
    fn fetch(&self, hash: BlobHash) -> Result<Arc<[u8]>, Failure> {
        let broken = |_| Failure::new("the link to the controller broke");
        self.out.send(&Reply::NeedBlob(hash)).map_err(|e| Failure::new(format!("cannot ask for content: {e}")))?;
        let mut bytes = Vec::new();
        loop {
            let request =
                self.requests.lock().map_err(|_| Failure::new("the link is in use"))?.recv().map_err(broken)?;
            match request {
                Request::Blob { hash: got, part, last } if got == hash => {
                    bytes.extend_from_slice(&part);
                    if last {
                        break;
                    }
                }
                Request::NoBlob(got) if got == hash => {
                    return Err(Failure::new("the controller does not have that content"));
                }
                _ => {}
            }
        }
        if BlobHash::of(&bytes) == hash {
            Ok(bytes.into())
        } else {
            Err(Failure::new("content was altered on its way"))
        }
    }
}
