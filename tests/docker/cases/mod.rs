//! Cases as data: a module, arguments, what comes of them. In each table a case builds on those
//! before. `$N` is a name that only the test has, `$D` a directory of its own, `$S` the first
//! three numbers of a network's addresses, `$R` a registry.

pub mod containers;
pub mod images;
pub mod projects;
pub mod things;

pub struct Case {
    pub module: &'static str,
    /// What is done before: `/path=content` writes a file, anything else is for the shell.
    pub setup: &'static [&'static str],
    pub args: &'static str,
    pub then: Then,
}

/// What comes of a case; the same words are in the diffs of the dry run and of the run.
#[derive(Clone, Copy)]
pub enum Then {
    /// A change, and none when it is run again.
    Changes(&'static str),
    /// A change each time.
    Always(&'static str),
    /// Nothing is to be done.
    Stays,
    /// Something is done that counts as no change.
    Quiet,
    /// A failure with these words, dry and for real, and nothing done.
    Fails(&'static str),
    /// A change, or a failure with these words where the machine's tools are too old for it.
    Lacks(&'static str),
    /// A change where the engine's API is at least 1.N, a failure that says so elsewhere.
    Needs(u32),
}

const fn case(module: &'static str, args: &'static str, then: Then) -> Case {
    Case { module, setup: &[], args, then }
}

const fn changes(module: &'static str, args: &'static str, words: &'static str) -> Case {
    case(module, args, Then::Changes(words))
}

const fn always(module: &'static str, args: &'static str, words: &'static str) -> Case {
    case(module, args, Then::Always(words))
}

const fn stays(module: &'static str, args: &'static str) -> Case {
    case(module, args, Then::Stays)
}

const fn quiet(module: &'static str, args: &'static str) -> Case {
    case(module, args, Then::Quiet)
}

const fn fails(module: &'static str, args: &'static str, words: &'static str) -> Case {
    case(module, args, Then::Fails(words))
}

const fn lacks(module: &'static str, args: &'static str, words: &'static str) -> Case {
    case(module, args, Then::Lacks(words))
}

const fn needs(module: &'static str, args: &'static str, minor: u32) -> Case {
    case(module, args, Then::Needs(minor))
}

impl Case {
    const fn after(mut self, setup: &'static [&'static str]) -> Self {
        self.setup = setup;
        self
    }
}

pub fn all() -> impl Iterator<Item = &'static Case> {
    containers::CASES.iter().chain(things::CASES).chain(images::CASES).chain(projects::CASES)
}

/// Which engine is meant: tests/docker/elsewhere.rs and corners.rs.
const WAY: &str = "says which engine: elsewhere.rs, corners.rs";
/// What a task waits for, or how it is shown.
const COURSE: &str = "says how it goes about, not what is to be: container.rs";

/// Options without a case here: module (`*`: all), option, and why.
pub const WITHOUT: &[(&str, &str, &str)] = &[
    ("*", "docker_host", WAY),
    ("*", "tls_hostname", WAY),
    ("*", "api_version", WAY),
    ("*", "timeout", WAY),
    ("*", "ca_path", WAY),
    ("*", "client_cert", WAY),
    ("*", "client_key", WAY),
    ("*", "tls", WAY),
    ("*", "validate_certs", WAY),
    ("*", "debug", WAY),
    ("*", "docker_cli", WAY),
    ("*", "cli_context", WAY),
    ("docker_container", "blkio_weight", "engines on many kernels discard it, with a warning: container.rs"),
    ("docker_container", "cleanup", COURSE),
    ("docker_container", "output_logs", COURSE),
    ("docker_container", "pull_check_mode_behavior", "a dry run differs from the run on purpose: container.rs"),
];
