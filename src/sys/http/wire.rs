//! The bytes' way to a service: a Unix socket, TCP, or TLS on it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::{Address, Endpoint, tls};
use crate::model::Failure;

/// How long a connection may take to be made, where no timeout is given.
const CONNECT: Duration = Duration::from_secs(60);

pub(super) enum Wire {
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>),
}

/// Connects. What is not there may be there in a real run, after earlier tasks.
pub(super) fn connect(endpoint: &Endpoint) -> Result<Wire, Failure> {
    let refused = |e: &io::Error| {
        let message = format!("cannot connect to {endpoint}: {e}");
        match e.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => Failure::missing(message),
            _ => Failure::new(message),
        }
    };
    match &endpoint.address {
        Address::Unix(path) => {
            let open = || -> io::Result<UnixStream> {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(endpoint.timeout)?;
                stream.set_write_timeout(endpoint.timeout)?;
                Ok(stream)
            };
            open().map(Wire::Unix).map_err(|e| refused(&e))
        }
        Address::Tcp { host, port, tls } => {
            let stream = tcp(host, *port, endpoint.timeout).map_err(|e| refused(&e))?;
            match tls {
                None => Ok(Wire::Tcp(stream)),
                Some(settings) => tls::wrap(stream, settings, host).map(|s| Wire::Tls(Box::new(s))),
            }
        }
    }
}

fn tcp(host: &str, port: u16, timeout: Option<Duration>) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout.filter(|t| !t.is_zero()).unwrap_or(CONNECT)) {
            Ok(stream) => {
                stream.set_read_timeout(timeout)?;
                stream.set_write_timeout(timeout)?;
                return Ok(stream);
            }
            Err(e) => last = e,
        }
    }
    Err(last)
}

impl Wire {
    /// The same connection once more, to write from another thread; TLS cannot be shared.
    pub(super) fn other(&self) -> Option<Self> {
        match self {
            Self::Unix(s) => s.try_clone().ok().map(Self::Unix),
            Self::Tcp(s) => s.try_clone().ok().map(Self::Tcp),
            Self::Tls(_) => None,
        }
    }

    /// Says that nothing more will be written.
    pub(super) fn finish(&mut self) {
        // An end that is gone already needs not be told.
        let _ = match self {
            Self::Unix(s) => s.shutdown(std::net::Shutdown::Write),
            Self::Tcp(s) => s.shutdown(std::net::Shutdown::Write),
            Self::Tls(s) => {
                s.conn.send_close_notify();
                s.flush()
            }
        };
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(s) => s.read(buffer),
            Self::Tcp(s) => s.read(buffer),
            Self::Tls(s) => s.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Unix(s) => s.write(bytes),
            Self::Tcp(s) => s.write(bytes),
            Self::Tls(s) => s.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Unix(s) => s.flush(),
            Self::Tcp(s) => s.flush(),
            Self::Tls(s) => s.flush(),
        }
    }
}
