//! `fetch`: what a host's file holds is written here.
//!
//! Source: the documentation of `ansible.builtin.fetch`, and what it does.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use md5::Md5;
use sha1::{Digest, Sha1};

use super::item::ItemResult;
use super::prepare::OnHost;
use super::settings::Unsettled;
use super::view::View;
use crate::model::{Map, Outcome, Status, Timing, Value, normal};
use crate::module::to_bool;
use crate::template::Error;

/// A dry run writes nothing here either.
pub fn skipped(delegated_to: Option<String>) -> ItemResult {
    let result = Map::from_iter([("msg", "check mode not (yet) supported for this module")]);
    ItemResult { delegated_to, ..ItemResult::plain(Outcome::new(Status::Skipped, result)) }
}

fn failed(words: impl Into<String>) -> Outcome {
    let mut outcome = Outcome::failed(words.into());
    outcome.result.insert("changed", false);
    outcome
}

/// SHA-1 and MD5 of a file; nothing when it cannot be read.
fn sums(path: &Path) -> Option<(String, String)> {
    let mut file = std::fs::File::open(path).ok()?;
    let (mut sha1, mut md5, mut part) = (Sha1::new(), Md5::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut part).ok()?;
        let Some(bytes) = part.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        sha1.update(bytes);
        md5.update(bytes);
    }
    let hex = |digest: &[u8]| digest.iter().map(|b| format!("{b:02x}")).collect();
    Some((hex(&sha1.finalize()), hex(&md5.finalize())))
}

/// Where a file goes.
struct Destination {
    dest: String,
    flat: bool,
    host: String,
    base: String,
}

impl Destination {
    /// The file here for `src` there.
    fn of(&self, src: &str) -> Result<PathBuf, String> {
        let dest = Path::new(&self.base).join(&self.dest);
        if self.flat {
            if self.dest.ends_with('/') {
                return Ok(normal(&dest.join(src.rsplit('/').next().unwrap_or_default())));
            }
            if dest.is_dir() {
                return Err("dest is an existing directory, use a trailing slash if you want to fetch src into that \
                            directory"
                    .to_owned());
            }
            return Ok(normal(&dest));
        }
        let own = normal(&dest.join(&self.host));
        // A host says where its file is: not to write beside its own directory.
        let path = normal(&own.join(src.trim_start_matches('/')));
        if !path.starts_with(normal(&dest)) {
            return Err(format!(
                "Detected directory traversal, expected to be contained in '{}' but got '{}'",
                normal(&dest).display(),
                path.display()
            ));
        }
        Ok(path)
    }
}

