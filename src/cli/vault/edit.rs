//! `edit` and `create`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::crypt::{self, not_encrypted};
use super::disk;
use super::editor::Scratch;
use super::session::{Session, Writer};
use crate::cli::{ask, complain};
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::model::Source;
use crate::vault::{self, Edited, Inline, Mask, Put, find_inline, show_inline, take_inline, with_inline};

/// Makes a new encrypted file.
///
/// # Errors
/// When it is there already, or there is nothing to encrypt with.
pub fn create(session: &mut Session<'_>, files: &[PathBuf]) -> Checked<ExitCode> {
    for path in files {
        if path.exists() {
            return Err(Diagnostic::error(format!("{} is there already", path.display()))
                .hint("`rplay vault edit` edits it")
                .exit(ExitCode::Error)
                .into());
        }
        let writer = session.writer()?;
        let text = Scratch::new(path, b"")?.edit()?;
        let content = writer.encrypt(&text).map_err(|problem| problem.of_file(&disk::shown(path)))?;
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            std::fs::create_dir_all(dir)
                .map_err(|e| Diagnostic::error(format!("cannot make {}: {e}", dir.display())).exit(ExitCode::Error))?;
        }
        disk::replace(path, &content)?;
    }
    Ok(ExitCode::Success)
}

/// Edits encrypted files, and YAML files with encrypted values.
///
/// # Errors
/// When one cannot be opened, or what came back cannot be encrypted.
pub fn edit(session: &mut Session<'_>, files: &[PathBuf]) -> Checked<ExitCode> {
    for path in files {
        let bytes = disk::read(path)?;
        if vault::detect(&bytes).is_some() {
            whole(session, path, &bytes)?;
            continue;
        }
        let Some((source, values, plain)) = crypt::inline(session, path, &bytes, false)? else {
            return Err(not_encrypted(path).into());
        };
        let writers = writers(session, &source, &values)?;
        Values { path, source, values, plain, writers }.edit()?;
    }
    Ok(ExitCode::Success)
}

fn unchanged(path: &Path) {
    crypt::done(&format!("{} was not changed", path.display()));
}

fn whole(session: &mut Session<'_>, path: &Path, bytes: &[u8]) -> Checked<()> {
    let name = disk::shown(path);
    let opened = session.open(bytes).map_err(|problem| problem.of_file(&name))?;
    // Before the editor: afterwards there would be a text and nothing to encrypt it with.
    let writer = session.same(bytes, &opened)?;
    let text = Scratch::new(path, &opened.plain)?.edit()?;
    if *text == *opened.plain {
        unchanged(path);
        return Ok(());
    }
    let content = writer.encrypt(&text).map_err(|problem| problem.of_file(&name))?;
    disk::replace(path, &content)?;
    Ok(())
}

/// What each value is encrypted with, by its number: as it was. What cannot be opened has none.
fn writers(session: &mut Session<'_>, source: &Arc<Source>, values: &[Inline]) -> Checked<HashMap<usize, Writer>> {
    let mut writers = HashMap::new();
    for (number, value) in values.iter().enumerate() {
        let text = value.text.trim();
        let Ok(opened) = session.open(text.as_bytes()) else { continue };
        let writer = session.same(text.as_bytes(), &opened).map_err(|findings| {
            let at = |finding: Diagnostic| {
                let place = value.finding(source, String::new(), "");
                finding.at(place.origin)
            };
            findings.into_iter().map(at).collect::<Vec<_>>()
        })?;
        writers.insert(number, writer);
    }
    Ok(writers)
}

/// A YAML file with encrypted values, in the editor.
struct Values<'a> {
    path: &'a Path,
    source: Arc<Source>,
    values: Vec<Inline>,
    plain: Vec<Option<String>>,
    writers: HashMap<usize, Writer>,
}

impl Values<'_> {
    fn edit(&self) -> Checked<()> {
        let shown = show_inline(&self.source, &self.values, &self.plain);
        let scratch = Scratch::new(self.path, shown.as_bytes())?;
        loop {
            let text = scratch.edit()?;
            let text = String::from_utf8(text.to_vec()).map_err(|_| {
                Diagnostic::error("what came back from the editor is not UTF-8 text").exit(ExitCode::Error)
            })?;
            if text == shown {
                unchanged(self.path);
                return Ok(());
            }
            match self.encrypted(&text) {
                Ok(content) if content == self.source.text => unchanged(self.path),
                Ok(content) => disk::replace(self.path, content.as_bytes())?,
                Err(findings) => {
                    // What was typed is not thrown away for a slip of the hand.
                    complain(&findings);
                    if ask::go_on("Edit it again? (Y)es/(n)o: ") {
                        continue;
                    }
                    return Err(Diagnostic::error(format!("{} was not changed", self.path.display()))
                        .exit(ExitCode::Error)
                        .into());
                }
            }
            return Ok(());
        }
    }

    /// The edited text with its values encrypted; those that are as they were stay as they were.
    fn encrypted(&self, text: &str) -> Checked<String> {
        let source = Source::secret(self.source.name.as_str(), text);
        let edited = find_inline(&source).map_err(|mut findings| {
            findings.iter_mut().for_each(|finding| Mask::default().finding(finding));
            findings
        })?;
        if let Some(odd) = edited.iter().find(|value| !value.is_block() && !value.is_encrypted()) {
            let message = "a value that is to be encrypted stands on lines of its own".to_owned();
            return Err(odd.finding(&source, message, "write `!vault |`, and the value below it, indented").into());
        }
        let taken = take_inline(&self.values, &self.plain, &edited);
        let mut put = Vec::new();
        for (value, what) in edited.iter().zip(taken) {
            put.push(match what {
                Edited::Encrypted => Put::Leave,
                Edited::Same(number) => self.values.get(number).map_or(Put::Leave, Put::Original),
                Edited::New(text, place) => {
                    let first = (0..self.values.len()).find_map(|number| self.writers.get(&number));
                    let own = place.and_then(|number| self.writers.get(&number)).or(first);
                    let cipher = own.map(|writer| writer.encrypt(text.as_bytes()));
                    match cipher {
                        Some(Ok(cipher)) => Put::Cipher(String::from_utf8_lossy(&cipher).into_owned()),
                        Some(Err(problem)) => {
                            return Err(value.finding(&source, problem.to_string(), problem.hint()).into());
                        }
                        None => {
                            let message = "there is nothing to encrypt this value with".to_owned();
                            return Err(value.finding(&source, message, "give the password or the recipients").into());
                        }
                    }
                }
            });
        }
        Ok(with_inline(&source, &edited, &put))
    }
}
