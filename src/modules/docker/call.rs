//! A command in a container: what docker_container_exec, docker_compose_v2_exec and
//! docker_compose_v2_run have in common.

use super::{shown, strings};
use crate::args;
use crate::model::{Failure, Map};
use crate::module::{Done, ReturnSpec};
use crate::modules::{exec::output_fields, shlex};

args! {
    /// A command, and how it runs.
    pub struct Call {
        /// The command as a list.
        argv: Option<Vec<String>>,
        /// The command as text.
        command: Option<String>,
        /// The directory it starts in.
        chdir: Option<String>,
        /// Do not wait for its end.
        detach: bool = false,
        /// Who runs it.
        user: Option<String>,
        /// What it reads.
        stdin: Option<String>,
        /// With a line break at the end of what it reads.
        stdin_add_newline: bool = true,
        /// Without line breaks at the end of what it prints.
        strip_empty_ends: bool = true,
        /// Its environment.
        env: Option<Map>,
    }
}

/// What a command that was waited for gives.
pub const RETURNS: [ReturnSpec; 3] = [
    ReturnSpec { name: "stdout", doc: "What it printed." },
    ReturnSpec { name: "stderr", doc: "What it printed as errors." },
    ReturnSpec { name: "rc", doc: "Its exit status." },
];

/// The same for a dry run, which does not know it.
pub const YIELDS: &[&str] = &["stdout", "stderr", "rc", "stdout_lines", "stderr_lines"];

impl Call {
    /// The words of the command; none when none is given.
    ///
    /// # Errors
    /// When it is given twice, or cannot be split, or reads what nobody waits for.
    pub fn words(&self) -> Result<Option<Vec<String>>, Failure> {
        if self.argv.is_some() && self.command.is_some() {
            return Err(Failure::new("parameters are mutually exclusive: argv|command"));
        }
        if self.detach && self.stdin.is_some() {
            return Err(Failure::new("If detach=true, stdin cannot be provided."));
        }
        match &self.command {
            Some(text) => shlex::split(text).map(Some).map_err(Failure::new),
            None => Ok(self.argv.clone()),
        }
    }

    /// As [`Call::words`], where there must be a command.
    ///
    /// # Errors
    /// When there is none, too.
    pub fn required_words(&self) -> Result<Vec<String>, Failure> {
        self.words()?.ok_or_else(|| Failure::new("one of the following is required: argv, command"))
    }

    /// The environment as `NAME=VALUE`.
    ///
    /// # Errors
    /// When a value is no text.
    pub fn environment(&self) -> Result<Vec<String>, Failure> {
        let env = self.env.as_ref().map(|env| strings("env", env)).transpose()?.unwrap_or_default();
        Ok(env.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect())
    }

    /// What it reads.
    pub fn input(&self) -> Option<Vec<u8>> {
        let end = if self.stdin_add_newline { "\n" } else { "" };
        self.stdin.as_ref().map(|text| format!("{text}{end}").into_bytes())
    }

    /// What it gave: an exit status other than 0 is a failure, as for any task of Ansible.
    ///
    /// # Errors
    /// That failure, with all that it printed.
    pub fn ended(&self, out: &[u8], err: &[u8], status: Option<i128>) -> Result<Done, Failure> {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            if self.strip_empty_ends { text.trim_end_matches(['\r', '\n']).to_owned() } else { text }
        };
        let mut result = output_fields(&text(out), &text(err));
        result.insert("rc", status.map_or(crate::model::Value::Null, crate::model::Value::Int));
        if status.is_none_or(|s| s == 0) {
            return Ok(Done::with(result));
        }
        let mut failure = Failure::new("non-zero return code").with("changed", true);
        failure.fields.extend(result);
        Err(failure)
    }
}
