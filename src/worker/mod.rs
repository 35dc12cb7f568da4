//! The worker: reads frames, runs modules, replies. Synchronous, and gone with its controller.

mod detached;
mod inbox;

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub use self::inbox::Inbox;
use crate::model::{Condition, Failure, Map, Outcome, Status, Value};
use crate::module::{self, Mode};
use crate::modules;
use crate::protocol::{self, HEARTBEAT, Reply, Spent, TaskRequest, VERSION};
use crate::sys::{BlobHash, Blobs, Effect, Session, kill_children, machine_identity, unpack};

/// Serves one controller on standard input and output until it goes away.
///
/// # Errors
/// When a frame cannot be read or written; the controller then knows as well.
pub fn serve() -> io::Result<()> {
    let ended = || {
        kill_children();
        std::process::exit(0);
    };
    serve_on(io::stdin(), io::stdout(), ended, |out, inbox| Modules {
        session: Session::new(Box::new(Remote { out, inbox })),
    })
}

/// Runs the task that comes on standard input in the background.
///
/// # Errors
/// When there is no task to read, or its file cannot be written.
pub fn run_detached() -> io::Result<()> {
    detached::run(&mut io::stdin().lock(), &mut io::stdout())
}

/// Serves a controller over any two ends. `ended` is called when its end of the input is
/// seen, which may be while a task runs.
///
/// # Errors
/// When a frame cannot be read or written.
pub fn serve_on<E: Execute>(
    input: impl io::Read + Send + 'static,
    output: impl Write + Send + 'static,
    ended: impl FnOnce() + Send + 'static,
    executor: impl FnOnce(Wire, Inbox) -> E,
) -> io::Result<()> {
    let out = Wire::new(output);
    let uid = rustix::process::geteuid().as_raw();
    let inbox = Inbox::default();
    let executor = executor(out.clone(), inbox.clone());
    out.send(&Reply::Hello { version: VERSION, uid, machine: executor.machine() })?;
    inbox.listen(input, ended);
    heartbeat(out.clone());
    Worker { executor, out, inbox, results: RefCell::default() }.work()
}

/// What carries tasks out.
pub trait Execute {
    /// Plans a task and, once `permit` says yes, does what there is to do; nothing comes
    /// back, and nothing was done, when it says no. It is not asked when nothing is to be done.
    fn execute(&self, task: TaskRequest, permit: &mut dyn FnMut() -> bool) -> Option<(Outcome, Vec<Effect>)>;

    /// A number that tells the machine from others.
    fn machine(&self) -> u64 {
        machine_identity()
    }
}

/// The modules, on this machine.
struct Modules {
    session: Session,
}

impl Execute for Modules {
    fn execute(&self, task: TaskRequest, permit: &mut dyn FnMut() -> bool) -> Option<(Outcome, Vec<Effect>)> {
        task.blobs.iter().for_each(|bytes| self.session.keep_blob(Arc::clone(bytes)));
        if task.dry {
            self.session.plan(&task.planned);
        } else {
            // One task with `check_mode` in a real run: what it planned was not done.
            self.session.forget();
        }
        self.session.set_environment(task.environment.clone());
        // One that cannot be entered (by another user) is left out.
        if let Some(directory) = &task.directory {
            let _ = std::env::set_current_dir(directory);
        }
        let Some(module) = modules::find(&task.module) else {
            return Some((Outcome::failed(format!("this worker has no module `{}`", task.module)), Vec::new()));
        };
        if let Some(detach) = task.detach.clone().filter(|_| !task.check) {
            return permit().then(|| (detached::start(task, &detach), Vec::new()));
        }
        let mode = Mode { check: task.check, diff: task.diff };
        module::run_when(module, &task.args, &self.session, mode, &task.task, permit)
    }
}

struct Worker<E> {
    executor: E,
    out: Wire,
    inbox: Inbox,
    /// Registered results of the chain, for conditions.
    results: RefCell<HashMap<String, Value>>,
}

/// Where a chain stopped: at which of its groups.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stopped {
    chain: u64,
    group: u64,
}

