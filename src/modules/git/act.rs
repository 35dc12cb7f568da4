//! The calls of git that clone and update.

use std::path::{Path, PathBuf};

use super::repo::{Remote, Repo, Tool, failed};
use super::{Git, submodules};
use crate::model::{Command, Failure, Map};
use crate::module::{Done, Step};
use crate::sys::{Effect, Host, Probe};

/// A call, and how its failure is worded.
pub(super) struct Call {
    command: Command,
    message: Option<String>,
    /// What is called where this one fails.
    otherwise: Option<Command>,
    /// What takes it back when one of those after it fails.
    undo: Option<Command>,
    /// A version whose signature is checked before the call is made.
    verify: Option<String>,
}

impl Call {
    fn new(command: Command) -> Self {
        Self { command, message: None, otherwise: None, undo: None, verify: None }
    }

    fn or(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    fn undo(mut self, command: Command) -> Self {
        self.undo = Some(command);
        self
    }

    fn run(&self, host: &mut Host<'_>) -> Result<String, Failure> {
        let mut out = host.run(&self.command, None)?;
        if let Some(other) = self.otherwise.as_ref().filter(|_| !out.success()) {
            out = host.run(other, None)?;
        }
        if out.success() {
            return Ok(out.stdout_text());
        }
        let said = out.stderr_text().trim().to_owned();
        let message = match &self.message {
            None => said,
            // What went wrong follows.
            Some(text) if text.ends_with(':') => format!("{text} {said}"),
            Some(text) => text.clone(),
        };
        Err(failed(message, &self.command, &out))
    }
}

/// Clones, and checks the version out.
pub(super) fn clone(args: &Git, tool: &Tool, remote: &Remote, dest: &str, fresh: bool) -> Vec<Call> {
    let mut words = vec!["clone".to_owned()];
    if args.bare {
        words.push("--bare".to_owned());
    } else {
        words.extend(["--origin".to_owned(), args.remote.clone()]);
    }
    let named = remote.is_branch(&args.version) || remote.is_tag(&args.version);
    let depth = args.depth().filter(|_| named || args.version == "HEAD" || args.refspec.is_some());
    // Else the default branch is there as well, and the version is checked out afterwards.
    let at_once = named && (depth.is_some() && args.refspec.is_none() || args.single_branch);
    if at_once {
        words.extend(["--branch".to_owned(), args.version.clone()]);
    }
    words.extend(depth.map(|d| format!("--depth={d}")));
    if args.single_branch {
        words.push("--single-branch".to_owned());
    }
    if let Some(reference) = &args.reference {
        words.extend(["--reference".to_owned(), reference.clone()]);
    }
    if let Some(dir) = &args.separate_git_dir {
        words.push(format!("--separate-git-dir={}", dir.0));
    }
    words.extend([args.url(), dest.to_owned()]);
    let path = Path::new(dest);
    let mut calls = vec![Call::new(tool.git(words)).undo(remove(args, dest, fresh))];
    if args.bare && args.remote != "origin" {
        calls.push(Call::new(tool.at(path, ["remote", "add", &args.remote, &args.url()])));
    }
    if let Some(refspec) = &args.refspec {
        let mut fetch = vec!["fetch".to_owned()];
        fetch.extend(args.depth().map(|d| format!("--depth={d}")));
        fetch.extend([args.remote.clone(), refspec.clone()]);
        calls.push(Call::new(tool.at(path, fetch)));
    }
    if !args.bare && !at_once && args.version != "HEAD" {
        if remote.is_branch(&args.version) {
            calls.push(to_branch(args, tool, path, &args.version));
        } else {
            calls.push(checkout(args, tool, path));
        }
    }
    calls
}

/// Removes what a clone made; a directory that was there before stays.
fn remove(args: &Git, dest: &str, fresh: bool) -> Command {
    let dest = dest.to_owned();
    let command = if fresh {
        Command::new("rm").args(["-rf".to_owned(), "--".to_owned(), dest])
    } else {
        Command::new("find").args([dest, "-mindepth".into(), "1".into(), "-delete".into()])
    };
    match &args.separate_git_dir {
        None => command,
        Some(dir) => {
            let words: Vec<String> = command.words().iter().map(ToString::to_string).collect();
            Command::new("sh").args(["-c", "d=$1; shift; \"$@\"; rm -rf -- \"$d\"", "sh", &dir.0]).args(words)
        }
    }
}

/// Makes the branch or moves it to where the remote has it, keeping what it follows. A shallow
/// checkout knows of one branch alone, which no other can follow.
fn to_branch(args: &Git, tool: &Tool, path: &Path, branch: &str) -> Call {
    let tip = format!("{}/{branch}", args.remote);
    let words = |track| tool.at(path, ["checkout", "--force", "-B", branch, track, &tip]);
    let mut call = Call::new(words("--track")).or(format!("Failed to checkout branch {branch}"));
    call.otherwise = Some(words("--no-track"));
    call
}

fn checkout(args: &Git, tool: &Tool, path: &Path) -> Call {
    Call::new(tool.at(path, ["checkout", "--force", &args.version])).or(format!("Failed to checkout {}", args.version))
}

/// Fetches, and checks the version out.
pub(super) fn update(args: &Git, tool: &Tool, remote: &Remote, repo: &Repo, now: &Now<'_>) -> Vec<Call> {
    let path = repo.path.as_path();
    let mut calls = Vec::new();
    let git = |words: &[&str]| tool.at(path, words.iter().copied());
    match now.url {
        None => calls.push(Call::new(git(&["remote", "add", &args.remote, &args.url()])).undo(git(&[
            "remote",
            "remove",
            &args.remote,
        ]))),
        Some(url) if url != args.url() => {
            calls.push(Call::new(git(&["remote", "set-url", &args.remote, &args.url()])).undo(git(&[
                "remote",
                "set-url",
                &args.remote,
                url,
            ])))
        }
        Some(_) => {}
    }
    if now.fetch || !calls.is_empty() {
        calls.push(
            Call::new(tool.at(path, fetch_words(args, remote))).or("Failed to download remote objects and refs:"),
        );
    }
    if args.bare {
        return calls;
    }
    let mut change = Vec::new();
    if now.discard {
        change.push(Call::new(git(&["reset", "--hard", "HEAD"])));
    }
    let verify = arrive(args, tool, remote, repo, &mut calls, &mut change);
    if let Some(first) = change.first_mut().filter(|_| args.verify_commit) {
        first.verify = Some(verify);
    }
    calls.extend(change);
    calls
}

/// What stands in a checkout, as far as it decides what is called.
pub(super) struct Now<'a> {
    /// The remote's URL; `None` when there is no such remote.
    pub url: Option<&'a str>,
    /// Whether to fetch.
    pub fetch: bool,
    /// Whether local modifications are discarded.
    pub discard: bool,
}

