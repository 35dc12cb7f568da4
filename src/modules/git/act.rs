//! The calls of git that clone and update.

use std::path::{Path, PathBuf};

use super::repo::{Remote, Repo, Tool, failed};
use super::{Git, submodules};
use crate::model::{Command, Failure, Map};
use crate::module::{Done, Step};
use crate::sys::{Effect, Host};

/// A call, and how its failure is worded.
pub(super) struct Call {
    command: Command,
    message: Option<String>,
}

impl Call {
    fn new(command: Command) -> Self {
        Self { command, message: None }
    }

    fn or(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    fn run(&self, host: &mut Host<'_>) -> Result<String, Failure> {
        let out = host.run(&self.command, None)?;
        if out.success() {
            return Ok(out.stdout_text());
        }
        let message = self.message.clone().unwrap_or_else(|| out.stderr_text().trim().to_owned());
        Err(failed(message, &self.command, &out))
    }
}

/// Clones, and checks the version out.
pub(super) fn clone(args: &Git, tool: &Tool, remote: &Remote, dest: &str) -> Vec<Call> {
    let mut words = vec!["clone".to_owned()];
    if args.bare {
        words.push("--bare".to_owned());
    } else {
        words.extend(["--origin".to_owned(), args.remote.clone()]);
    }
    let named = remote.is_branch(&args.version) || remote.is_tag(&args.version);
    if named {
        words.extend(["--branch".to_owned(), args.version.clone()]);
    }
    if let Some(depth) = args.depth().filter(|_| named || args.version == "HEAD" || args.refspec.is_some()) {
        words.extend(["--depth".to_owned(), depth.to_string()]);
    }
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
    let mut calls = vec![Call::new(tool.git(words))];
    if args.bare && args.remote != "origin" {
        calls.push(Call::new(tool.at(path, ["remote", "rename", "origin", &args.remote])));
    }
    if let Some(refspec) = &args.refspec {
        let mut fetch = vec!["fetch".to_owned()];
        fetch.extend(args.depth().map(|d| format!("--depth={d}")));
        fetch.extend([args.remote.clone(), refspec.clone()]);
        calls.push(Call::new(tool.at(path, fetch)));
    }
    if !args.bare && !named && args.version != "HEAD" {
        calls.push(checkout(args, tool, path));
    }
    calls
}

fn checkout(args: &Git, tool: &Tool, path: &Path) -> Call {
    Call::new(tool.at(path, ["checkout", "--force", &args.version])).or(format!("Failed to checkout {}", args.version))
}

/// Fetches, and checks the version out.
pub(super) fn update(
    args: &Git,
    tool: &Tool,
    remote: &Remote,
    repo: &Repo,
    url: Option<&str>,
    fetch: bool,
    discard: bool,
) -> Vec<Call> {
    let path = repo.path.as_path();
    let mut calls = Vec::new();
    match url {
        None => calls.push(Call::new(tool.at(path, ["remote", "add", &args.remote, &args.url()]))),
        Some(url) if url != args.url() => {
            calls.push(Call::new(tool.at(path, ["remote", "set-url", &args.remote, &args.url()])));
        }
        Some(_) => {}
    }
    if discard {
        calls.push(Call::new(tool.at(path, ["reset", "--hard", "HEAD"])));
    }
    if fetch || calls.len() > usize::from(discard) {
        calls
            .push(Call::new(tool.at(path, fetch_words(args, remote))).or("Failed to download remote objects and refs"));
    }
    if args.bare {
        return calls;
    }
    if remote.is_commit(&args.version) || remote.is_tag(&args.version) && !remote.is_branch(&args.version) {
        calls.push(checkout(args, tool, path));
        return calls;
    }
    let branch = if args.version == "HEAD" { repo.branch.clone() } else { Some(args.version.clone()) };
    let Some(branch) = branch else {
        // HEAD of a detached checkout: what the remote's HEAD is.
        calls.push(Call::new(tool.at(path, ["fetch", &args.remote, "HEAD"])));
        calls.push(Call::new(tool.at(path, ["checkout", "--force", "FETCH_HEAD"])));
        return calls;
    };
    let tip = format!("{}/{branch}", args.remote);
    if remote.is_branch(&args.version) || args.version == "HEAD" {
        // Makes the branch or moves it to where the remote has it, keeping what it follows.
        let words = ["checkout", "--force", "-B", &branch, "--track", &tip];
        calls.push(Call::new(tool.at(path, words)).or(format!("Failed to checkout branch {branch}")));
        let words = ["reset", "--hard", &tip, "--"];
        calls.push(Call::new(tool.at(path, words)).or("Failed to checkout branch ".to_owned() + &branch));
    } else {
        calls.push(checkout(args, tool, path));
    }
    calls
}

fn fetch_words(args: &Git, remote: &Remote) -> Vec<String> {
    let mut words = vec!["fetch".to_owned(), "--force".to_owned()];
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

/// The step that makes the calls, checks the signature and brings the submodules along.
pub(super) fn step(tool: &Tool, args: &Git, calls: Vec<Call>, effects: Vec<Effect>, repo: Option<PathBuf>) -> Step {
    let (tool, args) = (tool.clone(), args.clone());
    Step::action(effects, move |host| {
        let path = repo.or_else(|| args.dest.as_ref().map(|d| PathBuf::from(&d.0))).unwrap_or_default();
        for call in &calls {
            call.run(host)?;
        }
        if args.verify_commit {
            verify(host, &tool, &args, &path)?;
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

fn verify(host: &mut Host<'_>, tool: &Tool, args: &Git, path: &Path) -> Result<(), Failure> {
    let tag = host.run(&tool.at(path, ["cat-file", "-t", &args.version]), None)?.stdout_text();
    let verb = if tag.trim() == "tag" { "verify-tag" } else { "verify-commit" };
    let message = format!("Failed to verify GPG signature of commit/tag \"{}\"", args.version);
    let command = tool.at(path, [verb, "--raw", &args.version]);
    let out = host.run(&command, None)?;
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
