//! Submodules: whether they are where they should be, and bringing them there.

use std::path::Path;

use super::Git;
use super::repo::{Repo, Tool, failed};
use crate::model::{Diff, Failure, Map};
use crate::module::{Done, Plan, Step};
use crate::sys::{Host, Probe};

/// Plans an update of submodules in a checkout that is at the right commit itself.
///
/// # Errors
/// When git cannot say where they are.
pub(super) fn plan(args: &Git, host: &Probe<'_>, tool: &Tool, repo: &Repo, plan: &mut Plan) -> Result<(), Failure> {
    if !host.exists(repo.path.join(".gitmodules")) {
        return Ok(());
    }
    let command = tool.at(&repo.path, ["submodule", "status", "--recursive"]);
    let out = host.query(&command)?;
    if !out.success() {
        return Err(failed("Unable to determine hashes of submodules", &command, &out));
    }
    let text = out.stdout_text();
    let stale: Vec<String> = if args.track_submodules {
        behind(host, tool, repo, &text)?
    } else {
        text.lines().filter(|l| !l.starts_with(' ')).map(|l| l.trim().to_owned()).collect()
    };
    if stale.is_empty() {
        return Ok(());
    }
    let (path, tool, args) = (repo.path.clone(), tool.clone(), args.clone());
    let diff = Diff::attribute(format!("git {}", path.display()), "submodules", stale.join(", "), "updated");
    let step = Step::action([], move |host| {
        update(host, &tool, &args, &path)?;
        Ok(Done::with(Map::from_iter([("submodules_changed", true)])))
    });
    plan.step(step.diff(diff));
    Ok(())
}

/// Submodules that are not at the tip of the branch that they follow.
fn behind(host: &Probe<'_>, tool: &Tool, repo: &Repo, status: &str) -> Result<Vec<String>, Failure> {
    let ask = |words: &[&str]| {
        Ok::<_, Failure>(host.query(&tool.at(&repo.path, words.iter().copied()))?.stdout_text().trim().to_owned())
    };
    let mut found = Vec::new();
    let list = ask(&["config", "-f", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$"])?;
    for (key, path) in list.lines().filter_map(|l| l.split_once(' ')) {
        let name = key.trim_start_matches("submodule.").trim_end_matches(".path");
        let now = status.lines().find(|l| l.split_whitespace().nth(1) == Some(path));
        let commit = now.and_then(|l| l.get(1..)?.split_whitespace().next());
        let url = ask(&["config", "--get", &format!("submodule.{name}.url")])?;
        let branch = ask(&["config", "-f", ".gitmodules", "--get", &format!("submodule.{name}.branch")])?;
        let wanted = match branch.as_str() {
            "" => "HEAD".to_owned(),
            "." => format!("refs/heads/{}", repo.branch.as_deref().unwrap_or("master")),
            branch => format!("refs/heads/{branch}"),
        };
        let tip = if url.is_empty() { String::new() } else { ask(&["ls-remote", &url, &wanted])? };
        let tip = tip.split_whitespace().next().map(str::to_owned);
        if url.is_empty() || now.is_some_and(|l| l.starts_with('-')) || tip.as_deref() != commit {
            found.push(path.to_owned());
        }
    }
    Ok(found)
}

/// Brings submodules where they belong; says whether that changed any.
///
/// # Errors
/// When git fails.
pub(super) fn update(host: &mut Host<'_>, tool: &Tool, args: &Git, path: &Path) -> Result<bool, Failure> {
    if !host.probe().exists(path.join(".gitmodules")) {
        return Ok(false);
    }
    let status = |host: &mut Host<'_>| host.run(&tool.at(path, ["submodule", "status", "--recursive"]), None);
    let before = status(host)?.stdout_text();
    let mut words = vec!["submodule", "update", "--init", "--recursive"];
    if args.track_submodules {
        words.push("--remote");
    }
    if args.force {
        words.push("--force");
    }
    for words in [vec!["submodule", "sync"], words] {
        let command = tool.at(path, words);
        let out = host.run(&command, None)?;
        if !out.success() {
            return Err(failed(
                "Failed to init/update submodules: ".to_owned() + out.stderr_text().trim(),
                &command,
                &out,
            ));
        }
    }
    Ok(status(host)?.stdout_text() != before)
}
