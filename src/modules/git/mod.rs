//! `git`: checkouts of repositories, by the host's own git.

mod act;
mod archive;
mod repo;
mod submodules;

use std::path::{Path, PathBuf};

use crate::args;
use crate::model::{Diff, Failure, FileKind, Map, Reason, Value};
use crate::module;
use crate::module::{Arguments, Kind, Module, Plan, ReturnSpec, Run, Step};
use crate::sys::{Effect, Probe};
use repo::{Remote, Repo, Tool};

args! {
    /// Arguments of `git`.
    pub struct Git {
        /// The repository: a URL, or a path on the host.
        [required, aliases "name"]
        repo: String,
        /// Where the checkout is. Not needed with `clone: no`.
        dest: Option<module::Path>,
        /// A branch, a tag, a commit, or `HEAD`.
        version: String = "HEAD".to_owned(),
        /// The name of the remote.
        remote: String = "origin".to_owned(),
        /// What to fetch besides branches and tags, for commits that these do not reach.
        refspec: Option<String>,
        /// How many commits of history to fetch; below 1: all.
        depth: Option<i64>,
        /// Whether to clone what is not there.
        clone: bool = true,
        /// Whether to fetch what is new.
        update: bool = true,
        /// Discard local modifications.
        force: bool = false,
        /// A repository without files checked out.
        bare: bool = false,
        /// With submodules.
        recursive: bool = true,
        /// Submodules at the tips of their branches, not at the commits that the repository names.
        track_submodules: bool = false,
        /// A repository on the host to take objects from.
        reference: Option<String>,
        /// Where the repository is, apart from the checkout.
        separate_git_dir: Option<module::Path>,
        /// Fetch the history of the version only.
        single_branch: bool = false,
        /// Options of ssh.
        ssh_opts: Option<String>,
        /// The private key that ssh uses, a file on the host.
        key_file: Option<module::Path>,
        /// Have ssh accept any host key. Anybody in the middle can then read and change what is fetched.
        accept_hostkey: bool = false,
        /// Have ssh accept keys of hosts that it does not know yet.
        accept_newhostkey: bool = false,
        /// The git program.
        executable: Option<module::Path>,
        /// umask while git works.
        umask: Option<Value>,
        /// Check the signature of the commit or tag.
        verify_commit: bool = false,
        /// Fingerprints of the keys that signatures may be of.
        [aliases "gpg_whitelist"]
        gpg_allowlist: Vec<String> = Vec::new(),
        /// An archive of the files to make: .zip, .tar, .tgz, .tar.gz.
        archive: Option<module::Path>,
        /// A prefix of the paths in the archive.
        archive_prefix: Option<String>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "git",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::State,
    doc: "Deploy files or software from git repositories.",
    args: Git::specs,
    free_form: None,
    any_args: false,
    asks_others: true,
    returns: &[
        ReturnSpec { name: "before", doc: "The commit before; null for a new checkout." },
        ReturnSpec { name: "after", doc: "The commit after." },
        ReturnSpec { name: "remote_url_changed", doc: "Whether the remote got another URL." },
        ReturnSpec { name: "submodules_changed", doc: "Whether submodules were changed." },
        ReturnSpec { name: "git_dir_before", doc: "Where the repository was, when it was moved." },
        ReturnSpec { name: "git_dir_now", doc: "Where the repository is, when it was moved." },
    ],
    run: Run::Target(plan),
};

impl Git {
    fn check(&self) -> Result<(), Failure> {
        let exclusive = [
            (self.separate_git_dir.is_some() && self.bare, "separate_git_dir|bare"),
            (self.accept_hostkey && self.accept_newhostkey, "accept_hostkey|accept_newhostkey"),
        ];
        if let Some((_, names)) = exclusive.iter().find(|(both, _)| *both) {
            return Err(Failure::new(format!("parameters are mutually exclusive: {names}")));
        }
        if self.archive_prefix.is_some() && self.archive.is_none() {
            return Err(Failure::new("missing parameter(s) required by 'archive_prefix': archive"));
        }
        if let Some(archive) = &self.archive {
            archive::format(&archive.0)?;
        }
        if self.dest.is_none() && self.clone {
            return Err(Failure::new("the destination directory must be specified unless clone=no"));
        }
        Ok(())
    }

    /// The repository's URL: a path on the host is one, too, so that git treats it as a remote.
    fn url(&self) -> String {
        if self.repo.starts_with('/') { format!("file://{}", self.repo) } else { self.repo.clone() }
    }

    /// How much history to fetch, when not all of it.
    fn depth(&self) -> Option<i64> {
        self.depth.filter(|d| *d >= 1)
    }
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Git::parse(args)?;
    args.check()?;
    let tool = Tool::new(&args, host)?;
    let repo = match &args.dest {
        Some(dest) => Repo::find(&args, host, PathBuf::from(&dest.0))?,
        None => None,
    };
    let mut plan = Plan::new();
    match repo {
        None => clone(&args, host, &tool, &mut plan)?,
        Some(repo) if repo.only_planned => return Err(Failure::unknown("the repository was not cloned")),
        Some(repo) => update(&args, host, &tool, repo, &mut plan)?,
    }
    Ok(plan)
}

fn commits(dest: &str, before: &str, after: &str) -> Diff {
    Diff::attribute(format!("git {dest}"), "version", before, after)
}

fn clone(args: &Git, host: &Probe<'_>, tool: &Tool, plan: &mut Plan) -> Result<(), Failure> {
    let remote = Remote::ask(host, tool, &args.url(), &args.version, None)?;
    let after = remote.commit(&args.version)?;
    plan.set("before", Value::Null);
    plan.set("after", after.as_str());
    let Some(dest) = args.dest.as_ref().filter(|_| args.clone) else {
        // Ansible calls it a change that there is something to be cloned.
        plan.step(Step::action([], |_| Ok(crate::module::Done::default())));
        return Ok(());
    };
    let there = host.stat(&dest.0)?;
    let is_free = there.as_ref().is_none_or(|s| s.kind == FileKind::Directory);
    if !is_free || !host.list_dir(&dest.0).unwrap_or_default().is_empty() {
        let why = format!("fatal: destination path '{}' already exists and is not an empty directory.", dest.0);
        return Err(Failure::new(why).with("rc", 128));
    }
    if let Some(separate) = args.separate_git_dir.as_ref().filter(|d| host.exists(&d.0)) {
        return Err(Failure::new(format!("Separate-git-dir path {} already exists.", separate.0)));
    }
    if args.depth().is_some() && remote.is_commit(&args.version) && args.refspec.is_none() {
        plan.warn(
            "Ignoring depth argument. Shallow clones are only available for HEAD, branches, tags or in combination with refspec.",
        );
    }
    let effects = cloned(args, host, &dest.0)?;
    let commands = act::clone(args, tool, &remote, &dest.0, there.is_none());
    plan.step(act::step(tool, args, commands, effects, None).diff(commits(&dest.0, "", &after)));
    if let Some(archive) = &args.archive {
        plan.step(archive::make(args, host, tool, &dest.0, &archive.0)?);
    }
    Ok(())
}

/// What a clone leaves behind, as far as it is known without cloning.
fn cloned(args: &Git, host: &Probe<'_>, dest: &str) -> Result<Vec<Effect>, Failure> {
    let (uid, gid) = host.own_ids();
    let mode = 0o777 & !host.umask();
    let directory = |path: PathBuf| Effect::Directory { path, mode, uid, gid };
    let path = PathBuf::from(dest);
    let mut missing: Vec<PathBuf> = Vec::new();
    for dir in path.ancestors() {
        if host.stat(dir)?.is_some() {
            break;
        }
        missing.insert(0, dir.to_owned());
    }
    let mut effects: Vec<Effect> = missing.into_iter().map(directory).collect();
    let why: Reason = format!("the repository {} was not cloned", args.repo).into();
    let head = if args.bare { path.join("HEAD") } else { path.join(".git") };
    if args.bare || args.separate_git_dir.is_some() {
        let content = crate::sys::Content::Unknown(why.clone());
        effects.push(Effect::File { path: head, content, mode: 0o666 & mode, uid, gid, in_place: false });
    } else {
        effects.push(directory(head));
    }
    effects.push(Effect::MayProvide(why));
    Ok(effects)
}

fn update(args: &Git, host: &Probe<'_>, tool: &Tool, repo: Repo, plan: &mut Plan) -> Result<(), Failure> {
    let dest = repo.path.display().to_string();
    let before = repo.commit(host, tool)?;
    plan.set("before", before.as_str());
    let moved = relocate(args, host, &repo, plan)?;
    if !args.update {
        plan.set("after", before.as_str());
        return archive::plan(args, host, tool, &dest, true, plan);
    }
    let modified = !args.bare && repo.is_modified(host, tool)?;
    if modified && !args.force {
        return Err(Failure::new(format!("Local modifications exist in the destination: {dest} (force=no)."))
            .with("before", before));
    }
    if modified {
        plan.set("msg", format!("Local modifications exist in the destination: {dest}"));
    }
    let url = repo.remote_url(host, tool, &args.remote)?;
    let url_changed = url.as_ref().is_some_and(|url| *url != args.url());
    let remote = Remote::ask(host, tool, &args.url(), &args.version, repo.branch.as_deref())?;
    let wanted = wanted(args, host, tool, &remote, &repo, &before)?;
    // A bare repository has all versions, none of them checked out.
    let at = if args.bare { repo.resolve(host, tool, &args.version).unwrap_or_default() } else { before.clone() };
    let is_behind = wanted != at;
    plan.set("after", if args.bare && !is_behind { before.as_str() } else { wanted.as_str() });
    plan.set("remote_url_changed", url_changed);
    let changed = is_behind || url_changed || modified || url.is_none();
    // A tag or a branch may be new although its commit is not.
    let tip = format!("refs/remotes/{}/{}", args.remote, args.version);
    let unknown = remote.is_tag(&args.version) && repo.resolve(host, tool, &args.version).is_none()
        || !args.bare && remote.is_branch(&args.version) && repo.resolve(host, tool, &tip).is_none();
    let now = act::Now { url: url.as_deref(), fetch: is_behind || unknown, discard: modified };
    let commands = act::update(args, tool, &remote, &repo, &now);
    if changed {
        let effects = [Effect::MayProvide(format!("the checkout {dest} was not updated").into())];
        let mut step = act::step(tool, args, commands, effects.to_vec(), Some(repo.path.clone()));
        if is_behind {
            step = step.diff(commits(&dest, &at, &wanted));
            step = step.diff(repo.log(host, tool, &at, &wanted).map(Diff::Prepared));
        }
        plan.step(step);
    } else if !args.bare && !repo.is_on(&remote, &args.version) {
        // The right commit, but not on the branch that was asked for.
        plan.step(act::step(tool, args, commands, Vec::new(), Some(repo.path.clone())).quiet());
    } else if args.verify_commit && !args.bare {
        act::verify(host, tool, args, &repo.path, &args.version)?;
    }
    if args.recursive && !args.bare && !changed && !moved {
        submodules::plan(args, host, tool, &repo, plan)?;
    }
    archive::plan(args, host, tool, &dest, !changed, plan)
}

/// The commit that the checkout is to be at, in full where it is known here.
fn wanted(
    args: &Git,
    host: &Probe<'_>,
    tool: &Tool,
    remote: &Remote,
    repo: &Repo,
    before: &str,
) -> Result<String, Failure> {
    let found =
        remote.commit(&args.version).or_else(|failure| repo.resolve(host, tool, &args.version).ok_or(failure))?;
    Ok(match found {
        short if before.starts_with(&short) => before.to_owned(),
        short if short.len() < before.len() => repo.resolve(host, tool, &short).unwrap_or(short),
        full => full,
    })
}

/// Moves the repository out of the checkout, where that was asked for.
fn relocate(args: &Git, host: &Probe<'_>, repo: &Repo, plan: &mut Plan) -> Result<bool, Failure> {
    let Some(wanted) = args.separate_git_dir.as_ref().filter(|d| Path::new(&d.0) != repo.git_dir) else {
        return Ok(false);
    };
    if host.exists(&wanted.0) {
        return Err(Failure::new(format!("Separate-git-dir path {} already exists.", wanted.0)));
    }
    let before = repo.git_dir.display().to_string();
    plan.set("git_dir_before", before.as_str());
    plan.set("git_dir_now", wanted.0.as_str());
    plan.step(act::relocate(repo, &wanted.0).diff(Diff::attribute(
        format!("git {}", repo.path.display()),
        "separate_git_dir",
        before,
        wanted.0.as_str(),
    )));
    Ok(true)
}