/// The calls that bring the checkout to the version; and the name of what it will be at.
fn arrive(
    args: &Git,
    tool: &Tool,
    remote: &Remote,
    repo: &Repo,
    calls: &mut Vec<Call>,
    change: &mut Vec<Call>,
) -> String {
    let path = repo.path.as_path();
    if remote.is_commit(&args.version) || remote.is_tag(&args.version) && !remote.is_branch(&args.version) {
        change.push(checkout(args, tool, path));
        return args.version.clone();
    }
    let branch = if args.version == "HEAD" { repo.branch.clone() } else { Some(args.version.clone()) };
    let Some(branch) = branch else {
        // HEAD of a detached checkout: what the remote's HEAD is.
        calls.push(Call::new(tool.at(path, ["fetch", &args.remote, "HEAD"])));
        change.push(Call::new(tool.at(path, ["checkout", "--force", "FETCH_HEAD"])));
        return "FETCH_HEAD".to_owned();
    };
    if remote.is_branch(&args.version) || args.version == "HEAD" {
        let tip = format!("{}/{branch}", args.remote);
        change.push(to_branch(args, tool, path, &branch));
        let words = ["reset", "--hard", &tip, "--"];
        change.push(Call::new(tool.at(path, words)).or(format!("Failed to checkout branch {branch}")));
        return tip;
    }
    change.push(checkout(args, tool, path));
    args.version.clone()
}

fn fetch_words(args: &Git, remote: &Remote) -> Vec<String> {
    let mut words = vec!["fetch".to_owned()];
    // Without it, a tag that has moved is not overwritten.
    words.extend(args.force.then(|| "--force".to_owned()));
    words.extend(args.depth().map(|d| format!("--depth={d}")));
    let (version, name) = (&args.version, &args.remote);
    if args.bare {
        words.extend([name.clone(), "+refs/heads/*:refs/heads/*".to_owned(), "+refs/tags/*:refs/tags/*".to_owned()]);
    } else if (args.depth().is_some() || args.single_branch) && remote.is_branch(version) {
        words.extend([name.clone(), format!("+refs/heads/{version}:refs/remotes/{name}/{version}")]);
    } else if args.depth().is_some() && remote.is_tag(version) {
        words.extend([name.clone(), format!("+refs/tags/{version}:refs/tags/{version}")]);
    } else {
        words.extend(["--tags".to_owned(), name.clone(), format!("+refs/heads/*:refs/remotes/{name}/*")]);
    }
    words.extend(args.refspec.clone());
    words
}

