//! What a repository is: on the host, and at its remote.

use std::path::{Path, PathBuf};

use super::Git;
use crate::model::{Command, Failure, Output, Value};
use crate::sys::Probe;

/// git as a task wants it called.
#[derive(Clone)]
pub(super) struct Tool {
    program: String,
    env: Vec<(String, String)>,
    umask: Option<String>,
}

impl Tool {
    pub(super) fn new(args: &Git, host: &Probe<'_>) -> Result<Self, Failure> {
        let program = match &args.executable {
            Some(path) => Some(PathBuf::from(&path.0)).filter(|p| host.exists(p)),
            None => host.which("git"),
        };
        let Some(program) = program else {
            if let Some(path) = &args.executable {
                return Err(Failure::missing(format!("Failed to find required executable \"{}\"", path.0)));
            }
            let path = host.env("PATH").unwrap_or_default();
            return Err(Failure::missing(format!("Failed to find required executable \"git\" in paths: {path}")));
        };
        let umask = match &args.umask {
            None | Some(Value::Null) => None,
            // YAML reads 0022 as a number.
            Some(Value::Int(bits)) => Some(format!("{bits:o}")),
            Some(other) => Some(other.as_str().unwrap_or_default().to_owned()),
        };
        if umask.as_ref().is_some_and(|u| u.is_empty() || !u.bytes().all(|b| (b'0'..=b'7').contains(&b))) {
            return Err(Failure::new("umask must be an octal integer"));
        }
        let ssh = ssh_command(args, host.env("GIT_SSH_COMMAND"));
        let word = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        // Without the last, looking at a checkout refreshes its index: a plan would write.
        let env = vec![word("GIT_SSH_COMMAND", &ssh), word("LC_ALL", "C.UTF-8"), word("GIT_OPTIONAL_LOCKS", "0")];
        let prompt =
            host.env("GIT_TERMINAL_PROMPT").is_none().then(|| ("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned()));
        Ok(Self { program: program.display().to_string(), env: env.into_iter().chain(prompt).collect(), umask })
    }

    /// A call of git.
    pub(super) fn git<S: Into<String>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let command = match &self.umask {
            None => Command::new(&self.program),
            Some(umask) => {
                Command::new("sh").args(["-c", "umask \"$1\" && shift && exec \"$@\"", "sh", umask, &self.program])
            }
        };
        self.env.iter().fold(command.args(words), |c, (name, value)| c.env(name, value))
    }

    /// A call of git in a checkout.
    pub(super) fn at<S: Into<String>>(&self, dir: &Path, words: impl IntoIterator<Item = S>) -> Command {
        self.git(words).dir(dir.display().to_string())
    }
}

fn ssh_command(args: &Git, outer: Option<String>) -> String {
    let mut words = vec![outer.unwrap_or_else(|| "ssh".to_owned())];
    if let Some(key) = &args.key_file {
        words.push(format!("-i {} -o IdentitiesOnly=yes", quoted(&key.0)));
    }
    words.extend(args.ssh_opts.clone());
    let given = words.join(" ");
    if args.accept_hostkey && !given.contains("StrictHostKeyChecking") {
        words.push("-o StrictHostKeyChecking=no".to_owned());
    }
    if args.accept_newhostkey && !given.contains("StrictHostKeyChecking") {
        words.push("-o StrictHostKeyChecking=accept-new".to_owned());
    }
    if !given.contains("BatchMode") {
        words.push("-o BatchMode=yes".to_owned());
    }
    words.join(" ")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The failure of a call of git, with Ansible's fields.
pub(super) fn failed(message: impl Into<String>, command: &Command, out: &Output) -> Failure {
    Failure::new(message)
        .with("cmd", command.words().join(" "))
        .with("rc", out.code)
        .with("stdout", out.stdout_text())
        .with("stderr", out.stderr_text())
}

/// A repository on the host.
pub(super) struct Repo {
    /// The checkout.
    pub path: PathBuf,
    /// The repository's own directory.
    pub git_dir: PathBuf,
    /// The branch that is checked out; `None` when it is a commit.
    pub branch: Option<String>,
    /// Whether an earlier task of a dry run would have made it.
    pub only_planned: bool,
}

impl Repo {
    /// The repository at a path, when one is there.
    pub(super) fn find(args: &Git, host: &Probe<'_>, path: PathBuf) -> Result<Option<Self>, Failure> {
        let git = if args.bare { path.clone() } else { path.join(".git") };
        let Some(stat) = host.stat(if args.bare { path.join("HEAD") } else { git.clone() })? else { return Ok(None) };
        let only_planned = stat.inode == 0;
        let git_dir = match host.text(&git).filter(|_| !args.bare && !only_planned) {
            // A file that says where the repository is.
            Some(text) => path.join(text.trim().trim_start_matches("gitdir:").trim()),
            None => git,
        };
        if !only_planned && !host.exists(git_dir.join("config")) {
            if git_dir == path.join(".git") || args.bare {
                return Ok(None);
            }
            return Err(Failure::new(
                "Current repo does not have a valid reference to a separate Git dir or it refers to the invalid path",
            )
            .with("gitdir", git_dir.display().to_string()));
        }
        let head = host.text(git_dir.join("HEAD")).unwrap_or_default();
        let branch = head.trim().strip_prefix("ref: refs/heads/").map(str::to_owned);
        Ok(Some(Self { path, git_dir, branch, only_planned }))
    }

    fn ask<const N: usize>(&self, host: &Probe<'_>, tool: &Tool, words: [&str; N]) -> Result<Output, Failure> {
        host.query(&tool.at(&self.path, words))
    }

    /// The commit that is checked out.
    pub(super) fn commit(&self, host: &Probe<'_>, tool: &Tool) -> Result<String, Failure> {
        let out = self.ask(host, tool, ["rev-parse", "HEAD"])?;
        if out.success() {
            return Ok(out.stdout_text().trim().to_owned());
        }
        Err(failed(out.stderr_text().trim(), &tool.git(["rev-parse", "HEAD"]), &out))
    }

    /// Whether files that git knows were changed.
    pub(super) fn is_modified(&self, host: &Probe<'_>, tool: &Tool) -> Result<bool, Failure> {
        let out =
            self.ask(host, tool, ["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=untracked"])?;
        // A submodule at another commit is what updating is for.
        let is_submodule = |path: &str| host.exists(self.path.join(path).join(".git"));
        Ok(out.stdout_text().lines().any(|l| !l.starts_with("??") && !is_submodule(l.get(3..).unwrap_or_default())))
    }

    /// The URL of a remote.
    pub(super) fn remote_url(&self, host: &Probe<'_>, tool: &Tool, remote: &str) -> Result<Option<String>, Failure> {
        let key = format!("remote.{remote}.url");
        let out = self.ask(host, tool, ["config", "--get", &key])?;
        Ok(out.success().then(|| out.stdout_text().trim().to_owned()))
    }

    /// The commit that a name stands for here.
    pub(super) fn resolve(&self, host: &Probe<'_>, tool: &Tool, version: &str) -> Option<String> {
        let name = format!("{version}^{{commit}}");
        let out = self.ask(host, tool, ["rev-parse", "--verify", "--quiet", &name]).ok()?;
        out.success().then(|| out.stdout_text().trim().to_owned())
    }

    /// Whether what is checked out is also what is meant by a version.
    pub(super) fn is_on(&self, remote: &Remote, version: &str) -> bool {
        match (&self.branch, remote.is_branch(version)) {
            (Some(branch), true) => branch == version,
            (None, true) => false,
            (branch, false) => version == "HEAD" || branch.is_none(),
        }
    }

    /// The commits between two, where both are here already.
    pub(super) fn log(&self, host: &Probe<'_>, tool: &Tool, before: &str, after: &str) -> Option<String> {
        if !host.wants_diff() || self.resolve(host, tool, after).is_none() {
            return None;
        }
        let list = |range: String, sign: &str| {
            let out = self.ask(host, tool, ["log", "--oneline", "--no-decorate", &range]).ok()?;
            Some(out.stdout_text().lines().map(|l| format!("{sign}{l}\n")).collect::<String>())
        };
        let text = list(format!("{after}..{before}"), "-")? + &list(format!("{before}..{after}"), "+")?;
        (!text.is_empty()).then_some(text)
    }
}

/// What a remote has of what is asked for.
#[derive(Debug, Default)]
pub(super) struct Remote {
    refs: Vec<(String, String)>,
    branch: Option<String>,
}

impl Remote {
    /// Asks for a version and for HEAD, by one call.
    ///
    /// # Errors
    /// When the remote cannot be reached.
    pub(super) fn ask(
        host: &Probe<'_>,
        tool: &Tool,
        url: &str,
        version: &str,
        branch: Option<&str>,
    ) -> Result<Self, Failure> {
        let branch = branch.filter(|_| version == "HEAD").map(str::to_owned);
        let mut words = vec!["ls-remote".to_owned(), url.to_owned(), "HEAD".to_owned()];
        match (&branch, version) {
            (Some(branch), _) => words.push(format!("refs/heads/{branch}")),
            (None, "HEAD") => {}
            (None, version) => words.extend([
                format!("refs/heads/{version}"),
                format!("refs/tags/{version}"),
                format!("refs/tags/{version}^{{}}"),
            ]),
        }
        let command = tool.git(words);
        let out = host.query(&command)?;
        if !out.success() {
            return Err(failed(out.stderr_text().trim(), &command, &out));
        }
        let text = out.stdout_text();
        let refs = text.lines().filter_map(|l| l.split_once('\t'));
        Ok(Self { refs: refs.map(|(commit, name)| (name.to_owned(), commit.to_owned())).collect(), branch })
    }

    fn get(&self, name: &str) -> Option<String> {
        self.refs.iter().find(|(n, _)| n == name).map(|(_, commit)| commit.clone())
    }

    /// Whether a version is a branch there.
    pub(super) fn is_branch(&self, version: &str) -> bool {
        self.get(&format!("refs/heads/{version}")).is_some()
    }

    /// Whether a version is a tag there.
    pub(super) fn is_tag(&self, version: &str) -> bool {
        self.get(&format!("refs/tags/{version}")).is_some()
    }

    /// Whether a version can only be a commit.
    pub(super) fn is_commit(&self, version: &str) -> bool {
        version != "HEAD" && !self.is_branch(version) && !self.is_tag(version) && is_hash(version)
    }

    /// The commit that a version is.
    ///
    /// # Errors
    /// When the remote has nothing of that name.
    pub(super) fn commit(&self, version: &str) -> Result<String, Failure> {
        let found = match (version, &self.branch) {
            ("HEAD", Some(branch)) => self.get(&format!("refs/heads/{branch}")),
            ("HEAD", None) => self.get("HEAD"),
            _ => self
                .get(&format!("refs/heads/{version}"))
                .or_else(|| self.get(&format!("refs/tags/{version}^{{}}")))
                .or_else(|| self.get(&format!("refs/tags/{version}"))),
        };
        let commit = found.or_else(|| is_hash(version).then(|| version.to_owned()));
        commit.ok_or_else(|| {
            if version == "HEAD" {
                Failure::new("Could not determine remote revision for HEAD")
            } else {
                Failure::new(format!("Failed to checkout {version}"))
            }
        })
    }
}

/// A commit's name, which may be abbreviated.
fn is_hash(version: &str) -> bool {
    (7..=40).contains(&version.len()) && version.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_branches_tags_or_commits() {
        let refs = [("HEAD", "a"), ("refs/heads/main", "b"), ("refs/tags/v1", "c"), ("refs/tags/v1^{}", "d")];
        let refs = refs.map(|(n, c)| (n.to_owned(), c.to_owned())).to_vec();
        let remote = Remote { refs, branch: None };
        assert_eq!(remote.commit("HEAD").unwrap(), "a");
        assert_eq!(remote.commit("main").unwrap(), "b");
        assert_eq!(remote.commit("v1").unwrap(), "d");
        assert!(remote.is_branch("main") && remote.is_tag("v1") && !remote.is_commit("v1"));
        assert_eq!(remote.commit("nosuch").unwrap_err().message, "Failed to checkout nosuch");
        let hash = "0123456789012345678901234567890123456789";
        assert_eq!(remote.commit(hash).unwrap(), hash);
    }
}
