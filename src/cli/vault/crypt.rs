//! `encrypt`, `decrypt`, `view`, `encrypt-string`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::disk::{self, STANDARD};
use super::options::EncryptString;
use super::session::Session;
use crate::cli::{ask, complain};
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::model::Source;
use crate::vault::{self, find_inline, show_inline};

/// Says on standard error that all went well, as ansible-vault does.
pub fn done(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

fn error(message: String) -> Diagnostic {
    Diagnostic::error(message).exit(ExitCode::Error)
}

/// The files that are named, standard input when there are none; one only with `--output`.
fn inputs(files: &[PathBuf], output: Option<&Path>) -> Result<Vec<PathBuf>, Diagnostic> {
    if files.len() > 1 && output.is_some() {
        return Err(Diagnostic::error("--output goes with one file").exit(ExitCode::Options));
    }
    if !files.is_empty() {
        return Ok(files.to_vec());
    }
    if std::io::stdin().is_terminal() {
        done("Reading from standard input. (ctrl-d to end it)");
    }
    Ok(vec![PathBuf::from(STANDARD)])
}

/// Puts results where they belong.
fn put(path: &Path, output: Option<&Path>, content: &[u8]) -> Result<(), Diagnostic> {
    let target = output.unwrap_or(path);
    if target == Path::new(STANDARD) { disk::print(content) } else { disk::replace(target, content) }
}

/// Encrypts files. All of them are looked at before the first is written.
///
/// # Errors
/// When one is encrypted already, or cannot be read or written.
pub fn encrypt(session: &mut Session<'_>, files: &[PathBuf], output: Option<&Path>) -> Checked<ExitCode> {
    let inputs = inputs(files, output)?;
    let mut plain = Vec::new();
    for path in &inputs {
        let bytes = disk::read(path)?;
        if vault::detect(&bytes).is_some() {
            let hint = "`rplay vault rekey` changes passwords, recipients and formats";
            return Err(error(format!("{} is encrypted already", disk::shown(path))).hint(hint).into());
        }
        plain.push(bytes);
    }
    let writer = session.writer()?;
    let mut results = Vec::new();
    for (path, bytes) in inputs.iter().zip(&plain) {
        results.push(writer.encrypt(bytes).map_err(|problem| problem.of_file(&disk::shown(path)))?);
    }
    for (path, content) in inputs.iter().zip(&results) {
        put(path, output, content)?;
    }
    done("Encryption successful");
    Ok(ExitCode::Success)
}

/// Decrypts files, all or none.
///
/// # Errors
/// When one cannot be opened.
pub fn decrypt(session: &mut Session<'_>, files: &[PathBuf], output: Option<&Path>) -> Checked<ExitCode> {
    let inputs = inputs(files, output)?;
    let mut results = Vec::new();
    for path in &inputs {
        let bytes = disk::read(path)?;
        if vault::detect(&bytes).is_none() {
            return Err(not_encrypted(path).into());
        }
        results.push(session.open(&bytes).map_err(|problem| problem.of_file(&disk::shown(path)))?);
    }
    for (path, opened) in inputs.iter().zip(&results) {
        put(path, output, &opened.plain)?;
    }
    done("Decryption successful");
    Ok(ExitCode::Success)
}

/// The finding about a file that is not encrypted.
pub fn not_encrypted(path: &Path) -> Diagnostic {
    error(format!("{} is not encrypted", disk::shown(path)))
        .hint("`rplay vault info` tells how files are encrypted; single values are shown by `view` and `edit`")
}

/// Shows files; for git (`textconv`) also what cannot be opened, as it is.
///
/// # Errors
/// When one cannot be opened.
pub fn view(session: &mut Session<'_>, files: &[PathBuf], textconv: bool) -> Checked<ExitCode> {
    let mut all = Zeroizing::new(Vec::new());
    for path in files {
        let bytes = disk::read(path)?;
        match clear(session, path, &bytes, textconv) {
            Ok(text) => all.extend_from_slice(&text),
            Err(_) if textconv => all.extend_from_slice(&bytes),
            Err(findings) => return Err(findings),
        }
    }
    if textconv || !std::io::stdout().is_terminal() {
        disk::print(&all)?;
    } else {
        page(&all)?;
    }
    Ok(ExitCode::Success)
}

fn clear(session: &mut Session<'_>, path: &Path, bytes: &[u8], quiet: bool) -> Checked<Zeroizing<Vec<u8>>> {
    let name = disk::shown(path);
    if vault::detect(bytes).is_some() {
        let opened = session.open(bytes).map_err(|problem| problem.of_file(&name))?;
        return Ok(opened.plain.clone());
    }
    let Some((source, values, plain)) = inline(session, path, bytes, quiet)? else {
        return Err(not_encrypted(path).into());
    };
    Ok(Zeroizing::new(show_inline(&source, &values, &plain).into_bytes()))
}

/// A YAML file with encrypted values, those that can be opened in the clear.
type WithValues = (Arc<Source>, Vec<vault::Inline>, Vec<Option<String>>);

/// A YAML file with encrypted values; nothing when there are none in it. What cannot be
/// opened is warned of, and stays encrypted.
///
/// # Errors
/// When it is no well-formed YAML, or nothing in it can be opened.
pub fn inline(session: &mut Session<'_>, path: &Path, bytes: &[u8], quiet: bool) -> Checked<Option<WithValues>> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(None) };
    if !text.contains("!vault") {
        return Ok(None);
    }
    let source = Source::new(disk::shown(path), text);
    let values = find_inline(&source)?;
    if !values.iter().any(vault::Inline::is_encrypted) {
        return Ok(None);
    }
    let (mut plain, mut findings) = (Vec::new(), Vec::new());
    for value in &values {
        let opened = value.is_encrypted().then(|| session.open(value.text.trim().as_bytes()));
        plain.push(match opened {
            Some(Ok(opened)) => String::from_utf8(opened.plain.to_vec()).ok(),
            Some(Err(problem)) => {
                let message = format!("cannot decrypt this value: {problem}");
                findings.push(value.finding(&source, message, problem.hint()));
                None
            }
            None => None,
        });
    }
    if plain.iter().all(Option::is_none) && !findings.is_empty() {
        return Err(findings);
    }
    findings.iter_mut().for_each(|finding| finding.severity = crate::diag::Severity::Warning);
    if !quiet {
        complain(&findings);
    }
    Ok(Some((source, values, plain)))
}

fn page(text: &[u8]) -> Result<(), Diagnostic> {
    let pager = std::env::var("PAGER").ok().filter(|p| !p.trim().is_empty()).unwrap_or_else(|| "less".to_owned());
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &pager]).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    let failed = |e: std::io::Error| error(format!("cannot run the pager `{pager}`: {e}"));
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A pager that is left early is no error.
        let _ = stdin.write_all(text);
    }
    let status = child.wait().map_err(failed)?;
    // The shell's word for a program that is not there.
    if status.code() == Some(127) { disk::print(text) } else { Ok(()) }
}