/// The step that makes the calls, checks the signature and brings the submodules along. Where
/// something fails, what can be taken back is.
pub(super) fn step(tool: &Tool, args: &Git, calls: Vec<Call>, effects: Vec<Effect>, repo: Option<PathBuf>) -> Step {
    let (tool, args) = (tool.clone(), args.clone());
    Step::action(effects, move |host| {
        let fresh = repo.is_none();
        let path = repo.or_else(|| args.dest.as_ref().map(|d| PathBuf::from(&d.0))).unwrap_or_default();
        let mut undo = Vec::new();
        if let Err(failure) = make(host, &tool, &args, &calls, &path, fresh, &mut undo) {
            for command in undo.iter().rev() {
                // The first failure is what is told.
                let _ = host.run(command, None);
            }
            return Err(failure);
        }
        let mut result = Map::new();
        if args.recursive && !args.bare && submodules::update(host, &tool, &args, &path)? {
            result.insert("submodules_changed", true);
        }
        let head = Call::new(tool.at(&path, ["rev-parse", "HEAD"])).run(host)?;
        result.insert("after", head.trim());
        Ok(Done::with(result))
    })
}

fn make(
    host: &mut Host<'_>,
    tool: &Tool,
    args: &Git,
    calls: &[Call],
    path: &Path,
    fresh: bool,
    undo: &mut Vec<Command>,
) -> Result<(), Failure> {
    for call in calls {
        if let Some(version) = &call.verify {
            verify(host.probe(), tool, args, path, version)?;
        }
        call.run(host)?;
        undo.extend(call.undo.clone());
    }
    if fresh && args.verify_commit {
        verify(host.probe(), tool, args, path, &args.version)?;
    }
    Ok(())
}

/// Checks the signature of a commit or tag, named as it is known in the checkout.
///
/// # Errors
/// When it is not signed, or by a key that is not trusted.
pub(super) fn verify(host: &Probe<'_>, tool: &Tool, args: &Git, path: &Path, version: &str) -> Result<(), Failure> {
    let tag = host.query(&tool.at(path, ["cat-file", "-t", version]))?.stdout_text();
    let verb = if tag.trim() == "tag" { "verify-tag" } else { "verify-commit" };
    let message = format!("Failed to verify GPG signature of commit/tag \"{}\"", args.version);
    let command = tool.at(path, [verb, "--raw", version]);
    let out = host.query(&command)?;
    if !out.success() {
        return Err(failed(message, &command, &out));
    }
    if args.gpg_allowlist.is_empty() {
        return Ok(());
    }
    let text = out.stderr_text();
    let fingerprint = text.lines().find_map(|l| l.strip_prefix("[GNUPG:] VALIDSIG ")).map(|l| {
        // The primary key's fingerprint comes last.
        l.split_whitespace().last().unwrap_or_default().to_owned()
    });
    match fingerprint {
        Some(found) if args.gpg_allowlist.contains(&found) => Ok(()),
        found => Err(Failure::new(format!(
            "The gpg_allowlist does not include the public key \"{}\" for this commit",
            found.unwrap_or_default()
        ))),
    }
}

/// Moves a repository out of its checkout, and leaves a file that says where it is.
pub(super) fn relocate(repo: &Repo, to: &str) -> Step {
    let (from, link, to) = (repo.git_dir.clone(), repo.path.join(".git"), to.to_owned());
    Step::action([], move |host| {
        let words = [from.display().to_string(), to.clone()];
        let out = host.run(&Command::new("mv").arg("-T").args(words), None)?;
        if !out.success() {
            return Err(Failure::new(format!("Unable to move git dir. {}", out.stderr_text().trim())));
        }
        let (uid, gid) = host.probe().own_ids();
        host.apply(&Effect::File {
            path: link,
            content: crate::sys::Content::Bytes(format!("gitdir: {to}\n").into_bytes().into()),
            mode: 0o644,
            uid,
            gid,
            in_place: false,
        })?;
        Ok(Done::default())
    })
}