impl<E: Execute> Worker<E> {
    fn work(&self) -> io::Result<()> {
        let (mut chain, mut stopped) = (0, None);
        while let Some(task) = self.inbox.task() {
            self.out.busy.store(true, Ordering::Relaxed);
            if task.chain != chain {
                chain = task.chain;
                self.results.borrow_mut().clear();
            }
            let here = Stopped { chain, group: task.group };
            let dropped = stopped.is_some_and(|s: Stopped| s.chain == chain && s != here);
            let (id, ok) = (task.id, !dropped && self.task(task)?);
            if dropped {
                self.out.send(&Reply::Dropped(id))?;
            } else if !ok {
                stopped = Some(here);
            }
            self.out.busy.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Runs a task; whether its chain goes on.
    fn task(&self, task: TaskRequest) -> io::Result<bool> {
        let id = task.id;
        if !self.inbox.begin(id) {
            return self.out.send(&Reply::Dropped(id)).map(|()| false);
        }
        if !task.granted && self.inbox.verdict(id) == Some(false) {
            return self.out.send(&Reply::Dropped(id)).map(|()| false);
        }
        match self.decide(&task.when) {
            Decision::Run => {}
            Decision::Skip(index) => {
                self.register(task.register, &skipped());
                return self.out.send(&Reply::Skipped(id, index)).map(|()| true);
            }
            Decision::Nobody => return self.out.send(&Reply::Dropped(id)).map(|()| false),
        }
        let (name, changed_when) = (task.register.clone(), task.changed_when);
        let Some((outcome, planned, spent)) = self.run(task)? else {
            return self.out.send(&Reply::Dropped(id)).map(|()| false);
        };
        let goes_on = matches!(outcome.status, Status::Ok | Status::Changed | Status::Skipped);
        let mut judged = outcome.clone();
        if let (Some(changed), Status::Ok | Status::Changed) = (changed_when, &judged.status) {
            judged.status = if changed { Status::Changed } else { Status::Ok };
        }
        self.register(name, &judged);
        self.out.send(&Reply::Done { id, outcome: Box::new(outcome), planned, spent })?;
        Ok(goes_on)
    }

    fn register(&self, name: Option<String>, outcome: &Outcome) {
        if let Some(name) = name {
            self.results.borrow_mut().insert(name, outcome.to_value());
        }
    }

    fn decide(&self, conditions: &[Condition]) -> Decision {
        let results = self.results.borrow();
        for (index, condition) in conditions.iter().enumerate() {
            match condition.holds(&|name| results.get(name).cloned()) {
                Some(true) => {}
                Some(false) => return Decision::Skip(u32::try_from(index).unwrap_or(u32::MAX)),
                None => return Decision::Nobody,
            }
        }
        Decision::Run
    }

    /// Plans a task and carries it out; nothing when it was cancelled in between.
    fn run(&self, task: TaskRequest) -> io::Result<Option<(Outcome, Vec<Effect>, Spent)>> {
        self.inbox.clear_parts();
        let (id, granted) = (task.id, task.granted);
        let started = Instant::now();
        let (mut planning, mut waiting, mut broken) = (None, Duration::ZERO, None);
        let mut permit = || {
            planning = Some(started.elapsed());
            if granted || self.inbox.verdict(id) == Some(true) {
                return true;
            }
            if let Err(e) = self.out.send(&Reply::Planned(id)) {
                broken = Some(e);
                return false;
            }
            let asked = Instant::now();
            let permitted = self.inbox.granted(id);
            waiting = asked.elapsed();
            permitted
        };
        let done = self.executor.execute(task, &mut permit);
        if let Some(e) = broken {
            return Err(e);
        }
        let all = started.elapsed();
        let planning = planning.unwrap_or(all);
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let spent =
            Spent { planning: micros(planning), acting: micros(all.saturating_sub(planning).saturating_sub(waiting)) };
        Ok(done.map(|(outcome, planned)| (outcome, planned, spent)))
    }
}

/// What later conditions see of a task that was skipped. In what words the controller
/// reports that is not for them to read here.
fn skipped() -> Outcome {
    let unknown = || Value::Unknown("the controller says why".into());
    let result = Map::from_iter([("skip_reason", unknown()), ("false_condition", unknown())]);
    Outcome::new(Status::Skipped, result)
}

/// What conditions say about a task.
enum Decision {
    Run,
    /// The condition with this number does not hold.
    Skip(u32),
    /// That is for the controller to say.
    Nobody,
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
pub struct Wire {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
    busy: Arc<AtomicBool>,
}

impl Wire {
    fn new(out: impl Write + Send + 'static) -> Self {
        Self { out: Arc::new(Mutex::new(Box::new(out))), busy: Arc::default() }
    }

    fn send(&self, reply: &Reply) -> io::Result<()> {
        let frame = protocol::encode(reply)?;
        let mut out = self.out.lock().map_err(|_| gone())?;
        out.write_all(&frame)?;
        out.flush()
    }
}

/// Content that the controller is asked for.
struct Remote {
    out: Wire,
    inbox: Inbox,
}

impl Blobs for Remote {
    fn fetch(&self, hash: BlobHash) -> Result<Arc<[u8]>, Failure> {
        self.out.send(&Reply::NeedBlob(hash)).map_err(|e| Failure::new(format!("cannot ask for content: {e}")))?;
        let mut bytes = Vec::new();
        loop {
            let part = self.inbox.part().ok_or_else(|| Failure::new("the link to the controller broke"))?;
            match part.bytes {
                _ if part.hash != hash => {}
                Some(more) => {
                    bytes.extend_from_slice(&more);
                    if part.last && part.packed {
                        bytes = unpack(&bytes).map_err(|e| Failure::new(format!("content does not unpack: {e}")))?;
                    }
                    if part.last {
                        break;
                    }
                }
                None => return Err(Failure::new("the controller does not have that content")),
            }
        }
        if BlobHash::of(&bytes) == hash {
            Ok(bytes.into())
        } else {
            Err(Failure::new("content was altered on its way"))
        }
    }
}
