//! Asking on the terminal: passwords, and `--step`.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::diag::{Diagnostic, ExitCode};
use crate::model::{Marks, Text};
use crate::schedule::StepAnswer;

fn terminal() -> Option<(File, BufReader<File>)> {
    let tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    let reader = tty.try_clone().ok()?;
    Some((tty, BufReader::new(reader)))
}

/// Asks for a password on the terminal, without showing it.
///
/// # Errors
/// When there is no terminal.
pub fn password(prompt: &str) -> Result<Text, Diagnostic> {
    let none = || {
        Diagnostic::error(format!("there is no terminal to ask on: {prompt}"))
            .hint("give the password in a file: --become-password-file, --connection-password-file")
            .exit(ExitCode::Options)
    };
    let (mut tty, mut reader) = terminal().ok_or_else(none)?;
    let _ = write!(tty, "{prompt}: ");
    let before = tcgetattr(&tty).map_err(|_| none())?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&tty, OptionalActions::Now, &quiet).map_err(|_| none())?;
    let mut line = String::new();
    let read = reader.read_line(&mut line);
    let _ = tcsetattr(&tty, OptionalActions::Now, &before);
    let _ = writeln!(tty);
    read.map_err(|_| none())?;
    Ok(secret(line.trim_end_matches(['\n', '\r'])))
}

/// A password from a file: its first line.
///
/// # Errors
/// When it cannot be read or is empty.
pub fn password_file(path: &Path) -> Result<Text, Diagnostic> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        Diagnostic::error(format!("cannot read the password file {}: {e}", path.display())).exit(ExitCode::Error)
    })?;
    let line = text.trim_end_matches(['\n', '\r']);
    if line.is_empty() {
        return Err(Diagnostic::error(format!("the password file {} is empty", path.display())).exit(ExitCode::Error));
    }
    Ok(secret(line))
}

fn secret(text: &str) -> Text {
    Text::new(text).marked(Marks::SECRET)
}

/// Asks whether to run a task. Without a terminal the answer is no.
pub fn step(title: &str) -> StepAnswer {
    let Some((mut tty, mut reader)) = terminal() else { return StepAnswer::No };
    let _ = write!(tty, "Perform task: TASK: {title} (N)o/(y)es/(c)ontinue: ");
    let mut line = String::new();
    let _ = reader.read_line(&mut line);
    match line.trim().to_lowercase().as_str() {
        "y" | "yes" => StepAnswer::Yes,
        "c" | "continue" => StepAnswer::Continue,
        _ => StepAnswer::No,
    }
}
