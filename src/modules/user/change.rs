//! Accounts that are there and are to be otherwise.

use std::collections::BTreeSet;

use super::{User, create, diff, group, home, need, run, shadow};
use crate::model::{Attribute, Command, Failure};
use crate::module::{Done, Plan, Step};
use crate::sys::{self, Effect, Probe};

/// What is to be given to usermod, and what that changes.
struct Changes {
    command: Command,
    changes: Vec<Attribute>,
    effects: Vec<Effect>,
    user: sys::User,
}

impl Changes {
    fn set(&mut self, flag: &str, name: &str, before: impl Into<String>, after: impl Into<String>) {
        let after = after.into();
        self.command = std::mem::take(&mut self.command).args([flag.to_owned(), after.clone()]);
        self.changes.push(Attribute::new(name, before, after));
    }

    fn flag(&mut self, flag: &str) {
        self.command = std::mem::take(&mut self.command).arg(flag);
    }
}

/// Plans the changes of an account; returns it as it will be.
///
/// # Errors
/// When a group is not there, or an id is taken.
pub(super) fn plan(args: &User, host: &Probe<'_>, user: sys::User, plan: &mut Plan) -> Result<sys::User, Failure> {
    let mut c = Changes { command: Command::new("usermod"), changes: Vec::new(), effects: Vec::new(), user };
    ids(args, host, &mut c)?;
    groups(args, host, &mut c)?;
    if let Some(comment) = args.comment.as_ref().filter(|t| **t != c.user.gecos) {
        c.set("-c", "comment", c.user.gecos.clone(), comment.as_str());
        comment.clone_into(&mut c.user.gecos);
    }
    let moved = move_home(args, host, &mut c);
    if let Some(shell) = args.shell.as_ref().filter(|s| s.0 != c.user.shell) {
        c.set("-s", "shell", c.user.shell.clone(), shell.0.as_str());
        c.user.shell.clone_from(&shell.0);
    }
    // An account that is only planned has no entry yet.
    let fresh = || host.is_dry().then(|| shadow::fresh(&args.login_defs(host)));
    let entry = shadow::read(host, &args.name).or_else(fresh);
    secrets(args, entry.as_ref(), &mut c);
    if !c.changes.is_empty() {
        need(host, "usermod")?;
        c.effects.push(Effect::User(c.user.clone()));
        let command = c.command.arg(&args.name);
        plan.step(run(command, args.name.clone(), c.effects).diff(diff(&args.name, c.changes)));
    }
    if let Some((command, changes)) = shadow::chage(args, &entry.unwrap_or_default()) {
        need(host, "chage")?;
        plan.step(run(command, args.name.clone(), []).diff(diff(&args.name, changes)));
    }
    if args.create_home && !moved && !c.user.home.is_empty() && host.stat(&c.user.home)?.is_none() {
        make_home(args, host, &c.user, plan)?;
    }
    plan.set("append", args.append);
    plan.set("move_home", args.move_home);
    Ok(c.user)
}

fn ids(args: &User, host: &Probe<'_>, c: &mut Changes) -> Result<(), Failure> {
    if let Some(uid) = args.uid()?.filter(|uid| *uid != c.user.uid) {
        if !args.non_unique && host.user_by_id(uid).is_some() {
            return Err(Failure::new(format!("usermod: UID '{uid}' already exists\n"))
                .with("name", args.name.as_str())
                .with("rc", 4));
        }
        c.set("-u", "uid", c.user.uid.to_string(), uid.to_string());
        c.user.uid = uid;
        if args.non_unique {
            c.flag("-o");
        }
    }
    if let Some(name) = &args.group {
        let group = group(host, name)?;
        if group.gid != c.user.gid {
            let before = host.group_by_id(c.user.gid).map_or_else(|| c.user.gid.to_string(), |g| g.name);
            c.set("-g", "group", before, group.name);
            c.user.gid = group.gid;
        }
    }
    Ok(())
}

