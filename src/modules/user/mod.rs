//! `user`: accounts, by the host's useradd, usermod, userdel and chage.

mod change;
mod create;
mod home;
mod shadow;
mod ssh_key;

use super::group::{done, need, run};
use super::ids::LoginDefs;
use crate::args;
use crate::model::{Attribute, Command, Diff, Failure, Map};
use crate::module::{Arguments, Kind, Module, Path, Plan, ReturnSpec, Run, Step};
use crate::sys::{self, Effect, Probe};

args! {
    /// Arguments of `user`.
    pub struct User {
        /// Login name.
        [required, aliases "user"]
        name: String,
        /// Whether the account is to be there.
        [choices "absent" "present"]
        state: String = "present".to_owned(),
        /// User id.
        uid: Option<i64>,
        /// Allow an id that another user has.
        non_unique: bool = false,
        /// Comment (GECOS).
        comment: Option<String>,
        /// Primary group: a name or an id.
        group: Option<String>,
        /// Supplementary groups; an empty list takes the user out of all.
        groups: Option<Vec<String>>,
        /// Add to the supplementary groups, instead of leaving all others.
        append: bool = false,
        /// Login shell.
        shell: Option<Path>,
        /// Home directory.
        home: Option<Path>,
        /// Make the home directory when it is missing.
        [aliases "createhome"]
        create_home: bool = true,
        /// Move the home directory when `home` changes.
        move_home: bool = false,
        /// Directory with the files of a new home.
        skeleton: Option<String>,
        /// Take an id from the range of system accounts, when it is made.
        system: bool = false,
        /// Hash of the password (crypt(5)).
        password: Option<String>,
        /// When to set the password: whenever it differs, or only when the account is made.
        [choices "always" "on_create"]
        update_password: String = "always".to_owned(),
        /// Lock or unlock the password.
        password_lock: Option<bool>,
        /// Days after which the password must be changed.
        password_expire_max: Option<i64>,
        /// Days before which the password cannot be changed.
        password_expire_min: Option<i64>,
        /// Days of warning before the password must be changed.
        password_expire_warn: Option<i64>,
        /// Days after the end of the password until the account is disabled.
        password_expire_account_disable: Option<i64>,
        /// When the account ends, in seconds since 1970; negative: never.
        expires: Option<f64>,
        /// With `absent`: remove though logged in. With `generate_ssh_key`: replace a key.
        force: bool = false,
        /// With `absent`: remove home directory and mail.
        remove: bool = false,
        /// Make an ssh key for the user.
        generate_ssh_key: bool = false,
        /// Its kind.
        ssh_key_type: String = "rsa".to_owned(),
        /// Its bits.
        ssh_key_bits: Option<i64>,
        /// Its file, in the home directory where relative; `.ssh/id_TYPE` by default.
        ssh_key_file: Option<Path>,
        /// Its comment; `ansible-generated on HOST` by default.
        ssh_key_comment: Option<String>,
        /// Its passphrase.
        ssh_key_passphrase: Option<String>,
        /// The lowest id to choose from.
        uid_min: Option<i64>,
        /// The highest id to choose from.
        uid_max: Option<i64>,
        /// umask for making the home directory.
        umask: Option<String>,
        /// Only local accounts. useradd makes local ones.
        [refused "libuser's luseradd is not driven; useradd changes local accounts"]
        local: Option<bool>,
        /// SELinux user.
        [refused "the mapping to SELinux users is not managed"]
        seuser: Option<String>,
        /// Of Illumos and Solaris.
        [refused "it is for Illumos and Solaris"]
        authorization: Option<String>,
        /// Of Illumos and Solaris.
        [refused "it is for Illumos and Solaris"]
        profile: Option<String>,
        /// Of Illumos and Solaris.
        [refused "it is for Illumos and Solaris"]
        role: Option<String>,
        /// Of BSD systems.
        [refused "it is for BSD systems"]
        login_class: Option<String>,
        /// Of macOS.
        [refused "it is for macOS"]
        hidden: Option<bool>,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "user",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::State,
    doc: "Manage user accounts.",
    args: User::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: &[
        ReturnSpec { name: "name", doc: "Login name." },
        ReturnSpec { name: "state", doc: "Whether the account is there." },
        ReturnSpec { name: "uid", doc: "User id." },
        ReturnSpec { name: "group", doc: "Id of the primary group." },
        ReturnSpec { name: "groups", doc: "Supplementary groups, as asked for, with commas." },
        ReturnSpec { name: "append", doc: "Whether other supplementary groups were kept." },
        ReturnSpec { name: "comment", doc: "Comment (GECOS)." },
        ReturnSpec { name: "home", doc: "Home directory." },
        ReturnSpec { name: "create_home", doc: "Whether a home directory was to be made." },
        ReturnSpec { name: "move_home", doc: "Whether the home directory was to be moved." },
        ReturnSpec { name: "shell", doc: "Login shell." },
        ReturnSpec { name: "system", doc: "Whether it was made as a system account." },
        ReturnSpec { name: "password", doc: "`NOT_LOGGING_PASSWORD`, when one was given." },
        ReturnSpec { name: "force", doc: "With `absent`: whether removal was forced." },
        ReturnSpec { name: "remove", doc: "With `absent`: whether the home directory went, too." },
        ReturnSpec { name: "ssh_fingerprint", doc: "Fingerprint of the ssh key." },
        ReturnSpec { name: "ssh_key_file", doc: "File of the ssh key." },
        ReturnSpec { name: "ssh_public_key", doc: "The public ssh key." },
    ],
    run: Run::Target(plan),
};

impl User {
    fn uid(&self) -> Result<Option<u32>, Failure> {
        self.uid.map(u32::try_from).transpose().map_err(|_| Failure::new("uid must be a positive number"))
    }

    /// Names of the supplementary groups asked for, all of which must be there.
    fn groups(&self, host: &Probe<'_>) -> Result<Option<Vec<String>>, Failure> {
        let Some(groups) = &self.groups else { return Ok(None) };
        let names = groups.iter().map(|g| g.trim()).filter(|g| !g.is_empty());
        names.map(|name| group(host, name).map(|g| g.name)).collect::<Result<_, _>>().map(Some)
    }

    /// login.defs with what the task sets in it.
    fn login_defs(&self, host: &Probe<'_>) -> LoginDefs {
        let mut defs = LoginDefs::read(host);
        for (name, value) in [("UID_MIN", self.uid_min), ("UID_MAX", self.uid_max)] {
            if let Some(value) = value {
                defs.set(name, value.to_string());
            }
        }
        if let Some(umask) = &self.umask {
            defs.set("UMASK", umask.as_str());
        }
        defs
    }

    /// The password as it is to stand in the shadow file.
    fn hash(&self) -> Option<String> {
        let hash = self.password.as_ref()?;
        Some(if self.password_lock == Some(true) && !hash.starts_with('!') { format!("!{hash}") } else { hash.clone() })
    }
}

/// The group with this name or id.
fn group(host: &Probe<'_>, name: &str) -> Result<sys::Group, Failure> {
    let found = host.group(name).or_else(|| host.group_by_id(name.parse().ok()?));
    found.ok_or_else(|| Failure::missing(format!("Group {name} does not exist")))
}

fn plan(args: &Map, host: &Probe<'_>) -> Result<Plan, Failure> {
    let args = User::parse(args)?;
    let mut plan = Plan::new().with("name", args.name.as_str()).with("state", args.state.as_str());
    check_password(&args, &mut plan);
    match (args.state.as_str(), host.user(&args.name)) {
        ("absent", None) => {}
        ("absent", Some(user)) => remove(&args, host, &user, &mut plan)?,
        (_, user) => {
            let planned = match user {
                None => create::plan(&args, host, &mut plan)?,
                Some(user) => change::plan(&args, host, user, &mut plan)?,
            };
            if args.groups.is_some() {
                let names = args.groups.iter().flatten().map(String::as_str).collect::<Vec<_>>();
                plan.set("groups", names.join(","));
            }
            if args.password.is_some() {
                plan.set("password", "NOT_LOGGING_PASSWORD");
            }
            if args.generate_ssh_key {
                ssh_key::plan(&args, host, &planned, &mut plan)?;
            }
            let name = args.name;
            plan.after(move |host| Ok(host.user(&name).map(|u| facts(&u)).unwrap_or_default()));
        }
    }
    Ok(plan)
}

fn facts(user: &sys::User) -> Map {
    let mut facts = Map::new();
    facts.insert("uid", user.uid);
    facts.insert("group", user.gid);
    facts.insert("comment", user.gecos.as_str());
    facts.insert("home", user.home.as_str());
    facts.insert("shell", user.shell.as_str());
    facts
}

/// Warns where a password looks like one in clear text, as Ansible does.
fn check_password(args: &User, plan: &mut Plan) {
    let Some(password) = args.password.as_deref() else { return };
    if !is_hash(password) {
        plan.warn(
            "The input password appears not to have been hashed. The 'password' argument must be encrypted for this module to work properly.",
        );
    }
}

/// Whether a text is a hash as crypt(5) has it, or one of those that lock an account: a method, and at last
/// the hash in its own letters, of the method's length where that is known.
fn is_hash(password: &str) -> bool {
    if matches!(password, "" | "*" | "!" | "*************") {
        return true;
    }
    let parts: Vec<&str> = password.split('$').collect();
    let &[_, method, .., hash] = parts.as_slice() else { return false };
    let length = match method {
        "1" => 22,
        "5" | "y" => 43,
        "6" => 86,
        _ => hash.len(),
    };
    let own = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'/';
    !password.contains([':', '*', '!']) && hash.len() == length && hash.bytes().all(own)
}

fn remove(args: &User, host: &Probe<'_>, user: &sys::User, plan: &mut Plan) -> Result<(), Failure> {
    need(host, "userdel")?;
    let mut command = Command::new("userdel");
    if args.force {
        command = command.arg("-f");
    }
    if args.remove {
        command = command.arg("-r");
    }
    let mut effects = vec![Effect::NoUser(args.name.clone())];
    // userdel takes the group of the same name along when nobody else is in it.
    let own = host.group(&args.name).filter(|g| g.gid == user.gid);
    let shared = |g: &sys::Group| {
        g.members.iter().any(|m| *m != args.name) || host.users().iter().any(|u| u.gid == g.gid && u.name != args.name)
    };
    effects.extend(own.filter(|g| !shared(g)).map(|g| Effect::NoGroup(g.name)));
    if args.remove {
        effects.push(Effect::Remove { path: user.home.clone().into() });
    }
    plan.set("force", args.force);
    plan.set("remove", args.remove);
    let diff = Diff::attribute(format!("user {}", args.name), "state", "present", "absent");
    let (command, name, uid) = (command.arg(&args.name), args.name.clone(), user.uid);
    let step = Step::action(effects, move |host| {
        // Tasks that became the account have left a worker there.
        host.end_workers_of(uid);
        done(host, &command, &name)
    });
    plan.step(step.diff(diff));
    Ok(())
}

/// A diff of what changes in an account; secrets are not in it.
fn diff(name: &str, changes: Vec<Attribute>) -> Diff {
    Diff::Attributes { subject: format!("user {name}"), changes }
}
