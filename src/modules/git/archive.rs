//! Archives of a checkout's files.

use std::path::Path;

use super::Git;
use super::repo::{Tool, failed};
use crate::model::{Command, Diff, Failure};
use crate::module::{Done, Plan, Step};
use crate::sys::{Content, Effect, Probe};

/// git's name of the format of a file.
///
/// # Errors
/// When the file's name says none.
pub(super) fn format(path: &str) -> Result<&'static str, Failure> {
    let formats = [(".zip", "zip"), (".tar.gz", "tar.gz"), (".tgz", "tgz"), (".tar", "tar")];
    let found = formats.iter().find(|(ending, _)| path.ends_with(ending)).map(|(_, format)| *format);
    found.ok_or_else(|| {
        let ending = path.rsplit('.').next().unwrap_or_default();
        Failure::new(format!(
            "Unable to get file extension from archive file name : {path}: '{ending}' is none of zip, tar.gz, tgz, tar"
        ))
    })
}

fn command(args: &Git, tool: &Tool, dest: &str, output: &str) -> Result<Command, Failure> {
    let mut words = vec!["archive".to_owned(), format!("--format={}", format(output)?), format!("--output={output}")];
    if let Some(prefix) = &args.archive_prefix {
        words.push(format!("--prefix={prefix}"));
    }
    // By then the version is what is checked out.
    words.push("HEAD".to_owned());
    Ok(tool.at(Path::new(dest), words))
}

/// The step that makes an archive.
///
/// # Errors
/// When the file's name says no format.
pub(super) fn make(args: &Git, host: &Probe<'_>, tool: &Tool, dest: &str, output: &str) -> Result<Step, Failure> {
    let command = command(args, tool, dest, output)?;
    let (uid, gid) = host.own_ids();
    let effect = Effect::File {
        path: output.into(),
        content: Content::Unknown(format!("the archive {output} was not made").into()),
        mode: 0o666 & !host.umask(),
        uid,
        gid,
        in_place: false,
    };
    let step = Step::action([effect], move |host| {
        let out = host.run(&command, None)?;
        if out.success() {
            Ok(Done::default())
        } else {
            Err(failed("Failed to perform archive operation", &command, &out))
        }
    });
    Ok(step.diff(Diff::attribute(format!("archive {output}"), "state", "other", "of this version")))
}

/// Plans an archive, unless the very same is there. `current` says that the checkout is
/// at the version already, so that the two can be compared.
///
/// # Errors
/// When the file's name says no format, or git fails.
pub(super) fn plan(
    args: &Git,
    host: &Probe<'_>,
    tool: &Tool,
    dest: &str,
    current: bool,
    plan: &mut Plan,
) -> Result<(), Failure> {
    let Some(archive) = &args.archive else { return Ok(()) };
    if current && host.exists(&archive.0) {
        let scratch = host.scratch_dir()?;
        let name = Path::new(&archive.0).file_name().unwrap_or_default();
        let path = scratch.path().join(name).display().to_string();
        let command = command(args, tool, dest, &path)?;
        let out = host.query(&command)?;
        if !out.success() {
            return Err(failed("Failed to perform archive operation", &command, &out));
        }
        if host.read(&path)? == host.read(&archive.0)? {
            return Ok(());
        }
    }
    plan.step(make(args, host, tool, dest, &archive.0)?);
    Ok(())
}
