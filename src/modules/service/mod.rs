//! `service`: services by whatever manages them on a host.

mod init;

use super::systemd::{self, Systemd};
use crate::args;
use crate::model::{Failure, Map};
use crate::module::{Arguments, Kind, Module, Plan, Run};
use crate::sys::Probe;

args! {
    /// Arguments of `service`.
    pub struct Service {
        /// The service.
        [required]
        name: String,
        /// Whether it is to run. `restarted` and `reloaded` act each time.
        [choices "reloaded" "restarted" "started" "stopped"]
        state: Option<String>,
        /// Whether it is to start at boot.
        enabled: Option<bool>,
        /// What manages services: `auto` finds out; `systemd`, `sysvinit`, `openrc` and `service` say.
        r#use: String = "auto".to_owned(),
        /// Text that the command line of its process has, where its script has no `status`. Not with systemd.
        pattern: Option<String>,
        /// Seconds between stop and start of a restart. Not with systemd.
        sleep: Option<i64>,
        /// The runlevel, for OpenRC.
        runlevel: String = "default".to_owned(),
        /// Arguments for its script. Not with systemd.
        [aliases "args"]
        arguments: String = String::new(),
        /// With systemd, as for `systemd_service`.
        [aliases "daemon-reload"]
        daemon_reload: bool = false,
        /// With systemd, as for `systemd_service`.
        [aliases "daemon-reexec"]
        daemon_reexec: bool = false,
        /// With systemd, as for `systemd_service`.
        masked: Option<bool>,
        /// With systemd, as for `systemd_service`.
        force: Option<bool>,
        /// With systemd, as for `systemd_service`.
        no_block: bool = false,
        /// With systemd, as for `systemd_service`.
        [choices "system" "user" "global"]
        scope: String = "system".to_owned(),
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "service",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::State,
    doc: "Manage services.",
    args: Service::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: systemd::RETURNS,
    run: Run::Target(plan),
};

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = Service::parse(args)?;
    if args.state.is_none() && args.enabled.is_none() && args.masked.is_none() && !args.daemon_reload {
        return Err(Failure::new("one of the following is required: state, enabled"));
    }
    let booted = host.exists("/run/systemd/system");
    match args.r#use.rsplit('.').next().unwrap_or_default() {
        "auto" | "service" if booted => with_systemd(args, host),
        "systemd" | "systemd_service" => with_systemd(args, host),
        "auto" | "service" | "sysvinit" | "openrc" => init::plan(&args, host),
        other => Err(Failure::new(format!(
            "service manager '{other}' is not supported; supported are systemd, sysvinit and openrc"
        ))),
    }
}

fn with_systemd(args: Service, host: &Probe<'_>) -> Result<Plan, Failure> {
    let ignored = [
        ("pattern", args.pattern.is_some()),
        ("runlevel", args.runlevel != "default"),
        ("sleep", args.sleep.is_some()),
        ("arguments", !args.arguments.is_empty()),
    ];
    let systemd = Systemd {
        name: Some(args.name),
        state: args.state,
        enabled: args.enabled,
        force: args.force,
        masked: args.masked,
        daemon_reload: args.daemon_reload,
        daemon_reexec: args.daemon_reexec,
        scope: args.scope,
        no_block: args.no_block,
    };
    let mut plan = systemd::plan_unit(&systemd, host)?;
    for (name, _) in ignored.iter().filter(|(_, given)| *given) {
        plan.warn(format!("Ignoring \"{name}\" as it is not used in \"systemd\""));
    }
    Ok(plan)
}
