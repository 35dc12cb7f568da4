//! `systemd_service`: units of systemd (services, timers, sockets …).

mod unit;

use crate::args;
use crate::model::{Command, Diff, Failure, Map};
use crate::module::{Arguments, Done, Kind, Module, Plan, ReturnSpec, Run, Step};
use crate::sys::{Effect, Probe};
use unit::Unit;

args! {
    /// Arguments of `systemd_service`.
    pub struct Systemd {
        /// The unit; `.service` is understood where no suffix is given.
        [aliases "service" "unit"]
        name: Option<String>,
        /// Whether it is to run. `restarted` and `reloaded` act each time, and start what does not run.
        [choices "reloaded" "restarted" "started" "stopped"]
        state: Option<String>,
        /// Whether it is to start at boot.
        enabled: Option<bool>,
        /// Replace links that are in the way when enabling.
        force: Option<bool>,
        /// Whether it is to be impossible to start.
        masked: Option<bool>,
        /// Have systemd read unit files again first.
        [aliases "daemon-reload"]
        daemon_reload: bool = false,
        /// Have systemd execute itself again first.
        [aliases "daemon-reexec"]
        daemon_reexec: bool = false,
        /// The system's manager, the current user's, or the settings for all users.
        [choices "system" "user" "global"]
        scope: String = "system".to_owned(),
        /// Do not wait until it is done.
        no_block: bool = false,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "systemd",
    aliases: &["systemd_service"],
    collection: "ansible.builtin",
    kind: Kind::State,
    doc: "Manage units of systemd.",
    args: Systemd::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: RETURNS,
    run: Run::Target(plan),
};

/// What the modules that manage services return.
pub(super) const RETURNS: &[ReturnSpec] = &[
    ReturnSpec { name: "name", doc: "The unit." },
    ReturnSpec { name: "state", doc: "`started` or `stopped`, as asked for." },
    ReturnSpec { name: "enabled", doc: "Whether it starts at boot." },
    ReturnSpec { name: "status", doc: "What `systemctl show` said of it before." },
];

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    plan_unit(&Systemd::parse(args)?, host)
}

impl Systemd {
    fn check(&self) -> Result<(), Failure> {
        let parts =
            [("state", self.state.is_some()), ("enabled", self.enabled.is_some()), ("masked", self.masked.is_some())];
        if !parts.iter().any(|(_, given)| *given) && !self.daemon_reload && !self.daemon_reexec {
            return Err(Failure::new(
                "one of the following is required: state, enabled, masked, daemon_reload, daemon_reexec",
            ));
        }
        let Some(name) = &self.name else {
            return match parts.iter().find(|(_, given)| *given) {
                Some((part, _)) => Err(Failure::new(format!("missing parameter(s) required by '{part}': name"))),
                None => Ok(()),
            };
        };
        match name.chars().find(|c| matches!(c, '*' | '?' | '[')) {
            Some(c) => Err(Failure::new(format!(
                "This module does not currently support using glob patterns, found '{c}' in service name: {name}"
            ))),
            None => Ok(()),
        }
    }

    /// `systemctl` with what goes before its verb.
    fn systemctl(&self, host: &Probe<'_>) -> Command {
        let mut command = Command::new("systemctl");
        if self.scope != "system" {
            command = command.arg(format!("--{}", self.scope));
            if host.env("XDG_RUNTIME_DIR").is_none() {
                command = command.env("XDG_RUNTIME_DIR", format!("/run/user/{}", host.ids().euid));
            }
        }
        if self.no_block {
            command = command.arg("--no-block");
        }
        if self.force == Some(true) {
            command = command.arg("--force");
        }
        command
    }
}

