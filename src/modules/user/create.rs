//! New accounts.

use std::path::Path;

use super::{User, diff, group, home, need, run, shadow};
use crate::model::{Attribute, Command, Failure};
use crate::module::Plan;
use crate::modules::ids::LoginDefs;
use crate::sys::{self, Effect, Probe};

/// Plans a new account; returns it as it will be.
///
/// # Errors
/// When a group is not there or an id is taken.
pub(super) fn plan(args: &User, host: &Probe<'_>, plan: &mut Plan) -> Result<sys::User, Failure> {
    need(host, "useradd")?;
    let defs = args.login_defs(host);
    let groups = args.groups(host)?;
    let (user, own_group) = predict(args, host, &defs)?;
    let mut effects = vec![];
    effects.extend(own_group.clone().map(Effect::Group));
    effects.push(Effect::User(user.clone()));
    for name in groups.iter().flatten() {
        effects.extend(joined(host, name, &args.name));
    }
    if args.create_home {
        for dir in home::missing_parents(host, Path::new(&user.home))? {
            plan.step(crate::module::Step::effect(Effect::Directory { path: dir, mode: 0o755, uid: 0, gid: 0 }));
        }
        effects.extend(home::effects(args, host, &user, &defs)?);
    }
    let command = command(args, host, &defs, groups.as_deref())?;
    let changes = vec![Attribute::new("state", "absent", "present")];
    plan.step(run(command, args.name.clone(), effects).diff(diff(&args.name, changes)));
    if let Some((command, changes)) = shadow::chage(args, &shadow::fresh(&defs)) {
        plan.step(run(command, args.name.clone(), []).diff(diff(&args.name, changes)));
    }
    if args.password_lock == Some(true) && args.password.is_none() {
        plan.step(run(Command::new("usermod").args(["-L", &args.name]), args.name.clone(), []));
    }
    plan.set("system", args.system);
    plan.set("create_home", args.create_home);
    Ok(user)
}

/// The group with the user among its members.
pub(super) fn joined(host: &Probe<'_>, group: &str, user: &str) -> Option<Effect> {
    let mut group = host.group(group)?;
    if !group.members.iter().any(|m| m == user) {
        group.members.push(user.to_owned());
    }
    Some(Effect::Group(group))
}

/// The account as useradd will make it, and the group that it makes along with it.
fn predict(args: &User, host: &Probe<'_>, defs: &LoginDefs) -> Result<(sys::User, Option<sys::Group>), Failure> {
    let uid = match args.uid()? {
        Some(uid) => {
            if !args.non_unique && host.user_by_id(uid).is_some() {
                return Err(Failure::new(format!("useradd: UID {uid} is not unique\n"))
                    .with("name", args.name.as_str())
                    .with("rc", 4));
            }
            uid
        }
        None => defs.next_uid(host, args.system).ok_or_else(|| Failure::new("useradd: no user id is free"))?,
    };
    let mut own = None;
    let gid = if let Some(name) = &args.group {
        group(host, name)?.gid
    } else if host.group(&args.name).is_some() || defs.get("USERGROUPS_ENAB") == Some("no") {
        let name = home::default(host, "GROUP").unwrap_or_else(|| "100".to_owned());
        group(host, &name)?.gid
    } else {
        let gid =
            defs.next_gid(host, args.system, Some(uid)).ok_or_else(|| Failure::new("useradd: no group id is free"))?;
        own = Some(sys::Group { name: args.name.clone(), gid, members: Vec::new() });
        gid
    };
    let base = home::default(host, "HOME").unwrap_or_else(|| "/home".to_owned());
    let path = args.home.as_ref().map_or_else(|| format!("{base}/{}", args.name), |h| h.0.clone());
    let shell = args.shell.as_ref().map(|s| s.0.clone()).or_else(|| home::default(host, "SHELL"));
    let user = sys::User {
        name: args.name.clone(),
        uid,
        gid,
        gecos: args.comment.clone().unwrap_or_default(),
        home: path,
        shell: shell.unwrap_or_default(),
    };
    Ok((user, own))
}

fn command(args: &User, host: &Probe<'_>, defs: &LoginDefs, groups: Option<&[String]>) -> Result<Command, Failure> {
    let mut c = Command::new("useradd");
    if let Some(uid) = args.uid()? {
        c = c.args(["-u", &uid.to_string()]);
        if args.non_unique {
            c = c.arg("-o");
        }
    }
    if let Some(name) = &args.group {
        c = c.args(["-g", name]);
    } else if host.group(&args.name).is_some() {
        // useradd would want to make a group of that name.
        c = c.arg("-N");
    }
    if let Some(groups) = groups.filter(|g| !g.is_empty()) {
        c = c.args(["-G", &groups.join(",")]);
    }
    let texts = [
        ("-c", args.comment.clone()),
        ("-d", args.home.as_ref().map(|h| h.0.clone())),
        ("-s", args.shell.as_ref().map(|s| s.0.clone())),
        ("-e", args.expires.map(shadow::expiry_argument)),
        ("-p", args.hash()),
        ("-f", args.password_expire_account_disable.map(|d| d.to_string())),
    ];
    for (flag, value) in texts {
        if let Some(value) = value {
            c = c.args([flag.to_owned(), value]);
        }
    }
    if args.create_home {
        c = c.arg("-m");
        if let Some(skeleton) = &args.skeleton {
            c = c.args(["-k", skeleton]);
        }
    } else {
        c = c.arg("-M");
    }
    if args.system {
        c = c.arg("-r");
    }
    Ok(c.args(defs.arguments()).arg(&args.name))
}
