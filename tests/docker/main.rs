//! Docker's modules against a real engine: the contract (a dry run does nothing and says what
//! the run does; a second run does nothing), option by option, and what goes wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod cases;
#[path = "../common/mod.rs"]
mod common;
mod compose;
mod container;
mod contract;
mod corners;
mod deployments;
mod elsewhere;
mod engine;
mod images;
mod options;
mod things;
