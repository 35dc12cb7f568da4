//! A link to a running worker: requests go out in order, replies come back to those who
//! wait for them, content is handed over when it is asked for.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::{LinkError, Ticket};
use crate::model::Outcome;
use crate::protocol::{self, BLOB_PART, HEARTBEAT, Reply, Request, Spent, TaskRequest};
use crate::sys::{BlobHash, Effect, Payload};

/// How long a busy worker may be silent: it speaks every [`HEARTBEAT`] seconds.
const SILENCE: Duration = Duration::from_secs(4 * HEARTBEAT);

/// Content up to this size goes along with its task; more is asked for when it is needed.
const INLINE: usize = 32 << 10;

/// How much is put together before it is written.
const BURST: usize = 256 << 10;

/// What a task came to.
#[derive(Debug)]
pub struct Ended {
    /// Its outcome.
    pub outcome: Outcome,
    /// What a dry run planned.
    pub planned: Vec<Effect>,
    /// How long it took there.
    pub spent: Spent,
}

/// What is heard of a task.
#[derive(Debug)]
pub(super) enum Heard {
    Planned,
    Skipped(u32),
    Dropped,
    Done(Box<Ended>),
    /// Content was asked for, and so many bytes were sent.
    Fetched(u64),
    Broken(LinkError),
}

/// Content that goes with a task.
pub type Contents = Vec<Payload>;

/// One who waits for a task.
struct Waiting {
    heard: UnboundedSender<(Heard, u64)>,
    contents: Contents,
}

struct Table {
    waiting: HashMap<u64, Waiting>,
    last_id: u64,
    /// Content that the host has been sent.
    sent: HashSet<BlobHash>,
    busy_since: Instant,
    broken: Option<LinkError>,
}

/// What goes out.
enum Out {
    Frame(Vec<u8>),
    Content(BlobHash, Option<Payload>),
}

/// A link to a running worker. It ends, and the worker with it, when it is dropped.
pub struct Link {
    out: UnboundedSender<Out>,
    table: Arc<Mutex<Table>>,
    /// The machine that the worker runs on: the same number means the same machine.
    pub machine: u64,
}

/// A running worker's ends, after the greeting.
pub(super) struct Ends {
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    pub stderr: Arc<Mutex<String>>,
    pub machine: u64,
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    pub(super) fn new(ends: Ends) -> Arc<Self> {
        let table = Arc::new(Mutex::new(Table {
            waiting: HashMap::new(),
            last_id: 0,
            sent: HashSet::new(),
            busy_since: Instant::now(),
            broken: None,
        }));
        let (out, outgoing) = unbounded_channel();
        tokio::spawn(write(ends.stdin, outgoing, Arc::clone(&table), Arc::clone(&ends.stderr)));
        tokio::spawn(read(ends.stdout, out.downgrade(), Arc::clone(&table), ends.stderr));
        Arc::new(Self { out, table, machine: ends.machine })
    }

    /// Sends a task; its id is chosen here. The content that it names goes along when it
    /// is little and the host does not have it, else it is sent when it is asked for.
    pub fn send(self: &Arc<Self>, mut task: TaskRequest, contents: Contents) -> Ticket {
        let (heard, ears) = unbounded_channel();
        let mut table = lock(&self.table);
        table.last_id += 1;
        task.id = table.last_id;
        let mut ticket = Ticket::new(Arc::clone(self), ears, task.id, task.granted);
        let inline = contents.iter().map(|content| content.bytes().len()).sum::<usize>() <= INLINE;
        if inline {
            let unsent = contents.iter().filter(|content| table.sent.insert(content.hash()));
            task.blobs = unsent.map(|content| Arc::clone(content.bytes())).collect();
        }
        if table.waiting.is_empty() {
            table.busy_since = Instant::now();
        }
        let frame = protocol::encode(&Request::Run(Box::new(task)));
        let refused = match (&table.broken, frame) {
            (Some(e), _) => Some(e.clone()),
            (None, Err(e)) => Some(LinkError::Failed(e.to_string())),
            (None, Ok(frame)) => {
                ticket.timing.sent = frame.len() as u64;
                // When nobody takes it any more, the table says why.
                let _ = self.out.send(Out::Frame(frame));
                None
            }
        };
        match refused {
            Some(e) => drop(heard.send((Heard::Broken(e), 0))),
            None => drop(table.waiting.insert(ticket.id, Waiting { heard, contents })),
        }
        drop(table);
        ticket
    }

    fn post(&self, request: &Request) {
        if let Ok(frame) = protocol::encode(request) {
            let _ = self.out.send(Out::Frame(frame));
        }
    }

    /// Lets all tasks up to this one act.
    pub fn grant(&self, id: u64) {
        self.post(&Request::Grant(id));
    }

    /// Drops all tasks up to this one that do not act.
    pub fn cancel(&self, id: u64) {
        self.post(&Request::Cancel(id));
    }

    /// Whether the link is of no use any more.
    pub fn stop(&self, id: u64) {
        self.post(&Request::Stop(id));
    }

    /// Whether it can be used no more.
    pub fn is_broken(&self) -> bool {
        lock(&self.table).broken.is_some()
    }
}

/// Everybody who waits hears that the link is broken.
fn break_all(table: &Mutex<Table>, why: &str, stderr: &Mutex<String>) {
    let said = said(stderr);
    let error = LinkError::Unreachable(format!("the link to the host broke: {why}{said}"));
    let mut table = lock(table);
    let error = table.broken.get_or_insert(error).clone();
    for (_, waiting) in table.waiting.drain() {
        let _ = waiting.heard.send((Heard::Broken(error.clone()), 0));
    }
}

