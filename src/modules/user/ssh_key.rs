//! An ssh key for an account, by the host's ssh-keygen.

use std::path::{Path, PathBuf};

use super::{User, diff, need};
use crate::model::{Attribute, Command, Failure, Map};
use crate::module::{Done, Plan, Step};
use crate::sys::{self, Effect, Host, Probe};

/// What only the new key's file can say.
const YIELDS: &[&str] = &["ssh_fingerprint", "ssh_public_key"];

/// Plans a key, when there is none.
///
/// # Errors
/// When ssh-keygen is not there.
pub(super) fn plan(args: &User, host: &Probe<'_>, user: &sys::User, plan: &mut Plan) -> Result<(), Failure> {
    need(host, "ssh-keygen")?;
    let name = args.ssh_key_file.as_ref().map_or_else(|| format!(".ssh/id_{}", args.ssh_key_type), |f| f.0.clone());
    let file = Path::new(&user.home).join(name);
    let shown = file.display().to_string();
    plan.set("ssh_key_file", shown.as_str());
    let there = host.stat(&file)?.is_some();
    if there && !args.force {
        // Planned, but not made: nothing to read.
        if let Ok(key) = host.read(public(&file)) {
            plan.set("ssh_public_key", String::from_utf8_lossy(&key).trim());
            let out = host.query(&Command::new("ssh-keygen").args(["-l", "-f", &shown]))?;
            plan.set("ssh_fingerprint", out.stdout_text().trim());
        }
        return Ok(());
    }
    // A link there would have ssh-keygen write elsewhere, as root.
    let stray = host.lstat(public(&file))?.is_some();
    if stray && !args.force {
        return Err(Failure::new(format!(
            "cannot create the ssh key {shown}: its public key {} is there already (`force: true` replaces it)",
            public(&file).display()
        )));
    }
    let replace = stray || there;
    let mut dirs = Vec::new();
    if let Some(dir) = file.parent().filter(|d| host.stat(d).is_ok_and(|s| s.is_none())) {
        dirs.push(Effect::Directory { path: dir.to_owned(), mode: 0o700, uid: user.uid, gid: user.gid });
    }
    let planned = [(file.clone(), 0o600), (public(&file), 0o644)].map(|(path, mode)| Effect::File {
        path,
        content: sys::Content::Unknown("the ssh key was not made".into()),
        mode,
        uid: user.uid,
        gid: user.gid,
        in_place: false,
    });
    let effects: Vec<Effect> = dirs.iter().cloned().chain(planned).collect();
    let command = command(args, host, &shown);
    let (ids, name) = ((user.uid, user.gid), args.name.clone());
    let step = Step::action(effects, move |host| make(host, &command, &dirs, &file, ids, &name, replace));
    let changes = vec![Attribute::new("ssh_key_file", if there { shown.as_str() } else { "absent" }, shown.as_str())];
    plan.step(step.diff(diff(&args.name, changes)).yields(YIELDS));
    Ok(())
}

fn public(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}.pub", file.display()))
}

fn command(args: &User, host: &Probe<'_>, file: &str) -> Command {
    let mut command = Command::new("ssh-keygen").args(["-q", "-t", &args.ssh_key_type]);
    if let Some(bits) = args.ssh_key_bits.filter(|b| *b > 0) {
        command = command.args(["-b", &bits.to_string()]);
    }
    let comment =
        args.ssh_key_comment.clone().unwrap_or_else(|| format!("ansible-generated on {}", host.kernel().nodename));
    let passphrase = args.ssh_key_passphrase.clone().unwrap_or_default();
    command.args(["-C", &comment, "-f", file, "-N", &passphrase])
}

fn make(
    host: &mut Host<'_>,
    command: &Command,
    dirs: &[Effect],
    file: &Path,
    (uid, gid): (u32, u32),
    name: &str,
    replace: bool,
) -> Result<Done, Failure> {
    dirs.iter().try_for_each(|dir| host.apply(dir))?;
    if replace {
        for path in [file.to_owned(), public(file)] {
            if host.probe().lstat(&path)?.is_some() {
                host.apply(&Effect::Remove { path })?;
            }
        }
    }
    let out = host.run(command, None)?;
    if !out.success() {
        return Err(Failure::new(out.stderr_text()).with("name", name).with("rc", out.code));
    }
    for path in [file.to_owned(), public(file)] {
        host.apply(&Effect::Attributes { path, mode: None, uid: Some(uid), gid: Some(gid) })?;
    }
    let shown = file.display().to_string();
    let fingerprint = host.run(&Command::new("ssh-keygen").args(["-l", "-f", &shown]), None)?;
    let key = host.probe().read(public(file))?;
    let mut result = Map::new();
    result.insert("ssh_fingerprint", fingerprint.stdout_text().trim());
    result.insert("ssh_public_key", String::from_utf8_lossy(&key).trim());
    Ok(Done::with(result))
}
