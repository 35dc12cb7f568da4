//! `async_status`: what has become of a task in the background.

use std::path::{Path, PathBuf};

use super::json;
use crate::args;
use crate::model::{Failure, Map, Value};
use crate::module::{Arguments, Kind, Module, Plan, ReturnSpec, Run, Step};
use crate::sys::{self, Effect, Probe};

args! {
    /// Arguments of `async_status`.
    pub struct AsyncStatus {
        /// The job's name, as the task that started it returned it.
        [required]
        jid: String,
        /// `status` asks for its result, `cleanup` removes the file that holds it.
        [choices "status" "cleanup"]
        mode: String = "status".to_owned(),
        /// Where jobs leave their results; set by the variable `ansible_async_dir`.
        _async_dir: String = "~/.ansible_async".to_owned(),
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "async_status",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::Action,
    doc: "Tell what has become of a task in the background.",
    args: AsyncStatus::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "ansible_job_id", doc: "The job's name." },
        ReturnSpec { name: "started", doc: "Whether it has begun." },
        ReturnSpec { name: "finished", doc: "Whether it has ended; then all that its module returned is here too." },
        ReturnSpec { name: "results_file", doc: "The file that holds its result." },
        ReturnSpec { name: "erased", doc: "The file that `cleanup` removed." },
    ],
    run: Run::Target(plan),
};

/// A path with the home directory for `~`.
pub fn expand(path: &str) -> PathBuf {
    PathBuf::from(sys::expand_home(path, std::env::var("HOME").ok()))
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = AsyncStatus::parse(args)?;
    let dir = expand(&args._async_dir);
    // A job's name is a file's, not a way out of the directory.
    let name = Path::new(&args.jid).file_name().ok_or_else(|| Failure::new("jid is not the name of a job"))?;
    let file = dir.join(name);
    let shown = file.to_string_lossy().into_owned();
    if host.lstat(&file)?.is_none() {
        return Err(Failure::new("could not find job")
            .with("ansible_job_id", args.jid)
            .with("started", true)
            .with("finished", true)
            .with("results_file", shown)
            .with("stdout", "")
            .with("stderr", ""));
    }
    let empty = |plan: Plan| plan.with("ansible_job_id", args.jid.as_str()).with("stdout", "").with("stderr", "");
    if args.mode == "cleanup" {
        let mut plan = empty(Plan::new()).with("started", false).with("finished", false).with("erased", shown.as_str());
        plan.step(Step::effect(Effect::Remove { path: file }).quiet());
        return Ok(plan);
    }
    let text = String::from_utf8_lossy(&host.read(&file)?).into_owned();
    let found = json::parse(&text).and_then(|value| value.as_map().cloned());
    let Some(mut job) = found else {
        return Err(Failure::new(format!("Could not parse job output: {text}"))
            .with("ansible_job_id", args.jid)
            .with("started", true)
            .with("finished", true));
    };
    let flag = |name: &str| job.get(name).and_then(Value::as_bool).unwrap_or(false);
    let (changed, failed) = (flag("changed"), flag("failed"));
    job.remove("failed");
    if failed {
        let words = job.get("msg").and_then(Value::as_str).unwrap_or("the task failed").to_owned();
        return Err(Failure { fields: job, ..Failure::new(words) });
    }
    job.remove("changed");
    let mut plan = empty(Plan::new());
    plan.extend(job);
    Ok(plan.changed(changed))
}