/// Encrypts strings as values for YAML files.
///
/// # Errors
/// When one is empty, or there is nothing to encrypt with.
pub fn encrypt_string(session: &mut Session<'_>, given: &EncryptString) -> Checked<ExitCode> {
    let mut texts: Vec<(Option<String>, Zeroizing<Vec<u8>>)> = Vec::new();
    let mut names = given.name.iter();
    if given.prompt {
        let typed = ask::text("String to encrypt", given.show_input)?;
        texts.push((names.next().cloned(), Zeroizing::new(typed.bytes().to_vec())));
    }
    let alone = given.strings.iter().all(|s| s == STANDARD);
    let asked = given.stdin_name.is_some() || given.strings.iter().any(|s| s == STANDARD);
    if asked || given.strings.is_empty() && !given.prompt {
        if std::io::stdin().is_terminal() {
            done("Reading the text from standard input. (ctrl-d to end it, twice after a line without its end)");
        }
        // Beside other strings the names are those strings'.
        let name = given.stdin_name.clone().or_else(|| if alone { names.next().cloned() } else { None });
        texts.push((name, disk::read(Path::new(STANDARD))?));
    }
    for text in given.strings.iter().filter(|s| *s != STANDARD) {
        texts.push((names.next().cloned(), Zeroizing::new(text.as_bytes().to_vec())));
    }
    if let Some(name) = names.next() {
        return Err(Diagnostic::error(format!("there is no string for the name `{name}`"))
            .exit(ExitCode::Options)
            .into());
    }
    let writer = session.writer()?;
    let mut out = String::new();
    for (name, text) in &texts {
        if text.is_empty() {
            return Err(error("an empty string is not encrypted".to_owned()).into());
        }
        let cipher = writer.encrypt(text).map_err(|problem| problem.of_file("the string"))?;
        out.push_str(&name.as_ref().map_or_else(|| "!vault |\n".to_owned(), |name| format!("{name}: !vault |\n")));
        for line in String::from_utf8_lossy(&cipher).lines() {
            out.push_str(&format!("          {line}\n"));
        }
    }
    put(Path::new(STANDARD), given.output.as_deref(), out.as_bytes())?;
    done("Encryption successful");
    Ok(ExitCode::Success)
}
