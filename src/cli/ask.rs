//! Asking on the terminal: passwords, and `--step`.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::diag::{Diagnostic, ExitCode};
use crate::model::{Marks, Text};
use crate::schedule::StepAnswer;
use crate::vault::Password;

fn terminal() -> Option<(File, BufReader<File>)> {
    let tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    let reader = tty.try_clone().ok()?;
    Some((tty, BufReader::new(reader)))
}

/// Whether somebody is there to be asked: standard input is a terminal.
pub fn is_interactive() -> bool {
    std::io::IsTerminal::is_terminal(&std::io::stdin())
}

/// A line from the terminal, shown or not while it is typed; nothing where there is none.
pub fn line(prompt: &str, echo: bool) -> Option<String> {
    if !echo {
        return hidden(prompt).map(|line| line.to_string());
    }
    let (mut tty, mut reader) = terminal()?;
    let _ = write!(tty, "{prompt}: ");
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    Some(line.trim_end_matches(['\n', '\r']).to_owned())
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
    hidden(prompt).map(|line| secret(&line)).ok_or_else(none)
}

/// A line from the terminal that is not shown there; nothing where there is no terminal.
fn hidden(prompt: &str) -> Option<Zeroizing<String>> {
    let (mut tty, mut reader) = terminal()?;
    let before = tcgetattr(&tty).ok()?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    // Before the prompt: who answers at once is not shown either.
    tcsetattr(&tty, OptionalActions::Now, &quiet).ok()?;
    let _ = write!(tty, "{prompt}: ");
    let mut line = Zeroizing::new(String::new());
    let read = reader.read_line(&mut line);
    let _ = tcsetattr(&tty, OptionalActions::Now, &before);
    let _ = writeln!(tty);
    read.ok()?;
    let length = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(length);
    Some(line)
}

/// The passphrase of a private key; nothing where there is no terminal.
pub fn passphrase(prompt: &str) -> Option<Password> {
    hidden(prompt).map(|line| Password::new(line.as_bytes()))
}

/// A password of the vault: from the terminal, where a new one is asked for twice; without a
/// terminal a line of standard input.
///
/// # Errors
/// When there is none, or the two are not the same.
pub fn vault_password(prompt: &str, new: bool) -> Result<Password, Diagnostic> {
    let wrong = |why: &str| Diagnostic::error(why).exit(ExitCode::Error);
    let Some(line) = hidden(prompt) else { return line_of_input(prompt) };
    if line.is_empty() {
        return Err(wrong("an empty password is none"));
    }
    if new && hidden(&format!("Confirm {prompt}")).is_none_or(|again| *again != *line) {
        return Err(wrong("the passwords are not the same"));
    }
    Ok(Password::new(line.as_bytes()))
}

fn line_of_input(prompt: &str) -> Result<Password, Diagnostic> {
    let mut line = Zeroizing::new(String::new());
    let read = std::io::stdin().lock().read_line(&mut line);
    let text = line.trim_end_matches(['\n', '\r']);
    if read.is_err() || text.is_empty() {
        return Err(Diagnostic::error(format!("there is no terminal to ask on: {prompt}"))
            .hint("give the password in a file (--vault-password-file, --vault-id), or on standard input")
            .exit(ExitCode::Error));
    }
    Ok(Password::new(text.as_bytes()))
}

/// A text from the terminal, shown while it is typed or not; or else a line of standard input.
///
/// # Errors
/// When there is none.
pub fn text(prompt: &str, shown: bool) -> Result<Password, Diagnostic> {
    if !shown {
        return vault_password(prompt, true);
    }
    let Some((mut tty, mut reader)) = terminal() else { return line_of_input(prompt) };
    let _ = write!(tty, "{prompt}: ");
    let mut line = Zeroizing::new(String::new());
    let _ = reader.read_line(&mut line);
    Ok(Password::new(line.trim_end_matches(['\n', '\r']).as_bytes()))
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

/// Asks whether to go on. Without a terminal the answer is no.
pub fn go_on(question: &str) -> bool {
    let Some((mut tty, mut reader)) = terminal() else { return false };
    let _ = write!(tty, "{question}");
    let mut line = String::new();
    let read = reader.read_line(&mut line);
    read.is_ok_and(|n| n > 0) && !line.trim().to_lowercase().starts_with('n')
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