fn groups(args: &User, host: &Probe<'_>, c: &mut Changes) -> Result<(), Failure> {
    let Some(wanted) = args.groups(host)? else { return Ok(()) };
    let primary = host.group_by_id(c.user.gid).map(|g| g.name);
    let member = |g: &sys::Group| g.members.contains(&args.name);
    let now: BTreeSet<String> = host.groups().into_iter().filter(member).map(|g| g.name).collect();
    let now: BTreeSet<String> = now.into_iter().filter(|g| Some(g) != primary.as_ref()).collect();
    let wanted: BTreeSet<String> = wanted.into_iter().filter(|g| Some(g) != primary.as_ref()).collect();
    let after: BTreeSet<String> = if args.append { now.union(&wanted).cloned().collect() } else { wanted };
    if after == now {
        return Ok(());
    }
    let join = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(",");
    c.set("-G", "groups", join(&now), join(&after));
    for name in after.difference(&now) {
        c.effects.extend(create::joined(host, name, &args.name));
    }
    for name in now.difference(&after) {
        if let Some(mut group) = host.group(name) {
            group.members.retain(|m| *m != args.name);
            c.effects.push(Effect::Group(group));
        }
    }
    Ok(())
}

/// Sets another home; says whether the old one is moved there.
fn move_home(args: &User, host: &Probe<'_>, c: &mut Changes) -> bool {
    let Some(home) = args.home.as_ref().filter(|h| h.0 != c.user.home) else { return false };
    c.set("-d", "home", c.user.home.clone(), home.0.as_str());
    let old = std::mem::replace(&mut c.user.home, home.0.clone());
    if args.move_home {
        c.flag("-m");
        if !host.exists(&old) || host.exists(&home.0) {
            return false;
        }
        c.effects.push(Effect::Remove { path: old.into() });
        c.effects.push(Effect::MayProvide(format!("the home directory {} was not moved", home.0).into()));
    }
    args.move_home
}

fn secrets(args: &User, entry: Option<&shadow::Shadow>, c: &mut Changes) {
    let hash = entry.map(|e| e.hash.as_str()).unwrap_or_default();
    if let Some(expires) = args.expires {
        let (now, wanted) = (entry.and_then(|e| e.expires).filter(|d| *d >= 0), shadow::expiry_day(expires));
        // Without an entry there is nowhere that the date stands, not even that there is none.
        if now != wanted || entry.is_none() {
            let before = now.map_or_else(String::new, |day| {
                shadow::expiry_argument(
                    #[allow(clippy::cast_precision_loss, reason = "days are few")]
                    {
                        day as f64 * 86400.0
                    },
                )
            });
            c.set("-e", "expires", before, shadow::expiry_argument(expires));
        }
    }
    if let Some(days) = args.password_expire_account_disable.filter(|d| Some(*d) != entry.and_then(|e| e.inactive)) {
        let before = entry.and_then(|e| e.inactive).map_or_else(String::new, |d| d.to_string());
        c.set("-f", "password_expire_account_disable", before, days.to_string());
    }
    let bare = |hash: &str| hash.trim_start_matches('!').to_owned();
    let new = args.hash().filter(|h| args.update_password == "always" && bare(h) != bare(hash));
    if let Some(new) = new {
        c.command = std::mem::take(&mut c.command).args(["-p".to_owned(), new]);
        c.changes.push(Attribute::new("password", "********", "******** (changed)"));
    } else if args.password_lock == Some(true) && !hash.starts_with('!') {
        c.flag("-L");
        c.changes.push(Attribute::new("password_lock", "false", "true"));
    } else if args.password_lock == Some(false) && hash.starts_with('!') {
        c.flag("-U");
        c.changes.push(Attribute::new("password_lock", "true", "false"));
    }
}

/// A home that is missing is made, with the skeleton's files.
fn make_home(args: &User, host: &Probe<'_>, user: &sys::User, plan: &mut Plan) -> Result<(), Failure> {
    let effects = home::effects(args, host, user, &args.login_defs(host))?;
    let all = effects.clone();
    let step = Step::action(effects, move |host| {
        all.iter().try_for_each(|effect| host.apply(effect)).map(|()| Done::default())
    });
    plan.step(step.diff(diff(&args.name, vec![Attribute::new("home directory", "absent", user.home.as_str())])));
    Ok(())
}
