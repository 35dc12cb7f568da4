//! rplay
