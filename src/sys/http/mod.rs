//! HTTP/1.1 to a service of the host (a Docker engine), over its socket, TCP or TLS. One
//! connection for each request: what is asked is small, and nothing is kept between tasks.

mod message;
mod tls;
mod wire;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use crate::model::Failure;
use message::Head;
use wire::Wire;

/// Where a service listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A socket in the file system.
    Unix(PathBuf),
    /// A port.
    Tcp {
        /// Name or address.
        host: String,
        /// The port.
        port: u16,
        /// How it is secured, when it is.
        tls: Option<Tls>,
    },
}

/// How a connection is secured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whether the server's certificate is checked.
    pub verify: bool,
    /// The name that the server's certificate must have, when it is not the address.
    pub name: Option<String>,
    /// A file of certificates that are trusted; the system's when it is not given.
    pub ca: Option<String>,
    /// Our own certificate and its key, as files.
    pub client: Option<(String, String)>,
}

/// A service and how long to wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it is.
    pub address: Address,
    /// How long one read or write may take; for ever when `None`.
    pub timeout: Option<Duration>,
}

/// What is sent with a request.
pub enum Body {
    /// Nothing.
    Empty,
    /// JSON.
    Json(String),
    /// Content of a media type that is put together while it is sent.
    Parts(&'static str, Vec<Part>),
    /// A file's content, of a media type.
    File(&'static str, PathBuf),
}

/// A part of what is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Bytes.
    Bytes(Vec<u8>),
    /// So many bytes of a file, which is read only then.
    File(PathBuf, u64),
}

impl Part {
    /// Its length in bytes.
    pub const fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, length) => *length,
        }
    }

    /// Whether nothing is in it.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A request.
pub struct Request {
    /// `GET`, `POST`, `PUT`, `DELETE`.
    pub method: &'static str,
    /// The path with its query, escaped.
    pub path: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent.
    pub body: Body,
}

/// An answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The words beside it.
    pub reason: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
}

impl Reply {
    /// Whether the status says that it was done.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The content as text, bad bytes replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.address {
            Address::Unix(path) => write!(f, "unix://{}", path.display()),
            Address::Tcp { host, port, tls: None } => write!(f, "tcp://{host}:{port}"),
            Address::Tcp { host, port, tls: Some(_) } => write!(f, "https://{host}:{port}"),
        }
    }
}

impl Endpoint {
    fn broken(&self, what: &str, e: &std::io::Error) -> Failure {
        let text = match e.kind() {
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => {
                format!("no answer within {} seconds", self.timeout.unwrap_or_default().as_secs())
            }
            _ => e.to_string(),
        };
        Failure::new(format!("{what} {self}: {text}"))
    }

    /// Sends a request; the content of a good answer goes into `sink` where there is one.
    pub(super) fn exchange(&self, request: &Request, sink: Option<&mut dyn Write>) -> Result<Reply, Failure> {
        let mut wire = wire::connect(self)?;
        message::send(&mut wire, self, request).map_err(|e| self.broken("cannot write to", &e))?;
        let head = message::head(&mut wire).map_err(|e| self.broken("no answer from", &e))?;
        let mut reply = head.reply();
        if request.method == "HEAD" {
            return Ok(reply);
        }
        let read = match sink.filter(|_| reply.is_success()) {
            Some(sink) => message::body(&mut wire, head, sink),
            None => message::body(&mut wire, head, &mut reply.body),
        };
        read.map_err(|e| self.broken("the answer broke off from", &e))?;
        Ok(reply)
    }

    /// Sends a request that turns the connection into a stream; then `input`, and takes
    /// what comes until the other end closes.
    pub(super) fn converse(&self, request: &Request, input: Option<&[u8]>) -> Result<Reply, Failure> {
        let mut wire = wire::connect(&Self { timeout: None, ..self.clone() })?;
        message::send(&mut wire, self, request).map_err(|e| self.broken("cannot write to", &e))?;
        let head = message::head(&mut wire).map_err(|e| self.broken("no answer from", &e))?;
        let mut reply = head.reply();
        if reply.status != 101 && !head.is_raw() {
            message::body(&mut wire, head, &mut reply.body)
                .map_err(|e| self.broken("the answer broke off from", &e))?;
            return Ok(reply);
        }
        reply.body = stream(wire, head, input).map_err(|e| self.broken("the stream broke off from", &e))?;
        Ok(reply)
    }
}

fn stream(mut wire: Wire, head: Head, input: Option<&[u8]>) -> std::io::Result<Vec<u8>> {
    let mut taken = head.rest;
    // A thread, since the other end may print before it has read all.
    let feeder = match (input, wire.other()) {
        (Some(input), Some(mut other)) => {
            let input = input.to_vec();
            Some(std::thread::spawn(move || {
                let _ = other.write_all(&input);
                other.finish();
            }))
        }
        (Some(input), None) => {
            wire.write_all(input)?;
            wire.finish();
            None
        }
        (None, _) => None,
    };
    match wire.read_to_end(&mut taken) {
        // TLS without its goodbye.
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {}
        other => drop(other?),
    }
    if let Some(feeder) = feeder.filter(std::thread::JoinHandle::is_finished) {
        let _ = feeder.join();
    }
    Ok(taken)
}
