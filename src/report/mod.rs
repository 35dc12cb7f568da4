//! What a user sees of a run: made from events and diagnostics, and from nothing else.

mod adhoc;
mod data;
mod default;
mod diagnostic;
mod diff;
pub mod graph;
mod json;
mod page;
mod style;
#[cfg(test)]
mod tests;
mod timing;

pub use adhoc::{AdHoc, PATTERN, result_line};
pub use data::to_json;
pub use default::Default as DefaultReport;
pub use diagnostic::{render_diagnostic, render_diagnostics, render_failure};
pub use diff::render_diff;
pub use json::{Document, Form, Lines};
pub use page::{Page, Stream};
pub use style::{Colours, Style};
pub use timing::{Timed, Timings};

use crate::event::Event;

/// How results are shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Number of `-v`.
    pub verbosity: u8,
    /// Colours.
    pub colours: Colours,
    /// Whether tasks that were skipped are shown.
    pub hide_skipped: bool,
    /// Whether tasks that changed nothing are shown.
    pub hide_ok: bool,
    /// Width of the terminal in columns.
    pub width: usize,
}

/// A reader of events.
pub trait Report: Send {
    /// Takes an event and writes what is to be seen of it.
    ///
    /// # Errors
    /// When something cannot be written.
    fn event(&mut self, event: &Event, out: &mut Page) -> std::io::Result<()>;
}
