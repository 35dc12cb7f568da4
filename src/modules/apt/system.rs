//! The whole host: upgrades, repairs, cleaning.

use super::Apt;
use super::packages::options;
use super::tool::{Tool, failed, output};
use crate::model::{Command, Failure};
use crate::module::{Done, Plan, Step};

/// Plans an upgrade of all packages.
///
/// # Errors
/// When apt cannot do it.
pub(super) fn upgrade(tool: &Tool<'_>) -> Result<Plan, Failure> {
    let mut words = options(tool);
    match tool.args.upgrade() {
        Some("dist" | "full") => words.push("dist-upgrade".to_owned()),
        _ => words.extend(["upgrade".to_owned(), "--with-new-pkgs".to_owned()]),
    }
    let mut plan = tool.run_if_needed(&words)?;
    if let Some(text) = plan.result().get("stdout").cloned() {
        plan.set("msg", text);
    }
    Ok(plan)
}

/// Plans the removal of what is no longer needed.
///
/// # Errors
/// When apt cannot do it.
pub(super) fn autoremove(tool: &Tool<'_>) -> Result<Plan, Failure> {
    let mut words = Vec::new();
    if tool.args.purge {
        words.push("--purge".to_owned());
    }
    words.push("autoremove".to_owned());
    tool.run_if_needed(&words)
}

/// Plans the repair of broken dependencies.
///
/// # Errors
/// When apt cannot do it.
pub(super) fn fixed(tool: &Tool<'_>) -> Result<Plan, Failure> {
    let mut words = options(tool);
    words.extend(["--fix-broken".to_owned(), "install".to_owned()]);
    tool.run_if_needed(&words)
}

/// Plans the removal of package files that can no longer be fetched.
///
/// # Errors
/// When apt cannot say which these are.
pub(super) fn autoclean(tool: &Tool<'_>) -> Result<Plan, Failure> {
    let words = ["autoclean".to_owned()];
    let text = tool.simulate(&words)?;
    let mut plan = Plan::new();
    if text.lines().any(|l| l.starts_with("Del ")) {
        let command = tool.command(&words);
        plan.step(run(command).yields(&["stdout", "stderr"]));
    } else {
        plan.extend([("stdout", text.as_str()), ("stderr", "")].into_iter().collect());
    }
    Ok(plan)
}

/// The step that removes all fetched package files.
pub(super) fn clean(args: &Apt) -> Step {
    let lock = format!("DPkg::Lock::Timeout={}", args.lock_timeout);
    run(Command::new("apt-get").args(["-o", &lock, "clean"]))
}

fn run(command: Command) -> Step {
    Step::action([], move |host| {
        let out = host.run(&command, None)?;
        if out.success() { Ok(Done::with(output(&out))) } else { Err(failed(&command, &out)) }
    })
}
