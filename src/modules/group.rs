//! `group`: groups, by the host's groupadd, groupmod and groupdel.

use super::ids::LoginDefs;
use crate::args;
use crate::model::{Attribute, Command, Diff, Failure, Map, Output};
use crate::module::{Arguments, Done, Kind, Module, Plan, ReturnSpec, Run, Step};
use crate::sys::{self, Effect, Host, Probe};

args! {
    /// Arguments of `group`.
    pub struct Group {
        /// Its name.
        [required]
        name: String,
        /// Whether it is to be there.
        [choices "absent" "present"]
        state: String = "present".to_owned(),
        /// Its id.
        gid: Option<i64>,
        /// Take an id from the range of system groups, when it is made.
        system: bool = false,
        /// Allow an id that another group has. Needs `gid`.
        non_unique: bool = false,
        /// Remove it though it is a user's primary group.
        force: bool = false,
        /// The lowest id to choose from.
        gid_min: Option<i64>,
        /// The highest id to choose from.
        gid_max: Option<i64>,
        /// Only local groups: what groupadd makes is local; libuser's lgroupadd is not used.
        [refused "libuser's lgroupadd is not driven; groupadd changes local groups"]
        local: Option<bool>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "group",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::State,
    doc: "Add or remove groups.",
    args: Group::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "name", doc: "Its name." },
        ReturnSpec { name: "state", doc: "Whether it is there." },
        ReturnSpec { name: "gid", doc: "Its id." },
        ReturnSpec { name: "system", doc: "Whether it was asked for as a system group." },
    ],
    run: Run::Target(plan),
};

/// A program of the account tools; its failure carries what it printed, as Ansible's does.
pub(super) fn run(command: Command, name: String, effects: impl IntoIterator<Item = Effect>) -> Step {
    Step::action(effects, move |host| done(host, &command, &name))
}

/// Runs a program that must succeed.
pub(super) fn done(host: &mut Host<'_>, command: &Command, name: &str) -> Result<Done, Failure> {
    let out = host.run(command, None)?;
    if out.success() { Ok(printed(&out)) } else { Err(failed(name, &out)) }
}

fn printed(out: &Output) -> Done {
    let texts = [("stdout", out.stdout_text()), ("stderr", out.stderr_text())];
    Done::with(texts.into_iter().filter(|(_, text)| !text.is_empty()).collect())
}

fn failed(name: &str, out: &Output) -> Failure {
    Failure::new(out.stderr_text()).with("name", name).with("rc", out.code)
}

/// Fails when a tool is not there, in Ansible's words.
pub(super) fn need(host: &Probe<'_>, program: &str) -> Result<(), Failure> {
    match host.which(program) {
        Some(_) => Ok(()),
        None => Err(Failure::missing(format!("Failed to find required executable \"{program}\" in paths"))),
    }
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Group::parse(args)?;
    if args.non_unique && args.gid.is_none() {
        return Err(Failure::new("non_unique is True but all of the following are missing: gid"));
    }
    let gid = args.gid.map(u32::try_from).transpose().map_err(|_| Failure::new("gid must be a positive number"))?;
    let mut plan = Plan::new().with("name", args.name.as_str()).with("state", args.state.as_str());
    let there = host.group(&args.name);
    if args.state == "absent" {
        if there.is_some() {
            plan.step(remove(&args, host)?);
        }
        return Ok(plan);
    }
    plan.set("system", args.system);
    match there {
        None => plan.step(add(&args, gid, host)?),
        Some(group) => {
            if let Some(gid) = gid.filter(|gid| *gid != group.gid) {
                plan.step(change(&args, gid, group, host)?);
            }
        }
    }
    let name = args.name;
    plan.after(move |host| Ok(host.group(&name).map(|g| ("gid", g.gid)).into_iter().collect()));
    Ok(plan)
}

fn state(name: &str, before: &str, after: &str) -> Diff {
    Diff::attribute(format!("group {name}"), "state", before, after)
}

fn remove(args: &Group, host: &Probe<'_>) -> Result<Step, Failure> {
    need(host, "groupdel")?;
    let gid = host.group(&args.name).map(|g| g.gid);
    if let Some(user) = host.users().into_iter().find(|u| Some(u.gid) == gid).filter(|_| !args.force) {
        let why = format!("groupdel: cannot remove the primary group of user '{}'\n", user.name);
        return Err(Failure::new(why).with("name", args.name.as_str()));
    }
    let mut command = Command::new("groupdel");
    if args.force {
        command = command.arg("-f");
    }
    let effect = Effect::NoGroup(args.name.clone());
    let step = run(command.arg(&args.name), args.name.clone(), [effect]);
    Ok(step.diff(state(&args.name, "present", "absent")))
}

fn add(args: &Group, gid: Option<u32>, host: &Probe<'_>) -> Result<Step, Failure> {
    need(host, "groupadd")?;
    let mut defs = LoginDefs::read(host);
    for (name, value) in [("GID_MIN", args.gid_min), ("GID_MAX", args.gid_max)] {
        if let Some(value) = value {
            defs.set(name, value.to_string());
        }
    }
    let mut command = Command::new("groupadd");
    if let Some(gid) = gid {
        command = command.args(["-g", &gid.to_string()]);
        if args.non_unique {
            command = command.arg("-o");
        }
    }
    if args.system {
        command = command.arg("-r");
    }
    command = command.args(defs.arguments()).arg(&args.name);
    let taken = gid.filter(|_| !args.non_unique).and_then(|gid| host.group_by_id(gid).map(|_| gid));
    if let Some(gid) = taken {
        return Err(Failure::new(format!("groupadd: GID '{gid}' already exists\n")).with("name", args.name.as_str()));
    }
    let gid = gid.or_else(|| defs.next_gid(host, args.system, None)).unwrap_or(0);
    let group = sys::Group { name: args.name.clone(), gid, members: Vec::new() };
    let step = run(command, args.name.clone(), [Effect::Group(group)]);
    Ok(step.diff(state(&args.name, "absent", "present")))
}

fn change(args: &Group, gid: u32, group: sys::Group, host: &Probe<'_>) -> Result<Step, Failure> {
    need(host, "groupmod")?;
    let mut command = Command::new("groupmod").args(["-g", &gid.to_string()]);
    if args.non_unique {
        command = command.arg("-o");
    } else if host.group_by_id(gid).is_some() {
        return Err(Failure::new(format!("groupmod: GID '{gid}' already exists\n")).with("name", args.name.as_str()));
    }
    let changes = vec![Attribute::new("gid", group.gid.to_string(), gid.to_string())];
    let diff = Diff::Attributes { subject: format!("group {}", args.name), changes };
    let effect = Effect::Group(sys::Group { gid, ..group });
    Ok(run(command.arg(&args.name), args.name.clone(), [effect]).diff(diff))
}
