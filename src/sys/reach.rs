//! Waiting on a host, asking a port, and reading a file in parts.

use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Probe, process};
use crate::model::Failure;

/// How long a sleep lasts before it looks whether the task's time is up.
const SLICE: Duration = Duration::from_millis(100);

/// How much of what a port says is kept while something is looked for in it.
const HEARD: usize = 1 << 20;

impl Probe<'_> {
    /// Sleeps.
    ///
    /// # Errors
    /// When the time of the task is up before.
    pub fn pause(&self, time: Duration) -> Result<(), Failure> {
        let until = Instant::now() + time;
        loop {
            if process::is_stopped() {
                return Err(Failure::new("the time of the task is up"));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(SLICE));
        }
    }

    /// A TCP connection; nothing when none comes about within `timeout`.
    pub fn connect(&self, host: &str, port: u16, timeout: Duration) -> Option<TcpStream> {
        let addresses = (host, port).to_socket_addrs().ok()?;
        let timeout = timeout.max(Duration::from_millis(1));
        addresses.into_iter().find_map(|address| TcpStream::connect_timeout(&address, timeout).ok())
    }

    /// The addresses of a name, as they are written in text.
    pub fn addresses_of(&self, name: &str) -> Vec<std::net::IpAddr> {
        (name, 0).to_socket_addrs().map(|all| all.map(|a| a.ip()).collect()).unwrap_or_default()
    }

    /// Reads what a port says until `enough` says yes, it falls silent or the time is up.
    pub fn listen(&self, stream: &mut TcpStream, until: Instant, enough: &mut dyn FnMut(&[u8]) -> bool) {
        let mut heard = Vec::new();
        let mut part = [0; 4096];
        while heard.len() < HEARD {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || stream.set_read_timeout(Some(left.min(Duration::from_secs(1)))).is_err() {
                return;
            }
            match stream.read(&mut part) {
                Ok(0) => return,
                Ok(read) => heard.extend(part.get(..read).unwrap_or_default()),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return,
            }
            if process::is_stopped() || enough(&heard) {
                return;
            }
        }
    }

    /// A part of a file: what is there from `offset` on, no more than `length` bytes.
    ///
    /// # Errors
    /// As [`Probe::read`].
    pub fn read_part(&self, path: &Path, offset: u64, length: usize) -> Result<Vec<u8>, Failure> {
        if self.is_dry() {
            let all = self.read(path)?;
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(all.len());
            return Ok(all.get(start..).unwrap_or_default().iter().copied().take(length).collect());
        }
        let refused = |e: std::io::Error| match e.kind() {
            ErrorKind::NotFound => Failure::missing(format!("file not found: {}", path.display())),
            _ => Failure::new(format!("cannot read {}: {e}", path.display())),
        };
        let mut file = std::fs::File::open(path).map_err(refused)?;
        file.seek(SeekFrom::Start(offset)).map_err(refused)?;
        let mut part = Vec::new();
        file.take(u64::try_from(length).unwrap_or(u64::MAX)).read_to_end(&mut part).map_err(refused)?;
        Ok(part)
    }
}
