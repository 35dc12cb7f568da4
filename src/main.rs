//! The command line: `rplay`.

fn main() {}
