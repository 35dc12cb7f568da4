//! What the modules share that edit a text: reading it, and writing it back with all that
//! their common options ask for.

use std::path::{Path, PathBuf};

use super::attributes::{self, FileAttributes};
use super::content::{self, Write};
use crate::model::{Failure, FileKind};
use crate::module::Plan;
use crate::sys::{Content, Probe};

/// A text file that is edited.
pub struct TextFile {
    /// The file itself: links are followed.
    pub path: PathBuf,
    /// Its text; nothing when there is no file.
    pub text: Option<String>,
    /// Whether the bytes are not UTF-8 and stand for themselves, each as one character.
    narrow: bool,
}

/// How an edited text is written back.
pub struct Writing<'a> {
    /// The attributes.
    pub attributes: &'a FileAttributes,
    /// Whether the old file is kept.
    pub backup: Option<&'static [&'static str]>,
    /// A program that must accept the text.
    pub validate: Option<&'a str>,
}

impl TextFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it is a directory, or cannot be read.
    pub fn read(host: &Probe<'_>, path: &str) -> Result<Self, Failure> {
        let path = attributes::write_target(host, Path::new(path), true)?;
        match host.stat(&path)? {
            None => return Ok(Self { path, text: None, narrow: false }),
            Some(stat) if stat.kind == FileKind::Directory => {
                return Err(Failure::new(format!("Path {} is a directory !", path.display())).with("rc", 256));
            }
            Some(_) => {}
        }
        Ok(match String::from_utf8(host.read(&path)?) {
            Ok(text) => Self { path, text: Some(text), narrow: false },
            Err(e) => Self { path, text: Some(e.as_bytes().iter().map(|b| char::from(*b)).collect()), narrow: true },
        })
    }

    fn bytes(&self, text: &str) -> Vec<u8> {
        if !self.narrow {
            return text.as_bytes().to_vec();
        }
        // What the arguments brought in goes out as UTF-8.
        let mut out = Vec::with_capacity(text.len());
        for c in text.chars() {
            match u8::try_from(u32::from(c)) {
                Ok(byte) => out.push(byte),
                Err(_) => out.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        out
    }

    /// Plans that the file has this text, and returns `msg` as Ansible's editing modules
    /// do: what was changed in the text, and whether attributes were.
    ///
    /// # Errors
    /// As [`content::plan`].
    pub fn write(
        &self,
        plan: &mut Plan,
        host: &Probe<'_>,
        text: &str,
        message: &str,
        how: &Writing<'_>,
    ) -> Result<(), Failure> {
        let changed = self.text.as_deref() != Some(text);
        let now = host.stat(&self.path)?;
        let mut message = message.to_owned();
        let attributes_change = match &now {
            Some(stat) => {
                let wanted = how.attributes.wanted(host, stat.mode, false)?;
                !attributes::differences(host, stat, wanted).1.is_empty()
            }
            None => {
                let default = 0o666 & !host.umask();
                let wanted = how.attributes.wanted(host, default, false)?;
                let ids = host.own_ids();
                wanted.mode.is_some_and(|m| m != default)
                    || wanted.uid.is_some_and(|u| u != ids.0)
                    || wanted.gid.is_some_and(|g| g != ids.1)
            }
        };
        if attributes_change {
            message.push_str(if changed { " and " } else { "" });
            message.push_str("ownership, perms or SE linux context changed");
        }
        plan.set("msg", message);
        if let Some(stat) = now.filter(|_| !changed) {
            // Whatever kind of file it is, it stays what it is.
            return attributes::plan(plan, host, &self.path, &stat, how.attributes);
        }
        let content = Content::Bytes(self.bytes(text).into());
        let write = Write {
            backup: how.backup,
            validate: how.validate,
            parent_planned: !plan.is_empty(),
            ..Write::new(&self.path, content, how.attributes)
        };
        content::plan(plan, host, write)
    }
}

/// The lines of a text, each with its line end.
pub fn split(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// A line without its line end.
pub fn bare(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}