impl OnHost<'_> {
    fn destination(&self, view: &View, args: &Map) -> Result<Destination, Error> {
        let text = |value: Option<Value>| value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        let host = view.variable("inventory_hostname")?;
        Ok(Destination {
            dest: self.context.outside.expand_user(&text(args.get("dest").cloned())),
            flat: args.get("flat").and_then(to_bool).unwrap_or(false),
            host: host.as_ref().and_then(Value::as_str).unwrap_or(self.host).to_owned(),
            base: text(view.variable("playbook_dir")?),
        })
    }

    /// The arguments of the host's half: with the checksum of the file that is here.
    pub(super) fn with_what_is_here(&self, view: &View, mut args: Map) -> Result<Map, Error> {
        let src = args.get("src").and_then(Value::as_str).filter(|src| !src.contains(['~', '$'])).map(str::to_owned);
        let path = match src {
            Some(src) => self.destination(view, &args)?.of(&src).ok(),
            None => None,
        };
        if let Some((sha1, _)) = path.and_then(|path| sums(&path)) {
            args.insert("_have", sha1);
        }
        for name in ["dest", "flat", "validate_checksum", "validate_md5"] {
            args.remove(name);
        }
        Ok(args)
    }

    /// Writes what the host's half of `fetch` has read.
    pub(super) async fn fetched(
        &self,
        view: &View,
        result: ItemResult,
        timing: &mut Timing,
    ) -> Result<ItemResult, Error> {
        let read = &result.outcome.result;
        let (Some(src), Some(sum)) = (read.get("src").and_then(Value::as_str), read.get("checksum")) else {
            return Ok(result);
        };
        if self.task.action.module.name != "fetch" || result.outcome.status != Status::Ok {
            return Ok(result);
        }
        let (src, sum) = (src.to_owned(), sum.as_str().unwrap_or_default().to_owned());
        let args = view.render(&Value::from(self.arguments(view)?))?;
        let args = args.as_ref().and_then(Value::as_map).cloned().unwrap_or_default();
        let outcome = match self.destination(view, &args)?.of(&src) {
            Err(words) => failed(words),
            Ok(path) if !read.contains("content") || sums(&path).is_some_and(|(sha1, _)| sha1 == sum) => {
                unchanged(&path, &src)
            }
            Ok(path) => match self.write(view, &path, &result.outcome.result, &src, timing).await? {
                Ok(()) => written(&path, &sum, args.get("validate_checksum").and_then(to_bool).unwrap_or(true)),
                Err(words) => failed(words),
            },
        };
        Ok(ItemResult { outcome, ..result })
    }

    /// Writes the file, part by part.
    async fn write(
        &self,
        view: &View,
        path: &Path,
        first: &Map,
        src: &str,
        timing: &mut Timing,
    ) -> Result<Result<(), String>, Error> {
        let parent = path.parent().unwrap_or_else(|| Path::new("/"));
        if let Err(e) = std::fs::create_dir_all(parent) {
            return Ok(Err(format!("Unable to create local directories '{}': {e}", parent.display())));
        }
        if path.is_dir() {
            return Ok(Err(format!(
                "calculated dest '{}' is an existing directory, use another path that does not point to an existing \
                 directory",
                path.display()
            )));
        }
        let words = |e: &dyn std::fmt::Display| format!("cannot write {}: {e}", path.display());
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        let mut file = match tempfile::Builder::new().permissions(permissions).tempfile_in(parent) {
            Ok(file) => file,
            Err(e) => return Ok(Err(words(&e))),
        };
        let (mut part, mut offset) = (first.clone(), 0_i64);
        loop {
            let content = part.get("content").and_then(Value::as_str).unwrap_or_default();
            let bytes = base64::engine::general_purpose::STANDARD.decode(content).unwrap_or_default();
            if let Err(e) = file.write_all(&bytes) {
                return Ok(Err(words(&e)));
            }
            offset += i64::try_from(bytes.len()).unwrap_or(i64::MAX);
            if part.get("more").and_then(Value::as_bool) != Some(true) {
                break;
            }
            let next = self.next_part(view, src, offset, timing).await?;
            if next.outcome.status != Status::Ok {
                let why = next.outcome.result.get("msg").and_then(Value::as_str).unwrap_or("the host does not answer");
                return Ok(Err(words(&why)));
            }
            part = next.outcome.result;
        }
        if let Err(e) = file.as_file().sync_all() {
            return Ok(Err(words(&e)));
        }
        Ok(file.persist(path).map(|_| ()).map_err(|e| words(&e)))
    }

    async fn next_part(&self, view: &View, src: &str, offset: i64, timing: &mut Timing) -> Result<ItemResult, Error> {
        let route = match self.route(view) {
            Ok(route) => route,
            Err(Unsettled::Template(e)) => return Err(*e),
            Err(Unsettled::Wrong(finding)) => return Ok(ItemResult::explained(*finding)),
        };
        let args = Map::from_iter([("src", Value::from(src)), ("_offset", Value::from(offset))]);
        self.call(view, route, self.task.action.module, args, timing).await
    }
}

fn unchanged(path: &Path, src: &str) -> Outcome {
    let (sha1, md5) = sums(path).unwrap_or_default();
    let result = Map::from_iter([
        ("changed", Value::from(false)),
        ("md5sum", Value::from(md5)),
        ("file", Value::from(src)),
        ("dest", Value::from(path.display().to_string())),
        ("checksum", Value::from(sha1)),
    ]);
    Outcome::new(Status::Ok, result)
}

fn written(path: &Path, remote: &str, validate: bool) -> Outcome {
    let (sha1, md5) = sums(path).unwrap_or_default();
    let result = Map::from_iter([
        ("changed", Value::from(true)),
        ("md5sum", Value::from(md5)),
        ("dest", Value::from(path.display().to_string())),
        ("remote_md5sum", Value::Null),
        ("checksum", Value::from(sha1.as_str())),
        ("remote_checksum", Value::from(remote)),
    ]);
    if validate && sha1 != remote {
        let mut outcome = failed("checksum mismatch");
        outcome.result.extend(result);
        outcome.result.insert("changed", true);
        return outcome;
    }
    Outcome::new(Status::Changed, result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(dest: &str, flat: bool) -> Destination {
        let text = |text: &str| text.to_owned();
        Destination { dest: text(dest), flat, host: text("h1"), base: text("/play") }
    }

    #[test]
    fn a_file_goes_below_its_host() {
        assert_eq!(to("/b", false).of("/etc/motd"), Ok(PathBuf::from("/b/h1/etc/motd")));
        assert_eq!(to("b", false).of("as/../a"), Ok(PathBuf::from("/play/b/h1/a")));
        assert_eq!(to("b/", true).of("/etc/motd"), Ok(PathBuf::from("/play/b/motd")));
        assert_eq!(to("b/x", true).of("/etc/motd"), Ok(PathBuf::from("/play/b/x")));
    }

    #[test]
    fn no_file_goes_beside_its_directory() {
        assert!(to("/b", false).of("../../etc/passwd").is_err());
        assert!(to("/tmp", true).of("/etc/motd").is_err());
    }
}