/// Plans what is to be done with a unit.
///
/// # Errors
/// When it is not there, or systemd cannot be asked.
pub(super) fn plan_unit(args: &Systemd, host: &Probe<'_>) -> Result<Plan, Failure> {
    args.check()?;
    if host.which("systemctl").is_none() {
        return Err(Failure::missing("Failed to find required executable \"systemctl\" in paths"));
    }
    let mut plan = Plan::new();
    for (wanted, verb) in [(args.daemon_reexec, "daemon-reexec"), (args.daemon_reload, "daemon-reload")] {
        if wanted {
            let command = args.systemctl(host).arg(verb);
            plan.step(run(command, move |code, why| format!("failure {code} during {verb}: {why}"), []).quiet());
        }
    }
    let Some(name) = &args.name else {
        return Ok(plan.with("status", Map::new()));
    };
    plan.set("name", name.as_str());
    let unit = Unit::read(host, name, &args.systemctl(host))?;
    plan.set("status", unit.status.clone());
    mask(args, host, &unit, &mut plan)?;
    enable(args, host, &unit, &mut plan)?;
    set_state(args, host, &unit, &mut plan)?;
    Ok(plan)
}

/// A step that runs systemctl; `message` words its failure.
fn run(
    command: Command,
    message: impl FnOnce(i32, &str) -> String + 'static,
    effects: impl IntoIterator<Item = Effect>,
) -> Step {
    Step::action(effects, move |host| {
        let out = host.run(&command, None)?;
        if out.success() {
            return Ok(Done::default());
        }
        Err(Failure::new(message(out.code, &out.stderr_text())))
    })
}

fn change(unit: &Unit, what: &str, before: impl Into<String>, after: impl Into<String>) -> Diff {
    Diff::attribute(format!("unit {}", unit.id), what, before, after)
}

fn mask(args: &Systemd, host: &Probe<'_>, unit: &Unit, plan: &mut Plan) -> Result<(), Failure> {
    let Some(wanted) = args.masked.filter(|wanted| *wanted != unit.masked) else { return Ok(()) };
    if !unit.found && !wanted {
        return unit.must_exist();
    }
    let verb = if wanted { "mask" } else { "unmask" };
    let command = args.systemctl(host).args([verb, &unit.name]);
    let name = unit.name.clone();
    let step = run(command, move |_, why| format!("Unable to {verb} service {name}: {why}"), []);
    plan.step(step.diff(change(unit, "masked", unit.masked.to_string(), wanted.to_string())));
    Ok(())
}

fn enable(args: &Systemd, host: &Probe<'_>, unit: &Unit, plan: &mut Plan) -> Result<(), Failure> {
    let Some(wanted) = args.enabled else { return Ok(()) };
    unit.must_exist()?;
    plan.set("enabled", wanted);
    if wanted == unit.enabled {
        return Ok(());
    }
    let verb = if wanted { "enable" } else { "disable" };
    let command = args.systemctl(host).args([verb, &unit.name]);
    let name = unit.name.clone();
    let effect = Effect::Unit { name: unit.id.clone(), active: None, enabled: Some(wanted) };
    let step = run(command, move |_, why| format!("Unable to {verb} service {name}: {why}"), [effect]);
    plan.step(step.diff(change(unit, "enabled", unit.enabled.to_string(), wanted.to_string())));
    Ok(())
}

fn set_state(args: &Systemd, host: &Probe<'_>, unit: &Unit, plan: &mut Plan) -> Result<(), Failure> {
    let Some(state) = args.state.as_deref() else { return Ok(()) };
    unit.must_exist()?;
    plan.set("state", if state == "stopped" { "stopped" } else { "started" });
    if args.masked == Some(true) && state != "stopped" {
        return Err(Failure::new(format!("Unable to start service {}: Unit {} is masked.", unit.name, unit.id)));
    }
    let verb = match state {
        "started" if unit.active => return Ok(()),
        "stopped" if !unit.active && !unit.deactivating => return Ok(()),
        "stopped" => "stop",
        "restarted" if unit.active => "restart",
        "reloaded" if unit.active => "reload",
        _ => "start",
    };
    let command = args.systemctl(host).args([verb, &unit.name]);
    let name = unit.name.clone();
    let effect = Effect::Unit { name: unit.id.clone(), active: Some(verb != "stop"), enabled: None };
    let step = run(command, move |_, why| format!("Unable to {verb} service {name}: {why}"), [effect]);
    let before = if unit.active { "started" } else { "stopped" };
    plan.step(step.diff(change(unit, "state", before, state)));
    Ok(())
}