/// What the far end printed on its standard error, to be put after a message.
pub(super) fn said(stderr: &Mutex<String>) -> String {
    let text = stderr.lock().map(|s| s.trim().to_owned()).unwrap_or_default();
    if text.is_empty() { text } else { format!(": {text}") }
}

async fn write(
    mut stdin: Box<dyn AsyncWrite + Send + Unpin>,
    mut outgoing: UnboundedReceiver<Out>,
    table: Arc<Mutex<Table>>,
    stderr: Arc<Mutex<String>>,
) {
    let mut next = outgoing.recv().await;
    while let Some(out) = next.take() {
        let mut burst = Vec::new();
        let result = match out {
            Out::Frame(frame) => {
                burst.extend(frame);
                while burst.len() < BURST {
                    match outgoing.try_recv() {
                        Ok(Out::Frame(frame)) => burst.extend(frame),
                        Ok(content) => {
                            next = Some(content);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                put(&mut stdin, &burst).await
            }
            Out::Content(hash, bytes) => put_content(&mut stdin, hash, bytes).await,
        };
        if let Err(why) = result {
            return break_all(&table, &why, &stderr);
        }
        if next.is_none() {
            next = outgoing.recv().await;
        }
    }
}

async fn put(stdin: &mut (dyn AsyncWrite + Send + Unpin), bytes: &[u8]) -> Result<(), String> {
    let written = async {
        stdin.write_all(bytes).await?;
        stdin.flush().await
    };
    match timeout(SILENCE, written).await {
        Ok(result) => result.map_err(|e| e.to_string()),
        Err(_) => Err("the host takes no more data".to_owned()),
    }
}

/// Content in parts, packed where that makes it less.
async fn put_content(
    stdin: &mut (dyn AsyncWrite + Send + Unpin),
    hash: BlobHash,
    content: Option<Payload>,
) -> Result<(), String> {
    let encode = |request: &Request| protocol::encode(request).map_err(|e| e.to_string());
    let Some(content) = content else { return put(stdin, &encode(&Request::NoBlob(hash))?).await };
    let packed = content.compressed();
    let bytes = packed.unwrap_or(content.bytes());
    // Empty content is one empty part.
    let count = bytes.len().div_ceil(BLOB_PART).max(1);
    for (number, start) in (0..count).map(|n| (n, n * BLOB_PART)) {
        let part = bytes.get(start..bytes.len().min(start + BLOB_PART)).unwrap_or_default().to_vec();
        let request = Request::Blob { hash, part, packed: packed.is_some(), last: number + 1 == count };
        put(stdin, &encode(&request)?).await?;
    }
    Ok(())
}

async fn read(
    mut stdout: Box<dyn AsyncRead + Send + Unpin>,
    out: WeakUnboundedSender<Out>,
    table: Arc<Mutex<Table>>,
    stderr: Arc<Mutex<String>>,
) {
    let mut last = Instant::now();
    loop {
        let mut frame = std::pin::pin!(read_frame(&mut stdout));
        let frame = loop {
            match timeout(Duration::from_secs(HEARTBEAT), &mut frame).await {
                Ok(frame) => break frame,
                Err(_) if is_silent(&table, last) => {
                    let why = format!("the host has been silent for {} seconds", SILENCE.as_secs());
                    return break_all(&table, &why, &stderr);
                }
                Err(_) => {}
            }
        };
        last = Instant::now();
        match frame {
            Ok((reply, length)) => take(reply, length, &out, &table),
            Err(e) => {
                // What was said last often comes a little later than the end.
                tokio::time::sleep(Duration::from_millis(50)).await;
                return break_all(&table, &e.to_string(), &stderr);
            }
        }
    }
}

fn is_silent(table: &Mutex<Table>, last: Instant) -> bool {
    let table = lock(table);
    !table.waiting.is_empty() && last.max(table.busy_since).elapsed() >= SILENCE
}

/// Hands a reply to the one who waits for it.
fn take(reply: Reply, length: u64, out: &WeakUnboundedSender<Out>, table: &Mutex<Table>) {
    let mut table = lock(table);
    let (id, heard, last) = match reply {
        Reply::Planned(id) => (id, Heard::Planned, false),
        Reply::Skipped(id, condition) => (id, Heard::Skipped(condition), true),
        Reply::Dropped(id) => (id, Heard::Dropped, true),
        Reply::Done { id, outcome, planned, spent } => {
            (id, Heard::Done(Box::new(Ended { outcome: *outcome, planned, spent })), true)
        }
        Reply::NeedBlob(hash) => {
            let found = table.waiting.values().find_map(|waiting| {
                let content = waiting.contents.iter().find(|content| content.hash() == hash)?;
                let size = content.compressed().map_or(content.bytes().len(), <[u8]>::len);
                let _ = waiting.heard.send((Heard::Fetched(size as u64), length));
                Some(content.clone())
            });
            table.sent.extend(found.is_some().then_some(hash));
            if let Some(out) = out.upgrade() {
                let _ = out.send(Out::Content(hash, found));
            }
            return;
        }
        Reply::Alive | Reply::Hello { .. } => return,
    };
    let waiting = if last { table.waiting.remove(&id).map(|w| w.heard) } else { None };
    let heard_by = waiting.or_else(|| table.waiting.get(&id).map(|w| w.heard.clone()));
    if let Some(one) = heard_by {
        // Whoever has stopped listening does not want to know.
        let _ = one.send((heard, length));
    }
}

pub(super) async fn read_frame(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<(Reply, u64)> {
    let mut head = [0u8; 4];
    from.read_exact(&mut head).await?;
    let mut body = vec![0u8; protocol::frame_length(head)?];
    from.read_exact(&mut body).await?;
    Ok((protocol::decode(&body)?, body.len() as u64 + 4))
}
