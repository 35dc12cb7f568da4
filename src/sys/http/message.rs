//! HTTP/1.1 messages: a request written out, an answer's head and content read.

use std::io::{self, BufRead as _, Error, ErrorKind, Read, Write};

use super::{Address, Body, Endpoint, Part, Reply, Request};

/// A head that is longer is none.
const MAX_HEAD: usize = 256 * 1024;
const MAX_HEADERS: usize = 100;

/// An answer's head, and what was read beyond it.
pub(super) struct Head {
    reply: Reply,
    pub(super) rest: Vec<u8>,
}

impl Head {
    /// The answer so far.
    pub(super) fn reply(&self) -> Reply {
        self.reply.clone()
    }

    /// Whether what follows is a stream, without a length.
    pub(super) fn is_raw(&self) -> bool {
        self.reply.header("content-type").is_some_and(|t| t.starts_with("application/vnd.docker."))
            && self.reply.header("transfer-encoding").is_none()
            && self.reply.header("content-length").is_none()
    }

    fn framing(&self) -> Framing {
        if self.reply.status == 204 || self.reply.status == 304 {
            return Framing::Length(0);
        }
        if self.reply.header("transfer-encoding").is_some_and(|t| t.eq_ignore_ascii_case("chunked")) {
            return Framing::Chunked;
        }
        match self.reply.header("content-length").and_then(|t| t.trim().parse().ok()) {
            Some(length) => Framing::Length(length),
            None => Framing::ToEnd,
        }
    }
}

enum Framing {
    Length(u64),
    Chunked,
    ToEnd,
}

fn bad(why: &str) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}

pub(super) fn send(wire: &mut impl Write, endpoint: &Endpoint, request: &Request) -> io::Result<()> {
    let host = match &endpoint.address {
        Address::Unix(_) => "localhost".to_owned(),
        Address::Tcp { host, port, .. } => format!("{host}:{port}"),
    };
    let mut head = format!("{} {} HTTP/1.1\r\nHost: {host}\r\n", request.method, request.path);
    let upgrades = request.headers.iter().any(|(name, _)| *name == "Upgrade");
    head.push_str(if upgrades { "Connection: Upgrade\r\n" } else { "Connection: close\r\n" });
    for (name, value) in &request.headers {
        if value.contains(['\r', '\n']) {
            return Err(bad("a header with a line break"));
        }
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let typed = |media: &str, length: u64| format!("Content-Type: {media}\r\nContent-Length: {length}\r\n\r\n");
    match &request.body {
        Body::Empty if ["GET", "HEAD"].contains(&request.method) => head.push_str("\r\n"),
        Body::Empty => head.push_str("Content-Length: 0\r\n\r\n"),
        Body::Json(text) => head.push_str(&(typed("application/json", text.len() as u64) + text)),
        Body::Parts(media, parts) => head.push_str(&typed(media, parts.iter().map(Part::len).sum())),
        Body::File(media, path) => head.push_str(&typed(media, std::fs::metadata(path)?.len())),
    }
    wire.write_all(head.as_bytes())?;
    match &request.body {
        Body::Parts(_, parts) => parts.iter().try_for_each(|part| send_part(wire, part))?,
        Body::File(_, path) => drop(io::copy(&mut std::fs::File::open(path)?, wire)?),
        _ => {}
    }
    wire.flush()
}

fn send_part(wire: &mut impl Write, part: &Part) -> io::Result<()> {
    match part {
        Part::Bytes(bytes) => wire.write_all(bytes),
        Part::File(path, length) => {
            let named = |e: Error| Error::new(e.kind(), format!("{}: {e}", path.display()));
            let mut file = std::fs::File::open(path).map_err(named)?.take(*length);
            // The length has been said already.
            if io::copy(&mut file, wire)? < *length {
                return Err(bad(&format!("{} became shorter while it was read", path.display())));
            }
            Ok(())
        }
    }
}

pub(super) fn head(wire: &mut impl Read) -> io::Result<Head> {
    let mut taken = Vec::new();
    loop {
        if let Some(head) = parse(&taken)? {
            return Ok(head);
        }
        if taken.len() > MAX_HEAD {
            return Err(bad("a head without end"));
        }
        if more(wire, &mut taken)? == 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, "the connection was closed"));
        }
    }
}

