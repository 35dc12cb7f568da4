//! What a report writes of an event, in order: most of it to standard output, warnings to
//! standard error.

use std::io::{self, Write};

/// Where a part of a page goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Text for both streams, in the order in which a terminal shows it.
#[derive(Debug, Default)]
pub struct Page {
    parts: Vec<(Stream, Vec<u8>)>,
}

impl Page {
    /// Its parts, each for one stream.
    pub fn parts(&self) -> &[(Stream, Vec<u8>)] {
        &self.parts
    }

    /// All of it, as a terminal shows it.
    pub fn text(&self) -> Vec<u8> {
        self.parts.iter().flat_map(|(_, text)| text.iter().copied()).collect()
    }

    /// Writes a line to standard error.
    pub fn aside(&mut self, line: &str) {
        let text = self.part(Stream::Err);
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }

    fn part(&mut self, stream: Stream) -> &mut Vec<u8> {
        if self.parts.last().is_none_or(|(last, _)| *last != stream) {
            self.parts.push((stream, Vec::new()));
        }
        let last = self.parts.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "there is a last part")]
        &mut self.parts[last].1
    }
}

impl Write for Page {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.part(Stream::Out).extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_in_order() {
        let mut page = Page::default();
        write!(page, "a").unwrap();
        writeln!(page, "b").unwrap();
        page.aside("warned");
        page.aside("again");
        writeln!(page, "c").unwrap();
        let parts = [
            (Stream::Out, b"ab\n".to_vec()),
            (Stream::Err, b"warned\nagain\n".to_vec()),
            (Stream::Out, b"c\n".to_vec()),
        ];
        assert_eq!(page.parts(), parts);
        assert_eq!(page.text(), b"ab\nwarned\nagain\nc\n");
    }
}
