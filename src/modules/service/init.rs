//! Services by their scripts in /etc/init.d, on hosts without systemd.

use std::time::Duration;

use super::Service;
use crate::model::{Command, Diff, Failure};
use crate::module::{Done, Plan, Step};
use crate::sys::{Effect, Probe};

/// Plans what is to be done with a service.
///
/// # Errors
/// When it has no script, or nothing is there that could enable it.
pub(super) fn plan(args: &Service, host: &Probe<'_>) -> Result<Plan, Failure> {
    if args.daemon_reload || args.daemon_reexec || args.masked.is_some() || args.scope != "system" {
        return Err(Failure::new("daemon_reload, daemon_reexec, masked and scope need a host with systemd"));
    }
    let script = format!("/etc/init.d/{}", args.name);
    if host.stat(&script)?.is_none() {
        return Err(Failure::missing(format!("Could not find the requested service {}: host", args.name)));
    }
    let mut plan = Plan::new().with("name", args.name.as_str());
    enable(args, host, &mut plan)?;
    state(args, host, &script, &mut plan)?;
    Ok(plan)
}

fn unit(args: &Service, active: Option<bool>, enabled: Option<bool>) -> Effect {
    Effect::Unit { name: format!("{}.service", args.name), active, enabled }
}

fn step(args: &Service, commands: Vec<Command>, what: &str, effect: Effect, (before, after): (&str, &str)) -> Step {
    let (name, verb) = (args.name.clone(), what.to_owned());
    let pause = args.sleep.and_then(|s| u64::try_from(s).ok()).map(Duration::from_secs);
    Step::action([effect], move |host| {
        for (i, command) in commands.iter().enumerate() {
            if let Some(pause) = pause.filter(|_| i > 0) {
                std::thread::sleep(pause);
            }
            let out = host.run(command, None)?;
            if !out.success() {
                return Err(Failure::new(format!("Unable to {verb} service {name}: {}", out.stderr_text().trim())));
            }
        }
        Ok(Done::default())
    })
    .diff(Diff::attribute(format!("service {}", args.name), what, before, after))
}

fn state(args: &Service, host: &Probe<'_>, script: &str, plan: &mut Plan) -> Result<(), Failure> {
    let Some(state) = args.state.as_deref() else { return Ok(()) };
    let call = |verb: &str| Command::new(script).arg(verb).args(args.arguments.split_whitespace().map(str::to_owned));
    let planned = host.planned_unit(&format!("{}.service", args.name)).0;
    let running = match (planned, &args.pattern) {
        (Some(planned), _) => planned,
        (None, Some(pattern)) => runs(host, pattern),
        (None, None) => host.query(&call("status"))?.success(),
    };
    plan.set("state", if state == "stopped" { "stopped" } else { "started" });
    let commands = match state {
        "started" if running => return Ok(()),
        "stopped" if !running => return Ok(()),
        "stopped" => vec![call("stop")],
        "reloaded" if running => vec![call("reload")],
        "restarted" if args.sleep.is_some() && running => vec![call("stop"), call("start")],
        "restarted" => vec![call("restart")],
        _ => vec![call("start")],
    };
    let effect = unit(args, Some(state != "stopped"), None);
    let before = if running { "started" } else { "stopped" };
    plan.step(step(args, commands, "state", effect, (before, state)));
    Ok(())
}

/// Whether a process has this text in its command line.
fn runs(host: &Probe<'_>, pattern: &str) -> bool {
    let own = std::process::id().to_string();
    let pids = host.names("/proc").into_iter().filter(|n| n.bytes().all(|b| b.is_ascii_digit()) && *n != own);
    pids.into_iter()
        .any(|pid| host.line(format!("/proc/{pid}/cmdline")).is_some_and(|c| c.replace('\0', " ").contains(pattern)))
}

fn enable(args: &Service, host: &Probe<'_>, plan: &mut Plan) -> Result<(), Failure> {
    let Some(wanted) = args.enabled else { return Ok(()) };
    plan.set("enabled", wanted);
    let name = args.name.as_str();
    let openrc = host.which("rc-update").is_some();
    let linked = || {
        let levels = ["2", "3", "4", "5"].map(|n| format!("/etc/rc{n}.d"));
        levels.iter().any(|dir| host.names(dir).iter().any(|f| f.starts_with('S') && f.get(3..) == Some(name)))
    };
    let planned = host.planned_unit(&format!("{name}.service")).1;
    let enabled = planned.unwrap_or_else(|| {
        if openrc { host.exists(format!("/etc/runlevels/{}/{name}", args.runlevel)) } else { linked() }
    });
    if enabled == wanted {
        return Ok(());
    }
    let commands = if openrc {
        let verb = if wanted { "add" } else { "del" };
        vec![Command::new("rc-update").args([verb, name, &args.runlevel])]
    } else if host.which("update-rc.d").is_some() {
        let verbs: &[&str] = if wanted { &["defaults", "enable"] } else { &["disable"] };
        verbs.iter().map(|verb| Command::new("update-rc.d").args([name, verb])).collect()
    } else if host.which("chkconfig").is_some() {
        vec![Command::new("chkconfig").args([name, if wanted { "on" } else { "off" }])]
    } else {
        return Err(Failure::missing(format!(
            "cannot enable service {name}: neither rc-update, update-rc.d nor chkconfig is there"
        )));
    };
    let effect = unit(args, None, Some(wanted));
    plan.step(step(
        args,
        commands,
        "enabled",
        effect,
        (if enabled { "true" } else { "false" }, if wanted { "true" } else { "false" }),
    ));
    Ok(())
}
