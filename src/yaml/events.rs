//! The one audited `unsafe` file: libyaml's event stream as safe Rust values.
//!
//! Everything that libyaml hands out is copied into owned values before its event
//! is freed, so no pointer leaves this file.
#![allow(unsafe_code, reason = "libyaml-rs is a translation of C with C's interface")]

use std::ffi::CStr;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

use libyaml_rs as sys;

use super::Style;
use crate::model::Position;

/// One step through a YAML stream.
#[derive(Debug)]
pub(super) struct Event {
    pub kind: EventKind,
    pub at: Position,
}

/// What an event says.
#[derive(Debug)]
pub(super) enum EventKind {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(String),
    Scalar { anchor: Option<String>, tag: Option<String>, text: String, style: Style },
    SeqStart { anchor: Option<String>, tag: Option<String> },
    SeqEnd,
    MapStart { anchor: Option<String>, tag: Option<String> },
    MapEnd,
}

/// libyaml's own words about what it could not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScanError {
    pub problem: String,
    /// `None` when libyaml knows an offset only (bad characters).
    pub at: Option<Position>,
    /// Byte offset into the text, for errors without a position.
    pub offset: usize,
    pub context: Option<String>,
    pub context_at: Position,
}

/// Reads events from a text.
pub(super) struct Events<'a> {
    /// Boxed: libyaml keeps a pointer to the parser inside the parser.
    parser: Box<MaybeUninit<sys::yaml_parser_t>>,
    text: PhantomData<&'a str>,
}

impl<'a> Events<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut parser = Box::new(MaybeUninit::<sys::yaml_parser_t>::uninit());
        // SAFETY: `yaml_parser_initialize` writes the whole structure (a memset first) and
        // fails never: it aborts when memory runs out. The box keeps its address for as
        // long as the parser lives, and the text outlives it by `'a`.
        unsafe {
            let _ = sys::yaml_parser_initialize(parser.as_mut_ptr());
            sys::yaml_parser_set_input_string(parser.as_mut_ptr(), text.as_ptr(), text.len() as u64);
        }
        Self { parser, text: PhantomData }
    }

    /// The next event. After `StreamEnd` and after an error there is nothing to ask for.
    pub(super) fn next(&mut self) -> Result<Event, ScanError> {
        let mut event = MaybeUninit::<sys::yaml_event_t>::uninit();
        // SAFETY: the parser was initialised in `new`; `yaml_parser_parse` clears the event
        // before anything else, so it is initialised whatever the outcome. Only a successful
        // event owns memory, and it is freed once, after `copy` has taken what it needs.
        unsafe {
            if !sys::yaml_parser_parse(self.parser.as_mut_ptr(), event.as_mut_ptr()).ok {
                return Err(self.error());
            }
            let kind = copy(event.assume_init_ref());
            let mark = event.assume_init_ref().start_mark;
            sys::yaml_event_delete(event.as_mut_ptr());
            Ok(Event { kind, at: position(mark) })
        }
    }

    fn error(&self) -> ScanError {
        // SAFETY: the parser was initialised in `new`; `problem` and `context` are null or
        // point to static strings ending in a zero byte.
        unsafe {
            let parser = self.parser.assume_init_ref();
            let words = |p: *const i8| (!p.is_null()).then(|| CStr::from_ptr(p.cast()).to_string_lossy().into_owned());
            let reader = parser.error == sys::yaml_error_type_t::YAML_READER_ERROR;
            ScanError {
                problem: words(parser.problem).unwrap_or_else(|| "malformed YAML".to_owned()),
                at: (!reader).then(|| position(parser.problem_mark)),
                offset: usize::try_from(parser.problem_offset).unwrap_or(0),
                context: words(parser.context),
                context_at: position(parser.context_mark),
            }
        }
    }
}

impl Drop for Events<'_> {
    fn drop(&mut self) {
        // SAFETY: initialised in `new` and deleted nowhere else.
        unsafe { sys::yaml_parser_delete(self.parser.as_mut_ptr()) }
    }
}

/// Copies what an event holds.
///
/// # Safety
/// `event` must come from a successful `yaml_parser_parse` and not be deleted yet.
unsafe fn copy(event: &sys::yaml_event_t) -> EventKind {
    use sys::yaml_event_type_t as T;
    // SAFETY: each branch reads the member of the union that the event's type names;
    // pointers in it are null or point to strings that live until the event is deleted.
    unsafe {
        match event.type_ {
            T::YAML_STREAM_START_EVENT => EventKind::StreamStart,
            T::YAML_DOCUMENT_START_EVENT => EventKind::DocumentStart,
            T::YAML_DOCUMENT_END_EVENT => EventKind::DocumentEnd,
            T::YAML_ALIAS_EVENT => EventKind::Alias(string(event.data.alias.anchor).unwrap_or_default()),
            T::YAML_SCALAR_EVENT => {
                let scalar = &event.data.scalar;
                let length = usize::try_from(scalar.length).unwrap_or(0);
                let bytes = std::slice::from_raw_parts(scalar.value, length);
                EventKind::Scalar {
                    anchor: string(scalar.anchor),
                    tag: string(scalar.tag),
                    text: String::from_utf8_lossy(bytes).into_owned(),
                    style: style(scalar.style),
                }
            }
            T::YAML_SEQUENCE_START_EVENT => {
                let start = &event.data.sequence_start;
                EventKind::SeqStart { anchor: string(start.anchor), tag: string(start.tag) }
            }
            T::YAML_SEQUENCE_END_EVENT => EventKind::SeqEnd,
            T::YAML_MAPPING_START_EVENT => {
                let start = &event.data.mapping_start;
                EventKind::MapStart { anchor: string(start.anchor), tag: string(start.tag) }
            }
            T::YAML_MAPPING_END_EVENT => EventKind::MapEnd,
            // "No event" is what libyaml returns once the stream has ended.
            _ => EventKind::StreamEnd,
        }
    }
}

/// Copies a C string, if there is one.
///
/// # Safety
/// `p` must be null or point to a string that ends in a zero byte.
unsafe fn string(p: *const u8) -> Option<String> {
    // SAFETY: the caller's promise.
    (!p.is_null()).then(|| unsafe { CStr::from_ptr(p.cast()) }.to_string_lossy().into_owned())
}

fn style(style: sys::yaml_scalar_style_t) -> Style {
    use sys::yaml_scalar_style_t as S;
    match style {
        S::YAML_SINGLE_QUOTED_SCALAR_STYLE => Style::Single,
        S::YAML_DOUBLE_QUOTED_SCALAR_STYLE => Style::Double,
        S::YAML_LITERAL_SCALAR_STYLE => Style::Literal,
        S::YAML_FOLDED_SCALAR_STYLE => Style::Folded,
        _ => Style::Plain,
    }
}

fn position(mark: sys::yaml_mark_t) -> Position {
    let from_one = |n: u64| u32::try_from(n).unwrap_or(u32::MAX - 1).saturating_add(1);
    Position { line: from_one(mark.line), column: from_one(mark.column) }
}
