//! Home directories: what a new one holds.

use std::path::{Path, PathBuf};

use super::User;
use crate::model::{Failure, FileKind};
use crate::modules::ids::LoginDefs;
use crate::sys::{self, Content, Effect, Probe};

/// A setting of /etc/default/useradd.
pub(super) fn default(host: &Probe<'_>, name: &str) -> Option<String> {
    let text = host.text("/etc/default/useradd")?;
    text.lines().find_map(|l| Some(l.trim().strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

/// The effects of making a home directory with the files of the skeleton.
///
/// # Errors
/// When the skeleton cannot be read.
pub(super) fn effects(
    args: &User,
    host: &Probe<'_>,
    user: &sys::User,
    defs: &LoginDefs,
) -> Result<Vec<Effect>, Failure> {
    let home = PathBuf::from(&user.home);
    if user.home.is_empty() || host.lstat(&home)?.is_some() {
        return Ok(Vec::new());
    }
    let mode = defs.number("HOME_MODE", 0o777 & !defs.number("UMASK", 0o022));
    let mut effects = Vec::new();
    for dir in missing_parents(host, &home)? {
        effects.push(Effect::Directory { path: dir, mode: 0o755, uid: 0, gid: 0 });
    }
    effects.push(Effect::Directory { path: home.clone(), mode, uid: user.uid, gid: user.gid });
    let skeleton = args.skeleton.clone().or_else(|| default(host, "SKEL")).unwrap_or_else(|| "/etc/skel".to_owned());
    // One that is no directory, such as /dev/null, has nothing in it.
    if host.stat(&skeleton)?.is_some_and(|stat| stat.kind == FileKind::Directory) {
        copy(host, Path::new(&skeleton), &home, user, &mut effects)?;
    }
    Ok(effects)
}

/// Directories on the way that are not there, from the top.
pub(super) fn missing_parents(host: &Probe<'_>, path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut missing = Vec::new();
    for dir in path.ancestors().skip(1) {
        if dir.as_os_str().is_empty() || host.stat(dir)?.is_some() {
            break;
        }
        missing.insert(0, dir.to_owned());
    }
    Ok(missing)
}

fn copy(host: &Probe<'_>, from: &Path, to: &Path, user: &sys::User, effects: &mut Vec<Effect>) -> Result<(), Failure> {
    for name in host.list_dir(from)? {
        let (source, path) = (from.join(&name), to.join(&name));
        let Some(stat) = host.lstat(&source)? else { continue };
        let (mode, uid, gid) = (stat.mode, user.uid, user.gid);
        match stat.kind {
            FileKind::Directory => {
                effects.push(Effect::Directory { path: path.clone(), mode, uid, gid });
                copy(host, &source, &path, user, effects)?;
            }
            FileKind::Link => effects.push(Effect::Link { path, target: host.read_link(&source)? }),
            FileKind::File => {
                let content = Content::Bytes(host.read(&source)?.into());
                effects.push(Effect::File { path, content, mode, uid, gid, in_place: false });
            }
            _ => {}
        }
    }
    Ok(())
}
