//! Simulated hosts: the worker's own loop on a thread, which carries out nothing.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context as Cx, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use rplay::connection::{BoxFuture, Channel, Connection, GO, LinkError};
use rplay::model::{Map, Outcome, Status, Value};
use rplay::protocol::TaskRequest;
use rplay::sys::Effect;
use rplay::worker::{Execute, serve_on};

/// The sync end of a pipe, for a worker's thread.
struct Incoming(Receiver<Vec<u8>>, Vec<u8>);

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1.is_empty() {
            let Ok(more) = self.0.recv() else { return Ok(0) };
            self.1 = more;
        }
        let n = buffer.len().min(self.1.len());
        buffer[..n].copy_from_slice(&self.1[..n]);
        self.1.drain(..n);
        Ok(n)
    }
}

struct Outgoing(UnboundedSender<Vec<u8>>);

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The async end, for the controller.
struct ToWorker(Sender<Vec<u8>>);

impl AsyncWrite for ToWorker {
    fn poll_write(self: Pin<&mut Self>, _: &mut Cx<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.send(bytes.to_vec()).map(|()| bytes.len()).map_err(io::Error::other))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Cx<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Cx<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

struct FromWorker(UnboundedReceiver<Vec<u8>>, Vec<u8>);

impl AsyncRead for FromWorker {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Cx<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.1.is_empty() {
            match self.0.poll_recv(cx) {
                Poll::Ready(Some(more)) => self.1 = more,
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
        let n = buffer.remaining().min(self.1.len());
        buffer.put_slice(&self.1[..n]);
        self.1.drain(..n);
        Poll::Ready(Ok(()))
    }
}

/// What hosts did: the task's text, the host, whether it began or ended.
pub type Log = Arc<Mutex<Vec<(String, String, bool)>>>;

/// A host whose answers follow from a number, its name and the task.
struct Simulated {
    name: String,
    seed: u64,
    log: Log,
    /// What has been done here is in place.
    done: Mutex<std::collections::BTreeSet<String>>,
}

fn dice(parts: &[&str], seed: u64) -> u64 {
    let mut state = seed ^ 0xcbf2_9ce4_8422_2325;
    for byte in parts.join("\0").bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    state ^ (state >> 29)
}

impl Simulated {
    fn note(&self, what: &str, began: bool) {
        self.log.lock().unwrap().push((what.to_owned(), self.name.clone(), began));
    }
}

impl Execute for Simulated {
    fn execute(&self, task: TaskRequest, permit: &mut dyn FnMut() -> bool) -> Option<(Outcome, Vec<Effect>)> {
        let argument = |name: &str| task.args.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let what = argument("_raw_params") + &argument("path");
        let luck = dice(&[&self.name, &what], self.seed);
        let is_command = task.module == "command";
        let acts = is_command || luck.is_multiple_of(3) && !self.done.lock().unwrap().contains(&what);
        let mut result = Map::from_iter([("rc", Value::from(luck % 2)), ("said", Value::from(what.as_str()))]);
        if !acts {
            return Some((Outcome::new(Status::Ok, result), vec![]));
        }
        if !permit() {
            return None;
        }
        self.note(&what, true);
        std::thread::sleep(Duration::from_micros(luck % 700));
        self.done.lock().unwrap().insert(what.clone());
        let fails = luck.is_multiple_of(11);
        self.note(&what, false);
        if fails {
            result.insert("msg", "bad luck");
        }
        Some((Outcome::new(if fails { Status::Failed } else { Status::Changed }, result), vec![]))
    }

    fn machine(&self) -> u64 {
        dice(&[&self.name], 0)
    }
}

/// The way to a simulated host.
pub struct Way {
    pub host: String,
    pub seed: u64,
    pub log: Log,
}

impl Connection for Way {
    fn spawn<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Channel, LinkError>> {
        let (to, input) = channel();
        let (output, from) = unbounded_channel();
        let (name, seed, log) = (self.host.clone(), self.seed, Arc::clone(&self.log));
        output.send(format!("{GO}\n").into_bytes()).unwrap();
        std::thread::spawn(move || {
            let host = Simulated { name, seed, log, done: Mutex::default() };
            let _ = serve_on(Incoming(input, vec![]), Outgoing(output), || {}, |_, _| host);
        });
        Box::pin(async move {
            Ok(Channel {
                stdin: Box::new(ToWorker(to)),
                stdout: Box::new(FromWorker(from, vec![])),
                stderr: Box::new(tokio::io::empty()),
                ended: Box::pin(std::future::pending()),
            })
        })
    }
}
