//! What controller and worker say to each other: length-prefixed postcard frames.
//!
//! A frame is a little-endian `u32` length and that many bytes. The worker speaks
//! first, with [`Reply::Hello`]; everything after that is asked for by the controller.

use std::io::{self, Read, Write};
use std::sync::Arc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::model::{Condition, Map, Outcome};
use crate::sys::{BlobHash, Effect};

/// The version of this protocol. Controller and worker must have the same; since a
/// worker is found by its hash, another version means a file that was tampered with.
pub const VERSION: u32 = 3;

/// The longest frame that is read: content above is sent in parts.
pub const MAX_FRAME: usize = 64 << 20;

/// How content is cut into frames.
pub const BLOB_PART: usize = 1 << 20;

/// How often a busy worker says that it is alive, in seconds.
pub const HEARTBEAT: u64 = 5;

/// A task, ready to be run: templates are rendered, files named by hash.
///
/// Tasks are worked through in the order in which they come. One that was not granted is
/// planned, and waits for its grant when there is something to do. When a task fails, what
/// follows of its chain is dropped, but for the other items of its own loop (its group).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskRequest {
    /// Chosen by the controller, ascending, returned with every reply.
    pub id: u64,
    /// Tasks that depend on one another's success.
    pub chain: u64,
    /// Items of one loop have the same.
    pub group: u64,
    /// Whether it may act at once.
    pub granted: bool,
    /// What must hold for it to run, of results of this chain.
    pub when: Vec<Condition>,
    /// The name under which later conditions of the chain read its result.
    pub register: Option<String>,
    /// What `changed_when` says, when it is a plain yes or no.
    pub changed_when: Option<bool>,
    /// The task's name, for reasons of what is unknown.
    pub task: String,
    /// The module's short name.
    pub module: String,
    /// Its arguments.
    pub args: Map,
    /// Plan only.
    pub check: bool,
    /// The whole run is a dry one: what is planned is seen by the tasks after it.
    pub dry: bool,
    /// Diffs are wanted.
    pub diff: bool,
    /// Variables for what the task spawns.
    pub environment: Vec<(String, String)>,
    /// Where it works, on the controller's own machine.
    pub directory: Option<String>,
    /// Content that goes with it, small enough to be sent along.
    pub blobs: Vec<Arc<[u8]>>,
    /// Effects planned on this host by other workers since the last task (dry run).
    pub planned: Vec<Effect>,
    /// It runs in the background.
    pub detach: Option<Detach>,
}

/// That a task runs in the background, on its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detach {
    /// The job's name: a file's.
    pub job: String,
    /// How many seconds it may take.
    pub seconds: u64,
    /// Where its result is left; `~/` is the account's home.
    pub dir: String,
}

/// The argument with which a worker's program runs a task in the background.
pub const DETACHED: &str = "--detached";

/// From controller to worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// Run a task.
    Run(Box<TaskRequest>),
    /// A part of the content that was asked for; the last one has `last` set.
    Blob {
        /// Its name.
        hash: BlobHash,
        /// The bytes.
        part: Vec<u8>,
        /// Whether the parts together are packed ([`crate::sys::unpack`]).
        packed: bool,
        /// Whether no part follows.
        last: bool,
    },
    /// The controller does not have the content that was asked for.
    NoBlob(BlobHash),
    /// All tasks up to this id may act.
    Grant(u64),
    /// All tasks up to this id that have not acted are dropped.
    Cancel(u64),
    /// The time of this task is up: what it started is ended. It is not waited for.
    Stop(u64),
}

/// From worker to controller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// The first frame.
    Hello {
        /// [`VERSION`].
        version: u32,
        /// The user it runs as.
        uid: u32,
        /// The same for all workers on one machine, and on no other.
        machine: u64,
    },
    /// Content is needed.
    NeedBlob(BlobHash),
    /// There is something to do, and the task waits for its grant.
    Planned(u64),
    /// A condition, the one with this number, does not hold: the task is skipped.
    Skipped(u64, u32),
    /// The task was dropped: it has not run.
    Dropped(u64),
    /// Still at work; sent every [`HEARTBEAT`] seconds.
    Alive,
    /// A task has ended.
    Done {
        /// The request's id.
        id: u64,
        /// What became of it.
        outcome: Box<Outcome>,
        /// What a dry run planned, for the other workers of the same host.
        planned: Vec<Effect>,
        /// How long it took.
        spent: Spent,
    },
}

/// How long a task kept its worker busy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Microseconds of planning.
    pub planning: u64,
    /// Microseconds of acting, waiting for the grant not counted.
    pub acting: u64,
}

/// Encodes a frame with its length.
///
/// # Errors
/// When it is longer than [`MAX_FRAME`].
pub fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let body = postcard::to_stdvec(message).map_err(io::Error::other)?;
    if body.len() > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a frame of {} bytes is too long", body.len())));
    }
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    let mut frame = Vec::with_capacity(body.len() + 4);
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&body);
    Ok(frame)
}

/// The length that a frame's first four bytes announce.
///
/// # Errors
/// When it is longer than [`MAX_FRAME`]: what is read then is no frame.
pub fn frame_length(head: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(head) as usize;
    if length > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "what was received is not a frame of rplay's"));
    }
    Ok(length)
}

/// Decodes a frame's body.
///
/// # Errors
/// When it is not one.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> io::Result<T> {
    postcard::from_bytes(body).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}

/// Reads one message; nothing at the end of the stream.
///
/// # Errors
/// When the stream breaks within a frame or holds something else.
pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut head = [0u8; 4];
    match from.read_exact(&mut head) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let mut body = vec![0u8; frame_length(head)?];
    from.read_exact(&mut body)?;
    decode(&body).map(Some)
}

/// Writes one message and flushes.
///
/// # Errors
/// When the other side is gone.
pub fn write<T: Serialize>(to: &mut impl Write, message: &T) -> io::Result<()> {
    to.write_all(&encode(message)?)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Status, Value};

    #[test]
    fn what_is_written_is_read_back() {
        let mut result = Map::new();
        result.insert("big", Value::Int(1 << 70));
        result.insert("why", Value::Unknown("not run".into()));
        let reply = Reply::Done {
            id: 7,
            outcome: Box::new(Outcome::new(Status::Changed, result)),
            planned: vec![],
            spent: Spent::default(),
        };
        let mut wire = Vec::new();
        write(&mut wire, &reply).unwrap();
        assert_eq!(read::<Reply>(&mut wire.as_slice()).unwrap(), Some(reply));
    }

    #[test]
    fn noise_is_an_error_and_an_end_is_an_end() {
        assert!(read::<Reply>(&mut &b"Welcome to host!\n"[..]).is_err());
        assert!(read::<Reply>(&mut &b""[..]).unwrap().is_none());
        assert!(read::<Reply>(&mut &[9, 0, 0, 0, 1][..]).is_err());
    }
}