fn more(wire: &mut impl Read, into: &mut Vec<u8>) -> io::Result<usize> {
    let mut buffer = [0u8; 16 * 1024];
    loop {
        match wire.read(&mut buffer) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            other => {
                let n = other?;
                into.extend_from_slice(buffer.get(..n).unwrap_or_default());
                return Ok(n);
            }
        }
    }
}

fn parse(taken: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let status = response.parse(taken).map_err(|e| bad(&format!("not HTTP: {e}")))?;
    let httparse::Status::Complete(length) = status else { return Ok(None) };
    let code = response.code.unwrap_or(0);
    let rest = taken.get(length..).unwrap_or_default();
    if code == 100 {
        return parse(rest);
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = response.headers.iter().map(|h| (h.name.to_lowercase(), text(h.value))).collect();
    let reason = response.reason.unwrap_or_default().to_owned();
    let reply = Reply { status: code, reason, headers, body: Vec::new() };
    Ok(Some(Head { reply, rest: rest.to_vec() }))
}

/// Reads the content into `sink`.
pub(super) fn body(wire: &mut impl Read, head: Head, sink: &mut dyn Write) -> io::Result<()> {
    let framing = head.framing();
    let mut source = io::Cursor::new(head.rest).chain(wire);
    match framing {
        Framing::Length(length) => {
            let read = io::copy(&mut (&mut source).take(length), sink)?;
            if read < length {
                return Err(Error::new(ErrorKind::UnexpectedEof, "the content is shorter than was said"));
            }
        }
        Framing::ToEnd => drop(io::copy(&mut source, sink)?),
        Framing::Chunked => {
            let mut source = io::BufReader::new(source);
            while let length @ 1.. = chunk(&mut source)? {
                if io::copy(&mut (&mut source).take(length), sink)? < length {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                line(&mut source)?;
            }
        }
    }
    Ok(())
}

fn line(source: &mut impl io::BufRead) -> io::Result<String> {
    let mut text = String::new();
    source.take(4096).read_line(&mut text)?;
    Ok(text)
}

/// The length of the chunk that follows; 0 at the end.
fn chunk(source: &mut impl io::BufRead) -> io::Result<u64> {
    let text = line(source)?;
    let digits = text.split(';').next().unwrap_or_default().trim();
    u64::from_str_radix(digits, 16).map_err(|_| bad("a chunk without a length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (u16, String) {
        let mut wire = text.as_bytes();
        let head = head(&mut wire).unwrap();
        let status = head.reply().status;
        let mut out = Vec::new();
        body(&mut wire, head, &mut out).unwrap();
        (status, String::from_utf8(out).unwrap())
    }

    #[test]
    fn content_comes_by_length_in_chunks_or_to_the_end() {
        assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"), (200, "abc".into()));
        assert_eq!(
            read("HTTP/1.1 201 C\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n"),
            (201, "abc0123456789".into())
        );
        assert_eq!(read("HTTP/1.0 200 OK\r\n\r\nall of it"), (200, "all of it".into()));
        assert_eq!(read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n"), (204, String::new()));
    }

    #[test]
    fn what_is_no_http_is_an_error() {
        assert!(head(&mut "SSH-2.0-x\r\n".as_bytes()).is_err());
        assert!(head(&mut "HTTP/1.1 200 OK\r\n".as_bytes()).is_err());
        let mut short = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".as_bytes();
        let head = head(&mut short).unwrap();
        assert!(body(&mut short, head, &mut Vec::new()).is_err());
    }
}
